//! Where phones registered last at other nodes, and who of them has its secret: each node writes it down
//! with its registrations, and the others look. So a phone that comes to this one is given its file, and
//! nobody else is taken for it.

use std::sync::PoisonError;
use std::time::Duration;

use jackfield_engine::Input;
use jackfield_model::Directory;
use jackfield_store::{Looked, Registration, StoreError, StoreHandle};
use jackfield_vocabulary::{ObjectId, UnixTime};

use super::clock::Clock;
use super::doors::FileAccess;
use super::lanes::Lanes;

/// How often a node looks: well within the time in which a phone turns to its next node.
const LOOK: Duration = Duration::from_secs(2);
/// How far back it looks again, in milliseconds: no transaction takes as long.
const BACK: u64 = 10_000;

/// Where the next look begins when what was written at `newest` is known.
pub(super) fn back(newest: UnixTime) -> Looked {
    Looked { written: UnixTime(newest.0.saturating_sub(BACK)), ..Looked::default() }
}

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
        let mut looked = back(newest);
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
        if !directory.needs_no_secret(device) {
            return true;
        }
        let known = registration.elsewhere(&self.node, self.clock.now().wall);
        let news = known.host.is_some() || known.has_secret;
        !news || self.lanes.input(Input::Elsewhere { device, known: Some(known) }).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use jackfield_model::{Actor, FirstStart, Kind, Operation, Outcome};
    use jackfield_store::{BindingRow, Store, StoreSettings};
    use jackfield_vocabulary::{Elsewhere, SecretShown};
    use mio::{Poll, Token, Waker};
    use serde_json::{Value, json};

    use super::*;
    use crate::server::lanes::{Arrivals, Order};

    /// After every test.
    const LATER: UnixTime = UnixTime(4_000_000_000_000);

    fn create(store: &StoreHandle, kind: Kind, body: Value) -> ObjectId {
        let id = StoreHandle::operation_id().unwrap();
        match store.execute(id, Actor::System, Operation::Create { kind, body }).unwrap() {
            Outcome::Saved(saved) => saved[0].0,
            other => panic!("{other:?}"),
        }
    }

    /// A phone whose security profile asks for its secret, and one whose does not.
    fn phones(store: &StoreHandle) -> [ObjectId; 2] {
        let first = FirstStart {
            node: "node1".into(),
            address: "192.0.2.10".into(),
            locale: "en_US".into(),
            time_zone: "Etc/UTC".into(),
        };
        let id = StoreHandle::operation_id().unwrap();
        store.execute(id, Actor::System, Operation::FirstStart(first)).unwrap();
        let open = json!({ "name": "Open", "transport": "udp", "digest": false });
        create(store, Kind::SecurityProfile, open);
        [("SEP001122AABB01", "Non-secure UDP"), ("SEP001122AABB02", "Open")].map(
            |(name, profile)| {
                let body = json!({
                    "name": name, "model": "Generic SIP phone", "device_pool": "Default",
                    "security_profile": profile, "sip_profile": "Default",
                });
                create(store, Kind::Phone, body)
            },
        )
    }

    fn registers(store: &StoreHandle, device: ObjectId, last: u8, shows: bool) {
        let address = [192, 0, 2, last].into();
        let row = BindingRow {
            device,
            blob: Some(Vec::new()),
            expires: LATER,
            host: Some(address),
            ports: vec![5060],
            has_secret: shows,
            shown: shows.then_some(SecretShown { address, generation: 0 }),
        };
        let (send, receive) = channel();
        store.save_bindings("node2".into(), vec![row], move |done| send.send(done).unwrap());
        receive.recv().unwrap().unwrap();
    }

    /// What the engine was told.
    fn told(arrivals: &mut Arrivals) -> Vec<(ObjectId, Option<Elsewhere>)> {
        let orders = core::iter::from_fn(|| arrivals.urgent.try_recv().ok());
        let inputs = orders.filter_map(|order| match order {
            Order::Input(Input::Elsewhere { device, known }) => Some((device, known)),
            _ => None,
        });
        inputs.collect()
    }

    #[tokio::test]
    async fn the_engine_hears_of_phones_that_may_do_without_a_secret_and_the_files_of_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreSettings::in_folder(folder.path()), |_, _| {}).unwrap();
        let store = store.handle();
        let [asked, open] = phones(&store);
        let poll = Poll::new().unwrap();
        let (lanes, mut arrivals) = Lanes::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let (access, clock) = (FileAccess::default(), Clock::start());
        let (node, lookout_lanes) = ("node1".into(), lanes.clone());
        let lookout = Lookout { node, store: store.clone(), access, lanes: lookout_lanes, clock };
        registers(&store, asked, 1, true);
        registers(&store, open, 2, false);
        // An engine that can't hear it now hears it later.
        while lanes.input(Input::Timeout).is_ok() {}
        assert_eq!(lookout.look(UnixTime(0)).unwrap(), UnixTime(0));
        assert!(told(&mut arrivals).is_empty());
        let newest = lookout.look(UnixTime(0)).unwrap();
        assert!(newest > UnixTime(0));
        let there = Elsewhere { host: Some([192, 0, 2, 2].into()), has_secret: false };
        assert_eq!(told(&mut arrivals), [(open, Some(there))]);
        let whereabouts = |device| {
            let table = lookout.access.lock().unwrap();
            let networks = table.whereabouts(&store.directory(), "node1", device);
            networks.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            (whereabouts(asked), whereabouts(open)),
            (vec!["192.0.2.1".into()], vec!["192.0.2.2".into()])
        );
        // Where it showed its secret last counts for more than where it shows none.
        registers(&store, open, 3, true);
        registers(&store, open, 4, false);
        lookout.look(newest).unwrap();
        assert_eq!(whereabouts(open), ["192.0.2.3"]);
    }
}
