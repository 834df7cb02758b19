use std::time::{SystemTime, UNIX_EPOCH};

use jackfield_vocabulary::UnixTime;

/// The wall clock.
pub(crate) fn wall() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
