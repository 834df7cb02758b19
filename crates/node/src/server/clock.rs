use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jackfield_vocabulary::{Now, UnixTime};

/// The one clock that the engine's inputs carry: monotonic since the start, and the wall beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        let micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Now::new(micros, wall())
    }
}

/// The wall clock.
pub(crate) fn wall() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
