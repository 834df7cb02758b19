//! The clock: packets come when their timestamps say.

use core::time::Duration;
use std::{sync::Arc, thread, time::Instant};

use jackfield_media::{Driver, DriverSettings, Metronome, PromptLibrary, RtpPacket};
use jackfield_vocabulary::{Codec, MediaCommand, MediaEvent, MediaId, PlayId, PlayItem};

use crate::harness::{HERE, socket, target};

/// Milliseconds that the driver's thread is held up in the middle.
const STANDSTILL: u64 = 500;

/// RFC 3550 section 5.1: what passes while the machine stands still passes for timestamps too, so
/// that the rest of a call is not late by as much.
#[test]
fn a_standstill_is_over_when_it_is_over() {
    let far = socket();
    let tell = |event| {
        if let MediaEvent::Played { .. } = event {
            thread::sleep(Duration::from_millis(STANDSTILL));
        }
    };
    let prompts = Arc::new(PromptLibrary::in_memory());
    let driver = Driver::start(DriverSettings::new(HERE, 1), prompts, tell).unwrap();
    let media = MediaId(1);
    let target = target(far.local_addr().unwrap(), Codec::Pcmu);
    let items = vec![PlayItem::Silence(300)];
    driver.send(MediaCommand::Allocate { media }).unwrap();
    driver.send(MediaCommand::Connect { media, target }).unwrap();
    driver.send(MediaCommand::Play { media, play: PlayId(1), items, barge_in: false }).unwrap();

    let began = Instant::now();
    let mut packets = Vec::new();
    let mut bytes = [0; 400];
    for _ in 0..60 {
        let length = far.recv(&mut bytes).unwrap();
        let header = RtpPacket::parse(&bytes[..length]).unwrap().header;
        packets.push((began.elapsed().as_millis() as i64, i64::from(header.timestamp / 8)));
    }
    let gaps = packets.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(gaps.max().unwrap() > STANDSTILL as i64 / 2, "it stood still: {packets:?}");
    assert_eq!(driver.figures().clock_resets, 1);
    let lag = |(at, timestamp): (i64, i64)| at - timestamp;
    let later = lag(packets[59]) - lag(packets[0]);
    assert!(later.abs() < STANDSTILL as i64 / 4, "the rest is late by {later} ms: {packets:?}");
}

/// The clock would stand still whenever the table of descriptors grew for a new call.
#[test]
fn there_is_room_for_all_sockets_before_the_first_call() {
    let prompts = Arc::new(PromptLibrary::in_memory());
    let settings = DriverSettings { resources: 200, ..DriverSettings::new(HERE, 1) };
    let sockets = settings.resources * 2;
    let _driver = Driver::start(settings, prompts, |_| {}).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let room = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap();
    assert!(room.trim().parse::<usize>().unwrap() > sockets, "{room}");
}

#[test]
fn the_bare_clock_tells_of_each_slot() {
    let began = Instant::now();
    let metronome = Metronome::start().unwrap();
    while metronome.slots() < 50 {
        assert!(began.elapsed() < Duration::from_secs(20), "{} slots", metronome.slots());
        thread::yield_now();
    }
    let report = metronome.stop().unwrap();
    let slots = report.lateness.len();
    assert!(slots >= 50 && slots as u128 <= began.elapsed().as_millis(), "{slots} slots");
}
