//! What phones fetch and show, and what administrators do with them.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::time::Duration;

use axum::http::StatusCode;
use common::{House, execute};
use jackfield_model::{AuthenticationMode, Operation};
use jackfield_store::Looked;
use jackfield_vocabulary::{Code, DeviceRestart, Mac, Now, ObjectId, Outdated, Refusal, UnixTime};
use jackfield_web::{DeviceState, LastRefusal, Order, Whereabouts};
use serde_json::{Value, json};

const PHONE: &str = "SEP001122AABBCC";
const FILE: &str = "/SEP001122AABBCC.cnf.xml";
const HOME: &str = "192.0.2.50";

/// A newcomer that registered from `HOME`, and a user who may have it.
async fn newcomer(house: &House) -> ObjectId {
    let registration = json!({
        "disabled": false, "starting_number": "7000", "ending_number": "7099",
    });
    house.done("PATCH", "/auto-registrations/node1", registration).await;
    let model = house.id("phone-model", "Cisco 7841");
    let mac: Mac = "001122AABBCC".parse().unwrap();
    execute(&house.store.handle(), Operation::AutoRegister { node: "node1".into(), mac, model });
    let device = house.directory().device(PHONE).unwrap();
    house.registered(device, HOME.parse().unwrap());
    let template = house.get("/feature-group-templates").await["items"][0]["name"].clone();
    let user = json!({
        "user": { "user_id": "tanaka" }, "feature_group_template": template, "extension": "2001",
    });
    house.done("POST", "/quick-add", user).await;
    let profiles = house.get("/user-profiles?filter=system_default%3Dtrue").await;
    let profile = format!("/user-profiles/id:{}", profiles["items"][0]["id"]);
    house.done("PATCH", &profile, json!({ "allow_self_provisioning": true })).await;
    device
}

#[tokio::test]
async fn a_phone_fetches_its_file_with_secrets_from_its_own_address_only() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let password = house.directory().secrets().sip_password(device);
    let home = house.send_from(HOME, "GET", FILE, &[], Value::Null).await;
    assert_eq!(home.status, StatusCode::OK);
    assert_eq!(home.headers["content-type"], "text/xml; charset=utf-8");
    assert!(home.text.contains(password.reveal()));
    let etag = home.headers["etag"].to_str().unwrap().to_owned();
    let headers = [("if-none-match", &*etag)];
    let again = house.send_from(HOME, "GET", FILE, &headers, Value::Null).await;
    assert_eq!((again.status, &*again.text), (StatusCode::NOT_MODIFIED, ""));
    let stranger = house.send_from("192.0.2.51", "GET", FILE, &[], Value::Null).await;
    assert!(stranger.text.contains("7000") && !stranger.text.contains(password.reveal()));
    let direct = house.files.fetch("SEP001122AABBCC.cnf.xml", HOME.parse().unwrap()).unwrap();
    assert_eq!(direct.body, home.text.as_bytes());
}

