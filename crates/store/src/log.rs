//! Rows of the change log, which is the audit and the way by which other nodes follow.

use jackfield_model::{Actor, Text};
use jackfield_vocabulary::{ObjectId, UnixTime};
use serde::Serialize;
use serde_json::Value as Json;

use crate::StoreError;
use crate::audit;
use crate::commit::Wanted;
use crate::database::{Database, Many, widen};
use crate::state::State;

/// One row. An object's new version is in it when the object itself changed.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) object: Option<ObjectId>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) name: Option<Text>,
    pub(crate) version: Option<u32>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) detail: Option<Json>,
}

/// What all rows of one operation have in common.
pub(crate) struct Origin {
    time: UnixTime,
    actor: String,
    actor_name: String,
    operation: String,
    id: String,
}

/// The kind by which other nodes know that a device has a new secret.
pub(crate) const DEVICE_SECRET: &str = "device-secret";

/// The kind by which other nodes know that tokens of an account have ended.
pub(crate) const TOKEN: &str = "token";

/// The kind by which other nodes know that a credential of an account was set or removed.
pub(crate) const CREDENTIAL: &str = "credential";

impl Origin {
    /// An operation.
    pub(crate) fn of(wanted: &Wanted, time: UnixTime) -> Result<Self, StoreError> {
        let operation = audit::operation_name(&wanted.operation);
        let origin = Self::elsewhere(&wanted.actor, operation, time)?;
        Ok(Self { id: wanted.id.to_string(), ..origin })
    }

    /// Something that is no operation.
    pub(crate) fn elsewhere(actor: &Actor, what: &str, time: UnixTime) -> Result<Self, StoreError> {
        Ok(Self {
            time,
            actor: to_text(actor)?,
            actor_name: audit::actor_name(actor).into(),
            operation: what.into(),
            id: String::new(),
        })
    }

    /// Writes the rows under the next numbers.
    pub(crate) fn append(
        &self,
        database: &mut Database,
        state: &mut State,
        logs: Vec<Log>,
    ) -> Result<(), StoreError> {
        let rows = logs.into_iter().map(|log| {
            state.sequence += 1;
            vec![
                widen(state.sequence),
                widen(self.time.0),
                (&*self.actor).into(),
                (&*self.actor_name).into(),
                (&*self.operation).into(),
                (&*self.id).into(),
                log.object.map(|id| id.0).into(),
                log.kind.into(),
                log.name.map(String::from).into(),
                log.version.into(),
                log.before.into(),
                log.after.into(),
                log.detail.map(|detail| detail.to_string()).into(),
            ]
        });
        let rows: Vec<_> = rows.collect();
        database.insert(&CHANGE, &rows)?;
        Ok(())
    }
}

/// The JSON of plain data.
pub(crate) fn to_text(what: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(what).map_err(|error| StoreError::Fault(error.to_string()))
}

const CHANGE: Many = Many {
    columns: "nnttttnttnttt",
    one: "INSERT INTO change (sequence, time, actor, actor_name, operation, operation_id, object, \
          kind, name, version, before, after, detail) \
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    all: "INSERT INTO change (sequence, time, actor, actor_name, operation, operation_id, object, \
          kind, name, version, before, after, detail) SELECT * FROM unnest(?1::bigint[], \
          ?2::bigint[], ?3::text[], ?4::text[], ?5::text[], ?6::text[], ?7::bigint[], \
          ?8::text[], ?9::text[], ?10::bigint[], ?11::text[], ?12::text[], ?13::text[])",
};
