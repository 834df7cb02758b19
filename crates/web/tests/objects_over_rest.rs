//! Objects are made, found, changed and deleted over REST.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use axum::http::StatusCode;
use common::House;
use serde_json::{Value, json};

#[tokio::test]
async fn an_object_lives_its_life() {
    let house = House::open().await;
    let made = house
        .ask("POST", "/partitions", json!({ "name": "Offices", "description": "Desks" }))
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!(made.headers["etag"], "\"1\"");
    let location = made.headers["location"].to_str().unwrap().to_owned();
    let bearer = house.bearer();
    let headers = [("authorization", &*bearer)];
    let found = house.send("GET", &location, &headers, Value::Null).await;
    assert_eq!(found.body, made.body);
    let changed = house.done("PATCH", "/partitions/offices", json!({ "description": "" })).await;
    assert_eq!((&changed["version"], &changed["description"]), (&json!(2), &json!("")));
    let again = house.ask("POST", "/partitions", json!({ "name": "OFFICES" })).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(again.body["code"], "duplicate");
    let gone = house.done("DELETE", "/partitions/Offices", Value::Null).await;
    assert_eq!(gone, json!({ "warnings": [] }));
    let told = house.ask("GET", "/partitions/Offices", Value::Null).await;
    assert_eq!(told.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn references_are_shown_as_links_and_taken_in_three_forms() {
    let house = House::open().await;
    let made = house.done("POST", "/partitions", json!({ "name": "Offices" })).await;
    let id = made["id"].clone();
    for (number, partition) in [
        ("2001", json!("Offices")),
        ("2002", id.clone()),
        ("2003", json!({ "id": id, "name": "Offices" })),
        ("2004", json!({ "name": "Offices" })),
    ] {
        let line =
            house.done("POST", "/lines", json!({ "number": number, "partition": partition })).await;
        assert_eq!(line["partition"], json!({ "id": id, "name": "Offices" }));
        // What is shown is taken back as it is.
        let path = format!("/lines/id:{}", line["id"]);
        let saved = house.done("PUT", &path, line.clone()).await;
        assert_eq!(saved["number"], line["number"]);
    }
    let shown = house.get("/lines/2001%20in%20Offices").await;
    assert_eq!(shown["number"], "2001");
    let unknown =
        house.ask("POST", "/lines", json!({ "number": "2005", "partition": "Nowhere" })).await;
    assert_eq!(unknown.body["code"], "unknown-reference");
    assert_eq!(unknown.body["field"], "partition");
    let used = house.ask("DELETE", "/partitions/Offices", Value::Null).await;
    assert_eq!(used.body["code"], "in-use");
    let dependents = house.get("/partitions/Offices/dependents").await;
    assert_eq!(dependents["items"].as_array().unwrap().len(), 4);
    assert_eq!(dependents["items"][0]["field"], "partition");
}

#[tokio::test]
async fn a_change_of_an_older_version_is_refused() {
    let house = House::open().await;
    house.done("POST", "/partitions", json!({ "name": "Offices" })).await;
    let bearer = house.bearer();
    let headers = [("authorization", &*bearer), ("if-match", "\"1\"")];
    let uri = "/api/v1/partitions/Offices";
    let first = house.send("PATCH", uri, &headers, json!({ "description": "one" })).await;
    assert_eq!((first.status, &first.headers["etag"]), (StatusCode::OK, &"\"2\"".parse().unwrap()));
    let second = house.send("PATCH", uri, &headers, json!({ "description": "two" })).await;
    assert_eq!(second.status, StatusCode::CONFLICT);
    assert_eq!(second.body["code"], "version-conflict");
    let third = house
        .ask("PATCH", "/partitions/Offices", json!({ "version": 1, "description": "three" }))
        .await;
    assert_eq!(third.body["code"], "version-conflict");
    assert_eq!(house.get("/partitions/Offices").await["description"], "one");
}

#[tokio::test]
async fn replacing_gives_what_is_left_out_its_default() {
    let house = House::open().await;
    house.done("POST", "/partitions", json!({ "name": "Offices", "description": "Desks" })).await;
    house.done("PUT", "/partitions/Offices", json!({ "name": "Rooms" })).await;
    let shown = house.get("/partitions/Rooms").await;
    assert_eq!(shown["description"], "");
    let settings = house.get("/cluster-settings").await;
    assert_eq!(settings["maximum_forwards"], 12);
    house.done("PATCH", "/cluster-settings", json!({ "maximum_forwards": 3 })).await;
    house.done("PUT", "/cluster-settings", json!({ "organization": "Example" })).await;
    let settings = house.get("/cluster-settings").await;
    assert_eq!(
        (&settings["maximum_forwards"], &settings["organization"]),
        (&json!(12), &json!("Example"))
    );
}

#[tokio::test]
async fn lists_are_paged_filtered_and_searched() {
    let house = House::open().await;
    for number in 3000..3025 {
        let description = if number % 2 == 0 { "even" } else { "odd" };
        let body = json!({ "number": number.to_string(), "description": description });
        house.done("POST", "/lines", body).await;
    }
    let (mut numbers, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/lines?limit=10{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        numbers.extend(items.iter().map(|item| item["number"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(items.len(), 10);
        cursor = format!("&cursor={next}");
    }
    let expected = (3000..3025).map(|number| number.to_string()).collect::<Vec<_>>();
    assert_eq!(numbers, expected);
    let count = async |query: &str| {
        house.get(&format!("/lines?{query}")).await["items"].as_array().unwrap().len()
    };
    assert_eq!(count("filter=description%3Deven").await, 13);
    assert_eq!(count("filter=description%3Deven&filter=number~301").await, 5);
    assert_eq!(count("search=3024").await, 1);
    assert_eq!(count("filter=description!%3Deven").await, 12);
    let page = house.get("/lines?limit=1&fields=number").await;
    let item = page["items"][0].as_object().unwrap();
    assert_eq!(item.keys().collect::<Vec<_>>(), ["id", "number"]);
    let odd = house.ask("GET", "/lines?filter=colour%3Dred", Value::Null).await;
    assert_eq!(odd.body["code"], "unknown-field");
}

/// Who asks knows a person or a number, and not what an object is called.
#[tokio::test]
async fn a_search_finds_people_and_numbers_wherever_they_stand() {
    let house = House::open().await;
    let template = json!({
        "user": { "user_id": "ht", "first_name": "花子", "last_name": "Tanaka", "mail": "h@example.com" },
        "feature_group_template": "Default", "extension": "3101",
    });
    house.done("POST", "/quick-add", template).await;
    house.done("PATCH", "/lines/3101", json!({ "alerting_name": "鈴木 Reception" })).await;
    let phone = json!({
        "name": "SEP0011223344AB", "model": "Cisco 7841", "description": "Lobby", "owner": "ht",
        "lines": [{ "line": "3101", "label": "Front" }],
    });
    house.done("POST", "/phones", phone).await;
    house.done("POST", "/end-users", json!({ "user_id": "other" })).await;
    let found = async |path: &str| -> Vec<String> {
        let page = house.get(path).await;
        let names = page["items"].as_array().unwrap().iter();
        let name = |item: &Value| {
            let name = item["name"].as_str().or_else(|| item["user_id"].as_str());
            name.unwrap_or("3101").to_owned()
        };
        names.map(name).collect()
    };
    let phone = ["SEP0011223344AB"];
    for (path, names) in [
        ("/end-users?search=tanaka", &["ht"][..]),
        ("/end-users?search=%E8%8A%B1%E5%AD%90%20TANAKA", &["ht"]),
        ("/end-users?search=3101", &["ht"]),
        ("/end-users?search=example.com", &["ht"]),
        ("/end-users?search=%E9%88%B4%E6%9C%A8", &["ht"]),
        ("/end-users?search=tanaka%20suzuki", &[]),
        ("/lines?search=%E9%88%B4%E6%9C%A8", &["3101"]),
        ("/phones?search=3101", &phone),
        ("/phones?search=tanaka%20lobby", &phone),
        ("/phones?search=front%207841", &phone),
        ("/phones?search=other", &[]),
    ] {
        assert_eq!(found(path).await, names, "{path}");
    }
    let long = format!("/phones?search={}", "a%20".repeat(17));
    let refused = house.ask("GET", &long, Value::Null).await;
    assert_eq!(refused.body["code"], "invalid-value");
    let empty = house.ask("DELETE", "/phones?search=%20", Value::Null).await;
    let remedy = empty.body["remedy"].as_str().unwrap();
    assert!(remedy.contains("--all") && remedy.contains("all=true"), "{empty:?}");
    // The number leads on to the phone that has it, and to its user.
    let told = house.get("/explain/phone/3101").await;
    let text = told["findings"][0]["message"].as_str().unwrap();
    assert_eq!(text, "3101 is a line, on SEP0011223344AB, the extension of ht.");
    assert!(told["findings"].as_array().unwrap().len() > 1, "{told}");
    let told = house.get("/explain/user/3101").await;
    assert_eq!(told["findings"][0]["message"], text);
}

#[tokio::test]
async fn the_same_request_sent_twice_is_carried_out_once() {
    let house = House::open().await;
    let bearer = house.bearer();
    let key = "0123456789abcdef0123456789abcdef";
    let headers = [("authorization", &*bearer), ("idempotency-key", key)];
    let body = json!({ "name": "Offices" });
    let first = house.send("POST", "/api/v1/partitions", &headers, body.clone()).await;
    let second = house.send("POST", "/api/v1/partitions", &headers, body).await;
    assert_eq!(first.body["id"], second.body["id"], "{second:?}");
    assert_eq!(second.status, StatusCode::CREATED);
    // A key that was used for something else says nothing of this.
    let other = house.send("POST", "/api/v1/partitions", &headers, json!({ "name": "Yard" })).await;
    assert_ne!(other.body["id"], first.body["id"], "{other:?}");
    let gone = house.send("DELETE", "/api/v1/partitions/Yard", &headers, Value::Null).await;
    assert_eq!(gone.status, StatusCode::OK);
    assert_eq!(house.get("/partitions?search=yard").await["items"], json!([]));
}

/// So it is where the body is no object of a kind.
#[tokio::test]
async fn a_task_for_somebody_else_is_another_one_whatever_its_key() {
    let house = House::open().await;
    let bearer = house.bearer();
    let headers =
        [("authorization", &*bearer), ("idempotency-key", "0123456789abcdef0123456789abcdef")];
    let template = house.get("/feature-group-templates").await["items"][0]["name"].clone();
    let add = async |user: &str, extension: &str| {
        let body = json!({
            "user": { "user_id": user }, "feature_group_template": template, "extension": extension,
        });
        let told = house.send("POST", "/api/v1/quick-add", &headers, body).await;
        assert!(told.status.is_success(), "{told:?}");
        told.body["id"].clone()
    };
    let first = add("tanaka", "2001").await;
    assert_eq!(add("tanaka", "2001").await, first);
    assert_ne!(add("suzuki", "2002").await, first);
}

/// The keys that clients make are UUIDs as a rule.
#[tokio::test]
async fn a_key_may_be_a_uuid_and_nothing_else_of_its_length() {
    let house = House::open().await;
    let bearer = house.bearer();
    let make = async |key: &str| {
        let headers = [("authorization", &*bearer), ("idempotency-key", key)];
        house.send("POST", "/api/v1/partitions", &headers, json!({ "name": "Offices" })).await
    };
    let first = make("01234567-89ab-cdef-0123-456789abcdef").await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    for same in ["0123456789abcdef0123456789abcdef", "01234567-89AB-CDEF-0123-456789ABCDEF"] {
        assert_eq!(make(same).await.body["id"], first.body["id"], "{same}");
    }
    for key in [
        "",
        "my-key",
        "+123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdeg",
        "0123456789ab-cdef-0123-4567-89abcdef",
        "{01234567-89ab-cdef-0123-456789abcdef}",
        "01234567-89ab-cdef-0123-456789abcde-",
    ] {
        let told = make(key).await;
        assert_eq!(told.body["field"], "Idempotency-Key", "{key}: {told:?}");
        assert!(told.body["remedy"].as_str().unwrap().contains("UUID"), "{told:?}");
    }
}

/// Another id would be another object.
#[tokio::test]
async fn the_id_of_an_object_can_t_be_changed() {
    let house = House::open().await;
    let made = house.done("POST", "/partitions", json!({ "name": "Offices" })).await;
    let only = house.get("/self-provisioning").await;
    for (method, path) in [
        ("PATCH", "/partitions/Offices"),
        ("PUT", "/partitions/Offices"),
        ("PATCH", "/partitions?all=true"),
        ("PATCH", "/self-provisioning"),
        ("PATCH", "/cluster-settings"),
    ] {
        for id in [json!(5), json!("5"), json!({ "id": 5 })] {
            let body = json!({ "id": id, "name": "Offices" });
            let told = house.ask(method, path, body).await;
            assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{method} {path}: {told:?}");
            assert_eq!(told.body["field"], "id", "{method} {path}: {told:?}");
            assert!(told.body["message"].as_str().unwrap().contains("can't be changed"));
        }
    }
    // What was read can be sent back.
    house.done("PUT", "/partitions/Offices", made).await;
    house.done("PUT", "/self-provisioning", only).await;
}

/// The daily question: which phone has this number?
#[tokio::test]
async fn phones_are_found_by_the_numbers_of_their_lines() {
    let house = House::open().await;
    house.done("POST", "/partitions", json!({ "name": "Internal" })).await;
    for (number, partition) in [("3101", json!("Internal")), ("3102", Value::Null)] {
        let line = json!({ "number": number, "partition": partition });
        house.done("POST", "/lines", line).await;
        let phone = json!({
            "name": format!("SEP00112233{number}"), "model": "Cisco 7841",
            "lines": [{ "line": number }],
        });
        house.done("POST", "/phones", phone).await;
    }
    let bare = json!({ "name": "SEP001122330000", "model": "Cisco 7841" });
    house.done("POST", "/phones", bare).await;
    for (filter, found) in [
        ("lines=3101", vec!["3101"]),
        ("lines=3101 in Internal", vec!["3101"]),
        ("lines~310", vec!["3101", "3102"]),
        ("lines~nobody", vec![]),
        ("lines!=3101", vec!["0000", "3102"]),
        ("lines.line=3102", vec!["3102"]),
        ("lines=", vec!["0000"]),
        ("lines!=", vec!["3101", "3102"]),
    ] {
        let filter = filter.replace('=', "%3D").replace(' ', "%20");
        let page = house.get(&format!("/phones?filter={filter}")).await;
        let names = page["items"].as_array().unwrap().iter();
        let names: Vec<_> = names.map(|one| one["name"].as_str().unwrap()).collect();
        let found: Vec<_> = found.iter().map(|end| format!("SEP00112233{end}")).collect();
        assert_eq!(names, found, "{filter}");
    }
    // What names nothing can't be compared as a whole.
    let told = house.ask("GET", "/phones?filter=speed_dials%3D3101", Value::Null).await;
    assert_eq!(told.body["field"], "speed_dials", "{told:?}");
    assert!(told.body["remedy"].as_str().unwrap().contains("speed_dials.number"), "{told:?}");
    for wrong in ["lines%3D9999", "lines!%3D9999"] {
        let told = house.ask("DELETE", &format!("/phones?filter={wrong}"), Value::Null).await;
        assert_eq!(told.body["code"], "unknown-reference", "{told:?}");
    }
}

/// Of two lines with one number the wrong one is not shown, changed or deleted in silence.
#[tokio::test]
async fn a_number_that_several_lines_have_is_refused_at_every_door() {
    let house = House::open().await;
    house.done("POST", "/partitions", json!({ "name": "Internal" })).await;
    let mut made = Vec::new();
    for partition in [json!("Internal"), Value::Null] {
        let line = json!({ "number": "3555", "partition": partition });
        made.push(house.done("POST", "/lines", line).await["id"].clone());
    }
    let body = json!({ "user_id": "ada", "last_name": "L" });
    house.done("POST", "/end-users", body).await;
    for (method, path, body) in [
        ("GET", "/lines/3555", Value::Null),
        ("PATCH", "/lines/3555", json!({ "description": "x" })),
        ("PUT", "/lines/3555", json!({ "number": "3555" })),
        ("DELETE", "/lines/3555", Value::Null),
        ("GET", "/lines/3555/dependents", Value::Null),
        ("PATCH", "/end-users/ada", json!({ "primary_extension": "3555" })),
        ("PATCH", "/end-users/ada", json!({ "primary_extension": { "name": "3555" } })),
        ("GET", "/phones?filter=lines%3D3555", Value::Null),
        ("DELETE", "/phones?filter=lines%3D3555", Value::Null),
    ] {
        let told = house.ask(method, path, body).await;
        assert_eq!(told.body["code"], "ambiguous-name", "{method} {path}: {told:?}");
        let message = told.body["message"].as_str().unwrap();
        assert!(message.contains("3555 in no partition, 3555 in Internal"), "{message}");
    }
    // An id is no number: no line is deleted because its id is what somebody typed.
    let told = house.ask("DELETE", &format!("/lines/{}", made[0]), Value::Null).await;
    assert_eq!(told.status, StatusCode::NOT_FOUND);
    let plain = house.get("/lines/3555%20in%20no%20partition").await;
    assert_eq!(plain["id"], made[1]);
    house.done("PATCH", "/end-users/ada", json!({ "primary_extension": "3555 in Internal" })).await;
    house.done("DELETE", "/lines/3555%20in%20no%20partition", Value::Null).await;
    // Where only one has it the number says enough.
    assert_eq!(house.get("/lines/3555").await["id"], made[0]);
    assert_eq!(house.get("/end-users/ada").await["primary_extension"]["name"], "3555 in Internal");
}

#[tokio::test]
async fn what_a_change_takes_is_told() {
    let house = House::open().await;
    house.done("POST", "/lines", json!({ "number": "3101" })).await;
    let phone = json!({
        "name": "SEP001122AABB01", "model": "Cisco 7841",
        "lines": [{ "line": "3101", "label": "3101" }],
    });
    house.done("POST", "/phones", phone).await;
    let told = house.done("PATCH", "/lines/3101", json!({ "number": "3111" })).await;
    assert!(told["takes"].as_str().unwrap().contains("phone restarts"), "its label: {told}");
    assert!(
        told["takes"].as_str().unwrap().ends_with("`jackfield restart SEP001122AABB01`."),
        "{told}"
    );
    let told = house.done("PATCH", "/lines/3111", json!({ "description": "x" })).await;
    assert_eq!(told["takes"], Value::Null, "no phone shows it");
    house.done("POST", "/lines", json!({ "number": "3102" })).await;
    let lines = json!({ "lines": [{ "line": "3102" }] });
    let told = house.in_japanese("PATCH", "/phones/SEP001122AABB01", lines).await;
    let takes = told.body["takes"].as_str().unwrap();
    assert!(takes.contains("再起動するには: `jackfield restart SEP001122AABB01`"), "{takes}");
    let name = json!({ "name": "SEP001122AABB02" });
    let told = house.done("PATCH", "/phones/SEP001122AABB01", name).await;
    assert_eq!(told["takes"], Value::Null, "that phone shows nothing of it");
    let warning = told["warnings"][0].as_str().unwrap();
    assert!(warning.contains("these settings wait for SEP001122AABB02"), "{told}");
    let told = house.done("PATCH", "/nodes/node1", json!({ "address": "192.0.2.9" })).await;
    assert!(told["takes"].as_str().unwrap().contains("phone restarts"), "{told}");
    let told = house.in_japanese("PATCH", "/nodes/node1", json!({ "sip_port": 5070 })).await;
    assert!(told.body["takes"].as_str().unwrap().contains("ノード"), "{told:?}");
    let told = house.done("PATCH", "/nodes/node1", json!({ "description": "x" })).await;
    assert_eq!(told["takes"], Value::Null);
}

/// Proves SP-56.c for what administrators change: when, who, before and after; and no secret.
#[tokio::test]
async fn every_change_is_in_the_audit() {
    let house = House::open().await;
    house.done("POST", "/partitions", json!({ "name": "Offices" })).await;
    house.done("PUT", "/users/admin/password", json!({ "password": "new horse battery" })).await;
    let audit = house.get("/audit?actor=admin&limit=10").await;
    let items = audit["items"].as_array().unwrap();
    let made = items.iter().find(|item| item["operation"] == "create").unwrap();
    assert_eq!(made["actor"]["user_id"], "admin");
    assert_eq!(made["actor"]["address"], "127.0.0.1");
    assert_eq!(made["after"]["name"], "Offices");
    assert!(items.iter().any(|item| item["operation"] == "set-credential"), "{audit}");
    assert!(!audit.to_string().contains("new horse") && !audit.to_string().contains("argon2"));
    // References are shown with their names, as elsewhere.
    house.done("POST", "/cti-ports", json!({ "name": "P" })).await;
    house.done("PATCH", "/cti-ports/P", json!({ "description": "x" })).await;
    let row = &house.get("/audit?limit=1").await["items"][0];
    assert_eq!(row["before"]["device_pool"]["name"], "Default");
    assert!(row["after"]["device_pool"]["id"].is_number(), "{row}");
    // Also of what is gone by now.
    house.done("POST", "/locations", json!({ "name": "Barn" })).await;
    house.done("PATCH", "/cti-ports/P", json!({ "location": "Barn" })).await;
    house.done("PATCH", "/cti-ports/P", json!({ "location": null })).await;
    house.done("DELETE", "/locations/Barn", Value::Null).await;
    let rows = house.get("/audit?limit=2").await;
    assert_eq!(rows["items"][1]["before"]["location"]["name"], "Barn", "{rows}");
    let first = house.get("/audit?limit=1").await;
    let next = first["next"].as_u64().unwrap();
    let second = house.get(&format!("/audit?limit=1&cursor={next}")).await;
    assert_ne!(first["items"][0]["sequence"], second["items"][0]["sequence"]);
    assert_eq!(house.get("/calls").await, json!({ "items": [], "next": null }));
}

/// An empty list may be one of nobody's deeds, or a slip of the pen.
#[tokio::test]
async fn an_audit_of_somebody_who_is_not_there_says_so() {
    let house = House::open().await;
    house.done("POST", "/lines", json!({ "number": "4711" })).await;
    let notes = async |query: &str| {
        let told = house.get(&format!("/audit?{query}")).await;
        told["notes"].as_array().cloned().unwrap_or_default()
    };
    let told = notes("actor=admn").await;
    assert!(told[0].as_str().unwrap().contains("Did you mean admin?"), "{told:?}");
    let told = notes("name=4712").await;
    assert!(told[0].as_str().unwrap().contains("Did you mean 4711?"), "{told:?}");
    for known in ["actor=admin&operation=none", "name=4711&operation=none", "name=4711", "limit=1"]
    {
        assert_eq!(notes(known).await, [""; 0], "{known}");
    }
}

#[tokio::test]
async fn who_mistypes_is_told_what_was_most_likely_meant() {
    let house = House::open().await;
    house.done("POST", "/lines", json!({ "number": "4711" })).await;
    for (method, path, body, code, meant) in [
        (
            "GET",
            "/phones?filter=model=Cisco%207481",
            Value::Null,
            "unknown-reference",
            "Cisco 7841",
        ),
        ("GET", "/phones?filter=modle=x", Value::Null, "unknown-field", "model"),
        ("GET", "/regions?filter=codecs=widebnad", Value::Null, "invalid-value", "wideband"),
        ("GET", "/device-pools/Defualt", Value::Null, "not-found", "Default"),
        ("GET", "/lines/4712", Value::Null, "not-found", "4711"),
        ("PUT", "/users/admn/password", json!({ "password": "x" }), "not-found", "admin"),
        ("GET", "/phoness", Value::Null, "not-found", "/api/v1/phones?"),
        ("GET", "/phone", Value::Null, "not-found", "/api/v1/phones?"),
        ("PATCH", "/Device-Pool/Default", json!({}), "not-found", "/api/v1/device-pools/Default?"),
        (
            "POST",
            "/phones/SEP001122AABBCC/asign",
            json!({}),
            "not-found",
            "/SEP001122AABBCC/assign?",
        ),
        ("GET", "/explain/phones/SEP1", Value::Null, "not-found", "/api/v1/explain/phone/SEP1?"),
        ("GET", "/self-provisoning/staus", Value::Null, "not-found", "/self-provisioning/status?"),
        ("GET", "/colours", Value::Null, "not-found", ""),
        ("GET", "/phones/SEP1/dependents/more", Value::Null, "not-found", ""),
        ("GET", "/explain", Value::Null, "not-found", ""),
        ("POST", "/services/tfpt/start", json!({}), "not-found", "tftp"),
        ("POST", "/services/tftp/strat", json!({}), "not-found", "start"),
        (
            "PATCH",
            "/phones?filter=model=Nope",
            json!({ "description": "x" }),
            "unknown-reference",
            "",
        ),
    ] {
        let told = house.ask(method, path, body).await;
        assert_eq!(told.body["code"], code, "{path}: {told:?}");
        let remedy = told.body["remedy"].as_str().unwrap();
        assert_eq!(remedy.contains("Did you mean"), !meant.is_empty(), "{path}: {remedy}");
        assert!(remedy.contains(meant), "{path}: {remedy}");
    }
    let told = house.in_japanese("GET", "/device-pools/Defualt", Value::Null).await;
    assert!(
        told.body["remedy"].as_str().unwrap().starts_with("Default ではありませんか?"),
        "{told:?}"
    );
    // A value that some object may have is found nowhere, and that is an answer.
    let told = house.get("/phones?filter=description=nothing").await;
    assert_eq!(told["items"], json!([]));
}

#[tokio::test]
async fn what_was_most_likely_not_meant_is_said_beside_the_object() {
    let house = House::open().await;
    let range = json!({ "starting_number": "9000", "ending_number": "9099" });
    house.done("PATCH", "/auto-registrations/node1", range).await;
    let line = house.done("POST", "/lines", json!({ "number": "9042" })).await;
    assert!(line["warnings"][0].as_str().unwrap().contains("9042 lies in the range"), "{line}");
    let forward = json!({ "number": "4711", "forwards": { "all": { "destination": "4799" } } });
    let line = house.done("PATCH", "/lines/9042", forward).await;
    assert!(line["warnings"][0].as_str().unwrap().contains("all leads to 4799"), "{line}");
    // It is no news that it is so.
    let user = json!({ "user_id": "ada", "last_name": "L", "primary_extension": "4711" });
    let user = house.done("POST", "/end-users", user).await;
    assert!(user["warnings"][0].as_str().unwrap().contains("all leads to 4799"), "{user}");
    let user = house.done("PATCH", "/end-users/ada", json!({ "department": "Sales" })).await;
    assert_eq!(user["warnings"], Value::Null);
    let elsewhere = json!({ "forwards": { "all": { "destination": "4798" } } });
    let line = house.done("PATCH", "/lines/4711", elsewhere).await;
    assert!(line["warnings"][0].as_str().unwrap().contains("all leads to 4798"), "{line}");
    let forward = json!({ "forwards": { "all": { "destination": "" } } });
    let line = house.done("PATCH", "/lines/4711", forward).await;
    assert_eq!(line["warnings"], Value::Null);
}

#[tokio::test]
async fn what_has_no_effect_yet_is_said_wherever_it_stands() {
    let house = House::open().await;
    house.done("POST", "/lines", json!({ "number": "4001" })).await;
    house.done("POST", "/locations", json!({ "name": "Osaka" })).await;
    let phone = "/phones/SEP001122AABBCC";
    let body =
        json!({ "name": "SEP001122AABBCC", "model": "Cisco 7841", "lines": [{ "line": "4001" }] });
    house.done("POST", "/phones", body).await;
    let keys = json!({ "name": "Keys", "softkeys": ["hold", "transfer"] });
    let buttons = json!({ "name": "Lamps", "buttons": [{ "feature": "busy-lamp-field" }] });
    let masked = json!({ "lines": [{ "line": "4001", "external_mask": "03XXXX" }] });
    let (pool, elsewhere) =
        (json!({ "name": "Pool" }), json!({ "location": "Osaka", "name": "Own" }));
    for (method, path, body, told) in [
        ("PATCH", phone, masked, "lines[0].external_mask has no effect"),
        ("PATCH", phone, json!({ "lines": [{ "line": "4001", "label": "Hall" }] }), ""),
        ("POST", "/softkey-templates", keys, "softkeys[1]: in this release phones are not offered"),
        ("PATCH", "/softkey-templates/Keys", json!({ "softkeys": ["hold", "end"] }), ""),
        ("POST", "/phone-button-templates", buttons, "buttons[0].feature: in this release"),
        ("POST", "/device-pools", pool, ""),
        ("POST", "/device-pools", elsewhere, "location has no effect"),
        ("PATCH", "/cluster-settings", json!({ "organization": "Example" }), "organization has no"),
        ("PATCH", "/cluster-settings", json!({ "no_answer_seconds": 20 }), ""),
        ("PATCH", "/phones?all=true", json!({ "location": "Osaka" }), "location has no effect"),
    ] {
        let warnings = house.done(method, path, body).await["warnings"].clone();
        match told {
            "" => assert_eq!(warnings, Value::Null, "{path}"),
            told => {
                let warning = warnings[0].as_str().unwrap_or_default();
                assert!(warning.starts_with(told), "{path}: {warnings}");
            }
        }
    }
}
