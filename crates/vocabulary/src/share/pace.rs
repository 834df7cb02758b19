use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Figures, Source};
use crate::Now;

/// How often something may be done, by where it comes from.
///
/// So many sources are remembered. When there are more, the one that was seen longest ago is
/// forgotten, and one that comes while the table is full of sources that have used what they may
/// begins with a single try in place of all that are allowed at once: many sources that take turns
/// get no more than one try a turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pace {
    allowance: Allowance,
    most: u64,
    #[serde(with = "crate::pairs")]
    sources: BTreeMap<Source, Bucket>,
    /// Sources by when they were seen, the longest ago first.
    #[serde(with = "crate::pairs")]
    seen: BTreeMap<u64, Source>,
    number: u64,
    refused: u64,
    evicted: u64,
}

/// What one source may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// At once.
    pub burst: u32,
    /// In a minute, in the long run.
    pub per_minute: u32,
}

/// What a source may still do, in millionths, and since when.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Bucket {
    millionths: u64,
    at: u64,
    /// Its place in the order of those that were seen.
    seen: u64,
    /// Refused since the last time that something was allowed.
    missed: u64,
}

impl Pace {
    /// Remembers `most` sources.
    pub fn new(allowance: Allowance, most: u64) -> Self {
        Self {
            allowance,
            most: most.max(1),
            sources: BTreeMap::new(),
            seen: BTreeMap::new(),
            number: 0,
            refused: 0,
            evicted: 0,
        }
    }

    /// Changes the allowance; what was used stays used.
    pub fn set(&mut self, allowance: Allowance) {
        self.allowance = allowance;
    }

    /// May this source do it once more?
    pub fn allows(&mut self, now: Now, source: impl Into<Source>) -> bool {
        self.take(now, source).is_some()
    }

    /// Does it once more, if the source may: then tells how many times it was refused since the last
    /// time.
    pub fn take(&mut self, now: Now, source: impl Into<Source>) -> Option<u64> {
        let source = source.into();
        let mut bucket = self.bucket(now, source);
        let allowed = bucket.millionths >= ONE;
        let missed = bucket.missed;
        if allowed {
            (bucket.millionths, bucket.missed) = (bucket.millionths - ONE, 0);
        } else {
            bucket.missed += 1;
            self.refused += 1;
        }
        self.remember(source, bucket);
        allowed.then_some(missed)
    }

    /// Could this source do it now? Nothing is used up by asking.
    pub fn would_allow(&self, now: Now, source: impl Into<Source>) -> bool {
        let bucket = self.sources.get(&source.into());
        bucket.is_none_or(|bucket| self.filled(*bucket, now).millionths >= ONE)
    }

    /// May this source begin something that is charged only if it turns out badly? See [`Self::charge`].
    pub fn admits(&mut self, now: Now, source: impl Into<Source>) -> bool {
        let admitted = self.would_allow(now, source);
        self.refused += u64::from(!admitted);
        admitted
    }

    /// What was admitted turned out badly. As several may be under way when the last one is admitted,
    /// a source may owe some: until that is made up for it is admitted to nothing.
    pub fn charge(&mut self, now: Now, source: impl Into<Source>) {
        let source = source.into();
        let mut bucket = self.bucket(now, source);
        let owed = ONE.saturating_sub(bucket.millionths);
        bucket.millionths = bucket.millionths.saturating_sub(ONE);
        // Nothing is gained before that time.
        let rate = u64::from(self.allowance.per_minute.max(1));
        bucket.at = bucket.at.saturating_add(owed.saturating_mul(60) / rate);
        self.remember(source, bucket);
    }

    /// How many sources are remembered.
    pub fn sources(&self) -> usize {
        self.sources.len()
    }

    /// For the metrics page, under the name of the use.
    pub fn figures(&self, name: &str) -> Figures {
        Figures {
            name: name.into(),
            held: self.sources.len() as u64,
            most: self.most,
            refused: self.refused,
            evicted: self.evicted,
        }
    }

    /// What a source may still do now.
    fn bucket(&mut self, now: Now, source: Source) -> Bucket {
        if let Some(bucket) = self.sources.get(&source) {
            return self.filled(*bucket, now);
        }
        let crowded = !self.make_room(now);
        let millionths = if crowded { ONE.min(self.full()) } else { self.full() };
        Bucket { millionths, at: now.micros, seen: 0, missed: 0 }
    }

    fn remember(&mut self, source: Source, bucket: Bucket) {
        self.number += 1;
        self.seen.remove(&bucket.seen);
        self.seen.insert(self.number, source);
        self.sources.insert(source, Bucket { seen: self.number, ..bucket });
    }

    /// Forgets the source that was seen longest ago when there is no room for another; `false` when
    /// it had not got back yet what it used.
    fn make_room(&mut self, now: Now) -> bool {
        if (self.sources.len() as u64) < self.most {
            return true;
        }
        let oldest = self.seen.pop_first().and_then(|(_, oldest)| self.sources.remove(&oldest));
        let rested = oldest.is_none_or(|bucket| self.filled(bucket, now).millionths >= self.full());
        self.evicted += u64::from(!rested);
        rested
    }

    fn filled(&self, bucket: Bucket, now: Now) -> Bucket {
        let passed = u128::from(now.micros.saturating_sub(bucket.at));
        let gained = passed * u128::from(self.allowance.per_minute) / 60;
        let gained = u64::try_from(gained).unwrap_or(u64::MAX);
        let millionths = bucket.millionths.saturating_add(gained).min(self.full());
        Bucket { millionths, at: now.micros.max(bucket.at), ..bucket }
    }

    fn full(&self) -> u64 {
        u64::from(self.allowance.burst) * ONE
    }
}

const ONE: u64 = 1_000_000;
