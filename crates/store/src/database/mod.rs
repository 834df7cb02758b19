//! One thin surface over the two databases: a statement with `?1` parameters, a few types of
//! values, transactions and savepoints. All SQL of the house is written once, against this.

mod fault;
mod listen;
mod many;
mod migration;
mod postgres;
mod row;
mod sqlite;
mod value;

use std::path::Path;

pub use fault::Faults;
pub(crate) use listen::listen;
pub(crate) use many::Many;
pub(crate) use migration::{SCHEMA, migrate};
pub(crate) use row::Row;
pub(crate) use value::Value;

use self::many::Column;
use self::postgres::Postgres;
use self::sqlite::Sqlite;

/// An open connection.
pub(crate) enum Database {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

/// Why a statement failed, by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// The connection is gone, or the file can't be reached: try again later.
    #[error("the database can't be reached: {0}")]
    Lost(String),
    /// Somebody else holds it, or it is full: nothing was done, the connection is good.
    #[error("the database can't write now: {0}")]
    Busy(String),
    /// A reference to something that is not there, or that still is.
    #[error("a reference is broken: {0}")]
    Reference(String),
    /// A key is there already.
    #[error("a key is there already: {0}")]
    Duplicate(String),
    /// What was read is not what was written.
    #[error("the database holds what it should not: {0}")]
    Corrupt(String),
    /// Anything else, a fault of ours.
    #[error("{statement}: {message}")]
    Fault { statement: &'static str, message: String },
}

impl Database {
    /// Opens the file, making it when it is not there.
    pub(crate) fn open_sqlite(path: &Path, faults: Faults) -> Result<Self, DatabaseError> {
        Sqlite::open(path, faults).map(Self::Sqlite)
    }

    /// Connects to a PostgreSQL server.
    pub(crate) fn open_postgres(url: &str) -> Result<Self, DatabaseError> {
        Postgres::open(url).map(|database| Self::Postgres(Box::new(database)))
    }

    /// Runs a statement and tells how many rows it touched.
    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, DatabaseError> {
        match self {
            Self::Sqlite(database) => database.execute(sql, values),
            Self::Postgres(database) => database.execute(sql, values),
        }
    }

    /// Writes many rows, and tells how many were written.
    pub(crate) fn insert(
        &mut self,
        many: &'static Many,
        rows: &[Vec<Value<'_>>],
    ) -> Result<u64, DatabaseError> {
        if rows.is_empty() {
            return Ok(0);
        }
        match self {
            Self::Sqlite(database) => {
                let mut written = 0;
                for row in rows {
                    written += database.execute(many.one, row)?;
                }
                Ok(written)
            }
            Self::Postgres(database) => {
                let columns: Vec<_> =
                    (0..many.columns.len()).map(|at| Column::new(rows, at)).collect();
                database.execute_columns(many.all, &columns)
            }
        }
    }

    /// Runs a query for each of `ids`, which must be its only parameter, and gives the rows found
    /// to `take`; `all` is the same query with `= ANY(?1)`.
    pub(crate) fn each_of(
        &mut self,
        one: &'static str,
        all: &'static str,
        ids: &[i64],
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        if ids.is_empty() {
            return Ok(());
        }
        match self {
            Self::Sqlite(database) => {
                ids.iter().try_for_each(|id| database.each(one, &[Value::Int(*id)], take))
            }
            Self::Postgres(database) => database.each_of(all, ids, take),
        }
    }

    /// Runs a query and gives each row to `take`.
    pub(crate) fn each(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(database) => database.each(sql, values, take),
            Self::Postgres(database) => database.each(sql, values, take),
        }
    }

    /// Runs a query and collects what `take` makes of its rows.
    pub(crate) fn rows<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, DatabaseError> {
        let mut rows = Vec::new();
        self.each(sql, values, &mut |row| {
            rows.push(take(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs a query of which at most one row is wanted.
    pub(crate) fn row<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        take: impl FnMut(&Row<'_>) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, DatabaseError> {
        self.rows(sql, values, take).map(|rows| rows.into_iter().next())
    }

    /// Runs statements separated by semicolons, as a migration has them.
    pub(crate) fn script(&mut self, sql: &str) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(database) => database.script(sql),
            Self::Postgres(database) => database.script(sql),
        }
    }

    /// Begins a transaction that no other writer's overlaps: writers wait for each other, so the
    /// order of commits is the order of the change log.
    pub(crate) fn begin(&mut self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(database) => database.begin(),
            Self::Postgres(database) => database.begin(),
        }
    }

    /// Begins a look at everything as it stands now, which no writer waits for.
    pub(crate) fn begin_snapshot(&mut self) -> Result<(), DatabaseError> {
        self.script(match self {
            Self::Sqlite(_) => "BEGIN DEFERRED",
            Self::Postgres(_) => {
                "SET statement_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            }
        })
    }

    /// Commits. When the connection is lost in it, whether it was done is not known.
    pub(crate) fn commit(&mut self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(database) => database.commit(),
            Self::Postgres(database) => database.script("COMMIT"),
        }
    }

    /// Forgets the transaction, when there is one.
    pub(crate) fn roll_back(&mut self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(database) => database.roll_back(),
            Self::Postgres(database) => database.script("ROLLBACK"),
        }
    }

    /// Runs `work` so that it leaves nothing behind when it fails.
    pub(crate) fn savepoint<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.script("SAVEPOINT step")?;
        match work(self) {
            Ok(done) => {
                self.script("RELEASE SAVEPOINT step")?;
                Ok(done)
            }
            Err(error) => {
                self.script("ROLLBACK TO SAVEPOINT step; RELEASE SAVEPOINT step")?;
                Err(error)
            }
        }
    }

    /// Runs `work` in a transaction of its own; for starts, backups and restores.
    pub(crate) fn transaction<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin()?;
        match work(self) {
            Ok(done) => {
                self.commit()?;
                Ok(done)
            }
            Err(error) => {
                self.roll_back()?;
                Err(error)
            }
        }
    }

    /// It is PostgreSQL, which other nodes may share.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Tells other nodes that there is something new.
    pub(crate) fn notify(&mut self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(database) => database.script("NOTIFY jackfield_change"),
        }
    }
}

/// Reads a number that the database keeps as 64 bits into the width that it has with us.
pub(crate) fn narrow<T: TryFrom<i64>>(number: i64) -> Result<T, DatabaseError> {
    T::try_from(number).map_err(|_| DatabaseError::Corrupt(format!("{number} is out of range")))
}

/// Writes a number of ours as the 64 bits that the database keeps.
pub(crate) fn widen(number: u64) -> Value<'static> {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
