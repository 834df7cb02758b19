//! Settings and status of self-provisioning (SP-20 to SP-26).

use jackfield_model::setup::{self, Running};
use jackfield_model::{
    ApplicationUser, AuthenticationMode, CredentialKind, CtiRoutePoint, Directory, Effect, Ids,
    Kind, Language, Message, Operation, Privilege, Role, SelfProvisioning, Service,
    is_guessable_code,
};
use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::{Map, Value, json};

use super::credential;
use super::service::{elsewhere, restart_everywhere, statuses};
use super::status::shown as findings_shown;
use crate::app::{App, not_found};
use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::fault::{Fault, describe};
use crate::object::{accept, keeps_id, shown};
use crate::operator::{Order, Reply, ServiceStatus};

/// What runs on the publisher, as the status needs it (SP-60).
pub(crate) struct Seen {
    services: Vec<Service>,
    ivr: Option<Box<str>>,
    /// None where only another node knows.
    restart_needed: Option<bool>,
    has_password: bool,
}

impl Seen {
    /// Asks the node and the store.
    pub(crate) async fn now(app: &App) -> Result<Self, Fault> {
        let statuses = statuses(app).await?;
        let user = app.directory().self_provisioning().application_user;
        let has_password = match user {
            // A database that does not say is no reason to say nothing of all the rest.
            Some(user) if app.store().answers() => has_password(app, user.id()).await?,
            Some(_) => true,
            None => false,
        };
        let directory = app.directory();
        let publisher = directory.publisher().map(|(_, node)| &node.name);
        if let Some(publisher) = publisher.filter(|name| ***name != *app.node()) {
            let running = elsewhere(app).await?.into_iter();
            let running = running.filter(|(node, _)| **node == **publisher);
            let services = running.map(|(_, service)| service).collect();
            // With which settings a service of another node started is known there only.
            return Ok(Self { services, ivr: None, restart_needed: None, has_password });
        }
        let is_ivr = |one: &&ServiceStatus| one.service == Service::SelfProvisioningIvr;
        let running = statuses.iter().filter(|status| status.running);
        let ivr = statuses.iter().find(is_ivr);
        Ok(Self {
            services: running.map(|status| status.service).collect(),
            // Where another node owns the number, that one answers.
            ivr: ivr.filter(|one| one.owner.is_none()).map(|one| one.state.clone()),
            restart_needed: Some(ivr.is_some_and(|one| one.restart_needed)),
            has_password,
        })
    }

    /// As the model takes it.
    pub(crate) fn running(&self) -> Running<'_> {
        Running {
            services: &self.services,
            ivr: self.ivr.as_deref(),
            restart_needed: self.restart_needed,
            application_user_has_password: self.has_password,
        }
    }
}

async fn has_password(app: &App, user: ObjectId) -> Result<bool, Fault> {
    let kind = CredentialKind::Password;
    Ok(app.blocking(move |store| store.has_credential(user, kind)).await?)
}

/// "Ready", or what is off (SP-20).
pub(crate) async fn status(call: Call) -> Result<Answer, Fault> {
    let seen = Seen::now(&call.app).await?;
    let directory = call.app.directory();
    let status = setup::status(&directory, seen.running(), call.language);
    let off = findings_shown(&status.off);
    let mut answer = serde_json::to_value(status).unwrap_or_default();
    answer["off"] = off;
    answer["restart_needed"] = seen.restart_needed.into();
    Ok(Answer::ok(answer))
}

/// The settings with the texts of their page.
pub(crate) async fn settings(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let (id, settings) = current(&directory)?;
    let entry = directory.entry(id).ok_or(Code::NotFound)?;
    let (warnings, code) = (warnings(&call, &settings).await?, code_is_set(&call.app, id).await?);
    let language = call.language;
    let notes =
        settings.route_point.map(|point| setup::route_point_note(&directory, point, language));
    let route_points = directory.all::<CtiRoutePoint>().map(|(point, device)| {
        let note = setup::route_point_note(&directory, point, language);
        json!({ "id": point.id(), "name": device.name, "note": note })
    });
    let route_points = route_points.collect::<Vec<_>>();
    let users = directory.all::<ApplicationUser>();
    let users = users.map(|(user, account)| json!({ "id": user.id(), "name": account.user_id }));
    let users = users.collect::<Vec<_>>();
    Ok(Answer::ok(json!({
        "settings": shown(&directory, id, entry),
        "modes": modes(language),
        "authentication_code_set": code,
        "authentication_code_enabled": settings.mode
            == AuthenticationMode::UsersAndAdministrators,
        "route_point_note": notes,
        "warnings": warnings,
        "not_selected": Message::NotSelected.text(language),
        "route_points": route_points,
        "application_users": users,
    }))
    .version(entry.version))
}

