use jackfield_vocabulary::ObjectId;
use serde::Serialize;

use super::explain::Finding;
use super::off::what_is_off;
use super::pilot;
use super::place::no_files;
use super::{Notice, Running};
use crate::{
    ApplicationUser, AutoRegistration, CtiRoutePoint, Directory, Language, Message, Privilege, Ref,
    Service,
};

/// The status of self-provisioning (SP-20).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Auto-registration and the IVR service are both on, on the publisher, and with all that they
    /// need: the number answers, or will when the start delay is over.
    pub ready: bool,
    /// "Ready", or what is off.
    pub text: String,
    /// What is off, each with the command that mends it.
    #[serde(skip)]
    pub off: Vec<Finding>,
    /// Both are on, and the IVR takes calls: it does so some time after its start (SP-18).
    pub in_service: bool,
    /// Why it takes no calls where everything is on.
    pub detail: Option<String>,
    /// What else there is to say.
    pub notices: Vec<Notice>,
}

/// Says whether self-provisioning is ready, and what is off or in the way.
pub fn status(directory: &Directory, running: Running<'_>, language: Language) -> Status {
    let off = what_is_off(directory, running, language);
    let texts: Vec<&str> = off.iter().map(|one| &*one.text).collect();
    let text = if off.is_empty() { Message::Ready.text(language) } else { texts.join(" ") };
    let ready = off.is_empty();
    let detail = not_in_service(directory, running, language).filter(|_| ready);
    let in_service = ready && detail.is_none();
    Status { ready, text, off, in_service, detail, notices: notices(directory, running, language) }
}

/// Why the IVR takes no calls though everything is on: its start delay is not over. The word "Ready"
/// says that everything is on (SP-20), and there is no third one.
fn not_in_service(
    directory: &Directory,
    running: Running<'_>,
    language: Language,
) -> Option<String> {
    let seconds = directory.self_provisioning().start_delay_seconds.to_string();
    let waits = running.ivr? != "in-service";
    waits.then(|| Message::IvrWaiting.with(language, &[("seconds", &seconds)]))
}

fn notices(directory: &Directory, running: Running<'_>, language: Language) -> Vec<Notice> {
    let settings = directory.self_provisioning();
    let mut notices = Vec::new();
    match settings.route_point {
        // Nobody is told to dial what leads to somebody else.
        Some(_) if pilot::out_of_reach(directory, language).is_some() => {}
        Some(point) => notices.push(Notice::note(route_point_note(directory, point, language))),
        None => notices.push(Notice::warning(Message::NoRoutePoint.text(language))),
    }
    match settings.application_user {
        Some(user) => {
            let password = running.application_user_has_password;
            let point = settings.route_point;
            let warnings = application_user_warnings(directory, user, point, password, language);
            notices.extend(warnings.into_iter().map(Notice::warning));
        }
        // Without one the IVR does not run (SP-26).
        None => notices.push(Notice::warning(Message::NoApplicationUser.text(language))),
    }
    if let Some((_, node)) = directory.publisher() {
        if !running.runs(Service::CtiManager) {
            let off = Message::CtiManagerOff.with(language, &[("node", &node.name)]);
            notices.push(Notice::warning(off));
        }
        let files = no_files(directory, &node.name, language);
        notices.extend(files.map(|one| Notice::warning(one.text)));
        let hint = Message::PhonesFindTheServer.with(language, &[("address", &node.address)]);
        notices.push(Notice::note(hint));
    }
    notices.extend(pilot::in_the_way(directory, language).into_iter().map(Notice::warning));
    let shortages = shortages(directory, language).into_iter();
    notices.extend(shortages.map(|one| Notice::warning(one.text)));
    notices.extend(restart(directory, running, language));
    // SP-05 wants this mode marked wherever it shows.
    if settings.mode == crate::AuthenticationMode::None {
        notices.push(Notice::warning(Message::ModeNone.text(language)));
    }
    notices.push(Notice::warning(Message::NoEmergencyCalls.text(language)));
    notices
}

