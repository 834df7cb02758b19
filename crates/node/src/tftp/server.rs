//! The transfers of one socket, without the socket: datagrams and time go in, datagrams come out.
//! Everything is bounded; when it is full, transfers whose client never answered make room.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::packet::{self, ErrorCode, Packet, Request};
use super::transfer::{Progress, Transfer};
use super::{FileFault, FileSource, Limits};

/// The transfers of one socket.
pub(crate) struct Server<'a> {
    source: &'a dyn FileSource,
    limits: Limits,
    transfers: BTreeMap<SocketAddr, Running>,
    due: BTreeSet<(Duration, SocketAddr)>,
    /// Transfers whose client never answered, the oldest first.
    unconfirmed: BTreeSet<(u64, SocketAddr)>,
    per_source: BTreeMap<IpAddr, usize>,
    bytes: usize,
    begun: u64,
}

struct Running {
    number: u64,
    name: Box<str>,
    transfer: Transfer,
}

/// Where datagrams go.
pub(crate) type Send<'s> = dyn FnMut(&[u8], SocketAddr) + 's;

impl<'a> Server<'a> {
    pub(crate) fn new(source: &'a dyn FileSource, limits: Limits) -> Self {
        Self {
            source,
            limits,
            transfers: BTreeMap::new(),
            due: BTreeSet::new(),
            unconfirmed: BTreeSet::new(),
            per_source: BTreeMap::new(),
            bytes: 0,
            begun: 0,
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
        if let Some(running) = self.transfers.get(&from) {
            if *running.name == *request.name && !running.transfer.is_confirmed() {
                // The same request again: what was sent goes again when it is due.
                return;
            }
            self.end(from);
        }
        if self.per_source.get(&from.ip()).is_some_and(|count| *count >= self.limits.per_source) {
            // Silence: the client asks again.
            return;
        }
        match self.source.fetch(request.name, from.ip()) {
            Ok(file) => self.add(mode.encode(file), request, from, now, send),
            Err(FileFault::NotFound) => {
                send(&packet::error(ErrorCode::NotFound, "file not found"), from);
            }
            Err(FileFault::Refused) => {
                send(&packet::error(ErrorCode::AccessViolation, "no acceptable name"), from);
            }
        }
    }

    fn add(
        &mut self,
        file: Vec<u8>,
        request: &Request<'_>,
        from: SocketAddr,
        now: Duration,
        send: &mut Send<'_>,
    ) {
        if !self.make_room(file.len()) {
            return;
        }
        let transfer =
            Transfer::begin(file, request.options, now, &mut |packet| send(packet, from));
        self.begun += 1;
        self.bytes += transfer.size();
        *self.per_source.entry(from.ip()).or_default() += 1;
        self.due.insert((transfer.due(), from));
        self.unconfirmed.insert((self.begun, from));
        let name = request.name.into();
        self.transfers.insert(from, Running { number: self.begun, name, transfer });
    }

    /// Ends the oldest transfers whose clients never answered until there is room.
    fn make_room(&mut self, bytes: usize) -> bool {
        while self.transfers.len() >= self.limits.transfers
            || self.bytes.saturating_add(bytes) > self.limits.bytes
        {
            let Some((_, oldest)) = self.unconfirmed.first().copied() else { return false };
            self.end(oldest);
        }
        true
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
            self.unconfirmed.remove(&(running.number, client));
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
        self.unconfirmed.remove(&(running.number, client));
        self.bytes = self.bytes.saturating_sub(running.transfer.size());
        if let Some(count) = self.per_source.get_mut(&client.ip()) {
            *count -= 1;
            if *count == 0 {
                self.per_source.remove(&client.ip());
            }
        }
    }
}
