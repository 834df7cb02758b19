//! A called phone refuses, or names other numbers (RFC 3261 section 8.1.3.4): the caller is told what it
//! means, and the call goes on with what the called line may call.

use jackfield_sip::{HeaderName, Status};
use jackfield_vocabulary::Cause;
use serde_json::json;

use crate::world::{CallState, PhoneId, World};

/// Phones with the numbers 2001 to 2004.
fn house() -> (World, [PhoneId; 4]) {
    let mut world = World::new();
    let phones =
        [1, 2, 3, 4].map(|n| world.phone(&format!("SEP001122AABB0{n}"), &format!("200{n}")));
    for phone in phones {
        world.registered(phone);
    }
    (world, phones)
}

fn set_forward(world: &mut World, number: &str, which: &str, to: &str) {
    let line = world.directory.lines_with(number).next().unwrap().0.id();
    world.change(line, json!({ "forwards": { which: { "destination": to } } }));
}

fn deflects(world: &mut World, phone: PhoneId, status: &str, contacts: &str) {
    world.answer_raw(phone, status, ";tag=b", contacts, "");
    world.run(1);
}

#[test]
fn each_refusal_reaches_the_caller_as_what_it_means() {
    for (said, heard) in [
        (400, 400),
        (401, 403),
        (403, 403),
        (404, 404),
        (405, 405),
        (407, 403),
        (410, 410),
        (420, 420),
        (421, 421),
        (433, 433),
        (480, 480),
        (484, 484),
        (486, 486),
        (487, 480),
        (499, 499),
        (500, 500),
        (501, 501),
        (503, 500),
        (504, 504),
        (600, 600),
        (603, 603),
        (699, 699),
    ] {
        let (mut world, [alice, bob, ..]) = house();
        world.phones.get_mut(&bob).unwrap().refuses = Status::new(said);
        world.dial(alice, "2002");
        world.run(1);
        world.assert_state(alice, CallState::Over(heard));
        let answer = world.phones[&alice].call().message.clone().unwrap();
        assert!(answer.first(HeaderName::Reason).unwrap().starts_with("Q.850;cause="), "{said}");
        world.assert_quiet();
    }
}

#[test]
fn the_best_of_several_refusals_is_told() {
    let (mut world, [alice, bob, ..]) = house();
    let second = world.phone("SEP001122AABB09", "2002");
    world.registered(second);
    world.phones.get_mut(&bob).unwrap().refuses = Status::new(404);
    world.phones.get_mut(&second).unwrap().refuses = Status::new(600);
    world.dial(alice, "2002");
    world.run(1);
    world.assert_state(alice, CallState::Over(600));
}

#[test]
fn a_call_follows_the_phone_that_sends_it_on() {
    for status in ["300 x", "301 Moved Permanently", "302 Moved Temporarily", "380 x"] {
        let (mut world, [alice, bob, carol, _]) = house();
        world.dial(alice, "2002");
        deflects(&mut world, bob, status, "Contact: <sip:2003@192.0.2.10>\n");
        world.assert_state(carol, CallState::Ringing);
        let invite = world.phones[&carol].call().message.clone().unwrap();
        let diversion = invite.first(HeaderName::Diversion).unwrap();
        assert!(diversion.contains("sip:2002@") && diversion.contains("reason=deflection"));
        world.answer(carol);
        world.assert_state(alice, CallState::Talking);
        assert_eq!(world.phones[&alice].call().shown, "2003 User 2003");
        world.hang_up(alice);
        world.run(1);
        world.assert_quiet();
        assert_eq!(&*world.heard.records[0].reached, "2003");
    }
}

#[test]
fn several_numbers_are_tried_the_preferred_one_first() {
    let (mut world, [alice, bob, carol, dave]) = house();
    world.phones.get_mut(&dave).unwrap().refuses = Some(Status::BUSY_HERE);
    world.dial(alice, "2002");
    let contacts = "Contact: <sip:2003@192.0.2.10>;q=0.2, <sip:7777@192.0.2.10>;q=1\n\
        Contact: <tel:2004>;q=0.8\n";
    deflects(&mut world, bob, "302 x", contacts);
    assert_eq!(world.phones[&dave].calls.len(), 1, "dave is asked first, and is busy");
    world.assert_state(carol, CallState::Ringing);
    world.refuse(carol, Status::DECLINE);
    world.assert_state(alice, CallState::Over(603));
    world.assert_quiet();
}

