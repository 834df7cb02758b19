//! Who changed what, and which calls there were.

use jackfield_model::{Directory, Kind};
use jackfield_store::{AuditEntry, AuditFilter, RecordFilter};
use jackfield_vocabulary::{ObjectId, UnixTime};
use serde_json::json;

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
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    };
    let mut items = call.app.blocking(move |store| store.audit(filter)).await?;
    let directory = call.app.directory();
    for item in &mut items {
        name_references(&directory, item);
        // What is no change of an object, such as a new password, is named after its owner.
        let owner = item.object.filter(|_| item.kind.is_none());
        if let Some((id, entry)) = owner.and_then(|id| Some((id, directory.entry(id)?))) {
            item.kind = Some(entry.body.kind().name().into());
            item.name = directory.label(id);
        }
    }
    let full = items.len() == limit;
    let next = items.last().filter(|_| full).map(|last| last.sequence);
    Ok(Answer::ok(json!({ "items": items, "next": next })))
}

/// Puts names beside the ids in what an object was and is: those of today.
fn name_references(directory: &Directory, item: &mut AuditEntry) {
    let kind = item.kind.as_deref().and_then(|kind| kind.parse().ok());
    for body in [&mut item.before, &mut item.after].into_iter().flatten() {
        if let Some(kind) = kind {
            linked(directory, kind, body);
        }
    }
    // What an assignment tells besides is of phones (SP-56).
    for name in ["old", "new"] {
        if let Some(body) = item.detail.as_mut().and_then(|detail| detail.get_mut(name)) {
            linked(directory, Kind::Phone, body);
        }
    }
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
