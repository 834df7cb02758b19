//! A phone whose audio carries no keys, and that can report them in signalling (RFC 4730), is asked to.

use jackfield_sip::Method;

use crate::world::{World, sdp};

fn without_keys(host: &str) -> String {
    sdp(host, 1, "sendrecv")
        .replace("a=rtpmap:101 telephone-event/8000\r\n", "")
        .replace(" 101", "")
}

#[test]
fn it_is_asked_to_report_its_keys_and_each_is_taken() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    let extra = &mut world.phones.get_mut(&alice).unwrap().extra;
    extra.push(("Allow-Events".into(), "kpml, dialog".into()));
    world.registered(alice);
    world.registered(bob);
    let timers = world.counter("timers");
    world.dial_with(alice, "2002", &without_keys("10.1.0.1"));
    world.answer(bob);
    let asked = world.transcript.iter().filter(|line| line.contains("\"SUBSCRIBE "));
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].contains("Event: kpml") && asked[0].contains("<regex>[x*#ABCD]</regex>"));
    assert!(asked[0].contains("10.1.0.1:5060"), "alice, whose audio has no keys");
    let report = "<kpml-response version=\"1.0\" code=\"200\" text=\"OK\" digits=\"7\"/>";
    let before = world.phones[&alice].flow_answers.len();
    world.notify_in_call(alice, "kpml", report);
    world.notify_in_call(alice, "presence", report);
    assert_eq!(world.phones[&alice].flow_answers[before..], [200, 489]);
    world.send_in_call(alice, Method::Info, "application/dtmf", "7");
    world.hang_up(alice);
    world.run(1);
    world.assert_quiet();
    assert_eq!(world.counter("timers"), timers, "nobody waits to ask again");
}

#[test]
fn a_phone_with_keys_in_its_audio_is_left_alone() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    let extra = &mut world.phones.get_mut(&alice).unwrap().extra;
    extra.push(("Allow-Events".into(), "kpml".into()));
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    assert!(!world.transcript.iter().any(|line| line.contains("\"SUBSCRIBE ")));
}
