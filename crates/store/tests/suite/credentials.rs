//! Guessing does not pay: locks hold against many at once, restarts, and other nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jackfield_model::{CredentialKind, Kind, Operation};
use jackfield_store::{AuditFilter, Claimant, StoreHandle, Verification, Verifier};
use jackfield_vocabulary::{ObjectId, SecretText};
use serde_json::json;

use crate::world::{World, act, make};

const PIN: CredentialKind = CredentialKind::Pin;

/// A user whose account locks after `failures` wrong PINs.
fn user(handle: &StoreHandle, failures: u32, lock_minutes: u32) -> ObjectId {
    let policy = json!({ "name": "p", "failures": failures, "lock_minutes": lock_minutes });
    let policy = make(handle, Kind::CredentialPolicy, policy);
    let user = make(handle, Kind::EndUser, json!({ "user_id": "jo", "credential_policy": policy }));
    let hash = Some(handle.hash(PIN, &SecretText::new("72951")).unwrap());
    act(handle, Operation::SetCredential { owner: user, kind: PIN, hash }).unwrap();
    user
}

fn try_pin(handle: &StoreHandle, user: ObjectId, pin: &str) -> Verification {
    handle.verify(Some(user), PIN, &SecretText::new(pin))
}

/// Proves SP-07.a.
#[test]
fn an_account_locks_after_so_many_failures_and_stays_so_over_a_restart() {
    let world = World::new();
    let store = world.open();
    let user = user(&store.handle(), 3, 30);
    assert_eq!(try_pin(&store.handle(), user, "72951"), Verification::Right);
    for _ in 0..2 {
        assert_eq!(try_pin(&store.handle(), user, "00000"), Verification::Wrong);
    }
    // A right one in between starts the count anew.
    assert_eq!(try_pin(&store.handle(), user, "72951"), Verification::Right);
    for _ in 0..3 {
        assert_eq!(try_pin(&store.handle(), user, "00000"), Verification::Wrong);
    }
    drop(store);
    let store = world.open();
    let handle = store.handle();
    assert!(matches!(try_pin(&handle, user, "72951"), Verification::Locked { until: Some(_) }));
    assert!(handle.locked(user, PIN).unwrap().is_some());
    act(&handle, Operation::Unlock { owner: user }).unwrap();
    assert_eq!(try_pin(&handle, user, "72951"), Verification::Right);
}

/// A failure that was none is taken back, and no other.
#[test]
fn a_failure_that_was_none_is_taken_back() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let user = user(&handle, 3, 0);
    for _ in 0..3 {
        assert_eq!(try_pin(&handle, user, "00000"), Verification::Wrong);
    }
    assert!(handle.locked(user, PIN).unwrap().is_some());
    let verifier = Verifier::start(&handle, 1).unwrap();
    verifier.forgive(user, PIN);
    drop(verifier);
    assert!(handle.locked(user, PIN).unwrap().is_none());
    assert_eq!(try_pin(&handle, user, "00000"), Verification::Wrong);
    assert!(handle.locked(user, PIN).unwrap().is_some(), "the other two count");
    handle.forgive(ObjectId(999_999), PIN);
}

