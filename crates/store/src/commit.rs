//! One operation in the running transaction: judged on the latest directory, then written with its
//! keys, references, change rows and outcome, or not at all.

use std::collections::BTreeMap;

use jackfield_model::{
    Actor, Body, Change, CredentialKind, Effect, Entry, Ids, Kind, Operation, Outcome, Verdict,
    references_of,
};
use jackfield_vocabulary::{Code, ObjectId, OperationId, Refusal, SecretText, UnixTime};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::StoreError;
use crate::attempt;
use crate::audit;
use crate::database::{Database, DatabaseError, SCHEMA, Value, widen};
use crate::object::{self, Stored};
use crate::state::{State, set_meta_number};
use crate::vault::Vault;
use crate::writer::Turn;

/// An operation on its way.
pub(crate) struct Wanted {
    pub(crate) id: OperationId,
    pub(crate) actor: Actor,
    pub(crate) operation: Operation,
}

/// What the operation table says of an id.
pub(crate) enum Past {
    Committed(Outcome),
    Dead,
    Unseen,
}

/// Looks up what became of an operation.
pub(crate) fn past(database: &mut Database, id: OperationId) -> Result<Past, StoreError> {
    let row = database.row(
        "SELECT outcome FROM operation WHERE id = ?1",
        &[id.to_string().into()],
        |row| Ok(row.optional_text(0)?.map(ToOwned::to_owned)),
    )?;
    match row {
        None => Ok(Past::Unseen),
        Some(None) => Ok(Past::Dead),
        Some(Some(outcome)) => serde_json::from_str(&outcome)
            .map(Past::Committed)
            .map_err(|error| StoreError::Corrupt(format!("outcome of operation {id}: {error}"))),
    }
}

/// Makes sure that an operation that was never seen is never carried out.
pub(crate) fn bury(
    database: &mut Database,
    id: OperationId,
    now: UnixTime,
) -> Result<(), StoreError> {
    remember(database, id, now, Value::Null)
}

/// Carries out an operation that was not seen before.
pub(crate) fn carry_out(
    database: &mut Database,
    state: &mut State,
    vault: &Vault,
    wanted: &Wanted,
    now: UnixTime,
) -> Result<Outcome, StoreError> {
    let mut ids = Ids::after(state.last_id);
    let verdict = wanted.operation.evaluate(&state.directory, &mut ids, now)?;
    let mut next = state.clone();
    let writing = Writing { vault, wanted, now };
    database.savepoint(|database| {
        writing.write(database, &mut next, &verdict)?;
        if ids.last() != state.last_id {
            next.last_id = ids.last();
            set_meta_number(database, "last-id", u64::from(next.last_id.0))?;
        }
        let outcome = to_text(&verdict.outcome)?;
        remember(database, wanted.id, now, outcome.into())
    })?;
    *state = next;
    Ok(verdict.outcome)
}

/// Writes down that an assignment was refused, and why (SP-56).
pub(crate) fn note_refusal(
    database: &mut Database,
    state: &mut State,
    wanted: &Wanted,
    refusal: &Refusal,
    now: UnixTime,
) -> Result<(), StoreError> {
    let object = match &wanted.operation {
        Operation::Assign { device, .. } | Operation::Unassign { device } => *device,
        Operation::ReplacePhone { new, .. } => *new,
        _ => return Ok(()),
    };
    let detail = Some(json!({ "refused": refusal, "wanted": wanted.operation }));
    let log = Log { object: Some(object), detail, ..Log::default() };
    state.sequence += 1;
    LogEntry::new(wanted, now)?.append(database, state.sequence, log)
}

/// Writes down something that was done without a change.
pub(crate) fn note(
    turn: &mut Turn<'_>,
    actor: &Actor,
    what: &str,
    object: Option<ObjectId>,
    detail: Json,
) -> Result<(), StoreError> {
    let entry = LogEntry {
        time: turn.now,
        actor: to_text(actor)?,
        actor_name: audit::actor_name(actor).into(),
        operation: what.into(),
        id: String::new(),
    };
    turn.state.sequence += 1;
    let log = Log { object, detail: Some(detail), ..Log::default() };
    entry.append(turn.database, turn.state.sequence, log)
}

