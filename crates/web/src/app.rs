use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jackfield_model::{Actor, Directory, Operation, Outcome, closest};
use jackfield_store::{StoreError, StoreHandle, StoreSettings};
use jackfield_vocabulary::share::{Figures, Pace, uses};
use jackfield_vocabulary::{Code, Now, OperationId, Refusal};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::body::Bodies;
use crate::clock::wall;
use crate::connections::Connections;
use crate::failure::Failures;
use crate::files::PhoneFiles;
use crate::job::Jobs;
use crate::metrics::{Counts, Objects};
use crate::operator::{Operator, Order, Reply};
use crate::session::Remembered;

/// What all doors share; copies are cheap.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    store: StoreHandle,
    store_settings: StoreSettings,
    operator: Arc<dyn Operator>,
    files: PhoneFiles,
    node: Box<str>,
    web_port: u16,
    backups: PathBuf,
    jobs: Jobs,
    remembered: Remembered,
    bodies: Bodies,
    connections: Connections,
    sign_ins: Mutex<Pace>,
    phone_forms: Mutex<Pace>,
    strangers_lines: Mutex<Pace>,
    refused_rows: Mutex<Pace>,
    /// When the doors were opened: the paces count from there.
    opened: Instant,
    counts: Counts,
    objects: Objects,
    failures: Failures,
    /// Work that blocks: the store.
    blocking: Semaphore,
    /// Hashes of passwords, and those who wait for one.
    hashing: Semaphore,
    hashing_queue: Semaphore,
}

/// What the doors need of the node.
pub struct AppSettings {
    /// The configuration.
    pub store: StoreHandle,
    /// Where the configuration is kept, for backups.
    pub store_settings: StoreSettings,
    /// The running node.
    pub operator: Arc<dyn Operator>,
    /// What phones fetch.
    pub files: PhoneFiles,
    /// The name of the node.
    pub node: Box<str>,
    /// The TCP port of these doors, as others see it.
    pub web_port: u16,
    /// The folder into which backups are written.
    pub backups: PathBuf,
    /// The connections of all HTTP doors.
    pub connections: Connections,
}

impl App {
    /// Opens nothing yet; see [`crate::router`].
    pub fn new(settings: AppSettings) -> Self {
        let AppSettings {
            store,
            store_settings,
            operator,
            files,
            node,
            web_port,
            backups,
            connections,
        } = settings;
        Self {
            inner: Arc::new(Inner {
                store,
                store_settings,
                operator,
                files,
                node,
                web_port,
                backups,
                jobs: Jobs::default(),
                remembered: Remembered::default(),
                bodies: Bodies::default(),
                connections,
                sign_ins: Mutex::new(uses::SIGN_INS.pace()),
                phone_forms: Mutex::new(uses::PHONE_FORMS.pace()),
                strangers_lines: Mutex::new(uses::STRANGERS_LINES.pace()),
                refused_rows: Mutex::new(uses::REFUSED_ROWS.pace()),
                opened: Instant::now(),
                counts: Counts::default(),
                objects: Objects::default(),
                failures: Failures::default(),
                blocking: Semaphore::new(MOST_BLOCKING),
                hashing: Semaphore::new(hashing_places()),
                hashing_queue: Semaphore::new(MOST_HASHES_WAITING),
            }),
        }
    }

    pub(crate) fn store(&self) -> &StoreHandle {
        &self.inner.store
    }

    pub(crate) fn directory(&self) -> Arc<Directory> {
        self.inner.store.directory()
    }

    pub(crate) fn files(&self) -> &PhoneFiles {
        &self.inner.files
    }

    pub(crate) fn node(&self) -> &str {
        &self.inner.node
    }

    pub(crate) fn web_port(&self) -> u16 {
        self.inner.web_port
    }

    pub(crate) fn store_settings(&self) -> &StoreSettings {
        &self.inner.store_settings
    }

    pub(crate) fn backups(&self) -> &Path {
        &self.inner.backups
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.inner.jobs
    }

