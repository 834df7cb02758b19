//! Who changed what, and which calls there were.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_model::{Directory, Kind, references_of};
use jackfield_store::{AuditEntry, AuditFilter, RecordFilter};
use jackfield_vocabulary::{ObjectId, UnixTime};
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::object::linked;

/// A page of the audit, newest first.
pub(crate) async fn audit(call: Call) -> Result<Answer, Fault> {
    let limit = call.limit()?;
    let object = call.number("object")?.and_then(|id| u32::try_from(id).ok()).map(ObjectId);
    let filter = AuditFilter {
        before_sequence: call.number("cursor")?,
        from: call.number("from")?.map(UnixTime),
        until: call.number("until")?.map(UnixTime),
        actor: call.query("actor").map(Into::into),
        object,
        operation: call.query("operation").map(Into::into),
        name: call.query("name").map(Into::into),
        failed: call.query("failed") == Some("true"),
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    };
    let mut items = call.app.blocking(move |store| store.audit(filter)).await?;
    let directory = call.app.directory();
    let gone = gone(&directory, &mut items);
    let former = match gone.is_empty() {
        true => BTreeMap::new(),
        false => call.app.blocking(move |store| store.last_names(gone)).await?,
    };
    let name = |id| directory.label(id).or_else(|| former.get(&id).cloned());
    for item in &mut items {
        for (kind, body) in bodies(item) {
            linked(kind, body, name);
        }
        // What is no change of an object, such as a new password, is named after its owner.
        if let Some(owner) = item.object.filter(|_| item.name.is_none()) {
            let kind = directory.entry(owner).map(|entry| entry.body.kind().name().into());
            item.kind = item.kind.take().or(kind);
            item.name = name(owner);
        }
    }
    let full = items.len() == limit;
    let next = items.last().filter(|_| full).map(|last| last.sequence);
    Ok(Answer::ok(json!({ "items": items, "next": next })))
}

/// The objects that changes speak of and that are there no more.
fn gone(directory: &Directory, items: &mut [AuditEntry]) -> Vec<ObjectId> {
    let mut ids = BTreeSet::new();
    for item in items {
        ids.extend(item.object.filter(|_| item.name.is_none()));
        for (kind, body) in bodies(item) {
            ids.extend(references_of(kind, body).into_iter().map(|(_, id)| id));
        }
    }
    ids.into_iter().filter(|id| directory.entry(*id).is_none()).take(MOST_GONE).collect()
}

/// What objects were and are. What an assignment tells besides is of phones (SP-56).
fn bodies(item: &mut AuditEntry) -> impl Iterator<Item = (Kind, &mut Value)> {
    let kind = item.kind.as_deref().and_then(|kind| kind.parse::<Kind>().ok());
    let own = [item.before.as_mut(), item.after.as_mut()].into_iter().flatten();
    let own = own.filter_map(move |body| Some((kind?, body)));
    let detail = item.detail.as_mut().and_then(Value::as_object_mut);
    let told = detail.into_iter().flatten().filter(|(name, _)| matches!(&***name, "old" | "new"));
    own.chain(told.map(|(_, body)| (Kind::Phone, body)))
}

/// A page of finished calls, newest first.
pub(crate) async fn calls(call: Call) -> Result<Answer, Fault> {
    let limit = call.limit()?;
    let filter = RecordFilter {
        before_id: call.number("cursor")?,
        from: call.number("from")?.map(UnixTime),
        until: call.number("until")?.map(UnixTime),
        number: call.query("number").map(Into::into),
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    };
    let rows = call.app.blocking(move |store| store.records(filter)).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|last| last.id);
    let items = rows
        .into_iter()
        .map(|row| {
            let mut item = row.body;
            item["id"] = row.id.into();
            item
        })
        .collect::<Vec<_>>();
    Ok(Answer::ok(json!({ "items": items, "next": next })))
}

/// Objects that are looked up in the change log for one page.
const MOST_GONE: usize = 1000;
