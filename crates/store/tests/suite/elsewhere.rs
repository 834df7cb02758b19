//! What nodes hear of each other's registrations.

use std::sync::mpsc::channel;

use jackfield_store::{BindingRow, Looked, Registration, StoreHandle};
use jackfield_vocabulary::{Elsewhere, ObjectId, SecretShown, UnixTime};

use crate::world::World;

/// Long after the tests; and long before.
const LATER: u64 = 4_000_000_000_000;
const BEFORE: u64 = 2000;

fn shown(last: u8, generation: u32) -> SecretShown {
    SecretShown { address: [192, 0, 2, last].into(), generation }
}

/// One that has shown no secret.
fn unproved(device: u32, last: u8, expires: u64) -> BindingRow {
    BindingRow {
        device: ObjectId(device),
        blob: Some(vec![last]),
        expires: UnixTime(expires),
        host: Some([192, 0, 2, last].into()),
        ports: Vec::new(),
        has_secret: false,
        shown: None,
    }
}

fn proved(device: u32, last: u8, expires: u64) -> BindingRow {
    let row = unproved(device, last, expires);
    BindingRow { has_secret: true, shown: Some(shown(last, 65_537)), ..row }
}

fn save(store: &StoreHandle, node: &str, rows: Vec<BindingRow>) {
    let (send, receive) = channel();
    store.save_bindings(node.into(), rows, move |done| send.send(done).unwrap());
    receive.recv().unwrap().unwrap();
}

fn look_for(store: &StoreHandle, device: u32) -> Option<Registration> {
    let (send, receive) = channel();
    store.look_for(ObjectId(device), move |found| send.send(found).unwrap());
    receive.recv().unwrap().unwrap()
}

/// Every node may know from where a phone registered last, wherever that was; each looks only at what is new.
#[test]
fn where_phones_registered_is_known_to_every_node() {
    let world = World::new();
    let store = world.open();
    let store = &store.handle();
    let since = |looked| store.written_since(looked).unwrap();
    save(store, "node-1", (1..1501).map(|device| proved(device, 1, BEFORE)).collect());
    save(store, "node-2", (1501..1601).map(|device| proved(device, 2, BEFORE)).collect());
    save(store, "node-2", vec![unproved(1601, 3, BEFORE)]);
    let first = since(Looked::default());
    assert_eq!(first.len(), 1500);
    assert!(first.iter().all(|(_, found)| found.shown == Some(shown(1, 65_537))));
    let second = since(first.last().unwrap().0);
    assert_eq!(second.len(), 101);
    let (last, newest) = second.last().unwrap().clone();
    assert_eq!((last.device, since(last)), (ObjectId(1601), vec![]));
    assert_eq!((newest.host, newest.shown), (Some([192, 0, 2, 3].into()), None));
    // It moves, and it leaves: the last word is where it was.
    save(store, "node-2", vec![proved(7, 7, BEFORE)]);
    save(store, "node-2", vec![proved(7, 7, 0)]);
    save(store, "node-1", vec![proved(7, 1, 0)]);
    let back = Looked { written: UnixTime(last.written.0 - 1), ..Looked::default() };
    let moved = since(back).into_iter().find(|(at, _)| at.device == ObjectId(7));
    assert_eq!(moved.and_then(|(_, found)| found.shown), Some(shown(7, 65_537)));
}

/// It is nobody's registration elsewhere that is over, or at the node that asks.
#[test]
fn a_node_is_told_of_registrations_that_go_on_at_others() {
    let world = World::new();
    let store = world.open();
    save(&store.handle(), "node-1", vec![unproved(1, 1, LATER)]);
    let found = look_for(&store.handle(), 1).unwrap();
    let told = |node, now| found.elsewhere(node, UnixTime(now));
    let there = Elsewhere { host: Some([192, 0, 2, 1].into()), has_secret: false };
    assert_eq!(told("node-2", BEFORE), there);
    assert_eq!(told("node-1", BEFORE), Elsewhere::default());
    assert_eq!(told("node-2", LATER), Elsewhere::default());
    assert_eq!(look_for(&store.handle(), 2), None);
}

/// Proves SP-43.e: without a secret until it has one, at whatever node.
#[test]
fn who_shows_no_secret_is_not_written_over_a_registration_elsewhere() {
    let world = World::new();
    let store = world.open();
    let store = &store.handle();
    let at = |device| {
        let found = look_for(store, device).unwrap();
        (found.node.into_string(), found.host.unwrap().to_string(), found.has_secret)
    };
    let place = |node: &str, last, secret| (node.to_owned(), format!("192.0.2.{last}"), secret);
    // Another host takes neither the one's place who showed none nor the one's who did.
    save(store, "node-1", vec![unproved(1, 1, LATER), proved(2, 1, LATER)]);
    let before = look_for(store, 1).unwrap();
    world.sql("UPDATE binding SET written = 1");
    let looked = Looked { written: UnixTime(1), device: ObjectId(u32::MAX) };
    save(store, "node-2", vec![unproved(1, 9, LATER), unproved(2, 9, LATER)]);
    assert_eq!((at(1), at(2)), (place("node-1", 1, false), place("node-1", 1, true)));
    let again = store.written_since(looked).unwrap();
    assert_eq!((again.len(), &again[0].1), (2, &before), "the node that did not get it hears so");
    // The phone itself, at its host, may turn to another node; what it showed stays known.
    save(store, "node-2", vec![unproved(1, 1, LATER), unproved(2, 1, LATER)]);
    assert_eq!((at(1), at(2)), (place("node-2", 1, false), place("node-2", 1, true)));
    assert_eq!(look_for(store, 2).unwrap().shown, Some(shown(1, 65_537)));
    // With its secret it goes wherever it likes, and without one its own node knows best.
    save(store, "node-1", vec![proved(1, 5, LATER)]);
    save(store, "node-2", vec![unproved(2, 8, LATER), unproved(4, 1, LATER)]);
    save(store, "node-2", vec![unproved(4, 8, LATER)]);
    assert_eq!((at(1), at(4)), (place("node-1", 5, true), place("node-2", 8, false)));
    // Not while one goes on from its host at a node whose row was written over.
    assert_eq!(at(2), place("node-2", 1, true));
    // When it is over anybody may come.
    save(store, "node-1", vec![unproved(3, 1, BEFORE)]);
    save(store, "node-2", vec![unproved(3, 9, LATER)]);
    assert_eq!(at(3), place("node-2", 9, false));
}

