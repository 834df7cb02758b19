//! Rules across fields and objects.
#![allow(clippy::unwrap_used)]

mod common;

use common::{House, is};
use jackfield_model::{
    AuthenticationMode, CredentialKind, CredentialPolicy, Effect, FirstStart, Kind, Language,
    Operation, Outcome, Service, ServiceActivation, UniversalLineTemplate, defaults, judge_new,
    sentence,
};
use jackfield_vocabulary::{Code, ObjectId, SecretText};
use serde_json::{Value, json};

#[test]
fn what_breaks_a_rule_is_refused_with_its_field() {
    let mut house = House::company(1);
    let phone = |patch: Value| {
        let mut body = house.phone_body("SEP0011223344FF");
        patch.as_object().unwrap().iter().for_each(|(key, value)| body[key] = value.clone());
        body
    };
    let line =
        |from: u8, to: u8| json!({ "line": "3001", "busy_trigger": from, "maximum_calls": to });
    let cases = [
        (Kind::Phone, phone(json!({ "lines": [line(5, 4)] })), "lines[0].busy_trigger"),
        (Kind::Phone, phone(json!({ "lines": [line(2, 4), line(2, 4)] })), "lines[1].line"),
        (Kind::Phone, phone(json!({ "name": "SEP0011223344fg" })), "name"),
        (Kind::Phone, phone(json!({ "name": "ABC0011223344FF" })), "name"),
        (
            Kind::Phone,
            phone(json!({ "speed_dials": [{ "number": "12x" }] })),
            "speed_dials[0].number",
        ),
        (Kind::Line, json!({ "number": "20XX" }), "number"),
        (Kind::Line, json!({ "number": "abc+x" }), "number"),
        (Kind::Line, json!({ "number": "1234567890123456789012345" }), "number"),
        (
            Kind::Line,
            json!({ "number": "77", "forwards": { "busy": { "destination": "abc" } } }),
            "forwards.busy.destination",
        ),
        (Kind::RoutePattern, json!({ "pattern": "1X", "does": "redirect" }), "destination"),
        (
            Kind::UniversalLineTemplate,
            json!({ "name": "t", "busy_trigger": 9, "maximum_calls": 8 }),
            "busy_trigger",
        ),
        (Kind::DateTimeGroup, json!({ "name": "t", "time_zone": "Tokyo" }), "time_zone"),
        (Kind::DateTimeGroup, json!({ "name": "t", "time_zone": "Mars/Olympus" }), "time_zone"),
        (Kind::DateTimeGroup, json!({ "name": "t", "time_zone": "Asia/Tokyo " }), "time_zone"),
        (Kind::DateTimeGroup, json!({ "name": "t", "time_zone": "" }), "time_zone"),
        (
            Kind::DateTimeGroup,
            json!({ "name": "t", "time_zone": "Asia/Tokyo", "date_form": "D.M.Y" }),
            "date_form",
        ),
        (
            Kind::SipProfile,
            json!({ "name": "t", "first_media_port": 20000, "last_media_port": 20000 }),
            "last_media_port",
        ),
        (Kind::EndUser, json!({ "user_id": "u", "mail": "nobody" }), "mail"),
        (Kind::EndUser, json!({ "user_id": "u", "mail": "a b@example.com" }), "mail"),
        (Kind::EndUser, json!({ "user_id": "u", "mail": "a@-x.com" }), "mail"),
        (Kind::EndUser, json!({ "user_id": "u", "mail": "@example.com" }), "mail"),
        (
            Kind::SoftkeyTemplate,
            json!({ "name": "s", "softkeys": ["hold", "hodl"] }),
            "softkeys[1]",
        ),
        (Kind::SecurityProfile, json!({ "name": "t", "mode": "encrypted" }), "mode"),
        (Kind::SecurityProfile, json!({ "name": "t", "mode": "authenticated" }), "mode"),
        (Kind::SecurityProfile, json!({ "name": "t", "transport": "tls" }), "transport"),
        (Kind::SecurityProfile, json!({ "name": "t", "digest": false, "sha256": true }), "sha256"),
        (Kind::CommonDeviceConfiguration, json!({ "name": "t", "locale": "english" }), "locale"),
        (Kind::CommonDeviceConfiguration, json!({ "name": "t", "locale": "j-JP" }), "locale"),
        (Kind::CommonDeviceConfiguration, json!({ "name": "t", "locale": "JA-JP" }), "locale"),
        (Kind::CommonDeviceConfiguration, json!({ "name": "t", "locale": "ja-J!" }), "locale"),
        (Kind::CommonDeviceConfiguration, json!({ "name": "t", "locale": "ja-J" }), "locale"),
        (Kind::CallManagerGroup, json!({ "name": "t", "nodes": ["node-9"] }), "nodes[0]"),
        (Kind::Node, json!({ "name": "n", "address": "-bad-", "number": 2 }), "address"),
        (Kind::Node, json!({ "name": "n", "address": "192.0.2.999", "number": 2 }), "address"),
        (Kind::Node, json!({ "name": "n", "address": "10.0.7", "number": 2 }), "address"),
        (Kind::Node, json!({ "name": "n", "address": "192.0.2.9", "number": 1 }), "number"),
        (
            Kind::Node,
            json!({ "name": "n", "address": "192.0.2.9", "number": 2, "publisher": true }),
            "publisher",
        ),
    ];
    for (kind, body, field) in cases {
        let refusal = house.create_refused(kind, body);
        assert_eq!(refusal.field.as_deref(), Some(field), "{refusal}");
    }
}

