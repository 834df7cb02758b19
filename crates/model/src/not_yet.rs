//! What can be set and does nothing yet, or less than its name says. The field says so itself, or one of the
//! words that it takes does, by `x-not-yet` in its schema, however deep it stands; whoever sets it is told,
//! and the reference shows it.

use serde_json::Value;

use crate::{Kind, Language, Message};

/// What something that can be set does not do yet.
#[derive(Debug)]
pub struct NotYet {
    /// The word in the schema.
    word: &'static str,
    /// To whoever sets it; `{field}` stands for where, `{value}` for the word that is set there.
    message: Message,
    /// In the help of the field.
    pub help: &'static str,
}

static ALL: [NotYet; 5] = [
    NotYet { word: "effect", message: Message::NotYetEffect, help: "no effect yet" },
    NotYet { word: "choice", message: Message::NotYetChoice, help: "no effect yet" },
    NotYet {
        word: "lamps",
        message: Message::NotYetLamps,
        help: "the buttons dial; they show no state yet",
    },
    NotYet {
        word: "messages",
        message: Message::NotYetMessages,
        help: "the messages key dials it; nothing tells of waiting messages yet",
    },
    NotYet { word: "softkey", message: Message::NotYetSoftkey, help: "not offered to phones yet" },
];

/// What a field, or a word that it takes, does not do yet, by its schema.
pub fn not_yet(schema: &Value) -> Option<&'static NotYet> {
    let word = schema["x-not-yet"].as_str()?;
    ALL.iter().find(|one| one.word == word)
}

/// What of a change does nothing yet, in words: what is set, and was not so before.
pub fn warnings(kind: Kind, before: &Value, after: &Value, language: Language) -> Vec<String> {
    let schema = kind.schema_value();
    let mut walk = Walk { definitions: &schema["$defs"], language, told: Vec::new() };
    walk.fields(schema, &[before], after, "");
    walk.told
}

struct Walk<'a> {
    definitions: &'a Value,
    language: Language,
    told: Vec<String>,
}

impl<'a> Walk<'a> {
    fn fields(&mut self, schema: &'a Value, before: &[&Value], after: &Value, path: &str) {
        for (name, value) in after.as_object().into_iter().flatten() {
            let field = &schema["properties"][name];
            let before: Vec<&Value> = before.iter().map(|one| &one[name]).collect();
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if field["default"] != *value {
                self.value(field, &before, value, &path);
            }
        }
    }

    /// `before` is all that stood in that place: of a list every entry, for entries change places.
    fn value(&mut self, schema: &'a Value, before: &[&Value], after: &Value, path: &str) {
        if after.is_null() || before.contains(&after) {
            return;
        }
        if let Some(not_yet) = not_yet(schema) {
            return self.tell(not_yet, path, after);
        }
        let schema = self.resolve(schema);
        match after {
            Value::Object(_) => self.fields(schema, before, after, path),
            Value::Array(entries) => {
                let before = before.iter().filter_map(|list| list.as_array()).flatten();
                let before: Vec<&Value> = before.collect();
                for (index, entry) in entries.iter().enumerate() {
                    self.value(&schema["items"], &before, entry, &format!("{path}[{index}]"));
                }
            }
            _ => {
                let words = schema["oneOf"].as_array().into_iter().flatten();
                if let Some(not_yet) =
                    words.filter(|word| word["const"] == *after).find_map(not_yet)
                {
                    self.tell(not_yet, path, after);
                }
            }
        }
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => &self.definitions[name],
            None => schema,
        }
    }

    fn tell(&mut self, not_yet: &NotYet, path: &str, value: &Value) {
        let values = [("field", path), ("value", value.as_str().unwrap_or_default())];
        self.told.push(not_yet.message.with(self.language, &values));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(kind: Kind, before: Value, after: Value) -> Vec<String> {
        warnings(kind, &before, &after, Language::English)
    }

    #[test]
    fn who_sets_what_does_nothing_yet_is_told() {
        let told = |before, after| told(Kind::Line, before, after);
        let line = json!({ "number": "3001", "voicemail_profile": 7, "presence_group": 2 });
        let warnings = told(Value::Null, line.clone());
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].starts_with("voicemail_profile: "), "{warnings:?}");
        assert!(warnings[1].starts_with("presence_group has no effect"), "{warnings:?}");
        assert_eq!(told(line.clone(), line.clone()), [""; 0], "nothing new");
        let away = json!({ "number": "3001", "voicemail_profile": null, "presence_group": null });
        assert_eq!(told(line, away), [""; 0], "taken away");
    }

    #[test]
    fn what_stands_deeper_is_told_too_and_once() {
        let told = |before: &Value, after: &Value| told(Kind::Phone, before.clone(), after.clone());
        let masked = |mask: &str| json!({ "line": 40, "label": "Ada", "external_mask": mask });
        let plain = json!({ "lines": [masked("")] });
        assert_eq!(told(&Value::Null, &plain), [""; 0], "the default");
        let after = json!({ "lines": [masked(""), masked("03XXXX")] });
        let warnings = told(&plain, &after);
        assert_eq!(warnings, ["lines[1].external_mask has no effect in this release."]);
        let turned = json!({ "lines": [masked("03XXXX"), masked("")] });
        assert_eq!(told(&after, &turned), [""; 0], "the lines changed places");
        let renamed = json!({ "lines": [{ "line": 40, "label": "A", "external_mask": "03XXXX" }] });
        assert_eq!(told(&after, &renamed), [""; 0], "something else of the line changed");
    }

    #[test]
    fn a_word_that_does_nothing_yet_is_told() {
        let keys = |keys: &[&str]| json!({ "softkeys": keys });
        let (before, after) = (keys(&["hold"]), keys(&["transfer", "hold"]));
        let warnings = told(Kind::SoftkeyTemplate, before.clone(), after.clone());
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("softkeys[0]: ") && warnings[0].contains("transfer"));
        assert_eq!(told(Kind::SoftkeyTemplate, after, before), [""; 0], "taken away");
        let buttons =
            json!({ "buttons": [{ "feature": "line" }, { "feature": "busy-lamp-field" }] });
        let warnings = told(Kind::PhoneButtonTemplate, Value::Null, buttons);
        assert!(warnings.len() == 1 && warnings[0].starts_with("buttons[1].feature: "));
    }

    #[test]
    fn every_word_in_a_schema_has_its_text() {
        fn walk(schema: &Value, seen: &mut Vec<&'static str>) {
            if schema["x-not-yet"].is_string() {
                seen.push(not_yet(schema).unwrap_or_else(|| panic!("{schema}")).word);
            }
            let fields = schema.as_object().into_iter().flatten().map(|(_, below)| below);
            fields
                .chain(schema.as_array().into_iter().flatten())
                .for_each(|below| walk(below, seen));
        }
        let mut seen = Vec::new();
        Kind::ALL.iter().for_each(|kind| walk(kind.schema_value(), &mut seen));
        assert!(ALL.iter().all(|one| seen.contains(&one.word)), "a text for nothing: {seen:?}");
    }
}
