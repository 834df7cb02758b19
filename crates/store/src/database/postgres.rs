use std::collections::HashMap;
use std::time::Duration;

use postgres::error::{DbError, SqlState};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use postgres::{Client, Config, NoTls, Statement};

use super::many::Column;
use super::{DatabaseError, Row, Value};

/// The lock that makes commits one queue; any number will do that nobody else takes.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(5211733041)";

/// How long to wait for the server at connecting, and for an answer that does not come.
const PATIENCE: Duration = Duration::from_secs(3);

/// A connection to a PostgreSQL server.
pub(crate) struct Postgres {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

impl Postgres {
    pub(super) fn open(url: &str) -> Result<Self, DatabaseError> {
        let mut config: Config =
            url.parse().map_err(|error: postgres::Error| DatabaseError::Fault {
                statement: "the address of the database",
                // The message may quote the address, which may hold a password.
                message: format!("is not understood ({})", kind(&error)),
            })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        config.tcp_user_timeout(PATIENCE * 2).keepalives_idle(PATIENCE);
        if config.get_application_name().is_none() {
            config.application_name("jackfield");
        }
        let client = config
            .connect(NoTls)
            .map_err(|error| DatabaseError::Lost(format!("connecting failed: {}", told(&error))))?;
        let mut database = Self { client, statements: HashMap::new() };
        // A commit is on the disk before it is acknowledged, whatever the server's default is.
        database.script(
            "SET synchronous_commit = on; SET lock_timeout = '5s'; \
             SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '30s'; \
             SET client_min_messages = warning; SET standard_conforming_strings = on",
        )?;
        Ok(database)
    }

    pub(super) fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, DatabaseError> {
        let statement = self.prepare(sql)?;
        let values: Vec<&(dyn ToSql + Sync)> =
            values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.client.execute(&statement, &values).map_err(|error| cause(sql, &error))
    }

    pub(super) fn execute_columns(
        &mut self,
        sql: &'static str,
        columns: &[Column<'_>],
    ) -> Result<u64, DatabaseError> {
        let statement = self.prepare(sql)?;
        let columns: Vec<&(dyn ToSql + Sync)> =
            columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
        self.client.execute(&statement, &columns).map_err(|error| cause(sql, &error))
    }

    pub(super) fn each_of(
        &mut self,
        sql: &'static str,
        ids: &[i64],
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let statement = self.prepare(sql)?;
        let mut rows =
            self.client.query_raw(&statement, [ids]).map_err(|error| cause(sql, &error))?;
        while let Some(row) = rows.next().map_err(|error| cause(sql, &error))? {
            take(&Row::Postgres(&row))?;
        }
        Ok(())
    }

    pub(super) fn each(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let statement = self.prepare(sql)?;
        let values = values.iter().map(|value| value as &(dyn ToSql + Sync));
        let mut rows =
            self.client.query_raw(&statement, values).map_err(|error| cause(sql, &error))?;
        while let Some(row) = rows.next().map_err(|error| cause(sql, &error))? {
            take(&Row::Postgres(&row))?;
        }
        Ok(())
    }

    pub(super) fn script(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.client.batch_execute(sql).map_err(|error| cause("script", &error))
    }

    pub(super) fn begin(&mut self) -> Result<(), DatabaseError> {
        self.script(BEGIN)
    }

    fn prepare(&mut self, sql: &'static str) -> Result<Statement, DatabaseError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&translate(sql)).map_err(|error| cause(sql, &error))?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// `?1` as PostgreSQL writes it. Question marks stand for nothing else in our statements.
fn translate(sql: &str) -> String {
    sql.replace('?', "$")
}

fn kind(error: &postgres::Error) -> &'static str {
    if error.is_closed() { "closed" } else { "configuration" }
}

fn cause(statement: &'static str, error: &postgres::Error) -> DatabaseError {
    let Some(answer) = error.as_db_error() else {
        // Not the server's word: the connection broke, or we encoded something wrongly.
        return if error.is_closed() || is_io(error) {
            DatabaseError::Lost(told(error))
        } else {
            DatabaseError::Fault { statement, message: told(error) }
        };
    };
    let message = words(answer);
    match *answer.code() {
        SqlState::FOREIGN_KEY_VIOLATION => DatabaseError::Reference(message),
        SqlState::UNIQUE_VIOLATION => DatabaseError::Duplicate(message),
        SqlState::LOCK_NOT_AVAILABLE
        | SqlState::DISK_FULL
        | SqlState::OUT_OF_MEMORY
        | SqlState::QUERY_CANCELED
        | SqlState::READ_ONLY_SQL_TRANSACTION
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::T_R_SERIALIZATION_FAILURE => DatabaseError::Busy(message),
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        | SqlState::IDLE_SESSION_TIMEOUT
        | SqlState::TOO_MANY_CONNECTIONS => DatabaseError::Lost(message),
        _ => DatabaseError::Fault { statement, message },
    }
}

/// The server's own words, which never have the password in them; else what stood in the way, as the
/// system says it.
fn told(error: &postgres::Error) -> String {
    use std::error::Error;
    if let Some(answer) = error.as_db_error() {
        return words(answer);
    }
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_told = inner.to_string();
        if !told.contains(&inner_told) {
            told = format!("{told}: {inner_told}");
        }
        source = inner.source();
    }
    told
}

/// The server's detail quotes values; the message does not.
fn words(answer: &DbError) -> String {
    format!("{} ({})", answer.message(), answer.code().code())
}

fn is_io(error: &postgres::Error) -> bool {
    use std::error::Error;
    let mut source = error.source();
    while let Some(inner) = source {
        if inner.is::<std::io::Error>() {
            return true;
        }
        source = inner.source();
    }
    false
}
