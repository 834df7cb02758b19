//! Keys as RFC 4733 telephone-events: the payload, a receiver that tells every key once, and a
//! sender that repeats itself as the RFC wants.

use jackfield_vocabulary::Digit;

use crate::rtp::RtpHeader;

/// One report of an event: the four bytes of a telephone-event payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// The event; 0 to 15 are keys.
    pub event: u8,
    /// The event has ended.
    pub end: bool,
    /// Level in -dBm0, 0 to 63.
    pub volume: u8,
    /// Duration so far, in timestamp units.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Reads the first report of a payload; further ones repeat the past.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [event, flags, high, low] = *payload.first_chunk::<4>()?;
        Some(Self {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// The report as a payload.
    pub fn bytes(&self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, u8::from(self.end) << 7 | self.volume & 0x3f, high, low]
    }
}

/// Tells each key once, however many of its packets are lost, doubled or late.
#[derive(Clone, Debug, Default)]
pub struct EventReceiver {
    last: Option<Seen>,
}

impl EventReceiver {
    /// Takes one packet; answers a key that was not told before.
    pub fn receive(&mut self, header: &RtpHeader, payload: &[u8]) -> Option<Digit> {
        let report = TelephoneEvent::parse(payload)?;
        let digit = Digit::from_event(report.event)?;
        let next = Seen {
            event: report.event,
            timestamp: header.timestamp,
            sequence: header.sequence,
            duration: report.duration,
            ended: report.end,
            ssrc: header.ssrc,
        };
        let Some(last) = &mut self.last else {
            self.last = Some(next);
            return Some(digit);
        };
        if last.ssrc == next.ssrc {
            let age = last.timestamp.wrapping_sub(next.timestamp);
            if age != 0 && age < STALE {
                return None;
            }
            if age == 0 || last.continued_by(&next, header.marker) {
                last.follow(&next, age == 0);
                return None;
            }
        }
        self.last = Some(next);
        Some(digit)
    }

    /// A key is down at this moment, as far as we were told.
    pub fn pressed(&self) -> bool {
        self.last.as_ref().is_some_and(|last| !last.ended)
    }
}

/// Sends keys one after another.
#[derive(Clone, Debug)]
pub struct EventSender {
    event: u8,
    timestamp: u32,
    /// Duration of the present segment.
    duration: u32,
    remaining: u32,
    ends: u8,
    first: bool,
}

impl EventSender {
    /// A key that goes down at this timestamp, for so many timestamp units.
    pub fn new(digit: Digit, timestamp: u32, length: u32) -> Self {
        Self {
            event: digit.event(),
            timestamp,
            duration: 0,
            remaining: length,
            ends: END_PACKETS,
            first: true,
        }
    }

    /// The next packet, a packet time of `ticks` after the one before; none when all is said.
    pub fn next(&mut self, ticks: u32) -> Option<EventPacket> {
        if self.ends == 0 {
            return None;
        }
        if self.remaining > 0 {
            let step = ticks.min(self.remaining);
            self.remaining -= step;
            if self.duration + step > u32::from(u16::MAX) {
                // RFC 4733 section 2.5.1.3: a long event goes on in a new segment.
                self.timestamp = self.timestamp.wrapping_add(self.duration);
                self.duration = 0;
            }
            self.duration += step;
        }
        let end = self.remaining == 0;
        if end {
            self.ends -= 1;
        }
        let marker = core::mem::take(&mut self.first);
        let duration = self.duration as u16;
        let event = TelephoneEvent { event: self.event, end, volume: VOLUME, duration };
        Some(EventPacket { marker, timestamp: self.timestamp, event })
    }
}

/// One packet that [`EventSender`] wants to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPacket {
    /// First packet of the event.
    pub marker: bool,
    /// When the event, or its segment, began.
    pub timestamp: u32,
    /// The payload.
    pub event: TelephoneEvent,
}

#[derive(Clone, Debug)]
struct Seen {
    event: u8,
    timestamp: u32,
    sequence: u16,
    duration: u16,
    ended: bool,
    ssrc: u32,
}

impl Seen {
    /// Whether `next`, with a later timestamp, is the same press of the same key.
    fn continued_by(&self, next: &Seen, marker: bool) -> bool {
        if self.ended || marker || self.event != next.event {
            return false;
        }
        let step = next.timestamp.wrapping_sub(self.timestamp);
        // The next segment of a long event begins where the one before ended, near the end of
        // what the duration field can say.
        let segment = u32::from(u16::MAX);
        let long = (segment - 2_000..=segment + 1).contains(&step)
            && u32::from(self.duration) + 16_000 > step;
        // Some phones let the timestamp run during an event; with no packet missing between the
        // two there can't have been an end.
        let running = next.sequence == self.sequence.wrapping_add(1)
            && step <= RUNNING_STEP
            && next.duration >= self.duration;
        long || running
    }

    fn follow(&mut self, next: &Seen, same: bool) {
        if !same {
            *self = next.clone();
            return;
        }
        self.ended |= next.ended;
        self.duration = self.duration.max(next.duration);
        if next.sequence.wrapping_sub(self.sequence) < 0x8000 {
            self.sequence = next.sequence;
        }
    }
}

/// The end is said three times (RFC 4733 section 2.5.1.4).
const END_PACKETS: u8 = 3;

/// Level of what we send, -10 dBm0.
const VOLUME: u8 = 10;

/// How far back a packet is late rather than new: a minute at 8 kHz.
const STALE: u32 = 480_000;

