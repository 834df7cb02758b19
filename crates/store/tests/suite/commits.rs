//! What is committed is there, once, and for everybody.

use std::time::{Duration, Instant};

use jackfield_model::{Actor, Kind, Operation, Outcome};
use jackfield_store::{AuditFilter, Store};
use jackfield_vocabulary::Code;
use serde_json::json;

use crate::world::{World, act, code, configurator, create, make, new_id, partition};

#[test]
fn what_is_committed_is_published_before_the_answer_and_there_after_a_restart() {
    let world = World::new();
    let (store, seen) = world.open_watched();
    let handle = store.handle();
    let id = make(&handle, Kind::Partition, json!({ "name": "Inside" }));
    assert_eq!(*seen.lock().unwrap(), [id]);
    assert_eq!(handle.directory().find(Kind::Partition, "inside"), Some(id));
    let sequence = handle.directory().sequence();
    drop(store);
    let store = world.open();
    assert_eq!(store.directory().find(Kind::Partition, "Inside"), Some(id));
    assert_eq!(store.directory().sequence(), sequence);
    assert_eq!(store.directory().entry(id).unwrap().version, 1);
}

#[test]
fn an_operation_sent_twice_is_done_once() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let id = new_id();
    let first = handle.execute(id, Actor::System, partition("A")).unwrap();
    assert_eq!(handle.execute(id, Actor::System, partition("A")).unwrap(), first);
    drop(store);
    let store = world.open();
    assert_eq!(store.handle().execute(id, Actor::System, partition("A")).unwrap(), first);
    let partitions = || store.directory().all::<jackfield_model::Partition>().count();
    assert_eq!(partitions(), 1);
}

#[test]
fn an_id_is_never_used_again() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let gone = make(&handle, Kind::Partition, json!({ "name": "A" }));
    act(&handle, Operation::Delete { id: gone, version: None }).unwrap();
    drop(store);
    let store = world.open();
    let next = make(&store.handle(), Kind::Partition, json!({ "name": "A" }));
    assert!(next > gone);
}

#[test]
fn a_name_is_taken_once_and_what_is_used_stays() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let inside = make(&handle, Kind::Partition, json!({ "name": "Inside" }));
    assert_eq!(code(act(&handle, partition("INSIDE"))), Code::Duplicate);
    make(&handle, Kind::Line, json!({ "number": "2000", "partition": inside }));
    let delete = Operation::Delete { id: inside, version: None };
    let refusal = act(&handle, delete).unwrap_err().refusal();
    assert_eq!(refusal.code, Code::InUse);
    assert!(refusal.to_string().contains("2000"), "{refusal}");
    assert!(handle.directory().entry(inside).is_some());
}

#[test]
fn a_batch_is_done_whole_or_not_at_all() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let batch = |names: &[&str]| Operation::Batch(names.iter().map(|n| partition(n)).collect());
    assert_eq!(code(act(&handle, batch(&["A", "B", "A"]))), Code::Duplicate);
    assert_eq!(handle.directory().find(Kind::Partition, "B"), None);
    let Outcome::Saved(saved) = act(&handle, batch(&["A", "B"])).unwrap() else { panic!() };
    assert_eq!(saved.len(), 2);
}

#[test]
fn the_audit_tells_who_did_what_with_before_and_after() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let id = make(&handle, Kind::Partition, json!({ "name": "A" }));
    configurator(&handle, "jo");
    let actor = Actor::User { user_id: "jo".into(), address: Some("10.0.0.1".into()) };
    let patch = json!({ "description": "new" });
    let update = Operation::Update { id, version: Some(1), patch };
    handle.execute(new_id(), actor, update).unwrap();
    let filter = AuditFilter { object: Some(id), limit: 10, ..AuditFilter::default() };
    let page = handle.audit(filter.clone()).unwrap();
    assert_eq!(page.len(), 2);
    assert_eq!(&*page[0].operation, "update");
    assert_eq!(page[0].actor["user_id"], "jo");
    assert_eq!(page[0].before.as_ref().unwrap()["description"], "");
    assert_eq!(page[0].after.as_ref().unwrap()["description"], "new");
    assert_eq!(page[1].before, None);
    let by = |actor: &str| AuditFilter { actor: Some(actor.into()), limit: 10, ..filter.clone() };
    assert_eq!(handle.audit(by("jo")).unwrap().len(), 1);
    assert_eq!(handle.audit(by("nobody")).unwrap().len(), 0);
    // By name also what the object was called before, and what went.
    let patch = json!({ "name": "B" });
    act(&handle, Operation::Update { id, version: None, patch }).unwrap();
    act(&handle, Operation::Delete { id, version: None }).unwrap();
    let named =
        |name: &str| AuditFilter { name: Some(name.into()), limit: 10, ..Default::default() };
    assert_eq!(handle.audit(named("A")).unwrap().len(), 4);
    assert_eq!(handle.audit(named("B")).unwrap().len(), 4);
    assert_eq!(handle.audit(named("C")).unwrap(), []);
    let next = AuditFilter { before_sequence: Some(page[0].sequence), ..filter };
    assert_eq!(handle.audit(next).unwrap(), page[1..]);
}

