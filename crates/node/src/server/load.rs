//! When the engine is behind: messages come faster than they are handled, and go on doing so.
//!
//! Full batches alone don't say it. After the machine stood still for a moment thousands of
//! messages wait, and are handled within some ten milliseconds: turning phones away then would
//! cost them half a minute.

/// Full batches in a row so long, in microseconds, are no hiccup: 60,000 phones at once are done
/// sooner, and a phone goes on asking for 32 s (timer F, RFC 3261 section 17.1.2.2).
const LASTING: u64 = 4_000_000;
/// The fewest of them. A process that was stopped in between has not been busy all that time.
const BATCHES: u32 = 256;
/// It is over when for so long, in microseconds, no batch was full.
const EASED: u64 = 100_000;

/// What is remembered of the batches read so far.
#[derive(Default)]
pub(crate) struct Load {
    /// When the present row of full batches began, and how many it has.
    row: Option<(u64, u32)>,
    last_full: u64,
    behind: bool,
}

impl Load {
    /// A batch was read at this time, in microseconds; whether the engine is behind from now on.
    pub(crate) fn batch(&mut self, now: u64, full: bool) -> bool {
        if full {
            let (since, batches) = self.row.unwrap_or((now, 0));
            self.row = Some((since, batches.saturating_add(1)));
            self.last_full = now;
            self.behind |= now.saturating_sub(since) >= LASTING && batches >= BATCHES;
        } else {
            self.row = None;
            self.behind &= now.saturating_sub(self.last_full) < EASED;
        }
        self.behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch each 2 ms, about what a busy engine takes for one.
    const STEP: u64 = 2_000;

    #[test]
    fn a_burst_after_a_standstill_is_no_overload() {
        let mut load = Load::default();
        assert!(!load.batch(0, true));
        let started = 3 * LASTING;
        let behind = (0..200).any(|n| load.batch(started + n * STEP, true));
        assert!(!behind, "it stood still for long and then caught up within half a second");
        assert!(!load.batch(started + 200 * STEP, false));
    }

    #[test]
    fn what_lasts_is_an_overload_until_it_eases() {
        let mut load = Load::default();
        let first = (0..3_000).find(|n| load.batch(n * STEP, true));
        assert_eq!(first, Some(LASTING / STEP));
        let end = LASTING + STEP;
        assert!(load.batch(end, false), "one batch that is not full says nothing yet");
        assert!(load.batch(end + STEP, true));
        assert!(load.batch(end + EASED, false));
        assert!(!load.batch(end + STEP + EASED, false));
        assert!(!load.batch(end + 2 * EASED, true), "and begins anew");
    }
}
