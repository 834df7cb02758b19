//! What keeps the self-provisioning number from answering, each with the command that mends it.

use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::Running;
use super::command::quoted;
use super::explain::Finding;
use super::pilot;
use super::status::{controls, numbers_of};
use crate::{
    ApplicationUser, CtiRoutePoint, Directory, Language, Message, Node, Privilege, Ref, Service,
    UserProfile, sentence,
};

/// Everything that is off, the first things first.
pub(super) fn what_is_off(
    directory: &Directory,
    running: Running<'_>,
    language: Language,
) -> Vec<Finding> {
    let Some((_, node)) = directory.publisher() else {
        let remedy = "`jackfield set node NAME --publisher true`".into();
        return vec![Finding::bad(Message::NoPublisher.text(language), remedy)];
    };
    let scene = Scene { directory, running, language, node };
    let mut off: Vec<Finding> = scene.registration().into_iter().collect();
    off.extend(scene.service(Service::SelfProvisioningIvr, Message::IvrOff));
    off.extend(scene.service(Service::CtiManager, Message::CtiManagerOff));
    off.extend(scene.route_point());
    off.extend(scene.application_user());
    off.extend(scene.profile());
    if off.is_empty() {
        off.extend(running.ivr.and_then(|state| scene.failure(state)));
    }
    off
}

/// Why the IVR takes no calls, from its state; nothing where that says enough by itself.
pub fn ivr_failure(state: &str, language: Language) -> Option<String> {
    // Nobody can say whose the number is; by another owner that one answers.
    if state.starts_with("standing by (the database") {
        return Some(Message::DatabaseAway.text(language));
    }
    let word = state.split_once(' ').map_or(state, |(word, _)| word);
    let message = match word {
        "stopped" | "waiting" | "in-service" | "standing" | "" => return None,
        "no-application-user" | "no-route-point" => Message::IvrStartedWithout,
        "no-language-pack" => Message::IvrWithoutLanguage,
        "service-inactive" => Message::IvrWithoutCtiManager,
        "forbidden" | "disabled" => Message::IvrMayNot,
        "not-found" => Message::IvrOutdated,
        _ => Message::IvrTriesAgain,
    };
    let code = Code::ALL.iter().find(|code| code.name() == word);
    let why = code.map(|code| sentence(&Refusal::new(*code), language).message);
    let values: Vec<_> = why.iter().map(|why| ("why", &**why)).collect();
    Some(message.with(language, &values))
}

/// Somebody whose profile this is can self-provision.
pub(super) fn allows(profile: &UserProfile) -> bool {
    let device = profile.desk_phones.or(profile.mobile_and_desktop_devices);
    profile.allow_self_provisioning && device.is_some()
}

struct Scene<'a> {
    directory: &'a Directory,
    running: Running<'a>,
    language: Language,
    node: &'a Node,
}

