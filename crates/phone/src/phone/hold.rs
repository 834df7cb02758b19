//! Holding a call and taking it back: re-INVITEs.

use std::time::Duration;

use jackfield_sip::{HeaderName, Message, Method, Now, Status};

use super::{ALLOW, Phone};
use crate::agent::{Direction, Purpose, Verdict};
use crate::interface::{CallNumber, PhoneOutput};

impl Phone {
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
            // At once: what is said from now on is not for the other side.
            let quiet = call.audio();
            out.extend(quiet.map(|order| PhoneOutput::Audio { call: number, order }));
            self.active = None;
        } else {
            self.hold_others(now, number, out);
            self.active = Some(number);
        }
        self.send_reinvite(now, number, out);
        self.tell_call(number, out);
    }

    pub(super) fn hold_active(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        if let Some(active) = self.active {
            self.hold(now, active, true, out);
        }
    }

    pub(super) fn hold_others(&mut self, now: Now, number: CallNumber, out: &mut Vec<PhoneOutput>) {
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
            self.fail_call(number, "481 the server lost the call", out);
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
}

/// How long after a clash of two re-INVITEs ours is tried again (RFC 3261 section 14.1).
const GLARE: Duration = Duration::from_millis(2_300);
