use std::sync::Arc;

use jackfield_vocabulary::{Mac, ObjectId};

use super::Directory;
use crate::{
    AutoRegistration, ClusterSettings, Kind, Node, Phone, Ref, SelfProvisioning, Service,
    ServiceActivation,
};

/// The numbers of an auto-registration range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// How many there are.
    pub all: u64,
    /// How many nobody has.
    pub left: u64,
}

impl Room {
    /// Soon there are none left: a tenth of them, or two.
    pub fn is_narrow(self) -> bool {
        self.left < self.all && self.left <= (self.all / 10).max(2)
    }
}

impl Directory {
    /// The settings of the cluster; the defaults when there are none yet.
    pub fn cluster(&self) -> Arc<ClusterSettings> {
        self.all().next().map(|(_, settings)| Arc::clone(settings)).unwrap_or_default()
    }

    /// The settings of self-provisioning; the defaults when there are none yet.
    pub fn self_provisioning(&self) -> Arc<SelfProvisioning> {
        self.all().next().map(|(_, settings)| Arc::clone(settings)).unwrap_or_default()
    }

    /// The lines of the route point that is chosen for self-provisioning: its own numbers.
    pub(crate) fn self_provisioning_lines(&self) -> Vec<ObjectId> {
        let point = self.self_provisioning().route_point.and_then(|point| self.get(point));
        let lines = point.iter().flat_map(|point| point.lines.iter());
        lines.map(|line| line.line.id()).collect()
    }

    /// A node by name.
    pub fn node(&self, name: &str) -> Option<(Ref<Node>, &Arc<Node>)> {
        self.named(name)
    }

    /// The node that holds the truth of the configuration.
    pub fn publisher(&self) -> Option<(Ref<Node>, &Arc<Node>)> {
        self.all::<Node>().find(|(_, node)| node.publisher)
    }

    /// The auto-registration of a node, by the node's name (SP-43).
    pub fn auto_registration(
        &self,
        node: &str,
    ) -> Option<(Ref<AutoRegistration>, &Arc<AutoRegistration>)> {
        self.named(node)
    }

    /// The numbers that a node may still give to new phones.
    pub fn room(&self, settings: &AutoRegistration) -> Room {
        let (first, last) = (&*settings.starting_number, &*settings.ending_number);
        let (Ok(low), Ok(high)) = (first.parse::<u64>(), last.parse::<u64>()) else {
            return Room { all: 0, left: 0 };
        };
        let all = (high + 1).saturating_sub(low);
        let template = settings.line_template.and_then(|template| self.get(template));
        let partition = template.and_then(|template| template.partition).map(Ref::id);
        let used = self.numbers_between(first, last).filter(|(number, of, _)| {
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            number.len() == first.len() && digits && *of == partition
        });
        Room { all, left: all.saturating_sub(used.count() as u64) }
    }

    /// Whether a service is activated on a node.
    pub fn is_activated(&self, node: &str, service: Service) -> bool {
        self.named::<ServiceActivation>(node)
            .is_some_and(|(_, activation)| activation.services.contains(&service))
    }

    /// Does a phone's security profile ask it for its secret?
    pub fn asks_for_secret(&self, phone: &Phone) -> bool {
        self.get(phone.security_profile).is_none_or(|profile| profile.digest)
    }

    /// Is a phone of a kind that may do without a secret, if it has shown none? New ones may, and those whose
    /// security profile asks for none.
    pub fn needs_no_secret(&self, phone: ObjectId) -> bool {
        let phone = self.typed::<Phone>(phone);
        phone.is_some_and(|phone| phone.auto_registered || !self.asks_for_secret(phone))
    }

    /// A phone, CTI route point or CTI port by name.
    pub fn device(&self, name: &str) -> Option<ObjectId> {
        [Kind::Phone, Kind::CtiRoutePoint, Kind::CtiPort]
            .into_iter()
            .find_map(|kind| self.find(kind, name))
    }

    /// The phone with this hardware address in its name.
    pub fn phone_by_mac(&self, mac: Mac) -> Option<ObjectId> {
        self.phones_by_mac(mac).next()
    }

    /// The phones with this hardware address in their names: more than one only where several
    /// prefixes are in use.
    pub fn phones_by_mac(&self, mac: Mac) -> impl Iterator<Item = ObjectId> {
        self.macs
            .range((mac, ObjectId(0))..=(mac, ObjectId(u32::MAX)))
            .map(|((_, phone), ())| *phone)
    }
}
