//! Where phones registered last at other nodes, and who of them has its secret: each node writes it down
//! with its registrations, and the others look. So a phone that comes to this one is given its file, and
//! nobody else is taken for it.

use std::sync::PoisonError;
use std::time::Duration;

use jackfield_engine::Input;
use jackfield_model::{Directory, Phone};
use jackfield_store::{Looked, Registration, StoreError, StoreHandle};
use jackfield_vocabulary::{ObjectId, UnixTime};

use super::clock::Clock;
use super::doors::FileAccess;
use super::lanes::Lanes;

/// How often a node looks: well within the time in which a phone turns to its next node.
const LOOK: Duration = Duration::from_secs(2);
/// How far back it looks again, in milliseconds: no transaction takes as long.
const BACK: u64 = 10_000;

/// Whom a node tells what it sees.
#[derive(Clone)]
pub(crate) struct Lookout {
    pub(crate) node: Box<str>,
    pub(crate) store: StoreHandle,
    pub(crate) access: FileAccess,
    pub(crate) lanes: Lanes,
    pub(crate) clock: Clock,
}

/// Looks as long as the node lives.
pub(crate) async fn follow(lookout: Lookout) {
    if !lookout.store.is_shared() {
        return; // There are no others.
    }
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut newest = UnixTime(0);
    loop {
        looks.tick().await;
        let lookout = lookout.clone();
        let looked = tokio::task::spawn_blocking(move || lookout.look(newest)).await;
        // A database that does not answer is asked again.
        if let Ok(Ok(found)) = looked {
            newest = found;
        }
    }
}

impl Lookout {
    /// Takes in what was written lately, and tells when the newest of it was. What is written is the truth,
    /// also of this node's own: so whatever is read in between, the last word stays.
    fn look(&self, newest: UnixTime) -> Result<UnixTime, StoreError> {
        let mut looked =
            Looked { written: UnixTime(newest.0.saturating_sub(BACK)), ..Looked::default() };
        loop {
            let found = self.store.written_since(looked)?;
            let before = newest.max(looked.written);
            let Some((last, _)) = found.last() else { return Ok(before) };
            looked = *last;
            let directory = self.store.directory();
            self.enter(&directory, &found);
            for (Looked { device, .. }, registration) in &found {
                if !self.tell(&directory, *device, registration) {
                    // The engine is too busy to hear all: it hears the rest, and this again, later.
                    return Ok(before);
                }
            }
        }
    }

    /// Enters from where phones are given their files.
    fn enter(&self, directory: &Directory, found: &[(Looked, Registration)]) {
        let mut table = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        for (Looked { device, .. }, registration) in found {
            if directory.entry(*device).is_none() {
                continue;
            }
            match (registration.shown, registration.host) {
                (Some(shown), _) => table.registered_before(*device, shown),
                (None, Some(host)) => table.seen(*device, host),
                (None, None) => {}
            }
        }
    }

    /// Tells the engine of a phone that may do without a secret what it can't know by itself; false if it
    /// can't hear it now.
    fn tell(&self, directory: &Directory, device: ObjectId, registration: &Registration) -> bool {
        let phone = directory.typed::<Phone>(device);
        if phone.is_none_or(|phone| !phone.auto_registered && registration.shown.is_some()) {
            return true;
        }
        let known = registration.elsewhere(&self.node, self.clock.now().wall);
        let news = known.host.is_some() || known.has_secret;
        !news || self.lanes.input(Input::Elsewhere { device, known: Some(known) }).is_ok()
    }
}
