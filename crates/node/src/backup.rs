//! Backup and restore: everything the server keeps in one file.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use jackfield_store::{backup, restore as read_back};
use jackfield_vocabulary::SecretText;

use crate::say::{self, say};
use crate::server::DatabaseChoice;

/// What the file is, for the help.
pub(crate) const EXPLAINED: &str = "\
The file holds every table, checksummed, and the key that its secrets are wrapped with: whoever has \
the file has the secrets, unless a passphrase protects the key. It fits the built-in database and \
PostgreSQL alike, so that it also moves a server from one to the other. A running server may be \
backed up; restoring needs an empty database and a stopped server.";

/// Writes a backup.
pub(crate) fn back_up(place: &DatabaseChoice, to: &Path, passphrase: Option<String>) -> Result<()> {
    let passphrase = passphrase.map(SecretText::new);
    let settings = place.settings();
    let summary = backup(&settings, to, passphrase.as_ref(), &mut progress("written"))
        .with_context(|| format!("backing up to {}", to.display()))?;
    say!("\rbacked up {} rows to {}", summary.rows, to.display());
    if !summary.protected {
        say!("The key is in it, unprotected: keep the file as you would keep a password.");
    }
    Ok(())
}

/// Reads a backup back.
pub(crate) fn restore(
    place: &DatabaseChoice,
    from: &Path,
    passphrase: Option<String>,
) -> Result<()> {
    let passphrase = passphrase.map(SecretText::new);
    let settings = place.settings();
    let summary = read_back(&settings, from, passphrase.as_ref(), &mut progress("read"))
        .with_context(|| format!("restoring from {}", from.display()))?;
    say!("\rrestored {} rows from {}", summary.rows, from.display());
    say!(
        "Phones show as registered, and can be called, once they register here: by themselves when \
         their registration is due (registration_seconds), or at once when they are switched off and on."
    );
    Ok(())
}

/// Shows progress where a person looks.
fn progress(done: &'static str) -> impl FnMut(u64) {
    let shown = std::io::stdout().is_terminal();
    move |rows| {
        if shown {
            say::put(format_args!("\r{rows} rows {done}"));
            let _ = std::io::stdout().flush();
        }
    }
}
