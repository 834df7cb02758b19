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
    assert_eq!((&added["obstacles"], &added["warnings"]), (&json!([]), &Value::Null));
    let mut grouped = user("sato", "3003", json!({}));
    house.done("POST", "/presence-groups", json!({ "name": "Sales" })).await;
    grouped["user"]["presence_group"] = "Sales".into();
    let added = house.done("POST", "/quick-add", grouped).await;
    assert_eq!(added["warnings"], json!(["presence_group has no effect in this release."]));
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
    // The user has no PIN, and that is said.
    let obstacles = told.body["obstacles"].as_array().unwrap();
    assert_eq!(obstacles.last().unwrap()["code"], "no-credential", "{told:?}");
    assert_eq!(house.get("/users/tanaka/credentials").await["pin"]["set"], false);
}

/// Proves SP-58.a, SP-58.b and SP-58.c: the user is found, the profile in force is seen, provisioning is allowed and saved.
#[tokio::test]
async fn the_profile_in_force_is_seen_and_provisioning_allowed() {
    let house = House::open().await;
    house.done("POST", "/quick-add", user("tanaka", "3001", json!({}))).await;
    house.done("PATCH", "/end-users/tanaka", json!({ "user_profile": null })).await;
    for part in ["tana", "TANA", "naka"] {
        let found = house.get(&format!("/end-users?search={part}")).await;
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{part}");
    }
    assert_eq!(house.get("/end-users?search=tako").await["items"], json!([]));
    let found = house.get("/end-users?search=tana").await;
    let tanaka = &found["items"][0];
    assert_eq!(tanaka["user_profile"], Value::Null);
    assert_eq!(tanaka["user_profile_in_force"]["name"], "Default");
    let told = house.get("/explain/user/tanaka").await.to_string();
    assert!(told.contains("Default decides: the user has none of their own"), "{told}");
    assert!(told.contains("provisioning"), "{told}");

    let profile = format!("/user-profiles/id:{}", tanaka["user_profile_in_force"]["id"]);
    house.done("PATCH", &profile, json!({ "allow_self_provisioning": true })).await;
    assert_eq!(house.get("/user-profiles/Default").await["allow_self_provisioning"], true);
    let told = house.get("/explain/user/tanaka").await.to_string();
    assert!(told.contains("would get extension 3001"), "{told}");
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

/// Proves SP-45.a, SP-45.b and SP-45.c over REST: each node of an older export gets a pair of templates of its name that keep what it had.
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
    assert_eq!(told["warnings"], json!(["external_mask has no effect in this release."]));
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
    let second = json!({ "name": "node2", "address": "192.0.2.2", "number": 2 });
    house.done("POST", "/nodes", second).await;
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
        bad["node"] = "node2".into();
        bad[field] = value;
        let body = json!({ "nodes": [good, bad] });
        let told = house.ask("POST", "/import/auto-registration", body).await;
        assert_eq!(told.body["code"], code, "{field}: {told:?}");
        assert_eq!(told.body["field"], format!("nodes[1].{field}"), "{told:?}");
        let settings = house.get("/auto-registrations/node1").await;
        assert_eq!(settings["starting_number"], "", "{field}: nothing was taken");
    }
    let twice = json!({ "nodes": [good, good] });
    let told = house.ask("POST", "/import/auto-registration", twice).await;
    assert_eq!(
        (&told.body["code"], &told.body["field"]),
        (&json!("duplicate"), &json!("nodes[1].node"))
    );
    let told = house.ask("POST", "/import/auto-registration", json!({ "nodes": [] })).await;
    assert_eq!(told.body["field"], "nodes");
}

/// Proves SP-01.b and SP-30.a, SP-30.b, SP-30.c, SP-30.d, SP-30.e, SP-30.f and SP-30.g: every field
/// of a user profile, kept as it was given, and the edges of its limit.
#[tokio::test]
async fn a_user_profile_has_all_its_fields() {
    let house = House::open().await;
    let plain = house.done("POST", "/user-profiles", json!({ "name": "Plain" })).await;
    assert_eq!((&plain["device_limit"], &plain["description"]), (&json!(10), &json!("")));
    assert_eq!(plain["allow_self_provisioning"], false);
    let template = |name: &str| json!({ "name": name, "device_pool": "Default" });
    for name in ["Desk", "Mobile", "Remote"] {
        let base = house.get("/universal-device-templates").await["items"][0].clone();
        let mut body = base;
        for beside in ["id", "version", "kind"] {
            body.as_object_mut().unwrap().remove(beside);
        }
        body["name"] = template(name)["name"].clone();
        house.done("POST", "/universal-device-templates", body).await;
    }
    house.done("POST", "/universal-line-templates", json!({ "name": "Lines" })).await;
    let body = json!({
        "name": "Sales", "description": "Field sales", "system_default": true,
        "desk_phones": "Desk", "mobile_and_desktop_devices": "Mobile",
        "remote_destination_profiles": "Remote", "line_template": "Lines",
        "allow_self_provisioning": true, "device_limit": 20,
    });
    house.done("POST", "/user-profiles", body.clone()).await;
    let kept = house.get("/user-profiles/Sales").await;
    for (field, value) in body.as_object().unwrap() {
        let found = if kept[field].is_object() { &kept[field]["name"] } else { &kept[field] };
        assert_eq!(found, value, "{field}");
    }
    assert_eq!(house.get("/user-profiles/Default").await["system_default"], false);
    // One that is there already is made the default, too.
    house.done("PATCH", "/user-profiles/Default", json!({ "system_default": true })).await;
    assert_eq!(house.get("/user-profiles/Default").await["system_default"], true);
    assert_eq!(house.get("/user-profiles/Sales").await["system_default"], false);
    for (limit, good) in [(0, true), (20, true), (-1, false), (21, false)] {
        let told =
            house.ask("PATCH", "/user-profiles/Sales", json!({ "device_limit": limit })).await;
        assert_eq!(told.status.is_success(), good, "{limit}: {told:?}");
        assert!(good || told.body["remedy"] == "Allowed: 0 to 20.", "{told:?}");
    }
}

