//! Tokens, passwords and locks.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::time::Duration;

use axum::http::StatusCode;
use common::{House, PASSWORD};
use jackfield_model::Actor;
use serde_json::{Value, json};

fn wrong(user_id: &str) -> Value {
    json!({ "user_id": user_id, "password": "wrong horse battery" })
}

#[tokio::test]
async fn a_token_says_who_one_is_until_one_signs_out() {
    let house = House::open().await;
    let who = house.get("/sessions/current").await;
    assert_eq!(who["user_id"], "admin");
    assert!(who["privileges"].as_array().unwrap().contains(&json!("change-configuration")));
    assert_eq!(house.get("/sessions").await["items"].as_array().unwrap().len(), 1);
    let told = house.ask("DELETE", "/sessions/current", Value::Null).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT);
    let told = house.ask("GET", "/sessions/current", Value::Null).await;
    assert_eq!(told.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nobody_ends_what_somebody_else_is_signed_in_with() {
    let house = House::open().await;
    house.done("POST", "/end-users", json!({ "user_id": "mori" })).await;
    house.set_password("mori", PASSWORD);
    let bearer = format!("Bearer {}", house.sign_in("mori", PASSWORD).await);
    let mine = house.get("/sessions").await["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/sessions/{mine}");
    let told = house.send("DELETE", &path, &[("authorization", &bearer)], Value::Null).await;
    assert_eq!(told.status, StatusCode::NOT_FOUND, "{told:?}");
    house.get("/sessions/current").await;
    let told = house.ask("DELETE", &format!("/sessions/{mine}"), Value::Null).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT, "one's own is ended");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_look_the_same() {
    let house = House::open().await;
    let mut known = house.as_nobody("POST", "/sessions", wrong("admin")).await;
    let mut unknown = house.as_nobody("POST", "/sessions", wrong("nobody")).await;
    assert_eq!(known.status, StatusCode::UNAUTHORIZED);
    assert_eq!(known.body["code"], "wrong-credential");
    known.body["request_id"] = Value::Null;
    unknown.body["request_id"] = Value::Null;
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));
}

/// Proves SP-07.a for passwords over REST.
#[tokio::test]
async fn too_many_failures_lock_the_account_until_it_is_unlocked() {
    let house = House::open().await;
    house.done("POST", "/application-users", json!({ "user_id": "app" })).await;
    house.done("PUT", "/users/app/password", json!({ "password": PASSWORD })).await;
    for _ in 0..5 {
        house.as_nobody("POST", "/sessions", wrong("app")).await;
    }
    let right = json!({ "user_id": "app", "password": PASSWORD });
    let told = house.as_nobody("POST", "/sessions", right.clone()).await;
    assert_eq!(told.body["code"], "locked", "{told:?}");
    let state = house.get("/users/app/credentials").await;
    assert_eq!(
        (&state["password"]["set"], &state["password"]["locked"]),
        (&json!(true), &json!(true))
    );
    let locks = house.get("/locks").await["items"].clone();
    assert_eq!(locks.as_array().unwrap().len(), 1, "{locks}");
    assert_eq!((&locks[0]["account"]["name"], &locks[0]["source"]), (&json!("app"), &Value::Null));
    assert_eq!(locks[0]["remedy"], "Unlock it now: jackfield unlock app");
    let app = house.get("/application-users/app").await;
    assert_eq!(
        (&app["locks"][0]["credential"], &app["locks"][1]),
        (&json!("password"), &Value::Null)
    );
    assert!(app["locks"][0]["until"].is_u64(), "{app}");
    house.done("PUT", "/application-users/app", app).await;
    house.done("POST", "/users/app/unlock", json!({})).await;
    assert_eq!(house.get("/locks").await["items"], json!([]));
    assert_eq!(house.get("/application-users/app").await["locks"], Value::Null);
    let told = house.as_nobody("POST", "/sessions", right).await;
    assert_eq!(told.status, StatusCode::OK, "{told:?}");
}

/// Locks do not tell which accounts there are: names that nobody has lock alike.
#[tokio::test]
async fn a_name_that_nobody_has_looks_like_one_that_somebody_has_to_the_end() {
    let house = House::open().await;
    house.done("POST", "/application-users", json!({ "user_id": "app" })).await;
    house.done("PUT", "/users/app/password", json!({ "password": PASSWORD })).await;
    let tries = async |user: &str| {
        let mut told = Vec::new();
        for _ in 0..7 {
            let answer = house.as_nobody("POST", "/sessions", wrong(user)).await;
            let mut body = answer.body;
            // A lock ends so long after the last failure.
            body["request_id"] = Value::Null;
            let until = &mut body["values"]["until"];
            *until = until.is_string().into();
            body["remedy"] = body["remedy"].as_str().unwrap().split(" 20").next().unwrap().into();
            told.push((answer.status, body));
        }
        told
    };
    let (known, unknown) = (tries("app").await, tries("nobody").await);
    assert_eq!(known, unknown);
    assert_eq!(known[4].1["code"], "wrong-credential");
    assert_eq!(known[5].1["code"], "locked");
}

