//! A phone that nobody has entered still has the user of its last server. It is one of ours from then
//! on: registered, told to fetch its file, and able to call the way in.

use crate::world::{CallState, PhoneId, Secret, World};

fn of_another_server(world: &mut World, secret: Secret) -> PhoneId {
    let id = world.stranger("250", "250");
    let phone = world.phones.get_mut(&id).unwrap();
    phone.user_agent = "Yealink SIP-T46S 66.84.0.15 80:5e:c0:aa:bb:cc".into();
    phone.secret = secret;
    id
}

#[test]
fn it_is_registered_told_to_restart_and_stays() {
    for secret in [Secret::None, Secret::Wrong] {
        let mut world = World::new();
        let id = of_another_server(&mut world, secret);
        assert_eq!(world.register(id), 200);
        world.run(5);
        assert_eq!(world.phones[&id].told.len(), 1, "told to fetch its file");
        assert_eq!(world.directory.unassigned_count(), 1);
        for _ in 0..3 {
            world.run(1800);
            assert_eq!(world.register(id), 200, "a refresh");
        }
        assert_eq!((world.heard.submitted, world.overview().registered), (1, 1));
    }
}

#[test]
fn after_a_restart_it_shows_the_secret_of_that_server_and_is_still_new() {
    let mut world = World::new();
    let id = of_another_server(&mut world, Secret::Wrong);
    assert_eq!(world.register(id), 200);
    world.reboot(id);
    assert_eq!(world.register(id), 200, "asked once, and taken as it is");
    assert_eq!(world.directory.unassigned_count(), 1);
}

#[test]
fn it_is_called_and_calls() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    world.registered(alice);
    let id = of_another_server(&mut world, Secret::None);
    assert_eq!(world.register(id), 200);
    world.dial(alice, "9000");
    world.assert_state(id, CallState::Ringing);
    world.hang_up(alice);
    world.run(1);
    world.dial(id, "2001");
    world.run(1);
    world.assert_state(id, CallState::Over(403));
}

#[test]
fn with_a_number_of_ours_it_is_asked_for_the_secret_and_nothing_is_made() {
    let mut world = World::new();
    world.phone("SEP001122AABB01", "250");
    let id = of_another_server(&mut world, Secret::None);
    assert_eq!(world.register(id), 401);
    assert_eq!((world.heard.submitted, world.directory.unassigned_count()), (0, 0));
}

#[test]
fn as_soon_as_it_has_shown_its_own_secret_the_other_user_is_none_of_ours() {
    let mut world = World::new();
    let id = of_another_server(&mut world, Secret::None);
    assert_eq!(world.register(id), 200);
    world.run(700);
    let device = world.directory.phone_by_mac("805EC0AABBCC".parse().unwrap()).unwrap();
    let password = world.directory.secrets().sip_password(device).reveal().to_owned();
    world.reboot(id);
    let phone = world.phones.get_mut(&id).unwrap();
    (phone.name, phone.user) = ("SEP805EC0AABBCC".into(), "9000".into());
    phone.secret = Secret::Known(password);
    assert_eq!(world.register(id), 200);
    let stranger = of_another_server(&mut world, Secret::Wrong);
    world.phones.get_mut(&stranger).unwrap().local = "10.1.0.99:5060".parse().unwrap();
    assert_eq!(world.register(stranger), 401);
}
