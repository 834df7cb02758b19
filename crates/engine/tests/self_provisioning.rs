//! A new phone dials the self-provisioning number over real SIP, keys in an ID, and becomes its
//! owner's.
#![allow(clippy::unwrap_used)]

mod world;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jackfield_engine::{Input, Ownership, SelfProvisioningStart, ServiceOrder};
use jackfield_model::{Kind, defaults};
use jackfield_sip::Method;
use jackfield_vocabulary::{
    Digit, DigitSource, MediaCommand, MediaEvent, MediaId, PlayEnd, PlayItem,
};
use serde_json::json;

use world::{CallState, PhoneId, Reply, Secret, World};

/// A house with the sample company and its IVR, a new phone that registered by itself, and the media
/// driver's part played by hand.
struct House {
    world: World,
    phone: PhoneId,
    media: Option<MediaId>,
    said: Vec<String>,
}

impl House {
    fn new() -> Self {
        let mut world = World::new();
        let company = defaults::sample_company(&world.directory, 2).unwrap();
        world.admin(&company);
        let settings = world.directory.find(Kind::SelfProvisioning, "self-provisioning").unwrap();
        world.change(settings, json!({ "mode": "none", "start_delay_seconds": 1 }));
        let settings = (*world.directory.self_provisioning()).clone();
        let languages = vec![Arc::from("en-US")];
        let start = SelfProvisioningStart { settings, languages, g729: false };
        world.input(Input::Service(ServiceOrder::StartCtiManager));
        world.input(Input::Service(ServiceOrder::StartSelfProvisioning(Arc::new(start))));
        world.run(2);
        assert_eq!(&*world.overview().ivr, "in-service");
        let phone = world.stranger("SEP001122AABB09", "001122AABB09");
        assert_eq!(world.register(phone), 200);
        world.run(5);
        Self { world, phone, media: None, said: Vec::new() }
    }

    /// Does what the engine asked of the media driver.
    fn drive(&mut self) {
        while !self.world.heard.media.is_empty() {
            match self.world.heard.media.remove(0) {
                MediaCommand::Allocate { media } => {
                    self.media = Some(media);
                    let local = SocketAddr::from(([192, 0, 2, 10], 20_000));
                    self.media(MediaEvent::Allocated { media, local });
                }
                MediaCommand::Connect { target, .. } => {
                    assert_eq!(target.remote.ip(), self.world.phones[&self.phone].local.ip());
                }
                MediaCommand::Play { media, play, items, .. } => {
                    self.said.extend(items.iter().map(|item| match item {
                        PlayItem::Prompt { prompt, .. } => prompt.to_string(),
                        other => panic!("{other:?}"),
                    }));
                    let end = PlayEnd::Finished;
                    self.media(MediaEvent::Played { media, play, end });
                }
                MediaCommand::Release { .. } => self.media = None,
                _ => {}
            }
        }
        self.world.run(1);
    }

    fn media(&mut self, event: MediaEvent) {
        self.world.input(Input::Media(event));
    }

    fn call(&mut self) {
        self.world.dial(self.phone, defaults::sample::IVR_NUMBER);
        self.world.run(1);
        self.drive();
        self.world.assert_state(self.phone, CallState::Talking);
    }

    fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let (media, source) = (self.media.unwrap(), DigitSource::Event);
            let digit = Digit::try_from(key).unwrap();
            self.media(MediaEvent::Digit { media, digit, source });
            self.drive();
        }
    }

    fn says(&mut self) -> Vec<String> {
        core::mem::take(&mut self.said)
    }

    fn numbers(&self) -> Vec<String> {
        let device = self.world.directory.device("SEP001122AABB09").unwrap();
        let device = self.world.directory.effective(device).unwrap();
        device.lines.iter().map(|line| line.number().to_owned()).collect()
    }
}

/// Proves SP-12.a and SP-44.a.
#[test]
fn a_new_phone_becomes_its_owners_by_one_call() {
    let mut house = House::new();
    assert_eq!(house.numbers(), ["9000"]);
    house.call();
    assert_eq!(house.says(), ["greeting", "enter-self-service-id"]);
    house.press("3002#");
    assert_eq!(house.says()[0], "confirm-extension-before");
    house.press("1");
    house.drive();
    let said = house.says();
    assert_eq!(said[..2], ["assigning-please-wait", "assigned"]);
    assert_eq!(house.numbers(), ["3002"]);
    house.world.run(2);
    house.world.assert_state(house.phone, CallState::Over(0));
    house.world.assert_quiet();
    assert_eq!(house.world.heard.records.len(), 1);
    let told = &house.world.phones[&house.phone].told;
    assert!(!told.is_empty(), "the phone was told to restart");
}

/// Proves SP-15.g: keys by SIP INFO.
#[test]
fn keys_come_by_info_too() {
    let mut house = House::new();
    house.call();
    house.says();
    for key in ["3", "0", "0", "2", "#"] {
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        let kind = "application/dtmf-relay";
        house.world.send_in_call(house.phone, Method::Info, kind, &body);
        house.drive();
    }
    assert_eq!(house.says()[0], "confirm-extension-before");
}

/// Proves SP-17.a: the hold key drops the call.
#[test]
fn hold_drops_the_call() {
    let mut house = House::new();
    house.call();
    house.world.hold(house.phone);
    house.drive();
    house.world.assert_state(house.phone, CallState::Over(0));
    house.world.assert_quiet();
    assert_eq!(house.media, None, "the media is given back");
    house.world.run(21);
}

