//! Applications on route points.

use core::time::Duration;

use jackfield_model::Kind;
use jackfield_vocabulary::{
    Cause, CloseReason, Code, Codec, CollectEnd, Command, ConnectionState, DeviceName, Event,
    LegId, MediaTermination, ObjectId, PlayEnd, PlayItem, PromptItem, Refusal, SessionId,
    TerminalConnectionId,
};
use serde_json::json;

use super::{Driver, LegState, Stage, port, sdp};
use crate::interface::ServiceOrder;
use crate::leg::{Description, LegEvent};

const POINT: &str = "APP-RP";
const NUMBER: &str = "2100";
const SESSION: SessionId = SessionId(1);

/// A stage with a route point of an application that has signed in and opened it, and two phones.
struct House {
    stage: Stage,
    one: ObjectId,
    two: ObjectId,
    requests: u64,
}

impl House {
    fn closed() -> Self {
        let mut stage = Stage::new();
        stage.create(Kind::Line, json!({ "number": NUMBER }));
        stage.create(
            Kind::CtiRoutePoint,
            json!({ "name": POINT, "device_pool": "Default", "lines": [{ "line": NUMBER }] }),
        );
        stage.create(
            Kind::ApplicationUser,
            json!({
                "user_id": "app",
                "groups": ["Standard CTI Enabled"],
                "controlled_route_points": [POINT],
            }),
        );
        let (one, two) = (stage.phone_of("suzuki", 1), stage.phone_of("garcia", 2));
        Self { stage, one, two, requests: 0 }
    }

    fn new() -> Self {
        let mut house = Self::closed();
        house.sign_in(SESSION);
        house.ok(SESSION, open(&[Codec::Pcmu, Codec::Pcma]));
        house
    }

    fn sign_in(&mut self, session: SessionId) {
        let account = Some(self.stage.id(Kind::ApplicationUser, "app"));
        self.stage.with(|upper, context| upper.session(context, session, account));
    }

    fn sign_out(&mut self, session: SessionId) {
        self.stage.with(|upper, context| upper.session(context, session, None));
    }

    /// The answer to a command, which comes at once and once.
    fn order(&mut self, session: SessionId, command: Command) -> Result<(), Refusal> {
        self.requests += 1;
        let request = self.requests;
        self.stage.with(|upper, context| upper.application(context, session, request, command));
        let mut answers = self.stage.answers.iter().filter(|answer| answer.1 == request);
        let answer = answers.next().expect("answered").clone();
        assert!(answers.next().is_none(), "answered once");
        answer.2
    }

    #[track_caller]
    fn ok(&mut self, session: SessionId, command: Command) {
        if let Err(refusal) = self.order(session, command) {
            panic!("{refusal}");
        }
    }

    #[track_caller]
    fn refused(&mut self, session: SessionId, command: Command) -> Code {
        self.order(session, command).expect_err("this is refused").code
    }

    fn line(&mut self, patch: serde_json::Value) {
        self.stage.patch(Kind::Line, NUMBER, json!({ "forwards": patch }));
    }

    fn second_number(&self) -> String {
        self.stage.numbers_of(self.two)[0].clone()
    }

    /// The call that was offered last.
    fn offered(&self) -> TerminalConnectionId {
        let mut events = self.stage.events.iter().rev();
        let call = events.find_map(|(_, event)| match event {
            Event::Call(info) => Some(info.call.clone()),
            _ => None,
        });
        call.expect("offered")
    }

    /// A call that the application has answered.
    fn answered(&mut self) -> (LegId, TerminalConnectionId) {
        let one = self.one;
        let leg = self.stage.call(one, NUMBER);
        let call = self.offered();
        self.ok(SESSION, Command::Answer { call: call.clone() });
        assert_eq!(self.stage.state(leg), Some(LegState::Talks));
        (leg, call)
    }

    fn collected(&self) -> Vec<(String, CollectEnd)> {
        let ends = self.stage.events.iter().filter_map(|(_, event)| match event {
            Event::Collected { digits, end, .. } => Some((digits.to_string(), *end)),
            _ => None,
        });
        ends.collect()
    }
}

fn open(codecs: &[Codec]) -> Command {
    let media = MediaTermination::Node { codecs: codecs.to_vec() };
    Command::OpenDevice { device: POINT.into(), media }
}