/// Saves settings.
pub(crate) async fn save(call: Call) -> Result<Answer, Fault> {
    if !call.body["settings"].is_object() {
        return Err(Refusal::new(Code::MissingField).field("settings").into());
    }
    let restart = call.body["restart"].as_str().map(Into::into);
    let settings = call.body["settings"].clone();
    save_settings(&call, &settings, restart, false).await
}

/// Changes some settings, by the path that every kind has.
pub(crate) async fn change(call: Call) -> Result<Answer, Fault> {
    let restart = call.query("restart").map(Into::into);
    save_settings(&call, &call.body, restart, false).await
}

/// Replaces all settings, by the path that every kind has.
pub(crate) async fn replace(call: Call) -> Result<Answer, Fault> {
    let restart = call.query("restart").map(Into::into);
    save_settings(&call, &call.body, restart, true).await
}

/// Sets the authentication code (SP-04).
pub(crate) async fn set_code(call: Call) -> Result<Answer, Fault> {
    let (owner, _) = current(&call.app.directory())?;
    let code = call.secret("code")?;
    let warning = is_guessable_code(&code).then(|| Message::GuessableCode.text(call.language));
    credential::set(&call, owner, CredentialKind::Code, Some(code)).await?;
    Ok(Answer::ok(json!({ "warnings": Vec::from_iter(warning) })))
}

/// Removes the authentication code.
pub(crate) async fn remove_code(call: Call) -> Result<Answer, Fault> {
    let (owner, _) = current(&call.app.directory())?;
    credential::set(&call, owner, CredentialKind::Code, None).await?;
    Ok(Answer::nothing())
}

/// Saves after the question, where one is due (SP-23, SP-24).
async fn save_settings(
    call: &Call,
    settings: &Value,
    restart: Option<Box<str>>,
    whole: bool,
) -> Result<Answer, Fault> {
    let restart = Restart::parse(restart.as_deref())?;
    if restart == Some(Restart::Now) {
        may_restart(call)?;
    }
    let directory = call.app.directory();
    let (id, before) = current(&directory)?;
    keeps_id(settings, id)?;
    let (mut patch, version) = accept(Kind::SelfProvisioning, settings)?;
    if whole {
        let defaults = serde_json::to_value(SelfProvisioning::default()).unwrap_or_default();
        patch = merged(defaults, patch);
    }
    let operation = Operation::Update { id, version: call.version.or(version), patch };
    // Judged before the question is asked: nobody is asked about what can't be saved.
    let after = evaluated(&operation, &directory)?;
    only_installed(call, &before, &after).await?;
    let asks = (before.route_point, before.application_user)
        != (after.route_point, after.application_user);
    if asks && restart.is_none() {
        return Err(question(may_restart(call).is_ok(), call.language));
    }
    call.app.execute(call.operation, call.actor(), operation).await?;
    let restarted = match restart {
        Some(Restart::Now) => Some(restart_everywhere(call, Service::SelfProvisioningIvr).await),
        _ => None,
    };
    saved(call, id, &after, restarted).await
}

/// To restart a service here takes what it takes elsewhere. Nothing is saved for those who may not.
fn may_restart(call: &Call) -> Result<(), Refusal> {
    let needed = Privilege::OperateServices;
    if call.privileges.contains(&needed) {
        return Ok(());
    }
    let directory = call.app.directory();
    let roles = directory.all::<Role>().filter(|(_, role)| role.privileges.contains(&needed));
    let roles: Vec<&str> = roles.map(|(_, role)| &*role.name).collect();
    let refusal = Refusal::new(Code::Forbidden).field("restart").value("rule", "restart");
    Err(refusal.value("privilege", needed.name()).value("roles", roles.join(", ")))
}

/// A language that is added must be installed; one whose pack was taken away may stay.
async fn only_installed(
    call: &Call,
    before: &SelfProvisioning,
    after: &SelfProvisioning,
) -> Result<(), Fault> {
    let added = after.languages.iter().filter(|one| !before.languages.contains(one));
    let added = added.collect::<Vec<_>>();
    if added.is_empty() {
        return Ok(());
    }
    let Reply::Languages(installed) = call.app.operate(Order::Languages).await? else {
        return Err(Code::Internal.into());
    };
    match added.iter().find(|tag| !installed.iter().any(|one| one.locale.as_ref() == tag.as_ref()))
    {
        Some(missing) => {
            let refusal = Refusal::new(Code::LanguageNotInstalled).field("languages");
            Err(refusal.value("name", missing).into())
        }
        None => Ok(()),
    }
}

