//! What is thrown away when its time is over, a little at a time, so that nobody waits for it.

use jackfield_vocabulary::UnixTime;

use crate::StoreError;
use crate::attempt;
use crate::database::{Database, widen};
use crate::handle::StoreHandle;
use crate::queue::Lane;
use crate::state::{meta_number, set_meta_number};

/// How many rows were thrown away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Of the change log.
    pub changes: u64,
    /// Call records.
    pub records: u64,
    /// Outcomes of operations, attempts, registrations, tokens, leases and windows that ended.
    pub others: u64,
}

const DAY: u64 = 24 * 60 * 60 * 1000;

/// For how long the outcome of an operation is kept: nobody inquires so late.
const OPERATIONS: u64 = 7 * DAY;

/// For how long it is known from where a phone registered last.
pub(crate) const REGISTRATIONS: u64 = 365 * DAY;

/// For how long failed attempts are kept; longer than any policy's window and lock.
const ATTEMPTS: u64 = 3 * DAY;

/// Rows that go at once.
const CHUNK: i64 = 1500;

impl StoreHandle {
    /// Throws away what is older than the cluster's settings say; to be called now and then.
    pub fn prune(&self, now: UnixTime) -> Result<Pruned, StoreError> {
        let directory = self.directory();
        let settings = directory.cluster();
        let before = |days: u64| now.0.saturating_sub(days.saturating_mul(DAY));
        let audit = before(u64::from(settings.audit_days));
        let records = before(u64::from(settings.call_record_days));
        let changes = self.prune_rows(move |database| prune_changes(database, audit))?;
        let records = self.prune_rows(move |database| {
            delete(
                database,
                "DELETE FROM call_record WHERE id IN \
                 (SELECT id FROM call_record WHERE began < ?1 LIMIT ?2)",
                records,
            )
        })?;
        let attempts = now.0.saturating_sub(ATTEMPTS);
        let mut others =
            self.work(Lane::Background, move |turn| attempt::prune(turn, UnixTime(attempts)))?;
        for (sql, before) in OLD {
            let before = now.0.saturating_sub(before);
            others += self.prune_rows(move |database| delete(database, sql, before))?;
        }
        Ok(Pruned { changes, records, others })
    }

    fn prune_rows(
        &self,
        step: impl Fn(&mut Database) -> Result<u64, StoreError> + Send + Copy + 'static,
    ) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let gone = self.work(Lane::Background, move |turn| step(turn.database))?;
            all += gone;
            if gone < CHUNK.unsigned_abs() {
                return Ok(all);
            }
        }
    }
}

const OLD: [(&str, u64); 5] = [
    (
        "DELETE FROM operation WHERE id IN \
         (SELECT id FROM operation WHERE time < ?1 LIMIT ?2)",
        OPERATIONS,
    ),
    (
        "DELETE FROM binding WHERE device IN \
         (SELECT device FROM binding WHERE expires < ?1 LIMIT ?2)",
        REGISTRATIONS,
    ),
    ("DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE expires < ?1 LIMIT ?2)", 0),
    ("DELETE FROM lease WHERE name IN (SELECT name FROM lease WHERE expires < ?1 LIMIT ?2)", DAY),
    (
        "DELETE FROM file_window WHERE device IN \
         (SELECT device FROM file_window WHERE closes < ?1 LIMIT ?2)",
        DAY,
    ),
];

fn prune_changes(database: &mut Database, before: u64) -> Result<u64, StoreError> {
    // The log may become empty; its numbers go on all the same.
    let last = crate::state::newest_change(database)?;
    if last > meta_number(database, "pruned")? {
        set_meta_number(database, "pruned", last)?;
    }
    delete(
        database,
        "DELETE FROM change WHERE sequence IN \
         (SELECT sequence FROM change WHERE time < ?1 ORDER BY sequence LIMIT ?2)",
        before,
    )
}

fn delete(database: &mut Database, sql: &'static str, before: u64) -> Result<u64, StoreError> {
    Ok(database.execute(sql, &[widen(before), CHUNK.into()])?)
}
