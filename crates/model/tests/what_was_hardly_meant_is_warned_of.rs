//! What is allowed, and had better be known.
#![allow(clippy::unwrap_used)]

mod common;

use common::House;
use jackfield_model::setup::{Place, SipPorts, concerns, misplaced};
use jackfield_model::{Kind, Language, Operation, PlainAutoRegistration, sentence};
use jackfield_vocabulary::Code;
use serde_json::json;

const EN: Language = Language::English;

/// What phones are told is compared with what is open.
#[test]
fn where_phones_look_elsewhere_than_the_node_is_both_are_named() {
    let mut house = House::company(1);
    let at = |sip: &str, address: &str, own| Place {
        node: "node-1".into(),
        address: address.parse().unwrap(),
        sip: sip.parse().unwrap(),
        own,
        unknown: false,
        others: SipPorts::new(),
    };
    let told = |house: &House, place: &Place| -> Vec<String> {
        let found = misplaced(&house.directory, place, EN);
        found.into_iter().map(|one| format!("{} {}", one.text, one.remedy.unwrap())).collect()
    };
    let here = at("0.0.0.0:5060", "192.0.2.10", true);
    assert_eq!(told(&house, &here), [""; 0]);
    house.patch(Kind::Node, "node-1", json!({ "sip_port": 5070 }));
    let port = told(&house, &here);
    assert!(port[0].contains("listens on the SIP port 5060, and phones are told so"), "{port:?}");
    assert!(port[0].contains("settings say 5070") && port[0].contains("and then its phones"));
    assert!(port[0].contains("jackfield set node node-1 --sip-port 5060"), "{port:?}");
    // Another node said where it listens; of a third nothing is known.
    for (name, number) in [("node-2", 2), ("node-3", 3)] {
        let body =
            json!({ "name": name, "address": "192.0.2.11", "number": number, "sip_port": 5090 });
        house.create(Kind::Node, body);
    }
    let mut heard = here.clone();
    heard.others.hear("node-2", 5080);
    let both = told(&house, &heard);
    assert!(
        both.len() == 2 && both[1].contains("Node node-2 listens on the SIP port 5080"),
        "{both:?}"
    );
    house.patch(Kind::Node, "node-1", json!({ "sip_port": 5060 }));
    let moved = told(&house, &at("0.0.0.0:5060", "198.51.100.7", false));
    assert!(moved[0].contains("told the address 192.0.2.10"), "{moved:?}");
    assert!(moved[0].contains("jackfield set node node-1 --address 198.51.100.7"), "{moved:?}");
    // Behind a translation of addresses the node says so itself.
    assert_eq!(told(&house, &at("0.0.0.0:5060", "192.0.2.10", true)), [""; 0]);
    let only = told(&house, &at("127.0.0.1:5060", "192.0.2.10", true));
    assert!(only[0].contains("listens for SIP at 127.0.0.1 only"), "{only:?}");
    house.patch(Kind::Node, "node-1", json!({ "address": "pbx.example.com" }));
    assert_eq!(told(&house, &at("127.0.0.1:5060", "198.51.100.7", false)), [""; 0]);
    let nowhere = Place { unknown: true, ..at("0.0.0.0:5060", "192.0.2.10", true) };
    let nowhere = told(&house, &nowhere);
    assert!(nowhere[0].contains("pbx.example.com, under which node node-1 finds"), "{nowhere:?}");
    assert!(nowhere[0].contains("jackfield set node node-1 --address 192.0.2.10"), "{nowhere:?}");
}

