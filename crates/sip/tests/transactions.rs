//! Transactions between two ends in virtual time: what is sent when, and who is told what.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sim;

use std::time::Duration;

use jackfield_sip::header::Reason;
use jackfield_sip::{
    Action, ClientKey, Dialog, Endpoint, Failure, Flow, HeaderName, Limits, Message, Method, Now,
    Response, ResponseBuilder, ServerKey, Status, Transport,
};
use sim::{ALICE, BOB, World, request};

const LONG: Duration = Duration::from_secs(300);

fn start(world: &mut World, method: Method) -> ClientKey {
    let request = request(method);
    world.act(ALICE, |end, now, flow, out| end.request(now, flow, &request, out))
}

fn requests(world: &World) -> Vec<(ServerKey, Message)> {
    let reports = world.reports[BOB].iter();
    reports
        .filter_map(|(_, action)| match action {
            Action::Request { key, message, .. } => Some((*key, message.clone())),
            _ => None,
        })
        .collect()
}

fn responses(world: &World) -> Vec<Message> {
    let reports = world.reports[ALICE].iter();
    reports
        .filter_map(|(_, action)| match action {
            Action::Response { message, .. } => Some(message.clone()),
            _ => None,
        })
        .collect()
}

fn response(request: &Message, status: Status) -> Response {
    ResponseBuilder::reply_to(request, status)
        .to_tag("bob")
        .header(HeaderName::Contact, "<sip:bob@192.0.2.2>")
        .finish()
}

/// Bob answers his only request.
fn answer(world: &mut World, status: Status) {
    let (key, message) = requests(world).pop().unwrap();
    let response = response(&message, status);
    assert!(world.act(BOB, |end, now, _, out| end.respond(now, key, &response, out)));
}

