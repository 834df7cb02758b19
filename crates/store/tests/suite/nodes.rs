//! Several nodes on one database; on SQLite several programs on one file, which is no use to
//! anybody but must do no harm.

use std::time::{Duration, Instant};

use jackfield_model::{Actor, CredentialKind, Kind, Operation};
use jackfield_store::{NodeOrder, OrderFate, StoreHandle, Verification};
use jackfield_vocabulary::{Code, SecretText};
use serde_json::json;

use crate::world::{World, act, code, create, make, partition};

#[test]
fn two_nodes_can_not_take_the_same_number() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    let mut taken = 0;
    std::thread::scope(|scope| {
        let take = |handle: StoreHandle| {
            let results = (2000..2040).map(|number| {
                act(&handle, create(Kind::Line, json!({ "number": number.to_string() })))
            });
            let results: Vec<_> = results.collect();
            for result in &results {
                if let Err(error) = result {
                    assert_eq!(error.refusal().code, Code::Duplicate);
                }
            }
            results.iter().filter(|result| result.is_ok()).count()
        };
        let (one, other) = (one.handle(), other.handle());
        let first = scope.spawn(move || take(one));
        let second = scope.spawn(move || take(other));
        taken = first.join().unwrap() + second.join().unwrap();
    });
    assert_eq!(taken, 40);
    let lines: Vec<_> = world.open().directory().entries().map(|(id, _)| id).collect();
    assert_eq!(lines.len(), 40);
}

#[test]
fn a_node_sees_what_another_one_did_before_it_writes() {
    let world = World::new();
    let (one, (other, seen)) = (world.open(), world.open_watched());
    let id = make(&one.handle(), Kind::Partition, json!({ "name": "A" }));
    assert_eq!(code(act(&other.handle(), partition("a"))), Code::Duplicate);
    act(&other.handle(), Operation::Delete { id, version: Some(1) }).unwrap();
    assert!(seen.lock().unwrap().contains(&id));
    let patch = json!({ "description": "gone" });
    let late = Operation::Update { id, version: None, patch };
    assert_eq!(code(act(&one.handle(), late)), Code::NotFound);
}

#[test]
fn an_idle_node_follows() {
    let world = World::new();
    if !world.settings.url.starts_with("postgres") {
        return; // A file has one node.
    }
    let (one, other) = (world.open(), world.open());
    let id = make(&one.handle(), Kind::Partition, json!({ "name": "A" }));
    let began = Instant::now();
    while other.directory().entry(id).is_none() {
        assert!(began.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_node_that_missed_pruned_changes_reads_everything_again() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    for name in ["A", "B", "C"] {
        act(&one.handle(), partition(name)).unwrap();
    }
    world.sql("DELETE FROM change WHERE sequence <= 2");
    act(&other.handle(), partition("D")).unwrap();
    let names: Vec<_> = other
        .directory()
        .all::<jackfield_model::Partition>()
        .map(|(_, p)| p.name.clone())
        .collect();
    assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["A", "B", "C", "D"]);
}

/// Proves SP-07.a: a lock holds on every node.
#[test]
fn an_account_locked_on_one_node_is_locked_on_the_other() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    let user = make(&one.handle(), Kind::EndUser, json!({ "user_id": "jo" }));
    let kind = CredentialKind::Pin;
    let right = SecretText::new("72951");
    let hash = Some(one.handle().hash(kind, &right).unwrap());
    act(&one.handle(), Operation::SetCredential { owner: user, kind, hash }).unwrap();
    assert_eq!(other.handle().verify(Some(user), kind, &right), Verification::Right);
    for guess in 0..20 {
        let handle = if guess % 2 == 0 { one.handle() } else { other.handle() };
        handle.verify(Some(user), kind, &SecretText::new("11111"));
    }
    for store in [&one, &other] {
        let answer = store.handle().verify(Some(user), kind, &right);
        assert!(matches!(answer, Verification::Locked { .. }), "{answer:?}");
    }
}