#[tokio::test]
async fn other_files_are_missing_and_tricks_refused() {
    let house = House::open().await;
    for (path, status) in [
        ("/CTLSEP001122AABBCC.tlv", StatusCode::NOT_FOUND),
        ("/SEP001122AABBCD.cnf.xml", StatusCode::NOT_FOUND),
        ("/XMLDefault.cnf.xml", StatusCode::OK),
        ("/7832-3PCC.xml", StatusCode::OK),
        ("/../../etc/passwd", StatusCode::BAD_REQUEST),
        ("/%2e%2e/SEP001122AABBCC.cnf.xml", StatusCode::BAD_REQUEST),
    ] {
        let told = house.send("GET", path, &[], Value::Null).await;
        assert_eq!(told.status, status, "{path}");
    }
    let told = house.send("PUT", FILE, &[], json!({})).await;
    assert_eq!(told.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// Whether the phone's file has its present password in it for this address.
async fn has_password(house: &House, address: &str) -> bool {
    let device = house.directory().device(PHONE).unwrap();
    let password = house.directory().secrets().sip_password(device);
    let told = house.send_from(address, "GET", FILE, &[], Value::Null).await;
    assert_eq!(told.status, StatusCode::OK, "{told:?}");
    told.text.contains(password.reveal())
}

#[tokio::test]
async fn a_window_is_for_the_address_or_network_that_is_named() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let window = format!("/phones/{PHONE}/window");
    assert!(!has_password(&house, "192.0.2.99").await);
    for (named, moved, stranger) in [
        ("192.0.2.99", "192.0.2.99", "192.0.2.66"),
        ("198.51.100.0/28", "198.51.100.7", "198.51.100.16"),
    ] {
        let told = house.done("POST", &window, json!({ "minutes": 5, "address": named })).await;
        assert_eq!(told["addresses"], json!([named]));
        assert!(has_password(&house, moved).await, "{named}");
        assert!(!has_password(&house, stranger).await, "{named}");
    }
    let state = house.get(&format!("/devices/{PHONE}")).await;
    assert_eq!(state["window"]["addresses"], json!(["198.51.100.0/28"]), "{state}");
    assert_eq!(state["window"]["until"], 300_001, "five minutes on: {state}");
    let audit = house.get("/audit?operation=window").await;
    assert_eq!(audit["items"][0]["detail"]["addresses"], json!(["198.51.100.0/28"]), "{audit}");
    let later = Now::default() + Duration::from_secs(301);
    let moved = "198.51.100.7".parse().unwrap();
    assert!(!house.access.lock().unwrap().trusts(&house.directory(), device, moved, later));
}

#[tokio::test]
async fn a_window_for_a_wide_network_is_warned_of_and_one_for_everybody_refused() {
    let house = House::open().await;
    newcomer(&house).await;
    let window = format!("/phones/{PHONE}/window");
    for (network, wide) in [
        ("10.1.0.0/16", false),
        ("10.0.0.0/15", true),
        ("2001:db8:1::/48", false),
        ("2001:db8::/32", true),
    ] {
        let told = house.done("POST", &window, json!({ "address": network })).await;
        assert_eq!(told["warnings"].to_string().contains(network), wide, "{told}");
    }
    for network in ["0.0.0.0/0", "::/0", "192.0.2.7/0"] {
        let told = house.ask("POST", &window, json!({ "address": network })).await;
        assert_eq!(told.body["code"], "invalid-value", "{told:?}");
        assert!(told.body.to_string().contains("is everybody"), "{told:?}");
        let always = json!({ "provisioning_networks": [network] });
        let told = house.ask("PATCH", "/cluster-settings", always).await;
        assert_eq!(told.body["field"], "provisioning_networks[0]", "{told:?}");
    }
}

/// Whoever opened one for the wrong address need not wait until it closes.
#[tokio::test]
async fn windows_that_are_open_are_seen_and_can_be_closed() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let window = format!("/phones/{PHONE}/window");
    assert_eq!(house.get("/windows").await, json!({ "items": [], "total": 0 }));
    let told = house.ask("DELETE", &window, Value::Null).await;
    assert_eq!(told.status, StatusCode::NOT_FOUND, "{told:?}");
    house.done("POST", &window, json!({ "minutes": 5, "address": "192.0.2.66" })).await;
    house
        .done("POST", "/phones", json!({ "name": "SEP0011AABBCC77", "model": "Cisco 7841" }))
        .await;
    let sooner = json!({ "minutes": 2, "address": "198.51.100.0/28" });
    house.done("POST", "/phones/SEP0011AABBCC77/window", sooner).await;
    let open = house.get("/windows").await;
    let row = |at: usize| (open["items"][at]["phone"]["name"].clone(), &open["items"][at]["until"]);
    assert_eq!(row(0), (json!("SEP0011AABBCC77"), &json!(120_001)), "{open}");
    assert_eq!(row(1), (json!(PHONE), &json!(300_001)), "{open}");
    assert_eq!(open["items"][1]["addresses"], json!(["192.0.2.66"]));
    let first = house.get("/windows?limit=1").await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["total"]), (1, &json!(2)));
    assert!(has_password(&house, "192.0.2.66").await);
    // Other nodes hear of both.
    let heard = || {
        let rows = house.store.handle().windows_since(Looked::default()).unwrap();
        let of = rows.iter().find(|(at, _)| at.device == device).unwrap().1.clone();
        (rows.len(), of.map(|window| (window.networks[0].to_string(), window.left.as_secs() > 290)))
    };
    assert_eq!(heard(), (2, Some(("192.0.2.66".into(), true))));
    let closed = house.ask("DELETE", &window, Value::Null).await;
    assert_eq!(closed.status, StatusCode::NO_CONTENT, "{closed:?}");
    assert!(!has_password(&house, "192.0.2.66").await);
    assert_eq!(house.get("/windows").await["total"], 1);
    assert_eq!(heard(), (2, None));
    let audit = house.get("/audit?operation=window").await;
    assert_eq!(audit["items"][0]["detail"]["closed"], json!(["192.0.2.66"]), "{audit}");
    assert_eq!(audit["items"][0]["object"], device.0);
}