#[test]
fn that_a_secret_was_fetched_is_known_before_it_was_shown() {
    let world = World::new();
    let store = world.open();
    let store = &store.handle();
    save(store, "node-1", vec![unproved(1, 1, LATER)]);
    store.secret_given(ObjectId(1));
    // Where none is registered, it stays known when one is.
    store.secret_given(ObjectId(2));
    save(store, "node-1", vec![unproved(2, 1, LATER)]);
    let found = look_for(store, 1).unwrap();
    assert_eq!((&*found.node, found.has_secret, found.shown), ("node-1", true, None));
    assert!(look_for(store, 2).unwrap().has_secret);
    assert_eq!(store.bindings("node-1", UnixTime(BEFORE)).unwrap().len(), 2);
}

/// There is one row for a phone at two nodes; what ends at one of them goes on at the other.
#[test]
fn a_registration_that_was_written_over_is_not_over_when_the_other_one_is() {
    let world = World::new();
    let store = world.open();
    let store = &store.handle();
    let host = |node: &str, now| look_for(store, 1).unwrap().elsewhere(node, UnixTime(now)).host;
    let [first, other] = [1, 9].map(|last| Some([192, 0, 2, last].into()));
    save(store, "node-1", vec![unproved(1, 1, LATER)]);
    save(store, "node-2", vec![unproved(1, 1, LATER + 5)]);
    save(store, "node-2", vec![unproved(1, 1, 0)]);
    // Nobody from another host is believed, nor written over it, at whatever node.
    assert_eq!((host("node-2", LATER - 1), host("node-3", LATER - 1)), (first, first));
    save(store, "node-2", vec![unproved(1, 9, LATER)]);
    save(store, "node-3", vec![unproved(1, 9, LATER)]);
    assert_eq!(look_for(store, 1).unwrap().host, first);
    assert_eq!(host("node-2", LATER), None, "and then it is over");
    // It goes on and comes back, and ends where it began.
    save(store, "node-2", vec![unproved(1, 1, LATER + 7)]);
    save(store, "node-1", vec![unproved(1, 1, LATER + 1), unproved(1, 1, 0)]);
    assert_eq!((host("node-1", LATER + 6), host("node-1", LATER + 7)), (first, None));
    // With its secret it goes wherever it likes.
    save(store, "node-3", vec![proved(1, 9, LATER), proved(1, 9, 0)]);
    assert_eq!(look_for(store, 1).unwrap().host, other);
    assert_eq!(host("node-1", LATER - 1), None);
    // One of a short time that took its place leaves it as it was.
    save(store, "node-1", vec![unproved(2, 1, LATER)]);
    save(store, "node-2", vec![unproved(2, 1, BEFORE)]);
    save(store, "node-3", vec![unproved(2, 9, LATER)]);
    assert_eq!(look_for(store, 2).unwrap().host, first);
}

#[test]
fn whether_another_phone_is_at_an_address_is_known_to_every_node() {
    let world = World::new();
    let store = world.open();
    let store = &store.handle();
    let beside = |node: &str, last: u8, ports, device: Option<u32>, now| {
        let (send, receive) = channel();
        let (host, device) = ([192, 0, 2, last].into(), device.map(ObjectId));
        let done = move |found| send.send(found).unwrap();
        store.look_beside((host, ports), device, (node.into(), UnixTime(now)), done);
        receive.recv().unwrap().unwrap()
    };
    let row = BindingRow { ports: vec![5060, 31_000], ..proved(1, 1, LATER) };
    save(store, "node-1", vec![row, BindingRow { ports: vec![560], ..proved(2, 2, LATER) }]);
    let there = |ports| beside("node-2", 1, ports, None, BEFORE);
    assert!(there([5060, 5060]) && there([9, 31_000]) && there([31_000, 9]));
    assert!(!there([9, 31_00]) && !there([506, 60]) && !there([1000, 5061]));
    assert!(!beside("node-2", 2, [5060, 5060], None, BEFORE), "another host");
    assert!(!beside("node-2", 1, [5060, 5060], Some(1), BEFORE), "the phone itself");
    assert!(beside("node-2", 1, [5060, 5060], Some(2), BEFORE));
    assert!(!beside("node-1", 1, [5060, 5060], None, BEFORE), "its own node knows by itself");
    assert!(!beside("node-2", 1, [5060, 5060], None, LATER), "it is over");
    // Written by a node that did not tell the ports.
    save(store, "node-1", vec![proved(3, 3, LATER)]);
    assert!(beside("node-2", 3, [9, 9], None, BEFORE));
    // It turned to another node, and left that one.
    save(store, "node-2", vec![BindingRow { ports: vec![5060], ..proved(2, 2, LATER) }]);
    save(store, "node-2", vec![proved(2, 2, 0)]);
    assert!(beside("node-2", 2, [5060, 5060], None, BEFORE));
}
