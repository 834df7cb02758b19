//! Command-line options made from the declarations: one for each field of a kind, with the
//! field's own help, range and default. What is typed becomes the JSON that REST takes.

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, ArgMatches};
use jackfield_model::{Kind, not_yet};
use serde_json::{Map, Value};

use super::entry::{EntryShape, cut, plain};

/// A field of a kind, flattened: `forwards.all.destination`.
pub(crate) struct Field {
    /// Its path in the body.
    path: Vec<String>,
    schema: &'static Value,
    definitions: &'static Value,
    required: bool,
}

/// The fields of a kind, nested objects flattened.
pub(crate) fn fields(kind: Kind) -> Vec<Field> {
    let schema = kind.schema_value();
    let mut found = Vec::new();
    collect(schema, &schema["$defs"], &[], true, &mut found);
    found
}

fn collect(
    schema: &'static Value,
    definitions: &'static Value,
    path: &[String],
    may_require: bool,
    found: &mut Vec<Field>,
) {
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let mut path = path.to_vec();
        path.push(name.clone());
        let resolved = resolve(property, definitions);
        if resolved["properties"].is_object() {
            collect(resolved, definitions, &path, false, found);
            continue;
        }
        let required = may_require && required.iter().any(|one| one == name.as_str());
        found.push(Field { path, schema: property, definitions, required });
    }
}

fn resolve(schema: &'static Value, definitions: &'static Value) -> &'static Value {
    match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        Some(name) => &definitions[name],
        None => schema,
    }
}

impl Field {
    /// The option's name: `--forwards.all.destination`.
    pub(crate) fn name(&self) -> String {
        self.path.join(".").replace('_', "-")
    }

    /// The option, with its help.
    pub(crate) fn option(&self, for_new: bool) -> Arg {
        let name = self.name();
        let argument = Arg::new(name.clone())
            .long(name)
            .value_name(self.value_name())
            .help(self.help())
            .allow_hyphen_values(true)
            .required(for_new && self.required);
        if self.is_list() { argument.action(ArgAction::Append) } else { argument }
    }

    /// Puts what was typed into a body, where it was.
    pub(crate) fn fill(&self, matches: &ArgMatches, body: &mut Map<String, Value>) -> Result<()> {
        let Some(values) = matches.get_many::<String>(&self.name()) else { return Ok(()) };
        let values: Vec<&str> = values.map(String::as_str).collect();
        let value = if self.is_list() {
            let entries = values.iter().flat_map(|value| split(value));
            let entries = entries.filter(|entry| !entry.is_empty());
            entries.map(|entry| self.entry(&entry)).collect::<Result<_>>()?
        } else {
            let value = values.last().copied().unwrap_or_default();
            self.scalar(resolve(self.schema, self.definitions), value)?
        };
        insert(body, &self.path, value);
        Ok(())
    }

    fn is_list(&self) -> bool {
        resolve(self.schema, self.definitions)["items"].is_object()
    }

    /// Entries of this list were typed, and some may stay.
    pub(crate) fn keeps(&self, body: &Value) -> bool {
        let list = self.entries().is_some_and(EntryShape::can_stay);
        list && matches!(&*self.path, [name] if body[name].is_array())
    }

    /// Lets the entries that stay keep what is not typed of them; `body` is what was typed, `before`
    /// the object as it is shown.
    pub(crate) fn keep(&self, body: &mut Value, before: &Value) {
        let (Some(shape), [name]) = (self.entries(), &*self.path) else { return };
        if let Some(typed) = body.get_mut(name) {
            shape.keep(typed, &before[name]);
        }
    }

