//! What whoever deletes a user or a number is told of those who stay.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::House;
use serde_json::{Value, json};

const PHONE: &str = "SEP001122AABB01";
const OTHER: &str = "SEP001122AABB02";

/// Mueller and Schmidt share 3201 in Internal; Schmidt's own 3202 goes on to it when nobody answers.
async fn office() -> House {
    let house = House::open().await;
    house.done("POST", "/partitions", json!({ "name": "Internal" })).await;
    let staff = json!({ "name": "Staff", "partitions": ["Internal"] });
    house.done("POST", "/calling-search-spaces", staff).await;
    for (number, name, onward) in [("3201", "Karl Mueller", ""), ("3202", "", "3201")] {
        let line = json!({
            "number": number, "partition": "Internal", "css": "Staff", "alerting_name": name,
            "forwards": { "no_answer": { "destination": onward } },
        });
        house.done("POST", "/lines", line).await;
    }
    for (user, last, number) in [("mueller", "Mueller", "3201"), ("schmidt", "Schmidt", "3202")] {
        let user = json!({ "user_id": user, "last_name": last, "primary_extension": number });
        house.done("POST", "/end-users", user).await;
    }
    for (phone, owner, lines) in
        [(PHONE, "mueller", vec!["3201"]), (OTHER, "schmidt", vec!["3202", "3201"])]
    {
        let lines: Vec<_> = lines.iter().map(|line| json!({ "line": line })).collect();
        let phone = json!({
            "name": phone, "model": "Cisco 7841", "owner": owner, "lines": lines,
            "speed_dials": [{ "number": "3201", "label": "Karl" }],
        });
        house.done("POST", "/phones", phone).await;
    }
    let both = json!({ "controlled_phones": [PHONE, OTHER] });
    house.done("PATCH", "/end-users/schmidt", both).await;
    house
}

fn told(answer: &Value) -> String {
    let rows = answer["warnings"].as_array().into_iter().flatten();
    rows.map(|row| row.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn who_removes_a_user_is_told_who_else_counts_on_the_number() {
    let house = office().await;
    let refused = house.ask("DELETE", "/end-users/mueller", Value::Null).await;
    assert_eq!(refused.body["code"], "in-use");
    let remedy = refused.body["remedy"].as_str().unwrap();
    assert!(remedy.contains("`jackfield quick-remove mueller`"), "{remedy}");
    let refused = house.ask("DELETE", "/lines/3201", Value::Null).await;
    let message = refused.body["message"].as_str().unwrap();
    for user in [PHONE, OTHER, "end-user mueller"] {
        assert!(message.contains(user), "{message}");
    }

    let answer = house.done("POST", "/quick-remove", json!({ "user": "mueller" })).await;
    assert_eq!(answer["extension_kept"], true);
    let users = answer["extension_users"].as_array().unwrap();
    assert_eq!(users.len(), 1, "{users:?}");
    assert_eq!((&users[0]["kind"], &users[0]["name"]), (&json!("phone"), &json!(OTHER)));
    let told = told(&answer);
    assert!(told.contains("still shows the name Karl Mueller"), "{told}");
    assert!(told.contains("jackfield set line '3201 in Internal' --alerting-name"), "{told}");
    assert!(told.contains(&format!("{PHONE} is open for its next owner")), "{told}");
    assert!(told.contains("end-user schmidt (controlled_phones)"), "{told}");
    assert!(!told.contains("still come from"), "the number is there: {told}");
}

/// Calls that went to the one who left go to whoever gets the number next.
#[tokio::test]
async fn who_frees_a_number_is_told_what_still_calls_it() {
    let house = office().await;
    let alone = json!({ "lines": [{ "line": "3202" }] });
    house.done("PATCH", &format!("/phones/{OTHER}"), alone).await;
    let used = house.get("/lines/3201/dependents").await["items"].to_string();
    let callers = ["forwards.no_answer.destination", "speed_dials[0].number"];
    assert!(callers.iter().all(|field| used.contains(field)), "{used}");
    let answer = house.done("POST", "/quick-remove", json!({ "user": "mueller" })).await;
    assert_eq!(
        (&answer["extension_kept"], &answer["extension_users"]),
        (&json!(false), &json!([]))
    );
    let told = told(&answer);
    assert!(told.contains("Calls to 3201 in Internal still come from"), "{told}");
    assert!(told.contains("line 3202 in Internal (forwards.no_answer.destination)"), "{told}");
    assert!(told.contains(&format!("phone {OTHER} (speed_dials[0].number)")), "{told}");
}

/// One or many, a number is not deleted in silence that others call; what calls another line with the
/// same number does not count.
#[tokio::test]
async fn a_number_that_others_call_is_not_deleted_in_silence() {
    let house = office().await;
    for (number, partition) in [("3300", json!("Internal")), ("3300", Value::Null)] {
        let line = json!({ "number": number, "partition": partition });
        house.done("POST", "/lines", line).await;
    }
    let onward = json!({ "forwards": { "all": { "destination": "3300" } } });
    house.done("PATCH", "/lines/3202", onward).await;
    let template = json!({ "name": "Desks", "speed_dials": [{ "number": "3300", "label": "x" }] });
    house.done("POST", "/universal-device-templates", template).await;
    let quiet = house.done("DELETE", "/lines/3300%20in%20no%20partition", Value::Null).await;
    assert!(!told(&quiet).contains("line 3202"), "{quiet}");
    let check = house.done("DELETE", "/lines?filter=number=3300&check=true", Value::Null).await;
    assert!(told(&check).contains("line 3202 in Internal (forwards.all.destination)"), "{check}");
    let many = house.done("DELETE", "/lines?filter=number=3300", Value::Null).await;
    assert!(told(&many).contains("universal-device-template Desks (speed_dials[0]"), "{many}");
}

#[tokio::test]
async fn lines_that_nobody_has_are_told_found_and_deleted() {
    let house = office().await;
    let none = json!({ "controlled_phones": [] });
    house.done("PATCH", "/end-users/schmidt", none).await;
    for phone in [PHONE, OTHER] {
        let told = told(&house.done("DELETE", &format!("/phones/{phone}"), Value::Null).await);
        assert_eq!(told, "", "the users have them");
    }
    let gone = house.done("DELETE", "/end-users/mueller", Value::Null).await;
    let told = told(&gone);
    assert!(told.contains("3201 in Internal stays, and nobody has it"), "{told}");
    assert!(told.contains("jackfield delete line '3201 in Internal'"), "{told}");
    let found = async |query: &str| {
        let page = house.get(&format!("/lines?filter={query}")).await;
        let items = page["items"].as_array().unwrap().iter();
        items.map(|line| line["number"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("in_use=false").await, ["3201"]);
    assert_eq!(found("in_use!=false").await, ["3202"]);
    let wrong = house.ask("GET", "/lines?filter=in_use=no", Value::Null).await;
    assert_eq!(wrong.body["field"], "in_use", "{wrong:?}");
    let line = house.get("/lines/3201").await;
    house.done("PUT", "/lines/3201", line).await;
    house.done("DELETE", "/lines?filter=in_use=false", Value::Null).await;
    assert_eq!(found("in_use=false").await, [""; 0]);
}
