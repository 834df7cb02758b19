//! A phone registers, stays registered, and goes.

use jackfield_engine::{Access, OperatorOrder, OperatorReply};
use jackfield_model::{Kind, Operation};
use jackfield_sip::HeaderName;
use jackfield_vocabulary::UnixTime;
use serde_json::json;

use crate::world::World;

#[test]
fn a_phone_registers_with_its_secret() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    assert_eq!(world.register(phone), 200);
    assert_eq!(world.phones[&phone].registrations_sent, 2, "a challenge, then the answer");
    let answer = world.phones[&phone].answer.clone().unwrap();
    assert_eq!(answer.first(HeaderName::Date), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
    assert!(answer.first(HeaderName::Contact).unwrap().ends_with("expires=3600"));
    let device = world.phones[&phone].device.unwrap();
    let address = "10.1.0.1".parse().unwrap();
    assert_eq!(world.heard.access, [Access::Registered { device, address, generation: 0 }]);
    let Some(Ok(OperatorReply::Device(state))) = world.order(OperatorOrder::Inspect { device })
    else {
        panic!("no state")
    };
    assert!(state.registered);
    assert_eq!(state.address.as_deref(), Some("10.1.0.1:5060 udp"));
    assert_eq!(&*state.user_agent, "Scripted/1.0");
    // Asked of many, those that are there are told.
    let nobody = jackfield_vocabulary::ObjectId(999_999);
    let order = OperatorOrder::Whereabouts { devices: [nobody, device].into() };
    let Some(Ok(OperatorReply::Whereabouts(found))) = world.order(order) else {
        panic!("no answer")
    };
    let [there] = &found[..] else { panic!("{found:?}") };
    assert_eq!((there.device, &*there.address), (device, "10.1.0.1:5060 udp"));
    assert_eq!(Some(there.since), state.since);
}

/// RFC 3261 section 10.3: what it said last counts, also where that is less than before.
#[test]
fn a_phone_that_wants_less_time_has_no_more() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    assert_eq!(world.register_for(phone, 3600), 200);
    assert_eq!(world.register_for(phone, 60), 200);
    world.run(57);
    assert_eq!(world.overview().registered, 1);
    world.run(4);
    assert_eq!(world.overview().registered, 0);
    assert_eq!(world.counter("timers"), 0);
}

/// Whoever lets it fetch its file hears of each registration, and not of refreshes.
#[test]
fn where_it_is_is_told_once_for_each_registration() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    assert_eq!(world.register(phone), 200);
    assert_eq!(world.heard.access.len(), 1, "a refresh");
    world.reboot(phone);
    assert_eq!(world.register(phone), 200);
    let device = world.phones[&phone].device.unwrap();
    let address = "10.1.0.1".parse().unwrap();
    let registered = Access::Registered { device, address, generation: 0 };
    assert_eq!(world.heard.access, [registered.clone(), registered]);
}

#[test]
fn a_registration_that_is_not_refreshed_ends() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    let device = world.phones[&phone].device.unwrap();
    world.run(3590);
    assert_eq!(world.overview().registered, 1);
    world.run(15);
    assert_eq!(world.overview().registered, 0);
    assert_eq!(world.heard.bindings[&device].expires, UnixTime(0), "only where it was is kept");
}

/// As after a backup was restored: the phone registered with another server, and may be there still.
#[test]
fn a_registration_that_is_over_tells_only_where_the_phone_was() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    let (device, now) = (world.phones[&phone].device.unwrap(), world.now.wall);
    world.heard.bindings.get_mut(&device).unwrap().expires = now;
    world.heard.access.clear();
    world.restart_node(7);
    assert_eq!(world.overview().registered, 0);
    let address = "10.1.0.1".parse().unwrap();
    assert_eq!(world.heard.access, [Access::Registered { device, address, generation: 0 }]);
    world.reboot(phone);
    assert_eq!(world.register(phone), 200);
}

#[test]
fn a_phone_that_unregisters_is_gone_at_once() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    assert_eq!(world.unregister(phone), 200);
    assert_eq!(world.overview().registered, 0);
}

