//! A scripted phone: registers, places and takes calls, does what it is told. Built on the `sip`
//! crate, and on nothing of the engine's.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use jackfield_engine::Input;
use jackfield_model::{Kind, Phone as Settings};
use jackfield_sip::digest::{Challenge, Login};
use jackfield_sip::{
    Action, ClientKey, Endpoint, Flow, Header, HeaderName, Limits, Message, Method, RequestBuilder,
    ResponseBuilder, Status, Transport,
};
use jackfield_vocabulary::{Now, ObjectId};
use serde_json::json;

use super::talk::{Call, CallState};
use super::{SERVER, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhoneId(pub u32);

/// What a phone knows of its secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Secret {
    Known(String),
    Wrong,
    None,
}

pub struct Phone {
    pub id: PhoneId,
    pub name: String,
    pub device: Option<ObjectId>,
    /// The user of the address of record that it registers and calls from.
    pub user: String,
    pub local: SocketAddr,
    /// Where it sends from, if not where it listens.
    pub mouth: Option<SocketAddr>,
    /// What it takes for its address, behind a NAT.
    pub behind: Option<SocketAddr>,
    pub transport: Transport,
    pub secret: Secret,
    /// Says its name in its Contact, as enterprise phones do.
    pub enterprise: bool,
    pub user_agent: String,
    pub expires: u32,
    /// Extra header lines of its REGISTER.
    pub extra: Vec<(String, String)>,
    /// Extra header lines of its INVITEs.
    pub says: Vec<(String, String)>,
    /// From of its INVITEs, instead of the usual one.
    pub says_from: Option<String>,
    /// Contact of its INVITEs, instead of the usual one; empty for none.
    pub says_contact: Option<String>,
    /// INFOs that came.
    pub infos: Vec<Message>,
    /// How it answers them; 0 for not at all.
    pub answers_info: u16,
    /// Status of the last final answer to REGISTER.
    pub answered: Option<u16>,
    /// That answer itself.
    pub answer: Option<Message>,
    pub registrations_sent: u32,
    /// NOTIFY, MESSAGE and REFER that it got: method, event, body.
    pub told: Vec<(String, String, String)>,
    /// Whether the credentials it was then shown were right.
    pub proofs: Vec<bool>,
    /// Final answers to its requests that are neither REGISTER nor INVITE.
    pub flow_answers: Vec<u16>,
    /// What the last of them said of when to try again.
    pub retry_after: Option<String>,
    /// Asks for credentials when it is told something.
    pub challenges: bool,
    /// Takes what comes and says nothing.
    pub silent: bool,
    /// No INVITE comes as far as it.
    pub without_invites: bool,
    /// Refuses calls with this.
    pub refuses: Option<Status>,
    /// Rings when it is called.
    pub rings: bool,
    /// Sends an ACK when it is answered.
    pub acknowledges: bool,
    pub calls: Vec<Call>,
    pub(super) endpoint: Endpoint,
    pub connection: Option<u64>,
    pub(super) challenge: Option<(Challenge, u32)>,
    pub register: (String, u32),
    registering: Option<ClientKey>,
}

impl Phone {
    pub fn call(&self) -> &Call {
        self.calls.last().expect("the phone has no call")
    }

    pub fn state(&self) -> CallState {
        self.calls.last().map_or(CallState::None, |call| call.state)
    }

    /// The way to the node, as the phone sees it.
    pub(super) fn flow(&self) -> Flow {
        let flow = Flow::new(self.transport, self.local, SERVER.parse().unwrap());
        match self.connection {
            Some(connection) => flow.connected(connection),
            None => flow,
        }
    }

    pub(super) fn next_timeout(&self) -> Option<u64> {
        let next = self.endpoint.next_timeout()?;
        Some(u64::try_from(next.0.as_nanos().div_ceil(1000)).unwrap())
    }

    pub(super) fn listens_at(&self, flow: &Flow) -> bool {
        self.transport == flow.transport
            && self.local == flow.remote
            && (flow.connection.is_none() || flow.connection == self.connection)
    }

    pub(super) fn contact(&self) -> String {
        let transport = match self.transport {
            Transport::Udp => "",
            _ => ";transport=tcp",
        };
        format!("<sip:{}@{}{transport}>", self.user, self.behind.unwrap_or(self.local))
    }

    /// The Authorization line for a request, when the phone holds a challenge and knows a secret.
    pub(super) fn authorization(&mut self, method: &str, uri: &str) -> Option<String> {
        let password = match &self.secret {
            Secret::Known(password) => password.clone(),
            Secret::Wrong => "nonsense".to_owned(),
            Secret::None => return None,
        };
        let (challenge, count) = self.challenge.as_mut()?;
        *count += 1;
        let login = Login {
            username: &self.name,
            password: &password,
            method,
            uri,
            cnonce: "c0ffee",
            count: *count,
            body: &[],
        };
        challenge.answer(&login).map(|credentials| credentials.to_string())
    }

