//! Anybody can write any address into a datagram. Nothing comes of it: no phone is made, no call
//! begun, and little is sent to whoever is really there.

use jackfield_engine::{OperatorOrder, OperatorReply};
use jackfield_model::Kind;
use jackfield_sip::digest::{Challenge, Login};
use jackfield_sip::{HeaderName, Message, Method, Status};
use jackfield_vocabulary::Code;
use serde_json::json;

use crate::world::{CallState, NODE, World, sdp};

const VICTIM: &str = "10.77.7.7:7700";

/// A house in whose network anybody may write anybody's address into a datagram.
fn house() -> World {
    let mut world = World::new();
    world.network.forged = true;
    let settings = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
    world.change(settings, json!({ "unassigned_limit": 4 }));
    world
}

/// A house in which the place for phones that answer nothing is taken.
fn full_house() -> World {
    let mut world = house();
    world.send_raw("10.77.7.6:7700", &register("001122AABBFF", "10.77.7.6:7700", 1, ""));
    world.run(20);
    assert_eq!(world.overview().registered, 1);
    world
}

/// A REGISTER in the name of a hardware address, at this address, with more header lines.
fn register(mac: &str, at: &str, number: u32, more: &str) -> String {
    format!(
        "REGISTER sip:192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{mac}-{number};rport\n\
         From: <sip:{mac}@192.0.2.10>;tag=1\nTo: <sip:{mac}@192.0.2.10>\nCall-ID: {mac}\n\
         CSeq: {number} REGISTER\nContact: <sip:{mac}@{at}>\nExpires: 3600\n{more}\
         Content-Length: 0\n\n"
    )
}

fn invite(mac: &str, at: &str) -> String {
    let events = "a=rtpmap:101 telephone-event/8000\r\n";
    let body = sdp(at.split(':').next().unwrap(), 1, "sendrecv");
    let body = body.replace(" 101", "").replace(events, "");
    format!(
        "INVITE sip:2002@192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bKi{mac};rport\n\
         From: <sip:{mac}@192.0.2.10>;tag=1\nTo: <sip:2002@192.0.2.10>\nCall-ID: i{mac}\n\
         CSeq: 1 INVITE\nContact: <sip:{mac}@{at}>\nContent-Type: application/sdp\n\
         Content-Length: {}\n\n{body}",
        body.len()
    )
}

/// What came to an address, and how many octets with the headers of UDP and IPv4.
fn received(world: &mut World, at: &str) -> (Vec<Message>, usize) {
    let at = at.parse().unwrap();
    let all = core::mem::take(&mut world.store.strays).into_iter();
    let bytes: Vec<Vec<u8>> = all.filter(|(to, _)| *to == at).map(|(_, bytes)| bytes).collect();
    let octets = bytes.iter().map(|bytes| bytes.len() + 28).sum();
    (bytes.iter().map(|bytes| Message::parse_datagram(bytes).unwrap()).collect(), octets)
}

fn statuses(messages: &[Message]) -> Vec<u16> {
    messages.iter().filter_map(|one| Some(one.status()?.code())).collect()
}

/// The Authorization with which a phone answers a challenge, whatever it takes for its password.
fn authorization(challenged: &Message) -> String {
    let challenge = challenged.first(HeaderName::WwwAuthenticate).unwrap();
    let challenge = Challenge::parse(challenge).unwrap();
    let credentials = challenge.answer(&Login {
        username: "admin",
        password: "1234",
        method: "REGISTER",
        uri: "sip:192.0.2.10",
        cnonce: "c0ffee",
        count: 1,
        body: &[],
    });
    format!("Authorization: {}\n", credentials.unwrap())
}

