//! Replays the fuzz corpus of file names, and seeded mutations of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test reads its corpus")]

mod common;
#[path = "../../../fuzz/src/replay.rs"]
#[allow(dead_code, reason = "other tests need all of it")]
mod replay;
#[path = "../../../fuzz/src/files.rs"]
#[allow(unreachable_pub, reason = "it is part of another crate")]
mod targets;

#[test]
fn file_names() {
    replay::replay("file_name", targets::file_name, 2000);
}
