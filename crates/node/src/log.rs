//! The log on standard error: sentences with fields, as text or JSON. No secret reaches it: types
//! that hold one don't show it. A thread of its own writes it, so that nobody waits for a slow
//! terminal; when it is far behind, lines are lost rather than calls.

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// The variable that says what is to be logged.
const LEVEL: &str = "JACKFIELD_LOG";

/// How much is logged, from nothing to everything.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

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
    let wanted = std::env::var(LEVEL).unwrap_or_default();
    let (filter, wrong) = match filter(&wanted) {
        Ok(filter) => (filter, None),
        Err(wrong) => (EnvFilter::new("info"), Some(wrong)),
    };
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
    if let Some(wrong) = wrong {
        tracing::warn!(
            log.wanted = wanted,
            "{LEVEL} is not understood, and `info` is taken: {wrong}"
        );
    }
}

/// What is to be logged: a level, or directives such as `info,jackfield_engine=debug`. A word that is
/// no level names a module of which everything would be logged, and of all others nothing: here only
/// those of ours are meant.
fn filter(wanted: &str) -> Result<EnvFilter, String> {
    let wanted = wanted.trim();
    if wanted.is_empty() {
        return Ok(EnvFilter::new("info"));
    }
    for directive in wanted.split(',').map(str::trim) {
        let named = directive.contains(['=', '[', ':']) || directive.starts_with("jackfield");
        let level = LEVELS.iter().any(|level| level.eq_ignore_ascii_case(directive));
        if !named && !level {
            return Err(format!("`{directive}` is none of {}", LEVELS.join(", ")));
        }
    }
    EnvFilter::try_new(wanted).map_err(|error| error.to_string())
}

/// The process ends: what waits is written.
pub(crate) fn finish() {
    WRITER.lock().unwrap_or_else(PoisonError::into_inner).take();
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_level_that_there_is_not_is_no_silence() {
        for known in
            ["", " ", "debug", "WARN", "off", "info,jackfield_engine=debug", "jackfield_sip"]
        {
            assert!(filter(known).is_ok(), "{known}");
        }
        for wrong in ["blah", "debg", "info,verbose", "jackfield_engine=loud", "warn,", "5"] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }
}
