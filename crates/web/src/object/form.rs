//! How objects look outside: their fields, with id and version beside them, and references as
//! `{id, name}`; taken back as id, name or that object.

use jackfield_model::{Directory, Entry, Kind, Text, references_of, setup};
use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::{Map, Value, json};

use crate::app::not_among;
use crate::call::Call;

/// An object as clients see it.
pub(crate) fn shown(directory: &Directory, id: ObjectId, entry: &Entry) -> Value {
    let kind = entry.body.kind();
    let mut body = entry.body.to_json();
    linked(kind, &mut body, |to| directory.label(to));
    let mut object = Map::new();
    object.insert("id".into(), id.0.into());
    object.insert("version".into(), entry.version.into());
    object.insert("kind".into(), kind.name().into());
    if let Value::Object(fields) = body {
        object.extend(fields);
    }
    match kind {
        Kind::EndUser => {
            // Also where the user has none of their own (SP-58).
            let profile = directory.profile_of(id).map(|profile| link(directory, profile.id()));
            object.insert("user_profile_in_force".into(), profile.into());
        }
        Kind::Line => {
            let in_use = setup::holders(directory, id).next().is_some();
            object.insert("in_use".into(), in_use.into());
        }
        _ => {}
    }
    object.into()
}

/// An object as the answer to a change of it shows it: who may not read the configuration gets back what they
/// sent, as it is now, and nothing else.
pub(crate) fn shown_to(call: &Call, sent: &Value, id: ObjectId, entry: &Entry) -> Value {
    let object = shown(&call.app.directory(), id, entry);
    if call.reads_configuration() {
        return object;
    }
    let names = json!({ "id": null, "version": null, "kind": null });
    let mut told = json!({});
    narrow(&object, &names, &mut told);
    narrow(&object, sent, &mut told);
    told
}

/// Takes over of an object the fields that were sent.
fn narrow(object: &Value, sent: &Value, told: &mut Value) {
    for (name, part) in sent.as_object().into_iter().flatten() {
        match (object.get(name), part.is_object()) {
            (Some(inner @ Value::Object(_)), true) => {
                let mut some = json!({});
                narrow(inner, part, &mut some);
                told[name] = some;
            }
            (Some(whole), false) => told[name] = whole.clone(),
            _ => {}
        }
    }
}

/// Shows the references in a body as clients see them.
pub(crate) fn linked(kind: Kind, body: &mut Value, name: impl Fn(ObjectId) -> Option<Text>) {
    for (path, to) in references_of(kind, body) {
        if let Some(place) = at(body, &path) {
            *place = json!({ "id": to.0, "name": name(to) });
        }
    }
}

/// A reference as clients see it.
pub(crate) fn link(directory: &Directory, to: ObjectId) -> Value {
    json!({ "id": to.0, "name": directory.label(to) })
}

/// Takes a body as clients write it; the version that stands in it, too.
pub(crate) fn accept(kind: Kind, body: &Value) -> Result<(Value, Option<u32>), Refusal> {
    let Value::Object(fields) = body else {
        return Err(Refusal::new(Code::Unreadable).value("expected", "a JSON object"));
    };
    let version = fields.get("version").and_then(Value::as_u64);
    let version = version.and_then(|version| u32::try_from(version).ok());
    let taken = fields
        .iter()
        .filter(|(name, _)| !is_beside(kind, name))
        .map(|(name, value)| (name.clone(), without_links(value)))
        .collect::<Map<_, _>>();
    Ok((taken.into(), version))
}

/// What stands beside the fields of an object of any kind.
const BESIDE: [&str; 5] = ["id", "version", "kind", "takes", "warnings"];

/// What stands beside the fields of an object of this kind and follows from others; lists are
/// filtered by it, too.
pub(crate) fn derived(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::EndUser => &["user_profile_in_force"],
        Kind::Line => &["in_use"],
        _ => &[],
    }
}

fn is_beside(kind: Kind, name: &str) -> bool {
    let now = match kind {
        Kind::Phone => name == "state",
        Kind::EndUser | Kind::ApplicationUser => name == "locks",
        _ => false,
    };
    let has_field = || kind.schema_value()["properties"].get(name).is_some();
    (BESIDE.contains(&name) || derived(kind).contains(&name) || now) && !has_field()
}

/// References in the form in which they are shown become ids, or names where there is no id.
fn without_links(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let is_link = fields.keys().all(|key| matches!(key.as_str(), "id" | "name"));
            match (fields.get("id"), fields.get("name")) {
                (Some(id), _) if is_link && !id.is_null() => id.clone(),
                (_, Some(name)) if is_link && fields.len() == 1 => name.clone(),
                _ => {
                    fields.iter().map(|(key, value)| (key.clone(), without_links(value))).collect()
                }
            }
        }
        Value::Array(entries) => entries.iter().map(without_links).collect(),
        plain => plain.clone(),
    }
}

/// An object of a kind by name, or by id, as `id:17`.
pub(crate) fn find(directory: &Directory, kind: Kind, text: &str) -> Result<ObjectId, Refusal> {
    directory
        .by_name(kind, text)?
        .ok_or_else(|| not_among(kind.name(), text, directory.similar_name(kind, text).as_deref()))
}

/// The value at a path such as `lines[0].line`.
pub(crate) fn at<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split(['.', '[']).try_fold(value, |value, step| match step.strip_suffix(']') {
        Some(index) => value.get_mut(index.parse::<usize>().ok()?),
        None => value.get_mut(step),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_taken_back_as_ids_or_names() {
        let body = json!({
            "id": 4, "version": 3, "kind": "phone",
            "name": "SEP001122334455",
            "model": { "id": 14, "name": "Cisco 7832" },
            "device_pool": { "name": "Default" },
            "lines": [{ "line": { "id": 40, "name": "2001" }, "display": "Ada" }],
        });
        let (taken, version) = accept(Kind::Phone, &body).unwrap();
        assert_eq!(version, Some(3));
        let expected = json!({
            "name": "SEP001122334455", "model": 14, "device_pool": "Default",
            "lines": [{ "line": 40, "display": "Ada" }],
        });
        assert_eq!(taken, expected);
        assert!(accept(Kind::Phone, &json!([])).is_err());
    }

    #[test]
    fn paths_lead_into_lists() {
        let mut value = json!({ "lines": [{ "line": 1 }, { "line": 2 }] });
        assert_eq!(at(&mut value, "lines[1].line"), Some(&mut json!(2)));
        assert_eq!(at(&mut value, "lines[2].line"), None);
    }
}
