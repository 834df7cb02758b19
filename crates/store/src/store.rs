use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use jackfield_model::{DeviceSecrets, Directory};
use jackfield_vocabulary::ObjectId;

use crate::StoreError;
use crate::backoff::Backoff;
use crate::database::{Database, SCHEMA, listen, migrate};
use crate::handle::StoreHandle;
use crate::key::Key;
use crate::load::load;
use crate::pulse::Pulse;
use crate::queue::Queue;
use crate::settings::{Source, StoreSettings};
use crate::state::State;
use crate::vault::{Vault, wrapped};
use crate::writer::{Publish, Refusals, Writer};

/// The open store. Dropping it finishes what waits and closes the database.
pub struct Store {
    handle: StoreHandle,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the database, making it and the key file when there is none and there may be a new one,
    /// reads the directory and
    /// starts the writer's thread. `on_directory` is called there with every new directory and
    /// the ids that changed, before whoever changed them is answered: it must not block.
    pub fn open(
        settings: &StoreSettings,
        on_directory: impl Fn(Arc<Directory>, Arc<[ObjectId]>) + Send + 'static,
    ) -> Result<Self, StoreError> {
        settings.check_place()?;
        let source = settings.source();
        source.prepare()?;
        let (database, vault, state) = start(&source, settings)?;
        let queue = Arc::new(Queue::default());
        if let Source::Server(url) = &source {
            let (url, queue) = (url.clone(), Arc::clone(&queue));
            // It ends by itself soon after the store is closed; nobody waits for it.
            drop(spawn("store-listener", move || listen(&url, &queue))?);
        }
        let shared = Arc::new(RwLock::new(Arc::clone(&state.directory)));
        let (sign_outs, pulse) = (Arc::default(), Arc::<Pulse>::default());
        let handle = StoreHandle {
            sign_outs: Arc::clone(&sign_outs),
            pulse: Arc::clone(&pulse),
            tally: Arc::default(),
            queue: Arc::clone(&queue),
            directory: Arc::clone(&shared),
            vault: Arc::new(vault.clone()),
            shared: source.is_shared(),
        };
        let writer = Writer {
            queue,
            source,
            connection: Some(database),
            vault,
            state,
            shared,
            publish: Publish(Box::new(on_directory)),
            sign_outs,
            pulse,
            refusals: Refusals::default(),
            backoff: Backoff::default(),
        };
        let writer = spawn("store", move || writer.run())?;
        Ok(Self { handle, writer: Some(writer) })
    }

    /// What other threads hold of it.
    pub fn handle(&self) -> StoreHandle {
        self.handle.clone()
    }

    /// `false` once the writer's thread has ended: nothing is written any more.
    pub fn runs(&self) -> bool {
        self.writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }

    /// The latest directory.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.handle.directory.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.handle.queue.close();
        if let Some(writer) = self.writer.take() {
            // A panic of the writer has been told by the panic itself.
            let _ = writer.join();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(work)
        .map_err(|error| StoreError::Fault(format!("no thread for the {name}: {error}")))
}

fn start(
    source: &Source,
    settings: &StoreSettings,
) -> Result<(Database, Vault, State), StoreError> {
    let mut database = source.connect()?;
    migrate(&mut database, SCHEMA)?;
    let vault = database.transaction(|database| {
        // A database that has secrets needs its own key file; a new one would open nothing.
        let is_new = wrapped(database)?.is_none();
        settings.check_founding(is_new)?;
        let key = Key::from_file(&settings.key_file, is_new)?;
        Vault::open(database, &key, &settings.key_file)
    })?;
    let state = load(&mut database, DeviceSecrets::new(*vault.cluster.bytes()))?;
    Ok((database, vault, state))
}
