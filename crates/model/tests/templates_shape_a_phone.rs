//! Every setting of a device template arrives on the phone, and CTI devices have their settings.
#![allow(clippy::unwrap_used)]

mod common;

use common::House;
use jackfield_model::setup::{left_unchanged, phones_to_restart};
use jackfield_model::{
    Dialect, EffectiveLine, Kind, Language, Phone, SecurityMode, SignalTransport,
};
use serde_json::json;

/// Proves SP-40.a and SP-40.c.
#[test]
fn every_setting_of_a_device_template_arrives_on_the_phone() {
    let mut house = House::company(1);
    house.create(Kind::Partition, json!({ "name": "Offices" }));
    house.create(Kind::CallingSearchSpace, json!({ "name": "Inside", "partitions": ["Offices"] }));
    house.create(Kind::Location, json!({ "name": "Osaka" }));
    house.create(Kind::PhoneService, json!({ "name": "News", "url": "http://{server}/news" }));
    house.create(
        Kind::CommonDeviceConfiguration,
        json!({ "name": "Japan", "locale": "ja-JP", "relay_point": "on" }),
    );
    house.patch(
        Kind::UniversalDeviceTemplate,
        "Desk phones",
        json!({
            "device_description":
                "#UserID# #MAC# #DirectoryNumber# #Product# #FirstName# #LastName#",
            "security_profile": "Non-secure UDP",
            "button_template": "One line, then speed dials",
            "common_device_configuration": "Japan",
            "css": "Inside",
            "location": "Osaka",
            "services": ["News"],
            "speed_dials": [{ "number": "3002", "label": "Front desk" }],
            "busy_lamp_fields": [{ "number": "3003" }],
            "lines": [{ "display": "#LastName#", "label": "#FirstName# #DirectoryNumber#" }],
        }),
    );
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");

    let phone = house.directory.effective(phone).unwrap();
    let description = "tanaka 001122AABB01 3001 Jackfield-Virtual Hanako Tanaka";
    assert_eq!(&*phone.description, description);
    assert_eq!(phone.transport(), SignalTransport::Udp);
    assert_eq!(phone.security_mode(), SecurityMode::NonSecure);
    assert_eq!(phone.dialect(), Some(Dialect::Virtual));
    assert!(phone.controllable && phone.relayed);
    assert!(phone.button_template.is_some() && phone.softkey_template.is_some());
    assert!(phone.common_phone_profile.is_some() && phone.sip.is_some());
    assert_eq!(
        phone.css.map(jackfield_model::Ref::id),
        Some(house.id(Kind::CallingSearchSpace, "Inside"))
    );
    assert_eq!(phone.location.id(), house.id(Kind::Location, "Osaka"));
    assert_eq!(&*phone.locale, "ja-JP");
    assert_eq!(&*phone.services[0].name, "News");
    assert_eq!(&*phone.speed_dials[0].label, "Front desk");
    assert_eq!(&*phone.busy_lamp_fields[0].number, "3003");
    assert_eq!(&*phone.lines[0].display, "Tanaka");
    assert_eq!(&*phone.lines[0].label, "Hanako 3001");
    assert_eq!(phone.line(1).map(EffectiveLine::number), Some("3001"));
}

#[test]
fn a_users_own_language_goes_before_the_phones() {
    let mut house = House::company(1);
    house.patch(Kind::EndUser, "tanaka", json!({ "locale": "ja-JP" }));
    let phone = house.new_phone(1);
    assert_eq!(&*house.directory.effective(phone).unwrap().locale, "en-US");
    house.assigned(phone, "tanaka");
    assert_eq!(&*house.directory.effective(phone).unwrap().locale, "ja-JP");
}

#[test]
fn a_service_that_is_everywhere_is_on_every_phone_once() {
    let mut house = House::company(0);
    house.patch(Kind::PhoneService, "Self-provisioning", json!({ "everywhere": true }));
    let new = house.new_phone(1);
    let body = house.phone_body("SEP0011223344FF");
    let plain = house.create(Kind::Phone, body);
    for phone in [new, plain] {
        assert_eq!(house.directory.effective(phone).unwrap().services.len(), 1);
    }
}

/// Proves SP-55.b, SP-55.c and SP-55.d.
#[test]
fn a_route_point_has_its_pool_location_relay_choice_and_lines() {
    let mut house = House::company(0);
    house.create(Kind::Location, json!({ "name": "Osaka" }));
    house
        .create(Kind::CommonDeviceConfiguration, json!({ "name": "Relayed", "relay_point": "on" }));
    let point = house.id(Kind::CtiRoutePoint, "IVR-RP");
    let relayed = |house: &House| house.directory.effective(point).unwrap().relayed;
    assert!(!relayed(&house));
    house.update(point, json!({ "common_device_configuration": "Relayed", "location": "Osaka" }));
    assert!(relayed(&house), "the default is as the common device configuration says");
    house.update(point, json!({ "relay_point": "off" }));
    assert!(!relayed(&house));
    house.update(point, json!({ "relay_point": "on", "common_device_configuration": null }));
    assert!(relayed(&house));
    let device = house.directory.effective(point).unwrap();
    assert_eq!(device.location.id(), house.id(Kind::Location, "Osaka"));
    assert_eq!(house.numbers(point), ["2000"]);
    house.create(Kind::Line, json!({ "number": "2001" }));
    house.update(point, json!({ "lines": [{ "line": "2001" }, { "line": "2000" }] }));
    assert_eq!(house.numbers(point), ["2001", "2000"]);
}

