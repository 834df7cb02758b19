//! Who may change the configuration or credentials gains nothing else by it, whichever way they go.
#![allow(clippy::unwrap_used)]

mod common;

use common::{House, NOW};
use jackfield_model::{
    Actor, CredentialKind, Kind, Operation, Outcome, Privilege, ProvenBy, defaults::ADMINISTRATOR,
};
use jackfield_vocabulary::{Code, ObjectId, Refusal, SecretText};
use serde_json::{Value, json};

/// A house in which `jo` has these privileges and no others.
fn house_of(privileges: &[&str]) -> House {
    let mut house = House::company(2);
    house.create(Kind::Role, json!({ "name": "jo", "privileges": privileges }));
    house.create(Kind::UserGroup, json!({ "name": "jo", "roles": ["jo"] }));
    house.create(Kind::EndUser, json!({ "user_id": "jo", "groups": ["jo"] }));
    house
}

fn by(house: &House, user_id: &str, operation: &Operation) -> Result<Outcome, Refusal> {
    let actor = Actor::User { user_id: user_id.into(), address: None };
    let mut ids = house.ids;
    operation.evaluate_for(&actor, &house.directory, &mut ids, NOW).map(|verdict| verdict.outcome)
}

#[track_caller]
fn beyond(house: &House, operation: &Operation, privilege: &str) {
    let refusal = by(house, "jo", operation).unwrap_err();
    assert_eq!(refusal.code, Code::BeyondOwnPrivileges, "{operation:?}: {refusal}");
    let (_, lacking) = refusal.values.iter().find(|(name, _)| **name == *"privilege").unwrap();
    assert_eq!(&**lacking, privilege, "{operation:?}");
}

fn update(id: ObjectId, patch: Value) -> Operation {
    Operation::Update { id, version: None, patch }
}

fn create(kind: Kind, body: Value) -> Operation {
    Operation::Create { kind, body }
}

/// To let the traces of what one does be deleted takes what it takes to read them.
#[test]
fn evidence_is_shortened_by_those_only_who_may_read_it() {
    for (privileges, may) in [
        (&["change-configuration"][..], false),
        (&["change-configuration", "read-audit"], true),
        (&["change-configuration", "operate-services", "backup", "manage-credentials"], false),
    ] {
        let house = house_of(privileges);
        let cluster = house.id(Kind::ClusterSettings, "cluster");
        for field in ["audit_days", "call_record_days"] {
            let shorter = update(cluster, json!({ field: 1 }));
            let many = Operation::Batch(vec![shorter.clone()]);
            for operation in [shorter, many] {
                match by(&house, "jo", &operation) {
                    Ok(_) => assert!(may, "{privileges:?}"),
                    Err(refusal) => {
                        let expected = (Code::Forbidden, Some(field));
                        assert_eq!((refusal.code, refusal.field.as_deref()), expected);
                        assert!(!may, "{privileges:?}: {refusal}");
                    }
                }
            }
            by(&house, "jo", &update(cluster, json!({ field: 3650 }))).unwrap();
        }
    }
}

#[test]
fn who_changes_the_configuration_becomes_no_administrator_by_it() {
    let mut house = house_of(&["read-configuration", "change-configuration"]);
    let jo = house.user("jo");
    let role = house.id(Kind::Role, "jo");
    let group = house.id(Kind::UserGroup, "jo");
    let wider = json!({ "privileges": ["change-configuration", "backup"] });
    house.create(Kind::Role, json!({ "name": "empty", "privileges": [] }));
    let empty = house.create(Kind::UserGroup, json!({ "name": "empty", "roles": ["empty"] }));
    for (operation, lacking) in [
        (update(jo, json!({ "groups": ["Administrators"] })), "operate-services"),
        (update(jo, json!({ "groups": ["jo", "Auditors"] })), "read-audit"),
        (update(role, wider.clone()), "backup"),
        (update(group, json!({ "roles": ["jo", "Help desk"] })), "manage-credentials"),
        (
            create(Kind::Role, json!({ "name": "x", "privileges": ["cti-control-all-devices"] })),
            "cti-control-all-devices",
        ),
        (
            create(Kind::UserGroup, json!({ "name": "x", "roles": ["Phone Provisioning"] })),
            "provision-phones",
        ),
        (
            create(Kind::ApplicationUser, json!({ "user_id": "x", "groups": ["Operators"] })),
            "operate-services",
        ),
        (
            create(Kind::EndUser, json!({ "user_id": "x", "groups": ["Administrators"] })),
            "operate-services",
        ),
        (
            Operation::QuickAdd {
                user: json!({ "user_id": "x", "groups": ["Help desk"] }),
                feature_group_template: "Default".into(),
                extension: "4711".into(),
                credentials: Vec::new(),
            },
            "manage-credentials",
        ),
        // Step by step in one batch.
        (
            Operation::Batch(vec![
                update(jo, json!({ "groups": ["jo", "empty"] })),
                update(empty, json!({ "roles": ["Auditors"] })),
            ]),
            "read-audit",
        ),
    ] {
        beyond(&house, &operation, lacking);
    }
    // The ordinary work goes on.
    for operation in [
        create(Kind::EndUser, json!({ "user_id": "x", "groups": ["End users", "jo"] })),
        create(Kind::Role, json!({ "name": "x", "privileges": ["read-configuration"] })),
        update(jo, json!({ "mail": "jo@example.com" })),
        update(role, json!({ "privileges": ["change-configuration"] })),
        Operation::Delete { id: empty, version: None },
    ] {
        assert!(by(&house, "jo", &operation).is_ok(), "{operation:?}");
    }
}

