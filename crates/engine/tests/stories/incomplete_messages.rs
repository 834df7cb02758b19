//! Messages of older or careless phones that lack something and still say what they mean.

use jackfield_sip::{HeaderName, Method};

use crate::world::{CallState, PhoneId, World, sdp};

fn ringing() -> (World, PhoneId, PhoneId) {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
    (world, alice, bob)
}

/// Requests of this method that went to bob: their first line and To.
fn sent_to_bob(world: &World, method: &str) -> Vec<(String, String)> {
    let start = format!(" 10.1.0.2:5060 \"{method} ");
    let lines = world.transcript.iter().filter(|line| line.contains(&start));
    lines
        .map(|line| {
            let text = line.split_once('"').unwrap().1;
            let to = text.split("\\r\\n").find(|line| line.starts_with("To: ")).unwrap();
            (text.split("\\r\\n").next().unwrap().to_owned(), to.to_owned())
        })
        .collect()
}

/// RFC 3261 section 12.1.2: a missing tag counts as an empty one.
#[test]
fn an_acceptance_without_a_tag_is_a_call() {
    let (mut world, alice, bob) = ringing();
    let contact = "Contact: <sip:2002@10.1.0.2:5060>\n";
    world.answer_raw(bob, "200 OK", "", contact, &sdp("10.1.0.2", 1, "sendrecv"));
    world.assert_state(alice, CallState::Talking);
    world.hang_up(alice);
    let to = "To: <sip:2002@192.0.2.10>";
    for method in ["ACK", "BYE"] {
        let sent = sent_to_bob(&world, method);
        assert_eq!(sent.len(), 1, "{method}");
        assert_eq!(sent[0].1, to, "{method}");
    }
    world.run(1);
    world.assert_quiet();
}

/// RFC 3261 section 13.2.2.4: without a place of its own the phone is where the INVITE found it.
#[test]
fn an_acceptance_without_a_usable_contact_is_a_call() {
    for contact in ["", "Contact: <tel:2002>\n", "Contact: *\n"] {
        let (mut world, alice, bob) = ringing();
        let answer = sdp("10.1.0.2", 1, "sendrecv");
        world.answer_raw(bob, "200 OK", ";tag=b", contact, &answer);
        world.assert_state(alice, CallState::Talking);
        assert_eq!(
            sent_to_bob(&world, "ACK")[0].0,
            "ACK sip:2002@10.1.0.2:5060 SIP/2.0",
            "{contact}"
        );
        world.hang_up(alice);
        let byes = sent_to_bob(&world, "BYE");
        assert_eq!(byes[0].0, "BYE sip:2002@10.1.0.2:5060 SIP/2.0", "{contact}");
        world.run(1);
        world.assert_quiet();
    }
}

#[test]
fn an_acceptance_without_media_is_acknowledged_and_ended() {
    let (mut world, alice, bob) = ringing();
    world.answer_raw(bob, "200 OK", "", "", "");
    world.assert_state(alice, CallState::Over(488));
    assert_eq!((sent_to_bob(&world, "ACK").len(), sent_to_bob(&world, "BYE").len()), (1, 1));
    world.run(40);
    world.assert_quiet();
}

/// RFC 3261 sections 8.1.1.8 and 12.1.1.
#[test]
fn an_invitation_without_a_usable_contact_rings_nowhere() {
    for contact in ["", "<tel:2001>", "*", "<mailto:a@example.com>", "sip:"] {
        let mut world = World::new();
        let alice = world.phone("SEP001122AABB01", "2001");
        let bob = world.phone("SEP001122AABB02", "2002");
        world.registered(alice);
        world.registered(bob);
        world.phones.get_mut(&alice).unwrap().says_contact = Some(contact.into());
        world.dial(alice, "2002");
        world.assert_state(alice, CallState::Over(400));
        world.assert_state(bob, CallState::None);
        let answer = world.phones[&alice].call().message.clone().unwrap();
        assert!(answer.reason().contains("Contact"), "{}", answer.reason());
        world.assert_quiet();
    }
}

/// RFC 4475 section 3.1.2.10: the blank means nothing else.
#[test]
fn a_blank_after_the_version_loses_no_acknowledgement() {
    let (mut world, alice, bob) = ringing();
    world.phones.get_mut(&alice).unwrap().acknowledges = false;
    world.answer(bob);
    let ok = world.phones[&alice].call().message.clone().unwrap();
    let first = |name| ok.first(name).unwrap().to_owned();
    let ack = format!(
        "ACK sip:2002@192.0.2.10 SIP/2.0 \nVia: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bKack\n\
         From: {}\nTo: {}\nCall-ID: {}\nCSeq: {} ACK\n\n",
        first(HeaderName::From),
        first(HeaderName::To),
        ok.call_id(),
        ok.cseq().unwrap().number
    );
    world.send_raw("10.1.0.1:5060", &ack);
    world.run(60);
    assert_eq!(world.counter("calls-unacknowledged"), 0);
    world.assert_state(bob, CallState::Talking);
}

#[test]
fn a_goodbye_without_its_last_empty_line_ends_the_call() {
    let (mut world, alice, bob) = ringing();
    world.answer(bob);
    let dialog = world.phones[&alice].call().dialog.clone().unwrap();
    let bye = format!(
        "BYE {} SIP/2.0\nVia: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bKbye\nFrom: {}\nTo: {}\n\
         Call-ID: {}\nCSeq: 9 {}\nContent-Length: 0\n",
        dialog.remote_target(),
        dialog.local(),
        dialog.remote(),
        dialog.id().call_id,
        Method::Bye,
    );
    world.send_raw("10.1.0.1:5060", &bye);
    world.run(1);
    world.assert_state(bob, CallState::Over(0));
    world.assert_quiet();
}
