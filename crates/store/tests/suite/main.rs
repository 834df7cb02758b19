//! One suite for both databases: SQLite in a temporary folder, or, when `JACKFIELD_TEST_POSTGRES`
//! holds the address of a server, a new database on it for each test (`tests/with-postgres.sh`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod administrators;
mod backups;
mod commits;
mod crashes;
mod credentials;
mod elsewhere;
mod lost_database;
mod nodes;
mod proxy;
mod rows;
mod storms;
mod windows;
mod world;
