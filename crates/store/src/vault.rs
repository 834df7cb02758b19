//! Secrets in the database: each is sealed with the data key and bound to its owner and kind.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::StoreError;
use crate::database::{Database, DatabaseError, Value};
use crate::key::Key;

/// What to do about a key file that does not fit.
const OTHER_KEY: &str = "it is not the key of this database, or the database's data key is damaged. \
     Every node of a cluster has the same key file: copy `key` from the data folder of a node that \
     runs on this database (mode 600), or name another --data folder";

/// The owner of the secrets that belong to the cluster.
pub(crate) const CLUSTER: u32 = 0;

/// The keys that every node of the cluster has, once the key file has opened them.
#[derive(Clone)]
pub(crate) struct Vault {
    data: Key,
    /// Device secrets are derived from it.
    pub(crate) cluster: Key,
    /// Goes into the hashes of PINs and codes, which are too short to stand alone.
    pub(crate) pepper: Key,
}

impl Vault {
    /// Opens the vault with the key file's key; makes its keys on an empty database.
    pub(crate) fn open(
        database: &mut Database,
        file: &Key,
        path: &Path,
    ) -> Result<Self, StoreError> {
        let data = match wrapped(database)? {
            Some(wrapped) => unwrap(&wrapped, file).map_err(|error| match error {
                StoreError::Corrupt(_) => StoreError::key_file(path, OTHER_KEY.into()),
                other => other,
            })?,
            None => {
                let data = Key::random()?;
                wrap(database, &data, file)?;
                data
            }
        };
        let cluster = kept_or_new(database, &data, "cluster-key")?;
        let pepper = kept_or_new(database, &data, "pepper")?;
        Ok(Self { data, cluster, pepper })
    }

    pub(crate) fn put(
        &self,
        database: &mut Database,
        owner: u32,
        kind: &str,
        secret: &[u8],
        now: u64,
    ) -> Result<(), StoreError> {
        put(database, &self.data, owner, kind, secret, now)
    }

    pub(crate) fn get(
        &self,
        database: &mut Database,
        owner: u32,
        kind: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        get(database, &self.data, owner, kind)
    }
}

/// A database has its keys already.
pub(crate) fn wrapped(database: &mut Database) -> Result<Option<String>, DatabaseError> {
    database.row("SELECT value FROM meta WHERE name = 'data-key'", &[], |row| {
        Ok(row.text(0)?.to_owned())
    })
}

/// Writes the data key, wrapped by the key file's.
pub(crate) fn wrap(database: &mut Database, data: &Key, file: &Key) -> Result<(), StoreError> {
    let wrapped = STANDARD.encode(file.seal("data-key", data.bytes())?);
    database.execute(
        "INSERT INTO meta (name, value) VALUES ('data-key', ?1) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[Value::from(wrapped)],
    )?;
    Ok(())
}

/// Opens a wrapped data key.
pub(crate) fn unwrap(wrapped: &str, file: &Key) -> Result<Key, StoreError> {
    let sealed = STANDARD
        .decode(wrapped)
        .map_err(|_| StoreError::Corrupt("the data key in the database is damaged".into()))?;
    let bytes = file.open("data-key", &sealed)?;
    let bytes = bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt("the data key in the database is damaged".into()))?;
    Ok(Key::from_bytes(bytes))
}

fn kept_or_new(database: &mut Database, data: &Key, kind: &str) -> Result<Key, StoreError> {
    if let Some(bytes) = get(database, data, CLUSTER, kind)? {
        let bytes = bytes
            .try_into()
            .map_err(|_| StoreError::Corrupt(format!("the secret {kind} is damaged")))?;
        return Ok(Key::from_bytes(bytes));
    }
    let key = Key::random()?;
    put(database, data, CLUSTER, kind, key.bytes(), 0)?;
    Ok(key)
}

fn put(
    database: &mut Database,
    data: &Key,
    owner: u32,
    kind: &str,
    secret: &[u8],
    now: u64,
) -> Result<(), StoreError> {
    let sealed = data.seal(&label(owner, kind), secret)?;
    database.execute(
        "INSERT INTO secret (owner, kind, sealed, changed) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (owner, kind) DO UPDATE SET sealed = excluded.sealed, \
         changed = excluded.changed",
        &[owner.into(), kind.into(), Value::from(&sealed[..]), crate::database::widen(now)],
    )?;
    Ok(())
}

fn get(
    database: &mut Database,
    data: &Key,
    owner: u32,
    kind: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sealed = database.row(
        "SELECT sealed FROM secret WHERE owner = ?1 AND kind = ?2",
        &[owner.into(), kind.into()],
        |row| Ok(row.blob(0)?.to_vec()),
    )?;
    match sealed {
        Some(sealed) => Ok(Some(data.open(&label(owner, kind), &sealed)?)),
        None => Ok(None),
    }
}

fn label(owner: u32, kind: &str) -> String {
    format!("{owner} {kind}")
}
