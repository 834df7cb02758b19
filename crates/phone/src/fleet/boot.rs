//! A boot storm: all phones are plugged in, fetch their files and register.

use std::collections::BTreeMap;
use std::time::Duration;

use jackfield_sip::Now;
use jackfield_vocabulary::Mac;

use super::{FleetError, FleetSettings, Percentiles, mac_after, run};
use crate::driver::{Conductor, Order};
use crate::interface::{PhoneCommand, PhoneEvent};

/// A fleet that boots.
#[derive(Debug)]
pub struct Fleet;

/// How a fleet booted.
#[derive(Clone, Debug, Default)]
pub struct FleetReport {
    /// Phones in service at the end.
    pub in_service: usize,
    /// The others, and why as far as they know.
    pub failed: Vec<(Mac, String)>,
    /// Until the last one was in service, or waiting ended.
    pub elapsed: Duration,
    /// From being plugged in to service, phone by phone.
    pub times: Percentiles,
    /// How often a phone was told that it is not registered on the way.
    pub refusals: u64,
    /// How often a phone read its files and began to register: one time each, and once more for each
    /// restart.
    pub boots: u64,
}

impl Fleet {
    /// Plugs all in, and waits until all are in service or time is up.
    pub fn start(settings: &FleetSettings) -> Result<FleetReport, FleetError> {
        Ok(run(settings, Storm::new(settings))?.report())
    }
}

/// Plugs phones in at their time; scenarios build on it.
#[derive(Debug)]
pub(super) struct PlugIn {
    settings: FleetSettings,
    plugged: usize,
}

impl PlugIn {
    pub(super) fn new(settings: &FleetSettings) -> Self {
        Self { settings: settings.clone(), plugged: 0 }
    }

    /// Plugs in those whose time has come; answers when the next one's has.
    pub(super) fn plug(&mut self, now: Now, orders: &mut Vec<Order>) -> Option<Now> {
        while self.plugged < self.settings.count {
            let at = Now(self.settings.plugged_in_after(self.plugged));
            if at > now {
                return Some(at);
            }
            orders.push(Order::Command(self.plugged, PhoneCommand::PowerOn));
            self.plugged += 1;
        }
        None
    }

    pub(super) fn time_of(&self, index: usize) -> Now {
        Now(self.settings.plugged_in_after(index))
    }
}

/// Is it the file of all phones that have none of their own yet?
pub(super) fn is_default(file: &str) -> bool {
    file.contains("XMLDefault")
}

struct Storm {
    plug_in: PlugIn,
    settings: FleetSettings,
    in_service: Vec<Option<Duration>>,
    up: usize,
    troubles: BTreeMap<usize, String>,
    refusals: u64,
    boots: u64,
    last: Now,
    over: bool,
}

impl Storm {
    fn new(settings: &FleetSettings) -> Self {
        Self {
            plug_in: PlugIn::new(settings),
            settings: settings.clone(),
            in_service: vec![None; settings.count],
            up: 0,
            troubles: BTreeMap::new(),
            refusals: 0,
            boots: 0,
            last: Now::ZERO,
            over: settings.count == 0,
        }
    }

    fn report(self) -> FleetReport {
        let first = self.settings.first_mac;
        let failed = self.in_service.iter().enumerate().filter(|(_, time)| time.is_none());
        let trouble = |index| {
            self.troubles.get(&index).cloned().unwrap_or_else(|| "nothing happened".to_owned())
        };
        FleetReport {
            in_service: self.up,
            failed: failed.map(|(n, _)| (mac_after(first, n as u64), trouble(n))).collect(),
            elapsed: self.last.0,
            times: Percentiles::of(self.in_service.iter().flatten().copied().collect()),
            refusals: self.refusals,
            boots: self.boots,
        }
    }
}

impl Conductor for Storm {
    fn event(&mut self, now: Now, phone: usize, event: &PhoneEvent, _: &mut Vec<Order>) {
        match event {
            PhoneEvent::InService => {
                let place = &mut self.in_service[phone];
                if place.is_none() {
                    *place = Some(now.since(self.plug_in.time_of(phone)));
                    self.up += 1;
                    self.last = now;
                    self.over |= self.up == self.settings.count;
                }
            }
            PhoneEvent::Booted { .. } => self.boots += 1,
            PhoneEvent::NotRegistered { reason, .. } => {
                self.refusals += 1;
                self.troubles.insert(phone, reason.clone());
            }
            PhoneEvent::Display(lines) if self.in_service[phone].is_none() => {
                self.troubles.insert(phone, lines.join(" / "));
            }
            _ => {}
        }
    }

    fn wake(&mut self, now: Now, orders: &mut Vec<Order>) -> Option<Now> {
        let end = Now(self.settings.timeout);
        if now >= end {
            self.over = true;
            self.last = now;
        }
        Some(self.plug_in.plug(now, orders).unwrap_or(end).min(end))
    }

    fn is_done(&self) -> bool {
        self.over
    }
}
