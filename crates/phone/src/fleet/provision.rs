//! New phones that provision themselves by a call each: boot, register, dial, key in ID and PIN,
//! confirm, be restarted, register as the owner's extension.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jackfield_sip::Now;
use jackfield_vocabulary::{Digit, Mac};

use super::boot::{PlugIn, is_default};
use super::{FleetError, FleetSettings, Percentiles, mac_after, run};
use crate::driver::{Conductor, Order};
use crate::interface::{CallState, PhoneCommand, PhoneEvent, Softkey};

/// How a fleet provisions itself.
#[derive(Clone, Debug)]
pub struct SelfProvision {
    /// The phones.
    pub fleet: FleetSettings,
    /// How many call at once.
    pub concurrency: usize,
    /// The self-provisioning number.
    pub pilot: String,
    /// Who each phone shall belong to; as many as there are phones.
    pub newcomers: Vec<Newcomer>,
    /// Keys before the ID, as for the choice of a language; empty when there is nothing to choose.
    pub before: String,
    /// Keys that confirm.
    pub confirm: String,
    /// How long is listened before each entry.
    pub pause: Duration,
    /// How long one phone may take from dialling to its extension.
    pub patience: Duration,
}

/// Somebody who gets a phone.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// The self-service ID.
    pub id: String,
    /// The PIN; empty when none is asked for.
    pub pin: String,
    /// The extension the phone must have afterwards.
    pub extension: String,
}

/// How self-provisioning went.
#[derive(Clone, Debug, Default)]
pub struct ProvisionReport {
    /// Phones that are their owners'.
    pub provisioned: usize,
    /// The others.
    pub failed: Vec<ProvisionFailure>,
    /// Extensions that more than one phone got.
    pub doubled: Vec<String>,
    /// From the first phone plugged in to the end.
    pub elapsed: Duration,
    /// From dialling to the extension, phone by phone.
    pub times: Percentiles,
    /// Calls that were made: a phone whose call ends too soon makes up to three.
    pub calls: usize,
    /// Why calls ended too soon, and how many of them.
    pub ended_early: BTreeMap<String, usize>,
}

/// One phone that did not get its extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionFailure {
    /// Which.
    pub mac: Mac,
    /// How far it came.
    pub step: ProvisionStep,
    /// What it last knew.
    pub reason: String,
    /// What it is registered as.
    pub numbers: Vec<String>,
}

/// How far a phone came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProvisionStep {
    /// Not plugged in, or without a number yet.
    Booting,
    /// In service under a temporary number, waiting for its turn.
    Waiting,
    /// Dialled, not answered.
    Dialling,
    /// In the dialogue.
    Talking,
    /// Everything was keyed in; the restart is awaited.
    Confirmed,
    /// Told to restart, not registered again.
    Restarting,
    /// Its owner's.
    Done,
}

impl SelfProvision {
    /// These phones for these people, a hundred calls at once.
    pub fn new(fleet: FleetSettings, pilot: &str, newcomers: Vec<Newcomer>) -> Self {
        Self {
            fleet,
            concurrency: 100,
            pilot: pilot.to_owned(),
            newcomers,
            before: String::new(),
            confirm: "1".to_owned(),
            pause: Duration::from_millis(1_500),
            patience: Duration::from_secs(90),
        }
    }
}

/// Provisions a fleet, and tells which phones were lost on the way.
pub fn self_provision(settings: &SelfProvision) -> Result<ProvisionReport, FleetError> {
    let (phones, newcomers) = (settings.fleet.count, settings.newcomers.len());
    if newcomers < phones {
        return Err(FleetError::Newcomers { phones, newcomers });
    }
    Ok(run(&settings.fleet, Desk::new(settings))?.report())
}

struct Desk {
    settings: SelfProvision,
    plug_in: PlugIn,
    phones: Vec<Seat>,
    waiting: VecDeque<usize>,
    calling: usize,
    open: usize,
    now: Now,
    ended_early: BTreeMap<String, usize>,
}

struct Seat {
    step: ProvisionStep,
    numbers: BTreeSet<String>,
    reason: String,
    /// It read a file that gives it a number.
    has_file: bool,
    entries: VecDeque<String>,
    /// When the next entry is keyed in.
    entry_at: Option<Now>,
    dialled: Option<Now>,
    took: Option<Duration>,
    attempts: u8,
    over: bool,
}

