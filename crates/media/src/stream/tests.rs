//! Two streams talk to each other over a network made of a closure.

use jackfield_vocabulary::Tone;
use proptest::prelude::*;

use super::*;
use crate::{codecs_available, player::EmptyShelf, rtp::RtpPacket};

const PTIME: Duration = Duration::from_millis(20);

fn settings(codec: Codec, events: bool) -> StreamSettings {
    let payload_type = match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::G729 => 18,
        Codec::L16 => 96,
    };
    let event_payload_type = events.then_some(101);
    StreamSettings { codec, payload_type, event_payload_type, ptime: 20, ear: false, tones: true }
}

fn stream(settings: StreamSettings) -> Stream {
    Stream::new(settings, StreamSeed { ssrc: 9, sequence: 65_500, timestamp: u32::MAX - 800 })
        .unwrap()
}

struct Line {
    near: Stream,
    far: Stream,
    now: Duration,
    told: Vec<StreamEvent>,
    heard: Vec<i16>,
    /// How many packets were sent.
    sent: u64,
}

impl Line {
    fn new(settings: StreamSettings) -> Self {
        Self {
            near: stream(settings),
            far: stream(StreamSettings { ear: true, ..settings }),
            now: Duration::ZERO,
            told: Vec::new(),
            heard: Vec::new(),
            sent: 0,
        }
    }

    /// Lets time pass; packets for which `passes` says no are lost.
    fn run(&mut self, packets: usize, mut passes: impl FnMut(u64) -> bool) {
        for _ in 0..packets {
            let mut out = [0; RTP_PACKET_LIMIT];
            let length = self.near.send(&EmptyShelf, &mut out, &mut |_| {});
            self.sent += 1;
            let told = &mut self.told;
            if passes(self.sent) {
                let tell = &mut |event| told.push(event);
                self.far.receive(self.now, &out[..length], tell).unwrap();
            }
            let heard = self.far.hear(self.now, &mut |event| told.push(event));
            self.heard.extend_from_slice(heard);
            self.now += PTIME;
        }
    }

    fn play(&mut self, item: PlayItem) {
        self.near.play(PlayId(1), vec![item], false, &EmptyShelf, &mut |_| {}).unwrap();
    }

    fn digits(&self, wanted: DigitSource) -> String {
        let digit = |event: &StreamEvent| match event {
            StreamEvent::Digit(digit, source) if *source == wanted => Some(digit.as_char()),
            _ => None,
        };
        self.told.iter().filter_map(digit).collect()
    }
}

const KEYS: &str = "1234567890*#ABCD11";

/// Proves SP-15.e: digits by RFC 4733 with every codec.
#[test]
fn keys_go_over_as_events_with_every_codec() {
    for codec in codecs_available() {
        let mut line = Line::new(settings(codec, true));
        line.play(PlayItem::Digits(KEYS.into()));
        line.run(400, |_| true);
        assert_eq!(line.digits(DigitSource::Event), KEYS, "{codec:?}");
        assert_eq!(line.digits(DigitSource::Tone), "", "{codec:?}");
    }
}

#[test]
fn keys_are_heard_from_one_that_never_offered_them() {
    for payload_type in [96, 101, 127] {
        let offered = StreamSettings {
            event_payload_type: Some(payload_type),
            ..settings(Codec::Pcmu, true)
        };
        let mut line = Line::new(offered);
        line.far = stream(StreamSettings { event_payload_type: None, ..offered });
        line.play(PlayItem::Digits(KEYS.into()));
        line.run(400, |_| true);
        assert_eq!(line.digits(DigitSource::Event), KEYS, "{payload_type}");
    }
}

/// Proves SP-15.f: digits as tones with G.711 and L16.
#[test]
fn keys_go_over_as_tones() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::L16] {
        let mut line = Line::new(settings(codec, false));
        line.play(PlayItem::Digits(KEYS.into()));
        line.run(400, |_| true);
        assert_eq!(line.digits(DigitSource::Tone), KEYS, "{codec:?}");
    }
}

