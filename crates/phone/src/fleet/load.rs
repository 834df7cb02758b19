//! Many calls at once to one number, with sound both ways: how evenly does the server send?

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use jackfield_sip::Now;
use jackfield_vocabulary::Digit;

use super::boot::PlugIn;
use super::{FleetError, FleetSettings, run};
use crate::driver::{Conductor, Order};
use crate::interface::{CallState, PhoneCommand, PhoneEvent, Softkey, Sound};
use crate::sound::Hearing;
use crate::sound::{deviations, percentile_of};

/// How the load is.
#[derive(Clone, Debug)]
pub struct IvrLoad {
    /// The phones: one call each.
    pub fleet: FleetSettings,
    /// The number they call.
    pub pilot: String,
    /// How long the calls last from when all are answered.
    pub length: Duration,
    /// Keys that every phone presses now and then.
    pub keys: String,
    /// How often.
    pub every: Duration,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct IvrLoadReport {
    /// Calls that were answered.
    pub answered: usize,
    /// Calls that were still there at the end.
    pub survived: usize,
    /// Why the others were not.
    pub troubles: Vec<String>,
    /// RTP packets received.
    pub received: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// Deviation of the gaps between received packets from 20 ms, in microseconds: median.
    pub deviation_p50: u32,
    /// 99 of 100 were nearer.
    pub deviation_p99: u32,
    /// 999 of 1000 were nearer.
    pub deviation_p999: u32,
    /// The worst.
    pub deviation_max: u32,
    /// How long all calls were up together.
    pub measured: Duration,
}

impl IvrLoad {
    /// So many calls like this for half a minute.
    pub fn new(fleet: FleetSettings, pilot: &str) -> Self {
        Self {
            fleet,
            pilot: pilot.to_owned(),
            length: Duration::from_secs(30),
            keys: "0".to_owned(),
            every: Duration::from_secs(3),
        }
    }
}

/// Calls a number with a whole fleet at once.
pub fn ivr_load(settings: &IvrLoad) -> Result<IvrLoadReport, FleetError> {
    let caller = run(&settings.fleet, Callers::new(settings))?;
    Ok(caller.report())
}

struct Callers {
    settings: IvrLoad,
    plug_in: PlugIn,
    phones: Vec<Caller>,
    began: Option<Now>,
    ended: Option<Now>,
    hearings: (Sender<Hearing>, Receiver<Hearing>),
    asked: bool,
    keyed: Now,
    troubles: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Booting,
    Dialling,
    Talking,
    Over,
}

impl Callers {
    fn new(settings: &IvrLoad) -> Self {
        Self {
            plug_in: PlugIn::new(&settings.fleet),
            phones: vec![Caller::Booting; settings.fleet.count],
            began: None,
            ended: None,
            hearings: channel(),
            asked: false,
            keyed: Now::ZERO,
            troubles: Vec::new(),
            settings: settings.clone(),
        }
    }

    fn report(self) -> IvrLoadReport {
        let mut gaps = Vec::new();
        let mut report = IvrLoadReport { troubles: self.troubles, ..Default::default() };
        while let Ok(hearing) = self.hearings.1.try_recv() {
            report.received += hearing.packets;
            report.sent += hearing.sent;
            report.answered += usize::from(hearing.sent > 0);
            gaps.extend(hearing.gaps);
        }
        let gaps = deviations(&gaps, Duration::from_millis(20));
        report.survived = self.phones.iter().filter(|phone| **phone == Caller::Talking).count();
        report.deviation_p50 = percentile_of(gaps.clone(), 50.0);
        report.deviation_p99 = percentile_of(gaps.clone(), 99.0);
        report.deviation_p999 = percentile_of(gaps.clone(), 99.9);
        report.deviation_max = percentile_of(gaps, 100.0);
        let ended = self.ended.unwrap_or_default();
        report.measured = self.began.map(|began| ended.since(began)).unwrap_or_default();
        report
    }

    /// All calls are up or hopeless: measuring begins.
    fn begin(&mut self, now: Now, orders: &mut Vec<Order>) {
        let settled = self.phones.iter().all(|p| matches!(p, Caller::Talking | Caller::Over));
        if settled && self.began.is_none() {
            self.began = Some(now);
            orders.extend((0..self.phones.len()).map(Order::Listen));
            orders.push(Order::Wake(now + self.settings.length));
            orders.push(Order::Wake(now + self.settings.every));
        }
    }

    fn key_in(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.began.is_none() || now.since(self.keyed) < self.settings.every {
            return;
        }
        self.keyed = now;
        for (index, phone) in self.phones.iter().enumerate() {
            if *phone == Caller::Talking {
                let keys = self.settings.keys.chars().filter_map(|key| Digit::try_from(key).ok());
                orders.extend(keys.map(|key| Order::Command(index, PhoneCommand::Press(key))));
            }
        }
        orders.push(Order::Wake(now + self.settings.every));
    }

    fn end(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(now);
        for index in 0..self.phones.len() {
            orders.push(Order::Hear(index, self.hearings.0.clone()));
            orders.push(Order::Command(index, PhoneCommand::Softkey(Softkey::EndCall)));
        }
        orders.push(Order::Wake(now + LAST_WORDS));
    }
}

impl Conductor for Callers {
    fn event(&mut self, now: Now, phone: usize, event: &PhoneEvent, orders: &mut Vec<Order>) {
        let place = &mut self.phones[phone];
        match event {
            PhoneEvent::InService if *place == Caller::Booting => {
                *place = Caller::Dialling;
                let pilot = self.settings.pilot.clone();
                orders.push(Order::Command(phone, PhoneCommand::Dial(pilot)));
            }
            PhoneEvent::Call { state: CallState::Connected { .. }, .. }
                if *place == Caller::Dialling =>
            {
                *place = Caller::Talking;
                let sound = Sound::Tone { frequency: 1_000.0, millis: None };
                orders.push(Order::Command(phone, PhoneCommand::Play(sound)));
                self.begin(now, orders);
            }
            PhoneEvent::Call { state: CallState::Ended { reason }, .. } if self.ended.is_none() => {
                *place = Caller::Over;
                self.troubles.push(reason.clone());
                self.begin(now, orders);
            }
            PhoneEvent::NotRegistered { reason, .. } => self.troubles.push(reason.clone()),
            _ => {}
        }
    }

    fn wake(&mut self, now: Now, orders: &mut Vec<Order>) -> Option<Now> {
        let end = Now(self.settings.fleet.timeout);
        if let Some(ended) = self.ended {
            self.asked = now.since(ended) >= LAST_WORDS;
        }
        self.key_in(now, orders);
        let over = self.began.is_some_and(|began| now.since(began) >= self.settings.length);
        if over || now >= end {
            self.end(now, orders);
        }
        self.plug_in.plug(now, orders).or((now < end).then_some(end))
    }

    fn is_done(&self) -> bool {
        self.asked
    }
}

/// BYEs shall still go out.
const LAST_WORDS: Duration = Duration::from_millis(300);
