//! Self-provisioning: a phone becomes its owner's, completely or not at all.
#![allow(clippy::unwrap_used)]

mod common;

use common::{House, assignment, is};
use jackfield_model::setup::{Place, SipPorts, misplaced};
use jackfield_model::{
    Effect, Kind, Language, Operation, Outcome, PhoneModel, ProvenBy, SecurityMode,
};
use jackfield_vocabulary::Code;
use serde_json::json;

/// Proves SP-44.a, SP-44.b and SP-44.c.
#[test]
fn an_assigned_phone_has_its_owners_number_and_the_lent_one_is_free_again() {
    let mut house = House::company(2);
    let (phone, user) = (house.new_phone(1), house.user("tanaka"));
    assert_eq!(house.numbers(phone), ["9000"]);
    let before = house.directory.secrets().sip_password(phone);

    let verdict = house.submit(&assignment(phone, user)).unwrap();

    let extension = "3001".into();
    assert_eq!(verdict.outcome, Outcome::Assigned { device: phone, user, extension });
    assert_eq!(house.numbers(phone), ["3001"]);
    let effective = house.directory.effective(phone).unwrap();
    assert_eq!(effective.owner.map(jackfield_model::Ref::id), Some(user));
    assert!(!effective.auto_registered);
    assert_eq!(&*effective.description, "Hanako Tanaka, Jackfield-Virtual");
    assert_eq!(&*effective.lines[0].display, "Hanako Tanaka");
    assert_eq!(&*effective.lines[0].line.alerting_name, "Hanako Tanaka");
    let controlled = &house.end_user(user).controlled_phones;
    assert!(controlled.iter().any(|controlled| controlled.id() == phone));
    assert_eq!(house.directory.by_name(Kind::Line, "9000"), Ok(None));
    assert!(verdict.effects.contains(&Effect::RotateDeviceSecret { device: phone }));
    assert_eq!(before, house.directory.secrets().sip_password(phone), "the store rotates it");
    let next = house.new_phone(2);
    assert_eq!(house.numbers(next), ["9000"]);
}

/// Proves SP-17.d: every write of an assignment is in one verdict, each after what it refers to.
#[test]
fn an_assignment_is_one_verdict_in_an_order_that_foreign_keys_accept() {
    let mut house = House::company(1);
    let (phone, user) = (house.new_phone(1), house.user("tanaka"));
    let verdict = house.submit(&assignment(phone, user)).unwrap();
    let puts: Vec<_> = verdict
        .effects
        .iter()
        .map(|effect| match effect {
            Effect::Put { body, .. } => body.kind().name(),
            Effect::Delete { .. } => "delete",
            Effect::RotateDeviceSecret { .. } => "rotate",
            effect => panic!("{effect:?}"),
        })
        .collect();
    assert_eq!(puts, ["phone", "end-user", "delete", "rotate"]);
}

/// Proves SP-56.b and SP-56.c.
#[test]
fn an_assignment_tells_the_audit_who_and_what_was_before() {
    let mut house = House::company(1);
    let (phone, user) = (house.new_phone(1), house.user("tanaka"));
    let audit = house.submit(&assignment(phone, user)).unwrap().audit;
    assert_eq!(audit["phone"], "SEP001122AABB01");
    assert_eq!(audit["user"], "tanaka");
    assert_eq!(audit["proven_by"], "pin");
    assert_eq!(audit["result"], "assigned");
    assert_eq!(audit["old"]["auto_registered"], true);
    assert_eq!(audit["new"]["owner"], user.0);
    assert!(!audit.to_string().contains("password"));
}

#[test]
fn assigning_twice_to_the_same_user_changes_nothing_more() {
    let mut house = House::company(1);
    let (phone, user) = (house.new_phone(1), house.user("tanaka"));
    let first = house.done(&assignment(phone, user));
    let second = house.submit(&assignment(phone, user)).unwrap();
    assert_eq!(second.outcome, first);
    assert!(second.effects.is_empty());
}

