//! Auto-registration.
#![allow(clippy::unwrap_used)]

mod common;

use common::{House, is};
use jackfield_model::{
    Kind, Language, Operation, Outcome, PlainAutoRegistration, UniversalDeviceTemplate,
    UniversalLineTemplate, sentence, setup,
};
use jackfield_vocabulary::{Code, ObjectId};
use serde_json::json;

/// Proves SP-43.e.
#[test]
fn an_unknown_phone_gets_the_next_free_number_and_the_templates() {
    let mut house = House::company(1);
    let (first, second) = (house.new_phone(1), house.new_phone(2));
    assert_eq!(house.numbers(first), ["9000"]);
    assert_eq!(house.numbers(second), ["9001"]);
    let phone = house.directory.effective(first).unwrap();
    assert!(phone.auto_registered && phone.owner.is_none());
    assert_eq!(&*phone.description, "New Jackfield-Virtual 001122AABB01");
    assert_eq!(&*phone.services[0].name, "Self-provisioning");
    assert!(phone.lines[0].line.auto_registered);
    assert_eq!(house.directory.unassigned().collect::<Vec<_>>(), [first, second]);
}

#[test]
fn registering_twice_gives_the_same_phone() {
    let mut house = House::company(0);
    let registration = house.registration(1);
    let first = house.done(&registration);
    let Outcome::AutoRegistered { device, line, created: true } = first else { panic!() };
    let again = house.done(&registration);
    assert_eq!(again, Outcome::AutoRegistered { device, line, created: false });
}

/// Proves SP-43.b: off by default.
#[test]
fn a_new_node_takes_no_unknown_phones() {
    let mut house = House::new();
    let registration = house.registration(1);
    is(&house.refused(&registration), Code::AutoRegistrationDisabled);
}

/// Proves SP-43.g.
#[test]
fn an_exhausted_range_is_refused_until_a_number_is_free_again() {
    let mut house = House::company(1);
    house.patch(
        Kind::AutoRegistration,
        "node-1",
        json!({ "starting_number": "0098", "ending_number": "0099" }),
    );
    let first = house.new_phone(1);
    assert_eq!(house.numbers(first), ["0098"]);
    house.new_phone(2);
    let third = house.registration(3);
    is(&house.refused(&third), Code::RangeExhausted);
    house.done(&Operation::Delete { id: first, version: None });
    let third = house.new_phone(3);
    assert_eq!(house.numbers(third), ["0098"]);
}

/// Proves SP-43.h, SP-43.i.
#[test]
fn the_range_can_not_overlap_numbers_in_use_but_those_that_it_lent_itself() {
    let mut house = House::company(2);
    house.new_phone(1);
    let settings = house.id(Kind::AutoRegistration, "node-1");
    let overlap = json!({ "starting_number": "3000", "ending_number": "3999" });
    let refusal = house.update_refused(settings, overlap);
    is(&refusal, Code::RangeOverlaps);
    assert!(refusal.values.contains(&("number".into(), "3001".into())), "{refusal}");
    // The first and the last number belong to the range; the ones beside it do not.
    for (first, last, free) in [
        ("3002", "3099", false),
        ("2900", "3001", false),
        ("3003", "3099", true),
        ("2900", "3000", true),
    ] {
        let range = json!({ "starting_number": first, "ending_number": last });
        match free {
            true => house.update(settings, range),
            false => is(&house.update_refused(settings, range), Code::RangeOverlaps),
        }
    }
    house.update(settings, json!({ "starting_number": "9000", "ending_number": "9500" }));
    house.update(settings, json!({ "starting_number": "9000", "ending_number": "9000" }));

    // A route pattern within the range would take calls of the numbers lent, and the other way.
    house.create(Kind::RoutePattern, json!({ "pattern": "70[1-4]X", "does": "block" }));
    house.create(Kind::RoutePattern, json!({ "pattern": "7!", "does": "block" }));
    let over = |first: &str, last: &str| json!({ "starting_number": first, "ending_number": last });
    let refusal = house.update_refused(settings, over("7000", "7010"));
    is(&refusal, Code::RangeOverlaps);
    assert!(refusal.values.contains(&("number".into(), "70[1-4]X".into())), "{refusal}");
    house.update(settings, over("7000", "7009"));
    let over = |pattern: &str| json!({ "pattern": pattern, "does": "block" });
    for pattern in ["700X", "70XX", "7[0-2]05", "XXXX", "7003"] {
        let refusal = house.create_refused(Kind::RoutePattern, over(pattern));
        is(&refusal, Code::RangeOverlaps);
        assert_eq!(refusal.field.as_deref(), Some("pattern"), "{refusal}");
        let said = sentence(&refusal, Language::English);
        assert!(
            said.message.contains("7000 to 7009") && said.message.contains(pattern),
            "{said:?}"
        );
    }
    house.create(Kind::Partition, json!({ "name": "Other" }));
    let elsewhere = json!({ "pattern": "70XX", "does": "block", "partition": "Other" });
    let elsewhere = house.create(Kind::RoutePattern, elsewhere);
    let moved = house.update_refused(elsewhere, json!({ "partition": null }));
    is(&moved, Code::RangeOverlaps);
    house.update(elsewhere, json!({ "description": "Not in the way" }));
    house.create(Kind::RoutePattern, over("701X0"));
}

