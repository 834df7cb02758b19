use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::{DatabaseError, Faults, Row, Value};

/// How long to wait for another process that holds the file.
const PATIENCE: Duration = Duration::from_secs(2);

/// The embedded database.
pub(crate) struct Sqlite {
    connection: Connection,
    faults: Faults,
}

impl Sqlite {
    pub(super) fn open(path: &Path, faults: Faults) -> Result<Self, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        faults.statement()?;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| cause("open", &error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| cause("open", &error))?;
        connection.set_prepared_statement_cache_capacity(128);
        let mut database = Self { connection, faults };
        // FULL: what was acknowledged is on the disk, also when the power fails. Checkpoints come
        // every 4,000 pages of the log, so that bulk work is not slowed by them.
        database.script(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; \
             PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;",
        )?;
        Ok(database)
    }

    pub(super) fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, DatabaseError> {
        self.faults.statement()?;
        let mut statement =
            self.connection.prepare_cached(sql).map_err(|error| cause(sql, &error))?;
        let touched =
            statement.execute(params_from_iter(values)).map_err(|error| cause(sql, &error))?;
        Ok(touched as u64)
    }

    pub(super) fn each(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        self.faults.statement()?;
        let mut statement =
            self.connection.prepare_cached(sql).map_err(|error| cause(sql, &error))?;
        let mut rows =
            statement.query(params_from_iter(values)).map_err(|error| cause(sql, &error))?;
        while let Some(row) = rows.next().map_err(|error| cause(sql, &error))? {
            take(&Row::Sqlite(row))?;
        }
        Ok(())
    }

    pub(super) fn script(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.faults.statement()?;
        self.connection.execute_batch(sql).map_err(|error| cause("script", &error))
    }

    pub(super) fn begin(&mut self) -> Result<(), DatabaseError> {
        // What a lost connection is to PostgreSQL, a forgotten transaction is here.
        self.roll_back()?;
        self.script("BEGIN IMMEDIATE")
    }

    pub(super) fn roll_back(&mut self) -> Result<(), DatabaseError> {
        self.faults.statement()?;
        if self.connection.is_autocommit() { Ok(()) } else { self.script("ROLLBACK") }
    }

    pub(super) fn commit(&mut self) -> Result<(), DatabaseError> {
        self.faults.before_commit()?;
        self.script("COMMIT")?;
        self.faults.after_commit()
    }
}

fn cause(statement: &'static str, error: &rusqlite::Error) -> DatabaseError {
    let message = error.to_string();
    let Some(code) = error.sqlite_error() else {
        return DatabaseError::Fault { statement, message };
    };
    match code.code {
        ErrorCode::ConstraintViolation => match code.extended_code {
            rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY => DatabaseError::Reference(message),
            rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE => DatabaseError::Duplicate(message),
            _ => DatabaseError::Fault { statement, message },
        },
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::OutOfMemory
        | ErrorCode::ReadOnly => DatabaseError::Busy(message),
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::PermissionDenied => {
            DatabaseError::Lost(message)
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => DatabaseError::Corrupt(message),
        _ => DatabaseError::Fault { statement, message },
    }
}