fn play(call: &TerminalConnectionId, items: usize) -> Command {
    let item = PromptItem::Item(PlayItem::Silence(1000));
    Command::Play { call: call.clone(), items: vec![item; items], barge_in: true }
}

fn collect(call: &TerminalConnectionId, maximum: u8) -> Command {
    let wait = Duration::from_secs(5);
    Command::Collect {
        call: call.clone(),
        maximum,
        terminators: "#".into(),
        first: wait,
        between: wait,
    }
}

fn text(description: Option<&Description>) -> String {
    String::from_utf8(description.expect("described").0.to_vec()).unwrap()
}

/// Proves CTI-36.b: an application that does not take a new call in time loses it to the line's
/// forward on failure, else on no answer, else it is rejected.
#[test]
fn a_new_call_must_be_taken_in_time() {
    for (forward, taken_by) in [("failure", true), ("no_answer", true), ("none", false)] {
        let mut house = House::new();
        let second = house.second_number();
        if taken_by {
            house.line(json!({ forward: { "destination": second } }));
        }
        let leg = house.stage.call(house.one, NUMBER);
        house.stage.pass(Duration::from_millis(3900));
        assert!(house.stage.ringing(house.two).is_none());
        house.stage.pass(Duration::from_millis(200));
        if taken_by {
            assert!(house.stage.ringing(house.two).is_some(), "{forward}");
            house.stage.hang_up(leg);
        } else {
            assert_eq!(house.stage.ended[&leg], Cause::Rejected);
        }
        house.stage.is_empty();
    }
}

/// Proves CTI-36.a: a call that was accepted in time waits on.
#[test]
fn an_accepted_call_waits_for_its_answer() {
    let mut house = House::new();
    let leg = house.stage.call(house.one, NUMBER);
    let call = house.offered();
    house.ok(SESSION, Command::Accept { call: call.clone() });
    assert_eq!(house.stage.state(leg), Some(LegState::HearsRinging));
    house.stage.after(30);
    house.ok(SESSION, Command::Answer { call });
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
}

/// Proves CTI-54.c: calls to a route point that no application has open go to the no-answer
/// destination; without one the caller hears reorder.
#[test]
fn nobody_has_the_route_point_open() {
    let mut house = House::closed();
    let leg = house.stage.call(house.one, NUMBER);
    assert_eq!(house.stage.ended[&leg], Cause::Congestion);
    let second = house.second_number();
    house.line(json!({ "no_answer": { "destination": second } }));
    let leg = house.stage.call(house.one, NUMBER);
    assert!(house.stage.ringing(house.two).is_some());
    house.stage.hang_up(leg);
    house.stage.is_empty();
}

/// Proves CTI-54.b: when an application fails its unfinished calls, answered or not, go to the line's
/// forward on failure.
#[test]
fn the_calls_of_a_failed_application_go_on() {
    for answered in [false, true] {
        let mut house = House::new();
        let second = house.second_number();
        house.line(json!({ "failure": { "destination": second } }));
        let leg = if answered { house.answered().0 } else { house.stage.call(house.one, NUMBER) };
        house.sign_out(SESSION);
        let rings = house.stage.ringing(house.two).expect("forwarded");
        assert!(house.stage.media.is_empty(), "the media is given back");
        assert_eq!(house.stage.legs[&rings].heard.is_none(), answered);
        house.stage.answer(house.two);
        assert_eq!(house.stage.legs[&leg].heard, Some(sdp(port(rings))), "the caller is joined");
        assert_eq!(house.stage.state(leg), Some(LegState::Talks));
        house.stage.hang_up(leg);
        house.stage.is_empty();
        assert_eq!(house.stage.records.len(), 1);
    }
}

#[test]
fn without_a_destination_the_calls_of_a_failed_application_end() {
    let mut house = House::new();
    let (leg, _) = house.answered();
    house.stage.service(ServiceOrder::StopCtiManager);
    assert_eq!(house.stage.ended[&leg], Cause::ApplicationFailure);
    let closed =
        house.stage.events.iter().any(|(_, event)| {
            matches!(event, Event::Closed { reason: CloseReason::SessionEnded, .. })
        });
    assert!(closed);
    house.stage.is_empty();
}