#[tokio::test]
async fn a_window_of_which_nobody_knows_for_whom_is_refused() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    house.access.lock().unwrap().forget(device);
    let window = format!("/phones/{PHONE}/window");
    let told = house.ask("POST", &window, json!({})).await;
    assert_eq!(
        (&told.body["code"], &told.body["field"]),
        (&json!("missing-field"), &json!("address"))
    );
    assert!(
        told.text.contains("neither registered") && told.text.contains("--address"),
        "{told:?}"
    );
    for address in [json!("anybody"), json!(7), json!("10.0.0.0/33"), json!("")] {
        let told = house.ask("POST", &window, json!({ "address": address })).await;
        assert_eq!(told.body["code"], "invalid-value", "{told:?}");
        assert_eq!(told.body["field"], "address", "{told:?}");
    }
    let listed = json!({ "allowed_networks": ["198.51.100.0/24"] });
    house.done("PATCH", "/auto-registrations/node1", listed).await;
    let told = house.done("POST", &window, json!({})).await;
    assert_eq!(told["addresses"], json!(["198.51.100.0/24"]));
}

/// A phone that moved comes without its secret: `explain` names the command with the address. Unless it
/// is named, nothing is opened there: anybody may have tried.
#[tokio::test]
async fn a_phone_that_was_refused_is_let_in_from_where_it_tried() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    house.access.lock().unwrap().forget(device);
    let last = |address: &str| {
        Some(LastRefusal {
            at: UnixTime(0),
            address: address.into(),
            user: "2001".into(),
            refusal: Refusal::new(Code::SecretNotShown),
            others: Vec::new(),
        })
    };
    for (tried, address) in
        [("[::ffff:192.0.2.77]:5060", "192.0.2.77"), ("[2001:db8::7]:49152", "2001:db8::7")]
    {
        *house.node.refused.lock().unwrap() = last(tried);
        let why = house.get(&format!("/explain/phone/{PHONE}")).await["findings"].to_string();
        assert!(why.contains(&format!("jackfield window {PHONE} --address {address}`")), "{why}");
        let window = format!("/phones/{PHONE}/window");
        let told = house.ask("POST", &window, json!({})).await;
        assert_eq!(told.body["field"], "address", "{told:?}");
        assert!(!has_password(&house, address).await);
        house.done("POST", &window, json!({ "address": address })).await;
        assert!(has_password(&house, address).await);
        let why = house.get(&format!("/explain/phone/{PHONE}")).await["findings"].to_string();
        assert!(why.contains("fetch its file") && !why.contains("jackfield window"), "{why}");
    }
    house.registered(device, HOME.parse().unwrap());
    let told = house.done("POST", &format!("/phones/{PHONE}/window"), json!({})).await;
    assert_eq!(told["addresses"], json!([HOME]), "where it was last says more than a try");
}

/// A phone that is entered before it is plugged in has nowhere to get its password: that is told.
#[tokio::test]
async fn who_adds_a_phone_is_told_how_it_gets_its_password() {
    let house = House::open().await;
    let add = |name: &str, model: &str| {
        let body = json!({ "name": name, "model": model });
        let house = &house;
        async move { house.done("POST", "/phones", body).await["warnings"].to_string() }
    };
    let told = add("SEP0011AABBCC77", "Cisco 7841").await;
    assert!(told.contains("jackfield window SEP0011AABBCC77 --address"), "{told}");
    assert_eq!(add("CSFTANAKA", "Generic soft client").await, "null", "it reads no file");
    let networks = json!({ "provisioning_networks": ["10.0.0.0/8"] });
    house.done("PATCH", "/cluster-settings", networks).await;
    assert_eq!(add("SEP0011AABBCC78", "Cisco 7841").await, "null");
}

