use std::collections::BTreeSet;

use jackfield_vocabulary::ObjectId;

use super::Directory;
use crate::Kind;
use crate::shape::{references_of, refers_to};

impl Directory {
    /// What uses an object: dependents and the fields in which they name it (CTI-45). Walks
    /// every object of the kinds that can.
    pub fn dependents(&self, id: ObjectId) -> Vec<(ObjectId, String)> {
        let Some(kind) = self.entry(id).map(|entry| entry.body.kind()) else {
            return Vec::new();
        };
        let uses = self.uses(kind, &BTreeSet::from([id]));
        uses.into_iter().map(|(from, field, _)| (from, field)).collect()
    }

    /// In words, the field in which an object uses something: `phone SEP001122AABB01 (lines[0].line)`.
    pub fn use_of(&self, from: ObjectId, field: &str) -> Option<String> {
        let kind = self.entry(from)?.body.kind();
        Some(format!("{kind} {} ({field})", self.label(from)?))
    }

    /// Who names any of these objects of a kind, in which field, and which; whether they are here
    /// or gone.
    pub fn uses(&self, kind: Kind, of: &BTreeSet<ObjectId>) -> Vec<(ObjectId, String, ObjectId)> {
        self.entries()
            .filter(|(_, entry)| refers_to(entry.body.kind(), kind))
            .flat_map(|(from, entry)| {
                references_of(entry.body.kind(), &entry.body.to_json())
                    .into_iter()
                    .filter(|(_, to)| of.contains(to))
                    .map(move |(field, to)| (from, field, to))
            })
            .collect()
    }
}
