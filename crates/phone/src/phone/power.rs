//! Booting, restarting, and the way to the server.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_sip::Now;

use super::Phone;
use super::lines::Line;
use crate::agent::Way;
use crate::boot::{Walk, Walked};
use crate::fetch::Fetched;
use crate::interface::{PhoneEvent, PhoneOutput};
use crate::profile::{LineProfile, Profile};
use crate::settings::Make;

/// Where the phone is between no power and service.
#[derive(Debug, Default)]
pub(super) enum Stage {
    /// No power.
    #[default]
    Off,
    /// Fetching its files.
    Fetching(Box<Walk>),
    /// Nothing could be fetched, or nobody be reached: again at this time.
    Waiting {
        /// When.
        again: Now,
        /// Why, for the display.
        reason: String,
    },
    /// Waiting for the way to the server.
    Connecting,
    /// The lines look after themselves.
    Up,
    /// Taking its registrations away; at this time at the latest it goes on.
    Leaving {
        /// No answer is waited for any longer.
        patience: Now,
        /// Boot again afterwards.
        restart: bool,
    },
    /// Reading its file beside its work, to see whether it changed.
    Checking(Box<Walk>),
}

impl Stage {
    /// When it has to go on by itself.
    pub(super) fn due(&self) -> Option<Now> {
        match self {
            Self::Waiting { again, .. } => Some(*again),
            Self::Leaving { patience, .. } => Some(*patience),
            _ => None,
        }
    }
}

impl Phone {
    pub(super) fn power_on(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        if matches!(self.stage, Stage::Off) {
            self.boot(now, out);
        }
    }

    pub(super) fn power_off(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        self.drop_calls(now, out);
        self.leave(now, false, out);
    }

    /// Restarts as soon as no call is there any more.
    pub(super) fn restart(&mut self, reason: &str, out: &mut Vec<PhoneOutput>) {
        if self.restart.is_none() && !matches!(self.stage, Stage::Off | Stage::Leaving { .. }) {
            self.restart = Some(reason.to_owned());
            self.tell(PhoneEvent::Restarting { reason: reason.to_owned() }, out);
        }
    }

    pub(super) fn restart_when_idle(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        if self.restart.is_some() && self.calls.is_empty() {
            self.restart = None;
            self.leave(now, true, out);
        }
    }

    /// Fetches the file again, and restarts only when it is another one.
    pub(super) fn check_version(&mut self, out: &mut Vec<PhoneOutput>) {
        if !matches!(self.stage, Stage::Up) {
            return;
        }
        let mut walk = Walk::new(&self.settings);
        let id = self.fetch_number();
        if let Walked::Fetch(request) = walk.next(&self.settings, id) {
            out.push(PhoneOutput::Fetch(request));
            self.stage = Stage::Checking(Box::new(walk));
        }
    }

    pub(super) fn fetched(
        &mut self,
        now: Now,
        id: u64,
        fetched: Fetched,
        out: &mut Vec<PhoneOutput>,
    ) {
        if self.page_fetched(id, &fetched, out) {
            return;
        }
        let next = self.fetch_number();
        let (Stage::Fetching(walk) | Stage::Checking(walk)) = &mut self.stage else { return };
        let Some(walked) = walk.fetched(&self.settings, id, fetched, next) else { return };
        self.walked(now, walked, out);
    }

    pub(super) fn connected(&mut self, now: Now, local: SocketAddr, out: &mut Vec<PhoneOutput>) {
        if !matches!(self.stage, Stage::Connecting) {
            return;
        }
        let mark = self.settings.mac.to_string();
        self.way = Some(Way { transport: self.transport(), local, mark });
        self.stage = Stage::Up;
        self.register_all(now, out);
    }

    pub(super) fn disconnected(&mut self, now: Now, reason: String, out: &mut Vec<PhoneOutput>) {
        if matches!(self.stage, Stage::Off | Stage::Fetching(_) | Stage::Waiting { .. }) {
            return;
        }
        self.way = None;
        self.exchanges.clear();
        if matches!(self.stage, Stage::Leaving { .. }) {
            self.left(now, out);
            return;
        }
        for index in 0..self.lines.len() {
            self.lose_line(index, &reason, out);
        }
        self.server_choice += 1;
        let again = now + self.patience(RECONNECT);
        self.stage = Stage::Waiting { again, reason };
    }

    pub(super) fn stage_timeout(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        if self.stage.due().is_none_or(|due| due > now) {
            return;
        }
        match &self.stage {
            Stage::Waiting { .. } if self.lines.is_empty() => self.boot(now, out),
            Stage::Waiting { .. } => self.connect(out),
            Stage::Leaving { .. } => self.left(now, out),
            _ => {}
        }
    }