/// Proves CTI-40.a and CTI-41.b: what an application may open.
#[test]
fn an_application_opens_what_it_controls() {
    let mut house = House::closed();
    assert_eq!(house.refused(SESSION, open(&[Codec::Pcmu])), Code::Unauthenticated);
    house.sign_in(SESSION);
    let foreign = Command::OpenDevice { device: "IVR-RP".into(), media: MediaTermination::None };
    assert_eq!(house.refused(SESSION, foreign.clone()), Code::Forbidden);
    let control_all = json!({
        "groups": ["Standard CTI Enabled", "Standard CTI Allow Control of All Devices"],
    });
    house.stage.patch(Kind::ApplicationUser, "app", control_all);
    // Open already, with other media.
    assert_eq!(house.refused(SESSION, foreign), Code::MediaConflict);
    let phone = house.stage.name_of(house.one);
    let phone = Command::OpenDevice { device: phone, media: MediaTermination::None };
    assert_eq!(house.refused(SESSION, phone), Code::NotSupportedByDevice);
    let nothing: DeviceName = "nothing".into();
    let nothing = Command::OpenDevice { device: nothing, media: MediaTermination::None };
    assert_eq!(house.refused(SESSION, nothing), Code::NotFound);
    house.ok(SESSION, open(&[Codec::Pcmu]));
    // Signed in, and no longer allowed to be.
    let disabled = json!({ "groups": [] });
    house.stage.patch(Kind::ApplicationUser, "app", disabled);
    assert_eq!(house.refused(SESSION, open(&[Codec::Pcmu])), Code::Unauthenticated);
}

/// Proves CTI-41.a: provisioning needs its own privilege.
#[test]
fn an_application_may_not_provision() {
    let mut house = House::new();
    let device = house.stage.name_of(house.one);
    let inspect = jackfield_vocabulary::ProvisioningCommand::Inspect { device: device.clone() };
    assert_eq!(house.refused(SESSION, Command::Provision(inspect)), Code::Forbidden);
    let restart = jackfield_vocabulary::DeviceRestart::Reset;
    let restart = Command::RestartDevice { device, restart };
    assert_eq!(house.refused(SESSION, restart), Code::Forbidden);
}

#[test]
fn a_permission_taken_away_closes_the_device() {
    let mut house = House::new();
    let (leg, call) = house.answered();
    let none = json!({ "controlled_route_points": [] });
    house.stage.patch(Kind::ApplicationUser, "app", none);
    assert_eq!(house.stage.ended[&leg], Cause::ApplicationFailure);
    assert_eq!(house.refused(SESSION, Command::Drop { call }), Code::NotOpened);
    house.stage.is_empty();
}

#[test]
fn a_call_is_redirected_before_and_after_its_answer() {
    for answered in [false, true] {
        let mut house = House::new();
        let to = house.second_number().parse().unwrap();
        let leg = if answered { house.answered().0 } else { house.stage.call(house.one, NUMBER) };
        let call = house.offered();
        house.ok(SESSION, Command::Redirect { call: call.clone(), to });
        let rings = house.stage.ringing(house.two).expect("redirected");
        assert_eq!(house.stage.legs[&rings].diverted.as_deref(), Some(NUMBER));
        house.stage.answer(house.two);
        assert_eq!(house.stage.state(leg), Some(LegState::Talks));
        assert_eq!(house.refused(SESSION, Command::Drop { call }), Code::NotFound);
        house.stage.hang_up(leg);
        house.stage.is_empty();
    }
}

/// Proves CTI-37.a and SP-16.e: the line's limit of calls holds at a route point.
#[test]
fn a_full_route_point_is_busy() {
    let mut house = House::new();
    let lines = json!({ "lines": [{ "line": NUMBER, "maximum_calls": 1, "busy_trigger": 1 }] });
    house.stage.patch(Kind::CtiRoutePoint, POINT, lines);
    let (leg, _) = house.answered();
    let refused = house.stage.call(house.two, NUMBER);
    assert_eq!(house.stage.ended[&refused], Cause::Busy);
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
}

