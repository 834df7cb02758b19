//! Rules that look beyond one field: at other fields, or at other objects.

mod device;
mod form;
mod person;
mod provisioning;
mod system;

use std::sync::Arc;

pub(super) use person::not_of_service;

use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::work::Work;
use crate::{
    Body, Declared, Directory, Kind, Phone, PhoneService, Ref, SecurityProfile, Service,
    ServiceActivation, UniversalDeviceTemplate,
};

/// Refuses an object that breaks a rule.
pub(super) fn check(
    directory: &Directory,
    id: Option<ObjectId>,
    before: Option<&Body>,
    body: &Body,
) -> Result<(), Refusal> {
    unique(directory, id, body)?;
    form::path_name(name_field(body.kind()), &body.name())?;
    if before.is_none_or(|before| before.name() != body.name()) {
        form::no_outer_spaces(name_field(body.kind()), &body.name())?;
    }
    match body {
        Body::ClusterSettings(settings) => system::check_cluster(settings),
        Body::Node(node) => system::check_node(directory, before, node),
        Body::ServiceActivation(activation) => {
            system::check_part(directory, before, activation.node, &activation.name)?;
            always_runs(before.and_then(ServiceActivation::from_body), activation)
        }
        Body::DateTimeGroup(group) => system::check_date_time_group(group),
        Body::SecurityProfile(profile) => system::check_security_profile(profile),
        Body::SipProfile(profile) => system::check_sip_profile(profile),
        Body::CommonDeviceConfiguration(one) => form::locale("locale", &one.locale),
        Body::Partition(partition) => form::partition_name(&partition.name),
        Body::VoicemailProfile(profile) => form::dialable("pilot", &profile.pilot),
        Body::Line(line) => {
            device::check_line(line)?;
            person::check_extension(directory, id, before, line)
        }
        Body::RoutePattern(route) => device::check_route_pattern(directory, before, route),
        Body::PhoneModel(model) => device::check_model(model),
        Body::Phone(phone) => {
            let old = before.and_then(Phone::from_body).map(|one| one.security_profile);
            served_anew(directory, old, phone.security_profile)?;
            device::check_phone(directory, before, phone)
        }
        Body::CtiRoutePoint(point) => {
            device::check_route_point(directory, point)?;
            provisioning::check_service_numbers(directory, id, before, point)
        }
        Body::PhoneService(service) => {
            let before = before.and_then(PhoneService::from_body);
            match before.is_some_and(|before| before.url == service.url) {
                true => Ok(()),
                false => form::page("url", &service.url),
            }
        }
        Body::CtiPort(port) => device::check_port(directory, port),
        Body::UniversalDeviceTemplate(template) => {
            let old = before.and_then(UniversalDeviceTemplate::from_body);
            served_anew(directory, old.map(|one| one.security_profile), template.security_profile)?;
            device::check_device_template(template)
        }
        Body::UniversalLineTemplate(template) => device::check_line_template(template),
        Body::UserProfile(profile) => person::check_profile(directory, before, profile),
        Body::EndUser(user) => person::check_user(directory, id, before, user),
        Body::ApplicationUser(user) => person::check_user_id(directory, id, &user.user_id),
        Body::AutoRegistration(settings) => {
            system::check_part(directory, before, settings.node, &settings.name)?;
            provisioning::check_auto_registration(directory, before, settings)
        }
        Body::SelfProvisioning(settings) => {
            provisioning::check_self_provisioning(directory, before, settings)
        }
        _ => Ok(()),
    }
}

/// What runs as long as its node does is not taken out: it would run all the same.
fn always_runs(
    before: Option<&Arc<ServiceActivation>>,
    activation: &ServiceActivation,
) -> Result<(), Refusal> {
    let lists = |one: &ServiceActivation| one.services.contains(&Service::CallManager);
    if lists(activation) || !before.is_some_and(|before| lists(before)) {
        return Ok(());
    }
    let service = Service::CallManager.name();
    let refusal = Refusal::new(Code::Protected).field("services").object("service", service);
    Err(refusal.value("rule", "service"))
}

