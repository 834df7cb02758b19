//! Unique keys and references of objects: what an operation changes of them, all together, so that
//! objects may swap names and refer to each other.
//!
//! What stands in the tables is what this program makes of the bodies. One that makes other keys
//! or references of them needs a migration that writes them anew.

use std::collections::BTreeSet;

use jackfield_model::{Body, Kind, references_of};
use jackfield_vocabulary::{Code, ObjectId, Refusal};

use crate::StoreError;
use crate::database::{Database, DatabaseError, Many};
use crate::state::State;

/// Keys and references to give up and to take.
#[derive(Default)]
pub(crate) struct Claims {
    gone: Rows,
    new: Rows,
}

#[derive(Default)]
struct Rows {
    keys: BTreeSet<Key>,
    references: BTreeSet<Reference>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    object: ObjectId,
    kind: &'static str,
    name: &'static str,
    value: String,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    source: ObjectId,
    target: ObjectId,
    field: String,
}

impl Claims {
    /// Adds what changes when an object is no more `before` but `after`.
    pub(crate) fn change(&mut self, id: ObjectId, before: Option<&Body>, after: Option<&Body>) {
        let before = before.map(|body| Rows::of(id, body)).unwrap_or_default();
        let after = after.map(|body| Rows::of(id, body)).unwrap_or_default();
        self.gone.keys.extend(before.keys.difference(&after.keys).cloned());
        self.gone.references.extend(before.references.difference(&after.references).cloned());
        self.new.keys.extend(after.keys.difference(&before.keys).cloned());
        self.new.references.extend(after.references.difference(&before.references).cloned());
    }

    /// Gives up what is not needed any more; to be done before anything is taken.
    pub(crate) fn release(&self, database: &mut Database) -> Result<(), DatabaseError> {
        for reference in &self.gone.references {
            database.execute(
                "DELETE FROM reference WHERE source = ?1 AND target = ?2 AND field = ?3",
                &[reference.source.0.into(), reference.target.0.into(), (&*reference.field).into()],
            )?;
        }
        for key in &self.gone.keys {
            database.execute(
                "DELETE FROM unique_key \
                 WHERE kind = ?1 AND name = ?2 AND value = ?3 AND object = ?4",
                &[key.kind.into(), key.name.into(), (&*key.value).into(), key.object.0.into()],
            )?;
        }
        Ok(())
    }

    /// Takes what is new; to be done when every object is there.
    pub(crate) fn take(&self, database: &mut Database, state: &State) -> Result<(), StoreError> {
        let rows = self.new.keys.iter().map(|key| {
            vec![key.kind.into(), key.name.into(), (&*key.value).into(), key.object.0.into()]
        });
        let rows: Vec<_> = rows.collect();
        if database.insert(&UNIQUE_KEY, &rows)? != rows.len() as u64 {
            return Err(self.taken(database, state)?.into());
        }
        let rows = self.new.references.iter().map(|reference| {
            vec![reference.source.0.into(), reference.target.0.into(), (&*reference.field).into()]
        });
        let rows: Vec<_> = rows.collect();
        match database.insert(&REFERENCE, &rows) {
            Ok(_) => Ok(()),
            // What is not there is refused by the operation already, and by name.
            Err(DatabaseError::Reference(_)) => Err(Refusal::new(Code::UnknownReference).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The refusal for a key that somebody else has.
    fn taken(&self, database: &mut Database, state: &State) -> Result<Refusal, DatabaseError> {
        for key in &self.new.keys {
            let owner = database.row(
                "SELECT object FROM unique_key WHERE kind = ?1 AND name = ?2 AND value = ?3",
                &[key.kind.into(), key.name.into(), (&*key.value).into()],
                |row| row.number(0).map(ObjectId),
            )?;
            if let Some(owner) = owner.filter(|owner| *owner != key.object) {
                let refusal = Refusal::new(Code::Duplicate).field(key.name);
                let refusal = refusal.value("value", &key.value);
                return Ok(match state.directory.entry(owner) {
                    Some(entry) => refusal.object(entry.body.kind().name(), &entry.body.name()),
                    None => refusal.object(key.kind, &key.value),
                });
            }
        }
        Ok(Refusal::new(Code::Duplicate))
    }
}

impl Rows {
    fn of(object: ObjectId, body: &Body) -> Self {
        let kind = body.kind().name();
        // Lines and route patterns share one space of numbers.
        let dialled = matches!(body.kind(), Kind::Line | Kind::RoutePattern);
        let space = if dialled { "number" } else { kind };
        let mut keys: BTreeSet<_> = body
            .unique_keys()
            .into_iter()
            .map(|(name, value)| Key { object, kind: space, name, value })
            .collect();
        keys.insert(Key { object, kind, name: "name", value: body.name().to_lowercase() });
        let references = references_of(body.kind(), &body.to_json())
            .into_iter()
            .map(|(field, target)| Reference { source: object, target, field })
            .collect();
        Self { keys, references }
    }
}

const UNIQUE_KEY: Many = Many {
    columns: "tttn",
    one: "INSERT INTO unique_key (kind, name, value, object) VALUES (?1, ?2, ?3, ?4) \
          ON CONFLICT (kind, name, value) DO NOTHING",
    all: "INSERT INTO unique_key (kind, name, value, object) SELECT * FROM \
          unnest(?1::text[], ?2::text[], ?3::text[], ?4::bigint[]) \
          ON CONFLICT (kind, name, value) DO NOTHING",
};

const REFERENCE: Many = Many {
    columns: "nnt",
    one: "INSERT INTO reference (source, target, field) VALUES (?1, ?2, ?3) \
          ON CONFLICT (source, target, field) DO NOTHING",
    all: "INSERT INTO reference (source, target, field) SELECT * FROM \
          unnest(?1::bigint[], ?2::bigint[], ?3::text[]) \
          ON CONFLICT (source, target, field) DO NOTHING",
};