/// By whatever way a phone gets another owner or secret, strangers learn no password by it.
#[tokio::test]
async fn whatever_is_done_with_a_phone_a_stranger_gets_no_password() {
    let house = House::open().await;
    newcomer(&house).await;
    let path = format!("/phones/{PHONE}");
    for (action, body) in [
        ("assign", json!({ "user": "tanaka" })),
        ("unassign", json!({})),
        ("assign", json!({ "user": "tanaka" })),
    ] {
        house.done("POST", &format!("{path}/{action}"), body).await;
        assert!(has_password(&house, HOME).await, "{action}: where it was last");
        // Neighbours and private addresses are strangers too.
        for stranger in ["192.0.2.51", "127.0.0.66", "10.0.0.1", "203.0.113.1"] {
            assert!(!has_password(&house, stranger).await, "{action}: {stranger}");
        }
    }
}

/// Whoever was the last one to register need not have been the phone: an administrator says where it is.
#[tokio::test]
async fn a_secret_that_an_administrator_replaces_goes_to_no_address_that_is_not_named() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let path = format!("/phones/{PHONE}");
    house.done("POST", &format!("{path}/window"), json!({})).await;
    assert!(has_password(&house, HOME).await);
    house.done("POST", &format!("{path}/secret"), json!({})).await;
    assert!(!has_password(&house, HOME).await, "not even through the window of before");
    let told = house.ask("POST", &format!("{path}/window"), json!({})).await;
    assert_eq!(told.body["field"], "address", "{told:?}");
    let told = house.done("POST", &format!("{path}/assign"), json!({ "user": "tanaka" })).await;
    assert_eq!(told["file_addresses"], json!([]));
    assert!(!has_password(&house, HOME).await);
    house.done("POST", &format!("{path}/window"), json!({ "address": "192.0.2.77" })).await;
    assert!(has_password(&house, "192.0.2.77").await && !has_password(&house, HOME).await);
    house.registered(device, "192.0.2.77".parse().unwrap());
    assert!(has_password(&house, "192.0.2.77").await, "it has shown the new one there");
}

/// Nobody's phone is taken from nobody.
#[tokio::test]
async fn a_phone_that_waits_for_an_owner_is_left_alone_by_who_unassigns_it() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let password = || house.directory().secrets().sip_password(device).reveal().to_owned();
    let before = password();
    let told = house.done("POST", &format!("/phones/{PHONE}/unassign"), json!({})).await;
    assert_eq!((&told["waits_already"], &told["extension"]), (&json!(true), &json!("7000")));
    assert_eq!(password(), before);
    assert!(!house.node.ordered(|order| matches!(order, Order::Restart { .. })));
}

/// A phone that nobody has seen yet fetches from networks that somebody listed, else from nowhere.
#[tokio::test]
async fn a_phone_that_was_never_seen_gets_its_password_in_listed_networks_only() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    house.access.lock().unwrap().forget(device);
    let assign = format!("/phones/{PHONE}/assign");
    let told = house.done("POST", &assign, json!({ "user": "tanaka" })).await;
    assert_eq!(told["file_addresses"], json!([]));
    assert!(!has_password(&house, "10.9.0.7").await && !has_password(&house, "127.0.0.1").await);
    let listed = json!({ "allowed_networks": ["10.9.0.0/16"] });
    house.done("PATCH", "/auto-registrations/node1", listed).await;
    let told = house.done("POST", &format!("/phones/{PHONE}/unassign"), json!({})).await;
    assert_eq!(told["file_addresses"], json!(["10.9.0.0/16"]));
    assert!(has_password(&house, "10.9.0.7").await && !has_password(&house, "10.10.0.1").await);
    house.registered(device, "10.9.0.8".parse().unwrap());
    assert!(!has_password(&house, "10.9.0.7").await, "it has fetched its file");
}

