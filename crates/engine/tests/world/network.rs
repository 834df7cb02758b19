//! The network: takes time, loses, repeats and reorders, all from a seed.

use core::time::Duration;
use std::net::SocketAddr;

use jackfield_engine::{Decision, Input};
use jackfield_sip::{Flow, Message, Method, ResponseBuilder, Status, Tokens, Transport};
use jackfield_vocabulary::OperationId;

use super::{PhoneId, SERVER, World};

/// How bad it is. Only UDP loses and repeats.
pub struct Network {
    random: Tokens,
    /// Of a hundred datagrams, so many are lost.
    pub lost: u64,
    /// Of a hundred datagrams, so many come twice.
    pub doubled: u64,
    /// Milliseconds one way, at least.
    pub delay: u64,
    /// Milliseconds that may be added, so that later ones overtake.
    pub jitter: u64,
    /// Nothing gets through any more, either way, to and from this phone.
    pub cut_off: Vec<PhoneId>,
    /// Nobody is at the addresses where no phone is, whoever may have written them into a message.
    pub forged: bool,
}

/// What arrives.
pub enum Delivery {
    ToEngine(Input),
    ToPhone(PhoneId, Flow, Vec<u8>),
}

impl Network {
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self {
            random: Tokens::new(bytes),
            lost: 0,
            doubled: 0,
            delay: 5,
            jitter: 0,
            cut_off: vec![],
            forged: false,
        }
    }

    /// When copies of a message arrive: none, one or two.
    fn copies(&mut self, reliable: bool) -> Vec<Duration> {
        let base = self.delay;
        if reliable {
            return vec![Duration::from_millis(base)];
        }
        if self.random.below(100) < self.lost {
            return vec![];
        }
        let count = if self.random.below(100) < self.doubled { 2 } else { 1 };
        let jitter = self.jitter + 1;
        (0..count).map(|_| Duration::from_millis(base + self.random.below(jitter))).collect()
    }
}

impl World {
    /// A phone sends; the flow is seen from the phone.
    pub(crate) fn send_to_engine(&mut self, from: PhoneId, flow: &Flow, mut message: Vec<u8>) {
        if self.network.cut_off.contains(&from) {
            return;
        }
        if self.record {
            self.recorded.push(message.clone());
        }
        let mut seen = Flow { local: flow.remote, remote: flow.local, ..flow.clone() };
        if let Some(mouth) = self.phones[&from].mouth {
            // Who listens elsewhere does not ask to be answered where it sends from.
            seen.remote = mouth;
            message = String::from_utf8_lossy(&message).replacen(";rport", "", 1).into_bytes();
        }
        for delay in self.network.copies(flow.transport.is_reliable()) {
            let input = Input::Sip { flow: seen.clone(), message: message.clone() };
            self.schedule(delay, Delivery::ToEngine(input));
        }
    }

    /// Anybody sends a datagram.
    pub fn send_raw(&mut self, from: &str, message: &str) {
        let flow = Flow::udp(SERVER.parse().unwrap(), from.parse().unwrap());
        let message = message.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
        self.input(Input::Sip { flow, message });
    }

    /// The engine sends; the flow is seen from the engine.
    pub(crate) fn send_to_phone(&mut self, flow: Flow, message: Vec<u8>) {
        let text = String::from_utf8_lossy(&message);
        let line = format!("{} {} {text:?}", self.now.micros, flow.remote);
        self.transcript.push(line);
        // Phones that share an address are told apart by the user they are asked for, or that they
        // asked as.
        let meant = Message::parse_datagram(&message).ok().map(|message| {
            let from = message.first(jackfield_sip::HeaderName::From).unwrap_or_default();
            if message.is_request() { message.raw_uri().to_owned() } else { from.to_owned() }
        });
        let mut here: Vec<&super::Phone> =
            self.phones.values().filter(|phone| phone.listens_at(&flow)).collect();
        if here.len() > 1 {
            let meant = meant.unwrap_or_default();
            here.retain(|phone| meant.contains(&format!("sip:{}@", phone.user)));
        }
        let Some(phone) = here.first().map(|phone| phone.id) else {
            return self.stray(flow, message);
        };
        if self.network.cut_off.contains(&phone) {
            return;
        }
        let seen = Flow { local: flow.remote, remote: flow.local, ..flow.clone() };
        for delay in self.network.copies(flow.transport.is_reliable()) {
            self.schedule(delay, Delivery::ToPhone(phone, seen.clone(), message.clone()));
        }
    }

    /// A message for somebody who is no phone of the world. Whoever sends by hand says OK when asked
    /// whether it is there.
    fn stray(&mut self, flow: Flow, bytes: Vec<u8>) {
        let asked = Message::parse_datagram(&bytes).ok();
        let asked = asked.filter(|one| one.method() == Some(&Method::Options));
        match asked.filter(|_| !self.network.forged) {
            Some(question) => {
                let answer = ResponseBuilder::reply_to(&question, Status::OK).finish();
                self.input(Input::Sip { flow, message: answer.bytes.to_vec() });
            }
            None => self.store.strays.push((flow.remote, bytes)),
        }
    }

    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::ToEngine(input) => self.input(input),
            Delivery::ToPhone(id, flow, bytes) => {
                let Ok(message) = Message::parse_datagram(&bytes) else {
                    panic!("the engine sent what is no SIP: {}", String::from_utf8_lossy(&bytes));
                };
                self.phone_hears(id, flow, message);
            }
        }
    }
}