    /// The entries of a list of structs.
    fn entries(&self) -> Option<EntryShape<'static>> {
        let schema = resolve(self.schema, self.definitions);
        EntryShape::of(resolve_items(schema, self.definitions))
    }

    /// One entry of a list.
    fn entry(&self, text: &str) -> Result<Value> {
        match self.entries() {
            Some(shape) => shape.read(&self.name(), text),
            None => Ok(plain(text).into()),
        }
    }

    fn scalar(&self, schema: &Value, text: &str) -> Result<Value> {
        if text.is_empty() && self.is_nullable() {
            return Ok(Value::Null);
        }
        if schema["x-reference"].is_string() {
            return Ok(text.into());
        }
        match type_of(schema) {
            Some("integer") => match text.parse::<i64>() {
                Ok(number) => Ok(number.into()),
                Err(_) => bail!("--{} takes a whole number, not {text:?}", self.name()),
            },
            Some("boolean") => match text {
                "true" | "yes" | "on" => Ok(true.into()),
                "false" | "no" | "off" => Ok(false.into()),
                _ => bail!("--{} takes true or false, not {text:?}", self.name()),
            },
            _ => Ok(text.into()),
        }
    }

    fn is_nullable(&self) -> bool {
        let types = &resolve(self.schema, self.definitions)["type"];
        types.as_array().is_some_and(|types| types.iter().any(|one| one == "null"))
            || self.schema["anyOf"]
                .as_array()
                .is_some_and(|choices| choices.iter().any(|one| one["type"] == "null"))
    }

    fn value_name(&self) -> String {
        let schema = resolve(self.schema, self.definitions);
        let schema = if self.is_list() { resolve_items(schema, self.definitions) } else { schema };
        if let Some(shape) = self.entries() {
            return shape.form(|field| {
                let choices = choices(resolve(field, self.definitions)).join("|");
                let kind = field["x-reference"].as_str().map(str::to_uppercase);
                kind.or_else(|| (!choices.is_empty()).then_some(choices))
            });
        }
        if let Some(kind) = schema["x-reference"].as_str() {
            return kind.to_uppercase();
        }
        let choices = choices(schema);
        if !choices.is_empty() {
            return choices.join("|");
        }
        match type_of(schema) {
            Some("integer") => "NUMBER".into(),
            Some("boolean") => "true|false".into(),
            _ => "TEXT".into(),
        }
    }

    fn help(&self) -> String {
        let mut help = self.about();
        if let Some(default) = self.default() {
            help.push_str(&format!(" [default: {default}]"));
        }
        if let Some(takes) = self.takes() {
            help.push_str(&format!(" [{takes}]"));
        }
        if let Some(not_yet) = self.not_yet() {
            help.push_str(&format!(" [{not_yet}]"));
        }
        if self.is_list() {
            help.push_str(match self.entries() {
                Some(shape) if shape.can_stay() => {
                    " [several: repeat it, or separate them by commas; one that stays keeps its \
                     settings]"
                }
                _ => " [several: repeat it, or separate them by commas]",
            });
        }
        help
    }

    /// What it is for.
    fn about(&self) -> String {
        let own = self.schema["description"].as_str();
        let help = own.or_else(|| resolve(self.schema, self.definitions)["description"].as_str());
        help.unwrap_or_default().replace('\n', " ")
    }

    /// What it is where nobody chooses, as it is typed.
    fn default(&self) -> Option<String> {
        match &self.schema["default"] {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::Array(entries) if entries.is_empty() => None,
            Value::Array(entries) => Some(entries.iter().map(typed).collect::<Vec<_>>().join(",")),
            default => Some(typed(default)),
        }
    }

    /// What it does not do yet, or parts of it and words that it takes do not.
    fn not_yet(&self) -> Option<String> {
        if let Some(not_yet) = not_yet(self.schema) {
            return Some(not_yet.help.into());
        }
        let schema = resolve(self.schema, self.definitions);
        let schema = if self.is_list() { resolve_items(schema, self.definitions) } else { schema };
        let mut parts = Vec::new();
        for (name, part) in schema["properties"].as_object().into_iter().flatten() {
            parts.extend(not_yet(part).map(|not_yet| (name.replace('_', "-"), not_yet.help)));
            parts.extend(words_not_yet(resolve(part, self.definitions)));
        }
        parts.extend(words_not_yet(schema));
        let mut said: Vec<String> = Vec::new();
        for part in parts.chunk_by(|one, other| one.1 == other.1) {
            let names: Vec<_> = part.iter().map(|(name, _)| name.as_str()).collect();
            said.push(format!("{}: {}", names.join(", "), part[0].1));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// What a change takes before it shows.
    fn takes(&self) -> Option<&'static str> {
        Some(match self.schema["x-takes"].as_str()? {
            "restart" => "the phone must restart",
            "service-restart" => "the service must restart",
            "node-restart" => "the node must restart",
            other => other,
        })
    }
}

/// The words of a choice that do not do yet what they say.
fn words_not_yet(schema: &'static Value) -> impl Iterator<Item = (String, &'static str)> {
    let words = schema["oneOf"].as_array().into_iter().flatten();
    words.filter_map(|word| Some((word["const"].as_str()?.to_owned(), not_yet(word)?.help)))
}

fn resolve_items(schema: &'static Value, definitions: &'static Value) -> &'static Value {
    resolve(&schema["items"], definitions)
}

fn type_of(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(one) => Some(one),
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).find(|one| *one != "null")
        }
        _ => None,
    }
}

fn choices(schema: &Value) -> Vec<&str> {
    if let Some(choices) = schema["enum"].as_array() {
        return choices.iter().filter_map(Value::as_str).collect();
    }
    let one_of = schema["oneOf"].as_array().into_iter().flatten();
    one_of.filter_map(|choice| choice["const"].as_str()).collect()
}

/// Cuts at commas, unless the text is JSON.
fn split(text: &str) -> Vec<String> {
    if text.trim_start().starts_with(['{', '[']) {
        return match serde_json::from_str(text) {
            Ok(Value::Array(entries)) => entries.iter().map(typed).collect(),
            _ => vec![text.into()],
        };
    }
    cut(text, ',').iter().map(|entry| entry.trim().to_owned()).collect()
}

