//! What is kept: SQLite or PostgreSQL, change log, audit, secrets, attempts and call records.