/// Proves SP-18.d: whoever calls before the route point registers hears reorder.
#[test]
fn a_stopped_service_leaves_callers_with_reorder() {
    let mut house = House::new();
    house.world.input(Input::Service(ServiceOrder::StopSelfProvisioning));
    house.world.dial(house.phone, defaults::sample::IVR_NUMBER);
    house.world.run(1);
    house.world.assert_state(house.phone, CallState::Over(503));
}

/// The engine stopped and restored between any two inputs tells the same story.
#[test]
fn a_restored_engine_goes_on_with_the_dialogue() {
    let mut house = House::new();
    house.world.interrupt_every = Some(1);
    house.call();
    house.press("3002#1");
    house.drive();
    assert_eq!(house.numbers(), ["3002"]);
}

/// Proves SP-17.d and SP-44.a: whoever hangs up while the assignment is on its way has the phone all the
/// same; it restarts, registers as its owner's, and can call.
#[test]
fn the_caller_is_gone_before_the_commit() {
    let mut house = House::new();
    let colleague = house.world.phone("SEP001122AABB10", "3500");
    house.world.registered(colleague);
    house.world.store.reply = Reply::After(3000);
    house.call();
    house.press("3002#1");
    house.world.hang_up(house.phone);
    house.drive();
    assert_eq!(house.media, None);
    house.world.run(30);
    assert_eq!(house.numbers(), ["3002"]);
    assert!(!house.world.phones[&house.phone].told.is_empty(), "told to restart");
    // It fetches its file, with its secret, and registers.
    let device = house.world.directory.device("SEP001122AABB09").unwrap();
    let secret = house.world.directory.secrets().sip_password(device).reveal().to_owned();
    house.world.reboot(house.phone);
    let phone = house.world.phones.get_mut(&house.phone).unwrap();
    phone.secret = Secret::Known(secret);
    phone.user = "3002".into();
    house.world.registered(house.phone);
    house.world.dial(house.phone, "3500");
    house.world.run(1);
    house.world.assert_state(colleague, CallState::Ringing);
    assert!(house.world.phones[&colleague].call().shown.starts_with("3002"));
    house.world.answer(colleague);
    house.world.assert_state(house.phone, CallState::Talking);
    house.world.hang_up(colleague);
    house.world.assert_quiet();
}

/// Proves SP-16.a and SP-16.b: a hundred callers at once, and the next one finds it busy.
#[test]
fn a_hundred_callers_and_one() {
    let mut house = House::new();
    let mut callers = vec![house.phone];
    for number in 0..100 {
        let name = format!("SEP0011223344{number:02X}");
        let phone = house.world.stranger(&name, &name[3..]);
        assert_eq!(house.world.register(phone), 200, "{number}");
        callers.push(phone);
    }
    for caller in &callers {
        house.world.dial(*caller, defaults::sample::IVR_NUMBER);
        house.world.run(1);
        for command in core::mem::take(&mut house.world.heard.media) {
            if let MediaCommand::Allocate { media } = command {
                let local = SocketAddr::from(([192, 0, 2, 10], 20_000));
                house.media(MediaEvent::Allocated { media, local });
            }
        }
    }
    house.world.run(1);
    let last = callers.pop().unwrap();
    house.world.assert_state(last, CallState::Over(486));
    for caller in callers {
        house.world.assert_state(caller, CallState::Talking);
    }
    assert_eq!(house.world.overview().ivr_calls, 100);
}

/// Proves SP-44.e: a new phone that has fetched its file, and so shows a secret, is told to restart
/// although the assignment takes that secret from it.
#[test]
fn a_new_phone_with_a_secret_is_told_to_restart() {
    let mut house = House::new();
    let device = house.world.directory.device("SEP001122AABB09").unwrap();
    let secret = house.world.directory.secrets().sip_password(device).reveal().to_owned();
    house.world.run(700);
    house.world.phones.get_mut(&house.phone).unwrap().secret = Secret::Known(secret);
    house.world.reboot(house.phone);
    house.world.registered(house.phone);
    house.world.run(5);
    assert!(house.world.counter("challenges") > 0, "it showed its secret");
    let phone = house.world.phones.get_mut(&house.phone).unwrap();
    phone.told.clear();
    phone.challenges = true;
    house.call();
    house.press("3002#1");
    house.drive();
    house.world.run(2);
    assert_eq!(house.numbers(), ["3002"]);
    house.world.assert_state(house.phone, CallState::Over(0));
    let phone = &house.world.phones[&house.phone];
    assert!(!phone.told.is_empty(), "told to restart");
    assert_eq!(phone.proofs, [true], "by whoever knows the secret that it has");
    house.world.run(60);
}

/// Proves SP-60.d: a node that stands by refuses a call to the number, and tells the phone whose it is.
#[test]
fn a_phone_is_told_which_node_owns_the_number() {
    let mut house = House::new();
    let point = house.world.directory.self_provisioning().route_point.unwrap().id();
    let ownership = Ownership::Other { node: "node-2".into() };
    house.world.input(Input::RoutePoint { device: point, ownership });
    assert_eq!(&*house.world.overview().ivr, "standing by (owner: node-2)");
    house.world.dial(house.phone, defaults::sample::IVR_NUMBER);
    house.world.run(1);
    house.world.assert_state(house.phone, CallState::Over(503));
    let told = house.world.transcript.join("\n");
    assert!(told.contains("Warning: 399 node-1 "), "{told}");
    assert!(told.contains("self-provisioning is standing by (owner: node-2)"), "{told}");
    house.world.assert_quiet();
    // It is its own again: the next call is taken.
    let until = house.world.now + Duration::from_secs(15);
    let ownership = Ownership::Own { until };
    house.world.input(Input::RoutePoint { device: point, ownership });
    house.call();
    assert_eq!(house.says()[0], "greeting");
}