/// A number is a name, were it an id too; `id:` before it makes it an id.
#[test]
fn what_names_an_object_is_its_name_and_no_id_unless_it_says_so() {
    let mut house = House::new();
    let pool = house.id(Kind::DevicePool, "Default");
    let number = pool.0.to_string();
    let body = json!({ "name": number });
    let named = house.create(Kind::DevicePool, body);
    let meant = |text: &str| {
        let path = ["device_pool".to_owned()];
        jackfield_model::meant(Kind::Phone, &path, text, &house.directory)
    };
    assert_eq!(meant("Default"), Ok(Some(pool)));
    assert_eq!(meant(&number), Ok(Some(named)));
    assert_eq!(meant(&format!("id:{number}")), Ok(Some(pool)));
    assert!(meant(&named.0.to_string()).is_err(), "nothing is called so");
}

/// Phones would look for the server there in vain.
#[test]
fn a_node_is_at_the_address_of_one_machine() {
    let mut house = House::new();
    let node = house.id(Kind::Node, "node-1");
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "224.1.1.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "ff02::1",
        "::ffff:0.0.0.0",
        "::ffff:224.0.0.1",
    ] {
        let refusal = house.update_refused(node, json!({ "address": address }));
        assert_eq!(refusal.field.as_deref(), Some("address"), "{refusal}");
        let said = sentence(&refusal, Language::English).message;
        assert!(said.ends_with("is not the address of one machine."), "{said}");
    }
    for address in ["127.0.0.1", "223.255.255.254", "2001:db8::1", "::1", "pbx.example.com"] {
        house.update(node, json!({ "address": address }));
    }
}

