//! The log on standard error: sentences with fields, as text or JSON. No secret reaches it: types
//! that hold one don't show it.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts the log; a second start changes nothing.
pub(crate) fn start(json: bool) {
    let filter =
        EnvFilter::try_from_env("JACKFIELD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    let started = if json { builder.json().try_init() } else { builder.try_init() };
    // Already started, as in a test.
    drop(started);
}
