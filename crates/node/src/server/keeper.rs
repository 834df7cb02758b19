//! Writes behind: registrations and call records go to the store in batches, so that a
//! registration never waits for a disk. A crash may lose the last moment; phones register again.
//!
//! The engine only puts things down here; the thread looks by itself from time to time, because
//! waking it for each registration would cost more than the registration.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use jackfield_store::{BindingRow, RecordRow, StoreHandle};

use super::life::{Life, Living};

/// Changes that may wait; beyond, the newest are dropped and that is told.
const WAITING: usize = 200_000;
/// Changes written at once.
const BATCH: usize = 1500;
/// How often the thread looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Something to keep.
pub(crate) enum Kept {
    /// A registration, or its end.
    Binding(BindingRow),
    /// A finished call.
    Record(Box<RecordRow>),
}

/// The thread that writes behind.
pub(crate) struct Keeper {
    desk: Arc<Desk>,
    life: Life,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    closing: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// In the order in which they came: the last word on a device is written last.
    bindings: VecDeque<BindingRow>,
    records: VecDeque<RecordRow>,
    dropped: u64,
    closed: bool,
}

impl Keeper {
    pub(crate) fn start(store: StoreHandle, node: Arc<str>) -> Result<Self> {
        let desk = Arc::new(Desk::default());
        let own = Arc::clone(&desk);
        let (living, life) = Living::begin();
        let thread = std::thread::Builder::new()
            .name("keeper".into())
            .spawn(move || living.run(|| run(&own, &store, &node)))
            .context("starting the thread that writes behind")?;
        Ok(Self { desk, life, thread: Some(thread) })
    }

    /// Whether the thread lives.
    pub(crate) fn life(&self) -> Life {
        self.life.clone()
    }

    /// Keeps something soon.
    pub(crate) fn keep(&self, kept: Kept) {
        let mut waiting = self.desk.lock();
        if waiting.bindings.len() + waiting.records.len() >= WAITING {
            waiting.dropped += 1;
            return;
        }
        match kept {
            Kept::Binding(row) => waiting.bindings.push_back(row),
            Kept::Record(record) => waiting.records.push_back(*record),
        }
    }

    /// Writes what waits and ends.
    pub(crate) fn finish(&mut self) {
        self.desk.lock().closed = true;
        self.desk.closing.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a while, or until the end; then takes a batch. Is it the end, with nothing left?
    fn take(&self) -> (Vec<BindingRow>, Vec<RecordRow>, bool) {
        let mut waiting = self.lock();
        if !waiting.closed && waiting.bindings.len() + waiting.records.len() < BATCH {
            waiting = match self.closing.wait_timeout(waiting, PAUSE) {
                Ok((waiting, _)) => waiting,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        if waiting.dropped > 0 {
            tracing::warn!(
                changes.dropped = waiting.dropped,
                "the database is far behind; registrations or call records were not kept"
            );
            waiting.dropped = 0;
        }
        let count = waiting.bindings.len().min(BATCH);
        let bindings: Vec<BindingRow> = waiting.bindings.drain(..count).collect();
        let count = waiting.records.len().min(BATCH);
        let records: Vec<RecordRow> = waiting.records.drain(..count).collect();
        let done = waiting.closed && bindings.is_empty() && records.is_empty();
        (bindings, records, done)
    }
}

fn run(desk: &Desk, store: &StoreHandle, node: &Arc<str>) {
    loop {
        let (bindings, records, done) = desk.take();
        if done {
            return;
        }
        write(store, node, bindings, records);
    }
}

/// Gives a batch to the store's writer, and waits for it, so that no more than one is under way.
fn write(store: &StoreHandle, node: &Arc<str>, bindings: Vec<BindingRow>, records: Vec<RecordRow>) {
    let (done, outcome) = mpsc::sync_channel(2);
    let batches = usize::from(!bindings.is_empty()) + usize::from(!records.is_empty());
    if !bindings.is_empty() {
        let done = done.clone();
        store.save_bindings(Arc::clone(node), bindings, move |result| {
            let _ = done.send(("registrations could not be kept", result));
        });
    }
    if !records.is_empty() {
        store.append_records(records, move |result| {
            let _ = done.send(("call records could not be kept", result));
        });
    }
    for (trouble, result) in outcome.iter().take(batches) {
        if let Err(error) = result {
            tracing::warn!(error.cause = %error, "{trouble}");
        }
    }
}
