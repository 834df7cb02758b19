use core::ops::{Add, Sub};
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on the monotonic clock of one process: microseconds since it started.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Now {
    /// Microseconds since the process (or the simulation) started.
    pub micros: u64,
    /// The wall clock at the same moment, for dates, nonces and records.
    pub wall: UnixTime,
}

impl Now {
    /// A moment `micros` after the start, which was at `wall`.
    pub fn new(micros: u64, wall: UnixTime) -> Self {
        Self { micros, wall }
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.micros.saturating_sub(earlier.micros))
    }
}

impl Add<Duration> for Now {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            micros: self.micros.saturating_add(micros),
            wall: UnixTime(self.wall.0.saturating_add(millis)),
        }
    }
}

impl Sub for Now {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// Wall-clock time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }
}
