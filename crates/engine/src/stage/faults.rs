//! Whatever happens, in whatever order: no leg without a call, no wait without an end, and nothing
//! left when everybody has hung up.

use core::time::Duration;

use jackfield_model::{CredentialKind, Kind};
use jackfield_vocabulary::{
    Cause, Codec, Command, Event, LegId, MediaTermination, ObjectId, PlayItem, PromptItem,
    SessionId,
};
use serde_json::json;

use super::backstage::store_refuses;
use super::{Driver, LegState, Stage, Store, port, sdp};
use crate::interface::ServiceOrder;
use crate::leg::LegEvent;

/// A small generator with a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.below(of.len())])
    }
}

struct Play {
    stage: Stage,
    chance: Chance,
    phones: Vec<ObjectId>,
    requests: u64,
}

const SESSION: SessionId = SessionId(1);

impl Play {
    fn new(seed: u64) -> Self {
        let mut stage = Stage::new();
        let mut phones = vec![stage.phone_of("garcia", 1), stage.phone_of("garcia", 2)];
        phones.push(stage.phone_of("okafor", 3));
        phones.extend((4..8).map(|last| stage.new_phone(last)));
        let user = stage.user("suzuki");
        stage.secret(user, CredentialKind::Pin, "12345");
        stage.create(Kind::Line, json!({ "number": "2100" }));
        let point =
            json!({ "name": "APP-RP", "device_pool": "Default", "lines": [{ "line": "2100" }] });
        stage.create(Kind::CtiRoutePoint, point);
        let account = json!({
            "user_id": "app",
            "groups": ["Standard CTI Enabled"],
            "controlled_route_points": ["APP-RP"],
        });
        stage.create(Kind::ApplicationUser, account);
        let mut play = Self { stage, chance: Chance(seed), phones, requests: 0 };
        play.sign_in();
        play
    }

    fn legs(&self, state: Option<LegState>) -> Vec<LegId> {
        let fits = |one: LegState| state.is_none_or(|state| state == one);
        self.stage.legs.iter().filter(|(_, leg)| fits(leg.state)).map(|(id, _)| *id).collect()
    }

    fn act(&mut self) {
        match self.chance.below(26) {
            0..=5 => {
                let phone = self.chance.one(&self.phones).unwrap();
                let numbers = ["2000", "2000", "2100", "3005", "3006", "119", "*"];
                let number = self.chance.one(&numbers).unwrap();
                self.stage.call(phone, number);
            }
            6..=8 => {
                let ringing = self.legs(Some(LegState::Rings));
                if let Some(leg) = self.chance.one(&ringing) {
                    let device = self.stage.legs[&leg].device;
                    self.stage.answer(device);
                }
            }
            9..=11 => {
                let legs = self.legs(None);
                if let Some(leg) = self.chance.one(&legs) {
                    self.stage.hang_up(leg);
                }
            }
            12..=15 => self.press(),
            16 => self.signal(),
            17 => {
                let works = [Driver::Works; 8];
                let faults = [Driver::Silent, Driver::Full, Driver::Mute, Driver::Endless];
                let drivers = [&works[..], &faults].concat();
                self.stage.driver = self.chance.one(&drivers).unwrap();
            }
            18 => self.change_store(),
            19 => self.run_services(),
            20..=23 => self.apply(),
            24 => self.reconfigure(),
            _ => {
                let millis = self.chance.below(20_000) as u64;
                self.stage.pass(Duration::from_millis(millis));
            }
        }
    }

    /// Keys on a call whose media the node has.
    fn press(&mut self) {
        let media = |leg: &LegId| self.stage.media.values().any(|one| one.port == Some(port(*leg)));
        let talking: Vec<_> = self.legs(Some(LegState::Talks)).into_iter().filter(media).collect();
        let keys = ["3002#12345#1", "13002#12345#1", "3002#12345#", "1", "999#1#", "*", "#"];
        let keys = self.chance.one(&keys);
        if let (Some(leg), Some(keys)) = (self.chance.one(&talking), keys) {
            self.stage.press(leg, keys);
        }
    }

    /// A phone signals something in its call, fitting or not.
    fn signal(&mut self) {
        let legs = self.legs(None);
        let Some(leg) = self.chance.one(&legs) else { return };
        let hold = Some(self.chance.below(2) == 0);
        let offer = (self.chance.below(2) == 0).then(|| sdp(9));
        let event = match self.chance.below(4) {
            0 => LegEvent::ReOffered { leg, offer, hold },
            1 => LegEvent::ReAnswered { leg, answer: sdp(11) },
            2 => LegEvent::ReRefused { leg, cause: Cause::Rejected },
            _ => LegEvent::FeaturePressed { leg },
        };
        self.stage.tell(event);
    }

    fn change_store(&mut self) {
        let stores = [
            Store::Works,
            Store::Works,
            Store::Late(Duration::from_secs(4)),
            Store::AnswerLost,
            Store::OrderLost,
            store_refuses(),
            Store::Gone,
        ];
        self.stage.store = stores[self.chance.below(stores.len())].clone();
    }