async fn saved(
    call: &Call,
    id: ObjectId,
    settings: &SelfProvisioning,
    restarted: Option<Result<(), Refusal>>,
) -> Result<Answer, Fault> {
    let message = match &restarted {
        None => Message::Saved,
        Some(Ok(())) => Message::SavedAndRestarted,
        Some(Err(_)) => Message::SavedRestartFailed,
    };
    let failure = restarted.and_then(Result::err).map(|why| describe(&why, call.language));
    let restart_needed = Seen::now(&call.app).await.ok().and_then(|seen| seen.restart_needed);
    // What is saved is saved, also when nobody can say what it lacks.
    let warnings = warnings(call, settings).await.unwrap_or_default();
    let directory = call.app.directory();
    let entry = directory.entry(id).ok_or(Code::NotFound)?;
    Ok(Answer::ok(json!({
        "message": message.text(call.language),
        "restart_failure": failure,
        "restart_needed": restart_needed,
        "warnings": warnings,
        "settings": shown(&directory, id, entry),
    }))
    .version(entry.version))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restart {
    Now,
    Later,
}

impl Restart {
    fn parse(text: Option<&str>) -> Result<Option<Self>, Refusal> {
        match text {
            None => Ok(None),
            Some("now") => Ok(Some(Self::Now)),
            Some("later") => Ok(Some(Self::Later)),
            Some(found) => Err(Refusal::new(Code::InvalidValue)
                .field("restart")
                .value("found", found)
                .value("allowed", "now | later")),
        }
    }
}

/// The question of SP-23 with its answers, of which those who may not restart services have two;
/// nothing is saved.
fn question(may_restart: bool, language: Language) -> Fault {
    let answer = |restart: Value, label: Message| json!({ "restart": restart, "label": label.text(language) });
    let now = may_restart.then(|| answer("now".into(), Message::SaveAndRestartNow));
    let others = [
        answer("later".into(), Message::SaveWithoutRestarting),
        answer(Value::Null, Message::Cancel),
    ];
    let answers: Value = now.into_iter().chain(others).collect();
    Fault::Question {
        body: json!({
            "code": "restart-choice-needed",
            "message": Message::RestartQuestion.text(language),
            "field": "restart",
            "object": null,
            "remedy": "",
            "answers": answers,
        }),
    }
}

/// What the choices warn of (SP-05, SP-22, SP-25).
async fn warnings(call: &Call, settings: &SelfProvisioning) -> Result<Vec<String>, Fault> {
    let mut warnings = match settings.application_user {
        Some(user) => {
            let password = has_password(&call.app, user.id()).await?;
            let (directory, point) = (call.app.directory(), settings.route_point);
            setup::application_user_warnings(&directory, user, point, password, call.language)
        }
        None => vec![Message::NoApplicationUser.text(call.language)],
    };
    // This mode is marked wherever it is chosen (SP-05).
    if settings.mode == AuthenticationMode::None {
        warnings.push(Message::ModeNone.text(call.language));
    }
    if settings.mode == AuthenticationMode::UsersAndAdministrators {
        let (owner, _) = current(&call.app.directory())?;
        if !code_is_set(&call.app, owner).await? {
            warnings.push(Message::NoCodeSet.text(call.language));
        }
    }
    Ok(warnings)
}

/// The modes with what the page says of each.
fn modes(language: Language) -> Value {
    let modes = [
        (AuthenticationMode::UsersOnly, Message::ModeUsersOnly),
        (AuthenticationMode::UsersAndAdministrators, Message::ModeUsersAndAdministrators),
        (AuthenticationMode::None, Message::ModeNone),
    ];
    let row = |(mode, text): (AuthenticationMode, Message)| json!({ "mode": mode, "text": text.text(language) });
    modes.map(row).into_iter().collect()
}

async fn code_is_set(app: &App, owner: ObjectId) -> Result<bool, Fault> {
    let kind = CredentialKind::Code;
    Ok(app.blocking(move |store| store.has_credential(owner, kind)).await?)
}

fn current(directory: &Directory) -> Result<(ObjectId, SelfProvisioning), Refusal> {
    let found = directory.all::<SelfProvisioning>().next();
    let (id, settings) = found.ok_or_else(|| not_found("self-provisioning", ""))?;
    Ok((id.id(), SelfProvisioning::clone(settings)))
}

/// What the settings would be.
fn evaluated(operation: &Operation, directory: &Directory) -> Result<SelfProvisioning, Refusal> {
    let mut ids = Ids::after(ObjectId(u32::MAX - 1));
    let verdict = operation.evaluate(directory, &mut ids, wall())?;
    let settings = verdict.effects.iter().find_map(|effect| match effect {
        Effect::Put { body: jackfield_model::Body::SelfProvisioning(settings), .. } => {
            Some(SelfProvisioning::clone(settings))
        }
        _ => None,
    });
    // Nothing changed: as it is.
    settings.map_or_else(|| current(directory).map(|(_, settings)| settings), Ok)
}

fn merged(defaults: Value, patch: Value) -> Value {
    let (Value::Object(mut fields), Value::Object(patch)) = (defaults, patch) else {
        return Value::Object(Map::new());
    };
    fields.extend(patch);
    fields.into()
}
