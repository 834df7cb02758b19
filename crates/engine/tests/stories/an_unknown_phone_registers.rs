//! Somebody plugs in a phone that nobody has entered.

use core::time::Duration;

use jackfield_engine::{Access, Input};
use jackfield_model::{Kind, Operation, Phone};
use jackfield_sip::HeaderName;
use jackfield_vocabulary::share::uses;
use jackfield_vocabulary::{Code, Refusal};
use serde_json::json;

use crate::world::{NODE, PhoneId, Reply, Secret, World};

fn unknown(world: &mut World) -> PhoneId {
    let id = world.stranger("SEP001122AABB01", "001122AABB01");
    world.phones.get_mut(&id).unwrap().user_agent = "Jackfield-Virtual/1.0".into();
    id
}

fn settings(world: &mut World, patch: serde_json::Value) {
    let id = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
    world.change(id, patch);
}

/// Proves SP-43.e.
#[test]
fn it_gets_the_next_number_and_is_told_to_fetch_its_file() {
    let mut world = World::new();
    let id = unknown(&mut world);
    assert_eq!(world.register(id), 200);
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    let phone = world.directory.typed::<Phone>(device).unwrap().clone();
    assert!(phone.auto_registered);
    let line = world.directory.get(phone.lines[0].line).unwrap();
    assert_eq!(line.number.as_str(), "9000");
    let model = world.directory.get(phone.model).unwrap();
    assert_eq!(&*model.name, "Virtual phone");
    let window = world.heard.access.iter().find_map(|access| match access {
        Access::Window { device: of, address, length, .. } if *of == device => {
            Some((*address, *length))
        }
        _ => None,
    });
    assert_eq!(window, Some((Some("10.1.0.1".parse().unwrap()), Duration::from_secs(300))));
    let seen = Access::Seen { device, address: "10.1.0.1".parse().unwrap() };
    assert!(world.heard.access.contains(&seen), "{:?}", world.heard.access);
    world.run(3);
    let told = &world.phones[&id].told;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&*told[0].0, &*told[0].1), ("NOTIFY", "service-control"));
    assert!(told[0].2.contains("action=restart\r\nRegisterCallId={reg-1}"), "{}", told[0].2);
}

#[test]
fn once_it_has_shown_its_secret_it_must_show_it_always() {
    let mut world = World::new();
    let id = unknown(&mut world);
    assert_eq!(world.register(id), 200);
    world.run(5);
    // It restarts with its file and its secret.
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    let password = world.directory.secrets().sip_password(device).reveal().to_owned();
    world.reboot(id);
    let phone = world.phones.get_mut(&id).unwrap();
    (phone.user, phone.secret) = ("9000".into(), Secret::Known(password));
    assert_eq!(world.register(id), 200);
    // Anybody who knows the hardware address and no more gets nowhere from now on.
    let liar = world.stranger("SEP001122AABB01", "001122AABB01");
    for _ in 0..3 {
        assert_eq!(world.register(liar), 401);
    }
}

/// Somebody elsewhere who knows the hardware address tries to register as the phone, and to end its
/// registration, for longer than a new phone is waited for.
fn nobody_else_gets_anywhere(world: &mut World, id: PhoneId) {
    let at = world.phones[&id].local.to_string();
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    let liar = world.stranger("SEP001122AABB01", "001122AABB01");
    for _ in 0..8 {
        assert_eq!(world.register(liar), 401);
        assert_eq!(world.unregister(liar), 401);
        let state = world.inspect(device);
        assert!(state.registered && state.address.unwrap().starts_with(&at));
        world.run(100);
    }
}

#[test]
fn while_it_waits_for_its_restart_nobody_else_takes_its_place() {
    let mut world = World::new();
    let id = unknown(&mut world);
    assert_eq!(world.register(id), 200);
    nobody_else_gets_anywhere(&mut world, id);
    assert_eq!(world.register(id), 200, "the phone itself goes on");
    assert_eq!(
        world.unregister(id),
        401,
        "that somebody answered there does not say who wants to leave"
    );
    world.run(3700);
    assert_eq!(world.overview().registered, 0);
}

#[test]
fn after_a_restart_of_the_node_nobody_else_takes_its_place_either() {
    let mut world = World::new();
    let id = unknown(&mut world);
    assert_eq!(world.register(id), 200);
    world.restart_node(2);
    nobody_else_gets_anywhere(&mut world, id);
    assert_eq!(world.register(id), 200, "the phone itself goes on");
}

