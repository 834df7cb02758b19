//! Somebody can always administer, nobody reaches beyond their privileges even between door and
//! commit, and who has the machine gets back in.

use jackfield_model::{Actor, CredentialKind, FirstStart, Kind, Operation, Outcome};
use jackfield_store::{AuditFilter, Store, StoreError, StoreHandle, StoreSettings, Verification};
use jackfield_vocabulary::{Code, ObjectId, SecretText, UnixTime};
use serde_json::{Value, json};

use crate::world::{World, account, act, code, configurator, make, new_id};

const PASSWORD: CredentialKind = CredentialKind::Password;

fn update(id: ObjectId, patch: Value) -> Operation {
    Operation::Update { id, version: None, patch }
}

/// As after a first start, with the administrator's password set.
fn founded(world: &World) -> (Store, StoreHandle, ObjectId) {
    let store = world.open();
    let handle = store.handle();
    let first = FirstStart {
        node: "node1".into(),
        address: "192.0.2.1".into(),
        locale: "en_US".into(),
        time_zone: "Asia/Tokyo".into(),
    };
    act(&handle, Operation::FirstStart(first)).unwrap();
    let admin = handle.directory().account("admin").unwrap();
    set_password(&handle, admin);
    (store, handle, admin)
}

fn set_password(handle: &StoreHandle, owner: ObjectId) {
    let hash = Some(handle.hash(PASSWORD, &SecretText::new("correct horse")).unwrap());
    act(handle, Operation::SetCredential { owner, kind: PASSWORD, hash }).unwrap();
}

fn act_as(
    handle: &StoreHandle,
    user_id: &str,
    operation: Operation,
) -> Result<Outcome, StoreError> {
    handle.execute(new_id(), Actor::User { user_id: user_id.into(), address: None }, operation)
}

#[test]
fn the_last_administrator_can_t_be_taken_in_any_form() {
    let world = World::new();
    let (_store, handle, admin) = founded(&world);
    let id = |kind, name| handle.directory().find(kind, name).unwrap();
    let group = id(Kind::UserGroup, "Administrators");
    let role = id(Kind::Role, "Administrators");
    // One who may administer, but has no password, helps nobody; nor does one who is off.
    account(&handle, "bare", &["change-configuration", "manage-credentials"]);
    let off = account(&handle, "off", &["change-configuration", "manage-credentials"]);
    set_password(&handle, off);
    act(&handle, update(off, json!({ "enabled": false }))).unwrap();
    let ways = [
        Operation::Delete { id: admin, version: None },
        update(admin, json!({ "enabled": false })),
        update(admin, json!({ "groups": [] })),
        update(admin, json!({ "groups": ["Help desk", "Operators"] })),
        update(group, json!({ "roles": [] })),
        update(role, json!({ "privileges": ["read-configuration"] })),
        update(role, json!({ "privileges": ["change-configuration", "backup"] })),
        Operation::SetCredential { owner: admin, kind: PASSWORD, hash: None },
        Operation::Batch(vec![
            update(admin, json!({ "groups": [] })),
            Operation::Delete { id: group, version: None },
            Operation::Delete { id: role, version: None },
        ]),
    ];
    for way in ways {
        for actor in [Actor::System, Actor::User { user_id: "admin".into(), address: None }] {
            let refused = handle.execute(new_id(), actor, way.clone());
            assert_eq!(code(refused), Code::LastAdministrator, "{way:?}");
        }
    }
    assert!(handle.directory().is_administrator(admin));
    // With a second one the first may go.
    act(&handle, update(off, json!({ "enabled": true }))).unwrap();
    act(&handle, Operation::Delete { id: admin, version: None }).unwrap();
    assert_eq!(
        code(act(&handle, update(off, json!({ "enabled": false })))),
        Code::LastAdministrator
    );
}

/// The door looked, and then the role went: what is committed is judged when it is committed.
#[test]
fn whoever_lost_a_privilege_since_the_door_looked_changes_nothing_more() {
    let world = World::new();
    let (_store, handle, _) = founded(&world);
    let jo = configurator(&handle, "jo");
    let work = || Operation::Create { kind: Kind::Partition, body: json!({ "name": "A" }) };
    let role = handle.directory().find(Kind::Role, "jo").unwrap();
    act(&handle, update(role, json!({ "privileges": ["read-audit"] }))).unwrap();
    assert_eq!(code(act_as(&handle, "jo", work())), Code::Forbidden);
    act(&handle, update(role, json!({ "privileges": ["change-configuration"] }))).unwrap();
    act(&handle, update(jo, json!({ "enabled": false }))).unwrap();
    assert_eq!(code(act_as(&handle, "jo", work())), Code::Disabled);
    act(&handle, Operation::Delete { id: jo, version: None }).unwrap();
    assert_eq!(code(act_as(&handle, "jo", work())), Code::Unauthenticated);
    assert_eq!(handle.directory().find(Kind::Partition, "A"), None);
}

