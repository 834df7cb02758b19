//! A flood of phones that nobody knows: bounded work, and the others go on.

use jackfield_engine::Level;
use jackfield_model::Kind;
use serde_json::json;

use crate::world::{NODE, Reply, World};

fn registration(mac: u32, call: u32, source: &str) -> String {
    format!(
        "REGISTER sip:192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP {source};branch=z9hG4bK{call};rport\n\
         Max-Forwards: 70\nFrom: <sip:0011{mac:08X}@192.0.2.10>;tag=1\n\
         To: <sip:0011{mac:08X}@192.0.2.10>\nCall-ID: flood-{call}\nCSeq: 1 REGISTER\n\
         Contact: <sip:x@{source}>\nExpires: 3600\nContent-Length: 0\n\n"
    )
}

#[test]
fn one_source_with_ever_new_addresses_is_held_to_the_rate() {
    let mut world = World::new();
    let settings = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
    world.change(settings, json!({ "per_minute": 100 }));
    let honest = world.phone("SEP0011FFFFFF01", "2001");
    world.store.reply = Reply::Gone;
    for mac in 0..3000 {
        world.send_raw("10.66.6.6:5060", &registration(mac, mac, "10.66.6.6:5060"));
    }
    assert!(world.heard.submitted <= 75, "{} were submitted", world.heard.submitted);
    assert_eq!(world.register(honest), 200);
    world.store.reply = Reply::After(3);
    world.run(60);
    assert_eq!(world.counter("timers"), 1, "only the honest phone's expiry is left");
}

#[test]
fn a_flood_from_many_sources_is_held_to_the_rate_of_all() {
    let mut world = World::new();
    world.store.reply = Reply::Gone;
    for mac in 0..5000_u32 {
        let [_, _, high, low] = mac.to_be_bytes();
        let source = format!("10.99.{high}.{low}:5060");
        world.send_raw(&source, &registration(mac, mac, &source));
    }
    assert!(world.heard.submitted <= 600, "{} were submitted", world.heard.submitted);
    world.store.reply = Reply::After(3);
    world.run(60);
    assert_eq!(world.counter("timers"), 0);
}

#[test]
fn the_log_tells_how_many_of_a_flood_had_no_line() {
    let mut world = World::new();
    let settings = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
    world.change(settings, json!({ "disabled": true }));
    let source = "10.66.6.6:5060";
    for mac in 0..500 {
        world.send_raw(source, &registration(mac, mac, source));
    }
    let first = lines(&world, "unknown phone turned away");
    assert_eq!(first.len(), 20);
    assert!(first.iter().flatten().all(|(name, _)| *name != "requests.untold"));
    world.run(3);
    world.send_raw(source, &registration(500, 500, source));
    let all = lines(&world, "unknown phone turned away");
    assert_eq!(all[20].last(), Some(&("requests.untold", "480".to_owned())));
}

/// The fields of the lines of the log with this text.
fn lines(world: &World, text: &str) -> Vec<Vec<(&'static str, String)>> {
    let notes = world.heard.notes.iter().filter(|note| note.text == text);
    notes.map(|note| note.fields.clone()).collect()
}

#[test]
fn a_made_up_phone_for_each_datagram_does_not_fill_the_log() {
    let mut world = World::new();
    let source = "10.66.6.6:5060";
    for mac in 0..500 {
        let brief = registration(mac, mac, source).replace("Expires: 3600", "Expires: 1");
        world.send_raw(source, &brief);
    }
    assert_eq!(lines(&world, "registration refused").len(), 20);
    assert_eq!(world.store.strays.len(), 500, "each is told what is wrong");
}

/// Whoever is a new phone may come and go as often as it likes.
#[test]
fn a_new_phone_that_comes_and_goes_does_not_fill_the_log() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    world.registered(alice);
    world.unregister(alice);
    let new = world.stranger("SEP001122AABB09", "001122AABB09");
    let phone = world.phones.get_mut(&new).unwrap();
    (phone.transport, phone.connection) = (jackfield_sip::Transport::Tcp, Some(7));
    for _ in 0..50 {
        assert!([200, 401].contains(&world.register(new)));
        world.unregister(new);
    }
    let gone = world.heard.notes.iter().filter(|note| note.text == "device unregistered");
    let levels: Vec<Level> = gone.map(|note| note.level).collect();
    assert_eq!(levels.iter().filter(|level| **level >= Level::Info).count(), 1, "Alice's");
    assert!(levels.len() > 20);
}

