//! The phone: one state machine without sockets, clocks or threads. Time comes in as an argument,
//! what follows goes out through the caller's sink.

mod answering;
mod calls;
mod display;
mod hold;
mod inside;
mod invite;
mod keys;
mod lines;
mod obey;
mod pages;
mod power;
mod transfer;

use std::net::SocketAddr;

use jackfield_sip::{Message, Method, Now, RequestBuilder, Response, ResponseBuilder, Status};

use crate::agent::{Exchanges, Purpose, Way};
use crate::interface::{CallNumber, CallState, PhoneCommand, PhoneEvent, PhoneInput, PhoneOutput};
use crate::profile::Profile;
use crate::random::Random;
use crate::settings::{PhoneSettings, Transport};

use calls::Call;
use lines::Line;
use pages::Browser;
use power::Stage;

/// A phone.
#[derive(Debug)]
pub struct Phone {
    settings: PhoneSettings,
    random: Random,
    stage: Stage,
    profile: Profile,
    /// The file that told who the phone is.
    file: Option<String>,
    /// Which of the profile's servers is tried.
    server_choice: usize,
    way: Option<Way>,
    lines: Vec<Line>,
    /// The line that the next call uses.
    chosen_line: usize,
    calls: Vec<Call>,
    /// The call that keys act on.
    active: Option<CallNumber>,
    next_call: u32,
    next_fetch: u64,
    exchanges: Exchanges,
    /// Keys pressed while there is no call.
    keyed: String,
    digits_by: crate::interface::DigitWay,
    /// A text that the server had shown.
    notice: Option<String>,
    message_waiting: bool,
    browser: Browser,
    shown: Vec<String>,
    /// A restart that waits for the end of all calls.
    restart: Option<String>,
    in_service: bool,
    /// The transfer or conference key was pressed once; the next call is for this one.
    joining: Option<(CallNumber, calls::Join)>,
}

impl Phone {
    /// A phone without power.
    pub fn new(settings: PhoneSettings) -> Self {
        let random = Random::new(settings.seed);
        Self {
            settings,
            random,
            stage: Stage::Off,
            profile: Profile::default(),
            file: None,
            server_choice: 0,
            way: None,
            lines: Vec::new(),
            chosen_line: 0,
            calls: Vec::new(),
            active: None,
            next_call: 1,
            next_fetch: 1,
            exchanges: Exchanges::default(),
            keyed: String::new(),
            digits_by: crate::interface::DigitWay::default(),
            notice: None,
            message_waiting: false,
            browser: Browser::default(),
            shown: Vec::new(),
            restart: None,
            in_service: false,
            joining: None,
        }
    }

    /// Takes one input and pushes all that follows from it.
    pub fn handle(&mut self, now: Now, input: PhoneInput, out: &mut Vec<PhoneOutput>) {
        match input {
            PhoneInput::Command(command) => self.command(now, command, out),
            PhoneInput::Fetched { id, fetched } => self.fetched(now, id, fetched, out),
            PhoneInput::Connected { local } => self.connected(now, local, out),
            PhoneInput::Disconnected { reason } => self.disconnected(now, reason, out),
            PhoneInput::Sip(message) => self.sip(now, &message, out),
            PhoneInput::AudioOpened { call, local } => self.audio_opened(now, call, local, out),
            PhoneInput::DigitHeard { call, digit } => {
                out.push(PhoneOutput::Event(PhoneEvent::Digit { call, digit }));
            }
            PhoneInput::Timeout => self.timeout(now, out),
        }
        self.restart_when_idle(now, out);
        self.show(out);
    }

    /// When [`PhoneInput::Timeout`] is due.
    pub fn next_timeout(&self) -> Option<Now> {
        let calls = self.calls.iter().filter_map(|call| call.due);
        let lines = self.lines.iter().filter_map(Line::due);
        [self.stage.due(), self.exchanges.next_timeout()]
            .into_iter()
            .flatten()
            .chain(calls)
            .chain(lines)
            .min()
    }

    /// What the phone is.
    pub fn settings(&self) -> &PhoneSettings {
        &self.settings
    }

    /// What its files said.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What its display shows.
    pub fn display(&self) -> &[String] {
        &self.shown
    }

