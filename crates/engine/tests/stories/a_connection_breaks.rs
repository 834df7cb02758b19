//! Phones over TCP: requests use the connection the phone made; when it is gone, the phone is called
//! back, and comes back itself.

use core::time::Duration;

use jackfield_engine::{Input, OperatorOrder};
use jackfield_model::Kind;
use jackfield_sip::{Flow, Transport};
use jackfield_vocabulary::{Code, DeviceRestart};
use serde_json::json;

use crate::world::{CallState, PhoneId, SERVER, World};

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

/// The world in which alice and bob are registered, and who dials bob goes on to carol when he is not there; and
/// the way to bob at which he would be called back.
fn bob_is_forwarded() -> (World, [PhoneId; 3], Flow) {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Cisco 7841");
    let carol = world.phone("SEP001122AABB03", "2003");
    for phone in [alice, bob, carol] {
        world.registered(phone);
    }
    let line = world.directory.find(Kind::Line, "2002").unwrap();
    world.change(line, json!({ "forwards": { "unregistered": { "destination": "2003" } } }));
    let back = Flow::new(Transport::Tcp, SERVER.parse().unwrap(), world.phones[&bob].local);
    (world, [alice, bob, carol], back)
}

/// Its plug was pulled: the connection ends, and nobody is where it would be called back.
#[test]
fn a_phone_that_can_not_be_called_back_is_out_of_reach_until_it_registers() {
    let (mut world, [alice, bob, carol], back) = bob_is_forwarded();
    let device = world.phones[&bob].device.unwrap();
    world.network.cut_off.push(bob);
    world.input(Input::FlowClosed { flow: back.clone().connected(2000) });
    assert!(world.inspect(device).reachable, "nobody knows yet");
    world.input(Input::FlowClosed { flow: back.clone() });
    let state = world.inspect(device);
    assert!(state.registered && !state.reachable);
    assert_eq!(state.silent_lines.len(), 1);
    let order = OperatorOrder::Restart { device, restart: DeviceRestart::Restart };
    assert_eq!(world.order(order).unwrap().unwrap_err().code, Code::NotRegistered);
    world.dial(alice, "2002");
    world.assert_state(carol, CallState::Ringing);
    world.hang_up(alice);
    world.run(1);
    world.network.cut_off.clear();
    world.phones.get_mut(&bob).unwrap().connection = Some(2001);
    world.registered(bob);
    assert!(world.inspect(device).reachable && world.inspect(device).silent_lines.is_empty());
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

/// Nobody asked it when its connection ended: the first call finds out, and does not wait for an answer.
#[test]
fn a_call_goes_on_as_soon_as_no_connection_can_be_opened() {
    let (mut world, [alice, bob, carol], back) = bob_is_forwarded();
    world.network.cut_off.push(bob);
    world.input(Input::FlowClosed { flow: back.clone().connected(2000) });
    world.dial(alice, "2002");
    assert_ne!(world.phones[&carol].state(), CallState::Ringing);
    world.input(Input::FlowClosed { flow: back });
    world.run_for(Duration::from_millis(100));
    world.assert_state(carol, CallState::Ringing);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

/// Its plug was pulled, and the connection knows nothing of it: not even 100 comes back. Over UDP the same.
#[test]
fn a_phone_that_says_nothing_is_given_up_in_seconds() {
    for model in ["Cisco 7841", "Generic SIP Phone"] {
        let mut world = World::new();
        let alice = world.phone("SEP001122AABB01", "2001");
        let bob = world.phone_of_model("SEP001122AABB02", "2002", model);
        world.registered(alice);
        world.registered(bob);
        let device = world.phones[&bob].device.unwrap();
        world.network.cut_off.push(bob);
        world.dial(alice, "2002");
        world.run(9);
        world.assert_state(alice, CallState::Over(480));
        world.run(4);
        assert!(!world.inspect(device).reachable, "{model}");
        world.dial(alice, "2002");
        world.assert_state(alice, CallState::Over(480));
        let asked = |world: &World| {
            world.transcript.iter().filter(|line| line.contains("OPTIONS sip:")).count()
        };
        let before = asked(&world);
        // Else what was sent to it in vain would reach it after all.
        world.run(30);
        assert!(before > 0 && asked(&world) == before, "{model}: it is not asked for ever");
        world.network.cut_off.clear();
        world.registered(bob);
        world.dial(alice, "2002");
        world.assert_state(bob, CallState::Ringing);
        world.run(60);
        world.assert_state(bob, CallState::Ringing);
    }
}

/// A caller's INVITE may be larger than what the network lets through to a phone by UDP: the phone itself is
/// there, for everybody else.
#[test]
fn a_phone_that_answers_when_it_is_asked_is_there_whatever_became_of_a_call() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone_of_model("SEP001122AABB02", "2002", "Generic SIP Phone");
    world.registered(alice);
    world.registered(bob);
    let device = world.phones[&bob].device.unwrap();
    world.phones.get_mut(&bob).unwrap().without_invites = true;
    world.dial(alice, "2002");
    world.run(9);
    world.assert_state(alice, CallState::Over(480));
    world.run(30);
    assert!(world.inspect(device).reachable);
    world.phones.get_mut(&bob).unwrap().without_invites = false;
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

/// The network was away for a moment, and the phone knows nothing of it.
#[test]
fn a_phone_that_answers_a_call_again_is_within_reach() {
    let (mut world, [alice, bob, _], back) = bob_is_forwarded();
    let device = world.phones[&bob].device.unwrap();
    world.input(Input::FlowClosed { flow: back.clone().connected(2000) });
    world.input(Input::FlowClosed { flow: back });
    world.run(61);
    assert!(!world.inspect(device).reachable);
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    assert!(world.inspect(device).reachable);
    world.hang_up(alice);
    world.run(1);
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