#[test]
fn as_soon_as_its_password_was_given_out_it_must_show_it() {
    for restarts in [false, true] {
        let mut world = World::new();
        let id = unknown(&mut world);
        assert_eq!(world.register(id), 200);
        let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
        world.input(Input::PasswordGiven { device });
        if restarts {
            world.restart_node(2);
        }
        for _ in 0..3 {
            assert_eq!(world.register(id), 401);
            assert_eq!(world.unregister(id), 401);
        }
        let password = world.directory.secrets().sip_password(device).reveal().to_owned();
        world.phones.get_mut(&id).unwrap().secret = Secret::Known(password);
        assert_eq!(world.register(id), 200);
    }
}

#[test]
fn that_it_showed_its_secret_is_known_after_it_left_and_the_node_restarted() {
    let mut world = World::new();
    let id = unknown(&mut world);
    assert_eq!(world.register(id), 200);
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    let password = world.directory.secrets().sip_password(device).reveal().to_owned();
    // Long enough for it to be asked.
    world.run(700);
    world.reboot(id);
    world.phones.get_mut(&id).unwrap().secret = Secret::Known(password);
    assert_eq!(world.register(id), 200);
    assert_eq!(world.unregister(id), 200);
    world.restart_node(2);
    let liar = world.stranger("SEP001122AABB01", "001122AABB01");
    for _ in 0..3 {
        assert_eq!(world.register(liar), 401);
    }
    assert!(!world.inspect(device).registered);
    assert_eq!(world.register(id), 200);
}

#[test]
fn one_that_never_fetches_its_file_stays_registered_without_a_secret() {
    let mut world = World::new();
    let id = unknown(&mut world);
    assert_eq!(world.register(id), 200);
    world.run(1800);
    assert_eq!(world.register(id), 200, "the same registration goes on");
    world.reboot(id);
    assert_eq!(world.register(id), 401, "it may have fetched its secret, so it is asked");
    assert_eq!(world.register(id), 200, "it has none, and is still new");
}

#[test]
fn the_same_phone_is_submitted_once_however_often_it_asks() {
    let mut world = World::new();
    let id = unknown(&mut world);
    world.store.reply = Reply::After(2500);
    world.network.doubled = 100;
    assert_eq!(world.register(id), 200);
    assert_eq!(world.heard.submitted, 1);
    assert_eq!(world.directory.unassigned_count(), 1);
}

#[test]
fn while_it_is_switched_off_the_answer_says_so() {
    let mut world = World::new();
    settings(&mut world, json!({ "disabled": true }));
    let id = unknown(&mut world);
    assert_eq!(world.register(id), 403);
    let answer = world.phones[&id].answer.clone().unwrap();
    let warning = answer.first(HeaderName::Warning).unwrap();
    assert_eq!(warning, "399 node-1 \"auto-registration-disabled\"");
    assert_eq!(world.heard.submitted, 0);
}

#[test]
fn from_a_network_that_is_not_allowed_it_is_refused() {
    let mut world = World::new();
    let id = unknown(&mut world);
    world.phones.get_mut(&id).unwrap().local = "198.51.100.7:5060".parse().unwrap();
    assert_eq!(world.register(id), 403, "not a private address");
    settings(&mut world, json!({ "allowed_networks": ["198.51.100.0/24"] }));
    assert_eq!(world.register(id), 200);
}

/// Proves SP-43.g: an exhausted range is refused with an alarm.
#[test]
fn when_no_number_is_left_it_is_refused_and_an_alarm_is_raised() {
    let mut world = World::new();
    settings(&mut world, json!({ "starting_number": "9000", "ending_number": "9000" }));
    let first = unknown(&mut world);
    assert_eq!(world.register(first), 200);
    for mac in ["001122AABB02", "001122AABB03"] {
        let id = world.stranger("", mac);
        assert_eq!(world.register(id), 403);
        let answer = world.phones[&id].answer.clone().unwrap();
        assert!(answer.first(HeaderName::Warning).unwrap().contains("range-exhausted"));
    }
    let alarms: Vec<_> = world.heard.alarms.iter().map(|alarm| alarm.name).collect();
    assert_eq!(alarms, ["auto-registration-range-exhausted"], "one alarm, not one a phone");
}

