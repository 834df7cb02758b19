//! From where phones registered last at other nodes, so that a phone that comes to this one is given its
//! file: each node writes it down with its registrations, and the others look.

use std::sync::PoisonError;
use std::time::Duration;

use jackfield_store::{Looked, StoreError, StoreHandle};
use jackfield_vocabulary::UnixTime;

use super::doors::FileAccess;

/// How often a node looks: well within the time in which a phone turns to its next node.
const LOOK: Duration = Duration::from_secs(2);
/// How far back it looks again, in milliseconds: no transaction takes as long.
const BACK: u64 = 10_000;

/// Looks as long as the node lives.
pub(crate) async fn follow(store: StoreHandle, access: FileAccess) {
    if !store.is_shared() {
        return; // There are no others.
    }
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut newest = UnixTime(0);
    loop {
        looks.tick().await;
        let (store, access) = (store.clone(), access.clone());
        let looked = tokio::task::spawn_blocking(move || look(&store, &access, newest)).await;
        // A database that does not answer is asked again.
        if let Ok(Ok(found)) = looked {
            newest = found;
        }
    }
}

/// Takes in what was written lately, and tells when the newest of it was. What is written is the truth,
/// also of this node's own: so whatever is read in between, the last word stays.
fn look(
    store: &StoreHandle,
    access: &FileAccess,
    newest: UnixTime,
) -> Result<UnixTime, StoreError> {
    let mut looked =
        Looked { written: UnixTime(newest.0.saturating_sub(BACK)), ..Looked::default() };
    loop {
        let found = store.shown_since(looked)?;
        let Some((last, _)) = found.last() else { return Ok(newest.max(looked.written)) };
        looked = *last;
        let directory = store.directory();
        let mut table = access.lock().unwrap_or_else(PoisonError::into_inner);
        for (Looked { device, .. }, shown) in found {
            if directory.entry(device).is_some() {
                table.registered_before(device, shown);
            }
        }
    }
}
