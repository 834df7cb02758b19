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
