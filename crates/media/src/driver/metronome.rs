//! The bare clock: a thread that waits for the driver's slots and does nothing in them. What the
//! machine does to it, it does to the driver; the rest is the driver's own.

use core::{
    sync::atomic::{AtomicBool, Ordering},
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
        let thread = {
            let stopping = stopping.clone();
            Builder::new().name("metronome".to_owned()).spawn(move || beat(&stopping))?
        };
        Ok(Self { stopping, thread })
    }

    /// Stops it; none where its thread panicked.
    pub fn stop(self) -> Option<MetronomeReport> {
        self.stopping.store(true, Ordering::Relaxed);
        self.thread.join().ok()
    }
}

fn beat(stopping: &AtomicBool) -> MetronomeReport {
    let rank = Rank::claim();
    let mut lateness = Vec::with_capacity(SLOTS);
    let mut due = Instant::now();
    while !stopping.load(Ordering::Relaxed) && lateness.len() < SLOTS {
        due += SLOT;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        lateness.push(due.elapsed());
    }
    MetronomeReport { rank, lateness }
}

/// Ten minutes.
const SLOTS: usize = 600_000;
