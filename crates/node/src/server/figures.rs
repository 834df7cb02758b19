//! What the engine's loop counts of its socket, for the metrics page.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start. Only the loop changes them.
#[derive(Default)]
pub(crate) struct Figures {
    received: AtomicU64,
    sent: AtomicU64,
    unsent: AtomicU64,
    lost: AtomicU64,
    quarantined: AtomicU64,
}

/// One look of the loop at what it counted.
pub(crate) struct Counted {
    /// Datagrams read.
    pub(crate) received: u64,
    /// Datagrams that the kernel took.
    pub(crate) sent: u64,
    /// Datagrams that the kernel would not take.
    pub(crate) unsent: u64,
    /// Datagrams that the kernel had no room to keep until they were read.
    pub(crate) lost: u64,
    /// Messages dropped because they ended an earlier process.
    pub(crate) quarantined: u64,
}

impl Figures {
    /// The loop tells what it counted so far.
    pub(crate) fn set(&self, counted: &Counted) {
        self.received.store(counted.received, Ordering::Relaxed);
        self.sent.store(counted.sent, Ordering::Relaxed);
        self.unsent.store(counted.unsent, Ordering::Relaxed);
        self.lost.store(counted.lost, Ordering::Relaxed);
        self.quarantined.store(counted.quarantined, Ordering::Relaxed);
    }

    /// By the names that the metrics page has for them.
    pub(crate) fn named(&self) -> [(&'static str, u64); 5] {
        let count = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        [
            ("datagrams-received", count(&self.received)),
            ("datagrams-sent", count(&self.sent)),
            ("datagrams-unsent", count(&self.unsent)),
            ("datagrams-lost", count(&self.lost)),
            ("messages-quarantined", count(&self.quarantined)),
        ]
    }
}
