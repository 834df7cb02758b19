//! Requests that come in for calls.

use jackfield_sip::header::Replaces;
use jackfield_sip::{HeaderName, Message, Now, ResponseBuilder, Status};
use jackfield_vocabulary::Digit;

use super::calls::Phase;
use super::{ALLOW, Phone};
use crate::agent::Dialog;
use crate::interface::{AudioOrder, CallNumber, PhoneEvent, PhoneOutput};

impl Phone {
    pub(super) fn invite(&mut self, now: Now, invite: &Message, out: &mut Vec<PhoneOutput>) {
        if invite.to_tag().is_some() {
            self.reinvite(now, invite, out);
            return;
        }
        if !self.is_ours(invite) {
            self.answer(now, invite, Status::NOT_FOUND, out);
            return;
        }
        if self.calls.len() >= WAITING_CALLS {
            self.answer(now, invite, Status::BUSY_HERE, out);
            return;
        }
        let line = self.line_of(invite);
        let dialog = Dialog::incoming(invite, self.random.hex(12));
        let peer = Self::identity(invite, HeaderName::From).unwrap_or_default();
        let answer = self.settings.auto_answer || answers_itself(invite) || self.replaces(invite);
        let phase = Phase::Alerting { invite: Box::new(invite.clone()), answer };
        let number = self.add_call(line, dialog, phase, peer, Vec::new());
        self.ring(now, number, invite, line, out);
        out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Open });
        self.tell_call(number, out);
    }

    pub(super) fn acknowledged(&mut self, ack: &Message, out: &mut Vec<PhoneOutput>) {
        let Some(number) = self.owner(ack) else { return };
        if !ack.body().is_empty() {
            self.connect_audio(number, ack.body(), out);
        }
    }

    pub(super) fn cancelled(&mut self, now: Now, cancel: &Message, out: &mut Vec<PhoneOutput>) {
        let alerting = self.calls.iter().find(|call| {
            matches!(&call.phase, Phase::Alerting { invite, .. }
                if invite.call_id() == cancel.call_id()
                    && invite.first(HeaderName::Via) == cancel.first(HeaderName::Via))
        });
        let Some(call) = alerting else {
            self.answer(now, cancel, Status::CALL_DOES_NOT_EXIST, out);
            return;
        };
        let (number, tag) = (call.number, call.dialog.local_tag.clone());
        let Phase::Alerting { invite, .. } = &call.phase else { return };
        let invite = invite.clone();
        self.answer(now, cancel, Status::OK, out);
        let response = ResponseBuilder::reply_to(&invite, Status::REQUEST_TERMINATED);
        let response = response.to_tag(&tag).finish();
        self.reply(now, &invite, &response, out);
        self.end_call(number, "the caller gave up", out);
    }

    pub(super) fn bye(&mut self, now: Now, bye: &Message, out: &mut Vec<PhoneOutput>) {
        match self.owner(bye) {
            Some(number) => {
                self.answer(now, bye, Status::OK, out);
                self.end_call(number, "hung up there", out);
            }
            None => self.answer(now, bye, Status::CALL_DOES_NOT_EXIST, out),
        }
    }

    /// Digits by SIP INFO.
    pub(super) fn info(&mut self, now: Now, info: &Message, out: &mut Vec<PhoneOutput>) {
        let Some(call) = self.owner(info) else {
            self.answer(now, info, Status::CALL_DOES_NOT_EXIST, out);
            return;
        };
        self.answer(now, info, Status::OK, out);
        let text = String::from_utf8_lossy(info.body());
        let signal = text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim().chars().next())?
        });
        let bare = || text.trim().chars().next().filter(|_| text.trim().len() == 1);
        if let Some(digit) = signal.or_else(bare).and_then(|key| Digit::try_from(key).ok()) {
            self.tell(PhoneEvent::Digit { call, digit }, out);
        }
    }

    pub(super) fn update(&mut self, now: Now, update: &Message, out: &mut Vec<PhoneOutput>) {
        let Some(number) = self.owner(update) else {
            self.answer(now, update, Status::CALL_DOES_NOT_EXIST, out);
            return;
        };
        self.learn_peer(number, update);
        if update.body().is_empty() {
            self.answer(now, update, Status::OK, out);
        } else {
            self.accept_offer(now, number, update, out);
        }
        self.tell_call(number, out);
    }

    /// The call a request inside a dialog belongs to.
    pub(super) fn owner(&self, request: &Message) -> Option<CallNumber> {
        self.calls.iter().find(|call| call.dialog.owns(request)).map(|call| call.number)
    }

    /// Ends the call that a taken INVITE replaces.
    pub(super) fn replace(&mut self, now: Now, invite: &Message, out: &mut Vec<PhoneOutput>) {
        let Some(replaces) = invite.typed::<Replaces>().ok() else { return };
        let replaced = self.calls.iter().find(|call| {
            call.dialog.call_id == *replaces.call_id && call.dialog.local_tag == *replaces.to_tag
        });
        if let Some(number) = replaced.map(|call| call.number) {
            self.hang_up(now, number, out);
        }
    }

    fn reinvite(&mut self, now: Now, invite: &Message, out: &mut Vec<PhoneOutput>) {
        let Some(number) = self.owner(invite) else {
            self.answer(now, invite, Status::CALL_DOES_NOT_EXIST, out);
            return;
        };
        let Some(call) = self.call(number) else { return };
        if !call.dialog.in_order(invite) {
            self.answer(now, invite, Status::SERVER_INTERNAL_ERROR, out);
            return;
        }
        if !call.is_talking() {
            self.answer(now, invite, Status::REQUEST_PENDING, out);
            return;
        }
        call.dialog.refresh(invite);
        self.learn_peer(number, invite);
        self.accept_offer(now, number, invite, out);
        self.tell_call(number, out);
    }

    fn learn_peer(&mut self, number: CallNumber, message: &Message) {
        let told = [HeaderName::PAssertedIdentity, HeaderName::RemotePartyId]
            .iter()
            .any(|name| message.first(*name).is_some());
        let peer = Self::identity(message, HeaderName::From).filter(|_| told);
        if let (Some(call), Some(peer)) = (self.call(number), peer) {
            call.peer = peer;
        }
    }

    fn ring(
        &mut self,
        now: Now,
        number: CallNumber,
        invite: &Message,
        line: usize,
        out: &mut Vec<PhoneOutput>,
    ) {
        let contact = self.contact(line);
        let Some(call) = self.call(number) else { return };
        let tag = call.dialog.local_tag.clone();
        let response = ResponseBuilder::reply_to(invite, Status::RINGING)
            .to_tag(&tag)
            .header(HeaderName::Contact, contact)
            .header(HeaderName::Allow, ALLOW)
            .finish();
        self.reply(now, invite, &response, out);
    }

    /// Was the request sent to a contact of ours, or to one of our numbers?
    fn is_ours(&self, request: &Message) -> bool {
        let uri = request.raw_uri();
        let mac = self.settings.mac.to_string();
        let user = request.uri().ok().and_then(|uri| uri.user().map(std::borrow::Cow::into_owned));
        uri.to_ascii_uppercase().contains(&mac)
            || user.is_some_and(|user| self.lines.iter().any(|line| line.number() == user))
    }

    fn replaces(&self, invite: &Message) -> bool {
        let Ok(replaces) = invite.typed::<Replaces>() else { return false };
        self.calls.iter().any(|call| {
            call.is_talking()
                && call.dialog.call_id == *replaces.call_id
                && call.dialog.local_tag == *replaces.to_tag
        })
    }
}

/// Does the caller ask the phone to answer by itself (Call-Info or Alert-Info)?
fn answers_itself(invite: &Message) -> bool {
    let says = |name, words: &[&str]| {
        invite.all(name).any(|value| {
            let value = value.to_ascii_lowercase();
            words.iter().any(|word| value.contains(word))
        })
    };
    says(HeaderName::CallInfo, &["answer-after=0"])
        || says(
            HeaderName::AlertInfo,
            &["auto answer", "auto-answer", "autoanswer", "answer-after=0"],
        )
}

/// With so many calls the phone is busy.
const WAITING_CALLS: usize = 4;