/// It is allowed, and somebody had better know.
#[test]
fn a_number_of_the_range_and_a_forward_to_nobody_are_warned_of() {
    let mut house = House::company(1);
    let told = |house: &House, id| concerns(&house.directory, id, EN);
    let line = house.create(Kind::Line, json!({ "number": "9001" }));
    assert_eq!(told(&house, line).len(), 1);
    assert!(told(&house, line)[0].contains("auto-registration of node node-1"));
    house.update(line, json!({ "number": "4711" }));
    assert_eq!(told(&house, line), [""; 0]);
    let to = |number: &str| json!({ "forwards": { "busy": { "destination": number } } });
    house.update(line, to("4799"));
    assert!(told(&house, line)[0].contains("busy leads to 4799"), "{:?}", told(&house, line));
    let user = house.user("tanaka");
    house.update(user, json!({ "primary_extension": line }));
    assert_eq!(told(&house, user), told(&house, line), "of the user's number, too");
    house.update(line, to("3001"));
    assert_eq!(told(&house, line), [""; 0]);
    // Out of reach is as good as not there.
    house.create(Kind::Partition, json!({ "name": "Far" }));
    house.create(Kind::Line, json!({ "number": "5555", "partition": "Far" }));
    house.update(line, to("5555"));
    assert_eq!(told(&house, line), [""; 0], "a phone may reach it");
    let mut phone = house.phone_body("SEP0011223344AA");
    phone["lines"] = json!([{ "line": "4711" }]);
    house.create(Kind::Phone, phone);
    assert_eq!(told(&house, line).len(), 1);
}

/// Callers would hear that the call failed.
#[test]
fn a_forward_that_comes_back_is_warned_of() {
    let mut house = House::company(1);
    let told = |house: &House, id| concerns(&house.directory, id, EN);
    let numbers = ["4701", "4702", "4703"];
    let lines = numbers.map(|number| house.create(Kind::Line, json!({ "number": number })));
    let to = |of: &str, number: &str| json!({ "forwards": { of: { "destination": number } } });
    for of in ["all", "busy", "no_answer", "unregistered", "failure"] {
        house.update(lines[0], to(of, "4701"));
        let warned = told(&house, lines[0]);
        let text = format!("The forward {of} to 4701 leads back to 4701");
        assert!(warned.len() == 1 && warned[0].starts_with(&text), "{warned:?}");
        house.update(lines[0], to(of, ""));
    }
    house.update(lines[0], to("all", "4702"));
    house.update(lines[1], to("all", "4703"));
    assert_eq!(told(&house, lines[1]), [""; 0]);
    house.update(lines[2], to("all", "4701"));
    assert!(told(&house, lines[2])[0].contains("leads back to 4703"));
    // Into a loop of others is no way back, and the search for one ends.
    house.update(lines[2], to("all", "4702"));
    assert_eq!(told(&house, lines[0]), [""; 0]);
}

/// Two colleagues for each other: when both are out, a call would never end anywhere.
#[test]
fn forwards_to_each_other_for_the_same_reason_are_warned_of() {
    let mut house = House::company(1);
    let told = |house: &House, id| concerns(&house.directory, id, EN);
    let numbers = ["4701", "4702", "4703"];
    let lines = numbers.map(|number| house.create(Kind::Line, json!({ "number": number })));
    let to = |of: &str, number: &str| json!({ "forwards": { of: { "destination": number } } });
    for of in ["busy", "no_answer", "unregistered", "failure"] {
        house.update(lines[0], to(of, "4702"));
        house.update(lines[1], to(of, "4703"));
        assert_eq!(told(&house, lines[1]), [""; 0]);
        house.update(lines[2], to(of, "4701"));
        let text = format!("The forward {of} to 4701 leads back to 4703 where 4701 forwards");
        let warned = told(&house, lines[2]);
        assert!(warned.len() == 1 && warned[0].starts_with(&text), "{warned:?}");
        for line in lines {
            house.update(line, to(of, ""));
        }
    }
    // For another reason it ends there.
    house.update(lines[0], to("busy", "4702"));
    house.update(lines[1], to("no_answer", "4701"));
    assert_eq!(told(&house, lines[1]), [""; 0]);
}

/// Both would be turned away at the IVR.
#[test]
fn an_extension_that_is_another_ones_too_is_warned_of() {
    let mut house = House::company(2);
    let (first, second) = (house.user("tanaka"), house.user("suzuki"));
    let warned = |house: &House, user| concerns(&house.directory, user, EN).join(" ");
    house.update(second, json!({ "primary_extension": "3001" }));
    for (user, other) in [(first, "suzuki"), (second, "tanaka")] {
        let told = warned(&house, user);
        assert!(told.contains(&format!("{other} is identified by the same digits")), "{told}");
    }
    house.update(second, json!({ "self_service_id": "77" }));
    assert_eq!((warned(&house, first), warned(&house, second)), (String::new(), String::new()));
}