/// Proves SP-34.a, SP-34.c and SP-34.e.
#[test]
fn each_failed_condition_has_its_own_outcome() {
    let mut house = House::company(2);
    let (phone, user) = (house.new_phone(1), house.user("tanaka"));

    house.profile(json!({ "allow_self_provisioning": false }));
    is(&house.refused(&assignment(phone, user)), Code::ProvisioningNotAllowed);
    house.profile(json!({ "allow_self_provisioning": true }));

    house.update(user, json!({ "primary_extension": null }));
    is(&house.refused(&assignment(phone, user)), Code::NoPrimaryExtension);
    house.update(user, json!({ "primary_extension": "3001" }));

    house.profile(json!({ "device_limit": 0 }));
    let refusal = house.refused(&assignment(phone, user));
    is(&refusal, Code::DeviceLimit);
    assert_eq!(refusal.object.as_deref(), Some("user-profile Default"));
    house.profile(json!({ "device_limit": 1 }));

    house.update(user, json!({ "enabled": false }));
    is(&house.refused(&assignment(phone, user)), Code::Disabled);
    house.update(user, json!({ "enabled": true }));

    house.assigned(phone, "tanaka");
    let second = house.new_phone(2);
    is(&house.refused(&assignment(second, user)), Code::DeviceLimit);

    // The number of the phone that the user has is no extension of the user's.
    house.profile(json!({ "device_limit": 2 }));
    house.update(user, json!({ "primary_extension": null }));
    is(&house.refused(&assignment(second, user)), Code::NoPrimaryExtension);
}

/// Proves SP-34.e: devices of all kinds count.
#[test]
fn a_cti_port_counts_against_the_limit() {
    let mut house = House::company(1);
    house.profile(json!({ "device_limit": 1 }));
    house.create(
        Kind::CtiPort,
        json!({ "name": "PORT-1", "device_pool": "Default", "owner": "tanaka" }),
    );
    let (phone, user) = (house.new_phone(1), house.user("tanaka"));
    is(&house.refused(&assignment(phone, user)), Code::DeviceLimit);
}

/// Proves SP-32.a and SP-34.d.
#[test]
fn without_a_device_template_in_the_profile_nothing_is_assigned() {
    let mut house = House::company(1);
    let (phone, user) = (house.new_phone(1), house.user("tanaka"));
    house.profile(json!({ "desk_phones": null }));
    is(&house.refused(&assignment(phone, user)), Code::NoDeviceTemplate);
}

/// Proves SP-57.b and SP-34.d: whatever the profile has for desk phones.
#[test]
fn a_soft_client_is_built_from_the_template_of_mobile_and_desktop_devices() {
    let mut house = House::company(1);
    let user = house.user("tanaka");
    let model = house.id(Kind::PhoneModel, "Generic soft client");
    let mac = "001122AABB09".parse().unwrap();
    let registration = Operation::AutoRegister { node: "node-1".into(), mac, model };
    let Outcome::AutoRegistered { device, .. } = house.done(&registration) else { panic!() };
    house.patch(
        Kind::UniversalDeviceTemplate,
        "Mobile and desktop devices",
        json!({ "device_description": "Soft client of #UserID#" }),
    );
    house.profile(json!({ "mobile_and_desktop_devices": null }));
    is(&house.refused(&assignment(device, user)), Code::NoDeviceTemplate);
    house.profile(json!({ "mobile_and_desktop_devices": "Mobile and desktop devices" }));
    house.done(&assignment(device, user));
    assert_eq!(&*house.phone(device).description, "Soft client of tanaka");
}

/// Proves SP-33.a: nor need the number be on another phone, from which its settings could come.
#[test]
fn without_a_line_template_a_number_that_is_on_no_phone_is_assigned() {
    let mut house = House::company(1);
    house.profile(json!({ "line_template": null }));
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");
    assert_eq!(house.numbers(phone), ["3001"]);
    assert_eq!(&*house.directory.effective(phone).unwrap().lines[0].external_number(), "3001");
}

