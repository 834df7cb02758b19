//! Digit analysis over partitions.
#![allow(clippy::unwrap_used)]

mod common;

use common::House;
use jackfield_model::{Dialled, Kind};
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
    assert_eq!(dial(&house, None, None, "2000"), "2000");
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
    assert_eq!(
        house.directory.by_name(Kind::Line, "2001"),
        Some(house.id(Kind::Line, "2001 in B"))
    );
    let plain = house.directory.by_name(Kind::Line, "2000");
    assert_eq!(plain.and_then(|id| house.directory.label(id)).as_deref(), Some("2000"));
    assert_eq!(house.directory.by_name(Kind::Line, "2000 in Nowhere"), None);
    assert_eq!(house.directory.by_name(Kind::Line, "20[0-4]X"), None, "that is a pattern");
}
