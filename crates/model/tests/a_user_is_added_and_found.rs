//! Users: quick add, profiles, self-service IDs, groups and privileges.
#![allow(clippy::unwrap_used)]

mod common;

use common::{House, assignment, is};
use jackfield_model::{Kind, Language, Operation, Outcome, Privilege, UserLookup, sentence};
use jackfield_vocabulary::{Code, Refusal};
use serde_json::json;

fn quick_add(user: &str, extension: &str) -> Operation {
    Operation::QuickAdd {
        user: json!({ "user_id": user, "first_name": "Mei", "last_name": "Lin" }),
        feature_group_template: "Default".into(),
        extension: extension.into(),
        credentials: Vec::new(),
    }
}

/// Proves SP-50.a.
#[test]
fn a_quickly_added_user_can_self_provision_at_once() {
    let mut house = House::company(0);
    let outcome = house.done(&quick_add("lin", "4001"));
    let user = house.user("lin");
    let line = house.id(Kind::Line, "4001");
    assert_eq!(outcome, Outcome::Saved(vec![(user, 1), (line, 1)]));
    assert_eq!(&*house.line(line).alerting_name, "Mei Lin");
    let phone = house.new_phone(1);
    house.done(&assignment(phone, user));
    assert_eq!(house.numbers(phone), ["4001"]);
}

/// Proves SP-51.a and SP-51.c.
#[test]
fn a_feature_group_template_gives_its_profile_to_new_users() {
    let mut house = House::company(0);
    let profile = house.create(Kind::UserProfile, json!({ "name": "Sales" }));
    house.create(Kind::FeatureGroupTemplate, json!({ "name": "Sales", "user_profile": "Sales" }));
    let add = Operation::QuickAdd {
        user: json!({ "user_id": "lin" }),
        feature_group_template: "Sales".into(),
        extension: "4001".into(),
        credentials: Vec::new(),
    };
    house.done(&add);
    let user = house.user("lin");
    assert_eq!(house.directory.profile_of(user).map(jackfield_model::Ref::id), Some(profile));
    assert!(house.end_user(user).feature_group_template.is_some());
    let add = Operation::QuickAdd {
        user: json!({ "user_id": "wu" }),
        feature_group_template: "Nowhere".into(),
        extension: "4002".into(),
        credentials: Vec::new(),
    };
    let refusal = house.refused(&add);
    is(&refusal, Code::UnknownReference);
    assert_eq!(refusal.field.as_deref(), Some("feature_group_template"));
}

/// Proves SP-50.a and SP-51.a: the extension is made as the profile of the chosen template has it.
#[test]
fn the_chosen_template_decides_how_the_extension_is_made() {
    let mut house = House::company(0);
    house.create(Kind::Partition, json!({ "name": "Shops" }));
    let lines = json!({ "name": "Shops", "partition": "Shops", "alerting_name": "#UserID#" });
    house.create(Kind::UniversalLineTemplate, lines);
    house.create(Kind::UserProfile, json!({ "name": "Shops", "line_template": "Shops" }));
    house.create(Kind::FeatureGroupTemplate, json!({ "name": "Shops", "user_profile": "Shops" }));
    house.done(&Operation::QuickAdd {
        user: json!({ "user_id": "lin" }),
        feature_group_template: "Shops".into(),
        extension: "4001".into(),
        credentials: Vec::new(),
    });
    let line = house.id(Kind::Line, "4001 in Shops");
    assert_eq!(&*house.line(line).alerting_name, "lin");
    let user = house.user("lin");
    assert_eq!(house.end_user(user).primary_extension.map(jackfield_model::Ref::id), Some(line));
}

#[test]
fn an_extension_that_is_somebodys_or_lent_or_no_number_is_refused() {
    let mut house = House::company(1);
    house.new_phone(1);
    for extension in ["3001", "9000"] {
        let refusal = house.refused(&quick_add("lin", extension));
        is(&refusal, Code::Duplicate);
        assert_eq!(refusal.field.as_deref(), Some("extension"));
    }
    is(&house.refused(&quick_add("lin", "30O1")), Code::InvalidValue);
    is(&house.refused(&quick_add("Tanaka", "4001")), Code::Duplicate);
    house.create(Kind::Line, json!({ "number": "4001", "description": "kept" }));
    house.done(&quick_add("lin", "4001"));
    assert_eq!(&*house.line(house.id(Kind::Line, "4001")).description, "kept");
}