/// Proves SP-06.b: user ID and password on the phone's own screen make it one's own.
#[tokio::test]
async fn a_phone_is_provisioned_on_its_own_screen() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let page = format!("/phone/self-provisioning?device={PHONE}&lang=en-US");
    let form = house.send_from(HOME, "GET", &page, &[], Value::Null).await;
    assert_eq!(form.headers["content-type"], "text/xml; charset=utf-8");
    assert!(form.text.contains("<CiscoIPPhoneInput>"), "{}", form.text);
    assert!(form.text.contains("<InputFlags>AP</InputFlags>"), "the password is hidden");
    let url = form.text.split("<URL>").nth(1).unwrap().split("</URL>").next().unwrap();
    let submit = url.replace("&amp;", "&").replace("http://192.0.2.1:8080", "");
    let done = format!("{submit}&user=tanaka&password=right");
    let told = house.send_from(HOME, "GET", &done, &[], Value::Null).await;
    assert!(told.text.contains("<CiscoIPPhoneText>") && told.text.contains("2001"), "{told:?}");
    assert_eq!(told.headers["cache-control"], "no-store");
    assert!(house.node.ordered(|order| matches!(
        order,
        Order::Provision { device: of, identity, .. } if *of == device && **identity == *"tanaka"
    )));
    let wrong = format!("{submit}&user=tanaka&password=guess");
    let told = house.send_from(HOME, "GET", &wrong, &[], Value::Null).await;
    let again =
        told.text.split("<URL>").nth(1).expect("a way back").split("</URL>").next().unwrap();
    let back = again.split("192.0.2.1").nth(1).unwrap().split_once('/').unwrap().1;
    let back = format!("/{}", back.replace("&amp;", "&"));
    let form_again = house.send_from(HOME, "GET", &back, &[], Value::Null).await;
    assert!(form_again.text.contains("<CiscoIPPhoneInput>"), "{}", form_again.text);
    assert!(told.text.contains("<CiscoIPPhoneText>") && !told.text.contains("guess"), "{told:?}");
    let ja = page.replace("en-US", "ja-JP");
    let form = house.send_from(HOME, "GET", &ja, &[], Value::Null).await;
    assert!(form.text.contains("パスワード"), "{}", form.text);
}

/// The form asks for what the running service wants, and not for what is saved for its next start.
#[tokio::test]
async fn the_form_asks_for_a_password_as_the_running_service_does() {
    let house = House::open().await;
    newcomer(&house).await;
    let body = json!({ "settings": { "mode": "none" } });
    house.done("PUT", "/self-provisioning/settings", body).await;
    let page = format!("/phone/self-provisioning?device={PHONE}");
    let form = async || house.send_from(HOME, "GET", &page, &[], Value::Null).await.text;
    let asked = form().await;
    assert!(asked.contains("User ID") && asked.contains("Password"), "{asked}");
    *house.node.mode.lock().unwrap() = AuthenticationMode::None;
    let asked = form().await;
    assert!(asked.contains("User ID") && !asked.contains("Password"), "{asked}");
}

/// Proves SP-32.c on the screen: the quoted sentence where there is no template.
#[tokio::test]
async fn without_a_template_the_phone_says_the_quoted_sentence() {
    let house = House::open().await;
    newcomer(&house).await;
    *house.node.refuses.lock().unwrap() = Some(Refusal::new(Code::NoDeviceTemplate));
    let page = format!("/phone/self-provisioning/submit?device={PHONE}&user=tanaka&password=x");
    let told = house.send_from(HOME, "GET", &page, &[], Value::Null).await;
    let sentence = "This device could not be associated to your account. Please contact the \
         System administrator to complete provisioning.";
    assert!(told.text.contains(sentence), "{}", told.text);
}

/// Who stands before a phone knows no fields and no administrator's networks.
#[tokio::test]
async fn the_screen_asks_for_what_is_missing_in_the_words_of_its_form() {
    let house = House::open().await;
    newcomer(&house).await;
    let submit = async |query: &str| {
        let page = format!("/phone/self-provisioning/submit?{query}");
        house.send_from(HOME, "GET", &page, &[], Value::Null).await.text
    };
    let empty = submit(&format!("device={PHONE}&user=%20&password=")).await;
    assert!(empty.contains("<Text>Enter your user ID.</Text>"), "{empty}");
    let japanese = submit(&format!("device={PHONE}&lang=ja-JP")).await;
    assert!(japanese.contains("<Text>ユーザIDを入力してください。</Text>"), "{japanese}");
    let missing = Refusal::new(Code::MissingField).field("credential");
    *house.node.refuses.lock().unwrap() = Some(missing);
    let half = submit(&format!("device={PHONE}&user=tanaka")).await;
    assert!(half.contains("<Text>Enter your password.</Text>"), "{half}");
    for query in ["", "device=", "device=SEP000000000000"] {
        let told = submit(query).await;
        assert!(told.contains("is for a registered phone itself") && !told.contains("network"));
    }
}

