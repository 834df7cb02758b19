//! The commands that do the next step of a checklist, ready to be typed.

use jackfield_model::setup::{Running, Step, StepState, quoted};
use jackfield_model::{
    ApplicationUser, CtiRoutePoint, Directory, FeatureGroupTemplate, Kind, Service,
    UniversalDeviceTemplate, UserProfile,
};

/// What would do this step; nothing where it is done, or where no command can do it.
pub(crate) fn commands(directory: &Directory, running: &Running<'_>, step: &Step) -> Vec<String> {
    if step.state == StepState::Done {
        return Vec::new();
    }
    let (kind, name) = match step.object.split_once(' ') {
        Some((kind, name)) => (kind, Some(name)),
        None => (&*step.object, None),
    };
    let Ok(kind) = kind.parse::<Kind>() else { return Vec::new() };
    match kind {
        Kind::ServiceActivation => activations(directory, name.unwrap_or_default()),
        Kind::AutoRegistration => vec![format!(
            "jackfield set auto-registration {} --starting-number 9000 --ending-number 9099 \
             --disabled false",
            quoted(name.unwrap_or_default())
        )],
        Kind::CtiRoutePoint => match name {
            Some(name) => vec![
                add_number(),
                format!("jackfield set cti-route-point {} --lines {NUMBER}", quoted(name)),
            ],
            None => route_point(),
        },
        Kind::ApplicationUser => application_user(directory, running, name),
        Kind::SelfProvisioning => settings(directory, running),
        Kind::ClusterSettings => {
            vec!["jackfield set cluster-settings --provisioning-networks 192.0.2.0/24".into()]
        }
        Kind::UserProfile => vec![profile(directory, name)],
        Kind::EndUser => {
            let template = first::<FeatureGroupTemplate>(directory, "Default");
            vec![format!("jackfield quick-add tanaka --template {template} --extension 3001")]
        }
        Kind::UniversalDeviceTemplate => vec![
            "jackfield add universal-device-template --help".into(),
            "jackfield add universal-line-template --help".into(),
        ],
        Kind::FeatureGroupTemplate => {
            let profile = first::<UserProfile>(directory, "Default");
            vec![format!(
                "jackfield add feature-group-template --name Default --user-profile {profile}"
            )]
        }
        _ => Vec::new(),
    }
}

fn activations(directory: &Directory, node: &str) -> Vec<String> {
    let wanted = [Service::CtiManager, Service::SelfProvisioningIvr];
    let missing = wanted.iter().filter(|service| !directory.is_activated(node, **service));
    missing.map(|service| format!("jackfield services activate {}", service.name())).collect()
}

fn add_number() -> String {
    format!("jackfield add line --number {NUMBER} --alerting-name \"Self-provisioning\"")
}

fn route_point() -> Vec<String> {
    let add = format!("jackfield add cti-route-point --name {POINT} --lines {NUMBER}");
    vec![add_number(), add]
}

/// A user that is there is changed by hand: its groups and devices are somebody's choice.
fn application_user(
    directory: &Directory,
    running: &Running<'_>,
    name: Option<&str>,
) -> Vec<String> {
    if let Some(name) = name {
        let chosen = directory.self_provisioning().application_user.is_some();
        return match chosen && !running.application_user_has_password {
            true => vec![format!("jackfield password {}", quoted(name))],
            false => vec!["jackfield set application-user --help".into()],
        };
    }
    let mut commands = match directory.all::<CtiRoutePoint>().next() {
        Some(_) => Vec::new(),
        None => route_point(),
    };
    let point = first::<CtiRoutePoint>(directory, POINT);
    commands.push(format!(
        "jackfield add application-user --user-id {USER} \
         --groups \"Standard CTI Enabled\" --controlled-route-points {point}"
    ));
    commands.push(format!("jackfield password {USER}"));
    commands
}

fn settings(directory: &Directory, running: &Running<'_>) -> Vec<String> {
    let settings = directory.self_provisioning();
    if settings.route_point.is_none() || settings.application_user.is_none() {
        let point = first::<CtiRoutePoint>(directory, POINT);
        let controls = |user: &ApplicationUser| !user.controlled_route_points.is_empty();
        let user = directory.all::<ApplicationUser>().find(|(_, user)| controls(user));
        let user = user.map_or_else(|| USER.into(), |(_, user)| quoted(&user.user_id));
        return vec![format!(
            "jackfield self-provisioning set --route-point {point} --application-user {user} \
             --restart now"
        )];
    }
    let service = Service::SelfProvisioningIvr;
    let node = directory.publisher().map(|(_, node)| node.name.clone()).unwrap_or_default();
    if !directory.is_activated(&node, service) {
        return activations(directory, &node);
    }
    let action = if running.services.contains(&service) { "restart" } else { "start" };
    vec![format!("jackfield services {action} {}", service.name())]
}

fn profile(directory: &Directory, name: Option<&str>) -> String {
    let name = name.unwrap_or("Default");
    let mut command =
        format!("jackfield set user-profile {} --allow-self-provisioning true", quoted(name));
    let found = directory.named::<UserProfile>(name);
    if found.is_some_and(|(_, profile)| profile.desk_phones.is_none()) {
        let template = first::<UniversalDeviceTemplate>(directory, "NAME");
        command.push_str(&format!(" --desk-phones {template}"));
    }
    command
}

/// The name of the first object of a kind, as it is typed.
fn first<T: jackfield_model::Declared>(directory: &Directory, otherwise: &str) -> String {
    let found = directory.all::<T>().next().and_then(|(id, _)| directory.label(id.id()));
    quoted(found.as_deref().unwrap_or(otherwise))
}

const NUMBER: &str = "2000";
const POINT: &str = "IVR";
const USER: &str = "ivr";
