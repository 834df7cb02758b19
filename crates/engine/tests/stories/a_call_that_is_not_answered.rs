//! Calls that come to nothing: given up, refused, nobody there.

use jackfield_sip::Status;
use jackfield_vocabulary::Cause;

use crate::world::{CallState, PhoneId, World};

fn two_phones() -> (World, PhoneId, PhoneId) {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    (world, alice, bob)
}

#[test]
fn the_caller_hangs_up_while_it_rings() {
    let (mut world, alice, bob) = two_phones();
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.hang_up(alice);
    world.run(1);
    world.assert_state(bob, CallState::Over(487));
    world.assert_quiet();
    assert_eq!(world.heard.records[0].cause, Cause::Cancelled);
}

#[test]
fn the_called_phone_refuses() {
    for (status, heard) in [
        (Status::BUSY_HERE, 486),
        (Status::DECLINE, 603),
        (Status::NOT_ACCEPTABLE_HERE, 488),
        (Status::SERVER_INTERNAL_ERROR, 500),
    ] {
        let (mut world, alice, bob) = two_phones();
        world.phones.get_mut(&bob).unwrap().refuses = Some(status);
        world.dial(alice, "2002");
        world.run(1);
        world.assert_state(alice, CallState::Over(heard));
        world.assert_quiet();
    }
}

#[test]
fn the_called_phone_is_not_registered() {
    let (mut world, alice, bob) = two_phones();
    world.unregister(bob);
    world.dial(alice, "2002");
    world.assert_state(alice, CallState::Over(480));
    world.assert_quiet();
}

#[test]
fn the_called_phone_is_gone_without_a_word() {
    let (mut world, alice, bob) = two_phones();
    world.network.cut_off.push(bob);
    world.dial(alice, "2002");
    world.run(40);
    world.assert_state(alice, CallState::Over(480));
    world.assert_quiet();
}

#[test]
fn nobody_answers_in_time_and_the_call_goes_on_to_the_next_number() {
    let (mut world, alice, bob) = two_phones();
    let carol = world.phone("SEP001122AABB03", "2003");
    world.registered(carol);
    let line = world.directory.lines_with("2002").next().unwrap().0.id();
    let onward = serde_json::json!({ "forwards": { "no_answer": { "destination": "2003" } } });
    world.change(line, onward);
    world.dial(alice, "2002");
    world.run(11);
    world.assert_state(bob, CallState::Ringing);
    world.run(3);
    world.assert_state(bob, CallState::Over(487));
    world.assert_state(carol, CallState::Ringing);
    let invite = world.phones[&carol].call().message.clone().unwrap();
    let diversion = invite.first(jackfield_sip::HeaderName::Diversion).unwrap();
    assert!(diversion.contains("sip:2002@") && diversion.contains("reason=no-answer"));
    world.answer(carol);
    world.assert_state(alice, CallState::Talking);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

/// Most phones say so once, and no more than that (RFC 3261 section 13.3.1.1 asks for once a minute).
#[test]
fn a_phone_that_says_once_that_it_rings_rings_for_as_long_as_its_line_may() {
    let (mut world, alice, bob) = two_phones();
    let carol = world.phone("SEP001122AABB03", "2003");
    world.registered(carol);
    let line = world.directory.lines_with("2002").next().unwrap().0.id();
    let no_answer = serde_json::json!({ "destination": "2003" });
    let forwards = serde_json::json!({ "no_answer": no_answer, "no_answer_seconds": 290 });
    world.change(line, serde_json::json!({ "forwards": forwards }));
    world.dial(alice, "2002");
    world.run(285);
    world.assert_state(bob, CallState::Ringing);
    world.run(6);
    world.assert_state(bob, CallState::Over(487));
    world.assert_state(carol, CallState::Ringing);
}

#[test]
fn nobody_answers_at_all_and_nobody_else_is_to_be_asked() {
    let (mut world, alice, bob) = two_phones();
    world.dial(alice, "2002");
    world.run(400);
    world.assert_state(bob, CallState::Over(487));
    world.assert_state(alice, CallState::Over(480));
    world.assert_quiet();
}

#[test]
fn a_number_that_is_not_there() {
    for number in ["7777", "nobody", "20029", "x-service-cfwdall", &"7".repeat(70)] {
        let (mut world, alice, _) = two_phones();
        world.dial(alice, number);
        world.assert_state(alice, CallState::Over(404));
        world.assert_quiet();
    }
}

/// RFC 3261 section 13.3.1: after the time that the caller gave it the invitation is over.
#[test]
fn an_invitation_expires_when_it_says_so() {
    let (mut world, alice, bob) = two_phones();
    world.phones.get_mut(&alice).unwrap().says.push(("Expires".into(), "20".into()));
    world.dial(alice, "2002");
    world.run(19);
    world.assert_state(bob, CallState::Ringing);
    world.run(2);
    world.assert_state(bob, CallState::Over(487));
    world.assert_state(alice, CallState::Over(487));
    world.assert_quiet();
    // Once it is answered the time has no meaning.
    world.dial(alice, "2002");
    world.answer(bob);
    world.run(30);
    world.assert_state(alice, CallState::Talking);
}

/// What the called phone says of its progress reaches the caller as it was said.
#[test]
fn progress_is_told_as_it_is() {
    let (mut world, alice, bob) = two_phones();
    world.phones.get_mut(&bob).unwrap().rings = false;
    world.dial(alice, "2002");
    for status in
        ["182 Queued", "183 Session Progress", "181 Call Is Being Forwarded", "180 Ringing"]
    {
        world.answer_raw(bob, status, ";tag=b", "", "");
    }
    world.answer_raw(bob, "183 Session Progress", ";tag=b", "", "");
    let heard = world.transcript.iter().filter(|line| line.contains(" 10.1.0.1:5060 \"SIP/2.0 18"));
    let heard: Vec<_> = heard.map(|line| &line[line.find("2.0 ").unwrap() + 4..][..3]).collect();
    assert_eq!(heard, ["182", "183", "181", "180"]);
    world.answer(bob);
    world.assert_state(alice, CallState::Talking);
}

#[test]
fn an_answer_that_crosses_the_hanging_up_is_ended_properly() {
    let (mut world, alice, bob) = two_phones();
    world.network.delay = 300;
    world.dial(alice, "2002");
    world.run(3);
    world.assert_state(bob, CallState::Ringing);
    world.hang_up(alice);
    world.answer(bob);
    world.run(5);
    world.assert_state(bob, CallState::Over(0));
    world.assert_quiet();
}

#[test]
fn a_line_on_two_phones_rings_on_both_and_stops_where_it_is_not_answered() {
    let (mut world, alice, bob) = two_phones();
    let second = world.phone("SEP001122AABB03", "2002");
    world.registered(second);
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.assert_state(second, CallState::Ringing);
    world.answer(second);
    world.assert_state(alice, CallState::Talking);
    world.assert_state(bob, CallState::Over(487));
    world.hang_up(alice);
    world.assert_quiet();
}
