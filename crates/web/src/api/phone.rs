//! What one does with a phone and its owner.

use core::time::Duration;

use jackfield_model::{
    Directory, EndUser, Kind, Message, Node, Operation, Outcome, Phone, ProvenBy, Ref, setup,
};
use jackfield_store::StoreError;
use jackfield_vocabulary::{Code, DeviceRestart, ObjectId, Refusal};
use serde_json::{Value, json};

use crate::app::{App, not_among};
use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::deed;
use crate::fault::{Fault, describe};
use crate::object::{find, link, warn};
use crate::operator::{Order, Reply, mismatch};

use super::window::{named, shown};

/// What is known of a device at this moment.
pub(crate) async fn state(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let name = call.param("name");
    let device = directory.device(name).ok_or_else(|| {
        let known = directory.similar_name(Kind::Phone, name);
        not_among("device", name, known.as_deref())
    })?;
    match call.app.operate(Order::Inspect { device }).await? {
        Reply::Device(state) => {
            let refusal = state.refused.as_ref().map(|last| describe(&last.refusal, call.language));
            let silent: Vec<Value> =
                state.silent_lines.iter().map(|line| link(&directory, *line)).collect();
            let mut answer = serde_json::to_value(state).unwrap_or_default();
            answer["silent_lines"] = silent.into();
            if let Some(refusal) = refusal {
                answer["refused"]["refusal"] = refusal;
            }
            if answer["registered"] == false {
                answer["registered_at"] = json!(registered_elsewhere(&call.app, device).await);
            }
            let window = call.app.files().window(device);
            answer["window"] = window.as_ref().map_or(Value::Null, shown);
            answer["id"] = device.0.into();
            answer["kind"] = directory.entry(device).map(|entry| entry.body.kind().name()).into();
            Ok(Answer::ok(answer))
        }
        other => Err(mismatch(&other).into()),
    }
}

/// The other node at which a phone is registered; none when the database can't say.
pub(crate) async fn registered_elsewhere(app: &App, device: ObjectId) -> Option<Box<str>> {
    // Nothing is asked where there is no other node.
    app.directory().all::<Node>().nth(1)?;
    let asked = app.blocking(move |store| store.registered_at(device, wall()));
    let node = tokio::time::timeout(PATIENCE, asked).await.ok()?;
    node.ok().flatten().filter(|node| **node != *app.node())
}

/// Tells a phone to restart.
pub(crate) async fn restart(call: Call) -> Result<Answer, Fault> {
    let restart = match call.body["restart"].as_str() {
        None | Some("restart") => DeviceRestart::Restart,
        Some("reset") => DeviceRestart::Reset,
        Some("resync") => DeviceRestart::Resync,
        Some(found) => {
            return Err(Refusal::new(Code::InvalidValue)
                .field("restart")
                .value("found", found)
                .value("allowed", "restart | reset | resync")
                .into());
        }
    };
    let device = phone(&call, call.param("name"))?;
    let done = call.app.operate(Order::Restart { device, restart }).await;
    deed::note(&call, call.deed, Some(device), json!({ "restart": restart }), &done);
    accepted(done?)
}

/// Shows a text.
pub(crate) async fn text(call: Call) -> Result<Answer, Fault> {
    let text = call.text("text")?;
    if text.trim().is_empty() {
        let refusal = Refusal::new(Code::InvalidValue).field("text");
        return Err(refusal.value("allowed", "length 1..128").into());
    }
    let device = phone(&call, call.param("name"))?;
    let done = call.app.operate(Order::ShowText { device, text: text.into() }).await;
    deed::note(&call, call.deed, Some(device), json!({ "text": text }), &done);
    accepted(done?)
}

/// Makes a phone a user's own.
pub(crate) async fn assign(call: Call) -> Result<Answer, Fault> {
    let device = phone(&call, call.param("name"))?;
    let user = user(&call, call.text("user")?)?;
    let operation = Operation::Assign { device, user, proven_by: ProvenBy::Administrator };
    let outcome = call.app.execute(call.operation, call.actor(), operation).await?;
    moved(&call, device, outcome).await
}

/// Takes a phone from its owner.
pub(crate) async fn unassign(call: Call) -> Result<Answer, Fault> {
    let device = phone(&call, call.param("name"))?;
    let known = call.app.directory();
    let waits = known.typed::<Phone>(device).filter(|phone| phone.auto_registered);
    if let Some(phone) = waits.filter(|phone| !phone.lines.is_empty()) {
        // It is nobody's already, and goes on as it is.
        let line = phone.lines.first().and_then(|first| known.get(first.line));
        let extension = line.map(|line| line.number.as_str());
        return Ok(Answer::ok(json!({
            "phone": link(&known, device), "extension": extension, "waits_already": true,
        })));
    }
    let operation = Operation::Unassign { device };
    let outcome = call.app.execute(call.operation, call.actor(), operation).await?;
    moved(&call, device, outcome).await
}

/// Puts a new phone in the place of an old one.
pub(crate) async fn replace(call: Call) -> Result<Answer, Fault> {
    let old = phone(&call, call.param("name"))?;
    let new = phone(&call, call.text("new")?)?;
    let operation = Operation::ReplacePhone { old, new };
    let outcome = call.app.execute(call.operation, call.actor(), operation).await?;
    moved(&call, new, outcome).await
}

