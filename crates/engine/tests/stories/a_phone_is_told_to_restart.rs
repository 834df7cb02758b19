//! An administrator restarts a phone, or shows a text on it.

use jackfield_engine::{OperatorOrder, OperatorReply};
use jackfield_vocabulary::{Code, DeviceRestart};

use crate::world::World;

#[test]
fn each_dialect_is_restarted_in_its_own_words() {
    for (model, event) in [
        ("Cisco 7841", "service-control"),
        ("Cisco 8841 multiplatform", "resync"),
        ("Generic SIP phone", "check-sync;reboot=true"),
        ("Virtual phone", "service-control"),
    ] {
        let mut world = World::new();
        let id = world.phone_of_model("SEP001122AABB01", "2001", model);
        let other = world.phone("SEP001122AABB02", "2001");
        world.registered(id);
        world.registered(other);
        let device = world.phones[&id].device.unwrap();
        let restart = DeviceRestart::Restart;
        let reply = world.order(OperatorOrder::Restart { device, restart });
        assert_eq!(reply, Some(Ok(OperatorReply::Accepted)), "{model}");
        world.run(1);
        let told = &world.phones[&id].told;
        assert_eq!(told.len(), 1, "{model}");
        assert_eq!(told[0].1, event, "{model}");
        assert!(world.phones[&other].told.is_empty(), "not the other phone of the same line");
    }
}

#[test]
fn a_phone_that_asks_for_proof_gets_its_own_secret_as_proof() {
    let mut world = World::new();
    let id = world.phone("SEP001122AABB01", "2001");
    world.registered(id);
    world.phones.get_mut(&id).unwrap().challenges = true;
    let device = world.phones[&id].device.unwrap();
    world.order(OperatorOrder::Restart { device, restart: DeviceRestart::Reset });
    world.run(1);
    assert_eq!(world.phones[&id].told.len(), 1);
    assert_eq!(world.phones[&id].proofs, [true], "the right credentials");
}

#[test]
fn a_phone_that_is_not_there_is_a_refusal() {
    let mut world = World::new();
    let id = world.phone("SEP001122AABB01", "2001");
    let device = world.phones[&id].device.unwrap();
    let reply = world.order(OperatorOrder::Restart { device, restart: DeviceRestart::Reset });
    assert_eq!(reply.unwrap().unwrap_err().code, Code::NotRegistered);
}

#[test]
fn a_text_is_shown_where_the_phone_can_and_refused_where_it_can_not() {
    let text = || "Call disconnected".into();
    let mut world = World::new();
    let shows = world.phone_of_model("SEP001122AABB01", "2001", "Virtual phone");
    let enterprise = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 8841");
    let plain = world.phone("SEP001122AABB03", "2003");
    for id in [shows, enterprise, plain] {
        world.registered(id);
    }
    let device = |world: &World, id| world.phones[&id].device.unwrap();
    for id in [shows, enterprise] {
        let device = device(&world, id);
        let reply = world.order(OperatorOrder::ShowText { device, text: text() });
        assert_eq!(reply, Some(Ok(OperatorReply::Accepted)));
        world.run(1);
        assert!(world.phones[&id].told[0].2.contains("Call disconnected"));
    }
    let device = device(&world, plain);
    let reply = world.order(OperatorOrder::ShowText { device, text: text() });
    assert_eq!(reply.unwrap().unwrap_err().code, Code::NotSupportedByDevice);
}
