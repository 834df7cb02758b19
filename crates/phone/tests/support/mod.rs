//! An office: the smallest server that phones can live with. It checks passwords, passes requests
//! from phone to phone, and does nothing else. Without sockets, as the phones.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub mod desk;

use std::collections::{BTreeMap, VecDeque};

use jackfield_phone::{
    Fetched, Phone, PhoneCommand, PhoneEvent, PhoneInput, PhoneOutput, PhoneSettings,
};
use jackfield_sip::digest::{Algorithm, Credentials};
use jackfield_sip::header::{Contact, Via};
use jackfield_sip::{HeaderName, Message, Method, Now, ResponseBuilder, Status, StreamFramer};

/// Where a message came from or goes: a phone's number in the world.
pub type Seat = usize;

/// The server.
#[derive(Default)]
pub struct Office {
    /// Passwords by user; a user without one needs none.
    pub passwords: BTreeMap<String, String>,
    /// Who is registered: number, contact, Call-ID and seat.
    pub bindings: BTreeMap<String, Binding>,
    /// REGISTERs that were accepted, with their nc.
    pub accepted: Vec<(String, Option<u32>)>,
    /// All requests seen, first lines.
    pub seen: Vec<String>,
    pub expires: Option<u32>,
    /// Answers every REGISTER with this.
    pub refuse: Option<Status>,
    pub algorithm: Option<Algorithm>,
    nonce: u32,
    /// Accept a nonce so often.
    pub nonce_uses: Option<u32>,
    uses: u32,
    sequence: u32,
}

#[derive(Clone, Debug)]
pub struct Binding {
    pub contact: String,
    pub call_id: String,
    pub seat: Seat,
    pub raw_contact: String,
}

impl Office {
    pub fn receive(&mut self, seat: Seat, message: &Message) -> Vec<(Seat, Vec<u8>)> {
        if !message.is_request() {
            return self.back(message);
        }
        self.seen.push(message.start_line().to_owned());
        match message.method() {
            Some(Method::Register) => vec![(seat, self.register(seat, message))],
            _ => self.pass_on(seat, message),
        }
    }

    /// A NOTIFY to a registered phone.
    pub fn notify(&mut self, number: &str, event: &str, body: &str) -> Option<(Seat, Vec<u8>)> {
        let binding = self.bindings.get(number)?.clone();
        self.sequence += 1;
        let body = body.replace("{CALL-ID}", &binding.call_id);
        let text = format!(
            "NOTIFY {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKnotify{}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:server@127.0.0.1>;tag=office\r\nTo: <sip:{number}@127.0.0.1>\r\n\
             Call-ID: notify-{}\r\nCSeq: {} NOTIFY\r\nEvent: {event}\r\nSubscription-State: active\r\n\
             Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
            binding.contact,
            self.sequence,
            self.sequence,
            self.sequence,
            body.len()
        );
        Some((binding.seat, text.into_bytes()))
    }

