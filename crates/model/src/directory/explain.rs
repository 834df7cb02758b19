use jackfield_vocabulary::ObjectId;

use super::Directory;
use crate::shape::{references_of, refers_to};

impl Directory {
    /// What uses an object: dependents and the fields in which they name it (CTI-45). Walks
    /// every object of the kinds that can.
    pub fn dependents(&self, id: ObjectId) -> Vec<(ObjectId, String)> {
        let Some(kind) = self.entry(id).map(|entry| entry.body.kind()) else {
            return Vec::new();
        };
        self.entries()
            .filter(|(_, entry)| refers_to(entry.body.kind(), kind))
            .flat_map(|(from, entry)| {
                references_of(entry.body.kind(), &entry.body.to_json())
                    .into_iter()
                    .filter(move |(_, to)| *to == id)
                    .map(move |(field, _)| (from, field))
            })
            .collect()
    }
}