/// Proves SP-43.e: some phones answer no OPTIONS, and have nothing to answer a challenge with.
#[test]
fn a_phone_that_answers_nothing_is_taken_in_and_goes_on_where_it_is() {
    let mut world = house();
    let told = |world: &mut World| {
        let (messages, _) = received(world, VICTIM);
        (
            statuses(&messages),
            messages.iter().filter(|one| one.method() == Some(&Method::Notify)).count(),
        )
    };
    for number in 1..=3 {
        // Each time with another Call-ID, as when it was switched off and on.
        let again = register("001122AABB01", VICTIM, number, "");
        let again = again.replace("Call-ID: ", &format!("Call-ID: {number}-"));
        world.send_raw(VICTIM, &again);
        world.run(4);
        assert_eq!(told(&mut world), (vec![200], usize::from(number == 1)), "{number}");
    }
    // Its time is over, and it comes back.
    world.run(3700);
    assert_eq!(world.overview().registered, 0);
    received(&mut world, VICTIM);
    for _ in 0..2 {
        world.send_raw(VICTIM, &register("001122AABB01", VICTIM, 9, ""));
        world.run(4);
    }
    assert_eq!(told(&mut world).0.last(), Some(&200));
    // From elsewhere it is another one.
    for number in 1..=3 {
        world.send_raw("10.77.7.9:7700", &register("001122AABB01", "10.77.7.9:7700", number, ""));
        world.run(4);
    }
    assert_eq!(statuses(&received(&mut world, "10.77.7.9:7700").0), [401, 401, 401]);
}

#[test]
fn no_phone_is_made_no_call_begun_and_little_sent_to_the_one_who_is_there() {
    let mut world = full_house();
    let timers = world.counter("timers");
    let mut sent = 0;
    for mac in ["001122AABB01", "001122AABB02", "001122AABB03"] {
        for number in 1..=3 {
            let forged = register(mac, VICTIM, number, "");
            sent += forged.len() + 28;
            world.send_raw(VICTIM, &forged);
            world.run_for(core::time::Duration::from_millis(300));
        }
        let forged = invite(mac, VICTIM);
        sent += forged.len() + 28;
        world.send_raw(VICTIM, &forged);
        world.run(40);
    }
    // The one place that is kept for phones that answer nothing is taken.
    assert_eq!((world.heard.submitted, world.overview().registered), (1, 1));
    assert_eq!(world.counter("newcomers-not-there"), 4);
    let (messages, octets) = received(&mut world, VICTIM);
    assert!(octets < 2 * sent, "{octets} octets for {sent}");
    assert!(messages.iter().all(|one| one.method().is_none_or(|is| *is == Method::Options)));
    assert!(statuses(&messages).iter().all(|status| *status == 401), "{:?}", statuses(&messages));
    let mac = Some("001122AABB01".parse().unwrap());
    let Some(Ok(OperatorReply::Refused(why))) =
        world.order(OperatorOrder::Refused { mac, address: None })
    else {
        panic!("no answer");
    };
    assert_eq!(why[0].refusal.code, Code::PhoneNotThere);
    assert_eq!((world.counter("timers"), world.counter("sip-transactions")), (timers, 0));
}

/// One datagram is asked about once, and answered once.
#[test]
fn a_single_datagram_brings_less_than_three_times_as_much() {
    let mut world = full_house();
    let forged = register("001122AABB01", VICTIM, 1, "");
    world.send_raw(VICTIM, &forged);
    world.run(60);
    let (messages, octets) = received(&mut world, VICTIM);
    assert_eq!(messages.len(), 2);
    assert!(octets < 3 * (forged.len() + 28), "{octets} octets for {}", forged.len() + 28);
}

#[test]
fn a_phone_that_answers_no_question_is_taken_in_when_it_brings_back_what_it_was_given() {
    let mut world = full_house();
    world.send_raw(VICTIM, &register("001122AABB01", VICTIM, 1, ""));
    world.run(3);
    let (messages, _) = received(&mut world, VICTIM);
    assert_eq!(statuses(&messages), [401]);
    let shown = authorization(messages.last().unwrap());
    // Somebody else has no use of it elsewhere.
    let elsewhere = "10.77.7.8:7700";
    world.send_raw(elsewhere, &register("001122AABB01", elsewhere, 2, &shown));
    world.run(3);
    assert_eq!(statuses(&received(&mut world, elsewhere).0), [401]);
    world.send_raw(VICTIM, &register("001122AABB01", VICTIM, 2, &shown));
    world.run(1);
    assert_eq!(statuses(&received(&mut world, VICTIM).0), [200]);
    assert!(world.directory.find(Kind::Phone, "SEP001122AABB01").is_some());
}

