//! Entries of lists as they are typed: a plain value, or for a list of structs the one field that
//! matters, `=` and the label, and `:field=value` for whatever else there is, as in
//! `--speed-dials 2000=Help` or `--lines 3004=Ada:display=Ada L.,3003`. A backslash takes the meaning
//! from the sign after it. JSON is taken as it is.

use anyhow::{Result, bail};
use serde_json::{Map, Value};

/// The struct of a list's entries, by its schema.
#[derive(Clone, Copy)]
pub(super) struct EntryShape<'a> {
    items: &'a Value,
}

impl<'a> EntryShape<'a> {
    /// None for lists of plain values.
    pub(super) fn of(items: &'a Value) -> Option<Self> {
        items["properties"].is_object().then_some(Self { items })
    }

    /// The form, for the help.
    pub(super) fn form(self, kind_of: impl Fn(&'a Value) -> Option<String>) -> String {
        let main = self.main().map(|main| {
            let named = kind_of(&self.items["properties"][main]);
            let label = if self.has("label") { "[=LABEL]" } else { "" };
            format!("{}{label}", named.unwrap_or_else(|| main.to_uppercase()))
        });
        let others: Vec<_> = self.others().map(|name| name.replace('_', "-")).collect();
        match (main, others.is_empty()) {
            (Some(main), true) => main,
            (Some(main), false) => format!("{main}[:{}=…]", others.join("|")),
            (None, _) => format!("{}=…[:…]", others.join("|")),
        }
    }

    /// Reads one entry.
    pub(super) fn read(self, option: &str, text: &str) -> Result<Value> {
        if let Ok(value @ Value::Object(_)) = serde_json::from_str(text) {
            return Ok(value);
        }
        let mut entry = Map::new();
        let mut parts = cut(text, ':').into_iter();
        if let Some(main) = self.main() {
            let first = parts.next().unwrap_or_default();
            let (value, label) = match cut_once(&first, '=') {
                Some((value, label)) if self.has("label") => (value, Some(label)),
                _ => (first, None),
            };
            entry.insert(main.into(), plain(&value).into());
            entry.extend(label.map(|label| ("label".to_owned(), plain(&label).into())));
        }
        for part in parts {
            let Some((name, value)) = cut_once(&part, '=') else {
                bail!("--{option} {text:?}: {part:?} is no field=value; {}", self.help());
            };
            let name = plain(&name).trim().replace('-', "_");
            let schema = &self.items["properties"][&name];
            if schema.is_null() {
                bail!("--{option} {text:?}: there is no field {name}; {}", self.help());
            }
            let value = plain(&value);
            let value = match schema["type"].as_str() {
                Some("integer") => match value.trim().parse::<i64>() {
                    Ok(number) => number.into(),
                    Err(_) => bail!("--{option}: {name} takes a whole number, not {value:?}"),
                },
                _ => value.into(),
            };
            entry.insert(name, value);
        }
        Ok(entry.into())
    }

    /// What is not typed of an entry that was there before stays as it was.
    pub(super) fn keep(self, typed: &mut Value, before: &Value) {
        let main = self.main().filter(|_| self.can_stay());
        let (Some(main), Value::Array(typed)) = (main, typed) else { return };
        let before: Vec<_> = before.as_array().into_iter().flatten().collect();
        for entry in typed {
            let Value::Object(entry) = entry else { continue };
            let same = |old: &&&Value| is_same(&old[main], &entry[main]);
            let found: Vec<_> = before.iter().filter(same).collect();
            // Of several buttons that are alike it is not known which is meant.
            let [Value::Object(old)] = found.iter().map(|one| **one).collect::<Vec<_>>()[..] else {
                continue;
            };
            for (name, value) in old {
                entry.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }

    /// An entry can be known again: a line or a number, not one of several buttons.
    pub(super) fn can_stay(self) -> bool {
        self.main().is_some_and(|main| matches!(main, "line" | "number"))
    }

    /// The field that an entry must have.
    fn main(self) -> Option<&'a str> {
        match self.items["required"].as_array().map(Vec::as_slice) {
            Some([Value::String(only)]) => Some(only),
            _ => None,
        }
    }

    fn has(self, name: &str) -> bool {
        self.items["properties"][name].is_object()
    }

    /// The fields that are named when they are typed.
    fn others(self) -> impl Iterator<Item = &'a str> {
        let main = self.main();
        let label = main.filter(|_| self.has("label")).map(|_| "label");
        let names = self.items["properties"].as_object().into_iter().flatten();
        names
            .map(|(name, _)| &**name)
            .filter(move |name| Some(*name) != main && Some(*name) != label)
    }

    fn help(self) -> String {
        let names: Vec<_> = self.items["properties"].as_object().into_iter().flatten().collect();
        let names: Vec<_> = names.iter().map(|(name, _)| name.replace('_', "-")).collect();
        format!(
            "fields: {}; a `:`, `,` or `=` of a text is typed after a backslash",
            names.join(", ")
        )
    }
}

/// What is typed names what is shown: a reference by name or `id:`, a line also without its partition.
fn is_same(shown: &Value, typed: &Value) -> bool {
    let Some(typed) = typed.as_str() else { return shown == typed };
    let name = shown.as_str().or_else(|| shown["name"].as_str()).unwrap_or_default();
    let id = shown["id"].as_u64().map(|id| format!("id:{id}"));
    // The server refuses it where several have the number.
    let without_place = name.split_once(" in ").is_some_and(|(number, _)| number == typed);
    name == typed || without_place || id.is_some_and(|id| id == typed)
}

/// Cuts at a sign that no backslash stands before; backslashes stay.
pub(super) fn cut(text: &str, at: char) -> Vec<String> {
    let (mut parts, mut part, mut escaped) = (Vec::new(), String::new(), false);
    for sign in text.chars() {
        if sign == at && !escaped {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(sign);
        }
        escaped = sign == '\\' && !escaped;
    }
    parts.push(part);
    parts
}

fn cut_once(text: &str, at: char) -> Option<(String, String)> {
    let mut parts = cut(text, at).into_iter();
    let first = parts.next()?;
    let rest: Vec<_> = parts.collect();
    (!rest.is_empty()).then(|| (first, rest.join(&at.to_string())))
}

/// Without the backslashes that took the meaning from a sign.
pub(super) fn plain(text: &str) -> String {
    let (mut plain, mut signs) = (String::with_capacity(text.len()), text.chars().peekable());
    while let Some(sign) = signs.next() {
        let takes = sign == '\\' && signs.peek().is_some_and(|next| r"\:,=".contains(*next));
        plain.push(if takes { signs.next().unwrap_or(sign) } else { sign });
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape() -> Value {
        json!({
            "required": ["line"],
            "properties": {
                "line": {"x-reference": "line"}, "label": {"type": "string"},
                "display": {"type": "string"}, "busy_trigger": {"type": "integer"},
            },
        })
    }

    fn read(text: &str) -> Result<Value> {
        let shape = shape();
        EntryShape::of(&shape).unwrap().read("lines", text)
    }

    #[test]
    fn an_entry_is_typed_without_json() {
        for (text, entry) in [
            ("3004", json!({"line": "3004"})),
            ("3004=Front desk", json!({"line": "3004", "label": "Front desk"})),
            ("3004=", json!({"line": "3004", "label": ""})),
            ("3004:display=Ada L.", json!({"line": "3004", "display": "Ada L."})),
            ("3004=A=B:busy-trigger=3", json!({"line": "3004", "label": "A=B", "busy_trigger": 3})),
            (r"3004=Room 7\: A\, B", json!({"line": "3004", "label": "Room 7: A, B"})),
            (r#"{"line": 7, "label": "x"}"#, json!({"line": 7, "label": "x"})),
        ] {
            assert_eq!(read(text).unwrap(), entry, "{text}");
        }
        for (text, why) in [
            ("3004:display", "no field=value"),
            ("3004:colour=red", "there is no field colour"),
            ("3004:busy-trigger=many", "takes a whole number"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_line_that_stays_keeps_its_settings() {
        let before = json!([
            {"line": {"id": 40, "name": "3004 in Offices"}, "label": "Ada", "display": "Ada L."},
            {"line": {"id": 41, "name": "3003"}, "label": "", "display": "x"},
        ]);
        let mut typed =
            json!([{"line": "3005"}, {"line": "3004"}, {"line": "id:41", "label": "y"}]);
        EntryShape::of(&shape()).unwrap().keep(&mut typed, &before);
        let kept = json!([
            {"line": "3005"},
            {"line": "3004", "label": "Ada", "display": "Ada L."},
            {"line": "id:41", "label": "y", "display": "x"},
        ]);
        assert_eq!(typed, kept);
    }

    #[test]
    fn the_help_says_how_an_entry_is_typed() {
        let form = EntryShape::of(&shape()).unwrap().form(|_| Some("LINE".into()));
        assert_eq!(form, "LINE[=LABEL][:display|busy-trigger=…]");
    }
}
