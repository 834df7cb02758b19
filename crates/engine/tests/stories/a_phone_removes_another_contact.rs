//! A phone takes an address away that it has not, or not any more; its registration stays. What a
//! REGISTER wants is done as a whole, or not at all (RFC 3261 section 10.3).

use jackfield_sip::HeaderName;

use crate::world::{Raw, World, contacts, status};

const NAME: &str = "SEP001122AABB01";
const HERE: &str = "sip:2001@10.1.0.1:5062;transport=udp";

fn registered() -> (World, Raw) {
    let mut world = World::new();
    world.open_phone(NAME, "2001");
    let mut phone = Raw::new("2001", "10.1.0.1:5062");
    let answer = phone.register(&mut world, 10, &format!("Contact: <{HERE}>\nExpires: 600\n"));
    assert_eq!((status(&answer), contacts(&answer)), (200, vec![HERE.to_owned()]));
    (world, phone)
}

#[test]
fn its_present_one_stays_whatever_else_it_takes_away() {
    for other in [
        "Contact: <sip:2001@10.1.0.1:9;transport=udp>\nExpires: 0\n",
        "Contact: <sip:2001@10.1.0.1:5062>;expires=0\n",
        "Contact: <sip:2002@10.1.0.1:5062;transport=udp>;expires=0\n",
        "Contact: <sip:2001@10.1.0.2:5062;transport=udp>;expires=0\n",
        "Contact: <sip:2001@10.1.0.1:5062;transport=tcp>;expires=0\n",
        "Contact: <sip:2001@10.1.0.1:5062;transport=udp;user=phone>;expires=0\n",
        "Contact: <sips:2001@10.1.0.1:5062;transport=udp>;expires=0\n",
        "Contact: <tel:2001>;expires=0\n",
        "m: sip:2001@10.1.0.9;expires=0, <sip:2001@10.1.0.8>;expires=0\nm: sip:a@b;expires=0\n",
    ] {
        let (mut world, mut phone) = registered();
        phone.call_id = "another".into();
        let answer = phone.register(&mut world, 1, other);
        assert_eq!((status(&answer), contacts(&answer)), (200, vec![HERE.into()]), "{other}");
        assert_eq!(world.overview().registered, 1, "{other}");
    }
}

#[test]
fn the_same_address_however_it_is_written_goes() {
    for same in [
        format!("Contact: <{HERE}>\nExpires: 0\n"),
        format!("m: \"Me\" <{HERE}>;expires=0\n"),
        "Contact: <sip:%32001@10.1.0.1:5062;Transport=UDP>;expires=0\n".into(),
        format!("Contact: <{HERE};ob>;expires=0\n"),
        format!("Contact: <sip:2001@10.1.0.1:9>;expires=0, <{HERE}>;expires=0\n"),
        format!("Contact: <sip:2001@10.1.0.1:9>;expires=0\nContact: <{HERE}>;expires=0\n"),
        "Contact: *\nExpires: 0\n".into(),
    ] {
        let (mut world, mut phone) = registered();
        let answer = phone.register(&mut world, 11, &same);
        assert_eq!((status(&answer), contacts(&answer).len()), (200, 0), "{same}");
        assert_eq!(world.overview().registered, 0, "{same}");
    }
}

#[test]
fn the_old_address_goes_and_the_new_one_comes_in_one() {
    let (mut world, mut phone) = registered();
    let new = "sip:2001@10.1.0.1:7000";
    let answer = phone.register(
        &mut world,
        11,
        &format!("Contact: <{HERE}>;expires=0, <{new}>;expires=120\n"),
    );
    assert_eq!((status(&answer), contacts(&answer)), (200, vec![new.to_owned()]));
    let answer = phone.register(&mut world, 12, "");
    assert_eq!(contacts(&answer), [new], "asked afterwards");
}

#[test]
fn two_addresses_at_once_are_refused_and_the_one_it_has_stays() {
    let (mut world, mut phone) = registered();
    for two in [
        "Contact: <sip:2001@10.1.0.1:7000>, <sip:2001@10.1.0.1:7001>\n",
        "Contact: <sip:2001@10.1.0.1:7000>\nm: <sip:2001@10.1.0.1:7000;transport=tcp>\n",
        "Contact: <sip:2001@10.1.0.1:7000>;q=0.5, <mailto:me@example.com>\n",
        "Contact: <sip:x@y>;expires=0, <sip:2001@10.1.0.1:7000>, <sip:2001@10.1.0.1>\n",
    ] {
        let answer = phone.register(&mut world, 11, two);
        assert_eq!(status(&answer), 403, "{two}");
        let warning = answer.first(HeaderName::Warning).unwrap();
        assert!(warning.contains("one contact for each number"), "{warning}");
    }
    let answer = phone.register(&mut world, 11, "");
    assert_eq!(contacts(&answer), [HERE]);
    // The same one twice is one.
    let twice = format!("Contact: <{HERE}>;expires=300, <{HERE}>;expires=400\n");
    let answer = phone.register(&mut world, 12, &twice);
    assert_eq!((status(&answer), contacts(&answer)), (200, vec![HERE.to_owned()]));
}

#[test]
fn an_old_number_takes_nothing_away() {
    let (mut world, mut phone) = registered();
    for (cseq, old) in [(9, "Contact: *\nExpires: 0\n"), (10, "Contact: *\nExpires: 0\n")] {
        assert_eq!(status(&phone.register(&mut world, cseq, old)), 500, "{old}");
    }
    let old = format!("Contact: <{HERE}>;expires=0\n");
    assert_eq!(status(&phone.register(&mut world, 10, &old)), 500);
    let answer = phone.register(&mut world, 11, "");
    assert_eq!(contacts(&answer), [HERE]);
    // Another Call-ID has numbers of its own.
    phone.call_id = "another".into();
    assert_eq!(status(&phone.register(&mut world, 1, "Contact: *\nExpires: 0\n")), 200);
    assert_eq!(world.overview().registered, 0);
}

#[test]
fn the_request_that_comes_twice_is_answered_twice() {
    let (mut world, mut phone) = registered();
    let lines = format!("Contact: <{HERE}>\nExpires: 300\n");
    for _ in 0..2 {
        let answer = phone.register_in(&mut world, "z9hG4bK-same", 11, &lines);
        assert_eq!((status(&answer), contacts(&answer)), (200, vec![HERE.to_owned()]));
    }
}

#[test]
fn star_takes_what_one_number_has_and_no_other() {
    let (mut world, mut phone) = registered();
    world.create(jackfield_model::Kind::Line, serde_json::json!({ "number": "2002" }));
    let device = world.directory.device(NAME).unwrap();
    let lines = serde_json::json!([{ "line": "2001" }, { "line": "2002" }]);
    world.change(device, serde_json::json!({ "lines": lines }));
    let mut second = Raw::new("2002", "10.1.0.1:5062");
    let contact = "Contact: <sip:2002@10.1.0.1:5062>\n";
    assert_eq!(status(&second.register(&mut world, 1, contact)), 200);
    assert_eq!(status(&phone.register(&mut world, 11, "Contact: *\nExpires: 0\n")), 200);
    assert_eq!(contacts(&second.register(&mut world, 2, "")), ["sip:2002@10.1.0.1:5062"]);
    assert_eq!(contacts(&phone.register(&mut world, 12, "")).len(), 0);
}