/// Proves SP-33.b.
#[test]
fn without_a_line_template_the_number_keeps_its_settings() {
    let mut house = House::company(1);
    house.profile(json!({ "line_template": null }));
    house.patch(
        Kind::Line,
        "3001",
        json!({ "description": "kept", "forwards": { "busy": { "destination": "3002" } } }),
    );
    let line = house.id(Kind::Line, "3001");
    let mut body = house.phone_body("SEP0011223344FF");
    body["lines"] = json!([{
        "line": "3001", "maximum_calls": 7, "busy_trigger": 6, "external_mask": "+81355XXXX",
    }]);
    house.create(Kind::Phone, body);
    let phone = house.new_phone(1);

    house.assigned(phone, "tanaka");

    assert_eq!(&*house.line(line).description, "kept");
    assert_eq!(&*house.line(line).forwards.busy.destination, "3002");
    let effective = house.directory.effective(phone).unwrap();
    assert_eq!(effective.lines[0].maximum_calls, 7);
    assert_eq!(effective.lines[0].busy_trigger, 6);
    assert_eq!(&*effective.lines[0].external_number(), "+813553001");
}

/// Proves SP-41.a.
#[test]
fn a_line_template_gives_the_number_its_settings() {
    let mut house = House::company(1);
    house.create(Kind::Partition, json!({ "name": "Offices" }));
    house.create(Kind::CallingSearchSpace, json!({ "name": "All", "partitions": ["Offices"] }));
    house.patch(
        Kind::UniversalLineTemplate,
        "Lines of users",
        json!({
            "partition": "Offices", "css": "All", "line_text": "#LastName# #DirectoryNumber#",
            "external_mask": "+8135555XXXX", "maximum_calls": 6, "busy_trigger": 5,
            "forwards": { "no_answer": { "destination": "3002", "css": "All" } },
        }),
    );
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");
    let line = house.id(Kind::Line, "3001 in Offices");
    assert_eq!(&*house.line(line).forwards.no_answer.destination, "3002");
    let effective = house.directory.effective(phone).unwrap();
    let shown = &effective.lines[0];
    assert_eq!((&*shown.label, shown.maximum_calls, shown.busy_trigger), ("Tanaka 3001", 6, 5));
    assert_eq!(&*shown.external_number(), "+81355553001");
    assert!(shown.css().is_some());
}

/// What a person or an administrator set meanwhile is not lost because a second phone comes.
#[test]
fn a_further_phone_leaves_the_numbers_settings_alone() {
    let mut house = House::company(1);
    let template = json!({ "forwards": { "busy": { "destination": "3900" } } });
    house.patch(Kind::UniversalLineTemplate, "Lines of users", template);
    let (first, second) = (house.new_phone(1), house.new_phone(2));
    house.assigned(first, "tanaka");
    let line = house.id(Kind::Line, "3001");
    assert_eq!(&*house.line(line).forwards.busy.destination, "3900", "the first one takes them");
    let own = json!({ "forwards": { "busy": { "destination": "3901" } } });
    house.update(line, own);
    let before = house.line(line).clone();
    house.assigned(second, "tanaka");
    assert_eq!(house.numbers(second), ["3001"]);
    assert_eq!(*house.line(line), before);
}

/// Proves SP-08.a: by whichever transport that nobody secures.
#[test]
fn a_non_secure_cluster_is_enough() {
    let mut house = House::company(2);
    for (last, user, profile) in [(1, "tanaka", "Non-secure TCP"), (2, "suzuki", "Non-secure UDP")]
    {
        for template in ["New phones", "Desk phones"] {
            let chosen = json!({ "security_profile": profile });
            house.patch(Kind::UniversalDeviceTemplate, template, chosen);
        }
        let phone = house.new_phone(last);
        house.assigned(phone, user);
        let effective = house.directory.effective(phone).unwrap();
        assert_eq!(effective.security_mode(), SecurityMode::NonSecure, "{profile}");
        assert_eq!(effective.security.as_deref().map(|one| &*one.name), Some(profile));
    }
}

/// Proves SP-08.c.
#[test]
fn a_phone_gets_the_security_profile_of_its_template() {
    let mut house = House::company(1);
    let udp = json!({ "name": "Strong digest", "transport": "udp", "sha256": true });
    house.create(Kind::SecurityProfile, udp);
    let chosen = json!({ "security_profile": "Strong digest" });
    house.patch(Kind::UniversalDeviceTemplate, "Desk phones", chosen);
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");
    let effective = house.directory.effective(phone).unwrap();
    assert_eq!(effective.security.as_deref().map(|one| &*one.name), Some("Strong digest"));
}

