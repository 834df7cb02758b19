//! Joining two calls, and the REFER that asks for it, in both directions.

use jackfield_sip::header::ReferTo;
use jackfield_sip::{HeaderName, Message, Method, Now, ResponseBuilder, Status};

use super::Phone;
use super::calls::{Join, Referral};
use crate::agent::{Dialog, Purpose, Verdict};
use crate::interface::{CallNumber, CallState, PhoneEvent, PhoneOutput};

impl Phone {
    /// The transfer or conference key: first and second press.
    pub(super) fn join(&mut self, now: Now, join: Join, out: &mut Vec<PhoneOutput>) {
        let Some(active) = self.active else { return };
        let Some(call) = self.call(active) else { return };
        match (call.consults, join) {
            (Some((first, Join::Transfer)), Join::Transfer) => {
                self.transfer(now, first, active, out);
            }
            (Some((first, Join::Conference)), Join::Conference) => {
                self.notice = Some("Conference is not available".into());
                if let Some(call) = self.call(active) {
                    call.consults = Some((first, Join::Conference));
                }
            }
            _ if call.is_talking() => {
                self.hold(now, active, true, out);
                self.joining = Some((active, join));
                self.notice = Some("Enter number".into());
            }
            _ => {}
        }
    }

    pub(super) fn refer_answered(
        &mut self,
        now: Now,
        number: CallNumber,
        response: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(status) = response.status().filter(|status| status.is_final()) else { return };
        if matches!(status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED) {
            let line = self.call(number).map_or(0, |call| call.line);
            let again = self.challenge(line, response) == Some(Verdict::Again);
            let consult = self
                .calls
                .iter()
                .find(|call| call.consults.is_some_and(|(first, _)| first == number));
            if let Some(consult) = consult.map(|call| call.number).filter(|_| again) {
                self.transfer(now, number, consult, out);
                return;
            }
        }
        if !status.is_success() {
            self.transfer_ended(now, number, false, out);
        }
    }

    /// The last word on a transfer.
    pub(super) fn transfer_ended(
        &mut self,
        now: Now,
        number: CallNumber,
        accepted: bool,
        out: &mut Vec<PhoneOutput>,
    ) {
        self.tell(PhoneEvent::Transferred { accepted }, out);
        if !accepted {
            self.notice = Some("Transfer failed".into());
            return;
        }
        let consult = self
            .calls
            .iter()
            .find(|call| call.consults.is_some_and(|(first, _)| first == number))
            .map(|call| call.number);
        self.hang_up(now, number, out);
        if let Some(consult) = consult {
            self.hang_up(now, consult, out);
        }
    }

    /// NOTIFY of a transfer: how far the other side is.
    pub(super) fn refer_progress(
        &mut self,
        now: Now,
        notify: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(number) = self.owner(notify) else { return };
        let text = String::from_utf8_lossy(notify.body());
        let code = text.split(' ').nth(1).and_then(|code| code.parse::<u16>().ok());
        match code {
            Some(200..=299) => self.transfer_ended(now, number, true, out),
            Some(300..) => self.transfer_ended(now, number, false, out),
            _ => {}
        }
    }

    /// Somebody asks this phone to call: an application that dials for it, or a transfer.
    pub(super) fn refer(&mut self, now: Now, refer: &Message, out: &mut Vec<PhoneOutput>) {
        let inside = refer.to_tag().is_some();
        let owner = self.owner(refer);
        if inside && owner.is_none() {
            self.answer(now, refer, Status::CALL_DOES_NOT_EXIST, out);
            return;
        }
        if self.remote_control(now, refer, out) {
            return;
        }
        let target = refer.typed::<ReferTo>().ok().map(|to| to.0.uri);
        let Some(target) = target.as_ref().and_then(|uri| uri.as_sip()) else {
            self.answer(now, refer, Status::BAD_REQUEST, out);
            return;
        };
        let mut number = target.clone();
        let replaces = number.headers().find_map(|(name, value)| {
            name.eq_ignore_ascii_case("Replaces").then(|| unescape(value))
        });
        number.clear_headers();
        let dialog = match owner {
            Some(_) => None,
            None => Some(Dialog::incoming(refer, self.random.hex(12))),
        };
        let tag = dialog.as_ref().map(|dialog| dialog.local_tag.clone());
        let mut response = ResponseBuilder::reply_to(refer, Status::ACCEPTED);
        if let Some(tag) = &tag {
            response = response.to_tag(tag);
        }
        let contact = self.contact(self.line_of(refer));
        let response = response.header(HeaderName::Contact, contact).finish();
        self.reply(now, refer, &response, out);
        let by = refer.first(HeaderName::ReferredBy).map(str::to_owned);
        let uri = jackfield_sip::Uri::from(number).to_string();
        let call = self.dial_asked(now, &uri, by.as_deref(), out);
        let quiet = refer.by_text("Refer-Sub").is_some_and(|value| value.trim() == "false");
        let Some(call) = call.and_then(|call| self.call(call)) else { return };
        if let Some(replaces) = replaces {
            call.add_header(HeaderName::Replaces, replaces);
        }
        if !quiet {
            call.referred_by = Some(Box::new(match (dialog, owner) {
                (Some(dialog), _) => Referral::Own(dialog),
                (None, Some(owner)) => Referral::Call(owner),
                (None, None) => return,
            }));
        }
        let number = call.number;
        self.tell_referrer(now, number, "SIP/2.0 100 Trying", false, out);
    }

