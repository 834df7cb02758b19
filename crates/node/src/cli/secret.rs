//! Secrets that people type: never an argument, and not seen on the screen.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result};

use crate::say::{self, say};

/// Reads a secret without echo from a terminal, else one line of standard input.
pub(crate) fn read_secret(prompt: &str) -> Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        say::put(format_args!("{prompt}"));
        // Where it is not seen it is known all the same.
        let _ = std::io::stdout().flush();
    }
    let echo = Echo::off(stdin.is_terminal());
    let mut line = String::new();
    stdin.lock().read_line(&mut line).context("reading the secret")?;
    drop(echo);
    if stdin.is_terminal() {
        say!("");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Switches the terminal's echo off, and on again when dropped.
struct Echo(Option<libc::termios>);

impl Echo {
    fn off(is_terminal: bool) -> Self {
        if !is_terminal {
            return Self(None);
        }
        // SAFETY: plain C structs, and a descriptor that is open.
        unsafe {
            let mut before: libc::termios = core::mem::zeroed();
            if libc::tcgetattr(libc::STDIN_FILENO, &mut before) != 0 {
                return Self(None);
            }
            let mut silent = before;
            silent.c_lflag &= !libc::ECHO;
            libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, &silent);
            Self(Some(before))
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // SAFETY: as above.
            unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, before) };
        }
    }
}