impl Scene<'_> {
    fn registration(&self) -> Option<Finding> {
        let found = self.directory.auto_registration(&self.node.name);
        if found.is_some_and(|(_, settings)| !settings.disabled) {
            return None;
        }
        let range = match found {
            Some((_, settings)) if !settings.starting_number.is_empty() => "",
            _ => " --starting-number 9000 --ending-number 9099",
        };
        let node = quoted(&self.node.name);
        let command = format!("set auto-registration {node}{range} --disabled false");
        Some(self.off(Message::AutoRegistrationOff, &self.node.name, &command))
    }

    fn service(&self, service: Service, message: Message) -> Option<Finding> {
        if self.running.runs(service) {
            return None;
        }
        let activated = self.directory.is_activated(&self.node.name, service);
        let action = if activated { "start" } else { "activate" };
        let node = quoted(&self.node.name);
        let command = format!("services {action} {} --node {node}", service.name());
        Some(self.off(message, &self.node.name, &command))
    }

    fn route_point(&self) -> Option<Finding> {
        let chosen = self.directory.self_provisioning().route_point;
        let Some(point) = chosen.and_then(|id| Some((id, self.directory.get(id)?))) else {
            let all = self.directory.all::<CtiRoutePoint>();
            let point = self.only_one(all.map(|(_, point)| &*point.name));
            let command = format!("self-provisioning set --route-point {point} --restart now");
            return Some(self.off(Message::NoRoutePoint, "", &command));
        };
        let (id, point) = point;
        if numbers_of(self.directory, id.id()).is_empty() {
            let command = format!("set cti-route-point {} --lines NUMBER", quoted(&point.name));
            return Some(self.off(Message::NoNumberOnRoutePoint, "", &command));
        }
        pilot::out_of_reach(self.directory, self.language)
    }

    fn application_user(&self) -> Option<Finding> {
        let chosen = self.directory.self_provisioning().application_user;
        let Some((id, user)) = chosen.and_then(|id| Some((id, self.directory.get(id)?))) else {
            let all = self.directory.all::<ApplicationUser>();
            let fit = all.filter(|(_, user)| !user.controlled_route_points.is_empty());
            let user = self.only_one(fit.map(|(_, user)| &*user.user_id));
            let command = format!("self-provisioning set --application-user {user} --restart now");
            return Some(self.off(Message::NoApplicationUser, "", &command));
        };
        let set = format!("set application-user {}", quoted(&user.user_id));
        if !user.enabled {
            let command = format!("{set} --enabled true");
            return Some(self.off(Message::ApplicationUserDisabled, &user.user_id, &command));
        }
        if !self.directory.privileges(id.id()).contains(&Privilege::CtiEnabled) {
            let groups = self.with(user.groups.iter().map(|one| one.id()), "Standard CTI Enabled");
            let command = format!("{set} --groups {groups}");
            return Some(self.off(Message::CtiRoleMissing, &user.user_id, &command));
        }
        self.control(id, user, &set)
    }

    fn control(
        &self,
        id: Ref<ApplicationUser>,
        user: &ApplicationUser,
        set: &str,
    ) -> Option<Finding> {
        let point = self.directory.self_provisioning().route_point?;
        if controls(self.directory, id, point) {
            return None;
        }
        let name = self.directory.label(point.id())?;
        let points = self.with(user.controlled_route_points.iter().map(|one| one.id()), &name);
        let command = format!("{set} --controlled-route-points {points}");
        Some(self.off(Message::RoutePointNotControlled, &name, &command))
    }

    /// Nobody's profile lets them.
    fn profile(&self) -> Option<Finding> {
        if self.directory.all::<UserProfile>().any(|(_, profile)| allows(profile)) {
            return None;
        }
        let default = self.directory.default_profile();
        let name = default.and_then(|id| self.directory.label(id.id())).unwrap_or_default();
        let mut command =
            format!("set user-profile {} --allow-self-provisioning true", quoted(&name));
        if default.and_then(|id| self.directory.get(id)?.desk_phones).is_none() {
            command.push_str(" --desk-phones NAME");
        }
        Some(self.off(Message::NoProfileAllows, &name, &command))
    }

    /// Everything is there, and the IVR takes no calls all the same.
    fn failure(&self, state: &str) -> Option<Finding> {
        let text = ivr_failure(state, self.language)?;
        let remedy = match state {
            "no-language-pack" => "`jackfield languages`; `jackfield self-provisioning set \
                 --languages en-US`; `jackfield services restart self-provisioning-ivr`"
                .into(),
            // It runs with the settings of its start.
            "no-application-user" | "no-route-point" | "not-found" => {
                "`jackfield services restart self-provisioning-ivr`".into()
            }
            _ => Message::RemedyRetry.text(self.language),
        };
        Some(Finding::bad(text, remedy))
    }

    fn off(&self, message: Message, name: &str, command: &str) -> Finding {
        let values = [("node", name), ("name", name)];
        Finding::bad(message.with(self.language, &values), format!("`jackfield {command}`"))
    }

    /// The only name, as it is typed; where there are several, or none, a place for it.
    fn only_one<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> String {
        match (names.next(), names.next()) {
            (Some(name), None) => quoted(name),
            _ => "NAME".into(),
        }
    }

    /// A list that is replaced whole, with one more in it.
    fn with(&self, there: impl Iterator<Item = ObjectId>, more: &str) -> String {
        let mut names: Vec<String> =
            there.filter_map(|id| self.directory.label(id)).map(|name| name.to_string()).collect();
        names.push(more.into());
        quoted(&names.join(","))
    }
}
