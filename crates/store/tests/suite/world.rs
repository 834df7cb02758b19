//! A store for one test, and the few things that most tests do with it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use jackfield_model::{Actor, Kind, Operation, Outcome};
use jackfield_store::{Faults, Store, StoreError, StoreHandle, StoreSettings};
use jackfield_vocabulary::{Code, ObjectId, OperationId};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A database of its own for one test; it goes when the test ends.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) settings: StoreSettings,
    database: Option<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        match server() {
            None => {
                let settings = StoreSettings::in_folder(folder.path());
                Self { folder, settings, database: None }
            }
            Some(server) => {
                let name = new_database(&server);
                let key = folder.path().join("key");
                let settings = StoreSettings::on_server(&address(&server, &name), &key);
                Self { folder, settings, database: Some(name) }
            }
        }
    }

    /// An embedded one, whatever the suite runs on.
    pub(crate) fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings::in_folder(folder.path());
        Self { folder, settings, database: None }
    }

    pub(crate) fn faults(&self) -> Faults {
        self.settings.faults.clone()
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.settings, |_, _| {}).unwrap()
    }

    /// A store that notes what it publishes.
    pub(crate) fn open_watched(&self) -> (Store, Arc<Mutex<Vec<ObjectId>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let store = Store::open(&self.settings, move |_, changed| {
            notes.lock().unwrap().extend_from_slice(&changed);
        });
        (store.unwrap(), seen)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs statements past the store, as another program would.
    pub(crate) fn sql(&self, sql: &str) {
        if self.database.is_some() {
            connect(&self.settings.url).batch_execute(sql).unwrap();
        } else {
            let file = rusqlite::Connection::open(self.file("jackfield.db")).unwrap();
            file.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
            file.execute_batch(sql).unwrap();
        }
    }

    /// The first column of a query's first row, as text.
    pub(crate) fn text(&self, sql: &str) -> Option<String> {
        if self.database.is_some() {
            connect(&self.settings.url).query_opt(sql, &[]).unwrap().map(|row| row.get(0))
        } else {
            use rusqlite::OptionalExtension;
            let file = rusqlite::Connection::open(self.file("jackfield.db")).unwrap();
            file.query_row(sql, [], |row| row.get(0)).optional().unwrap()
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let (Some(name), Some(server)) = (&self.database, server()) {
            connect(&server)
                .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .unwrap();
        }
    }
}

pub(crate) fn server() -> Option<String> {
    std::env::var("JACKFIELD_TEST_POSTGRES").ok().filter(|server| !server.is_empty())
}

fn new_database(server: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("jackfield_{}_{next}", std::process::id());
    connect(server).batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    name
}

/// `postgres://user@host:port/postgres` with another database.
fn address(server: &str, database: &str) -> String {
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{database}")
}

fn connect(url: &str) -> postgres::Client {
    postgres::Client::connect(url, postgres::NoTls).unwrap()
}

pub(crate) fn new_id() -> OperationId {
    StoreHandle::operation_id().unwrap()
}

pub(crate) fn create(kind: Kind, body: Value) -> Operation {
    Operation::Create { kind, body }
}

pub(crate) fn partition(name: &str) -> Operation {
    create(Kind::Partition, json!({ "name": name }))
}

/// Carries out an operation as the system.
pub(crate) fn act(handle: &StoreHandle, operation: Operation) -> Result<Outcome, StoreError> {
    handle.execute(new_id(), Actor::System, operation)
}

/// Makes an object and gives its id.
pub(crate) fn make(handle: &StoreHandle, kind: Kind, body: Value) -> ObjectId {
    match act(handle, create(kind, body)).unwrap() {
        Outcome::Saved(saved) => saved[0].0,
        other => panic!("{other:?}"),
    }
}

/// The code of a refusal.
pub(crate) fn code(result: Result<Outcome, StoreError>) -> Code {
    result.unwrap_err().refusal().code
}

/// Makes an account that may change the configuration and nothing else.
pub(crate) fn configurator(handle: &StoreHandle, user_id: &str) -> ObjectId {
    account(handle, user_id, &["change-configuration"])
}

/// Makes an application user whose privileges, role and group are its own.
pub(crate) fn account(handle: &StoreHandle, user_id: &str, privileges: &[&str]) -> ObjectId {
    make(handle, Kind::Role, json!({ "name": user_id, "privileges": privileges }));
    make(handle, Kind::UserGroup, json!({ "name": user_id, "roles": [user_id] }));
    make(handle, Kind::ApplicationUser, json!({ "user_id": user_id, "groups": [user_id] }))
}
