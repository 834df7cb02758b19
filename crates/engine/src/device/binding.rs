//! Where a device is registered. The unit is the device: its lines hang on it.

use core::time::Duration;
use std::net::SocketAddr;

use jackfield_model::{Directory, Line, Phone};
use jackfield_sip::{Flow, HeaderName, Message};
use jackfield_vocabulary::{Now, ObjectId, SecretShown, UnixTime};
use serde::{Deserialize, Serialize};

use super::{claim, reach};
use crate::context::{Timer, TimerToken, Timers};

/// A device's registration: one way to reach it, and which of its lines are up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Binding {
    /// How it is reached, and whence it registered.
    pub(super) flow: Flow,
    /// What it registered, line by line; an enterprise phone has one entry for all.
    pub(super) lines: Vec<Registered>,
    /// Its User-Agent.
    pub(super) user_agent: Box<str>,
    /// Since when it has been registered without a break.
    pub(super) since: UnixTime,
    /// How much is known of who it is.
    pub(super) trust: Trust,
    /// It reports keys in signalling when asked (RFC 4730).
    pub(super) kpml: bool,
    /// When it ends as far as the store knows.
    pub(super) kept: UnixTime,
    /// The generation of the device's secret when it registered.
    pub(super) generation: u32,
    /// When it is looked at. A refresh does not put this off: the timer sees it when it fires.
    pub(super) expiry: Option<TimerToken>,
}

/// What a REGISTER says of one address of record.
pub(super) struct Registering<'r> {
    /// The user of the address of record.
    pub(super) user: &'r str,
    /// The line that it stands for.
    pub(super) line: Option<ObjectId>,
    /// The Contact's address.
    pub(super) contact: &'r str,
    /// Where the phone listens, if not where it sends from.
    pub(super) listens: Option<SocketAddr>,
    /// The Call-ID.
    pub(super) call_id: &'r str,
    /// The sequence number.
    pub(super) sequence: u32,
    /// What tells the request from others.
    pub(super) request: u64,
    /// When it ends.
    pub(super) expires: Now,
}

/// One address of record that a device registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Registered {
    /// The user of the address of record.
    pub(super) user: Box<str>,
    /// The line that it stands for; `None` stands for every line of the device.
    pub(super) line: Option<ObjectId>,
    /// The Contact's address, to which requests are sent.
    pub(super) contact: Box<str>,
    /// Where the phone listens; `None` where it sends from, as behind a NAT.
    pub(super) listens: Option<SocketAddr>,
    /// The Call-ID of the registration.
    pub(super) call_id: Box<str>,
    /// Its last sequence number.
    pub(super) sequence: u32,
    /// What tells the last request from others with its number.
    pub(super) request: u64,
    /// When it ends.
    pub(super) expires: Now,
}

/// Why a device is believed to be who it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Trust {
    /// It proved its secret.
    Proved,
    /// It is new, belongs to nobody, and has not fetched a secret yet (SP-43).
    Provisional,
    /// It is new, and the file with its secret was fetched: it is asked for it from now on.
    Given,
}

impl Binding {
    /// One that has no line yet.
    pub(super) fn begin(flow: &Flow, trust: Trust, now: UnixTime) -> Self {
        Self {
            flow: flow.clone(),
            lines: Vec::new(),
            user_agent: Box::default(),
            since: now,
            trust,
            kpml: false,
            kept: UnixTime::default(),
            generation: 0,
            expiry: None,
        }
    }

    /// The phone registers anew, as after its restart: what it says of itself is new. What stood for the
    /// whole device gives way to its lines, and they to it.
    pub(super) fn begin_anew(&mut self, request: &Message, told: &Registering<'_>) {
        self.user_agent = claim::user_agent(request);
        self.kpml = request.has_token(HeaderName::AllowEvents, "kpml");
        self.lines.retain(|line| line.line.is_some() && told.line.is_some());
    }

    /// It is reached by this way from now on; the former one, if that was another.
    pub(super) fn follow(&mut self, flow: &Flow) -> Option<Flow> {
        (!self.came_from(flow)).then(|| core::mem::replace(&mut self.flow, flow.clone()))
    }

    /// Whoever has proved its secret is believed from then on; is that news?
    pub(super) fn prove(&mut self, trust: Trust) -> bool {
        let news = trust == Trust::Proved && self.trust != trust;
        if news {
            self.trust = trust;
        }
        news
    }

    /// Each refresh would be a write; the store may lag behind by a quarter of the time.
    pub(super) fn is_kept_for_too_short(&self, now: UnixTime) -> bool {
        let ends = self.expires().wall.0;
        ends.saturating_sub(self.kept.0) >= ends.saturating_sub(now.0) / 4
    }

    /// Takes in a registration; another one of the same address of record is replaced. Is it one more?
    pub(super) fn put(&mut self, told: &Registering<'_>) -> bool {
        if let Some(line) = self.lines.iter_mut().find(|line| line.is_of(told.user)) {
            line.refresh(told);
            return false;
        }
        let more = self.lines.len() < LINES;
        if more {
            // Most phones register one, and there are many phones.
            self.lines.reserve_exact(1);
            self.lines.push(told.to_registered());
        }
        more
    }