fn to_text(what: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(what).map_err(|error| StoreError::Fault(error.to_string()))
}

fn remember(
    database: &mut Database,
    id: OperationId,
    now: UnixTime,
    outcome: Value<'_>,
) -> Result<(), StoreError> {
    database.execute(
        "INSERT INTO operation (id, time, outcome) VALUES (?1, ?2, ?3)",
        &[id.to_string().into(), widen(now.0), outcome],
    )?;
    Ok(())
}

struct Writing<'a> {
    vault: &'a Vault,
    wanted: &'a Wanted,
    now: UnixTime,
}

/// The kind in the change log by which other nodes know that a device has a new secret.
pub(crate) const DEVICE_SECRET: &str = "device-secret";

/// The row of the change log that an effect makes.
#[derive(Default)]
struct Log {
    object: Option<ObjectId>,
    kind: Option<&'static str>,
    name: Option<Box<str>>,
    version: Option<u32>,
    before: Option<String>,
    after: Option<String>,
    detail: Option<Json>,
}

impl Writing<'_> {
    fn write(
        &self,
        database: &mut Database,
        state: &mut State,
        verdict: &Verdict,
    ) -> Result<(), StoreError> {
        // An object may be written twice in one operation; its keys and references count as they
        // are at the end, so that objects may swap names and refer to each other.
        for effect in &verdict.effects {
            if let Effect::Put { id, .. } | Effect::Delete { id } = effect {
                release(database, *id)?;
            }
        }
        let mut changes = Vec::with_capacity(verdict.effects.len());
        let mut logs = Vec::with_capacity(verdict.effects.len());
        let mut last = BTreeMap::new();
        for effect in &verdict.effects {
            match effect {
                Effect::Put { id, version, body } => {
                    logs.push(self.put(database, state, *id, *version, body)?);
                    let after = Some(Entry { version: *version, body: body.clone() });
                    changes.push(Change { id: *id, after });
                    last.insert(*id, body);
                }
                Effect::Delete { id } => drop(last.remove(id)),
                _ => {}
            }
        }
        for (id, body) in last {
            claim(database, id, body)?;
        }
        for effect in &verdict.effects {
            if let Effect::Delete { id } = effect {
                logs.push(self.delete(database, state, *id)?);
                changes.push(Change { id: *id, after: None });
            }
        }
        self.write_secrets(database, &verdict.effects, &mut logs)?;
        self.append(database, state, logs, &verdict.audit)?;
        state.apply(&changes);
        for effect in &verdict.effects {
            if let Effect::RotateDeviceSecret { device } = effect {
                state.read_generation(database, *device)?;
            }
        }
        Ok(())
    }

    fn put(
        &self,
        database: &mut Database,
        state: &State,
        id: ObjectId,
        version: u32,
        body: &Body,
    ) -> Result<Log, StoreError> {
        let stored = Stored::find(database, id)?;
        let before = state.directory.entry(id);
        let known = stored.as_ref().zip(before);
        let after = object::text(body, known.map(|(stored, entry)| (&*stored.body, &entry.body)));
        let (kind, name) = (body.kind().name(), body.name());
        database.execute(
            "INSERT INTO object (id, kind, name, version, schema, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET \
             name = excluded.name, version = excluded.version, schema = excluded.schema, \
             body = excluded.body",
            &[
                id.0.into(),
                kind.into(),
                (&*name).into(),
                version.into(),
                SCHEMA.into(),
                (&*after).into(),
            ],
        )?;
        let before = stored.map(|stored| stored.body);
        Ok(Log {
            object: Some(id),
            kind: Some(kind),
            name: Some(name),
            version: Some(version),
            before,
            after: Some(after),
            detail: None,
        })
    }

    fn delete(
        &self,
        database: &mut Database,
        state: &State,
        id: ObjectId,
    ) -> Result<Log, StoreError> {
        let stored = Stored::find(database, id)?;
        let users = dependents(database, state, id)?;
        let body = state.directory.entry(id).map(|entry| &entry.body);
        if !users.is_empty() {
            return Err(in_use(body, &users).into());
        }
        for sql in [
            "DELETE FROM secret WHERE owner = ?1",
            "DELETE FROM credential_attempt WHERE owner = ?1",
            "DELETE FROM binding WHERE device = ?1",
            "DELETE FROM login WHERE device = ?1",
            "DELETE FROM object WHERE id = ?1",
        ] {
            database.execute(sql, &[id.0.into()])?;
        }
        Ok(Log {
            object: Some(id),
            kind: body.map(|body| body.kind().name()),
            name: body.map(Body::name),
            // What was there is gone; the follower reads that the row is no more.
            version: Some(stored.as_ref().map_or(0, |stored| stored.version)),
            before: stored.map(|stored| stored.body),
            ..Log::default()
        })
    }

    fn write_secrets(
        &self,
        database: &mut Database,
        effects: &[Effect],
        logs: &mut Vec<Log>,
    ) -> Result<(), StoreError> {
        for effect in effects {
            let (object, detail) = match effect {
                Effect::Put { .. } | Effect::Delete { .. } => continue,
                Effect::Credential { owner, kind, hash } => {
                    self.credential(database, *owner, *kind, hash.as_ref())?;
                    (owner, json!({ "credential": kind, "set": hash.is_some() }))
                }
                Effect::RotateDeviceSecret { device } => {
                    rotate(database, *device)?;
                    let detail = Some(json!({ "device-secret": "rotated" }));
                    let kind = Some(DEVICE_SECRET);
                    logs.push(Log { object: Some(*device), kind, detail, ..Log::default() });
                    continue;
                }
                Effect::Unlock { owner } => {
                    attempt::forget_all(database, *owner)?;
                    (owner, json!({ "unlocked": true }))
                }
            };
            logs.push(Log { object: Some(*object), detail: Some(detail), ..Log::default() });
        }
        Ok(())
    }

    fn credential(
        &self,
        database: &mut Database,
        owner: ObjectId,
        kind: CredentialKind,
        hash: Option<&SecretText>,
    ) -> Result<(), StoreError> {
        let name = attempt::name(kind);
        match hash {
            Some(hash) => {
                let hash = hash.reveal().as_bytes();
                self.vault.put(database, owner.0, name, hash, self.now.0)?;
            }
            None => {
                database.execute(
                    "DELETE FROM secret WHERE owner = ?1 AND kind = ?2",
                    &[owner.0.into(), name.into()],
                )?;
            }
        }
        attempt::forget(database, owner, kind)?;
        if kind == CredentialKind::Password {
            // Whoever changed the password has ended the one-time one.
            database.execute(
                "DELETE FROM secret WHERE owner = ?1 AND kind = 'one-time'",
                &[owner.0.into()],
            )?;
        }
        Ok(())
    }

    fn append(
        &self,
        database: &mut Database,
        state: &mut State,
        mut logs: Vec<Log>,
        audit: &Json,
    ) -> Result<(), StoreError> {
        if !audit.is_null() {
            match logs.first_mut() {
                Some(log) if log.detail.is_none() => log.detail = Some(audit.clone()),
                _ => logs.insert(0, Log { detail: Some(audit.clone()), ..Log::default() }),
            }
        }
        let entry = LogEntry::new(self.wanted, self.now)?;
        for log in logs {
            state.sequence += 1;
            entry.append(database, state.sequence, log)?;
        }
        Ok(())
    }
}