#[test]
fn a_new_phone_that_left_is_nowhere_because_somebody_says_so() {
    let mut world = house();
    let new = world.stranger("SEP001122AABB01", "001122AABB01");
    assert_eq!(world.register(new), 200);
    world.run(3700);
    for number in 1..=5 {
        world.send_raw(VICTIM, &register("001122AABB01", VICTIM, number, ""));
        world.run(3);
    }
    assert_eq!(world.overview().registered, 0);
    // The phone itself is asked whether it has its secret by now, and whether it is there, and is.
    world.reboot(new);
    assert_eq!(world.register(new), 401);
    assert_eq!(world.register(new), 200);
}

#[test]
fn over_a_connection_a_phone_is_where_it_says() {
    let mut world = house();
    let new = world.stranger("SEP001122AABB01", "001122AABB01");
    let phone = world.phones.get_mut(&new).unwrap();
    (phone.transport, phone.connection) = (jackfield_sip::Transport::Tcp, Some(7));
    world.transcript.clear();
    assert_eq!(world.register(new), 200);
    assert!(world.transcript.iter().all(|line| !line.contains("OPTIONS")), "it is not asked");
}

#[test]
fn a_phone_that_dials_as_soon_as_it_is_registered_is_served() {
    let mut world = house();
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(bob);
    let new = world.stranger("SEP001122AABB01", "001122AABB01");
    world.send_register(new, 3600);
    while world.phones[&new].answered.is_none() {
        world.run_for(core::time::Duration::from_millis(1));
    }
    assert_eq!(world.phones[&new].answered, Some(200));
    world.dial(new, "2002");
    world.assert_state(new, CallState::Over(403));
}

/// The question was lost, or its answer: the phone comes again, and is asked again.
#[test]
fn a_bad_network_keeps_no_new_phone_out() {
    let mut taken_in = 0;
    for seed in 0..20 {
        let mut world = World::with_seed(seed);
        world.network.forged = true;
        world.network.lost = 20;
        let new = world.stranger("SEP001122AABB01", "001122AABB01");
        // One that was asked for credentials it has not got comes again later.
        taken_in += u32::from((0..3).any(|_| world.register(new) == 200));
    }
    assert_eq!(taken_in, 20);
}

/// Many say that they are at one address: others are asked all the same.
#[test]
fn a_flood_in_one_name_leaves_room_for_others() {
    let mut world = house();
    for number in 0..3000_u32 {
        world.send_raw(VICTIM, &register(&format!("0011{number:08X}"), VICTIM, 1, ""));
    }
    let (messages, _) = received(&mut world, VICTIM);
    let asked = messages.iter().filter(|one| one.method() == Some(&Method::Options)).count();
    assert_eq!((asked, statuses(&messages).len()), (1024, 3000 - 1024), "the rest at once");
    let honest = world.stranger("SEP0022FFFFFF01", "0022FFFFFF01");
    assert_eq!(world.register(honest), 200);
    world.run(3);
    let limits = world.overview().limits;
    assert_eq!(limits.iter().find(|one| &*one.name == "probes").unwrap().held, 0);
}

/// Where a security profile takes a phone's word: what it does not acknowledge goes out three times.
#[test]
fn what_is_said_to_a_caller_without_a_secret_goes_out_three_times() {
    for (answered, most) in [(true, 8), (false, 5)] {
        let mut world = house();
        world.open_phone("SEP0022AABBCC01", "2001");
        let bob = world.phone("SEP0022AABBCC02", "2002");
        world.registered(bob);
        world.send_raw(VICTIM, &register("SEP0022AABBCC01", VICTIM, 1, "Allow-Events: kpml\n"));
        world.run(1);
        received(&mut world, VICTIM);
        // Answers repeat the Via, and requests in the call the Record-Route.
        let long = ";x=".to_owned() + &"y".repeat(7000);
        let via = format!("Via: SIP/2.0/UDP 10.77.7.7;branch=z9hG4bKx{long}\n").repeat(3);
        let route = format!("Record-Route: <sip:10.77.7.7{long};lr>\n").repeat(3);
        let invite =
            invite("SEP0022AABBCC01", VICTIM).replace(";rport\n", &format!(";rport\n{via}{route}"));
        world.send_raw(VICTIM, &invite);
        world.run(1);
        match answered {
            true => world.answer(bob),
            false => world.refuse(bob, Status::BUSY_HERE),
        }
        world.run(60);
        let (messages, octets) = received(&mut world, VICTIM);
        let finals = statuses(&messages).iter().filter(|status| **status >= 200).count();
        assert_eq!(finals, 3, "{:?}", statuses(&messages));
        assert!(messages.len() <= most, "{}", messages.len());
        assert!(octets < 7 * invite.len(), "{octets} octets for {}", invite.len());
        world.assert_quiet();
    }
}

