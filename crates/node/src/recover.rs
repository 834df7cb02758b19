//! The way back in for whoever has the machine: an account that administers, with a one-time
//! password. It works on the database itself, whether the server runs or not.

use anyhow::{Result, bail};
use jackfield_model::{Actor, Operation};
use jackfield_store::{Store, StoreHandle};
use serde_json::json;

use crate::say::say;
use crate::server::DatabaseChoice;

/// What it does, for the help.
pub(crate) const EXPLAINED: &str = "\
Run it on the node's machine, as the user whose files the data folder holds; the server may run or \
not. The account is switched on and unlocked, who was signed in with it is signed out, and the audit \
says who did it.\n\nExample: jackfield recover admin --data /var/lib/jackfield";

/// Gives the account back and prints its one-time password.
pub(crate) fn recover(place: &DatabaseChoice, user_id: &str, administrator: bool) -> Result<()> {
    let store = Store::open(&place.settings().existing(), |_, _| {})?;
    let handle = store.handle();
    if !administrator {
        check(&handle, user_id)?;
    }
    let password = handle.recover(user_id, &who())?;
    say!("{user_id} is switched on, unlocked, and may administer.");
    say!("one-time password: {}", password.reveal());
    say!("next: jackfield login {user_id}, then jackfield password {user_id}");
    Ok(())
}

/// Unlocks an account, whoever has the machine.
pub(crate) fn unlock(place: &DatabaseChoice, user_id: &str) -> Result<()> {
    let store = Store::open(&place.settings().existing(), |_, _| {})?;
    let handle = store.handle();
    let Some(owner) = handle.directory().account(user_id) else {
        bail!("there is no account {user_id} in this database");
    };
    let operation = Operation::Unlock { owner };
    handle.execute(StoreHandle::operation_id()?, Actor::System, operation)?;
    handle.note(Actor::System, "unlock", Some(owner), json!({ "by": who() }))?;
    say!("{user_id} is unlocked, from wherever it was locked.");
    Ok(())
}

/// Makes nobody an administrator who was none without being told so.
fn check(store: &StoreHandle, user_id: &str) -> Result<()> {
    let directory = store.directory();
    if directory.is_empty() {
        bail!("there is no system in this database: name its folder with --data");
    }
    let Some(account) = directory.account(user_id) else {
        let known: Vec<_> =
            directory.administrators().filter_map(|one| directory.label(one)).collect();
        bail!(
            "there is no account {user_id}; those that administer: {}. To make a new one, add \
             --administrator",
            if known.is_empty() { "none".into() } else { known.join(", ") }
        );
    };
    if !directory.may_administer(account) {
        bail!("{user_id} is no administrator; to make it one, add --administrator");
    }
    Ok(())
}

/// The user of the machine who asks, for the audit.
fn who() -> String {
    // SAFETY: it only reads a number of the process.
    let uid = unsafe { libc::getuid() };
    match std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")) {
        Ok(name) => format!("uid {uid} ({name}) on the machine"),
        Err(_) => format!("uid {uid} on the machine"),
    }
}
