//! The calls of a scripted phone.

use core::time::Duration;

use jackfield_sip::{
    ClientKey, Dialog, DialogId, HeaderName, Message, Method, RequestBuilder, ResponseBuilder,
    ServerKey, Status,
};

use super::World;
use super::phone::{PhoneId, Secret, sip_time, strongest};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    None,
    /// Placed, nothing heard.
    Dialling,
    /// Placed, and the far side rings.
    RingingBack,
    /// Called, and ringing.
    Ringing,
    Talking,
    /// Over, or refused with this.
    Over(u16),
}

/// One call of a phone.
#[derive(Clone)]
pub struct Call {
    pub state: CallState,
    /// What was heard of the far side's session: the last description.
    pub heard: String,
    /// Who the far side is, from P-Asserted-Identity: `number name`.
    pub shown: String,
    /// The header lines of the INVITE that came, or of the last answer.
    pub message: Option<Message>,
    pub early_media: bool,
    /// Answers to its own re-INVITEs.
    pub re_answers: Vec<u16>,
    /// re-INVITEs and UPDATEs that came.
    pub re_offers: u32,
    pub acked: bool,
    /// The body of the ACK that came.
    pub ack_body: String,
    /// Answers re-INVITEs with this instead of 200.
    pub refuses_media: Option<Status>,
    pub dialog: Option<Dialog>,
    /// What it may become while it rings.
    pub early: Option<Dialog>,
    /// The re-INVITE that came and has no final answer yet.
    undecided: Option<(ServerKey, Message)>,
    call_id: String,
    outgoing: Option<(ClientKey, RequestBuilder, u32)>,
    re_invite: Option<ClientKey>,
    incoming: Option<(ServerKey, Message)>,
    tried: bool,
}