    /// All registrations are taken away: power off, or boot again.
    pub(super) fn left(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        let Stage::Leaving { restart, .. } = self.stage else { return };
        self.way = None;
        self.exchanges.clear();
        self.lines.clear();
        self.in_service = false;
        self.stage = Stage::Off;
        out.push(PhoneOutput::Disconnect);
        if restart {
            self.boot(now, out);
        } else {
            self.tell(PhoneEvent::Off, out);
        }
    }

    /// The server did not answer: the next one of the list, after a while.
    pub(super) fn next_server(&mut self, now: Now, reason: String, out: &mut Vec<PhoneOutput>) {
        self.way = None;
        self.exchanges.clear();
        self.server_choice += 1;
        out.push(PhoneOutput::Disconnect);
        self.stage = Stage::Waiting { again: now + self.patience(RECONNECT), reason };
    }

    pub(super) fn fetch_number(&mut self) -> u64 {
        self.next_fetch += 1;
        self.next_fetch
    }

    /// A time about this long, so that a thousand phones don't come at once.
    pub(super) fn patience(&mut self, about: Duration) -> Duration {
        about + about * u32::try_from(self.random.number() % 100).unwrap_or(0) / 200
    }

    fn boot(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        self.lines.clear();
        self.notice = None;
        self.message_waiting = false;
        self.server_choice = 0;
        self.browser = super::pages::Browser::default();
        let mut walk = Walk::new(&self.settings);
        let id = self.fetch_number();
        let walked = walk.next(&self.settings, id);
        self.stage = Stage::Fetching(Box::new(walk));
        self.walked(now, walked, out);
    }

    fn walked(&mut self, now: Now, walked: Walked, out: &mut Vec<PhoneOutput>) {
        let checking = matches!(self.stage, Stage::Checking(_));
        match walked {
            Walked::Fetch(request) => out.push(PhoneOutput::Fetch(request)),
            Walked::Done(found) if checking => {
                self.stage = Stage::Up;
                if found.is_some_and(|(_, profile)| profile != self.profile) {
                    self.restart("its file changed", out);
                }
            }
            Walked::Unreachable(_) if checking => self.stage = Stage::Up,
            Walked::Done(found) => self.booted(found, out),
            Walked::Unreachable(reason) => {
                let again = now + self.patience(REBOOT);
                self.stage = Stage::Waiting { again, reason: format!("no files: {reason}") };
            }
        }
    }

    fn booted(&mut self, found: Option<(String, Profile)>, out: &mut Vec<PhoneOutput>) {
        let (file, mut profile) = match found {
            Some((file, profile)) => (Some(file), profile),
            None => (None, Profile::default()),
        };
        if profile.lines.is_empty() {
            profile.lines.push(self.newcomer());
        }
        self.file.clone_from(&file);
        self.profile = profile;
        let domain = self.domain();
        let common = self.settings.make == Make::Enterprise;
        let profiles = self.profile.lines.iter().enumerate();
        self.lines = profiles
            .map(|(index, profile)| {
                let call_id = format!("{}-{}", self.random.hex(16), self.settings.mac);
                let tag = self.random.hex(12);
                // Enterprise phones register their primary line, the server does the rest.
                Line::new(profile.clone(), &domain, call_id, tag, !common || index == 0)
            })
            .collect();
        self.chosen_line = 0;
        let numbers = self.lines.iter().map(|line| line.number().to_owned()).collect();
        self.tell(PhoneEvent::Booted { file, numbers }, out);
        self.connect(out);
    }

    /// A phone without a file that names it registers as what it is.
    fn newcomer(&self) -> LineProfile {
        let name: Box<str> = match self.settings.make {
            Make::Enterprise => self.settings.device_name().into(),
            _ => self.settings.mac.to_string().to_ascii_lowercase().into(),
        };
        LineProfile { index: 1, number: name.clone(), auth_name: name, ..Default::default() }
    }

    fn connect(&mut self, out: &mut Vec<PhoneOutput>) {
        self.stage = Stage::Connecting;
        let (transport, server) = (self.transport(), self.server());
        out.push(PhoneOutput::Connect { transport, server });
    }

    fn leave(&mut self, now: Now, restart: bool, out: &mut Vec<PhoneOutput>) {
        if matches!(self.stage, Stage::Off | Stage::Leaving { .. }) {
            return;
        }
        self.stage = Stage::Leaving { patience: now + LEAVING, restart };
        self.in_service = false;
        if !self.unregister_all(now, out) {
            self.left(now, out);
        }
    }
}

const REBOOT: Duration = Duration::from_secs(10);
const RECONNECT: Duration = Duration::from_secs(3);
const LEAVING: Duration = Duration::from_secs(2);
