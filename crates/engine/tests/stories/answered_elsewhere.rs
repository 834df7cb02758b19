//! A line on several phones: those whose ringing ends because one of them answered are told so, or they
//! would list a missed call (RFC 3326).

use jackfield_sip::{Method, Status};

use crate::world::{CallState, PhoneId, World, sdp};

const ELSEWHERE: &str = "Reason: SIP;cause=200;text=\\\"Call completed elsewhere\\\"";

/// A caller, and a line on three phones.
fn house() -> (World, PhoneId, [PhoneId; 3]) {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let line = ["SEP001122AABB02", "SEP001122AABB03", "SEP001122AABB04"];
    let line = line.map(|name| world.phone(name, "2002"));
    for phone in [&[alice], &line[..]].concat() {
        world.registered(phone);
    }
    (world, alice, line)
}

/// The CANCELs and BYEs that the engine sent, by address.
fn ends(world: &World) -> Vec<(bool, bool, String)> {
    let ends = world
        .transcript
        .iter()
        .filter(|line| line.contains("\"CANCEL ") || line.contains("\"BYE "));
    ends.map(|line| {
        let to = line.split(' ').nth(1).unwrap().to_owned();
        (line.contains("\"CANCEL "), line.contains(ELSEWHERE), to)
    })
    .collect()
}

#[test]
fn every_other_phone_of_the_line_is_told() {
    let (mut world, alice, [one, two, three]) = house();
    world.phones.get_mut(&three).unwrap().rings = false;
    world.dial(alice, "2002");
    world.answer(two);
    world.assert_state(alice, CallState::Talking);
    // The third has said nothing yet: its CANCEL waits until it does, and says why all the same.
    let third = world.phones[&three].call().message.clone().unwrap();
    assert_eq!(third.method(), Some(&Method::Invite));
    world.answer_raw(three, "180 Ringing", ";tag=late", "", "");
    let to = |phone: PhoneId| world.phones[&phone].local.to_string();
    assert_eq!(ends(&world), [(true, true, to(one)), (true, true, to(three))]);
}

#[test]
fn one_that_answers_too_late_is_told_when_its_call_ends() {
    let (mut world, alice, [one, two, three]) = house();
    world.phones.get_mut(&three).unwrap().refuses = Some(Status::BUSY_HERE);
    world.network.delay = 300;
    world.dial(alice, "2002");
    world.run(3);
    world.answer(one);
    world.answer(two);
    world.run(5);
    let mut byes: Vec<_> = ends(&world).into_iter().filter(|(cancel, ..)| !cancel).collect();
    // The way takes so long that it is sent twice.
    byes.dedup();
    assert_eq!(byes, [(false, true, world.phones[&two].local.to_string())]);
}

#[test]
fn a_caller_that_gives_up_leaves_missed_calls() {
    let (mut world, alice, _) = house();
    world.dial(alice, "2002");
    world.hang_up(alice);
    world.run(1);
    assert_eq!(ends(&world).len(), 3);
    assert!(ends(&world).iter().all(|(cancel, elsewhere, _)| *cancel && !elsewhere));
}

#[test]
fn so_does_a_line_that_rings_too_long() {
    let (mut world, alice, _) = house();
    world.dial(alice, "2002");
    world.run(400);
    assert_eq!(ends(&world).iter().filter(|(_, elsewhere, _)| *elsewhere).count(), 0);
}

/// Behind a phone's Contact is a proxy that forks: two of its phones are answered at the same time.
#[test]
fn the_second_of_two_that_answer_one_invite_is_acknowledged_and_ended() {
    let (mut world, alice, [bob, ..]) = house();
    world.dial(alice, "2002");
    for tag in ["one", "two", "two"] {
        let contact = format!("Contact: <sip:{tag}@{}>\n", world.phones[&bob].local);
        let body = sdp("10.1.0.2", 1, "sendrecv");
        world.answer_raw(bob, "200 OK", &format!(";tag={tag}"), &contact, &body);
    }
    world.assert_state(alice, CallState::Talking);
    let said = |what: &str, tag: &str| {
        let begins = format!("\"{what} sip:{tag}@");
        world.transcript.iter().filter(|line| line.contains(&begins)).count()
    };
    assert_eq!((said("ACK", "one"), said("BYE", "one")), (1, 0));
    assert!(said("ACK", "two") >= 2, "each time that it is said");
    assert!(said("BYE", "two") >= 1);
}
