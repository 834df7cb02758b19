//! A new phone dials the self-provisioning number over real SIP, keys in an ID, and becomes its
//! owner's.
#![allow(clippy::unwrap_used)]

mod world;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jackfield_engine::{
    Access, Input, Ownership, SelfProvisioningStart, ServiceOrder, Verification,
};
use jackfield_model::{AutoRegistration, Kind, SecurityMode, defaults};
use jackfield_sip::Method;
use jackfield_vocabulary::{
    Codec, Digit, DigitSource, MediaCommand, MediaEvent, MediaId, MediaTarget, PlayEnd, PlayItem,
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
    /// Whither the media driver was told to send.
    targets: Vec<MediaTarget>,
}

impl House {
    fn new() -> Self {
        Self::with(json!({}))
    }

    /// With other settings of the IVR.
    fn with(patch: serde_json::Value) -> Self {
        let mut world = World::new();
        let company = defaults::sample_company(&world.directory, 2).unwrap();
        world.admin(&company);
        let settings = world.directory.find(Kind::SelfProvisioning, "self-provisioning").unwrap();
        world.change(settings, json!({ "mode": "none", "start_delay_seconds": 1 }));
        world.change(settings, patch);
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
        Self { world, phone, media: None, said: Vec::new(), targets: Vec::new() }
    }

    /// Does what the engine asked of the media driver, and lets a second pass.
    fn drive(&mut self) {
        self.drive_at_once();
        self.world.run(1);
    }

    /// The same, while no time passes.
    fn drive_at_once(&mut self) {
        while !self.world.heard.media.is_empty() {
            match self.world.heard.media.remove(0) {
                MediaCommand::Allocate { media } => {
                    self.media = Some(media);
                    let local = SocketAddr::from(([192, 0, 2, 10], 20_000));
                    self.media(MediaEvent::Allocated { media, local });
                    // Nothing is said before the phone has acknowledged the answer.
                    self.world.run_for(Duration::from_millis(100));
                }
                MediaCommand::Connect { target, .. } => self.targets.push(target),
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
    }

    fn media(&mut self, event: MediaEvent) {
        self.world.input(Input::Media(event));
    }

    fn call(&mut self) {
        let host = self.world.phones[&self.phone].local.ip().to_string();
        self.call_with(&world::sdp(&host, 1, "sendrecv"));
        assert_eq!(self.targets[0].remote.ip().to_string(), host);
    }

    fn call_with(&mut self, description: &str) {
        self.world.dial_with(self.phone, defaults::sample::IVR_NUMBER, description);
        self.world.run(1);
        self.drive();
        self.world.assert_state(self.phone, CallState::Talking);
    }

    /// The phone fetches its file and registers with the secret in it.
    fn prove(&mut self) {
        self.prove_as(self.phone, "SEP001122AABB09");
    }

    /// The same for any other one.
    fn prove_as(&mut self, phone: PhoneId, name: &str) {
        let device = self.world.directory.device(name).unwrap();
        let secret = self.world.directory.secrets().sip_password(device).reveal().to_owned();
        self.world.input(Input::PasswordGiven { device });
        self.world.phones.get_mut(&phone).unwrap().secret = Secret::Known(secret);
        self.world.reboot(phone);
        self.world.registered(phone);
        self.world.run(5);
    }

    /// The phone fetches the file of its owner's phone, with its secret, and registers.
    fn restarts_as(&mut self, number: &str) {
        let device = self.world.directory.device("SEP001122AABB09").unwrap();
        let secret = self.world.directory.secrets().sip_password(device).reveal().to_owned();
        self.world.reboot(self.phone);
        let phone = self.world.phones.get_mut(&self.phone).unwrap();
        (phone.secret, phone.user) = (Secret::Known(secret), number.into());
        self.world.registered(self.phone);
    }

    /// The phone calls somebody as its owner, and they talk.
    fn calls(&mut self, colleague: PhoneId, number: &str) {
        let own = self.world.phones[&self.phone].user.clone();
        self.world.dial(self.phone, number);
        self.world.run(1);
        self.world.assert_state(colleague, CallState::Ringing);
        assert!(self.world.phones[&colleague].call().shown.starts_with(&own));
        self.world.answer(colleague);
        self.world.assert_state(self.phone, CallState::Talking);
        self.world.hang_up(colleague);
        self.world.assert_quiet();
    }

    /// A new phone at this address calls, and does what it is told with its media.
    fn caller(&mut self, mac: &str, at: &str) -> PhoneId {
        let phone = self.world.stranger(&format!("SEP{mac}"), mac);
        self.world.phones.get_mut(&phone).unwrap().local = at.parse().unwrap();
        assert_eq!(self.world.register(phone), 200, "{mac}");
        self.world.dial(phone, defaults::sample::IVR_NUMBER);
        self.drive();
        phone
    }

    fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            self.press_at_once(key);
            self.world.run(1);
        }
    }

