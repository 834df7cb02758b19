//! A phone boots, fetches its files and registers.

#![allow(clippy::unwrap_used)]

mod support;

use jackfield_phone::{Make, PhoneCommand, PhoneEvent, PhoneSettings};
use jackfield_sip::Status;
use jackfield_sip::digest::Algorithm;
use support::{World, plain};

const MAC: &str = "0200000000AA";

fn settings(make: Make) -> PhoneSettings {
    PhoneSettings::new(MAC.parse().unwrap(), make, [127, 0, 0, 1].into())
}

fn enterprise(lines: &[&str], stamp: &str) -> String {
    let lines: String = lines
        .iter()
        .enumerate()
        .map(|(n, number)| {
            format!(
                "<line button=\"{0}\" lineIndex=\"{0}\"><featureID>9</featureID><proxy>USECALLMANAGER</proxy>\
                 <name>{number}</name><authName>SEP{MAC}</authName><authPassword>pw</authPassword></line>",
                n + 1
            )
        })
        .collect();
    format!(
        "<device><devicePool><callManagerGroup><members><member priority=\"0\"><callManager><ports>\
         <sipPort>5060</sipPort></ports><processNodeName>127.0.0.1</processNodeName></callManager></member>\
         </members></callManagerGroup></devicePool><sipProfile><sipLines>{lines}</sipLines></sipProfile>\
         <versionStamp>{stamp}</versionStamp></device>"
    )
}

#[test]
fn a_generic_phone_answers_the_challenge_and_holds_the_nonce() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Md5Sess] {
        let mut world = World::new();
        world.office.algorithm = Some(algorithm);
        world.office.passwords.insert("dev1001".into(), "secret".into());
        world.file("0200000000aa.txt", &plain("1001", "secret"));
        let phone = world.add(settings(Make::Generic));
        assert!(world.phones[phone].is_in_service(), "{:?}", world.events);
        assert!(world.take(phone).contains(&PhoneEvent::Registered { number: "1001".into() }));
        world.run(400_000);
        let counts: Vec<_> = world.office.accepted.iter().map(|(_, nc)| nc.unwrap()).collect();
        assert!(counts.len() >= 3, "{counts:?}");
        assert_eq!(counts, (1..=counts.len() as u32).collect::<Vec<_>>(), "nc rises by one");
        assert!(world.phones[phone].is_in_service());
    }
}

#[test]
fn a_nonce_that_got_too_old_is_answered_with_a_new_one() {
    let mut world = World::new();
    world.office.passwords.insert("dev1001".into(), "secret".into());
    world.office.nonce_uses = Some(2);
    world.file("0200000000aa.txt", &plain("1001", "secret"));
    let phone = world.add(settings(Make::Generic));
    world.run(1_000_000);
    assert!(world.office.accepted.len() > 6);
    let lost = world.take(phone).iter().any(|e| matches!(e, PhoneEvent::NotRegistered { .. }));
    assert!(!lost, "service is never lost");
}

#[test]
fn a_wrong_password_is_told_on_the_display_and_tried_again_later() {
    let mut world = World::new();
    world.office.passwords.insert("dev1001".into(), "secret".into());
    world.file("0200000000aa.txt", &plain("1001", "wrong"));
    let phone = world.add(settings(Make::Generic));
    assert!(!world.phones[phone].is_in_service());
    assert!(world.shows(phone, "1001 - not registered: wrong user or password"));
    let tried = world.office.seen.len();
    world.run(3_000);
    assert_eq!(world.office.seen.len(), tried, "not at once");
    world.office.passwords.insert("dev1001".into(), "wrong".into());
    world.run(120_000);
    assert!(world.phones[phone].is_in_service());
}

#[test]
fn an_enterprise_phone_without_a_file_registers_as_what_it_is() {
    let mut world = World::new();
    world.file(
        "XMLDefault.cnf.xml",
        "<Default><callManagerGroup><members><member priority=\"0\"><callManager><ports>\
         <sipPort>5070</sipPort></ports><processNodeName>127.0.0.1</processNodeName></callManager>\
         </member></members></callManagerGroup></Default>",
    );
    let phone = world.add(settings(Make::Enterprise));
    let name = format!("SEP{MAC}");
    let binding = &world.office.bindings[&name];
    assert!(binding.raw_contact.contains(&format!("+u.sip!devicename.ccm.cisco.com=\"{name}\"")));
    assert!(binding.raw_contact.contains("00000000-0000-0000-0000-0200000000aa"));
    assert!(binding.contact.contains("transport=tcp"));
    assert!(world.phones[phone].is_in_service());
    // Then the server makes a file for it and says so.
    world.file(&format!("{name}.cnf.xml"), &enterprise(&["7001"], "1"));
    let body = "action=restart\r\nRegisterCallId={{CALL-ID}}\r\nConfigVersionStamp={x}\r\n";
    let notify = world.office.notify(&name, "service-control", body);
    world.deliver(notify);
    assert_eq!(world.phones[phone].registered(), ["7001"]);
    assert!(!world.office.bindings.contains_key(&name), "it unregistered before");
}

