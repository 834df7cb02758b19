//! What is kept besides configuration: registrations, call records, tokens, leases; and what is
//! thrown away in time.

use std::sync::mpsc::channel;
use std::time::Duration;

use jackfield_model::{Actor, Kind};
use jackfield_store::{BindingRow, RecordFilter, RecordRow};
use jackfield_vocabulary::{ObjectId, SecretText, UnixTime};
use serde_json::json;

use crate::world::{World, act, make, new_id, partition};

const LATER: UnixTime = UnixTime(4_000_000_000_000);

#[test]
fn registrations_survive_a_restart() {
    let world = World::new();
    let store = world.open();
    let row = |device, blob: Option<&[u8]>, expires| BindingRow {
        device: ObjectId(device),
        blob: blob.map(<[u8]>::to_vec),
        expires: UnixTime(expires),
        host: None,
        ports: Vec::new(),
        has_secret: false,
        shown: None,
    };
    let (send, receive) = channel();
    let save = |rows: Vec<BindingRow>| {
        let send = send.clone();
        let node = "node-1".into();
        store.handle().save_bindings(node, rows, move |result| send.send(result).unwrap());
        receive.recv().unwrap().unwrap();
    };
    save(vec![row(1, Some(b"one"), 2000), row(2, Some(b"two"), 2000), row(3, Some(b""), 900)]);
    save(vec![row(1, Some(b"ONE"), 3000), row(2, None, 0)]);
    drop(store);
    let store = world.open();
    let kept = |now| store.handle().bindings("node-1", UnixTime(now)).unwrap();
    let left = row(3, Some(b""), 900);
    assert_eq!(kept(1000), [row(1, Some(b"ONE"), 3000), left], "what is left of one that ended");
    assert_eq!(kept(1000 + 365 * 86_400_000), [row(1, Some(b"ONE"), 3000)], "for a year");
}

/// A phone that moves to another node is that node's: the one that it left neither takes it up at a
/// start nor forgets it for the other when its own registration there ends.
#[test]
fn a_registration_belongs_to_the_node_where_the_phone_registered_last() {
    let world = World::new();
    let store = world.open();
    let row = |blob: Option<&[u8]>| BindingRow {
        device: ObjectId(1),
        blob: blob.map(<[u8]>::to_vec),
        expires: UnixTime(2000),
        host: None,
        ports: Vec::new(),
        has_secret: false,
        shown: None,
    };
    let (send, receive) = channel();
    let save = |node: &str, blob: Option<&[u8]>| {
        let send = send.clone();
        let rows = vec![row(blob)];
        store.handle().save_bindings(node.into(), rows, move |done| send.send(done).unwrap());
        receive.recv().unwrap().unwrap();
    };
    let at = |node| store.handle().bindings(node, UnixTime(1000)).unwrap();
    save("node-1", Some(b"here"));
    assert_eq!((at("node-1").len(), at("node-2").len()), (1, 0));
    save("node-2", Some(b"there"));
    let place = |now| store.handle().registered_at(ObjectId(1), UnixTime(now)).unwrap();
    let registered = |now| store.handle().registered(UnixTime(now)).unwrap();
    assert_eq!((registered(1000), registered(3000)), (vec![ObjectId(1)], Vec::new()));
    assert_eq!((place(1000).as_deref(), place(3000)), (Some("node-2"), None));
    save("node-1", None);
    assert_eq!((at("node-1").len(), at("node-2")), (0, vec![row(Some(b"there"))]));
    let left = BindingRow { expires: UnixTime(0), ..row(Some(b"left")) };
    let end = |node: &str| {
        let (send, rows) = (send.clone(), vec![left.clone()]);
        store.handle().save_bindings(node.into(), rows, move |done| send.send(done).unwrap());
        receive.recv().unwrap().unwrap();
    };
    end("node-1");
    assert_eq!(at("node-2"), [row(Some(b"there"))], "what is left here says nothing of elsewhere");
    let elsewhere = |node| store.handle().was_elsewhere(ObjectId(1), node).unwrap();
    assert_eq!((elsewhere("node-1"), elsewhere("node-2")), (true, false));
    // Written before registrations had a node: they are the first node's that starts.
    world.sql("UPDATE binding SET node = ''");
    assert_eq!((at("node-1").len(), at("node-2").len()), (1, 0));
}