/// Whether the IVR runs with older settings than those that are saved.
fn restart(directory: &Directory, running: Running<'_>, language: Language) -> Option<Notice> {
    match running.restart_needed {
        Some(needed) => needed.then(|| Notice::warning(Message::RestartNeeded.text(language))),
        None => {
            let (_, node) = directory.publisher()?;
            let text = Message::RestartNeededThere.with(language, &[("node", &node.name)]);
            running.runs(Service::SelfProvisioningIvr).then(|| Notice::note(text))
        }
    }
}

/// Where new phones find few numbers, or none, or no place.
pub fn shortages(directory: &Directory, language: Language) -> Vec<Finding> {
    let mut warnings = Vec::new();
    let open = directory.all::<AutoRegistration>().filter(|(_, settings)| !settings.disabled);
    for (_, settings) in open {
        let node = &*settings.name;
        let room = directory.room(settings);
        let (left, all) = (room.left.to_string(), room.all.to_string());
        if room.left == 0 {
            warnings.push(Message::RangeUsedUp.with(language, &[("node", node)]));
        } else if room.is_narrow() {
            let values = [("node", node), ("left", &*left), ("all", &*all)];
            warnings.push(Message::RangeRunsOut.with(language, &values));
        }
        let limit = settings.unassigned_limit;
        if directory.unassigned_count() >= limit as usize {
            let values = [("node", node), ("limit", &*limit.to_string())];
            warnings.push(Message::UnassignedFull.with(language, &values));
        }
    }
    // What would change it is part of the sentence.
    warnings.into_iter().map(|text| Finding { good: false, text, remedy: None }).collect()
}

/// What choosing a route point shows: its numbers, or that it has none (SP-21).
pub fn route_point_note(
    directory: &Directory,
    point: Ref<CtiRoutePoint>,
    language: Language,
) -> String {
    let numbers = numbers_of(directory, point.id());
    if numbers.is_empty() {
        return Message::NoNumberOnRoutePoint.text(language);
    }
    let between = match language {
        Language::English => ", ",
        Language::Japanese => "、",
    };
    Message::DialToAssign.with(language, &[("number", &numbers.join(between))])
}

/// What choosing an application user warns of (SP-22, SP-25).
pub fn application_user_warnings(
    directory: &Directory,
    user: Ref<ApplicationUser>,
    point: Option<Ref<CtiRoutePoint>>,
    has_password: bool,
    language: Language,
) -> Vec<String> {
    let Some(account) = directory.get(user) else { return Vec::new() };
    let privileges = directory.privileges(user.id());
    let mut warnings = Vec::new();
    if !account.enabled {
        let name = [("name", &*account.user_id)];
        warnings.push(Message::ApplicationUserDisabled.with(language, &name));
    }
    if !privileges.contains(&Privilege::CtiEnabled) {
        warnings.push(Message::CtiRoleMissing.text(language));
    }
    if !has_password {
        warnings.push(Message::CredentialsMissing.text(language));
    }
    if let Some((id, point)) = point.and_then(|id| Some((id, directory.get(id)?)))
        && !controls(directory, user, id)
    {
        warnings.push(Message::RoutePointNotControlled.with(language, &[("name", &point.name)]));
    }
    warnings
}

pub(super) fn controls(
    directory: &Directory,
    user: Ref<ApplicationUser>,
    point: Ref<CtiRoutePoint>,
) -> bool {
    directory.get(user).is_some_and(|user| user.controlled_route_points.contains(&point))
        || directory.privileges(user.id()).contains(&Privilege::CtiControlAllDevices)
}

/// The numbers of a device, as text.
pub(super) fn numbers_of(directory: &Directory, device: ObjectId) -> Vec<String> {
    let device = directory.effective(device);
    let lines = device.map(|device| device.lines).unwrap_or_default();
    lines.iter().map(|line| line.number().to_owned()).collect()
}