#[test]
fn keys_survive_loss() {
    let mut line = Line::new(settings(Codec::Pcmu, true));
    line.play(PlayItem::Digits(KEYS.into()));
    line.run(400, |packet| packet % 3 != 0);
    assert_eq!(line.digits(DigitSource::Event), KEYS);

    let mut line = Line::new(settings(Codec::Pcmu, false));
    line.play(PlayItem::Digits(KEYS.into()));
    line.run(400, |packet| packet % 9 != 0);
    assert_eq!(line.digits(DigitSource::Tone), KEYS);
}

#[test]
fn sound_goes_over_with_every_codec_and_survives_loss() {
    for codec in codecs_available() {
        for every in [u64::MAX, 10] {
            let mut line = Line::new(settings(codec, false));
            line.play(PlayItem::Tone(Tone::Beep, 1_000));
            line.run(60, |packet| packet % every != 0);
            let middle = &line.heard[line.heard.len() / 2..line.heard.len() * 3 / 4];
            let power = middle.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
            let level = 20.0 * ((power / middle.len() as f64).sqrt() / 2_858.0).log10();
            assert!(level.abs() < 4.0, "{codec:?}, {every}: {level} dB");
        }
    }
}

#[test]
fn the_timeline_has_no_holes() {
    let mut near = stream(settings(Codec::Pcmu, true));
    near.play(PlayId(1), vec![PlayItem::Digits("5".into())], false, &EmptyShelf, &mut |_| {})
        .unwrap();
    let (mut sequence, mut timestamp) = (65_500u16, u32::MAX - 800);
    let mut events = 0;
    for index in 0..30 {
        let mut out = [0; RTP_PACKET_LIMIT];
        let length = near.send(&EmptyShelf, &mut out, &mut |_| {});
        let packet = RtpPacket::parse(&out[..length]).unwrap();
        assert_eq!(packet.header.sequence, sequence);
        if packet.header.payload_type == 0 {
            assert_eq!(packet.header.timestamp, timestamp, "{index}");
            assert_eq!(packet.payload.len(), 160);
        } else {
            events += 1;
        }
        sequence = sequence.wrapping_add(1);
        timestamp = timestamp.wrapping_add(160);
    }
    // 100 ms, and the end said twice more.
    assert_eq!(events, 7);
}

/// RFC 3550 section 5.1: timestamps go on with the time, whether something is sent or not.
#[test]
fn timestamps_go_on_while_nothing_is_sent() {
    for codec in codecs_available() {
        let mut near = stream(settings(codec, false));
        let mut send = || {
            let mut out = [0; RTP_PACKET_LIMIT];
            let length = near.send(&EmptyShelf, &mut out, &mut |_| {});
            let header = RtpPacket::parse(&out[..length]).unwrap().header;
            near.skip();
            near.pass(233);
            (header.timestamp, header.sequence, header.marker)
        };
        let (first, second) = (send(), send());
        let clock = CodecFormat::of(codec).clock;
        assert_eq!(second.0.wrapping_sub(first.0), (20 + 20 + 233) * clock / 1_000, "{codec:?}");
        assert_eq!(second.1.wrapping_sub(first.1), 1);
        assert!(second.2, "a talk spurt begins");
    }
}

#[test]
fn a_digit_stops_playing_and_recording_in_that_order() {
    let mut line = Line::new(settings(Codec::Pcmu, true));
    let items = vec![PlayItem::Tone(Tone::Busy, 60_000)];
    line.far.play(PlayId(7), items, true, &EmptyShelf, &mut |_| {}).unwrap();
    line.far.record(3, Duration::from_secs(60), true, &mut |_| {});
    line.run(20, |_| true);
    line.play(PlayItem::Digits("#".into()));
    line.run(20, |_| true);
    assert!(matches!(line.told[0], StreamEvent::Digit(..)));
    assert_eq!(line.told[1], StreamEvent::Played(PlayId(7), PlayEnd::BargedIn));
    let StreamEvent::Recorded(3, RecordEnd::Digit, recording) = &line.told[2] else {
        panic!("{:?}", line.told);
    };
    assert_eq!(recording.rate, 8_000);
    assert!((400..=480).contains(&recording.length().as_millis()), "{:?}", recording.length());
}