fn acknowledge(world: &mut World, invite: ClientKey, ok: &Message) {
    let ack = Dialog::uac(ok).unwrap().ack(ok.cseq().unwrap().number);
    world.act(ALICE, |end, _, flow, out| end.acknowledge(invite, ok, flow, &ack, out));
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_request_without_answer_is_repeated_and_fails() {
    let mut world = World::new(Transport::Udp, 1, 100);
    let key = start(&mut world, Method::Options);
    world.run(LONG);
    let times = [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500];
    assert_eq!(world.times(ALICE, "OPTIONS"), times);
    let (at, failed) = &world.reports[ALICE][0];
    assert_eq!(*at, Now::from_millis(32_000));
    assert!(matches!(failed, Action::Failed { key: k, reason: Failure::TimedOut } if *k == key));
    assert!(world.ends[ALICE].is_empty());
}

#[test]
fn an_invite_without_answer_doubles_its_interval() {
    let mut world = World::new(Transport::Udp, 1, 100);
    start(&mut world, Method::Invite);
    world.run(LONG);
    let times = [0, 500, 1500, 3500, 7500, 15500, 31500];
    assert_eq!(world.times(ALICE, "INVITE"), times);
    assert!(matches!(world.reports[ALICE][..], [(_, Action::Failed { .. })]));
}

#[test]
fn nothing_is_repeated_over_tcp() {
    let mut world = World::new(Transport::Tcp, 1, 0);
    start(&mut world, Method::Options);
    world.run(millis(20_000));
    assert_eq!(world.sent(ALICE, "OPTIONS"), 1);
    answer(&mut world, Status::OK);
    world.run(millis(100));
    assert_eq!(responses(&world).len(), 1);
    assert!(world.ends[ALICE].is_empty() && world.ends[BOB].is_empty());
}

#[test]
fn a_lost_answer_is_given_again() {
    let mut world = World::new(Transport::Udp, 1, 0);
    start(&mut world, Method::Register);
    world.run(millis(100));
    world.loss = 100;
    answer(&mut world, Status::OK);
    world.loss = 0;
    world.run(LONG);
    assert_eq!((requests(&world).len(), responses(&world).len()), (1, 1));
    assert_eq!(world.sent(BOB, "SIP/2.0 200"), 2);
    assert!(world.ends[ALICE].is_empty() && world.ends[BOB].is_empty());
}

#[test]
fn an_invite_that_takes_long_is_answered_with_100() {
    let mut world = World::new(Transport::Udp, 1, 0);
    start(&mut world, Method::Invite);
    world.run(millis(10_000));
    assert_eq!(world.sent(BOB, "SIP/2.0 100"), 1);
    assert_eq!(world.sent(ALICE, "INVITE"), 1);
    assert_eq!(responses(&world)[0].to_tag(), None);
}

#[test]
fn a_refusal_is_repeated_until_its_ack_and_the_ack_ends_below() {
    let mut world = World::new(Transport::Udp, 1, 0);
    start(&mut world, Method::Invite);
    world.run(millis(50));
    world.loss = 100;
    answer(&mut world, Status::BUSY_HERE);
    world.run(millis(1400));
    world.loss = 0;
    world.run(LONG);
    assert!(world.sent(BOB, "SIP/2.0 486") >= 2);
    assert!(world.sent(ALICE, "ACK") >= 1);
    assert_eq!(responses(&world).len(), 1);
    assert!(!world.reports[BOB].iter().any(|(_, action)| matches!(action, Action::Ack { .. })));
    assert!(world.ends[ALICE].is_empty() && world.ends[BOB].is_empty());
}

#[test]
fn a_2xx_is_repeated_until_its_ack_which_goes_up_once() {
    let mut world = World::new(Transport::Udp, 1, 0);
    let invite = start(&mut world, Method::Invite);
    world.run(millis(50));
    answer(&mut world, Status::OK);
    world.run(millis(50));
    let ok = responses(&world).pop().unwrap();
    world.loss = 100;
    acknowledge(&mut world, invite, &ok);
    world.loss = 0;
    world.run(millis(5000));
    assert_eq!(world.sent(BOB, "SIP/2.0 200"), 2);
    assert_eq!(world.sent(ALICE, "ACK"), 2, "the repeated 2xx is acknowledged below");
    acknowledge(&mut world, invite, &ok);
    world.run(LONG);
    let acks = world.reports[BOB].iter().filter(|(_, a)| matches!(a, Action::Ack { .. })).count();
    assert_eq!((acks, responses(&world).len()), (1, 1));
    assert!(world.ends[ALICE].is_empty() && world.ends[BOB].is_empty());
}

#[test]
fn a_2xx_without_ack_is_reported() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut world = World::new(transport, 1, 0);
        start(&mut world, Method::Invite);
        world.run(millis(50));
        answer(&mut world, Status::OK);
        world.run(LONG);
        assert_eq!(world.sent(BOB, "SIP/2.0 200"), 11, "{transport}");
        let told = world.reports[BOB].iter().rev().map(|(_, action)| action).take(2);
        let told: Vec<&Action> = told.collect();
        assert!(matches!(told[..], [Action::Over { .. }, Action::Unacknowledged { .. }]));
        assert!(world.ends[BOB].is_empty());
    }
}

/// Whoever did not receive the 2xx, and acknowledges it in somebody's name, knows no tag of it.
#[test]
fn an_ack_without_the_tag_of_the_2xx_is_none() {
    let mut world = World::new(Transport::Udp, 1, 0);
    let invite = start(&mut world, Method::Invite);
    world.run(millis(50));
    let (_, asked) = requests(&world).pop().unwrap();
    world.loss = 100;
    answer(&mut world, Status::OK);
    world.loss = 0;
    for tag in ["alice", "bobby"] {
        let ok = ResponseBuilder::reply_to(&asked, Status::OK)
            .to_tag(tag)
            .header(HeaderName::Contact, "<sip:bob@192.0.2.2>")
            .finish();
        acknowledge(&mut world, invite, &Message::parse_datagram(&ok.bytes).unwrap());
    }
    world.run(millis(2000));
    let acks = |world: &World| {
        world.reports[BOB].iter().filter(|(_, a)| matches!(a, Action::Ack { .. })).count()
    };
    assert_eq!(acks(&world), 0);
    let ok = responses(&world).pop().unwrap();
    acknowledge(&mut world, invite, &ok);
    world.run(LONG);
    assert_eq!(acks(&world), 1);
}

