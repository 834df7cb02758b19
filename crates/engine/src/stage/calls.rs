//! Calls between phones.

use jackfield_model::Kind;
use jackfield_vocabulary::{Cause, LegId};
use serde_json::json;

use super::{LegState, Stage, port, sdp};
use crate::leg::LegEvent;

fn two_phones(
    stage: &mut Stage,
) -> (jackfield_vocabulary::ObjectId, jackfield_vocabulary::ObjectId) {
    (stage.phone_of("suzuki", 1), stage.phone_of("garcia", 2))
}

/// The number of a phone's first line.
fn number(stage: &Stage, device: jackfield_vocabulary::ObjectId) -> String {
    stage.numbers_of(device)[0].clone()
}

fn line_patch(stage: &mut Stage, number: &str, patch: serde_json::Value) {
    stage.patch(Kind::Line, number, patch);
}

#[test]
fn a_call_rings_is_answered_and_ends() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let dialled = number(&stage, two);
    let caller = stage.call(one, &dialled);
    assert_eq!(stage.state(caller), Some(LegState::HearsRinging));
    let rings = stage.ringing(two).unwrap();
    assert_eq!(stage.legs[&rings].heard, Some(sdp(port(caller))), "the offer passes unchanged");
    assert!(stage.legs[&rings].caller.starts_with(&number(&stage, one)));
    let answered = stage.answer(two);
    assert_eq!(stage.state(caller), Some(LegState::Talks));
    assert_eq!(stage.legs[&caller].heard, Some(sdp(port(answered))), "and the answer");
    assert_eq!(stage.overview().calls_connected, 1);
    stage.hang_up(answered);
    assert_eq!(stage.ended[&caller], Cause::Normal);
    assert_eq!(stage.records.len(), 1);
    let record = &stage.records[0];
    assert_eq!((&*record.dialled, record.cause), (&*dialled, Cause::Normal));
    assert!(record.answered.is_some());
    stage.is_still();
}

#[test]
fn the_caller_gives_up() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let dialled = number(&stage, two);
    let caller = stage.call(one, &dialled);
    stage.hang_up(caller);
    assert_eq!(stage.ringing(two), None);
    assert_eq!(stage.records[0].cause, Cause::Cancelled);
    stage.is_still();
}

#[test]
fn a_call_to_nowhere_is_refused() {
    let mut stage = Stage::new();
    let (one, _) = two_phones(&mut stage);
    for (dialled, cause) in [("9999", Cause::NoRoute), ("sales", Cause::NoRoute)] {
        let caller = stage.call(one, dialled);
        assert_eq!(stage.ended[&caller], cause, "{dialled}");
    }
    stage.is_still();
}

/// Proves SP-43.e: a new phone may dial the self-provisioning number and emergency numbers only.
#[test]
fn a_new_phone_may_dial_little() {
    let mut stage = Stage::new();
    let (_, two) = two_phones(&mut stage);
    let new = stage.new_phone(9);
    let dialled = number(&stage, two);
    let caller = stage.call(new, &dialled);
    assert_eq!(stage.ended[&caller], Cause::Forbidden);
    let caller = stage.call(new, "119");
    assert_eq!(stage.ended[&caller], Cause::NoRoute);
    assert_eq!(stage.alarms.last().unwrap().name, "emergency-call-goes-nowhere");
    let point = jackfield_model::defaults::sample::IVR_NUMBER;
    let caller = stage.call(new, point);
    assert_eq!(stage.state(caller), Some(LegState::Talks));
    stage.hang_up(caller);
    stage.is_still();
}

/// A pattern or a forward that bars the number, leads elsewhere or round is no reason to be silent.
#[test]
fn an_emergency_call_that_is_barred_or_sent_nowhere_raises_the_alarm() {
    for (pattern, cause) in [
        (json!({ "does": "block" }), Cause::Forbidden),
        (json!({ "does": "redirect", "destination": "9999" }), Cause::NoRoute),
        (json!({ "does": "redirect", "destination": "119" }), Cause::Loop),
    ] {
        let mut stage = Stage::new();
        let (one, _) = two_phones(&mut stage);
        let mut body = pattern.clone();
        body["pattern"] = "11X".into();
        stage.create(Kind::RoutePattern, body);
        let caller = stage.call(one, "119");
        assert_eq!(stage.ended[&caller], cause, "{pattern}");
        let alarm = stage.alarms.last().unwrap();
        assert_eq!(alarm.name, "emergency-call-goes-nowhere", "{pattern}");
        let before = stage.alarms.len();
        stage.call(one, "117");
        assert_eq!(stage.alarms.len(), before, "no number for help");
    }
}

