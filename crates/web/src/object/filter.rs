use jackfield_model::{Directory, Kind, closest, compared, meant};
use jackfield_vocabulary::{Code, Refusal};
use serde_json::Value;

use super::form::derived;

/// A condition on one field: `field=value`, `field!=value` or `field~part`. A reference is
/// compared by id or name; a list fits when one entry does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    path: Vec<String>,
    relation: Relation,
    /// As it was written.
    written: String,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Is,
    IsNot,
    Contains,
}

impl Filter {
    pub(crate) fn parse(kind: Kind, text: &str) -> Result<Self, Refusal> {
        let unreadable = || {
            let refusal = Refusal::new(Code::InvalidValue).field("filter").value("found", text);
            refusal.value("allowed", "field=value, field!=value, field~part")
        };
        let at = text.find(['=', '~']).ok_or_else(unreadable)?;
        let (field, value) = (&text[..at], &text[at + 1..]);
        let (field, relation) = match (field.strip_suffix('!'), &text[at..=at]) {
            (Some(field), "=") => (field, Relation::IsNot),
            (_, "~") => (field, Relation::Contains),
            _ => (field, Relation::Is),
        };
        let path = field.split('.').map(Into::into).collect::<Vec<String>>();
        check_field(kind, &path[0])?;
        if relation == Relation::Contains && value.is_empty() {
            // Every text contains it: whoever wrote it meant to write something behind it.
            return Err(unreadable());
        }
        Ok(Self { path, relation, written: value.into(), value: value.to_lowercase() })
    }

    /// Refuses a value that nothing of the kind can have, as the name of no model; what refers to
    /// something is compared by it.
    pub(crate) fn judged(mut self, kind: Kind, directory: &Directory) -> Result<Self, Refusal> {
        let field = self.path[0].as_str();
        if field == "in_use" && !matches!(&*self.value, "true" | "false") {
            let refusal = Refusal::new(Code::InvalidValue).field(field);
            let refusal = refusal.value("found", &self.written);
            return Err(refusal.value("allowed", "true | false"));
        }
        if matches!(field, "id" | "version" | "kind") || derived(kind).contains(&field) {
            return Ok(self);
        }
        // Nothing at all is that the list is empty.
        if !self.written.is_empty() {
            self.path = compared(kind, &self.path)?;
        }
        if self.relation == Relation::Contains {
            return Ok(self);
        }
        if let Some(id) = meant(kind, &self.path, &self.written, directory)? {
            self.path.push("id".into());
            self.value = id.to_string();
        }
        Ok(self)
    }

    /// It asks for the object of this id or name.
    pub(super) fn names_one(&self) -> bool {
        let naming = ["id", "name", "number", "user_id"].contains(&&*self.path[0]);
        naming && self.path.len() == 1 && self.relation == Relation::Is
    }

    /// Only objects that have something in particular meet it: not those that lack something, and not
    /// all of a kind.
    pub(crate) fn names_something(&self) -> bool {
        let empty = self.value.is_empty() || self.path[0] == "kind";
        self.relation != Relation::IsNot && !empty
    }

    /// The object, as it is shown, meets the condition.
    pub(crate) fn fits(&self, object: &Value) -> bool {
        match self.relation {
            Relation::Is => any(object, &self.path, &|text| *text == self.value),
            Relation::IsNot => !any(object, &self.path, &|text| *text == self.value),
            Relation::Contains => any(object, &self.path, &|text| text.contains(&self.value)),
        }
    }
}

/// Refuses a field that the kind does not have.
pub(crate) fn check_field(kind: Kind, field: &str) -> Result<(), Refusal> {
    let properties = kind.schema_value()["properties"].as_object();
    let known = |name: &str| properties.is_some_and(|fields| fields.contains_key(name));
    if known(field) || matches!(field, "id" | "version" | "kind") || derived(kind).contains(&field)
    {
        return Ok(());
    }
    let own = || properties.into_iter().flatten().map(|(name, _)| name.as_str());
    let names = || own().chain(derived(kind).iter().copied());
    let refusal = Refusal::new(Code::UnknownField).field(field);
    let refusal = refusal.value("allowed", names().collect::<Vec<_>>().join(", "));
    Err(match closest(field, names()) {
        Some(meant) => refusal.value("similar", meant),
        None => refusal,
    })
}

fn any(value: &Value, path: &[String], fits: &dyn Fn(&str) -> bool) -> bool {
    match (value, path) {
        (Value::Array(entries), path) => {
            if path.is_empty() && entries.is_empty() {
                return fits("");
            }
            entries.iter().any(|entry| any(entry, path, fits))
        }
        (Value::Object(fields), [first, rest @ ..]) => {
            fields.get(first).is_some_and(|value| any(value, rest, fits))
        }
        (Value::Object(fields), []) => {
            ["id", "name"].iter().filter_map(|key| fields.get(*key)).any(|one| any(one, &[], fits))
        }
        (Value::String(text), []) => fits(&text.to_lowercase()),
        (Value::Null, []) => fits(""),
        (plain, []) => fits(&plain.to_string()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_reach_into_references_and_lists() {
        let phone = json!({
            "name": "SEP001122334455", "owner": { "id": 7, "name": "tanaka" },
            "lines": [{ "line": { "id": 40, "name": "2001" } }], "location": null,
            "auto_registered": true,
        });
        let fits = |text: &str| Filter::parse(Kind::Phone, text).unwrap().fits(&phone);
        for text in [
            "owner=tanaka",
            "owner=7",
            "owner.name~TANA",
            "lines.line=2001",
            "location=",
            "auto_registered=true",
            "name~2233",
            "owner!=suzuki",
            "name=sep001122334455",
        ] {
            assert!(fits(text), "{text}");
        }
        for text in ["owner=suzuki", "owner!=tanaka", "lines.line=2002", "location=x"] {
            assert!(!fits(text), "{text}");
        }
        for text in ["owner", "colour=red", "=x", "name~", "lines.line~"] {
            assert!(Filter::parse(Kind::Phone, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_that_nothing_can_have_is_refused_and_not_found_nowhere() {
        let directory = Directory::default();
        let judged = |text: &str| {
            let filter = Filter::parse(Kind::Phone, text).unwrap();
            filter.judged(Kind::Phone, &directory).map_err(|refusal| refusal.code)
        };
        for text in ["model=Nope", "owner!=nobody", "lines.line=2002", "lines.line=17"] {
            assert_eq!(judged(text), Err(Code::UnknownReference), "{text}");
        }
        assert_eq!(judged("auto_registered=perhaps"), Err(Code::InvalidValue));
        assert_eq!(judged("lines.busy_trigger=many"), Err(Code::InvalidValue));
        assert_eq!(judged("lines.lien=2001"), Err(Code::UnknownField));
        for text in ["owner=", "name=x", "model~no", "auto_registered=True", "owner.name=x", "id=7"]
        {
            assert!(judged(text).is_ok(), "{text}");
        }
    }
}
