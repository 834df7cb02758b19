//! Over REST, nobody gets further than their privileges, and the last administrator stays.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use axum::http::StatusCode;
use common::{House, PASSWORD};
use serde_json::{Value, json};

/// A house and the token of `jo`, who has these privileges and no others.
async fn house_of(privileges: &[&str]) -> (House, String) {
    let house = House::open().await;
    house.done("POST", "/roles", json!({ "name": "jo", "privileges": privileges })).await;
    house.done("POST", "/user-groups", json!({ "name": "jo", "roles": ["jo"] })).await;
    house.done("POST", "/end-users", json!({ "user_id": "jo", "groups": ["jo"] })).await;
    house.set_password("jo", PASSWORD);
    let token = house.sign_in("jo", PASSWORD).await;
    (house, token)
}

#[tokio::test]
async fn who_changes_the_configuration_gets_no_other_privilege_by_any_door() {
    let (house, token) = house_of(&["change-configuration"]).await;
    let administrators = json!({ "groups": ["Administrators"] });
    let quick = json!({
        "user": { "user_id": "x", "groups": ["Auditors"] },
        "feature_group_template": "Default", "extension": "2001",
    });
    for (method, path, body) in [
        ("PATCH", "/end-users/jo", administrators.clone()),
        ("PUT", "/end-users/jo", json!({ "user_id": "jo", "groups": ["Operators"] })),
        ("PATCH", "/end-users?all=true", administrators),
        ("PATCH", "/roles/jo", json!({ "privileges": ["change-configuration", "backup"] })),
        ("PATCH", "/roles?filter=name=jo", json!({ "privileges": ["manage-credentials"] })),
        ("PATCH", "/user-groups/jo", json!({ "roles": ["jo", "Help desk"] })),
        ("POST", "/application-users", json!({ "user_id": "x", "groups": ["Administrators"] })),
        ("POST", "/quick-add", quick),
        ("DELETE", "/application-users/admin", Value::Null),
        ("PATCH", "/application-users/admin", json!({ "enabled": false })),
        ("PATCH", "/application-users?all=true", json!({ "enabled": false })),
        ("PATCH", "/roles/Administrators", json!({ "privileges": [] })),
    ] {
        let told = house.with_token(&token, method, path, body).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN, "{method} {path}: {told:?}");
        assert_eq!(told.body["code"], "beyond-own-privileges", "{method} {path}");
        assert!(told.body["message"].as_str().unwrap().contains("has or would get"), "{told:?}");
    }
    let own = house.with_token(&token, "GET", "/sessions/current", Value::Null).await;
    assert_eq!(own.body["privileges"], json!(["change-configuration"]));
    // Of many, the row that is beyond is named, and the others can be changed without it.
    let (path, note) =
        ("/application-users?all=true&skip_refused=true", json!({ "description": "x" }));
    house.done("POST", "/application-users", json!({ "user_id": "app" })).await;
    let told = house.with_token(&token, "PATCH", path, note).await;
    assert_eq!(
        (&told.body["changed"], &told.body["refused"][0]["name"]),
        (&json!(1), &json!("admin"))
    );
    assert_eq!(told.body["refused"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_manages_credentials_takes_no_account_that_may_do_more() {
    let (house, token) = house_of(&["manage-credentials"]).await;
    house
        .done("POST", "/end-users", json!({ "user_id": "boss", "groups": ["Administrators"] }))
        .await;
    for (method, path, body) in [
        ("PUT", "/users/admin/password", json!({ "password": "stolen horse battery" })),
        ("PUT", "/users/boss/pin", json!({ "pin": "48261" })),
        ("POST", "/users/admin/unlock", json!({})),
    ] {
        let told = house.with_token(&token, method, path, body).await;
        assert_eq!(told.body["code"], "beyond-own-privileges", "{path}: {told:?}");
    }
}

#[tokio::test]
async fn the_last_administrator_can_t_shut_the_door_behind() {
    let house = House::open().await;
    for (method, path, body) in [
        ("DELETE", "/application-users/admin", Value::Null),
        ("PATCH", "/application-users/admin", json!({ "enabled": false })),
        ("PATCH", "/application-users/admin", json!({ "groups": [] })),
        ("PUT", "/application-users/admin", json!({ "user_id": "admin" })),
        ("PATCH", "/application-users?all=true", json!({ "enabled": false })),
        ("PATCH", "/user-groups/Administrators", json!({ "roles": ["Operators"] })),
        ("PATCH", "/roles/Administrators", json!({ "privileges": ["change-configuration"] })),
    ] {
        let told = house.ask(method, path, body).await;
        assert_eq!(told.status, StatusCode::CONFLICT, "{method} {path}: {told:?}");
        assert_eq!(told.body["code"], "last-administrator", "{method} {path}");
        assert!(told.body["remedy"].as_str().unwrap().contains("jackfield recover"));
    }
    let told = house.in_japanese("DELETE", "/application-users/admin", Value::Null).await;
    assert!(told.body["message"].as_str().unwrap().contains("有効なアカウント"), "{told:?}");
}
