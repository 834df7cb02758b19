//! Several phones behind one address and port, as a fleet in one process: each is itself.

use crate::world::{CallState, Secret, World};

#[test]
fn they_register_and_call_each_other() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    let address = world.phones[&alice].local;
    world.phones.get_mut(&bob).unwrap().local = address;
    world.registered(alice);
    world.registered(bob);
    assert_eq!(world.overview().registered, 2);
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    assert_eq!(world.phones[&bob].call().shown, "2001 User 2001");
    world.answer(bob);
    world.assert_state(alice, CallState::Talking);
    world.hang_up(bob);
    world.run(1);
    world.assert_state(alice, CallState::Over(0));
    world.assert_quiet();
    world.unregister(bob);
    assert_eq!(world.overview().registered, 1);
}

#[test]
fn new_ones_among_them_call_as_themselves() {
    let mut world = World::new();
    let proved = world.phone("SEP001122AABB01", "2001");
    world.registered(proved);
    let address = world.phones[&proved].local;
    let new = world.stranger("SEP001122AABB02", "001122AABB02");
    let phone = world.phones.get_mut(&new).unwrap();
    // Where another one is, an answer to a question would not say whose it is: it answers the challenge.
    (phone.local, phone.secret) = (address, Secret::Wrong);
    assert_eq!(world.register(new), 200);
    // The new one says it is the proved one: it is asked for the secret.
    let phone = world.phones.get_mut(&new).unwrap();
    (phone.user, phone.secret) = ("2001".into(), Secret::None);
    world.phones.get_mut(&proved).unwrap().user = "elsewhere".into();
    world.dial(new, "2001");
    world.assert_state(new, CallState::Over(401));
}