/// Proves SP-43.h.
#[test]
fn a_range_needs_two_numbers_of_one_length_in_order() {
    let mut house = House::company(0);
    let settings = house.id(Kind::AutoRegistration, "node-1");
    for (first, last, field) in [
        ("9000", "8999", "ending_number"),
        ("9000", "10000", "ending_number"),
        ("90a0", "9999", "starting_number"),
        ("9000", "", "ending_number"),
        ("", "", "starting_number"),
    ] {
        let patch = json!({ "starting_number": first, "ending_number": last });
        let refusal = house.update_refused(settings, patch);
        assert_eq!(refusal.field.as_deref(), Some(field), "{first} to {last}");
    }
    let refusal = house.update_refused(settings, json!({ "device_template": null }));
    assert_eq!(refusal.field.as_deref(), Some("device_template"));
    let said = sentence(&refusal, Language::English).message;
    assert_eq!(said, "The field device_template is required where auto-registration is on.");
    house.update(settings, json!({ "disabled": true, "device_template": null }));
}

#[test]
fn no_more_phones_wait_for_an_owner_than_allowed() {
    let mut house = House::company(1);
    house.patch(Kind::AutoRegistration, "node-1", json!({ "unassigned_limit": 1 }));
    let first = house.new_phone(1);
    let second = house.registration(2);
    is(&house.refused(&second), Code::UnassignedLimit);
    house.assigned(first, "tanaka");
    house.new_phone(2);
}

#[test]
fn a_phone_that_an_administrator_gives_an_owner_by_hand_waits_no_longer() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    house.update(phone, json!({ "owner": "tanaka" }));
    assert!(house.directory.open_for_provisioning(phone).is_err());
    assert_eq!(house.directory.unassigned_count(), 0);
    assert!(house.directory.owned(house.user("tanaka")).eq([phone]));
}

/// As a phone of a hall that is nobody's, or one more that rings with the reception.
#[test]
fn a_phone_on_which_an_administrator_puts_a_line_waits_no_longer_and_its_lent_number_is_free() {
    let mut house = House::company(1);
    house.create(Kind::Line, json!({ "number": "3100" }));
    let phone = house.new_phone(1);
    assert_eq!(house.numbers(phone), ["9000"]);
    house.update(phone, json!({ "speed_dials": [{ "number": "2000" }] }));
    assert!(house.directory.open_for_provisioning(phone).is_ok(), "it still has but a lent number");
    house.update(phone, json!({ "lines": [{ "line": "9000" }, { "line": "3100" }] }));
    assert!(house.directory.open_for_provisioning(phone).is_err());
    assert_eq!(house.directory.unassigned_count(), 0);
    house.update(phone, json!({ "lines": [{ "line": "3001" }, { "line": "3100" }] }));
    assert_eq!(house.numbers(phone), ["3001", "3100"]);
    let told = setup::concerns(&house.directory, phone, Language::English);
    assert!(told[0].contains("3001 is the own number of tanaka"), "{told:?}");
    let second = house.new_phone(2);
    assert_eq!(
        house.numbers(second),
        ["9000"],
        "the number that nobody has any more is lent again"
    );
    house.update(second, json!({ "lines": [] }));
    let third = house.new_phone(3);
    assert_eq!(house.numbers(third), ["9000"]);
}