/// Proves SP-08.b: where other phones are secured, those that are not provision themselves as ever.
#[test]
fn the_phones_of_a_mixed_cluster_that_are_not_secured_provision_themselves() {
    let mut house = House::company(1);
    let secured = house.create(Kind::SecurityProfile, json!({ "name": "Secured" }));
    let mut body = house.phone_body("SEP0011223344AA");
    body["security_profile"] = json!("Secured");
    house.create(Kind::Phone, body);
    let mode = json!({ "name": "Secured", "mode": "encrypted", "transport": "tls" });
    house.stored(secured, Kind::SecurityProfile, &mode);
    let newcomer = house.new_phone(1);
    house.assigned(newcomer, "tanaka");
    assert_eq!(house.numbers(newcomer), ["3001"]);
    let effective = house.directory.effective(newcomer).unwrap();
    assert_eq!(effective.security.as_deref().map(|one| one.mode), Some(SecurityMode::NonSecure));
}

/// An older program wrote a profile that needs TLS: whoever would come to use it is refused, and
/// what uses it already is told.
#[test]
fn no_phone_comes_to_use_what_nobody_listens_to() {
    let mut house = House::company(1);
    let secured = house.create(Kind::SecurityProfile, json!({ "name": "Secured" }));
    house.create(Kind::Phone, {
        let mut body = house.phone_body("SEP0011223344AA");
        body["security_profile"] = json!("Secured");
        body
    });
    let template = house.id(Kind::UniversalDeviceTemplate, "Desk phones");
    let newcomers = house.id(Kind::UniversalDeviceTemplate, "New phones");
    let older = json!({ "name": "Secured", "mode": "encrypted", "transport": "tls" });
    house.stored(secured, Kind::SecurityProfile, &older);
    let chosen = json!({ "security_profile": "Secured" });
    is(&house.update_refused(template, chosen.clone()), Code::NothingListens);
    let phone = house.id(Kind::Phone, "SEP0011223344AA");
    house.update(phone, json!({ "description": "it can be changed otherwise" }));
    let mut body = house.phone_body("SEP0011223344BB");
    body["security_profile"] = json!("Secured");
    is(&house.create_refused(Kind::Phone, body), Code::NothingListens);
    // Templates that had it before the upgrade make no dead phones.
    let new_phone = house.new_phone(1);
    for id in [template, newcomers] {
        let mut old = house.directory.entry(id).unwrap().body.to_json();
        old["security_profile"] = json!(secured);
        house.stored(id, Kind::UniversalDeviceTemplate, &old);
    }
    let assignment = assignment(new_phone, house.user("tanaka"));
    is(&house.refused(&assignment), Code::NothingListens);
    let registration = house.registration(2);
    is(&house.refused(&registration), Code::NothingListens);
    let replacement = Operation::ReplacePhone { old: phone, new: new_phone };
    is(&house.refused(&replacement), Code::NothingListens);
    let here = Place {
        node: "node-1".into(),
        address: "192.0.2.10".parse().unwrap(),
        sip: "0.0.0.0:5060".parse().unwrap(),
        own: true,
        unknown: false,
        others: SipPorts::new(),
    };
    let told = misplaced(&house.directory, &here, Language::English);
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains("Secured (1 phones)"), "{told:?}");
    house.update(secured, json!({ "mode": "non-secure", "transport": "udp" }));
    assert_eq!(misplaced(&house.directory, &here, Language::English), []);
    house.done(&replacement);
}

/// Added by hand, it waits for no owner of its own accord; an administrator gives it to one.
#[test]
fn an_administrator_gives_away_any_phone_that_nobody_owns() {
    let mut house = House::company(2);
    let phone = house.create(Kind::Phone, house.phone_body("SEP0011223344AA"));
    let (tanaka, suzuki) = (house.user("tanaka"), house.user("suzuki"));
    is(&house.refused(&assignment(phone, tanaka)), Code::NotOpenForProvisioning);
    let given =
        |user| Operation::Assign { device: phone, user, proven_by: ProvenBy::Administrator };
    house.done(&given(tanaka));
    assert_eq!(house.phone(phone).owner.map(jackfield_model::Ref::id), Some(tanaka));
    assert_eq!(house.numbers(phone), ["3001"]);
    is(&house.refused(&given(suzuki)), Code::OwnedByAnother);
}

