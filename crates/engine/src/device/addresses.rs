//! Which devices registered from which address, and where they listen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use jackfield_vocabulary::ObjectId;
use serde::{Deserialize, Serialize};

/// Devices by their addresses.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Addresses {
    /// From where they registered. Several share an address behind a gateway.
    mouths: BTreeSet<(SocketAddr, ObjectId)>,
    /// Where they listen, by their Contacts, if that is not where they send from.
    ears: BTreeSet<(SocketAddr, ObjectId)>,
    ears_of: BTreeMap<ObjectId, Vec<SocketAddr>>,
}

impl Addresses {
    /// A device is there.
    pub(super) fn enter(&mut self, at: SocketAddr, device: ObjectId) {
        self.mouths.insert((at, device));
    }

    /// A device is not there any more.
    pub(super) fn leave(&mut self, at: SocketAddr, device: ObjectId) {
        self.mouths.remove(&(at, device));
    }

    /// A device is at another address.
    pub(super) fn moved(&mut self, from: SocketAddr, to: SocketAddr, device: ObjectId) {
        self.leave(from, device);
        self.enter(to, device);
    }

    /// Is the device there?
    pub(super) fn is_at(&self, at: SocketAddr, device: ObjectId) -> bool {
        self.mouths.contains(&(at, device))
    }

    /// The devices that send from there.
    pub(super) fn at(&self, at: SocketAddr) -> impl Iterator<Item = ObjectId> {
        range(&self.mouths, at)
    }

    /// A device listens there, and nowhere else but where it sends from.
    pub(super) fn listens(&mut self, device: ObjectId, at: Vec<SocketAddr>) {
        let before = match at.is_empty() {
            true => self.ears_of.remove(&device),
            false => self.ears_of.insert(device, at.clone()),
        };
        for ear in before.into_iter().flatten() {
            self.ears.remove(&(ear, device));
        }
        self.ears.extend(at.into_iter().map(|ear| (ear, device)));
    }

    /// The devices that hear what is sent there.
    pub(super) fn hearing(&self, at: SocketAddr) -> impl Iterator<Item = ObjectId> {
        range(&self.mouths, at).chain(range(&self.ears, at))
    }
}

fn range(
    addresses: &BTreeSet<(SocketAddr, ObjectId)>,
    at: SocketAddr,
) -> impl Iterator<Item = ObjectId> {
    let all = (at, ObjectId(u32::MIN))..=(at, ObjectId(u32::MAX));
    addresses.range(all).map(|(_, device)| *device)
}
