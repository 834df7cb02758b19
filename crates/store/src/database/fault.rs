use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::DatabaseError;

/// Faults that a test orders of the embedded database; without orders it costs a load.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    orders: Arc<Orders>,
}

#[derive(Debug, Default)]
struct Orders {
    gone: AtomicBool,
    full: AtomicBool,
    refuse_commits: AtomicU32,
    lose_commits: AtomicU32,
}

impl Faults {
    /// From now on the database can't be reached, or can again.
    pub fn gone(&self, gone: bool) {
        self.orders.gone.store(gone, Ordering::SeqCst);
    }

    /// From now on the disk is full, or isn't any more.
    pub fn full(&self, full: bool) {
        self.orders.full.store(full, Ordering::SeqCst);
    }

    /// The next commits fail, and nothing is written.
    pub fn refuse_commits(&self, commits: u32) {
        self.orders.refuse_commits.store(commits, Ordering::SeqCst);
    }

    /// The next commits are carried out, but their answers are lost.
    pub fn lose_commits(&self, commits: u32) {
        self.orders.lose_commits.store(commits, Ordering::SeqCst);
    }

    pub(super) fn statement(&self) -> Result<(), DatabaseError> {
        if self.orders.gone.load(Ordering::Relaxed) {
            return Err(DatabaseError::Lost("ordered by a test".into()));
        }
        Ok(())
    }

    pub(super) fn before_commit(&self) -> Result<(), DatabaseError> {
        if self.orders.full.load(Ordering::Relaxed) {
            return Err(DatabaseError::Busy("the disk is full, ordered by a test".into()));
        }
        if take(&self.orders.refuse_commits) {
            return Err(DatabaseError::Lost("before the commit, ordered by a test".into()));
        }
        Ok(())
    }

    pub(super) fn after_commit(&self) -> Result<(), DatabaseError> {
        if take(&self.orders.lose_commits) {
            return Err(DatabaseError::Lost("after the commit, ordered by a test".into()));
        }
        Ok(())
    }
}

fn take(count: &AtomicU32) -> bool {
    count.load(Ordering::Relaxed) > 0
        && count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
}