/// Whoever wrote somebody else's address into a request has no flood sent there.
#[test]
fn what_is_said_to_somebody_who_may_not_be_there_is_repeated_twice() {
    for status in [Status::OK, Status::FORBIDDEN] {
        let mut world = World::new(Transport::Udp, 1, 0);
        start(&mut world, Method::Invite);
        world.run(millis(50));
        let (key, _) = requests(&world).pop().unwrap();
        world.act(BOB, |end, _, _, _| end.spare(key));
        world.loss = 100;
        answer(&mut world, status);
        world.run(LONG);
        let line = format!("SIP/2.0 {status}");
        assert_eq!(world.sent(BOB, &line[..11]), 3, "{status}");
        let told = world.reports[BOB].iter();
        let unacknowledged =
            told.filter(|(_, action)| matches!(action, Action::Unacknowledged { .. })).count();
        assert_eq!(unacknowledged, usize::from(status.is_success()), "its end is as ever");
        assert!(world.ends[BOB].is_empty());
    }
}

#[test]
fn a_request_is_repeated_as_often_as_its_sender_wants_or_forgotten() {
    for repeats in [0, 2] {
        let mut world = World::new(Transport::Udp, 1, 100);
        let question = request(Method::Options);
        let ask = |world: &mut World| {
            world.act(ALICE, |end, now, flow, out| {
                end.request_at_most(now, flow, &question, repeats, out)
            })
        };
        let key = ask(&mut world);
        world.run(LONG);
        assert_eq!(world.sent(ALICE, "OPTIONS"), usize::from(repeats) + 1);
        let last = &world.reports[ALICE].last().unwrap().1;
        assert!(matches!(last, Action::Failed { key: failed, .. } if *failed == key));
        let key = ask(&mut world);
        world.act(ALICE, |end, _, _, _| end.abandon(key));
        assert!(world.ends[ALICE].is_empty());
        world.run(LONG);
        assert_eq!(world.reports[ALICE].len(), 1, "nobody is told of it");
    }
}

#[test]
fn cancel_waits_for_the_first_answer() {
    let mut world = World::new(Transport::Udp, 1, 0);
    let elsewhere = Reason::new("SIP", 200, "Call completed elsewhere");
    let invite = start(&mut world, Method::Invite);
    world.act(ALICE, |end, now, _, out| end.cancel(now, invite, Some(&elsewhere), out));
    world.run(millis(150));
    assert_eq!(world.sent(ALICE, "CANCEL"), 0);
    world.run(millis(200));
    assert_eq!(world.sent(ALICE, "CANCEL"), 1);
    assert_eq!(world.sent(BOB, "SIP/2.0 200"), 1);
    let cancelled = &world.reports[BOB].last().unwrap().1;
    let (key, _) = requests(&world).pop().unwrap();
    assert!(matches!(cancelled, Action::Cancelled { invite, message }
        if *invite == key && message.typed() == Ok(elsewhere.clone())));
    assert!(world.ends[BOB].is_open(key));
    answer(&mut world, Status::REQUEST_TERMINATED);
    world.run(LONG);
    let last = responses(&world).pop().unwrap();
    assert_eq!(last.status(), Some(Status::REQUEST_TERMINATED));
    assert!(world.ends[ALICE].is_empty() && world.ends[BOB].is_empty());
}

#[test]
fn a_cancelled_invite_that_is_never_answered_fails() {
    let mut world = World::new(Transport::Udp, 1, 0);
    let invite = start(&mut world, Method::Invite);
    world.run(millis(300));
    world.act(ALICE, |end, now, _, out| end.cancel(now, invite, None, out));
    world.act(ALICE, |end, now, _, out| end.cancel(now, invite, None, out));
    world.run(LONG);
    assert_eq!(world.sent(ALICE, "CANCEL"), 1);
    let last = &world.reports[ALICE].last().unwrap().1;
    assert!(matches!(last, Action::Failed { key, reason: Failure::TimedOut } if *key == invite));
}

