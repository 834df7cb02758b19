//! A phone refreshes with the nonce it holds: one request, one answer. What was heard on the wire is
//! no use to anybody else.

use core::time::Duration;

use jackfield_engine::Input;
use jackfield_sip::Flow;

use crate::world::World;

#[test]
fn a_refresh_takes_one_request() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    for refresh in 1..=5 {
        world.run(1800);
        assert_eq!(world.register(phone), 200);
        assert_eq!(world.phones[&phone].registrations_sent, 2 + refresh);
    }
    assert_eq!(world.overview().registered, 1);
}

#[test]
fn a_nonce_that_is_too_old_is_replaced_without_a_failure() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    world.run(3 * 86_400);
    assert_eq!(world.register(phone), 200);
    assert_eq!(world.phones[&phone].registrations_sent, 4, "challenged with stale once");
}

#[test]
fn a_refresh_sent_again_by_somebody_else_moves_nothing() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    world.send_register(phone, 3600);
    let copy = world.in_flight().last().unwrap().clone();
    world.run(2);
    let Input::Sip { message, flow } = copy else { panic!() };
    let device = world.phones[&phone].device.unwrap();
    // A moment later the phone has gone on; the copy comes from another place.
    assert_eq!(world.register(phone), 200);
    let flow = Flow::udp(flow.local, "10.66.6.6:5060".parse().unwrap());
    world.store.strays.clear();
    world.input(Input::Sip { flow, message });
    let answer = String::from_utf8(world.store.strays[0].1.clone()).unwrap();
    assert!(answer.starts_with("SIP/2.0 401"), "{answer}");
    assert!(answer.contains("stale=true"), "{answer}");
    let state = world.inspect(device);
    assert_eq!(state.address.as_deref(), Some("10.1.0.1:5060 udp"));
}

#[test]
fn the_last_refresh_sent_again_with_another_contact_moves_nothing() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    world.send_register(phone, 3600);
    let copy = world.in_flight().last().unwrap().clone();
    world.run(2);
    let Input::Sip { message, flow } = copy else { panic!() };
    let forged = String::from_utf8(message).unwrap();
    let forged = forged.replace("<sip:2001@10.1.0.1:5060>", "<sip:2001@10.66.6.6:5060>");
    let before = world.heard.bindings.clone();
    let flow = Flow::udp(flow.local, "10.66.6.6:5060".parse().unwrap());
    world.input(Input::Sip { flow, message: forged.into_bytes() });
    assert_eq!(world.heard.bindings, before);
}

#[test]
fn a_refresh_whose_answer_was_lost_gets_the_same_answer() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    world.network.doubled = 100;
    assert_eq!(world.register(phone), 200);
    assert_eq!(world.phones[&phone].registrations_sent, 3);
    world.network.doubled = 0;
    world.network.lost = 60;
    assert_eq!(world.register(phone), 200, "the phone repeats its request until it is through");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.overview().registered, 1);
}

/// RFC 3261, section 8.2.7.
#[test]
fn a_request_that_is_sent_again_gets_the_same_challenge() {
    let mut world = World::new();
    world.phone("SEP001122AABB01", "2001");
    let mut challenge = |branch: &str| {
        let request = format!(
            "REGISTER sip:192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP 10.7.7.7;branch=z9hG4bK{branch}\n\
             Max-Forwards: 70\nFrom: <sip:SEP001122AABB01@192.0.2.10>;tag=1\n\
             To: <sip:SEP001122AABB01@192.0.2.10>\nCall-ID: c\nCSeq: 1 REGISTER\n\
             Contact: <sip:SEP001122AABB01@10.7.7.7>\nContent-Length: 0\n\n"
        );
        world.send_raw("10.7.7.7:5060", &request);
        String::from_utf8(world.store.strays.pop().unwrap().1).unwrap()
    };
    let first = challenge("a");
    assert!(first.starts_with("SIP/2.0 401 "), "{first}");
    assert_eq!(challenge("a"), first);
    assert_ne!(challenge("b").replace("Kb", "Ka"), first, "another request, another nonce");
}
