//! Bodies that can't be read, and methods, packages and numbers that are not served: each answer says what
//! is.

use jackfield_sip::{HeaderName, Message};

use crate::world::{CallState, PhoneId, World, sdp};

fn house() -> (World, PhoneId, PhoneId) {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    (world, alice, bob)
}

/// Several parts, the description among them.
fn mixed(others: &str) -> String {
    let sdp = sdp("10.1.0.1", 1, "sendrecv");
    format!("--cut\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n{others}--cut--\r\n")
}

fn part(kind: &str, disposition: &str) -> String {
    format!("--cut\r\nContent-Type: {kind}\r\n{disposition}\r\nplan 7\r\n")
}

/// RFC 3261 section 20.11: what is not marked as optional has to be understood.
#[test]
fn a_part_that_has_to_be_understood_and_is_not_rings_nowhere() {
    for disposition in [
        "",
        "Content-Disposition: signal\r\n",
        "Content-Disposition: signal;handling=required\r\n",
        "Content-Disposition: signal; handling = REQUIRED\r\n",
    ] {
        let (mut world, alice, bob) = house();
        world.dial_with(alice, "2002", &mixed(&part("application/x-plan", disposition)));
        world.assert_state(alice, CallState::Over(415));
        world.assert_state(bob, CallState::None);
        let answer = world.phones[&alice].call().message.clone().unwrap();
        assert!(answer.first(HeaderName::Accept).unwrap().contains("application/sdp"));
        world.assert_quiet();
    }
}

#[test]
fn a_part_that_is_optional_is_left_out() {
    for disposition in ["signal;handling=optional", "x ; Handling=\"optional\""] {
        let (mut world, alice, bob) = house();
        let line = format!("Content-Disposition: {disposition}\r\n");
        world.dial_with(alice, "2002", &mixed(&part("application/x-plan", &line)));
        world.assert_state(bob, CallState::Ringing);
        assert_eq!(world.phones[&bob].call().heard, sdp("10.1.0.1", 1, "sendrecv"));
    }
}

#[test]
fn a_body_that_is_optional_and_unknown_is_a_call_without_an_offer() {
    let (mut world, alice, bob) = house();
    let says = &mut world.phones.get_mut(&alice).unwrap().says;
    says.push(("Content-Disposition".into(), "signal;handling=optional".into()));
    // Its type says several parts, and there are none.
    world.dial_with(alice, "2002", "--nothing of the kind");
    world.assert_state(bob, CallState::Ringing);
    assert_eq!(world.phones[&bob].call().heard, "");
}

fn ask(world: &mut World, method: &str, number: &str, more: &str) -> Message {
    let before = world.transcript.len();
    let at = if number.is_empty() { String::new() } else { format!("{number}@") };
    world.send_raw(
        "10.1.0.1:5060",
        &format!(
            "{method} sip:{at}192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bKask{before}\n\
             From: <sip:2001@192.0.2.10>;tag=a\nTo: <sip:{at}192.0.2.10>\nCall-ID: ask{before}\n\
             CSeq: 1 {method}\n{more}Content-Length: 0\n\n"
        ),
    );
    let answer = world.transcript[before].split_once('"').unwrap().1;
    let answer = answer.trim_end_matches('"').replace("\\r\\n", "\r\n").replace("\\\"", "\"");
    Message::parse_datagram(answer.as_bytes()).unwrap()
}

#[test]
fn what_is_allowed_is_what_is_served() {
    let (mut world, ..) = house();
    for (method, more, status) in [
        ("OPTIONS", "", 200),
        ("MESSAGE", "", 405),
        ("PUBLISH", "", 405),
        ("REFER", "Refer-To: <sip:2002@192.0.2.10>\n", 405),
        ("SUBSCRIBE", "Event: presence\n", 489),
    ] {
        let answer = ask(&mut world, method, "", more);
        assert_eq!(answer.status().unwrap().code(), status, "{method}");
        let allowed: Vec<_> = answer.elements(HeaderName::Allow).collect();
        assert!(allowed.contains(&"INVITE") && allowed.contains(&"INFO"), "{method}");
        for refused in ["MESSAGE", "REFER", "SUBSCRIBE", "PUBLISH", "PRACK"] {
            assert!(!allowed.contains(&refused), "{method}: {refused}");
        }
        // RFC 6665 section 8.2.2.
        assert_eq!(answer.first(HeaderName::AllowEvents).is_some(), status == 489, "{method}");
    }
}

/// RFC 3261 section 11.2.
#[test]
fn a_number_answers_options_as_it_would_an_invitation() {
    let mut world = World::new();
    world.create(
        jackfield_model::Kind::SecurityProfile,
        serde_json::json!({ "name": "Open", "transport": "udp", "digest": false }),
    );
    let alice = world.phone("SEP001122AABB01", "2001");
    let device = world.phones[&alice].device.unwrap();
    world.change(device, serde_json::json!({ "security_profile": "Open" }));
    // So a phone is known that shows no secret.
    world.phones.get_mut(&alice).unwrap().user = "SEP001122AABB01".into();
    world.registered(alice);
    for (number, status) in [("", 200), ("2001", 200), ("99887766", 404), ("nobody", 404)] {
        assert_eq!(
            ask(&mut world, "OPTIONS", number, "").status().unwrap().code(),
            status,
            "{number}"
        );
    }
    let elsewhere = "203.0.113.9:5060";
    world.send_raw(
        elsewhere,
        "OPTIONS sip:2001@192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKx\n\
         From: <sip:x@y>;tag=a\nTo: <sip:2001@192.0.2.10>\nCall-ID: x\nCSeq: 1 OPTIONS\n\n",
    );
    let last = world.transcript.last().unwrap();
    assert!(last.contains("SIP/2.0 401"), "strangers learn no numbers: {last}");
}
