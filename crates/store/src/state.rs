//! What the writer knows of the database's contents while a transaction runs: the directory as it
//! stands in it, and how far the change log goes. It becomes the truth when the commit succeeds.

use std::collections::BTreeSet;
use std::sync::Arc;

use jackfield_model::{Change, Directory, Kind};
use jackfield_vocabulary::ObjectId;

use crate::StoreError;
use crate::database::{Database, DatabaseError, narrow, widen};
use crate::load::load;
use crate::log::{CREDENTIAL, DEVICE_SECRET, TOKEN};
use crate::object::Stored;

/// The directory as the running transaction sees it.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) directory: Arc<Directory>,
    /// The number of the last change.
    pub(crate) sequence: u64,
    /// The highest id ever given to an object.
    pub(crate) last_id: ObjectId,
    /// What changed since the directory that everybody else has.
    pub(crate) changed: BTreeSet<ObjectId>,
    /// Somebody who is signed in may not be so any more.
    pub(crate) signed_out: bool,
}

impl State {
    pub(crate) fn new(directory: Arc<Directory>, sequence: u64, last_id: ObjectId) -> Self {
        Self { directory, sequence, last_id, changed: BTreeSet::new(), signed_out: false }
    }

    /// Applies what a step wrote.
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        self.changed.extend(changes.iter().map(|change| change.id));
        self.directory = Arc::new(self.directory.apply(self.sequence, changes));
    }

    /// Reads what other nodes committed since this one last looked.
    pub(crate) fn follow(&mut self, database: &mut Database) -> Result<(), StoreError> {
        let newest = newest_change(database)?;
        if newest <= self.sequence {
            return Ok(());
        }
        let (mut ids, mut rotated, mut rows) = (BTreeSet::new(), BTreeSet::new(), 0);
        let mut signed_out = self.signed_out;
        database.each(
            "SELECT object, kind, version FROM change WHERE sequence > ?1",
            &[widen(self.sequence)],
            &mut |row| {
                rows += 1;
                let Some(object) = row.optional_int(0)? else { return Ok(()) };
                let object = ObjectId(narrow(object)?);
                signed_out |= row.optional_text(1)?.is_some_and(signs_out);
                if row.optional_int(2)?.is_some() {
                    ids.insert(object);
                } else if row.optional_text(1)? == Some(DEVICE_SECRET) {
                    rotated.insert(object);
                }
                Ok(())
            },
        )?;
        if rows < newest - self.sequence {
            // Changes that this node never saw have been pruned: only all of it is sure.
            return self.reload(database);
        }
        let changes = latest(database, &ids)?;
        self.sequence = newest;
        self.signed_out = signed_out;
        self.last_id = last_id(database)?;
        self.apply(&changes);
        for device in rotated {
            self.read_generation(database, device)?;
        }
        Ok(())
    }

    fn reload(&mut self, database: &mut Database) -> Result<(), StoreError> {
        let fresh = load(database, self.directory.secrets().clone())?;
        self.changed.extend(self.directory.entries().map(|(id, _)| id));
        self.changed.extend(fresh.directory.entries().map(|(id, _)| id));
        let changed = std::mem::take(&mut self.changed);
        *self = Self { changed, signed_out: true, ..fresh };
        Ok(())
    }

    /// Takes over how often a device's secret was replaced.
    pub(crate) fn read_generation(
        &mut self,
        database: &mut Database,
        device: ObjectId,
    ) -> Result<(), DatabaseError> {
        let generation = database.row(
            "SELECT generation FROM device_generation WHERE device = ?1",
            &[device.0.into()],
            |row| row.number(0),
        )?;
        if let Some(generation) = generation {
            let mut secrets = self.directory.secrets().clone();
            secrets.set_generation(device, generation);
            self.directory = Arc::new(self.directory.with_secrets(secrets));
            self.changed.insert(device);
        }
        Ok(())
    }
}

/// Whether a change of this kind may end what somebody who is signed in may do.
pub(crate) fn signs_out(kind: &str) -> bool {
    let object = || kind.parse().is_ok_and(|kind| ACCOUNTS.contains(&kind));
    matches!(kind, TOKEN | CREDENTIAL) || object()
}

const ACCOUNTS: [Kind; 4] = [Kind::EndUser, Kind::ApplicationUser, Kind::UserGroup, Kind::Role];

/// The number of the last change.
pub(crate) fn newest_change(database: &mut Database) -> Result<u64, DatabaseError> {
    // The change log may be pruned to nothing; the number goes on.
    let newest =
        database.row("SELECT max(sequence) FROM change", &[], |row| row.optional_int(0))?;
    let pruned = meta_number(database, "pruned")?;
    Ok(narrow::<u64>(newest.flatten().unwrap_or(0))?.max(pruned))
}

/// The highest id ever given to an object.
pub(crate) fn last_id(database: &mut Database) -> Result<ObjectId, DatabaseError> {
    let last = meta_number(database, "last-id")?;
    u32::try_from(last)
        .map(ObjectId)
        .map_err(|_| DatabaseError::Corrupt("the last id is out of range".into()))
}

/// A number kept in `meta`; 0 when it is not there.
pub(crate) fn meta_number(
    database: &mut Database,
    name: &'static str,
) -> Result<u64, DatabaseError> {
    let text = database.row("SELECT value FROM meta WHERE name = ?1", &[name.into()], |row| {
        Ok(row.text(0)?.to_owned())
    })?;
    text.map_or(Ok(0), |text| {
        text.parse().map_err(|_| DatabaseError::Corrupt(format!("{name} is no number")))
    })
}

/// Keeps a number in `meta`.
pub(crate) fn set_meta_number(
    database: &mut Database,
    name: &'static str,
    number: u64,
) -> Result<(), DatabaseError> {
    database.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[name.into(), number.to_string().into()],
    )?;
    Ok(())
}

fn latest(database: &mut Database, ids: &BTreeSet<ObjectId>) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::with_capacity(ids.len());
    let stored = Stored::find_all(database, &ids.iter().copied().collect::<Vec<_>>())?;
    for &id in ids {
        let after = match stored.get(&id) {
            None => None,
            Some(stored) => match stored.entry(id) {
                Ok(Some(entry)) => Some(entry),
                Ok(None) => continue,
                Err(error) => {
                    // A newer node wrote what this one can't read: the last readable one stays.
                    tracing::error!(object.id = id.0, %error, "an object can't be read");
                    continue;
                }
            },
        };
        changes.push(Change { id, after });
    }
    Ok(changes)
}