/// What all rows of one operation have in common.
struct LogEntry {
    time: UnixTime,
    actor: String,
    actor_name: String,
    operation: String,
    id: String,
}

impl LogEntry {
    fn new(wanted: &Wanted, time: UnixTime) -> Result<Self, StoreError> {
        Ok(Self {
            time,
            actor: to_text(&wanted.actor)?,
            actor_name: audit::actor_name(&wanted.actor).into(),
            operation: audit::operation_name(&wanted.operation).into(),
            id: wanted.id.to_string(),
        })
    }

    fn append(&self, database: &mut Database, sequence: u64, log: Log) -> Result<(), StoreError> {
        database.execute(
            "INSERT INTO change (sequence, time, actor, actor_name, operation, operation_id, \
             object, kind, name, version, before, after, detail) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            &[
                widen(sequence),
                widen(self.time.0),
                (&*self.actor).into(),
                (&*self.actor_name).into(),
                (&*self.operation).into(),
                (&*self.id).into(),
                log.object.map(|id| id.0).into(),
                log.kind.into(),
                log.name.as_deref().into(),
                log.version.into(),
                log.before.into(),
                log.after.into(),
                log.detail.map(|detail| detail.to_string()).into(),
            ],
        )?;
        Ok(())
    }
}

/// Gives up an object's keys and references.
fn release(database: &mut Database, id: ObjectId) -> Result<(), DatabaseError> {
    database.execute("DELETE FROM reference WHERE source = ?1", &[id.0.into()])?;
    database.execute("DELETE FROM unique_key WHERE object = ?1", &[id.0.into()])?;
    Ok(())
}