#[test]
fn a_phone_service_has_the_address_of_a_page() {
    let mut house = House::new();
    let service = |url: &str| json!({ "name": "News", "url": url });
    for url in [
        "not a url",
        "http://",
        "https:///news",
        "http:/news",
        "ftp://x/y",
        "x",
        "http://a b/c",
        "http://host/a b",
        "http://{nosuch}/",
        "http://{server/",
        "http://host:0/",
        "http://host:99999/",
        "http://host:/",
        "http://-bad-/",
        "http://[2001:db8::1/",
        "http://0.0.0.0/",
    ] {
        let refusal = house.create_refused(Kind::PhoneService, service(url));
        assert_eq!(refusal.field.as_deref(), Some("url"), "{url}: {refusal}");
    }
    let id = house.create(Kind::PhoneService, service("http://192.0.2.9"));
    for url in [
        "HTTPS://news.example.com:8443/a?b=c#d",
        "http://{server}/phone?device={device}&lang={lang}",
        "http://[2001:db8::1]:8080/",
        "http://[2001:db8::1]",
        "http://news/新聞",
    ] {
        house.update(id, json!({ "url": url }));
    }
}

/// Two that look the same are one.
#[test]
fn a_name_has_no_spaces_around_it() {
    let mut house = House::company(1);
    for name in [" Berlin", "Berlin ", "\u{3000}Berlin", "Berlin\u{a0}", " "] {
        for (kind, body) in [
            (Kind::Partition, json!({ "name": name })),
            (Kind::DevicePool, json!({ "name": name })),
            (Kind::UniversalLineTemplate, json!({ "name": name })),
            (Kind::PhoneService, json!({ "name": name, "url": "http://x" })),
            (Kind::Role, json!({ "name": name, "privileges": [] })),
        ] {
            let refusal = house.create_refused(kind, body);
            assert_eq!(refusal.field.as_deref(), Some("name"), "{kind} {name:?}: {refusal}");
        }
    }
    let id = house.create(Kind::Partition, json!({ "name": "West Berlin" }));
    house.update_refused(id, json!({ "name": "West Berlin " }));
    // One of an older release stays as it is until it gets another name.
    let old = ObjectId(9000);
    house.stored(old, Kind::Partition, &json!({ "name": "Old " }));
    house.update(old, json!({ "description": "kept" }));
    house.update(old, json!({ "name": "Old" }));
}

#[test]
fn a_settings_object_with_a_wrong_form_is_refused() {
    let mut house = House::new();
    let cluster = house.id(Kind::ClusterSettings, "cluster");
    for (patch, field) in [
        (json!({ "emergency_numbers": ["110", "fire"] }), "emergency_numbers[1]"),
        (json!({ "provisioning_networks": ["10.0.0.0/40"] }), "provisioning_networks[0]"),
        (json!({ "sip_realm": "a\"b" }), "sip_realm"),
        (json!({ "registration_seconds": 59 }), "registration_seconds"),
    ] {
        let refusal = house.update_refused(cluster, patch);
        assert_eq!(refusal.field.as_deref(), Some(field), "{refusal}");
    }
}

#[test]
fn a_model_takes_no_more_lines_than_it_has() {
    let mut house = House::company(3);
    let mut body = house.phone_body("SEP0011223344FF");
    body["model"] = json!("Cisco 7821");
    body["lines"] = json!([{ "line": "3001" }, { "line": "3002" }, { "line": "3003" }]);
    let refusal = house.create_refused(Kind::Phone, body);
    is(&refusal, Code::LimitReached);
    assert_eq!(refusal.object.as_deref(), Some("phone-model Cisco 7821"));
}

#[test]
fn names_and_numbers_are_taken_once() {
    let mut house = House::company(1);
    house.create(Kind::Partition, json!({ "name": "Offices" }));
    is(&house.create_refused(Kind::Partition, json!({ "name": "OFFICES" })), Code::Duplicate);
    let refusal = house.create_refused(Kind::Line, json!({ "number": "3001" }));
    is(&refusal, Code::Duplicate);
    assert_eq!(refusal.object.as_deref(), Some("line 3001"));
    let pattern = json!({ "pattern": "3001", "does": "block" });
    is(&house.create_refused(Kind::RoutePattern, pattern), Code::Duplicate);
    house.create(Kind::Line, json!({ "number": "3001", "partition": "Offices" }));
    let port = json!({ "name": "IVR-RP", "device_pool": "Default" });
    is(&house.create_refused(Kind::CtiPort, port), Code::Duplicate);
}