    fn register_request(&mut self, expires: u32) -> RequestBuilder {
        self.register.1 += 1;
        let uri = "sip:192.0.2.10";
        let (user, sequence) = (&self.user, self.register.1);
        let mut contact = self.contact();
        if self.enterprise {
            let mac = &self.name[self.name.len() - 12..];
            contact.push_str(&format!(
                ";+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-{mac}>\"\
                 ;+u.sip!devicename.ccm.cisco.com=\"{}\";+u.sip!model.ccm.cisco.com=\"622\"",
                self.name
            ));
        }
        let mut request = RequestBuilder::new(Method::Register, uri)
            .header(HeaderName::From, format!("<sip:{user}@192.0.2.10>;tag=r{sequence}"))
            .header(HeaderName::To, format!("<sip:{user}@192.0.2.10>"))
            .header(HeaderName::CallId, &self.register.0)
            .header(HeaderName::CSeq, format!("{sequence} REGISTER"))
            .header(HeaderName::Contact, contact)
            .header(HeaderName::UserAgent, &self.user_agent)
            .header(HeaderName::Expires, expires);
        for (name, value) in self.extra.clone() {
            request = request.extension(&name, value);
        }
        if let Some(line) = self.authorization("REGISTER", uri) {
            request.push(HeaderName::Authorization, line);
        }
        request
    }
}

impl World {
    /// A phone of the catalogue's generic model with one line, which knows its secret.
    #[track_caller]
    pub fn phone(&mut self, name: &str, number: &str) -> PhoneId {
        self.phone_of_model(name, number, "Generic SIP phone")
    }

    /// A phone of this model.
    #[track_caller]
    pub fn phone_of_model(&mut self, name: &str, number: &str, model: &str) -> PhoneId {
        if self.directory.find(Kind::Line, number).is_none() {
            self.create(Kind::Line, json!({ "number": number }));
        }
        let body = json!({
            "name": name, "model": model, "device_pool": "Default",
            "security_profile": "Non-secure UDP", "sip_profile": "Default",
            "lines": [{ "line": number, "display": format!("User {number}") }],
        });
        let device = self.create(Kind::Phone, body);
        let password = self.directory.secrets().sip_password(device).reveal().to_owned();
        let id = self.stranger(name, number);
        let phone = self.phones.get_mut(&id).unwrap();
        phone.device = Some(device);
        phone.secret = Secret::Known(password);
        if model.starts_with("Cisco") && !model.contains("multiplatform") {
            phone.enterprise = true;
            phone.transport = Transport::Tcp;
            phone.connection = Some(1000 * u64::from(id.0));
        }
        id
    }