/// Proves SP-15.d: the application's preference decides among what the caller offers and the regions
/// allow; events keep the caller's payload type.
#[test]
fn codecs_are_chosen_by_preference_and_region() {
    let choose = |codecs: &[Codec], region: &str| {
        let mut house = House::closed();
        house.stage.patch(Kind::Region, "Default", json!({ "codecs": region }));
        house.sign_in(SESSION);
        house.ok(SESSION, open(codecs));
        let offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.50\r\ns=-\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\n\
            m=audio 40000 RTP/AVP 18 0 8 96 100\r\na=rtpmap:96 L16/16000\r\n\
            a=rtpmap:100 telephone-event/8000\r\n";
        let offer = Some(Description(offer.as_bytes().into()));
        let one = house.one;
        let leg = house.stage.call_with(one, NUMBER, offer, LegId(9000));
        let call = house.offered();
        house.ok(SESSION, Command::Answer { call });
        let Some(leg) = house.stage.legs.get(&leg) else { return "none".to_owned() };
        let answer = text(leg.heard.as_ref());
        assert!(answer.contains("a=rtpmap:100 telephone-event/8000"), "{answer}");
        let media = answer.lines().find(|line| line.starts_with("m=")).unwrap();
        media.split(' ').nth(3).unwrap().to_owned()
    };
    use Codec::{G729, L16, Pcma, Pcmu};
    assert_eq!(choose(&[L16, Pcma, Pcmu], "wideband"), "96");
    assert_eq!(choose(&[L16, Pcma, Pcmu], "standard"), "8");
    assert_eq!(choose(&[Pcmu, G729], "narrow"), "18");
    assert_eq!(choose(&[Pcmu], "narrow"), "none", "nothing in common");
}

#[test]
fn a_caller_without_an_offer_is_offered_media() {
    let mut house = House::new();
    let one = house.one;
    let leg = house.stage.call_with(one, NUMBER, None, LegId(9000));
    let call = house.offered();
    house.ok(SESSION, Command::Answer { call: call.clone() });
    let offer = text(house.stage.legs[&leg].heard.as_ref());
    assert!(offer.contains("RTP/AVP 0 8 101"), "{offer}");
    assert_eq!(house.refused(SESSION, play(&call, 1)), Code::WrongState, "no media yet");
    house.stage.tell(LegEvent::ReAnswered { leg, answer: sdp(port(leg)) });
    house.ok(SESSION, play(&call, 1));
    house.stage.hang_up(leg);
    house.stage.is_empty();
}

#[test]
fn a_caller_that_never_answers_our_offer_is_let_go() {
    let mut house = House::new();
    let one = house.one;
    let leg = house.stage.call_with(one, NUMBER, None, LegId(9000));
    let call = house.offered();
    house.ok(SESSION, Command::Answer { call });
    house.stage.after(41);
    assert_eq!(house.stage.ended[&leg], Cause::MediaUnavailable);
    house.stage.is_empty();
}

#[test]
fn a_caller_moves_its_media() {
    let mut house = House::new();
    let (leg, _) = house.answered();
    house.stage.tell(LegEvent::ReOffered { leg, offer: Some(sdp(41_000)), hold: None });
    let resource = house.stage.media.values().next().unwrap();
    assert_eq!(resource.port, Some(41_000), "packets go to the new address");
    let answer = text(house.stage.legs[&leg].heard.as_ref());
    assert!(answer.contains("o=- ") && answer.contains(" 2 IN IP4"), "a new version: {answer}");
}

#[test]
fn the_wait_for_the_first_key_counts_from_the_end_of_what_plays() {
    let mut house = House::new();
    let (_, call) = house.answered();
    house.ok(SESSION, play(&call, 20));
    house.ok(SESSION, collect(&call, 4));
    house.stage.after(24);
    assert_eq!(house.collected(), []);
    house.stage.after(2);
    assert_eq!(house.collected(), [(String::new(), CollectEnd::Timeout)]);
}

#[test]
fn keys_are_collected_until_a_terminator_the_maximum_or_silence() {
    let mut house = House::new();
    let (leg, call) = house.answered();
    house.ok(SESSION, collect(&call, 4));
    house.stage.press(leg, "12#");
    let hash = '#'.try_into().unwrap();
    house.ok(SESSION, collect(&call, 2));
    house.stage.press(leg, "34");
    house.ok(SESSION, collect(&call, 4));
    house.stage.press(leg, "5");
    house.stage.after(6);
    house.ok(SESSION, collect(&call, 4));
    house.ok(SESSION, collect(&call, 4));
    let ends = [
        ("12".to_owned(), CollectEnd::Terminator(hash)),
        ("34".to_owned(), CollectEnd::Maximum),
        ("5".to_owned(), CollectEnd::Timeout),
        (String::new(), CollectEnd::Replaced),
    ];
    assert_eq!(house.collected(), ends);
    assert_eq!(house.refused(SESSION, collect(&call, 0)), Code::InvalidValue);
    assert_eq!(house.refused(SESSION, collect(&call, 65)), Code::InvalidValue);
    house.stage.hang_up(leg);
    house.stage.is_empty();
}

