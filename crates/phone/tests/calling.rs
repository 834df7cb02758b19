//! Two phones call each other through the office.

#![allow(clippy::unwrap_used)]

mod support;

use jackfield_phone::{
    CallState, DigitWay, Make, PhoneCommand, PhoneEvent, PhoneSettings, Softkey,
};
use jackfield_vocabulary::Codec;
use support::{Seat, World, plain};

fn world() -> (World, Seat, Seat) {
    let mut world = World::new();
    let one = join(&mut world, 1, |_| {});
    let two = join(&mut world, 2, |_| {});
    (world, one, two)
}

fn join(world: &mut World, n: u8, change: impl FnOnce(&mut PhoneSettings)) -> Seat {
    let mac = format!("02000000000{n}");
    world.file(&format!("{mac}.txt"), &plain(&format!("100{n}"), ""));
    let mut settings =
        PhoneSettings::new(mac.parse().unwrap(), Make::Generic, [127, 0, 0, 1].into());
    change(&mut settings);
    let seat = world.add(settings);
    world.take(seat);
    seat
}

fn dial(world: &mut World, seat: Seat, number: &str) {
    world.command(seat, PhoneCommand::Dial(number.into()));
}

fn key(world: &mut World, seat: Seat, key: Softkey) {
    world.command(seat, PhoneCommand::Softkey(key));
}

fn states(world: &mut World, seat: Seat) -> Vec<CallState> {
    let events = world.take(seat);
    events
        .into_iter()
        .filter_map(|event| match event {
            PhoneEvent::Call { state, .. } => Some(state),
            _ => None,
        })
        .collect()
}

/// What the audio of the phone was told last to do with packets.
fn connect(world: &World, seat: Seat) -> &str {
    let mut connects = world.audio.iter().filter(|(s, o)| *s == seat && o.starts_with("Connect"));
    &connects.next_back().unwrap().1
}

fn connected(with: &str) -> CallState {
    CallState::Connected { with: with.into() }
}

fn ended(reason: &str) -> CallState {
    CallState::Ended { reason: reason.into() }
}

/// One calls two, two answers.
fn talk() -> (World, Seat, Seat) {
    let (mut world, one, two) = world();
    dial(&mut world, one, "1002");
    key(&mut world, two, Softkey::Answer);
    world.take(one);
    world.take(two);
    (world, one, two)
}

#[test]
fn a_call_rings_is_answered_and_hung_up() {
    let (mut world, one, two) = world();
    dial(&mut world, one, "1002");
    assert_eq!(
        states(&mut world, one),
        [CallState::Dialling { number: "1002".into() }, CallState::RingingThere]
    );
    assert_eq!(states(&mut world, two), [CallState::RingingHere { from: "1001".into() }]);
    assert!(world.shows(two, "Call from 1001"));
    key(&mut world, two, Softkey::Answer);
    assert_eq!(states(&mut world, one), [connected("1002")]);
    assert_eq!(states(&mut world, two), [connected("1001")]);
    key(&mut world, two, Softkey::EndCall);
    assert_eq!(states(&mut world, one), [ended("hung up there")]);
    assert_eq!(states(&mut world, two), [ended("hung up here")]);
    assert_eq!(world.phones[one].calls().count() + world.phones[two].calls().count(), 0);
    let closed = world.audio.iter().filter(|(_, order)| order == "Close").count();
    assert_eq!(closed, 2, "both ports are given back");
}

#[test]
fn audio_goes_directly_and_in_the_first_common_codec() {
    let mut world = World::new();
    let one = join(&mut world, 1, |s| s.codecs = vec![Codec::G722, Codec::Pcma, Codec::Pcmu]);
    let two = join(&mut world, 2, |s| s.codecs = vec![Codec::Pcmu, Codec::Pcma]);
    dial(&mut world, one, "1002");
    key(&mut world, two, Softkey::Answer);
    let connects: Vec<_> = world.audio.iter().filter(|(_, o)| o.starts_with("Connect")).collect();
    assert_eq!(connects.len(), 2);
    for (_, order) in connects {
        assert!(order.contains("codec: Pcma") && order.contains("event_payload_type: Some(101)"));
        assert!(order.contains("send: true, receive: true"), "{order}");
    }
    let two_to_one =
        &world.audio.iter().find(|(s, o)| *s == two && o.starts_with("Connect")).unwrap().1;
    assert!(two_to_one.contains("127.0.0.1:20002"), "{two_to_one}");
}