/// A value as it is typed.
fn typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn insert(body: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut place = body;
    for parent in parents {
        let below = place.entry(parent.clone()).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(below) = below else { return };
        place = below;
    }
    place.insert(last.clone(), value);
}

#[cfg(test)]
mod tests {
    use clap::Command;
    use serde_json::json;

    use super::*;

    fn typed(kind: Kind, words: &[&str]) -> Result<Value> {
        let fields = fields(kind);
        let mut command = Command::new("add").no_binary_name(true);
        for field in &fields {
            command = command.arg(field.option(false));
        }
        let matches = command.try_get_matches_from(words)?;
        let mut body = Map::new();
        for field in &fields {
            field.fill(&matches, &mut body)?;
        }
        Ok(body.into())
    }

    #[test]
    fn what_is_typed_becomes_what_rest_takes() {
        let phone =
            ["--name", "SEP001122334455", "--device-pool", "Default", "--lines", "1001,1002"];
        assert_eq!(
            typed(Kind::Phone, &phone).unwrap(),
            json!({"name": "SEP001122334455", "device_pool": "Default",
                   "lines": [{"line": "1001"}, {"line": "1002"}]})
        );
        let dials = ["--speed-dials", "2000=Help, please\\, now,110", "--speed-dials", "119=Fire"];
        let dials = typed(Kind::Phone, &dials).unwrap();
        assert_eq!(
            dials["speed_dials"],
            json!([{"number": "2000", "label": "Help"}, {"number": "please, now"},
                   {"number": "110"}, {"number": "119", "label": "Fire"}])
        );
        let buttons = ["--buttons", "line,speed-dial=Help"];
        assert_eq!(
            typed(Kind::PhoneButtonTemplate, &buttons).unwrap()["buttons"],
            json!([{"feature": "line"}, {"feature": "speed-dial", "label": "Help"}])
        );
        let template = ["--lines", "display=#LastName#:label=#DirectoryNumber#"];
        assert_eq!(
            typed(Kind::UniversalDeviceTemplate, &template).unwrap()["lines"],
            json!([{"display": "#LastName#", "label": "#DirectoryNumber#"}])
        );
        let line = ["--number", "2000", "--forwards.all.destination", "3000"];
        assert_eq!(
            typed(Kind::Line, &line).unwrap(),
            json!({"number": "2000", "forwards": {"all": {"destination": "3000"}}})
        );
    }

    #[test]
    fn a_number_that_is_none_is_refused_by_name() {
        let error = typed(Kind::Node, &["--sip-port", "many"]).unwrap_err().to_string();
        assert!(error.contains("--sip-port takes a whole number"), "{error}");
    }

    /// The reference for readers, `docs/reference.md`.
    fn reference() -> String {
        let mut page = String::from(
            "# Reference: every kind and field\n\n\
             Made from the declarations by a test; the command line (`jackfield add KIND --help`), \
             REST and\nthe checks are made from the same. An option has dashes where a field has \
             underscores: `--alerting-name`\nis the field `alerting_name`. A field in capitals \
             after its name refers to an object of that kind, by name\nor id.\n",
        );
        for kind in Kind::ALL {
            let about = kind.schema_value()["description"].as_str().unwrap_or_default();
            let only = if kind.is_singleton() { " There is one." } else { "" };
            page.push_str(&format!("\n## {kind}\n\n{}{only}\n\n", about.replace('\n', " ")));
            page.push_str(
                "| option | value | what it is | default | a change |\n|---|---|---|---|---|\n",
            );
            for field in fields(*kind) {
                let needed = if field.required { "**needed**".into() } else { String::new() };
                let several = if field.is_list() { ", several" } else { "" };
                let cells = [
                    format!("`--{}`", field.name()),
                    format!("{}{several}", field.value_name()),
                    field.about(),
                    field.default().map_or(needed, |default| format!("`{default}`")),
                    [field.takes().map(Into::into), field.not_yet()]
                        .into_iter()
                        .flatten()
                        .collect::<Vec<_>>()
                        .join("; "),
                ];
                let cells = cells.map(|cell| cell.replace('|', "\\|"));
                page.push_str(&format!("| {} |\n", cells.join(" | ")));
            }
        }
        page
    }

    #[test]
    fn the_checked_in_reference_is_that_of_the_declarations() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference.md");
        let text = reference();
        if std::fs::read_to_string(&path).unwrap_or_default() != text {
            std::fs::write(&path, &text).unwrap();
            panic!(
                "docs/reference.md was not up to date and is rewritten: look at it and commit it"
            );
        }
    }

    #[test]
    fn every_field_of_every_kind_has_help() {
        for kind in Kind::ALL {
            for field in fields(*kind) {
                assert!(field.help().len() > 3, "{kind} --{} has no help", field.name());
            }
        }
    }
}
