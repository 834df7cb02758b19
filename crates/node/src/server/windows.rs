//! The windows in which phones may fetch their files: whichever node opens or closes one writes it down, and
//! all of them look, at their start and, where there are others, as long as they live.

use std::sync::PoisonError;
use std::time::Duration;

use jackfield_store::{FileWindow, Looked, StoreError, StoreHandle};
use jackfield_vocabulary::UnixTime;

use super::clock::Clock;
use super::doors::FileAccess;
use super::elsewhere::back;

/// How often a node looks: a phone that was told to restart takes longer to come for its file.
const LOOK: Duration = Duration::from_secs(1);

/// Looks as long as the node lives.
pub(crate) async fn follow(store: StoreHandle, access: FileAccess, clock: Clock) {
    if !store.is_shared() {
        return; // There are no others.
    }
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut newest = UnixTime(0);
    loop {
        looks.tick().await;
        let (store, access) = (store.clone(), access.clone());
        let heard = tokio::task::spawn_blocking(move || hear(&store, &access, clock, newest)).await;
        // A database that does not answer is asked again.
        if let Ok(Ok(found)) = heard {
            newest = found;
        }
    }
}

/// Takes in the windows that were opened or closed lately, and tells when the newest of it was written. What
/// is written is the truth, also of this node's own, unless it did something to one meanwhile: then it
/// looks again, later.
pub(crate) fn hear(
    store: &StoreHandle,
    access: &FileAccess,
    clock: Clock,
    newest: UnixTime,
) -> Result<UnixTime, StoreError> {
    let table = || access.lock().unwrap_or_else(PoisonError::into_inner);
    let mut looked = back(newest);
    loop {
        // From before the reading, so that none stays open for longer than at the node that opened it.
        let (changes, now) = (table().changes(), clock.now());
        let found = store.windows_since(looked)?;
        let before = newest.max(looked.written);
        let Some((last, _)) = found.last() else { return Ok(before) };
        let mut table = table();
        if table.changes() != changes {
            return Ok(before);
        }
        looked = *last;
        let directory = store.directory();
        for (Looked { device, .. }, window) in found {
            match window {
                Some(FileWindow { networks, generation, left })
                    if directory.entry(device).is_some() =>
                {
                    table.hear_open(device, networks, generation, left, now);
                }
                _ => drop(table.hear_closed(device)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use jackfield_model::{Actor, Kind, Operation, Outcome};
    use jackfield_store::{Store, StoreSettings};
    use jackfield_vocabulary::{ObjectId, SecretShown};
    use serde_json::json;

    use super::*;

    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

    struct Node {
        store: StoreHandle,
        access: FileAccess,
        clock: Clock,
    }

    impl Node {
        fn start(store: &StoreHandle) -> Self {
            let (access, clock) = (FileAccess::default(), Clock::start());
            let node = Self { store: store.clone(), access, clock };
            node.looks(UnixTime(0));
            node
        }

        fn looks(&self, newest: UnixTime) -> UnixTime {
            hear(&self.store, &self.access, self.clock, newest).unwrap()
        }

        fn opens(&self, device: ObjectId, minutes: u64) {
            let (mut table, now) = (self.access.lock().unwrap(), self.clock.now());
            let (networks, length) = ([THERE.into()].into(), Duration::from_secs(60 * minutes));
            let store = &self.store;
            jackfield_web::open_window(store, &mut table, device, networks, 0, length, now);
        }

        /// The window's minutes that are not over.
        fn open(&self, device: ObjectId) -> Option<u64> {
            let (table, now) = (self.access.lock().unwrap(), self.clock.now());
            let (_, left) = table.window(&self.store.directory(), device, now)?;
            Some(left.as_secs().div_ceil(60))
        }
    }

    /// Something of which there may be a window.
    fn device(store: &StoreHandle, name: &str) -> ObjectId {
        let operation = Operation::Create { kind: Kind::Partition, body: json!({ "name": name }) };
        let id = StoreHandle::operation_id().unwrap();
        match store.execute(id, Actor::System, operation).unwrap() {
            Outcome::Saved(saved) => saved[0].0,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_window_is_open_at_every_node_and_after_a_restart_until_one_closes_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreSettings::in_folder(folder.path()), |_, _| {}).unwrap();
        let store = store.handle();
        let (phone, other) = (device(&store, "phone"), device(&store, "other"));
        let (one, two) = (Node::start(&store), Node::start(&store));
        one.opens(phone, 10);
        one.opens(other, 30);
        one.opens(ObjectId(9999), 10);
        let newest = two.looks(UnixTime(0));
        assert_eq!(
            (one.open(phone), two.open(phone), two.open(other)),
            (Some(10), Some(10), Some(30))
        );
        assert_eq!(two.open(ObjectId(9999)), None, "there is no such device");
        // The phone shows its secret at the other node.
        let shown = SecretShown { address: THERE, generation: 0 };
        assert!(two.access.lock().unwrap().registered(phone, shown));
        store.window_closed(phone);
        one.looks(newest);
        assert_eq!((one.open(phone), one.open(other)), (None, Some(30)));
        // An administrator opens one there, and closes it here.
        two.opens(phone, 5);
        one.looks(newest);
        assert_eq!(one.open(phone), Some(5));
        assert!(one.access.lock().unwrap().close(phone));
        store.window_closed(phone);
        two.looks(newest);
        assert_eq!((two.open(phone), two.open(other)), (None, Some(30)));
        // A node that starts finds what is open yet.
        let later = Node::start(&store);
        assert_eq!((later.open(phone), later.open(other)), (None, Some(30)));
    }
}
