//! Calls: making, taking, holding and ending them.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_sip::header::{PAssertedIdentity, RemotePartyId};
use jackfield_sip::{HeaderName, Message, Method, Now, RequestBuilder, ResponseBuilder, Status};
use jackfield_vocabulary::MediaTarget;

use super::{ALLOW, Phone};
use crate::agent::{Dialog, Direction, LocalSession, Purpose, RemoteSession, Verdict, accept};
use crate::interface::{AudioOrder, CallNumber, CallState, PhoneEvent, PhoneOutput};

/// One call of this phone.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) number: CallNumber,
    pub(super) line: usize,
    pub(super) dialog: Dialog,
    pub(super) phase: Phase,
    /// The other side, as it should be shown.
    pub(super) peer: String,
    local: Option<LocalSession>,
    target: Option<MediaTarget>,
    /// What was told last, so that nothing is told twice.
    told: Option<CallState>,
    /// We put it on hold, or are about to.
    pub(super) held: bool,
    held_there: bool,
    /// Headers that a call made for a purpose carries.
    extra: Vec<(HeaderName, String)>,
    /// Our INVITE was challenged already.
    challenged: bool,
    /// A re-INVITE of ours is under way.
    changing: bool,
    /// Our last ACK of a 200, for when the 200 is said again.
    ack: Option<Vec<u8>>,
    /// When the change that met another one is tried again.
    pub(super) due: Option<Now>,
    /// The call that this one was made to transfer or to join.
    pub(super) consults: Option<(CallNumber, Join)>,
    /// Somebody waits to be told how the call that was asked for goes.
    pub(super) referred_by: Option<Box<Referral>>,
}

/// What becomes of two calls when the key is pressed a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    Transfer,
    Conference,
}

/// The dialog in which a REFER came, and its NOTIFYs go back.
#[derive(Debug)]
pub(super) enum Referral {
    /// Its own.
    Own(Dialog),
    /// That of a call.
    Call(CallNumber),
}

/// How far a call is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Ours: waits for an RTP port.
    Opening,
    /// Ours: INVITE sent; the server said something already.
    Calling { progress: Option<CallState> },
    /// Ours: given up, the server does not know yet.
    GivenUp { told: bool },
    /// Theirs: rings here.
    Alerting { invite: Box<Message>, answer: bool },
    /// Answered.
    Talking,
}

impl Call {
    /// What is told of it.
    pub(super) fn told(&self) -> CallState {
        match &self.phase {
            Phase::Opening | Phase::Calling { progress: None } => {
                CallState::Dialling { number: self.peer.clone() }
            }
            Phase::Calling { progress: Some(progress) } => progress.clone(),
            Phase::GivenUp { .. } => CallState::Ended { reason: "given up".into() },
            Phase::Alerting { .. } => CallState::RingingHere { from: self.peer.clone() },
            Phase::Talking if self.held => CallState::Held,
            Phase::Talking if self.held_there => CallState::HeldThere,
            Phase::Talking => CallState::Connected { with: self.peer.clone() },
        }
    }

    pub(super) fn is_talking(&self) -> bool {
        matches!(self.phase, Phase::Talking)
    }

    /// A header for its INVITE.
    pub(super) fn add_header(&mut self, name: HeaderName, value: String) {
        self.extra.push((name, value));
    }

    pub(super) fn event_payload_type(&self) -> Option<u8> {
        self.target.as_ref().and_then(|target| target.event_payload_type)
    }
}

