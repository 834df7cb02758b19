//! Making a call: INVITE, what is said to it, and its ACK.

use std::net::SocketAddr;

use jackfield_sip::{HeaderName, Message, Method, Now, Status};

use super::calls::Phase;
use super::{ALLOW, Phone};
use crate::agent::{Dialog, Direction, LocalSession, Purpose, Verdict};
use crate::interface::{AudioOrder, CallNumber, CallState, PhoneOutput};

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
                self.fail_call(number, "no RTP port", out);
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
            self.referred_ended(now, number, status, out);
            self.fail_call(number, &refusal(status, response), out);
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

    /// The SIP address of a number at our server.
    pub(super) fn address_of(&self, number: &str) -> String {
        let host = jackfield_sip::Host::from(self.server().ip());
        let number: String = number.chars().filter(|c| !c.is_whitespace()).collect();
        jackfield_sip::SipUri::new(Some(&number), host).to_string()
    }

    pub(super) fn give_up(&mut self, now: Now, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        if let Some(way) = self.way.clone() {
            self.exchanges.cancel(now, &way, number, out);
        }
    }

    /// ACK of a 200: not part of any exchange, and said again as often as the 200.
    pub(super) fn acknowledge(&mut self, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let Some(way) = self.way.clone() else { return };
        let branch = format!("z9hG4bK{}-{}", self.random.hex(12), way.mark);
        let Some(call) = self.call(number) else { return };
        let sequence = call.dialog.sequence();
        let ack = call.dialog.with_sequence(Method::Ack, sequence).write(&way.via(&branch));
        call.ack = Some(ack.clone());
        out.push(PhoneOutput::Transmit(ack));
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
            _ => self.fail_call(number, "401 wrong user or password", out),
        }
    }
}

/// Why the other side or the server refused, with what it says to people (RFC 3261 section 20.43).
fn refusal(status: Status, response: &Message) -> String {
    let reason = format!("{status} {}", response.reason());
    let warning = response.first(HeaderName::Warning).and_then(|value| {
        let text = value.split_once('"')?.1.rsplit_once('"')?.0;
        Some(text.replace("\\\"", "\""))
    });
    match warning {
        Some(warning) => format!("{reason} ({warning})"),
        None => reason,
    }
}

/// Calls at once on one phone.
const CALLS: usize = 6;