#[test]
fn it_may_call_only_what_the_called_line_may_call() {
    let (mut world, [alice, bob, carol, _]) = house();
    let secret = world.create(jackfield_model::Kind::Partition, json!({ "name": "Board" }));
    let line = world.directory.lines_with("2003").next().unwrap().0.id();
    world.change(line, json!({ "partition": "Board" }));
    let spaces = json!({ "name": "All", "partitions": ["Board"] });
    world.create(jackfield_model::Kind::CallingSearchSpace, spaces);
    let of =
        |world: &World, number: &str| world.directory.lines_with(number).next().unwrap().0.id();
    let alices = of(&world, "2001");
    world.change(alices, json!({ "css": "All" }));
    world.dial(alice, "2002");
    deflects(&mut world, bob, "302 x", "Contact: <sip:2003@192.0.2.10>\n");
    world.assert_state(carol, CallState::None);
    world.assert_state(alice, CallState::Over(480));
    let bobs = of(&world, "2002");
    world.change(bobs, json!({ "css": "All" }));
    world.dial(alice, "2002");
    deflects(&mut world, bob, "302 x", "Contact: <sip:2003@192.0.2.10>\n");
    world.assert_state(carol, CallState::Ringing);
    let _ = secret;
}

#[test]
fn circles_end() {
    let (mut world, [alice, bob, carol, _]) = house();
    for to in ["2002", "2001"] {
        world.dial(alice, "2002");
        deflects(&mut world, bob, "302 x", &format!("Contact: <sip:{to}@192.0.2.10>\n"));
        assert!(matches!(world.state(alice), CallState::Over(482 | 486)), "{to}");
    }
    world.dial(alice, "2002");
    deflects(&mut world, bob, "302 x", "Contact: <sip:2003@192.0.2.10>\n");
    deflects(&mut world, carol, "302 x", "Contact: <sip:2002@192.0.2.10>\n");
    world.assert_state(alice, CallState::Over(482));
    world.assert_quiet();
    let settings = world.directory.all::<jackfield_model::ClusterSettings>().next().unwrap().0.id();
    world.change(settings, json!({ "maximum_forwards": 1 }));
    world.dial(alice, "2002");
    deflects(&mut world, bob, "302 x", "Contact: <sip:2003@192.0.2.10>\n");
    deflects(&mut world, carol, "302 x", "Contact: <sip:2004@192.0.2.10>\n");
    world.assert_state(alice, CallState::Over(482));
    world.assert_quiet();
}

#[test]
fn without_a_number_of_ours_the_lines_own_forward_counts() {
    for contacts in ["", "Contact: <sip:2004@203.0.113.7>\n", "Contact: <sip:7777@192.0.2.10>\n"] {
        let (mut world, [alice, bob, carol, dave]) = house();
        world.dial(alice, "2002");
        deflects(&mut world, bob, "302 x", contacts);
        world.assert_state(alice, CallState::Over(480));
        world.assert_state(dave, CallState::None);
        assert_eq!(world.heard.records.last().unwrap().cause, Cause::NoAnswer);
        set_forward(&mut world, "2002", "no_answer", "2003");
        world.dial(alice, "2002");
        deflects(&mut world, bob, "302 x", contacts);
        world.assert_state(carol, CallState::Ringing);
    }
}

#[test]
fn while_others_of_the_line_ring_they_may_answer() {
    let (mut world, [alice, bob, carol, _]) = house();
    let second = world.phone("SEP001122AABB09", "2002");
    world.registered(second);
    world.dial(alice, "2002");
    deflects(&mut world, bob, "302 x", "Contact: <sip:2003@192.0.2.10>\n");
    world.assert_state(second, CallState::Ringing);
    world.assert_state(carol, CallState::None);
    world.refuse(second, Status::BUSY_HERE);
    world.run(1);
    world.assert_state(carol, CallState::Ringing);
}
