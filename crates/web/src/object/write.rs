use jackfield_model::{
    Body, ClusterSettings, DeviceClass, Directory, Kind, Language, Message, Operation, Outcome,
    setup, warnings,
};
use jackfield_store::StoreError;
use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::{Map, Value, json};

use super::read::answer_with;
use super::{accept, find, shown_to};
use crate::app::not_found;
use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::say;

/// Makes an object.
pub(crate) async fn create(call: Call) -> Result<Answer, Fault> {
    let kind = call.kind()?;
    let (body, _) = accept(kind, &call.body)?;
    let asked = body.clone();
    let operation = Operation::Create { kind, body };
    let outcome = call.app.execute(call.operation, call.actor(), operation).await?;
    let Outcome::Saved(saved) = outcome else { return Err(Code::Internal.into()) };
    let (id, _) = *saved.last().ok_or(Code::Internal)?;
    let directory = call.app.directory();
    let entry = directory.entry(id).ok_or(Code::NotFound)?;
    let location = format!("/api/v1/{}/id:{id}", kind.plural());
    let mut object = shown_to(&call, &call.body, id, entry);
    let mut told = setup::concerns(&directory, id, call.language);
    told.extend(warnings(kind, &Value::Null, &asked, call.language));
    told.extend(nowhere(&call, id));
    told.extend(unheard_of(&call, id));
    warn(&mut object, told);
    Ok(Answer::created(object, location).version(entry.version))
}

/// That a phone of somebody's, which is made before it was plugged in, gets no password in its file.
fn nowhere(call: &Call, id: ObjectId) -> Option<String> {
    let directory = call.app.directory();
    let device = directory.effective(id).filter(|device| device.kind == Kind::Phone)?;
    let cluster = directory.all::<ClusterSettings>().next();
    let listed = cluster.is_some_and(|(_, cluster)| !cluster.provisioning_networks.is_empty());
    let told = device.class() == DeviceClass::Desk && !listed;
    told.then(|| Message::NobodyKnowsWhere.with(call.language, &[("name", device.name.as_str())]))
}

/// That nodes which are told to phones, or of which one was added, can't run on this database.
fn unheard_of(call: &Call, id: ObjectId) -> Vec<String> {
    let directory = call.app.directory();
    let nodes = match directory.entry(id).map(|entry| &entry.body) {
        Some(Body::Node(_)) => vec![id],
        Some(Body::CallManagerGroup(group)) => group.nodes.iter().map(|one| one.id()).collect(),
        _ => Vec::new(),
    };
    let own = call.app.node();
    let names = nodes.into_iter().filter_map(|id| directory.label(id));
    let others: Vec<_> = names.filter(|name| **name != *own).collect();
    if others.is_empty() || !call.app.store_settings().is_built_in() {
        return Vec::new();
    }
    let values = [("node", own), ("name", &others.join(", "))];
    vec![Message::NodeWithoutDatabase.with(call.language, &values)]
}

/// Changes some fields of an object (RFC 7396).
pub(crate) async fn change(call: Call) -> Result<Answer, Fault> {
    let kind = call.kind()?;
    let id = find(&call.app.directory(), kind, call.param("name"))?;
    let (patch, version) = accept(kind, &call.body)?;
    save(&call, id, call.version.or(version), patch).await
}

/// Replaces an object: fields that are left out take their defaults.
pub(crate) async fn replace(call: Call) -> Result<Answer, Fault> {
    let kind = call.kind()?;
    let id = find(&call.app.directory(), kind, call.param("name"))?;
    let (body, version) = accept(kind, &call.body)?;
    save(&call, id, call.version.or(version), whole(kind, body)).await
}

/// Refuses another id than the object has.
pub(crate) fn keeps_id(body: &Value, id: ObjectId) -> Result<(), Refusal> {
    let found = &body["id"];
    if found.is_null() || *found == id.0 {
        return Ok(());
    }
    let refusal = Refusal::new(Code::InvalidValue).field("id").value("rule", "fixed");
    Err(refusal.value("found", found).value("allowed", id))
}

/// Deletes an object that nothing refers to; who deletes it is told what still counts on it.
pub(crate) async fn delete(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let id = find(&directory, call.kind()?, call.param("name"))?;
    let operation = Operation::Delete { id, version: call.version };
    call.app.execute(call.operation, call.actor(), operation).await?;
    let (gone, language) = ([id].into(), call.language);
    let told = move |_: &_| Ok::<_, StoreError>(setup::left_behind(&directory, &gone, language));
    let mut answer = json!({ "warnings": [] });
    warn(&mut answer, call.app.blocking(told).await?);
    Ok(Answer::ok(answer))
}

/// The only object of its kind.
pub(crate) async fn single_one(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let id = only(&directory, call.kind()?)?;
    answer_with(&directory, id)
}