/// A stranger who guesses is slowed down and locks nobody out who administers.
#[tokio::test]
async fn a_stranger_can_t_lock_the_administrator_out() {
    let house = House::open().await;
    let stranger = async |password: &str| {
        let body = json!({ "user_id": "admin", "password": password });
        let told = house.send_from("203.0.113.9", "POST", "/api/v1/sessions", &[], body).await;
        told.body["code"].as_str().unwrap_or("in").to_owned()
    };
    for _ in 0..5 {
        assert_eq!(stranger("guess").await, "wrong-credential");
    }
    assert_eq!(stranger(PASSWORD).await, "locked", "even with the right one");
    house.sign_in("admin", PASSWORD).await;
    let state = house.get("/users/admin/credentials").await;
    assert_eq!(state["password"]["locked"], false);
    assert_eq!(state["password"]["locked_sources"][0]["address"], "203.0.113.9");
    let locks = house.get("/locks").await["items"].clone();
    assert_eq!(locks[0]["source"], "203.0.113.9", "{locks}");
    house.done("POST", "/users/admin/unlock", json!({})).await;
    assert_eq!(stranger(PASSWORD).await, "in");
}

#[tokio::test]
async fn who_signed_in_who_failed_and_who_is_locked_is_in_the_audit() {
    let house = House::open().await;
    for _ in 0..9 {
        house.as_nobody("POST", "/sessions", wrong("admin")).await;
    }
    house.as_nobody("POST", "/sessions", wrong("a-password-in-the-wrong-field")).await;
    let row = async |operation: &str| {
        let mut page = Value::Null;
        // Failures are written behind.
        for _ in 0..200 {
            page = house.get(&format!("/audit?operation={operation}")).await;
            if page["items"].as_array().is_some_and(|items| !items.is_empty()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let items = page["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 1, "{operation}: {items:?}");
        items[0].clone()
    };
    let admin = house.id("application-user", "admin");
    let failed = row("sign-in-failed").await;
    assert_eq!(failed["object"], admin.0, "{failed}");
    assert_eq!(failed["detail"]["address"], "127.0.0.1");
    let lock = row("lock").await;
    assert_eq!(
        (&lock["detail"]["only_from"], &lock["detail"]["failures"]),
        (&json!("127.0.0.1"), &json!(5))
    );
    let failed = house.get("/audit?failed=true").await;
    assert!(failed["items"].as_array().unwrap().contains(&lock), "{failed}");
    let entered = row("sign-in").await;
    assert_eq!(entered["actor"]["user_id"], "admin", "{entered}");
    house.done("POST", "/users/admin/unlock", json!({})).await;
    assert_eq!(row("unlock").await["actor"]["user_id"], "admin");
    house.ask("DELETE", "/sessions/current", Value::Null).await;
    let token = house.sign_in("admin", PASSWORD).await;
    let told = house.with_token(&token, "GET", "/audit", Value::Null).await;
    assert!(told.text.contains("sign-out"), "{told:?}");
    assert!(!told.text.contains("wrong-field") && !told.text.contains("wrong horse"), "{told:?}");
}

/// Hashing passwords takes long; a change does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sign_ins_at_once_hold_up_no_change() {
    let house = std::sync::Arc::new(House::open().await);
    let mut crowd = tokio::task::JoinSet::new();
    for number in 0..80_u8 {
        let house = std::sync::Arc::clone(&house);
        crowd.spawn(async move {
            let body = json!({ "user_id": format!("user{number}"), "password": "guess" });
            let from = format!("192.0.2.{number}");
            house.send_from(&from, "POST", "/api/v1/sessions", &[], body).await.status
        });
    }
    // The first of them is through, so that all are under way.
    assert_eq!(crowd.join_next().await.unwrap().unwrap(), StatusCode::UNAUTHORIZED);
    house.done("POST", "/partitions", json!({ "name": "Offices" })).await;
    let mut before = 1;
    while crowd.try_join_next().is_some() {
        before += 1;
    }
    assert!(before < 40, "{before} sign-ins came first");
    while let Some(status) = crowd.join_next().await {
        assert_eq!(status.unwrap(), StatusCode::UNAUTHORIZED);
    }
}

/// Only who really tries is counted: whatever else is sent to the door takes nobody's place.
#[tokio::test]
async fn an_address_can_t_try_for_ever() {
    let house = House::open().await;
    for (body, code) in [
        (json!({}), "missing-field"),
        (json!({ "user_id": "x" }), "missing-field"),
        (json!([1]), "invalid-value"),
        (json!("x"), "invalid-value"),
        (Value::Null, "missing-field"),
    ] {
        for _ in 0..40 {
            let told = house.as_nobody("POST", "/sessions", body.clone()).await;
            assert_eq!(told.body["code"], code, "{told:?}");
        }
    }
    let mut tries = 0;
    loop {
        let told = house.as_nobody("POST", "/sessions", wrong(&format!("user{tries}"))).await;
        if told.body["code"] == "rate-limited" {
            break;
        }
        assert_eq!(told.body["code"], "wrong-credential");
        tries += 1;
    }
    // Those at once but the one of this house, and what comes back while they are looked at.
    assert!((29..60).contains(&tries), "{tries}");
    let body = json!({ "user_id": "admin", "password": PASSWORD });
    let elsewhere = house.send_from("192.0.2.77", "POST", "/api/v1/sessions", &[], body).await;
    assert_eq!(elsewhere.status, StatusCode::OK);
}

#[tokio::test]
async fn a_switched_off_account_is_out_at_once() {
    let house = House::open().await;
    house.done("POST", "/application-users", json!({ "user_id": "app" })).await;
    house.set_password("app", PASSWORD);
    let token = house.sign_in("app", PASSWORD).await;
    house.done("PATCH", "/application-users/app", json!({ "enabled": false })).await;
    let told = house.with_token(&token, "GET", "/sessions/current", Value::Null).await;
    assert_eq!(told.status, StatusCode::UNAUTHORIZED);
    let body = json!({ "user_id": "app", "password": PASSWORD });
    let told = house.as_nobody("POST", "/sessions", body).await;
    assert_eq!(told.body["code"], "disabled");
}

#[tokio::test]
async fn a_new_password_ends_the_tokens_of_the_old_one_but_the_own() {
    let house = House::open().await;
    let other = house.sign_in("admin", PASSWORD).await;
    let body = json!({ "password": "another horse battery" });
    house.done("PUT", "/users/admin/password", body).await;
    let told = house.with_token(&other, "GET", "/sessions/current", Value::Null).await;
    assert_eq!(told.status, StatusCode::UNAUTHORIZED);
    house.get("/sessions/current").await;
}

#[tokio::test]
async fn a_one_time_password_says_so() {
    let house = House::open().await;
    let admin = house.directory().account("admin").unwrap();
    let password = house.store.handle().issue_one_time_password(admin).unwrap();
    let body = json!({ "user_id": "admin", "password": password.reveal() });
    let told = house.as_nobody("POST", "/sessions", body).await;
    assert_eq!(told.body["must_change_password"], true, "{told:?}");
}

#[tokio::test]
async fn with_a_one_time_password_only_the_own_password_can_be_set() {
    let house = House::open().await;
    house.done("POST", "/end-users", json!({ "user_id": "tanaka" })).await;
    let admin = house.directory().account("admin").unwrap();
    let password = house.store.handle().issue_one_time_password(admin).unwrap();
    let token = house.sign_in("admin", password.reveal()).await;
    let body = json!({ "password": "my own horse battery" });
    for (method, path, body) in [
        ("GET", "/phones", Value::Null),
        ("GET", "/sessions", Value::Null),
        ("PUT", "/users/tanaka/password", body.clone()),
        ("PUT", "/users/admin/pin", json!({ "pin": "24680" })),
        ("POST", "/lines", json!({ "number": "2001" })),
    ] {
        let told = house.with_token(&token, method, path, body).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN, "{path}: {told:?}");
        assert_eq!(told.body["code"], "password-change-needed", "{path}");
    }
    let told = house.with_token(&token, "GET", "/sessions/current", Value::Null).await;
    assert_eq!(told.body["must_change_password"], true, "{told:?}");
    let told = house.with_token(&token, "PUT", "/users/admin/password", body).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT, "{told:?}");
    // The same token goes on, and may do everything again.
    let told = house.with_token(&token, "GET", "/phones", Value::Null).await;
    assert_eq!(told.status, StatusCode::OK, "{told:?}");
}

