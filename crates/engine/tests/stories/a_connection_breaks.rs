//! Phones over TCP: requests use the connection the phone made; when it is gone, the phone is called
//! back, and comes back itself.

use jackfield_engine::{Input, OperatorOrder};
use jackfield_model::Kind;
use jackfield_sip::Flow;
use jackfield_vocabulary::{Code, DeviceRestart};
use serde_json::json;

use crate::world::{CallState, SERVER, World};

#[test]
fn a_call_reaches_an_enterprise_phone_over_its_own_connection() {
    let mut world = World::new();
    let alice = world.phone_of_model("SEP001122AABB01", "2001", "Cisco 7841");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.answer(bob);
    world.assert_state(alice, CallState::Talking);
    world.hang_up(bob);
    world.run(1);
    world.assert_quiet();
    assert!(world.store.strays.is_empty());
}

#[test]
fn a_phone_whose_connection_broke_is_called_back_at_its_contact() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    world.registered(alice);
    world.registered(bob);
    let phone = &world.phones[&bob];
    let flow = Flow::new(phone.transport, SERVER.parse().unwrap(), phone.local).connected(2000);
    world.input(Input::FlowClosed { flow });
    assert_eq!(world.overview().registered, 2, "it is still registered");
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

/// Behind a NAT there is no way to a phone but its own connection.
#[test]
fn a_phone_behind_a_nat_is_out_of_reach_until_it_connects_anew() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    world.phones.get_mut(&bob).unwrap().behind = Some("192.168.7.7:5060".parse().unwrap());
    world.registered(alice);
    world.registered(bob);
    let device = world.phones[&bob].device.unwrap();
    assert!(world.inspect(device).reachable);
    let phone = &world.phones[&bob];
    let flow = Flow::new(phone.transport, SERVER.parse().unwrap(), phone.local).connected(2000);
    world.input(Input::FlowClosed { flow });
    let state = world.inspect(device);
    assert!(state.registered && !state.reachable);
    world.dial(alice, "2002");
    world.assert_state(alice, CallState::Over(480));
    let order = OperatorOrder::Restart { device, restart: DeviceRestart::Restart };
    let refusal = world.order(order).unwrap().unwrap_err();
    assert_eq!(refusal.code, Code::NotRegistered);
    // It connects anew.
    world.phones.get_mut(&bob).unwrap().connection = Some(2001);
    world.registered(bob);
    assert!(world.inspect(device).reachable);
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
    assert!(world.store.strays.is_empty());
}

#[test]
fn a_call_to_it_goes_where_its_line_is_forwarded() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    let carol = world.phone("SEP001122AABB03", "2003");
    world.phones.get_mut(&bob).unwrap().behind = Some("192.168.7.7:5060".parse().unwrap());
    for phone in [alice, bob, carol] {
        world.registered(phone);
    }
    let line = world.directory.find(Kind::Line, "2002").unwrap();
    let forwards = json!({ "forwards": { "unregistered": { "destination": "2003" } } });
    world.change(line, forwards);
    world.restart_node(7);
    world.dial(alice, "2002");
    world.assert_state(carol, CallState::Ringing);
}

#[test]
fn a_phone_that_comes_back_over_a_new_connection_keeps_its_call() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    world.phones.get_mut(&bob).unwrap().connection = Some(2001);
    world.registered(bob);
    world.hang_up(alice);
    world.run(1);
    world.assert_state(bob, CallState::Over(0));
    world.assert_quiet();
}

#[test]
fn requests_that_wait_on_a_broken_connection_fail_at_once() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    world.registered(alice);
    world.registered(bob);
    world.phones.get_mut(&bob).unwrap().silent = true;
    world.dial(alice, "2002");
    let phone = &world.phones[&bob];
    let flow = Flow::new(phone.transport, SERVER.parse().unwrap(), phone.local).connected(2000);
    world.input(Input::FlowClosed { flow });
    world.run(1);
    world.assert_state(alice, CallState::Over(480));
    world.assert_quiet();
}

/// Else whoever registers again and again over new connections would have them all kept for good.
#[test]
fn only_the_connection_over_which_a_phone_is_registered_is_kept() {
    let mut world = World::new();
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    for connection in 1000..1003 {
        world.registered(bob);
        assert_eq!(world.heard.kept, [Some(connection)].into());
        world.registered(bob);
        assert_eq!(world.heard.kept, [Some(connection)].into(), "a refresh");
        if connection < 1002 {
            world.reboot(bob);
        }
    }
    world.unregister(bob);
    assert_eq!(world.heard.kept, [].into());
}
