//! Lines and their registrations.

use std::time::Duration;

use jackfield_sip::header::{Contact, Expires, MinExpires, RetryAfter};
use jackfield_sip::{HeaderName, Message, Method, Now, RequestBuilder, Status};

use super::{ALLOW, Phone};
use crate::agent::{Authenticator, Purpose, Verdict};
use crate::interface::{PhoneEvent, PhoneOutput};
use crate::phone::power::Stage;
use crate::profile::LineProfile;
use crate::settings::{Make, Transport};

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    profile: LineProfile,
    /// `<sip:number@server>`
    pub(super) address: String,
    pub(super) authenticator: Authenticator,
    /// It registers itself; other lines of an enterprise phone come with the first.
    registers: bool,
    call_id: String,
    tag: String,
    sequence: u32,
    expires: Option<u32>,
    state: LineState,
    /// Failures in a row.
    failures: u32,
}

#[derive(Debug, PartialEq)]
enum LineState {
    Idle,
    Asking,
    Registered { refresh: Now },
    Refreshing,
    Refused { again: Now, reason: String },
    Leaving,
}

impl Line {
    pub(super) fn new(
        profile: LineProfile,
        domain: &str,
        call_id: String,
        tag: String,
        registers: bool,
    ) -> Self {
        let uri = jackfield_sip::Host::parse(domain)
            .map(|host| jackfield_sip::SipUri::new(Some(&profile.number), host).to_string())
            .unwrap_or_else(|_| format!("sip:{domain}"));
        let display = match &*profile.display_name {
            "" => String::new(),
            name => format!("\"{}\" ", name.replace(['"', '\\'], "")),
        };
        Self {
            address: format!("{display}<{uri}>"),
            authenticator: Authenticator::new(&profile.auth_name, &profile.auth_password),
            profile,
            registers,
            call_id,
            tag,
            sequence: 0,
            expires: None,
            state: LineState::Idle,
            failures: 0,
        }
    }

    pub(super) fn number(&self) -> &str {
        &self.profile.number
    }

    pub(super) fn label(&self) -> &str {
        if self.profile.label.is_empty() { &self.profile.number } else { &self.profile.label }
    }

    pub(super) fn is_registered(&self) -> bool {
        matches!(self.state, LineState::Registered { .. } | LineState::Refreshing)
    }

    /// Why it is not registered, when that is known.
    pub(super) fn trouble(&self) -> Option<&str> {
        match &self.state {
            LineState::Refused { reason, .. } => Some(reason),
            _ => None,
        }
    }

    pub(super) fn due(&self) -> Option<Now> {
        match self.state {
            LineState::Registered { refresh } if self.registers => Some(refresh),
            LineState::Refused { again, .. } => Some(again),
            _ => None,
        }
    }

    /// The Call-ID of its registration, by which the server names it.
    pub(super) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The address without its brackets and name.
    fn uri(&self) -> &str {
        let from = self.address.find('<').map_or(0, |at| at + 1);
        self.address[from..].trim_end_matches('>')
    }
}

impl Phone {
    pub(super) fn register_all(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        for index in 0..self.lines.len() {
            if self.lines[index].registers {
                self.register(now, index, out);
            }
        }
    }

    /// Takes all registrations away; false when there is none to take away.
    pub(super) fn unregister_all(&mut self, now: Now, out: &mut Vec<PhoneOutput>) -> bool {
        let mut waiting = false;
        for index in 0..self.lines.len() {
            let line = &mut self.lines[index];
            if !line.registers || !line.is_registered() || self.way.is_none() {
                line.state = LineState::Idle;
                continue;
            }
            line.state = LineState::Leaving;
            waiting = true;
            self.send_register(now, index, out);
        }
        waiting
    }

    pub(super) fn register_answered(
        &mut self,
        now: Now,
        index: usize,
        response: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(status) = response.status().filter(|status| status.is_final()) else { return };
        if index >= self.lines.len() {
            return;
        }
        match status {
            Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED => {
                self.register_challenged(now, index, response, out);
            }
            Status::INTERVAL_TOO_BRIEF => {
                let shortest = response.typed::<MinExpires>().map_or(3600, |shortest| shortest.0);
                self.lines[index].expires = Some(shortest);
                self.register(now, index, out);
            }
            _ if self.lines[index].state == LineState::Leaving => self.line_left(now, index, out),
            status if status.is_success() => self.registered_now(now, index, response, out),
            status => {
                let retry =
                    response.typed::<RetryAfter>().ok().map(|retry| u64::from(retry.seconds));
                let reason = format!("{status} {}", response.reason());
                self.refuse_line(now, index, reason, retry, out);
            }
        }
    }