#[tokio::test]
async fn the_help_desk_can_t_take_an_administrator_s_account() {
    let house = House::open().await;
    for (user, group) in [("desk", "Help desk"), ("auditor", "Auditors")] {
        let body = json!({ "user_id": user, "groups": [group] });
        house.done("POST", "/application-users", body).await;
    }
    house.set_password("desk", PASSWORD);
    let token = house.sign_in("desk", PASSWORD).await;
    let body = json!({ "password": "stolen horse battery" });
    for victim in ["admin", "auditor"] {
        let path = format!("/users/{victim}/password");
        let told = house.with_token(&token, "PUT", &path, body.clone()).await;
        assert_eq!(told.body["code"], "beyond-own-privileges", "{victim}");
    }
    house.done("POST", "/end-users", json!({ "user_id": "tanaka" })).await;
    let told = house.with_token(&token, "PUT", "/users/tanaka/password", body).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT, "{told:?}");
}

#[tokio::test]
async fn users_set_their_own_password_and_nobody_else_s() {
    let house = House::open().await;
    house.done("POST", "/end-users", json!({ "user_id": "tanaka" })).await;
    house.set_password("tanaka", PASSWORD);
    let token = house.sign_in("Tanaka", PASSWORD).await;
    let body = json!({ "password": "my own horse battery" });
    let told = house.with_token(&token, "PUT", "/users/admin/password", body.clone()).await;
    assert_eq!(told.body["code"], "forbidden");
    let told = house.with_token(&token, "PUT", "/users/tanaka/password", body).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT, "{told:?}");
    let weak = json!({ "pin": "12345" });
    let told = house.with_token(&token, "PUT", "/users/tanaka/pin", weak).await;
    assert_eq!(told.body["code"], "credential-too-weak");
    assert!(!told.text.contains("12345"), "{told:?}");
}

