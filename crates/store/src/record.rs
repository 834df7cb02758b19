//! Call records.

use jackfield_vocabulary::UnixTime;
use serde_json::Value as Json;

use crate::StoreError;
use crate::database::{DatabaseError, Value, widen};
use crate::handle::StoreHandle;
use crate::queue::Lane;

/// A finished call.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordRow {
    /// Its number; 0 for one that is to be written.
    pub id: u64,
    /// When it began.
    pub began: UnixTime,
    /// When it ended.
    pub ended: UnixTime,
    /// The calling number.
    pub calling: Box<str>,
    /// The number dialled.
    pub called: Box<str>,
    /// The whole record.
    pub body: Json,
}

/// Which call records are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct RecordFilter {
    /// Only records before this one; for the next page the last id of this one.
    pub before_id: Option<u64>,
    /// Begun not earlier.
    pub from: Option<UnixTime>,
    /// Begun earlier.
    pub until: Option<UnixTime>,
    /// From or to this number.
    pub number: Option<Box<str>>,
    /// At most so many, 1 to 1,000.
    pub limit: u32,
}

impl StoreHandle {
    /// Writes finished calls behind, and tells `done` when they are on the disk; at most 1,500 at
    /// once.
    pub fn append_records(
        &self,
        rows: Vec<RecordRow>,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        self.enqueue(
            Lane::Background,
            move |turn| {
                for row in &rows {
                    turn.database.execute(
                        "INSERT INTO call_record (began, ended, calling, called, body) \
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                        &[
                            widen(row.began.0),
                            widen(row.ended.0),
                            (&*row.calling).into(),
                            (&*row.called).into(),
                            row.body.to_string().into(),
                        ],
                    )?;
                }
                Ok(())
            },
            done,
        );
    }

    /// A page of call records, newest first.
    pub fn records(&self, filter: RecordFilter) -> Result<Vec<RecordRow>, StoreError> {
        self.work(Lane::Background, move |turn| {
            let rows = turn.database.rows(
                "SELECT id, began, ended, calling, called, body FROM call_record \
                 WHERE id < ?1 AND began >= ?2 AND began < ?3 \
                 AND (?4 = '' OR calling = ?4 OR called = ?4) ORDER BY id DESC LIMIT ?5",
                &[
                    filter.before_id.map_or(Value::Int(i64::MAX), widen),
                    widen(filter.from.unwrap_or_default().0),
                    filter.until.map_or(Value::Int(i64::MAX), |until| widen(until.0)),
                    filter.number.as_deref().unwrap_or_default().into(),
                    filter.limit.clamp(1, 1000).into(),
                ],
                |row| {
                    let body = serde_json::from_str(row.text(5)?).map_err(|error| {
                        DatabaseError::Corrupt(format!("a call record: {error}"))
                    })?;
                    Ok(RecordRow {
                        id: row.number(0)?,
                        began: UnixTime(row.number(1)?),
                        ended: UnixTime(row.number(2)?),
                        calling: row.text(3)?.into(),
                        called: row.text(4)?.into(),
                        body,
                    })
                },
            )?;
            Ok(rows)
        })
    }
}