#[test]
fn a_change_of_codec_keeps_the_source_and_its_numbers() {
    let mut near = stream(settings(Codec::Pcmu, true));
    let mut out = [0; RTP_PACKET_LIMIT];
    near.send(&EmptyShelf, &mut out, &mut |_| {});
    near.record(1, Duration::from_secs(9), false, &mut |_| {});
    let mut told = Vec::new();
    assert!(near.change(settings(Codec::L16, true), true, &mut |event| told.push(event)));
    assert!(matches!(told[..], [StreamEvent::Recorded(1, RecordEnd::Stopped, _)]));
    let length = near.send(&EmptyShelf, &mut out, &mut |_| {});
    let packet = RtpPacket::parse(&out[..length]).unwrap();
    assert_eq!((packet.header.sequence, packet.header.ssrc), (65_501, 9));
    assert_eq!((packet.header.payload_type, packet.payload.len()), (96, 640));
}

/// An order takes no longer than its length says, but for the rest of the last packet.
#[test]
fn nothing_plays_longer_than_it_is_said_to() {
    for (item, events) in [
        (PlayItem::Tone(Tone::Beep, 305), false),
        (PlayItem::Silence(1_001), false),
        (PlayItem::Digits("12#4".into()), false),
        (PlayItem::Digits("12#4".into()), true),
    ] {
        for ptime in [10u8, 20, 40, 60] {
            let mut near = stream(StreamSettings { ptime, ..settings(Codec::Pcmu, events) });
            let items = vec![item.clone()];
            let length = crate::length::length(&items, &EmptyShelf).as_millis();
            near.play(PlayId(1), items, false, &EmptyShelf, &mut |_| {}).unwrap();
            let (mut passed, mut ended) = (0, false);
            while !ended {
                let mut out = [0; RTP_PACKET_LIMIT];
                near.send(&EmptyShelf, &mut out, &mut |event| {
                    ended |= matches!(event, StreamEvent::Played(..));
                });
                passed += u128::from(ptime);
            }
            assert!(passed <= length + 2 * u128::from(ptime), "{item:?}, {ptime}: {passed} ms");
        }
    }
}

#[test]
fn odd_packet_times_are_brought_into_range() {
    for (ptime, bytes) in [(0, 160), (1, 80), (10, 80), (25, 160), (60, 480), (255, 480)] {
        let mut near = stream(StreamSettings { ptime, ..settings(Codec::Pcmu, false) });
        let mut out = [0; RTP_PACKET_LIMIT];
        assert_eq!(near.send(&EmptyShelf, &mut out, &mut |_| {}), 12 + bytes, "{ptime}");
    }
}

#[test]
fn what_was_not_negotiated_is_ignored() {
    let mut far = stream(settings(Codec::Pcmu, false));
    let header =
        crate::RtpHeader { marker: false, payload_type: 8, sequence: 1, timestamp: 0, ssrc: 1 };
    let ignored = far.receive(Duration::ZERO, &header.bytes(), &mut |_| {});
    assert_eq!(ignored, Err(Ignored::PayloadType(8)));
    assert_eq!(far.received().received(), 0);
    assert!(matches!(far.receive(Duration::ZERO, &[1], &mut |_| {}), Err(Ignored::Packet(_))));
}

#[test]
fn the_far_side_may_have_another_packet_time() {
    for ptime in [10u8, 30, 40, 60] {
        let mut near = stream(StreamSettings { ptime, ..settings(Codec::Pcmu, false) });
        let mut far = stream(StreamSettings { ear: true, ..settings(Codec::Pcmu, false) });
        let items = vec![
            PlayItem::Tone(Tone::Beep, 2_000),
            PlayItem::Silence(100),
            PlayItem::Digits("42".into()),
        ];
        near.play(PlayId(1), items, false, &EmptyShelf, &mut |_| {}).unwrap();
        let (mut heard, mut keys) = (Vec::new(), String::new());
        for milliseconds in 0..3_000u64 {
            let now = Duration::from_millis(milliseconds);
            let mut tell = |event| {
                if let StreamEvent::Digit(digit, _) = event {
                    keys.push(digit.as_char());
                }
            };
            if milliseconds % u64::from(ptime) == 0 {
                let mut out = [0; RTP_PACKET_LIMIT];
                let length = near.send(&EmptyShelf, &mut out, &mut |_| {});
                far.receive(now, &out[..length], &mut tell).unwrap();
            }
            if milliseconds % 20 == 7 {
                heard.extend_from_slice(far.hear(now, &mut tell));
            }
        }
        assert_eq!(keys, "42", "{ptime} ms");
        // No gap inside the tone: each 5 ms of it are loud.
        let quiet =
            heard[4_000..12_000].chunks(40).filter(|part| part.iter().all(|s| s.abs() < 1_000));
        assert_eq!(quiet.count(), 0, "{ptime} ms");
    }
}

