//! One suite for both databases: SQLite in a temporary folder, or, when `JACKFIELD_TEST_POSTGRES`
//! holds the address of a server, a new database on it for each test (`tests/with-postgres.sh`).

mod commits;
mod world;
