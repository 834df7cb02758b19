//! Two endpoints, a network that loses what a seed says, and virtual time.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jackfield_sip::{
    Action, Endpoint, Flow, HeaderName, Limits, Message, Method, Now, RequestBuilder, Tokens,
    Transport,
};

pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;

/// A message and whom it is for.
struct Letter {
    to: usize,
    bytes: Arc<[u8]>,
}

/// The two ends and what is on its way between them.
pub(crate) struct World {
    pub(crate) now: Now,
    pub(crate) ends: [Endpoint; 2],
    /// What each end reported, with the time, in order.
    pub(crate) reports: [Vec<(Now, Action)>; 2],
    /// First lines of all that was sent, and by whom.
    pub(crate) wire: Vec<(Now, usize, String)>,
    transport: Transport,
    on_its_way: BTreeMap<(Now, u64), Letter>,
    count: u64,
    dice: Tokens,
    /// Out of a hundred messages so many are lost.
    pub(crate) loss: u64,
}

impl World {
    pub(crate) fn new(transport: Transport, seed: u8, loss: u64) -> Self {
        Self {
            now: Now::ZERO,
            ends: [1, 2].map(|end| Endpoint::new([seed ^ (end << 4); 32], Limits::default())),
            reports: [Vec::new(), Vec::new()],
            wire: Vec::new(),
            transport,
            on_its_way: BTreeMap::new(),
            count: 0,
            dice: Tokens::new([seed; 32]),
            loss,
        }
    }

    pub(crate) fn flow(&self, from: usize) -> Flow {
        let flow = Flow::new(self.transport, address(from), address(1 - from));
        if self.transport.is_reliable() { flow.connected(1) } else { flow }
    }

    /// Does something at one end and sends what comes of it.
    pub(crate) fn act<T>(
        &mut self,
        end: usize,
        act: impl FnOnce(&mut Endpoint, Now, Flow, &mut Vec<Action>) -> T,
    ) -> T {
        let (now, flow, mut out) = (self.now, self.flow(end), Vec::new());
        let result = act(&mut self.ends[end], now, flow, &mut out);
        for action in out {
            match action {
                Action::Transmit { bytes, .. } => self.send(end, bytes),
                report => self.reports[end].push((now, report)),
            }
        }
        result
    }

    /// Lets time pass until nothing is left to happen or the span is over.
    pub(crate) fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.next().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            while let Some(entry) = self.on_its_way.first_entry().filter(|e| e.key().0 <= self.now)
            {
                let Letter { to: end, bytes } = entry.remove();
                let message = Message::parse_datagram(&bytes).unwrap();
                self.act(end, |e, now, flow, out| e.receive(now, flow, message, out));
            }
            for end in [ALICE, BOB] {
                self.act(end, |e, now, _, out| e.timeout(now, out));
            }
        }
        self.now = until;
    }

    /// Writes the state of both ends and reads it back.
    pub(crate) fn restore(&mut self) {
        for end in &mut self.ends {
            let text = serde_json::to_string(end).unwrap();
            let restored: Endpoint = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&restored).unwrap(), text);
            *end = restored;
        }
    }

    /// How often a message was sent whose first line begins so.
    pub(crate) fn sent(&self, end: usize, start: &str) -> usize {
        self.wire.iter().filter(|(_, by, line)| *by == end && line.starts_with(start)).count()
    }

    /// When such messages were sent, in milliseconds.
    pub(crate) fn times(&self, end: usize, start: &str) -> Vec<u128> {
        let sent = self.wire.iter().filter(|(_, by, line)| *by == end && line.starts_with(start));
        sent.map(|(at, ..)| at.0.as_millis()).collect()
    }

    fn next(&self) -> Option<Now> {
        let message = self.on_its_way.first_key_value().map(|((at, _), _)| *at);
        let timers = self.ends.iter().filter_map(Endpoint::next_timeout);
        timers.chain(message).min()
    }

    fn send(&mut self, from: usize, bytes: Arc<[u8]>) {
        let line = bytes.split(|b| *b == b'\r').next().unwrap();
        self.wire.push((self.now, from, String::from_utf8_lossy(line).into_owned()));
        if self.dice.below(100) < self.loss && !self.transport.is_reliable() {
            return;
        }
        self.count += 1;
        let delay = Duration::from_millis(10 + self.dice.below(20));
        let letter = Letter { to: 1 - from, bytes };
        self.on_its_way.insert((self.now + delay, self.count), letter);
    }
}

pub(crate) fn address(end: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + u8::try_from(end).unwrap()], 5060))
}

/// A request from Alice to Bob outside a dialog.
pub(crate) fn request(method: Method) -> RequestBuilder {
    let cseq = format!("1 {method}");
    RequestBuilder::new(method, "sip:bob@192.0.2.2")
        .header(HeaderName::From, "<sip:alice@192.0.2.1>;tag=alice")
        .header(HeaderName::To, "<sip:bob@192.0.2.2>")
        .header(HeaderName::CallId, "call-1")
        .header(HeaderName::CSeq, cseq)
        .header(HeaderName::Contact, "<sip:alice@192.0.2.1>")
}