/// A phone that sends its keys as tone and as event at once.
#[test]
fn a_key_that_comes_both_ways_is_told_once_as_event() {
    let mut tones = stream(settings(Codec::Pcmu, false));
    let mut events = stream(settings(Codec::Pcmu, true));
    for sender in [&mut tones, &mut events] {
        let items = vec![
            PlayItem::Digits("1".into()),
            PlayItem::Silence(500),
            PlayItem::Digits("1".into()),
        ];
        sender.play(PlayId(1), items, false, &EmptyShelf, &mut |_| {}).unwrap();
    }
    let mut far = stream(settings(Codec::Pcmu, true));
    let mut told = Vec::new();
    let mut sequence = 0u16;
    for packet in 0..100u64 {
        let now = PTIME * packet as u32;
        for (sender, payload_type) in [(&mut tones, 0), (&mut events, 101)] {
            let mut out = [0; RTP_PACKET_LIMIT];
            let length = sender.send(&EmptyShelf, &mut out, &mut |_| {});
            if out[1] & 0x7f == payload_type {
                sequence += 1;
                out[2..4].copy_from_slice(&sequence.to_be_bytes());
                far.receive(now, &out[..length], &mut |event| told.push(event)).unwrap();
            }
        }
        far.hear(now, &mut |event| told.push(event));
    }
    let one = StreamEvent::Digit(Digit::try_from('1').unwrap(), DigitSource::Event);
    assert_eq!(told, [one.clone(), one]);
}

/// What sounds like a key of somebody who sends keys as events is no key, but a voice.
#[test]
fn tones_of_one_that_sends_events_are_no_keys() {
    let mut line = Line::new(settings(Codec::Pcmu, true));
    line.play(PlayItem::Digits("1".into()));
    line.run(50, |_| true);
    line.near.change(settings(Codec::Pcmu, false), false, &mut |_| {});
    line.play(PlayItem::Digits("23".into()));
    line.run(50, |_| true);
    assert_eq!(line.digits(DigitSource::Event), "1");
    assert_eq!(line.digits(DigitSource::Tone), "");

    // Another far side begins anew.
    line.far.change(settings(Codec::Pcmu, true), true, &mut |_| {});
    line.play(PlayItem::Digits("45".into()));
    line.run(50, |_| true);
    assert_eq!(line.digits(DigitSource::Tone), "45");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_datagrams_do_no_harm(
        codec in prop::sample::select(codecs_available()),
        datagrams in prop::collection::vec(
            (any::<bool>(), 0u8..3, any::<u16>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..400)),
            0..100,
        ),
    ) {
        let settings = StreamSettings { ear: true, ..settings(codec, true) };
        let mut far = stream(settings);
        for (index, (marker, kind, sequence, timestamp, payload)) in datagrams.into_iter().enumerate() {
            let payload_type = [settings.payload_type, 101, 13][usize::from(kind)];
            let header =
                crate::RtpHeader { marker, payload_type, sequence: sequence % 80, timestamp, ssrc: 1 };
            let mut datagram = header.bytes().to_vec();
            datagram.extend_from_slice(&payload);
            let now = PTIME * index as u32;
            far.receive(now, &datagram, &mut |_| {}).unwrap();
            let heard = far.hear(now, &mut |_| {}).len();
            prop_assert!(heard <= 960);
        }
    }
}
