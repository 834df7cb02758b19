//! The bare clock: a thread that waits for the driver's slots and does nothing in them. What the
//! machine does to it, it does to the driver; the rest is the driver's own.

use core::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    io,
    sync::Arc,
    thread::{self, Builder, JoinHandle},
    time::Instant,
};

use super::{rank::Rank, run::SLOT};

/// A running bare clock.
#[derive(Debug)]
pub struct Metronome {
    stopping: Arc<AtomicBool>,
    slots: Arc<AtomicUsize>,
    thread: JoinHandle<MetronomeReport>,
}

/// How late a bare clock was.
#[derive(Clone, Debug)]
pub struct MetronomeReport {
    /// The rank that its thread could get.
    pub rank: Rank,
    /// How late it woke in each slot.
    pub lateness: Vec<Duration>,
}

impl Metronome {
    /// Starts one, of the rank that a driver started here would have.
    pub fn start() -> io::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let slots = Arc::new(AtomicUsize::new(0));
        let thread = {
            let (stopping, slots) = (stopping.clone(), slots.clone());
            Builder::new().name("metronome".to_owned()).spawn(move || beat(&stopping, &slots))?
        };
        Ok(Self { stopping, slots, thread })
    }

    /// In how many slots it woke so far.
    pub fn slots(&self) -> usize {
        self.slots.load(Ordering::Relaxed)
    }

    /// Stops it; none where its thread panicked.
    pub fn stop(self) -> Option<MetronomeReport> {
        self.stopping.store(true, Ordering::Relaxed);
        self.thread.join().ok()
    }
}

fn beat(stopping: &AtomicBool, slots: &AtomicUsize) -> MetronomeReport {
    let rank = Rank::claim();
    let mut lateness = Vec::with_capacity(SLOTS);
    let mut due = Instant::now();
    while !stopping.load(Ordering::Relaxed) && lateness.len() < SLOTS {
        due += SLOT;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        lateness.push(due.elapsed());
        slots.store(lateness.len(), Ordering::Relaxed);
    }
    MetronomeReport { rank, lateness }
}

/// Ten minutes.
const SLOTS: usize = 600_000;
