//! Rows of objects: how a body is stored, read, and carried over from an older or newer node.

use std::collections::BTreeMap;

use jackfield_model::{Body, Entry, Kind};
use jackfield_vocabulary::ObjectId;
use serde_json::{Map, Value as Json};

use crate::StoreError;
use crate::database::{Database, DatabaseError};

/// An object as it stands in its row.
pub(crate) struct Stored {
    pub(crate) kind: String,
    pub(crate) version: u32,
    pub(crate) body: String,
}

impl Stored {
    /// The rows of these objects, as far as they are there.
    pub(crate) fn find_all(
        database: &mut Database,
        ids: &[ObjectId],
    ) -> Result<BTreeMap<ObjectId, Self>, DatabaseError> {
        let mut found = BTreeMap::new();
        let ids: Vec<_> = ids.iter().map(|id| i64::from(id.0)).collect();
        database.each_of(
            "SELECT id, kind, version, body FROM object WHERE id = ?1",
            "SELECT id, kind, version, body FROM object WHERE id = ANY(?1)",
            &ids,
            &mut |row| {
                let stored = Self {
                    kind: row.text(1)?.to_owned(),
                    version: row.number(2)?,
                    body: row.text(3)?.to_owned(),
                };
                found.insert(ObjectId(row.number(0)?), stored);
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// The object; none when only a newer program knows its kind.
    pub(crate) fn entry(&self, id: ObjectId) -> Result<Option<Entry>, StoreError> {
        read(id, &self.kind, self.version, &self.body)
    }
}

/// Reads an object's row; none when only a newer program knows its kind.
pub(crate) fn read(
    id: ObjectId,
    kind: &str,
    version: u32,
    body: &str,
) -> Result<Option<Entry>, StoreError> {
    let Some(kind) = Kind::ALL.iter().copied().find(|known| known.name() == kind) else {
        return Ok(None);
    };
    match kind.read_text(body) {
        Ok(body) => Ok(Some(Entry { version, body })),
        Err(error) => Err(StoreError::Corrupt(format!("object {id} ({kind}): {error}"))),
    }
}

/// The text to store for `after`: its fields, and those of the stored text that this program does
/// not know, because a newer one wrote them.
pub(crate) fn text(after: &Body, stored: Option<(&str, &Body)>) -> String {
    let mut json = after.to_json();
    if let Some((text, before)) = stored
        && let Ok(stored) = serde_json::from_str::<Json>(text)
    {
        carry_over(&stored, &before.to_json(), &mut json);
    }
    json.to_string()
}

/// Copies what `stored` has and `known` lacks into `after`.
fn carry_over(stored: &Json, known: &Json, after: &mut Json) {
    match (stored, known, after) {
        (Json::Object(stored), Json::Object(known), Json::Object(after)) => {
            carry_fields(stored, known, after);
        }
        (Json::Array(stored), Json::Array(known), Json::Array(after)) => {
            let same_length = known.len() == after.len();
            for (at, entry) in after.iter_mut().enumerate() {
                // An entry that moved is found by what is known of it.
                let from = known.iter().position(|known| known == entry);
                let from = from.or_else(|| same_length.then_some(at));
                if let Some((stored, known)) =
                    from.and_then(|from| Some((stored.get(from)?, known.get(from)?)))
                {
                    carry_over(stored, known, entry);
                }
            }
        }
        _ => {}
    }
}

fn carry_fields(
    stored: &Map<String, Json>,
    known: &Map<String, Json>,
    after: &mut Map<String, Json>,
) {
    for (field, value) in stored {
        match (known.get(field), after.get_mut(field)) {
            (Some(known), Some(after)) => carry_over(value, known, after),
            (None, None) => drop(after.insert(field.clone(), value.clone())),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_only_a_newer_node_knows_are_carried_over() {
        let stored = json!({"name": "a", "new": 1, "lines": [{"n": 1, "x": "one"}, {"n": 2}]});
        let known = json!({"name": "a", "lines": [{"n": 1}, {"n": 2}]});
        let mut after = json!({"name": "b", "lines": [{"n": 2}, {"n": 1}, {"n": 3}]});
        carry_over(&stored, &known, &mut after);
        assert_eq!(
            after,
            json!({"name": "b", "lines": [{"n": 2}, {"n": 1, "x": "one"}, {"n": 3}], "new": 1})
        );
    }

    #[test]
    fn a_field_that_was_taken_away_does_not_come_back() {
        let mut after = json!({"name": "a"});
        carry_over(&json!({"name": "a", "css": 4}), &json!({"name": "a", "css": 4}), &mut after);
        assert_eq!(after, json!({"name": "a"}));
    }
}