/// Ten calls a second: the administrator does not want a row for each, nor a line of the log.
#[test]
fn a_new_phone_that_calls_and_calls_fills_neither_the_records_nor_the_log() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    world.registered(alice);
    let new = world.stranger("SEP001122AABB09", "001122AABB09");
    world.registered(new);
    for _ in 0..200 {
        world.dial(new, "119");
    }
    assert_eq!((world.heard.records.len(), world.heard.alarms.len()), (63, 1));
    assert_eq!(world.counter("calls-without-record"), 137);
    world.dial(alice, "119");
    assert_eq!((world.heard.records.len(), world.heard.alarms.len()), (64, 2), "told at once");
    world.run(60);
    world.dial(new, "119");
    assert_eq!(world.heard.alarms[2].values.last(), Some(&("untold", "199".to_owned())));
}

#[test]
fn invitations_that_are_never_acknowledged_leave_nothing() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.phones.get_mut(&alice).unwrap().acknowledges = false;
    for _ in 0..3 {
        world.dial(alice, "2002");
        world.answer(bob);
    }
    world.run(70);
    world.assert_quiet();
    assert_eq!(world.counter("sip-transactions"), 0);
}

/// Operations that nobody ever heard of again don't keep new phones out for good.
#[test]
fn after_a_store_that_never_answered_new_phones_are_taken_in_again() {
    let mut world = World::new();
    let settings = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
    world.change(settings, json!({ "per_minute": 100_000 }));
    world.store.reply = Reply::Gone;
    for mac in 0..2500_u32 {
        let [_, _, high, low] = mac.to_be_bytes();
        let source = format!("10.99.{high}.{low}:5060");
        world.send_raw(&source, &registration(mac, mac, &source));
        if mac % 500 == 499 {
            world.run(4);
        }
    }
    assert!(world.heard.submitted > 2000, "{} were submitted", world.heard.submitted);
    world.store.reply = Reply::After(3);
    world.run(60);
    let honest = world.stranger("SEP0011FFFFFF02", "0011FFFFFF02");
    assert_eq!(world.register(honest), 200);
}

/// Whoever uses the name of one new phone at ever new addresses is no trouble to another one.
#[test]
fn a_new_phone_is_waited_for_whatever_is_said_in_the_name_of_another() {
    let mut world = World::new();
    let [first, second] =
        ["001122AABB01", "001122AABB02"].map(|mac| world.stranger(&format!("SEP{mac}"), mac));
    world.registered(first);
    world.registered(second);
    world.unregister(first);
    // Longer than a new phone is waited for that was asked for its secret.
    world.run(700);
    for call in 0..10_001_u32 {
        let [_, _, high, low] = call.to_be_bytes();
        let source = format!("10.99.{high}.{low}:5060");
        let asked = registration(0, call, &source).replace("001100000000", "001122AABB01");
        world.send_raw(&source, &asked);
    }
    world.reboot(second);
    assert_eq!(world.register(second), 401, "it may have fetched its secret, so it is asked");
    assert_eq!(world.register(second), 200, "it has none, and is still new");
}

/// Who never acknowledges the answer and goes on in the call: nothing of that is kept when it is over.
#[test]
fn an_answer_that_is_never_acknowledged_is_forgotten_with_its_call() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.phones.get_mut(&alice).unwrap().acknowledges = false;
    world.dial(alice, "2002");
    world.answer(bob);
    world.hold(alice);
    world.hang_up(alice);
    world.run(70);
    world.assert_quiet();
    let state: serde_json::Value = serde_json::from_slice(&world.engine.snapshot()).unwrap();
    let legs = &state["devices"]["legs"];
    for kept in ["legs", "invites", "dialogs"] {
        assert!(legs[kept].as_array().is_none_or(Vec::is_empty), "{kept}: {}", legs[kept]);
        assert!(legs[kept].as_object().is_none_or(serde_json::Map::is_empty), "{kept}");
        assert!(!legs[kept].is_null(), "{kept}: {legs}");
    }
}

#[test]
fn invitations_without_credentials_are_asked_for_them_and_forgotten() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    for call in 0..3000_u32 {
        let [_, _, high, low] = call.to_be_bytes();
        let invite = format!(
            "INVITE sip:2002@192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP 10.9.{high}.{low};branch=z9hG4bK{call}\n\
             Max-Forwards: 70\nFrom: <sip:2001@192.0.2.10>;tag=1\nTo: <sip:2002@192.0.2.10>\n\
             Call-ID: flood-{call}\nCSeq: 1 INVITE\nContact: <sip:x@10.9.9.9>\nContent-Length: 0\n\n"
        );
        world.send_raw(&format!("10.9.{high}.{low}:5060"), &invite);
    }
    assert_eq!(world.counter("sip-transactions"), 0);
    assert_eq!(world.store.strays.len(), 3000, "each is asked");
    world.dial(alice, "2002");
    world.assert_state(bob, crate::world::CallState::Ringing);
}
