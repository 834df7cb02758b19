//! Whether the database answers, for whoever watches over the node.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When the database answered last, and whether it has failed since.
#[derive(Debug)]
pub(crate) struct Pulse {
    began: Instant,
    failed: AtomicBool,
    /// Milliseconds since the beginning.
    last: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { began: Instant::now(), failed: AtomicBool::new(false), last: AtomicU64::new(0) }
    }
}

impl Pulse {
    /// It answered, and wrote what was to be written.
    pub(crate) fn beat(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
        self.failed.store(false, Ordering::Release);
    }

    /// It did not.
    pub(crate) fn miss(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// It answers, as far as is known. One that is looked at all the time is missed when it is silent.
    pub(crate) fn beats(&self, looked_at: bool) -> bool {
        let silent = self.now().saturating_sub(self.last.load(Ordering::Relaxed));
        !(self.missed() || looked_at && silent > SILENCE.as_millis() as u64)
    }

    /// It failed, and has not answered since.
    pub(crate) fn missed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// No turn of a database that answers takes as long: locks are waited for half of it.
const SILENCE: Duration = Duration::from_secs(10);