#[tokio::test]
async fn nobody_provisions_a_phone_from_elsewhere() {
    let house = House::open().await;
    newcomer(&house).await;
    for device in [PHONE, "SEP000000000000", "%3Cx%3E"] {
        let page =
            format!("/phone/self-provisioning/submit?device={device}&user=tanaka&password=right");
        let told = house.send_from("192.0.2.66", "GET", &page, &[], Value::Null).await;
        assert!(told.text.contains("<CiscoIPPhoneText>"), "{told:?}");
    }
    assert!(!house.node.ordered(|order| matches!(order, Order::Provision { .. })));
}

/// Proves SP-44.e for administrators: the phone is told to fetch its new configuration.
#[tokio::test]
async fn an_administrator_assigns_and_unassigns_a_phone() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let body = json!({ "user": "tanaka" });
    let told = house.done("POST", &format!("/phones/{PHONE}/assign"), body).await;
    assert_eq!((&told["extension"], &told["restart"]), (&json!("2001"), &json!("sent")));
    let restart = Order::Restart { device, restart: DeviceRestart::Restart };
    assert!(house.node.ordered(|order| *order == restart));
    let phone = house.get(&format!("/phones/{PHONE}")).await;
    assert_eq!(phone["owner"]["name"], "tanaka");
    let found = house.get("/phones?filter=owner%3Dtanaka").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let why = house.get(&format!("/explain/phone/{PHONE}")).await;
    assert!(why["findings"].as_array().unwrap().len() > 1, "{why}");
    let why = house.get("/explain/user/tanaka").await;
    assert!(why["findings"].to_string().contains("extension 2001"), "{why}");
    *house.node.refuses.lock().unwrap() = Some(Refusal::new(Code::NotRegistered));
    let told = house.done("POST", &format!("/phones/{PHONE}/unassign"), json!({})).await;
    assert_eq!(told["restart"]["code"], "not-registered", "unassigned all the same: {told}");
    assert_eq!(house.get(&format!("/phones/{PHONE}")).await["auto_registered"], true);
}

/// The range of new phones is used up, and then it is not: that the phone has no number is told.
#[tokio::test]
async fn an_unassigned_phone_without_a_number_gets_one_later() {
    let house = House::open().await;
    newcomer(&house).await;
    let unassign = format!("/phones/{PHONE}/unassign");
    let body = json!({ "user": "tanaka" });
    house.done("POST", &format!("/phones/{PHONE}/assign"), body).await;
    house.done("PATCH", "/auto-registrations/node1", json!({ "disabled": true })).await;
    for _ in 0..2 {
        let told = house.done("POST", &unassign, json!({})).await;
        assert_eq!(told["extension"], Value::Null);
        assert!(told["warnings"].to_string().contains("has no number"), "{told}");
    }
    house.done("PATCH", "/auto-registrations/node1", json!({ "disabled": false })).await;
    let told = house.done("POST", &unassign, json!({})).await;
    assert_eq!((&told["extension"], &told["warnings"]), (&json!("7000"), &Value::Null));
    assert_eq!(house.done("POST", &unassign, json!({})).await["waits_already"], true);
}

/// Proves SP-43.b for administrators: where a phone may come from is told before it is there.
#[tokio::test]
async fn why_a_phone_that_was_plugged_in_is_not_there_is_explained() {
    let house = House::open().await;
    let why = || house.get("/explain/phone/SEP00AABBCCDD01");
    let text = why().await["findings"].to_string();
    assert!(text.contains("Auto-registration is off"), "{text}");
    let node = house.get("/nodes").await["items"][0]["name"].as_str().unwrap().to_owned();
    let path = format!("/auto-registrations/{node}");
    let open = json!({ "disabled": false, "starting_number": "9000", "ending_number": "9009" });
    house.done("PATCH", &path, open).await;
    let text = why().await["findings"].to_string();
    assert!(text.contains("private networks"), "{text}");
    house.done("PATCH", &path, json!({ "allowed_networks": ["10.9.0.0/16"] })).await;
    let text = why().await["findings"].to_string();
    assert!(text.contains("10.9.0.0/16") && text.contains("--allowed-networks"), "{text}");
    let told = house.send("GET", "/explain/phone/Lobby", &[], Value::Null).await;
    assert_eq!(told.status, 404, "{told:?}");
}

