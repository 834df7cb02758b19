//! The same change of many objects over REST.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::time::Duration;

use axum::http::StatusCode;
use common::House;
use jackfield_model::{Actor, Kind, Operation};
use jackfield_store::StoreHandle;
use serde_json::{Value, json};

async fn partitions(house: &House, count: usize) {
    let create = |n| Operation::Create { kind: Kind::Partition, body: json!({ "name": n }) };
    let names: Vec<_> = (0..count).map(|n| format!("P{n:05}")).collect();
    for chunk in names.chunks(1500) {
        let batch = Operation::Batch(chunk.iter().map(create).collect());
        let id = StoreHandle::operation_id().unwrap();
        house.store.handle().execute(id, Actor::System, batch).unwrap();
    }
}

async fn ended(house: &House, job: &Value) -> Value {
    for _ in 0..500 {
        let job = house.get(&format!("/jobs/{}", job["id"])).await;
        if job["state"] != "running" {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{job} never ends");
}

#[tokio::test]
async fn what_a_filter_chooses_is_changed_and_nothing_else() {
    let house = House::open().await;
    partitions(&house, 12).await;
    let note = json!({ "description": "upstairs" });
    let told = house.ask("PATCH", "/partitions", note.clone()).await;
    assert_eq!(told.body["code"], "missing-field", "nobody changes everything by mistake");
    assert_eq!(told.body["field"], "filter");
    let checked =
        house.done("PATCH", "/partitions?filter=name~p0001&check=true", note.clone()).await;
    assert_eq!((&checked["total"], &checked["changed"]), (&json!(2), &json!(0)));
    let told = house.done("PATCH", "/partitions?filter=name~p0001", note.clone()).await;
    assert_eq!((&told["total"], &told["changed"]), (&json!(2), &json!(2)));
    let upstairs = house.get("/partitions?filter=description=upstairs").await;
    assert_eq!(upstairs["items"].as_array().unwrap().len(), 2);
    let again = house.done("PATCH", "/partitions?search=p0001", note).await;
    assert_eq!(again["changed"], 0, "they are so already");
    let told = house.ask("PATCH", "/partitions?all=yes", json!({})).await;
    assert_eq!(told.body["field"], "all");
    let pools = json!({ "location": "Default" });
    let told = house.done("PATCH", "/device-pools?all=true", pools).await;
    assert_eq!(told["total"], 1);
}

#[tokio::test]
async fn all_are_changed_or_none_and_each_refused_row_is_named() {
    let house = House::open().await;
    for number in ["3001", "3002", "3003"] {
        house.done("POST", "/lines", json!({ "number": number })).await;
    }
    // The first can have the number, and then nobody else.
    let same = json!({ "number": "4000" });
    let told = house.ask("PATCH", "/lines?search=300", same.clone()).await;
    assert_eq!(told.status, StatusCode::CONFLICT, "{told:?}");
    let names: Vec<_> =
        told.body["rows"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["3002", "3003"]);
    assert_eq!(told.body["rows"][1]["code"], "duplicate", "{told:?}");
    assert_eq!(house.get("/lines?search=300").await["items"].as_array().unwrap().len(), 3);
    let told = house.done("PATCH", "/lines?search=300&skip_refused=true", same).await;
    assert_eq!((&told["total"], &told["changed"]), (&json!(1), &json!(1)));
    assert_eq!(told["refused"].as_array().unwrap().len(), 2);
    // What is wrong for every one is told as for one.
    let told = house.ask("PATCH", "/lines?all=true", json!({ "colour": "red" })).await;
    assert_eq!(
        (&told.body["code"], &told.body["field"]),
        (&json!("unknown-field"), &json!("colour"))
    );
}

#[tokio::test]
async fn thousands_are_a_job_that_tells_how_far_it_is() {
    let house = House::open().await;
    partitions(&house, 3100).await;
    let told = house.ask("PATCH", "/partitions?all=true", json!({ "description": "x" })).await;
    assert_eq!(told.status, StatusCode::ACCEPTED, "{told:?}");
    let path = format!("/api/v1/jobs/{}", told.body["id"]);
    assert_eq!(told.headers["location"].to_str().unwrap(), path);
    let job = ended(&house, &told.body).await;
    assert_eq!((&job["state"], &job["by"]), (&json!("done"), &json!("admin")), "{job}");
    assert_eq!((&job["done"], &job["changed"]), (&json!(3100), &json!(3100)));
    assert_eq!(house.get("/jobs").await["items"][0], job);
    let left = house.get("/partitions?filter=description!=x&limit=1").await;
    assert_eq!(left["items"], json!([]));
    // One refused row in the last chunk: nothing is begun.
    let used = json!({ "name": "css", "partitions": ["P00001"] });
    house.done("POST", "/calling-search-spaces", used).await;
    let told = house.ask("PATCH", "/partitions?all=true", json!({ "name": "same" })).await;
    assert_eq!(told.body["rows"].as_array().unwrap().len(), 100, "so many are named");
    assert_eq!(house.get("/partitions?search=same").await["items"], json!([]));
    house.faults.gone(true);
    let told = house.ask("PATCH", "/partitions?all=true", json!({ "description": "y" })).await;
    let job = ended(&house, &told.body).await;
    assert_eq!((&job["state"], &job["changed"]), (&json!("failed"), &json!(0)));
    assert_eq!(job["failure"]["code"], "database-unavailable");
    let missing = house.ask("GET", "/jobs/77", Value::Null).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_a_filter_chooses_is_deleted_unless_something_uses_it() {
    let house = House::open().await;
    partitions(&house, 12).await;
    let told = house.ask("DELETE", "/partitions", Value::Null).await;
    assert_eq!(told.body["field"], "filter", "nobody deletes everything by mistake");
    let used = json!({ "name": "css", "partitions": ["P00001", "P00003"] });
    house.done("POST", "/calling-search-spaces", used).await;
    let told = house.ask("DELETE", "/partitions?search=p0000", Value::Null).await;
    assert_eq!((told.status, &told.body["code"]), (StatusCode::CONFLICT, &json!("in-use")));
    let rows = told.body["rows"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["P00001", "P00003"]);
    let message = rows[1]["message"].as_str().unwrap();
    assert!(message.contains("calling-search-space css (partitions[1])"), "{message}");
    assert_eq!(house.get("/partitions?search=p000").await["items"].as_array().unwrap().len(), 12);

    let others = "/partitions?search=p0000&skip_refused=true";
    let told = house.done("DELETE", &format!("{others}&check=true"), Value::Null).await;
    assert_eq!((&told["total"], &told["changed"]), (&json!(8), &json!(0)));
    let told = house.done("DELETE", others, Value::Null).await;
    assert_eq!((&told["total"], &told["changed"]), (&json!(8), &json!(8)));
    let left = house.get("/partitions?search=p000&fields=name").await;
    let left: Vec<_> = left["items"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(left, ["P00001", "P00003", "P00010", "P00011"]);
    // What is protected one by one is protected among many.
    let told = house.ask("DELETE", "/nodes?all=true", Value::Null).await;
    assert_eq!(told.body["code"], "protected");
}

#[tokio::test]
async fn a_deleted_phone_leaves_its_owner_and_its_lent_number_goes_with_it() {
    let house = House::open().await;
    house.done("POST", "/lines", json!({ "number": "3001" })).await;
    house.done("POST", "/end-users", json!({ "user_id": "ada", "last_name": "L" })).await;
    for n in 1..4 {
        let phone = json!({
            "name": format!("SEP00000000000{n}"), "model": "Generic SIP phone",
            "lines": [{ "line": "3001" }], "owner": (n == 2).then_some("ada"),
        });
        house.done("POST", "/phones", phone).await;
    }
    let told = house.ask("DELETE", "/lines?search=3001", Value::Null).await;
    assert_eq!(told.body["code"], "in-use", "{told:?}");
    let told = house.done("DELETE", "/phones?search=sep0", Value::Null).await;
    assert_eq!(told["changed"], 3);
    assert_eq!(house.get("/phones").await["items"], json!([]));
    assert_eq!(house.get("/end-users/ada").await["controlled_phones"], json!([]));
    assert_eq!(house.done("DELETE", "/lines?search=3001", Value::Null).await["changed"], 1);
}

#[tokio::test]
async fn thousands_are_deleted_by_a_job() {
    let house = House::open().await;
    partitions(&house, 1600).await;
    let told = house.ask("DELETE", "/partitions?search=p0", Value::Null).await;
    assert_eq!(told.status, StatusCode::ACCEPTED, "{told:?}");
    assert_eq!(told.body["what"], "delete partitions");
    let job = ended(&house, &told.body).await;
    assert_eq!((&job["state"], &job["changed"]), (&json!("done"), &json!(1600)), "{job}");
    assert_eq!(house.get("/partitions?search=p0").await["items"], json!([]));
}

/// A script's word was empty, or its condition leaves nothing out.
#[tokio::test]
async fn what_leaves_nothing_out_takes_everything_only_where_that_is_said() {
    let house = House::open().await;
    for number in ["3001", "3002"] {
        house.done("POST", "/lines", json!({ "number": number })).await;
    }
    let phone = |name: &str, line: &str| json!({ "name": name, "model": "Generic SIP phone", "lines": [{ "line": line }] });
    house.done("POST", "/phones", phone("SEP000000000001", "3001")).await;
    house.done("POST", "/phones", phone("SEP000000000002", "3001")).await;
    for all in [
        "",
        "search=",
        "search=%20",
        "filter=auto_registered!%3Dtrue&search=",
        "filter=name!%3D",
        "filter=id!%3D0",
        "filter=kind%3Dphone",
        "filter=owner%3D",
        "filter=lines!%3D",
        "filter=lines!%3D3002",
        "filter=name~",
    ] {
        for (method, body) in [("DELETE", Value::Null), ("PATCH", json!({ "description": "x" }))] {
            let told = house.ask(method, &format!("/phones?{all}"), body).await;
            let code = if all == "filter=name~" { "invalid-value" } else { "missing-field" };
            assert_eq!(told.body["code"], code, "{method} {all}: {told:?}");
        }
    }
    let left = house.get("/phones?search=").await;
    assert_eq!(left["items"].as_array().map(Vec::len), Some(2), "an empty search lists all");
    house.done("PATCH", "/phones/SEP000000000002", json!({ "lines": [{ "line": "3002" }] })).await;
    let found = house.get("/phones?filter=lines%3D3002&fields=name").await;
    assert_eq!(found["items"][0]["name"], "SEP000000000002");
    // What names something may fit all of them.
    let both = "/phones?filter=name~SEP0000";
    assert_eq!(house.done("PATCH", both, json!({ "description": "x" })).await["changed"], 2);
    let told = house.done("DELETE", "/phones?filter=lines!%3D3002", Value::Null).await;
    assert_eq!(told["changed"], 1);
    assert_eq!(house.done("DELETE", "/phones?all=true", Value::Null).await["changed"], 1);
}

/// What is warned of at one object is warned of at many, also where nothing is done yet.
#[tokio::test]
async fn the_warnings_of_each_are_told() {
    let house = House::open().await;
    for number in 5001..5031 {
        house.done("POST", "/lines", json!({ "number": number.to_string() })).await;
    }
    let nobody = json!({ "forwards": { "all": { "destination": "5999" } } });
    let few = "/lines?filter=number~500";
    for check in ["&check=true", ""] {
        let told = house.done("PATCH", &format!("{few}{check}"), nobody.clone()).await;
        let warnings = told["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 9, "{told}");
        assert!(warnings[0].as_str().unwrap().starts_with("5001: "), "{told}");
        assert!(warnings[0].as_str().unwrap().contains("5999"), "{told}");
    }
    let again = house.done("PATCH", few, nobody.clone()).await;
    assert_eq!(again["warnings"], Value::Null, "that is no news");
    let told = house.done("PATCH", "/lines?filter=number~50", nobody).await;
    let warnings = told["warnings"].as_array().unwrap();
    assert_eq!((warnings.len(), &warnings[20]), (21, &json!("…")), "{told}");
}