#[test]
fn when_the_store_does_not_answer_it_is_told_to_come_again() {
    for (reply, registers_later) in
        [(Reply::Gone, true), (Reply::Lost, true), (Reply::Unknown, true)]
    {
        let mut world = World::new();
        let id = unknown(&mut world);
        world.store.reply = reply.clone();
        assert_eq!(world.register(id), 503, "{reply:?}");
        let answer = world.phones[&id].answer.clone().unwrap();
        let after: u64 = answer.first(HeaderName::RetryAfter).unwrap().parse().unwrap();
        assert!((5..=30).contains(&after));
        world.store.reply = Reply::After(3);
        world.run(after);
        let mut status = world.register(id);
        if status == 401 {
            // It was committed all the same, so it may have its secret by now, and is asked once.
            status = world.register(id);
        }
        assert_eq!(status == 200, registers_later, "{reply:?}: {status}");
        assert_eq!(world.directory.unassigned_count(), 1);
    }
}

#[test]
fn a_decision_that_comes_late_is_found_by_the_next_registration() {
    let mut world = World::new();
    let id = unknown(&mut world);
    world.store.reply = Reply::After(5000);
    assert_eq!(world.register(id), 503);
    world.run(4);
    assert_eq!(world.register(id), 200);
    assert_eq!(world.heard.submitted, 1);
}

#[test]
fn a_refusal_of_the_store_reaches_the_phone() {
    let mut world = World::new();
    let id = unknown(&mut world);
    world.store.reply = Reply::Refuses(Refusal::new(Code::UnassignedLimit));
    assert_eq!(world.register(id), 403);
    world.store.reply = Reply::Refuses(Refusal::new(Code::DatabaseUnavailable));
    assert_eq!(world.register(id), 503);
}

#[test]
fn each_make_is_recognised_by_what_it_says_of_itself() {
    for (agent, user, enterprise, model) in [
        (
            "Cisco-CP-8841-3PCC/11.0 (001122aabb01)",
            "001122aabb01",
            false,
            "Cisco 8841 multiplatform",
        ),
        ("Cisco-CP7841/12.8.1", "SEP001122AABB01", true, "Cisco 7841"),
        ("Cisco-CP7841/12", "SEP001122AABB01", false, "Cisco 7841"),
        ("Cisco-CP8851/12.5", "SEP001122AABB01", false, "Cisco 8851"),
        ("Cisco-CP-7841-3PCC/12.0.1", "001122AABB01", false, "Cisco 7841 multiplatform"),
        ("Cisco-CP7911G/9.4.2", "SEP001122AABB01", false, "Cisco 7911"),
        ("Yealink SIP-T46S 66.84.0.15", "001122AABB01", false, "Yealink phone"),
        ("baresip v3.1.0", "001122AABB01", false, "Generic SIP phone"),
        ("Jackfield-Virtual/0.1", "SEP001122AABB01", false, "Virtual phone"),
    ] {
        let mut world = World::new();
        let id = world.stranger("SEP001122AABB01", user);
        let phone = world.phones.get_mut(&id).unwrap();
        (phone.user_agent, phone.enterprise) = (agent.into(), enterprise);
        assert_eq!(world.register(id), 200, "{agent}");
        let device = world.directory.phone_by_mac("001122AABB01".parse().unwrap()).unwrap();
        let phone = world.directory.typed::<Phone>(device).unwrap();
        assert_eq!(&*world.directory.get(phone.model).unwrap().name, model, "{agent}");
    }
}

fn has(world: &World, name: &str) -> bool {
    world.directory.find(Kind::Phone, name).is_some()
}

#[test]
fn one_that_never_comes_back_with_its_secret_is_deleted_and_its_number_is_free() {
    for (restarts, refreshes) in [(false, false), (true, false), (false, true)] {
        let mut world = World::new();
        let id = unknown(&mut world);
        assert_eq!(world.register(id), 200);
        for _ in 0..23 {
            world.run(3600);
            if refreshes {
                assert!([200, 401].contains(&world.register(id)));
            }
            if restarts {
                world.restart_node(2);
            }
        }
        assert!(has(&world, "SEP001122AABB01"));
        world.run(2 * 3600);
        assert!(!has(&world, "SEP001122AABB01"), "{restarts} {refreshes}");
        assert!(world.directory.find(Kind::Line, "9000").is_none(), "its number is free");
    }
}

/// Though the store could not say that it was taken in.
#[test]
fn one_whose_taking_in_was_left_open_has_an_end_too() {
    let mut world = World::new();
    let id = unknown(&mut world);
    world.store.reply = Reply::Unknown;
    assert_eq!(world.register(id), 503);
    world.store.reply = Reply::After(3);
    world.run(60);
    assert_eq!(world.register(id), 200);
    world.run(23 * 3600);
    assert!(has(&world, "SEP001122AABB01"));
    world.run(2 * 3600);
    assert!(!has(&world, "SEP001122AABB01"));
}