#[test]
fn no_common_codec_is_refused() {
    let mut world = World::new();
    let one = join(&mut world, 1, |s| s.codecs = vec![Codec::L16]);
    let two = join(&mut world, 2, |s| s.codecs = vec![Codec::Pcmu]);
    dial(&mut world, one, "1002");
    key(&mut world, two, Softkey::Answer);
    assert_eq!(states(&mut world, one).last(), Some(&ended("488 Not Acceptable Here")));
}

#[test]
fn giving_up_refusing_and_strangers() {
    let (mut world, one, two) = world();
    dial(&mut world, one, "1002");
    key(&mut world, one, Softkey::EndCall);
    assert_eq!(states(&mut world, two).last(), Some(&ended("the caller gave up")));
    assert_eq!(world.phones[one].calls().count(), 0);
    dial(&mut world, one, "1002");
    key(&mut world, two, Softkey::Reject);
    assert_eq!(states(&mut world, one).last(), Some(&ended("603 Decline")));
    dial(&mut world, one, "9999");
    assert_eq!(states(&mut world, one).last(), Some(&ended("404 Not Found")));
}

#[test]
fn hold_and_resume_are_seen_on_both_sides() {
    let (mut world, one, two) = talk();
    key(&mut world, one, Softkey::Hold);
    assert_eq!(states(&mut world, one), [CallState::Held]);
    assert_eq!(states(&mut world, two), [CallState::HeldThere]);
    assert!(connect(&world, two).contains("send: false, receive: true"));
    key(&mut world, one, Softkey::Resume);
    assert_eq!(states(&mut world, one).last(), Some(&connected("1002")));
    assert_eq!(states(&mut world, two).last(), Some(&connected("1001")));
}

#[test]
fn on_hold_nothing_is_said_from_the_key_on() {
    for deaf in [false, true] {
        let (mut world, one, two) = talk();
        if deaf {
            world.lose = 1;
        }
        key(&mut world, one, Softkey::Hold);
        let quiet = connect(&world, one);
        assert!(quiet.contains("send: false, receive: false"), "answered: {}: {quiet}", !deaf);
        world.lose = 0;
        key(&mut world, one, Softkey::Resume);
        world.run(5_000);
        let loud = connect(&world, one);
        assert!(loud.contains("send: true, receive: true"), "answered: {}: {loud}", !deaf);
        assert_eq!(states(&mut world, two).last(), Some(&connected("1001")));
    }
}

#[test]
fn a_call_that_fails_shows_why_until_the_next_one() {
    let (mut world, one, two) = world();
    dial(&mut world, one, "9999");
    assert!(world.shows(one, "Call failed: 9999: 404 Not Found"), "{:?}", world.phones[one]);
    dial(&mut world, one, "1002");
    assert!(!world.shows(one, "Call failed"));
    key(&mut world, two, Softkey::Reject);
    assert!(world.shows(one, "Call failed: 1002: 603 Decline"));
    dial(&mut world, one, "1002");
    key(&mut world, one, Softkey::EndCall);
    assert!(!world.shows(one, "Call failed"), "who gives up knows why");
}

#[test]
fn digits_go_as_events_as_tones_or_by_info() {
    let (mut world, one, two) = talk();
    world.audio.clear();
    world.keys(one, "1");
    world.command(one, PhoneCommand::DigitsBy(DigitWay::Tone));
    world.keys(one, "2");
    let orders: Vec<_> = world.audio.iter().map(|(_, order)| order.as_str()).collect();
    assert_eq!(
        orders,
        ["Digit { digit: Digit('1'), tone: false }", "Digit { digit: Digit('2'), tone: true }"]
    );
    world.command(one, PhoneCommand::DigitsBy(DigitWay::Info));
    world.keys(one, "#");
    let digits: Vec<_> = world
        .take(two)
        .into_iter()
        .filter_map(|event| match event {
            PhoneEvent::Digit { digit, .. } => Some(digit.as_char()),
            _ => None,
        })
        .collect();
    assert_eq!(digits, ['#']);
}

#[test]
fn a_second_call_puts_the_first_on_hold() {
    let (mut world, one, two) = talk();
    let three = join(&mut world, 3, |settings| settings.auto_answer = true);
    dial(&mut world, one, "1003");
    assert!(states(&mut world, one).contains(&CallState::Held));
    assert_eq!(states(&mut world, three).last(), Some(&connected("1001")));
    assert!(states(&mut world, two).contains(&CallState::HeldThere));
}

