//! The timers of transactions, by the letters of RFC 3261 and RFC 6026.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::key::{ClientKey, ServerKey};
use crate::now::Now;

/// Why a transaction wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Timer {
    /// Repeats an INVITE that has no answer.
    A,
    /// Gives up an INVITE that has no answer.
    B,
    /// Cancels an INVITE that had a provisional answer and no other since.
    C,
    /// Ends the absorbing of repeated refusals of an INVITE.
    D,
    /// Repeats another request that has no final answer.
    E,
    /// Gives up another request.
    F,
    /// Repeats the refusal of an INVITE that has no ACK.
    G,
    /// Gives up waiting for the ACK of a refusal.
    H,
    /// Ends the absorbing of repeated ACKs.
    I,
    /// Ends the absorbing of another repeated request.
    J,
    /// Ends the absorbing of repeated answers to another request.
    K,
    /// Ends the absorbing of a repeated INVITE that was accepted, and the wait for its ACK.
    L,
    /// Ends the passing on of further 2xx to an INVITE.
    M,
    /// Sends 100 for an INVITE nobody has answered in time.
    Trying,
    /// Repeats the 2xx of an INVITE that has no ACK (RFC 3261 section 13.3.1.4).
    Repeat,
    /// Forgets another request that nobody above has answered: its sender has given up by now.
    Unanswered,
    /// Gives up an INVITE that was cancelled and still has no final answer.
    Cancelled,
}

/// Whose timer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Owner {
    Server(ServerKey),
    Client(ClientKey),
}

/// A timer that is set. The number tells transactions apart that had the same key one after
/// another.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Alarm {
    pub(super) owner: Owner,
    pub(super) number: u64,
    pub(super) timer: Timer,
}

/// All timers. Those with the same delay fire in the order they were set, so each delay has a queue
/// of its own, and there are few delays.
///
/// A timer is never taken out: the state it belongs to looks at it when it fires, and others
/// ignore it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Timers {
    #[serde(with = "listed")]
    queues: BTreeMap<Duration, VecDeque<Entry>>,
    count: u64,
}

/// A timer in its queue; the count keeps the order of those that are due at the same time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Entry {
    at: Now,
    count: u64,
    alarm: Alarm,
}

impl Timers {
    pub(super) fn set(&mut self, now: Now, after: Duration, alarm: Alarm) {
        self.count += 1;
        let queue = self.queues.entry(after).or_default();
        // Should time ever run backwards, the queue stays in order and the timer fires later.
        let at = queue.back().map_or(now + after, |last| last.at.max(now + after));
        queue.push_back(Entry { at, count: self.count, alarm });
    }

    pub(super) fn next(&self) -> Option<Now> {
        let first = self.queues.values().filter_map(VecDeque::front);
        first.map(|entry| entry.at).min()
    }

    pub(super) fn due(&mut self, now: Now) -> Option<Alarm> {
        let queues = self.queues.values_mut();
        let first = queues
            .filter(|queue| queue.front().is_some_and(|entry| entry.at <= now))
            .min_by_key(|queue| queue.front().map(|entry| (entry.at, entry.count)))?;
        let entry = first.pop_front()?;
        // After a burst the memory goes back, a little at a time.
        if first.len() < first.capacity() / 8 {
            first.shrink_to(first.capacity() / 2);
        }
        Some(entry.alarm)
    }
}

/// Round-trip estimate.
pub(super) const T1: Duration = Duration::from_millis(500);
/// Longest time between repetitions.
pub(super) const T2: Duration = Duration::from_secs(4);
/// How long a message may stay in the network.
pub(super) const T4: Duration = Duration::from_secs(5);
/// When waiting ends: 64 times T1.
pub(super) const PATIENCE: Duration = Duration::from_secs(32);
/// How long an INVITE may have no answer before 100 is sent.
pub(super) const TRYING: Duration = Duration::from_millis(200);

/// JSON has no maps whose keys are durations.
mod listed {
    use super::{BTreeMap, Deserialize, Duration, Entry, Serialize, VecDeque};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        queues: &BTreeMap<Duration, VecDeque<Entry>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        queues.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Duration, VecDeque<Entry>>, D::Error> {
        Ok(Vec::<(Duration, VecDeque<Entry>)>::deserialize(deserializer)?.into_iter().collect())
    }
}