/// Proves SP-07.a: parallel guessing looks at no more secrets than the policy allows.
#[test]
fn many_guesses_at_once_get_no_further_than_one_after_the_other() {
    let world = World::new();
    let store = world.open();
    let user = user(&store.handle(), 5, 0);
    let looked_at = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (handle, looked_at) = (store.handle(), &looked_at);
            scope.spawn(move || {
                for guess in 0..10 {
                    let guess = format!("{:05}", thread * 10 + guess);
                    if try_pin(&handle, user, &guess) == Verification::Wrong {
                        looked_at.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(looked_at.into_inner(), 5);
    let locked = Verification::Locked { until: None };
    assert_eq!(try_pin(&store.handle(), user, "72951"), locked);
}

/// Proves SP-07.g: the code is rate-limited, whoever guesses.
#[test]
fn the_code_is_locked_for_a_minute_after_so_many_failures() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let settings = handle
        .directory()
        .after_name(Kind::SelfProvisioning, "")
        .next()
        .map(|(id, _)| id)
        .unwrap_or_else(|| make(&handle, Kind::SelfProvisioning, json!({})));
    let mode = json!({ "mode": "users-and-administrators" });
    act(&handle, Operation::Update { id: settings, version: None, patch: mode }).unwrap();
    let kind = CredentialKind::Code;
    let hash = Some(handle.hash(kind, &SecretText::new("0042")).unwrap());
    act(&handle, Operation::SetCredential { owner: settings, kind, hash }).unwrap();
    let patch = json!({ "code_failures_per_minute": 4 });
    act(&handle, Operation::Update { id: settings, version: None, patch }).unwrap();
    let code = |code: &str| handle.verify(Some(settings), kind, &SecretText::new(code));
    for _ in 0..2 {
        assert_eq!(code("42"), Verification::Wrong);
    }
    // Knowing it does not clear the guesses of others.
    assert_eq!(code("0042"), Verification::Right);
    for _ in 0..2 {
        assert_eq!(code("43"), Verification::Wrong);
    }
    assert!(matches!(code("0042"), Verification::Locked { until: Some(_) }));
}

#[test]
fn an_unknown_account_and_one_without_a_credential_are_told_apart_from_wrong_only_by_the_house() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let bare = make(&handle, Kind::EndUser, json!({ "user_id": "bare" }));
    let secret = SecretText::new("whatever");
    assert_eq!(handle.verify(None, PIN, &secret), Verification::Wrong);
    assert_eq!(handle.verify(Some(bare), PIN, &secret), Verification::NoCredential);
    assert!(!handle.has_credential(bare, PIN).unwrap());
    // Nothing is counted for nobody, and what is counted ends with the lock.
    for _ in 0..20 {
        handle.verify(Some(bare), PIN, &secret);
    }
    drop(store);
    assert_eq!(world.text("SELECT CAST(count(*) AS TEXT) FROM credential_attempt").unwrap(), "5");
}

fn claimant(account: Option<ObjectId>, name: &str, source: &str) -> Claimant {
    Claimant { account, name: name.into(), source: Some(source.parse().unwrap()) }
}

/// Neither the lock nor its end tells whether there is somebody of a name.
#[test]
fn a_name_that_nobody_has_locks_like_one_that_somebody_has() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let jo = make(&handle, Kind::EndUser, json!({ "user_id": "jo" }));
    let kind = CredentialKind::Password;
    let hash = Some(handle.hash(kind, &SecretText::new("right horse")).unwrap());
    act(&handle, Operation::SetCredential { owner: jo, kind, hash }).unwrap();
    let answers = |account, name: &str| {
        let guess = SecretText::new("wrong horse");
        let tries = 0..7;
        tries.map(|_| handle.verify(claimant(account, name, "192.0.2.1"), kind, &guess)).collect()
    };
    let of_jo: Vec<Verification> = answers(Some(jo), "jo");
    let of_nobody: Vec<Verification> = answers(None, "nobody");
    let is_locked = |one: &Verification| matches!(one, Verification::Locked { until: Some(_) });
    for answers in [of_jo, of_nobody] {
        assert!(answers[..5].iter().all(|one| *one == Verification::Wrong), "{answers:?}");
        assert!(answers[5..].iter().all(is_locked), "{answers:?}");
    }
    let guess = SecretText::new("wrong horse");
    // From wherever, and however it is written; another name has tries of its own.
    let again = handle.verify(claimant(None, " NOBODY", "198.51.100.1"), kind, &guess);
    assert!(is_locked(&again), "{again:?}");
    let other = handle.verify(claimant(None, "nobody2", "192.0.2.1"), kind, &guess);
    assert_eq!(other, Verification::Wrong);
}

/// Who may administer is not locked out by strangers, who are slowed down where they are.
#[test]
fn an_administrator_is_locked_for_the_source_of_the_failures_only() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let role = json!({ "name": "all", "privileges": ["change-configuration"] });
    let role = make(&handle, Kind::Role, role);
    let group = make(&handle, Kind::UserGroup, json!({ "name": "admins", "roles": [role] }));
    let body = json!({ "user_id": "root", "groups": [group] });
    let root = make(&handle, Kind::ApplicationUser, body);
    let kind = CredentialKind::Password;
    let right = SecretText::new("right horse");
    let hash = Some(handle.hash(kind, &right).unwrap());
    act(&handle, Operation::SetCredential { owner: root, kind, hash }).unwrap();
    let from = |source: &str, secret: &SecretText| {
        handle.verify(claimant(Some(root), "root", source), kind, secret)
    };
    for (stranger, neighbour) in
        [("203.0.113.9", "::ffff:203.0.113.9"), ("2001:db8::1", "2001:db8::ffff:1")]
    {
        for _ in 0..5 {
            assert_eq!(from(stranger, &SecretText::new("wrong")), Verification::Wrong);
        }
        for source in [stranger, neighbour] {
            assert!(matches!(from(source, &right), Verification::Locked { .. }), "{source}");
        }
    }
    for elsewhere in ["203.0.113.10", "2001:db8:0:1::1", "127.0.0.1"] {
        assert_eq!(from(elsewhere, &right), Verification::Right, "{elsewhere}");
    }
    assert_eq!(handle.locked(root, kind).unwrap(), None);
    let [wrong, while_locked, locked] = handle.tally().named().map(|(_, count)| count);
    assert_eq!((wrong, while_locked, locked), (10, 4, 2));
    for of in [Some(root), None] {
        let locks = handle.locks(of).unwrap();
        let named: Vec<_> = locks.iter().map(|lock| lock.source.as_deref()).collect();
        assert_eq!(named, [Some("2001:db8::/64"), Some("203.0.113.9")], "the last one first");
        assert!(locks.iter().all(|lock| lock.owner == root && lock.credential == kind));
    }
    act(&handle, Operation::Unlock { owner: root }).unwrap();
    assert_eq!(handle.locks(None).unwrap(), []);
    assert_eq!(from("203.0.113.9", &right), Verification::Right);
}