/// RFC 3261 section 16.6 item 11, and section 16.8: with a CANCEL, or the other side would ring on.
#[test]
fn who_says_no_more_to_an_invite_than_100_or_that_it_rings_is_sent_a_cancel_after_six_minutes() {
    for answers in [true, false] {
        let mut world = World::new(Transport::Udp, 1, 0);
        let invite = start(&mut world, Method::Invite);
        // Bob's end says 100 by itself.
        world.run(Duration::from_secs(350));
        // It still rings: it has as long again.
        answer(&mut world, Status::RINGING);
        world.run(Duration::from_secs(350));
        assert_eq!(world.sent(ALICE, "CANCEL"), 0);
        world.run(Duration::from_secs(25));
        assert_eq!(world.sent(ALICE, "CANCEL"), 1);
        if answers {
            answer(&mut world, Status::REQUEST_TERMINATED);
            world.run(LONG);
            let last = responses(&world).pop().unwrap();
            assert_eq!(last.status(), Some(Status::REQUEST_TERMINATED));
            assert!(world.ends[ALICE].is_empty() && world.ends[BOB].is_empty());
        } else {
            world.run(LONG);
            let last = &world.reports[ALICE].last().unwrap().1;
            assert!(matches!(last, Action::Failed { key, .. } if *key == invite), "{last:?}");
            assert!(world.ends[ALICE].is_empty());
        }
    }
}

#[test]
fn a_cancel_for_nothing_is_481() {
    let mut world = World::new(Transport::Udp, 1, 0);
    start(&mut world, Method::Cancel);
    world.run(LONG);
    assert_eq!(world.sent(BOB, "SIP/2.0 481"), 1);
    assert!(world.reports[BOB].is_empty());
}

#[test]
fn a_request_nobody_answers_is_forgotten() {
    let mut world = World::new(Transport::Udp, 1, 0);
    start(&mut world, Method::Options);
    world.run(millis(100));
    let (key, _) = requests(&world).pop().unwrap();
    assert!(world.ends[BOB].is_open(key));
    world.run(LONG);
    assert!(world.ends[BOB].is_empty() && !world.ends[BOB].is_open(key));
}

#[test]
fn an_ack_is_never_repeated() {
    let mut world = World::new(Transport::Udp, 1, 0);
    start(&mut world, Method::Ack);
    world.run(LONG);
    assert_eq!(world.sent(ALICE, "ACK"), 1);
    assert!(matches!(world.reports[BOB][..], [(_, Action::Ack { invite: None, .. })]));
    assert!(world.reports[ALICE].is_empty());
}

/// Whoever has listened knows the branch, and speaks for nobody with it (RFC 3261 section 18.1.2).
#[test]
fn an_answer_counts_only_from_the_host_that_was_asked() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut world = World::new(transport, 1, 0);
        start(&mut world, Method::Invite);
        world.run(millis(50));
        let (_, invite) = requests(&world).pop().unwrap();
        let asked = world.flow(ALICE);
        let other = if transport == Transport::Udp { Transport::Tcp } else { Transport::Udp };
        let answers = [
            (Flow { remote: "203.0.113.9:5060".parse().unwrap(), ..asked.clone() }, false),
            (Flow { transport: other, ..asked.clone() }, false),
            // A phone may send from another port than it listens on, or have connected anew.
            (Flow { remote: "192.0.2.2:40000".parse().unwrap(), ..asked.clone() }, true),
            (Flow { connection: asked.connection.map(|one| one + 1), ..asked.clone() }, true),
        ];
        for (flow, counts) in answers {
            let ringing = response(&invite, Status::RINGING);
            let before = responses(&world).len();
            let message = Message::parse_datagram(&ringing.bytes).unwrap();
            world.act(ALICE, |end, now, _, out| end.receive(now, flow.clone(), message, out));
            assert_eq!(responses(&world).len() - before, usize::from(counts), "{flow:?}");
        }
        assert_eq!(world.ends[ALICE].counters().stray, 2);
    }
}

#[test]
fn a_lost_connection_fails_what_waits() {
    let mut world = World::new(Transport::Tcp, 1, 0);
    let keys = [Method::Options, Method::Invite].map(|method| start(&mut world, method));
    let flow = world.flow(ALICE);
    world.act(ALICE, |end, _, _, out| end.disconnected(&flow, out));
    for key in keys {
        assert!(world.reports[ALICE].iter().any(|(_, action)| matches!(
            action,
            Action::Failed { key: failed, reason: Failure::Transport } if *failed == key
        )));
    }
    assert!(world.ends[ALICE].is_empty());
}