/// Proves SP-51.a and SP-51.b: a feature group template keeps its profile and its flags.
#[tokio::test]
async fn a_feature_group_template_has_its_fields() {
    let house = House::open().await;
    let body = json!({
        "name": "Sales", "description": "Field sales", "user_profile": "Default",
        "home_cluster": false, "extension_mobility": true,
        "extension_mobility_cross_cluster": true, "presence": true,
    });
    house.done("POST", "/feature-group-templates", body.clone()).await;
    let kept = house.get("/feature-group-templates/Sales").await;
    for (field, value) in body.as_object().unwrap() {
        let found = if kept[field].is_object() { &kept[field]["name"] } else { &kept[field] };
        assert_eq!(found, value, "{field}");
    }
}

/// Proves SP-25.a, SP-25.b, SP-25.c and SP-25.d: who is unique, in which presence group, controls
/// what, and what is there to control.
#[tokio::test]
async fn an_application_user_has_its_fields() {
    let house = House::open().await;
    house.done("POST", "/presence-groups", json!({ "name": "Desk" })).await;
    house.done("POST", "/cti-route-points", json!({ "name": "RP" })).await;
    let body = json!({
        "user_id": "ivr", "presence_group": "Desk", "controlled_route_points": ["RP"],
    });
    let available = house.get("/cti-route-points?fields=name").await;
    assert_eq!(available["items"][0]["name"], "RP", "what can be controlled is listed");
    house.done("POST", "/application-users", body.clone()).await;
    let kept = house.get("/application-users/ivr").await;
    assert_eq!(kept["presence_group"]["name"], "Desk");
    assert_eq!(kept["controlled_route_points"][0]["name"], "RP");
    for taken in ["ivr", "IVR", "admin"] {
        let told = house.ask("POST", "/application-users", json!({ "user_id": taken })).await;
        assert_eq!(told.body["code"], "duplicate", "{taken}: {told:?}");
    }
    house.done("POST", "/quick-add", user("tanaka", "3001", json!({}))).await;
    let told = house.ask("POST", "/application-users", json!({ "user_id": "tanaka" })).await;
    assert_eq!(told.body["code"], "duplicate", "an account is one person's: {told:?}");
}

/// Proves SP-55.a, SP-55.b, SP-55.c and SP-55.d: a route point keeps what it was given, under a name
/// of its own among all devices.
#[tokio::test]
async fn a_route_point_has_its_fields() {
    let house = House::open().await;
    house.done("POST", "/locations", json!({ "name": "Osaka" })).await;
    for number in ["2000", "2001"] {
        house.done("POST", "/lines", json!({ "number": number })).await;
    }
    let plain = house.done("POST", "/cti-route-points", json!({ "name": "Plain" })).await;
    assert_eq!(plain["relay_point"], "default");
    let body = json!({
        "name": "RP", "device_pool": "Default", "location": "Osaka", "relay_point": "on",
        "lines": [{ "line": "2000" }, { "line": "2001" }],
    });
    house.done("POST", "/cti-route-points", body).await;
    let kept = house.get("/cti-route-points/RP").await;
    assert_eq!((&kept["location"]["name"], &kept["relay_point"]), (&json!("Osaka"), &json!("on")));
    assert_eq!(kept["device_pool"]["name"], "Default");
    assert_eq!(kept["lines"][1]["line"]["name"], "2001");
    let port = json!({ "name": "PORT", "device_pool": "Default" });
    house.done("POST", "/cti-ports", port).await;
    let phone = json!({ "name": "SEP001122AABB01", "model": "Cisco 7841" });
    house.done("POST", "/phones", phone).await;
    for taken in ["RP", "rp", "PORT", "SEP001122AABB01"] {
        let told = house.ask("POST", "/cti-route-points", json!({ "name": taken })).await;
        assert_eq!(told.body["code"], "duplicate", "{taken}: {told:?}");
    }
    let told = house.ask("PATCH", "/cti-route-points/Plain", json!({ "name": "RP" })).await;
    assert_eq!(told.body["code"], "duplicate", "{told:?}");
}
