//! When to wait a moment for more messages. While they come thick, waking for each of them costs more
//! than handling it: a short pause lets some gather, so that one system call brings them all.

use std::time::Duration;

/// Messages are counted in windows of so many microseconds; from so many on they come thick, some
/// 500 a second.
const WINDOW: u64 = 20_000;
const THICK: usize = 10;
/// The pause while they do: far less than anybody at a phone notices.
const PAUSE: Duration = Duration::from_millis(10);

/// What is remembered of the batches read so far.
#[derive(Default)]
pub(crate) struct Gather {
    /// When the present count of messages began, in microseconds of the clock.
    window: u64,
    messages: usize,
    thick: bool,
    /// The last batch was full: more is waiting.
    full: bool,
}

impl Gather {
    /// A batch of so many messages was read, as many as one can have or fewer.
    pub(crate) fn batch(&mut self, count: usize, full: bool) {
        self.messages += count;
        self.full = full;
    }

    /// Is a window over at this time, in microseconds? Then the next one begins.
    pub(crate) fn window_is_over(&mut self, now: u64) -> bool {
        let over = now.saturating_sub(self.window) >= WINDOW;
        if over {
            self.thick = self.messages >= THICK;
            (self.window, self.messages) = (now, 0);
        }
        over
    }

    /// How long to wait before the next batch is read. After a full one not at all: more is there.
    pub(crate) fn pause(&self) -> Option<Duration> {
        (self.thick && !self.full).then_some(PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches of so many messages, one a millisecond, as long as a window takes.
    fn after_a_window_of(count: usize) -> Gather {
        let mut gather = Gather::default();
        for millis in 1..=20 {
            let part = count * millis / 20 - count * (millis - 1) / 20;
            gather.batch(part, false);
            assert_eq!(gather.window_is_over(millis as u64 * 1000), millis == 20);
        }
        gather
    }

    #[test]
    fn who_calls_now_and_then_is_handled_at_once() {
        assert_eq!(after_a_window_of(THICK - 1).pause(), None);
        assert_eq!(after_a_window_of(THICK).pause(), Some(PAUSE), "500 a second");
    }

    #[test]
    fn a_full_batch_is_followed_at_once_however_thick_they_come() {
        let mut gather = after_a_window_of(THICK);
        for _ in 0..2 {
            gather.batch(64, true);
            assert_eq!(gather.pause(), None, "the rest waits already");
        }
        gather.batch(63, false);
        assert_eq!(gather.pause(), Some(PAUSE));
    }

    #[test]
    fn once_they_come_thin_nothing_is_waited_for() {
        let mut gather = after_a_window_of(1000);
        gather.batch(1, false);
        assert!(!gather.window_is_over(39_999));
        assert_eq!(gather.pause(), Some(PAUSE), "nobody knows yet");
        assert!(gather.window_is_over(40_000));
        assert_eq!(gather.pause(), None);
    }
}
