//! The transfers of one desk, without its sockets: datagrams and time go in, datagrams come out.
//! Everything is bounded; when it is full, transfers whose client never answered make room.
//!
//! Each transfer is answered from one of the desk's sockets, drawn in secret (RFC 1350 section 4): who
//! only forges a client's address never sees its port, and an acknowledgement anywhere else is none.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::time::Duration;

use jackfield_vocabulary::share::{Figures, Holder, Places, uses};

use super::packet::{self, ErrorCode, Packet, Request};
use super::transfer::{Progress, Transfer};
use super::{FileFault, FileSource, Limits};

/// The transfers of one desk.
pub(crate) struct Server<'a> {
    source: &'a dyn FileSource,
    sockets: u64,
    /// From which sockets are drawn, and how many were.
    secret: RandomState,
    drawn: u64,
    transfers: BTreeMap<SocketAddr, Running>,
    due: BTreeSet<(Duration, SocketAddr)>,
    /// The places of transfers; those whose client never answered are idle.
    places: Places<SocketAddr>,
    /// What their files take.
    bytes: Places<SocketAddr>,
}

struct Running {
    name: Box<str>,
    /// The socket that answers.
    socket: usize,
    /// Acknowledgements in its client's name that came to other sockets.
    strays: u8,
    transfer: Transfer,
}

/// Between which two ports a datagram of a transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) client: SocketAddr,
    /// The number of the answering socket.
    pub(crate) socket: usize,
}

/// Where datagrams go.
pub(crate) type Send<'s> = dyn FnMut(&[u8], Way) + 's;

impl<'a> Server<'a> {
    pub(crate) fn new(source: &'a dyn FileSource, limits: Limits) -> Self {
        Self {
            source,
            sockets: limits.sockets.max(1) as u64,
            secret: RandomState::new(),
            drawn: 0,
            transfers: BTreeMap::new(),
            due: BTreeSet::new(),
            places: Places::new(limits.transfers),
            bytes: Places::new(limits.bytes),
        }
    }

    /// A datagram came to the known port, which takes only requests.
    pub(crate) fn asked(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Duration,
        send: &mut Send<'_>,
    ) {
        let why = match Packet::parse(datagram) {
            Some(Packet::Read(request)) => return self.begin(&request, from, now, send),
            Some(Packet::Write) => packet::error(ErrorCode::AccessViolation, "read only"),
            // An answer to an error could be an error again: only requests are answered.
            None if datagram.first_chunk() == Some(&[0, 1]) => {
                packet::error(ErrorCode::IllegalOperation, "not understood")
            }
            _ => return,
        };
        send(&why, self.draw(from));
    }

    /// A datagram came to an answering socket, which takes only what is about its transfers.
    pub(crate) fn answered(
        &mut self,
        datagram: &[u8],
        way: Way,
        now: Duration,
        send: &mut Send<'_>,
    ) {
        let Some(packet @ (Packet::Acknowledge(_) | Packet::Error)) = Packet::parse(datagram)
        else {
            return;
        };
        let Some(running) = self.transfers.get_mut(&way.client) else { return };
        if running.socket != way.socket {
            // Late from a transfer before this one, or guessed by somebody who is not the client. Once the
            // client has answered there is nothing left to guess, and nothing ends its transfer.
            running.strays = running.strays.saturating_add(1);
            if running.strays > MOST_STRAYS && !running.transfer.is_confirmed() {
                self.end(way.client);
            }
            return;
        }
        match packet {
            Packet::Acknowledge(block) => {
                self.advance(way.client, send, |transfer, send| {
                    transfer.acknowledged(block, now, send)
                });
            }
            _ => self.end(way.client),
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
            send(&packet::error(ErrorCode::Undefined, why), self.draw(from));
            return;
        };
        if let Some(running) = self.transfers.get_mut(&from) {
            if *running.name == *request.name && !running.transfer.is_confirmed() {
                let way = Way { client: from, socket: running.socket };
                running.transfer.asked_again(&mut |packet| send(packet, way));
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
        let way = self.draw(from);
        match self.source.fetch(request.name, from.ip()) {
            Ok(file) => return self.add(mode.encode(file), request, way, now, send),
            Err(FileFault::NotFound) => {
                send(&packet::error(ErrorCode::NotFound, "file not found"), way);
            }
            Err(FileFault::Refused) => {
                send(&packet::error(ErrorCode::AccessViolation, "no acceptable name"), way);
            }
        }
        self.places.release(&from);
    }

    fn add(
        &mut self,
        file: Vec<u8>,
        request: &Request<'_>,
        way: Way,
        now: Duration,
        send: &mut Send<'_>,
    ) {
        let from = way.client;
        let holder = Holder::stranger(from.ip());
        let Ok(gone) = self.bytes.take_another(from, holder, file.len() as u64) else {
            self.places.release(&from);
            return;
        };
        self.bytes.idle(&from);
        gone.into_iter().for_each(|client| self.end(client));
        let transfer = Transfer::begin(file, request.options, now, &mut |packet| send(packet, way));
        self.due.insert((transfer.due(), from));
        let running =
            Running { name: request.name.into(), socket: way.socket, strays: 0, transfer };
        self.transfers.insert(from, running);
    }

    fn advance(
        &mut self,
        client: SocketAddr,
        send: &mut Send<'_>,
        step: impl FnOnce(&mut Transfer, &mut dyn FnMut(&[u8])) -> Progress,
    ) {
        let Some(running) = self.transfers.get_mut(&client) else { return };
        let before = running.transfer.due();
        let way = Way { client, socket: running.socket };
        let progress = step(&mut running.transfer, &mut |packet| send(packet, way));
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

    /// A way to a client, over a socket that nobody else can know.
    fn draw(&mut self, client: SocketAddr) -> Way {
        self.drawn += 1;
        let drawn = self.secret.hash_one((client, self.drawn)) % self.sockets;
        Way { client, socket: usize::try_from(drawn).unwrap_or_default() }
    }
}

/// Acknowledgements to wrong sockets that end a transfer whose client has not answered yet when there are
/// more: a client's own may come late and doubled, and who guesses has no more tries than that.
const MOST_STRAYS: u8 = 4;
