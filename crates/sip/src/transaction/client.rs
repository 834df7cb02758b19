//! Requests that go out.

use super::classify::IncomingResponse;
use super::client_invite::{FORKS, InviteClient, SentAck, Wish};
use super::client_other::{OtherClient, Verdict};
use super::key::ClientKey;
use super::step::Step;
use super::timer::{Alarm, Owner, PATIENCE, Timer};
use super::*;
use crate::header::Reason;
use crate::uri::HostPort;

/// A client transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Client {
    number: u64,
    flow: Flow,
    /// The request as it was sent; empty once nobody asks for it any more.
    bytes: Arc<[u8]>,
    /// Our own CANCEL, whose answers interest nobody.
    is_internal: bool,
    /// How often it may still be sent again.
    repeats: u8,
    /// `None` only while a transition is under way.
    state: Option<ClientState>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum ClientState {
    Invite(InviteClient),
    Other(OtherClient),
}

impl Client {
    /// Does this come from where the request went? The branch alone finds the transaction (RFC 3261
    /// section 17.1.3), but whoever has listened knows it. Over a stream the answer comes by the
    /// connection, or by another one of the same host (section 18.1.2).
    fn is_at(&self, flow: &Flow) -> bool {
        self.flow.transport == flow.transport
            && self.flow.remote.ip().to_canonical() == flow.remote.ip().to_canonical()
    }

    /// No final answer came yet.
    fn waits(&self) -> bool {
        match &self.state {
            Some(ClientState::Invite(state)) => {
                matches!(state, InviteClient::Calling { .. } | InviteClient::Proceeding { .. })
            }
            Some(ClientState::Other(state)) => !matches!(state, OtherClient::Completed),
            None => false,
        }
    }
}

impl ClientState {
    /// Will the request neither be sent again nor cancelled, nor be needed for an ACK?
    fn is_answered(&self) -> bool {
        matches!(
            self,
            Self::Invite(InviteClient::Accepted { .. }) | Self::Other(OtherClient::Completed)
        )
    }
}

impl Endpoint {
    /// Sends a request and waits for its answers. The Via is added here.
    ///
    /// An ACK has no transaction; it is sent once. [`Self::acknowledge`] does better.
    pub fn request(
        &mut self,
        now: Now,
        flow: Flow,
        request: &RequestBuilder,
        out: &mut Vec<Action>,
    ) -> ClientKey {
        let branch = self.tokens.branch();
        let bytes: Arc<[u8]> = request.write(&via(&flow, &branch)).into();
        let key = self.keys.client(&branch, request.method());
        if *request.method() == Method::Ack {
            out.push(Action::Transmit { flow, bytes });
            return key;
        }
        self.start(now, key, flow, bytes, request.method(), out);
        key
    }

    /// Sends a request, but again no more than so often: nobody knows whether anybody is there.
    pub fn request_at_most(
        &mut self,
        now: Now,
        flow: Flow,
        request: &RequestBuilder,
        repeats: u8,
        out: &mut Vec<Action>,
    ) -> ClientKey {
        let key = self.request(now, flow, request, out);
        if let Some(client) = self.clients.get_mut(&key) {
            client.repeats = repeats;
        }
        key
    }

    /// Forgets a request: nobody waits for its answer any more.
    pub fn abandon(&mut self, key: ClientKey) {
        self.forget_client(key);
    }

    /// Sends the ACK of a 2xx, and again whenever the same 2xx comes again.
    pub fn acknowledge(
        &mut self,
        invite: ClientKey,
        response: &Message,
        flow: Flow,
        ack: &RequestBuilder,
        out: &mut Vec<Action>,
    ) {
        let branch = self.tokens.branch();
        let bytes: Arc<[u8]> = ack.write(&via(&flow, &branch)).into();
        let client = self.clients.get_mut(&invite).and_then(|client| client.state.as_mut());
        if let Some(ClientState::Invite(InviteClient::Accepted { acks })) = client
            && acks.len() < FORKS
        {
            let to_tag = response.to_tag().unwrap_or_default().into();
            acks.push(SentAck { to_tag, flow: flow.clone(), bytes: Arc::clone(&bytes) });
        }
        out.push(Action::Transmit { flow, bytes });
    }

