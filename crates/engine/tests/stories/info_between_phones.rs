//! What a phone says inside a call without changing it: between two phones it reaches the other one, whose
//! answer is the answer (RFC 6086).

use jackfield_sip::{HeaderName, Method};

use crate::world::{CallState, PhoneId, World};

fn talking() -> (World, PhoneId, PhoneId) {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    world.assert_state(alice, CallState::Talking);
    (world, alice, bob)
}

const REFRESH: &str = "<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder>\
    </vc_primitive></media_control>";

#[test]
fn keys_and_everything_else_reach_the_other_phone() {
    for (kind, body) in [
        ("application/dtmf-relay", "Signal=5\r\nDuration=100\r\n"),
        ("application/dtmf", "11"),
        ("application/media_control+xml", REFRESH),
        ("text/plain", "hello"),
    ] {
        let (mut world, alice, bob) = talking();
        for (from, to) in [(alice, bob), (bob, alice)] {
            world.send_in_call(from, Method::Info, kind, body);
            let heard = world.phones[&to].infos.last().unwrap();
            assert_eq!(heard.first(HeaderName::ContentType), Some(kind));
            assert_eq!(heard.body(), body.as_bytes());
            assert_eq!(world.phones[&from].flow_answers, [200], "{kind}");
            world.phones.get_mut(&from).unwrap().flow_answers.clear();
        }
        world.hang_up(alice);
        world.run(1);
        world.assert_quiet();
    }
}

#[test]
fn the_other_phones_refusal_is_the_answer() {
    for (status, heard) in [(415, 415), (469, 469), (501, 501), (407, 403)] {
        let (mut world, alice, bob) = talking();
        world.phones.get_mut(&bob).unwrap().answers_info = status;
        world.send_in_call(alice, Method::Info, "text/plain", "hello");
        assert_eq!(world.phones[&alice].flow_answers, [heard]);
        world.assert_state(bob, CallState::Talking);
    }
}

#[test]
fn garbage_instead_of_a_key_goes_nowhere() {
    let (mut world, alice, bob) = talking();
    for (kind, body) in [
        ("application/dtmf-relay", "Signal=X"),
        ("application/dtmf-relay", "Duration=100"),
        ("application/dtmf", "17"),
        ("Application/DTMF;charset=x", "1234"),
    ] {
        world.send_in_call(alice, Method::Info, kind, body);
    }
    assert_eq!(world.phones[&alice].flow_answers, [400; 4]);
    assert!(world.phones[&bob].infos.is_empty());
}

#[test]
fn a_phone_that_does_not_answer_leaves_nothing_behind() {
    let (mut world, alice, bob) = talking();
    world.phones.get_mut(&bob).unwrap().answers_info = 0;
    for _ in 0..40 {
        world.send_in_call(alice, Method::Info, "text/plain", "hello");
    }
    let refused = world.phones[&alice].flow_answers.iter().filter(|status| **status == 500).count();
    assert_eq!(refused, 40 - 16, "so many may wait");
    world.hang_up(bob);
    world.run(1);
    let over = world.phones[&alice].flow_answers.iter().filter(|status| **status == 481).count();
    assert_eq!(over, 16, "the call is over");
    world.run(60);
    world.assert_quiet();
}