/// Two numbers that are the same, of which callers reach one.
#[test]
fn a_number_that_hides_another_one_is_warned_of() {
    let mut house = House::company(1);
    let told = |house: &House, id| concerns(&house.directory, id, EN).join(" ");
    house.create(Kind::Partition, json!({ "name": "Internal" }));
    let inside = |number: &str| json!({ "number": number, "partition": "Internal" });
    let pilot = house.create(Kind::Line, inside("2000"));
    let twin = house.create(Kind::Line, inside("3001"));
    // Nobody reaches both.
    assert_eq!((told(&house, pilot), told(&house, twin)), (String::new(), String::new()));
    let staff = json!({ "name": "Staff", "partitions": ["Internal"] });
    house.create(Kind::CallingSearchSpace, staff);
    let service = "2000 is the number of self-provisioning (2000 in no partition), too";
    assert!(told(&house, pilot).contains(service), "{}", told(&house, pilot));
    let same = "3001 in no partition has the same number";
    assert!(told(&house, twin).contains(same), "{}", told(&house, twin));
    let other = house.id(Kind::Line, "3001 in no partition");
    assert!(told(&house, other).contains("3001 in Internal has the same number"));
    let user = house.user("tanaka");
    assert_eq!(told(&house, user), told(&house, other), "of the user's number, too");
    // What a node lends to new phones, by the range and by the template of its lines.
    let template = house
        .create(Kind::UniversalLineTemplate, json!({ "name": "Lent", "partition": "Internal" }));
    house.update(pilot, json!({ "number": "2222" }));
    let range = house.id(Kind::AutoRegistration, "node-1");
    let lend = |first: &str, last: &str| json!({ "starting_number": first, "ending_number": last, "line_template": "Lent" });
    for (first, last, text) in [
        ("2000", "2100", "2000, the number of self-provisioning (2000), lies in the range"),
        ("3000", "3000", ""),
        ("9000", "9999", ""),
    ] {
        house.update(range, lend(first, last));
        for id in [range, template] {
            let warned = told(&house, id);
            assert!(warned.contains(text) && warned.is_empty() == text.is_empty(), "{warned}");
        }
    }
    let mut phone = house.phone_body("SEP0011223344AB");
    phone["lines"] = json!([{ "line": "2000" }]);
    let phone = house.create(Kind::Phone, phone);
    assert!(told(&house, phone).contains("SEP0011223344AB has it, too"), "{}", told(&house, phone));
    house.update(twin, json!({ "number": "3333" }));
    house.update(range, lend("3000", "3100"));
    assert!(told(&house, range).contains("3001 lies in the range"), "{}", told(&house, range));
}

/// Whoever guesses has it easy.
#[test]
fn a_policy_that_protects_little_is_warned_of() {
    let mut house = House::company(1);
    let policy = house.id(Kind::CredentialPolicy, "Default");
    let told = |house: &House| concerns(&house.directory, policy, EN);
    assert_eq!(told(&house), [""; 0]);
    for (patch, text) in [
        (json!({ "failures": 0 }), "No number of wrong entries locks"),
        (json!({ "failures": 5, "minimum_password_length": 7 }), "Passwords of 7 signs"),
        (json!({ "minimum_password_length": 8, "minimum_pin_length": 3 }), "PINs of 3 digits"),
        (json!({ "minimum_pin_length": 4, "refuse_trivial": false }), "guessed first are allowed"),
    ] {
        house.update(policy, patch);
        let told = told(&house);
        assert!(told.len() == 1 && told[0].contains(text), "{told:?}");
    }
}

