//! Requests and their answers (RFC 3261 section 17): repeats what the network may have lost, and
//! recognises what the other side repeats.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use jackfield_sip::header::{Via, ViaTransport};
use jackfield_sip::{HeaderName, Message, Method, Now, RequestBuilder, Status};

use crate::interface::{CallNumber, PhoneOutput};
use crate::random::Random;
use crate::settings::Transport;

/// What a request was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To register this line.
    Register(usize),
    /// To begin a call.
    Invite(CallNumber),
    /// To change a call.
    Reinvite(CallNumber),
    /// To transfer a call.
    Refer(CallNumber),
    /// Nothing hangs on the answer.
    Nothing,
}

/// How and from where messages go.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) transport: Transport,
    pub(crate) local: SocketAddr,
    /// The end of each branch: by it one socket serves many phones.
    pub(crate) mark: String,
}

/// All exchanges under way.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    asked: BTreeMap<String, Asked>,
    answered: VecDeque<Answered>,
}

#[derive(Debug)]
struct Asked {
    purpose: Purpose,
    method: Method,
    bytes: Vec<u8>,
    /// Repeats the request; none on reliable transports and after a first answer.
    repeat: Option<(Now, Duration)>,
    give_up: Now,
    /// The ACK of a refused INVITE: the answer may be repeated.
    ack: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Answered {
    key: (String, Method),
    call_id: String,
    sequence: u32,
    bytes: Vec<u8>,
    /// Repeats the answer to an INVITE until its ACK.
    repeat: Option<(Now, Duration)>,
    forget: Now,
}

/// What a response is to the exchange it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// For whoever asked.
    Response(Purpose),
    /// A repetition, or nothing that was asked.
    Stray,
}

impl Exchanges {
    /// Sends a request and waits for its answer.
    pub(crate) fn ask(
        &mut self,
        now: Now,
        way: &Way,
        random: &mut Random,
        request: &RequestBuilder,
        purpose: Purpose,
        out: &mut Vec<PhoneOutput>,
    ) {
        let branch = format!("z9hG4bK{}-{}", random.hex(12), way.mark);
        let bytes = request.write(&way.via(&branch));
        let repeat = (way.transport == Transport::Udp).then(|| (now + T1, T1));
        let method = request.method().clone();
        out.push(PhoneOutput::Transmit(bytes.clone()));
        let give_up = now + T1 * 64;
        self.asked.insert(branch, Asked { purpose, method, bytes, repeat, give_up, ack: None });
    }

    /// Sends CANCEL for the INVITE of a call.
    pub(crate) fn cancel(
        &mut self,
        now: Now,
        way: &Way,
        call: CallNumber,
        out: &mut Vec<PhoneOutput>,
    ) {
        let invite = self.asked.iter().find(|(_, asked)| {
            asked.purpose == Purpose::Invite(call) && asked.method == Method::Invite
        });
        let Some((branch, asked)) = invite else { return };
        let Ok(invite) = Message::parse_datagram(&asked.bytes) else { return };
        let request = same(&invite, Method::Cancel, invite.first(HeaderName::To));
        let bytes = request.write(&way.via(branch));
        out.push(PhoneOutput::Transmit(bytes.clone()));
        let repeat = (way.transport == Transport::Udp).then(|| (now + T1, T1));
        let cancel = Asked {
            purpose: Purpose::Nothing,
            method: Method::Cancel,
            bytes,
            repeat,
            give_up: now + T1 * 64,
            ack: None,
        };
        // Its branch is the INVITE's: a key of its own, found by method.
        self.asked.insert(format!("{branch} CANCEL"), cancel);
    }

    /// Takes a response.
    pub(crate) fn response(
        &mut self,
        now: Now,
        response: &Message,
        way: &Way,
        out: &mut Vec<PhoneOutput>,
    ) -> Heard {
        let Some(status) = response.status() else { return Heard::Stray };
        let via = response.typed::<Via>().ok();
        let Some(branch) = via.as_ref().and_then(Via::branch) else { return Heard::Stray };
        let Ok(cseq) = response.cseq() else { return Heard::Stray };
        let key = match cseq.method {
            Method::Cancel => format!("{branch} CANCEL"),
            _ => branch.to_owned(),
        };
        let Some(asked) = self.asked.get_mut(&key).filter(|asked| asked.method == cseq.method)
        else {
            return Heard::Stray;
        };
        if let Some(ack) = &asked.ack {
            if status.is_final() {
                out.push(PhoneOutput::Transmit(ack.clone()));
            }
            return Heard::Stray;
        }
        let purpose = asked.purpose;
        if status.is_provisional() {
            asked.proceed(now);
            return Heard::Response(purpose);
        }
        if cseq.method == Method::Invite && !status.is_success() {
            asked.refuse(now, response, way, branch, out);
        } else {
            self.asked.remove(&key);
        }
        Heard::Response(purpose)
    }

    /// Has this request been answered? Then says the answer again.
    pub(crate) fn repeated(&self, request: &Message, out: &mut Vec<PhoneOutput>) -> bool {
        let Some(key) = key(request) else { return false };
        let Some(answered) = self.answered.iter().find(|answered| answered.key == key) else {
            return false;
        };
        out.push(PhoneOutput::Transmit(answered.bytes.clone()));
        true
    }

