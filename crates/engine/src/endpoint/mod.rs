//! The SIP endpoint: reads messages, answers what needs no device, keeps the transactions.

pub(crate) mod answer;
mod screen;

use std::collections::VecDeque;
use std::sync::Arc;

use jackfield_sip::header::Reason;
use jackfield_sip::{
    Action, ClientKey, Flow, HeaderName, Limits, Message, Method, NewRequest, RequestBuilder,
    Response, ServerKey,
};
use jackfield_vocabulary::share::{Figures, Holder, Places, uses};
use jackfield_vocabulary::{LegId, Now, ObjectId};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::interface::Output;

/// Transactions, and what they have told that is not handled yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    transactions: jackfield_sip::Endpoint,
    /// The places of server transactions, by who sent the request.
    places: Places<ServerKey>,
    /// The octets of their requests, which the answers repeat in part.
    octets: Places<ServerKey>,
    /// Who sent the request that is on its way into a transaction.
    sender: Option<Sender>,
    /// More waits at the door than can be handled soon: new work is turned away.
    behind: bool,
    #[serde(skip)]
    actions: Vec<Action>,
    #[serde(skip)]
    heard: VecDeque<Heard>,
}

/// What devices hear from the network.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    /// A REGISTER, which has no transaction: answer it with [`Endpoint::reply`].
    Register { flow: Flow, message: Message },
    /// Any other request that is new. Before anything is kept of it, its sender is looked at:
    /// [`Endpoint::admit`] goes on with it, [`Endpoint::reply`] answers it for good.
    Arrived(NewRequest),
    /// A request that was admitted: answer it with [`Endpoint::respond`].
    Request { key: ServerKey, flow: Flow, message: Message, sender: Sender },
    /// The ACK of a 2xx of ours.
    Ack { invite: Option<ServerKey>, message: Message },
    /// The caller gave up.
    Cancelled { invite: ServerKey },
    /// A 2xx of ours is never acknowledged.
    Unacknowledged { invite: ServerKey },
    /// An answer to a request of ours.
    Response { key: ClientKey, flow: Flow, message: Message },
    /// A request of ours will have no answer.
    Failed { key: ClientKey },
}

/// Whose request was admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sender {
    /// This device calls.
    Caller(ObjectId),
    /// The device of this leg, inside its dialog.
    Dialog(LegId),
    /// The device of this leg tells of a call key, outside dialogs.
    CallKey(LegId),
}

