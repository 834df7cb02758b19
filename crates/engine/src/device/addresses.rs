//! Which devices registered from which address.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use jackfield_vocabulary::ObjectId;
use serde::{Deserialize, Serialize};

/// Devices by the address they registered from. Several share one behind a gateway.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Addresses(BTreeSet<(SocketAddr, ObjectId)>);

impl Addresses {
    /// A device is there.
    pub(super) fn enter(&mut self, at: SocketAddr, device: ObjectId) {
        self.0.insert((at, device));
    }

    /// A device is not there any more.
    pub(super) fn leave(&mut self, at: SocketAddr, device: ObjectId) {
        self.0.remove(&(at, device));
    }

    /// A device is at another address.
    pub(super) fn moved(&mut self, from: SocketAddr, to: SocketAddr, device: ObjectId) {
        self.leave(from, device);
        self.enter(to, device);
    }

    /// Is the device there?
    pub(super) fn is_at(&self, at: SocketAddr, device: ObjectId) -> bool {
        self.0.contains(&(at, device))
    }

    /// The devices that are there.
    pub(super) fn at(&self, at: SocketAddr) -> impl Iterator<Item = ObjectId> {
        let all = (at, ObjectId(u32::MIN))..=(at, ObjectId(u32::MAX));
        self.0.range(all).map(|(_, device)| *device)
    }
}
