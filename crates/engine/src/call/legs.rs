//! Which leg belongs to which call, and how many calls a line has on a device.

use std::collections::BTreeMap;

use jackfield_vocabulary::{CallId, LegId, ObjectId};
use serde::{Deserialize, Serialize};

/// Every leg of every call, by leg and by device.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Legs {
    calls: BTreeMap<LegId, CallId>,
    devices: BTreeMap<ObjectId, Vec<(LegId, ObjectId)>>,
}

impl Legs {
    pub(super) fn add(&mut self, leg: LegId, call: CallId, device: ObjectId, line: ObjectId) {
        self.calls.insert(leg, call);
        self.devices.entry(device).or_default().push((leg, line));
    }

    pub(super) fn remove(&mut self, leg: LegId, device: ObjectId) {
        self.calls.remove(&leg);
        if let Some(legs) = self.devices.get_mut(&device) {
            legs.retain(|(one, _)| *one != leg);
            if legs.is_empty() {
                self.devices.remove(&device);
            }
        }
    }

    pub(super) fn call(&self, leg: LegId) -> Option<CallId> {
        self.calls.get(&leg).copied()
    }

    /// The calls of a device.
    pub(super) fn of_device(&self, device: ObjectId) -> impl Iterator<Item = CallId> + '_ {
        let legs = self.devices.get(&device).map_or(&[][..], |legs| legs);
        legs.iter().filter_map(|(leg, _)| self.call(*leg))
    }

    /// How many calls the device has, and how many of them on this line.
    pub(super) fn count(&self, device: ObjectId, line: ObjectId) -> (usize, usize) {
        let legs = self.devices.get(&device).map_or(&[][..], |legs| legs);
        (legs.len(), legs.iter().filter(|(_, one)| *one == line).count())
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }
}
