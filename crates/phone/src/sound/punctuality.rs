//! How far packets come from the times that their own timestamps name.
//!
//! The timestamps of a stream are its sender's clock (RFC 3550 section 5.1); a packet is late by
//! what it comes later, measured by them, than the packet of its stream that came soonest. One
//! late packet is one deviation, whether a talk spurt begins with it or not.

use jackfield_media::RtpHeader;
use jackfield_sip::Now;

/// The arrivals of one call's packets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Punctuality {
    stream: Option<Stream>,
    /// How late the packets of earlier streams were, in microseconds.
    before: Vec<u32>,
}

/// A synchronisation source.
#[derive(Clone, Debug, PartialEq)]
struct Stream {
    ssrc: u32,
    began: Now,
    timestamp: u32,
    /// Media time since the first packet, in ticks.
    ticks: i64,
    /// How much later than the first packet each one came, by its timestamp, in microseconds.
    offsets: Vec<i32>,
}

impl Punctuality {
    /// A packet arrived; `clock` are the ticks of a second.
    pub(super) fn arrived(&mut self, at: Now, header: &RtpHeader, clock: u32) {
        if self.stream.as_ref().is_some_and(|stream| stream.ssrc != header.ssrc) {
            self.before = self.lateness();
            self.stream = None;
        }
        if self.before.len() >= PACKETS {
            return;
        }
        let stream = self.stream.get_or_insert_with(|| Stream {
            ssrc: header.ssrc,
            began: at,
            timestamp: header.timestamp,
            ticks: 0,
            offsets: Vec::new(),
        });
        stream.arrived(at, header.timestamp, clock);
    }

    /// How late each packet was, in microseconds, in no order.
    pub fn lateness(&self) -> Vec<u32> {
        let offsets = self.stream.as_ref().map_or(&[][..], |stream| &stream.offsets);
        let soonest = offsets.iter().min().copied().unwrap_or_default();
        let late = offsets.iter().map(|offset| offset.abs_diff(soonest));
        self.before.iter().copied().chain(late).collect()
    }
}

impl Stream {
    fn arrived(&mut self, at: Now, timestamp: u32, clock: u32) {
        // Wraps around after 2^32 ticks; a packet that was overtaken steps back.
        self.ticks += i64::from(timestamp.wrapping_sub(self.timestamp).cast_signed());
        self.timestamp = timestamp;
        if self.offsets.len() >= PACKETS {
            return;
        }
        let passed = i64::try_from(at.since(self.began).as_micros()).unwrap_or(i64::MAX);
        let due = self.ticks.saturating_mul(1_000_000) / i64::from(clock.max(1));
        let offset = passed.saturating_sub(due);
        self.offsets.push(offset.clamp(i32::MIN.into(), i32::MAX.into()) as i32);
    }
}

/// The value below which this part of all values is, 0 to 100; they come in order.
pub(crate) fn percentile_of(values: &[u32], percentile: f64) -> u32 {
    let last = values.len().saturating_sub(1);
    let at = (percentile / 100.0 * last as f64).round() as usize;
    values.get(at.min(last)).copied().unwrap_or_default()
}

/// Half an hour of one call.
const PACKETS: usize = 100_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PACKET: u64 = 20_000;

    /// Packets with their times in microseconds and their timestamps.
    fn lateness(packets: &[(u64, u32)]) -> Vec<u32> {
        let mut punctuality = Punctuality::default();
        for (at, timestamp) in packets {
            punctuality.arrived(Now(Duration::from_micros(*at)), &header(1, *timestamp), 8_000);
        }
        punctuality.lateness()
    }

    fn header(ssrc: u32, timestamp: u32) -> RtpHeader {
        RtpHeader { marker: false, payload_type: 0, sequence: 0, timestamp, ssrc }
    }

    #[test]
    fn a_late_packet_is_late_once() {
        let mut packets: Vec<_> = (0..100).map(|n| (n * PACKET, n as u32 * 160)).collect();
        packets[40].0 += 5_000;
        let late = lateness(&packets);
        assert_eq!((late[40], late.iter().sum::<u32>()), (5_000, 5_000));
    }

    #[test]
    fn the_first_packet_may_be_the_late_one() {
        assert_eq!(lateness(&[(3_000, 0), (PACKET, 160), (2 * PACKET, 320)]), [3_000, 0, 0]);
    }

    #[test]
    fn a_pause_is_no_lateness_but_timestamps_that_stand_still_are() {
        let second = 1_000_000;
        assert_eq!(lateness(&[(0, 0), (second, 8_000)]), [0, 0]);
        assert_eq!(lateness(&[(0, 0), (second, 160)]), [0, 980_000]);
    }

    #[test]
    fn timestamps_may_wrap_around_and_packets_overtake_each_other() {
        let first = u32::MAX - 100;
        let at = |n: u32| first.wrapping_add(160 * n);
        let late = lateness(&[(0, at(0)), (2 * PACKET, at(2)), (2 * PACKET, at(1))]);
        assert_eq!(late, [0, 0, 20_000]);
    }

    #[test]
    fn another_source_has_its_own_clock() {
        let mut punctuality = Punctuality::default();
        for (at, ssrc, timestamp) in [(0, 1, 0), (25_000, 1, 160), (90_000, 2, 7)] {
            punctuality.arrived(Now(Duration::from_micros(at)), &header(ssrc, timestamp), 8_000);
        }
        assert_eq!(punctuality.lateness(), [0, 5_000, 0]);
    }

    #[test]
    fn percentiles_of_values() {
        let values: Vec<u32> = (0..1_001).collect();
        assert_eq!(percentile_of(&values, 50.0), 500);
        assert_eq!(percentile_of(&values, 100.0), 1_000);
        assert_eq!(percentile_of(&[], 99.0), 0);
    }
}