/// A phone that is in no configuration is asked for by its name, or by where it is.
#[tokio::test]
async fn what_became_of_the_last_try_of_a_phone_is_told() {
    let house = House::open().await;
    *house.node.turned_away.lock().unwrap() = vec![LastRefusal {
        at: UnixTime(0),
        address: "10.0.0.7:5060".into(),
        user: "250".into(),
        refusal: Refusal::new(Code::RangeExhausted).value("name", "node1"),
        others: Vec::new(),
    }];
    for name in ["SEP00AABBCCDD01", "10.0.0.7"] {
        let told = house.get(&format!("/explain/phone/{name}")).await;
        let text = told["findings"].to_string();
        assert_eq!(told["good"], false, "{told}");
        assert!(text.contains("10.0.0.7:5060") && text.contains("every number"), "{text}");
        assert!(!text.contains("private networks"), "{text}");
    }
    let asked = Order::Refused { mac: None, address: "10.0.0.7".parse().ok() };
    assert!(house.node.ordered(|order| *order == asked));
}

#[tokio::test]
async fn a_phone_is_restarted_told_and_looked_at() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let path = format!("/phones/{PHONE}");
    house.done("POST", &format!("{path}/restart"), json!({ "restart": "reset" })).await;
    let reset = Order::Restart { device, restart: DeviceRestart::Reset };
    assert!(house.node.ordered(|order| *order == reset));
    let odd = house.ask("POST", &format!("{path}/restart"), json!({ "restart": "melt" })).await;
    assert_eq!(odd.body["field"], "restart");
    house.done("POST", &format!("{path}/text"), json!({ "text": "Lunch" })).await;
    for text in ["x".repeat(129), String::new(), " \u{3000}".to_owned()] {
        let told = house.ask("POST", &format!("{path}/text"), json!({ "text": text })).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{text:?}");
    }
    assert_eq!(house.get(&format!("/devices/{PHONE}")).await["kind"], "phone");
    let before = house.directory().secrets().sip_password(device);
    house.done("POST", &format!("{path}/secret"), json!({})).await;
    assert_ne!(house.directory().secrets().sip_password(device).reveal(), before.reveal());
}

/// A phone that reads no files is given its new secret by hand.
#[tokio::test]
async fn a_new_secret_is_told_once() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let before = house.directory().secrets().sip_password(device);
    let told = house.done("POST", &format!("/phones/{PHONE}/secret"), json!({})).await;
    let password = told["password"].as_str().unwrap();
    assert_eq!(password, house.directory().secrets().sip_password(device).reveal());
    assert_ne!(password, before.reveal());
    assert_eq!(told["auth_user"], PHONE);
    assert_eq!((&told["user"], &told["server"]), (&json!("7000"), &json!("192.0.2.1:5060")));
    for path in ["/audit?limit=100", &format!("/phones/{PHONE}"), &format!("/devices/{PHONE}")] {
        let shown = house.get(path).await.to_string();
        assert!(!shown.contains(password), "{path}: {shown}");
    }
}

