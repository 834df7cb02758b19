//! A network that loses, doubles and reorders: calls are made and ended all the same.

use crate::world::{CallState, World};

#[test]
fn calls_come_through_a_network_that_loses_a_fifth_and_doubles_a_fifth() {
    let mut talked = 0;
    for seed in 1..=12 {
        let mut world = World::with_seed(seed);
        let alice = world.phone("SEP001122AABB01", "2001");
        let bob = world.phone("SEP001122AABB02", "2002");
        world.network.lost = 20;
        world.network.doubled = 20;
        world.network.jitter = 80;
        world.registered(alice);
        world.registered(bob);
        world.dial(alice, "2002");
        world.run(4);
        if world.state(bob) != CallState::Ringing {
            continue;
        }
        world.answer(bob);
        world.run(5);
        talked += u32::from(world.state(alice) == CallState::Talking);
        world.hang_up(bob);
        world.run(70);
        world.assert_quiet();
        assert!(matches!(world.state(alice), CallState::Over(_)), "seed {seed}");
    }
    assert!(talked >= 9, "only {talked} of 12 calls came through");
}