#[test]
fn what_was_refused_is_found_in_the_audit() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let id = make(&handle, Kind::Partition, json!({ "name": "refused" }));
    handle.note(Actor::System, "sign-in", None, json!({ "door": "rest" })).unwrap();
    handle.note(Actor::System, "sign-in-failed", None, json!({ "failures": 3 })).unwrap();
    let wrong = json!({ "refused": "wrong-credential" });
    handle.note(Actor::System, "assign", Some(id), wrong).unwrap();
    let failed = AuditFilter { failed: true, limit: 10, ..AuditFilter::default() };
    let operations: Vec<_> =
        handle.audit(failed).unwrap().into_iter().map(|row| row.operation).collect();
    assert_eq!(operations, ["assign".into(), "sign-in-failed".into()]);
}

#[test]
fn fields_of_a_newer_program_stay_in_the_database() {
    let world = World::new();
    let store = world.open();
    let id = make(&store.handle(), Kind::Partition, json!({ "name": "A" }));
    drop(store);
    world.sql("UPDATE object SET body = '{\"name\": \"A\", \"tomorrow\": {\"x\": 1}}'");
    let store = world.open();
    let patch = json!({ "description": "changed" });
    act(&store.handle(), Operation::Update { id, version: None, patch }).unwrap();
    let body = world.text("SELECT body FROM object").unwrap();
    assert!(body.contains("\"tomorrow\":{\"x\":1}") && body.contains("changed"), "{body}");
}

#[test]
fn the_refusal_of_a_bad_body_names_its_field() {
    let world = World::new();
    let store = world.open();
    let bad = create(Kind::Line, json!({ "number": "2000", "partition": 4711 }));
    let refusal = act(&store.handle(), bad).unwrap_err().refusal();
    assert_eq!(refusal.code, Code::UnknownReference);
    assert_eq!(refusal.field.as_deref(), Some("partition"));
}

/// Proves SP-56.d: a refused assignment is in the audit too, with its reason.
#[test]
fn a_refused_assignment_is_audited() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let user = make(&handle, Kind::EndUser, json!({ "user_id": "jo" }));
    let device = make(&handle, Kind::Partition, json!({ "name": "no phone" }));
    let proven_by = jackfield_model::ProvenBy::Pin;
    let assign = Operation::Assign { device, user, proven_by };
    let refusal = act(&handle, assign).unwrap_err().refusal();
    handle.note(Actor::System, "sign-in", Some(user), json!({ "refused": true })).unwrap();
    let filter = AuditFilter { limit: 2, ..AuditFilter::default() };
    let page = handle.audit(filter).unwrap();
    assert_eq!((&*page[0].operation, page[0].object), ("sign-in", Some(user)));
    assert_eq!((&*page[1].operation, page[1].object), ("assign", Some(device)));
    let detail = page[1].detail.as_ref().unwrap();
    assert_eq!(detail["refused"]["code"], refusal.code.name());
    drop(store);
    // Rows without changes leave no gap that others would take for pruned ones.
    act(&world.open().handle(), partition("B")).unwrap();
}

#[test]
fn two_objects_swap_their_names_in_one_batch() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let one = make(&handle, Kind::Partition, json!({ "name": "one" }));
    let two = make(&handle, Kind::Partition, json!({ "name": "two" }));
    let rename =
        |id, name: &str| Operation::Update { id, version: None, patch: json!({ "name": name }) };
    let swap = vec![rename(one, "between"), rename(two, "one"), rename(one, "two")];
    act(&handle, Operation::Batch(swap)).unwrap();
    drop(store);
    let store = world.open();
    assert_eq!(store.directory().find(Kind::Partition, "two"), Some(one));
    assert_eq!(store.directory().find(Kind::Partition, "one"), Some(two));
    assert_eq!(store.directory().entry(one).unwrap().version, 3);
    // The change log tells each step.
    let filter = AuditFilter { object: Some(one), limit: 10, ..AuditFilter::default() };
    let steps = store.handle().audit(filter).unwrap();
    let names: Vec<_> =
        steps.iter().map(|step| step.after.as_ref().unwrap()["name"].clone()).collect();
    assert_eq!(names, ["two", "between", "one"]);
    assert_eq!(steps[0].before.as_ref().unwrap()["name"], "between");
}

#[test]
fn what_is_used_together_is_deleted_together() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let inside = make(&handle, Kind::Partition, json!({ "name": "Inside" }));
    let line = make(&handle, Kind::Line, json!({ "number": "2000", "partition": inside }));
    let delete = |id| Operation::Delete { id, version: None };
    act(&handle, Operation::Batch(vec![delete(line), delete(inside)])).unwrap();
    assert!(handle.directory().is_empty());
    assert_eq!(world.text("SELECT field FROM reference"), None);
    assert_eq!(world.text("SELECT value FROM unique_key"), None);
}

#[test]
fn a_writer_that_has_panicked_is_seen_not_to_run() {
    let world = World::new();
    let store = Store::open(&world.settings, |_, _| panic!("as it was told")).unwrap();
    assert!(store.runs());
    store.handle().submit(new_id(), Actor::System, partition("A"), Box::new(|_| {}));
    let began = Instant::now();
    while store.runs() {
        assert!(began.elapsed() < Duration::from_secs(10), "it still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Nobody who comes later waits for an answer either.
    assert!(act(&store.handle(), partition("B")).is_err());
    assert!(world.open().runs());
}
