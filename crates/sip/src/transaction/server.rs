//! Requests that come in.

use super::classify::IncomingRequest;
use super::key::{Fingerprint, ServerKey};
use super::server_invite::InviteServer;
use super::server_other::OtherServer;
use super::step::Step;
use super::timer::{Alarm, Owner};
use super::*;

/// A server transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Server {
    number: u64,
    /// Where answers go.
    flow: Flow,
    /// Whoever sent it may not be there: answers go out few times.
    sparing: bool,
    /// `None` only while a transition is under way.
    state: Option<ServerState>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum ServerState {
    Invite { fingerprint: Fingerprint, state: InviteServer },
    Other(OtherServer),
}

impl Server {
    /// Is this the host that sent the request?
    fn is_at(&self, flow: &Flow) -> bool {
        self.flow.remote.ip().to_canonical() == flow.remote.ip().to_canonical()
    }
}

/// A request that is whole and belongs to no transaction yet; nothing is kept of it.
#[derive(Clone, Debug)]
pub struct NewRequest {
    flow: Flow,
    message: Message,
    request: IncomingRequest,
}

impl NewRequest {
    /// The transaction that it would open.
    #[must_use]
    pub fn key(&self) -> ServerKey {
        self.request.key
    }

    /// How it came.
    #[must_use]
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// What came.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }
}

impl Endpoint {
    /// Sends an answer to a request; tells whether its transaction was there.
    pub fn respond(
        &mut self,
        now: Now,
        key: ServerKey,
        response: &Response,
        out: &mut Vec<Action>,
    ) -> bool {
        self.change_server(now, key, None, out, |state, step| match state {
            ServerState::Invite { fingerprint, state } => {
                let state = state.respond(response, step)?;
                Some(ServerState::Invite { fingerprint, state })
            }
            ServerState::Other(state) => state.respond(response, step).map(ServerState::Other),
        })
    }

    /// Repeats what is said in this transaction no more than twice, until the other side is heard
    /// again: who sent the request may have written somebody else's address into it.
    pub fn spare(&mut self, key: ServerKey) {
        if let Some(server) = self.servers.get_mut(&key) {
            server.sparing = true;
        }
    }

    /// Can this request still be answered for the first time? An INVITE that was cancelled can.
    #[must_use]
    pub fn is_open(&self, key: ServerKey) -> bool {
        match self.servers.get(&key).and_then(|server| server.state.as_ref()) {
            Some(ServerState::Invite { state, .. }) => state.is_open(),
            Some(ServerState::Other(state)) => !matches!(state, OtherServer::Completed { .. }),
            None => false,
        }
    }

    /// Answers a request that came again; hands back one that is new.
    pub(super) fn receive_request(
        &mut self,
        now: Now,
        flow: Flow,
        message: Message,
        request: IncomingRequest,
        out: &mut Vec<Action>,
    ) -> Option<NewRequest> {
        let again = self.request_again(now, request.key, out);
        (!again).then_some(NewRequest { flow, message, request })
    }

    /// Opens a transaction for a new request, before anything else is received; tells whether it did, or
    /// refused the request because there are too many or because it came by another way, too.
    pub fn open(&mut self, now: Now, request: NewRequest, out: &mut Vec<Action>) -> bool {
        let NewRequest { flow, message, request } = request;
        let IncomingRequest { key, in_dialog, port, invite } = request;
        debug_assert!(!self.servers.contains_key(&key), "it was new");
        let room = self.limits.transactions + if in_dialog { self.limits.reserve } else { 0 };
        if self.len() >= room {
            self.shed(&flow, &message, out);
            return false;
        }
        // The same INVITE came by another way (RFC 3261 section 8.2.2.2).
        if !in_dialog && invite.is_some_and(|invite| self.invites.contains_key(&invite)) {
            let response = ResponseBuilder::reply_to(&message, Status::LOOP_DETECTED).finish();
            reply(&flow, &message, &response, out);
            return false;
        }
        self.counters.requests += 1;
        let number = self.next_number();
        let answers = to_port(&flow, port);
        let owner = Owner::Server(key);
        let timers = &mut self.timers;
        let mut step = Step { now, flow: &answers, owner, number, timers, out };
        let state = match invite {
            Some(fingerprint) => {
                self.invites.insert(fingerprint, key);
                let state = InviteServer::new(message.clone(), &mut step);
                ServerState::Invite { fingerprint, state }
            }
            None => ServerState::Other(OtherServer::new(&mut step)),
        };
        let (sparing, state) = (false, Some(state));
        self.servers.insert(key, Server { number, flow: answers, sparing, state });
        out.push(Action::Request { key, flow, message });
        true
    }

    /// Refuses a request without keeping anything; the sender shall come back a little later, not
    /// all senders at once.
    fn shed(&mut self, flow: &Flow, message: &Message, out: &mut Vec<Action>) {
        self.counters.shed += 1;
        let seconds = 5 + u32::try_from(self.tokens.below(26)).unwrap_or_default();
        let response = ResponseBuilder::reply_to(message, Status::SERVICE_UNAVAILABLE)
            .typed(&RetryAfter::new(seconds))
            .finish();
        reply(flow, message, &response, out);
    }

    /// Answers a request again that came again; tells whether it was one.
    fn request_again(&mut self, now: Now, key: ServerKey, out: &mut Vec<Action>) -> bool {
        let known = self.change_server(now, key, None, out, |state, step| match state {
            ServerState::Invite { fingerprint, state } => {
                let state = state.request_again(step)?;
                Some(ServerState::Invite { fingerprint, state })
            }
            ServerState::Other(state) => state.request_again(step).map(ServerState::Other),
        });
        self.counters.repeated += u64::from(known);
        known
    }

