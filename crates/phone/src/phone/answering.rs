//! Taking or refusing a call that rings; offers and answers of sessions.

use jackfield_sip::{HeaderName, Message, Now, ResponseBuilder, Status};

use super::calls::Phase;
use super::{ALLOW, Phone};
use crate::agent::{Direction, RemoteSession, accept};
use crate::interface::{CallNumber, PhoneOutput};

impl Phone {
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
            self.fail_call(number, "488 no codec in common", out);
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
            call.target = Some(target);
            out.extend(call.audio().map(|order| PhoneOutput::Audio { call: number, order }));
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
        call.target = Some(target);
        out.extend(call.audio().map(|order| PhoneOutput::Audio { call: number, order }));
        self.tell_call(number, out);
    }
}
