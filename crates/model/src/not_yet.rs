//! What can be set and does nothing yet, or less than its name says. The field says so itself, by `x-not-yet`
//! in its schema; whoever sets it is told, and the reference shows it.

use serde_json::Value;

use crate::{Kind, Language, Message};

/// What a field does not do yet; `{field}` in the text stands for its name.
pub fn not_yet(kind: Kind, field: &str) -> Option<Message> {
    Some(match kind.schema_value()["properties"][field]["x-not-yet"].as_str()? {
        "lamps" => Message::NotYetLamps,
        "messages" => Message::NotYetMessages,
        _ => Message::NotYetEffect,
    })
}

/// What of a change does nothing yet, in words: the fields that are set and were not so before.
pub fn warnings(kind: Kind, before: &Value, after: &Value, language: Language) -> Vec<String> {
    let schemas = &kind.schema_value()["properties"];
    let fields = after.as_object().into_iter().flatten();
    let new = fields.filter(|(name, value)| {
        let is_new = before.get(name) != Some(*value) && schemas[*name]["default"] != **value;
        is_new && is_set(value)
    });
    new.filter_map(|(name, _)| Some(not_yet(kind, name)?.with(language, &[("field", name)])))
        .collect()
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(entries) => !entries.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_sets_what_does_nothing_yet_is_told() {
        let told = |before, after| warnings(Kind::Line, &before, &after, Language::English);
        let line = json!({ "number": "3001", "voicemail_profile": 7, "presence_group": 2 });
        let warnings = told(Value::Null, line.clone());
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].starts_with("voicemail_profile: "), "{warnings:?}");
        assert!(warnings[1].starts_with("presence_group has no effect"), "{warnings:?}");
        assert_eq!(told(line.clone(), line.clone()), [""; 0], "nothing new");
        let away = json!({ "number": "3001", "voicemail_profile": null, "presence_group": null });
        assert_eq!(told(line, away), [""; 0], "taken away");
        assert_eq!(not_yet(Kind::Phone, "busy_lamp_fields"), Some(Message::NotYetLamps));
        assert_eq!(not_yet(Kind::Phone, "lines"), None);
    }
}
