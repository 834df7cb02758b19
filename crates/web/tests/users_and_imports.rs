//! Users who are added quickly, the profile that decides for them, and exports of older releases.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use axum::http::StatusCode;
use common::House;
use jackfield_model::CredentialKind;
use jackfield_store::Verification;
use jackfield_vocabulary::SecretText;
use serde_json::{Value, json};

/// A user called `name`, with whatever else is to be in the request.
fn user(name: &str, extension: &str, more: Value) -> Value {
    let mut body = json!({
        "user": { "user_id": name }, "feature_group_template": "Default", "extension": extension,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn proves(house: &House, name: &str, kind: CredentialKind, secret: &str) -> bool {
    let owner = house.directory().account(name);
    house.store.handle().verify(owner, kind, &SecretText::new(secret)) == Verification::Right
}

/// The given PIN and password count at once; a PIN that nobody gave is made up, told once and
/// nowhere else, and what still keeps the user from self-provisioning is told with its remedy.
#[tokio::test]
async fn a_quickly_added_user_has_credentials_at_once() {
    let house = House::open().await;
    let given = json!({ "pin": "73519", "password": "correct horse battery" });
    let added = house.done("POST", "/quick-add", user("tanaka", "3001", given)).await;
    assert_eq!(added["pin"], Value::Null, "it is known already");
    assert!(proves(&house, "tanaka", CredentialKind::Pin, "73519"));
    assert!(proves(&house, "tanaka", CredentialKind::Password, "correct horse battery"));
    let obstacle = &added["obstacles"][0];
    assert_eq!(obstacle["code"], "provisioning-not-allowed", "{added}");
    assert_eq!(obstacle["object"], "user-profile Default");

    let allow = json!({ "allow_self_provisioning": true });
    house.done("PATCH", "/user-profiles/Default", allow).await;
    let added = house.done("POST", "/quick-add", user("suzuki", "3002", json!({}))).await;
    let pin = added["pin"].as_str().unwrap();
    assert!(pin.len() >= 6 && proves(&house, "suzuki", CredentialKind::Pin, pin));
    assert_eq!(added["obstacles"], json!([]));
    for path in ["/end-users/suzuki", "/audit", "/users/suzuki/credentials"] {
        assert!(!house.get(path).await.to_string().contains(pin), "{path}");
    }
}

/// A secret that is refused leaves no user behind, and whoever may set no credentials sets none.
#[tokio::test]
async fn what_can_not_be_set_is_refused_and_nobody_is_added() {
    let house = House::open().await;
    for (field, weak) in [("pin", "1234"), ("pin", "3001"), ("pin", "x"), ("password", "short")] {
        let body = user("tanaka", "3001", json!({ field: weak }));
        let told = house.ask("POST", "/quick-add", body).await;
        assert_eq!(told.body["code"], "credential-too-weak", "{field} {weak}: {told:?}");
        assert_eq!(house.directory().account("tanaka"), None);
    }
    for strange in [json!({ "PIN": "73519" }), json!({ "pin": 73519 })] {
        let told = house.ask("POST", "/quick-add", user("tanaka", "3001", strange)).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{told:?}");
    }
    let role = json!({ "name": "Adders", "privileges": ["change-configuration"] });
    house.done("POST", "/roles", role).await;
    house.done("POST", "/user-groups", json!({ "name": "Adders", "roles": ["Adders"] })).await;
    let adder = json!({ "user_id": "adder", "groups": ["Adders"] });
    house.done("POST", "/application-users", adder).await;
    house.set_password("adder", common::PASSWORD);
    let token = house.sign_in("adder", common::PASSWORD).await;
    let with_pin = user("tanaka", "3001", json!({ "pin": "73519" }));
    let told = house.with_token(&token, "POST", "/quick-add", with_pin).await;
    assert_eq!(told.body["code"], "forbidden", "{told:?}");
    let without = user("tanaka", "3001", json!({}));
    let told = house.with_token(&token, "POST", "/quick-add", without).await;
    assert_eq!((told.status, &told.body["pin"]), (StatusCode::CREATED, &Value::Null));
    assert_eq!(house.get("/users/tanaka/credentials").await["pin"]["set"], false);
}

/// Proves SP-58.a, SP-58.b and SP-58.c: the user is found, the profile in force is seen, provisioning is allowed and saved.
#[tokio::test]
async fn the_profile_in_force_is_seen_and_provisioning_allowed() {
    let house = House::open().await;
    house.done("POST", "/quick-add", user("tanaka", "3001", json!({}))).await;
    house.done("PATCH", "/end-users/tanaka", json!({ "user_profile": null })).await;
    let found = house.get("/end-users?search=tana").await;
    let tanaka = &found["items"][0];
    assert_eq!(tanaka["user_profile"], Value::Null);
    assert_eq!(tanaka["user_profile_in_force"]["name"], "Default");
    let told = house.get("/explain/user/tanaka").await.to_string();
    assert!(told.contains("Default decides: the user has none of their own"), "{told}");
    assert!(told.contains("provisioning"), "{told}");

    let profile = format!("/user-profiles/id:{}", tanaka["user_profile_in_force"]["id"]);
    house.done("PATCH", &profile, json!({ "allow_self_provisioning": true })).await;
    house.done("POST", "/user-profiles", json!({ "name": "Sales" })).await;
    let told = house.done("PATCH", "/end-users/tanaka", json!({ "user_profile": "Sales" })).await;
    assert_eq!(told["user_profile_in_force"]["name"], "Sales");
    let told = house.in_japanese("GET", "/explain/user/tanaka", Value::Null).await;
    assert!(told.text.contains("ユーザ自身のユーザプロファイル Sales"), "{told:?}");
    // What is shown can be sent back.
    let mut whole = house.get("/end-users/tanaka").await;
    whole["last_name"] = "Tanaka".into();
    let told = house.done("PUT", "/end-users/tanaka", whole).await;
    assert_eq!(told["last_name"], "Tanaka");
    let line = house.ask("PATCH", "/lines/3001", json!({ "user_profile_in_force": 1 })).await;
    assert_eq!(line.body["code"], "unknown-field");
}

/// Each node of an older export gets a pair of templates of its name that keep what it had.
#[tokio::test]
async fn an_older_export_becomes_templates_of_each_node() {
    let house = House::open().await;
    let second = json!({ "name": "node2", "address": "192.0.2.2", "number": 2 });
    house.done("POST", "/nodes", second).await;
    house.done("POST", "/partitions", json!({ "name": "Phones" })).await;
    let nodes = json!({ "nodes": [
        { "node": "node1", "disabled": false, "starting_number": "7000", "ending_number": "7099",
          "partition": "Phones", "external_mask": "03555XXXX" },
        { "node": "node2", "disabled": true, "starting_number": "800", "ending_number": "899" },
    ] });
    let told = house.done("POST", "/import/auto-registration", nodes).await;
    assert_eq!(told["items"][0]["device_template"]["name"], "node1", "{told}");
    for (node, disabled, range, partition, mask) in [
        ("node1", false, ("7000", "7099"), json!("Phones"), "03555XXXX"),
        ("node2", true, ("800", "899"), Value::Null, ""),
    ] {
        let settings = house.get(&format!("/auto-registrations/{node}")).await;
        assert_eq!(settings["disabled"], disabled);
        assert_eq!(
            (&settings["starting_number"], &settings["ending_number"]),
            (&json!(range.0), &json!(range.1))
        );
        assert_eq!(settings["device_template"]["name"], node);
        assert_eq!(settings["line_template"]["name"], node);
        let line = house.get(&format!("/universal-line-templates/{node}")).await;
        assert_eq!(
            (&line["partition"]["name"], &line["external_mask"]),
            (&partition, &json!(mask))
        );
        let device = house.get(&format!("/universal-device-templates/{node}")).await;
        assert_eq!(device["lines"].as_array().unwrap().len(), 1, "the line is in it");
    }
}

/// A row that can't be taken refuses all, and names its place, its field and what is allowed.
#[tokio::test]
async fn an_older_export_is_taken_whole_or_not_at_all() {
    let house = House::open().await;
    let good = json!({
        "node": "node1", "disabled": false, "starting_number": "7000", "ending_number": "7099",
    });
    for (field, value, code) in [
        ("node", json!("nowhere"), "unknown-reference"),
        ("node", Value::Null, "missing-field"),
        ("disabled", json!("false"), "invalid-value"),
        ("ending_number", json!("6999"), "invalid-value"),
        ("starting_number", json!(7000), "invalid-value"),
        ("partition", json!("Nowhere"), "unknown-reference"),
        ("range", json!("7000-7099"), "unknown-field"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let body = json!({ "nodes": [good, bad] });
        let told = house.ask("POST", "/import/auto-registration", body).await;
        assert_eq!(told.body["code"], code, "{field}: {told:?}");
        assert!(told.body["field"].as_str().unwrap().contains(field), "{told:?}");
        let settings = house.get("/auto-registrations/node1").await;
        assert_eq!(settings["starting_number"], "", "{field}: nothing was taken");
    }
    let told = house.ask("POST", "/import/auto-registration", json!({ "nodes": [] })).await;
    assert_eq!(told.body["field"], "nodes");
}