    fn run_services(&mut self) {
        match self.chance.below(20) {
            0 => self.stage.service(ServiceOrder::StopSelfProvisioning),
            1 => self.stage.service(ServiceOrder::StopCtiManager),
            2..=4 => self.stage.service(ServiceOrder::StartCtiManager),
            5..=7 => self.stage.start_ivr(&["en-US", "ja-JP"]),
            _ => self.stage.checker_silent = self.chance.below(6) == 0,
        }
    }

    /// An application does anything, fitting or not; every command is answered once.
    fn apply(&mut self) {
        let calls = self.stage.events.iter().filter_map(|(_, event)| match event {
            Event::Call(info) => Some(info.call.clone()),
            _ => None,
        });
        let calls: Vec<_> = calls.collect();
        let offered = calls.len();
        let place = offered.saturating_sub(1 + self.chance.below(3));
        let Some(call) = calls.get(place).cloned() else { return self.sign_in() };
        let wait = Duration::from_secs(self.chance.below(9) as u64);
        let to = self.chance.one(&["2000", "2100", "3005", "3006", "7"]).unwrap();
        let media = MediaTermination::Node { codecs: vec![Codec::Pcmu] };
        let item = PromptItem::Item(PlayItem::Silence(1));
        let command = match self.chance.below(14) {
            0..=1 => Command::Accept { call },
            2..=5 => Command::Answer { call },
            6 => Command::Redirect { call, to: to.parse().unwrap() },
            7 => Command::Drop { call },
            8..=9 => Command::Play { call, items: vec![item; 5], barge_in: true },
            10 => Command::StopPlay { call },
            11 => {
                let (terminators, maximum) = ("#".into(), 4);
                Command::Collect { call, maximum, terminators, first: wait, between: wait }
            }
            12 => Command::OpenDevice { device: "APP-RP".into(), media },
            _ => match self.chance.below(6) {
                0 => Command::CloseDevice { device: "APP-RP".into() },
                1 => return self.sign_out(),
                _ => return self.sign_in(),
            },
        };
        self.order(command);
    }

    fn order(&mut self, command: Command) {
        self.requests += 1;
        let request = self.requests;
        self.stage.with(|upper, context| upper.application(context, SESSION, request, command));
        let answers = self.stage.answers.iter().filter(|answer| answer.1 == request).count();
        assert_eq!(answers, 1, "answered once");
    }

    fn sign_in(&mut self) {
        let account = Some(self.stage.id(Kind::ApplicationUser, "app"));
        self.stage.with(|upper, context| upper.session(context, SESSION, account));
        let media = MediaTermination::Node { codecs: vec![Codec::Pcmu] };
        self.order(Command::OpenDevice { device: "APP-RP".into(), media });
    }

    fn sign_out(&mut self) {
        self.stage.with(|upper, context| upper.session(context, SESSION, None));
    }

    /// Forwards change, to and fro and in circles.
    fn reconfigure(&mut self) {
        let line = self.chance.one(&["3005", "3006", "2100", "2000"]).unwrap();
        let to = self.chance.one(&["", "3005", "3006", "2100", "2000", "9999"]).unwrap();
        let kinds = ["all", "busy", "no_answer", "unregistered", "failure"];
        let from = self.chance.below(2);
        let kind = self.chance.one(&kinds[from..]).unwrap();
        let to = if kind == "all" && line == "2000" { "" } else { to };
        let patch = json!({ "forwards": { kind: { "destination": to } } });
        self.stage.patch(Kind::Line, line, patch);
        let away = self.chance.one(&self.phones[..3]).unwrap();
        if !self.stage.unregistered.remove(&away) && self.chance.below(3) == 0 {
            self.stage.unregistered.insert(away);
        }
    }

    /// What must hold at every moment.
    fn check(&self) {
        let held = self.stage.upper.held();
        // Every leg of a phone belongs to a call, and the other way round.
        assert_eq!(held.legs, self.stage.legs.len() + held.cti_calls, "{held:?}");
        assert!(held.media >= self.stage.media.len(), "{held:?}");
        // A phone is restarted only when it is somebody's.
        for device in &self.stage.restarts {
            assert!(self.stage.directory.effective(*device).unwrap().owner.is_some());
        }
    }
}

#[test]
fn nothing_is_left_whatever_happens() {
    let (mut all, mut submitted) = (0, 0);
    for seed in 0..60 {
        let mut play = Play::new(seed);
        for _ in 0..200 {
            play.act();
            play.check();
        }
        for leg in play.legs(None) {
            play.stage.hang_up(leg);
        }
        play.stage.store = Store::Works;
        play.sign_out();
        play.stage.service(ServiceOrder::StopSelfProvisioning);
        play.stage.is_empty();
        play.stage.after(1000);
        play.stage.is_still();
        assert!(play.stage.records.len() >= 10, "something went on, seed {seed}");
        let assigned = |device: &&ObjectId| {
            let device = play.stage.directory.effective(**device).unwrap();
            device.owner.is_some() && !device.auto_registered
        };
        // Whoever was assigned was restarted: none half done.
        for device in play.phones[3..].iter().filter(assigned) {
            assert!(play.stage.restarts.contains(device), "seed {seed}");
            all += 1;
        }
        submitted += play.stage.submitted.len();
    }
    assert!(all > 10, "{all} were assigned");
    assert!(submitted > all, "{submitted} were tried");
}
