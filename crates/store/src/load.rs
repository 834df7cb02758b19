//! Reading the whole configuration at start: one thread reads rows, others parse them.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use jackfield_model::{Change, DeviceSecrets, Directory};
use jackfield_vocabulary::ObjectId;

use crate::StoreError;
use crate::database::{Database, DatabaseError};
use crate::object;
use crate::state::{State, last_id, newest_change};

/// Rows that go to a parser at once.
const BITE: usize = 512;

/// Parsers; more would wait for the reader.
const PARSERS: usize = 2;

struct Raw {
    id: ObjectId,
    kind: Box<str>,
    version: u32,
    body: Box<str>,
}

/// Reads the latest state; `secrets` brings the cluster's key.
pub(crate) fn load(
    database: &mut Database,
    mut secrets: DeviceSecrets,
) -> Result<State, StoreError> {
    // The log first: what is committed in between is followed again, which does no harm.
    let sequence = newest_change(database)?;
    let last_id = last_id(database)?;
    let changes = objects(database)?;
    let mut directory = Directory::default().apply(sequence, &changes);
    drop(changes);
    database.each("SELECT device, generation FROM device_generation", &[], &mut |row| {
        secrets.set_generation(ObjectId(row.number(0)?), row.number(1)?);
        Ok(())
    })?;
    directory = directory.with_secrets(secrets);
    Ok(State::new(Arc::new(directory), sequence, last_id))
}

fn objects(database: &mut Database) -> Result<Vec<Change>, StoreError> {
    let (send, receive) = sync_channel::<Vec<Raw>>(PARSERS * 2);
    let receive = Mutex::new(receive);
    let parsed = std::thread::scope(|scope| {
        let parsers: Vec<_> = (0..PARSERS).map(|_| scope.spawn(|| parse_all(&receive))).collect();
        let read = read_all(database, &send);
        drop(send);
        let mut parsed = Vec::new();
        for parser in parsers {
            let part = parser
                .join()
                .map_err(|_| StoreError::Fault("a parser of objects panicked".into()))?;
            parsed.append(&mut part?);
        }
        read.map(|()| parsed).map_err(StoreError::from)
    });
    let mut changes: Vec<Change> = parsed?;
    // In the order of ids the directory's chunks fill one after the other.
    changes.sort_unstable_by_key(|change| change.id);
    Ok(changes)
}

fn read_all(database: &mut Database, send: &SyncSender<Vec<Raw>>) -> Result<(), DatabaseError> {
    let gone = |_| DatabaseError::Corrupt("its objects can't be read".into());
    let mut bite = Vec::with_capacity(BITE);
    database.each("SELECT id, kind, version, body FROM object ORDER BY id", &[], &mut |row| {
        bite.push(Raw {
            id: ObjectId(row.number(0)?),
            kind: row.text(1)?.into(),
            version: row.number(2)?,
            body: row.text(3)?.into(),
        });
        if bite.len() == BITE {
            let full = std::mem::replace(&mut bite, Vec::with_capacity(BITE));
            send.send(full).map_err(gone)?;
        }
        Ok(())
    })?;
    send.send(bite).map_err(gone)
}

fn parse_all(receive: &Mutex<Receiver<Vec<Raw>>>) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    loop {
        let bite = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(bite) = bite else { return Ok(changes) };
        for raw in bite {
            match object::read(raw.id, &raw.kind, raw.version, &raw.body)? {
                Some(entry) => changes.push(Change { id: raw.id, after: Some(entry) }),
                None => tracing::warn!(
                    object.id = raw.id.0,
                    object.kind = &*raw.kind,
                    "an object of a kind that only a newer program knows is left alone"
                ),
            }
        }
    }
}
