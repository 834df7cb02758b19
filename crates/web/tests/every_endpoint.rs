//! Walks the table of endpoints and the registry of kinds.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::collections::BTreeSet;

use axum::http::StatusCode;
use common::House;
use jackfield_model::Kind;
use serde_json::{Value, json};

/// Every endpoint: method, path with something in its places, and what it says of itself.
fn endpoints() -> Vec<(String, String, Value)> {
    let document = jackfield_web::openapi();
    let paths = document["paths"].as_object().unwrap();
    let rows = paths.iter().flat_map(|(path, methods)| {
        let path = path.replace("{name}", "x").replace("{action}", "start");
        methods.as_object().unwrap().iter().map(move |(method, operation)| {
            (method.to_uppercase(), path.clone(), operation.clone())
        })
    });
    rows.collect()
}

fn is_open(operation: &Value) -> bool {
    operation["security"] == json!([])
}

#[tokio::test]
async fn every_endpoint_but_the_door_needs_a_token() {
    let house = House::open().await;
    let mut open = Vec::new();
    for (method, path, operation) in endpoints() {
        if is_open(&operation) {
            open.push(format!("{method} {path}"));
            continue;
        }
        let none = house.as_nobody(&method, &path, Value::Null).await;
        assert_eq!(none.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(none.body["code"], "unauthenticated", "{method} {path}");
        let wrong = house.with_token("jf_wrong", &method, &path, Value::Null).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    assert_eq!(open, ["POST /sessions", "GET /openapi.json"]);
    assert!(endpoints().len() > 200);
}

#[tokio::test]
async fn every_privilege_is_asked_for() {
    let house = House::open().await;
    house.done("POST", "/application-users", json!({ "user_id": "plain" })).await;
    house.set_password("plain", common::PASSWORD);
    let token = house.sign_in("plain", common::PASSWORD).await;
    for (method, path, operation) in endpoints() {
        if is_open(&operation) || path.starts_with("/sessions") {
            continue;
        }
        let told = house.with_token(&token, &method, &path, Value::Null).await;
        let needs = operation["description"].as_str().unwrap();
        let forbidden = told.status == StatusCode::FORBIDDEN;
        assert_eq!(forbidden, needs.contains("privilege"), "{method} {path}: {told:?}");
    }
}

/// What nobody would read is refused, and not ignored; only what is of a kind is judged later on,
/// when the object has been found.
#[tokio::test]
async fn every_endpoint_refuses_fields_parameters_and_types_that_it_does_not_know() {
    let house = House::open().await;
    let strange = json!({ "no_such_field": "1" });
    let of_a_kind =
        |path: &str| Kind::ALL.iter().any(|kind| path.starts_with(&format!("/{}", kind.plural())));
    for (method, path, operation) in endpoints() {
        let told = house.ask(&method, &format!("{path}?no_such_parameter=1"), Value::Null).await;
        assert_eq!(told.body["code"], "unknown-field", "{method} {path}: {told:?}");
        assert_eq!(told.body["field"], "no_such_parameter", "{method} {path}");
        let told = house.ask(&method, &path, strange.clone()).await;
        let code = told.body["code"].as_str().unwrap();
        let later = of_a_kind(&path) && matches!(code, "not-found" | "missing-field");
        assert!(later || code == "unknown-field", "{method} {path}: {told:?}");
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        for (field, schema) in body["properties"].as_object().into_iter().flatten() {
            if schema["type"].is_null() && schema["enum"].is_null() {
                continue;
            }
            let wrong = match schema["type"] == "array" {
                true => json!({ "a": "secret" }),
                false => json!(["secret"]),
            };
            let told = house.ask(&method, &path, json!({ field: wrong })).await;
            assert_eq!(told.body["code"], "invalid-value", "{method} {path} {field}: {told:?}");
            assert_eq!(told.body["field"], *field, "{method} {path}");
            let hidden = schema["format"] == "password";
            assert_eq!(told.text.contains("secret"), !hidden, "{method} {path} {field}: {told:?}");
        }
    }
}

/// Nobody sees them, and they make people read something else: in a text for a phone, in the label of a
/// token, in whatever else somebody will read. A secret nobody reads.
#[tokio::test]
async fn every_text_is_refused_that_holds_a_sign_which_nobody_sees() {
    let house = House::open().await;
    let (mut tried, text) = (Vec::new(), "in\u{202e}voice");
    for (method, path, operation) in endpoints() {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        for (field, schema) in body["properties"].as_object().into_iter().flatten() {
            let types = schema["type"].to_string();
            let deep = match schema["type"].as_str() {
                _ if schema["format"] == "password" || schema["enum"].is_array() => continue,
                Some("object") => (json!({ "x": text }), format!("{field}.x")),
                Some("array") => (json!([{ "x": text }]), format!("{field}[0].x")),
                _ if types.contains("string") || types == "null" => (text.into(), field.clone()),
                _ => continue,
            };
            let told = house.ask(&method, &path, json!({ field: deep.0 })).await;
            assert_eq!(told.body["code"], "invalid-value", "{method} {path} {field}: {told:?}");
            assert_eq!(told.body["field"], deep.1, "{method} {path} {field}");
            assert_eq!(told.body["values"]["found"], "U+202E", "{method} {path} {field}");
            tried.push(format!("{path} {field}"));
        }
    }
    for one in ["/sessions label", "/phones/x/text text", "/quick-add user"] {
        assert!(tried.iter().any(|tried| tried == one), "{one}: {tried:?}");
    }
}

/// A path is there or not, whatever is tried with it.
#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    let house = House::open().await;
    let mut methods: std::collections::BTreeMap<String, BTreeSet<String>> = Default::default();
    for (method, path, _) in endpoints() {
        methods.entry(format!("/api/v1{path}")).or_default().insert(method);
    }
    for path in ["/", "/metrics", "/health/ready", "/phone/self-provisioning", "/x.xml"] {
        methods.entry(path.into()).or_default().insert("GET".into());
    }
    for (path, known) in methods {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if known.contains(method) {
                continue;
            }
            let told = house.send(method, &path, &[], Value::Null).await;
            assert_eq!(told.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let allowed = told.headers["allow"].to_str().unwrap().replace(' ', "");
            let allowed: BTreeSet<&str> = allowed.split(',').filter(|one| *one != "HEAD").collect();
            assert!(
                allowed.iter().copied().eq(known.iter().map(|one| &**one)),
                "{path}: {allowed:?}"
            );
            if path.starts_with("/api") {
                assert_eq!(told.body["code"], "method-not-allowed", "{method} {path}");
                let named = told.body["values"]["allowed"].as_str().unwrap();
                assert!(known.iter().all(|one| named.contains(&**one)), "{path}: {named}");
            }
        }
    }
}

#[tokio::test]
async fn every_kind_refuses_bad_values_and_says_why_in_both_languages() {
    let house = House::open().await;
    for kind in Kind::ALL {
        let (method, path) = match kind.is_singleton() {
            true => ("PATCH", format!("/{}", kind.plural())),
            false => ("POST", format!("/{}", kind.plural())),
        };
        let unknown = house.ask(method, &path, json!({ "colour": "red" })).await;
        assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY, "{kind}: {unknown:?}");
        assert_eq!(unknown.body["code"], "unknown-field", "{kind}");
        assert_eq!(unknown.body["field"], "colour", "{kind}");
        assert!(unknown.body["request_id"].as_str().unwrap().len() == 16, "{kind}");
        if !kind.is_singleton() {
            let empty = house.ask(method, &path, json!({})).await;
            assert_eq!(empty.body["code"], "missing-field", "{kind}: {empty:?}");
        }
        let fields = kind.schema_value()["properties"].as_object().unwrap();
        for field in fields.keys() {
            let told = house.in_japanese(method, &path, json!({ field: { "wrong": [] } })).await;
            assert!(!told.status.is_success(), "{kind} {field}: {told:?}");
            let message = told.body["message"].as_str().unwrap();
            assert!(message.chars().any(|c| ('ぁ'..='龠').contains(&c)), "{kind}: {message}");
            assert_eq!(told.headers["content-language"], "ja-JP");
        }
    }
}