#[test]
fn what_waits_over_another_connection_goes_on() {
    let mut world = World::new(Transport::Tcp, 1, 0);
    let lost = start(&mut world, Method::Options);
    let gone = world.flow(ALICE);
    let other = Flow { connection: Some(2), ..gone.clone() };
    let ping = request(Method::Options);
    world.act(ALICE, |end, now, _, out| end.request(now, other.clone(), &ping, out));
    world.restore();
    world.act(ALICE, |end, _, _, out| end.disconnected(&gone, out));
    let failed = |world: &World| -> Vec<ClientKey> {
        let failed = world.reports[ALICE].iter().filter_map(|(_, action)| match action {
            Action::Failed { key, .. } => Some(*key),
            _ => None,
        });
        failed.collect()
    };
    assert_eq!(failed(&world), [lost]);
    assert_eq!(world.ends[ALICE].len(), 1);
    world.act(ALICE, |end, _, _, out| end.disconnected(&other, out));
    assert!(world.ends[ALICE].is_empty() && failed(&world).len() == 2);
}

/// RFC 3261 section 17.1.4: who can't be connected to is told of as one who answered 503.
#[test]
fn what_was_to_open_a_connection_fails_when_that_fails() {
    let mut world = World::new(Transport::Tcp, 1, 0);
    let over = start(&mut world, Method::Invite);
    let opening = Flow { connection: None, ..world.flow(ALICE) };
    let elsewhere = Flow { remote: "192.0.2.99:5060".parse().unwrap(), ..opening.clone() };
    let mut begin = |flow: &Flow| {
        let invite = request(Method::Invite);
        world.act(ALICE, |end, now, _, out| end.request(now, flow.clone(), &invite, out))
    };
    let [lost, other] = [&opening, &elsewhere].map(&mut begin);
    world.restore();
    world.act(ALICE, |end, _, _, out| end.disconnected(&opening, out));
    let failed = |key: ClientKey| {
        let is = |action: &Action| matches!(action, Action::Failed { key: one, .. } if *one == key);
        world.reports[ALICE].iter().any(|(_, action)| is(action))
    };
    assert_eq!([lost, other, over].map(failed), [true, false, false]);
    assert_eq!(world.ends[ALICE].len(), 2);
}

/// Whatever is lost, every request ends once and nothing is left; stopping and restoring in the
/// middle changes nothing.
#[test]
fn calls_over_a_bad_network_end_clean() {
    for seed in 0..60 {
        let run = |restore: bool| {
            let mut world = World::new(Transport::Udp, seed, 30);
            let invite = start(&mut world, Method::Invite);
            let (mut answered, mut acknowledged) = (false, false);
            for _ in 0..400 {
                world.run(millis(250));
                if restore {
                    world.restore();
                }
                if !answered && !requests(&world).is_empty() {
                    answered = true;
                    let status = if seed % 2 == 0 { Status::OK } else { Status::DECLINE };
                    answer(&mut world, status);
                }
                let ok = responses(&world).into_iter().find(|r| r.status() == Some(Status::OK));
                if let (Some(ok), false) = (ok, acknowledged) {
                    acknowledged = true;
                    acknowledge(&mut world, invite, &ok);
                }
            }
            world
        };
        let world = run(false);
        let finals = responses(&world).iter().filter(|r| r.status().unwrap().is_final()).count();
        let failed =
            world.reports[ALICE].iter().filter(|(_, a)| matches!(a, Action::Failed { .. }));
        assert_eq!(finals + failed.count(), 1, "seed {seed}");
        assert!(requests(&world).len() <= 1, "seed {seed}");
        assert!(world.ends.iter().all(Endpoint::is_empty), "seed {seed}");
        assert_eq!(run(true).wire, world.wire, "seed {seed}");
    }
}

mod limits {
    use super::*;

