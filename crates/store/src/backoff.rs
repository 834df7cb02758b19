use std::time::{Duration, Instant};

/// When to try to connect again.
#[derive(Default)]
pub(crate) struct Backoff {
    wait: Duration,
    over: Option<Instant>,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(3);

    /// Has it been waited for long enough, or is nothing to be waited for?
    pub(crate) fn is_over(&self) -> bool {
        self.over.is_none_or(|over| Instant::now() >= over)
    }

    /// It is there: when it goes again, it is tried again soon.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// It is not: the next wait is twice as long.
    pub(crate) fn failed(&mut self) {
        self.wait = (self.wait * 2).clamp(Self::FIRST, Self::LONGEST);
        self.over = Some(Instant::now() + self.wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_there_again_is_tried_soon_when_it_goes_once_more() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_over());
        let waits = [50, 100, 200, 400, 800, 1600, 3000, 3000].map(Duration::from_millis);
        for wait in waits {
            backoff.failed();
            assert_eq!(backoff.wait, wait);
        }
        assert!(!backoff.is_over());
        backoff.succeeded();
        assert!(backoff.is_over());
        backoff.failed();
        assert_eq!(backoff.wait, Backoff::FIRST);
    }
}