#[test]
fn a_phone_of_somebody_else_is_open_only_where_the_owners_profile_allows_it() {
    let mut house = House::company(2);
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");
    let (tanaka, suzuki) = (house.user("tanaka"), house.user("suzuki"));
    is(&house.refused(&assignment(phone, suzuki)), Code::OwnedByAnother);
    house.create(Kind::UserProfile, json!({ "name": "Lenient", "allow_reassignment": true }));
    house.update(tanaka, json!({ "user_profile": "Lenient" }));
    house.done(&assignment(phone, suzuki));
    assert_eq!(house.numbers(phone), ["3002"]);
    assert!(house.end_user(tanaka).controlled_phones.is_empty());
    assert!(
        house.directory.by_name(Kind::Line, "3001").unwrap().is_some(),
        "the old owner's number stays"
    );
}

#[test]
fn what_did_not_come_by_auto_registration_is_not_open() {
    let mut house = House::company(1);
    let user = house.user("tanaka");
    let body = house.phone_body("SEP0011223344FF");
    let phone = house.create(Kind::Phone, body);
    is(&house.refused(&assignment(phone, user)), Code::NotOpenForProvisioning);
    let point = house.id(Kind::CtiRoutePoint, "IVR-RP");
    is(&house.refused(&assignment(point, user)), Code::NotOpenForProvisioning);
}

#[test]
fn an_unassigned_phone_is_open_again_with_a_lent_number() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");
    let outcome = house.done(&Operation::Unassign { device: phone });
    let extension = Some("9000".into());
    assert_eq!(outcome, Outcome::Unassigned { device: phone, extension });
    assert_eq!(house.numbers(phone), ["9000"]);
    assert_eq!(house.phone(phone).owner, None);
    assert!(house.end_user(house.user("tanaka")).controlled_phones.is_empty());
    assert!(house.directory.open_for_provisioning(phone).is_ok());
    house.assigned(phone, "tanaka");
    assert_eq!(house.numbers(phone), ["3001"]);
}

#[test]
fn where_no_number_can_be_lent_an_unassigned_phone_has_none_until_there_is_one() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");
    house.patch(Kind::AutoRegistration, "node-1", json!({ "disabled": true }));
    let outcome = house.done(&Operation::Unassign { device: phone });
    assert_eq!(outcome, Outcome::Unassigned { device: phone, extension: None });
    assert!(house.directory.open_for_provisioning(phone).is_ok());
    assert!(house.phone(phone).description.is_empty(), "nothing of who had it");
    let again = house.done(&Operation::Unassign { device: phone });
    assert_eq!(again, outcome, "nor is there one now");
    house.patch(Kind::AutoRegistration, "node-1", json!({ "disabled": false }));
    house.done(&Operation::Unassign { device: phone });
    assert_eq!(house.numbers(phone), ["9000"]);
}

#[test]
fn a_new_phone_takes_the_place_of_a_broken_one() {
    let mut house = House::company(1);
    let old = house.new_phone(1);
    house.assigned(old, "tanaka");
    house.update(old, json!({ "speed_dials": [{ "number": "3002", "label": "Suzuki" }] }));
    house.patch(
        Kind::ApplicationUser,
        "self-provisioning",
        json!({ "controlled_phones": ["SEP001122AABB01"] }),
    );
    let new = house.new_phone(2);
    let other = house.id(Kind::PhoneModel, "Cisco 7841");
    house.update(new, json!({ "model": other.0 }));
    let product = house.directory.typed::<PhoneModel>(other).unwrap().product.clone();
    house.done(&Operation::ReplacePhone { old, new });
    assert_eq!(*house.phone(new).description, format!("Hanako Tanaka, {product}"));
    assert_eq!(house.numbers(new), ["3001"]);
    assert_eq!(house.phone(new).speed_dials.len(), 1);
    assert_eq!(&*house.phone(new).name, "SEP001122AABB02");
    assert!(house.directory.entry(old).is_none());
    assert!(house.directory.dependents(old).is_empty());
    assert_eq!(house.directory.by_name(Kind::Line, "9000"), Ok(None));
    let owned: Vec<_> = house.directory.owned(house.user("tanaka")).collect();
    assert_eq!(owned, [new]);
}