/// Proves SP-13.e.
#[test]
fn the_last_language_can_not_be_removed() {
    let mut house = House::new();
    let settings = house.id(Kind::SelfProvisioning, "self-provisioning");
    let refusal = house.update_refused(settings, json!({ "languages": [] }));
    is(&refusal, Code::LastLanguage);
    let said = sentence(&refusal, Language::English);
    assert_eq!(said.message, "Selected Language should contain at least one language");
    house.update(settings, json!({ "languages": ["ja-JP", "en-US"] }));
    is(
        &house.update_refused(settings, json!({ "languages": ["ja-JP", "ja-JP"] })),
        Code::Duplicate,
    );
    let ten: Vec<String> = (0..10).map(|n| format!("en-A{n}")).collect();
    is(&house.update_refused(settings, json!({ "languages": ten })), Code::InvalidValue);
}

/// Proves SP-01.a.
#[test]
fn the_settings_of_self_provisioning_are_one_set() {
    let mut house = House::company(0);
    let settings = house.directory.self_provisioning();
    assert!(settings.route_point.is_some() && settings.application_user.is_some());
    let body = json!({ "mode": "none", "languages": ["ja-JP"] });
    is(&house.create_refused(Kind::SelfProvisioning, body), Code::Protected);
    let id = house.id(Kind::SelfProvisioning, "self-provisioning");
    is(&house.refused(&Operation::Delete { id, version: None }), Code::Protected);
    // The code is theirs, too, and nobody else's.
    house.update(id, json!({ "mode": "users-and-administrators" }));
    let code = |owner| {
        let (kind, hash) = (CredentialKind::Code, Some(SecretText::new("hash")));
        Operation::SetCredential { owner, kind, hash }
    };
    house.done(&code(id));
    is(&house.refused(&code(house.id(Kind::ClusterSettings, "cluster"))), Code::InvalidValue);
}

/// Proves SP-02.a.
#[test]
fn the_authentication_code_is_for_the_mode_with_administrators_only() {
    let mut house = House::new();
    let settings = house.id(Kind::SelfProvisioning, "self-provisioning");
    assert_eq!(house.directory.self_provisioning().mode, AuthenticationMode::UsersOnly);
    let code = |hash: Option<&str>| Operation::SetCredential {
        owner: settings,
        kind: CredentialKind::Code,
        hash: hash.map(SecretText::new),
    };
    let refusal = house.refused(&code(Some("hash")));
    is(&refusal, Code::WrongState);
    assert_eq!(refusal.field.as_deref(), Some("mode"));
    house.done(&code(None));
    house.update(settings, json!({ "mode": "users-and-administrators" }));
    house.done(&code(Some("hash")));
}

#[test]
fn credentials_belong_to_those_who_can_have_them() {
    let mut house = House::company(1);
    let (user, application) =
        (house.user("tanaka"), house.id(Kind::ApplicationUser, "self-provisioning"));
    let set =
        |owner, kind| Operation::SetCredential { owner, kind, hash: Some(SecretText::new("hash")) };
    let verdict = house.submit(&set(user, CredentialKind::Pin)).unwrap();
    assert!(matches!(verdict.effects[..], [Effect::Credential { kind: CredentialKind::Pin, .. }]));
    assert!(!format!("{verdict:?}").contains("\"hash\""));
    house.done(&set(application, CredentialKind::Password));
    is(&house.refused(&set(application, CredentialKind::Pin)), Code::InvalidValue);
    is(&house.refused(&set(user, CredentialKind::Code)), Code::InvalidValue);
    house.done(&Operation::Unlock { owner: user });
}