/// Proves SP-16.c and CTI-37.a.
#[test]
fn a_route_point_takes_5000_calls_until_device_or_line_says_less() {
    let mut house = House::company(0);
    let point = house.id(Kind::CtiRoutePoint, "IVR-RP");
    let most = |house: &House| {
        let device = house.directory.effective(point).unwrap();
        (device.maximum_calls, device.lines[0].maximum_calls)
    };
    assert_eq!(most(&house), (Some(5000), 5000));
    house.update(point, json!({ "maximum_calls": 100 }));
    assert_eq!(most(&house), (Some(100), 100));
    let line = json!({ "line": "2000", "maximum_calls": 7, "busy_trigger": 7 });
    house.update(point, json!({ "lines": [line] }));
    assert_eq!(most(&house), (Some(100), 7));
}

#[test]
fn devices_are_found_by_name_and_hardware_address() {
    let mut house = House::company(0);
    let phone = house.new_phone(1);
    let directory = &house.directory;
    assert_eq!(directory.phone_by_mac("001122AABB01".parse().unwrap()), Some(phone));
    assert_eq!(directory.device("sep001122aabb01"), Some(phone));
    assert!(directory.device("IVR-RP").is_some());
    assert_eq!(directory.device("nobody"), None);
    assert!(directory.typed::<Phone>(directory.device("IVR-RP").unwrap()).is_none());
}

/// What a template made of a name or number is theirs, too, when they change; what was written by hand
/// stays, and who changes them is told of it.
#[test]
fn texts_that_a_template_made_follow_the_name_and_the_number() {
    let mut house = House::company(1);
    let (phone, user) = (house.new_phone(1), house.user("tanaka"));
    house.assigned(phone, "tanaka");
    let line = house.id(Kind::Line, "3001");
    let shown = |house: &House| {
        let phone = house.phone(phone);
        let first = &phone.lines[0];
        let line = house.line(line).alerting_name.clone();
        [&phone.description, &first.label, &first.display, &line].map(ToString::to_string)
    };
    let changed = |house: &mut House, id, patch| {
        let before = house.directory.clone();
        house.update(id, patch);
        let reaches = phones_to_restart(&before, &house.directory, id).next().is_some();
        (reaches, left_unchanged(&before, &house.directory, id, Language::English))
    };
    let told = changed(&mut house, user, json!({ "last_name": "Sato" }));
    assert_eq!(told, (true, vec![]));
    let name = "Hanako Sato";
    assert_eq!(shown(&house), ["Hanako Sato, Jackfield-Virtual", "3001", name, name]);
    let told = changed(&mut house, line, json!({ "number": "3111" }));
    assert_eq!(told, (true, vec![]));
    assert_eq!(shown(&house)[1], "3111");
    assert_eq!(house.line(line).number.as_str(), "3111");

    let by_hand = json!([{ "line": "3111", "label": "Sato 3111", "display": "Hanako Sato" }]);
    house.update(phone, json!({ "lines": by_hand }));
    let patch = json!({ "number": "3112", "alerting_name": "Desk" });
    let (reaches, told) = changed(&mut house, line, patch);
    assert!(reaches, "no text on the phone follows, but it registers the number");
    assert_eq!(shown(&house)[1..], ["Sato 3111", name, "Desk"]);
    let place = format!("phone {} (lines[0].label) still shows Sato 3111", house.phone(phone).name);
    assert!(told.len() == 1 && told[0].starts_with(&place), "{told:?}");
    let (_, told) = changed(&mut house, user, json!({ "last_name": "Mori" }));
    assert_eq!(shown(&house)[1..], ["Sato 3111", "Hanako Mori", "Desk"]);
    assert!(told.len() == 1 && told[0].starts_with(&place), "{told:?}");
}

/// What is part of another word or number is not the old one.
#[test]
fn who_changes_a_number_is_not_told_of_others_that_hold_its_digits() {
    let mut house = House::company(1);
    let line = house.create(Kind::Line, json!({ "number": "31", "description": "Room 3131, 310" }));
    let mut phone = house.phone_body("SEP0011223344AB");
    phone["lines"] = json!([{ "line": "31", "label": "Hall" }]);
    let phone = house.create(Kind::Phone, phone);
    let told = |house: &mut House, number: &str| {
        let before = house.directory.clone();
        house.update(line, json!({ "number": number }));
        assert!(phones_to_restart(&before, &house.directory, line).eq([phone]));
        left_unchanged(&before, &house.directory, line, Language::English)
    };
    assert_eq!(told(&mut house, "32"), [""; 0]);
    house.update(line, json!({ "description": "Calls to 32 and 33" }));
    assert_eq!(told(&mut house, "33").len(), 1);
    assert_eq!(&*house.phone(phone).lines[0].label, "Hall");
}

/// A phone is known by the hardware address in its name.
#[test]
fn who_gives_a_phone_another_name_is_told_which_phone_it_is_for_now() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    let before = house.directory.clone();
    house.update(phone, json!({ "name": "SEP001122334455" }));
    let told = left_unchanged(&before, &house.directory, phone, Language::English);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("these settings wait for SEP001122334455 now"), "{told:?}");
    let before = house.directory.clone();
    house.update(phone, json!({ "model": "Cisco 7841" }));
    let told = left_unchanged(&before, &house.directory, phone, Language::English);
    assert!(told.len() == 1 && told[0].contains("in the form of Cisco 7841"), "{told:?}");
    let before = house.directory.clone();
    house.update(phone, json!({ "description": "Hall" }));
    assert_eq!(left_unchanged(&before, &house.directory, phone, Language::Japanese), [""; 0]);
}
