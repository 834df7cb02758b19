//! Limits, floods and ends.

use core::time::Duration;
use std::sync::{Arc, mpsc::channel};
use std::time::Instant;

use jackfield_media::{Driver, DriverSettings, PromptLibrary};
use jackfield_vocabulary::{
    Codec, DigitSource, MediaCommand, MediaEvent, MediaFailure, MediaId, MediaStatistics, PlayItem,
};

use crate::harness::{HERE, Node, PATIENCE, socket, target};

fn failed(event: &MediaEvent) -> Option<(MediaId, MediaFailure)> {
    match event {
        MediaEvent::Failed { media, failure } => Some((*media, *failure)),
        _ => None,
    }
}

#[test]
fn the_limit_of_resources_holds_and_a_release_makes_room() {
    let mut node = Node::with(DriverSettings { resources: 2, ..DriverSettings::new(HERE, 1) });
    let first = node.allocate(1);
    assert_eq!(node.allocate(1), first, "asked twice, answered twice");
    node.allocate(2);
    node.send(MediaCommand::Allocate { media: MediaId(3) });
    assert_eq!(node.wait(failed), (MediaId(3), MediaFailure::Limit));
    node.send(MediaCommand::Release { media: MediaId(1) });
    node.allocate(3);
}

#[test]
fn orders_for_what_is_not_there_are_answered() {
    let mut node = Node::start();
    let media = MediaId(9);
    node.send(MediaCommand::StopPlay { media });
    assert_eq!(node.wait(failed), (media, MediaFailure::Missing));
    node.send(MediaCommand::Release { media });
    let statistics = node.wait(|event| match event {
        MediaEvent::Released { statistics, .. } => Some(*statistics),
        _ => None,
    });
    assert_eq!(statistics, MediaStatistics::default());
}

#[test]
fn silence_is_told_once() {
    let far = socket();
    let silence = Duration::from_millis(150);
    let mut node = Node::with(DriverSettings { silence, ..DriverSettings::new(HERE, 1) });
    node.allocate(1);
    node.connect(1, target(far.local_addr().unwrap(), Codec::Pcmu));
    let length = node.wait(|event| match event {
        MediaEvent::Silent { length, .. } => Some(*length),
        _ => None,
    });
    assert!(length >= silence && length < silence * 3, "{length:?}");
    // By the driver's own clock more than as long passes again.
    let more = u32::try_from(silence.as_millis()).unwrap() * 2;
    node.play(1, 1, vec![PlayItem::Silence(more)], false);
    node.wait(|event| matches!(event, MediaEvent::Played { .. }).then_some(()));
    node.drain();
    let told = node.seen.iter().filter(|event| matches!(event, MediaEvent::Silent { .. })).count();
    assert_eq!(told, 1);
}

#[test]
fn a_full_lane_gives_the_command_back_and_counts_it() {
    let node = Node::with(DriverSettings { commands: 1, ..DriverSettings::new(HERE, 1) });
    let commands = (0..10_000).map(|id| MediaCommand::StopPlay { media: MediaId(id) });
    let refused = commands.filter(|command| node.driver.send(command.clone()).is_err()).count();
    assert_eq!(node.driver.figures().commands_dropped, refused as u64);
    node.driver.stop();
    assert!(node.driver.send(MediaCommand::Allocate { media: MediaId(1) }).is_err());
}

/// Nobody would ever give back the ports.
#[test]
fn a_full_lane_loses_no_release() {
    let (go, gate) = channel::<()>();
    let (tell, events) = channel();
    let settings = DriverSettings { commands: 1, ..DriverSettings::new(HERE, 1) };
    let driver = Driver::start(settings, Arc::default(), move |event| {
        let _ = gate.recv();
        let _ = tell.send(event);
    });
    let driver = driver.unwrap();
    let media = MediaId(1);
    driver.send(MediaCommand::Allocate { media }).unwrap();
    // The driver waits for whoever it tells of the port.
    while driver.send(MediaCommand::StopPlay { media }).is_ok() {}
    driver.send(MediaCommand::Release { media }).unwrap();
    drop(go);
    let told: Vec<_> = (0..2).map(|_| events.recv_timeout(PATIENCE).unwrap()).collect();
    assert!(matches!(told[0], MediaEvent::Allocated { .. }), "{told:?}");
    assert!(matches!(told[1], MediaEvent::Released { .. }), "{told:?}");
}

#[test]
fn a_flood_of_rubbish_does_not_stop_other_calls() {
    let (far, flooder) = (socket(), socket());
    let mut node = Node::start();
    let (flooded, quiet) = (node.allocate(1), node.allocate(2));
    node.connect(1, target(flooder.local_addr().unwrap(), Codec::Pcmu));
    node.connect(2, target(far.local_addr().unwrap(), Codec::Pcmu));
    far.recv(&mut [0; 500]).unwrap();
    for round in 0..20_000u32 {
        let _ = flooder.send_to(&round.to_be_bytes().repeat(40), flooded);
    }
    let digits = [PlayItem::Digits("1".into())];
    node.play(2, 1, digits.to_vec(), false);
    let header = jackfield_media::RtpHeader {
        marker: true,
        payload_type: 101,
        sequence: 1,
        timestamp: 0,
        ssrc: 1,
    };
    let mut key = header.bytes().to_vec();
    key.extend([8, 0x8a, 3, 0x20]);
    far.send_to(&key, quiet).unwrap();
    assert_eq!(node.digits(2, 1), [('8', DigitSource::Event)]);
    assert!(node.driver.figures().ignored > 100);
    assert_eq!(node.driver.figures().clock_resets, 0);
}

#[test]
fn a_driver_that_stops_releases_everything() {
    let mut node = Node::start();
    for media in 1..=20 {
        node.allocate(media);
    }
    node.driver.stop();
    node.drain();
    let released =
        node.seen.iter().filter(|event| matches!(event, MediaEvent::Released { .. })).count();
    assert_eq!(released, 20);
}

#[test]
fn a_driver_that_has_panicked_is_seen_not_to_run() {
    let tell = |_| panic!("as it was told");
    let prompts = Arc::new(PromptLibrary::default());
    let driver = Driver::start(DriverSettings::new(HERE, 1), prompts, tell).unwrap();
    assert!(driver.runs());
    driver.send(MediaCommand::Allocate { media: MediaId(1) }).unwrap();
    let began = Instant::now();
    while driver.runs() {
        assert!(began.elapsed() < Duration::from_secs(10), "it still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}
