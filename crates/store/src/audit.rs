//! The change log as the audit reads it.

use std::collections::BTreeMap;

use jackfield_model::{Actor, Operation, Text};
use jackfield_vocabulary::{ObjectId, UnixTime};
use serde::Serialize;
use serde_json::Value as Json;

use crate::StoreError;
use crate::database::{Database, DatabaseError, Row, Value, widen};

/// Which changes are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only changes before this one; for the next page the last sequence of this one.
    pub before_sequence: Option<u64>,
    /// Not earlier.
    pub from: Option<UnixTime>,
    /// Earlier.
    pub until: Option<UnixTime>,
    /// By this user, device or application.
    pub actor: Option<Box<str>>,
    /// Of this object.
    pub object: Option<ObjectId>,
    /// By operations of this name.
    pub operation: Option<Box<str>>,
    /// Of objects that have, or had once, this name.
    pub name: Option<Box<str>>,
    /// Only what was refused, and what was locked for that.
    pub failed: bool,
    /// At most so many, 1 to 1,000.
    pub limit: u32,
}

/// One change, or one thing that was done without a change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Its number in the change log.
    pub sequence: u64,
    /// When.
    pub time: UnixTime,
    /// By whom.
    pub actor: Json,
    /// The operation's name, as in `assign`.
    pub operation: Box<str>,
    /// The operation's idempotency id.
    pub operation_id: Box<str>,
    /// The object.
    pub object: Option<ObjectId>,
    /// Its kind.
    pub kind: Option<Box<str>>,
    /// Its name at that time.
    pub name: Option<Text>,
    /// Its version from then on.
    pub version: Option<u32>,
    /// What it was; none when it was made.
    pub before: Option<Json>,
    /// What it is from then on; none when it was deleted.
    pub after: Option<Json>,
    /// What else there is to tell, as who proved what (SP-56).
    pub detail: Option<Json>,
}

/// The changes that pass the filter, newest first.
pub(crate) fn page(
    database: &mut Database,
    filter: &AuditFilter,
) -> Result<Vec<AuditEntry>, StoreError> {
    let any_object = i64::from(filter.object.is_none());
    let rows = database.rows(
        "SELECT sequence, time, actor, operation, operation_id, object, kind, name, version, \
         before, after, detail FROM change \
         WHERE sequence < ?1 AND time >= ?2 AND time < ?3 AND (?4 = '' OR actor_name = ?4) \
         AND (CAST(?5 AS BIGINT) = 1 OR object = ?6) AND (?7 = '' OR operation = ?7) \
         AND (?8 = '' OR object IN (SELECT object FROM change WHERE name = ?8)) \
         AND (CAST(?9 AS BIGINT) = 0 OR operation IN ('sign-in-failed', 'lock') \
              OR detail LIKE '%\"refused\":%') \
         ORDER BY sequence DESC LIMIT ?10",
        &[
            filter.before_sequence.map_or(Value::Int(i64::MAX), widen),
            widen(filter.from.unwrap_or_default().0),
            filter.until.map_or(Value::Int(i64::MAX), |until| widen(until.0)),
            filter.actor.as_deref().unwrap_or_default().into(),
            any_object.into(),
            filter.object.unwrap_or_default().0.into(),
            filter.operation.as_deref().unwrap_or_default().into(),
            filter.name.as_deref().unwrap_or_default().into(),
            i64::from(filter.failed).into(),
            filter.limit.clamp(1, 1000).into(),
        ],
        entry,
    )?;
    Ok(rows)
}

/// The names that objects had last, also of those that are gone.
pub(crate) fn last_names(
    database: &mut Database,
    objects: &[ObjectId],
) -> Result<BTreeMap<ObjectId, Text>, StoreError> {
    let mut names = BTreeMap::new();
    for object in objects {
        let name = database.row(
            "SELECT name FROM change WHERE object = ?1 AND name IS NOT NULL \
             ORDER BY sequence DESC LIMIT 1",
            &[object.0.into()],
            |row| Ok(Text::from(row.text(0)?)),
        )?;
        names.extend(name.map(|name| (*object, name)));
    }
    Ok(names)
}

fn entry(row: &Row<'_>) -> Result<AuditEntry, DatabaseError> {
    Ok(AuditEntry {
        sequence: row.number(0)?,
        time: UnixTime(row.number(1)?),
        actor: json(Some(row.text(2)?))?.unwrap_or_default(),
        operation: row.text(3)?.into(),
        operation_id: row.text(4)?.into(),
        object: row.optional_int(5)?.map(crate::database::narrow).transpose()?.map(ObjectId),
        kind: row.optional_text(6)?.map(Into::into),
        name: row.optional_text(7)?.map(Into::into),
        version: row.optional_int(8)?.map(crate::database::narrow).transpose()?,
        before: json(row.optional_text(9)?)?,
        after: json(row.optional_text(10)?)?,
        detail: json(row.optional_text(11)?)?,
    })
}

fn json(text: Option<&str>) -> Result<Option<Json>, DatabaseError> {
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error| DatabaseError::Corrupt(format!("a row of the change log: {error}")))
}

/// The name under which an actor is found.
pub(crate) fn actor_name(actor: &Actor) -> &str {
    match actor {
        Actor::System => "system",
        Actor::User { user_id, .. } | Actor::Application { user_id } => user_id,
        Actor::Device { device, .. } => device,
    }
}

/// The name of an operation, as its serialised form has it.
pub(crate) fn operation_name(operation: &Operation) -> &'static str {
    match operation {
        Operation::Create { .. } => "create",
        Operation::Update { .. } => "update",
        Operation::Delete { .. } => "delete",
        Operation::Batch(_) => "batch",
        Operation::FirstStart(_) => "first-start",
        Operation::AutoRegister { .. } => "auto-register",
        Operation::Assign { .. } => "assign",
        Operation::Unassign { .. } => "unassign",
        Operation::ReplacePhone { .. } => "replace-phone",
        Operation::QuickAdd { .. } => "quick-add",
        Operation::QuickRemove { .. } => "quick-remove",
        Operation::SetCredential { .. } => "set-credential",
        Operation::RotateDeviceSecret { .. } => "rotate-device-secret",
        Operation::Unlock { .. } => "unlock",
        Operation::Recover { .. } => "recover",
        Operation::ImportAutoRegistration(_) => "import-auto-registration",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jackfield_model::{FirstStart, Kind};

    #[test]
    fn operations_are_named_as_they_are_serialised() {
        let id = ObjectId(7);
        let first = FirstStart {
            node: "node1".into(),
            address: "192.0.2.1".into(),
            locale: "en_US".into(),
            time_zone: "UTC".into(),
        };
        for operation in [
            Operation::Create { kind: Kind::Line, body: Json::Null },
            Operation::Update { id, version: None, patch: Json::Null },
            Operation::Delete { id, version: None },
            Operation::Batch(Vec::new()),
            Operation::FirstStart(first),
            Operation::Unassign { device: id },
            Operation::ReplacePhone { old: id, new: id },
            Operation::QuickRemove { user: id },
            Operation::RotateDeviceSecret { device: id },
            Operation::Unlock { owner: id },
        ] {
            let written = serde_json::to_value(&operation).unwrap();
            assert_eq!(written["operation"], operation_name(&operation));
        }
    }
}
