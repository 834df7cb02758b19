//! Over REST, nobody gets further than their privileges, and the last administrator stays.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use axum::http::StatusCode;
use common::{House, PASSWORD};
use jackfield_web::Order;
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

/// Who may change and not read hears of an object what they sent, and finds out nothing by what passes a filter.
#[tokio::test]
async fn who_changes_the_configuration_reads_nothing_by_it() {
    let (house, token) = house_of(&["change-configuration"]).await;
    let user =
        json!({ "user_id": "tanaka", "mail": "tanaka@example.com", "self_service_id": "74120958" });
    house.done("POST", "/end-users", user).await;
    house.done("POST", "/lines", json!({ "number": "3001", "description": "secret" })).await;
    for (method, path, body, told) in [
        ("PATCH", "/end-users/tanaka", json!({}), vec![]),
        ("PATCH", "/end-users/tanaka", json!({ "first_name": "T" }), vec!["first_name"]),
        ("PATCH", "/lines/3001", json!({ "forwards": {} }), vec!["forwards"]),
        ("POST", "/end-users", json!({ "user_id": "new" }), vec!["user_id"]),
    ] {
        let answer = house.with_token(&token, method, path, body).await;
        assert!(answer.status.is_success(), "{answer:?}");
        let fields = answer.body.as_object().unwrap().keys().map(|name| &**name);
        let beside = ["id", "version", "kind", "takes", "warnings"];
        let fields: Vec<&str> = fields.filter(|name| !beside.contains(name)).collect();
        assert_eq!(fields, told, "{answer:?}");
        assert!(told != ["forwards"] || answer.body["forwards"] == json!({}), "{answer:?}");
    }
    for query in [
        "filter=self_service_id~7",
        "filter=mail=tanaka@example.com",
        "search=tanaka",
        "filter=user_id~t",
        "filter=user_id!=tanaka",
        "filter=user_id=tanaka&filter=mail~t",
    ] {
        let path = format!("/end-users?{query}&check=true");
        let answer = house.with_token(&token, "PATCH", &path, json!({ "first_name": "T" })).await;
        assert_eq!(answer.body["code"], "forbidden", "{query}: {answer:?}");
        assert!(answer.body["message"].as_str().unwrap().contains("read-configuration"));
        let answer = house.with_token(&token, "DELETE", &path, Value::Null).await;
        assert_eq!(answer.body["code"], "forbidden", "{query}: {answer:?}");
    }
    let path = "/end-users?filter=user_id=tanaka";
    let answer = house.with_token(&token, "PATCH", path, json!({ "first_name": "U" })).await;
    assert_eq!(answer.body["changed"], 1);
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

/// What is asked for and refused is found later: who, what, about what, from where, and why.
#[tokio::test]
async fn who_tries_what_is_beyond_is_in_the_audit() {
    let (house, token) = house_of(&["change-configuration"]).await;
    let roles = json!({ "privileges": ["backup"] });
    for (method, path, body, operation, code) in [
        ("PATCH", "/roles/jo", roles, "update", "beyond-own-privileges"),
        ("DELETE", "/application-users/admin", Value::Null, "delete", "beyond-own-privileges"),
        ("PUT", "/users/admin/password", json!({ "password": "x" }), "set-credential", "forbidden"),
        ("POST", "/users/admin/unlock", json!({}), "unlock", "forbidden"),
        ("POST", "/services/tftp/stop", json!({}), "service", "forbidden"),
        ("POST", "/phones/SEP001122AABBCC/restart", json!({}), "restart", "forbidden"),
        ("POST", "/phones/SEP001122AABBCC/text", json!({}), "text", "forbidden"),
        ("POST", "/phones/SEP001122AABBCC/secret", json!({}), "rotate-device-secret", "forbidden"),
        ("DELETE", "/self-provisioning/code", Value::Null, "set-credential", "forbidden"),
        ("POST", "/languages/rescan", json!({}), "rescan", "forbidden"),
        ("POST", "/backup", json!({}), "backup", "forbidden"),
        ("GET", "/audit", Value::Null, "read", "forbidden"),
        (
            "DELETE",
            "/application-users?all=true&skip_refused=true&check=true",
            Value::Null,
            "delete",
            "beyond-own-privileges",
        ),
    ] {
        house.with_token(&token, method, path, body).await;
        let row = house.get("/audit?actor=jo&failed=true&limit=1").await["items"][0].clone();
        assert_eq!(row["operation"], operation, "{method} {path}: {row}");
        assert_eq!(row["detail"]["refused"]["code"], code, "{method} {path}: {row}");
        assert_eq!(row["actor"]["address"], "127.0.0.1", "{row}");
        assert!(row["detail"]["reason"].as_str().unwrap().contains("privilege"), "{row}");
        let about = match path.split('/').nth(2) {
            Some(name @ ("admin" | "jo")) => json!(name),
            _ if path.starts_with("/application-users?") => json!("admin"),
            _ => Value::Null,
        };
        assert_eq!(row["name"], about, "{row}");
    }
    let named = house.get("/audit?name=admin&failed=true").await;
    assert_eq!(named["items"].as_array().unwrap().len(), 4, "{named}");
}

/// Whoever tries for ever fills no database.
#[tokio::test]
async fn refused_tries_have_rows_at_a_pace() {
    let (house, token) = house_of(&["change-configuration"]).await;
    for _ in 0..100 {
        house.with_token(&token, "POST", "/services/tftp/stop", json!({})).await;
    }
    let rows = house.get("/audit?failed=true&limit=1000").await["items"].clone();
    let rows = rows.as_array().unwrap().len();
    assert!((30..40).contains(&rows), "{rows}");
    // Who may is told of all the same.
    house.done("POST", "/services/tftp/stop", json!({})).await;
    let row = house.get("/audit?operation=service&limit=1").await["items"][0].clone();
    assert_eq!(row["actor"]["user_id"], "admin", "{row}");
}

/// To restart a service takes the same privilege by every door, and half of what is asked for is not
/// done.
#[tokio::test]
async fn who_may_not_restart_services_saves_nothing_with_a_restart() {
    let (house, token) = house_of(&["change-configuration"]).await;
    let none = json!({ "mode": "none" });
    let save = json!({ "settings": none, "restart": "now" });
    for (method, path, body) in [
        ("PUT", "/self-provisioning/settings", save),
        ("PATCH", "/self-provisioning?restart=now", none.clone()),
        ("PUT", "/self-provisioning?restart=now", none.clone()),
    ] {
        let told = house.with_token(&token, method, path, body).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN, "{method} {path}: {told:?}");
        let message = told.body["message"].as_str().unwrap();
        assert!(message.contains("operate-services. Roles with it: "), "{message}");
        assert!(message.contains("Operators"), "{message}");
        assert_ne!(house.get("/self-provisioning").await["mode"], "none", "{method} {path}");
    }
    assert!(!house.node.ordered(|order| matches!(order, Order::Service { .. })));
    // Without a restart it can be saved, and the question offers only what one may.
    let told = house.with_token(&token, "PATCH", "/self-provisioning?restart=later", none).await;
    assert_eq!(told.status, StatusCode::OK, "{told:?}");
    house.done("POST", "/application-users", json!({ "user_id": "ivr" })).await;
    let chosen = json!({ "application_user": "ivr" });
    let asked = house.with_token(&token, "PATCH", "/self-provisioning", chosen).await;
    let answers = asked.body["answers"].as_array().unwrap().iter().map(|one| &one["restart"]);
    assert!(answers.eq([&json!("later"), &Value::Null]), "{asked:?}");
}
