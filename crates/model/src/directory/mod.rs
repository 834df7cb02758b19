//! The immutable snapshot of the whole configuration that everything reads.
//!
//! A directory is made from the one before it by applying committed changes; the two share all
//! that did not change. Nothing here waits, locks or fails because a database is down.

mod dial;
mod effective;
mod explain;
mod index;
mod map;
mod names;
mod people;
mod settings;

pub use dial::Dialled;
pub use effective::{Effective, EffectiveLine};
pub use index::mac_of;
pub(crate) use names::NO_PARTITION;
pub use names::number_in;
pub use people::UserLookup;
pub use settings::Room;

use std::sync::Arc;

use jackfield_vocabulary::{Mac, ObjectId};

use crate::{Body, Declared, DeviceSecrets, Kind, Ref, Text};
pub(crate) use map::Map;

/// An object as the directory holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Counts the object's changes, from 1; the optimistic version of REST.
    pub version: u32,
    /// The object.
    pub body: Body,
}

/// One committed change of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The object.
    pub id: ObjectId,
    /// What it is from now on; `None` when it was deleted.
    pub after: Option<Entry>,
}

/// The configuration at one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    sequence: u64,
    objects: Map<ObjectId, Entry>,
    /// Names, folded to lower case.
    names: Map<(Kind, Text), ObjectId>,
    /// Lines and route patterns by number and partition; a line and a pattern never share a key.
    numbers: Map<(Text, Option<ObjectId>), ObjectId>,
    /// Those of `numbers` that stand for more than one number, by partition.
    patterns: Map<(Option<ObjectId>, ObjectId), ()>,
    /// Devices by line.
    appearances: Map<(ObjectId, ObjectId), ()>,
    /// The few lines that appear on several devices, so that a phone's file need not look the
    /// others up.
    shared: Map<ObjectId, ()>,
    /// Devices by owner.
    owned: Map<(ObjectId, ObjectId), ()>,
    /// Phones by the hardware address in their names.
    macs: Map<(Mac, ObjectId), ()>,
    /// Users by their own self-service ID.
    self_service: Map<(Text, ObjectId), ()>,
    /// Accounts whose user ids are not plain ASCII, by what the ids look like.
    looks: Map<(Text, ObjectId), ()>,
    /// Users by primary extension.
    primaries: Map<(ObjectId, ObjectId), ()>,
    /// Phones that came by auto-registration and wait for an owner.
    unassigned: Map<ObjectId, ()>,
    secrets: DeviceSecrets,
}

impl Directory {
    /// The next directory: this one with `changes` applied, at the change log's `sequence`.
    #[must_use]
    pub fn apply(&self, sequence: u64, changes: &[Change]) -> Self {
        let mut next = self.clone();
        next.sequence = sequence;
        for change in changes {
            next.put(change.id, change.after.clone());
        }
        next
    }

    /// The number of the last change that is in it.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// There is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An object by id.
    pub fn entry(&self, id: ObjectId) -> Option<&Entry> {
        self.objects.get(&id)
    }

    /// The object that a reference means.
    pub fn get<T: Declared>(&self, reference: Ref<T>) -> Option<&Arc<T>> {
        self.typed(reference.id())
    }

    /// An object by id, when it is of this kind.
    pub fn typed<T: Declared>(&self, id: ObjectId) -> Option<&Arc<T>> {
        self.entry(id).and_then(|entry| T::from_body(&entry.body))
    }

    /// An object's id by its kind and name; upper and lower case are the same.
    pub fn find(&self, kind: Kind, name: &str) -> Option<ObjectId> {
        // Each message of a phone asks for one by its name: the index of addresses is quicker.
        if kind == Kind::Phone
            && let Some(mac) = mac_of(name)
        {
            let named = |id: &ObjectId| {
                let phone = self.typed::<crate::Phone>(*id);
                phone.is_some_and(|phone| phone.name.eq_ignore_ascii_case(name))
            };
            return self.phones_by_mac(mac).find(named);
        }
        self.names.get(&(kind, fold(name))).copied()
    }