impl Endpoint {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            transactions: jackfield_sip::Endpoint::new(seed, LIMITS),
            places: uses::SIP_TRANSACTIONS.places(),
            octets: uses::SIP_TRANSACTION_OCTETS.places(),
            sender: None,
            behind: false,
            actions: Vec::new(),
            heard: VecDeque::new(),
        }
    }

    /// Takes a message from the network.
    pub(crate) fn receive(&mut self, ctx: &mut Context<'_>, flow: Flow, bytes: &[u8]) {
        match Message::parse_datagram(bytes) {
            Ok(mut message) => {
                message.set_source(flow.remote);
                self.sort(ctx, flow, message);
            }
            Err(error) => {
                self.transactions.receive_broken(&flow, &error, &mut self.actions);
                self.act(ctx);
            }
        }
    }

    /// What needs nothing to be kept of it gets no transaction, so that nobody fills their table with
    /// it (RFC 3261 section 8.2.7): a REGISTER, which says the same however often it comes; what is
    /// turned away because too much is waiting; and whatever concerns no device.
    fn sort(&mut self, ctx: &mut Context<'_>, flow: Flow, message: Message) {
        if self.behind && is_new(&message) {
            ctx.count("requests-shed");
            let response = answer::unavailable(&message, 5 + ctx.ids.below(26));
            return self.reply(ctx, &flow, &message, &response);
        }
        if message.method() == Some(&Method::Register) {
            return self.heard.push_back(Heard::Register { flow, message });
        }
        let arrived = self.transactions.sift(time(ctx.now), flow, message, &mut self.actions);
        self.act(ctx);
        let Some(request) = arrived else { return };
        match Self::screen(request.flow(), request.message()) {
            Some(response) => self.reply(ctx, request.flow(), request.message(), &response),
            None => self.heard.push_back(Heard::Arrived(request)),
        }
    }

    /// Opens a transaction for a request that has just arrived and whose sender was looked at, if there is
    /// a place for it.
    pub(crate) fn admit(
        &mut self,
        ctx: &mut Context<'_>,
        request: NewRequest,
        sender: Sender,
        proved: bool,
    ) {
        let (key, flow, message) = (request.key(), request.flow(), request.message());
        let holder = Holder { source: flow.remote.ip().into(), proved };
        if !self.enter(key, holder, message) {
            ctx.count("requests-shed");
            let response = answer::unavailable(message, 5 + ctx.ids.below(26));
            return self.reply(ctx, flow, message, &response);
        }
        let sparing = !proved && !flow.transport.is_reliable();
        self.sender = Some(sender);
        let opened = self.transactions.open(time(ctx.now), request, &mut self.actions);
        self.act(ctx);
        self.sender = None;
        if !opened {
            return self.leave(key);
        }
        if sparing {
            self.transactions.spare(key);
        }
    }

    /// Takes what a transaction needs, if its sender may have so much.
    fn enter(&mut self, key: ServerKey, holder: Holder, message: &Message) -> bool {
        let octets = (message.head().len() + message.body().len()) as u64;
        let entered = self.places.take(key, holder, 1).is_ok()
            && self.octets.take(key, holder, octets).is_ok();
        if !entered {
            self.leave(key);
        }
        entered
    }

    /// Gives it back.
    fn leave(&mut self, key: ServerKey) {
        self.places.release(&key);
        self.octets.release(&key);
    }

    /// Gives a REGISTER to the transactions, which answer it because it is broken.
    pub(crate) fn transact(&mut self, ctx: &mut Context<'_>, flow: Flow, message: Message) {
        self.transactions.receive(time(ctx.now), flow, message, &mut self.actions);
        self.act(ctx);
    }

    /// The answer to a request whose sender does not matter; `None` when it does.
    pub(crate) fn screen(flow: &Flow, message: &Message) -> Option<Response> {
        screen::screen(flow, message)
    }

    /// What was heard, in order.
    pub(crate) fn next_heard(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    /// Fires the timers of transactions that are due.
    pub(crate) fn timeout(&mut self, ctx: &mut Context<'_>) {
        self.transactions.timeout(time(ctx.now), &mut self.actions);
        self.act(ctx);
    }

    /// When a transaction wants to be woken, in microseconds.
    pub(crate) fn next_timeout(&self) -> Option<u64> {
        let next = self.transactions.next_timeout()?;
        // Rounded up: a timer must be due when it fires.
        Some(u64::try_from(next.0.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX))
    }

    /// A stream is gone: nothing sent over it will be answered.
    pub(crate) fn disconnected(&mut self, ctx: &mut Context<'_>, flow: &Flow) {
        self.transactions.disconnected(flow, &mut self.actions);
        self.act(ctx);
    }

    /// The shell tells whether it is behind.
    pub(crate) fn set_behind(&mut self, behind: bool) {
        self.behind = behind;
    }

    /// Answers a request that has no transaction.
    pub(crate) fn reply(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        response: &Response,
    ) {
        let mut flow = flow.clone();
        if !flow.transport.is_reliable()
            && let Some(port) = request.answer_port()
        {
            flow.remote.set_port(port);
        }
        ctx.out.push(Output::Transmit { flow, message: Arc::clone(&response.bytes) });
    }

    /// Answers a request in its transaction.
    pub(crate) fn respond(&mut self, ctx: &mut Context<'_>, key: ServerKey, response: &Response) {
        self.transactions.respond(time(ctx.now), key, response, &mut self.actions);
        self.act(ctx);
    }

    /// Sends a request.
    pub(crate) fn request(
        &mut self,
        ctx: &mut Context<'_>,
        flow: Flow,
        request: &RequestBuilder,
    ) -> ClientKey {
        let now = time(ctx.now);
        let key = self.transactions.request(now, flow, request, &mut self.actions);
        self.act(ctx);
        key
    }

    /// Sends a request to somebody who may not be there, and again so often at the most.
    pub(crate) fn request_at_most(
        &mut self,
        ctx: &mut Context<'_>,
        flow: Flow,
        request: &RequestBuilder,
        repeats: u8,
    ) -> ClientKey {
        let now = time(ctx.now);
        let actions = &mut self.actions;
        let key = self.transactions.request_at_most(now, flow, request, repeats, actions);
        self.act(ctx);
        key
    }

    /// Forgets a request whose answer nobody waits for any more.
    pub(crate) fn abandon(&mut self, key: ClientKey) {
        self.transactions.abandon(key);
    }

    /// Gives up an INVITE of ours, and says why where the phone is to know.
    pub(crate) fn cancel(
        &mut self,
        ctx: &mut Context<'_>,
        invite: ClientKey,
        reason: Option<&Reason>,
    ) {
        self.transactions.cancel(time(ctx.now), invite, reason, &mut self.actions);
        self.act(ctx);
    }

    /// Sends the ACK of a 2xx.
    pub(crate) fn acknowledge(
        &mut self,
        ctx: &mut Context<'_>,
        invite: ClientKey,
        response: &Message,
        flow: Flow,
        ack: &RequestBuilder,
    ) {
        self.transactions.acknowledge(invite, response, flow, ack, &mut self.actions);
        self.act(ctx);
    }

    /// What the limits by source have come to.
    pub(crate) fn figures(&self) -> [Figures; 2] {
        [
            uses::SIP_TRANSACTIONS.figures(&self.places),
            uses::SIP_TRANSACTION_OCTETS.figures(&self.octets),
        ]
    }

    /// Transactions under way.
    pub(crate) fn transactions(&self) -> usize {
        self.transactions.len()
    }

    /// Counts for the metrics page.
    pub(crate) fn counters(&self) -> Vec<(Box<str>, u64)> {
        let counters = self.transactions.counters();
        [
            ("sip-requests", counters.requests),
            ("sip-repeated", counters.repeated),
            ("sip-malformed", counters.malformed),
            ("sip-shed", counters.shed),
            ("sip-stray", counters.stray),
        ]
        .map(|(name, count)| (name.into(), count))
        .into()
    }

    /// Carries out what the transactions asked for.
    fn act(&mut self, ctx: &mut Context<'_>) {
        let mut actions = core::mem::take(&mut self.actions);
        for action in actions.drain(..) {
            match action {
                Action::Transmit { flow, bytes } => {
                    ctx.out.push(Output::Transmit { flow, message: bytes });
                }
                Action::Request { key, flow, message } => {
                    // Only what was admitted opens a transaction.
                    if let Some(sender) = self.sender.take() {
                        self.heard.push_back(Heard::Request { key, flow, message, sender });
                    }
                }
                Action::Over { key } => self.leave(key),
                Action::Ack { invite, message, .. } => {
                    self.heard.push_back(Heard::Ack { invite, message });
                }
                Action::Cancelled { invite, .. } => {
                    self.heard.push_back(Heard::Cancelled { invite });
                }
                Action::Unacknowledged { key } => {
                    self.heard.push_back(Heard::Unacknowledged { invite: key });
                }
                Action::Response { key, flow, message } => {
                    self.heard.push_back(Heard::Response { key, flow, message });
                }
                Action::Failed { key, .. } => self.heard.push_back(Heard::Failed { key }),
            }
        }
        // Nothing of the above asks for more; the room is kept.
        self.actions = actions;
    }
}

/// A request that begins something new: outside a dialog, and neither ACK nor CANCEL.
fn is_new(message: &Message) -> bool {
    let begins = message
        .method()
        .is_some_and(|method| !matches!(method, Method::Ack | Method::Cancel | Method::Bye));
    begins
        && message.to_tag().is_none()
        && message.first(HeaderName::Via).is_some()
        && message.check().is_ok()
}

/// Registrations need no transactions, so this is several hundred calls a second. It bounds what is
/// received and what is sent together; [`uses::SIP_TRANSACTIONS`] what is received.
const LIMITS: Limits = Limits { transactions: 60_000, reserve: 20_000 };

/// The moment as the `sip` crate counts it.
fn time(now: Now) -> jackfield_sip::Now {
    jackfield_sip::Now(core::time::Duration::from_micros(now.micros))
}
