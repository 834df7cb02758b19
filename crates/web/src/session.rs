//! Who is signed in. Tokens are kept by the store; what they stand for is remembered here for a
//! moment, so that reading does not wait for the database, and for some minutes more for reading
//! while the database is gone: an administrator who looks what is wrong is not shut out by it.
//!
//! That is safe enough. What an account may do, and that it is switched on, is read from the
//! directory every time; what was learned of a token is forgotten as soon as the store says that
//! anybody was signed out, on whichever node; while the database is gone nobody can be.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jackfield_model::Text;
use jackfield_vocabulary::{ObjectId, SecretText, UnixTime};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::clock::wall;

/// What a good token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The account.
    pub(crate) account: ObjectId,
    /// Its user id, as in audit and logs.
    pub(crate) user_id: Text,
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
    /// When the token ends.
    pub(crate) expires: UnixTime,
}

/// Good tokens, by their hash.
#[derive(Default)]
pub(crate) struct Remembered {
    tokens: Mutex<HashMap<[u8; 32], Entry>>,
}

struct Entry {
    known: Known,
    /// What [`StoreHandle::sign_outs`](jackfield_store::StoreHandle::sign_outs) said before.
    sign_outs: u64,
    /// When the store said so.
    proved: Instant,
    /// The store could not say: for reading it is asked again after that.
    spared: Option<Instant>,
}

impl Remembered {
    /// What a token stands for, without asking the store.
    pub(crate) fn known(&self, token: &SecretText, reading: bool, sign_outs: u64) -> Option<Known> {
        let now = Instant::now();
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = tokens.get(&digest(token)).filter(|entry| entry.may_read(now, sign_outs))?;
        let spared = reading && entry.spared.is_some_and(|until| now < until);
        (spared || now.duration_since(entry.proved) < MOMENT).then_some(entry.known)
    }

    /// What a token stood for the last time, now that the store can't say; for reading only.
    pub(crate) fn lately(&self, token: &SecretText, sign_outs: u64) -> Option<Known> {
        let now = Instant::now();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entry = tokens.get_mut(&digest(token));
        let entry = entry.as_mut().filter(|entry| entry.may_read(now, sign_outs))?;
        entry.spared = Some(now + PAUSE);
        Some(entry.known)
    }

    /// Remembers what the store said after `sign_outs` was asked.
    pub(crate) fn remember(&self, token: &SecretText, known: Known, sign_outs: u64) {
        let now = Instant::now();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MOST_TOKENS {
            tokens.retain(|_, entry| entry.may_read(now, sign_outs));
            if tokens.len() >= MOST_TOKENS {
                tokens.clear();
            }
        }
        tokens.insert(digest(token), Entry { known, sign_outs, proved: now, spared: None });
    }
}

impl Entry {
    fn may_read(&self, now: Instant, sign_outs: u64) -> bool {
        self.sign_outs == sign_outs
            && now.duration_since(self.proved) < WHILE_GONE
            && wall() < self.known.expires
    }
}

fn digest(token: &SecretText) -> [u8; 32] {
    Sha256::digest(token.reveal()).into()
}

/// For so long the store is not asked again: a net under the notices of what changed.
const MOMENT: Duration = Duration::from_secs(30);
/// And for reading while the database is gone.
const WHILE_GONE: Duration = Duration::from_secs(600);
/// A store that could not say is left alone for so long.
const PAUSE: Duration = Duration::from_secs(5);
const MOST_TOKENS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn known(expires: UnixTime) -> Known {
        Known { account: ObjectId(7), must_change: false, expires }
    }

    #[test]
    fn a_token_is_remembered_until_somebody_is_signed_out() {
        let (remembered, token) = (Remembered::default(), SecretText::new("token"));
        let known = known(UnixTime(u64::MAX));
        assert_eq!((remembered.known(&token, true, 0), remembered.lately(&token, 0)), (None, None));
        remembered.remember(&token, known, 0);
        assert_eq!(remembered.known(&token, false, 0), Some(known));
        assert_eq!(remembered.known(&SecretText::new("other"), true, 0), None);
        assert_eq!((remembered.known(&token, true, 1), remembered.lately(&token, 1)), (None, None));
    }

    #[test]
    fn a_token_that_has_ended_is_not_remembered() {
        let (remembered, token) = (Remembered::default(), SecretText::new("token"));
        remembered.remember(&token, known(UnixTime(1)), 0);
        assert_eq!((remembered.known(&token, true, 0), remembered.lately(&token, 0)), (None, None));
    }

    #[test]
    fn so_many_tokens_are_remembered() {
        let remembered = Remembered::default();
        for token in 0..2 * MOST_TOKENS {
            let token = SecretText::new(token.to_string());
            remembered.remember(&token, known(UnixTime(u64::MAX)), 0);
        }
        assert!(remembered.tokens.lock().unwrap().len() <= MOST_TOKENS);
    }
}