impl Phone {
    /// Makes a call.
    pub(super) fn dial(
        &mut self,
        now: Now,
        number: &str,
        extra: Vec<(HeaderName, String)>,
        out: &mut Vec<PhoneOutput>,
    ) -> Option<CallNumber> {
        let line = self.chosen_line.min(self.lines.len().saturating_sub(1));
        if number.is_empty() || self.way.is_none() || self.lines.is_empty() {
            self.notice = Some("No service".into());
            return None;
        }
        if self.calls.len() >= CALLS {
            self.notice = Some("No line free".into());
            return None;
        }
        self.hold_active(now, out);
        let remote = match number.strip_prefix("sip:") {
            Some(_) => number.to_owned(),
            None => self.address_of(number),
        };
        let call_id = format!("{}-{}", self.random.hex(16), self.settings.mac);
        let tag = self.random.hex(12);
        let local = self.lines[line].address.clone();
        let dialog = Dialog::outgoing(call_id, &local, tag, &remote);
        let number = self.add_call(line, dialog, Phase::Opening, number.to_owned(), extra);
        self.keyed.clear();
        self.tell_call(number, out);
        out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Open });
        Some(number)
    }

    pub(super) fn audio_opened(
        &mut self,
        now: Now,
        number: CallNumber,
        local: Option<SocketAddr>,
        out: &mut Vec<PhoneOutput>,
    ) {
        let id = self.random.number();
        let Some(call) = self.call(number) else {
            out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Close });
            return;
        };
        let Some(local) = local else {
            let alerting = matches!(call.phase, Phase::Alerting { .. });
            if alerting {
                self.refuse(now, number, Status::TEMPORARILY_UNAVAILABLE, out);
            } else {
                self.end_call(number, "no RTP port", out);
            }
            return;
        };
        call.local = Some(LocalSession::new(local, id));
        match call.phase {
            Phase::Opening => {
                call.phase = Phase::Calling { progress: None };
                self.send_invite(now, number, out);
            }
            Phase::Alerting { answer: true, .. } => self.take(now, number, out),
            _ => {}
        }
    }

    pub(super) fn invite_answered(
        &mut self,
        now: Now,
        number: CallNumber,
        response: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(status) = response.status() else { return };
        let Some(call) = self.call(number) else { return };
        if status.is_provisional() {
            self.progress(now, number, status, response, out);
        } else if status.is_success() {
            self.answered_there(now, number, response, out);
        } else if matches!(status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED)
            && !matches!(call.phase, Phase::GivenUp { .. })
        {
            self.invite_challenged(now, number, response, out);
        } else {
            let reason = format!("{status} {}", response.reason());
            self.referred_ended(now, number, status, out);
            self.end_call(number, &reason, out);
        }
    }

    /// A 200 that was said again: our ACK was lost.
    pub(super) fn repeat_ack(&self, response: &Message, out: &mut Vec<PhoneOutput>) {
        let invite = response.cseq().is_ok_and(|cseq| cseq.method == Method::Invite);
        if !invite || !response.status().is_some_and(Status::is_success) {
            return;
        }
        let ack = self
            .calls
            .iter()
            .find(|call| call.dialog.call_id == response.call_id())
            .and_then(|call| call.ack.clone());
        out.extend(ack.map(PhoneOutput::Transmit));
    }

    /// Takes the call that rings.
    pub(super) fn take(&mut self, now: Now, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let Some(call) = self.call(number) else { return };
        let Phase::Alerting { invite, answer } = &mut call.phase else { return };
        if call.local.is_none() {
            *answer = true;
            return;
        }
        let invite = invite.clone();
        self.hold_others(now, number, out);
        if !self.accept_offer(now, number, &invite, out) {
            self.end_call(number, "488 no codec in common", out);
            return;
        }
        if let Some(call) = self.call(number) {
            call.phase = Phase::Talking;
        }
        self.active = Some(number);
        self.tell_call(number, out);
        self.replace(now, &invite, out);
    }

    /// Refuses the call that rings.
    pub(super) fn refuse(
        &mut self,
        now: Now,
        number: CallNumber,
        status: Status,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(call) = self.call(number) else { return };
        let Phase::Alerting { invite, .. } = &call.phase else { return };
        let (invite, tag) = (invite.clone(), call.dialog.local_tag.clone());
        let response = ResponseBuilder::reply_to(&invite, status).to_tag(&tag).finish();
        self.reply(now, &invite, &response, out);
        self.end_call(number, "refused here", out);
    }

    /// Hangs up, whatever the call is at.
    pub(super) fn hang_up(&mut self, now: Now, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let Some(call) = self.call(number) else { return };
        match &mut call.phase {
            Phase::Opening => self.end_call(number, "hung up here", out),
            Phase::Calling { progress } => {
                let told = progress.is_some();
                call.phase = Phase::GivenUp { told };
                if told {
                    self.give_up(now, number, out);
                }
                out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Close });
                self.tell_call(number, out);
            }
            Phase::GivenUp { .. } => {}
            Phase::Alerting { .. } => self.refuse(now, number, Status::BUSY_HERE, out),
            Phase::Talking => {
                let bye = call.dialog.request(Method::Bye);
                let bye = self.signed(number, bye);
                self.ask(now, &bye, Purpose::Nothing, out);
                self.end_call(number, "hung up here", out);
            }
        }
    }

    /// Puts a call on hold, or takes it back.
    pub(super) fn hold(
        &mut self,
        now: Now,
        number: CallNumber,
        held: bool,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(call) = self.call(number) else { return };
        if !call.is_talking() || call.held == held {
            return;
        }
        call.held = held;
        if held {
            self.active = None;
        } else {
            self.hold_others(now, number, out);
            self.active = Some(number);
        }
        self.send_reinvite(now, number, out);
        self.tell_call(number, out);
    }

    pub(super) fn reinvite_answered(
        &mut self,
        now: Now,
        number: CallNumber,
        response: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(status) = response.status().filter(|status| status.is_final()) else { return };
        let Some(call) = self.call(number) else { return };
        call.changing = false;
        if status.is_success() {
            call.dialog.learn(response);
            self.acknowledge(number, out);
            self.connect_audio(number, response.body(), out);
        } else if status == Status::REQUEST_PENDING {
            call.due = Some(now + GLARE);
        } else if status == Status::CALL_DOES_NOT_EXIST || status == Status::REQUEST_TIMEOUT {
            self.end_call(number, "481 the server lost the call", out);
        } else if matches!(status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED) {
            let line = call.line;
            let verdict = self.challenge(line, response);
            if verdict == Some(Verdict::Again) {
                self.send_reinvite(now, number, out);
            }
        }
    }

    pub(super) fn reinvite_lost(&mut self, number: CallNumber) {
        if let Some(call) = self.call(number) {
            call.changing = false;
        }
    }

    /// Forgets a call that is over.
    pub(super) fn end_call(
        &mut self,
        number: CallNumber,
        reason: &str,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(index) = self.calls.iter().position(|call| call.number == number) else { return };
        let call = self.calls.remove(index);
        if !matches!(call.phase, Phase::GivenUp { .. }) {
            out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Close });
        }
        let state = CallState::Ended { reason: reason.to_owned() };
        if !matches!(call.told, Some(CallState::Ended { .. })) {
            self.tell(PhoneEvent::Call { call: number, state }, out);
        }
        if self.active == Some(number) {
            self.active = self.calls.iter().rev().find(|call| !call.held).map(|call| call.number);
        }
    }

    /// Ends all calls at once, as when the power goes.
    pub(super) fn drop_calls(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        for number in self.calls.iter().map(|call| call.number).collect::<Vec<_>>() {
            self.hang_up(now, number, out);
            self.end_call(number, "hung up here", out);
        }
    }

    pub(super) fn call_timeouts(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        let due: Vec<_> = self
            .calls
            .iter_mut()
            .filter(|call| call.due.is_some_and(|due| due <= now))
            .map(|call| {
                call.due = None;
                call.number
            })
            .collect();
        for number in due {
            self.send_reinvite(now, number, out);
        }
    }

    pub(super) fn call(&mut self, number: CallNumber) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.number == number)
    }

    /// Tells how a call is, when that is news.
    pub(super) fn tell_call(&mut self, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let Some(call) = self.call(number) else { return };
        let state = call.told();
        if call.told.as_ref() != Some(&state) {
            call.told = Some(state.clone());
            self.tell(PhoneEvent::Call { call: number, state }, out);
        }
    }

    pub(super) fn add_call(
        &mut self,
        line: usize,
        dialog: Dialog,
        phase: Phase,
        peer: String,
        extra: Vec<(HeaderName, String)>,
    ) -> CallNumber {
        let number = CallNumber(self.next_call);
        self.next_call += 1;
        if !matches!(phase, Phase::Alerting { .. }) {
            self.active = Some(number);
        }
        self.calls.push(Call {
            number,
            line,
            dialog,
            phase,
            peer,
            local: None,
            target: None,
            told: None,
            held: false,
            held_there: false,
            extra,
            challenged: false,
            changing: false,
            ack: None,
            due: None,
            consults: None,
            referred_by: None,
        });
        number
    }

    /// The SIP address of a number at our server.
    pub(super) fn address_of(&self, number: &str) -> String {
        let host = jackfield_sip::Host::from(self.server().ip());
        let number: String = number.chars().filter(|c| !c.is_whitespace()).collect();
        jackfield_sip::SipUri::new(Some(&number), host).to_string()
    }

    /// Answers an offer with 200, and connects; false and 488 when no codec fits.
    pub(super) fn accept_offer(
        &mut self,
        now: Now,
        number: CallNumber,
        invite: &Message,
        out: &mut Vec<PhoneOutput>,
    ) -> bool {
        let codecs = self.settings.codecs.clone();
        let Some(call) = self.call(number) else { return false };
        let (line, tag) = (call.line, call.dialog.local_tag.clone());
        let Some(local) = &mut call.local else { return false };
        let body = if invite.body().is_empty() {
            // Late offer: ours goes now, the answer comes with the ACK.
            local.offer(&codecs, Direction::new(true, !call.held))
        } else {
            let remote = RemoteSession::parse(invite.body());
            let found = remote.as_ref().and_then(|r| Some((r, accept(r, &codecs, call.held)?)));
            let Some((remote, target)) = found else {
                self.answer(now, invite, Status::NOT_ACCEPTABLE_HERE, out);
                return false;
            };
            let body = local.answer(&target, remote);
            call.held_there = remote.on_hold();
            call.target = Some(target.clone());
            out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Connect(target) });
            body
        };
        let contact = self.contact(line);
        let response = ResponseBuilder::reply_to(invite, Status::OK)
            .to_tag(&tag)
            .header(HeaderName::Contact, contact)
            .header(HeaderName::Allow, ALLOW)
            .header(HeaderName::Supported, "replaces")
            .header(HeaderName::UserAgent, self.settings.user_agent())
            .body("application/sdp", body.as_bytes())
            .finish();
        self.reply(now, invite, &response, out);
        true
    }

    /// Takes the answer to an offer of ours.
    pub(super) fn connect_audio(
        &mut self,
        number: CallNumber,
        body: &[u8],
        out: &mut Vec<PhoneOutput>,
    ) {
        let codecs = self.settings.codecs.clone();
        let Some(call) = self.call(number) else { return };
        let Some(remote) = RemoteSession::parse(body) else { return };
        let Some(target) = accept(&remote, &codecs, call.held) else { return };
        call.held_there = remote.on_hold() && !call.held;
        call.target = Some(target.clone());
        out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Connect(target) });
        self.tell_call(number, out);
    }

    /// Who is at the other end, by the best header that says it.
    pub(super) fn identity(message: &Message, fallback: HeaderName) -> Option<String> {
        let asserted = message.typed::<PAssertedIdentity>().ok().map(|header| header.0);
        let party = || message.typed::<RemotePartyId>().ok().map(|header| header.0);
        let plain =
            || message.first(fallback).and_then(|v| jackfield_sip::header::NameAddr::parse(v).ok());
        let address = asserted.or_else(party).or_else(plain)?;
        let number = address.user().map(std::borrow::Cow::into_owned).unwrap_or_default();
        Some(match &*address.display() {
            "" => number,
            name => format!("{name} ({number})"),
        })
    }

    /// A request of a call with the answer to the last challenge, if there was one.
    pub(super) fn signed(
        &mut self,
        number: CallNumber,
        mut request: RequestBuilder,
    ) -> RequestBuilder {
        let line = self.call(number).map_or(0, |call| call.line);
        if let Some(line) = self.lines.get_mut(line) {
            line.authenticator.sign(&mut request);
        }
        request
    }

    pub(super) fn challenge(&mut self, line: usize, response: &Message) -> Option<Verdict> {
        let line = self.lines.get_mut(line)?;
        Some(line.authenticator.challenged(response, &mut self.random))
    }

    fn send_invite(&mut self, now: Now, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let codecs = self.settings.codecs.clone();
        let user_agent = self.settings.user_agent();
        let Some(line) = self.call(number).map(|call| call.line) else { return };
        let contact = self.contact(line);
        let Some(call) = self.call(number) else { return };
        let Some(local) = &mut call.local else { return };
        let offer = local.offer(&codecs, Direction::Both);
        let mut request = call
            .dialog
            .request(Method::Invite)
            .header(HeaderName::Contact, contact)
            .header(HeaderName::Allow, ALLOW)
            .header(HeaderName::Supported, "replaces, norefersub")
            .header(HeaderName::UserAgent, user_agent);
        for (name, value) in &call.extra {
            request.push(*name, value);
        }
        let request = self.signed(number, request.body("application/sdp", offer));
        self.ask(now, &request, Purpose::Invite(number), out);
    }

    fn send_reinvite(&mut self, now: Now, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let codecs = self.settings.codecs.clone();
        let Some(line) = self.call(number).map(|call| call.line) else { return };
        let contact = self.contact(line);
        let Some(call) = self.call(number) else { return };
        if call.changing {
            call.due = Some(now + GLARE);
            return;
        }
        call.changing = true;
        let direction = if call.held { Direction::SendOnly } else { Direction::Both };
        let Some(local) = &mut call.local else { return };
        let offer = local.offer(&codecs, direction);
        let request = call
            .dialog
            .request(Method::Invite)
            .header(HeaderName::Contact, contact)
            .header(HeaderName::Allow, ALLOW)
            .body("application/sdp", offer);
        let request = self.signed(number, request);
        self.ask(now, &request, Purpose::Reinvite(number), out);
    }

    fn progress(
        &mut self,
        now: Now,
        number: CallNumber,
        status: Status,
        response: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(call) = self.call(number) else { return };
        if let Phase::GivenUp { told: told @ false } = &mut call.phase {
            *told = true;
            self.give_up(now, number, out);
            return;
        }
        let Phase::Calling { progress } = &mut call.phase else { return };
        let early = !response.body().is_empty();
        let next = match (status, early) {
            (Status::TRYING, _) => progress.clone(),
            (Status::RINGING, _) => Some(CallState::RingingThere),
            (_, true) => Some(CallState::EarlyMedia),
            _ => progress.clone(),
        };
        // A first 100 says that the server knows the call, so that it can be given up.
        let number_dialled = call.peer.clone();
        *progress = next.or(Some(CallState::Dialling { number: number_dialled }));
        if response.to_tag().is_some() {
            call.dialog.learn(response);
        }
        if early {
            self.connect_audio(number, response.body(), out);
        }
        self.tell_call(number, out);
        self.referred_progress(now, number, status, out);
    }

    fn answered_there(
        &mut self,
        now: Now,
        number: CallNumber,
        response: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(call) = self.call(number) else { return };
        let line = call.line;
        call.dialog.learn(response);
        let given_up = matches!(call.phase, Phase::GivenUp { .. });
        call.phase = Phase::Talking;
        if let Some(peer) = Self::identity(response, HeaderName::To).filter(|p| !p.is_empty()) {
            call.peer = peer;
        }
        if let Some(line) = self.lines.get_mut(line) {
            line.authenticator.accepted();
        }
        self.acknowledge(number, out);
        if given_up {
            self.hang_up(now, number, out);
            return;
        }
        self.connect_audio(number, response.body(), out);
        self.tell_call(number, out);
        self.referred_ended(now, number, Status::OK, out);
    }

    /// ACK of a 200: not part of any exchange, and said again as often as the 200.
    fn acknowledge(&mut self, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let Some(way) = self.way.clone() else { return };
        let branch = format!("z9hG4bK{}-{}", self.random.hex(12), way.mark);
        let Some(call) = self.call(number) else { return };
        let sequence = call.dialog.sequence();
        let ack = call.dialog.with_sequence(Method::Ack, sequence).write(&way.via(&branch));
        call.ack = Some(ack.clone());
        out.push(PhoneOutput::Transmit(ack));
    }

    fn invite_challenged(
        &mut self,
        now: Now,
        number: CallNumber,
        response: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(call) = self.call(number) else { return };
        let (line, again) = (call.line, call.challenged);
        call.challenged = true;
        match self.challenge(line, response) {
            Some(Verdict::Again) if !again => self.send_invite(now, number, out),
            _ => self.end_call(number, "401 wrong user or password", out),
        }
    }

    fn give_up(&mut self, now: Now, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        if let Some(way) = self.way.clone() {
            self.exchanges.cancel(now, &way, number, out);
        }
    }

    pub(super) fn hold_active(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        if let Some(active) = self.active {
            self.hold(now, active, true, out);
        }
    }

    fn hold_others(&mut self, now: Now, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let others: Vec<_> = self
            .calls
            .iter()
            .filter(|call| call.number != number && call.is_talking() && !call.held)
            .map(|call| call.number)
            .collect();
        for other in others {
            self.hold(now, other, true, out);
        }
    }
}

/// Calls at once on one phone.
const CALLS: usize = 6;
/// How long after a clash of two re-INVITEs ours is tried again (RFC 3261 section 14.1).
const GLARE: Duration = Duration::from_millis(2_300);
