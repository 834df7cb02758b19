//! Who changed what, and which calls there were.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_model::{Directory, Kind, Language, Text, references_of, sentence};
use jackfield_store::{AuditEntry, AuditFilter, RecordFilter};
use jackfield_vocabulary::{ObjectId, Refusal, UnixTime};
use serde_json::{Value, json};

use crate::app::not_among;
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
        if let Some(detail) = &mut item.detail {
            told(detail, name, call.language);
        }
    }
    let full = items.len() == limit;
    let next = items.last().filter(|_| full).map(|last| last.sequence);
    let mut answer = json!({ "items": items, "next": next });
    if answer["items"].as_array().is_some_and(Vec::is_empty) && call.query("cursor").is_none() {
        answer["notes"] = unknown(&call, &directory).into();
    }
    Ok(Answer::ok(answer))
}

/// Where nothing was found: what of that which was asked for is called so now, or what was meant.
fn unknown(call: &Call, directory: &Directory) -> Vec<String> {
    let called = |kinds: &[Kind], name: &str| {
        kinds.iter().any(|kind| !matches!(directory.by_name(*kind, name), Ok(None)))
    };
    let asked = [("actor", "user", ACTORS), ("name", "object", Kind::ALL)];
    let asked = asked.iter().filter_map(|(query, word, kinds)| {
        let name = call.query(query).filter(|name| !called(kinds, name))?;
        let near = kinds.iter().filter_map(|kind| directory.similar_name(*kind, name));
        let near = near.collect::<Vec<_>>();
        let refusal = not_among(word, name, near.iter().map(|name| &**name));
        let said = sentence(&refusal, call.language);
        Some(format!("{} {}", said.message, said.remedy))
    });
    asked.collect()
}

/// Who acts, by name.
const ACTORS: &[Kind] = &[Kind::EndUser, Kind::ApplicationUser, Kind::Phone];

/// What was refused, in words, and names in place of numbers.
fn told(detail: &mut Value, name: impl Fn(ObjectId) -> Option<Text>, language: Language) {
    let named = |id: &Value| {
        let id = ObjectId(u32::try_from(id.as_u64()?).ok()?);
        Some(json!({ "id": id.0, "name": name(id) }))
    };
    if let Ok(refusal) = serde_json::from_value::<Refusal>(detail["refused"].clone()) {
        let wanted = detail["wanted"]["value"].clone();
        for (field, shown) in [("user", "user"), ("old", "in_place_of")] {
            if let Some(named) = named(&wanted[field]) {
                detail[shown] = named;
            }
        }
        detail["reason"] = sentence(&refusal, language).message.into();
    }
    if let Some(accounts) = detail["accounts"].as_array() {
        detail["accounts"] = accounts.iter().filter_map(named).collect();
    }
}

/// The objects that changes speak of and that are there no more.
fn gone(directory: &Directory, items: &mut [AuditEntry]) -> Vec<ObjectId> {
    let mut ids = BTreeSet::new();
    for item in items {
        ids.extend(item.object.filter(|_| item.name.is_none()));
        ids.extend(item.detail.iter().flat_map(spoken_of));
        for (kind, body) in bodies(item) {
            ids.extend(references_of(kind, body).into_iter().map(|(_, id)| id));
        }
    }
    ids.into_iter().filter(|id| directory.entry(*id).is_none()).take(MOST_GONE).collect()
}

/// Whom what was refused speaks of.
fn spoken_of(detail: &Value) -> Vec<ObjectId> {
    let wanted = &detail["wanted"]["value"];
    let accounts = detail["accounts"].as_array().into_iter().flatten();
    let ids = [&wanted["user"], &wanted["old"]].into_iter().chain(accounts);
    ids.filter_map(|id| Some(ObjectId(u32::try_from(id.as_u64()?).ok()?))).collect()
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
