//! Metrics, health, languages, backups, and the doors over a real socket.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use axum::http::StatusCode;
use common::House;
use jackfield_model::Service;
use jackfield_model::setup::{Place, SipPorts};
use jackfield_vocabulary::{Code, Refusal, UnixTime};
use jackfield_web::RaisedAlarm;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn metrics_tell_what_is_going_on() {
    let house = House::open().await;
    house.get("/partitions").await;
    let told = house.send("GET", "/metrics", &[], Value::Null).await;
    // Signing in took some of the time, and this test no minute.
    let spent =
        told.text.lines().find_map(|line| line.strip_prefix("jackfield_http_seconds_total "));
    let spent: f64 = spent.unwrap().parse().unwrap();
    assert!(spent > 0.0 && spent < 60.0, "{spent}");
    for line in [
        "jackfield_devices_registered 3",
        "jackfield_events_total{name=\"sip.requests\"} 17",
        "jackfield_objects{kind=\"node\"} 1",
        "jackfield_http_requests_total{class=\"2xx\"}",
        "jackfield_now{name=\"timers\"} 4",
        "jackfield_service_up{service=\"call-manager\"} 0",
    ] {
        assert!(told.text.contains(line), "{line}: {}", told.text);
    }
    house
        .done("POST", "/nodes", json!({ "name": "node2", "address": "192.0.2.2", "number": 2 }))
        .await;
    let told = house.send("GET", "/metrics", &[], Value::Null).await;
    assert!(told.text.contains("jackfield_objects{kind=\"node\"} 2"), "{}", told.text);
    assert!(!told.text.contains("jackfield_numbers_left{"), "no range is open: {}", told.text);
    let range = json!({
        "disabled": false, "starting_number": "9000", "ending_number": "9009",
    });
    house.done("PATCH", "/auto-registrations/node1", range).await;
    house.done("POST", "/lines", json!({ "number": "9003" })).await;
    *house.node.running.lock().unwrap() = vec![Service::CallManager];
    let told = house.send("GET", "/metrics", &[], Value::Null).await;
    for line in [
        "# TYPE jackfield_now gauge",
        "jackfield_numbers{node=\"node1\"} 10",
        "jackfield_numbers_left{node=\"node1\"} 9",
        "jackfield_service_up{service=\"call-manager\"} 1",
    ] {
        assert!(told.text.contains(line), "{line}: {}", told.text);
    }
    let live = house.send("GET", "/health/live", &[], Value::Null).await;
    let ready = house.send("GET", "/health/ready", &[], Value::Null).await;
    assert_eq!((live.status, ready.status), (StatusCode::OK, StatusCode::OK));
    let status = house.get("/status").await;
    assert_eq!((&status["registered"], &status["node"]), (&json!(3), &json!("node1")));
}

/// As those that were assigned in the evening and did not come.
#[tokio::test]
async fn the_status_counts_phones_that_are_not_there() {
    let house = House::open().await;
    let status = house.get("/status").await;
    let before = status["phones_not_registered"].as_u64().unwrap();
    let phone = json!({ "name": "SEP0011223344AB", "model": "Cisco 7841" });
    house.done("POST", "/phones", phone).await;
    assert_eq!(house.get("/status").await["phones_not_registered"], before + 1);
}

/// Phones would be told of a node that can't be.
#[tokio::test]
async fn another_node_on_the_built_in_database_is_warned_of() {
    let house = House::open().await;
    let told = |answer: &Value| answer["warnings"].to_string();
    let node = json!({ "name": "node2", "address": "192.0.2.2", "number": 2 });
    let added = house.done("POST", "/nodes", node).await;
    assert!(told(&added).contains("The built-in database has one node, node1"), "{added}");
    let group = "/call-manager-groups/Default";
    let both = house.done("PATCH", group, json!({ "nodes": ["node2", "node1"] })).await;
    assert!(told(&both).contains("phones that are told of node2 find nothing"), "{both}");
    let one = house.done("PATCH", group, json!({ "nodes": ["node1"] })).await;
    assert!(!told(&one).contains("built-in"), "{one}");
    let own = house.done("PATCH", "/nodes/node1", json!({ "description": "x" })).await;
    assert!(!told(&own).contains("built-in"), "{own}");
}