#[tokio::test]
async fn phones_are_listed_with_where_they_are() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    for n in 1..4 {
        let phone = json!({ "name": format!("SEP00112233440{n}"), "model": "Cisco 7841" });
        house.done("POST", "/phones", phone).await;
    }
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|phone| phone["name"].as_str().unwrap().to_owned()).collect()
    };
    let address: Box<str> = "192.0.2.50:5060 tcp".into();
    let since = UnixTime(1_700_000_000_000);
    *house.node.there.lock().unwrap() = vec![Whereabouts { device, address, since }];
    let all = house.get("/phones?state=true").await;
    assert_eq!(names(&all).len(), 4);
    let state = |page: &Value, name: &str| {
        let items = page["items"].as_array().unwrap();
        items.iter().find(|phone| phone["name"] == name).unwrap()["state"].clone()
    };
    let there = json!({ "registered": true, "address": "192.0.2.50:5060 tcp", "since": since });
    assert_eq!(state(&all, PHONE), there);
    assert_eq!(state(&all, "SEP001122334401"), json!({ "registered": false }));
    assert_eq!(names(&house.get("/phones?registered=true").await), [PHONE]);
    // Page by page, as many as there are, in order, and each once.
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = house.get(&format!("/phones?registered=false&limit=1{cursor}")).await;
        found.extend(names(&page));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, ["SEP001122334401", "SEP001122334402", "SEP001122334403"]);
    let wrong = house.ask("GET", "/phones?registered=perhaps", Value::Null).await;
    assert_eq!(
        (wrong.status, &wrong.body["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("registered"))
    );
    // What is shown may be given back.
    let path = format!("/phones/{PHONE}");
    let mut phone = house.get(&path).await;
    phone["state"] = there;
    house.done("PUT", &path, phone).await;
}

#[tokio::test]
async fn who_leaves_is_removed_and_the_phone_waits_for_the_next() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    house.done("POST", &format!("/phones/{PHONE}/assign"), json!({ "user": "tanaka" })).await;
    let told = house.done("POST", "/quick-remove", json!({ "user": "tanaka" })).await;
    assert_eq!(told["user"], "tanaka");
    assert_eq!((&told["extension"], &told["extension_kept"]), (&json!("2001"), &json!(false)));
    assert_eq!(told["phones"][0]["phone"]["name"], PHONE);
    assert_eq!(told["phones"][0]["restart"], "sent");
    assert_eq!(told["phones"][0]["extension"], "7000");
    let restart = Order::Restart { device, restart: DeviceRestart::Restart };
    assert!(house.node.ordered(|order| *order == restart), "it learns of it");
    for gone in ["/end-users/tanaka", "/lines/2001"] {
        assert_eq!(house.ask("GET", gone, Value::Null).await.status, StatusCode::NOT_FOUND);
    }
    let again = house.ask("POST", "/quick-remove", json!({ "user": "tanaka" })).await;
    assert_eq!(again.body["code"], "not-found");
    let audit = house.get("/audit?name=tanaka&operation=quick-remove").await;
    assert!(!audit["items"].as_array().unwrap().is_empty(), "{audit}");
}

/// Who looks into the audit sees who was refused what, and why, without looking numbers up.
#[tokio::test]
async fn the_audit_says_for_whom_and_why_an_assignment_was_refused() {
    let house = House::open().await;
    let phone = newcomer(&house).await;
    house
        .done("PATCH", "/user-profiles/Default", json!({ "allow_self_provisioning": false }))
        .await;
    let told =
        house.ask("POST", &format!("/phones/{PHONE}/assign"), json!({ "user": "tanaka" })).await;
    assert_eq!(told.status, StatusCode::FORBIDDEN, "{told:?}");
    let audit = || house.get("/audit?operation=assign&failed=true");
    let row = audit().await["items"][0].clone();
    assert_eq!((&row["name"], &row["detail"]["user"]["name"]), (&json!(PHONE), &json!("tanaka")));
    assert_eq!(row["detail"]["reason"], told.body["message"], "{row}");
    // Also when both are gone.
    house.done("DELETE", &format!("/phones/{PHONE}"), Value::Null).await;
    house.done("POST", "/quick-remove", json!({ "user": "tanaka" })).await;
    let row = audit().await["items"][0].clone();
    assert_eq!((&row["object"], &row["name"]), (&json!(phone.0), &json!(PHONE)));
    assert_eq!(row["detail"]["user"]["name"], "tanaka", "{row}");
}

/// What the engine knows of a phone is told where it is asked for, with what helps.
#[tokio::test]
async fn a_phone_with_settings_from_before_a_change_is_told_of() {
    let house = House::open().await;
    let device = newcomer(&house).await;
    let line = house.directory().effective(device).unwrap().lines[0].id.id();
    house.access.lock().unwrap().forget(device);
    *house.node.state.lock().unwrap() = DeviceState {
        address: Some("192.0.2.77:5060 udp".into()),
        outdated: Some(Outdated::Secret),
        silent_lines: vec![line],
        ..DeviceState::default()
    };
    let told = house.get(&format!("/devices/{PHONE}")).await;
    assert_eq!(
        (&told["outdated"], &told["silent_lines"][0]["name"]),
        (&json!("secret"), &json!("7000"))
    );
    let why = house.get(&format!("/explain/phone/{PHONE}")).await["findings"].to_string();
    assert!(why.contains("secret was replaced") && why.contains("7000 can't be called"), "{why}");
    assert!(why.contains(&format!("jackfield window {PHONE} --address 192.0.2.77`")), "{why}");
}
