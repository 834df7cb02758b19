//! The transaction layer: all transactions of one element, their timers, and what they send.
//!
//! Push style: every call takes the time and a list, and adds to the list what is to be done.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::flow::Flow;
use crate::header::{RetryAfter, Via};
use crate::message::{
    Fault, Message, ParseError, RequestBuilder, Response, ResponseBuilder, refuse,
};
use crate::method::Method;
use crate::now::Now;
use crate::status::Status;
use crate::tokens::Tokens;

mod action;
mod classify;
mod client;
mod client_invite;
mod client_other;
mod derive;
mod key;
mod server;
mod server_invite;
mod server_other;
mod step;
mod timer;

pub use action::{Action, Failure};
pub use key::{ClientKey, ServerKey};
pub use server::NewRequest;

use classify::{Incoming, classify};
use client::Client;
use key::{Fingerprint, Keys, Map};
use server::Server;
use timer::{Owner, Timers};

/// All transactions of one element.
///
/// It checks every message for the headers it needs and answers broken requests itself; it answers
/// CANCEL, repeats what gets lost, sends 100 when an INVITE takes long, repeats a 2xx until its ACK
/// comes and the ACK when the 2xx comes again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    limits: Limits,
    tokens: Tokens,
    keys: Keys,
    #[serde(with = "key::sorted")]
    servers: Map<ServerKey, Server>,
    #[serde(with = "key::sorted")]
    clients: Map<ClientKey, Client>,
    /// Those over a connection, by its number, or that open one, and its other side.
    #[serde(with = "key::sorted")]
    over: Map<(Option<u64>, SocketAddr), BTreeSet<ClientKey>>,
    /// INVITEs that were received, by what they share with their ACK.
    #[serde(with = "key::sorted")]
    invites: Map<Fingerprint, ServerKey>,
    timers: Timers,
    /// How many transactions there ever were.
    number: u64,
    counters: Counters,
}

/// How many transactions an [`Endpoint`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Above this many, new requests outside dialogs are refused with 503.
    pub transactions: usize,
    /// So many more are kept for requests inside dialogs and for our own.
    pub reserve: usize,
}

/// What has happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests that opened a transaction.
    pub requests: u64,
    /// Requests and answers that came again and were absorbed.
    pub repeated: u64,
    /// Messages with a fault.
    pub malformed: u64,
    /// Requests refused because there were too many transactions.
    pub shed: u64,
    /// Answers that belong to nothing.
    pub stray: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { transactions: 200_000, reserve: 50_000 }
    }
}

impl Endpoint {
    /// An element without transactions. The seed must come from real randomness.
    #[must_use]
    pub fn new(seed: [u8; 32], limits: Limits) -> Self {
        let mut tokens = Tokens::new(seed);
        let secret = [tokens.number(), tokens.number()];
        Self {
            limits,
            tokens,
            keys: Keys::new(secret),
            servers: Map::default(),
            clients: Map::default(),
            over: Map::default(),
            invites: Map::default(),
            timers: Timers::default(),
            number: 0,
            counters: Counters::default(),
        }
    }

    /// Takes a message that was received.
    pub fn receive(&mut self, now: Now, flow: Flow, message: Message, out: &mut Vec<Action>) {
        if let Some(request) = self.sift(now, flow, message, out) {
            self.open(now, request, out);
        }
    }

    /// Takes a message that was received, but a request that is new: that is handed back before
    /// anything is kept of it, so that its sender can be looked at. [`Self::open`] goes on with it.
    #[must_use]
    pub fn sift(
        &mut self,
        now: Now,
        flow: Flow,
        mut message: Message,
        out: &mut Vec<Action>,
    ) -> Option<NewRequest> {
        message.set_source(flow.remote);
        let incoming = message.check().map(|found| classify(&mut self.keys, &message, found));
        match incoming {
            Ok(Incoming::Request(request)) => {
                return self.receive_request(now, flow, message, request, out);
            }
            Ok(Incoming::Response(answer)) => {
                self.receive_response(now, flow, message, &answer, out);
            }
            Ok(Incoming::Ack { same_branch, invite }) => {
                self.receive_ack(now, flow, message, (same_branch, invite), out);
            }
            Ok(Incoming::Cancel { key, invite }) => {
                self.receive_cancel(now, flow, message, (key, invite), out);
            }
            Err(fault) => self.refuse(&flow, &message, fault, out),
        }
        None
    }

    fn refuse(&mut self, flow: &Flow, message: &Message, fault: Fault, out: &mut Vec<Action>) {
        self.counters.malformed += 1;
        if let Some(response) = refuse(message, fault) {
            reply(flow, message, &response, out);
        }
    }

    /// Takes a message that could not be read: answers it if that is possible.
    pub fn receive_broken(&mut self, flow: &Flow, error: &ParseError, out: &mut Vec<Action>) {
        if error.fault == Fault::KeepAlive {
            return;
        }
        self.counters.malformed += 1;
        if let (Some(message), Some(response)) = (error.message(), error.answer(flow.remote)) {
            reply(flow, message, &response, out);
        }
    }

    /// Fires the timers that are due.
    pub fn timeout(&mut self, now: Now, out: &mut Vec<Action>) {
        while let Some(alarm) = self.timers.due(now) {
            match alarm.owner {
                Owner::Server(key) => self.server_timeout(now, key, alarm, out),
                Owner::Client(key) => self.client_timeout(now, key, alarm, out),
            }
        }
    }

    /// When [`Self::timeout`] is to be called next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Now> {
        self.timers.next()
    }

    /// How many transactions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What has happened since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The source of tags, Call-IDs and whatever else nobody may guess.
    pub fn tokens(&mut self) -> &mut Tokens {
        &mut self.tokens
    }

    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

/// Sends an answer that belongs to no transaction.
fn reply(flow: &Flow, request: &Message, response: &Response, out: &mut Vec<Action>) {
    let flow = server::answer_flow(flow, request);
    out.push(Action::Transmit { flow, bytes: Arc::clone(&response.bytes) });
}
