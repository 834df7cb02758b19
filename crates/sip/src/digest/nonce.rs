//! Nonces that carry their own time, so that the server keeps none.

use core::time::Duration;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::algorithm::{Algorithm, hex};
use super::challenge::Challenge;
use crate::now::Now;

/// Makes nonces and tells how old they are. Nodes with the same key understand each other's, when
/// their [`Now`] begins at the same moment.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Nonces {
    key: [u8; 32],
    /// The keyed hash before it was given anything.
    hash: Hmac<Sha256>,
    /// How long a nonce may be used.
    pub lifetime: Duration,
}

/// What a nonce is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceState {
    /// Ours and young enough.
    Fresh,
    /// Ours, but too old: challenge again with `stale=true`.
    Stale,
    /// Not made with this key.
    Foreign,
}

impl Nonces {
    /// Nonces under a secret key.
    #[must_use]
    pub fn new(key: [u8; 32], lifetime: Duration) -> Self {
        let hash = Hmac::new_from_slice(&key).expect("HMAC takes keys of any length");
        Self { key, hash, lifetime }
    }

    /// A nonce made now. The salt makes two of the same moment differ.
    #[must_use]
    pub fn make(&self, now: Now, salt: u64) -> String {
        let millis = u64::try_from(now.0.as_millis()).unwrap_or(u64::MAX);
        let stamp = format!("{millis:016x}{salt:016x}");
        let mark = self.mark(&stamp);
        stamp + &mark
    }

    /// Challenges for all these algorithms with one new nonce each, in this order.
    #[must_use]
    pub fn challenges(
        &self,
        now: Now,
        salt: u64,
        realm: &str,
        algorithms: &[Algorithm],
        stale: bool,
    ) -> Vec<Challenge> {
        let nonce = self.make(now, salt);
        algorithms.iter().map(|one| Challenge::new(realm, &nonce, *one, stale)).collect()
    }

    /// What a nonce that came back is worth.
    #[must_use]
    pub fn check(&self, now: Now, nonce: &str) -> NonceState {
        let (Some(stamp), Some(mark)) = (nonce.get(..STAMP), nonce.get(STAMP..)) else {
            return NonceState::Foreign;
        };
        let millis = stamp.get(..16).and_then(|time| u64::from_str_radix(time, 16).ok());
        let (Some(millis), true) = (millis, mark.len() == MARK * 2) else {
            return NonceState::Foreign;
        };
        let expected = self.mark(stamp);
        let differs =
            expected.bytes().zip(mark.bytes()).fold(0, |sum, (one, two)| sum | (one ^ two));
        if core::hint::black_box(differs) != 0 {
            return NonceState::Foreign;
        }
        let made = Now::from_millis(millis);
        // One from the future was made before a restart with another start of time.
        if made > now || now.since(made) > self.lifetime {
            return NonceState::Stale;
        }
        NonceState::Fresh
    }

    fn mark(&self, stamp: &str) -> String {
        let mut hash = self.hash.clone();
        hash.update(stamp.as_bytes());
        hex(&hash.finalize().into_bytes()[..MARK])
    }
}

/// [`Nonces`] as they are written.
#[derive(Serialize, Deserialize)]
struct Stored {
    key: [u8; 32],
    lifetime: Duration,
}

impl From<Stored> for Nonces {
    fn from(stored: Stored) -> Self {
        Self::new(stored.key, stored.lifetime)
    }
}

impl From<Nonces> for Stored {
    fn from(nonces: Nonces) -> Self {
        Self { key: nonces.key, lifetime: nonces.lifetime }
    }
}

/// The key stays out of logs.
impl core::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Nonces").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// Which counts of a nonce were used: a count below the window, or one seen before, is a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountWindow {
    highest: u32,
    /// Bit n is set when `highest - n` was seen.
    seen: u64,
}

impl CountWindow {
    /// Notes a count; tells whether it is new.
    pub fn accept(&mut self, count: u32) -> bool {
        if count == 0 {
            return false;
        }
        if count > self.highest {
            let ahead = count - self.highest;
            self.seen = if ahead < 64 { self.seen << ahead } else { 0 } | 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        let bit = 1_u64.checked_shl(behind).unwrap_or(0);
        let is_new = bit != 0 && self.seen & bit == 0;
        self.seen |= bit;
        is_new
    }
}

/// Time and salt in hexadecimal.
const STAMP: usize = 32;
/// Octets of the keyed hash that are kept.
const MARK: usize = 12;