/// Changes some fields of the only object of its kind.
pub(crate) async fn single_change(call: Call) -> Result<Answer, Fault> {
    let kind = call.kind()?;
    let id = only(&call.app.directory(), kind)?;
    let (patch, version) = accept(kind, &call.body)?;
    save(&call, id, call.version.or(version), patch).await
}

/// Replaces the only object of its kind.
pub(crate) async fn single_replace(call: Call) -> Result<Answer, Fault> {
    let kind = call.kind()?;
    let id = only(&call.app.directory(), kind)?;
    let (body, version) = accept(kind, &call.body)?;
    save(&call, id, call.version.or(version), whole(kind, body)).await
}

fn only(directory: &Directory, kind: Kind) -> Result<ObjectId, Fault> {
    let found = directory.after_name(kind, "").next();
    found.map(|(id, _)| id).ok_or_else(|| not_found(kind.name(), "").into())
}

/// A body as a patch that leaves nothing of what was there before.
fn whole(kind: Kind, body: Value) -> Value {
    let properties = kind.schema_value()["properties"].as_object();
    let mut patch = properties
        .into_iter()
        .flatten()
        .map(|(name, _)| (name.clone(), Value::Null))
        .collect::<Map<_, _>>();
    if let Value::Object(fields) = body {
        patch.extend(fields);
    }
    patch.into()
}

async fn save(
    call: &Call,
    id: ObjectId,
    version: Option<u32>,
    patch: Value,
) -> Result<Answer, Fault> {
    keeps_id(&call.body, id)?;
    let known = call.app.directory();
    let before = known.entry(id).map(|entry| entry.body.to_json());
    let operation = Operation::Update { id, version, patch };
    call.app.execute(call.operation, call.actor(), operation).await?;
    let directory = call.app.directory();
    let entry = directory.entry(id).ok_or(Code::NotFound)?;
    let mut object = shown_to(call, &call.body, id, entry);
    let (kind, before, after) =
        (entry.body.kind(), before.unwrap_or_default(), entry.body.to_json());
    let on_phones = || {
        let mut phones = setup::phones_to_restart(&known, &directory, id);
        phones.next().filter(|_| kind != Kind::Phone).map(|_| "restart")
    };
    if let Some(takes) = takes(kind, &before, &after).or_else(on_phones) {
        let mut said = say::takes(takes, call.language).to_owned();
        if takes == "restart" {
            said.extend(restarts(&known, &directory, id, call.language));
        }
        object["takes"] = said.into();
    }
    // What was so before is no news.
    let old = setup::concerns(&known, id, call.language);
    let mut told = setup::concerns(&directory, id, call.language);
    told.retain(|one| !old.contains(one));
    told.extend(setup::left_unchanged(&known, &directory, id, call.language));
    told.extend(warnings(kind, &before, &after, call.language));
    told.extend(unheard_of(call, id));
    warn(&mut object, told);
    Ok(Answer::ok(object).version(entry.version))
}

/// The commands that let the phones show a change.
fn restarts(
    known: &Directory,
    directory: &Directory,
    id: ObjectId,
    language: Language,
) -> Option<String> {
    let mut phones =
        setup::phones_to_restart(known, directory, id).filter_map(|one| directory.label(one));
    let some: Vec<String> =
        phones.by_ref().take(MOST_NAMED).map(|one| format!("`jackfield restart {one}`")).collect();
    let more = if phones.next().is_some() { ", …" } else { "" };
    let commands = format!("{}{more}", some.join(", "));
    let told = Message::RestartThese.with(language, &[("commands", &*commands)]);
    (!some.is_empty()).then(|| format!(" {told}"))
}

/// Phones that an answer names.
const MOST_NAMED: usize = 5;

/// Says beside the object what was most likely not meant, and what does nothing yet.
pub(crate) fn warn(answer: &mut Value, warnings: Vec<String>) {
    if !warnings.is_empty() {
        answer["warnings"] = warnings.into();
    }
}

/// What the change needs before it shows, by the schema's word for it.
pub(crate) fn takes(kind: Kind, before: &Value, after: &Value) -> Option<&'static str> {
    let schema = kind.schema_value();
    let fields = schema["properties"].as_object()?;
    fields
        .iter()
        .filter(|(name, _)| before.get(name) != after.get(name))
        .filter_map(|(_, field)| field["x-takes"].as_str())
        .max_by_key(|takes| say::weight(takes))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_heaviest_of_the_changes_is_told() {
        let node = |address: &str, port: u16| json!({ "address": address, "sip_port": port });
        let takes = |after: Value| takes(Kind::Node, &node("a", 5060), &after);
        assert_eq!(takes(node("a", 5060)), None);
        assert_eq!(takes(node("b", 5060)), Some("restart"));
        assert_eq!(takes(node("b", 5070)), Some("node-restart"));
    }
}
