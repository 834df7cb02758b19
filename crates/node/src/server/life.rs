//! Whether threads still live without which a node is none, for whoever does not hold them.

use std::sync::{Arc, Weak};

/// Held by a thread; goes when it ends, however it ends.
pub(crate) struct Living(Arc<()>);

/// Whether that thread still lives; copies are cheap.
#[derive(Clone)]
pub(crate) struct Life(Weak<()>);

impl Living {
    /// A life, and the sight of it.
    pub(crate) fn begin() -> (Self, Life) {
        let living = Arc::new(());
        let life = Life(Arc::downgrade(&living));
        (Self(living), life)
    }

    /// Does a thread's work.
    pub(crate) fn run(self, work: impl FnOnce()) {
        work();
        drop(self.0);
    }
}

impl Life {
    /// The thread has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn a_life_is_over_when_its_thread_ends_or_panics() {
        for panics in [false, true] {
            let (living, life) = Living::begin();
            let (end, ends) = sync_channel::<()>(0);
            let thread = std::thread::spawn(move || {
                living.run(|| {
                    let _ = ends.recv();
                    assert!(!panics, "ordered by a test");
                });
            });
            assert!(!life.is_over());
            drop(end);
            assert_eq!(thread.join().is_err(), panics);
            assert!(life.is_over());
        }
    }
}