/// Every phone answers an OPTIONS (RFC 3261 section 11.2), also one that somebody else's datagram brought.
#[test]
fn a_phone_that_answers_speaks_for_no_other_one() {
    let mut world = house();
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(bob);
    let at = world.phones[&bob].local.to_string();
    world.transcript.clear();
    for mac in ["001122AABB11", "001122AABB12", "001122AABB13"] {
        world.send_raw(&at, &register(mac, &at, 1, ""));
        // Or only the Contact is the phone's.
        let beside = at.replace(":5060", ":9");
        let forged =
            register(mac, &beside, 2, "").replace(&format!("@{beside}>"), &format!("@{at}>"));
        world.send_raw(&beside, &forged.replace(";rport", ""));
        world.run(5);
    }
    assert_eq!(world.heard.submitted, 0);
    assert!(world.phones[&bob].told.is_empty(), "{:?}", world.phones[&bob].told);
    assert!(world.transcript.iter().all(|line| !line.contains("OPTIONS")));
}

/// It sends from one port and listens at another, as its Contact says, and answers there, too.
#[test]
fn a_phone_that_listens_elsewhere_speaks_for_no_other_one_there() {
    for asks_back in [true, false] {
        let mut world = house();
        let bob = world.phone("SEP001122AABB02", "2002");
        let phone = world.phones.get_mut(&bob).unwrap();
        let at = phone.local.to_string();
        phone.mouth = Some(at.replace(":5060", ":31000").parse().unwrap());
        world.registered(bob);
        world.transcript.clear();
        let way = if asks_back { ";rport" } else { "" };
        for (number, from) in [&at, &at.replace(":5060", ":9")].into_iter().enumerate() {
            let forged = register("001122AABB11", from, number as u32 + 1, "");
            let contact = (format!("@{from}>\nExpires"), format!("@{at}>\nExpires"));
            let forged = forged.replace(&contact.0, &contact.1).replace(";rport", way);
            world.send_raw(from, &forged);
            world.run(5);
        }
        let asked: Vec<&String> =
            world.transcript.iter().filter(|line| line.contains("OPTIONS")).collect();
        assert_eq!((world.heard.submitted, asked.len()), (0, 0), "{asked:?}");
        // When it is gone, another one may come there.
        assert_eq!(world.unregister(bob), 200);
        world.phones.remove(&bob);
        world.send_raw(&at, &register("001122AABB11", &at, 9, ""));
        world.run_for(core::time::Duration::from_millis(100));
        assert!(world.transcript.iter().any(|line| line.contains("OPTIONS")));
    }
}

/// A new phone that is registered without a secret stays so, whatever is said in its name.
#[test]
fn a_new_phones_answer_ends_no_registration_and_leads_none_elsewhere() {
    let mut world = house();
    let new = world.stranger("SEP001122AABB01", "001122AABB01");
    assert_eq!(world.register(new), 200);
    let at = world.phones[&new].local.to_string();
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    let forged = register("001122AABB01", &at, 1, "").replace("Call-ID: ", "Call-ID: x");
    let contact = format!("<sip:001122AABB01@{at}>");
    let beside = at.replace(":5060", ":9");
    for forged in [
        forged.replace("Expires: 3600", "Expires: 0"),
        forged.replace(&format!("Contact: {contact}"), "Contact: *").replace("3600", "0"),
        forged.replace(&contact, &format!("<sip:evil@{at}>")),
        forged.replace(&contact, &format!("<sip:001122AABB01@{beside}>")).replace(";rport", ""),
    ] {
        for number in 1..=3 {
            let sign = format!("z9hG4bK{number}");
            let again = forged.replace("CSeq: 1", &format!("CSeq: {number}"));
            world.send_raw(&at, &again.replace("z9hG4bK", &sign));
            world.run(5);
        }
        assert!(world.inspect(device).registered, "{forged}");
        // What the phone's own Call-ID asks says where it is.
        let own =
            register("001122AABB01", &at, 2, "").replace("Call-ID: 001122AABB01", "Call-ID: reg-1");
        world.transcript.clear();
        world.send_raw(&at, &own.replace(&format!("Contact: {contact}\n"), ""));
        world.run(1);
        let said = world.transcript.join("\n");
        assert!(
            said.contains(&contact) && !said.contains("evil") && !said.contains(&beside),
            "{said}"
        );
    }
    // It was switched off and on, and then once more, with another port.
    world.reboot(new);
    assert_eq!(world.register(new), 200);
    world.reboot(new);
    world.phones.get_mut(&new).unwrap().local.set_port(5070);
    world.register(new);
    assert_eq!(world.register(new), 200);
}