    /// An object by its name.
    pub fn named<T: Declared>(&self, name: &str) -> Option<(Ref<T>, &Arc<T>)> {
        let id = self.find(T::KIND, name)?;
        Some((Ref::new(id), self.typed(id)?))
    }

    /// The objects of a kind in the order of their names, from after `name` on.
    pub fn after_name(&self, kind: Kind, name: &str) -> impl Iterator<Item = (ObjectId, &Entry)> {
        use core::ops::Bound::{Excluded, Unbounded};
        self.names
            .range((Excluded((kind, fold(name))), Unbounded))
            .take_while(move |((found, _), _)| *found == kind)
            .filter_map(|(_, id)| Some((*id, self.objects.get(id)?)))
    }

    /// The objects of a kind in the order of their names.
    pub fn all<T: Declared>(&self) -> impl Iterator<Item = (Ref<T>, &Arc<T>)> {
        self.after_name(T::KIND, "")
            .filter_map(|(id, entry)| Some((Ref::new(id), T::from_body(&entry.body)?)))
    }

    /// Every object in the order of ids.
    pub fn entries(&self) -> impl Iterator<Item = (ObjectId, &Entry)> {
        self.objects.iter().map(|(id, entry)| (*id, entry))
    }

    /// The devices on which a line appears.
    pub fn appearances(&self, line: ObjectId) -> impl Iterator<Item = ObjectId> {
        self.appearances
            .range((line, ObjectId(0))..=(line, ObjectId(u32::MAX)))
            .map(|((_, device), ())| *device)
    }

    /// The line appears on more than one device.
    pub fn is_shared(&self, line: ObjectId) -> bool {
        self.shared.get(&line).is_some()
    }

    /// The devices that a user owns.
    pub fn owned(&self, user: ObjectId) -> impl Iterator<Item = ObjectId> {
        self.owned
            .range((user, ObjectId(0))..=(user, ObjectId(u32::MAX)))
            .map(|((_, device), ())| *device)
    }

    /// The users whose primary extension is this line.
    pub fn primary_users(&self, line: ObjectId) -> impl Iterator<Item = ObjectId> {
        self.primaries
            .range((line, ObjectId(0))..=(line, ObjectId(u32::MAX)))
            .map(|((_, user), ())| *user)
    }

    /// The auto-registered phones that wait for an owner, in the order of ids.
    pub fn unassigned(&self) -> impl Iterator<Item = ObjectId> {
        self.unassigned.iter().map(|(id, ())| *id)
    }

    /// How many auto-registered phones wait for an owner.
    pub fn unassigned_count(&self) -> usize {
        self.unassigned.len()
    }

    /// The secrets of devices.
    pub fn secrets(&self) -> &DeviceSecrets {
        &self.secrets
    }

    /// This directory with other secrets.
    #[must_use]
    pub fn with_secrets(&self, secrets: DeviceSecrets) -> Self {
        Self { secrets, ..self.clone() }
    }

    /// Applies one change in place, which costs nothing to copies made before.
    pub(crate) fn put(&mut self, id: ObjectId, after: Option<Entry>) {
        let body = after.as_ref().map(|entry| entry.body.clone());
        let before = match after {
            Some(entry) => self.objects.insert(id, entry),
            None => self.objects.remove(&id),
        };
        self.reindex(id, before.as_ref().map(|entry| &entry.body), body.as_ref());
    }

    /// Counts up the generation of a device's secret in place.
    pub(crate) fn rotate(&mut self, device: ObjectId) {
        self.secrets.rotate(device);
    }

    /// The same, because a stranger may have the present one.
    pub(crate) fn revoke(&mut self, device: ObjectId) {
        self.secrets.revoke(device);
    }
}

/// A name as it is compared.
fn fold(name: &str) -> Text {
    name.to_lowercase().into()
}