#[test]
fn a_lent_number_that_became_somebodys_own_is_free_when_it_is_theirs_no_more() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    let tanaka = house.user("tanaka");
    house.update(tanaka, json!({ "primary_extension": "9000" }));
    house.done(&Operation::Delete { id: phone, version: None });
    assert!(house.directory.by_name(Kind::Line, "9000").unwrap().is_some());
    house.update(tanaka, json!({ "primary_extension": "3001" }));
    assert!(house.directory.by_name(Kind::Line, "9000").unwrap().is_none());
    let second = house.new_phone(2);
    house.update(tanaka, json!({ "primary_extension": "9000" }));
    house.done(&Operation::Delete { id: second, version: None });
    let removed = house.submit(&Operation::QuickRemove { user: tanaka }).unwrap();
    assert_eq!(removed.audit["extension"], "9000", "the audit names the number that went");
    assert!(house.directory.by_name(Kind::Line, "9000").unwrap().is_none());
}

#[test]
fn the_owner_of_the_template_owns_no_waiting_phone() {
    let mut house = House::company(2);
    house.patch(Kind::UniversalDeviceTemplate, "New phones", json!({ "owner": "suzuki" }));
    let phone = house.new_phone(1);
    assert!(house.directory.effective(phone).unwrap().owner.is_some());
    assert_eq!(house.directory.owned(house.user("suzuki")).count(), 0);
    assert_eq!(house.directory.unassigned_count(), 1);
    house.assigned(phone, "tanaka");
    assert_eq!(house.numbers(phone), ["3001"]);
}

#[test]
fn a_number_added_inside_the_range_does_not_lock_the_other_settings() {
    let mut house = House::company(0);
    house.create(Kind::Line, json!({ "number": "9000" }));
    house.patch(Kind::AutoRegistration, "node-1", json!({ "per_minute": 5 }));
    let phone = house.new_phone(1);
    assert_eq!(house.numbers(phone), ["9001"]);
}

/// Proves SP-42.a.
#[test]
fn a_speed_dial_to_the_ivr_on_the_template_is_on_every_new_phone() {
    let mut house = House::company(0);
    house.patch(
        Kind::UniversalDeviceTemplate,
        "New phones",
        json!({ "speed_dials": [{ "number": "2000", "label": "Set me up" }] }),
    );
    let phone = house.new_phone(1);
    let dials = house.directory.effective(phone).unwrap().speed_dials;
    assert_eq!((&*dials[0].number, &*dials[0].label), ("2000", "Set me up"));
}

/// Proves SP-45.a, SP-45.b and SP-45.c.
#[test]
fn plain_values_of_an_older_export_become_a_pair_of_templates() {
    let mut house = House::new();
    house.create(Kind::Partition, json!({ "name": "Old" }));
    let import = Operation::ImportAutoRegistration(PlainAutoRegistration {
        node: "node-1".into(),
        disabled: false,
        starting_number: "70000".into(),
        ending_number: "70099".into(),
        partition: "Old".into(),
        external_mask: "03555XXXXX".into(),
    });
    for _ in 0..2 {
        house.done(&import);
        let (_, settings) = house.directory.auto_registration("node-1").unwrap();
        let settings = settings.clone();
        let line: &UniversalLineTemplate =
            house.directory.get(settings.line_template.unwrap()).unwrap();
        let device: &UniversalDeviceTemplate =
            house.directory.get(settings.device_template.unwrap()).unwrap();
        assert_eq!((&*line.name, &*device.name), ("node-1", "node-1"));
        assert_eq!(&*line.external_mask, "03555XXXXX");
        assert_eq!(
            line.partition.map(jackfield_model::Ref::id),
            Some(house.id(Kind::Partition, "Old"))
        );
        assert_eq!(device.lines.len(), 1);
        assert!(!settings.disabled);
    }
    let phone = house.new_phone(1);
    let effective = house.directory.effective(phone).unwrap();
    assert_eq!(effective.lines[0].number(), "70000");
    assert_eq!(&*effective.lines[0].external_number(), "0355570000");
}

