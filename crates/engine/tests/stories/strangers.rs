//! Strangers send whatever they like: it is answered or not, nothing is kept of it, and phones go on.

use jackfield_model::Kind;
use jackfield_sip::digest::{Challenge, Login};
use jackfield_sip::{HeaderName, Message};
use jackfield_vocabulary::share::{Figures, uses};
use serde_json::json;

use crate::world::{CallState, PhoneId, Raw, Secret, World, status as raw_status};

const STRANGER: &str = "10.66.6.6:5060";

fn request(method: &str, number: u32, tag: &str, extra: &str) -> String {
    format!(
        "{method} sip:2002@192.0.2.10 SIP/2.0\n\
         Via: SIP/2.0/UDP {STRANGER};branch=z9hG4bKf{number};rport\nMax-Forwards: 70\n\
         From: <sip:{number}@x>;tag={number}\nTo: <sip:2002@x>{tag}\nCall-ID: f{number}\n\
         CSeq: 1 {method}\n{extra}Content-Length: 0\n\n"
    )
}

/// The status of what the engine sent last to nobody's phone.
fn status(world: &World) -> &str {
    let (_, bytes) = world.store.strays.last().expect("nothing was answered");
    core::str::from_utf8(&bytes[8..11]).unwrap()
}

fn two_phones() -> (World, PhoneId, PhoneId) {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    (world, alice, bob)
}

#[test]
fn whatever_a_stranger_asks_is_answered_and_nothing_is_kept_of_it() {
    let credentials = "Authorization: Digest username=\"SEP001122AABB01\", realm=\"jackfield\", \
                       nonce=\"x\", uri=\"sip:2002@192.0.2.10\", response=\"00\"\n";
    let (mut world, alice, bob) = two_phones();
    let mut number = 0;
    for (method, tag, extra, right) in [
        ("OPTIONS", "", "", "401"),
        ("OPTIONS", ";tag=guess", "", "481"),
        ("SUBSCRIBE", "", "Event: presence\n", "489"),
        ("SUBSCRIBE", ";tag=guess", "Event: presence\n", "481"),
        ("NOTIFY", "", "Event: keep-alive\n", "200"),
        ("NOTIFY", ";tag=guess", "Event: kpml\n", "481"),
        ("MESSAGE", "", "", "405"),
        ("PUBLISH", "", "Event: presence\n", "405"),
        ("REFER", "", "Refer-To: <sip:x@y>\n", "405"),
        ("REFER", ";tag=guess", "Refer-To: <sip:x@y>\n", "481"),
        ("INFO", "", "", "481"),
        ("INFO", ";tag=guess", "", "481"),
        ("UPDATE", ";tag=guess", "", "481"),
        ("BYE", ";tag=guess", "", "481"),
        ("PRACK", ";tag=guess", "", "481"),
        ("CANCEL", "", "", "481"),
        ("DANCE", "", "", "501"),
        ("INVITE", "", "", "401"),
        ("INVITE", "", credentials, "401"),
        ("INVITE", ";tag=guess", "", "481"),
    ] {
        for _ in 0..200 {
            number += 1;
            world.send_raw(STRANGER, &request(method, number, tag, extra));
            assert_eq!(status(&world), right, "{method} {tag} {extra}");
        }
        assert_eq!(world.counter("sip-transactions"), 0, "{method} {tag} {extra}");
    }
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
}

#[test]
fn what_is_sent_again_is_answered_the_same_way() {
    for method in ["OPTIONS", "SUBSCRIBE", "INVITE"] {
        let (mut world, ..) = two_phones();
        world.send_raw(STRANGER, &request(method, 1, "", "Event: presence\n"));
        world.send_raw(STRANGER, &request(method, 1, "", "Event: presence\n"));
        let [(_, first), (_, second)] = &world.store.strays[..] else { panic!("two answers") };
        assert_eq!(first, second);
    }
}