/// Takes an object's keys and references.
pub(crate) fn claim(database: &mut Database, id: ObjectId, body: &Body) -> Result<(), StoreError> {
    let name = body.name().to_lowercase();
    let kind = body.kind().name();
    // Lines and route patterns share one space of numbers.
    let dialled = matches!(body.kind(), Kind::Line | Kind::RoutePattern);
    claim_key(database, id, kind, kind, "name", &name)?;
    for (key, value) in body.unique_keys() {
        let space = if dialled { "number" } else { kind };
        claim_key(database, id, kind, space, key, &value)?;
    }
    for (field, target) in references_of(body.kind(), &body.to_json()) {
        let written = database.execute(
            "INSERT INTO reference (source, target, field) VALUES (?1, ?2, ?3) \
             ON CONFLICT (source, target, field) DO NOTHING",
            &[id.0.into(), target.0.into(), (&*field).into()],
        );
        match written {
            Ok(_) => {}
            Err(DatabaseError::Reference(_)) => {
                let refusal = Refusal::new(Code::UnknownReference)
                    .field(field)
                    .object(kind, &body.name())
                    .value("id", target);
                return Err(refusal.into());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn claim_key(
    database: &mut Database,
    id: ObjectId,
    kind: &str,
    space: &str,
    key: &str,
    value: &str,
) -> Result<(), StoreError> {
    let taken = database.execute(
        "INSERT INTO unique_key (kind, name, value, object) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (kind, name, value) DO NOTHING",
        &[space.into(), key.into(), value.into(), id.0.into()],
    )?;
    if taken == 1 {
        return Ok(());
    }
    Err(Refusal::new(Code::Duplicate).field(key).object(kind, value).value("value", value).into())
}

/// Up to ten objects that refer to one, with the field: (kind and name, field).
fn dependents(
    database: &mut Database,
    state: &State,
    id: ObjectId,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let rows = database.rows(
        "SELECT source, field FROM reference WHERE target = ?1 AND source <> ?1 \
         ORDER BY source LIMIT 10",
        &[id.0.into()],
        |row| Ok((ObjectId(row.number(0)?), row.text(1)?.to_owned())),
    )?;
    let named = rows.into_iter().map(|(source, field)| {
        let name = state.directory.entry(source).map_or_else(
            || format!("object {source}"),
            |entry| format!("{} {}", entry.body.kind(), entry.body.name()),
        );
        (name, field)
    });
    Ok(named.collect())
}

fn in_use(body: Option<&Body>, users: &[(String, String)]) -> Refusal {
    let mut refusal = Refusal::new(Code::InUse);
    if let Some(body) = body {
        refusal = refusal.object(body.kind().name(), &body.name());
    }
    users.iter().fold(refusal, |refusal, (user, field)| {
        refusal.value("dependent", format!("{user} ({field})"))
    })
}

fn rotate(database: &mut Database, device: ObjectId) -> Result<(), DatabaseError> {
    database.execute(
        "INSERT INTO device_generation (device, generation) VALUES (?1, 1) \
         ON CONFLICT (device) DO UPDATE SET generation = device_generation.generation + 1",
        &[device.0.into()],
    )?;
    Ok(())
}
