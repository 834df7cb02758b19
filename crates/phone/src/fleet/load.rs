//! Many calls at once to one number, with sound both ways: how evenly does the server send?

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use jackfield_media::{Metronome, Rank};
use jackfield_sip::Now;
use jackfield_vocabulary::{Codec, Digit};

use super::boot::{PlugIn, is_default};
use super::{FleetError, FleetSettings, run};
use crate::driver::{Conductor, Noting, Order};
use crate::interface::{CallState, PhoneCommand, PhoneEvent, Softkey, Sound};
use crate::sound::{Hearing, percentile_of};

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
    /// How far packets came from their clock while all calls were up.
    pub deviation: Deviation,
    /// The same from each call's first packet until all were up.
    pub deviation_before: Deviation,
    /// How late a thread that does nothing but wait for a clock was meanwhile, and its rank.
    pub timer_alone: Option<(Rank, Deviation)>,
    /// How long all calls were up together.
    pub measured: Duration,
}

/// How far from a clock things happened, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deviation {
    /// Half were nearer.
    pub p50: u32,
    /// 99 of 100 were nearer.
    pub p99: u32,
    /// 999 of 1000 were nearer.
    pub p999: u32,
    /// The worst.
    pub max: u32,
    /// How many there were.
    pub count: usize,
}

impl Deviation {
    fn of(mut values: Vec<u32>) -> Self {
        values.sort_unstable();
        let at = |percentile| percentile_of(&values, percentile);
        Self { p50: at(50.0), p99: at(99.0), p999: at(99.9), max: at(100.0), count: values.len() }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, p999, max, count } = self;
        write!(out, "p50 {p50} us, p99 {p99} us, p99.9 {p999} us, worst {max} us of {count}")
    }
}

impl IvrLoad {
    /// So many calls like this for half a minute, in G.711.
    pub fn new(mut fleet: FleetSettings, pilot: &str) -> Self {
        fleet.phone.codecs = vec![Codec::Pcmu, Codec::Pcma];
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
    let _noting = Noting::begin()?;
    let caller = run(&settings.fleet, Callers::new(settings))?;
    Ok(caller.report())
}

struct Callers {
    settings: IvrLoad,
    plug_in: PlugIn,
    phones: Vec<Caller>,
    began: Option<Now>,
    ended: Option<Now>,
    /// What was heard before all calls were up.
    before: (Sender<Hearing>, Receiver<Hearing>),
    hearings: (Sender<Hearing>, Receiver<Hearing>),
    bare_clock: Option<Metronome>,
    timer_alone: Option<(Rank, Deviation)>,
    asked: bool,
    keyed: Now,
    troubles: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// It may be taken in without a file of its own first.
    Booting,
    /// It read a file that gives it a number, and a secret to prove itself with.
    Known,
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
            before: channel(),
            hearings: channel(),
            bare_clock: None,
            timer_alone: None,
            asked: false,
            keyed: Now::ZERO,
            troubles: Vec::new(),
            settings: settings.clone(),
        }
    }

    fn report(self) -> IvrLoadReport {
        let mut report = IvrLoadReport {
            troubles: self.troubles,
            timer_alone: self.timer_alone,
            ..Default::default()
        };
        let mut late = Vec::new();
        for hearing in self.hearings.1.try_iter() {
            report.received += hearing.packets;
            report.sent += hearing.sent;
            report.answered += usize::from(hearing.sent > 0);
            late.extend(hearing.punctuality.lateness());
        }
        report.deviation = Deviation::of(late);
        let before = self.before.1.try_iter();
        let late = before.flat_map(|hearing| hearing.punctuality.lateness()).collect();
        report.deviation_before = Deviation::of(late);
        report.survived = self.phones.iter().filter(|phone| **phone == Caller::Talking).count();
        let ended = self.ended.unwrap_or_default();
        report.measured = self.began.map(|began| ended.since(began)).unwrap_or_default();
        report
    }

    /// All calls are up or hopeless: measuring begins.
    fn begin(&mut self, now: Now, orders: &mut Vec<Order>) {
        let settled = self.phones.iter().all(|p| matches!(p, Caller::Talking | Caller::Over));
        if settled && self.began.is_none() {
            self.began = Some(now);
            for index in 0..self.phones.len() {
                orders.push(Order::Hear(index, self.before.0.clone()));
                orders.push(Order::Listen(index));
            }
            self.bare_clock = Metronome::start().ok();
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
        let beats = self.bare_clock.take().and_then(Metronome::stop);
        self.timer_alone = beats.map(|beats| {
            let micros = |late: &Duration| u32::try_from(late.as_micros()).unwrap_or(u32::MAX);
            (beats.rank, Deviation::of(beats.lateness.iter().map(micros).collect()))
        });
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
            PhoneEvent::Booted { file, .. } if matches!(place, Caller::Booting | Caller::Known) => {
                let own = file.as_ref().is_some_and(|file| !is_default(file));
                *place = if own { Caller::Known } else { Caller::Booting };
            }
            PhoneEvent::InService if *place == Caller::Known => {
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
