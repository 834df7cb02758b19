//! Who calls and who answers is shown on the phones, by number and name, unless they do not want it.

use jackfield_sip::header::{From, PAssertedIdentity, RemotePartyId};
use jackfield_sip::{HeaderName, Message};
use serde_json::json;

use crate::world::{CallState, PhoneId, World, sdp};

fn house() -> (World, PhoneId, PhoneId) {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    (world, alice, bob)
}

fn name_line(world: &mut World, number: &str, name: &str) {
    let line = world.directory.lines_with(number).next().unwrap().0.id();
    world.change(line, json!({ "alerting_name": name }));
}

/// What went to this phone and begins so.
fn sent(world: &World, phone: PhoneId, start: &str) -> Vec<Message> {
    let start = format!(" {} \"{start}", world.phones[&phone].local);
    let lines = world.transcript.iter().filter_map(|line| line.split_once(&start));
    let whole = lines.map(|(_, rest)| {
        let rest = rest.trim_end_matches('"').replace("\\r\\n", "\r\n").replace("\\\"", "\"");
        format!("{}{rest}", start.split_once('"').unwrap().1)
    });
    whole.map(|text| Message::parse_datagram(text.as_bytes()).unwrap()).collect()
}

fn identity(message: &Message) -> (String, String) {
    let asserted = message.typed::<PAssertedIdentity>().unwrap();
    let party = message.typed::<RemotePartyId>().unwrap();
    assert_eq!((asserted.user(), asserted.display()), (party.user(), party.display()));
    (asserted.user().unwrap().into(), asserted.display().into())
}

#[test]
fn the_name_of_the_line_is_shown_to_those_whom_it_calls() {
    let (mut world, alice, bob) = house();
    name_line(&mut world, "2001", "Reception");
    world.dial(alice, "2002");
    let invite = world.phones[&bob].call().message.clone().unwrap();
    assert_eq!(identity(&invite), ("2001".into(), "Reception".into()));
    let from = invite.typed::<From>().unwrap();
    assert_eq!((&*from.user().unwrap(), &*from.display()), ("2001", "Reception"));
}

#[test]
fn who_is_called_is_shown_while_it_rings_and_when_it_answers() {
    let (mut world, alice, bob) = house();
    name_line(&mut world, "2002", "Workshop");
    world.dial(alice, "2002");
    world.answer(bob);
    for start in ["SIP/2.0 180", "SIP/2.0 200 OK"] {
        let answer = sent(&world, alice, start).pop().unwrap();
        assert_eq!(identity(&answer), ("2002".into(), "Workshop".into()), "{start}");
    }
}

#[test]
fn whom_the_call_reached_is_shown_while_it_rings() {
    let (mut world, alice, bob) = house();
    let carol = world.phone("SEP001122AABB03", "2003");
    world.registered(carol);
    let line = world.directory.lines_with("2002").next().unwrap().0.id();
    world.change(line, json!({ "forwards": { "all": { "destination": "2003" } } }));
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::None);
    let ringing = sent(&world, alice, "SIP/2.0 180").pop().unwrap();
    assert_eq!(identity(&ringing).0, "2003");
}

/// Each way in which a caller can say that it wants to be anonymous.
const ANONYMOUS: [(&str, &str); 7] = [
    ("Privacy", "id"),
    ("Privacy", "user;id;critical"),
    ("Privacy", "header"),
    ("Remote-Party-ID", "<sip:2001@192.0.2.10>;party=calling;privacy=full"),
    ("From", "\"Anonymous\" <sip:2001@192.0.2.10>"),
    ("From", "<sip:anonymous@192.0.2.10>"),
    ("From", "\"ANONYMOUS\" <sip:anonymous@anonymous.invalid>"),
];

fn anonymous(world: &mut World, phone: PhoneId, (name, value): (&str, &str)) {
    let phone = world.phones.get_mut(&phone).unwrap();
    match name {
        "From" => phone.says_from = Some(value.into()),
        name => phone.says.push((name.into(), value.into())),
    }
}

