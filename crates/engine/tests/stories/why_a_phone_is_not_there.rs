//! A phone was plugged in and is not there: whoever asks is told what became of its last try, when and
//! from where, and so is whoever reads the log.

use jackfield_engine::{LastRefusal, OperatorOrder, OperatorReply};
use jackfield_model::{Kind, Language, sentence};
use jackfield_vocabulary::{Code, Mac};
use serde_json::json;

use crate::world::{NODE, Raw, Secret, World, status};

const MAC: &str = "001122AABB01";
const CONTACT: &str = "Contact: <sip:x@10.1.0.1>\n";

/// What is known of phones that are in no configuration.
fn refused(world: &mut World, mac: Option<&str>, address: Option<&str>) -> Vec<LastRefusal> {
    let mac = mac.map(|mac| mac.parse::<Mac>().unwrap());
    let address = address.map(|address| address.parse().unwrap());
    match world.order(OperatorOrder::Refused { mac, address }) {
        Some(Ok(OperatorReply::Refused(refused))) => refused,
        other => panic!("{other:?}"),
    }
}

fn codes(refused: &[LastRefusal]) -> Vec<Code> {
    refused.iter().map(|one| one.refusal.code).collect()
}

/// Does a line of the log name both the phone and the reason?
#[track_caller]
fn assert_logged(world: &World, phone: &str, reason: &str) {
    let named = |note: &jackfield_engine::Note| {
        let says = |text: &str| {
            note.text.contains(text) || note.fields.iter().any(|(_, value)| value.contains(text))
        };
        says(phone) && says(reason)
    };
    assert!(world.heard.notes.iter().any(named), "{:?}", world.heard.notes);
}

#[test]
fn a_wrong_secret_is_told_until_it_is_right() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    let device = world.phones[&phone].device.unwrap();
    let right =
        core::mem::replace(&mut world.phones.get_mut(&phone).unwrap().secret, Secret::Wrong);
    assert_eq!(world.register(phone), 401);
    let last = world.inspect(device).refused.unwrap();
    assert_eq!((last.refusal.code, &*last.address), (Code::WrongSecret, "10.1.0.1:5060"));
    assert_eq!(&*last.user, "2001");
    assert_logged(&world, "SEP001122AABB01", "wrong-secret");
    world.reboot(phone);
    world.send_register(phone, 3600);
    world.run_for(core::time::Duration::from_millis(15));
    assert_eq!(world.inspect(device).refused.unwrap().refusal.code, Code::WrongSecret);
    world.run(5);
    world.reboot(phone);
    world.phones.get_mut(&phone).unwrap().secret = right;
    world.registered(phone);
    assert_eq!(world.inspect(device).refused, None);
    world.unregister(phone);
    assert_eq!(world.inspect(device).refused, None, "it left by itself");
}

#[test]
fn a_new_phone_that_is_not_taken_in() {
    for (patch, code) in [
        (json!({ "disabled": true }), Code::AutoRegistrationDisabled),
        (json!({ "allowed_networks": ["192.168.0.0/16"] }), Code::NetworkNotAllowed),
        (json!({ "starting_number": "9000", "ending_number": "9000" }), Code::RangeExhausted),
        (json!({ "unassigned_limit": 1 }), Code::UnassignedLimit),
    ] {
        let mut world = World::new();
        let first = world.stranger("", "001122AABB99");
        assert_eq!(world.register(first), 200);
        let settings = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
        world.change(settings, patch);
        let mut phone = Raw::new("250", "10.1.0.7:5060");
        assert_eq!(status(&phone.register(&mut world, 1, CONTACT)), 403);
        let told = refused(&mut world, Some(MAC), None);
        assert_eq!((codes(&told), &*told[0].user), (vec![code], "250"));
        assert_eq!(codes(&refused(&mut world, None, Some("10.1.0.7"))), [code]);
        assert_eq!(refused(&mut world, None, Some("10.1.0.9")), []);
        assert_logged(&world, MAC, code.name());
    }
}