    /// The numbers that are registered now.
    pub fn registered(&self) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| line.is_registered());
        lines.map(|line| line.number().to_owned()).collect()
    }

    /// All its lines are registered.
    pub fn is_in_service(&self) -> bool {
        self.in_service
    }

    /// Its calls and how they are.
    pub fn calls(&self) -> impl Iterator<Item = (CallNumber, CallState)> {
        self.calls.iter().map(|call| (call.number, call.told()))
    }

    fn command(&mut self, now: Now, command: PhoneCommand, out: &mut Vec<PhoneOutput>) {
        match command {
            PhoneCommand::PowerOn => self.power_on(now, out),
            PhoneCommand::PowerOff => self.power_off(now, out),
            PhoneCommand::Restart => self.restart("somebody at the phone", out),
            command => self.key(now, command, out),
        }
    }

    fn sip(&mut self, now: Now, message: &Message, out: &mut Vec<PhoneOutput>) {
        if self.way.is_none() {
            return;
        }
        if message.is_request() {
            self.request(now, message, out);
        } else {
            self.response(now, message, out);
        }
    }

    fn request(&mut self, now: Now, request: &Message, out: &mut Vec<PhoneOutput>) {
        let method = request.method().cloned().unwrap_or(Method::Options);
        if method == Method::Ack {
            self.exchanges.acknowledged(request);
            self.acknowledged(request, out);
            return;
        }
        if self.exchanges.repeated(request, out) {
            return;
        }
        if request.check().is_err() {
            self.answer(now, request, Status::BAD_REQUEST, out);
            return;
        }
        match method {
            Method::Invite => self.invite(now, request, out),
            Method::Cancel => self.cancelled(now, request, out),
            Method::Bye => self.bye(now, request, out),
            Method::Info => self.info(now, request, out),
            Method::Update => self.update(now, request, out),
            Method::Notify => self.notify(now, request, out),
            Method::Refer => self.refer(now, request, out),
            Method::Message => self.message(now, request, out),
            Method::Options => self.answer(now, request, Status::OK, out),
            Method::Subscribe | Method::Publish => {
                self.answer(now, request, Status::BAD_EVENT, out);
            }
            _ => self.answer(now, request, Status::METHOD_NOT_ALLOWED, out),
        }
    }

    fn response(&mut self, now: Now, response: &Message, out: &mut Vec<PhoneOutput>) {
        let Some(way) = self.way.clone() else { return };
        match self.exchanges.response(now, response, &way, out) {
            crate::agent::Heard::Response(purpose) => self.told(now, purpose, response, out),
            crate::agent::Heard::Stray => self.repeat_ack(response, out),
        }
    }

    fn told(&mut self, now: Now, purpose: Purpose, response: &Message, out: &mut Vec<PhoneOutput>) {
        match purpose {
            Purpose::Register(line) => self.register_answered(now, line, response, out),
            Purpose::Invite(call) => self.invite_answered(now, call, response, out),
            Purpose::Reinvite(call) => self.reinvite_answered(now, call, response, out),
            Purpose::Refer(call) => self.refer_answered(now, call, response, out),
            Purpose::Nothing => {}
        }
    }

    fn timeout(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        for purpose in self.exchanges.timeout(now, out) {
            match purpose {
                Purpose::Register(line) => self.register_lost(now, line, out),
                Purpose::Invite(call) => self.fail_call(call, "408 no answer from the server", out),
                Purpose::Reinvite(call) => self.reinvite_lost(call),
                Purpose::Refer(call) => self.transfer_ended(now, call, false, out),
                Purpose::Nothing => {}
            }
        }
        self.stage_timeout(now, out);
        self.line_timeouts(now, out);
        self.call_timeouts(now, out);
    }

    /// Sends a request of ours.
    fn ask(
        &mut self,
        now: Now,
        request: &RequestBuilder,
        purpose: Purpose,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(way) = &self.way else { return };
        self.exchanges.ask(now, way, &mut self.random, request, purpose, out);
    }

    /// Answers a request with nothing but a status.
    fn answer(&mut self, now: Now, request: &Message, status: Status, out: &mut Vec<PhoneOutput>) {
        let response = ResponseBuilder::reply_to(request, status)
            .header(jackfield_sip::HeaderName::Allow, ALLOW)
            .header(jackfield_sip::HeaderName::UserAgent, self.settings.user_agent())
            .finish();
        self.reply(now, request, &response, out);
    }

    fn reply(
        &mut self,
        now: Now,
        request: &Message,
        response: &Response,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(way) = &self.way else { return };
        let bytes = response.bytes.to_vec();
        self.exchanges.answer(now, way, request, response.status, bytes, out);
    }

    fn tell(&self, event: PhoneEvent, out: &mut Vec<PhoneOutput>) {
        out.push(PhoneOutput::Event(event));
    }

    fn transport(&self) -> Transport {
        match self.settings.make {
            crate::settings::Make::Enterprise if self.profile.transport.is_none() => Transport::Tcp,
            _ => self.profile.transport.unwrap_or(self.settings.transport),
        }
    }

    /// The server that is tried now: the file's choice, else where the files came from.
    fn server(&self) -> SocketAddr {
        let servers: Vec<_> = self
            .profile
            .servers
            .iter()
            .chain(self.profile.lines.iter().filter_map(|line| line.server.as_ref()))
            .collect();
        let chosen = servers.get(self.server_choice % servers.len().max(1));
        let ip = chosen.and_then(|server| match &*server.host {
            "localhost" => Some([127, 0, 0, 1].into()),
            host => host.parse().ok(),
        });
        let port = chosen.and_then(|server| server.port).unwrap_or(self.settings.sip_port);
        SocketAddr::new(ip.unwrap_or(self.settings.server), port)
    }

    /// The host in our addresses.
    fn domain(&self) -> String {
        jackfield_sip::Host::from(self.server().ip()).to_string()
    }
}

/// What the phone understands.
const ALLOW: &str = "ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, REFER, UPDATE";
