//! A phone with several lines: an enterprise phone registers once for all of them, others line by
//! line.

use jackfield_model::Kind;
use serde_json::json;

use crate::world::{CallState, PhoneId, World};

fn with_two_lines(world: &mut World, model: &str) -> PhoneId {
    let id = world.phone_of_model("SEP001122AABB02", "2002", model);
    world.create(Kind::Line, json!({ "number": "2003" }));
    let device = world.phones[&id].device.unwrap();
    world.change(device, json!({ "lines": [{ "line": "2002" }, { "line": "2003" }] }));
    id
}

#[test]
fn an_enterprise_phone_registers_one_line_and_has_all() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = with_two_lines(&mut world, "Cisco 7841");
    world.registered(alice);
    world.registered(bob);
    for number in ["2002", "2003"] {
        world.dial(alice, number);
        world.assert_state(bob, CallState::Ringing);
        let to = world.phones[&bob].call().message.clone().unwrap();
        assert!(to.first(jackfield_sip::HeaderName::To).unwrap().contains(number));
        world.hang_up(alice);
        world.run(1);
    }
}

#[test]
fn another_phone_registers_line_by_line() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = with_two_lines(&mut world, "Generic SIP phone");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2003");
    world.assert_state(alice, CallState::Over(480));
    // Its second line comes up.
    world.phones.get_mut(&bob).unwrap().user = "2003".into();
    world.reboot(bob);
    world.registered(bob);
    assert_eq!(world.overview().registered, 2, "one device, however many lines");
    for number in ["2002", "2003"] {
        world.dial(alice, number);
        world.assert_state(bob, CallState::Ringing);
        world.hang_up(alice);
        world.run(1);
    }
    // It takes its second line away, and keeps the first.
    world.unregister(bob);
    world.dial(alice, "2003");
    world.assert_state(alice, CallState::Over(480));
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
}

#[test]
fn lines_that_come_by_one_call_id_are_all_there_after_a_restart_of_the_node() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = with_two_lines(&mut world, "Generic SIP phone");
    world.registered(alice);
    for line in ["2002", "2003"] {
        world.phones.get_mut(&bob).unwrap().user = line.into();
        world.registered(bob);
    }
    world.restart_node(2);
    world.registered(alice);
    for number in ["2002", "2003"] {
        world.dial(alice, number);
        world.assert_state(bob, CallState::Ringing);
        world.hang_up(alice);
        world.run(1);
    }
}