#[test]
fn only_the_primary_line_of_an_enterprise_phone_registers() {
    let mut world = World::new();
    world.file(&format!("SEP{MAC}.cnf.xml"), &enterprise(&["7001", "7002"], "1"));
    let phone = world.add(settings(Make::Enterprise));
    assert_eq!(world.office.bindings.keys().collect::<Vec<_>>(), ["7001"]);
    assert_eq!(world.phones[phone].registered(), ["7001", "7002"]);
    assert!(world.phones[phone].is_in_service());
}

#[test]
fn every_line_of_a_generic_phone_registers() {
    let mut world = World::new();
    world.file("0200000000aa.txt", &(plain("1001", "") + "line.2.number=1002\n"));
    let phone = world.add(settings(Make::Generic));
    assert_eq!(world.office.bindings.keys().collect::<Vec<_>>(), ["1001", "1002"]);
    world.command(phone, PhoneCommand::PowerOff);
    assert!(world.office.bindings.is_empty());
    assert!(world.take(phone).contains(&PhoneEvent::Off));
}

#[test]
fn a_multiplatform_phone_follows_its_profile_rule() {
    let mut world = World::new();
    world.file(
        "7832-3PCC.xml",
        "<flat-profile><Profile_Rule>http://127.0.0.1:6970/$MA.xml</Profile_Rule></flat-profile>",
    );
    world.file(
        "0200000000aa.xml",
        "<flat-profile><Proxy_1_>127.0.0.1</Proxy_1_><User_ID_1_>1003</User_ID_1_>\
         <Auth_ID_1_>x</Auth_ID_1_><Password_1_>p</Password_1_></flat-profile>",
    );
    world.office.passwords.insert("x".into(), "p".into());
    let phone = world.add(settings(Make::Multiplatform));
    assert_eq!(world.phones[phone].registered(), ["1003"]);
}

#[test]
fn restart_orders_of_every_dialect_make_it_boot_again() {
    for (make, event, body) in [
        (Make::Generic, "check-sync;reboot=true", ""),
        (Make::Multiplatform, "resync", ""),
        (Make::Generic, "reboot", ""),
        (Make::Generic, "service-control", "action=reset\r\n"),
    ] {
        let mut world = World::new();
        world.file("0200000000aa.txt", &plain("1001", ""));
        world
            .file("0200000000aa.xml", "<flat-profile><User_ID_1_>1001</User_ID_1_></flat-profile>");
        let phone = world.add(settings(make));
        world.take(phone);
        let notify = world.office.notify("1001", event, body);
        world.deliver(notify);
        let events = world.take(phone);
        let restarted = events.iter().any(|e| matches!(e, PhoneEvent::Restarting { .. }));
        let booted = events.iter().any(|e| matches!(e, PhoneEvent::Booted { .. }));
        assert!(restarted && booted, "{event}: {events:?}");
        assert!(world.phones[phone].is_in_service());
    }
}

#[test]
fn a_restart_for_another_registration_is_not_obeyed() {
    let mut world = World::new();
    world.file(&format!("SEP{MAC}.cnf.xml"), &enterprise(&["7001"], "1"));
    let phone = world.add(settings(Make::Enterprise));
    world.take(phone);
    let body = "action=restart\r\nRegisterCallId={somebody-else}\r\n";
    let notify = world.office.notify("7001", "service-control", body);
    world.deliver(notify);
    assert!(world.take(phone).is_empty());
}

#[test]
fn check_sync_without_reboot_restarts_only_for_a_new_file() {
    let mut world = World::new();
    world.file("0200000000aa.txt", &plain("1001", ""));
    let phone = world.add(settings(Make::Generic));
    world.take(phone);
    let notify = world.office.notify("1001", "check-sync;reboot=false", "");
    world.deliver(notify);
    assert!(world.take(phone).is_empty(), "the same file");
    world.file("0200000000aa.txt", &plain("1002", ""));
    let notify = world.office.notify("1001", "check-sync;reboot=false", "");
    world.deliver(notify);
    assert_eq!(world.phones[phone].registered(), ["1002"]);
}

#[test]
fn a_refusal_is_shown_and_too_short_a_time_is_corrected() {
    let mut world = World::new();
    world.office.refuse = Some(Status::FORBIDDEN);
    let phone = world.add(settings(Make::Generic));
    assert!(
        world.shows(phone, "not registered: 403 Forbidden"),
        "{:?}",
        world.phones[phone].display()
    );
    world.office.refuse = None;
    world.run(60_000);
    assert!(world.phones[phone].is_in_service());
    assert_eq!(world.phones[phone].registered(), ["0200000000aa"]);
}

#[test]
fn registrations_survive_lost_datagrams() {
    for lose in [3, 4, 5] {
        let mut world = World::new();
        world.lose = lose;
        world.office.passwords.insert("dev1001".into(), "secret".into());
        world.file("0200000000aa.txt", &plain("1001", "secret"));
        let phone = world.add(settings(Make::Generic));
        world.run(90_000);
        assert!(world.phones[phone].is_in_service(), "every {lose}th lost");
    }
}

#[test]
fn a_silent_server_is_noticed_and_asked_again() {
    let mut world = World::new();
    world.lose = 1;
    let phone = world.add(settings(Make::Generic));
    world.run(33_000);
    assert!(world.shows(phone, "does not answer"), "{:?}", world.phones[phone].display());
    world.lose = 0;
    world.run(40_000);
    assert!(world.phones[phone].is_in_service());
}
