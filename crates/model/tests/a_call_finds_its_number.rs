//! Digit analysis over partitions.
#![allow(clippy::unwrap_used)]

mod common;

use common::House;
use jackfield_model::{Dialled, Kind, Language, sentence};
use jackfield_vocabulary::Code;
use serde_json::json;

fn dial(house: &House, line: Option<&str>, device: Option<&str>, digits: &str) -> String {
    let css = |name: Option<&str>| {
        name.map(|name| jackfield_model::Ref::new(house.id(Kind::CallingSearchSpace, name)))
    };
    let search = house.directory.search(css(line), css(device));
    match house.directory.dial(&search, digits) {
        Some(Dialled::Line(id, _)) => house.directory.label(id.id()).unwrap().into(),
        Some(Dialled::Route(id, _)) => {
            format!("pattern {}", house.directory.label(id.id()).unwrap())
        }
        None => "nothing".into(),
    }
}

fn house() -> House {
    let mut house = House::new();
    for name in ["A", "B"] {
        house.create(Kind::Partition, json!({ "name": name }));
    }
    for (name, partitions) in
        [("CA", json!(["A"])), ("CB", json!(["B"])), ("AB", json!(["A", "B"]))]
    {
        house.create(Kind::CallingSearchSpace, json!({ "name": name, "partitions": partitions }));
    }
    for partition in [json!("A"), json!("B"), json!(null)] {
        house.create(Kind::Line, json!({ "number": "2000", "partition": partition }));
    }
    house.create(Kind::Line, json!({ "number": "2001", "partition": "B" }));
    for (pattern, partition) in [("2XXX", "A"), ("20[0-4]X", "B"), ("2!", "A")] {
        house.create(
            Kind::RoutePattern,
            json!({ "pattern": pattern, "partition": partition, "does": "block" }),
        );
    }
    house
}

#[test]
fn the_earlier_partition_wins_between_equals() {
    let house = house();
    assert_eq!(dial(&house, Some("CA"), Some("CB"), "2000"), "2000 in A");
    assert_eq!(dial(&house, Some("CB"), Some("CA"), "2000"), "2000 in B");
    assert_eq!(dial(&house, None, Some("AB"), "2000"), "2000 in A");
    assert_eq!(dial(&house, None, None, "2000"), "2000 in no partition");
}

#[test]
fn the_closer_match_wins_over_the_earlier_partition() {
    let house = house();
    assert_eq!(dial(&house, Some("CA"), Some("CB"), "2001"), "2001 in B");
    assert_eq!(dial(&house, Some("CA"), Some("CB"), "2002"), "pattern 20[0-4]X in B");
    assert_eq!(dial(&house, Some("CA"), None, "2002"), "pattern 2XXX in A");
    assert_eq!(dial(&house, Some("CA"), None, "29999"), "pattern 2! in A");
}

#[test]
fn what_is_in_no_partition_of_the_caller_is_not_found() {
    let house = house();
    assert_eq!(dial(&house, None, None, "2001"), "nothing");
    assert_eq!(dial(&house, Some("AB"), None, "999"), "nothing");
    assert_eq!(dial(&house, Some("AB"), None, ""), "nothing");
}

#[test]
fn names_of_lines_say_the_partition_where_they_must() {
    let house = house();
    let named = |kind, name: &str| house.directory.by_name(kind, name);
    let only = house.id(Kind::Line, "2001 in B");
    for name in ["2001", "2001 in b", "2001 in B", &format!("id:{only}")] {
        assert_eq!(named(Kind::Line, name), Ok(Some(only)), "{name}");
    }
    // An id is no number, and only that is an id of which it is said.
    assert_eq!(named(Kind::Line, &only.to_string()), Ok(None));
    assert_eq!(named(Kind::RoutePattern, &format!("id:{only}")), Ok(None));
    let refusal = named(Kind::Line, "2000").expect_err("three have it");
    assert_eq!(refusal.code, Code::AmbiguousName);
    let said = sentence(&refusal, Language::English);
    assert_eq!(
        said.message,
        "There is more than one line 2000: 2000 in no partition, 2000 in A, 2000 in B."
    );
    for name in ["2000 in no partition", "2000 in A", "2000 in B"] {
        assert_eq!(&*house.directory.label(house.id(Kind::Line, name)).unwrap(), name);
    }
    assert_eq!(named(Kind::Line, "2000 in Nowhere"), Ok(None));
    assert_eq!(named(Kind::Line, "2001 in no partition"), Ok(None));
    assert_eq!(named(Kind::Line, "20[0-4]X"), Ok(None), "that is a pattern");
}

/// Whatever refers to a line or pattern: the wrong one of two is not taken in silence.
#[test]
fn a_number_that_several_have_is_refused_wherever_it_stands() {
    let mut house = house();
    for partition in ["A", "B"] {
        let body = json!({ "pattern": "9xx", "partition": partition, "does": "block" });
        house.create(Kind::RoutePattern, body);
    }
    assert!(house.directory.by_name(Kind::RoutePattern, "9XX").is_err());
    let phone = |line: &str| json!({ "name": "SEP00AABBCCDD01", "model": "Cisco 7841", "lines": [{ "line": line }] });
    for (kind, body, field) in [
        (Kind::Phone, phone("2000"), "lines[0].line"),
        (
            Kind::CtiRoutePoint,
            json!({ "name": "Desk", "lines": [{ "line": "2000" }] }),
            "lines[0].line",
        ),
        (
            Kind::EndUser,
            json!({ "user_id": "ada", "last_name": "L", "primary_extension": "2000" }),
            "primary_extension",
        ),
    ] {
        let refusal = house.create_refused(kind, body);
        assert_eq!(refusal.code, Code::AmbiguousName, "{refusal}");
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
    let phone = house.create(Kind::Phone, phone("2000 in no partition"));
    let line = house.phone(phone).lines[0].line.id();
    assert_eq!(line, house.id(Kind::Line, "2000 in no partition"));
    // What says that a number is in none is the name of no partition.
    for name in ["no partition", "No Partition"] {
        let refusal = house.create_refused(Kind::Partition, json!({ "name": name }));
        assert_eq!(refusal.field.as_deref(), Some("name"));
    }
}
