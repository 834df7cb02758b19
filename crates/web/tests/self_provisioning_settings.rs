//! The settings page of self-provisioning over REST.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use axum::http::StatusCode;
use common::House;
use jackfield_model::Service;
use jackfield_vocabulary::{Code, Refusal, UnixTime};
use jackfield_web::{Order, ServiceAction};
use serde_json::{Value, json};

const QUESTION: &str = "Changing the CTI Route Point Selection requires the Self-Provisioning \
     service to restart. Any active Self-Provisioning sessions will be terminated. If you do not \
     restart now, you will have to manually restart Self-Provisioning through the Jackfield \
     interface.";

const NOT_RESTARTED: &str = "Save successful. Failed to restart Self-Provisioning IVR service.";

const RESTART: Order =
    Order::Service { service: Service::SelfProvisioningIvr, action: ServiceAction::Restart };

/// A route point with its number, and an application user that controls it.
async fn ivr(house: &House) {
    house.done("POST", "/lines", json!({ "number": "2000" })).await;
    let point = json!({
        "name": "IVR-RP", "device_pool": "Default", "lines": [{ "line": "2000" }],
    });
    house.done("POST", "/cti-route-points", point).await;
    let user = json!({
        "user_id": "ivr", "groups": ["Standard CTI Enabled"],
        "controlled_route_points": ["IVR-RP"],
    });
    house.done("POST", "/application-users", user).await;
    house.done("PUT", "/users/ivr/password", json!({ "password": common::PASSWORD })).await;
}

fn chosen() -> Value {
    json!({ "settings": { "route_point": "IVR-RP", "application_user": "ivr" } })
}

fn with(mut body: Value, restart: &str) -> Value {
    body["restart"] = restart.into();
    body
}

