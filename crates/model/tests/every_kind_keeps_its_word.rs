//! What holds for every kind of object, by walking the registry.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::{House, is};
use jackfield_model::{Kind, Operation, references_of};
use jackfield_vocabulary::{Code, ObjectId};
use serde_json::{Value, json};

/// The smallest body of each kind, in an order in which each finds what it refers to.
fn smallest() -> Vec<(Kind, Value)> {
    vec![
        (Kind::Node, json!({ "name": "node-2", "address": "192.0.2.11", "number": 2 })),
        (Kind::CallManagerGroup, json!({ "name": "x", "nodes": ["node-2", "node-1"] })),
        (Kind::DateTimeGroup, json!({ "name": "x", "time_zone": "UTC" })),
        (Kind::Region, json!({ "name": "x" })),
        (Kind::Location, json!({ "name": "x" })),
        (
            Kind::DevicePool,
            json!({ "name": "x", "call_manager_group": "x", "region": "x", "location": "x",
                "date_time_group": "x" }),
        ),
        (Kind::Partition, json!({ "name": "x" })),
        (Kind::CallingSearchSpace, json!({ "name": "x", "partitions": ["x"] })),
        (
            Kind::RoutePattern,
            json!({ "pattern": "11X", "partition": "x", "does": "redirect", "destination": "2000" }),
        ),
        (Kind::Line, json!({ "number": "5000", "partition": "x" })),
        (
            Kind::PhoneModel,
            json!({ "name": "x", "maker": "x", "dialect": "generic", "device_prefix": "SEP",
                "maximum_lines": 2, "buttons": 0, "display": true }),
        ),
        (Kind::SecurityProfile, json!({ "name": "x" })),
        (Kind::SipProfile, json!({ "name": "x" })),
        (Kind::PhoneButtonTemplate, json!({ "name": "x", "buttons": [{ "feature": "line" }] })),
        (Kind::SoftkeyTemplate, json!({ "name": "x" })),
        (Kind::CommonPhoneProfile, json!({ "name": "x" })),
        (Kind::CommonDeviceConfiguration, json!({ "name": "x" })),
        (Kind::PresenceGroup, json!({ "name": "x" })),
        (Kind::VoicemailProfile, json!({ "name": "x" })),
        (Kind::PhoneService, json!({ "name": "x", "url": "http://{server}/x" })),
        (
            Kind::Phone,
            json!({ "name": "SEP0123456789AB", "model": "x", "device_pool": "x",
                "security_profile": "x", "sip_profile": "x", "lines": [{ "line": "5000 in x" }] }),
        ),
        (Kind::CtiRoutePoint, json!({ "name": "x", "device_pool": "x" })),
        (Kind::CtiPort, json!({ "name": "y", "device_pool": "x" })),
        (
            Kind::UniversalDeviceTemplate,
            json!({ "name": "x", "device_pool": "x", "security_profile": "x", "sip_profile": "x" }),
        ),
        (Kind::UniversalLineTemplate, json!({ "name": "x" })),
        (Kind::UserProfile, json!({ "name": "x" })),
        (Kind::FeatureGroupTemplate, json!({ "name": "x" })),
        (Kind::CredentialPolicy, json!({ "name": "x" })),
        (Kind::EndUser, json!({ "user_id": "x" })),
        (Kind::ApplicationUser, json!({ "user_id": "z" })),
        (Kind::Role, json!({ "name": "x", "privileges": ["self-care"] })),
        (Kind::UserGroup, json!({ "name": "x", "roles": ["x"] })),
    ]
}

/// Singletons, and what comes and goes with its node.
const MADE_BY_THE_SYSTEM: &[Kind] = &[
    Kind::ClusterSettings,
    Kind::SelfProvisioning,
    Kind::ServiceActivation,
    Kind::AutoRegistration,
];

#[test]
fn a_smallest_body_of_every_kind_is_made_read_back_and_changed() {
    let mut house = House::new();
    let mut seen: BTreeSet<Kind> = MADE_BY_THE_SYSTEM.iter().copied().collect();
    for (kind, body) in smallest() {
        let id = house.create(kind, body);
        let entry = house.directory.entry(id).unwrap().clone();
        assert_eq!((entry.version, entry.body.kind()), (1, kind));
        let stored = entry.body.to_json();
        assert_eq!(kind.read(&stored).unwrap(), entry.body, "{kind}");
        house.update(id, stored);
        assert_eq!(house.directory.entry(id).unwrap().version, 1, "{kind}: nothing changed");
        seen.insert(kind);
    }
    assert!(seen.iter().eq(Kind::ALL), "a kind without an example");
}

#[test]
fn a_required_field_that_is_missing_is_named() {
    let mut house = House::new();
    for (kind, body) in smallest() {
        let required = kind.schema_value()["required"].as_array().cloned().unwrap_or_default();
        for field in required.iter().filter_map(Value::as_str) {
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(field);
            let refusal = house.create_refused(kind, without);
            if refusal.code != Code::UnknownReference {
                is(&refusal, Code::MissingField);
                assert_eq!(refusal.field.as_deref(), Some(field), "{kind}");
            }
        }
        house.create(kind, body);
    }
}

