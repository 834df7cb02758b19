//! Writes what an operation was found to do: objects with their keys and references, credentials,
//! and the change log.

use std::collections::BTreeMap;

use jackfield_model::{Body, CredentialKind, DeviceSecrets, Effect, Verdict};
use jackfield_vocabulary::{Code, ObjectId, Refusal, SecretText, UnixTime};
use serde_json::{Value as Json, json};

use crate::StoreError;
use crate::attempt;
use crate::claim::Claims;
use crate::commit::Wanted;
use crate::database::{Database, DatabaseError, Many, SCHEMA, Value};
use crate::log::{CREDENTIAL, DEVICE_SECRET, Log, Origin};
use crate::object::{self, Stored};
use crate::state::{State, signs_out};
use crate::token::{self, ONE_TIME};
use crate::vault::Vault;

/// One operation's writing.
pub(crate) struct Writing<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) wanted: &'a Wanted,
    pub(crate) now: UnixTime,
}

/// The objects that an operation changes.
struct Objects<'a> {
    /// What each is at the end; none when it is gone.
    last: BTreeMap<ObjectId, Option<(u32, &'a Body)>>,
    /// The text of each, as the writing goes on.
    texts: BTreeMap<ObjectId, Stored>,
}

impl Writing<'_> {
    /// Writes a verdict in the running transaction, and lets `state` see it.
    pub(crate) fn write(
        &self,
        database: &mut Database,
        state: &mut State,
        verdict: &Verdict,
    ) -> Result<(), StoreError> {
        let mut objects = Objects::new(database, state, &verdict.effects)?;
        let mut claims = Claims::default();
        for (&id, after) in &objects.last {
            let before = state.directory.entry(id).map(|entry| &entry.body);
            claims.change(id, before, after.map(|(_, body)| body));
        }
        claims.release(database)?;
        let mut logs = objects.log(state, &verdict.effects);
        objects.put(database)?;
        objects.end_tokens_of_disabled(database, state)?;
        objects.delete(database, state)?;
        claims.take(database, state)?;
        self.write_secrets(database, &verdict.effects, &mut logs)?;
        add_audit(&mut logs, &verdict.audit);
        state.signed_out |= logs.iter().filter_map(|log| log.kind).any(signs_out);
        Origin::of(self.wanted, self.now)?.append(database, state, logs)?;
        state.apply(&verdict.changes());
        for effect in &verdict.effects {
            if let Effect::RotateDeviceSecret { device } | Effect::RevokeDeviceSecret { device } =
                effect
            {
                state.read_generation(database, *device)?;
            }
        }
        Ok(())
    }

    fn write_secrets(
        &self,
        database: &mut Database,
        effects: &[Effect],
        logs: &mut Vec<Log>,
    ) -> Result<(), StoreError> {
        for effect in effects {
            let (object, kind, detail) = match effect {
                Effect::Put { .. } | Effect::Delete { .. } => continue,
                Effect::Credential { owner, kind, hash } => {
                    self.credential(database, *owner, *kind, hash.as_ref())?;
                    (owner, Some(CREDENTIAL), json!({ "credential": kind, "set": hash.is_some() }))
                }
                Effect::RotateDeviceSecret { device } => {
                    rotate(database, *device)?;
                    (device, Some(DEVICE_SECRET), json!({ "device-secret": "rotated" }))
                }
                Effect::RevokeDeviceSecret { device } => {
                    revoke(database, *device)?;
                    (device, Some(DEVICE_SECRET), json!({ "device-secret": "revoked" }))
                }
                Effect::Unlock { owner } => {
                    attempt::forget_all(database, *owner)?;
                    (owner, None, json!({ "unlocked": true }))
                }
            };
            let (object, detail) = (Some(*object), Some(detail));
            logs.push(Log { object, kind, detail, ..Log::default() });
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
                self.vault.put(database, owner.0, name, hash.reveal().as_bytes(), self.now.0)?;
            }
            None => forget_secret(database, owner, name)?,
        }
        attempt::forget(database, owner, kind)?;
        if kind == CredentialKind::Password {
            // Whoever changed the password has ended the one-time one.
            forget_secret(database, owner, ONE_TIME)?;
        }
        Ok(())
    }
}

impl<'a> Objects<'a> {
    fn new(
        database: &mut Database,
        state: &State,
        effects: &'a [Effect],
    ) -> Result<Self, DatabaseError> {
        let mut last = BTreeMap::new();
        for effect in effects {
            match effect {
                Effect::Put { id, version, body } => {
                    last.insert(*id, Some((*version, body)));
                }
                Effect::Delete { id } => drop(last.insert(*id, None)),
                _ => {}
            }
        }
        // An object that is not in the directory is new: there is nothing to read.
        let known: Vec<_> =
            last.keys().copied().filter(|id| state.directory.entry(*id).is_some()).collect();
        let texts = Stored::find_all(database, &known)?;
        Ok(Self { last, texts })
    }

