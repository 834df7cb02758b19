//! A phone vanishes in the middle of a call, without a word.

use crate::world::{CallState, World};

#[test]
fn the_call_ends_for_the_other_side_too() {
    for (gone, left) in [(0, 1), (1, 0)] {
        let mut world = World::new();
        let alice = world.phone("SEP001122AABB01", "2001");
        let bob = world.phone("SEP001122AABB02", "2002");
        world.registered(alice);
        world.registered(bob);
        world.dial(alice, "2002");
        world.answer(bob);
        let phones = [alice, bob];
        world.network.cut_off.push(phones[gone]);
        world.run(700);
        world.assert_state(phones[left], CallState::Over(0));
        world.run(60);
        world.assert_quiet();
    }
}

#[test]
fn a_long_call_goes_on() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    world.run(3500);
    world.assert_state(alice, CallState::Talking);
    world.assert_state(bob, CallState::Talking);
    assert_eq!(world.overview().calls_connected, 1);
}
