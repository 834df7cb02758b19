//! A whole building's unknown phones are plugged in at once: they come one after another.

use jackfield_model::Kind;
use jackfield_sip::{HeaderName, Message, Status};
use serde_json::json;

use crate::world::{NODE, Reply, World};

/// So many phones of one network ask at the same moment; how long each is told to stay away.
fn told_to_wait(per_minute: u32, phones: u32) -> Vec<u64> {
    let mut world = World::new();
    let settings = world.directory.find(Kind::AutoRegistration, NODE).unwrap();
    world.change(settings, json!({ "per_minute": per_minute, "unassigned_limit": 20_000 }));
    world.store.reply = Reply::Gone;
    for mac in 0..phones {
        let source = "10.66.6.6:5060";
        world.send_raw(
            source,
            &format!(
                "REGISTER sip:192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP {source};branch=z9hG4bK{mac};rport\n\
                 Max-Forwards: 70\nFrom: <sip:0011{mac:08X}@192.0.2.10>;tag=1\n\
                 To: <sip:0011{mac:08X}@192.0.2.10>\nCall-ID: storm-{mac}\nCSeq: 1 REGISTER\n\
                 Contact: <sip:x@{source}>\nExpires: 3600\nContent-Length: 0\n\n"
            ),
        );
    }
    let waits = world.store.strays.iter().map(|(_, answer)| {
        let answer = Message::parse_datagram(answer).unwrap();
        assert_eq!(answer.status(), Some(Status::SERVICE_UNAVAILABLE));
        answer.first(HeaderName::RetryAfter).unwrap().parse().unwrap()
    });
    let waits: Vec<u64> = waits.collect();
    assert_eq!(waits.len(), phones as usize - world.heard.submitted);
    world.store.reply = Reply::After(3);
    world.run(60);
    assert_eq!(world.counter("timers"), 0);
    waits
}

#[test]
fn where_many_may_come_they_are_told_to_come_soon_and_not_all_at_once() {
    let waits = told_to_wait(100_000, 5000);
    assert!(waits.len() > 3000, "{} wait", waits.len());
    assert!(waits.iter().all(|wait| (1..=6).contains(wait)), "{waits:?}");
    for second in 1..=6 {
        let together = waits.iter().filter(|wait| **wait == second).count();
        assert!(together < 1800, "{together} come in second {second}");
    }
}

#[test]
fn where_few_may_come_the_others_are_told_to_stay_away() {
    let waits = told_to_wait(60, 3000);
    assert!(waits.iter().all(|wait| (1..=45).contains(wait)));
    let long = waits.iter().filter(|wait| **wait >= 30).count();
    assert!(long > waits.len() - 40, "{long} of {}", waits.len());
    let shortest = waits.iter().filter(|wait| **wait == 30).count();
    assert!(shortest < waits.len() / 4, "{shortest} come at the same time");
}