    /// An ACK of a refusal has the branch of its INVITE and ends here; one of a 2xx goes up, once.
    pub(super) fn receive_ack(
        &mut self,
        now: Now,
        flow: Flow,
        message: Message,
        (same_branch, invite): (ServerKey, Fingerprint),
        out: &mut Vec<Action>,
    ) {
        let mut accepted = false;
        let known = self.change_server(now, same_branch, None, out, |state, step| match state {
            ServerState::Invite { fingerprint, state } => {
                accepted = matches!(state, InviteServer::Accepted { .. });
                let state = state.acknowledge_refusal(step)?;
                Some(ServerState::Invite { fingerprint, state })
            }
            state @ ServerState::Other(_) => Some(state),
        });
        if known && !accepted {
            return;
        }
        let key = self.invites.get(&invite).copied();
        let server = key.and_then(|key| self.servers.get_mut(&key));
        // An answer in it says where sound goes, and nobody can be asked for credentials with it.
        if let Some(server) = &server
            && !message.body().is_empty()
            && !server.is_at(&flow)
        {
            self.counters.stray += 1;
            return;
        }
        match server.and_then(|server| server.state.as_mut()) {
            Some(ServerState::Invite { state, .. }) => {
                if !state.is_acknowledged_by(&message) {
                    self.counters.stray += 1;
                } else if state.acknowledge_success() {
                    out.push(Action::Ack { invite: key, flow, message });
                } else {
                    self.counters.repeated += 1;
                }
            }
            _ => out.push(Action::Ack { invite: None, flow, message }),
        }
    }

    /// Answers a CANCEL and tells of it when its INVITE is not answered yet. It has to come from where
    /// the INVITE came from, because nobody can be asked for credentials with it (RFC 3261 section
    /// 22.1).
    pub(super) fn receive_cancel(
        &mut self,
        now: Now,
        flow: Flow,
        message: Message,
        (key, invite): (ServerKey, ServerKey),
        out: &mut Vec<Action>,
    ) {
        if self.request_again(now, key, out) {
            return;
        }
        let known = self.servers.get(&invite).is_some_and(|server| server.is_at(&flow));
        let status = if known { Status::OK } else { Status::CALL_DOES_NOT_EXIST };
        let response = ResponseBuilder::reply_to(&message, status).finish();
        if !known || self.len() >= self.limits.transactions + self.limits.reserve {
            reply(&flow, &message, &response, out);
        } else {
            let number = self.next_number();
            let state = Some(ServerState::Other(OtherServer::Trying));
            let (flow, sparing) = (answer_flow(&flow, &message), false);
            self.servers.insert(key, Server { number, flow, sparing, state });
            self.respond(now, key, &response, out);
        }
        if known && self.is_open(invite) {
            out.push(Action::Cancelled { invite, message });
        }
    }

    pub(super) fn server_timeout(
        &mut self,
        now: Now,
        key: ServerKey,
        alarm: Alarm,
        out: &mut Vec<Action>,
    ) {
        let sparing = self.servers.get(&key).is_some_and(|server| server.sparing);
        self.change_server(now, key, Some(alarm.number), out, |state, step| match state {
            ServerState::Invite { fingerprint, state } => {
                let state = state.timeout(key, alarm.timer, sparing, step)?;
                Some(ServerState::Invite { fingerprint, state })
            }
            ServerState::Other(state) => state.timeout(alarm.timer).map(ServerState::Other),
        });
    }

    /// Lets a transaction change its state, and forgets it when it is over.
    fn change_server(
        &mut self,
        now: Now,
        key: ServerKey,
        number: Option<u64>,
        out: &mut Vec<Action>,
        change: impl FnOnce(ServerState, &mut Step<'_>) -> Option<ServerState>,
    ) -> bool {
        let Some(server) = self.servers.get_mut(&key) else { return false };
        if number.is_some_and(|number| number != server.number) {
            return false;
        }
        let Some(state) = server.state.take() else { return false };
        let fingerprint = match state {
            ServerState::Invite { fingerprint, .. } => Some(fingerprint),
            ServerState::Other(_) => None,
        };
        let mut step = Step {
            now,
            flow: &server.flow,
            owner: Owner::Server(key),
            number: server.number,
            timers: &mut self.timers,
            out: &mut *out,
        };
        server.state = change(state, &mut step);
        if server.state.is_none() {
            self.servers.remove(&key);
            out.push(Action::Over { key });
            if let Some(fingerprint) = fingerprint
                && self.invites.get(&fingerprint) == Some(&key)
            {
                self.invites.remove(&fingerprint);
            }
        }
        true
    }
}

/// Where the answers to a request go (RFC 3261 section 18.2.2, RFC 3581 section 4): back over the
/// connection, or to where the datagram came from, at the port of the Via unless `rport` stands
/// there. A `maddr` is not followed: it would let anybody point our answers at somebody else.
pub(super) fn answer_flow(flow: &Flow, request: &Message) -> Flow {
    let via = request.typed::<Via>().ok().filter(|via| !via.params.has("rport"));
    to_port(flow, via.map(|via| via.sent_by.port.unwrap_or(5060)))
}

fn to_port(flow: &Flow, port: Option<u16>) -> Flow {
    let mut flow = flow.clone();
    if let Some(port) = port
        && !flow.transport.is_reliable()
    {
        flow.remote.set_port(port);
    }
    flow
}