/// Proves SP-45.a: what the node had before stays for the others that have it.
#[test]
fn templates_that_were_there_are_left_as_they_were() {
    let mut house = House::company(0);
    let templates = |house: &House| {
        let device = house.id(Kind::UniversalDeviceTemplate, "New phones");
        let line = house.id(Kind::UniversalLineTemplate, "Lines of new phones");
        [device, line].map(|id| house.directory.entry(id).unwrap().body.to_json())
    };
    let before = templates(&house);
    house.done(&Operation::ImportAutoRegistration(PlainAutoRegistration {
        node: "node-1".into(),
        disabled: false,
        starting_number: "70000".into(),
        ending_number: "70099".into(),
        partition: "".into(),
        external_mask: "03555XXXXX".into(),
    }));
    assert_eq!(templates(&house), before);
    let phone = house.new_phone(1);
    assert_eq!(house.numbers(phone), ["70000"]);
}

/// Proves SP-43.a: each of two nodes takes new phones by settings of its own.
#[test]
fn each_node_gives_its_own_numbers_from_its_own_templates() {
    let mut house = House::company(0);
    let second = json!({ "name": "node-2", "address": "192.0.2.11", "number": 2 });
    house.create(Kind::Node, second);
    let base = house.id(Kind::UniversalDeviceTemplate, "New phones");
    let mut body = house.directory.entry(base).unwrap().body.to_json();
    body["name"] = "Branch".into();
    body["device_description"] = "of the branch".into();
    house.create(Kind::UniversalDeviceTemplate, body);
    let lines = json!({ "name": "Branch", "alerting_name": "Branch" });
    house.create(Kind::UniversalLineTemplate, lines);
    let at = |house: &House, node: &str, last: u8| {
        let Operation::AutoRegister { mac, model, .. } = house.registration(last) else { panic!() };
        Operation::AutoRegister { node: node.into(), mac, model }
    };
    let registration = at(&house, "node-2", 1);
    is(&house.refused(&registration), Code::AutoRegistrationDisabled);
    house.patch(
        Kind::AutoRegistration,
        "node-2",
        json!({
            "disabled": false, "device_template": "Branch", "line_template": "Branch",
            "starting_number": "8000", "ending_number": "8001",
        }),
    );
    let mut taken = |node: &str, last: u8| {
        let registration = at(&house, node, last);
        let Outcome::AutoRegistered { device, .. } = house.done(&registration) else { panic!() };
        let phone = house.directory.effective(device).unwrap();
        let line = &phone.lines[0].line;
        (line.number.to_string(), phone.description.to_string(), line.alerting_name.to_string())
    };
    let words = |number: &str, description: &str, alerting: &str| {
        (number.to_owned(), description.to_owned(), alerting.to_owned())
    };
    assert_eq!(taken("node-2", 1), words("8000", "of the branch", "Branch"));
    assert_eq!(
        taken("node-1", 2),
        words("9000", "New Jackfield-Virtual 001122AABB02", "New phone")
    );
    assert_eq!(taken("node-2", 3).0, "8001");
    let full = at(&house, "node-2", 4);
    is(&house.refused(&full), Code::RangeExhausted);
    house.new_phone(5);
}

#[test]
fn an_unknown_node_or_model_is_refused() {
    let mut house = House::company(0);
    let mac = "001122AABB01".parse().unwrap();
    let model = house.id(Kind::PhoneModel, "Virtual phone");
    let elsewhere = Operation::AutoRegister { node: "node-2".into(), mac, model };
    is(&house.refused(&elsewhere), Code::NotFound);
    let model = ObjectId(4_000_000);
    let unknown = Operation::AutoRegister { node: "node-1".into(), mac, model };
    is(&house.refused(&unknown), Code::NotFound);
}