    fn datagram(method: &str, number: u32, to: &str) -> Message {
        let text = format!(
            "{method} sip:bob@192.0.2.2 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{number}\r\n\
             From: <sip:a@b>;tag={number}\r\nTo: <sip:b@c>{to}\r\n\
             Call-ID: {number}\r\nCSeq: 1 {method}\r\n\r\n"
        );
        Message::parse_datagram(text.as_bytes()).unwrap()
    }

    fn flow() -> Flow {
        Flow::udp(sim::address(BOB), "192.0.2.9:9999".parse().unwrap())
    }

    #[test]
    fn new_requests_are_shed_when_full_but_not_what_belongs_to_calls() {
        let limits = Limits { transactions: 10, reserve: 5 };
        let (mut end, mut out) = (Endpoint::new([1; 32], limits), Vec::new());
        for number in 0..30 {
            end.receive(Now::ZERO, flow(), datagram("INVITE", number, ""), &mut out);
        }
        assert_eq!((end.len(), end.counters().shed), (10, 20));
        let shed = out.iter().find_map(|action| match action {
            Action::Transmit { bytes, flow } => {
                Some((Message::parse_datagram(bytes).unwrap(), flow))
            }
            _ => None,
        });
        let (shed, to) = shed.unwrap();
        assert_eq!(shed.status(), Some(Status::SERVICE_UNAVAILABLE));
        assert!(shed.first(HeaderName::RetryAfter).is_some());
        assert_eq!(to.remote, "192.0.2.9:5070".parse().unwrap(), "no rport: the port of the Via");
        out.clear();
        end.receive(Now::ZERO, flow(), datagram("BYE", 99, ";tag=x"), &mut out);
        assert!(matches!(out[0], Action::Request { .. }));
        out.clear();
        end.receive(Now::ZERO, flow(), datagram("CANCEL", 3, ""), &mut out);
        assert!(matches!(out[1], Action::Cancelled { .. }));
        for number in 100..200 {
            end.receive(Now::ZERO, flow(), datagram("BYE", number, ";tag=x"), &mut out);
        }
        assert_eq!(end.len(), 15);
    }

    #[test]
    fn a_copy_of_an_invite_by_another_way_is_482() {
        let (mut end, mut out) = (Endpoint::new([1; 32], Limits::default()), Vec::new());
        end.receive(Now::ZERO, flow(), datagram("INVITE", 1, ""), &mut out);
        let copy = datagram("INVITE", 1, "");
        let copy = copy.head().replace("z9hG4bK1", "z9hG4bK1x");
        let copy = Message::parse_datagram(copy.as_bytes()).unwrap();
        end.receive(Now::ZERO, flow(), copy, &mut out);
        assert_eq!(out.iter().filter(|a| matches!(a, Action::Request { .. })).count(), 1);
        let Some(Action::Transmit { bytes, .. }) = out.last() else { panic!() };
        assert!(bytes.starts_with(b"SIP/2.0 482"));
    }

    #[test]
    fn branches_of_rfc_2543_match_their_retransmission_and_ack() {
        let (mut end, mut out) = (Endpoint::new([1; 32], Limits::default()), Vec::new());
        let old = |method: &str, to: &str| {
            let text = datagram(method, 1, to).head().replace("z9hG4bK1", "1");
            let text = text.replace("CSeq: 1 INVITE", &format!("CSeq: 1 {method}"));
            Message::parse_datagram(text.as_bytes()).unwrap()
        };
        let invite = old("INVITE", "");
        end.receive(Now::ZERO, flow(), invite.clone(), &mut out);
        end.receive(Now::ZERO, flow(), invite.clone(), &mut out);
        let Some(Action::Request { key, message, .. }) = out.pop() else { panic!() };
        assert!(out.is_empty(), "the second one is a retransmission");
        end.respond(Now::ZERO, key, &response(&message, Status::BUSY_HERE), &mut out);
        out.clear();
        end.receive(Now::ZERO, flow(), old("ACK", ";tag=bob"), &mut out);
        assert!(out.is_empty(), "the ACK of a refusal ends here");
        end.timeout(Now::ZERO + LONG, &mut out);
        assert!(end.is_empty());
    }
}