    /// Any request to a registered phone, from nobody.
    pub fn request(
        &mut self,
        number: &str,
        method: &str,
        headers: &str,
        body: &str,
    ) -> Option<(Seat, Vec<u8>)> {
        let binding = self.bindings.get(number)?.clone();
        self.sequence += 1;
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKreq{}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:server@127.0.0.1>;tag=office\r\nTo: <sip:{number}@127.0.0.1>\r\n\
             Call-ID: req-{}\r\nCSeq: {} {method}\r\nContact: <sip:server@127.0.0.1>\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            binding.contact,
            self.sequence,
            self.sequence,
            self.sequence,
            body.len()
        );
        Some((binding.seat, text.into_bytes()))
    }

    fn register(&mut self, seat: Seat, request: &Message) -> Vec<u8> {
        let to = request.typed::<jackfield_sip::header::To>().unwrap();
        let number = to.user().unwrap().into_owned();
        if let Some(status) = self.refuse {
            return ResponseBuilder::reply_to(request, status).finish().bytes.to_vec();
        }
        let mut nc = None;
        let credentials = request
            .optional::<jackfield_sip::header::Authorization>()
            .unwrap()
            .map(|header| header.0);
        let wanted = match &credentials {
            Some(credentials) => self.passwords.get(&*credentials.username).cloned(),
            None => self.passwords.values().next().cloned(),
        };
        if let Some(password) = wanted {
            match credentials.filter(|c| self.is_right(c, &password, request)) {
                Some(credentials) => nc = credentials.protection.map(|p| p.count),
                None => return self.challenge(request),
            }
        }
        let contact = request.typed::<Contact>().unwrap();
        let address = contact.address().unwrap();
        let expires = request.first(HeaderName::Expires).unwrap().to_owned();
        let granted = self.expires.map_or(expires.clone(), |e| e.to_string());
        if expires == "0" {
            self.bindings.remove(&number);
        } else {
            self.bindings.insert(
                number.clone(),
                Binding {
                    contact: address.uri.to_string(),
                    call_id: request.call_id().to_owned(),
                    seat,
                    raw_contact: contact.to_string(),
                },
            );
        }
        self.accepted.push((number, nc));
        ResponseBuilder::reply_to(request, Status::OK)
            .header(HeaderName::Contact, format!("{contact};expires={granted}"))
            .finish()
            .bytes
            .to_vec()
    }

    fn challenge(&mut self, request: &Message) -> Vec<u8> {
        self.nonce += 1;
        self.uses = 0;
        let algorithm = self.algorithm.unwrap_or(Algorithm::Md5);
        ResponseBuilder::reply_to(request, Status::UNAUTHORIZED)
            .header(
                HeaderName::WwwAuthenticate,
                format!(
                    "Digest realm=\"office\", nonce=\"n{}\", algorithm={algorithm}, qop=\"auth\"",
                    self.nonce
                ),
            )
            .finish()
            .bytes
            .to_vec()
    }

    fn is_right(&mut self, c: &Credentials, password: &str, request: &Message) -> bool {
        let Some(protection) = &c.protection else { return false };
        let mut ha1 = c.algorithm.ha1(&c.username, "office", password);
        if c.algorithm.is_session() {
            let parts = [ha1.as_bytes(), c.nonce.as_bytes(), protection.cnonce.as_bytes()];
            ha1 = c.algorithm.hash(&parts);
        }
        let method = request.method().unwrap().as_str();
        let ha2 = c.algorithm.hash(&[method.as_bytes(), c.uri.as_bytes()]);
        let nc = format!("{:08x}", protection.count);
        let response = c.algorithm.hash(&[
            ha1.as_bytes(),
            c.nonce.as_bytes(),
            nc.as_bytes(),
            protection.cnonce.as_bytes(),
            b"auth",
            ha2.as_bytes(),
        ]);
        self.uses += 1;
        let fresh = self.nonce_uses.is_none_or(|limit| self.uses <= limit);
        response == *c.response && *c.nonce == *format!("n{}", self.nonce) && fresh
    }

    /// Passes a request to the phone it is for.
    fn pass_on(&mut self, seat: Seat, request: &Message) -> Vec<(Seat, Vec<u8>)> {
        let uri = request.raw_uri();
        let user = request.uri().ok().and_then(|uri| uri.user().map(std::borrow::Cow::into_owned));
        let found = self
            .bindings
            .values()
            .find(|binding| binding.contact == uri)
            .or_else(|| self.bindings.get(user.as_deref().unwrap_or_default()));
        let Some(binding) = found else {
            if request.method() == Some(&Method::Ack) {
                return Vec::new();
            }
            let response = ResponseBuilder::reply_to(request, Status::NOT_FOUND).finish();
            return vec![(seat, response.bytes.to_vec())];
        };
        let branch = request.typed::<Via>().unwrap().branch().unwrap_or_default().to_owned();
        let text = String::from_utf8(request.to_bytes()).unwrap();
        let (_, rest) = text.split_once("\r\n").unwrap();
        let method = request.method().unwrap();
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch={branch}.{seat}\r\n{rest}",
            binding.contact
        );
        vec![(binding.seat, text.into_bytes())]
    }

    /// Passes a response back on the way its request came.
    fn back(&mut self, response: &Message) -> Vec<(Seat, Vec<u8>)> {
        let via = response.typed::<Via>().unwrap();
        let Some((_, seat)) = via.branch().unwrap_or_default().rsplit_once('.') else {
            return Vec::new();
        };
        let Ok(seat) = seat.parse() else { return Vec::new() };
        let text = String::from_utf8(response.to_bytes()).unwrap();
        let mut lines: Vec<_> = text.split("\r\n").collect();
        let top = lines.iter().position(|line| line.starts_with("Via:")).unwrap();
        lines.remove(top);
        vec![(seat, lines.join("\r\n").into_bytes())]
    }
}

/// Phones and their office in virtual time.
pub struct World {
    pub now: Now,
    pub office: Office,
    pub phones: Vec<Phone>,
    pub events: Vec<Vec<PhoneEvent>>,
    /// Files by name, without a leading slash.
    pub files: BTreeMap<String, String>,
    pub asked: Vec<String>,
    pub audio: Vec<(Seat, String)>,
    /// Every how many-th datagram is lost; none when zero.
    pub lose: usize,
    sent: usize,
    queue: VecDeque<(Seat, PhoneInput)>,
}

impl World {
    pub fn new() -> Self {
        Self {
            now: Now::from_millis(1_000),
            office: Office::default(),
            phones: Vec::new(),
            events: Vec::new(),
            files: BTreeMap::new(),
            asked: Vec::new(),
            audio: Vec::new(),
            lose: 0,
            sent: 0,
            queue: VecDeque::new(),
        }
    }