#[test]
fn whoever_is_switched_off_is_signed_out_for_good() {
    let world = World::new();
    let (_store, handle, _) = founded(&world);
    for kind in [Kind::EndUser, Kind::ApplicationUser] {
        let user = make(&handle, kind, json!({ "user_id": kind.name() }));
        let token = handle.create_token(user, "test", UnixTime(u64::MAX / 4)).unwrap();
        act(&handle, update(user, json!({ "enabled": false }))).unwrap();
        act(&handle, update(user, json!({ "enabled": true }))).unwrap();
        assert_eq!(handle.check_token(&token).unwrap(), None, "{kind}");
    }
}

/// While the server runs, past it: another store on the same database, as the command has it.
#[test]
fn a_recovery_beside_the_running_server_lets_the_administrator_in_again() {
    let world = World::new();
    let (_store, handle, admin) = founded(&world);
    let token = handle.create_token(admin, "old", UnixTime(u64::MAX / 4)).unwrap();
    for _ in 0..5 {
        handle.verify(Some(admin), PASSWORD, &SecretText::new("wrong"));
    }
    assert!(handle.locked(admin, PASSWORD).unwrap().is_some());
    let beside = Store::open(&world.settings.clone().existing(), |_, _| {}).unwrap();
    let password = beside.handle().recover("admin", "uid 0").unwrap();
    drop(beside);
    assert_eq!(handle.verify(Some(admin), PASSWORD, &password), Verification::Right);
    assert!(handle.must_change_password(admin).unwrap());
    assert_eq!(handle.check_token(&token).unwrap(), None);
    let filter = AuditFilter { operation: Some("recover".into()), limit: 10, ..Default::default() };
    let rows = handle.audit(filter).unwrap();
    let told = |row: &jackfield_store::AuditEntry| row.detail.as_ref().unwrap()["by"].clone();
    assert!(!rows.is_empty() && rows.iter().all(|row| told(row) == "uid 0"), "{rows:?}");
    assert!(rows.iter().all(|row| row.object == Some(admin)), "{rows:?}");
}

/// A system that was closed by an older program, which let the last administrator go.
#[test]
fn a_recovery_makes_good_what_is_gone() {
    let world = World::new();
    let (store, handle, admin) = founded(&world);
    let sql = "DELETE FROM secret WHERE kind = 'password'";
    world.sql(sql);
    let role = handle.directory().find(Kind::Role, "Administrators").unwrap();
    act(&handle, update(role, json!({ "privileges": [] }))).unwrap();
    act(&handle, update(admin, json!({ "enabled": false, "groups": [] }))).unwrap();
    drop((store, handle));
    let store = Store::open(&world.settings.clone().existing(), |_, _| {}).unwrap();
    let handle = store.handle();
    handle.recover("admin", "uid 0").unwrap();
    assert!(handle.directory().is_administrator(admin));
    let password = handle.recover("rescue", "uid 0").unwrap();
    let rescue = handle.directory().account("rescue").unwrap();
    assert!(handle.directory().is_administrator(rescue));
    assert_eq!(handle.verify(Some(rescue), PASSWORD, &password), Verification::Right);
}

/// An empty database where a system was would be its loss.
#[test]
fn a_lost_database_is_missed_and_not_replaced() {
    let world = World::embedded();
    drop(founded(&world));
    let missed = |settings: &StoreSettings| {
        Store::open(settings, |_, _| {}).map(drop).unwrap_err().to_string()
    };
    std::fs::write(world.file("jackfield.db"), "").unwrap();
    let told = missed(&world.settings.clone().existing());
    assert!(told.contains("is empty") && told.contains("jackfield restore"), "{told}");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(world.file(&format!("jackfield.db{end}")));
    }
    let told = missed(&world.settings);
    assert!(told.contains("though its key is here"), "{told}");
    assert!(!world.file("jackfield.db").exists(), "nothing is made");
    let told = missed(&StoreSettings::in_folder(&world.file("typo")).existing());
    assert!(told.contains("Is it the right place?"), "{told}");
    let place = format!("jackfield restore --data {} FILE", world.file("typo").display());
    assert!(told.contains(&place), "{told}");
    assert!(!world.file("typo").exists());
}
