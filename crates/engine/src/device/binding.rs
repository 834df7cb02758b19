//! Where a device is registered. The unit is the device: its lines hang on it.

use core::time::Duration;

use jackfield_sip::{Flow, SipUri, Uri};
use jackfield_vocabulary::{Now, ObjectId, UnixTime};
use serde::{Deserialize, Serialize};

use crate::context::TimerToken;

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
    /// How often the device's secret had been replaced when it registered.
    pub(super) generation: u32,
    /// When it is looked at. A refresh does not move this: the timer sees it when it fires.
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
    /// The Call-ID.
    pub(super) call_id: &'r str,
    /// The sequence number.
    pub(super) sequence: u32,
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
    /// The Call-ID of the registration.
    pub(super) call_id: Box<str>,
    /// Its last sequence number.
    pub(super) sequence: u32,
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
}

impl Binding {
    /// Takes in a registration; another one of the same address of record is replaced.
    pub(super) fn put(&mut self, told: &Registering<'_>) {
        if let Some(line) = self.lines.iter_mut().find(|line| *line.user == *told.user) {
            line.refresh(told);
        } else if self.lines.len() < LINES {
            // Most phones register one, and there are many phones.
            self.lines.reserve_exact(1);
            self.lines.push(told.to_registered());
        }
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

    /// When the last of it ends.
    pub(super) fn expires(&self) -> Now {
        self.lines.iter().map(|line| line.expires).max().unwrap_or_default()
    }

    /// When the first of it ends.
    pub(super) fn next_expiry(&self) -> Now {
        self.lines.iter().map(|line| line.expires).min().unwrap_or_default()
    }

    /// Moves what another life of the node kept onto this life's clock.
    pub(super) fn restart_clock(&mut self, now: Now) {
        for line in &mut self.lines {
            let left = line.expires.wall.0.saturating_sub(now.wall.0);
            line.expires = now + Duration::from_millis(left);
        }
        self.lose_connection();
    }

    /// The connection is gone: the phone is called back at its contact's address.
    pub(super) fn lose_connection(&mut self) {
        if self.flow.connection.take().is_none() {
            return;
        }
        let contact = self.lines.first().and_then(|line| Uri::parse(&line.contact).ok());
        let address = contact.as_ref().and_then(Uri::as_sip).and_then(SipUri::socket_address);
        if let Some(address) = address {
            self.flow.remote = address;
        }
    }

    /// Does the message come the way the device registered?
    pub(super) fn came_from(&self, flow: &Flow) -> bool {
        match self.flow.connection {
            Some(_) => self.flow.connection == flow.connection && self.flow.remote == flow.remote,
            None => self.flow.transport == flow.transport && self.flow.remote == flow.remote,
        }
    }
}

impl Registered {
    /// Takes what is new; a refresh says most things again.
    fn refresh(&mut self, told: &Registering<'_>) {
        let take = |text: &mut Box<str>, told: &str| {
            if **text != *told {
                *text = told.into();
            }
        };
        take(&mut self.contact, told.contact);
        take(&mut self.call_id, told.call_id);
        (self.line, self.sequence, self.expires) = (told.line, told.sequence, told.expires);
    }
}

impl Registering<'_> {
    fn to_registered(&self) -> Registered {
        Registered {
            user: self.user.into(),
            line: self.line,
            contact: self.contact.into(),
            call_id: self.call_id.into(),
            sequence: self.sequence,
            expires: self.expires,
        }
    }
}

/// Addresses of record of one device.
const LINES: usize = 64;