/// Gives a phone a new secret, and tells it this once, for phones that read no files. That opens no
/// window: it is the answer to a secret that is known where it should not be.
pub(crate) async fn rotate_secret(call: Call) -> Result<Answer, Fault> {
    let device = phone(&call, call.param("name"))?;
    let operation = Operation::RotateDeviceSecret { device };
    call.app.execute(call.operation, call.actor(), operation).await?;
    Ok(Answer::ok(account(&call.app, device)))
}

/// What is entered in a phone that reads no files, as its plain file would say it.
fn account(app: &App, device: ObjectId) -> Value {
    let directory = app.directory();
    let effective = directory.effective(device);
    let name = directory.label(device);
    let number = effective.and_then(|known| Some(known.lines.first()?.number().to_owned()));
    json!({
        "server": app.files().sip_authority(),
        "user": number.or_else(|| name.as_ref().map(ToString::to_string)),
        "auth_user": name,
        "password": directory.secrets().sip_password(device).reveal(),
    })
}

/// Removes a user who leaves; the phones are told that they are somebody else's from now on.
pub(crate) async fn quick_remove(call: Call) -> Result<Answer, Fault> {
    let user = user(&call, call.text("user")?)?;
    let directory = call.app.directory();
    let owned: Vec<ObjectId> =
        directory.owned(user).filter(|one| directory.typed::<Phone>(*one).is_some()).collect();
    let extension = directory.typed::<EndUser>(user).and_then(|user| user.primary_extension);
    let number = extension.and_then(|line| directory.label(line.id()));
    let name = directory.label(user);
    let operation = Operation::QuickRemove { user };
    call.app.execute(call.operation, call.actor(), operation).await?;
    let after = call.app.directory();
    let kept = extension.filter(|line| after.entry(line.id()).is_some());
    let others = kept.into_iter().flat_map(|line| setup::holders(&after, line.id()));
    let others: Vec<Value> = others.map(|one| with_kind(&after, one)).collect();
    let gone = [user].into_iter().chain(extension.filter(|_| kept.is_none()).map(Ref::id));
    let (gone, language) = (gone.collect(), call.language);
    let told = move |_: &_| {
        let mut told = setup::left_behind(&directory, &gone, language);
        told.extend(setup::left_by(&directory, &after, user, language));
        Ok::<_, StoreError>(told)
    };
    let told = call.app.blocking(told).await?;
    let mut phones = Vec::new();
    for device in owned {
        let phone = call.app.directory().effective(device);
        let extension = phone.and_then(|phone| Some(phone.lines.first()?.number().into()));
        let outcome = Outcome::Unassigned { device, extension };
        phones.push(told_to_move(&call, device, outcome).await);
    }
    let mut answer = json!({
        "user": name, "extension": number, "extension_kept": kept.is_some(),
        "extension_users": others, "phones": phones,
    });
    warn(&mut answer, told);
    Ok(Answer::ok(answer))
}

/// A reference that says of what kind it is.
fn with_kind(directory: &Directory, to: ObjectId) -> Value {
    let mut shown = link(directory, to);
    shown["kind"] = directory.entry(to).map(|entry| entry.body.kind().name()).into();
    shown
}

/// A phone has another owner now: it must fetch its file and register anew. That the phone can't
/// be told now does not undo what is committed.
async fn moved(call: &Call, device: ObjectId, outcome: Outcome) -> Result<Answer, Fault> {
    Ok(Answer::ok(told_to_move(call, device, outcome).await))
}

async fn told_to_move(call: &Call, device: ObjectId, outcome: Outcome) -> Value {
    let networks = call.app.files().whereabouts(device);
    let directory = call.app.directory();
    let mut answer =
        json!({ "phone": link(&directory, device), "file_addresses": named(&networks) });
    call.app.files().open_window(device, networks, WINDOW);
    match outcome {
        Outcome::Assigned { user, extension, .. } => {
            answer["user"] = link(&directory, user);
            answer["extension"] = (&*extension).into();
        }
        Outcome::Unassigned { extension, .. } => {
            answer["extension"] = extension.as_deref().into();
            if extension.is_none() {
                let name = directory.label(device).unwrap_or_default();
                let told = Message::NoNumberToLend.with(call.language, &[("name", &name)]);
                warn(&mut answer, vec![told]);
            }
        }
        _ => {}
    }
    let restart = Order::Restart { device, restart: DeviceRestart::Restart };
    answer["restart"] = match call.app.operate(restart).await {
        Ok(_) => "sent".into(),
        Err(refusal) => describe(&refusal, call.language),
    };
    answer
}

fn accepted(reply: Reply) -> Result<Answer, Fault> {
    match reply {
        Reply::Accepted => Ok(Answer::nothing()),
        other => Err(mismatch(&other).into()),
    }
}

pub(super) fn phone(call: &Call, name: &str) -> Result<ObjectId, Refusal> {
    find(&call.app.directory(), Kind::Phone, name)
}

/// An end user by user ID, self-service ID or id.
fn user(call: &Call, name: &str) -> Result<ObjectId, Refusal> {
    let directory = call.app.directory();
    directory
        .named::<EndUser>(name)
        .map(|(user, _)| user.id())
        .or_else(|| directory.user_by_self_service_id(name).user())
        .map_or_else(|| find(&directory, Kind::EndUser, name), Ok)
}

/// Long enough for a restart and a fetch.
const WINDOW: Duration = Duration::from_secs(600);

/// A database that does not say in time where a phone is need not be waited for.
const PATIENCE: Duration = Duration::from_secs(2);
