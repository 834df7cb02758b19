//! Wrong secrets get nowhere, and make nobody else wait.

use jackfield_sip::HeaderName;

use crate::world::{Secret, World};

#[test]
fn a_wrong_secret_is_asked_for_again_and_noted() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.phones.get_mut(&phone).unwrap().secret = Secret::Wrong;
    assert_eq!(world.register(phone), 401);
    let answer = world.phones[&phone].answer.clone().unwrap();
    assert!(!answer.first(HeaderName::WwwAuthenticate).unwrap().contains("stale=true"));
    assert_eq!(world.overview().registered, 0);
    let note = world.heard.notes.last().unwrap();
    assert_eq!(note.text, "registration or call with wrong credentials");
    assert!(world.heard.access.is_empty());
}

#[test]
fn a_phone_without_a_secret_is_only_challenged() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.phones.get_mut(&phone).unwrap().secret = Secret::None;
    for _ in 0..3 {
        assert_eq!(world.register(phone), 401);
    }
    assert_eq!(world.overview().registered, 0);
}

#[test]
fn the_secret_of_one_phone_does_not_register_another() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(bob);
    // Alice's phone says it is Bob's, by its device name or its hardware address, with its own secret.
    let liar = world.phones.get_mut(&alice).unwrap();
    liar.user = "SEP001122AABB02".into();
    assert_eq!(world.register(alice), 403);
    let liar = world.phones.get_mut(&alice).unwrap();
    liar.user = "001122aabb02".into();
    world.reboot(alice);
    assert_eq!(world.register(alice), 403);
    assert_eq!(world.overview().registered, 1);
}

#[test]
fn a_phone_can_not_register_a_line_that_is_not_its_own() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    world.phone("SEP001122AABB02", "2002");
    world.phones.get_mut(&alice).unwrap().user = "2002".into();
    assert_eq!(world.register(alice), 404);
    assert_eq!(world.overview().registered, 0);
}

#[test]
fn guessing_on_and_on_gets_silence_and_the_right_secret_still_works() {
    let mut world = World::new();
    let guesser = world.phone("SEP001122AABB01", "2001");
    let honest = world.phone("SEP001122AABB02", "2002");
    world.phones.get_mut(&guesser).unwrap().secret = Secret::Wrong;
    let mut silent = 0;
    for _ in 0..40 {
        world.reboot(guesser);
        world.send_register(guesser, 3600);
        world.run_for(core::time::Duration::from_millis(40));
        silent += u32::from(world.phones[&guesser].answered.is_none());
    }
    assert!(silent >= 15, "only {silent} tries got no answer");
    let noted = |world: &World| -> Vec<Vec<(&'static str, String)>> {
        let notes = world.heard.notes.iter().filter(|note| note.text.contains("wrong credentials"));
        notes.map(|note| note.fields.clone()).collect()
    };
    let lines = noted(&world).len();
    assert!(lines <= 21, "a flood does not fill the log");
    // What was left out is told with the next line.
    let left_out = world.counter("wrong-credentials") - lines as u64;
    world.run(10);
    world.reboot(guesser);
    world.register(guesser);
    let Some(("requests.untold", untold)) = noted(&world)[lines].last().cloned() else {
        panic!("{:?}", noted(&world)[lines]);
    };
    // What the phone sent again meanwhile is among them.
    let untold: u64 = untold.parse().unwrap();
    let all = world.counter("wrong-credentials") - lines as u64;
    assert!((left_out..all).contains(&untold), "{untold} of {left_out} to {all}");
    // The honest phone sits behind the same address.
    let address = world.phones[&guesser].local.ip();
    let port = 5070;
    world.phones.get_mut(&honest).unwrap().local = (address, port).into();
    assert_eq!(world.register(honest), 200);
}