    pub(super) fn register_lost(&mut self, now: Now, index: usize, out: &mut Vec<PhoneOutput>) {
        let Some(line) = self.lines.get(index) else { return };
        if line.state == LineState::Leaving {
            self.line_left(now, index, out);
            return;
        }
        let reason = "the server does not answer";
        self.lose_line(index, reason, out);
        self.next_server(now, reason.to_owned(), out);
    }

    /// The line has no registration any more.
    pub(super) fn lose_line(&mut self, index: usize, reason: &str, out: &mut Vec<PhoneOutput>) {
        let line = &mut self.lines[index];
        let number = line.number().to_owned();
        line.state = LineState::Idle;
        self.in_service = false;
        if line.registers {
            self.tell(PhoneEvent::NotRegistered { number, reason: reason.to_owned() }, out);
        }
    }

    pub(super) fn line_timeouts(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        for index in 0..self.lines.len() {
            if self.lines[index].due().is_some_and(|due| due <= now) {
                self.register(now, index, out);
            }
        }
    }

    fn register(&mut self, now: Now, index: usize, out: &mut Vec<PhoneOutput>) {
        if self.way.is_none() {
            return;
        }
        let line = &mut self.lines[index];
        line.state = if line.is_registered() { LineState::Refreshing } else { LineState::Asking };
        self.send_register(now, index, out);
    }

    fn send_register(&mut self, now: Now, index: usize, out: &mut Vec<PhoneOutput>) {
        let contact = self.contact(index);
        let default = self.profile.register_expires.map_or(EXPIRES, |expires| expires.as_secs());
        let server = self.domain();
        let user_agent = self.settings.user_agent();
        let enterprise = self.settings.make == Make::Enterprise;
        let line = &mut self.lines[index];
        line.sequence += 1;
        let expires = match line.state {
            LineState::Leaving => 0,
            _ => line.expires.unwrap_or(u32::try_from(default).unwrap_or(3600)),
        };
        let mut request = RequestBuilder::new(Method::Register, format_args!("sip:{server}"))
            .header(HeaderName::From, format_args!("<{}>;tag={}", line.uri(), line.tag))
            .header(HeaderName::To, format_args!("<{}>", line.uri()))
            .header(HeaderName::CallId, &line.call_id)
            .header(HeaderName::CSeq, format_args!("{} REGISTER", line.sequence))
            .header(HeaderName::Contact, contact)
            .header(HeaderName::Expires, expires)
            .header(HeaderName::UserAgent, user_agent)
            .header(HeaderName::Allow, ALLOW)
            .header(
                HeaderName::Supported,
                if enterprise { SUPPORTED_ENTERPRISE } else { "replaces, norefersub" },
            );
        if enterprise {
            let name = self.settings.device_name();
            request.push(
                HeaderName::Reason,
                format_args!(
                    "SIP;cause=200;text=\"cisco-alarm:25 Name={name} ActiveLoad=sip78xx.14-2-1 \
                 InactiveLoad=sip78xx.12-8-1 Last=initialized\""
                ),
            );
        }
        line.authenticator.sign(&mut request);
        self.ask(now, &request, Purpose::Register(index), out);
    }

    /// Our address for a line, in the manner of the make.
    pub(super) fn contact(&self, index: usize) -> String {
        let Some(way) = &self.way else { return String::new() };
        let mac = self.settings.mac.to_string();
        let number = self.lines.get(index).map_or("", Line::number);
        let host = jackfield_sip::HostPort::from(way.local);
        let transport = way.transport.as_str();
        let instance = format!(
            "+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-{}>\"",
            mac.to_ascii_lowercase()
        );
        if self.settings.make == Make::Enterprise {
            let token = &self.lines.first().map_or("", |line| &line.tag).get(..8).unwrap_or("0");
            let place = index + 1;
            return format!(
                "<sip:{token}-0000-4000-80{place:02x}-{mac}@{host};transport={transport}>;{instance};\
                 +u.sip!devicename.ccm.cisco.com=\"{}\";+u.sip!model.ccm.cisco.com=\"{}\"",
                self.settings.device_name(),
                self.settings.model_number
            );
        }
        let user = jackfield_sip::SipUri::new(Some(number), host.host.clone());
        let user = user.raw_user().unwrap_or("phone").to_owned();
        let transport = match way.transport {
            Transport::Udp => String::new(),
            Transport::Tcp => ";transport=tcp".to_owned(),
        };
        format!("<sip:{user}@{host}{transport};line={}-{mac}>;{instance}", index + 1)
    }