    fn press_at_once(&mut self, key: char) {
        let (media, source) = (self.media.unwrap(), DigitSource::Event);
        let digit = Digit::try_from(key).unwrap();
        self.media(MediaEvent::Digit { media, digit, source });
        self.drive_at_once();
    }

    /// The phone calls until somebody speaks, which takes some milliseconds; where the sound is.
    fn reaches_the_ivr(&mut self, phone: PhoneId) -> MediaId {
        self.media = None;
        self.world.dial(phone, defaults::sample::IVR_NUMBER);
        let end = self.world.now + Duration::from_secs(1);
        while self.media.is_none() && self.world.now < end {
            self.world.run_for(Duration::from_millis(10));
            self.drive_at_once();
        }
        // Its ACK comes.
        self.world.run_for(Duration::from_millis(20));
        self.drive_at_once();
        self.media.unwrap()
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
/// Whoever never acknowledges the answer may not be there at all: nothing is said to it.
#[test]
fn nothing_is_said_to_a_new_phone_before_it_acknowledges_the_answer() {
    let mut house = House::new();
    house.world.phones.get_mut(&house.phone).unwrap().acknowledges = false;
    house.world.dial(house.phone, defaults::sample::IVR_NUMBER);
    house.drive();
    house.world.assert_state(house.phone, CallState::Talking);
    for _ in 0..40 {
        house.drive();
    }
    assert_eq!((house.targets.len(), house.said.len()), (0, 0));
    house.world.assert_quiet();
    house.world.phones.get_mut(&house.phone).unwrap().acknowledges = true;
    house.call();
    assert!(!house.says().is_empty());
}

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

/// Proves SP-17.a: a transfer drops the call, and so does each call key that enterprise phones tell of
/// outside it.
#[test]
fn every_other_call_key_drops_the_call() {
    let mut house = House::new();
    house.call();
    house.world.send_in_call(house.phone, Method::Refer, "text/plain", "");
    house.drive();
    house.world.assert_state(house.phone, CallState::Over(0));
    house.world.run(60);
    house.world.assert_quiet();

    for key in ["Hold", "Transfer", "Trnsfer", "Conference", "Confrn", "Park"] {
        let mut house = House::new();
        house.call();
        let body = format!(
            "<x-cisco-remotecc-request><softkeyeventmsg><softkeyevent>{key}</softkeyevent>\
             <dialogid><callid>call-{}-0</callid></dialogid></softkeyeventmsg>\
             </x-cisco-remotecc-request>",
            house.phone.0
        );
        let at = house.world.phones[&house.phone].local;
        let refer = format!(
            "REFER sip:192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{key};rport\n\
             Max-Forwards: 70\nFrom: <sip:001122AABB09@192.0.2.10>;tag=1\n\
             To: <sip:192.0.2.10>\nCall-ID: {key}\nCSeq: 1 REFER\nContact: <sip:x@{at}>\n\
             Refer-To: <cid:k@{}>\nContent-Type: application/x-cisco-remotecc-request+xml\n\
             Content-Length: {}\n\n{body}",
            at.ip(),
            body.len()
        );
        house.world.send_raw(&at.to_string(), &refer);
        house.drive();
        assert_eq!(house.world.state(house.phone), CallState::Over(0), "{key}");
        assert_eq!(house.media, None, "{key}");
    }
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
    house.restarts_as("3002");
    house.calls(colleague, "3500");
}

/// Proves SP-08.b: where other phones are secured, those that are not provision themselves as ever.
#[test]
fn a_new_phone_of_a_mixed_cluster_that_is_not_secured_becomes_its_owners() {
    let mut house = House::new();
    let colleague = house.world.phone("SEP001122AABB10", "3500");
    house.world.registered(colleague);
    let secured = house.world.phone("SEP001122AABB11", "3501");
    let profile = house.world.create(Kind::SecurityProfile, json!({ "name": "Secured" }));
    let device = house.world.phones[&secured].device.unwrap();
    house.world.change(device, json!({ "security_profile": "Secured" }));
    let encrypted = json!({ "name": "Secured", "mode": "encrypted", "transport": "tls" });
    house.world.stored(profile, Kind::SecurityProfile, &encrypted);
    let mode =
        |house: &House, device| house.world.directory.effective(device).unwrap().security_mode();
    assert_eq!(mode(&house, device), SecurityMode::Encrypted);
    house.call();
    house.press("3002#1");
    house.drive();
    house.world.run(30);
    assert_eq!(house.numbers(), ["3002"]);
    assert!(!house.world.phones[&house.phone].told.is_empty(), "told to restart");
    let own = house.world.directory.device("SEP001122AABB09").unwrap();
    assert_eq!(mode(&house, own), SecurityMode::NonSecure);
    house.restarts_as("3002");
    house.calls(colleague, "3500");
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
            match command {
                MediaCommand::Allocate { media } => {
                    let local = SocketAddr::from(([192, 0, 2, 10], 20_000));
                    house.media(MediaEvent::Allocated { media, local });
                }
                MediaCommand::Play { media, play, .. } => {
                    let length = Duration::from_secs(600);
                    house.media(MediaEvent::Playing { media, play, length });
                }
                _ => {}
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

/// Proves SP-16.a: wrong entries have a pace by source, and right ones none. A hundred phones behind one
/// address are provisioned at once, each by its owner's PIN.
#[test]
fn a_hundred_owners_at_one_address_enter_their_pin_at_once() {
    let mut house = House::with(json!({ "mode": "users-only" }));
    let settings = house.world.directory.named::<AutoRegistration>(world::NODE).unwrap().0.id();
    house.world.change(settings, json!({ "per_minute": 1000, "unassigned_limit": 1000 }));
    let phones = (0..100).map(|number| {
        let name = format!("SEP0011223344{number:02X}");
        let phone = house.world.stranger(&name, &name[3..]);
        let at = SocketAddr::from(([10, 66, 6, 6], 5000 + number));
        house.world.phones.get_mut(&phone).unwrap().local = at;
        assert_eq!(house.world.register(phone), 200, "{number}");
        house.world.run(5);
        house.prove_as(phone, &name);
        phone
    });
    let phones: Vec<PhoneId> = phones.collect();
    let calls: Vec<MediaId> = phones.iter().map(|phone| house.reaches_the_ivr(*phone)).collect();
    for call in calls {
        house.media = Some(call);
        "3002#48151#".chars().for_each(|key| house.press_at_once(key));
    }
    let checks = core::mem::take(&mut house.world.heard.checks);
    assert_eq!(checks.len(), 100, "none had to come later");
    assert!(checks.iter().all(|(_, secret)| secret == "48151"));
    house.says();
    for (verify, _) in checks {
        house.world.input(Input::Verified { verify, verification: Verification::Right });
    }
    house.drive_at_once();
    let asked = |prompt: &&String| *prompt == "confirm-extension-after";
    assert_eq!(house.says().iter().filter(asked).count(), 100);
}

/// Proves SP-44.e: a new phone that has fetched its file, and so shows a secret, is told to restart
/// although the assignment takes that secret from it.
#[test]
fn a_new_phone_with_a_secret_is_told_to_restart() {
    let mut house = House::new();
    house.prove();
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
    let device = house.world.directory.device("SEP001122AABB09").unwrap();
    let window = house.world.heard.access.iter().rev().find_map(|access| match access {
        Access::Window { device: of, address: None, length, .. } if *of == device => Some(*length),
        _ => None,
    });
    let minutes = window.expect("it may fetch its file").as_secs() / 60;
    assert!(minutes >= 5, "time enough to restart and to fetch it");
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

/// Media may come from where the signalling does; what comes from elsewhere is told once, not heard.
/// At a node that stands by anybody may call again and again.
#[test]
fn calls_that_another_node_would_take_do_not_fill_the_log() {
    let mut house = House::new();
    let device = house.world.directory.self_provisioning().route_point.unwrap().id();
    let ownership = Ownership::Other { node: "node-2".into() };
    house.world.input(Input::RoutePoint { device, ownership });
    let lines = |world: &World| {
        let told = world.heard.notes.iter().filter(|note| note.text.contains("turned away"));
        told.map(|note| note.fields.clone()).collect::<Vec<_>>()
    };
    for _ in 0..50 {
        house.world.dial(house.phone, defaults::sample::IVR_NUMBER);
        house.world.run(1);
    }
    assert_eq!(lines(&house.world).len(), 5);
    house.world.run(60);
    house.world.dial(house.phone, defaults::sample::IVR_NUMBER);
    let last = lines(&house.world).pop().unwrap();
    assert_eq!(last[1], ("calls.untold", "45".into()), "{last:?}");
}

#[test]
fn a_phone_behind_an_address_translator_is_heard_or_somebody_is_told() {
    let mut house = House::new();
    house.prove();
    let outside = house.world.phones[&house.phone].local.ip();
    house.call_with(&world::sdp("192.168.7.9", 1, "sendrecv"));
    assert_eq!(house.targets[0].remote.ip().to_string(), "192.168.7.9");
    assert_eq!(house.targets[0].signalled, Some(outside));
    let (media, from) = (house.media.unwrap(), "203.0.113.1:9".parse().unwrap());
    let expected = house.targets[0].remote;
    house.media(MediaEvent::Elsewhere { media, from, expected });
    let note = house.world.heard.notes.last().unwrap();
    assert!(note.text.contains("another host"), "{}", note.text);
    let fields = format!("{:?}", note.fields);
    assert!(fields.contains("203.0.113.1:9") && fields.contains("192.168.7.9"), "{fields}");
    assert!(fields.contains("SEP001122AABB09"), "{fields}");
    assert_eq!(house.world.counter("media-from-elsewhere"), 1);
}

/// A phone that has shown no secret may name anybody's address: it is heard and hears where it registered
/// from, and not for long when nothing comes from there.
#[test]
fn sound_for_a_phone_without_a_secret_goes_where_it_registered_from() {
    let victim = "203.0.113.66";
    let named = format!("{}a=rtcp:5003 IN IP4 {victim}\r\n", world::sdp(victim, 1, "sendrecv"));
    let mut house = House::new();
    let own = house.world.phones[&house.phone].local.ip();
    house.call_with(&named);
    house.world.re_invite(house.phone, &world::sdp(victim, 2, "sendrecv"));
    house.world.run(1);
    house.drive();
    assert_eq!(house.targets.len(), 2);
    for target in &house.targets {
        assert_eq!((target.remote.ip(), target.remote.port()), (own, 4000));
        assert!(target.rtcp.is_none_or(|rtcp| rtcp.ip() == own));
        assert_eq!(target.patience, Duration::from_secs(5));
    }
    let mut house = House::new();
    house.prove();
    house.call_with(&named);
    assert_eq!(house.targets[0].remote.ip().to_string(), victim, "it has shown its secret");
    assert_eq!(house.targets[0].patience, Duration::from_secs(60));
}

#[test]
fn sound_goes_to_nobody_who_stands_for_many_and_to_no_service() {
    let usual = world::sdp("10.1.0.1", 1, "sendrecv");
    for offer in [
        world::sdp("224.0.1.75", 1, "sendrecv"),
        world::sdp("239.255.1.1", 1, "sendrecv"),
        world::sdp("255.255.255.255", 1, "sendrecv"),
        usual.replace("m=audio 4000", "m=audio 69"),
        usual.replace("m=audio 4000", "m=audio 53"),
        usual.replace("a=sendrecv", "a=rtcp:53\r\na=sendrecv"),
    ] {
        for proved in [false, true] {
            let mut house = House::new();
            if proved {
                house.prove();
            }
            house.world.dial_with(house.phone, defaults::sample::IVR_NUMBER, &offer);
            house.drive();
            house.world.assert_state(house.phone, CallState::Over(488));
            assert!(house.targets.is_empty(), "{offer}");
        }
    }
}

#[test]
fn one_address_has_its_share_of_the_calls() {
    let mut house = House::with(json!({ "maximum_calls": 8 }));
    let fakes =
        [1, 2, 3].map(|n| house.caller(&format!("00112233440{n}"), &format!("10.66.6.6:{n}")));
    let states = fakes.map(|fake| house.world.state(fake));
    assert_eq!(states, [CallState::Talking, CallState::Talking, CallState::Over(486)]);
    house.targets.clear();
    house.call();
    assert_eq!(house.says().last().unwrap(), "enter-self-service-id");
}

#[test]
fn who_leaves_the_questions_unanswered_gives_way() {
    let mut house = House::with(json!({ "maximum_calls": 4 }));
    let quiet = house.caller("001122334401", "10.66.6.1:5060");
    let busy = house.caller("001122334402", "10.66.6.2:5060");
    house.press("3");
    let others =
        [3, 4].map(|n| house.caller(&format!("00112233440{n}"), &format!("10.66.6.{n}:5060")));
    assert_eq!(house.world.overview().ivr_calls, 4);
    house.world.dial(house.phone, defaults::sample::IVR_NUMBER);
    house.world.run(1);
    house.world.assert_state(house.phone, CallState::Over(486));
    // The first question has waited for an answer in vain.
    house.world.run(11);
    house.drive();
    house.targets.clear();
    house.call();
    house.world.assert_state(quiet, CallState::Over(0));
    for caller in [busy, others[0], others[1]] {
        house.world.assert_state(caller, CallState::Talking);
    }
}

/// Keys alone keep no place: who enters the same thing again and again gives way as well.
#[test]
fn who_gets_no_further_gives_way() {
    let mut house = House::with(json!({ "maximum_calls": 1 }));
    let fake = house.caller("001122334401", "10.66.6.1:5060");
    for round in 0..40 {
        house.press("1*");
        house.world.run(4);
        house.drive();
        house.world.assert_state(fake, CallState::Talking);
        if round == 3 {
            house.world.dial(house.phone, defaults::sample::IVR_NUMBER);
            house.world.run(1);
            house.world.assert_state(house.phone, CallState::Over(486));
        }
    }
    house.targets.clear();
    house.call();
    house.world.assert_state(fake, CallState::Over(0));
    assert_eq!(house.says().last().unwrap(), "enter-self-service-id");
}

/// Each codec that the media driver has is good for a caller that can do no other.
#[test]
fn a_caller_with_one_codec_is_taken() {
    for (format, map, codec) in [
        (9, "G722/8000", Codec::G722),
        (8, "PCMA/8000", Codec::Pcma),
        (97, "L16/16000", Codec::L16),
    ] {
        let mut house = House::new();
        let offer = world::sdp("10.1.0.1", 1, "sendrecv")
            .replace("RTP/AVP 0", &format!("RTP/AVP {format}"))
            .replace("a=sendrecv", &format!("a=rtpmap:{format} {map}\r\na=sendrecv"));
        house.call_with(&offer);
        assert_eq!(house.targets[0].codec, codec);
    }
    // One that can do more is not sent what is dear to code.
    let mut house = House::new();
    house.call_with(&world::sdp("10.1.0.1", 1, "sendrecv").replace("RTP/AVP 0", "RTP/AVP 9 0"));
    assert_eq!(house.targets[0].codec, Codec::Pcmu);
}

/// RFC 3264 section 8.4: other media that rest are no hold.
#[test]
fn video_that_rests_does_not_end_the_call() {
    let quiet = "m=video 6000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
    let host = "10.1.0.1";
    let again = world::sdp(host, 2, "sendrecv");
    for body in [
        format!("{again}{quiet}a=inactive\r\n"),
        format!("{again}{quiet}a=sendonly\r\n"),
        format!("{again}{quiet}c=IN IP4 0.0.0.0\r\n"),
        again.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n"),
        format!("{again}m=audio 0 RTP/AVP 8\r\na=inactive\r\n"),
    ] {
        let mut house = House::new();
        house.call();
        house.world.re_invite(house.phone, &body);
        house.drive();
        house.world.run(30);
        assert_eq!(house.world.phones[&house.phone].call().re_answers, [200], "{body}");
        house.world.assert_state(house.phone, CallState::Talking);
    }
    let mut house = House::new();
    house.call();
    house.world.re_invite(house.phone, &world::sdp(host, 2, "sendonly"));
    house.drive();
    house.world.assert_state(house.phone, CallState::Over(0));
}

/// Hook flash and the keys A to D are no 1.
#[test]
fn keys_by_their_numbers_are_what_they_are() {
    let mut house = House::new();
    house.call();
    for (kind, body) in [
        ("application/dtmf", "3"),
        ("application/dtmf-relay", "Signal= 0\r\nDuration=100\r\n"),
        ("application/dtmf", "0\r\n"),
        ("application/dtmf", " 2 "),
        ("application/dtmf", "11"),
    ] {
        house.world.send_in_call(house.phone, Method::Info, kind, body);
        house.drive();
    }
    assert!(house.says().contains(&"confirm-extension-before".to_owned()));
    for body in ["Signal=16\r\nDuration=100\r\n", "Signal=12\r\nDuration=100\r\n"] {
        house.world.send_in_call(house.phone, Method::Info, "application/dtmf-relay", body);
        house.drive();
    }
    assert_eq!(house.numbers(), ["9000"], "nothing was confirmed");
    house.world.send_in_call(house.phone, Method::Info, "application/media_control+xml", "<x/>");
    assert_eq!(house.world.phones[&house.phone].flow_answers.last(), Some(&415));
}