#[test]
fn a_caller_that_wants_to_be_anonymous_is_known_nowhere() {
    for wish in ANONYMOUS {
        let (mut world, alice, bob) = house();
        name_line(&mut world, "2001", "Reception");
        anonymous(&mut world, alice, wish);
        // Some phones name themselves in their description too.
        let own = sdp("10.1.0.1", 1, "sendrecv").replace("o=- ", "o=2001 ");
        world.dial_with(alice, "2002", &own);
        let invite = world.phones[&bob].call().message.clone().unwrap();
        let from = invite.typed::<From>().unwrap();
        assert_eq!(from.uri.to_string(), "sip:anonymous@anonymous.invalid", "{wish:?}");
        assert_eq!(from.display(), "Anonymous");
        world.answer(bob);
        world.re_invite(alice, &own.replace("1 1 IN", "1 2 IN").replace("sendrecv", "sendonly"));
        world.run(1);
        world.re_invite(bob, &sdp("10.1.0.2", 2, "sendonly"));
        world.run(1);
        world.hang_up(alice);
        for message in sent(&world, bob, "") {
            // The token of our Contact is random.
            let text = String::from_utf8(message.to_bytes()).unwrap();
            assert!(!text.contains("2001") && !text.contains("Reception"), "{wish:?}: {text}");
        }
        world.run(1);
        assert_eq!(&*world.heard.records[0].calling, "2001", "the record is the administrator's");
        world.assert_quiet();
    }
}

#[test]
fn who_hides_only_the_name_or_nothing_is_shown_so() {
    for (wish, shown) in [
        (("Remote-Party-ID", "<sip:2001@h>;privacy=name"), ("2001", "")),
        (("Remote-Party-ID", "<sip:2001@h>;privacy=off"), ("2001", "User 2001")),
        (("Privacy", "none"), ("2001", "User 2001")),
        (("Privacy", "critical;id;none"), ("", "")),
    ] {
        let (mut world, alice, bob) = house();
        anonymous(&mut world, alice, wish);
        world.dial(alice, "2002");
        let invite = world.phones[&bob].call().message.clone().unwrap();
        if shown.0.is_empty() {
            assert!(invite.first(HeaderName::PAssertedIdentity).is_none());
        } else {
            assert_eq!(identity(&invite), (shown.0.into(), shown.1.into()), "{wish:?}");
        }
    }
}

/// RFC 3323 section 5: what is critical and can't be given is refused.
#[test]
fn privacy_that_is_critical_and_out_of_reach_is_refused() {
    let (mut world, alice, bob) = house();
    anonymous(&mut world, alice, ("Privacy", "session;critical"));
    world.dial(alice, "2002");
    world.assert_state(alice, CallState::Over(500));
    world.assert_state(bob, CallState::None);
    let answer = world.phones[&alice].call().message.clone().unwrap();
    assert!(answer.first(HeaderName::Warning).unwrap().contains("privacy"));
}

#[test]
fn one_that_is_called_may_be_anonymous_too() {
    for line in ["Privacy: id\n", "Remote-Party-ID: <sip:2002@h>;party=called;privacy=full\n"] {
        let (mut world, alice, bob) = house();
        world.phones.get_mut(&bob).unwrap().rings = false;
        world.dial(alice, "2002");
        let contact = "Contact: <sip:2002@10.1.0.2:5060>\n";
        world.answer_raw(bob, "180 Ringing", ";tag=b", &format!("{contact}{line}"), "");
        let body = sdp("10.1.0.2", 1, "sendrecv");
        world.answer_raw(bob, "200 OK", ";tag=b", &format!("{contact}{line}"), &body);
        world.assert_state(alice, CallState::Talking);
        for start in ["SIP/2.0 180", "SIP/2.0 200 OK"] {
            let answer = sent(&world, alice, start).pop().unwrap();
            assert!(answer.first(HeaderName::PAssertedIdentity).is_none(), "{line}");
            assert!(answer.first(HeaderName::RemotePartyId).is_none(), "{line}");
        }
    }
}