    /// The rows of the change log, one for each effect; the texts are the last ones afterwards.
    fn log(&mut self, state: &State, effects: &[Effect]) -> Vec<Log> {
        let mut current: BTreeMap<ObjectId, &Body> = BTreeMap::new();
        let mut logs = Vec::with_capacity(effects.len());
        for effect in effects {
            let (Effect::Put { id, .. } | Effect::Delete { id }) = effect else { continue };
            let stored = self.texts.remove(id);
            let before = current
                .get(id)
                .copied()
                .or_else(|| state.directory.entry(*id).map(|entry| &entry.body));
            let log = match effect {
                Effect::Put { version, body, .. } => {
                    let known = stored.as_ref().zip(before);
                    let text =
                        object::text(body, known.map(|(stored, body)| (&*stored.body, body)));
                    let kind = body.kind().name();
                    let after = Stored { kind: kind.into(), version: *version, body: text.clone() };
                    self.texts.insert(*id, after);
                    current.insert(*id, body);
                    let (name, version) = (Some(body.name()), Some(*version));
                    Log { kind: Some(kind), name, version, after: Some(text), ..Log::default() }
                }
                _ => Log {
                    kind: before.map(|body| body.kind().name()),
                    name: before.map(Body::name),
                    // The version tells followers that the object itself changed.
                    version: Some(stored.as_ref().map_or(0, |stored| stored.version)),
                    ..Log::default()
                },
            };
            let before = stored.map(|stored| stored.body);
            logs.push(Log { object: Some(*id), before, ..log });
        }
        logs
    }

    fn put(&self, database: &mut Database) -> Result<(), DatabaseError> {
        let rows = self.last.iter().filter_map(|(id, last)| {
            let (version, body) = (*last)?;
            let text = &self.texts.get(id)?.body;
            Some(vec![
                id.0.into(),
                body.kind().name().into(),
                String::from(body.name()).into(),
                version.into(),
                SCHEMA.into(),
                (&**text).into(),
            ])
        });
        let rows: Vec<Vec<Value<'_>>> = rows.collect();
        database.insert(&OBJECT, &rows)?;
        Ok(())
    }

    /// Whoever is switched off is signed out, and stays so when switched on again.
    fn end_tokens_of_disabled(
        &self,
        database: &mut Database,
        state: &State,
    ) -> Result<(), DatabaseError> {
        for (&id, last) in &self.last {
            let enabled = match last {
                Some((_, Body::EndUser(user))) => user.enabled,
                Some((_, Body::ApplicationUser(user))) => user.enabled,
                _ => continue,
            };
            if !enabled && state.directory.is_enabled(id) {
                token::end_tokens(database, id)?;
            }
        }
        Ok(())
    }

    fn delete(&self, database: &mut Database, state: &State) -> Result<(), StoreError> {
        let gone = self.last.iter().filter(|(_, last)| last.is_none());
        for (&id, _) in gone {
            let users = dependents(database, state, id)?;
            if !users.is_empty() {
                let body = state.directory.entry(id).map(|entry| &entry.body);
                return Err(in_use(body, &users).into());
            }
            for sql in DELETES {
                database.execute(sql, &[id.0.into()])?;
            }
        }
        Ok(())
    }
}

const DELETES: [&str; 5] = [
    "DELETE FROM secret WHERE owner = ?1",
    "DELETE FROM credential_attempt WHERE owner = ?1",
    "DELETE FROM binding WHERE device = ?1",
    "DELETE FROM login WHERE device = ?1",
    "DELETE FROM object WHERE id = ?1",
];

const OBJECT: Many = Many {
    columns: "nttnnt",
    one: "INSERT INTO object (id, kind, name, version, schema, body) \
          VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET \
          name = excluded.name, version = excluded.version, schema = excluded.schema, \
          body = excluded.body",
    all: "INSERT INTO object (id, kind, name, version, schema, body) SELECT * FROM \
          unnest(?1::bigint[], ?2::text[], ?3::text[], ?4::bigint[], ?5::bigint[], ?6::text[]) \
          ON CONFLICT (id) DO UPDATE SET \
          name = excluded.name, version = excluded.version, schema = excluded.schema, \
          body = excluded.body",
};

/// Puts what the audit says besides the changes into the first row.
fn add_audit(logs: &mut Vec<Log>, audit: &Json) {
    if audit.is_null() {
        return;
    }
    // Who has no account here is named in every row.
    let details = logs.iter_mut().filter_map(|log| log.detail.as_mut());
    if let Some(by) = audit.get("by") {
        details.for_each(|detail| detail["by"] = by.clone());
    }
    match logs.first_mut() {
        Some(log) if log.detail.is_none() => log.detail = Some(audit.clone()),
        first => {
            let object = first.and_then(|log| log.object);
            logs.insert(0, Log { object, detail: Some(audit.clone()), ..Log::default() });
        }
    }
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
    let users: Vec<_> = users.iter().map(|(user, field)| format!("{user} ({field})")).collect();
    refusal.value("by", users.join(", "))
}

fn forget_secret(
    database: &mut Database,
    owner: ObjectId,
    kind: &str,
) -> Result<(), DatabaseError> {
    database.execute(
        "DELETE FROM secret WHERE owner = ?1 AND kind = ?2",
        &[owner.0.into(), kind.into()],
    )?;
    Ok(())
}

fn rotate(database: &mut Database, device: ObjectId) -> Result<(), DatabaseError> {
    database.execute(
        "INSERT INTO device_generation (device, generation) VALUES (?1, 1) \
         ON CONFLICT (device) DO UPDATE SET generation = device_generation.generation + 1",
        &[device.0.into()],
    )?;
    Ok(())
}

fn revoke(database: &mut Database, device: ObjectId) -> Result<(), DatabaseError> {
    database.execute(
        "INSERT INTO device_generation (device, generation) VALUES (?1, ?2) \
         ON CONFLICT (device) DO UPDATE \
         SET generation = (device_generation.generation / ?2 + 1) * ?2",
        &[device.0.into(), DeviceSecrets::ERA.into()],
    )?;
    Ok(())
}
