//! `SEP<MAC>.cnf.xml` and `XMLDefault.cnf.xml` of enterprise phones.

use std::time::Duration;

use roxmltree::Node;

use super::{
    LineProfile, PhoneService, Profile, ProfileError, ServerAddress, SpeedDial, child, child_text,
    descend, document, text,
};
use crate::settings::Transport;

/// Reads `SEP<MAC>.cnf.xml`.
pub(crate) fn read_enterprise(file: &[u8]) -> Result<Profile, ProfileError> {
    let text = text(file)?;
    let document = document(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "device" {
        return Err(ProfileError::Root(root.tag_name().name().to_owned()));
    }
    let mut profile = Profile { servers: servers(root), ..common(root) };
    if let Some(sip) = child(root, "sipProfile") {
        read_sip(&mut profile, sip);
    }
    profile.services = services(root);
    profile.transport = profile.transport.or(transport(root));
    Ok(profile)
}

/// Reads `XMLDefault.cnf.xml`, which says where to register and nothing of lines.
pub(crate) fn read_default(file: &[u8]) -> Result<Profile, ProfileError> {
    let text = text(file)?;
    let document = document(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "Default" {
        return Err(ProfileError::Root(root.tag_name().name().to_owned()));
    }
    Ok(Profile { servers: members(root), ..common(root) })
}

fn common(root: Node<'_, '_>) -> Profile {
    let locale = child(root, "userLocale").map(|locale| child_text(locale, "langCode"));
    Profile {
        version_stamp: child_text(root, "versionStamp").into(),
        locale: locale.unwrap_or_default().into(),
        services_url: child_text(root, "servicesURL").into(),
        idle_url: child_text(root, "idleURL").into(),
        ..Default::default()
    }
}

fn transport(root: Node<'_, '_>) -> Option<Transport> {
    match child_text(root, "transportLayerProtocol") {
        "1" => Some(Transport::Tcp),
        "2" => Some(Transport::Udp),
        _ => None,
    }
}

fn servers(root: Node<'_, '_>) -> Vec<ServerAddress> {
    child(root, "devicePool").map(members).unwrap_or_default()
}

/// The members of the call manager group by priority.
fn members(node: Node<'_, '_>) -> Vec<ServerAddress> {
    let Some(members) = descend(node, &["callManagerGroup", "members"]) else { return Vec::new() };
    let mut found: Vec<_> = members
        .children()
        .filter(|member| member.has_tag_name("member"))
        .filter_map(|member| {
            let server = child(member, "callManager")?;
            let mut address = ServerAddress::parse(child_text(server, "processNodeName"))?;
            let ports = child(server, "ports");
            let port = ports.map(|ports| child_text(ports, "sipPort")).unwrap_or_default();
            address.port = port.parse().ok().or(address.port);
            let priority = member.attribute("priority").and_then(|p| p.parse().ok());
            Some((priority.unwrap_or(u32::MAX), address))
        })
        .take(MEMBERS)
        .collect();
    found.sort_by_key(|(priority, _)| *priority);
    found.into_iter().map(|(_, address)| address).collect()
}

fn read_sip(profile: &mut Profile, sip: Node<'_, '_>) {
    if let Some(stack) = child(sip, "sipStack") {
        let expires = child_text(stack, "timerRegisterExpires").parse().ok();
        profile.register_expires = expires.filter(|s| *s > 0).map(Duration::from_secs);
    }
    profile.event_payload_type =
        child_text(sip, "dtmfAvtPayload").parse().ok().filter(|pt| (96..=127).contains(pt));
    let Some(lines) = child(sip, "sipLines") else { return };
    for button in lines.children().filter(|line| line.has_tag_name("line")).take(BUTTONS) {
        match child_text(button, "featureID") {
            "9" => profile.lines.extend(line(button)),
            "2" | "21" => profile.speed_dials.extend(speed_dial(button)),
            "20" => profile.services.extend(service_button(button)),
            _ => {}
        }
    }
    profile.lines.sort_by_key(|line| line.index);
}

fn line(button: Node<'_, '_>) -> Option<LineProfile> {
    let number = child_text(button, "name");
    let index = button.attribute("lineIndex").or(button.attribute("button"));
    let proxy = child_text(button, "proxy");
    let server = (proxy != "USECALLMANAGER").then(|| ServerAddress::parse(proxy)).flatten();
    let port = child_text(button, "port").parse().ok();
    let auth_name = child_text(button, "authName");
    (!number.is_empty()).then(|| LineProfile {
        index: index.and_then(|i| i.parse().ok()).unwrap_or(1),
        number: number.into(),
        display_name: child_text(button, "displayName").into(),
        label: child_text(button, "featureLabel").into(),
        auth_name: if auth_name.is_empty() { number.into() } else { auth_name.into() },
        auth_password: child_text(button, "authPassword").into(),
        server: server.map(|server| ServerAddress { port: server.port.or(port), ..server }),
    })
}

fn speed_dial(button: Node<'_, '_>) -> Option<SpeedDial> {
    let number = child_text(button, "speedDialNumber");
    (!number.is_empty()).then(|| SpeedDial {
        label: child_text(button, "featureLabel").into(),
        number: number.into(),
    })
}

fn service_button(button: Node<'_, '_>) -> Option<PhoneService> {
    let url = child_text(button, "serviceURI");
    (!url.is_empty())
        .then(|| PhoneService { name: child_text(button, "featureLabel").into(), url: url.into() })
}

fn services(root: Node<'_, '_>) -> Vec<PhoneService> {
    let Some(services) = child(root, "phoneServices") else { return Vec::new() };
    services
        .descendants()
        .filter(|node| node.has_tag_name("phoneService"))
        .take(BUTTONS)
        .filter_map(|node| {
            let url = child_text(node, "url");
            let name = child_text(node, "name");
            (!url.is_empty()).then(|| PhoneService { name: name.into(), url: url.into() })
        })
        .collect()
}

const MEMBERS: usize = 5;
const BUTTONS: usize = 200;

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) const FILE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<device>
 <devicePool><callManagerGroup><members>
  <member priority="1"><callManager><ports><sipPort>5062</sipPort></ports><processNodeName>10.0.0.2</processNodeName></callManager></member>
  <member priority="0"><callManager><ports><sipPort>5061</sipPort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member>
 </members></callManagerGroup></devicePool>
 <sipProfile>
  <sipStack><timerRegisterExpires>120</timerRegisterExpires></sipStack>
  <dtmfAvtPayload>101</dtmfAvtPayload>
  <sipLines>
   <line button="2" lineIndex="2"><featureID>9</featureID><proxy>USECALLMANAGER</proxy><name>1002</name></line>
   <line button="1" lineIndex="1"><featureID>9</featureID><featureLabel>Ann &amp; Co</featureLabel><name>1001</name>
    <displayName>Ann</displayName><authName>SEP001122AABBCC</authName><authPassword>s&lt;3</authPassword></line>
   <line button="3"><featureID>2</featureID><featureLabel>Set up</featureLabel><speedDialNumber>2000</speedDialNumber></line>
   <line button="4"><featureID>77</featureID></line>
  </sipLines>
 </sipProfile>
 <versionStamp>abc</versionStamp>
 <transportLayerProtocol>1</transportLayerProtocol>
 <userLocale><langCode>ja-JP</langCode></userLocale>
 <servicesURL>http://10.0.0.1:8080/services</servicesURL>
 <phoneServices><provisioning>0</provisioning>
  <phoneService type="0"><name>Provision</name><url>http://10.0.0.1/p?name=#DEVICENAME#</url></phoneService></phoneServices>
</device>"#;

    #[test]
    fn lines_speed_dials_services_and_servers() {
        let profile = read_enterprise(FILE.as_bytes()).unwrap();
        let numbers: Vec<_> = profile.lines.iter().map(|line| &*line.number).collect();
        assert_eq!(numbers, ["1001", "1002"]);
        assert_eq!(&*profile.lines[0].label, "Ann & Co");
        assert_eq!(&*profile.lines[0].auth_password, "s<3");
        assert_eq!(&*profile.lines[1].auth_name, "1002");
        assert_eq!(&*profile.speed_dials[0].number, "2000");
        assert_eq!(&*profile.services[0].name, "Provision");
        assert_eq!((&*profile.servers[0].host, profile.servers[0].port), ("10.0.0.1", Some(5061)));
        assert_eq!(profile.transport, Some(Transport::Tcp));
        assert_eq!(profile.register_expires, Some(Duration::from_secs(120)));
        assert_eq!((&*profile.locale, &*profile.version_stamp), ("ja-JP", "abc"));
    }

    #[test]
    fn the_default_file_names_servers_only() {
        let file = FILE
            .replace("<device>", "<Default>")
            .replace("</device>", "</Default>")
            .replace("<devicePool>", "")
            .replace("</devicePool>", "");
        let profile = read_default(file.as_bytes()).unwrap();
        assert_eq!(profile.servers.len(), 2);
        assert!(profile.lines.is_empty());
        assert_eq!(read_default(FILE.as_bytes()), Err(ProfileError::Root("device".into())));
    }
}