    /// Sends an answer and remembers it.
    pub(crate) fn answer(
        &mut self,
        now: Now,
        way: &Way,
        request: &Message,
        status: Status,
        bytes: Vec<u8>,
        out: &mut Vec<PhoneOutput>,
    ) {
        out.push(PhoneOutput::Transmit(bytes.clone()));
        let Some(key) = key(request) else { return };
        let invite = key.1 == Method::Invite;
        let udp = way.transport == Transport::Udp;
        self.answered.retain(|answered| answered.key != key);
        self.answered.push_back(Answered {
            key,
            call_id: request.call_id().to_owned(),
            sequence: request.cseq().map_or(0, |cseq| cseq.number),
            bytes,
            repeat: (invite && status.is_final() && (udp || status.is_success()))
                .then(|| (now + T1, T1)),
            forget: now + if udp || invite { T1 * 64 } else { T1 },
        });
        if self.answered.len() > ANSWERED {
            self.answered.pop_front();
        }
    }

    /// An ACK came: the answer to that INVITE need not be said again.
    pub(crate) fn acknowledged(&mut self, ack: &Message) {
        let sequence = ack.cseq().map_or(0, |cseq| cseq.number);
        for answered in &mut self.answered {
            let invite = answered.key.1 == Method::Invite;
            if invite && answered.call_id == ack.call_id() && answered.sequence == sequence {
                answered.repeat = None;
            }
        }
    }

    /// Does what is due; tells what got no answer at all.
    pub(crate) fn timeout(&mut self, now: Now, out: &mut Vec<PhoneOutput>) -> Vec<Purpose> {
        let mut lost = Vec::new();
        self.asked.retain(|_, asked| {
            if asked.give_up <= now {
                if asked.ack.is_none() {
                    lost.push(asked.purpose);
                }
                return false;
            }
            let longest = if asked.method == Method::Invite { T1 * 64 } else { T2 };
            repeat(now, &mut asked.repeat, longest, &asked.bytes, out);
            true
        });
        self.answered.retain_mut(|answered| {
            repeat(now, &mut answered.repeat, T2, &answered.bytes, out);
            answered.forget > now
        });
        lost
    }

    /// When [`Self::timeout`] is due.
    pub(crate) fn next_timeout(&self) -> Option<Now> {
        let asked = self.asked.values().map(|asked| match asked.repeat {
            Some((at, _)) => at.min(asked.give_up),
            None => asked.give_up,
        });
        let answered = self.answered.iter().map(|answered| match answered.repeat {
            Some((at, _)) => at.min(answered.forget),
            None => answered.forget,
        });
        asked.chain(answered).min()
    }

    /// Forgets everything, as a phone that loses its power.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Asked {
    fn proceed(&mut self, now: Now) {
        if self.method == Method::Invite {
            // An INVITE may ring for minutes; the server ends it.
            self.repeat = None;
            self.give_up = now + RINGING;
        } else if let Some((at, interval)) = &mut self.repeat {
            (*at, *interval) = (now + T2, T2);
        }
    }

    fn refuse(
        &mut self,
        now: Now,
        response: &Message,
        way: &Way,
        branch: &str,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Ok(invite) = Message::parse_datagram(&self.bytes) else { return };
        let ack = same(&invite, Method::Ack, response.first(HeaderName::To));
        let ack = ack.write(&way.via(branch));
        out.push(PhoneOutput::Transmit(ack.clone()));
        self.ack = Some(ack);
        self.repeat = None;
        self.give_up = now + if way.transport == Transport::Udp { T1 * 64 } else { T1 };
    }
}

impl Way {
    pub(crate) fn via(&self, branch: &str) -> Via {
        let transport = match self.transport {
            Transport::Udp => ViaTransport::Udp,
            Transport::Tcp => ViaTransport::Tcp,
        };
        let mut via = Via::new(transport, self.local.into(), branch);
        via.params.set("rport", None);
        via
    }
}

/// CANCEL or ACK of an INVITE: the same address, names, number and route (sections 9.1, 17.1.1.3).
fn same(invite: &Message, method: Method, to: Option<&str>) -> RequestBuilder {
    let value = |name| invite.first(name).unwrap_or_default();
    let sequence = invite.cseq().map_or(0, |cseq| cseq.number);
    let mut request = RequestBuilder::new(method.clone(), invite.raw_uri())
        .header(HeaderName::From, value(HeaderName::From))
        .header(HeaderName::To, to.unwrap_or_default())
        .header(HeaderName::CallId, invite.call_id())
        .header(HeaderName::CSeq, format_args!("{sequence} {method}"));
    for route in invite.all(HeaderName::Route) {
        request.push(HeaderName::Route, route);
    }
    request
}

fn key(request: &Message) -> Option<(String, Method)> {
    let branch = request.typed::<Via>().ok()?.branch()?.to_owned();
    Some((branch, request.method()?.clone()))
}

fn repeat(
    now: Now,
    timer: &mut Option<(Now, Duration)>,
    longest: Duration,
    bytes: &[u8],
    out: &mut Vec<PhoneOutput>,
) {
    let Some((at, interval)) = timer else { return };
    if *at <= now {
        out.push(PhoneOutput::Transmit(bytes.to_vec()));
        *interval = (*interval * 2).min(longest);
        *at = now + *interval;
    }
}

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const RINGING: Duration = Duration::from_secs(600);
const ANSWERED: usize = 64;