#[test]
fn a_reference_that_nobody_chooses_is_the_one_that_the_declaration_names() {
    let mut house = House::new();
    let body = json!({ "name": "SEP0123456789AB", "model": "Generic SIP phone" });
    let phone = house.create(Kind::Phone, body);
    let made = house.phone(phone).clone();
    assert_eq!(made.device_pool.id(), house.id(Kind::DevicePool, "Default"));
    assert_eq!(made.sip_profile.id(), house.id(Kind::SipProfile, "Default"));
    assert_eq!(made.security_profile.id(), house.id(Kind::SecurityProfile, "Non-secure TCP"));
    house.create(Kind::CtiRoutePoint, json!({ "name": "point" }));
    house.create(Kind::CtiPort, json!({ "name": "port" }));
    house.create(Kind::UniversalDeviceTemplate, json!({ "name": "t" }));
    house.create(Kind::DevicePool, json!({ "name": "upstairs" }));

    // Taken back to its default, as every field of a patch that is null.
    let upstairs = house.id(Kind::DevicePool, "upstairs");
    house.update(phone, json!({ "device_pool": "upstairs" }));
    assert_eq!(house.phone(phone).device_pool.id(), upstairs);
    house.update(phone, json!({ "device_pool": null }));
    assert_eq!(house.phone(phone).device_pool, made.device_pool);

    // Where nothing has that name any more, the field is needed.
    house.update(made.device_pool.id(), json!({ "name": "Elsewhere" }));
    let refusal = house.create_refused(Kind::CtiPort, json!({ "name": "second" }));
    is(&refusal, Code::MissingField);
    assert_eq!(refusal.field.as_deref(), Some("device_pool"));
}

#[test]
fn an_unknown_field_of_any_kind_is_refused_and_the_known_ones_are_named() {
    let mut house = House::new();
    for (kind, mut body) in smallest() {
        body["colour"] = json!("red");
        let refusal = house.create_refused(kind, body);
        is(&refusal, Code::UnknownField);
        assert_eq!(refusal.field.as_deref(), Some("colour"));
        let (_, allowed) = &refusal.values[0];
        assert!(
            allowed.contains("name")
                || allowed.contains("user_id")
                || kind == Kind::Line
                || kind == Kind::RoutePattern,
            "{kind}: {allowed}"
        );
    }
}

/// Calls `visit` with every field of a schema and of the structs in it.
fn walk(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        visit(&path, field);
        walk(field, &path, visit);
        walk(&field["items"], &path, visit);
    }
}

#[test]
fn every_field_has_help_and_every_reference_names_a_kind() {
    for kind in Kind::ALL {
        let schema = kind.schema_value();
        assert!(schema["description"].is_string(), "{kind}");
        let mut fields = 0;
        let mut visit = |path: &str, field: &Value| {
            fields += 1;
            let help = field["description"].as_str().unwrap_or_default();
            assert!(help.ends_with('.'), "{kind}{path} has no help");
            for schema in [field, &field["items"]] {
                if let Some(name) = schema["x-reference"].as_str() {
                    assert!(name.parse::<Kind>().is_ok(), "{kind}{path}");
                }
            }
        };
        walk(schema, "", &mut visit);
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            walk(definition, &format!(" {name}"), &mut visit);
        }
        assert!(fields > 0, "{kind}");
    }
}

#[test]
fn a_wrong_type_is_refused_with_the_field_and_what_it_takes() {
    let mut house = House::new();
    for (kind, body) in smallest() {
        let properties = kind.schema_value()["properties"].as_object().unwrap().clone();
        for field in properties.keys() {
            let mut wrong = body.clone();
            // No field is an object of this form.
            wrong[field] = json!({ "no": ["such", "thing"] });
            let refusal = house.create_refused(kind, wrong);
            let path = refusal.field.as_deref().unwrap_or_default();
            let inside = path.starts_with(field.as_str());
            let earlier = refusal.code == Code::UnknownReference;
            assert!(inside || earlier, "{kind}.{field}: {refusal}");
        }
    }
}

#[test]
fn what_refers_to_what_is_read_from_the_schema() {
    let mut house = House::new();
    for (kind, body) in smallest() {
        house.create(kind, body);
    }
    let phone = house.id(Kind::Phone, "SEP0123456789AB");
    let line = house.id(Kind::Line, "5000 in x");
    let body = house.directory.entry(phone).unwrap().body.to_json();
    let references = references_of(Kind::Phone, &body);
    assert!(references.contains(&("lines[0].line".into(), line)));
    assert!(references.contains(&("device_pool".into(), house.id(Kind::DevicePool, "x"))));
    assert_eq!(house.directory.dependents(line), [(phone, "lines[0].line".into())]);
    for (id, entry) in house.directory.entries() {
        for (field, to) in references_of(entry.body.kind(), &entry.body.to_json()) {
            assert!(house.directory.entry(to).is_some(), "{id} {field}");
        }
    }
}

#[test]
fn a_reference_to_nothing_or_to_another_kind_is_refused() {
    let mut house = House::new();
    let region = house.id(Kind::Region, "Default");
    for wrong in [json!("Nowhere"), json!(999_999), json!(region.0), json!(-1)] {
        let refusal =
            house.create_refused(Kind::CtiPort, json!({ "name": "P", "device_pool": wrong }));
        is(&refusal, Code::UnknownReference);
        assert_eq!(refusal.field.as_deref(), Some("device_pool"));
        assert_eq!(refusal.values[0], ("kind".into(), "device-pool".into()));
    }
}

#[test]
fn what_belongs_to_the_system_can_not_be_made_again_or_deleted() {
    let mut house = House::new();
    for kind in [Kind::ClusterSettings, Kind::SelfProvisioning] {
        is(&house.create_refused(kind, json!({})), Code::Protected);
    }
    for kind in MADE_BY_THE_SYSTEM {
        let (id, _) = house.directory.after_name(*kind, "").next().unwrap();
        is(&house.refused(&Operation::Delete { id, version: None }), Code::Protected);
    }
    let missing = Operation::Delete { id: ObjectId(999_999), version: None };
    is(&house.refused(&missing), Code::NotFound);
}