/// A phone that needs no secret and never hears what it is answered.
fn mallory(world: &mut World) -> String {
    let open = json!({ "name": "Open", "transport": "udp", "digest": false });
    let open = world.create(Kind::SecurityProfile, open);
    let mallory = world.phone("SEP001122AABB03", "2003");
    let device = world.directory.find(Kind::Phone, "SEP001122AABB03").unwrap();
    world.change(device, json!({ "security_profile": open.0 }));
    let phone = world.phones.get_mut(&mallory).unwrap();
    (phone.user, phone.secret) = ("SEP001122AABB03".into(), Secret::None);
    world.registered(mallory);
    let from = world.phones[&mallory].local.to_string();
    world.network.cut_off.push(mallory);
    from
}

/// It calls a number that nobody has, with these lines in its request.
fn call_nobody(world: &mut World, from: &str, number: u32, lines: &str) {
    let invite = request("INVITE", number, "", &format!("Contact: <sip:2003@{from}>\n{lines}"));
    let invite = invite.replace(STRANGER, from).replace("sip:2002@", "sip:2999@");
    world.send_raw(from, &invite.replace(&format!("sip:{number}@x"), "sip:2003@x"));
}

fn held(world: &mut World, name: &str) -> Figures {
    world.overview().limits.into_iter().find(|one| &*one.name == name).unwrap()
}

#[test]
fn a_phone_without_a_secret_that_calls_and_calls_has_its_share_and_no_more() {
    let (mut world, alice, bob) = two_phones();
    let from = mallory(&mut world);
    for number in 0..4100 {
        call_nobody(&mut world, &from, number, "");
    }
    let held = held(&mut world, "sip-transactions");
    assert_eq!((held.held, held.refused), (4000, 100));
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
}

/// Each answer repeats every Via, and is kept for 32 seconds.
#[test]
fn large_requests_count_by_their_octets() {
    let (mut world, alice, bob) = two_phones();
    let from = mallory(&mut world);
    let vias = format!("Via: SIP/2.0/UDP h;x={}\n", "y".repeat(8000)).repeat(7);
    for number in 0..300 {
        call_nobody(&mut world, &from, number, &vias);
    }
    let octets = held(&mut world, "sip-transaction-octets");
    assert!(octets.held <= uses::SIP_TRANSACTION_OCTETS.limits().share);
    assert_eq!(held(&mut world, "sip-transactions").held, 300 - octets.refused);
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    world.hang_up(alice);
    world.run(70);
    assert_eq!(held(&mut world, "sip-transaction-octets").held, 0);
}

/// Many addresses of record of many phones are kept: none of them is a book.
#[test]
fn what_is_kept_of_a_registration_is_short() {
    let mut world = World::new();
    let long = "x".repeat(600);
    for (user, call_id, contact) in [
        ("001122AABB01", "c", &*format!("<sip:x@10.1.0.7;x={long}>")),
        ("001122AABB01", &long, "<sip:x@10.1.0.7>"),
        (&long, "c", "<sip:001122AABB01@10.1.0.7>"),
    ] {
        let mut phone = Raw::new(user, "10.1.0.7:5060");
        phone.call_id = call_id.into();
        let answer = phone.register(&mut world, 1, &format!("Contact: {contact}\n"));
        assert_eq!(raw_status(&answer), 400, "{user} {call_id} {contact}");
    }
    let mut phone = Raw::new("001122AABB01", "10.1.0.7:5060");
    let answer = phone.register(&mut world, 2, "Contact: <sip:001122AABB01@10.1.0.7>\n");
    assert_eq!(raw_status(&answer), 200);
}

/// A request inside Alice's call with Bob, as she would send it.
fn inside(world: &World, alice: PhoneId, method: &str, sequence: u32, extra: &str) -> String {
    let dialog = world.phones[&alice].calls.last().unwrap().dialog.as_ref().unwrap();
    let id = dialog.id();
    format!(
        "{method} sip:2002@192.0.2.10 SIP/2.0\n\
         Via: SIP/2.0/UDP {STRANGER};branch=z9hG4bKi{sequence};rport\nMax-Forwards: 70\n\
         From: <sip:2001@x>;tag={}\nTo: <sip:2002@x>;tag={}\nCall-ID: {}\n\
         CSeq: {sequence} {method}\nContact: <sip:2001@{STRANGER}>\n{extra}Content-Length: 0\n\n",
        id.local_tag, id.remote_tag, id.call_id
    )
}

