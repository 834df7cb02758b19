//! What a driver counts, readable from outside at any time.

use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Counts since the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverFigures {
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets taken.
    pub received: u64,
    /// Datagrams from elsewhere, of other payload types, or no RTP at all.
    pub ignored: u64,
    /// Packets that the socket refused.
    pub send_failures: u64,
    /// Commands that found the lane full.
    pub commands_dropped: u64,
    /// Times the clock was so late that it was set anew.
    pub clock_resets: u64,
    /// Packets by how late they were sent, in steps of [`DriverFigures::STEP`]; the last counts
    /// all that were later.
    pub lateness: Vec<u64>,
}

impl DriverFigures {
    /// The width of a class of lateness.
    pub const STEP: Duration = Duration::from_micros(50);

    /// The lateness that this part (0.999 for instance) of all packets did not exceed.
    pub fn lateness_at(&self, part: f64) -> Duration {
        let total: u64 = self.lateness.iter().sum();
        let wanted = (total as f64 * part).ceil() as u64;
        let mut sum = 0;
        let class = self.lateness.iter().position(|count| {
            sum += count;
            sum >= wanted
        });
        Self::STEP * (class.unwrap_or(CLASSES - 1) as u32 + 1)
    }
}

#[derive(Debug)]
pub(super) struct Figures {
    sent: AtomicU64,
    received: AtomicU64,
    ignored: AtomicU64,
    send_failures: AtomicU64,
    commands_dropped: AtomicU64,
    clock_resets: AtomicU64,
    lateness: [AtomicU64; CLASSES],
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            send_failures: AtomicU64::new(0),
            commands_dropped: AtomicU64::new(0),
            clock_resets: AtomicU64::new(0),
            lateness: [const { AtomicU64::new(0) }; CLASSES],
        }
    }
}

impl Figures {
    pub(super) fn sent(&self, late: Duration) {
        let class = (late.as_micros() / DriverFigures::STEP.as_micros()) as usize;
        add(&self.lateness[class.min(CLASSES - 1)]);
        add(&self.sent);
    }

    pub(super) fn received(&self) {
        add(&self.received);
    }

    pub(super) fn ignored(&self) {
        add(&self.ignored);
    }

    pub(super) fn send_failed(&self) {
        add(&self.send_failures);
    }

    pub(super) fn clock_reset(&self) {
        add(&self.clock_resets);
    }

    pub(super) fn command_dropped(&self) {
        self.commands_dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> DriverFigures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DriverFigures {
            sent: read(&self.sent),
            received: read(&self.received),
            ignored: read(&self.ignored),
            send_failures: read(&self.send_failures),
            commands_dropped: read(&self.commands_dropped),
            clock_resets: read(&self.clock_resets),
            lateness: self.lateness.iter().map(read).collect(),
        }
    }
}

/// Only the driver's thread writes, so a plain load and store do.
fn add(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// Classes of lateness: up to 10 ms.
const CLASSES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_name_the_upper_end_of_the_class() {
        let figures = Figures::default();
        for packet in 0..1_000 {
            figures.sent(Duration::from_micros(if packet < 998 { 10 } else { 1_234 }));
        }
        let read = figures.read();
        assert_eq!(read.lateness_at(0.5), Duration::from_micros(50));
        assert_eq!(read.lateness_at(0.999), Duration::from_micros(1_250));
        figures.sent(Duration::from_secs(1));
        assert_eq!(figures.read().lateness_at(1.0), Duration::from_millis(10));
    }
}