/// Whoever is signed out on one node is so on the others.
#[test]
fn a_node_hears_that_somebody_was_signed_out_on_another_one() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    let handle = one.handle();
    let user = make(&handle, Kind::EndUser, json!({ "user_id": "jo" }));
    let line = make(&handle, Kind::Line, json!({ "number": "2001" }));
    let later = jackfield_vocabulary::UnixTime(4_000_000_000_000);
    let token = handle.create_token(user, "laptop", later).unwrap();
    let hears = |what: &str, act: &dyn Fn()| {
        let began = Instant::now();
        let before = other.handle().sign_outs();
        act();
        while other.handle().sign_outs() == before {
            assert!(began.elapsed() < Duration::from_secs(5), "{what}");
            // What wakes it is a notification, or a request of its own.
            other.handle().locked(user, CredentialKind::Pin).unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    hears("a token", &|| assert!(handle.revoke_token(Actor::System, &token).unwrap()));
    hears("a password", &|| {
        let kind = CredentialKind::Password;
        let hash = Some(handle.hash(kind, &SecretText::new("another horse")).unwrap());
        act(&handle, Operation::SetCredential { owner: user, kind, hash }).unwrap();
    });
    let change = |id, patch| {
        act(&handle, Operation::Update { id, version: None, patch }).unwrap();
    };
    hears("switched off", &|| change(user, json!({ "enabled": false })));
    hears("gone", &|| {
        act(&handle, Operation::Delete { id: user, version: None }).unwrap();
    });
    let (own, others) = (handle.sign_outs(), other.handle().sign_outs());
    change(line, json!({ "description": "Reception" }));
    other.handle().locked(line, CredentialKind::Pin).unwrap();
    assert_eq!((handle.sign_outs(), other.handle().sign_outs()), (own, others), "nobody's affair");
}

#[test]
fn a_node_needs_the_key_file_of_its_database() {
    let world = World::new();
    drop(world.open());
    let mut settings = world.settings.clone();
    settings.key_file = world.file("another-key");
    let Err(error) = jackfield_store::Store::open(&settings, |_, _| {}) else { panic!() };
    assert!(error.to_string().contains("another-key"), "{error}");
    assert!(!settings.key_file.exists());
}

#[test]
fn the_database_of_a_newer_program_is_left_alone() {
    let world = World::new();
    drop(world.open());
    world.sql("UPDATE meta SET value = '99' WHERE name = 'schema'");
    let Err(error) = jackfield_store::Store::open(&world.settings, |_, _| {}) else { panic!() };
    assert!(error.to_string().contains("too old"), "{error}");
}

#[test]
fn a_new_secret_of_a_device_is_known_on_every_node_and_after_a_restart() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    let first = jackfield_model::FirstStart {
        node: "node".into(),
        address: "127.0.0.1".into(),
        locale: "C".into(),
        time_zone: "Etc/UTC".into(),
    };
    act(&one.handle(), Operation::FirstStart(first)).unwrap();
    let phone = json!({
        "name": "SEP001122334455", "model": "Virtual phone", "device_pool": "Default",
        "security_profile": "Non-secure UDP", "sip_profile": "Default",
    });
    let device = make(&one.handle(), Kind::Phone, phone);
    let old = one.directory().secrets().sip_password(device);
    act(&one.handle(), Operation::RotateDeviceSecret { device }).unwrap();
    let new = one.directory().secrets().sip_password(device);
    assert_ne!(old, new);
    // The other one follows before it writes.
    act(&other.handle(), partition("A")).unwrap();
    assert_eq!(other.directory().secrets().sip_password(device), new);
    drop((one, other));
    assert_eq!(world.open().directory().secrets().sip_password(device), new);
}

/// Nodes that share a server tell each other of a commit, so that nobody waits for the next look.
#[test]
fn what_a_node_commits_is_known_to_the_others_at_once() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    if !one.handle().is_shared() {
        return; // A database in a file has one node.
    }
    let mut waits: Vec<Duration> = (0..21)
        .map(|round| {
            act(&one.handle(), partition(&format!("P{round}"))).unwrap();
            let (wanted, began) = (one.directory().sequence(), Instant::now());
            while other.directory().sequence() < wanted {
                assert!(began.elapsed() < Duration::from_secs(10));
                std::thread::sleep(Duration::from_millis(1));
            }
            began.elapsed()
        })
        .collect();
    waits.sort();
    // Whoever only looks does so four times a second.
    assert!(waits[10] < Duration::from_millis(60), "{waits:?}");
}

/// A second node needs the first one's key file, and is told so in words that help.
#[test]
fn a_node_without_the_key_of_the_database_is_told_what_to_do() {
    let world = World::new();
    drop(world.open());
    let key = world.file("key");
    let kept = std::fs::read(&key).unwrap();
    let told = || match jackfield_store::Store::open(&world.settings, |_, _| {}) {
        Ok(_) => panic!("it opened"),
        Err(error) => error.to_string(),
    };
    std::fs::remove_file(&key).unwrap();
    let missing = told();
    assert!(missing.contains("it is not there") && missing.contains("copy `key`"), "{missing}");
    assert!(!key.exists(), "no key is made that opens nothing");
    let stranger = tempfile::tempdir().unwrap();
    let settings = jackfield_store::StoreSettings::in_folder(stranger.path());
    drop(jackfield_store::Store::open(&settings, |_, _| {}).unwrap());
    std::fs::copy(stranger.path().join("key"), &key).unwrap();
    let other = told();
    assert!(other.contains("not the key of this database"), "{other}");
    assert!(other.contains(&key.display().to_string()) && other.contains("copy `key`"), "{other}");
    std::fs::write(&key, kept).unwrap();
    drop(world.open());
}

#[test]
fn a_node_takes_the_orders_that_another_one_left_for_it_once() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    let (one, other) = (one.handle(), other.handle());
    let wanted = json!({ "service": "tftp", "action": "restart" });
    let soon = Duration::from_secs(60);
    let id = one.leave_order("node2", &wanted, soon).unwrap();
    assert_eq!(one.order_fate(id).unwrap(), OrderFate::Left);
    assert_eq!(other.take_orders("node3").unwrap(), []);
    assert_eq!(other.take_orders("node2").unwrap(), [NodeOrder { id, body: wanted.clone() }]);
    assert_eq!(other.take_orders("node2").unwrap(), []);
    assert_eq!(one.order_fate(id).unwrap(), OrderFate::Taken);
    assert!(!one.withdraw_order(id).unwrap(), "it is being carried out");
    other.answer_order(id, &json!("done")).unwrap();
    assert_eq!(one.order_fate(id).unwrap(), OrderFate::Answered(json!("done")));

    // What was taken back, or lay too long, is carried out by nobody.
    let id = one.leave_order("node2", &wanted, soon).unwrap();
    assert!(one.withdraw_order(id).unwrap());
    one.leave_order("node2", &wanted, Duration::ZERO).unwrap();
    assert_eq!(other.take_orders("node2").unwrap(), []);
}
