//! A call comes from a device that is proved: by digest, by its connection, or, while it is new, by
//! its address.

use crate::world::{CallState, Secret, World};

#[test]
fn over_udp_every_call_is_proved() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.phones.get_mut(&alice).unwrap().secret = Secret::None;
    world.dial(alice, "2002");
    world.assert_state(alice, CallState::Over(401));
    world.assert_state(bob, CallState::None);
}

#[test]
fn a_call_in_somebody_elses_name_is_refused() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    // A stranger from another address says it is Alice.
    let liar = world.stranger("SEP001122AABB01", "2001");
    world.dial(liar, "2002");
    world.assert_state(liar, CallState::Over(401));
    world.phones.get_mut(&liar).unwrap().secret = Secret::Wrong;
    world.dial(liar, "2002");
    world.run(1);
    world.assert_state(liar, CallState::Over(401));
    world.assert_state(bob, CallState::None);
}

#[test]
fn a_device_that_is_not_registered_does_not_call() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    world.dial(alice, "2001");
    world.run(1);
    world.assert_state(alice, CallState::Over(403));
}

#[test]
fn a_new_phone_calls_from_its_own_address_only_and_reaches_nothing_but_the_way_in() {
    let mut world = World::new();
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(bob);
    let new = world.stranger("SEP001122AABB01", "001122AABB01");
    assert_eq!(world.register(new), 200);
    world.dial(new, "2002");
    world.run(1);
    world.assert_state(new, CallState::Over(403));
    world.assert_state(bob, CallState::None);
    let elsewhere = world.stranger("SEP001122AABB01", "001122AABB01");
    world.dial(elsewhere, "2002");
    world.assert_state(elsewhere, CallState::Over(401));
}

#[test]
fn a_phone_that_belongs_to_somebody_now_must_show_its_secret() {
    let mut world = World::new();
    let new = world.stranger("SEP001122AABB01", "001122AABB01");
    assert_eq!(world.register(new), 200);
    let device = world.directory.find(jackfield_model::Kind::Phone, "SEP001122AABB01").unwrap();
    world.change(device, serde_json::json!({ "auto_registered": false }));
    world.dial(new, "9000");
    world.assert_state(new, CallState::Over(401));
    assert_eq!(world.register(new), 401, "nor does its registration go on without");
}