#[test]
fn a_node_brings_its_services_and_auto_registration_takes_them_along_and_keeps_its_name() {
    let mut house = House::new();
    let body = json!({ "name": "node-2", "address": "192.0.2.11", "number": 2 });
    let node = house.create(Kind::Node, body);
    let services = |house: &House, name: &str| {
        let found = house.directory.named::<ServiceActivation>(name);
        found.map(|(_, activation)| activation.services.to_vec())
    };
    let at_first = services(&house, "node-2").unwrap();
    assert!(at_first.contains(&Service::CallManager));
    assert!(!at_first.contains(&Service::SelfProvisioningIvr), "SP-10: not on a new node");
    assert!(house.directory.auto_registration("node-2").unwrap().1.disabled);
    let renamed = house.update_refused(node, json!({ "name": "node-b" }));
    is(&renamed, Code::InvalidValue);
    assert_eq!(renamed.field.as_deref(), Some("name"));
    house.update(node, json!({ "name": "node-2", "description": "upstairs" }));
    house.done(&Operation::Delete { id: node, version: None });
    assert!(services(&house, "node-2").is_none());
    let publisher = house.id(Kind::Node, "node-1");
    is(&house.refused(&Operation::Delete { id: publisher, version: None }), Code::Protected);
    is(&house.update_refused(publisher, json!({ "publisher": false })), Code::InvalidValue);
}

#[test]
fn the_place_of_a_publisher_that_is_lost_for_good_is_taken_by_another_node() {
    let mut house = House::new();
    let publisher = house.id(Kind::Node, "node-1");
    let other = json!({ "name": "node-2", "address": "192.0.2.12", "number": 2 });
    let other = house.create(Kind::Node, other);
    house.update(other, json!({ "publisher": true }));
    assert_eq!(house.directory.publisher().map(|(node, _)| node.id()), Some(other));
    is(&house.update_refused(other, json!({ "publisher": false })), Code::InvalidValue);
    house.update(publisher, json!({ "address": "192.0.2.13" }));
    house.patch(Kind::CallManagerGroup, "Default", json!({ "nodes": ["node-2"] }));
    house.done(&Operation::Delete { id: publisher, version: None });
}

#[test]
fn what_is_in_use_is_not_deleted() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");
    for id in [house.id(Kind::Line, "3001"), house.user("tanaka")] {
        is(&house.refused(&Operation::Delete { id, version: None }), Code::InUse);
    }
    house.done(&Operation::Delete { id: phone, version: None });
    assert!(house.end_user(house.user("tanaka")).controlled_phones.is_empty());
    let user = house.user("tanaka");
    house.done(&Operation::Delete { id: user, version: None });
}

#[test]
fn a_stale_version_is_refused() {
    let mut house = House::company(1);
    let user = house.user("tanaka");
    let update = |version| Operation::Update {
        id: user,
        version: Some(version),
        patch: json!({ "department": format!("d{version}") }),
    };
    assert_eq!(house.done(&update(1)), Outcome::Saved(vec![(user, 2)]));
    is(&house.refused(&update(1)), Code::VersionConflict);
    house.done(&update(2));
    is(&house.refused(&Operation::Delete { id: user, version: Some(2) }), Code::VersionConflict);
}

#[test]
fn a_batch_is_done_wholly_or_not_at_all_and_names_the_row() {
    let mut house = House::new();
    let partition =
        |name: &str| Operation::Create { kind: Kind::Partition, body: json!({ "name": name }) };
    let css = Operation::Create {
        kind: Kind::CallingSearchSpace,
        body: json!({ "name": "All", "partitions": ["A", "B"] }),
    };
    let broken = Operation::Batch(vec![partition("A"), partition("B"), partition("a")]);
    let refusal = house.refused(&broken);
    is(&refusal, Code::Duplicate);
    assert!(refusal.values.contains(&("row".into(), "3".into())));
    let outcome = house.done(&Operation::Batch(vec![partition("A"), partition("B"), css]));
    assert!(matches!(outcome, Outcome::Saved(saved) if saved.len() == 3));
    let many = (0..1501).map(|n| partition(&n.to_string())).collect();
    is(&house.refused(&Operation::Batch(many)), Code::TooLarge);
}

