//! Who is signed in. Tokens are kept by the store; what they stand for is remembered here for a
//! moment, so that reading does not wait for the database.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jackfield_vocabulary::{ObjectId, SecretText};
use sha2::{Digest, Sha256};

/// What a good token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The account.
    pub(crate) account: ObjectId,
    /// Its user id, as in audit and logs.
    pub(crate) user_id: Box<str>,
    /// The token itself.
    pub(crate) token: SecretText,
    /// The password is a one-time one: nothing else before it is changed.
    pub(crate) must_change: bool,
}

/// What is remembered of a good token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The account.
    pub(crate) account: ObjectId,
    /// Its password is a one-time one.
    pub(crate) must_change: bool,
}

/// Good tokens, by their hash, for a moment.
#[derive(Default)]
pub(crate) struct Remembered {
    tokens: Mutex<HashMap<[u8; 32], (Known, Instant)>>,
}

impl Remembered {
    pub(crate) fn known(&self, token: &SecretText) -> Option<Known> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, until) = tokens.get(&digest(token))?;
        (Instant::now() < *until).then_some(*known)
    }

    pub(crate) fn remember(&self, token: &SecretText, known: Known) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MOST_TOKENS {
            tokens.clear();
        }
        tokens.insert(digest(token), (known, Instant::now() + MOMENT));
    }

    pub(crate) fn forget(&self, account: ObjectId) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, (known, _)| known.account != account);
    }
}

fn digest(token: &SecretText) -> [u8; 32] {
    Sha256::digest(token.reveal()).into()
}

/// How often an address may try to sign in.
#[derive(Default)]
pub(crate) struct Attempts {
    addresses: Mutex<HashMap<IpAddr, (u32, Instant)>>,
}

impl Attempts {
    /// Counts an attempt; `false` when there were too many.
    pub(crate) fn admit(&self, address: IpAddr) -> bool {
        let (now, mut addresses) =
            (Instant::now(), self.addresses.lock().unwrap_or_else(PoisonError::into_inner));
        if addresses.len() >= MOST_ADDRESSES {
            addresses.retain(|_, (_, since)| now.duration_since(*since) < ATTEMPT_WINDOW);
            if addresses.len() >= MOST_ADDRESSES {
                // So many addresses at once are no people: nobody new, for a minute.
                return addresses.get(&address).is_some_and(|(count, _)| *count < MOST_ATTEMPTS);
            }
        }
        let (count, since) = addresses.entry(address).or_insert((0, now));
        if now.duration_since(*since) >= ATTEMPT_WINDOW {
            (*count, *since) = (0, now);
        }
        *count = count.saturating_add(1);
        *count <= MOST_ATTEMPTS
    }
}

/// A token that was revoked elsewhere is good for so long at the most.
const MOMENT: Duration = Duration::from_secs(30);
const MOST_TOKENS: usize = 4096;
const ATTEMPT_WINDOW: Duration = Duration::from_secs(60);
pub(crate) const MOST_ATTEMPTS: u32 = 30;
const MOST_ADDRESSES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_attempts_and_others_have_their_own() {
        let attempts = Attempts::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        let admitted = (0..100).filter(|_| attempts.admit(address)).count();
        assert_eq!(admitted, MOST_ATTEMPTS as usize);
        assert!(attempts.admit(IpAddr::from([192, 0, 2, 2])));
    }

    #[test]
    fn a_flood_of_addresses_is_bounded() {
        let attempts = Attempts::default();
        for address in 0..20_000_u32 {
            attempts.admit(IpAddr::from(address.to_be_bytes()));
        }
        assert!(attempts.addresses.lock().unwrap().len() <= MOST_ADDRESSES);
    }

    #[test]
    fn a_token_is_remembered_until_its_account_is_forgotten() {
        let remembered = Remembered::default();
        let token = SecretText::new("token");
        let known = Known { account: ObjectId(7), must_change: false };
        assert_eq!(remembered.known(&token), None);
        remembered.remember(&token, known);
        assert_eq!(remembered.known(&token), Some(known));
        assert_eq!(remembered.known(&SecretText::new("other")), None);
        remembered.forget(ObjectId(7));
        assert_eq!(remembered.known(&token), None);
    }
}