/// Which, when, about what, and what to do.
#[tokio::test]
async fn alarms_are_listed_with_what_to_do() {
    let house = House::open().await;
    assert_eq!(house.get("/alarms").await["items"], json!([]));
    let alarm = |name, values| RaisedAlarm { at: UnixTime(7), name, values };
    let device = ("device", "SEP001122AABB01".to_owned());
    *house.node.alarms.lock().unwrap() = vec![
        alarm("emergency-call-goes-nowhere", vec![("number", "119".to_owned()), device]),
        alarm("auto-registration-range-exhausted", vec![("node", "node1".to_owned())]),
    ];
    let items = house.get("/alarms").await["items"].clone();
    assert_eq!((&items[0]["at"], &items[0]["values"]["number"]), (&json!(7), &json!("119")));
    let message = items[0]["message"].as_str().unwrap();
    assert_eq!(message, "An emergency call to 119 from SEP001122AABB01 went nowhere.");
    let remedy = items[1]["remedy"].as_str().unwrap();
    assert!(remedy.contains("jackfield set auto-registration node1 --ending-number"), "{remedy}");
    let told = house.in_japanese("GET", "/alarms", Value::Null).await;
    assert!(told.body["items"][1]["message"].as_str().unwrap().contains("番号"), "{told:?}");
}

#[tokio::test]
async fn languages_and_schemas_are_listed() {
    let house = House::open().await;
    let told = house.done("POST", "/languages/rescan", json!({})).await;
    assert_eq!(told["items"][0]["locale"], "ja-JP");
    assert_eq!(told["problems"], json!(["fr-FR has no recording"]));
    let kinds = house.get("/schemas").await;
    assert_eq!(kinds["items"].as_array().unwrap().len(), jackfield_model::Kind::ALL.len());
    assert!(house.get("/schemas/phone").await["properties"]["lines"].is_object());
    let odd = house.ask("GET", "/schemas/teapot", Value::Null).await;
    assert_eq!(odd.body["code"], "unknown-kind");
}

#[tokio::test]
async fn a_backup_is_written_where_the_node_says() {
    let house = House::open().await;
    let told = house.done("POST", "/backup", json!({ "passphrase": "a long phrase" })).await;
    let file = std::path::Path::new(told["file"].as_str().unwrap());
    assert!(file.starts_with(house.folder().join("backups")) && file.exists(), "{told}");
    assert_eq!(told["protected"], true);
    assert!(told["rows"].as_u64().unwrap() > 10);
    for short in ["", "x", "1234567"] {
        let refused = house.ask("POST", "/backup", json!({ "passphrase": short })).await;
        assert_eq!(refused.body["code"], "credential-too-weak", "{short}");
        assert!(refused.body["message"].as_str().unwrap().contains("passphrase is too short"));
    }
}

#[tokio::test]
async fn one_connection_carries_many_requests_and_ends_when_the_doors_close() {
    let house = House::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let connections = jackfield_web::Connections::new(64);
    let router = house.router.clone();
    let serving = tokio::spawn(jackfield_web::serve(listener, router, connections, stopped));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    for _ in 0..3 {
        let request = b"GET /XMLDefault.cnf.xml HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut buffer = vec![0; 65_536];
        let length = stream.read(&mut buffer).await.unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    }
    stop.send(true).unwrap();
    serving.await.unwrap().unwrap();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0, "closed");
}

#[tokio::test]
async fn what_only_other_nodes_know_is_not_passed_over() {
    let alone = House::open().await;
    assert_eq!(alone.get("/status").await["notes"], json!([]));
    let second = House::open_at("node2").await;
    let notes = second.get("/status").await["notes"].clone();
    let note = notes[0].as_str().unwrap();
    assert!(
        note.starts_with("This is told by node node2") && note.contains("Whether node1"),
        "{note}"
    );
}