#[test]
fn the_same_directory_gives_the_same_verdict() {
    let house = House::company(2);
    let operation = house.registration(1);
    let verdict = || {
        let mut ids = house.ids;
        operation.evaluate(&house.directory, &mut ids, common::NOW).unwrap()
    };
    assert_eq!(verdict(), verdict());
}

#[test]
fn a_first_start_happens_once_and_speaks_the_systems_language() {
    let mut house = House::empty();
    let first = |locale: &str| {
        Operation::FirstStart(FirstStart {
            node: "pbx".into(),
            address: "pbx.example.com".into(),
            locale: locale.into(),
            time_zone: "Asia/Tokyo".into(),
        })
    };
    house.done(&first("ja_JP.UTF-8"));
    assert_eq!(&*house.directory.self_provisioning().languages[0], "ja-JP");
    let (_, lines) = house.directory.named::<UniversalLineTemplate>("Lines of users").unwrap();
    assert_eq!(
        &*lines.alerting_name, "#LastName# #FirstName#",
        "names in the order of the language"
    );
    let objects = house.directory.len();
    assert!(house.submit(&first("en_US")).unwrap().effects.is_empty());
    assert_eq!(house.directory.len(), objects);
    let english = House::new();
    assert_eq!(&*english.directory.self_provisioning().languages[0], "en-US");
    assert!(english.directory.account(defaults::ADMINISTRATOR).is_some());
}

/// Proves CTI-61.a and CTI-61.b.
#[test]
fn the_catalogue_says_which_models_applications_control() {
    let models = defaults::phone_models();
    let controllable =
        |name: &str| models.iter().find(|model| &*model.name == name).unwrap().cti_controllable;
    for model in ["Cisco 7911", "Cisco 7941", "Cisco 7961", "Cisco 7970", "Cisco 7971"] {
        assert!(controllable(model), "{model}");
    }
    assert!(!controllable("Cisco 7940") && !controllable("Cisco 7960"));
}

/// Who mistypes is told what was most likely meant, and each rule has its own remedy.
#[test]
fn a_refusal_says_what_was_meant_and_what_helps() {
    let mut house = House::company(1);
    let said = |refusal: &jackfield_vocabulary::Refusal| {
        let said = sentence(refusal, Language::English);
        format!("{} {}", said.message, said.remedy)
    };
    for (kind, body, meant) in [
        (Kind::Line, json!({ "number": "1", "alerting_nmae": "x" }), "alerting_name"),
        (Kind::Region, json!({ "name": "r", "codecs": "widebnad" }), "wideband"),
        (Kind::SoftkeyTemplate, json!({ "name": "s", "softkeys": ["tranfser"] }), "transfer"),
        (Kind::Phone, json!({ "name": "SEP0011223344AA", "model": "Cisco 7481" }), "Cisco 7841"),
    ] {
        let refusal = house.create_refused(kind, body);
        assert!(said(&refusal).contains(&format!("Did you mean {meant}?")), "{}", said(&refusal));
    }
    let mut phone = house.phone_body("SEP0011223344AA");
    phone["lines"] = json!([{ "line": "3001" }, { "line": "3001" }]);
    let refusal = house.create_refused(Kind::Phone, phone);
    assert_eq!(said(&refusal), "lines[1].line: 3001 is in the list twice. Name it once.");
    let refusal = house.create_refused(Kind::EndUser, json!({ "user_id": "a b" }));
    assert!(
        said(&refusal).starts_with("user_id: a b is no user ID. Leave out spaces"),
        "{refusal}"
    );
    let user = house.user("tanaka");
    let weak =
        house.directory.judge_new_credential(user, CredentialKind::Pin, &SecretText::new("1"));
    assert_eq!(weak.unwrap_err().object.as_deref(), Some("credential-policy Default"));
    let judged = |policy: Value, pin: &str| {
        let mut house = House::company(1);
        house.patch(Kind::CredentialPolicy, "Default", policy);
        let pin = SecretText::new(pin);
        let kind = CredentialKind::Pin;
        said(&house.directory.judge_new_credential(user, kind, &pin).unwrap_err())
    };
    let trivial = judged(json!({}), "111111111111");
    assert!(
        trivial.contains("too easy to guess: it is the same again and again")
            && !trivial.contains("longer one that"),
        "{trivial}"
    );
    let length = judged(json!({ "minimum_pin_length": 20 }), "48261");
    assert!(length.ends_with("Length: 20."), "{length}");
    assert!(judged(json!({}), "4826a").contains("must consist of digits"));
}