impl Desk {
    fn new(settings: &SelfProvision) -> Self {
        let seat = |newcomer: &Newcomer| Seat {
            step: ProvisionStep::Booting,
            numbers: BTreeSet::new(),
            reason: String::new(),
            has_file: false,
            entries: entries(settings, newcomer),
            entry_at: None,
            dialled: None,
            took: None,
            attempts: 0,
            over: false,
        };
        let phones: Vec<_> =
            settings.newcomers.iter().take(settings.fleet.count).map(seat).collect();
        Self {
            settings: settings.clone(),
            plug_in: PlugIn::new(&settings.fleet),
            open: phones.len(),
            phones,
            waiting: VecDeque::new(),
            calling: 0,
            now: Now::ZERO,
            ended_early: BTreeMap::new(),
        }
    }

    fn report(self) -> ProvisionReport {
        let first = self.settings.fleet.first_mac;
        let mut owners: BTreeMap<String, u32> = BTreeMap::new();
        for number in self.phones.iter().flat_map(|seat| &seat.numbers) {
            *owners.entry(number.clone()).or_default() += 1;
        }
        let failed = self.phones.iter().enumerate().filter(|(_, s)| s.step != ProvisionStep::Done);
        ProvisionReport {
            provisioned: self.phones.iter().filter(|s| s.step == ProvisionStep::Done).count(),
            failed: failed
                .map(|(index, seat)| ProvisionFailure {
                    mac: mac_after(first, index as u64),
                    step: seat.step,
                    reason: seat.reason.clone(),
                    numbers: seat.numbers.iter().cloned().collect(),
                })
                .collect(),
            doubled: owners.into_iter().filter(|(_, n)| *n > 1).map(|(number, _)| number).collect(),
            elapsed: self.now.0,
            times: Percentiles::of(self.phones.iter().filter_map(|seat| seat.took).collect()),
            calls: self.phones.iter().map(|seat| usize::from(seat.attempts)).sum(),
            ended_early: self.ended_early,
        }
    }

    /// Lets phones call as long as there is room.
    fn call_next(&mut self, now: Now, orders: &mut Vec<Order>) {
        while self.calling < self.settings.concurrency {
            let Some(index) = self.waiting.pop_front() else { return };
            let pilot = self.settings.pilot.clone();
            let entries = entries(&self.settings, &self.settings.newcomers[index]);
            let seat = &mut self.phones[index];
            seat.entries = entries;
            seat.step = ProvisionStep::Dialling;
            seat.dialled.get_or_insert(now);
            seat.attempts += 1;
            self.calling += 1;
            orders.push(Order::Command(index, PhoneCommand::Dial(pilot)));
            orders.push(Order::Wake(now + self.settings.patience));
        }
    }

    /// Is the phone in service with a number that a call can be made from?
    fn is_ready(&self, index: usize) -> bool {
        let seat = &self.phones[index];
        let numbered = seat.numbers.iter().any(|number| number.bytes().all(|b| b.is_ascii_digit()));
        seat.step == ProvisionStep::Booting && seat.has_file && numbered
    }

    fn registered(&mut self, now: Now, index: usize, number: &str, orders: &mut Vec<Order>) {
        let expected = self.settings.newcomers[index].extension == number;
        let seat = &mut self.phones[index];
        seat.numbers.insert(number.to_owned());
        if expected && seat.step >= ProvisionStep::Dialling && seat.step != ProvisionStep::Done {
            seat.took = seat.dialled.map(|dialled| now.since(dialled));
            seat.step = ProvisionStep::Done;
            self.close(index);
            self.call_next(now, orders);
        }
    }

    fn call(&mut self, now: Now, index: usize, state: &CallState, orders: &mut Vec<Order>) {
        let pause = self.settings.pause;
        let seat = &mut self.phones[index];
        match state {
            CallState::Connected { .. } if seat.step == ProvisionStep::Dialling => {
                seat.step = ProvisionStep::Talking;
                seat.entry_at = Some(now + pause);
                orders.push(Order::Wake(now + pause));
            }
            // It was given up already.
            CallState::Ended { .. } if seat.over => {}
            CallState::Ended { reason } => {
                seat.entry_at = None;
                seat.reason.clone_from(reason);
                let unfinished =
                    matches!(seat.step, ProvisionStep::Dialling | ProvisionStep::Talking);
                if unfinished {
                    *self.ended_early.entry(reason.clone()).or_default() += 1;
                }
                if unfinished && seat.attempts < ATTEMPTS {
                    seat.step = ProvisionStep::Waiting;
                    self.calling -= 1;
                    self.waiting.push_back(index);
                    orders.push(Order::Wake(now + AGAIN));
                } else if unfinished {
                    self.close(index);
                    self.call_next(now, orders);
                }
            }
            _ => {}
        }
    }