/// The phone is there, and answered for itself; but the REGISTER was somebody else's, who knows its Call-ID.
#[test]
fn a_registration_that_somebody_elses_word_began_is_not_his_to_end_or_to_move() {
    let mut world = house();
    let new = world.stranger("SEP001122AABB01", "001122AABB01");
    let at = world.phones[&new].local.to_string();
    world.send_raw(&at, &register("001122AABB01", &at, 1, ""));
    world.run(2);
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    assert!(world.inspect(device).registered);
    let before = world.inspect(device).address;
    let contact = format!("<sip:001122AABB01@{at}>");
    let forgeries = |number| {
        let again = register("001122AABB01", &at, number, "");
        [
            again.replace("3600", "0"),
            again.replace(&format!("Contact: {contact}"), "Contact: *").replace("3600", "0"),
            again.replace(&contact, &format!("<sip:evil@{at}>")),
        ]
    };
    for number in 2..=4 {
        for (kind, forged) in forgeries(number * 10).into_iter().enumerate() {
            world.send_raw(&at, &forged.replace("z9hG4bK", &format!("z9hG4bK{kind}")));
            world.run(5);
            assert_eq!(world.inspect(device).address, before, "{forged}");
            assert!(world.inspect(device).registered, "{forged}");
        }
    }
    // The phone itself is asked whether it is there, and goes on, also when it is switched off and on.
    world.register(new);
    assert_eq!((world.register(new), world.register(new)), (200, 200));
    world.reboot(new);
    assert_eq!((world.register(new), world.unregister(new)), (200, 401));
}

#[test]
fn a_new_phones_registration_is_not_made_to_end_sooner_by_somebody_else() {
    let mut world = house();
    let new = world.stranger("SEP001122AABB01", "001122AABB01");
    assert_eq!(world.register(new), 200);
    let at = world.phones[&new].local.to_string();
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    for (number, user) in [(1, "001122AABB01"), (2, "001122AABB01"), (3, "former"), (4, "former")] {
        let brief = register("001122AABB01", &at, number, "").replace("3600", "60");
        world.send_raw(&at, &brief.replace("To: <sip:001122AABB01", &format!("To: <sip:{user}")));
        world.run(5);
    }
    world.run(100);
    assert!(world.inspect(device).registered);
}

/// A nonce is given to nobody but who is there.
#[test]
fn a_new_phone_that_brings_back_what_it_was_given_may_leave() {
    let mut world = full_house();
    world.send_raw(VICTIM, &register("001122AABB01", VICTIM, 1, ""));
    world.run(3);
    let (messages, _) = received(&mut world, VICTIM);
    let shown = authorization(messages.last().unwrap());
    world.send_raw(VICTIM, &register("001122AABB01", VICTIM, 2, &shown));
    world.run(1);
    world.send_raw(VICTIM, &register("001122AABB01", VICTIM, 3, "").replace("3600", "0"));
    world.run(1);
    assert_eq!(statuses(&received(&mut world, VICTIM).0), [200, 200]);
    let device = world.directory.find(Kind::Phone, "SEP001122AABB01").unwrap();
    assert!(!world.inspect(device).registered);
}

/// While a phone's REGISTER waits for its answer, another one in its name does not take its place.
#[test]
fn a_new_phones_answer_is_for_its_own_register() {
    let mut world = house();
    let new = world.stranger("SEP001122AABB01", "001122AABB01");
    let at = world.phones[&new].local.to_string();
    world.network.delay = 100;
    world.send_register(new, 3600);
    world.run_for(core::time::Duration::from_millis(120));
    let forged = register("001122AABB01", &at, 9, "").replace("Call-ID: ", "Call-ID: x");
    world.send_raw(&at, &forged.replace("<sip:001122AABB01@10", "<sip:evil@10"));
    world.run(5);
    assert_eq!(world.phones[&new].answered, Some(200));
}
