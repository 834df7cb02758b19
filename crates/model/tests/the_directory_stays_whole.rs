//! Whatever is done in whatever order, nothing is left half done, and the indexes say what the
//! objects say.
#![allow(clippy::unwrap_used)]

mod common;

use common::{House, assignment};
use jackfield_model::{Change, Directory, EndUser, Kind, Line, Operation, Phone, references_of};
use jackfield_vocabulary::ObjectId;
use serde_json::json;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from((self.0 >> 33) % count as u64).unwrap()
    }
}

fn random(house: &House, dice: &mut Dice) -> Operation {
    let phones: Vec<_> = house.directory.all::<Phone>().map(|(id, _)| id.id()).collect();
    let users: Vec<_> = house.directory.all::<EndUser>().map(|(id, _)| id.id()).collect();
    let user = users[dice.below(users.len())];
    let registration = house.registration(u8::try_from(dice.below(40)).unwrap());
    if phones.is_empty() {
        return registration;
    }
    let phone = phones[dice.below(phones.len())];
    let other = phones[dice.below(phones.len())];
    let update = |id, patch| Operation::Update { id, version: None, patch };
    match dice.below(12) {
        0..=2 => registration,
        3..=5 => assignment(phone, user),
        6 => Operation::Unassign { device: phone },
        7 => Operation::ReplacePhone { old: phone, new: other },
        8 => Operation::Delete { id: phone, version: None },
        9 => update(user, json!({ "self_service_id": format!("7{}", dice.below(5)) })),
        10 => {
            let profile = house.id(Kind::UserProfile, "Default");
            update(profile, json!({ "allow_reassignment": dice.below(2) == 0 }))
        }
        _ => Operation::Batch(vec![registration, assignment(phone, user)]),
    }
}

/// The directory made anew from its objects.
fn anew(directory: &Directory) -> Directory {
    let changes: Vec<_> =
        directory.entries().map(|(id, entry)| Change { id, after: Some(entry.clone()) }).collect();
    Directory::default().apply(directory.sequence(), &changes)
}

fn check_indexes(directory: &Directory) {
    let anew = anew(directory);
    assert!(directory.unassigned().eq(anew.unassigned()));
    assert!(directory.numbers_from("").eq(anew.numbers_from("")));
    for (id, entry) in directory.entries() {
        assert!(directory.owned(id).eq(anew.owned(id)));
        assert!(directory.appearances(id).eq(anew.appearances(id)));
        assert!(directory.primary_users(id).eq(anew.primary_users(id)));
        assert_eq!(directory.find(entry.body.kind(), &entry.body.name()), Some(id));
    }
    for digits in ["70", "71", "3001", "3002"] {
        let found = directory.user_by_self_service_id(digits);
        assert_eq!(found, anew.user_by_self_service_id(digits));
    }
}

fn check_whole(directory: &Directory) {
    for (id, entry) in directory.entries() {
        for (field, to) in references_of(entry.body.kind(), &entry.body.to_json()) {
            assert!(directory.entry(to).is_some(), "{id} {field} leads nowhere");
        }
    }
    for (id, line) in directory.all::<Line>() {
        let devices = directory.appearances(id.id()).count();
        assert!(!line.auto_registered || devices == 1, "a lent number is on one phone");
        assert_eq!(directory.is_shared(id.id()), devices > 1);
    }
    for (id, phone) in directory.all::<Phone>() {
        let lines: Vec<ObjectId> = phone.lines.iter().map(|line| line.line.id()).collect();
        match phone.owner {
            Some(owner) => {
                assert!(!phone.auto_registered);
                assert_eq!(
                    directory.primary_extension(owner.id()).map(jackfield_model::Ref::id),
                    Some(lines[0])
                );
                let user = directory.get(owner).unwrap();
                assert!(user.controlled_phones.contains(&id), "the owner may control it");
            }
            None => assert!(phone.auto_registered),
        }
    }
    for (user, person) in directory.all::<EndUser>() {
        for phone in &person.controlled_phones {
            let owner = directory.get(*phone).and_then(|phone| phone.owner);
            assert_eq!(owner, Some(user), "nobody controls a phone that is no longer theirs");
        }
    }
}

/// Proves SP-17.d.
#[test]
fn after_any_operations_in_any_order_no_assignment_is_half_done() {
    for seed in 1..=8 {
        let (mut house, mut dice) = (House::company(4), Dice(seed));
        let mut done = 0;
        for _ in 0..150 {
            let operation = random(&house, &mut dice);
            done += u32::from(house.submit(&operation).is_ok());
            check_whole(&house.directory);
        }
        check_indexes(&house.directory);
        assert!(done > 40, "too little happened: {done}");
    }
}

/// Proves SP-17.d: the same in reverse; a verdict that is not committed leaves nothing behind.
#[test]
fn a_verdict_that_is_never_committed_changes_nothing() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    let (before, mut ids) = (house.directory.clone(), house.ids);
    let operation = assignment(phone, house.user("tanaka"));
    operation.evaluate(&house.directory, &mut ids, common::NOW).unwrap();
    assert!(before.entries().eq(house.directory.entries()));
    check_indexes(&house.directory);
}