/// The same where it never comes again: the store is asked what became of it, until it knows. What was taken
/// in goes, and nothing is remembered of what was not.
#[test]
fn nothing_stays_of_one_whose_taking_in_was_left_open_and_that_never_comes_back() {
    for reply in [Reply::Unknown, Reply::Lost, Reply::Gone] {
        let mut world = World::new();
        let id = unknown(&mut world);
        world.store.reply = reply.clone();
        assert_eq!(world.register(id), 503, "{reply:?}");
        world.run(600);
        assert_eq!(held(&mut world), 1, "{reply:?}: nobody knows yet");
        world.store.reply = Reply::After(3);
        world.run(60);
        assert_eq!(has(&world, "SEP001122AABB01"), reply != Reply::Gone, "{reply:?}");
        assert_eq!(held(&mut world), u64::from(reply != Reply::Gone), "{reply:?}");
        world.run(26 * 3600);
        assert!(!has(&world, "SEP001122AABB01"), "{reply:?}");
        assert_eq!((held(&mut world), world.counter("timers")), (0, 0), "{reply:?}");
    }
}

/// Nor of one that is deleted, or has an owner, before that is known: also where those that do not come back
/// are kept.
#[test]
fn nothing_stays_of_one_that_is_deleted_or_assigned_before_its_taking_in_is_known() {
    for deleted in [true, false] {
        let mut world = World::new();
        settings(&mut world, json!({ "return_hours": 0 }));
        let id = unknown(&mut world);
        world.store.reply = Reply::Unknown;
        assert_eq!(world.register(id), 503);
        let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
        match deleted {
            true => drop(world.admin(&Operation::Delete { id: device, version: None })),
            false => {
                let user = world.create(Kind::EndUser, json!({ "user_id": "ann" }));
                world.change(device, json!({ "owner": user, "auto_registered": false }));
            }
        }
        world.store.reply = Reply::After(3);
        world.run(60);
        assert_eq!((held(&mut world), world.counter("timers")), (0, 0));
    }
}

#[test]
fn one_that_came_back_stays_and_so_does_every_one_where_the_setting_says_so() {
    let mut world = World::new();
    let id = unknown(&mut world);
    assert_eq!(world.register(id), 200);
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    world.input(Input::PasswordGiven { device });
    let password = world.directory.secrets().sip_password(device).reveal().to_owned();
    world.phones.get_mut(&id).unwrap().secret = Secret::Known(password);
    assert_eq!(world.register(id), 200);
    world.run(30 * 3600);
    assert!(has(&world, "SEP001122AABB01"), "it is switched off, and will be back");
    settings(&mut world, json!({ "return_hours": 0 }));
    let silent = world.stranger("SEP001122AABB02", "001122AABB02");
    assert_eq!(world.register(silent), 200);
    world.run(30 * 3600);
    assert!(has(&world, "SEP001122AABB02"));
}

#[test]
fn one_address_has_its_share_of_the_phones_that_wait_for_an_owner() {
    let mut world = World::new();
    settings(&mut world, json!({ "unassigned_limit": 8 }));
    let answers: Vec<u16> = (1..=4)
        .map(|number| {
            let mac = format!("00112233440{number}");
            let fake = world.stranger(&format!("SEP{mac}"), &mac);
            let local = format!("10.66.6.6:{}", 5060 + number);
            world.phones.get_mut(&fake).unwrap().local = local.parse().unwrap();
            world.register(fake)
        })
        .collect();
    assert_eq!(answers, [200, 200, 503, 503]);
    let honest = unknown(&mut world);
    assert_eq!(world.register(honest), 200);
    // One of them is deleted: there is room for another.
    let gone = world.directory.find(Kind::Phone, "SEP001122334401").unwrap();
    world.admin(&Operation::Delete { id: gone, version: None });
    let another = world.stranger("SEP001122334409", "001122334409");
    world.phones.get_mut(&another).unwrap().local = "10.66.6.6:5099".parse().unwrap();
    assert_eq!(world.register(another), 200);
}

/// New phones that have a place of their source.
fn held(world: &mut World) -> u64 {
    let limits = world.overview().limits;
    limits.iter().find(|one| *one.name == *uses::NEW_PHONES.name).unwrap().held
}