    pub fn add(&mut self, settings: PhoneSettings) -> Seat {
        self.phones.push(Phone::new(settings));
        self.events.push(Vec::new());
        let seat = self.phones.len() - 1;
        self.command(seat, PhoneCommand::PowerOn);
        seat
    }

    pub fn file(&mut self, name: &str, text: &str) {
        self.files.insert(name.to_owned(), text.to_owned());
    }

    pub fn command(&mut self, seat: Seat, command: PhoneCommand) {
        self.queue.push_back((seat, PhoneInput::Command(command)));
        self.settle();
    }

    pub fn keys(&mut self, seat: Seat, keys: &str) {
        for key in keys.chars() {
            self.command(seat, PhoneCommand::Press(key.try_into().unwrap()));
        }
    }

    pub fn input(&mut self, seat: Seat, input: PhoneInput) {
        self.queue.push_back((seat, input));
        self.settle();
    }

    pub fn deliver(&mut self, sent: Option<(Seat, Vec<u8>)>) {
        let (seat, bytes) = sent.expect("somebody is registered");
        self.hand_over(seat, &bytes);
        self.settle();
    }

    /// Lets time pass.
    pub fn run(&mut self, millis: u64) {
        let end = self.now + std::time::Duration::from_millis(millis);
        loop {
            let next = self.phones.iter().filter_map(Phone::next_timeout).min();
            match next.filter(|next| *next <= end) {
                Some(next) => {
                    self.now = self.now.max(next);
                    for seat in 0..self.phones.len() {
                        if self.phones[seat].next_timeout().is_some_and(|due| due <= self.now) {
                            self.queue.push_back((seat, PhoneInput::Timeout));
                        }
                    }
                    self.settle();
                }
                None => {
                    self.now = end;
                    return;
                }
            }
        }
    }

    /// Takes the events of a phone so far.
    pub fn take(&mut self, seat: Seat) -> Vec<PhoneEvent> {
        std::mem::take(&mut self.events[seat])
    }

    pub fn shows(&self, seat: Seat, text: &str) -> bool {
        self.phones[seat].display().iter().any(|line| line.contains(text))
    }

    fn settle(&mut self) {
        while let Some((seat, input)) = self.queue.pop_front() {
            let mut out = Vec::new();
            self.phones[seat].handle(self.now, input, &mut out);
            for output in out {
                self.output(seat, output);
            }
        }
    }

    fn output(&mut self, seat: Seat, output: PhoneOutput) {
        match output {
            PhoneOutput::Fetch(request) => {
                let name = request.path.trim_start_matches('/').to_owned();
                let file = self.files.get(&name);
                let fetched = file.map_or(Fetched::NotFound, |f| Fetched::Found(f.clone().into()));
                self.asked.push(name);
                self.queue.push_back((seat, PhoneInput::Fetched { id: request.id, fetched }));
            }
            PhoneOutput::Connect { .. } => {
                let local = format!("127.0.0.1:{}", 10_000 + seat).parse().unwrap();
                self.queue.push_back((seat, PhoneInput::Connected { local }));
            }
            PhoneOutput::Transmit(bytes) => {
                self.sent += 1;
                if self.lose > 0 && self.sent.is_multiple_of(self.lose) {
                    return;
                }
                let message = framed(&bytes);
                for (to, bytes) in self.office.receive(seat, &message) {
                    self.hand_over(to, &bytes);
                }
            }
            PhoneOutput::Disconnect => {}
            PhoneOutput::Audio { call, order } => {
                self.audio.push((seat, format!("{order:?}")));
                if order == jackfield_phone::AudioOrder::Open {
                    let port = 20_000 + seat as u16 * 100 + call.0 as u16 * 2;
                    let local = Some(format!("127.0.0.1:{port}").parse().unwrap());
                    self.queue.push_back((seat, PhoneInput::AudioOpened { call, local }));
                }
            }
            PhoneOutput::Event(event) => self.events[seat].push(event),
        }
    }

    fn hand_over(&mut self, seat: Seat, bytes: &[u8]) {
        self.sent += 1;
        if self.lose > 0 && self.sent.is_multiple_of(self.lose) {
            return;
        }
        self.queue.push_back((seat, PhoneInput::Sip(framed(bytes))));
    }
}

/// Every message must also be one that a stream can be cut by.
pub fn framed(bytes: &[u8]) -> Message {
    let mut framer = StreamFramer::new();
    framer.push(bytes).unwrap();
    match framer.next_event().unwrap() {
        Some(jackfield_sip::StreamEvent::Message(message)) => {
            message
                .check()
                .unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(bytes)));
            message
        }
        other => panic!("{other:?}: {}", String::from_utf8_lossy(bytes)),
    }
}

/// A plain file with one line.
pub fn plain(number: &str, password: &str) -> String {
    format!(
        "version=1\nserver=127.0.0.1:5060\ntransport=udp\nuser={number}\nauth-user=dev{number}\n\
         password={password}\nexpires=120\nline.1.number={number}\nline.1.label={number}\n"
    )
}