#[test]
fn the_busy_trigger_is_kept_and_call_waiting_below_it() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let three = stage.phone_of("okafor", 3);
    let dialled = number(&stage, two);
    let mut callers: Vec<LegId> = Vec::new();
    for device in [one, three] {
        callers.push(stage.call(device, &dialled));
        stage.answer(two);
    }
    let refused = stage.call(one, &dialled);
    assert_eq!(stage.ended[&refused], Cause::Busy, "the third finds it busy");
    stage.hang_up(callers[0]);
    let taken = stage.call(one, &dialled);
    assert_eq!(stage.state(taken), Some(LegState::HearsRinging));
    stage.hang_up(taken);
    stage.hang_up(callers[1]);
    stage.is_still();
}

#[test]
fn forwards_lead_on() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let three = stage.phone_of("okafor", 3);
    let (second, third) = (number(&stage, two), number(&stage, three));
    let forward = |kind: &str| json!({ "forwards": { kind: { "destination": third } } });
    // All.
    line_patch(&mut stage, &second, forward("all"));
    let caller = stage.call(one, &second);
    let rings = stage.ringing(three).expect("forwarded");
    assert_eq!(stage.legs[&rings].diverted.as_deref(), Some(&*second));
    stage.hang_up(caller);
    line_patch(&mut stage, &second, json!({ "forwards": { "all": { "destination": "" } } }));
    // No answer.
    line_patch(&mut stage, &second, forward("no_answer"));
    let caller = stage.call(one, &second);
    stage.after(11);
    assert!(stage.ringing(two).is_some() && stage.ringing(three).is_none());
    stage.after(2);
    assert!(stage.ringing(two).is_none() && stage.ringing(three).is_some());
    stage.hang_up(caller);
    // Busy, told by the phone itself.
    line_patch(&mut stage, &second, forward("busy"));
    let caller = stage.call(one, &second);
    let leg = stage.ringing(two).unwrap();
    stage.legs.remove(&leg);
    stage.tell(LegEvent::Refused { leg, cause: Cause::Busy });
    assert!(stage.ringing(three).is_some());
    stage.hang_up(caller);
    // Not registered.
    line_patch(&mut stage, &second, forward("unregistered"));
    stage.unregistered.insert(two);
    let caller = stage.call(one, &second);
    assert!(stage.ringing(three).is_some());
    stage.hang_up(caller);
    stage.is_still();
}

#[test]
fn forwards_in_a_circle_end() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let three = stage.phone_of("okafor", 3);
    let (second, third) = (number(&stage, two), number(&stage, three));
    line_patch(&mut stage, &second, json!({ "forwards": { "all": { "destination": third } } }));
    line_patch(&mut stage, &third, json!({ "forwards": { "all": { "destination": second } } }));
    let caller = stage.call(one, &second);
    assert_eq!(stage.ended[&caller], Cause::Loop);
    stage.is_still();
}

#[test]
fn every_phone_of_a_shared_line_rings_and_the_first_answer_wins() {
    let mut stage = Stage::new();
    let one = stage.phone_of("suzuki", 1);
    let (desk, home) = (stage.phone_of("garcia", 2), stage.phone_of("garcia", 3));
    let dialled = number(&stage, desk);
    assert_eq!(dialled, number(&stage, home));
    let caller = stage.call(one, &dialled);
    let (first, second) = (stage.ringing(desk).unwrap(), stage.ringing(home).unwrap());
    stage.answer(home);
    assert_eq!(stage.ended[&first], Cause::AnsweredElsewhere);
    // The other answer was on its way: it is told off, and nothing stays.
    stage.tell(LegEvent::answers(first, sdp(1)));
    assert_eq!(stage.state(caller), Some(LegState::Talks));
    assert_eq!(stage.state(second), Some(LegState::Talks));
    stage.hang_up(caller);
    stage.is_still();
}

#[test]
fn new_media_passes_both_ways_and_delayed_offers_too() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let dialled = number(&stage, two);
    let leg = LegId(9000);
    let caller = stage.call_with(one, &dialled, None, leg);
    assert_eq!(stage.legs[&stage.ringing(two).unwrap()].heard, None, "a delayed offer");
    let called = stage.answer(two);
    assert_eq!(stage.legs[&caller].heard, Some(sdp(port(called))), "the called side's offer");
    stage.tell(LegEvent::ReAnswered { leg: caller, answer: sdp(7) });
    assert_eq!(stage.legs[&called].heard, Some(sdp(7)), "goes into the ACK");
    // Hold, by the called side.
    let hold = Some(true);
    stage.tell(LegEvent::ReOffered { leg: called, offer: Some(sdp(8)), hold });
    assert_eq!(stage.legs[&caller].heard, Some(sdp(8)));
    assert_eq!(stage.legs[&called].heard, Some(sdp(port(caller))));
    // Resume without an offer.
    stage.tell(LegEvent::ReOffered { leg: called, offer: None, hold: None });
    assert_eq!(stage.legs[&called].heard, Some(sdp(port(caller))), "the caller's offer");
    stage.tell(LegEvent::ReAnswered { leg: called, answer: sdp(10) });
    assert_eq!(stage.legs[&caller].heard, Some(sdp(10)));
    stage.hang_up(called);
    stage.is_still();
}