    /// A phone that nobody has entered, over UDP, without a secret.
    pub fn stranger(&mut self, name: &str, user: &str) -> PhoneId {
        let number = u32::try_from(self.phones.len()).unwrap() + 1;
        let id = PhoneId(number);
        let [_, _, high, low] = number.to_be_bytes();
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_le_bytes());
        let phone = Phone {
            id,
            name: name.into(),
            device: None,
            user: user.into(),
            local: SocketAddr::from(([10, 1, high, low], 5060)),
            mouth: None,
            behind: None,
            transport: Transport::Udp,
            secret: Secret::None,
            enterprise: false,
            user_agent: "Scripted/1.0".into(),
            expires: 3600,
            extra: Vec::new(),
            says: Vec::new(),
            infos: Vec::new(),
            answers_info: 200,
            says_from: None,
            says_contact: None,
            answered: None,
            answer: None,
            registrations_sent: 0,
            told: Vec::new(),
            proofs: Vec::new(),
            flow_answers: Vec::new(),
            retry_after: None,
            challenges: false,
            silent: false,
            without_invites: false,
            refuses: None,
            rings: true,
            acknowledges: true,
            calls: Vec::new(),
            endpoint: Endpoint::new(seed, Limits::default()),
            connection: None,
            challenge: None,
            register: (format!("reg-{number}"), 0),
            registering: None,
        };
        self.phones.insert(id, phone);
        id
    }

    /// Registers; the status of the final answer, 0 when there is none.
    pub fn register(&mut self, id: PhoneId) -> u16 {
        let expires = self.phones[&id].expires;
        self.register_for(id, expires)
    }

    /// Takes the registration away.
    pub fn unregister(&mut self, id: PhoneId) -> u16 {
        self.register_for(id, 0)
    }

    pub fn register_for(&mut self, id: PhoneId, seconds: u32) -> u16 {
        self.send_register(id, seconds);
        for _ in 0..40 {
            self.run(1);
            if self.phones[&id].registering.is_none() {
                break;
            }
        }
        self.phones[&id].answered.unwrap_or(0)
    }

    /// Sends a REGISTER without waiting.
    pub fn send_register(&mut self, id: PhoneId, seconds: u32) {
        let phone = self.phones.get_mut(&id).unwrap();
        phone.answered = None;
        phone.registrations_sent += 1;
        let request = phone.register_request(seconds);
        self.phone_sends(id, &request);
    }

    /// Boots: a new registration, with nothing remembered.
    pub fn reboot(&mut self, id: PhoneId) {
        let phone = self.phones.get_mut(&id).unwrap();
        phone.register = (format!("{}-again", phone.register.0), 0);
        phone.challenge = None;
        phone.connection = phone.connection.map(|connection| connection + 1);
    }

    #[track_caller]
    pub fn registered(&mut self, id: PhoneId) {
        assert_eq!(self.register(id), 200, "{} does not register", self.phones[&id].name);
    }

    fn phone_sends(&mut self, id: PhoneId, request: &RequestBuilder) {
        let key = self.client(id, request);
        if *request.method() == Method::Register {
            self.phones.get_mut(&id).unwrap().registering = Some(key);
        }
    }

    /// Sends a request of a phone in a transaction.
    pub(super) fn client(&mut self, id: PhoneId, request: &RequestBuilder) -> ClientKey {
        let now = sip_time(self.now);
        let phone = self.phones.get_mut(&id).unwrap();
        let mut actions = Vec::new();
        let flow = phone.flow();
        let key = phone.endpoint.request(now, flow, request, &mut actions);
        self.phone_acts(id, actions);
        key
    }

    pub(crate) fn phones_timeout(&mut self) {
        let now = sip_time(self.now);
        let ids: Vec<PhoneId> = self.phones.keys().copied().collect();
        for id in ids {
            let mut actions = Vec::new();
            self.phones.get_mut(&id).unwrap().endpoint.timeout(now, &mut actions);
            self.phone_acts(id, actions);
        }
    }

    pub(crate) fn phone_hears(&mut self, id: PhoneId, flow: Flow, message: Message) {
        let now = sip_time(self.now);
        let phone = self.phones.get_mut(&id).unwrap();
        let kept_away = phone.without_invites && message.method() == Some(&Method::Invite);
        if phone.silent || kept_away {
            return;
        }
        let mut actions = Vec::new();
        phone.endpoint.receive(now, flow, message, &mut actions);
        self.phone_acts(id, actions);
    }

    pub(super) fn phone_acts(&mut self, id: PhoneId, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Transmit { flow, bytes } => self.send_to_engine(id, &flow, bytes.to_vec()),
                Action::Request { key, message, .. } => self.phone_asked(id, key, message),
                Action::Response { key, message, .. } => self.phone_answered(id, key, &message),
                Action::Ack { message, .. } => self.phone_acked(id, &message),
                Action::Cancelled { invite, .. } => self.phone_cancelled(id, invite),
                Action::Failed { key, .. } => self.phone_failed(id, key),
                Action::Unacknowledged { .. } | Action::Over { .. } => {}
            }
        }
    }

    fn phone_answered(&mut self, id: PhoneId, key: ClientKey, message: &Message) {
        let phone = self.phones.get_mut(&id).unwrap();
        if phone.registering != Some(key) {
            return self.call_answered(id, key, message);
        }
        let Some(status) = message.status().filter(|status| status.is_final()) else { return };
        let fresh = phone.challenge.as_ref().is_none_or(|(_, count)| *count == 0);
        let challenge = strongest(message);
        let stale = challenge.as_ref().is_some_and(|challenge| challenge.stale);
        if status == Status::UNAUTHORIZED && (fresh || stale) && phone.secret != Secret::None {
            phone.challenge = challenge.map(|challenge| (challenge, 0));
            let request = phone.register_request(phone.expires);
            phone.registrations_sent += 1;
            return self.phone_sends(id, &request);
        }
        phone.registering = None;
        phone.answered = Some(status.code());
        phone.answer = Some(message.clone());
    }

    fn phone_failed(&mut self, id: PhoneId, key: ClientKey) {
        let phone = self.phones.get_mut(&id).unwrap();
        if phone.registering == Some(key) {
            phone.registering = None;
            phone.answered = Some(0);
        } else {
            self.call_failed(id, key);
        }
    }
}

/// The strongest challenge in an answer.
pub(super) fn strongest(message: &Message) -> Option<Challenge> {
    let all =
        message.all(HeaderName::WwwAuthenticate).chain(message.all(HeaderName::ProxyAuthenticate));
    all.filter_map(|value| Challenge::parse(value).ok()).next()
}

pub(super) fn sip_time(now: Now) -> jackfield_sip::Now {
    jackfield_sip::Now(Duration::from_micros(now.micros))
}