/// The longest packet time: 60 ms at 16 kHz.
const RUNNING_STEP: u32 = 960;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digit(key: char) -> Digit {
        Digit::try_from(key).unwrap()
    }

    /// The packets of one key press; sequence numbers go on from `sequence`.
    fn press(
        key: char,
        timestamp: u32,
        length: u32,
        sequence: &mut u16,
    ) -> Vec<(RtpHeader, [u8; 4])> {
        let mut sender = EventSender::new(digit(key), timestamp, length);
        core::iter::from_fn(|| sender.next(160))
            .map(|packet| {
                *sequence = sequence.wrapping_add(1);
                let header = RtpHeader {
                    marker: packet.marker,
                    payload_type: 101,
                    sequence: *sequence,
                    timestamp: packet.timestamp,
                    ssrc: 1,
                };
                (header, packet.event.bytes())
            })
            .collect()
    }

    fn told(receiver: &mut EventReceiver, packets: &[(RtpHeader, [u8; 4])]) -> String {
        packets
            .iter()
            .filter_map(|(header, payload)| receiver.receive(header, payload))
            .map(Digit::as_char)
            .collect()
    }

    #[test]
    fn a_press_begins_with_a_marker_grows_and_ends_three_times() {
        let packets = press('5', 1_000, 800, &mut 0);
        let events: Vec<_> =
            packets.iter().map(|(_, p)| TelephoneEvent::parse(p).unwrap()).collect();
        assert_eq!(
            events.iter().map(|e| e.duration).collect::<Vec<_>>(),
            [160, 320, 480, 640, 800, 800, 800]
        );
        assert_eq!(events.iter().filter(|e| e.end).count(), 3);
        assert!(packets[0].0.marker && packets[1..].iter().all(|(header, _)| !header.marker));
        assert!(packets.iter().all(|(header, _)| header.timestamp == 1_000));
    }

    #[test]
    fn every_key_is_told_once() {
        let mut receiver = EventReceiver::default();
        let mut sequence = 65_530;
        let mut heard = String::new();
        for (index, key) in "1123*#ABCD0044".chars().enumerate() {
            heard += &told(&mut receiver, &press(key, index as u32 * 1_600, 800, &mut sequence));
        }
        assert_eq!(heard, "1123*#ABCD0044");
    }

    #[test]
    fn lost_ends_and_repeated_keys() {
        let mut receiver = EventReceiver::default();
        let mut sequence = 0;
        let first = press('7', 0, 800, &mut sequence);
        let second = press('7', 1_600, 800, &mut sequence);
        assert_eq!(told(&mut receiver, &first[..3]), "7");
        assert!(receiver.pressed());
        assert_eq!(told(&mut receiver, &second[2..]), "7");
        assert!(!receiver.pressed());
    }

    #[test]
    fn only_the_last_end_packet_arrives() {
        let mut receiver = EventReceiver::default();
        let packets = press('9', 0, 800, &mut 0);
        assert_eq!(told(&mut receiver, &packets[6..]), "9");
    }

    #[test]
    fn late_packets_of_the_key_before_say_nothing() {
        let mut receiver = EventReceiver::default();
        let mut sequence = 0;
        let first = press('1', 0, 800, &mut sequence);
        let second = press('2', 1_600, 800, &mut sequence);
        assert_eq!(told(&mut receiver, &first[..4]), "1");
        assert_eq!(told(&mut receiver, &second[..1]), "2");
        assert_eq!(told(&mut receiver, &first), "");
        assert_eq!(told(&mut receiver, &second), "");
    }

    #[test]
    fn a_key_held_for_half_a_minute_is_one_key() {
        let mut receiver = EventReceiver::default();
        let packets = press('0', u32::MAX - 100_000, 240_000, &mut 0);
        assert!(packets.iter().any(|(header, _)| header.timestamp < 1_000_000));
        assert_eq!(told(&mut receiver, &packets), "0");
    }

    #[test]
    fn a_phone_whose_timestamp_runs_during_the_event() {
        let mut receiver = EventReceiver::default();
        let mut packets = press('3', 0, 800, &mut 0);
        for (index, (header, _)) in packets.iter_mut().enumerate() {
            header.timestamp = index as u32 * 160;
        }
        assert_eq!(told(&mut receiver, &packets[..5]), "3");
    }

    #[test]
    fn flash_and_short_payloads_are_no_keys() {
        let mut receiver = EventReceiver::default();
        let (header, _) = press('1', 0, 160, &mut 0)[0];
        assert_eq!(receiver.receive(&header, &[16, 0, 0, 0]), None);
        assert_eq!(receiver.receive(&header, &[1, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn any_loss_short_of_all_tells_the_key_once(mask in 1u8..128) {
            let mut receiver = EventReceiver::default();
            let packets: Vec<_> = press('4', 77, 800, &mut 9)
                .into_iter()
                .enumerate()
                .filter(|(index, _)| mask >> index & 1 == 1)
                .map(|(_, packet)| packet)
                .collect();
            prop_assert_eq!(told(&mut receiver, &packets), "4");
        }

        #[test]
        fn any_packets_do_no_harm(
            packets in proptest::collection::vec((any::<u32>(), any::<u16>(), any::<[u8; 6]>()), 0..50)
        ) {
            let mut receiver = EventReceiver::default();
            for (timestamp, sequence, payload) in packets {
                let header =
                    RtpHeader { marker: false, payload_type: 101, sequence, timestamp, ssrc: 1 };
                receiver.receive(&header, &payload);
            }
        }
    }
}
