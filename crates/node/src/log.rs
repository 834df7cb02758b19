//! The log on standard error: sentences with fields, as text or JSON. No secret reaches it: types
//! that hold one don't show it. A thread of its own writes it, so that nobody waits for a slow
//! terminal; when it is far behind, lines are lost rather than calls.

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Writes what waits when it is dropped.
static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// Lines that may wait to be written.
const WAITING: usize = 16_384;

/// The database's client would write the values of its statements, hashes among them.
const QUIET: [&str; 2] = ["tokio_postgres=info", "postgres=info"];

/// Starts the log; a second start changes nothing.
pub(crate) fn start(json: bool) {
    let mut kept = WRITER.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.is_some() {
        return;
    }
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING)
        .thread_name("log")
        .finish(stderr());
    let filter =
        EnvFilter::try_from_env("JACKFIELD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let filter =
        QUIET.iter().filter_map(|one| one.parse().ok()).fold(filter, EnvFilter::add_directive);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(stderr().is_terminal())
        .with_writer(writer);
    let started = if json { builder.json().try_init() } else { builder.try_init() };
    if started.is_ok() {
        *kept = Some(guard);
    }
}

/// The process ends: what waits is written.
pub(crate) fn finish() {
    WRITER.lock().unwrap_or_else(PoisonError::into_inner).take();
}
