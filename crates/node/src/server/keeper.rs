//! Writes behind: registrations and call records go to the store in batches, so that a
//! registration never waits for a disk. A crash may lose the last second; phones register again.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jackfield_store::{BindingRow, RecordRow, StoreHandle};
use jackfield_vocabulary::{ObjectId, UnixTime};

/// Changes that may wait; beyond, the engine's are dropped and counted.
const WAITING: usize = 200_000;
/// Changes written at once.
const BATCH: usize = 1500;
/// The longest a change waits.
const DELAY: Duration = Duration::from_millis(500);

/// Something to keep.
pub(crate) enum Kept {
    /// A registration, or its end.
    Binding { device: ObjectId, binding: Option<Vec<u8>>, expires: UnixTime },
    /// A finished call.
    Record(Box<RecordRow>),
}

/// The thread that writes behind.
pub(crate) struct Keeper {
    lane: Option<SyncSender<Kept>>,
    thread: Option<JoinHandle<()>>,
    dropped: u64,
}

impl Keeper {
    pub(crate) fn start(store: StoreHandle) -> Result<Self> {
        let (lane, arrivals) = sync_channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("keeper".into())
            .spawn(move || run(&arrivals, &store))
            .context("starting the thread that writes behind")?;
        Ok(Self { lane: Some(lane), thread: Some(thread), dropped: 0 })
    }

    /// Keeps something soon.
    pub(crate) fn keep(&mut self, kept: Kept) {
        let Some(lane) = &self.lane else { return };
        if let Err(TrySendError::Full(_)) = lane.try_send(kept) {
            if self.dropped == 0 {
                tracing::warn!("the database is behind; registrations are not being kept");
            }
            self.dropped += 1;
        }
    }

    /// Writes what waits and ends.
    pub(crate) fn finish(&mut self) {
        self.lane = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(arrivals: &Receiver<Kept>, store: &StoreHandle) {
    let mut bindings: BTreeMap<ObjectId, BindingRow> = BTreeMap::new();
    let mut records: Vec<RecordRow> = Vec::new();
    let mut since: Option<Instant> = None;
    loop {
        let patience =
            since.map_or(Duration::from_secs(3600), |since| DELAY.saturating_sub(since.elapsed()));
        let arrival = arrivals.recv_timeout(patience);
        let ended = matches!(arrival, Err(RecvTimeoutError::Disconnected));
        match arrival {
            Ok(Kept::Binding { device, binding, expires }) => {
                bindings.insert(device, BindingRow { device, blob: binding, expires });
            }
            Ok(Kept::Record(record)) => records.push(*record),
            Err(_) => {}
        }
        let waiting = bindings.len() + records.len();
        since = if waiting == 0 { None } else { since.or_else(|| Some(Instant::now())) };
        let due = since.is_some_and(|since| since.elapsed() >= DELAY);
        if waiting > 0 && (due || waiting >= BATCH || ended) {
            write(store, core::mem::take(&mut bindings), core::mem::take(&mut records));
            since = None;
        }
        if ended {
            return;
        }
    }
}

/// Gives a batch to the store's writer, and waits for it, so that no more than one is under way.
fn write(store: &StoreHandle, bindings: BTreeMap<ObjectId, BindingRow>, records: Vec<RecordRow>) {
    let (done, outcome) = sync_channel(2);
    let waiting = usize::from(!bindings.is_empty()) + usize::from(!records.is_empty());
    if !bindings.is_empty() {
        let done = done.clone();
        store.save_bindings(bindings.into_values().collect(), move |result| {
            let _ = done.send(("registrations could not be kept", result));
        });
    }
    if !records.is_empty() {
        store.append_records(records, move |result| {
            let _ = done.send(("call records could not be kept", result));
        });
    }
    for (trouble, result) in outcome.iter().take(waiting) {
        if let Err(error) = result {
            tracing::warn!(error.cause = %error, "{trouble}");
        }
    }
}
