//! What a request brings, judged by what its endpoint declares, before any handler sees it: a
//! field or parameter that nobody reads would be ignored in silence, and its sender misled; a sign
//! that nobody sees would mislead whoever reads the text. Ranges and forms are the handlers' own, and
//! objects of a kind are the model's.

use jackfield_model::refuse_hidden;
use jackfield_vocabulary::{Code, Refusal};
use serde_json::{Map, Value};

use crate::endpoint::{Endpoint, Shape};

/// Judges the query: every parameter is one of the endpoint's.
pub(crate) fn query(endpoint: &Endpoint, query: &[(String, String)]) -> Result<(), Refusal> {
    let declared = |name: &str| endpoint.query.iter().any(|(one, _)| *one == name);
    let stranger = query.iter().map(|(name, _)| name).find(|name| !declared(name));
    let names = endpoint.query.iter().map(|(name, _)| *name);
    stranger.map_or(Ok(()), |stranger| Err(unknown(stranger, names)))
}

/// What the body says, but for its secrets, as text.
pub(crate) fn without_secrets(endpoint: &Endpoint, body: &Value) -> String {
    let (Shape::Schema(text), Value::Object(fields)) = (endpoint.body, body) else {
        return body.to_string();
    };
    let schema: Value = serde_json::from_str(text).unwrap_or_default();
    let secret = |name: &str| schema["properties"][name]["format"] == "password";
    let told = fields.iter().filter(|(name, _)| !secret(name));
    told.map(|(name, value)| format!("{}:{value}\n", Value::from(&**name))).collect()
}

/// Judges the body: every field is one of the endpoint's, and of its type.
pub(crate) fn body(endpoint: &Endpoint, body: &Value) -> Result<(), Refusal> {
    let schema: Value = match endpoint.body {
        Shape::Schema(text) => serde_json::from_str(text).unwrap_or_default(),
        Shape::Nothing => Value::Null,
        // Of a kind: the model judges it.
        Shape::Object(_) | Shape::Shown(_) | Shape::Page(_) => return Ok(()),
    };
    let fields = match body {
        Value::Null => return Ok(()),
        Value::Object(fields) => fields,
        _ => {
            let refusal = Refusal::new(Code::InvalidValue).field("body");
            return Err(refusal.value("allowed", "{ }"));
        }
    };
    let none = Map::new();
    let declared = schema["properties"].as_object().unwrap_or(&none);
    fields.iter().try_for_each(|(name, value)| match declared.get(name) {
        Some(field) if field["format"] == "password" => fits(name, field, value),
        Some(field) => fits(name, field, value).and_then(|()| visible(name, value)),
        None => Err(unknown(name, declared.keys().map(|name| &**name))),
    })
}

/// A value that is left out is the handler's to miss.
fn fits(name: &str, field: &Value, value: &Value) -> Result<(), Refusal> {
    let refusal = Refusal::new(Code::InvalidValue).field(name);
    // The value of a secret stands in no refusal.
    let refusal = match field["format"] == "password" {
        true => refusal,
        false => refusal.value("found", value),
    };
    if value.is_null() {
        return Ok(());
    }
    if let Some(allowed) = field["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        let words = allowed.iter().filter_map(Value::as_str).collect::<Vec<_>>();
        return Err(refusal.value("allowed", words.join(" | ")));
    }
    let most = field["maxLength"].as_u64().unwrap_or(u64::MAX);
    if value.as_str().is_some_and(|text| text.chars().count() as u64 > most) {
        return Err(refusal.value("allowed", format!("length 1..{most}")));
    }
    let types = match &field["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect::<Vec<_>>(),
    };
    if types.is_empty() || types.iter().any(|one| is(value, one)) {
        return Ok(());
    }
    let words = types.iter().filter(|one| **one != "null").map(|one| word(one));
    Err(refusal.value("allowed", words.collect::<Vec<_>>().join(" | ")))
}

/// Every text in it, however deep, holds signs only that people see.
fn visible(place: &str, value: &Value) -> Result<(), Refusal> {
    match value {
        Value::String(text) => refuse_hidden(place, text),
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .try_for_each(|(index, entry)| visible(&format!("{place}[{index}]"), entry)),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(name, value)| visible(&format!("{place}.{name}"), value))
        }
        _ => Ok(()),
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn word(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "integer" => "0, 1, 2, …",
        "boolean" => "true | false",
        "array" => "[ ]",
        "object" => "{ }",
        other => other,
    }
}

fn unknown<'a>(name: &str, allowed: impl Iterator<Item = &'a str>) -> Refusal {
    let refusal = Refusal::new(Code::UnknownField).field(name);
    match allowed.collect::<Vec<_>>() {
        allowed if allowed.is_empty() => refusal,
        allowed => refusal.value("allowed", allowed.join(", ")),
    }
}
