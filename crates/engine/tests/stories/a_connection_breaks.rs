//! Phones over TCP: requests use the connection the phone made; when it is gone, the phone is called
//! back, and comes back itself.

use jackfield_engine::Input;
use jackfield_sip::Flow;

use crate::world::{CallState, SERVER, World};

#[test]
fn a_call_reaches_an_enterprise_phone_over_its_own_connection() {
    let mut world = World::new();
    let alice = world.phone_of_model("SEP001122AABB01", "2001", "Cisco 7841");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.answer(bob);
    world.assert_state(alice, CallState::Talking);
    world.hang_up(bob);
    world.run(1);
    world.assert_quiet();
    assert!(world.store.strays.is_empty());
}

#[test]
fn a_phone_whose_connection_broke_is_called_back_at_its_contact() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    world.registered(alice);
    world.registered(bob);
    let phone = &world.phones[&bob];
    let flow = Flow::new(phone.transport, SERVER.parse().unwrap(), phone.local).connected(2000);
    world.input(Input::FlowClosed { flow });
    assert_eq!(world.overview().registered, 2, "it is still registered");
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

#[test]
fn a_phone_that_comes_back_over_a_new_connection_keeps_its_call() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    world.phones.get_mut(&bob).unwrap().connection = Some(2001);
    world.registered(bob);
    world.hang_up(alice);
    world.run(1);
    world.assert_state(bob, CallState::Over(0));
    world.assert_quiet();
}

#[test]
fn requests_that_wait_on_a_broken_connection_fail_at_once() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    world.registered(alice);
    world.registered(bob);
    world.phones.get_mut(&bob).unwrap().silent = true;
    world.dial(alice, "2002");
    let phone = &world.phones[&bob];
    let flow = Flow::new(phone.transport, SERVER.parse().unwrap(), phone.local).connected(2000);
    world.input(Input::FlowClosed { flow });
    world.run(1);
    world.assert_state(alice, CallState::Over(480));
    world.assert_quiet();
}