#[test]
fn a_lock_is_in_the_audit_once() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let user = user(&handle, 3, 30);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| try_pin(&handle, user, "00000"));
        }
    });
    for _ in 0..5 {
        try_pin(&handle, user, "72951");
    }
    let locks =
        AuditFilter { operation: Some("lock".into()), limit: 100, ..AuditFilter::default() };
    let locks = handle.audit(locks).unwrap();
    assert_eq!(locks.len(), 1, "{locks:?}");
    assert_eq!(locks[0].object, Some(user));
    let detail = locks[0].detail.as_ref().unwrap();
    assert_eq!((&detail["credential"], &detail["failures"]), (&json!("pin"), &json!(3)));
}

#[test]
fn the_pool_answers_every_question() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let user = user(&handle, 0, 0);
    let right = Arc::new(AtomicU32::new(0));
    let verifier = Verifier::start(&handle, 2).unwrap();
    for question in 0..20 {
        let right = Arc::clone(&right);
        let pin = if question % 2 == 0 { "72951" } else { "11111" };
        let reply = Box::new(move |answer| {
            if answer == Verification::Right {
                right.fetch_add(1, Ordering::Relaxed);
            }
        });
        verifier.verify(Some(user), PIN, SecretText::new(pin), reply);
    }
    drop(verifier);
    assert_eq!(right.load(Ordering::Relaxed), 10);
}

#[test]
fn a_one_time_password_is_good_until_it_is_changed() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let admin = make(&handle, Kind::ApplicationUser, json!({ "user_id": "root" }));
    let kind = CredentialKind::Password;
    let first = handle.issue_one_time_password(admin).unwrap();
    assert_eq!(handle.verify(Some(admin), kind, &first), Verification::Right);
    assert!(handle.must_change_password(admin).unwrap());
    let hash = Some(handle.hash(kind, &SecretText::new("my own password")).unwrap());
    act(&handle, Operation::SetCredential { owner: admin, kind, hash }).unwrap();
    assert!(!handle.must_change_password(admin).unwrap());
    assert_eq!(handle.verify(Some(admin), kind, &first), Verification::Wrong);
}