/// One that is told to come again later is refused as well: by the rate, or by the share of its address.
#[test]
fn a_new_phone_that_is_told_to_come_again_later() {
    for (patch, code) in [
        (json!({ "per_minute": 1 }), Code::RateLimited),
        (json!({ "unassigned_limit": 4 }), Code::UnassignedLimit),
    ] {
        let mut world = World::new();
        let settings = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
        world.change(settings, patch);
        let mut first = Raw::new("001122AABB99", "10.1.0.7:5061");
        assert_eq!(status(&first.register(&mut world, 1, CONTACT)), 200);
        let mut phone = Raw::new(MAC, "10.1.0.7:5060");
        assert_eq!(status(&phone.register(&mut world, 1, CONTACT)), 503);
        let told = refused(&mut world, Some(MAC), None);
        assert_eq!(codes(&told), [code]);
        let why = sentence(&told[0].refusal, Language::English);
        assert!(
            why.remedy.contains(&format!("jackfield set auto-registration {NODE} --")),
            "{why:?}"
        );
        assert_logged(&world, "10.1.0.7", "told to come later");
    }
}

/// A flood of them writes no flood of lines.
#[test]
fn the_log_tells_of_some_of_many_that_come_too_fast() {
    let mut world = World::new();
    let settings = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
    world.change(settings, json!({ "per_minute": 1 }));
    for number in 0..200 {
        let mut phone =
            Raw::new(&format!("001122AA{number:04X}"), &format!("10.1.0.7:{}", 6000 + number));
        phone.register(&mut world, 1, CONTACT);
    }
    let told = world.heard.notes.iter().filter(|note| note.text.contains("each minute")).count();
    assert!((1..=10).contains(&told), "{told}");
}

#[test]
fn as_soon_as_it_is_taken_in_nothing_is_told_of_it() {
    let mut world = World::new();
    let settings = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
    world.change(settings, json!({ "disabled": true }));
    let mut phone = Raw::new(MAC, "10.1.0.1:5060");
    assert_eq!(status(&phone.register(&mut world, 1, CONTACT)), 403);
    world.change(settings, json!({ "disabled": false }));
    assert_eq!(status(&phone.register(&mut world, 2, CONTACT)), 200);
    assert_eq!(refused(&mut world, Some(MAC), Some("10.1.0.1")), []);
}

#[test]
fn phones_that_say_nothing_of_themselves_are_found_by_their_address() {
    let mut world = World::new();
    let mut phone = Raw::new("250", "10.1.0.1:5060");
    phone.user_agent = "Phone/1.0".into();
    assert_eq!(status(&phone.register(&mut world, 1, CONTACT)), 401);
    let told = refused(&mut world, None, Some("10.1.0.1"));
    assert_eq!(codes(&told), [Code::UnrecognisedPhone]);
    let two = "Contact: <sip:x@10.1.0.1>, <sip:y@10.1.0.1>\n";
    assert_eq!(status(&phone.register(&mut world, 2, two)), 403);
    assert_eq!(codes(&refused(&mut world, None, Some("10.1.0.1"))), [Code::SeveralContacts]);
    assert_logged(&world, "10.1.0.1", "several-contacts");
}

#[test]
fn a_call_that_is_challenged_is_no_refusal_of_another_phone() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.phones.get_mut(&alice).unwrap().secret = Secret::Wrong;
    world.dial(alice, "2002");
    world.unregister(bob);
    let device = world.phones[&bob].device.unwrap();
    assert_eq!(world.inspect(device).refused, None);
    assert_eq!(refused(&mut world, None, Some("10.1.0.2")), []);
}

#[test]
fn what_a_known_phone_does_wrong() {
    let mut world = World::new();
    let device = world.open_phone("SEP001122AABB01", "2001");
    let mut code = |user: &str, lines: &str| {
        let mut phone = Raw::new(user, "10.1.0.1:5060");
        phone.register(&mut world, 1, lines);
        world.inspect(device).refused.map(|last| last.refusal.code)
    };
    assert_eq!(code("2001", "Contact: <sip:x@h>\nExpires: 5\n"), Some(Code::RegistrationTooBrief));
    assert_eq!(code("2002", "Contact: <sip:x@h>\n"), Some(Code::NotItsLine));
    assert_eq!(code("2001", "Contact: <sip:x@h>\n"), None);
}