/// What is told is what is refused, in both languages.
#[test]
fn a_credential_that_is_guessed_first_is_refused_with_what_is_wrong_with_it() {
    let mut house = House::company(1);
    let user = house.user("tanaka");
    house.update(user, json!({ "last_name": "Yamamoto" }));
    house.create(Kind::ApplicationUser, json!({ "user_id": "switchboard" }));
    let app = house.id(Kind::ApplicationUser, "switchboard");
    let (pin, password) = (CredentialKind::Pin, CredentialKind::Password);
    for (owner, kind, secret, text) in [
        (user, pin, "30011", "a name or number of its account is in it"),
        (user, pin, "12121", "the same again and again"),
        (user, pin, "112233", "counted up or down"),
        (user, password, "my-tanaka-1", "a name or number of its account is in it"),
        (user, password, "yamamoto99", "a name or number of its account is in it"),
        (user, password, "katokato", "the same again and again"),
        (user, password, "12345678", "counted up or down"),
        (user, password, "Password1!", "one of the words that everybody tries"),
        (app, password, "Switchboard1", "a name or number of its account is in it"),
    ] {
        let judge = |house: &House| {
            house.directory.judge_new_credential(owner, kind, &SecretText::new(secret))
        };
        let refusal = judge(&house).unwrap_err();
        assert_eq!(refusal.code, Code::CredentialTooWeak);
        assert!(
            sentence(&refusal, Language::English).message.contains(text),
            "{secret}: {}",
            sentence(&refusal, Language::English).message
        );
        assert!(sentence(&refusal, Language::Japanese).message.contains("推測されやすすぎます"));
        assert_eq!(refusal.object.as_deref(), Some("credential-policy Default"));
    }
    house.patch(Kind::CredentialPolicy, "Default", json!({ "refuse_trivial": false }));
    let taken = house.directory.judge_new_credential(user, password, &SecretText::new("katokato"));
    assert_eq!(taken, Ok(()));
    let nobodys = CredentialPolicy::default();
    let refusal = judge_new(&nobodys, pin, &SecretText::new("11111"), &[]).unwrap_err();
    assert_eq!(refusal.object, None, "no policy to change");
}

/// A list of things that are there names each once.
#[test]
fn in_a_list_of_objects_each_stands_once() {
    let mut house = House::company(1);
    house.create(Kind::Partition, json!({ "name": "Internal" }));
    let id = house.id(Kind::Partition, "Internal");
    for (kind, body, field) in [
        (
            Kind::CallingSearchSpace,
            json!({ "name": "Staff", "partitions": ["Internal", id.0] }),
            "partitions[1]",
        ),
        (
            Kind::UserGroup,
            json!({ "name": "x", "roles": ["Auditors", "Operators", "Auditors"] }),
            "roles[2]",
        ),
    ] {
        let refusal = house.create_refused(kind, body);
        assert_eq!((refusal.code, refusal.field.as_deref()), (Code::Duplicate, Some(field)));
        assert!(
            sentence(&refusal, Language::English).message.contains("twice"),
            "{}",
            sentence(&refusal, Language::English).message
        );
    }
}
