//! Where a node is: what its command says, what its settings say, and that the two are one. Phones
//! are told what the settings say.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};

use anyhow::{Context, Result};
use jackfield_model::setup::{Place, SipPorts};
use jackfield_model::{Actor, Directory, Node, Operation, Ref};
use jackfield_store::StoreHandle;
use serde_json::{Map, Value};

use super::host_name::HostName;
use super::leases::SipPortsHeard;
use super::{ServeSettings, limits};

/// The address by which the node is reached: the one with which it is started, else that of its
/// settings where it is this machine's, else the one that the machine uses towards others.
pub(crate) fn advertised(directory: &Directory, settings: &ServeSettings) -> IpAddr {
    let kept = directory.node(&settings.node).and_then(|(_, node)| node.address.parse().ok());
    settings.address.or(kept.filter(|kept| is_own(*kept))).unwrap_or_else(limits::own_address)
}

/// Where to listen for SIP: a port that nobody named is that of the settings.
pub(crate) fn sip(directory: &Directory, settings: &ServeSettings) -> SocketAddr {
    let kept = directory.node(&settings.node).map(|(_, node)| node.sip_port);
    match kept.filter(|_| !settings.sip_is_given) {
        Some(port) => SocketAddr::new(settings.sip.ip(), port),
        None => settings.sip,
    }
}

/// Writes what the command names into the settings of a node that was there before.
pub(crate) fn keep(
    store: &StoreHandle,
    settings: &ServeSettings,
    id: Ref<Node>,
    sip_port: u16,
) -> Result<()> {
    let directory = store.directory();
    let Some(node) = directory.get(id) else { return Ok(()) };
    let mut patch = Map::new();
    if let Some(address) = settings.address.filter(|address| !leads_to(&node.address, *address)) {
        patch.insert("address".into(), address.to_string().into());
    }
    if settings.sip_is_given && node.sip_port != sip_port {
        patch.insert("sip_port".into(), sip_port.into());
    }
    if patch.is_empty() {
        return Ok(());
    }
    let patch = Value::from(patch);
    tracing::warn!(
        node.name = &*node.name,
        node.change = %patch,
        "the node is started elsewhere than its settings say: they follow, and its phones must restart"
    );
    let operation = Operation::Update { id: id.id(), version: None, patch };
    store
        .execute(StoreHandle::operation_id()?, Actor::System, operation)
        .context("writing where the node is into its settings")?;
    Ok(())
}

/// Tells where the running node is, beside what its settings say now.
pub(crate) struct PlaceNow {
    pub(crate) store: StoreHandle,
    pub(crate) settings: ServeSettings,
    /// By which it takes itself to be reached.
    pub(crate) address: IpAddr,
    /// Where it listens.
    pub(crate) sip: SocketAddr,
    pub(crate) ports: SipPortsHeard,
    pub(crate) name: HostName,
}

impl PlaceNow {
    pub(crate) async fn tell(&self) -> Place {
        let node = &self.settings.node;
        let told = self.store.directory().node(node).map(|(_, node)| node.address.clone());
        let told = told.unwrap_or_default();
        let given = self.settings.address;
        let own = told.parse().is_ok_and(|told| given == Some(told) || is_own(told));
        Place {
            node: node.clone(),
            address: self.address,
            sip: self.sip,
            own,
            unknown: self.name.leads_nowhere(&told).await,
            others: SipPorts::clone(&self.ports.now()),
        }
    }
}

/// The address is one of this machine's.
fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// A node's address, which may be a host name, leads there.
fn leads_to(told: &str, address: IpAddr) -> bool {
    match told.parse::<IpAddr>() {
        Ok(told) => told == address,
        Err(_) => (told, 0)
            .to_socket_addrs()
            .is_ok_and(|mut found| found.any(|one| one.ip().to_canonical() == address)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jackfield_model::{FirstStart, Kind};
    use jackfield_store::{AuditFilter, Store, StoreSettings};

    use super::*;
    use crate::server::DatabaseChoice;

    fn settings(folder: &Path, address: Option<&str>, port: Option<u16>) -> ServeSettings {
        let door = SocketAddr::from(([127, 0, 0, 1], 0));
        ServeSettings {
            place: DatabaseChoice { folder: folder.into(), url: None },
            node: "node1".into(),
            address: address.map(|address| address.parse().unwrap()),
            sip: SocketAddr::from(([0, 0, 0, 0], port.unwrap_or(5060))),
            sip_is_given: port.is_some(),
            http: door,
            files: door,
            tftp: door,
            media_ports: 24_576..=32_767,
            until_terminated: false,
            prompts: None,
            sample: None,
        }
    }

    /// After a move: what the command names is written, and what it does not name is as it was.
    #[test]
    fn a_node_that_is_started_elsewhere_tells_its_phones_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreSettings::in_folder(folder.path()), |_, _| {}).unwrap();
        let handle = store.handle();
        let run = |operation| {
            let id = StoreHandle::operation_id().unwrap();
            handle.execute(id, Actor::System, operation).unwrap();
        };
        run(Operation::FirstStart(FirstStart {
            node: "node1".into(),
            address: "192.0.2.10".into(),
            locale: "en_US".into(),
            time_zone: "Etc/UTC".into(),
        }));
        let id = handle.directory().find(Kind::Node, "node1").unwrap();
        let start = |settings: &ServeSettings| {
            let port = sip(&handle.directory(), settings).port();
            keep(&handle, settings, Ref::new(id), port).unwrap();
            let directory = handle.directory();
            let node = directory.typed::<Node>(id).unwrap();
            (port, node.address.to_string(), node.sip_port)
        };
        let moved = settings(folder.path(), Some("198.51.100.7"), Some(5070));
        assert_eq!(start(&moved), (5070, "198.51.100.7".into(), 5070));
        let plain = settings(folder.path(), None, None);
        assert_eq!(start(&plain), (5070, "198.51.100.7".into(), 5070), "nothing named: as it was");
        // A port that was set meanwhile is opened at the next start.
        let patch = serde_json::json!({ "sip_port": 5080 });
        run(Operation::Update { id, version: None, patch });
        assert_eq!(start(&plain), (5080, "198.51.100.7".into(), 5080));
        let filter = AuditFilter { object: Some(id), limit: 10, ..AuditFilter::default() };
        let rows = handle.audit(filter).unwrap();
        let of_the_house = rows.iter().filter(|row| &*row.operation == "update");
        assert_eq!(
            of_the_house.count(),
            2,
            "the move is in the audit, and what changed nothing not"
        );
        // A host name that leads there stays.
        let patch = serde_json::json!({ "address": "localhost" });
        run(Operation::Update { id, version: None, patch });
        let here = settings(folder.path(), Some("127.0.0.1"), None);
        assert_eq!(start(&here).1, "localhost");
    }

    #[test]
    fn an_address_of_another_machine_is_not_taken_for_ones_own() {
        assert!(is_own("127.0.0.1".parse().unwrap()));
        assert!(!is_own("192.0.2.10".parse().unwrap()));
    }
}
