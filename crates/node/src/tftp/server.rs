//! The transfers of one socket, without the socket: datagrams and time go in, datagrams come out.
//! Everything is bounded; when it is full, transfers whose client never answered make room.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use jackfield_vocabulary::share::{Figures, Holder, Places, uses};

use super::packet::{self, ErrorCode, Packet, Request};
use super::transfer::{Progress, Transfer};
use super::{FileFault, FileSource, Limits};

/// The transfers of one socket.
pub(crate) struct Server<'a> {
    source: &'a dyn FileSource,
    transfers: BTreeMap<SocketAddr, Running>,
    due: BTreeSet<(Duration, SocketAddr)>,
    /// The places of transfers; those whose client never answered are idle.
    places: Places<SocketAddr>,
    /// What their files take.
    bytes: Places<SocketAddr>,
}

struct Running {
    name: Box<str>,
    transfer: Transfer,
}

/// Where datagrams go.
pub(crate) type Send<'s> = dyn FnMut(&[u8], SocketAddr) + 's;

impl<'a> Server<'a> {
    pub(crate) fn new(source: &'a dyn FileSource, limits: Limits) -> Self {
        Self {
            source,
            transfers: BTreeMap::new(),
            due: BTreeSet::new(),
            places: Places::new(limits.transfers),
            bytes: Places::new(limits.bytes),
        }
    }

    /// A datagram came.
    pub(crate) fn handle(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Duration,
        send: &mut Send<'_>,
    ) {
        match Packet::parse(datagram) {
            Some(Packet::Read(request)) => self.begin(&request, from, now, send),
            Some(Packet::Write) => {
                send(&packet::error(ErrorCode::AccessViolation, "read only"), from);
            }
            Some(Packet::Acknowledge(block)) => {
                self.advance(from, send, |transfer, send| transfer.acknowledged(block, now, send));
            }
            Some(Packet::Error) => self.end(from),
            // An answer to an error could be an error again: only requests are answered.
            None if datagram.first_chunk() == Some(&[0, 1]) => {
                send(&packet::error(ErrorCode::IllegalOperation, "not understood"), from);
            }
            None => {}
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Duration, send: &mut Send<'_>) {
        while let Some((due, client)) = self.due.first().copied()
            && due <= now
        {
            self.due.pop_first();
            self.advance(client, send, |transfer, send| transfer.tick(now, send));
        }
    }

    /// When [`Server::tick`] is due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// What transfers and their files have come to.
    pub(crate) fn figures(&self) -> [Figures; 2] {
        [uses::TFTP_TRANSFERS.figures(&self.places), uses::TFTP_BYTES.figures(&self.bytes)]
    }

    #[cfg(test)]
    pub(crate) fn running(&self) -> usize {
        self.transfers.len()
    }

    fn begin(
        &mut self,
        request: &Request<'_>,
        from: SocketAddr,
        now: Duration,
        send: &mut Send<'_>,
    ) {
        let Some(mode) = request.mode else {
            let why = "only modes octet and netascii are served";
            send(&packet::error(ErrorCode::Undefined, why), from);
            return;
        };
        if let Some(running) = self.transfers.get_mut(&from) {
            if *running.name == *request.name && !running.transfer.is_confirmed() {
                running.transfer.asked_again(&mut |packet| send(packet, from));
                return;
            }
            self.end(from);
        }
        let Ok(gone) = self.places.take_another(from, Holder::stranger(from.ip()), 1) else {
            // Silence: the client asks again.
            return;
        };
        self.places.idle(&from);
        gone.into_iter().for_each(|client| self.end(client));
        match self.source.fetch(request.name, from.ip()) {
            Ok(file) => return self.add(mode.encode(file), request, from, now, send),
            Err(FileFault::NotFound) => {
                send(&packet::error(ErrorCode::NotFound, "file not found"), from);
            }
            Err(FileFault::Refused) => {
                send(&packet::error(ErrorCode::AccessViolation, "no acceptable name"), from);
            }
        }
        self.places.release(&from);
    }

    fn add(
        &mut self,
        file: Vec<u8>,
        request: &Request<'_>,
        from: SocketAddr,
        now: Duration,
        send: &mut Send<'_>,
    ) {
        let holder = Holder::stranger(from.ip());
        let Ok(gone) = self.bytes.take_another(from, holder, file.len() as u64) else {
            self.places.release(&from);
            return;
        };
        self.bytes.idle(&from);
        gone.into_iter().for_each(|client| self.end(client));
        let transfer =
            Transfer::begin(file, request.options, now, &mut |packet| send(packet, from));
        self.due.insert((transfer.due(), from));
        self.transfers.insert(from, Running { name: request.name.into(), transfer });
    }

    fn advance(
        &mut self,
        client: SocketAddr,
        send: &mut Send<'_>,
        step: impl FnOnce(&mut Transfer, &mut dyn FnMut(&[u8])) -> Progress,
    ) {
        let Some(running) = self.transfers.get_mut(&client) else { return };
        let before = running.transfer.due();
        let progress = step(&mut running.transfer, &mut |packet| send(packet, client));
        if running.transfer.is_confirmed() {
            self.places.busy(&client);
            self.bytes.busy(&client);
        }
        self.due.remove(&(before, client));
        match progress {
            Progress::Running => {
                self.due.insert((running.transfer.due(), client));
            }
            Progress::Done | Progress::GivenUp => self.end(client),
        }
    }

    fn end(&mut self, client: SocketAddr) {
        let Some(running) = self.transfers.remove(&client) else { return };
        self.due.remove(&(running.transfer.due(), client));
        self.places.release(&client);
        self.bytes.release(&client);
    }
}
