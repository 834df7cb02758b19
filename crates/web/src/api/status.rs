//! What is going on, languages and backups.

use jackfield_model::setup::{self, Finding, Place};
use jackfield_model::{Message, Node, Phone, Service};
use jackfield_store::{SHORTEST_PASSPHRASE, StoreError, backup as write_backup};
use jackfield_vocabulary::{Code, Refusal, SecretText};
use serde_json::{Value, json};

use super::service::{elsewhere, statuses};
use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::deed;
use crate::fault::Fault;
use crate::operator::{Order, Reply, mismatch};

/// What is going on.
pub(crate) async fn status(call: Call) -> Result<Answer, Fault> {
    let overview = match call.app.operate(Order::Overview).await? {
        Reply::Overview(overview) => overview,
        other => return Err(mismatch(&other).into()),
    };
    let directory = call.app.directory();
    let place = place(&call).await;
    let mut warned: Vec<Finding> = database_away(&call).into_iter().collect();
    warned.extend(silent_nodes(&call).await);
    warned.extend(place.iter().flat_map(|at| setup::misplaced(&directory, at, call.language)));
    warned.extend(setup::shortages(&directory, call.language));
    let mut answer = serde_json::to_value(overview).unwrap_or_default();
    answer["place"] = json!(place);
    answer["warnings"] = shown(&warned);
    answer["notes"] = json!(ask_the_others(&call).as_slice());
    answer["node"] = call.app.node().into();
    answer["directory_sequence"] = directory.sequence().into();
    answer["objects"] = directory.len().into();
    answer["phones_without_owner"] = directory.unassigned_count().into();
    answer["phones_not_registered"] = not_registered(&call).await.into();
    answer["services"] = json!(statuses(&call.app).await?);
    Ok(Answer::ok(answer))
}

/// How many phones that wait for no owner are registered nowhere, as those that were assigned and did
/// not come; `None` while the database does not answer.
async fn not_registered(call: &Call) -> Option<usize> {
    let directory = call.app.directory();
    let counted = call.app.blocking(move |store| {
        let there = store.registered(wall())?;
        let phones = directory.all::<Phone>().filter(|(_, phone)| !phone.auto_registered);
        let away = phones.filter(|(id, _)| there.binary_search(&id.id()).is_err());
        Ok::<_, StoreError>(away.count())
    });
    counted.await.ok()
}

/// Where phones look for this node elsewhere than it is.
pub(crate) async fn misplaced(call: &Call) -> Vec<Finding> {
    let place = place(call).await;
    let told = |at: Place| setup::misplaced(&call.app.directory(), &at, call.language);
    place.map(told).unwrap_or_default()
}

async fn place(call: &Call) -> Option<Place> {
    match call.app.operate(Order::Place).await {
        Ok(Reply::Place(place)) => Some(place),
        _ => None,
    }
}

/// The database does not answer: whoever asks how it goes hears of it first.
pub(crate) fn database_away(call: &Call) -> Option<Finding> {
    let (text, remedy) = (Message::DatabaseAway, Message::DatabaseAwayRemedy);
    let told = |message: Message| message.text(call.language);
    let away = !call.app.store().answers();
    away.then(|| Finding { good: false, text: told(text), remedy: Some(told(remedy)) })
}

/// Other nodes of which nothing was heard lately: on each that runs the call manager does. Without the
/// database nobody is heard of.
async fn silent_nodes(call: &Call) -> Vec<Finding> {
    let Ok(running) = elsewhere(&call.app).await else { return Vec::new() };
    let runs = |name: &str| {
        running.iter().any(|(node, service)| **node == *name && *service == Service::CallManager)
    };
    let directory = call.app.directory();
    let others = directory.all::<Node>().map(|(_, node)| &node.name);
    let silent = others.filter(|name| ***name != *call.app.node() && !runs(name));
    let told = silent.map(|name| Finding {
        good: false,
        text: Message::NodeSilent.with(call.language, &[("node", name)]),
        remedy: Some(Message::NodeSilentRemedy.text(call.language)),
    });
    told.collect()
}

/// That other nodes know themselves what is told here of this one; none where there are none.
pub(crate) fn ask_the_others(call: &Call) -> Option<String> {
    let directory = call.app.directory();
    let names = directory.all::<Node>().map(|(_, node)| &*node.name);
    let others: Vec<&str> = names.filter(|name| **name != *call.app.node()).collect();
    let values = [("node", call.app.node()), ("others", &others.join(", "))];
    (!others.is_empty()).then(|| Message::AskTheOthers.with(call.language, &values))
}

/// What was found, as clients read it.
pub(crate) fn shown(findings: &[Finding]) -> Value {
    let row = |finding: &Finding| json!({ "good": finding.good, "message": finding.text, "remedy": finding.remedy });
    findings.iter().map(row).collect()
}

/// Installed language packs.
pub(crate) async fn languages(call: Call) -> Result<Answer, Fault> {
    match call.app.operate(Order::Languages).await? {
        Reply::Languages(languages) => Ok(Answer::ok(json!({ "items": languages }))),
        other => Err(mismatch(&other).into()),
    }
}

/// Looks for language packs again.
pub(crate) async fn rescan(call: Call) -> Result<Answer, Fault> {
    let done = call.app.operate(Order::RescanLanguages).await;
    deed::note(&call, call.deed, None, json!({ "node": call.app.node() }), &done);
    match done? {
        Reply::Rescanned { languages, problems } => {
            Ok(Answer::ok(json!({ "items": languages, "problems": problems })))
        }
        other => Err(mismatch(&other).into()),
    }
}

/// Writes a backup into the node's folder; the client chooses no path.
pub(crate) async fn backup(call: Call) -> Result<Answer, Fault> {
    let passphrase = match &call.body["passphrase"] {
        Value::Null => None,
        _ => Some(call.secret("passphrase")?),
    };
    let short = |passphrase: &SecretText| passphrase.reveal().chars().count() < SHORTEST_PASSPHRASE;
    if passphrase.as_ref().is_some_and(short) {
        let refusal = Refusal::new(Code::CredentialTooWeak).field("passphrase");
        let refusal = refusal.value("rule", "passphrase");
        return Err(refusal.value("allowed", format!("≥ {SHORTEST_PASSPHRASE}")).into());
    }
    let settings = call.app.store_settings().clone();
    let folder = call.app.backups().to_owned();
    let name = format!("jackfield-{}.backup", wall().0);
    let path = folder.join(&name);
    let (summary, path) = call
        .app
        .blocking(move |_| {
            std::fs::create_dir_all(&folder).map_err(|error| StoreError::Backup {
                path: folder.display().to_string().into(),
                message: error.to_string(),
            })?;
            let summary = write_backup(&settings, &path, passphrase.as_ref(), &mut |_| {})?;
            Ok((summary, path))
        })
        .await?;
    let protected = summary.protected;
    let detail = json!({ "node": call.app.node(), "file": name, "protected": protected });
    deed::note(&call, call.deed, None, detail, &Ok(()));
    Ok(Answer::ok(json!({
        "file": path.display().to_string(),
        "created": summary.created,
        "rows": summary.rows,
        "protected": summary.protected,
    })))
}
