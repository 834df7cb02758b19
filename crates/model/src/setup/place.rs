//! What phones are told of a node beside what is open there.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::explain::Finding;
use crate::{Directory, Language, Message, Phone, SecurityProfile};

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
}

/// Where phones look for a node that is elsewhere, or for something that nobody listens to: they
/// would be gone at their next restart.
pub fn misplaced(directory: &Directory, place: &Place, language: Language) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some((_, node)) = directory.node(&place.node) {
        let (file, open) = (node.sip_port.to_string(), place.sip.port().to_string());
        if file != open {
            let values = [("node", &*place.node), ("file", &file), ("open", &open)];
            findings.push(found(Message::OtherPort, Message::OtherPortRemedy, &values, language));
        }
        findings.extend(other_address(&node.address, place, language));
    }
    findings.extend(unserved(directory, language));
    findings
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

/// Phones are told a host name that leads nowhere, as the DNS of this machine says.
pub fn address_not_found(
    directory: &Directory,
    place: &Place,
    language: Language,
) -> Option<Finding> {
    let (_, node) = directory.node(&place.node)?;
    let open = place.address.to_string();
    let values = [("node", &*place.node), ("file", &*node.address), ("open", &*open)];
    Some(found(Message::AddressNotFound, Message::AddressNotFoundRemedy, &values, language))
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