#[test]
fn call_records_are_found_by_time_and_number() {
    let world = World::new();
    let store = world.open();
    let record = |began, calling: &str, called: &str| RecordRow {
        id: 0,
        began: UnixTime(began),
        ended: UnixTime(began + 10),
        calling: calling.into(),
        called: called.into(),
        body: json!({ "cause": "normal", "at": began }),
    };
    let rows = vec![record(100, "1", "2"), record(200, "2", "3"), record(300, "3", "1")];
    let (send, receive) = channel();
    store.handle().append_records(rows, move |result| send.send(result).unwrap());
    receive.recv().unwrap().unwrap();
    let find = |filter: RecordFilter| {
        let found = store.handle().records(RecordFilter { limit: 10, ..filter }).unwrap();
        found.iter().map(|record| record.began.0).collect::<Vec<_>>()
    };
    assert_eq!(find(RecordFilter::default()), [300, 200, 100]);
    let number = Some("1".into());
    assert_eq!(find(RecordFilter { number, ..RecordFilter::default() }), [300, 100]);
    let (from, until) = (Some(UnixTime(200)), Some(UnixTime(300)));
    assert_eq!(find(RecordFilter { from, until, ..RecordFilter::default() }), [200]);
}

#[test]
fn a_token_is_good_until_it_ends_or_is_revoked() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let user = make(&handle, Kind::EndUser, json!({ "user_id": "jo" }));
    let token = handle.create_token(user, "laptop", LATER).unwrap();
    let found = handle.check_token(&token).unwrap().unwrap();
    assert_eq!((found.account, &*found.label, found.expires), (user, "laptop", LATER));
    assert_eq!(handle.tokens(user).unwrap(), [found]);
    assert_eq!(handle.check_token(&SecretText::new("jf_x")).unwrap(), None);
    let over = handle.create_token(user, "over", UnixTime(1)).unwrap();
    assert_eq!(handle.check_token(&over).unwrap(), None);
    assert!(handle.revoke_token(Actor::System, &token).unwrap());
    assert!(!handle.revoke_token(Actor::System, &token).unwrap());
    assert_eq!(handle.check_token(&token).unwrap(), None);
    let last = handle.create_token(user, "last", LATER).unwrap();
    assert_eq!(handle.revoke_tokens(Actor::System, user).unwrap(), 2);
    assert_eq!(handle.check_token(&last).unwrap(), None);
    drop(store);
    assert_eq!(world.text("SELECT hash FROM token"), None);
}

#[test]
fn a_lease_has_one_holder_and_counts_them() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let minute = Duration::from_secs(60);
    let first = handle.lease("ldap", "node-1", minute).unwrap();
    assert_eq!((&*first.holder, first.epoch), ("node-1", 1));
    assert_eq!(&*handle.lease("ldap", "node-2", minute).unwrap().holder, "node-1");
    assert_eq!(handle.lease("ldap", "node-1", minute).unwrap().epoch, 1);
    handle.release_lease("ldap", "node-1").unwrap();
    let second = handle.lease("ldap", "node-2", minute).unwrap();
    assert_eq!((&*second.holder, second.epoch), ("node-2", 2));
    let held = |prefix| {
        let leases = handle.leases(prefix).unwrap().into_iter();
        leases.map(|lease| (lease.name, lease.holder)).collect::<Vec<_>>()
    };
    assert_eq!(held("ld"), [("ldap".into(), "node-2".into())]);
    assert_eq!(held("x"), []);
    handle.release_lease("ldap", "node-1").unwrap();
    assert_eq!(held("").len(), 1, "who does not hold it can't release it");
    handle.release_lease("ldap", "node-2").unwrap();
    assert_eq!(held(""), []);
}

#[test]
fn a_lease_that_is_not_renewed_goes_to_the_next() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    let (short, minute) = (Duration::from_millis(300), Duration::from_secs(60));
    assert_eq!(&*one.handle().lease("ldap", "node-1", short).unwrap().holder, "node-1");
    let began = std::time::Instant::now();
    while &*other.handle().lease("ldap", "node-2", minute).unwrap().holder == "node-1" {
        assert!(began.elapsed() < Duration::from_secs(20), "it never ends");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(began.elapsed() > Duration::from_millis(200), "not before its end");
    assert_eq!(&*one.handle().lease("ldap", "node-1", minute).unwrap().holder, "node-2");
}

#[test]
fn what_is_old_is_thrown_away_and_the_change_log_counts_on() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let id = new_id();
    handle.execute(id, Actor::System, partition("A")).unwrap();
    let sequence = handle.directory().sequence();
    assert_eq!(handle.prune(UnixTime(0)).unwrap(), Default::default());
    let pruned = handle.prune(LATER).unwrap();
    assert_eq!(pruned.changes, sequence);
    assert!(pruned.others >= 1);
    drop(store);
    let store = world.open();
    assert_eq!(store.directory().sequence(), sequence);
    act(&store.handle(), partition("B")).unwrap();
    assert!(store.directory().sequence() > sequence);
}