#[test]
fn too_short_a_registration_is_refused_with_the_shortest_one() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.phones.get_mut(&phone).unwrap().expires = 30;
    assert_eq!(world.register(phone), 423);
    let answer = world.phones[&phone].answer.clone().unwrap();
    assert_eq!(answer.first(HeaderName::MinExpires), Some("60"));
}

#[test]
fn a_restart_of_the_node_keeps_phones_registered() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    world.run(100);
    world.heard.access.clear();
    world.restart_node(7);
    assert_eq!(world.overview().registered, 1);
    assert_eq!(world.heard.access.len(), 1, "it may fetch its file again");
    world.run(3600);
    assert_eq!(world.overview().registered, 0, "and its time still ends");
}

/// A phone that is switched off may say so, or its time may end: when it comes back it fetches its
/// file as ever, whatever became of the node meanwhile.
#[test]
fn where_it_was_last_is_known_after_it_left_and_the_node_restarted() {
    for says_so in [true, false] {
        let mut world = World::new();
        let phone = world.phone("SEP001122AABB01", "2001");
        world.registered(phone);
        let registered = world.heard.access.clone();
        if says_so {
            assert_eq!(world.unregister(phone), 200);
        } else {
            world.run(4_000);
        }
        for life in 2..4 {
            world.heard.access.clear();
            world.restart_node(life);
            assert_eq!(world.overview().registered, 0);
            assert_eq!(world.heard.access, registered, "it may fetch its file");
        }
        // Whose secret is replaced by hand may have lost it, and whoever was there may be the thief.
        let device = world.directory.device("SEP001122AABB01").unwrap();
        world.admin(&Operation::RotateDeviceSecret { device });
        world.heard.access.clear();
        world.restart_node(9);
        assert_eq!(world.heard.access, []);
    }
}

#[test]
fn an_enterprise_phone_registers_over_tcp_and_has_all_its_lines() {
    let mut world = World::new();
    let phone = world.phone_of_model("SEP001122AABB01", "2001", "Cisco 7841");
    assert_eq!(world.register(phone), 200);
    let answer = world.phones[&phone].answer.clone().unwrap();
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    assert!(body.contains("<optionsind>"), "{body}");
}

#[test]
fn a_name_in_other_letters_is_the_same_phone() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.registered(phone);
    world.reboot(phone);
    world.phones.get_mut(&phone).unwrap().name = "sep001122aabb01".into();
    assert_eq!(world.register(phone), 200);
    world.reboot(phone);
    world.phones.get_mut(&phone).unwrap().name = "SEP001122AABB01".into();
    assert_eq!(world.register(phone), 200);
}

#[test]
fn a_name_with_its_domain_is_the_same_phone() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    world.phones.get_mut(&phone).unwrap().name = "SEP001122AABB01@example.com".into();
    assert_eq!(world.register(phone), 200);
    let answer = world.phones[&phone].answer.clone().unwrap();
    assert!(answer.first(HeaderName::Contact).is_some());
}

#[test]
fn its_secret_counts_by_whichever_algorithm_it_is_shown() {
    let mut world = World::new();
    world.record = true;
    let phone = world.phone("SEP001122AABB01", "2001");
    // It says who it is before it is asked for its secret.
    world.phones.get_mut(&phone).unwrap().user = "SEP001122AABB01".into();
    let profile = world.directory.find(Kind::SecurityProfile, "Non-secure UDP").unwrap();
    for (sha256, shown) in [(false, "MD5"), (true, "SHA-256"), (false, "MD5")] {
        world.change(profile, json!({ "sha256": sha256 }));
        world.reboot(phone);
        world.registered(phone);
        let last = String::from_utf8(world.recorded.pop().unwrap()).unwrap();
        assert!(last.contains(&format!("algorithm={shown}")), "{last}");
    }
}

#[test]
fn its_secret_counts_however_it_writes_its_name() {
    let mut world = World::new();
    let phone = world.phone("SEP001122AABB01", "2001");
    let usual = "SEP001122AABB01";
    for name in [usual, "sep001122aabb01", "SEP001122AABB01@192.0.2.10", usual, usual] {
        world.phones.get_mut(&phone).unwrap().name = name.into();
        world.reboot(phone);
        world.registered(phone);
    }
}