    /// Gives up an INVITE, and says why where there is something to say (RFC 3326). Its final answer
    /// still comes, usually 487; or a 2xx, which then needs ACK and BYE.
    pub fn cancel(
        &mut self,
        now: Now,
        invite: ClientKey,
        reason: Option<&Reason>,
        out: &mut Vec<Action>,
    ) {
        let Some(client) = self.clients.get_mut(&invite) else { return };
        let wish = Wish(reason.map(|reason| reason.to_string().into()));
        match &mut client.state {
            Some(ClientState::Invite(InviteClient::Calling { cancel, .. })) => {
                cancel.get_or_insert(wish);
            }
            Some(ClientState::Invite(InviteClient::Proceeding { cancelled, .. }))
                if !*cancelled =>
            {
                *cancelled = true;
                self.send_cancel(now, invite, &wish, out);
            }
            _ => {}
        }
    }

    /// Fails all requests that wait for an answer over a flow which is gone.
    pub fn disconnected(&mut self, flow: &Flow, out: &mut Vec<Action>) {
        // Strangers open and close connections as fast as they can: only what was sent over this one is
        // looked at, or was to open it.
        let over = self.over.get(&(flow.connection, flow.remote)).cloned();
        for key in over.into_iter().flatten() {
            let waits = self.clients.get(&key).is_some_and(|one| one.flow == *flow && one.waits());
            if waits && self.forget_client(key).is_some_and(|client| !client.is_internal) {
                out.push(Action::Failed { key, reason: Failure::Transport });
            }
        }
    }

    fn forget_client(&mut self, key: ClientKey) -> Option<Client> {
        let client = self.clients.remove(&key)?;
        let over = (client.flow.connection, client.flow.remote);
        if let Some(keys) = self.over.get_mut(&over) {
            keys.remove(&key);
            if keys.is_empty() {
                self.over.remove(&over);
            }
        }
        Some(client)
    }

    fn start(
        &mut self,
        now: Now,
        key: ClientKey,
        flow: Flow,
        bytes: Arc<[u8]>,
        method: &Method,
        out: &mut Vec<Action>,
    ) {
        let number = self.next_number();
        let owner = Owner::Client(key);
        let mut step = Step { now, flow: &flow, owner, number, timers: &mut self.timers, out };
        step.transmit(&bytes);
        let state = match method {
            Method::Invite => ClientState::Invite(InviteClient::new(&mut step)),
            _ => ClientState::Other(OtherClient::new(&mut step)),
        };
        let is_internal = *method == Method::Cancel;
        if flow.transport.is_reliable() {
            self.over.entry((flow.connection, flow.remote)).or_default().insert(key);
        }
        let (repeats, state) = (u8::MAX, Some(state));
        self.clients.insert(key, Client { number, flow, bytes, is_internal, repeats, state });
    }

    fn send_cancel(
        &mut self,
        now: Now,
        invite: ClientKey,
        Wish(reason): &Wish,
        out: &mut Vec<Action>,
    ) {
        let Some(client) = self.clients.get(&invite) else { return };
        let (flow, number) = (client.flow.clone(), client.number);
        let Some(bytes) = derive::cancel(&client.bytes, reason.as_deref()) else { return };
        let branch = Message::parse_datagram(&bytes)
            .ok()
            .and_then(|cancel| Some(cancel.typed::<Via>().ok()?.branch()?.to_owned()));
        let key = self.keys.client(&branch.unwrap_or_default(), &Method::Cancel);
        let alarm = Alarm { owner: Owner::Client(invite), number, timer: Timer::Cancelled };
        self.timers.set(now, PATIENCE, alarm);
        self.start(now, key, flow, bytes, &Method::Cancel, out);
    }

