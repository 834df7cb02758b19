//! Media changes in a call: hold, refusal, both at once, offers that come late, early media.

use jackfield_sip::{Method, Status};

use crate::world::{CallState, PhoneId, World, sdp};

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

#[test]
fn hold_from_either_side_reaches_the_other() {
    let (mut world, alice, bob) = talking();
    for (holder, held) in [(alice, bob), (bob, alice)] {
        world.hold(holder);
        assert_eq!(world.phones[&holder].call().re_answers, [200]);
        assert!(world.phones[&held].call().heard.contains("a=sendonly"));
        assert!(world.phones[&holder].call().heard.contains("o=- 1 5"), "the held side's answer");
    }
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

#[test]
fn refused_media_leave_the_call_as_it_was() {
    let (mut world, alice, bob) = talking();
    let call = world.phones.get_mut(&bob).unwrap().calls.last_mut().unwrap();
    call.refuses_media = Some(Status::NOT_ACCEPTABLE_HERE);
    world.hold(alice);
    assert_eq!(world.phones[&alice].call().re_answers, [488]);
    world.assert_state(alice, CallState::Talking);
    world.assert_state(bob, CallState::Talking);
    world.hang_up(bob);
    world.run(1);
    world.assert_quiet();
}

/// A phone that only says 100 to new media keeps nothing alive once the call is over, whoever hangs up,
/// and is told that it need not go on (RFC 3261 section 9.1).
#[test]
fn media_that_are_never_agreed_end_with_the_call() {
    for caller_ends in [true, false] {
        let (mut world, alice, bob) = talking();
        let call = world.phones.get_mut(&bob).unwrap().calls.last_mut().unwrap();
        call.refuses_media = Some(Status::TRYING);
        world.hold(alice);
        assert!(world.phones[&alice].call().re_answers.is_empty(), "nobody agreed yet");
        assert!(world.counter("sip-transactions") > 0);
        world.hang_up(if caller_ends { alice } else { bob });
        world.run(1);
        assert!(world.transcript.iter().any(|line| line.contains("CANCEL sip:")));
        world.run(100);
        world.assert_quiet();
        assert_eq!(world.counter("sip-transactions"), 0, "transactions are left");
    }
}

/// One that says 100 to new media and then nothing keeps nobody waiting for minutes: after forty seconds
/// whoever offered is told, and it is told that it need not go on. The call is as it was.
#[test]
fn media_that_nobody_decides_on_are_withdrawn_in_time() {
    let (mut world, alice, bob) = talking();
    world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = Some(Status::TRYING);
    world.hold(alice);
    world.run(39);
    assert!(world.phones[&alice].call().re_answers.is_empty(), "somebody may still decide");
    world.run(2);
    assert_eq!(world.phones[&alice].call().re_answers, [504]);
    assert!(world.transcript.iter().any(|line| line.contains("CANCEL sip:")));
    world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = None;
    world.hold(alice);
    world.hold(bob);
    assert_eq!(world.phones[&alice].call().re_answers, [504, 200]);
    assert_eq!(world.phones[&bob].call().re_answers, [200]);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

/// One that does not even answer the CANCEL is gone, and with it the call (RFC 3261 section 14.1).
#[test]
fn a_phone_that_vanishes_over_new_media_ends_the_call() {
    let (mut world, alice, bob) = talking();
    world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = Some(Status::TRYING);
    world.hold(alice);
    world.network.cut_off.push(bob);
    world.run(60);
    world.assert_state(alice, CallState::Talking);
    world.run(20);
    world.assert_state(alice, CallState::Over(0));
    world.run(60);
    world.assert_quiet();
}

/// A phone that takes back its offer is answered at once, and the other one is told (RFC 3261 section
/// 9.2). The call goes on as it was, and either may offer again.
#[test]
fn an_offer_of_media_can_be_taken_back() {
    for offer in [sdp("10.1.0.1", 2, "sendonly"), String::new()] {
        let (mut world, alice, bob) = talking();
        world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = Some(Status::TRYING);
        world.re_invite(alice, &offer);
        world.run(1);
        world.cancel_re_invite(alice);
        world.run(1);
        assert_eq!(world.phones[&alice].call().re_answers, [487]);
        let cancels = world.transcript.iter().filter(|line| line.contains("CANCEL sip:"));
        assert_eq!(cancels.count(), 1, "bob need not decide any more");
        world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = None;
        world.run(60);
        world.hold(bob);
        world.hold(alice);
        assert_eq!(world.phones[&alice].call().re_answers, [487, 200]);
        assert_eq!(world.phones[&bob].call().re_answers, [200]);
        world.hang_up(alice);
        world.run(100);
        world.assert_quiet();
        assert_eq!(world.counter("sip-transactions"), 0, "transactions are left");
    }
}

/// An offer that waits to be made again, because both had offered at once, is not made when it was taken
/// back meanwhile.
#[test]
fn an_offer_that_was_taken_back_is_not_made_again() {
    let (mut world, alice, bob) = talking();
    world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = Some(Status::REQUEST_PENDING);
    world.re_invite(alice, &sdp("10.1.0.1", 2, "sendonly"));
    world.run_for(core::time::Duration::from_millis(30));
    let offered = world.phones[&bob].call().re_offers;
    world.cancel_re_invite(alice);
    world.run(60);
    assert!(world.phones[&bob].call().re_offers <= offered + 1);
    assert_eq!(world.phones[&alice].call().re_answers, [487]);
    world.assert_state(bob, CallState::Talking);
}

/// Bob accepts while alice takes her offer back: she talks on as before, and so he is brought back to
/// that. What he offered instead of alice is answered with what she had.
#[test]
fn an_offer_accepted_too_late_leaves_both_with_the_same_media() {
    for (offer, re_offers) in [(sdp("10.1.0.1", 2, "sendonly"), 2), (String::new(), 1)] {
        let (mut world, alice, bob) = talking();
        world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = Some(Status::TRYING);
        world.re_invite(alice, &offer);
        world.run(1);
        world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = None;
        world.cancel_re_invite(alice);
        world.accept_re_invite(bob);
        world.run(1);
        assert_eq!(world.phones[&alice].call().re_answers, [487]);
        let call = world.phones[&bob].call();
        assert_eq!(call.re_offers, re_offers);
        let told = if offer.is_empty() { &call.ack_body } else { &call.heard };
        assert_eq!(*told, sdp("10.1.0.1", 1, "sendrecv"), "what alice still has");
        world.hold(bob);
        assert_eq!(world.phones[&bob].call().re_answers, [200]);
        world.hang_up(bob);
        world.run(100);
        world.assert_quiet();
    }
}

#[test]
fn who_is_always_about_to_offer_itself_is_not_offered_for_ever() {
    let (mut world, alice, bob) = talking();
    let call = world.phones.get_mut(&bob).unwrap().calls.last_mut().unwrap();
    call.refuses_media = Some(Status::REQUEST_PENDING);
    world.hold(alice);
    world.run(36);
    let answers = world.phones[&alice].call().re_answers.clone();
    assert!(matches!(answers[..], [status] if status >= 400), "it is given up: {answers:?}");
    let offered = world.phones[&bob].call().re_offers;
    assert!(offered > 5, "not at once: {offered}");
    world.run(100);
    assert_eq!(world.phones[&bob].call().re_offers, offered, "and then no more");
    world.phones.get_mut(&bob).unwrap().calls.last_mut().unwrap().refuses_media = None;
    world.hold(alice);
    world.run(1);
    assert_eq!(world.phones[&alice].call().re_answers.last(), Some(&200));
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

/// An UPDATE without an offer says that the phone is still there, as of session timers (RFC 4028): it
/// crosses no offer, and one that waits to be made again is made (RFC 3311 section 5.2).
#[test]
fn a_phone_that_only_says_that_it_is_still_there_crosses_no_offer() {
    let (mut world, alice, bob) = talking();
    for meanwhile in [Status::REQUEST_PENDING, Status::TRYING] {
        let before = world.phones[&bob].flow_answers.len();
        world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = Some(meanwhile);
        world.hold(alice);
        world.send_in_call(bob, Method::Update, "text/plain", "");
        assert_eq!(world.phones[&bob].flow_answers[before..], [200], "{meanwhile}");
        world.phones.get_mut(&bob).unwrap().calls[0].refuses_media = None;
        world.run(5);
        if meanwhile == Status::REQUEST_PENDING {
            assert_eq!(world.phones[&alice].call().re_answers, [200]);
            assert_eq!(world.phones[&bob].call().re_offers, 2);
        }
    }
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

#[test]
fn both_change_media_at_once_and_neither_hangs() {
    let (mut world, alice, bob) = talking();
    world.re_invite(alice, &sdp("10.1.0.1", 2, "sendonly"));
    world.re_invite(bob, &sdp("10.1.0.2", 2, "sendonly"));
    world.run(10);
    for phone in [alice, bob] {
        let answers = &world.phones[&phone].call().re_answers;
        assert_eq!(answers.len(), 1, "each re-INVITE has its answer: {answers:?}");
        assert!([200, 491].contains(&answers[0]), "{answers:?}");
    }
    world.assert_state(alice, CallState::Talking);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

#[test]
fn a_caller_without_an_offer_gets_one_and_answers_it_in_its_ack() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.dial_with(alice, "2002", "");
    assert_eq!(world.phones[&bob].call().heard, "");
    world.answer(bob);
    world.run(1);
    world.assert_state(alice, CallState::Talking);
    assert!(world.phones[&alice].call().heard.contains("10.1.0.2"), "bob's offer");
    assert!(world.phones[&bob].call().ack_body.contains("10.1.0.1"), "alice's answer");
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

#[test]
fn media_before_the_answer_reach_the_caller() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.early_media(bob, &sdp("10.1.0.2", 1, "sendrecv"));
    assert!(world.phones[&alice].call().early_media);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

/// The offer of its INVITE has no answer yet: the phone is to try again, not to give its media up (RFC 3311
/// section 5.2).
#[test]
fn other_media_before_the_answer_are_to_be_offered_again() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    for _ in 0..20 {
        world.update_early(alice, &sdp("10.1.0.1", 2, "sendonly"));
        let phone = &world.phones[&alice];
        assert_eq!(phone.flow_answers.last(), Some(&500));
        let seconds: u32 = phone.retry_after.as_ref().unwrap().parse().unwrap();
        assert!(seconds <= 10);
    }
    world.answer(bob);
    world.assert_state(alice, CallState::Talking);
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
}

/// Asked for an offer, the other side makes one; a phone that then says nothing goes on as before.
#[test]
fn an_offer_that_the_phone_asked_for_and_left_unanswered_ends_no_call() {
    let (mut world, alice, bob) = talking();
    world.re_invite(alice, "");
    world.run(1);
    assert_eq!(world.phones[&alice].call().re_answers, [200]);
    assert!(world.phones[&alice].call().heard.contains("10.1.0.2"), "bob's offer");
    assert_eq!(world.phones[&bob].call().ack_body, sdp("10.1.0.1", 1, "sendrecv"));
    world.run(60);
    world.assert_state(alice, CallState::Talking);
    world.hold(bob);
    assert_eq!(world.phones[&bob].call().re_answers, [200]);
    world.hang_up(bob);
    world.run(1);
    world.assert_quiet();
}

#[test]
fn a_transfer_is_refused_and_the_call_goes_on() {
    let (mut world, alice, bob) = talking();
    let before = world.phones[&alice].flow_answers.len();
    world.send_in_call(alice, Method::Refer, "text/plain", "");
    assert_eq!(world.phones[&alice].flow_answers[before..], [405]);
    world.assert_state(bob, CallState::Talking);
}