    /// Tells whoever asked for a call how it goes.
    pub(super) fn referred_progress(
        &mut self,
        now: Now,
        number: CallNumber,
        status: Status,
        out: &mut Vec<PhoneOutput>,
    ) {
        let text = format!("SIP/2.0 {status} {}", status.reason());
        self.tell_referrer(now, number, &text, false, out);
    }

    /// Tells whoever asked for a call how it ended.
    pub(super) fn referred_ended(
        &mut self,
        now: Now,
        number: CallNumber,
        status: Status,
        out: &mut Vec<PhoneOutput>,
    ) {
        let text = format!("SIP/2.0 {status} {}", status.reason());
        self.tell_referrer(now, number, &text, true, out);
    }

    fn tell_referrer(
        &mut self,
        now: Now,
        number: CallNumber,
        text: &str,
        last: bool,
        out: &mut Vec<PhoneOutput>,
    ) {
        let line = self.call(number).map_or(0, |call| call.line);
        let contact = self.contact(line);
        let Some(referral) = self.call(number).and_then(|call| call.referred_by.take()) else {
            return;
        };
        let mut referral = *referral;
        let state = if last { "terminated;reason=noresource" } else { "active;expires=60" };
        let request = match &mut referral {
            Referral::Own(dialog) => Some(dialog.request(Method::Notify)),
            Referral::Call(owner) => {
                let owner = *owner;
                self.call(owner).map(|call| call.dialog.request(Method::Notify))
            }
        };
        if let Some(request) = request {
            let request = request
                .header(HeaderName::Contact, contact)
                .header(HeaderName::Event, "refer")
                .header(HeaderName::SubscriptionState, state)
                .body("message/sipfrag;version=2.0", format!("{text}\r\n"));
            self.ask(now, &request, Purpose::Nothing, out);
        }
        if let Some(call) = self.call(number).filter(|_| !last) {
            call.referred_by = Some(Box::new(referral));
        }
    }

    fn transfer(
        &mut self,
        now: Now,
        first: CallNumber,
        second: CallNumber,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(consult) = self.call(second) else { return };
        let attended = consult.is_talking();
        let refer_to = if attended {
            let replaces = escape(&consult.dialog.replaces());
            let target = address(consult.dialog.remote());
            format!("<{target}?Replaces={replaces}>")
        } else {
            format!("<{}>", consult.dialog.target())
        };
        if matches!(consult.told(), CallState::RingingThere | CallState::Dialling { .. }) {
            // A blind transfer: the called phone is asked again, by the other side.
            self.hang_up(now, second, out);
        }
        let line = self.call(first).map_or(0, |call| call.line);
        let contact = self.contact(line);
        let by = self.lines.get(line).map_or_else(String::new, |line| line.address.clone());
        let Some(call) = self.call(first) else { return };
        let refer = call
            .dialog
            .request(Method::Refer)
            .header(HeaderName::Contact, contact)
            .header(HeaderName::ReferTo, refer_to)
            .header(HeaderName::ReferredBy, by);
        let refer = self.signed(first, refer);
        self.ask(now, &refer, Purpose::Refer(first), out);
    }
}

/// The URI of a From or To value.
fn address(value: &str) -> String {
    match jackfield_sip::header::NameAddr::parse(value) {
        Ok(address) => address.uri.to_string(),
        Err(_) => String::new(),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| core::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_comes_back() {
        let text = "abc@1.2.3.4;to-tag=x%y;from-tag=z";
        assert_eq!(unescape(&escape(text)), text);
        assert_eq!(unescape("%4"), "%4");
    }
}
