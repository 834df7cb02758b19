//! What a receiver counts (RFC 3550 appendices A.1, A.3 and A.8): loss, restarts of the far side,
//! interarrival jitter, and the report block made of them.

use crate::rtcp::ReportBlock;

/// Counts of one received stream.
#[derive(Clone, Debug, Default)]
pub struct ReceiveStatistics {
    ssrc: Option<u32>,
    base: u32,
    highest: u16,
    cycles: u32,
    received: u32,
    /// Counts of sources before the present one.
    before: Totals,
    restart_at: Option<u16>,
    transit: Option<i64>,
    /// Jitter times 16, in timestamp units.
    jitter: u32,
    expected_reported: u32,
    received_reported: u32,
}

impl ReceiveStatistics {
    /// Counts one packet that arrived at `arrival`, in units of the payload's clock.
    pub fn count(&mut self, ssrc: u32, sequence: u16, timestamp: u32, arrival: u32) {
        if self.ssrc != Some(ssrc) {
            self.restart(sequence);
            self.ssrc = Some(ssrc);
        } else if !self.advance(sequence) {
            return;
        }
        self.received = self.received.saturating_add(1);
        self.measure(timestamp, arrival);
    }

    /// Packets received, of all sources so far.
    pub fn received(&self) -> u64 {
        self.before.received + u64::from(self.received)
    }

    /// Packets that never came, of all sources so far.
    pub fn lost(&self) -> u64 {
        self.before.lost + u64::from(self.expected().saturating_sub(self.received))
    }

    /// Interarrival jitter in timestamp units.
    pub fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    /// The source that is being received.
    pub fn source(&self) -> Option<u32> {
        self.ssrc
    }

    /// The block for the next report; the fraction lost counts from here on again.
    pub fn report(&mut self) -> Option<ReportBlock> {
        let ssrc = self.ssrc?;
        let expected = self.expected();
        let expected_interval = expected.wrapping_sub(self.expected_reported);
        let received_interval = self.received.wrapping_sub(self.received_reported);
        self.expected_reported = expected;
        self.received_reported = self.received;
        let lost_interval = expected_interval.saturating_sub(received_interval);
        let fraction = (u64::from(lost_interval) * 256)
            .checked_div(u64::from(expected_interval))
            .unwrap_or(0)
            .min(255);
        Some(ReportBlock {
            ssrc,
            fraction_lost: fraction as u8,
            lost: expected.saturating_sub(self.received).min(0x7f_ffff),
            highest: self.cycles.wrapping_add(u32::from(self.highest)),
            jitter: self.jitter(),
            last_report: 0,
            delay: 0,
        })
    }

    /// Takes a sequence number; false where a jump may be a stray packet.
    fn advance(&mut self, sequence: u16) -> bool {
        let ahead = sequence.wrapping_sub(self.highest);
        if ahead < MAXIMUM_DROPOUT {
            if sequence < self.highest {
                self.cycles = self.cycles.wrapping_add(1 << 16);
            }
            self.highest = sequence;
        } else if ahead <= u16::MAX - MAXIMUM_DISORDER {
            // Two in a row after a jump: the far side restarted without telling.
            if self.restart_at != Some(sequence) {
                self.restart_at = Some(sequence.wrapping_add(1));
                return false;
            }
            self.restart(sequence);
        }
        self.restart_at = None;
        true
    }

    fn restart(&mut self, sequence: u16) {
        if self.ssrc.is_some() {
            self.before = Totals { received: self.received(), lost: self.lost() };
        }
        self.base = u32::from(sequence);
        self.highest = sequence;
        self.cycles = 0;
        self.received = 0;
        self.restart_at = None;
        self.transit = None;
        self.expected_reported = 0;
        self.received_reported = 0;
    }

    fn measure(&mut self, timestamp: u32, arrival: u32) {
        let transit = i64::from(arrival.wrapping_sub(timestamp));
        if let Some(last) = self.transit.replace(transit) {
            // Wraps like the timestamps themselves, and is bounded against crafted ones.
            let change = ((transit - last) as i32).unsigned_abs().min(MAXIMUM_CHANGE);
            self.jitter = self.jitter + change - ((self.jitter + 8) >> 4);
        }
    }

    fn expected(&self) -> u32 {
        if self.ssrc.is_none() {
            return 0;
        }
        self.cycles.wrapping_add(u32::from(self.highest)).wrapping_sub(self.base).wrapping_add(1)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    received: u64,
    lost: u64,
}

/// The longest gap that is still a gap and no restart.
const MAXIMUM_DROPOUT: u16 = 3_000;

/// How far behind a late packet may be.
const MAXIMUM_DISORDER: u16 = 100;

/// A change of transit time beyond this (10 s at 16 kHz) says nothing about jitter.
const MAXIMUM_CHANGE: u32 = 160_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_counted_over_the_wrap() {
        let mut statistics = ReceiveStatistics::default();
        for (index, sequence) in (65_530u32..65_546).enumerate() {
            if index % 4 != 3 {
                let time = index as u32 * 160;
                statistics.count(1, sequence as u16, time, time);
            }
        }
        assert_eq!((statistics.received(), statistics.lost()), (12, 3));
        let report = statistics.report().unwrap();
        assert_eq!(report.highest, 0x1_0000 + 8);
        assert_eq!(report.fraction_lost, (3 * 256 / 15) as u8);
        assert_eq!(statistics.report().unwrap().fraction_lost, 0);
    }

    #[test]
    fn jitter_follows_the_formula_of_rfc_3550() {
        let mut statistics = ReceiveStatistics::default();
        let mut expected = 0.0f64;
        for index in 0..200u32 {
            let late = if index % 2 == 0 { 0 } else { 80 };
            statistics.count(1, index as u16, index * 160, index * 160 + late);
            if index > 0 {
                expected += (80.0 - expected) / 16.0;
            }
        }
        assert!((f64::from(statistics.jitter()) - expected).abs() < 2.0);
    }

    #[test]
    fn steady_packets_have_no_jitter_even_when_the_clock_wraps() {
        let mut statistics = ReceiveStatistics::default();
        for index in 0..50u32 {
            let timestamp = (u32::MAX - 2_000).wrapping_add(index * 160);
            statistics.count(1, index as u16, timestamp, index * 160);
        }
        assert_eq!(statistics.jitter(), 0);
    }

    #[test]
    fn a_stray_packet_changes_nothing_and_a_restart_keeps_the_counts() {
        let mut statistics = ReceiveStatistics::default();
        for sequence in 0..10u16 {
            statistics.count(1, sequence, 0, 0);
        }
        statistics.count(1, 40_000, 0, 0);
        assert_eq!((statistics.received(), statistics.lost()), (10, 0));
        for sequence in 20_000..20_010u16 {
            statistics.count(1, sequence, 0, 0);
        }
        assert_eq!((statistics.received(), statistics.lost()), (19, 0));
        statistics.count(2, 7, 0, 0);
        assert_eq!((statistics.received(), statistics.lost()), (20, 0));
        assert_eq!(statistics.source(), Some(2));
    }

    #[test]
    fn duplicates_and_late_packets_are_never_negative_loss() {
        let mut statistics = ReceiveStatistics::default();
        for sequence in [5u16, 6, 6, 6, 7, 5] {
            statistics.count(1, sequence, 0, 0);
        }
        assert_eq!(statistics.lost(), 0);
        assert_eq!(statistics.report().unwrap().lost, 0);
    }
}