#[test]
fn who_has_listened_can_not_speak_in_the_call_from_elsewhere() {
    let (mut world, alice, bob) = two_phones();
    world.dial(alice, "2002");
    world.answer(bob);
    for (sequence, method) in (100..).zip(["BYE", "INVITE", "UPDATE", "INFO", "REFER", "OPTIONS"]) {
        let asked = inside(&world, alice, method, sequence, "Refer-To: <sip:x@y>\n");
        world.send_raw(STRANGER, &asked);
        assert_eq!(status(&world), "401", "{method}");
        world.run(1);
        world.assert_state(alice, CallState::Talking);
        world.assert_state(bob, CallState::Talking);
    }
    assert_eq!(world.phones[&bob].calls[0].re_offers, 0);
    world.hang_up(alice);
    world.assert_state(bob, CallState::Over(0));
    world.assert_quiet();
    world.run(70);
    let limits = world.overview().limits;
    assert_eq!((&*limits[0].name, limits[0].held), ("sip-transactions", 0));
}

#[test]
fn the_phone_itself_speaks_from_elsewhere_when_it_shows_its_secret() {
    let (mut world, alice, bob) = two_phones();
    world.dial(alice, "2002");
    world.answer(bob);
    let asked = inside(&world, alice, "BYE", 100, "");
    world.send_raw(STRANGER, &asked);
    let challenged = Message::parse_datagram(&world.store.strays.last().unwrap().1).unwrap();
    let challenge = challenged.first(HeaderName::WwwAuthenticate).unwrap();
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    let password = world.directory.secrets().sip_password(device);
    let credentials = Challenge::parse(challenge).unwrap().answer(&Login {
        username: "SEP001122AABB01",
        password: password.reveal(),
        method: "BYE",
        uri: "sip:2002@192.0.2.10",
        cnonce: "c",
        count: 1,
        body: &[],
    });
    let authorization = format!("Authorization: {}\n", credentials.unwrap());
    let asked = inside(&world, alice, "BYE", 101, &authorization);
    world.send_raw(STRANGER, &asked);
    assert_eq!(status(&world), "200");
    world.run(1);
    world.assert_state(bob, CallState::Over(0));
}

#[test]
fn a_call_is_given_up_only_from_where_it_came() {
    let (mut world, alice, bob) = two_phones();
    world.record = true;
    world.dial(alice, "2002");
    let invite = world.recorded.iter().rev().find(|bytes| bytes.starts_with(b"INVITE ")).unwrap();
    let invite = String::from_utf8(invite.clone()).unwrap();
    let head = invite.split("\r\n\r\n").next().unwrap();
    let lines = head.lines().filter(|line| !line.starts_with("Content-"));
    let cancel = lines.collect::<Vec<_>>().join("\n").replace("INVITE", "CANCEL");
    let cancel =
        format!("{cancel}\nContent-Length: 0\n\n").replace("Allow: CANCEL", "Allow: INVITE");
    world.send_raw(STRANGER, &cancel);
    assert_eq!(status(&world), "481");
    world.run(1);
    world.assert_state(bob, CallState::Ringing);
    let from = world.phones[&alice].local.to_string();
    world.send_raw(&from, &cancel);
    world.run(1);
    world.assert_state(bob, CallState::Over(487));
}

#[test]
fn a_uri_that_asks_for_tls_is_refused_where_there_is_none() {
    for method in ["INVITE", "REGISTER", "OPTIONS", "MESSAGE"] {
        let mut world = World::new();
        let asked = request(method, 1, "", "Contact: <sip:x@10.66.6.6>\n");
        world.send_raw(STRANGER, &asked.replacen("sip:2002", "SIPS:2002", 1));
        assert_eq!(status(&world), if method == "MESSAGE" { "405" } else { "416" }, "{method}");
    }
}