#[test]
fn a_key_stops_what_plays_and_the_application_can_too() {
    let mut house = House::new();
    let (leg, call) = house.answered();
    house.ok(SESSION, play(&call, 20));
    house.stage.press(leg, "1");
    house.ok(SESSION, play(&call, 20));
    house.ok(SESSION, Command::StopPlay { call: call.clone() });
    house.ok(SESSION, play(&call, 1));
    house.stage.after(2);
    let ends = house.stage.events.iter().filter_map(|(_, event)| match event {
        Event::Played { end, .. } => Some(*end),
        _ => None,
    });
    let ends: Vec<_> = ends.collect();
    assert_eq!(ends, [PlayEnd::BargedIn, PlayEnd::Stopped, PlayEnd::Finished]);
    assert_eq!(house.refused(SESSION, play(&call, 0)), Code::InvalidValue);
    assert_eq!(house.refused(SESSION, play(&call, 500)), Code::InvalidValue);
}

/// Whatever the media driver tells or does not: what plays has an end for the application.
#[test]
fn what_plays_has_an_end_though_the_driver_tells_none() {
    for (driver, end) in [(Driver::Mute, 10), (Driver::Endless, 30)] {
        let mut house = House::new();
        house.stage.driver = driver;
        let (leg, call) = house.answered();
        house.ok(SESSION, play(&call, 7));
        house.stage.after(5);
        // The wait for what is replaced is no wait any more.
        house.ok(SESSION, play(&call, 20));
        let played = |house: &House| {
            let ends = house.stage.events.iter().filter_map(|(_, event)| match event {
                Event::Played { end, .. } => Some(*end),
                _ => None,
            });
            ends.collect::<Vec<_>>()
        };
        house.stage.pass(Duration::from_millis(end * 1000 - 1));
        assert_eq!(played(&house), [], "{driver:?}");
        house.stage.pass(Duration::from_millis(1));
        assert_eq!(played(&house), [PlayEnd::Stopped], "{driver:?}");
        assert_eq!(house.stage.playing(), 0, "the driver is told to stop");
        house.stage.after(100);
        assert_eq!(played(&house).len(), 1);
        house.ok(SESSION, play(&call, 20));
        house.stage.hang_up(leg);
        house.stage.is_still();
    }
}

#[test]
fn two_sessions_with_the_same_media_share_a_device() {
    let mut house = House::new();
    let other = SessionId(2);
    house.sign_in(other);
    assert_eq!(house.refused(other, open(&[Codec::L16])), Code::MediaConflict);
    house.ok(other, open(&[Codec::Pcmu, Codec::Pcma]));
    let (leg, call) = house.answered();
    house.sign_out(SESSION);
    assert_eq!(house.stage.state(leg), Some(LegState::Talks), "the other one has it still");
    house.ok(other, Command::Drop { call: call.clone() });
    assert_eq!(house.stage.ended[&leg], Cause::Normal);
    let ended =
        Event::State { call, state: ConnectionState::Disconnected, cause: Some(Cause::Normal) };
    assert!(house.stage.events.contains(&(other, ended)));
}

/// Proves CTI-12.b: beyond the limit there is an alarm, and the device is served.
#[test]
fn many_devices_raise_an_alarm() {
    let mut house = House::closed();
    house.stage.patch(Kind::ClusterSettings, "cluster", json!({ "maximum_devices_per_node": 1 }));
    house.sign_in(SESSION);
    house.ok(SESSION, open(&[Codec::Pcmu]));
    assert_eq!(house.stage.alarms.last().unwrap().name, "cti-devices-of-node");
}

#[test]
fn nobody_outside_speaks_in_the_name_of_the_ivr() {
    let mut house = House::new();
    let ivr = crate::ivr::SELF_PROVISIONING;
    let open = Command::CloseDevice { device: "IVR-RP".into() };
    assert_eq!(house.refused(ivr, open), Code::Unauthenticated);
    house.sign_out(ivr);
    house.sign_in(ivr);
    assert_eq!(&*house.stage.overview().ivr, "in-service");
    assert_eq!(house.stage.overview().sessions, 2);
}