/// A node that was killed says nothing of itself: the others do.
#[tokio::test]
async fn a_node_of_which_nothing_is_heard_is_told() {
    let house = House::open_at("node2").await;
    *house.node.elsewhere.lock().unwrap() = vec![("node1".into(), Service::CtiManager)];
    let told = house.get("/status").await["warnings"].to_string();
    assert!(told.contains("Nothing is heard of node node1"), "{told}");
    *house.node.elsewhere.lock().unwrap() = vec![("node1".into(), Service::CallManager)];
    let told = house.get("/status").await["warnings"].to_string();
    assert!(!told.contains("Nothing is heard"), "{told}");
}

/// Whichever way somebody asks how it goes.
#[tokio::test]
async fn a_host_name_that_leads_nowhere_is_told() {
    let house = House::open().await;
    house.done("PATCH", "/nodes/node1", json!({ "address": "pbx.example.com" })).await;
    house
        .done("POST", "/phones", json!({ "name": "SEP001122AABBCC", "model": "Cisco 7841" }))
        .await;
    let at = |unknown| Place {
        node: "node1".into(),
        address: "192.0.2.1".parse().unwrap(),
        sip: "0.0.0.0:5060".parse().unwrap(),
        own: true,
        unknown,
        others: SipPorts::new(),
    };
    for unknown in [true, false] {
        *house.node.place.lock().unwrap() = Some(at(unknown));
        for path in ["/status", "/setup", "/explain/phone/SEP001122AABBCC"] {
            let told = house.get(path).await.to_string();
            assert_eq!(told.contains("pbx.example.com, under which node node1"), unknown, "{path}");
        }
    }
    assert_eq!(house.get("/status").await["place"]["address"], "192.0.2.1");
}

/// What changes no object is found later, too: who ordered what, about what, from where, and what
/// came of it.
#[tokio::test]
async fn what_people_order_is_in_the_audit() {
    let house = House::open().await;
    let phone = json!({ "name": "SEP001122AABBCC", "model": "Cisco 7841" });
    house.done("POST", "/phones", phone).await;
    let last = async || house.get("/audit?actor=admin&limit=1").await["items"][0].clone();
    for (path, body, operation, about, detail) in [
        ("/services/tftp/stop", json!({}), "service", "node1", json!({ "action": "stop" })),
        ("/services/tftp/start", json!({}), "service", "node1", json!({ "service": "tftp" })),
        ("/services/tftp/restart", json!({}), "service", "node1", json!({ "action": "restart" })),
        (
            "/services/self-provisioning-ivr/activate",
            json!({}),
            "service",
            "node1",
            json!({ "action": "start" }),
        ),
        (
            "/phones/SEP001122AABBCC/restart",
            json!({ "restart": "reset" }),
            "restart",
            "SEP001122AABBCC",
            json!({ "restart": "reset" }),
        ),
        (
            "/phones/SEP001122AABBCC/text",
            json!({ "text": "Fire drill" }),
            "text",
            "SEP001122AABBCC",
            json!({ "text": "Fire drill" }),
        ),
        ("/languages/rescan", json!({}), "rescan", "", json!({ "node": "node1" })),
        ("/backup", json!({}), "backup", "", json!({ "protected": false })),
    ] {
        house.done("POST", path, body).await;
        let row = last().await;
        assert_eq!(
            (&row["operation"], &row["name"].as_str().unwrap_or_default()),
            (&json!(operation), &about),
            "{path}: {row}"
        );
        assert_eq!(row["actor"]["address"], "127.0.0.1", "{row}");
        for (name, value) in detail.as_object().unwrap() {
            assert_eq!(&row["detail"][name], value, "{path}: {row}");
        }
    }
    *house.node.refuses.lock().unwrap() = Some(Refusal::new(Code::Overloaded));
    house.ask("POST", "/phones/SEP001122AABBCC/restart", json!({})).await;
    house.ask("POST", "/services/tftp/stop", json!({})).await;
    let failed = house.get("/audit?actor=admin&failed=true").await;
    let failed = failed["items"].as_array().unwrap();
    let of: Vec<_> = failed.iter().map(|row| row["operation"].as_str().unwrap()).collect();
    assert_eq!(of, ["service", "restart"], "{failed:?}");
    assert_eq!(failed[0]["detail"]["refused"]["code"], "overloaded");
}