/// Proves SP-23.a, SP-23.b, SP-24.c and SP-24.d: the question, its answers, and that nothing is
/// saved before, whichever of the two changes.
#[tokio::test]
async fn a_change_of_route_point_or_user_asks_about_the_restart() {
    let house = House::open().await;
    ivr(&house).await;
    let asked = house.ask("PUT", "/self-provisioning/settings", chosen()).await;
    assert_eq!(asked.status, StatusCode::CONFLICT, "{asked:?}");
    assert_eq!(asked.body["message"], QUESTION);
    let labels = asked.body["answers"].as_array().unwrap().iter().map(|one| &one["label"]);
    let labels = labels.map(|label| label.as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(labels, ["Save and Restart Now", "Save Without Restarting", "Cancel"]);
    let stands_for = asked.body["answers"].as_array().unwrap().iter().map(|one| &one["restart"]);
    assert!(stands_for.eq([&json!("now"), &json!("later"), &Value::Null]), "{asked:?}");
    assert_eq!(house.get("/self-provisioning").await["route_point"], Value::Null);
    let japanese = house.in_japanese("PUT", "/self-provisioning/settings", chosen()).await;
    assert!(japanese.body["message"].as_str().unwrap().starts_with("CTIルートポイントの選択"));

    for one in ["route_point", "application_user"] {
        let patch = json!({ "settings": { one: chosen()["settings"][one] } });
        let asked = house.ask("PUT", "/self-provisioning/settings", patch).await;
        assert_eq!(asked.body["code"], "restart-choice-needed", "{one}");
        assert_eq!(house.get("/self-provisioning").await[one], Value::Null, "nothing is saved");
    }

    let later = with(chosen(), "later");
    let saved = house.done("PUT", "/self-provisioning/settings", later).await;
    assert_eq!(saved["message"], "Save successful");
    assert_eq!(saved["settings"]["route_point"]["name"], "IVR-RP");
    assert!(!house.node.ordered(|order| matches!(order, Order::Service { .. })));
}

/// Proves SP-24.a and SP-24.b in both languages: saved and restarted, or saved and not.
#[tokio::test]
async fn save_and_restart_now_says_how_the_restart_went() {
    let house = House::open().await;
    ivr(&house).await;
    house.done("POST", "/services/self-provisioning-ivr/activate", json!({})).await;
    let saved = house.done("PUT", "/self-provisioning/settings", with(chosen(), "now")).await;
    let restarted = "Save successful. Self-Provisioning IVR service restarted successfully";
    assert_eq!(saved["message"], restarted);
    assert!(house.node.ordered(|order| *order == RESTART));
    *house.node.refuses.lock().unwrap() = Some(Refusal::new(Code::Overloaded));
    let none = json!({ "settings": { "route_point": null }, "restart": "now" });
    let saved = house.done("PUT", "/self-provisioning/settings", none).await;
    assert_eq!(saved["message"], NOT_RESTARTED);
    assert_eq!(saved["restart_failure"]["code"], "overloaded");
    let none = json!({ "settings": { "application_user": null }, "restart": "now" });
    let saved = house.in_japanese("PUT", "/self-provisioning/settings", none).await;
    let failed = "保存に成功しました。セルフプロビジョニングIVRサービスの再起動に失敗しました。";
    assert_eq!(saved.body["message"], failed, "{saved:?}");
    assert_eq!(house.get("/self-provisioning").await["route_point"], Value::Null);
}

/// A service that was never activated is started by nobody, whichever path the settings take.
#[tokio::test]
async fn save_and_restart_now_starts_no_service_that_is_not_activated() {
    let house = House::open().await;
    ivr(&house).await;
    let mut settings = chosen();
    for (method, path) in [
        ("PUT", "/self-provisioning/settings"),
        ("PATCH", "/self-provisioning?restart=now"),
        ("PUT", "/self-provisioning?restart=now"),
    ] {
        let body = match path.contains('?') {
            true => settings["settings"].clone(),
            false => with(settings.clone(), "now"),
        };
        let saved = house.done(method, path, body).await;
        assert_eq!(saved["message"], NOT_RESTARTED, "{method} {path}");
        assert_eq!(saved["restart_failure"]["code"], "service-inactive");
        assert!(!house.node.ordered(|order| matches!(order, Order::Service { .. })));
        settings = json!({ "settings": { "route_point": null, "application_user": null } });
    }
}

/// Proves SP-60.e: the service runs on another node, and is activated there: that one is told to
/// restart it.
#[tokio::test]
async fn save_and_restart_now_restarts_it_where_it_runs() {
    let house = House::open_at("node2").await;
    ivr(&house).await;
    let publisher = json!({ "node": "node1" });
    house.done("POST", "/services/self-provisioning-ivr/activate", publisher).await;
    let running = vec![("node1".into(), Service::SelfProvisioningIvr)];
    *house.node.elsewhere.lock().unwrap() = running;
    house.done("PUT", "/self-provisioning/settings", with(chosen(), "now")).await;
    let there = |order: &Order| match order {
        Order::ServiceElsewhere { node, service, action } => {
            (&**node, *service, *action)
                == ("node1", Service::SelfProvisioningIvr, ServiceAction::Restart)
        }
        _ => false,
    };
    assert!(house.node.ordered(there));
    assert!(!house.node.ordered(|order| matches!(order, Order::Service { .. })));

    // Here too: both take the new settings.
    house.done("POST", "/services/self-provisioning-ivr/activate", json!({})).await;
    house.node.orders.lock().unwrap().clear();
    let none = json!({ "settings": { "route_point": null }, "restart": "now" });
    house.done("PUT", "/self-provisioning/settings", none).await;
    assert!(house.node.ordered(there) && house.node.ordered(|order| *order == RESTART));

    // One that can't be told keeps no other from it.
    *house.node.refuses.lock().unwrap() = Some(Refusal::new(Code::Overloaded));
    house.node.orders.lock().unwrap().clear();
    let none = json!({ "settings": { "application_user": null }, "restart": "now" });
    let saved = house.done("PUT", "/self-provisioning/settings", none).await;
    assert_eq!(saved["message"], NOT_RESTARTED);
    assert!(house.node.ordered(there) && house.node.ordered(|order| *order == RESTART));
}

/// Proves SP-19.c and SP-23.c: other settings save without the question.
#[tokio::test]
async fn other_settings_save_without_a_question() {
    let house = House::open().await;
    for (field, value) in [
        ("mode", json!("none")),
        ("languages", json!(["ja-JP", "en-US"])),
        ("maximum_calls", json!(5)),
        ("attempts_per_call", json!(4)),
        ("digit_seconds", json!(20)),
        ("start_delay_seconds", json!(0)),
        ("code_failures_per_minute", json!(20)),
    ] {
        let body = json!({ "settings": { field: value } });
        let saved = house.done("PUT", "/self-provisioning/settings", body).await;
        assert_eq!(saved["message"], "Save successful", "{field}");
        assert_eq!(house.get("/self-provisioning").await[field], value);
    }
    *house.node.restart_needed.lock().unwrap() = true;
    let status = house.get("/self-provisioning/status").await;
    assert_eq!(status["restart_needed"], true);
    assert!(status["notices"].to_string().contains("restart needed"), "{status}");
}

/// Proves SP-05.d: the mode that asks for nothing is marked wherever it is chosen, in both languages.
#[tokio::test]
async fn the_mode_without_authentication_is_marked_as_not_recommended() {
    let house = House::open().await;
    let settings = house.get("/self-provisioning/settings").await;
    let texts = settings["modes"].as_array().unwrap().iter();
    let texts = texts.map(|row| (row["mode"].as_str().unwrap(), row["text"].as_str().unwrap()));
    let texts = texts.collect::<Vec<_>>();
    assert_eq!(texts[0], ("users-only", "Require authentication, users only (password/PIN)"));
    assert_eq!(texts[1].0, "users-and-administrators");
    let marked = "No authentication required. Not recommended for day-to-day use.";
    assert_eq!(texts[2], ("none", marked));
    let none = json!({ "settings": { "mode": "none" } });
    let saved = house.done("PUT", "/self-provisioning/settings", none.clone()).await;
    assert!(saved["warnings"].as_array().unwrap().contains(&json!(marked)), "{saved}");
    let saved = house.in_japanese("PUT", "/self-provisioning/settings", none).await;
    assert!(saved.body["warnings"].to_string().contains("推奨されません"), "{saved:?}");
    let users = json!({ "settings": { "mode": "users-only" } });
    let saved = house.done("PUT", "/self-provisioning/settings", users).await;
    assert!(!saved["warnings"].to_string().contains("Not recommended"), "{saved}");
}

/// Proves SP-13.c for the tenth: the refusal says how many there may be.
#[tokio::test]
async fn no_more_than_nine_languages_are_selected() {
    let house = House::open().await;
    let ten =
        ["aa-AA", "bb-BB", "cc-CC", "dd-DD", "ee-EE", "ff-FF", "gg-GG", "hh-HH", "ii-II", "jj-JJ"];
    let body = json!({ "settings": { "languages": ten } });
    let told = house.ask("PUT", "/self-provisioning/settings", body).await;
    assert_eq!(told.body["code"], "invalid-value", "{told:?}");
    assert!(told.body["remedy"].as_str().unwrap().contains("1 to 9"), "{told:?}");
}

/// Proves SP-23.a for the path that every kind has, too.
#[tokio::test]
async fn the_question_can_t_be_passed_by() {
    let house = House::open().await;
    ivr(&house).await;
    let patch = json!({ "route_point": "IVR-RP" });
    let asked = house.ask("PATCH", "/self-provisioning", patch.clone()).await;
    assert_eq!(asked.body["code"], "restart-choice-needed");
    let saved = house.done("PATCH", "/self-provisioning?restart=later", patch).await;
    assert_eq!(saved["message"], "Save successful");
    let odd = house.ask("PATCH", "/self-provisioning?restart=soon", json!({})).await;
    assert_eq!(odd.body["field"], "restart");
}

/// Proves SP-13.e: the last language stays.
#[tokio::test]
async fn the_last_language_can_t_be_removed() {
    let house = House::open().await;
    let body = json!({ "settings": { "languages": [] } });
    let told = house.ask("PUT", "/self-provisioning/settings", body).await;
    assert_eq!(told.body["code"], "last-language", "{told:?}");
    assert_eq!(told.body["message"], "Selected Language should contain at least one language");
}

/// Proves SP-04.b for the code: the rule is named, and the code can't be read back.
#[tokio::test]
async fn the_authentication_code_goes_in_and_never_out() {
    let house = House::open().await;
    for code in ["", "123456789012345678901", "12a4"] {
        let told = house.ask("PUT", "/self-provisioning/code", json!({ "code": code })).await;
        assert_eq!(told.body["code"], "invalid-authentication-code", "{code}");
        assert!(told.body["message"].as_str().unwrap().contains("20"), "{told:?}");
    }
    // The field is disabled in the other modes (SP-02).
    let code = json!({ "code": "00731" });
    let disabled = house.ask("PUT", "/self-provisioning/code", code.clone()).await;
    assert_eq!(disabled.body["field"], "mode", "{disabled:?}");
    let mode = json!({ "settings": { "mode": "users-and-administrators" } });
    let told = house.done("PUT", "/self-provisioning/settings", mode).await["warnings"].to_string();
    assert!(told.contains("No authentication code is set"), "{told}");
    let short = json!({ "code": "1" });
    let told = house.done("PUT", "/self-provisioning/code", short).await["warnings"].to_string();
    assert!(told.contains("guessed"), "{told}");
    let told = house.done("PUT", "/self-provisioning/code", code).await;
    assert_eq!(told["warnings"], json!([]));
    let page = house.get("/self-provisioning/settings").await["warnings"].to_string();
    assert!(!page.contains("authentication code is set"), "{page}");
    for path in ["/self-provisioning", "/self-provisioning/settings", "/audit"] {
        assert!(!house.get(path).await.to_string().contains("00731"), "{path}");
    }
    assert_eq!(house.get("/self-provisioning/settings").await["authentication_code_set"], true);
    house.done("DELETE", "/self-provisioning/code", Value::Null).await;
    assert_eq!(house.get("/self-provisioning/settings").await["authentication_code_set"], false);
}

/// Proves SP-21.a, SP-21.b, SP-22.a, SP-22.b, SP-22.c and SP-25.e: what the choices show and warn
/// of, in both languages.
#[tokio::test]
async fn the_choices_show_numbers_and_warnings() {
    let house = House::open().await;
    ivr(&house).await;
    house.done("POST", "/application-users", json!({ "user_id": "bare" })).await;
    let empty = json!({ "name": "EMPTY", "device_pool": "Default" });
    house.done("POST", "/cti-route-points", empty).await;
    house.done("PUT", "/self-provisioning/settings", with(chosen(), "later")).await;
    let page = house.get("/self-provisioning/settings").await;
    assert_eq!(page["route_point_note"], "Dial 2000 from the phone to assign an extension.");
    assert_eq!((&page["warnings"], &page["not_selected"]), (&json!([]), &json!("Not Selected")));
    let note = &page["route_points"][0]["note"];
    let none = "No DN is assigned to the Route Point. Please assign a DN to the Route Point.";
    assert_eq!(*note, none, "{page}");
    let body = json!({ "settings": { "application_user": "bare" }, "restart": "later" });
    let saved = house.done("PUT", "/self-provisioning/settings", body).await;
    let warnings = saved["warnings"].to_string();
    assert!(warnings.contains("role is not assigned for this application user"), "{warnings}");
    assert!(warnings.contains("Valid credentials not set"), "{warnings}");
    assert!(warnings.contains("does not control the route point IVR-RP"), "{warnings}");
    let page = house.in_japanese("GET", "/self-provisioning/settings", Value::Null).await.body;
    assert_eq!(page["not_selected"], "未選択");
    let names = |rows: &Value| {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let points = house.get("/cti-route-points").await["items"].as_array().unwrap().len();
    assert_eq!((names(&page["route_points"]).len(), points), (2, 2), "every one is listed");
    assert_eq!(names(&page["application_users"]), ["admin", "bare", "ivr"]);
    let warnings = page["warnings"].to_string();
    for quoted in [
        "\\\"標準CTIを有効にする\\\"権限はこのアプリケーションユーザに割り当てられていません。",
        "有効なクレデンシャルがこのアプリケーションユーザに設定されていません。",
    ] {
        assert!(warnings.contains(quoted), "{warnings}");
    }
}

/// Proves SP-20.a, SP-54.a and SP-59.a: from nothing to ready, all of it over REST.
#[tokio::test]
async fn the_whole_task_flow_can_be_done_over_rest() {
    let house = House::open().await;
    let setup = house.get("/setup").await;
    let missing = |setup: &Value| {
        let steps = setup["flows"][0]["steps"].as_array().unwrap();
        steps.iter().filter(|step| step["done"] == false).count()
    };
    assert!(missing(&setup) >= 4, "{setup}");
    let steps = |flow: usize| setup["flows"][flow]["steps"].as_array().unwrap().len();
    assert_eq!((steps(0), steps(1)), (8, 9));
    assert_eq!((&setup["ready"], setup["flows"].as_array().unwrap().len()), (&json!(false), 2));
    assert!(setup["finding"].to_string().contains("150"), "{setup}");

    for service in ["cti-manager", "self-provisioning-ivr"] {
        let told = house.done("POST", &format!("/services/{service}/activate"), json!({})).await;
        assert_eq!((&told["activated"], &told["running"]), (&json!(true), &json!(true)));
    }
    ivr(&house).await;
    let registration = json!({
        "disabled": false, "starting_number": "7000", "ending_number": "7099",
    });
    house.done("PATCH", "/auto-registrations/node1", registration).await;
    house.done("PUT", "/self-provisioning/settings", with(chosen(), "now")).await;
    let profiles = house.get("/user-profiles?filter=system_default%3Dtrue").await;
    let profile = format!("/user-profiles/id:{}", profiles["items"][0]["id"]);
    house.done("PATCH", &profile, json!({ "allow_self_provisioning": true })).await;
    let template = house.get("/feature-group-templates").await["items"][0]["name"].clone();
    let user = json!({
        "user": { "user_id": "tanaka", "first_name": "Taro", "last_name": "Tanaka" },
        "feature_group_template": template, "extension": "2001",
    });
    let added = house.ask("POST", "/quick-add", user).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    assert_eq!(added.body["user_id"], "tanaka");
    assert_eq!(added.body["obstacles"], json!([]), "the user can self-provision at once");

    let status = house.get("/self-provisioning/status").await;
    assert_eq!((&status["ready"], &status["text"]), (&json!(true), &json!("Ready")), "{status}");
    let setup = house.get("/setup").await;
    assert_eq!((missing(&setup), &setup["off"]), (0, &json!([])));
    let optional = setup["optional"]["steps"].to_string();
    assert!(optional.contains("jackfield set cluster-settings --provisioning-networks"), "{setup}");
    house.done("PATCH", "/application-users/ivr", json!({ "enabled": false })).await;
    let status = house.get("/self-provisioning/status").await;
    assert_eq!(status["ready"], false, "{status}");
    let remedy = "`jackfield set application-user ivr --enabled true`";
    assert_eq!(status["off"][0]["remedy"], remedy, "{status}");
    house.done("PATCH", "/application-users/ivr", json!({ "enabled": true })).await;
    let japanese = house.in_japanese("GET", "/self-provisioning/status", Value::Null).await;
    assert_eq!(japanese.body["text"], "準備が完了しました");
}

/// Proves SP-11.a: while the service is off, and was never on, every setting can be edited.
#[tokio::test]
async fn everything_can_be_edited_while_the_service_is_off() {
    let house = House::open().await;
    ivr(&house).await;
    let wanted = json!({
        "mode": "users-and-administrators", "languages": ["ja-JP", "en-US"],
        "route_point": "IVR-RP", "application_user": "ivr", "maximum_calls": 7,
        "attempts_per_call": 4, "digit_seconds": 20, "start_delay_seconds": 5,
        "code_failures_per_minute": 20,
    });
    let known = house.get("/self-provisioning").await;
    let settings = known.as_object().unwrap().keys();
    let settings = settings.filter(|name| !["id", "kind", "version"].contains(&name.as_str()));
    assert!(settings.eq(wanted.as_object().unwrap().keys()), "every one: {known}");
    let body = json!({ "settings": wanted, "restart": "later" });
    let saved = house.done("PUT", "/self-provisioning/settings", body).await;
    for (field, value) in wanted.as_object().unwrap() {
        let found = &saved["settings"][field];
        let found = if found.is_object() { &found["name"] } else { found };
        assert_eq!(found, value, "{field}");
    }
    house.done("PUT", "/self-provisioning/code", json!({ "code": "00731" })).await;
    house.done("DELETE", "/self-provisioning/code", Value::Null).await;
    assert!(!house.node.ordered(|order| matches!(order, Order::Service { .. })));
}

#[tokio::test]
async fn services_are_activated_started_and_stopped() {
    let house = House::open().await;
    let inactive = house.ask("POST", "/services/self-provisioning-ivr/start", json!({})).await;
    assert_eq!(inactive.body["code"], "service-inactive", "{inactive:?}");
    house.done("POST", "/services/self-provisioning-ivr/activate", json!({})).await;
    let list = house.get("/services").await;
    let ivr = list["items"].as_array().unwrap().iter();
    let ivr = ivr.clone().find(|one| one["service"] == "self-provisioning-ivr").unwrap();
    assert_eq!((&ivr["node"], &ivr["state"]), (&json!("node1"), &json!("in-service")));
    assert_eq!(ivr["in_service_in_seconds"], Value::Null);
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(600);
    let soon = soon.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    *house.node.in_service_at.lock().unwrap() = Some(UnixTime(soon.try_into().unwrap()));
    let told = house.done("POST", "/services/self-provisioning-ivr/restart", json!({})).await;
    let seconds = told["in_service_in_seconds"].as_u64().unwrap();
    assert!((540..=600).contains(&seconds), "{told}");
    let told = house.done("POST", "/services/self-provisioning-ivr/stop", json!({})).await;
    assert_eq!((&told["activated"], &told["running"]), (&json!(true), &json!(false)));
    let told = house.done("POST", "/services/self-provisioning-ivr/deactivate", json!({})).await;
    assert_eq!(told["activated"], false);
    for (path, status) in [
        ("/services/tea/start", StatusCode::NOT_FOUND),
        ("/services/tftp/boil", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(house.ask("POST", path, json!({})).await.status, status, "{path}");
    }
}

/// What is refused is not done halfway, by whichever door.
#[tokio::test]
async fn a_service_that_always_runs_stays_activated() {
    let house = House::open().await;
    for (method, path, body) in [
        ("POST", "/services/call-manager/deactivate", json!({})),
        ("PATCH", "/service-activations/node1", json!({ "services": ["tftp"] })),
    ] {
        let told = house.ask(method, path, body).await;
        assert_eq!(told.body["code"], "protected", "{path}: {told:?}");
        let message = told.body["message"].as_str().unwrap();
        assert!(message.ends_with("runs as long as the node does."), "{message}");
        let services = house.get("/services").await["items"].clone();
        let calls = services.as_array().unwrap().iter();
        let activated = calls.clone().find(|one| one["service"] == "call-manager").unwrap();
        assert_eq!(activated["activated"], true, "{path}: {activated}");
    }
    assert!(!house.node.ordered(|order| matches!(order, Order::Service { .. })));
}

/// A language that is not installed would leave callers without a voice (SP-13, SP-14).
#[tokio::test]
async fn a_language_without_its_pack_is_refused() {
    let house = House::open().await;
    let languages = |tags: &[&str]| json!({ "settings": { "languages": tags } });
    let told = house.ask("PUT", "/self-provisioning/settings", languages(&["xx-XX"])).await;
    assert_eq!(told.body["code"], "language-not-installed", "{told:?}");
    assert_eq!(told.body["field"], "languages");
    // The fake node has Japanese alone; English was chosen before and may stay.
    house.done("PUT", "/self-provisioning/settings", languages(&["ja-JP", "en-US"])).await;
    assert_eq!(house.get("/self-provisioning").await["languages"], json!(["ja-JP", "en-US"]));
}

/// Every missing step that a command can do shows it, and the commands, typed, do it.
#[tokio::test]
async fn the_checklist_shows_the_commands_of_the_next_step() {
    let house = House::open().await;
    let commands = |setup: &Value| -> Vec<String> {
        let steps = setup["flows"][0]["steps"].as_array().unwrap().clone();
        let of = |step: &Value| step["commands"].as_array().unwrap().clone();
        steps.iter().flat_map(of).map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let fresh = commands(&house.get("/setup").await);
    for wanted in [
        "jackfield services activate cti-manager",
        "jackfield add cti-route-point --name IVR --lines 2000",
        "jackfield set user-profile Default --allow-self-provisioning true",
        "jackfield quick-add tanaka --template Default --extension 3001",
    ] {
        assert!(fresh.iter().any(|one| one == wanted), "{wanted}: {fresh:#?}");
    }
    ivr(&house).await;
    let later = commands(&house.get("/setup").await);
    let wanted = "jackfield self-provisioning set --route-point IVR-RP --application-user ivr \
                  --restart now";
    assert!(later.iter().any(|one| one == wanted), "{later:#?}");
    assert!(!later.iter().any(|one| one.contains("add cti-route-point")), "{later:#?}");
    let half = json!({ "settings": { "route_point": "IVR-RP" }, "restart": "later" });
    house.done("PUT", "/self-provisioning/settings", half).await;
    let then = commands(&house.get("/setup").await);
    assert!(then.iter().any(|one| one == wanted), "{then:#?}");
}

/// The steps of the route point say how it comes about, and how one that is there gets a number.
#[tokio::test]
async fn the_steps_of_the_route_point_have_commands_of_their_own() {
    let house = House::open().await;
    let add = r#"jackfield add line --number 2000 --alerting-name "Self-provisioning""#;
    let own = |setup: &Value| -> Vec<Value> {
        let steps = setup["flows"][0]["steps"].as_array().unwrap().iter();
        let object =
            |step: &&Value| step["object"].as_str().unwrap().starts_with("cti-route-point");
        steps.filter(object).map(|step| step["commands"].clone()).collect()
    };
    let make = json!([add, "jackfield add cti-route-point --name IVR --lines 2000"]);
    assert_eq!(own(&house.get("/setup").await), [make.clone(), make]);
    house.done("POST", "/cti-route-points", json!({ "name": "Desk" })).await;
    let give = json!([add, "jackfield set cti-route-point Desk --lines 2000"]);
    assert_eq!(own(&house.get("/setup").await), [json!([]), give]);
}

/// Proves SP-10.b and SP-60.a: the publisher is judged, whichever node is asked; and a node that stands
/// by says for whom.
#[tokio::test]
async fn another_node_judges_the_publisher_and_says_for_whom_it_stands_by() {
    let house = House::open_at("node2").await;
    let registration = json!({
        "starting_number": "9000", "ending_number": "9099", "disabled": false,
    });
    house.done("PATCH", "/auto-registrations/node1", registration).await;
    ivr(&house).await;
    house.done("PUT", "/self-provisioning/settings", with(chosen(), "later")).await;
    let allow = json!({ "allow_self_provisioning": true });
    house.done("PATCH", "/user-profiles/Default", allow).await;
    house.done("POST", "/services/self-provisioning-ivr/activate", json!({})).await;
    let row = |list: &Value, node: &str| {
        let mut rows = list["items"].as_array().unwrap().iter();
        let ivr = |one: &&Value| one["service"] == "self-provisioning-ivr" && one["node"] == node;
        rows.find(ivr).unwrap().clone()
    };
    let list = house.get("/services").await;
    assert_eq!(row(&list, "node2")["running"], true);
    assert_eq!(row(&list, "node1")["running"], false);
    assert_eq!(row(&list, "node2")["activated"], true);
    assert_eq!(row(&list, "node1")["activated"], false, "each node by itself");
    let status = house.get("/self-provisioning/status").await;
    assert_eq!(status["ready"], false, "it runs here, and not on the publisher: {status}");
    assert!(status["text"].as_str().unwrap().contains("node1"), "{status}");

    let services = [Service::SelfProvisioningIvr, Service::CtiManager];
    let running = services.map(|service| ("node1".into(), service)).to_vec();
    *house.node.elsewhere.lock().unwrap() = running;
    *house.node.owner.lock().unwrap() = Some("node1".into());
    let status = house.get("/self-provisioning/status").await;
    assert_eq!(status["ready"], true, "{status}");
    let why = house.get("/explain/phone/IVR-RP").await["findings"].to_string();
    assert!(why.contains("node1 owns it and takes its calls"), "{why}");
    let list = house.get("/services").await;
    assert_eq!(row(&list, "node1")["running"], true);
    assert_eq!(row(&list, "node2")["owner"], "node1");
    assert_eq!(row(&list, "node1")["owner"], Value::Null);

    // Nor does the auto-registration of another node count.
    house.done("PATCH", "/auto-registrations/node1", json!({ "disabled": true })).await;
    let own = house.get("/auto-registrations/node1").await;
    let own = json!({
        "device_template": own["device_template"], "line_template": own["line_template"],
        "starting_number": "8000", "ending_number": "8099", "disabled": false,
    });
    house.done("PATCH", "/auto-registrations/node2", own).await;
    let status = house.get("/self-provisioning/status").await;
    assert_eq!(status["ready"], false, "{status}");
    assert_eq!(status["text"], "Auto-registration is off on node node1.");
}