#[test]
fn a_route_pattern_blocks_or_leads_on() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let dialled = number(&stage, two);
    stage.create(Kind::RoutePattern, json!({ "pattern": "7XXX", "does": "block" }));
    stage.create(
        Kind::RoutePattern,
        json!({ "pattern": "71XX", "does": "redirect", "destination": dialled }),
    );
    let caller = stage.call(one, "7200");
    assert_eq!(stage.ended[&caller], Cause::Forbidden);
    let caller = stage.call(one, "7100");
    assert!(stage.ringing(two).is_some(), "the closer pattern wins");
    stage.hang_up(caller);
    stage.is_still();
}

#[test]
fn an_operator_sees_and_ends_a_call() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let dialled = number(&stage, two);
    let caller = stage.call(one, &dialled);
    let calls = stage.upper.calls_of(two);
    let [(call, word)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(&**word, "ringing");
    let call = *call;
    stage.answer(two);
    assert_eq!(&*stage.upper.calls_of(one)[0].1, "connected");
    stage.with(|upper, context| upper.drop_call(context, 1, call));
    stage.with(|upper, context| upper.drop_call(context, 2, call));
    assert_eq!(stage.ended[&caller], Cause::Dropped);
    assert!(stage.replies[0].1.is_ok());
    assert!(stage.replies[1].1.is_err(), "it is over");
    stage.is_still();
}

#[test]
fn a_line_that_is_full_places_no_more_calls() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let dialled = number(&stage, two);
    let (name, own) = (stage.name_of(one), number(&stage, one));
    let line = json!({ "line": own, "maximum_calls": 1, "busy_trigger": 1 });
    stage.patch(Kind::Phone, name.as_str(), json!({ "lines": [line] }));
    stage.call(one, &dialled);
    let refused = stage.call(one, &dialled);
    assert_eq!(stage.ended[&refused], Cause::Congestion);
}

#[test]
fn a_request_without_hops_left_ends() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let dialled = number(&stage, two);
    let effective = stage.directory.effective(one).unwrap();
    let leg = LegId(9000);
    stage.tell(LegEvent::Called(Box::new(crate::leg::Called {
        leg,
        device: one,
        name: effective.name.clone(),
        source: [192, 0, 2, 1].into(),
        proved: true,
        line: effective.lines[0].id.id(),
        dialled: dialled.into(),
        withheld: crate::leg::Withheld::NOTHING,
        offer: None,
        max_forwards: 0,
    })));
    assert_eq!(stage.records[0].cause, Cause::Loop);
    assert_eq!(stage.ringing(two), None);
}

#[test]
fn a_forward_is_looked_up_in_its_own_calling_search_space() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let second = number(&stage, two);
    stage.create(Kind::Partition, json!({ "name": "Hidden" }));
    stage.create(
        Kind::CallingSearchSpace,
        json!({ "name": "Sees hidden", "partitions": ["Hidden"] }),
    );
    stage.create(Kind::Line, json!({ "number": "5000", "partition": "Hidden" }));
    let to_hidden = |css| json!({ "forwards": { "all": { "destination": "5000", "css": css } } });
    line_patch(&mut stage, &second, to_hidden(json!(null)));
    let caller = stage.call(one, &second);
    assert_eq!(stage.ended[&caller], Cause::NoRoute, "not within the line's own reach");
    line_patch(&mut stage, &second, to_hidden(json!("Sees hidden")));
    let caller = stage.call(one, &second);
    assert_eq!(stage.ended[&caller], Cause::Unregistered, "found, and on no device");
}

#[test]
fn a_refused_renegotiation_leaves_the_call_as_it_was() {
    let mut stage = Stage::new();
    let (one, two) = two_phones(&mut stage);
    let dialled = number(&stage, two);
    let caller = stage.call(one, &dialled);
    let called = stage.answer(two);
    let before = (stage.legs[&caller].heard.clone(), stage.legs[&called].heard.clone());
    assert_eq!(before, (Some(sdp(port(called))), Some(sdp(port(caller)))));
    let offer = Some(sdp(8));
    // Both at once: the second is refused, the first goes through.
    stage.silent = true;
    stage.tell(LegEvent::ReOffered { leg: caller, offer: offer.clone(), hold: None });
    stage.tell(LegEvent::ReOffered { leg: called, offer, hold: None });
    stage.tell(LegEvent::ReRefused { leg: called, cause: Cause::Rejected });
    stage.tell(LegEvent::ReOffered { leg: called, offer: None, hold: None });
    // Nobody answers that one.
    stage.after(41);
    assert_eq!(stage.overview().calls_connected, 1, "the call goes on");
    let refused = [
        (called, Cause::Congestion),
        (caller, Cause::Rejected),
        (called, Cause::DeviceUnreachable),
    ];
    assert_eq!(stage.refused, refused, "at once; by the other side; by nobody");
    let after = (stage.legs[&caller].heard.clone(), stage.legs[&called].heard.clone());
    assert_eq!(after, before, "both hear what they heard");
    stage.hang_up(caller);
    stage.is_still();
}
