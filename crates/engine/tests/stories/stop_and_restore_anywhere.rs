//! The engine is written down and read back at any moment, and nothing changes.

use jackfield_sip::Status;

use crate::world::{CallState, World, sdp};

/// A day in the life of three phones; tells everything that was sent.
fn day(interrupt_every: Option<u64>) -> (String, Vec<CallState>) {
    let mut world = World::with_seed(5);
    world.network.lost = 10;
    world.network.doubled = 10;
    world.network.jitter = 40;
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    let carol = world.phone_of_model("SEP001122AABB03", "2003", "Cisco 7841");
    world.interrupt_every = interrupt_every;
    for phone in [alice, bob, carol] {
        world.register(phone);
    }
    let new = world.stranger("SEP001122AABB04", "001122AABB04");
    world.register(new);
    let mut states = Vec::new();
    for (caller, called, number) in [(alice, bob, "2002"), (carol, alice, "2001")] {
        world.dial(caller, number);
        world.run(3);
        if world.state(called) == CallState::Ringing {
            world.answer(called);
            world.run(2);
            if world.state(caller) == CallState::Talking {
                world.re_invite(caller, &sdp("10.1.0.1", 2, "sendonly"));
                world.run(5);
            }
            world.hang_up(called);
            world.run(3);
        }
        states.push(world.state(caller));
        states.push(world.state(called));
    }
    world.phones.get_mut(&bob).unwrap().refuses = Some(Status::BUSY_HERE);
    world.dial(alice, "2002");
    world.run(60);
    states.push(world.state(alice));
    world.assert_quiet();
    (world.transcript.join("\n"), states)
}

#[test]
fn nothing_changes() {
    let (plain, states) = day(None);
    assert!(states.contains(&CallState::Over(0)), "{states:?}");
    for every in [1, 2, 3, 7] {
        let (interrupted, _) = day(Some(every));
        let difference = plain.lines().zip(interrupted.lines()).find(|(one, two)| one != two);
        assert_eq!(difference, None, "restored before every {every}. input");
        assert_eq!(plain.len(), interrupted.len());
    }
}
