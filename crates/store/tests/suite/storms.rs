//! Many at once: none lost, none half done, none doubled.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;

use jackfield_model::{
    Actor, EndUser, FirstStart, Kind, Line, Operation, Outcome, Phone, ProvenBy,
};
use jackfield_store::{Answer, StoreHandle};
use jackfield_vocabulary::{Mac, ObjectId};
use serde_json::json;

use crate::world::{World, act, new_id};

const PHONES: u8 = 120;

/// A cluster that takes in new phones and lets users assign them to themselves.
fn start(handle: &StoreHandle) {
    let first = FirstStart {
        node: "node".into(),
        address: "127.0.0.1".into(),
        locale: "C".into(),
        time_zone: "Etc/UTC".into(),
    };
    act(handle, Operation::FirstStart(first)).unwrap();
    let update = |kind, name: &str, patch| {
        let id = handle.directory().find(kind, name).unwrap();
        act(handle, Operation::Update { id, version: None, patch }).unwrap();
    };
    let range = json!({ "disabled": false, "starting_number": "9000", "ending_number": "9999" });
    update(Kind::AutoRegistration, "node", range);
    update(Kind::UserProfile, "Default", json!({ "allow_self_provisioning": true }));
}

/// Submits everything at once, and gives the answers.
fn storm(handle: &StoreHandle, operations: impl Iterator<Item = Operation>) -> Vec<Outcome> {
    let (send, receive) = channel();
    for operation in operations {
        let send = send.clone();
        let reply = Box::new(move |answer| send.send(answer).unwrap());
        handle.submit(new_id(), Actor::System, operation, reply);
    }
    drop(send);
    let committed = |answer| match answer {
        Answer::Committed(outcome) => outcome,
        other => panic!("{other:?}"),
    };
    receive.iter().map(committed).collect()
}

/// Proves SP-43.e and SP-17.d: each phone comes in once with a number of its own, and each assignment
/// is there whole.
#[test]
fn a_boot_storm_and_a_hundred_assignments_at_once_leave_nothing_doubled() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    start(&handle);
    let model = handle.directory().find(Kind::PhoneModel, "Virtual phone").unwrap();
    let take_in = |n| {
        let mac = Mac([0, 0x11, 0x22, 0, 0, n]);
        Operation::AutoRegister { node: "node".into(), mac, model }
    };
    // Every phone sends its REGISTER twice, as it does when the answer is late.
    let outcomes = storm(&handle, (0..PHONES).chain(0..PHONES).map(take_in));
    let created =
        outcomes.iter().filter(|o| matches!(o, Outcome::AutoRegistered { created: true, .. }));
    assert_eq!(created.count(), usize::from(PHONES));
    let phones: Vec<ObjectId> =
        handle.directory().all::<Phone>().map(|(phone, _)| phone.id()).collect();
    assert_eq!(phones.len(), usize::from(PHONES));
    let numbers: BTreeSet<_> =
        handle.directory().all::<Line>().map(|(_, line)| line.number.as_str().to_owned()).collect();
    assert_eq!(numbers.len(), usize::from(PHONES));

    let users: Vec<_> = (0..PHONES)
        .map(|n| Operation::QuickAdd {
            user: json!({ "user_id": format!("user{n}"), "last_name": "User" }),
            feature_group_template: "Default".into(),
            extension: format!("{}", 3000 + u32::from(n)).into(),
            credentials: Vec::new(),
        })
        .collect();
    act(&handle, Operation::Batch(users)).unwrap();
    let directory = handle.directory();
    let users = directory.all::<EndUser>().map(|(user, _)| user.id());
    let assign = |(&device, user)| Operation::Assign { device, user, proven_by: ProvenBy::Pin };
    storm(&handle, phones.iter().zip(users).map(assign));

    drop((directory, handle, store));
    let directory = world.open().directory();
    for (phone, body) in directory.all::<Phone>() {
        let owner = directory.get(body.owner.unwrap()).unwrap();
        assert!(owner.controlled_phones.iter().any(|controlled| controlled.id() == phone.id()));
        assert_eq!(body.lines[0].line.id(), owner.primary_extension.unwrap().id());
        assert!(!body.auto_registered);
    }
    // The temporary numbers are free again.
    assert_eq!(directory.all::<Line>().count(), usize::from(PHONES));
}
