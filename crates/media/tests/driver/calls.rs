//! What a call does: play, press, interrupt, record, change.

use core::time::Duration;

use jackfield_media::codecs_available;
use jackfield_vocabulary::{
    Codec, DigitSource, MediaCommand, MediaEvent, MediaId, PlayEnd, PlayId, PlayItem, RecordEnd,
    Tone,
};

use crate::harness::{Node, pair, prompt, socket, target};

const ONE: MediaId = MediaId(1);

fn played(event: &MediaEvent) -> Option<(PlayId, PlayEnd)> {
    match event {
        MediaEvent::Played { play, end, .. } => Some((*play, *end)),
        _ => None,
    }
}

fn recorded(event: &MediaEvent) -> Option<(u64, RecordEnd, Duration)> {
    match event {
        MediaEvent::Recorded { recording, end, length, .. } => Some((*recording, *end, *length)),
        _ => None,
    }
}

/// Proves SP-15.e: keys as events go over with every codec of the route point.
#[test]
fn keys_reach_the_other_side_with_every_codec() {
    for codec in codecs_available() {
        let (one, mut two) = pair(|target| {
            target.codec = codec;
            target.payload_type = 100;
        });
        one.play(1, 1, vec![PlayItem::Digits("19#".into())], false);
        let expected = ['1', '9', '#'].map(|key| (key, DigitSource::Event));
        assert_eq!(two.digits(1, 3), expected, "{codec:?}");
    }
}

/// Proves SP-15.f: keys as tones.
#[test]
fn keys_reach_the_other_side_as_tones() {
    let (one, mut two) = pair(|target| target.event_payload_type = None);
    one.play(1, 1, vec![PlayItem::Digits("2580".into())], false);
    let expected = ['2', '5', '8', '0'].map(|key| (key, DigitSource::Tone));
    assert_eq!(two.digits(1, 4), expected);
}

#[test]
fn a_digit_interrupts_a_prompt() {
    let (one, mut two) = pair(|_| {});
    let items = vec![prompt("low"), PlayItem::Tone(Tone::Ringback, 60_000)];
    two.play(1, 5, items, true);
    one.play(1, 1, vec![PlayItem::Digits("7".into())], false);
    assert_eq!(two.wait(played), (PlayId(5), PlayEnd::BargedIn));
    assert!(matches!(two.seen[two.seen.len() - 2], MediaEvent::Digit { .. }));
}

#[test]
fn what_is_played_is_recorded_on_the_other_side() {
    let (mut one, mut two) = pair(|_| {});
    let limit = Duration::from_secs(5);
    two.send(MediaCommand::Record { media: ONE, recording: 4, limit, until_digit: true });
    one.play(1, 1, vec![prompt("low"), prompt("high"), PlayItem::Digits("#".into())], false);
    assert_eq!(one.wait(played), (PlayId(1), PlayEnd::Finished));
    let (recording, end, length) = two.wait(recorded);
    assert_eq!((recording, end), (4, RecordEnd::Digit));
    assert!((950..1_500).contains(&length.as_millis()), "{length:?}");
    let recording = two.driver.recording(4).unwrap();
    assert_eq!(recording.rate, 8_000);
    let loud = recording.sound.iter().filter(|sample| sample.abs() > 4_000).count();
    // Two thirds of a sine are above half its height, and it sounds for one second.
    assert!((4_800..5_800).contains(&loud), "{loud}");

    // It can be played back, and forgotten.
    two.play(1, 2, vec![PlayItem::Recording(4)], false);
    assert_eq!(two.wait(played), (PlayId(2), PlayEnd::Finished));
    two.driver.forget(4);
    two.play(1, 3, vec![PlayItem::Recording(4)], false);
    two.wait(|event| matches!(event, MediaEvent::Unplayable { play: PlayId(3), .. }).then_some(()));
}

/// Whoever waits for the end knows how long to wait.
#[test]
fn an_order_to_play_tells_how_long_it_takes() {
    let (mut one, _two) = pair(|_| {});
    let silence = PlayItem::Silence(200);
    one.play(
        1,
        1,
        vec![prompt("low"), prompt("high"), silence, PlayItem::Digits("1".into())],
        false,
    );
    let (play, length) = one.wait(|event| match event {
        MediaEvent::Playing { media: ONE, play, length } => Some((*play, *length)),
        MediaEvent::Played { .. } => panic!("{event:?}"),
        _ => None,
    });
    assert_eq!((play, length.as_millis()), (PlayId(1), 500 + 500 + 200 + 500));
    assert_eq!(one.wait(played), (PlayId(1), PlayEnd::Finished));
}

