//! What the program says on standard output and standard error. Whoever reads it may leave at any
//! time (`jackfield list phone | head`): then nothing more is said, and what was begun is still
//! done. Anything else that keeps words from being written, such as a full disk, is told at the end.

use core::fmt::Arguments;
use std::io::{self, ErrorKind, Write, stderr, stdout};
use std::sync::OnceLock;

/// Says a line.
macro_rules! say {
    ($($words:tt)*) => { $crate::say::put(format_args!("{}\n", format_args!($($words)*))) };
}
pub(crate) use say;

/// Why standard output could not be written, the first time.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// Says this, as it is.
pub(crate) fn put(words: Arguments<'_>) {
    if FAILURE.get().is_none()
        && let Err(error) = stdout().lock().write_fmt(words)
    {
        // The first one is kept.
        let _ = FAILURE.set(error);
    }
}

/// Says this on standard error, as it is. When nobody reads that either, nobody can be told.
pub(crate) fn aside(words: Arguments<'_>) {
    let _ = stderr().lock().write_fmt(words);
}

/// Everything was said, or nobody wanted to hear it.
pub(crate) fn finish() -> io::Result<()> {
    let flushed = stdout().flush();
    let outcome = match FAILURE.get() {
        Some(error) => Err(io::Error::new(error.kind(), error.to_string())),
        None => flushed,
    };
    outcome.or_else(|error| if is_left(&error) { Ok(()) } else { Err(error) })
}

/// The reader has left.
pub(crate) fn is_left(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}
