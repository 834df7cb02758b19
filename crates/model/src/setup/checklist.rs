use serde::Serialize;

use super::off::allows;
use super::status::{controls, numbers_of};
use super::{Running, application_user_warnings};
use crate::{
    ApplicationUser, ClusterSettings, CtiRoutePoint, Directory, EndUser, FeatureGroupTemplate,
    Kind, Language, Message, Phone, Ref, Service, Text, UniversalDeviceTemplate,
    UniversalLineTemplate, UserProfile,
};

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Done.
    Done,
    /// Missing.
    Missing,
}

/// One step of a task flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its number, from 1.
    pub number: u8,
    /// What is to be done.
    pub title: String,
    /// How far it is.
    pub state: StepState,
    /// Whose setting it is, as `kind name`, or the kind where there is no object yet.
    pub object: String,
    /// What to do next, where it is missing.
    pub remedy: Option<String>,
}

/// A step before it has its number and words.
struct Draft {
    title: Message,
    done: bool,
    kind: Kind,
    name: Option<Text>,
    remedy: String,
}

/// What the steps look at.
struct Scene<'a> {
    directory: &'a Directory,
    running: Running<'a>,
    language: Language,
    node: Text,
    address: Text,
    point: Option<(Ref<CtiRoutePoint>, Text)>,
}

/// The task flow of self-provisioning: its six steps, then its prerequisites, the user profile and
/// the users (SP-54).
pub fn flow_of_six(directory: &Directory, running: Running<'_>, language: Language) -> Vec<Step> {
    let scene = Scene::new(directory, running, language);
    number(
        [
            scene.services(),
            scene.auto_registration(),
            scene.route_point(),
            scene.route_point_number(),
            scene.application_user(Message::StepApplicationUser),
            scene.settings(Message::StepSettings),
            scene.profile(),
            scene.users(Message::StepUsers),
        ],
        language,
    )
}

/// The task flow of nine steps, from the templates to the first dialled call (SP-59).
pub fn flow_of_nine(directory: &Directory, running: Running<'_>, language: Language) -> Vec<Step> {
    let scene = Scene::new(directory, running, language);
    number(
        [
            scene.templates(),
            scene.profile(),
            scene.feature_group_template(),
            scene.users(Message::StepDirectory),
            scene.application_user(Message::StepRoutePointAndUser),
            scene.auto_registration(),
            scene.self_provisioning(),
            scene.registering(),
            scene.dialling(),
        ],
        language,
    )
}

/// What can be left out, and what happens without it.
pub fn optional_steps(
    directory: &Directory,
    running: Running<'_>,
    language: Language,
) -> Vec<Step> {
    let scene = Scene::new(directory, running, language);
    number([scene.provisioning_networks()], language)
}

fn number<const N: usize>(drafts: [Draft; N], language: Language) -> Vec<Step> {
    let step = |(number, draft): (u8, Draft)| {
        let state = if draft.done { StepState::Done } else { StepState::Missing };
        Step {
            number,
            title: draft.title.text(language),
            state,
            object: match draft.name {
                Some(name) => format!("{} {name}", draft.kind),
                None => draft.kind.to_string(),
            },
            remedy: (!draft.done).then_some(draft.remedy),
        }
    };
    (1..).zip(drafts).map(step).collect()
}

impl<'a> Scene<'a> {
    fn new(directory: &'a Directory, running: Running<'a>, language: Language) -> Self {
        let publisher = directory.publisher().map(|(_, node)| node);
        let chosen = directory.self_provisioning().route_point;
        let point = chosen.or_else(|| directory.all().next().map(|(id, _)| id));
        let point = point.and_then(|id| Some((id, directory.get(id)?.name.clone())));
        let node = publisher.map(|node| node.name.clone()).unwrap_or_default();
        let address = publisher.map(|node| node.address.clone()).unwrap_or_default();
        Self { directory, running, language, node, address, point }
    }

    fn draft(&self, title: Message, kind: Kind, done: bool, remedy: Message) -> Draft {
        let label = Message::AutoRegistrationDisabled.text(self.language);
        let values = [("node", &*self.node), ("label", &*label)];
        let remedy = remedy.with(self.language, &values);
        Draft { title, done, kind, name: None, remedy }
    }

    fn services(&self) -> Draft {
        let wanted = [Service::SelfProvisioningIvr, Service::CtiManager];
        let done = wanted.iter().all(|one| self.directory.is_activated(&self.node, *one));
        let draft = self.draft(
            Message::StepServices,
            Kind::ServiceActivation,
            done,
            Message::RemedyServices,
        );
        Draft { name: Some(self.node.clone()), ..draft }
    }

    fn auto_registration(&self) -> Draft {
        let settings = self.directory.auto_registration(&self.node);
        let done = settings.is_some_and(|(_, settings)| !settings.disabled);
        let draft = self.draft(
            Message::StepAutoRegistration,
            Kind::AutoRegistration,
            done,
            Message::RemedyAutoRegistration,
        );
        Draft { name: Some(self.node.clone()), ..draft }
    }

    fn route_point(&self) -> Draft {
        let done = self.point.is_some();
        let draft = self.draft(
            Message::StepRoutePoint,
            Kind::CtiRoutePoint,
            done,
            Message::RemedyRoutePoint,
        );
        Draft { name: self.point.as_ref().map(|(_, name)| name.clone()), ..draft }
    }

