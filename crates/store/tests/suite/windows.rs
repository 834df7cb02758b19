//! Windows for phones' files, of which every node hears.

use std::time::Duration;

use jackfield_model::Network;
use jackfield_store::{FileWindow, Looked, StoreHandle, backup, restore};
use jackfield_vocabulary::{ObjectId, UnixTime};

use crate::world::World;

/// Long after the tests.
const LATER: UnixTime = UnixTime(4_000_000_000_000);

fn window(networks: &[&str], seconds: u64) -> FileWindow {
    let networks = networks.iter().map(|network| network.parse::<Network>().unwrap()).collect();
    FileWindow { networks, generation: 65_537, left: Duration::from_secs(seconds) }
}

fn since(store: &StoreHandle, looked: Looked) -> Vec<(Looked, Option<FileWindow>)> {
    store.windows_since(looked).unwrap()
}

#[test]
fn a_window_is_known_to_every_node_and_after_a_restart_for_what_is_left_of_it() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    handle.window_opened(ObjectId(7), window(&["192.0.2.7"], 60));
    handle.window_opened(ObjectId(7), window(&["192.0.2.0/24", "2001:db8::/48"], 600));
    handle.window_opened(ObjectId(8), window(&["192.0.2.8"], 0));
    // Another node, or the next life of this one.
    drop(store);
    let store = world.open();
    let found = since(&store.handle(), Looked::default());
    let of = |id| found.iter().find(|(at, _)| at.device == ObjectId(id)).unwrap().1.clone();
    let open = of(7).unwrap();
    assert_eq!(open.networks, window(&["192.0.2.0/24", "2001:db8::/48"], 0).networks);
    assert_eq!(open.generation, 65_537);
    assert!(open.left <= Duration::from_secs(600), "longer than it was opened for");
    assert!(open.left > Duration::from_secs(500));
    assert_eq!((found.len(), of(8)), (2, None), "its time was over");
}

#[test]
fn a_window_that_was_closed_is_told_of_once_and_thrown_away_later() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    (1..1602).for_each(|id| handle.window_opened(ObjectId(id), window(&["192.0.2.7"], 600)));
    let first = since(&handle, Looked::default());
    assert_eq!(first.len(), 1500);
    let second = since(&handle, first.last().unwrap().0);
    let last = second.last().unwrap().0;
    assert_eq!((second.len(), since(&handle, last)), (101, vec![]));
    world.sql("UPDATE file_window SET written = 1");
    handle.window_closed(ObjectId(7));
    handle.window_closed(ObjectId(5000));
    let news = Looked { written: UnixTime(1), device: ObjectId(u32::MAX) };
    let closed = since(&handle, news);
    assert_eq!((closed.len(), closed[0].0.device, &closed[0].1), (1, ObjectId(7), &None));
    // It is closed already: nothing to hear.
    world.sql("UPDATE file_window SET written = 1");
    handle.window_closed(ObjectId(7));
    assert_eq!(since(&handle, news), []);
    assert_eq!(handle.prune(UnixTime(0)).unwrap().others, 0);
    assert_eq!(handle.prune(LATER).unwrap().others, 1601);
}

#[test]
fn a_clock_that_is_turned_back_prolongs_no_window() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    handle.window_opened(ObjectId(7), window(&["192.0.2.7"], 60));
    since(&handle, Looked::default());
    world.sql("UPDATE file_window SET closes = closes + 86400000, written = written + 86400000");
    let found = since(&handle, Looked::default());
    let left = found[0].1.as_ref().unwrap().left.as_secs();
    assert!((50..=60).contains(&left), "{left}");
}

#[test]
fn a_backup_carries_no_window_over() {
    let world = World::new();
    let store = world.open();
    store.handle().window_opened(ObjectId(7), window(&["192.0.2.7"], 600));
    assert_eq!(since(&store.handle(), Looked::default()).len(), 1);
    let file = world.file("backup");
    backup(&world.settings, &file, None, &mut |_| {}).unwrap();
    let other = World::new();
    restore(&other.settings, &file, None, &mut |_| {}).unwrap();
    assert_eq!(since(&other.open().handle(), Looked::default()), []);
}
