use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::super::work::Work;
use super::form::{self, invalid};
use crate::{
    AutoRegistration, Body, ClusterSettings, DateTimeGroup, Directory, Node, Ref, SecurityProfile,
    Service, ServiceActivation, SipProfile,
};

pub(super) fn check_cluster(settings: &ClusterSettings) -> Result<(), Refusal> {
    form::plain_name("cluster_id", &settings.cluster_id, ".-")?;
    if settings.sip_realm.contains(['"', '\\']) || settings.sip_realm.contains(char::is_control) {
        return Err(invalid("sip_realm", &settings.sip_realm, "≠ \" \\"));
    }
    for (index, number) in settings.emergency_numbers.iter().enumerate() {
        form::dialable(&format!("emergency_numbers[{index}]"), number)?;
    }
    form::networks_of_phones("provisioning_networks", &settings.provisioning_networks)
}

/// A node keeps its name: its process is started with it (`serve --node`), and knows itself by it. One
/// node, and only one, is the publisher; a node that is there already takes it from the other.
pub(super) fn check_node(
    directory: &Directory,
    before: Option<&Body>,
    node: &Node,
) -> Result<(), Refusal> {
    form::host("address", &node.address)?;
    let was = match before {
        Some(Body::Node(before)) => Some(&**before),
        _ => None,
    };
    if let Some(was) = was.filter(|was| was.name != node.name) {
        return Err(invalid("name", &node.name, &was.name));
    }
    let own = |other: &Node| was.is_some_and(|was| was.name == other.name);
    let other = |fits: &dyn Fn(&Node) -> bool| {
        directory.all::<Node>().find(|(_, other)| !own(other) && fits(other))
    };
    if let Some((other, _)) = other(&|other| other.number == node.number) {
        return Err(directory.refusal_about(Code::Duplicate, other.id()).field("number"));
    }
    match (node.publisher, other(&|other| other.publisher)) {
        (false, None) => Err(invalid("publisher", "false", "true")),
        (true, Some((other, _))) if was.is_none() => {
            Err(directory.refusal_about(Code::Duplicate, other.id()).field("publisher"))
        }
        _ => Ok(()),
    }
}

/// A part of a node keeps its node and is named after it.
pub(super) fn check_part(
    directory: &Directory,
    before: Option<&Body>,
    node: Ref<Node>,
    name: &str,
) -> Result<(), Refusal> {
    let expected = directory.get(node).map(|node| &*node.name);
    let kept = match before {
        Some(Body::AutoRegistration(before)) => before.node == node,
        Some(Body::ServiceActivation(before)) => before.node == node,
        _ => true,
    };
    match expected {
        Some(expected) if expected == name && kept => Ok(()),
        expected => Err(invalid("name", name, expected.unwrap_or("node"))),
    }
}

/// Gives a new node its parts.
pub(super) fn follow_node(work: &mut Work<'_>, id: ObjectId, before: Option<&Body>, node: &Node) {
    if before.is_none() {
        work.add(ServiceActivation {
            node: Ref::new(id),
            name: node.name.clone(),
            services: [Service::CallManager, Service::Tftp, Service::FileHttp].into(),
        });
        work.add(auto_registration(id, &node.name));
    } else if node.publisher {
        only_publisher(work, id);
    }
}

/// Takes the mark of the publisher from every other node.
fn only_publisher(work: &mut Work<'_>, id: ObjectId) {
    let others: Vec<(Ref<Node>, Node)> = work
        .directory
        .all::<Node>()
        .filter(|(other, node)| other.id() != id && node.publisher)
        .map(|(other, node)| (other, Node::clone(node)))
        .collect();
    for (other, node) in others {
        work.put(other.id(), Node { publisher: false, ..node });
    }
}

/// Auto-registration of a new node: switched off (SP-43).
fn auto_registration(node: ObjectId, name: &str) -> AutoRegistration {
    AutoRegistration {
        name: name.into(),
        node: Ref::new(node),
        disabled: true,
        device_template: None,
        line_template: None,
        starting_number: "".into(),
        ending_number: "".into(),
        allowed_networks: Box::default(),
        unassigned_limit: 1000,
        return_hours: 24,
        per_minute: 600,
    }
}

pub(super) fn check_date_time_group(group: &DateTimeGroup) -> Result<(), Refusal> {
    form::time_zone("time_zone", &group.time_zone)?;
    if !["M/D/Y", "D/M/Y", "Y/M/D"].contains(&&*group.date_form) {
        return Err(invalid("date_form", &group.date_form, "M/D/Y | D/M/Y | Y/M/D"));
    }
    for (index, server) in group.ntp_servers.iter().enumerate() {
        form::host(&format!("ntp_servers[{index}]"), server)?;
    }
    Ok(())
}

/// SHA-256 is offered where a digest is asked for.
pub(super) fn check_security_profile(profile: &SecurityProfile) -> Result<(), Refusal> {
    if profile.sha256 && !profile.digest {
        return Err(invalid("sha256", "true", "false, digest: true"));
    }
    Ok(())
}

pub(super) fn check_sip_profile(profile: &SipProfile) -> Result<(), Refusal> {
    let (first, last) = (profile.first_media_port, profile.last_media_port);
    if last <= first {
        return Err(invalid(
            "last_media_port",
            &last.to_string(),
            &format!("{}..65535", first.saturating_add(1)),
        ));
    }
    Ok(())
}