    fn route_point_number(&self) -> Draft {
        let name = self.point.as_ref().map(|(_, name)| name.clone());
        let numbers = self.point.as_ref().map(|(id, _)| numbers_of(self.directory, id.id()));
        // Without a route point the step before this one comes first.
        let remedy = match &name {
            Some(name) => Message::RemedyRoutePointNumber.with(self.language, &[("name", &**name)]),
            None => Message::RemedyRoutePoint.text(self.language),
        };
        Draft {
            title: Message::StepRoutePointNumber,
            done: numbers.is_some_and(|numbers| !numbers.is_empty()),
            kind: Kind::CtiRoutePoint,
            name,
            remedy,
        }
    }

    /// The chosen application user, else one that controls the route point.
    fn application_user(&self, title: Message) -> Draft {
        let chosen = self.directory.self_provisioning().application_user;
        let point = self.point.as_ref().map(|(point, _)| *point);
        let controller = || {
            let mut users = self.directory.all::<ApplicationUser>();
            let point = point?;
            users.find(|(user, _)| controls(self.directory, *user, point)).map(|(user, _)| user)
        };
        let user = chosen.or_else(controller);
        let password = chosen.is_none() || self.running.application_user_has_password;
        let warnings = user.map(|user| {
            application_user_warnings(self.directory, user, point, password, self.language)
        });
        let done = point.is_some() && warnings.as_ref().is_some_and(Vec::is_empty);
        let mut draft =
            self.draft(title, Kind::ApplicationUser, done, Message::RemedyApplicationUser);
        if let Some(warning) = warnings.into_iter().flatten().next() {
            draft.remedy = warning;
        }
        draft.name = user.and_then(|user| self.directory.label(user.id()));
        draft
    }

    fn settings(&self, title: Message) -> Draft {
        let settings = self.directory.self_provisioning();
        let done = settings.route_point.is_some() && settings.application_user.is_some();
        self.draft(title, Kind::SelfProvisioning, done, Message::RemedySettings)
    }

    /// The settings are made, and the service runs with them.
    fn self_provisioning(&self) -> Draft {
        let mut draft = self.settings(Message::StepSelfProvisioning);
        if draft.done {
            let runs = self.running.runs(Service::SelfProvisioningIvr);
            draft.done = runs && self.running.restart_needed != Some(true);
            draft.remedy = if runs {
                Message::RestartNeeded.text(self.language)
            } else {
                Message::RemedyServices.with(self.language, &[("node", &self.node)])
            };
        }
        draft
    }

    /// The default profile, else any that allows self-provisioning.
    fn profile(&self) -> Draft {
        let default = self.directory.default_profile();
        let name = default.and_then(|id| self.directory.label(id.id()));
        let done = self.directory.all::<UserProfile>().any(|(_, profile)| allows(profile));
        let shown = name.clone().unwrap_or_default();
        let remedy = Message::RemedyProfile.with(self.language, &[("name", &shown)]);
        Draft { title: Message::StepProfile, done, kind: Kind::UserProfile, name, remedy }
    }

    fn users(&self, title: Message) -> Draft {
        let ready = |user: &EndUser| user.primary_extension.is_some();
        let done = self.directory.all::<EndUser>().any(|(_, user)| ready(user));
        self.draft(title, Kind::EndUser, done, Message::RemedyUsers)
    }

    /// The cluster's list of networks in which every phone gets its file with its password.
    fn provisioning_networks(&self) -> Draft {
        let mut settings = self.directory.all::<ClusterSettings>();
        let done = settings.any(|(_, cluster)| !cluster.provisioning_networks.is_empty());
        let title = Message::StepProvisioningNetworks;
        let remedy = Message::RemedyProvisioningNetworks;
        self.draft(title, Kind::ClusterSettings, done, remedy)
    }

    fn templates(&self) -> Draft {
        let devices = self.directory.all::<UniversalDeviceTemplate>().next().is_some();
        let lines = self.directory.all::<UniversalLineTemplate>().next().is_some();
        self.draft(
            Message::StepTemplates,
            Kind::UniversalDeviceTemplate,
            devices && lines,
            Message::RemedyTemplates,
        )
    }

    fn feature_group_template(&self) -> Draft {
        let named = |template: &FeatureGroupTemplate| template.user_profile.is_some();
        let done = self.directory.all::<FeatureGroupTemplate>().any(|(_, one)| named(one));
        self.draft(
            Message::StepFeatureGroupTemplate,
            Kind::FeatureGroupTemplate,
            done,
            Message::RemedyFeatureGroupTemplate,
        )
    }

    fn registering(&self) -> Draft {
        let done = self.directory.unassigned_count() > 0 || self.provisioned();
        let hint = Message::PhonesFindTheServer.with(self.language, &[("address", &self.address)]);
        let remedy = Message::RemedyRegister.with(self.language, &[("hint", &hint)]);
        let title = Message::StepRegister;
        Draft { title, done, kind: Kind::Phone, name: None, remedy }
    }

    fn dialling(&self) -> Draft {
        self.draft(Message::StepDial, Kind::Phone, self.provisioned(), Message::RemedyDial)
    }

    /// Some phone is somebody's.
    fn provisioned(&self) -> bool {
        self.directory
            .all::<Phone>()
            .any(|(_, phone)| phone.owner.is_some() && !phone.auto_registered)
    }
}