#[test]
fn a_delayed_text_comes_in_its_time_and_too_many_are_refused() {
    let mut house = House::new();
    let phone = house.stage.name_of(house.one);
    house.stage.patch(
        Kind::ApplicationUser,
        "app",
        json!({ "controlled_phones": [phone.as_str()] }),
    );
    let show = |seconds, text: &str| Command::ShowText {
        device: phone.clone(),
        text: text.into(),
        after: Duration::from_secs(seconds),
    };
    house.ok(SESSION, show(5, "later"));
    house.ok(SESSION, show(0, "now"));
    assert_eq!(house.refused(SESSION, show(0, &"x".repeat(129))), Code::InvalidValue);
    assert_eq!(house.refused(SESSION, show(4000, "much later")), Code::InvalidValue);
    house.stage.after(5);
    let texts: Vec<_> = house.stage.texts.iter().map(|(_, text)| &**text).collect();
    assert_eq!(texts, ["now", "later"]);
}

/// Proves CTI-34.a: a CTI port takes a call like a phone.
#[test]
fn a_port_takes_a_call() {
    let mut house = House::new();
    house.stage.create(Kind::Line, json!({ "number": "2200" }));
    house.stage.create(
        Kind::CtiPort,
        json!({
            "name": "PORT",
            "device_pool": "Default",
            "lines": [{ "line": "2200", "maximum_calls": 1, "busy_trigger": 1 }],
        }),
    );
    let both = json!({ "controlled_ports": ["PORT"], "controlled_route_points": [POINT] });
    house.stage.patch(Kind::ApplicationUser, "app", both);
    let media = MediaTermination::Node { codecs: vec![Codec::Pcma] };
    house.ok(SESSION, Command::OpenDevice { device: "PORT".into(), media });
    let leg = house.stage.call(house.one, "2200");
    let call = house.offered();
    house.ok(SESSION, Command::Answer { call: call.clone() });
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
    let other = house.stage.call(house.two, "2200");
    assert_eq!(house.stage.ended[&other], Cause::Busy);
    let digits = "12#".parse().unwrap();
    house.ok(SESSION, Command::SendDigits { call: call.clone(), digits });
    assert!(house.stage.hears(leg)[0].starts_with("Digits"));
    house.ok(SESSION, Command::Drop { call });
    assert_eq!(house.stage.ended[&leg], Cause::Normal);
    house.stage.is_empty();
}

/// An application that only sends calls on needs no media, and can't answer.
#[test]
fn without_media_calls_are_only_sent_on() {
    let mut house = House::closed();
    house.sign_in(SESSION);
    let media = MediaTermination::None;
    house.ok(SESSION, Command::OpenDevice { device: POINT.into(), media });
    let leg = house.stage.call(house.one, NUMBER);
    let call = house.offered();
    assert_eq!(house.refused(SESSION, Command::Answer { call: call.clone() }), Code::WrongState);
    let to = house.second_number().parse().unwrap();
    house.ok(SESSION, Command::Redirect { call, to });
    assert!(house.stage.ringing(house.two).is_some());
    house.stage.hang_up(leg);
    house.stage.is_empty();
}

/// A redirect to where it came from ends somewhere.
#[test]
fn redirects_in_a_circle_end() {
    let mut house = House::new();
    let leg = house.stage.call(house.one, NUMBER);
    for _ in 0..20 {
        if house.stage.ended.contains_key(&leg) {
            break;
        }
        let (call, to) = (house.offered(), NUMBER.parse().unwrap());
        house.ok(SESSION, Command::Redirect { call, to });
    }
    assert_eq!(house.stage.ended[&leg], Cause::Loop);
    house.stage.is_empty();
}

#[test]
fn where_as_many_are_signed_in_as_may_be_a_changed_setting_ends_no_session() {
    let mut house = House::new();
    let account = Some(house.stage.id(Kind::ApplicationUser, "app"));
    house.stage.with(|upper, context| {
        (2..1100).for_each(|session| upper.session(context, SessionId(session), account));
    });
    assert_eq!(house.stage.overview().sessions, 1000);
    house.line(json!({}));
    assert_eq!(house.stage.overview().sessions, 1000);
}
