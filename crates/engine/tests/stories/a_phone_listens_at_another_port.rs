//! A phone sends from one port and listens at another, the one in its Via and its Contact. Requests
//! and answers go where it listens; behind a NAT, and where it asks for `rport`, they go back to
//! where it sends from.

use std::net::SocketAddr;

use jackfield_engine::OperatorOrder;
use jackfield_sip::Message;
use jackfield_vocabulary::DeviceRestart;

use crate::world::{CallState, PhoneId, Raw, World, status};

const MOUTH: &str = "10.1.0.2:31000";

/// Alice's phone is as others are; Bob's sends from elsewhere.
fn two_phones() -> (World, PhoneId, PhoneId) {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.phones.get_mut(&bob).unwrap().mouth = Some(MOUTH.parse().unwrap());
    world.registered(alice);
    world.registered(bob);
    (world, alice, bob)
}

#[test]
fn it_rings_talks_and_hears_the_end() {
    let (mut world, alice, bob) = two_phones();
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.answer(bob);
    world.assert_state(alice, CallState::Talking);
    assert!(world.phones[&bob].call().acked);
    world.hold(alice);
    world.hang_up(alice);
    world.run(1);
    world.assert_state(bob, CallState::Over(0));
    world.assert_quiet();
    assert!(world.store.strays.is_empty(), "nothing went where it sends from");
}

#[test]
fn its_own_calls_end_too() {
    let (mut world, alice, bob) = two_phones();
    world.dial(bob, "2001");
    world.answer(alice);
    world.assert_state(bob, CallState::Talking);
    world.run(601);
    world.hang_up(alice);
    world.run(1);
    world.assert_state(bob, CallState::Over(0));
    world.assert_quiet();
    assert!(world.store.strays.is_empty(), "neither BYE nor OPTIONS went astray");
}

#[test]
fn a_caller_who_gives_up_is_heard() {
    let (mut world, alice, bob) = two_phones();
    world.dial(alice, "2002");
    world.hang_up(alice);
    world.run(1);
    assert!(matches!(world.state(bob), CallState::Over(_)));
    world.assert_quiet();
}

#[test]
fn it_is_told_to_restart() {
    let (mut world, _, bob) = two_phones();
    let device = world.phones[&bob].device.unwrap();
    world.order(OperatorOrder::Restart { device, restart: DeviceRestart::Restart });
    world.run(1);
    assert_eq!(world.phones[&bob].told.len(), 1);
}

#[test]
fn it_is_found_again_after_a_restart_of_the_node() {
    let (mut world, alice, bob) = two_phones();
    world.restart_node(7);
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
}

/// Where the node's NOTIFY goes.
fn told_at(via: &str, contact: &str) -> SocketAddr {
    let mut world = World::new();
    let device = world.open_phone("SEP001122AABB01", "2001");
    let mut phone = Raw::new("2001", MOUTH);
    phone.via = via.into();
    let lines = format!("Contact: {contact}\nExpires: 600\n");
    assert_eq!(status(&phone.register(&mut world, 1, &lines)), 200);
    world.store.strays.clear();
    world.order(OperatorOrder::Restart { device, restart: DeviceRestart::Restart });
    let (at, bytes) = world.store.strays.pop().unwrap();
    assert!(Message::parse_datagram(&bytes).unwrap().is_request());
    at
}

#[test]
fn where_requests_go() {
    for (via, contact, at) in [
        ("10.1.0.2:5062", "<sip:2001@10.1.0.2:5062>", "10.1.0.2:5062"),
        ("10.1.0.2", "<sip:2001@10.1.0.2>", "10.1.0.2:5060"),
        ("10.1.0.2:5062", "sip:2001@10.1.0.2:5070", "10.1.0.2:5070"),
        ("10.1.0.2:5062", "<sip:2001@10.1.0.2:5062;transport=UDP>", "10.1.0.2:5062"),
        // It asks to be answered where it sends from.
        ("10.1.0.2:5062;rport", "<sip:2001@10.1.0.2:5062>", MOUTH),
        ("10.1.0.2:5062;rport=5062", "<sip:2001@10.1.0.2:5062>", MOUTH),
        // A NAT stands between.
        ("192.168.1.7:5062", "<sip:2001@192.168.1.7:5062>", MOUTH),
        ("192.168.1.7:5062", "<sip:2001@10.1.0.2:5062>", MOUTH),
        ("10.1.0.2:5062", "<sip:2001@192.168.1.7:5062>", MOUTH),
        ("phone.example:5062", "<sip:2001@phone.example:5062>", MOUTH),
        // Nobody sends our requests to others.
        ("10.1.0.2:5062", "<sip:2001@198.51.100.9:53>", MOUTH),
        ("10.1.0.2:5062", "<sip:2001@10.1.0.2:5062;transport=tcp>", MOUTH),
    ] {
        assert_eq!(told_at(via, contact), at.parse().unwrap(), "{via} {contact}");
    }
}