    /// Which line a request to us is for, by the Contact it was sent to.
    pub(super) fn line_of(&self, request: &Message) -> usize {
        let uri = request.raw_uri();
        let by_contact = (0..self.lines.len()).find(|index| {
            let mark = match self.settings.make {
                Make::Enterprise => format!("-80{:02x}-{}", index + 1, self.settings.mac),
                _ => format!("line={}-{}", index + 1, self.settings.mac),
            };
            uri.contains(&mark)
        });
        // The server registers the further lines of an enterprise phone at the first one's contact.
        let to = request.typed::<jackfield_sip::header::To>().ok();
        let user = to.as_ref().and_then(|to| to.user());
        let by_number = user.and_then(|user| self.lines.iter().position(|l| l.number() == user));
        match self.settings.make {
            Make::Enterprise => by_number.or(by_contact),
            _ => by_contact.or(by_number),
        }
        .unwrap_or(0)
    }

    fn register_challenged(
        &mut self,
        now: Now,
        index: usize,
        response: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let line = &mut self.lines[index];
        match line.authenticator.challenged(response, &mut self.random) {
            Verdict::Again => self.send_register(now, index, out),
            Verdict::Hopeless(_) if line.state == LineState::Leaving => {
                self.line_left(now, index, out);
            }
            Verdict::Hopeless(reason) => {
                self.refuse_line(now, index, reason.to_owned(), None, out);
            }
        }
    }

    fn registered_now(
        &mut self,
        now: Now,
        index: usize,
        response: &Message,
        out: &mut Vec<PhoneOutput>,
    ) {
        let granted = self.granted(index, response);
        let refresh = now + refresh_after(granted, self.random.number());
        let line = &mut self.lines[index];
        let new = !line.is_registered();
        line.authenticator.accepted();
        line.state = LineState::Registered { refresh };
        line.failures = 0;
        if new {
            let number = self.lines[index].number().to_owned();
            self.tell(PhoneEvent::Registered { number }, out);
            self.register_followers(refresh, out);
        }
        let all = self.lines.iter().all(Line::is_registered);
        if all && !self.in_service {
            self.in_service = true;
            self.tell(PhoneEvent::InService, out);
        }
    }

    /// The further lines of an enterprise phone are registered by the server.
    fn register_followers(&mut self, refresh: Now, out: &mut Vec<PhoneOutput>) {
        for index in 0..self.lines.len() {
            let line = &mut self.lines[index];
            if !line.registers && !line.is_registered() {
                line.state = LineState::Registered { refresh };
                let number = line.number().to_owned();
                self.tell(PhoneEvent::Registered { number }, out);
            }
        }
    }

    /// How long the server keeps our contact.
    fn granted(&self, index: usize, response: &Message) -> u64 {
        let mark = format!("{}", self.settings.mac);
        let contacts = response.list::<Contact>().unwrap_or_default();
        let ours = contacts
            .iter()
            .filter_map(Contact::address)
            .find(|contact| contact.uri.to_string().contains(&mark))
            .or_else(|| contacts.iter().find_map(Contact::address));
        let header = || response.typed::<Expires>().ok().map(|expires| expires.0);
        let asked = self.lines[index].expires;
        let granted =
            ours.and_then(jackfield_sip::header::ContactAddress::expires).or_else(header).or(asked);
        granted.map_or(EXPIRES, u64::from)
    }

    fn refuse_line(
        &mut self,
        now: Now,
        index: usize,
        reason: String,
        retry: Option<u64>,
        out: &mut Vec<PhoneOutput>,
    ) {
        let failures = self.lines[index].failures.min(4);
        let wait = retry.map_or(RETRY * (1 << failures), Duration::from_secs);
        let again = now + self.patience(wait.min(LONGEST_RETRY));
        let line = &mut self.lines[index];
        line.failures += 1;
        let number = line.number().to_owned();
        line.state = LineState::Refused { again, reason: reason.clone() };
        self.in_service = false;
        self.tell(PhoneEvent::NotRegistered { number, reason }, out);
    }

    fn line_left(&mut self, now: Now, index: usize, out: &mut Vec<PhoneOutput>) {
        self.lines[index].state = LineState::Idle;
        let leaving = self.lines.iter().any(|line| line.state == LineState::Leaving);
        if !leaving && matches!(self.stage, Stage::Leaving { .. }) {
            self.left(now, out);
        }
    }
}

/// Some time before the end, and not all phones at once.
fn refresh_after(granted: u64, random: u64) -> Duration {
    let millis = granted.max(2) * 1000;
    let early = (millis / 10).clamp(500, 30_000) + random % (millis / 20).clamp(1, 30_000);
    Duration::from_millis(millis - early.min(millis / 2))
}

const EXPIRES: u64 = 3600;
const RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(120);
const SUPPORTED_ENTERPRISE: &str = "replaces,join,norefersub,extended-refer,X-cisco-callinfo,\
    X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,X-cisco-srtp-fallback,\
    X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1";