#[test]
fn an_attended_transfer_joins_the_other_two() {
    let (mut world, one, two) = talk();
    let three = join(&mut world, 3, |settings| settings.auto_answer = true);
    key(&mut world, one, Softkey::Transfer);
    dial(&mut world, one, "1003");
    assert_eq!(states(&mut world, three).last(), Some(&connected("1001")));
    key(&mut world, one, Softkey::Transfer);
    assert!(world.take(one).contains(&PhoneEvent::Transferred { accepted: true }));
    assert_eq!(world.phones[one].calls().count(), 0);
    assert_eq!(world.phones[two].calls().count(), 1, "{:?}", world.phones[two].display());
    assert_eq!(world.phones[three].calls().count(), 1);
    assert!(states(&mut world, two).contains(&connected("1003")));
}

#[test]
fn the_server_can_make_it_dial_answer_hold_and_show() {
    let (mut world, one, two) = world();
    let refer = world.office.request("1001", "REFER", "Refer-To: <sip:1002@127.0.0.1>\r\n", "");
    world.deliver(refer);
    assert!(states(&mut world, one).contains(&CallState::RingingThere));
    let talk = world.office.notify("1002", "talk", "");
    world.deliver(talk);
    assert_eq!(states(&mut world, two).last(), Some(&connected("1001")));
    let hold = world.office.notify("1002", "hold", "");
    world.deliver(hold);
    assert_eq!(states(&mut world, two).last(), Some(&CallState::Held));
    let text = world.office.request(
        "1001",
        "MESSAGE",
        "Content-Type: text/plain\r\n",
        "Call disconnected",
    );
    world.deliver(text);
    assert!(world.shows(one, "Call disconnected"));
    let body = "<x-cisco-remotecc-request><statuslineupdatereq><action>notify_display</action>\
                <displaytext>Hello</displaytext></statuslineupdatereq></x-cisco-remotecc-request>";
    let headers =
        "Refer-To: <cid:1@127.0.0.1>\r\nContent-Type: application/x-cisco-remotecc-request+xml\r\n";
    let text = world.office.request("1001", "REFER", headers, body);
    world.deliver(text);
    assert!(world.shows(one, "Hello"));
}

#[test]
fn a_caller_can_ask_the_phone_to_answer_by_itself() {
    let (mut world, one, two) = world();
    let offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let headers = "Call-Info: <sip:127.0.0.1>;answer-after=0\r\nContent-Type: application/sdp\r\n";
    let invite = world.office.request("1001", "INVITE", headers, offer);
    world.deliver(invite);
    assert_eq!(states(&mut world, one).last(), Some(&connected("server")));
    let _ = two;
}

#[test]
fn calls_survive_lost_datagrams() {
    for lose in [3, 4, 5, 7] {
        let (mut world, one, two) = world();
        world.lose = lose;
        dial(&mut world, one, "1002");
        world.run(8_000);
        key(&mut world, two, Softkey::Answer);
        world.run(16_000);
        assert_eq!(states(&mut world, one).last(), Some(&connected("1002")), "every {lose}th lost");
        key(&mut world, one, Softkey::EndCall);
        world.run(40_000);
        assert_eq!(world.phones[two].calls().count(), 0, "every {lose}th lost");
    }
}

#[test]
fn a_restart_waits_for_the_end_of_the_call() {
    let (mut world, one, two) = talk();
    let notify = world.office.notify("1001", "check-sync;reboot=true", "");
    world.deliver(notify);
    let events = world.take(one);
    assert!(events.iter().any(|e| matches!(e, PhoneEvent::Restarting { .. })));
    assert!(!events.iter().any(|e| matches!(e, PhoneEvent::Booted { .. })));
    key(&mut world, two, Softkey::EndCall);
    assert!(world.take(one).iter().any(|e| matches!(e, PhoneEvent::Booted { .. })));
}

#[test]
fn requests_for_calls_that_are_not_there_are_refused() {
    let (mut world, one, _) = world();
    for method in ["BYE", "INFO", "UPDATE"] {
        let request = world.office.request("1001", method, "", "");
        world.deliver(request);
    }
    let subscribe = world.office.request("1001", "SUBSCRIBE", "Event: presence\r\n", "");
    world.deliver(subscribe);
    assert!(world.take(one).is_empty());
}