/// Proves SP-15.a, SP-15.b, SP-15.c and SP-15.d: prompts are heard with every codec of the route point.
#[test]
fn a_prompt_is_heard_with_every_codec() {
    for codec in codecs_available() {
        let (mut one, mut two) = pair(|target| {
            target.codec = codec;
            target.payload_type = 100;
            target.ptime = if codec == Codec::G722 { 30 } else { 20 };
        });
        let limit = Duration::from_secs(5);
        two.send(MediaCommand::Record { media: ONE, recording: 4, limit, until_digit: true });
        one.play(1, 1, vec![prompt("low"), PlayItem::Digits("#".into())], false);
        assert_eq!(one.wait(played), (PlayId(1), PlayEnd::Finished));
        two.wait(recorded);
        let recording = two.driver.recording(4).unwrap();
        let loud = recording.sound.iter().filter(|sample| sample.abs() > 3_000).count();
        let milliseconds = loud * 1_000 / recording.rate as usize;
        // Three quarters of a sine are above three eighths of its height.
        assert!((300..460).contains(&milliseconds), "{codec:?}: {milliseconds} ms");
    }
}

#[test]
fn orders_that_come_before_the_far_side_is_known_wait() {
    let (mut one, mut two) = (Node::start(), Node::start());
    let (first, second) = (one.allocate(1), two.allocate(1));
    one.play(1, 1, vec![PlayItem::Digits("4".into())], false);
    one.play(1, 2, vec![PlayItem::Digits("6".into())], false);
    assert_eq!(one.wait(played), (PlayId(1), PlayEnd::Stopped));
    one.connect(1, target(second, Codec::Pcma));
    two.connect(1, target(first, Codec::Pcma));
    assert_eq!(two.digits(1, 1), [('6', DigitSource::Event)]);
}

#[test]
fn a_re_invite_changes_codec_and_holds_without_losing_the_order() {
    let far = socket();
    let mut node = Node::start();
    node.allocate(1);
    let mut target = target(far.local_addr().unwrap(), Codec::Pcmu);
    node.connect(1, target.clone());
    node.play(1, 1, vec![prompt("low"), prompt("high")], false);
    let mut bytes = [0; 2_000];
    for _ in 0..5 {
        far.recv(&mut bytes).unwrap();
    }
    target.send = false;
    node.connect(1, target.clone());
    far.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    while far.recv(&mut bytes).is_ok() {}
    node.drain();
    assert!(!node.seen.iter().any(|event| played(event).is_some()), "held, not ended");

    (target.send, target.codec, target.payload_type, target.ptime) = (true, Codec::L16, 96, 40);
    node.connect(1, target);
    let length = far.recv(&mut bytes).unwrap();
    assert_eq!((length, bytes[1] & 0x7f), (12 + 1_280, 96));
    assert_eq!(node.wait(played), (PlayId(1), PlayEnd::Finished));
}

#[test]
fn a_missing_prompt_fails_and_the_present_one_goes_on() {
    let (mut one, _two) = pair(|_| {});
    one.play(1, 1, vec![prompt("low")], false);
    one.play(1, 2, vec![prompt("high"), prompt("nobody-said-this")], false);
    one.wait(|event| match event {
        MediaEvent::Unplayable { media: ONE, play: PlayId(2) } => Some(()),
        MediaEvent::Played { .. } => panic!("{event:?}"),
        _ => None,
    });
    assert_eq!(one.wait(played), (PlayId(1), PlayEnd::Finished));
    one.send(MediaCommand::StopPlay { media: ONE });
    one.play(1, 3, vec![PlayItem::Silence(60_000)], false);
    one.play(1, 4, vec![PlayItem::Silence(20)], false);
    assert_eq!(one.wait(played), (PlayId(3), PlayEnd::Stopped));
    assert_eq!(one.wait(played), (PlayId(4), PlayEnd::Finished));
}

#[test]
fn a_release_ends_what_goes_on_and_tells_the_statistics() {
    let (mut one, mut two) = pair(|_| {});
    let limit = Duration::from_secs(60);
    two.send(MediaCommand::Record { media: ONE, recording: 1, limit, until_digit: false });
    two.play(1, 9, vec![PlayItem::Tone(Tone::Busy, 60_000)], false);
    one.play(1, 1, vec![prompt("low")], false);
    one.wait(played);
    two.send(MediaCommand::Release { media: ONE });
    assert_eq!(two.wait(played), (PlayId(9), PlayEnd::Stopped));
    assert_eq!(two.wait(recorded).1, RecordEnd::Stopped);
    let statistics = two.wait(|event| match event {
        MediaEvent::Released { statistics, .. } => Some(*statistics),
        _ => None,
    });
    assert!(statistics.received >= 20 && statistics.sent >= 20, "{statistics:?}");
    assert_eq!(statistics.lost, 0);
    assert!(statistics.jitter_micros < 20_000, "{statistics:?}");
}
