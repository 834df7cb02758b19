//! A phone is deleted, or another one takes its place: it hears of it, and does not go on showing a
//! number that it has not any more.

use jackfield_model::Operation;

use crate::world::{CallState, PhoneId, World};

fn registered(world: &mut World, model: &str) -> PhoneId {
    let phone = world.phone_of_model("SEP001122AABB01", "2001", model);
    world.registered(phone);
    phone
}

fn delete(world: &mut World, phone: PhoneId) {
    let id = world.phones[&phone].device.unwrap();
    world.admin(&Operation::Delete { id, version: None });
    world.run(1);
}

#[test]
fn each_make_is_told_in_its_own_words() {
    for (model, event, body) in [
        ("Generic SIP phone", "check-sync;reboot=true", ""),
        ("Yealink phone", "check-sync;reboot=true", ""),
        ("Cisco 8841 multiplatform", "reboot", ""),
        ("Cisco 7841", "service-control", "action=reset\r\nRegisterCallId={reg-1}\r\n"),
        ("Virtual phone", "service-control", "action=reset\r\nRegisterCallId={reg-1}\r\n"),
    ] {
        let mut world = World::new();
        let phone = registered(&mut world, model);
        delete(&mut world, phone);
        let told = &world.phones[&phone].told;
        assert_eq!(told.len(), 1, "{model}: {told:?}");
        assert_eq!((&*told[0].0, &*told[0].1), ("NOTIFY", event), "{model}");
        assert!(told[0].2.starts_with(body), "{model}: {}", told[0].2);
        assert_eq!(world.overview().registered, 0);
        assert!(world.store.strays.is_empty());
        let note = world.heard.notes.iter().rfind(|note| note.text == "device unregistered");
        assert_eq!(note.unwrap().fields[0].1, "SEP001122AABB01", "the log names it");
    }
}

#[test]
fn one_that_asks_for_proof_gets_its_own_secret() {
    let mut world = World::new();
    let phone = registered(&mut world, "Generic SIP phone");
    world.phones.get_mut(&phone).unwrap().challenges = true;
    delete(&mut world, phone);
    assert_eq!(world.phones[&phone].proofs, [true]);
}

#[test]
fn the_old_phone_hears_of_it_when_a_new_one_takes_its_place() {
    let mut world = World::new();
    let old = registered(&mut world, "Cisco 7841");
    let new = world.stranger("SEP001122AABB02", "001122AABB02");
    assert_eq!(world.register(new), 200);
    world.run(5);
    world.phones.get_mut(&new).unwrap().told.clear();
    let before = world.phones[&old].device.unwrap();
    let after = world.directory.device("SEP001122AABB02").unwrap();
    world.admin(&Operation::ReplacePhone { old: before, new: after });
    world.run(1);
    assert_eq!(world.phones[&old].told.len(), 1);
    assert_eq!(world.phones[&old].told[0].1, "service-control");
    // It comes back as what it is: a phone nobody knows.
    world.reboot(old);
    let phone = world.phones.get_mut(&old).unwrap();
    (phone.user, phone.secret) = ("SEP001122AABB01".into(), crate::world::Secret::None);
    assert_eq!(world.register(old), 200);
    assert_eq!(world.directory.unassigned_count(), 1);
}

#[test]
fn its_call_ends_before_it_restarts() {
    let mut world = World::new();
    let alice = registered(&mut world, "Generic SIP phone");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    world.transcript.clear();
    delete(&mut world, alice);
    world.assert_state(alice, CallState::Over(0));
    world.assert_state(bob, CallState::Over(0));
    let said = |method: &str| world.transcript.iter().position(|line| line.contains(method));
    assert!(said("\"BYE ") < said("\"NOTIFY "), "{:?}", world.transcript);
    world.assert_quiet();
}

#[test]
fn many_at_once_are_all_told() {
    let mut world = World::new();
    let mut phones = Vec::new();
    for number in 1..=20 {
        let name = format!("SEP001122AABB{number:02}");
        let phone = world.phone(&name, &format!("20{number:02}"));
        world.registered(phone);
        phones.push(phone);
    }
    let deletions = phones
        .iter()
        .map(|phone| Operation::Delete { id: world.phones[phone].device.unwrap(), version: None });
    let operation = Operation::Batch(deletions.collect());
    world.admin(&operation);
    world.run(1);
    for phone in phones {
        assert_eq!(world.phones[&phone].told.len(), 1, "{}", world.phones[&phone].name);
    }
    assert_eq!(world.overview().registered, 0);
}

#[test]
fn one_that_is_not_there_is_told_nothing() {
    let mut world = World::new();
    let phone = registered(&mut world, "Generic SIP phone");
    world.unregister(phone);
    delete(&mut world, phone);
    assert!(world.phones[&phone].told.is_empty());
}