    /// Takes out what has ended by now; is anything left?
    pub(super) fn prune(&mut self, now: Now) -> bool {
        self.lines.retain(|line| line.expires.micros > now.micros);
        !self.lines.is_empty()
    }

    /// The registration by which a line is reached.
    pub(super) fn line(&self, line: ObjectId) -> Option<&Registered> {
        let exact = self.lines.iter().find(|registered| registered.line == Some(line));
        exact.or_else(|| self.lines.iter().find(|registered| registered.line.is_none()))
    }

    /// The registration by which the device itself is reached.
    pub(super) fn first(&self) -> Option<&Registered> {
        self.lines.first()
    }

    /// From where the device showed its secret, if it did.
    pub(super) fn shown(&self) -> Option<SecretShown> {
        let (address, generation) = (self.flow.remote.ip(), self.generation);
        (self.trust == Trust::Proved).then_some(SecretShown { address, generation })
    }

    /// Where it listens, by its Contacts, if that is not where it sends from.
    pub(super) fn ears(&self) -> Vec<SocketAddr> {
        let at = |line: &Registered| reach::call_back(&self.flow, &line.contact);
        let ears = self.lines.iter().filter_map(at);
        ears.filter(|at| *at != self.flow.remote).collect()
    }

    /// The ports of its host from which it sends and at which it listens.
    pub(super) fn ports(&self) -> Vec<u16> {
        let ears = self.ears().into_iter().map(|at| at.port());
        let mut ports: Vec<u16> = core::iter::once(self.flow.remote.port()).chain(ears).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// When the last of it ends.
    pub(super) fn expires(&self) -> Now {
        self.lines.iter().map(|line| line.expires).max().unwrap_or_default()
    }

    /// Sees to it that the binding is looked at when the first of it ends, or before.
    pub(super) fn watch(&mut self, timers: &mut Timers, device: ObjectId) {
        let end = self.lines.iter().map(|line| line.expires).min().unwrap_or_default();
        match self.expiry {
            Some(timer) if !timer.is_after(end) => return,
            Some(late) => timers.cancel(late),
            None => {}
        }
        self.expiry = Some(timers.set(end, Timer::BindingExpiry { device }));
    }

    /// Moves what another life of the node kept onto this life's clock.
    pub(super) fn restart_clock(&mut self, now: Now) {
        for line in &mut self.lines {
            let left = line.expires.wall.0.saturating_sub(now.wall.0);
            line.expires = now + Duration::from_millis(left);
        }
        self.lose_connection();
    }

    /// The connection is gone: the phone is called back at its contact's address, unless a NAT
    /// stands between.
    pub(super) fn lose_connection(&mut self) {
        if self.flow.connection.take().is_none() {
            return;
        }
        if let Some(address) = self.call_back() {
            self.flow.remote = address;
        }
    }

    /// Can the phone be reached? Behind a NAT it can't once its connection is gone.
    pub(super) fn is_reachable(&self) -> bool {
        let connected = self.flow.connection.is_some() || !self.flow.transport.is_reliable();
        connected || self.call_back() == Some(self.flow.remote)
    }

    /// The way by which one of its addresses of record is reached.
    pub(super) fn way(&self, registered: &Registered) -> Flow {
        let remote = registered.listens.unwrap_or(self.flow.remote);
        Flow { remote, ..self.flow.clone() }
    }

    fn call_back(&self) -> Option<SocketAddr> {
        reach::call_back(&self.flow, &self.lines.first()?.contact)
    }

    /// Does the message come from the host where the device registered?
    pub(super) fn is_at(&self, flow: &Flow) -> bool {
        self.flow.remote.ip().to_canonical() == flow.remote.ip().to_canonical()
    }

    /// Does the message come the way the device registered?
    pub(super) fn came_from(&self, flow: &Flow) -> bool {
        let way = |flow: &Flow| (flow.transport, flow.remote, flow.connection);
        way(&self.flow) == way(flow)
    }
}

impl Registered {
    /// Is it this address of record? Device names are compared without case.
    pub(super) fn is_of(&self, user: &str) -> bool {
        self.user.eq_ignore_ascii_case(user)
    }

    /// Does it stand for the whole device, or for a line that this phone has still, by its number?
    pub(super) fn is_line_of(&self, directory: &Directory, phone: &Phone) -> bool {
        let Some(line) = self.line else { return true };
        let has = phone.lines.iter().any(|appearance| appearance.line.id() == line);
        has && directory.typed::<Line>(line).is_some_and(|line| line.number.as_str() == &*self.user)
    }

    /// Takes what is new; a refresh says most things again.
    fn refresh(&mut self, told: &Registering<'_>) {
        let take = |text: &mut Box<str>, told: &str| {
            if **text != *told {
                *text = told.into();
            }
        };
        take(&mut self.contact, told.contact);
        take(&mut self.call_id, told.call_id);
        (self.line, self.listens, self.expires) = (told.line, told.listens, told.expires);
        (self.sequence, self.request) = (told.sequence, told.request);
    }
}

impl Registering<'_> {
    fn to_registered(&self) -> Registered {
        Registered {
            user: self.user.into(),
            line: self.line,
            contact: self.contact.into(),
            listens: self.listens,
            call_id: self.call_id.into(),
            sequence: self.sequence,
            request: self.request,
            expires: self.expires,
        }
    }
}

/// Addresses of record of one device.
const LINES: usize = 64;
