//! When the node is behind, it turns away what is new, and keeps what is going on.

use jackfield_engine::Input;
use jackfield_sip::HeaderName;

use crate::world::{CallState, World};

#[test]
fn new_registrations_and_calls_are_told_to_come_later_and_calls_go_on() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    let carol = world.phone("SEP001122AABB03", "2003");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    world.input(Input::Behind(true));
    assert_eq!(world.register(carol), 503);
    let answer = world.phones[&carol].answer.clone().unwrap();
    assert!(answer.first(HeaderName::RetryAfter).is_some());
    world.hold(alice);
    assert_eq!(world.phones[&alice].call().re_answers, [200], "a re-INVITE goes on");
    world.hang_up(alice);
    world.assert_state(bob, CallState::Over(0));
    world.input(Input::Behind(false));
    assert_eq!(world.register(carol), 200);
}
