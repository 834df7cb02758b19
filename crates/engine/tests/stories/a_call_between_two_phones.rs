//! One phone calls another, and they talk.

use crate::world::{CallState, World};

#[test]
fn a_call_rings_is_answered_and_ends_by_either_side() {
    for caller_hangs_up in [true, false] {
        let mut world = World::new();
        let alice = world.phone("SEP001122AABB01", "2001");
        let bob = world.phone("SEP001122AABB02", "2002");
        world.registered(alice);
        world.registered(bob);
        world.dial(alice, "2002");
        world.assert_state(bob, CallState::Ringing);
        world.assert_state(alice, CallState::RingingBack);
        assert!(world.phones[&bob].call().heard.contains("c=IN IP4 10.1.0.1"), "alice's own media");
        assert_eq!(world.phones[&bob].call().shown, "2001 User 2001");
        world.answer(bob);
        world.assert_state(alice, CallState::Talking);
        assert!(world.phones[&alice].call().heard.contains("c=IN IP4 10.1.0.2"));
        assert!(world.phones[&bob].call().acked);
        world.run(30);
        world.hang_up(if caller_hangs_up { alice } else { bob });
        world.assert_state(alice, CallState::Over(0));
        world.assert_state(bob, CallState::Over(0));
        world.assert_quiet();
        assert_eq!(world.heard.records.len(), 1);
        assert!(world.heard.records[0].answered.is_some());
    }
}
