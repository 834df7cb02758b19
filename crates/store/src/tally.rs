use std::sync::atomic::{AtomicU64, Ordering};

use crate::Verification;

/// How often secrets were wrong and accounts were found or became locked, since the start.
#[derive(Debug, Default)]
pub struct Tally {
    wrong: AtomicU64,
    locked: AtomicU64,
    locks: AtomicU64,
}

impl Tally {
    pub(crate) fn count(&self, verification: &Verification) {
        match verification {
            Verification::Wrong | Verification::NoCredential => add(&self.wrong),
            Verification::Locked { .. } => add(&self.locked),
            Verification::Right | Verification::Unavailable => {}
        }
    }

    /// An account, or a source for it, is locked from now on.
    pub(crate) fn lock(&self) {
        add(&self.locks);
    }

    /// By the names that the metrics page has for them.
    pub fn named(&self) -> [(&'static str, u64); 3] {
        let count = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        [
            ("secrets-wrong", count(&self.wrong)),
            ("secrets-while-locked", count(&self.locked)),
            ("accounts-locked", count(&self.locks)),
        ]
    }
}

fn add(figure: &AtomicU64) {
    figure.fetch_add(1, Ordering::Relaxed);
}
