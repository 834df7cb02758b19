//! What other systems and older releases kept otherwise.

use std::collections::BTreeSet;

use jackfield_model::setup::concerns;
use jackfield_model::{
    AutoRegistration, Kind, Language, Operation, PlainAutoRegistration, Text, warnings,
};
use jackfield_vocabulary::{Code, Refusal};
use serde_json::{Map, Value, json};

use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::object::{link, warn};

/// Auto-registration of older exports, where its values stood on the nodes themselves (SP-45): all
/// rows or none.
pub(crate) async fn auto_registration(call: Call) -> Result<Answer, Fault> {
    let rows = call.body["nodes"].as_array().filter(|rows| !rows.is_empty());
    let rows = rows.ok_or_else(|| Refusal::new(Code::MissingField).field("nodes"))?;
    let read = rows.iter().enumerate().map(|(index, row)| Row::of(index, row)?.read());
    let values = read.collect::<Result<Vec<_>, Refusal>>()?;
    let nodes = values.iter().map(|row| row.node.clone()).collect::<Vec<_>>();
    for (index, node) in nodes.iter().enumerate() {
        if nodes.iter().take(index).any(|other| other.eq_ignore_ascii_case(node)) {
            let refusal = Refusal::new(Code::Duplicate).field(format!("nodes[{index}].node"));
            return Err(refusal.value("rule", "twice").value("name", node).into());
        }
    }
    let mut told = no_effect(&values, call.language);
    let operations = values.into_iter().map(Operation::ImportAutoRegistration).collect();
    let taken = call.app.execute(call.operation, call.actor(), Operation::Batch(operations)).await;
    taken.map_err(|error| placed(error.into()))?;
    let directory = call.app.directory();
    let ranges = || nodes.iter().filter_map(|node| directory.auto_registration(node));
    told.extend(ranges().flat_map(|(id, _)| concerns(&directory, id.id(), call.language)));
    let shown = ranges();
    let shown = shown.map(|(id, settings)| {
        let AutoRegistration { device_template, line_template, .. } = &**settings;
        json!({
            "id": id.id().0,
            "node": link(&directory, settings.node.id()),
            "disabled": settings.disabled,
            "starting_number": settings.starting_number,
            "ending_number": settings.ending_number,
            "device_template": device_template.map(|one| link(&directory, one.id())),
            "line_template": line_template.map(|one| link(&directory, one.id())),
        })
    });
    let mut answer = json!({ "items": shown.collect::<Vec<_>>() });
    warn(&mut answer, told);
    Ok(Answer::ok(answer))
}

/// What of the rows, as they stand in line templates from now on, does nothing yet; each said once.
fn no_effect(rows: &[PlainAutoRegistration], language: Language) -> Vec<String> {
    let of_row = |row: &PlainAutoRegistration| {
        let set = json!({ "external_mask": row.external_mask });
        warnings(Kind::UniversalLineTemplate, &Value::Null, &set, language)
    };
    rows.iter().flat_map(of_row).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The refusal of a row with its place, as the rows of the request are counted.
fn placed(fault: Fault) -> Fault {
    let Fault::Refused(mut refusal) = fault else { return fault };
    let row = refusal.values.iter().find(|(name, _)| **name == *"row");
    let row = row.and_then(|(_, row)| row.parse::<usize>().ok());
    if let Some(row) = row {
        let field = refusal.field.take().unwrap_or_default();
        let place = format!("nodes[{}].{field}", row.saturating_sub(1));
        refusal.field = Some(place.trim_end_matches('.').into());
    }
    refusal.into()
}

/// A row of an export, and its place for refusals.
struct Row<'a> {
    place: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Row<'a> {
    fn of(index: usize, row: &'a Value) -> Result<Self, Refusal> {
        let place = format!("nodes[{index}]");
        let refused = || Refusal::new(Code::InvalidValue).field(&*place).value("allowed", "{ }");
        let fields = row.as_object().ok_or_else(refused)?;
        if let Some(unknown) = fields.keys().find(|name| !COLUMNS.contains(&name.as_str())) {
            let refusal = Refusal::new(Code::UnknownField).field(format!("{place}.{unknown}"));
            return Err(refusal.value("allowed", COLUMNS.join(", ")));
        }
        Ok(Self { place, fields })
    }

    fn read(&self) -> Result<PlainAutoRegistration, Refusal> {
        let disabled = match self.fields.get("disabled") {
            Some(Value::Bool(disabled)) => *disabled,
            None | Some(Value::Null) => return Err(self.refusal(Code::MissingField, "disabled")),
            Some(found) => {
                let refusal = self.refusal(Code::InvalidValue, "disabled");
                return Err(refusal.value("found", found).value("allowed", "true | false"));
            }
        };
        Ok(PlainAutoRegistration {
            node: self.needed("node")?,
            disabled,
            starting_number: self.needed("starting_number")?,
            ending_number: self.needed("ending_number")?,
            partition: self.text("partition")?.unwrap_or_default(),
            external_mask: self.text("external_mask")?.unwrap_or_default(),
        })
    }

    fn needed(&self, name: &str) -> Result<Text, Refusal> {
        self.text(name)?.ok_or_else(|| self.refusal(Code::MissingField, name))
    }

    fn text(&self, name: &str) -> Result<Option<Text>, Refusal> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str().into())),
            Some(found) => {
                let refusal = self.refusal(Code::InvalidValue, name);
                Err(refusal.value("found", found).value("allowed", "text"))
            }
        }
    }

    fn refusal(&self, code: Code, name: &str) -> Refusal {
        Refusal::new(code).field(format!("{}.{name}", self.place))
    }
}

/// The columns of an export; the last two may be left out.
const COLUMNS: [&str; 6] =
    ["node", "disabled", "starting_number", "ending_number", "partition", "external_mask"];