    pub(super) fn receive_response(
        &mut self,
        now: Now,
        flow: Flow,
        message: Message,
        answer: &IncomingResponse,
        out: &mut Vec<Action>,
    ) {
        let IncomingResponse { key, status, ref to_tag, is_invite } = *answer;
        if self.clients.get(&key).is_some_and(|client| !client.is_at(&flow)) {
            self.counters.stray += 1;
            return;
        }
        let mut wished = None;
        let verdict = self.change_client(now, key, None, out, |state, step| match state {
            ClientState::Invite(state) => {
                if let InviteClient::Calling { cancel, .. } = &state
                    && status.is_provisional()
                {
                    wished.clone_from(cancel);
                }
                let (state, verdict) = state.response(status, to_tag, step);
                (state.map(ClientState::Invite), verdict)
            }
            ClientState::Other(state) => {
                let (state, verdict) = state.response(status, step);
                (state.map(ClientState::Other), verdict)
            }
        });
        if let Some(wish) = &wished {
            self.send_cancel(now, key, wish, out);
        }
        match verdict {
            Some((Verdict::Pass, is_internal)) => {
                if status.code() >= 300 && is_invite {
                    self.acknowledge_refusal(key, &message, out);
                }
                if !is_internal {
                    out.push(Action::Response { key, flow, message });
                }
            }
            Some((Verdict::RepeatAck, _)) => {
                self.counters.repeated += 1;
                self.acknowledge_refusal(key, &message, out);
            }
            Some(_) => self.counters.repeated += 1,
            None => self.counters.stray += 1,
        }
    }

    /// Sends the ACK of a refusal; the same again when the refusal comes again.
    fn acknowledge_refusal(&mut self, key: ClientKey, response: &Message, out: &mut Vec<Action>) {
        let Some(client) = self.clients.get_mut(&key) else { return };
        let Some(ClientState::Invite(InviteClient::Completed { ack })) = &mut client.state else {
            return;
        };
        if ack.is_none() {
            *ack = derive::ack(&client.bytes, response);
        }
        if let Some(bytes) = ack {
            client.bytes = Arc::default();
            out.push(Action::Transmit { flow: client.flow.clone(), bytes: Arc::clone(bytes) });
        }
    }

    pub(super) fn client_timeout(
        &mut self,
        now: Now,
        key: ClientKey,
        alarm: Alarm,
        out: &mut Vec<Action>,
    ) {
        let number = Some(alarm.number);
        let verdict = self.change_client(now, key, number, out, |state, step| match state {
            ClientState::Invite(state) => {
                let (state, verdict) = state.timeout(alarm.timer, step);
                (state.map(ClientState::Invite), verdict)
            }
            ClientState::Other(state) => {
                let (state, verdict) = state.timeout(alarm.timer, step);
                (state.map(ClientState::Other), verdict)
            }
        });
        match verdict {
            Some((Verdict::TimedOut, false)) => {
                out.push(Action::Failed { key, reason: Failure::TimedOut });
            }
            Some((Verdict::Cancel, _)) => self.send_cancel(now, key, &Wish(None), out),
            Some((Verdict::Repeat, _)) => {
                if let Some(client) = self.clients.get_mut(&key)
                    && let Some(left) = client.repeats.checked_sub(1)
                {
                    client.repeats = left;
                    let (flow, bytes) = (client.flow.clone(), Arc::clone(&client.bytes));
                    out.push(Action::Transmit { flow, bytes });
                }
            }
            _ => {}
        }
    }

    /// Lets a transaction change its state, and forgets it when it is over.
    fn change_client(
        &mut self,
        now: Now,
        key: ClientKey,
        number: Option<u64>,
        out: &mut Vec<Action>,
        change: impl FnOnce(ClientState, &mut Step<'_>) -> (Option<ClientState>, Verdict),
    ) -> Option<(Verdict, bool)> {
        let client = self.clients.get_mut(&key)?;
        if number.is_some_and(|number| number != client.number) {
            return None;
        }
        let state = client.state.take()?;
        let mut step = Step {
            now,
            flow: &client.flow,
            owner: Owner::Client(key),
            number: client.number,
            timers: &mut self.timers,
            out,
        };
        let (state, verdict) = change(state, &mut step);
        client.state = state;
        if client.state.as_ref().is_some_and(ClientState::is_answered) {
            client.bytes = Arc::default();
        }
        let is_internal = client.is_internal;
        if client.state.is_none() {
            self.forget_client(key);
        }
        Some((verdict, is_internal))
    }
}

/// The Via of a request we send.
fn via(flow: &Flow, branch: &str) -> Via {
    let mut via = Via::new(flow.transport.via(), HostPort::from(flow.local), branch);
    if !flow.transport.is_reliable() {
        via.params.set("rport", None);
    }
    via
}
