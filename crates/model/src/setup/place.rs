//! What phones are told of a node beside what is open there.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::command::quoted;
use super::explain::Finding;
use crate::{Directory, Language, Message, Node, Phone, SecurityProfile, Service};

/// On which ports nodes listen for SIP, as far as they said so. What their settings say by now may be another
/// port: that counts from a node's next start on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipPorts {
    said: BTreeMap<Box<str>, u16>,
}

impl SipPorts {
    /// Nobody said anything.
    pub const fn new() -> Self {
        Self { said: BTreeMap::new() }
    }

    /// A node listens on this port.
    pub fn hear(&mut self, node: &str, port: u16) {
        self.said.insert(node.into(), port);
    }

    /// The port on which phones find a node; where it did not say, that of its settings.
    pub fn of(&self, node: &Node) -> u16 {
        self.said.get(&*node.name).copied().unwrap_or(node.sip_port)
    }
}

/// Where a running node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The node's name.
    pub node: Box<str>,
    /// The address by which it takes itself to be reached.
    pub address: IpAddr,
    /// Where it listens for SIP, over UDP and TCP.
    pub sip: SocketAddr,
    /// The address in the node's settings is this machine's, or the one with which it was started.
    pub own: bool,
    /// The address in the node's settings is a host name that leads nowhere, as the DNS of this machine
    /// says.
    pub unknown: bool,
    /// The ports of the other nodes.
    pub others: SipPorts,
}

/// Where phones look for a node that is elsewhere, or for something that nobody listens to: they
/// would be gone at their next restart.
pub fn misplaced(directory: &Directory, place: &Place, language: Language) -> Vec<Finding> {
    let mut ports = place.others.clone();
    ports.hear(&place.node, place.sip.port());
    let nodes = directory.all::<Node>();
    let mut findings: Vec<_> =
        nodes.filter_map(|(_, node)| other_port(node, &ports, language)).collect();
    if let Some((_, node)) = directory.node(&place.node) {
        findings.extend(other_address(&node.address, place, language));
        findings.extend(unknown_address(&node.address, place, language));
    }
    findings.extend(unserved(directory, language));
    findings.extend(no_files(directory, &place.node, language));
    findings
}

/// No node gives phones their files: none that is switched on gets settings. `node` is where the command
/// switches it on.
pub(super) fn no_files(directory: &Directory, node: &str, language: Language) -> Option<Finding> {
    let served = directory.all::<Node>().any(|(_, node)| {
        let gives = |service| directory.is_activated(&node.name, service);
        gives(Service::FileHttp) || gives(Service::Tftp)
    });
    let values = [("node", &*quoted(node))];
    (!served).then(|| found(Message::NoFiles, Message::NoFilesRemedy, &values, language))
}

fn other_port(node: &Node, ports: &SipPorts, language: Language) -> Option<Finding> {
    let (file, open) = (node.sip_port.to_string(), ports.of(node).to_string());
    let values = [("node", &*node.name), ("file", &file), ("open", &open)];
    let differ = file != open;
    differ.then(|| found(Message::OtherPort, Message::OtherPortRemedy, &values, language))
}

fn other_address(told: &str, place: &Place, language: Language) -> Option<Finding> {
    // A host name may lead anywhere.
    let address: IpAddr = told.parse().ok()?;
    let only = place.sip.ip();
    let open = if only.is_unspecified() { place.address } else { only }.to_string();
    let values = [("node", &*place.node), ("file", told), ("open", &open)];
    if !only.is_unspecified() && only != address {
        return Some(found(Message::OnlyThere, Message::OnlyThereRemedy, &values, language));
    }
    let elsewhere = !place.own && address != place.address;
    elsewhere.then(|| found(Message::OtherAddress, Message::OtherAddressRemedy, &values, language))
}

fn unknown_address(told: &str, place: &Place, language: Language) -> Option<Finding> {
    let open = place.address.to_string();
    let values = [("node", &*place.node), ("file", told), ("open", &*open)];
    let (text, remedy) = (Message::AddressNotFound, Message::AddressNotFoundRemedy);
    place.unknown.then(|| found(text, remedy, &values, language))
}

/// Security profiles of an older program for which nothing listens.
fn unserved(directory: &Directory, language: Language) -> Vec<Finding> {
    let profiles = directory.all::<SecurityProfile>().filter(|(_, profile)| !profile.is_served());
    let told = profiles.map(|(id, profile)| {
        let phones = directory.all::<Phone>().filter(|(_, phone)| phone.security_profile == id);
        let count = phones.count().to_string();
        let values = [("name", &*profile.name), ("count", &count)];
        found(Message::UnservedProfile, Message::UnservedProfileRemedy, &values, language)
    });
    told.collect()
}

fn found(text: Message, remedy: Message, values: &[(&str, &str)], language: Language) -> Finding {
    Finding::bad(text.with(language, values), remedy.with(language, values))
}