/// Whoever dials it wants to be asked whose the phone shall be.
#[test]
fn the_number_of_self_provisioning_is_nobody_s_extension() {
    let mut house = House::company(1);
    let (user, point) = (house.user("tanaka"), house.id(Kind::CtiRoutePoint, "IVR-RP"));
    let says = |refusal: &Refusal, field: &str, text: &str| {
        let message = sentence(refusal, Language::English).message;
        assert!(message == format!("{field}: {text}"), "{message}");
    };
    let own = "2000 is the number of self-provisioning itself.";
    says(&house.refused(&quick_add("lin", "2000")), "extension", own);
    let taken = json!({ "primary_extension": "2000" });
    says(&house.update_refused(user, taken.clone()), "primary_extension", own);
    let body = json!({ "user_id": "lin", "primary_extension": "2000" });
    says(&house.create_refused(Kind::EndUser, body), "primary_extension", own);
    // The other way round: a number of somebody's comes to be that of self-provisioning.
    let theirs = "3001 is the extension of end-user tanaka.";
    let lines = json!({ "lines": [{ "line": "3001" }] });
    says(&house.update_refused(point, lines.clone()), "lines", theirs);
    let mut other = lines.clone();
    other["name"] = json!("Other-RP");
    house.create(Kind::CtiRoutePoint, other);
    let settings = house.id(Kind::SelfProvisioning, "self-provisioning");
    let chosen = json!({ "route_point": "Other-RP" });
    says(&house.update_refused(settings, chosen), "route_point", theirs);
    // Where nobody is asked at it, it is a number as any other.
    house.update(settings, json!({ "route_point": null }));
    house.update(user, taken);
}

/// Proves SP-31.a, SP-31.b and SP-31.c.
#[test]
fn exactly_one_profile_is_the_default_and_users_without_one_have_it() {
    let mut house = House::company(1);
    let user = house.create(Kind::EndUser, json!({ "user_id": "wu" }));
    let first = house.id(Kind::UserProfile, "Default");
    let second = house.create(Kind::UserProfile, json!({ "name": "B", "system_default": true }));
    assert_eq!(house.directory.profile_of(user).map(jackfield_model::Ref::id), Some(second));
    let defaults = |house: &House| {
        let all = house.directory.all::<jackfield_model::UserProfile>();
        all.filter(|(_, one)| one.system_default).map(|(id, _)| id.id()).collect::<Vec<_>>()
    };
    assert_eq!(defaults(&house), [second]);
    is(&house.update_refused(second, json!({ "system_default": false })), Code::Protected);
    is(&house.refused(&Operation::Delete { id: second, version: None }), Code::Protected);
    house.update(first, json!({ "system_default": true }));
    assert_eq!(defaults(&house), [first]);
    house.done(&Operation::Delete { id: second, version: None });
}

/// Proves SP-30.f and SP-30.g.
#[test]
fn a_profile_has_its_defaults_and_its_limits() {
    let mut house = House::new();
    let id = house.create(Kind::UserProfile, json!({ "name": "B" }));
    let profile = house.directory.typed::<jackfield_model::UserProfile>(id).unwrap();
    assert_eq!((profile.device_limit, profile.allow_self_provisioning), (10, false));
    for limit in [0, 20] {
        house.update(id, json!({ "device_limit": limit }));
    }
    let refusal = house.update_refused(id, json!({ "device_limit": 21 }));
    is(&refusal, Code::InvalidValue);
    assert_eq!(refusal.field.as_deref(), Some("device_limit"));
    assert!(refusal.values.contains(&("allowed".into(), "0..20".into())), "{refusal}");
}

#[test]
fn a_user_is_found_by_the_own_id_else_by_the_extension() {
    let mut house = House::company(2);
    let (tanaka, suzuki) = (house.user("tanaka"), house.user("suzuki"));
    let who = |house: &House, digits: &str| house.directory.user_by_self_service_id(digits);
    assert_eq!(who(&house, "3001"), UserLookup::Found(tanaka));
    assert_eq!(who(&house, "3009"), UserLookup::Nobody);
    house.update(suzuki, json!({ "self_service_id": "777" }));
    assert_eq!(who(&house, "777"), UserLookup::Found(suzuki));
    assert_eq!(who(&house, "3002"), UserLookup::Nobody, "an own ID takes the extension's place");
    house.update(suzuki, json!({ "self_service_id": "" }));
    house.update(suzuki, json!({ "primary_extension": "3001" }));
    assert_eq!(who(&house, "3001"), UserLookup::Ambiguous, "a number may be shared");
    house.update(suzuki, json!({ "self_service_id": "777" }));
    assert_eq!(who(&house, "3001"), UserLookup::Found(tanaka));
}