/// While the database is gone: a token that was good lately reads on, and does nothing else.
#[tokio::test]
async fn whoever_was_signed_in_can_look_what_is_wrong_while_the_database_is_gone() {
    let house = House::open().await;
    house.get("/partitions").await;
    let later = async |seconds| {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
    };
    house.faults.gone(true);
    later(120).await;
    let health = || house.send("GET", "/health/ready", &[], Value::Null);
    for _ in 0..2 {
        house.get("/partitions").await;
        for path in ["/setup", "/self-provisioning/status", "/explain/user/admin", "/services"] {
            let told = house.ask("GET", path, Value::Null).await;
            assert!(!told.text.contains("Nothing was changed"), "{path}: {told:?}");
        }
        let status = house.get("/status").await;
        assert!(status["warnings"].to_string().contains("database does not answer"), "{status}");
    }
    house.get("/setup").await;
    let told = house.ask("GET", "/audit", Value::Null).await;
    assert_eq!(told.body["code"], "database-unavailable", "{told:?}");
    assert!(!told.text.contains("Nothing was changed"), "it was a question: {told:?}");
    let told = health().await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(told.text.contains("engine: ok") && told.text.contains("database: no"), "{told:?}");
    let figures = house.send("GET", "/metrics", &[], Value::Null).await.text;
    assert!(figures.contains("\njackfield_database_up 0\n"), "{figures}");
    let name = json!({ "name": "Offices" });
    let told = house.ask("POST", "/partitions", name).await;
    assert_eq!(told.body["code"], "database-unavailable", "{told:?}");
    assert!(told.text.contains("Nothing was changed"), "{told:?}");
    let told = house.with_token("jf_stranger", "GET", "/partitions", Value::Null).await;
    assert_eq!(told.body["code"], "database-unavailable", "{told:?}");
    later(500).await;
    let told = house.ask("GET", "/partitions", Value::Null).await;
    assert_eq!(told.body["code"], "database-unavailable", "not for ever: {told:?}");
    house.faults.gone(false);
    while health().await.status != StatusCode::OK {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A token that was revoked, on whichever node, is good for nothing from then on.
#[tokio::test]
async fn a_token_that_was_revoked_elsewhere_ends_at_once() {
    let house = House::open().await;
    house.get("/partitions").await;
    let account = house.directory().account("admin").unwrap();
    house.store.handle().revoke_tokens(Actor::System, account).unwrap();
    let told = house.ask("GET", "/partitions", Value::Null).await;
    assert_eq!(told.status, StatusCode::UNAUTHORIZED);
}

/// Also when the database is gone right afterwards.
#[tokio::test]
async fn a_revoked_token_is_not_good_while_the_database_is_gone() {
    let house = House::open().await;
    house.get("/partitions").await;
    let account = house.directory().account("admin").unwrap();
    house.store.handle().revoke_tokens(Actor::System, account).unwrap();
    house.faults.gone(true);
    let told = house.ask("GET", "/partitions", Value::Null).await;
    assert_eq!(told.body["code"], "database-unavailable", "{told:?}");
}
