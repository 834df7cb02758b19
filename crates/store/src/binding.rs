//! Registrations across restarts: written behind, in batches. A crash may lose those of the last
//! moment; phones register again.

use jackfield_vocabulary::{ObjectId, UnixTime};

use crate::StoreError;
use crate::database::{Database, DatabaseError, Value, widen};
use crate::handle::StoreHandle;
use crate::queue::Lane;

/// A registration to keep or to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingRow {
    /// The device.
    pub device: ObjectId,
    /// Its registration in the engine's own form; `None` when it ended.
    pub blob: Option<Vec<u8>>,
    /// When it ends by itself.
    pub expires: UnixTime,
}

impl StoreHandle {
    /// Writes registrations behind: returns at once, and tells `done` when they are on the disk.
    /// Give it what a second or so brought, at most 1,500 at once.
    pub fn save_bindings(
        &self,
        rows: Vec<BindingRow>,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        self.enqueue(
            Lane::Background,
            move |turn| {
                rows.iter().try_for_each(|row| save(turn.database, row)).map_err(Into::into)
            },
            done,
        );
    }

    /// The registrations that have not ended yet, at start.
    pub fn bindings(&self, now: UnixTime) -> Result<Vec<BindingRow>, StoreError> {
        self.work(Lane::Urgent, move |turn| {
            let rows = turn.database.rows(
                "SELECT device, blob, expires FROM binding WHERE expires > ?1 ORDER BY device",
                &[widen(now.0)],
                |row| {
                    Ok(BindingRow {
                        device: ObjectId(row.number(0)?),
                        blob: Some(row.blob(1)?.to_vec()),
                        expires: UnixTime(row.number(2)?),
                    })
                },
            )?;
            Ok(rows)
        })
    }
}

fn save(database: &mut Database, row: &BindingRow) -> Result<(), DatabaseError> {
    match &row.blob {
        Some(blob) => database.execute(
            "INSERT INTO binding (device, blob, expires) VALUES (?1, ?2, ?3) \
             ON CONFLICT (device) DO UPDATE SET blob = excluded.blob, expires = excluded.expires",
            &[row.device.0.into(), Value::from(&blob[..]), widen(row.expires.0)],
        ),
        None => database.execute("DELETE FROM binding WHERE device = ?1", &[row.device.0.into()]),
    }
    .map(drop)
}