    /// Keys in what is due.
    fn key_in(&mut self, now: Now, index: usize, orders: &mut Vec<Order>) {
        let pause = self.settings.pause;
        let seat = &mut self.phones[index];
        if seat.entry_at.is_none_or(|at| at > now) {
            return;
        }
        let Some(keys) = seat.entries.pop_front() else {
            seat.entry_at = None;
            return;
        };
        let digits = keys.chars().filter_map(|key| Digit::try_from(key).ok());
        orders.extend(digits.map(|digit| Order::Command(index, PhoneCommand::Press(digit))));
        let next = now + pause + KEY * u32::try_from(keys.len()).unwrap_or(0);
        seat.entry_at = Some(next);
        if seat.entries.is_empty() {
            seat.step = ProvisionStep::Confirmed;
        }
        orders.push(Order::Wake(next));
    }

    fn close(&mut self, index: usize) {
        let seat = &mut self.phones[index];
        if !seat.over {
            seat.over = true;
            self.open -= 1;
            if seat.dialled.is_some() {
                self.calling -= 1;
            }
        }
    }

    /// Gives up those that take too long.
    fn give_up(&mut self, now: Now, orders: &mut Vec<Order>) {
        for index in 0..self.phones.len() {
            let seat = &self.phones[index];
            let late = seat.dialled.is_some_and(|at| now.since(at) >= self.settings.patience);
            if late && !seat.over && seat.step != ProvisionStep::Waiting {
                orders.push(Order::Command(index, PhoneCommand::Softkey(Softkey::EndCall)));
                self.close(index);
            }
        }
    }
}

impl Conductor for Desk {
    fn event(&mut self, now: Now, phone: usize, event: &PhoneEvent, orders: &mut Vec<Order>) {
        self.now = now;
        match event {
            PhoneEvent::Booted { file, .. } => {
                let seat = &mut self.phones[phone];
                seat.has_file = file.as_ref().is_some_and(|file| !is_default(file));
                seat.numbers.clear();
            }
            PhoneEvent::Registered { number } => self.registered(now, phone, number, orders),
            PhoneEvent::InService if self.is_ready(phone) => {
                self.phones[phone].step = ProvisionStep::Waiting;
                self.waiting.push_back(phone);
                self.call_next(now, orders);
            }
            PhoneEvent::Restarting { .. } => {
                let seat = &mut self.phones[phone];
                let dialling =
                    (ProvisionStep::Talking..=ProvisionStep::Confirmed).contains(&seat.step);
                if dialling {
                    seat.step = ProvisionStep::Restarting;
                    seat.entry_at = None;
                }
            }
            PhoneEvent::NotRegistered { reason, .. } => {
                self.phones[phone].reason.clone_from(reason);
            }
            PhoneEvent::Call { state, .. } => self.call(now, phone, state, orders),
            _ => {}
        }
    }

    fn wake(&mut self, now: Now, orders: &mut Vec<Order>) -> Option<Now> {
        self.now = now;
        let end = Now(self.settings.fleet.timeout);
        if now >= end {
            self.open = 0;
        }
        for index in 0..self.phones.len() {
            self.key_in(now, index, orders);
        }
        self.give_up(now, orders);
        self.call_next(now, orders);
        Some(self.plug_in.plug(now, orders).unwrap_or(end).min(end))
    }

    fn is_done(&self) -> bool {
        self.open == 0
    }
}

fn entries(settings: &SelfProvision, newcomer: &Newcomer) -> VecDeque<String> {
    let with_end = |text: &str| if text.is_empty() { String::new() } else { format!("{text}#") };
    let entries = [
        settings.before.clone(),
        with_end(&newcomer.id),
        with_end(&newcomer.pin),
        settings.confirm.clone(),
    ];
    entries.into_iter().filter(|entry| !entry.is_empty()).collect()
}

/// Calls that a phone makes before it gives up, as when all ports of the service are taken.
const ATTEMPTS: u8 = 3;
/// Before it calls again.
const AGAIN: Duration = Duration::from_secs(2);
/// One key with its pause.
const KEY: Duration = Duration::from_millis(220);