    pub(crate) fn remembered(&self) -> &Remembered {
        &self.inner.remembered
    }

    pub(crate) fn bodies(&self) -> &Bodies {
        &self.inner.bodies
    }

    /// How often somebody may try to sign in.
    pub(crate) fn sign_ins(&self) -> MutexGuard<'_, Pace> {
        self.inner.sign_ins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often a phone may send its form.
    pub(crate) fn phone_forms(&self) -> MutexGuard<'_, Pace> {
        self.inner.phone_forms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often somebody who is not signed in gets a line in the log.
    pub(crate) fn strangers_lines(&self) -> MutexGuard<'_, Pace> {
        self.inner.strangers_lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often somebody who is signed in gets a row in the audit for what was refused.
    pub(crate) fn refused_rows(&self) -> MutexGuard<'_, Pace> {
        self.inner.refused_rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment, by the clock of the paces.
    pub(crate) fn now(&self) -> Now {
        let micros = u64::try_from(self.inner.opened.elapsed().as_micros()).unwrap_or(u64::MAX);
        Now::new(micros, wall())
    }

    /// What the limits of the doors have come to.
    pub(crate) fn limits(&self) -> [Figures; 6] {
        [
            self.inner.connections.figures(),
            self.inner.bodies.figures(),
            uses::SIGN_INS.figures(&self.sign_ins()),
            uses::PHONE_FORMS.figures(&self.phone_forms()),
            uses::STRANGERS_LINES.figures(&self.strangers_lines()),
            uses::REFUSED_ROWS.figures(&self.refused_rows()),
        ]
    }

    pub(crate) fn failures(&self) -> &Failures {
        &self.inner.failures
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.inner.counts
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    /// Gives an order to the running node.
    pub(crate) async fn operate(&self, order: Order) -> Result<Reply, Refusal> {
        self.inner.operator.operate(order).await
    }

    /// Does work that waits for the store or takes long, away from the doors' threads.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&StoreHandle) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _place = self.inner.blocking.acquire().await.map_err(|_| StoreError::Overloaded)?;
        self.elsewhere(work).await
    }

    /// Hashes a password or PIN, which keeps a processor busy for long on purpose: in few places of
    /// its own, so that however many sign in at once, everything else goes on.
    pub(crate) async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&StoreHandle) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _waiting =
            self.inner.hashing_queue.try_acquire().map_err(|_| StoreError::Overloaded)?;
        let _place = self.inner.hashing.acquire().await.map_err(|_| StoreError::Overloaded)?;
        self.elsewhere(work).await
    }

    async fn elsewhere<T: Send + 'static>(
        &self,
        work: impl FnOnce(&StoreHandle) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.inner.store.clone();
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .unwrap_or_else(|error| Err(StoreError::Fault(error.to_string())))
    }

    /// Carries out an operation.
    pub(crate) async fn execute(
        &self,
        id: Option<OperationId>,
        actor: Actor,
        operation: Operation,
    ) -> Result<Outcome, StoreError> {
        self.blocking(move |store| {
            let id = id.map_or_else(StoreHandle::operation_id, Ok)?;
            store.execute(id, actor, operation)
        })
        .await
    }
}

/// Half of the processors: calls and changes have the others.
fn hashing_places() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).max(1))
}

/// Threads that may be taken up at once.
const MOST_BLOCKING: usize = 32;
/// Hashes that are wanted at once; more are refused, and may be tried again.
const MOST_HASHES_WAITING: usize = 256;

/// There is no such thing.
pub(crate) fn not_found(kind: &str, name: &str) -> Refusal {
    Refusal::new(Code::NotFound).value("kind", kind).value("name", name)
}

/// There is no such thing; of these one may have been meant.
pub(crate) fn not_among<'a>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Refusal {
    match closest(name, known) {
        Some(meant) => not_found(kind, name).value("similar", meant),
        None => not_found(kind, name),
    }
}
