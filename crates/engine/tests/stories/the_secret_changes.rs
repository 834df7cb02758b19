//! An administrator replaces a phone's secret, or deletes the phone.

use jackfield_model::Operation;

use crate::world::{CallState, World};

#[test]
fn with_a_new_secret_the_old_registration_ends() {
    let mut world = World::new();
    let id = world.phone("SEP001122AABB01", "2001");
    world.registered(id);
    let device = world.phones[&id].device.unwrap();
    world.admin(&Operation::RotateDeviceSecret { device });
    assert_eq!(world.overview().registered, 0);
    world.reboot(id);
    assert_eq!(world.register(id), 401, "the old secret");
    let password = world.directory.secrets().sip_password(device).reveal().to_owned();
    world.reboot(id);
    world.phones.get_mut(&id).unwrap().secret = crate::world::Secret::Known(password);
    assert_eq!(world.register(id), 200);
}

#[test]
fn a_secret_replaced_while_the_node_was_down_ends_the_registration_too() {
    let mut world = World::new();
    let id = world.phone("SEP001122AABB01", "2001");
    world.registered(id);
    let device = world.phones[&id].device.unwrap();
    let kept = world.heard.bindings.clone();
    world.restart_node(7);
    assert_eq!(world.overview().registered, 1, "a restart alone changes nothing");
    world.admin(&Operation::RotateDeviceSecret { device });
    world.heard.bindings = kept;
    world.heard.access.clear();
    world.restart_node(8);
    assert_eq!(world.overview().registered, 0);
    assert_eq!(world.heard.access, [], "whoever was there may have stolen it");
    world.reboot(id);
    let password = world.directory.secrets().sip_password(device).reveal().to_owned();
    world.phones.get_mut(&id).unwrap().secret = crate::world::Secret::Known(password);
    assert_eq!(world.register(id), 200);
}

#[test]
fn a_phone_that_needs_no_secret_stays_registered() {
    let mut world = World::new();
    let id = world.phone("SEP001122AABB01", "2001");
    let device = world.phones[&id].device.unwrap();
    let (profile, _) =
        world.directory.named::<jackfield_model::SecurityProfile>("Non-secure UDP").unwrap();
    let id_of_profile = profile.id();
    let patch = serde_json::json!({ "digest": false });
    world.admin(&Operation::Update { id: id_of_profile, version: None, patch });
    let phone = world.phones.get_mut(&id).unwrap();
    // Without credentials only its name says who it is.
    (phone.user, phone.secret) = ("SEP001122AABB01".into(), crate::world::Secret::None);
    assert_eq!(world.register(id), 200);
    let kept = world.heard.bindings.clone();
    world.admin(&Operation::RotateDeviceSecret { device });
    world.heard.bindings = kept;
    world.restart_node(8);
    assert_eq!(world.overview().registered, 1);
}

#[test]
fn a_deleted_phone_is_gone_with_its_calls() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    let id = world.phones[&alice].device.unwrap();
    world.admin(&Operation::Delete { id, version: None });
    world.run(1);
    world.assert_state(alice, CallState::Over(0));
    world.assert_state(bob, CallState::Over(0));
    assert_eq!(world.overview().registered, 1);
    world.assert_quiet();
}