/// It would stand on everybody's phone.
#[test]
fn a_tag_that_is_none_is_warned_of() {
    let mut house = House::company(1);
    let told = |house: &House, id| concerns(&house.directory, id, EN).join(" ");
    let line = house.create(
        Kind::UniversalLineTemplate,
        json!({ "name": "L", "alerting_name": "#FirstName# #Surname#", "line_text": "#mac#" }),
    );
    assert!(told(&house, line).starts_with("#Surname# is no tag"), "{}", told(&house, line));
    house.update(line, json!({ "alerting_name": "#FirstName# #LastName#" }));
    assert_eq!(told(&house, line), "");
    let device = house.id(Kind::UniversalDeviceTemplate, "Desk phones");
    assert_eq!(told(&house, device), "");
    house.update(device, json!({ "lines": [{ "label": "#Ext#" }] }));
    assert!(told(&house, device).starts_with("#Ext# is no tag"), "{}", told(&house, device));
}

/// Calls would go nowhere.
#[test]
fn a_pattern_that_redirects_to_nobody_is_warned_of() {
    let mut house = House::company(1);
    let to = |number: &str| json!({ "pattern": "88XX", "does": "redirect", "destination": number });
    let route = house.create(Kind::RoutePattern, to("4799"));
    let told = |house: &House| concerns(&house.directory, route, EN).join(" ");
    assert!(told(&house).contains("on to 4799, which nobody has"), "{}", told(&house));
    house.update(route, to("3001"));
    assert_eq!(told(&house), "");
}

/// A pattern that is not for emergencies takes the number away from those that are.
#[test]
fn an_emergency_number_that_a_pattern_takes_is_warned_of() {
    let mut house = House::company(1);
    let pattern = json!({ "pattern": "11X", "does": "block" });
    let route = house.create(Kind::RoutePattern, pattern);
    let cluster = house.id(Kind::ClusterSettings, "cluster");
    let told = |house: &House, id| concerns(&house.directory, id, EN);
    assert_eq!(told(&house, route).len(), 3, "110, 112 and 119: {:?}", told(&house, route));
    assert!(told(&house, route)[0].contains("110 is an emergency number, and the route pattern"));
    assert_eq!(told(&house, cluster), told(&house, route));
    house.update(route, json!({ "emergency": true }));
    assert_eq!((told(&house, route), told(&house, cluster)), (Vec::new(), Vec::new()));
}

/// Who dials it wants help.
#[test]
fn an_emergency_number_that_is_a_line_is_warned_of_and_lent_to_nobody() {
    let mut house = House::company(1);
    let told = |house: &House, id| concerns(&house.directory, id, EN).join(" ");
    let line = house.create(Kind::Line, json!({ "number": "110" }));
    assert!(told(&house, line).contains("110 is an emergency number and a line"));
    let range = house.id(Kind::AutoRegistration, "node-1");
    for (first, last, number) in [("111", "119", "112"), ("911", "911", "911")] {
        let lend = json!({ "starting_number": first, "ending_number": last });
        let refusal = house.update_refused(range, lend);
        assert_eq!(refusal.code, Code::RangeOverlaps);
        let said = sentence(&refusal, EN).message;
        assert!(said.ends_with(&format!("holds the emergency number {number}.")), "{said}");
    }
    let import = |first: &str| {
        Operation::ImportAutoRegistration(PlainAutoRegistration {
            node: "node-1".into(),
            disabled: true,
            starting_number: first.into(),
            ending_number: "119".into(),
            partition: "".into(),
            external_mask: "".into(),
        })
    };
    assert_eq!(house.refused(&import("118")).code, Code::RangeOverlaps);
    // The other way round: a number of somebody's, or that is lent, becomes one.
    let cluster = house.id(Kind::ClusterSettings, "cluster");
    for (numbers, text) in [
        (json!(["112", "3001"]), "3001 is an emergency number and a line"),
        (json!(["9005"]), "9005 lies in the range that auto-registration of node node-1 lends"),
        (json!([]), "There are no emergency numbers"),
        (json!(["112"]), ""),
    ] {
        house.update(cluster, json!({ "emergency_numbers": numbers }));
        let warned = told(&house, cluster);
        assert!(warned.contains(text) && warned.is_empty() == text.is_empty(), "{warned}");
    }
}
