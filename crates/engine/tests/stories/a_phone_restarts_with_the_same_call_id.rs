//! A phone loses its power and comes back with the Call-ID it had, counting from one again.

use crate::world::{Raw, World, contacts, status};

fn reboot(world: &mut World, phone: crate::world::PhoneId) {
    let call_id = world.phones[&phone].register.0.clone();
    world.reboot(phone);
    world.phones.get_mut(&phone).unwrap().register.0 = call_id;
}

#[test]
fn its_secret_proves_that_it_is_back() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    for _ in 0..5 {
        world.registered(phone);
        world.run(1);
    }
    reboot(&mut world, phone);
    assert_eq!(world.register(phone), 200);
    world.run(1);
    assert_eq!(world.register(phone), 200, "and it goes on counting from there");
}

#[test]
fn with_a_nonce_that_it_holds_an_old_number_is_late() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    for _ in 0..5 {
        world.registered(phone);
    }
    world.phones.get_mut(&phone).unwrap().register.1 = 1;
    assert_eq!(world.register(phone), 500);
}

#[test]
fn without_a_secret_its_address_does() {
    let mut world = World::new();
    world.open_phone("SEP001122AABB01", "2001");
    let mut phone = Raw::new("2001", "10.1.0.1:5060");
    let contact = "Contact: <sip:2001@10.1.0.1>\nExpires: 600\n";
    assert_eq!(status(&phone.register(&mut world, 40, contact)), 200);
    let answer = phone.register(&mut world, 1, contact);
    assert_eq!((status(&answer), contacts(&answer).len()), (200, 1));
    // From another port it may be a late one, from elsewhere it is asked for its secret.
    phone.source = "10.1.0.1:5070".into();
    assert_eq!(status(&phone.register(&mut world, 1, contact)), 500);
    phone.source = "10.1.0.2:5060".into();
    assert_eq!(status(&phone.register(&mut world, 1, contact)), 401);
}