#[test]
fn nobody_touches_who_may_do_more() {
    let mut house = house_of(&["change-configuration", "manage-credentials"]);
    let admin = house.directory.account(ADMINISTRATOR).unwrap();
    let desk = house.create(Kind::EndUser, json!({ "user_id": "desk", "groups": ["Help desk"] }));
    let group = house.id(Kind::UserGroup, "Help desk");
    let role = house.id(Kind::Role, "Administrators");
    let hash = Some(SecretText::new("hash"));
    let password = |owner| Operation::SetCredential {
        owner,
        kind: CredentialKind::Password,
        hash: hash.clone(),
    };
    let pin = Operation::SetCredential { owner: desk, kind: CredentialKind::Pin, hash: None };
    for (operation, lacking) in [
        (update(admin, json!({ "enabled": false })), "read-configuration"),
        (update(admin, json!({ "description": "mine" })), "read-configuration"),
        (Operation::Delete { id: admin, version: None }, "read-configuration"),
        (Operation::Unlock { owner: admin }, "read-configuration"),
        (password(admin), "read-configuration"),
        (password(desk), "read-configuration"),
        (pin, "read-configuration"),
        (update(group, json!({ "roles": [] })), "read-configuration"),
        (Operation::Delete { id: role, version: None }, "read-configuration"),
        (update(role, json!({ "description": "mine" })), "read-configuration"),
    ] {
        // What is in use can't be deleted anyway, and says so first.
        match by(&house, "jo", &operation) {
            Err(refusal) if refusal.code == Code::InUse => {}
            _ => beyond(&house, &operation, lacking),
        }
    }
    let own = house.user("jo");
    assert!(by(&house, "jo", &password(own)).is_ok());
    let plain = house.create(Kind::EndUser, json!({ "user_id": "plain", "groups": ["End users"] }));
    assert!(by(&house, "jo", &password(plain)).is_ok());
}

/// Roles of one privilege each: taking one that one has takes it from those who have more.
#[test]
fn a_common_role_is_no_way_to_those_who_may_do_more() {
    let mut house = house_of(&["change-configuration"]);
    let shared = house.id(Kind::Role, "jo");
    house.create(Kind::UserGroup, json!({ "name": "both", "roles": ["jo", "Auditors"] }));
    house.create(Kind::EndUser, json!({ "user_id": "more", "groups": ["both"] }));
    beyond(&house, &update(shared, json!({ "privileges": [] })), "read-configuration");
}

#[test]
fn assigning_a_phone_to_somebody_who_may_do_more_is_ordinary_work() {
    let mut house = house_of(&["change-configuration"]);
    house.patch(Kind::EndUser, "jo", json!({ "groups": ["jo"] }));
    let user = house
        .directory
        .all::<jackfield_model::EndUser>()
        .find(|(_, user)| user.primary_extension.is_some())
        .map(|(id, _)| id.id())
        .unwrap();
    house.update(user, json!({ "groups": ["Administrators"] }));
    house.profile(json!({ "allow_self_provisioning": true }));
    let device = house.new_phone(1);
    let assign = |proven_by| Operation::Assign { device, user, proven_by };
    assert!(by(&house, "jo", &assign(ProvenBy::Administrator)).is_ok());
    // Who has no privilege at all provisions their own by password.
    house.patch(Kind::Role, "jo", json!({ "privileges": [] }));
    assert!(by(&house, "jo", &assign(ProvenBy::Password)).is_ok());
    let refused = by(&house, "jo", &assign(ProvenBy::Administrator)).unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
}

#[test]
fn whoever_administers_everything_equips_applications() {
    let house = house_of(&[]);
    let ivr = json!({
        "user_id": "ivr-2", "groups": ["Standard CTI Enabled", "Phone Provisioning", "End users"],
    });
    assert!(by(&house, ADMINISTRATOR, &create(Kind::ApplicationUser, ivr)).is_ok());
}

#[test]
fn every_operation_needs_its_privilege() {
    let house = house_of(&["operate-services"]);
    let services = house.id(Kind::ServiceActivation, "node-1");
    let activate = update(services, json!({ "services": ["call-manager"] }));
    assert!(by(&house, "jo", &activate).is_ok());
    let user = house.user("jo");
    for operation in [
        create(Kind::Partition, json!({ "name": "x" })),
        Operation::Batch(vec![activate.clone(), create(Kind::Partition, json!({ "name": "x" }))]),
        Operation::Delete { id: services, version: None },
        Operation::Unlock { owner: user },
    ] {
        let refusal = by(&house, "jo", &operation).unwrap_err();
        assert_eq!(refusal.code, Code::Forbidden, "{operation:?}");
    }
}

#[test]
fn a_privilege_is_called_as_it_is_written() {
    for name in ["read-configuration", "cti-srtp-key-material", "self-care", "backup"] {
        let privilege: Privilege = serde_json::from_value(json!(name)).unwrap();
        assert_eq!(privilege.name(), name);
    }
    let all = Kind::Role.schema_value()["$defs"]["Privilege"]["oneOf"].as_array().unwrap();
    for one in all {
        let privilege: Privilege = serde_json::from_value(one["const"].clone()).unwrap();
        assert_eq!(json!(privilege.name()), one["const"]);
    }
}