#[tokio::test]
async fn every_kind_is_listed_and_shown_with_its_version() {
    let house = House::open().await;
    for kind in Kind::ALL {
        let listed = house.get(&format!("/{}", kind.plural())).await;
        if kind.is_singleton() {
            assert_eq!(listed["kind"], kind.name());
            continue;
        }
        for item in listed["items"].as_array().unwrap() {
            let path = format!("/{}/id:{}", kind.plural(), item["id"]);
            let told = house.ask("GET", &path, Value::Null).await;
            assert_eq!(&told.body, item, "{kind}");
            let etag = told.headers["etag"].to_str().unwrap().to_owned();
            assert_eq!(etag, format!("\"{}\"", item["version"]), "{kind}");
            house.get(&format!("{path}/dependents")).await;
        }
    }
}

#[test]
fn the_checked_in_document_is_the_served_one() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let text = serde_json::to_string_pretty(jackfield_web::openapi()).unwrap() + "\n";
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept != text {
        std::fs::write(&path, &text).unwrap();
        panic!("docs/openapi.json was not up to date and is rewritten: look at it and commit it");
    }
}

#[tokio::test]
async fn the_document_is_served_and_every_reference_in_it_leads_somewhere() {
    let house = House::open().await;
    let told = house.as_nobody("GET", "/openapi.json", Value::Null).await;
    assert_eq!(&told.body, jackfield_web::openapi());
    let mut references = BTreeSet::new();
    collect(&told.body, &mut references);
    assert!(references.len() > Kind::ALL.len());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(told.body.pointer(pointer).is_some(), "{reference}");
    }
    let ids = endpoints().into_iter().map(|(_, _, operation)| operation["operationId"].clone());
    let ids = ids.map(|id| id.to_string()).collect::<Vec<_>>();
    let unique = ids.iter().collect::<BTreeSet<_>>();
    assert_eq!(unique.len(), ids.len());
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get("$ref") {
                references.insert(to.clone());
            }
            fields.values().for_each(|value| collect(value, references));
        }
        Value::Array(entries) => entries.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let house = House::open().await;
    let bearer = house.bearer();
    let auth = ("authorization", &*bearer);
    let missing = house.get_anything("/api/v1/colours", &[auth]).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.body["code"], "not-found");
    let stale = house.get_anything("/api/v1/phones?limit=0", &[auth]).await;
    assert_eq!(stale.body["code"], "invalid-value");
    let odd = house.ask("POST", "/partitions", json!(["name"])).await;
    assert_eq!(odd.body["code"], "unreadable");
    let match_ = ("if-match", "one");
    let told = house.send("PATCH", "/api/v1/cluster-settings", &[auth, match_], json!({})).await;
    assert_eq!(
        (told.body["code"].as_str(), told.body["field"].as_str()),
        (Some("invalid-value"), Some("If-Match"))
    );
    let large = json!({ "name": "x".repeat(3_000_000) });
    let told = house.ask("POST", "/partitions", large).await;
    assert_eq!(told.status, StatusCode::PAYLOAD_TOO_LARGE);
}

impl House {
    async fn get_anything(&self, uri: &str, headers: &[(&str, &str)]) -> common::Told {
        self.send("GET", uri, headers, Value::Null).await
    }
}