/// A plain description of a phone at this address.
pub fn sdp(host: &str, version: u32, direction: &str) -> String {
    format!(
        "v=0\r\no=- 1 {version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    )
}

impl World {
    /// A phone dials a number, with its usual session description.
    pub fn dial(&mut self, id: PhoneId, number: &str) {
        let host = self.phones[&id].local.ip().to_string();
        self.dial_with(id, number, &sdp(&host, 1, "sendrecv"));
    }

    /// The same with another description; an empty one leaves it out.
    pub fn dial_with(&mut self, id: PhoneId, number: &str, body: &str) {
        let call_id = format!("call-{}-{}", id.0, self.phones[&id].calls.len());
        let request = self.invite(id, number, &call_id, 1, body, None);
        let key = self.client(id, &request);
        let call = Call {
            state: CallState::Dialling,
            heard: String::new(),
            shown: String::new(),
            message: None,
            early_media: false,
            re_answers: Vec::new(),
            re_offers: 0,
            acked: false,
            ack_body: String::new(),
            refuses_media: None,
            dialog: None,
            early: None,
            undecided: None,
            call_id,
            outgoing: Some((key, request, 1)),
            re_invite: None,
            incoming: None,
            tried: false,
        };
        self.phones.get_mut(&id).unwrap().calls.push(call);
        self.run_for(Duration::from_millis(100));
    }

    fn invite(
        &mut self,
        id: PhoneId,
        number: &str,
        call_id: &str,
        sequence: u32,
        body: &str,
        authorization: Option<String>,
    ) -> RequestBuilder {
        let phone = &self.phones[&id];
        let own = format!("<sip:{}@192.0.2.10>", phone.user);
        let from = phone.says_from.clone().unwrap_or(own);
        let request = RequestBuilder::new(Method::Invite, format!("sip:{number}@192.0.2.10"))
            .header(HeaderName::From, format!("{from};tag=f{call_id}"))
            .header(HeaderName::To, format!("<sip:{number}@192.0.2.10>"))
            .header(HeaderName::CallId, call_id)
            .header(HeaderName::CSeq, format!("{sequence} INVITE"))
            .header(HeaderName::Allow, "INVITE, ACK, BYE, CANCEL, UPDATE, INFO, NOTIFY");
        let mut request = match &phone.says_contact {
            Some(contact) if contact.is_empty() => request,
            Some(contact) => request.header(HeaderName::Contact, contact),
            None => request.header(HeaderName::Contact, phone.contact()),
        };
        for (name, value) in &phone.says {
            request = request.extension(name, value);
        }
        let request = match authorization {
            Some(line) => request.header(HeaderName::Authorization, line),
            None => request,
        };
        let kind = if body.starts_with("--") { MIXED } else { "application/sdp" };
        if body.is_empty() { request } else { request.body(kind, body) }
    }

    /// Picks up the ringing call.
    pub fn answer(&mut self, id: PhoneId) {
        let host = self.phones[&id].local.ip().to_string();
        self.answer_with(id, &sdp(&host, 1, "sendrecv"));
    }

    pub fn answer_with(&mut self, id: PhoneId, body: &str) {
        self.respond(id, Status::OK, body);
        let call = self.last_call(id);
        call.state = CallState::Talking;
        if let Some(dialog) = &mut call.dialog {
            dialog.confirm();
        }
        self.run_for(Duration::from_millis(100));
    }

    /// Refuses the ringing call.
    pub fn refuse(&mut self, id: PhoneId, status: Status) {
        self.respond(id, status, "");
        self.last_call(id).state = CallState::Over(status.code());
        self.run_for(Duration::from_millis(100));
    }

    /// Plays something before the answer.
    pub fn early_media(&mut self, id: PhoneId, body: &str) {
        self.respond(id, Status::SESSION_PROGRESS, body);
        self.run_for(Duration::from_millis(100));
    }

    /// Answers the INVITE that came in words of its own: the status line, the tag of To, and whatever
    /// other lines; a description is added where there is a body.
    pub fn answer_raw(&mut self, id: PhoneId, status: &str, tag: &str, lines: &str, body: &str) {
        let local = self.phones[&id].local.to_string();
        let invite = self.phones[&id].call().message.clone().expect("nobody calls");
        let first = |name| invite.first(name).unwrap_or_default().to_owned();
        let vias: String = invite.all(HeaderName::Via).map(|via| format!("Via: {via}\n")).collect();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        let text = format!(
            "SIP/2.0 {status}\n{vias}From: {}\nTo: {}{tag}\nCall-ID: {}\nCSeq: {}\n{lines}{kind}\
             Content-Length: {}\n\n{body}",
            first(HeaderName::From),
            first(HeaderName::To),
            invite.call_id(),
            first(HeaderName::CSeq),
            body.len()
        );
        self.send_raw(&local, &text);
        self.run_for(Duration::from_millis(100));
    }

    /// Answers the INVITE that came.
    fn respond(&mut self, id: PhoneId, status: Status, body: &str) {
        let now = sip_time(self.now);
        let phone = self.phones.get_mut(&id).unwrap();
        let contact = phone.contact();
        let call = phone.calls.last_mut().expect("the phone has no call");
        let (key, request) = call.incoming.clone().expect("nobody calls");
        let tag = format!("t{}", call.call_id);
        let response = ResponseBuilder::reply_to(&request, status)
            .to_tag(&tag)
            .header(HeaderName::Contact, contact)
            .header(HeaderName::Allow, "INVITE, ACK, BYE, CANCEL, UPDATE, INFO, NOTIFY");
        let response = if body.is_empty() {
            response.finish()
        } else {
            response.body("application/sdp", body.as_bytes()).finish()
        };
        if status.code() < 300 && call.dialog.is_none() {
            call.dialog = Some(Dialog::uas(&request, &tag).unwrap());
        }
        let mut actions = Vec::new();
        phone.endpoint.respond(now, key, &response, &mut actions);
        self.phone_acts(id, actions);
    }

    /// Hangs up, whatever the call's state is: CANCEL, refusal or BYE.
    pub fn hang_up(&mut self, id: PhoneId) {
        let now = sip_time(self.now);
        if self.state(id) == CallState::None {
            return;
        }
        let call = self.last_call(id);
        let state = core::mem::replace(&mut call.state, CallState::Over(0));
        match state {
            CallState::Dialling | CallState::RingingBack => {
                let (key, ..) = call.outgoing.clone().unwrap();
                let mut actions = Vec::new();
                self.phones.get_mut(&id).unwrap().endpoint.cancel(now, key, None, &mut actions);
                self.phone_acts(id, actions);
            }
            CallState::Ringing => self.respond(id, Status::DECLINE, ""),
            CallState::Talking => {
                let bye = call.dialog.as_mut().unwrap().request(Method::Bye);
                self.client(id, &bye);
            }
            CallState::None | CallState::Over(_) => {}
        }
        self.run_for(Duration::from_millis(100));
    }

    /// Hangs up every call the phone has.
    pub fn hang_up_all(&mut self, id: PhoneId) {
        for _ in 0..self.phones[&id].calls.len() {
            self.hang_up(id);
            self.phones.get_mut(&id).unwrap().calls.rotate_right(1);
        }
    }

    /// Offers other media in the call: hold, resume.
    pub fn re_invite(&mut self, id: PhoneId, body: &str) {
        let contact = self.phones[&id].contact();
        let call = self.last_call(id);
        let request = call.dialog.as_mut().unwrap().request(Method::Invite);
        let request = request.header(HeaderName::Contact, contact);
        let request = if body.is_empty() { request } else { request.body("application/sdp", body) };
        let key = self.client(id, &request);
        self.last_call(id).re_invite = Some(key);
    }

    /// Gives up the re-INVITE that it sent.
    pub fn cancel_re_invite(&mut self, id: PhoneId) {
        let now = sip_time(self.now);
        let key = self.last_call(id).re_invite.expect("no re-INVITE was sent");
        let mut actions = Vec::new();
        self.phones.get_mut(&id).unwrap().endpoint.cancel(now, key, None, &mut actions);
        self.phone_acts(id, actions);
    }

    /// Accepts the re-INVITE that was answered with 100 only.
    pub fn accept_re_invite(&mut self, id: PhoneId) {
        let contact = self.phones[&id].contact();
        let host = self.phones[&id].local.ip().to_string();
        let (key, request) = self.last_call(id).undecided.take().expect("no re-INVITE waits");
        let response = ResponseBuilder::reply_to(&request, Status::OK)
            .header(HeaderName::Contact, contact)
            .body("application/sdp", sdp(&host, 5, "sendrecv").as_bytes())
            .finish();
        self.send_response(id, key, &response);
    }

    pub fn hold(&mut self, id: PhoneId) {
        let host = self.phones[&id].local.ip().to_string();
        self.re_invite(id, &sdp(&host, 2, "sendonly"));
        self.run_for(Duration::from_millis(200));
    }

    /// Sends a request inside the call.
    pub fn send_in_call(&mut self, id: PhoneId, method: Method, kind: &str, body: &str) {
        let call = self.last_call(id);
        let request = call.dialog.as_mut().unwrap().request(method).body(kind, body);
        self.client(id, &request);
        self.run_for(Duration::from_millis(100));
    }

    /// Offers other media before the other side has answered the first ones.
    pub fn update_early(&mut self, id: PhoneId, body: &str) {
        let call = self.last_call(id);
        let request = call.early.as_mut().unwrap().request(Method::Update);
        self.client(id, &request.body("application/sdp", body));
        self.run_for(Duration::from_millis(100));
    }

    /// Reports an event inside the call.
    pub fn notify_in_call(&mut self, id: PhoneId, event: &str, body: &str) {
        let call = self.last_call(id);
        let request = call.dialog.as_mut().unwrap().request(Method::Notify);
        let request = request
            .header(HeaderName::Event, event)
            .header(HeaderName::SubscriptionState, "active;expires=7200")
            .body("application/kpml-response+xml", body);
        self.client(id, &request);
        self.run_for(Duration::from_millis(100));
    }

    pub fn state(&self, id: PhoneId) -> CallState {
        self.phones[&id].state()
    }

    #[track_caller]
    pub fn assert_state(&self, id: PhoneId, state: CallState) {
        assert_eq!(self.state(id), state, "{}", self.phones[&id].name);
    }

    fn last_call(&mut self, id: PhoneId) -> &mut Call {
        self.phones.get_mut(&id).unwrap().calls.last_mut().expect("the phone has no call")
    }

    fn call_of(&mut self, id: PhoneId, message: &Message) -> Option<&mut Call> {
        let calls = &mut self.phones.get_mut(&id).unwrap().calls;
        calls.iter_mut().rev().find(|call| call.call_id == message.call_id())
    }

    /// A request came to the phone.
    pub(super) fn phone_asked(&mut self, id: PhoneId, key: ServerKey, message: Message) {
        let method = message.method().unwrap().clone();
        if message.to_tag().is_none() && method == Method::Invite {
            return self.called(id, key, message);
        }
        if message.to_tag().is_none() {
            return self.told(id, key, &message);
        }
        let contact = self.phones[&id].contact();
        let host = self.phones[&id].local.ip().to_string();
        let Some(call) = self.call_of(id, &message) else {
            return self.plainly(id, key, &message, Status::CALL_DOES_NOT_EXIST);
        };
        if matches!(call.state, CallState::Over(_)) {
            return self.plainly(id, key, &message, Status::CALL_DOES_NOT_EXIST);
        }
        let in_order = call.dialog.as_mut().is_none_or(|d| d.receive_request(&message).is_ok());
        assert!(in_order, "the engine's requests are out of order");
        match method {
            Method::Bye => {
                call.state = CallState::Over(0);
                self.plainly(id, key, &message, Status::OK);
            }
            Method::Invite | Method::Update => {
                call.re_offers += 1;
                call.shown = shown(&message);
                call.heard = String::from_utf8_lossy(message.body()).into_owned();
                let status = call.refuses_media.unwrap_or(Status::OK);
                call.undecided = status.is_provisional().then(|| (key, message.clone()));
                let response = ResponseBuilder::reply_to(&message, status)
                    .header(HeaderName::Contact, contact);
                let body = sdp(&host, 5, "sendrecv");
                let has_media = method == Method::Invite || !message.body().is_empty();
                let response = if has_media && status == Status::OK {
                    response.body("application/sdp", body.as_bytes()).finish()
                } else {
                    response.finish()
                };
                self.send_response(id, key, &response);
            }
            Method::Info => {
                let phone = self.phones.get_mut(&id).unwrap();
                phone.infos.push(message.clone());
                if let Some(status) = Status::new(phone.answers_info) {
                    self.plainly(id, key, &message, status);
                }
            }
            _ => self.plainly(id, key, &message, Status::OK),
        }
    }

    fn called(&mut self, id: PhoneId, key: ServerKey, message: Message) {
        let phone = self.phones.get_mut(&id).unwrap();
        let call = Call {
            state: CallState::Ringing,
            heard: String::from_utf8_lossy(message.body()).into_owned(),
            shown: shown(&message),
            message: Some(message.clone()),
            early_media: false,
            re_answers: Vec::new(),
            re_offers: 0,
            acked: false,
            ack_body: String::new(),
            refuses_media: None,
            dialog: None,
            early: None,
            undecided: None,
            call_id: message.call_id().into(),
            outgoing: None,
            re_invite: None,
            incoming: Some((key, message)),
            tried: false,
        };
        phone.calls.push(call);
        let (refuses, rings) = (phone.refuses, phone.rings);
        match refuses {
            Some(status) => {
                self.respond(id, status, "");
                self.last_call(id).state = CallState::Over(status.code());
            }
            None if rings => self.respond(id, Status::RINGING, ""),
            None => {}
        }
    }

    fn told(&mut self, id: PhoneId, key: ServerKey, message: &Message) {
        let phone = self.phones.get_mut(&id).unwrap();
        if message.method() == Some(&Method::Options) {
            return self.plainly(id, key, message, Status::OK);
        }
        if phone.challenges && message.first(HeaderName::Authorization).is_none() {
            let response = ResponseBuilder::reply_to(message, Status::UNAUTHORIZED)
                .header(
                    HeaderName::WwwAuthenticate,
                    "Digest realm=\"phone\", nonce=\"1\", qop=\"auth\"",
                )
                .finish();
            return self.send_response(id, key, &response);
        }
        if phone.challenges {
            let shown = message.first(HeaderName::Authorization).unwrap_or_default();
            let credentials = jackfield_sip::digest::Credentials::parse(shown).unwrap();
            let Secret::Known(password) = &phone.secret else { panic!("no secret") };
            let ha1 = credentials.algorithm.ha1(&phone.name, "phone", password);
            let method = message.method().unwrap().as_str();
            let right = credentials.verify(method, &ha1, message.body());
            phone.proofs.push(right && credentials.uri == message.raw_uri());
        }
        phone.told.push((
            message.method().unwrap().to_string(),
            message.first(HeaderName::Event).unwrap_or_default().into(),
            String::from_utf8_lossy(message.body()).into_owned(),
        ));
        self.plainly(id, key, message, Status::OK);
    }

    fn plainly(&mut self, id: PhoneId, key: ServerKey, message: &Message, status: Status) {
        let response = ResponseBuilder::reply_to(message, status).finish();
        self.send_response(id, key, &response);
    }

    fn send_response(&mut self, id: PhoneId, key: ServerKey, response: &jackfield_sip::Response) {
        let now = sip_time(self.now);
        let mut actions = Vec::new();
        self.phones.get_mut(&id).unwrap().endpoint.respond(now, key, response, &mut actions);
        self.phone_acts(id, actions);
    }

    pub(super) fn phone_acked(&mut self, id: PhoneId, message: &Message) {
        let body = String::from_utf8_lossy(message.body()).into_owned();
        if let Some(call) = self.call_of(id, message) {
            call.acked = true;
            call.ack_body = body;
        }
    }

    pub(super) fn phone_cancelled(&mut self, id: PhoneId, invite: ServerKey) {
        let calls = &mut self.phones.get_mut(&id).unwrap().calls;
        let is_it = |one: &Option<(ServerKey, Message)>| {
            one.as_ref().is_some_and(|(key, _)| *key == invite)
        };
        if let Some(call) = calls.iter_mut().find(|call| is_it(&call.undecided)) {
            let (key, request) = call.undecided.take().unwrap();
            return self.plainly(id, key, &request, Status::REQUEST_TERMINATED);
        }
        let Some(call) = calls.iter_mut().find(|call| is_it(&call.incoming)) else { return };
        call.state = CallState::Over(487);
        let (key, request) = call.incoming.clone().unwrap();
        self.plainly(id, key, &request, Status::REQUEST_TERMINATED);
    }

    /// An answer came to a request of a call.
    pub(super) fn call_answered(&mut self, id: PhoneId, key: ClientKey, message: &Message) {
        let Some(status) = message.status() else { return };
        let Some(call) = self.call_of(id, message) else { return };
        if call.re_invite == Some(key) {
            return self.re_answered(id, key, message, status);
        }
        let outgoing = call.outgoing.clone().filter(|(invite, ..)| *invite == key);
        let Some((_, request, sequence)) = outgoing else {
            let bye = message.cseq().unwrap().method == Method::Bye;
            if status.is_final() && !bye {
                let phone = self.phones.get_mut(&id).unwrap();
                phone.flow_answers.push(status.code());
                phone.retry_after = message.first(HeaderName::RetryAfter).map(ToString::to_string);
            }
            return;
        };
        if !message.body().is_empty() {
            call.heard = String::from_utf8_lossy(message.body()).into_owned();
        }
        if status.is_provisional() {
            if status.code() > 100 {
                call.state = CallState::RingingBack;
                call.early = Dialog::uac(message).ok();
                call.early_media |= !message.body().is_empty();
            }
            return;
        }
        call.message = Some(message.clone());
        if status.is_success() {
            return self.connected(id, key, message);
        }
        let asked = matches!(status.code(), 401 | 407) && !call.tried;
        if asked && self.phones[&id].secret != Secret::None {
            return self.dial_again(id, message, &request, sequence);
        }
        let call = self.call_of(id, message).unwrap();
        if !matches!(call.state, CallState::Over(_)) || status.code() != 487 {
            call.state = CallState::Over(status.code());
        }
    }

    fn connected(&mut self, id: PhoneId, key: ClientKey, message: &Message) {
        let (acknowledges, flow) = (self.phones[&id].acknowledges, self.phones[&id].flow());
        let host = self.phones[&id].local.ip().to_string();
        let call = self.call_of(id, message).unwrap();
        let given_up = matches!(call.state, CallState::Over(_));
        let offered = call.outgoing.as_ref().is_some_and(|(_, request, _)| {
            let via = jackfield_sip::header::Via::new(
                jackfield_sip::header::ViaTransport::Udp,
                jackfield_sip::HostPort::parse("x").unwrap(),
                "z9hG4bKx",
            );
            let written = request.write(&via);
            String::from_utf8_lossy(&written).contains("m=audio")
        });
        call.state = CallState::Talking;
        call.shown = shown(message);
        let dialog = Dialog::uac(message).unwrap();
        let ack = dialog.ack(message.cseq().unwrap().number);
        let ack =
            if offered { ack } else { ack.body("application/sdp", sdp(&host, 1, "sendrecv")) };
        call.dialog = Some(dialog);
        if acknowledges {
            let mut actions = Vec::new();
            let phone = self.phones.get_mut(&id).unwrap();
            phone.endpoint.acknowledge(key, message, flow, &ack, &mut actions);
            self.phone_acts(id, actions);
        }
        if given_up {
            let call = self.call_of(id, message).unwrap();
            call.state = CallState::Over(0);
            let bye = call.dialog.as_mut().unwrap().request(Method::Bye);
            self.client(id, &bye);
        }
    }

    fn re_answered(&mut self, id: PhoneId, key: ClientKey, message: &Message, status: Status) {
        if status.is_provisional() {
            return;
        }
        let flow = self.phones[&id].flow();
        let call = self.call_of(id, message).unwrap();
        call.re_answers.push(status.code());
        if status.is_success() {
            call.heard = String::from_utf8_lossy(message.body()).into_owned();
            let ack = call.dialog.as_ref().unwrap().ack(message.cseq().unwrap().number);
            let mut actions = Vec::new();
            let phone = self.phones.get_mut(&id).unwrap();
            phone.endpoint.acknowledge(key, message, flow, &ack, &mut actions);
            self.phone_acts(id, actions);
        }
    }

    /// The INVITE again, with credentials.
    fn dial_again(
        &mut self,
        id: PhoneId,
        message: &Message,
        request: &RequestBuilder,
        sequence: u32,
    ) {
        let uri = request.uri().to_owned();
        let phone = self.phones.get_mut(&id).unwrap();
        phone.challenge = strongest(message).map(|challenge| (challenge, 0));
        let line = phone.authorization("INVITE", &uri);
        let number = uri.trim_start_matches("sip:").split('@').next().unwrap().to_owned();
        let via = jackfield_sip::header::Via::new(
            jackfield_sip::header::ViaTransport::Udp,
            jackfield_sip::HostPort::parse("x").unwrap(),
            "z9hG4bKx",
        );
        let first = Message::parse_datagram(&request.write(&via)).unwrap();
        let body = String::from_utf8_lossy(first.body()).into_owned();
        let again = self.invite(id, &number, message.call_id(), sequence + 1, &body, line);
        let key = self.client(id, &again);
        let call = self.call_of(id, message).unwrap();
        call.tried = true;
        call.outgoing = Some((key, again, sequence + 1));
    }

    pub(super) fn call_failed(&mut self, id: PhoneId, key: ClientKey) {
        let calls = &mut self.phones.get_mut(&id).unwrap().calls;
        let found = calls
            .iter_mut()
            .find(|call| call.outgoing.as_ref().is_some_and(|(invite, ..)| *invite == key));
        if let Some(call) = found {
            call.state = CallState::Over(408);
        }
    }
}

/// The type of a body that begins with the boundary `cut`.
const MIXED: &str = "multipart/mixed;boundary=cut";

/// `number name` of the far side.
fn shown(message: &Message) -> String {
    let identity = message.optional::<jackfield_sip::header::PAssertedIdentity>().unwrap();
    identity.map_or_else(String::new, |identity| {
        format!("{} {}", identity.user().unwrap_or_default(), identity.display())
    })
}