/// Else the PIN of the wrong one would make the phone theirs.
#[test]
fn nobody_s_own_id_is_what_identifies_another_in_whatever_order_it_came_about() {
    let mut house = House::company(2);
    let (tanaka, suzuki) = (house.user("tanaka"), house.user("suzuki"));
    let taken = |refusal: &Refusal, field: &str, other: &str| {
        is(refusal, Code::Duplicate);
        assert_eq!(refusal.field.as_deref(), Some(field));
        assert_eq!(refusal.object.as_deref(), Some(&*format!("end-user {other}")));
    };
    // The extension first, and then the ID: of a user that is there, or is new.
    let refusal = house.update_refused(suzuki, json!({ "self_service_id": "3001" }));
    taken(&refusal, "self_service_id", "tanaka");
    let new = json!({ "user_id": "new", "self_service_id": "3001" });
    taken(&house.create_refused(Kind::EndUser, new), "self_service_id", "tanaka");
    // The ID first, and then the extension: chosen, renumbered, or of a quickly added user.
    house.update(suzuki, json!({ "self_service_id": "777" }));
    let line = house.create(Kind::Line, json!({ "number": "777" }));
    let refusal = house.update_refused(tanaka, json!({ "primary_extension": line }));
    taken(&refusal, "primary_extension", "suzuki");
    let of_tanaka = house.id(Kind::Line, "3001");
    house.update(line, json!({ "number": "778" }));
    let refusal = house.update_refused(of_tanaka, json!({ "number": "777" }));
    taken(&refusal, "number", "suzuki");
    let quick = Operation::QuickAdd {
        user: json!({ "user_id": "quick" }),
        feature_group_template: "Default".into(),
        extension: "777".into(),
        credentials: Vec::new(),
    };
    taken(&house.refused(&quick), "primary_extension", "suzuki");
    // In another partition it is the same on a keypad.
    house.create(Kind::Partition, json!({ "name": "Branch" }));
    let there = house.create(Kind::Line, json!({ "number": "777", "partition": "Branch" }));
    let refusal = house.update_refused(tanaka, json!({ "primary_extension": there }));
    taken(&refusal, "primary_extension", "suzuki");
    // An own ID goes, and the extension stands in again.
    house.update(tanaka, json!({ "self_service_id": "888" }));
    house.update(suzuki, json!({ "self_service_id": "3001" }));
    let refusal = house.update_refused(tanaka, json!({ "self_service_id": "" }));
    taken(&refusal, "primary_extension", "suzuki");
    // In one batch the last step is judged on what the ones before it left.
    let step = |id, patch| Operation::Update { id, version: None, patch };
    let swap = Operation::Batch(vec![
        step(suzuki, json!({ "self_service_id": "" })),
        step(tanaka, json!({ "self_service_id": "3002" })),
    ]);
    taken(&house.refused(&swap), "self_service_id", "suzuki");
    // One's own number may be one's own ID.
    house.update(suzuki, json!({ "self_service_id": "3002" }));
}

#[test]
fn a_changed_number_changes_who_is_found_by_it() {
    let mut house = House::company(1);
    house.patch(Kind::Line, "3001", json!({ "number": "3100" }));
    let who = |digits: &str| house.directory.user_by_self_service_id(digits);
    assert_eq!(who("3001"), UserLookup::Nobody);
    assert_eq!(who("3100"), UserLookup::Found(house.user("tanaka")));
}

/// Proves CTI-41.a.
#[test]
fn each_standard_group_grants_what_it_names_and_nothing_else() {
    let mut house = House::new();
    let groups = [
        ("Standard CTI Enabled", Privilege::CtiEnabled),
        ("Standard CTI Allow Control of All Devices", Privilege::CtiControlAllDevices),
        ("Standard CTI Allow Call Park Monitoring", Privilege::CtiCallParkMonitoring),
        ("Standard CTI Allow Calling Number Modification", Privilege::CtiCallingNumberModification),
        ("Standard CTI Allow Reception of SRTP Key Material", Privilege::CtiSrtpKeyMaterial),
        ("Standard CTI Secure Connection", Privilege::CtiSecureConnection),
    ];
    let user = house.create(Kind::ApplicationUser, json!({ "user_id": "app" }));
    assert!(house.directory.privileges(user).is_empty());
    for (group, privilege) in groups {
        house.update(user, json!({ "groups": [group] }));
        assert!(house.directory.privileges(user).into_iter().eq([privilege]), "{group}");
        let id = house.id(Kind::UserGroup, group);
        is(&house.refused(&Operation::Delete { id, version: None }), Code::Protected);
    }
    let admin = house.directory.account("ADMIN").unwrap();
    assert!(house.directory.privileges(admin).contains(&Privilege::ChangeConfiguration));
}