/// Refuses a security profile with which a phone would be gone at its next restart.
pub(super) fn served(directory: &Directory, profile: Ref<SecurityProfile>) -> Result<(), Refusal> {
    let unserved = directory.get(profile).is_some_and(|profile| !profile.is_served());
    if unserved {
        Err(directory.refusal_about(Code::NothingListens, profile.id()).field("security_profile"))
    } else {
        Ok(())
    }
}

/// The same, where an object comes to use it; what used it before may be changed otherwise.
fn served_anew(
    directory: &Directory,
    before: Option<Ref<SecurityProfile>>,
    profile: Ref<SecurityProfile>,
) -> Result<(), Refusal> {
    if before == Some(profile) { Ok(()) } else { served(directory, profile) }
}

/// Writes what follows from a written object.
pub(super) fn follow(work: &mut Work<'_>, id: ObjectId, before: Option<&Body>, body: &Body) {
    match body {
        Body::Node(node) => system::follow_node(work, id, before, node),
        Body::UserProfile(profile) if profile.system_default => person::only_default(work, id),
        _ => {}
    }
}

/// Refuses to delete what the system needs.
pub(super) fn check_delete(
    directory: &Directory,
    id: ObjectId,
    body: &Body,
) -> Result<(), Refusal> {
    let protected = match body {
        Body::UserProfile(profile) => profile.system_default,
        Body::Node(node) => node.publisher,
        Body::ServiceActivation(_) | Body::AutoRegistration(_) => true,
        Body::UserGroup(group) => is_standard(&group.name),
        Body::Role(role) => is_standard(&role.name),
        body => body.kind().is_singleton(),
    };
    if protected { Err(directory.refusal_about(Code::Protected, id)) } else { Ok(()) }
}

/// The groups and roles with names that are part of the interface (CTI-41).
fn is_standard(name: &str) -> bool {
    name.starts_with("Standard ")
}

/// Refuses a name, number or key that another object has.
fn unique(directory: &Directory, id: Option<ObjectId>, body: &Body) -> Result<(), Refusal> {
    let kind = body.kind();
    if kind.is_singleton()
        && let Some((other, _)) = directory.after_name(kind, "").next()
        && Some(other) != id
    {
        return Err(directory.refusal_about(Code::Protected, other));
    }
    let name = body.name();
    let field = name_field(kind);
    let other = namesakes(kind).iter().find_map(|kind| directory.find(*kind, &name));
    let key = match body {
        Body::Line(line) => directory.number(line.number.as_str(), line.partition.map(Ref::id)),
        Body::RoutePattern(route) => {
            directory.number(route.pattern.as_str(), route.partition.map(Ref::id))
        }
        _ => None,
    };
    match other.filter(|other| Some(*other) != id).or(key.filter(|other| Some(*other) != id)) {
        Some(other) => Err(directory.refusal_about(Code::Duplicate, other).field(field)),
        None => Ok(()),
    }
}

/// The field that names an object of a kind.
fn name_field(kind: Kind) -> &'static str {
    match kind {
        Kind::EndUser | Kind::ApplicationUser => "user_id",
        Kind::Line => "number",
        Kind::RoutePattern => "pattern",
        _ => "name",
    }
}

/// The kinds that share their names with a kind.
fn namesakes(kind: Kind) -> &'static [Kind] {
    const DEVICES: &[Kind] = &[Kind::Phone, Kind::CtiRoutePoint, Kind::CtiPort];
    const ACCOUNTS: &[Kind] = &[Kind::EndUser, Kind::ApplicationUser];
    match kind {
        Kind::Phone | Kind::CtiRoutePoint | Kind::CtiPort => DEVICES,
        Kind::EndUser | Kind::ApplicationUser => ACCOUNTS,
        kind => {
            let at = Kind::ALL.iter().position(|one| *one == kind);
            at.map_or(&[], |at| &Kind::ALL[at..=at])
        }
    }
}
