//! How often strangers may make us work, by where they come from. The table is bounded: a flood
//! from many addresses shares what is left.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jackfield_vocabulary::Now;
use serde::{Deserialize, Serialize};

/// Allowances by source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Limiter {
    burst: u32,
    per_minute: u32,
    #[serde(with = "crate::pairs")]
    sources: BTreeMap<u128, Bucket>,
    /// Shared by sources that have no place in the table.
    others: Bucket,
    /// Where the search for places that are free again goes on.
    cursor: u128,
}

/// What a source may still do, in millionths, and since when.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Bucket {
    millionths: u64,
    at: u64,
}

impl Limiter {
    /// Allows `burst` at once, and `per_minute` in the long run.
    pub(super) fn new(burst: u32, per_minute: u32) -> Self {
        let others = Bucket { millionths: u64::from(burst) * ONE, at: 0 };
        Self { burst, per_minute, sources: BTreeMap::new(), others, cursor: 0 }
    }

    /// Changes the allowance; what was used stays used.
    pub(super) fn set(&mut self, burst: u32, per_minute: u32) {
        (self.burst, self.per_minute) = (burst, per_minute);
    }

    /// May this source do it once more?
    pub(super) fn allows(&mut self, now: Now, source: IpAddr) -> bool {
        let key = network(source);
        if !self.sources.contains_key(&key) && !self.make_room(now) {
            let mut others = self.others;
            let allowed = self.take(&mut others, now);
            self.others = others;
            return allowed;
        }
        let full = Bucket { millionths: u64::from(self.burst) * ONE, at: now.micros };
        let mut bucket = self.sources.get(&key).copied().unwrap_or(full);
        let allowed = self.take(&mut bucket, now);
        self.sources.insert(key, bucket);
        allowed
    }

    /// How many sources have a place.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }

    fn take(&self, bucket: &mut Bucket, now: Now) -> bool {
        *bucket = self.filled(*bucket, now);
        let allowed = bucket.millionths >= ONE;
        if allowed {
            bucket.millionths -= ONE;
        }
        allowed
    }

    fn filled(&self, bucket: Bucket, now: Now) -> Bucket {
        let most = u64::from(self.burst) * ONE;
        let gained =
            u128::from(now.micros.saturating_sub(bucket.at)) * u128::from(self.per_minute) / 60;
        let gained = u64::try_from(gained).unwrap_or(u64::MAX);
        Bucket { millionths: bucket.millionths.saturating_add(gained).min(most), at: now.micros }
    }

    /// Frees places of sources that have been quiet long enough; a few at a time.
    fn make_room(&mut self, now: Now) -> bool {
        if self.sources.len() < PLACES {
            return true;
        }
        let most = u64::from(self.burst) * ONE;
        let next: Vec<(u128, Bucket)> = self
            .sources
            .range(self.cursor..)
            .take(8)
            .map(|(key, bucket)| (*key, *bucket))
            .collect();
        self.cursor = next.last().map_or(0, |(key, _)| key.wrapping_add(1));
        for (key, bucket) in next {
            if self.filled(bucket, now).millionths >= most {
                self.sources.remove(&key);
            }
        }
        self.sources.len() < PLACES
    }
}

/// An IPv4 address, or the /64 network of an IPv6 address, where one sender has them all.
fn network(source: IpAddr) -> u128 {
    match source.to_canonical() {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address) >> 64 << 64,
    }
}

const ONE: u64 = 1_000_000;
const PLACES: usize = 4096;

#[cfg(test)]
mod tests {
    use jackfield_vocabulary::UnixTime;

    use super::*;

    fn at(seconds: u64) -> Now {
        Now::new(seconds * 1_000_000, UnixTime(0))
    }

    #[test]
    fn a_source_has_its_burst_and_then_its_rate() {
        let mut limiter = Limiter::new(3, 60);
        let source = IpAddr::from([10, 0, 0, 1]);
        assert_eq!((0..5).filter(|_| limiter.allows(at(0), source)).count(), 3);
        assert!(limiter.allows(at(1), source));
        assert!(!limiter.allows(at(1), source));
        assert!(limiter.allows(at(1), IpAddr::from([10, 0, 0, 2])), "another source has its own");
    }

    #[test]
    fn a_flood_from_everywhere_stays_bounded_and_ends() {
        let mut limiter = Limiter::new(2, 60);
        let flood =
            (0..50_000_u32).filter(|n| limiter.allows(at(0), IpAddr::from(n.to_be_bytes())));
        assert_eq!(flood.count(), PLACES + 2);
        assert_eq!(limiter.len(), PLACES);
        assert!(limiter.allows(at(60), IpAddr::from([192, 0, 2, 1])));
    }
}