#[test]
fn the_account_of_the_ivr_may_provision_phones_as_long_as_it_is_chosen() {
    let mut house = House::company(0);
    let user = house.id(Kind::ApplicationUser, "self-provisioning");
    let privileges =
        |house: &House| house.directory.privileges(user).into_iter().collect::<Vec<_>>();
    assert_eq!(privileges(&house), [Privilege::CtiEnabled, Privilege::ProvisionPhones]);
    house.patch(Kind::SelfProvisioning, "self-provisioning", json!({ "application_user": null }));
    assert_eq!(privileges(&house), [Privilege::CtiEnabled]);
}

#[test]
fn accounts_share_their_names_whatever_their_kind_and_case() {
    let mut house = House::company(1);
    is(
        &house.create_refused(Kind::ApplicationUser, json!({ "user_id": "TANAKA" })),
        Code::Duplicate,
    );
    is(&house.create_refused(Kind::EndUser, json!({ "user_id": "Admin" })), Code::Duplicate);
    is(&house.create_refused(Kind::EndUser, json!({ "user_id": "a b" })), Code::InvalidValue);
}

/// Nobody is taken for somebody else, and no name leads elsewhere.
#[test]
fn a_user_id_that_looks_like_another_s_is_refused() {
    let mut house = House::company(1);
    // With a Cyrillic letter, in full width, and wholly in another alphabet.
    for user_id in ["аdmin", "ＡＤＭＩＮ", "tаnaka", "Tanakа", ".", "..", "a\u{202e}b", "a\u{200b}"]
    {
        for kind in [Kind::EndUser, Kind::ApplicationUser] {
            let refusal = house.create_refused(kind, json!({ "user_id": user_id }));
            is(&refusal, Code::InvalidValue);
            assert_eq!(refusal.field.as_deref(), Some("user_id"), "{user_id}");
        }
    }
    // The other way round, and by renaming.
    house.create(Kind::EndUser, json!({ "user_id": "асе" }));
    is(&house.create_refused(Kind::EndUser, json!({ "user_id": "ace" })), Code::InvalidValue);
    let tanaka = house.user("tanaka");
    is(&house.update_refused(tanaka, json!({ "user_id": "ace" })), Code::InvalidValue);
    for user_id in ["田中", "müller", "user1", "userl", "иван", "O'Neill"] {
        house.create(Kind::EndUser, json!({ "user_id": user_id }));
    }
    house.update(tanaka, json!({ "user_id": "Tanaka" }));
}

#[test]
fn no_text_of_any_kind_holds_signs_that_nobody_sees() {
    let mut house = House::company(1);
    for sign in ["\0", "\r\n", "\u{1b}[31m", "\u{202e}", "\u{2028}"] {
        for (kind, body) in [
            (Kind::Partition, json!({ "name": format!("a{sign}b") })),
            (Kind::Line, json!({ "number": "77", "alerting_name": format!("a{sign}b") })),
            (Kind::Role, json!({ "name": "x", "description": sign, "privileges": [] })),
        ] {
            let refusal = house.create_refused(kind, body);
            is(&refusal, Code::InvalidValue);
        }
    }
    let refusal = house.create_refused(Kind::Partition, json!({ "name": "a\u{202e}" }));
    let said = sentence(&refusal, Language::English);
    assert_eq!(said.message, "name: the text holds a sign that nobody sees: U+202E.");
    is(&house.create_refused(Kind::Partition, json!({ "name": ".." })), Code::InvalidValue);
}

/// Quick remove is the end of quick add.
#[test]
fn a_user_who_leaves_goes_with_the_number_and_the_phone_is_open_for_the_next() {
    let mut house = House::company(0);
    house.done(&quick_add("lin", "4001"));
    let user = house.user("lin");
    let phone = house.new_phone(1);
    house.done(&assignment(phone, user));
    assert_eq!(house.done(&Operation::QuickRemove { user }), Outcome::Deleted(user));
    assert!(house.directory.entry(user).is_none());
    assert_eq!(house.directory.find(Kind::Line, "4001"), None);
    let open = house.phone(phone);
    assert!(open.owner.is_none() && open.auto_registered, "{open:?}");
    // The same number is there for the next one.
    house.done(&quick_add("wu", "4001"));
    let next = house.user("wu");
    house.done(&assignment(phone, next));
    assert_eq!(house.numbers(phone), ["4001"]);
}

#[test]
fn a_number_that_somebody_else_has_too_stays() {
    let mut house = House::company(0);
    house.done(&quick_add("lin", "4001"));
    let (user, line) = (house.user("lin"), house.id(Kind::Line, "4001"));
    house.create(
        Kind::Phone,
        json!({ "name": "SEP00AABBCCDD01", "model": "Cisco 7841", "lines": [{ "line": "4001" }] }),
    );
    house.done(&Operation::QuickRemove { user });
    assert!(house.directory.entry(line).is_some());
    assert!(house.directory.entry(user).is_none());
}
