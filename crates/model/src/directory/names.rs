//! What people call objects, and which object is called so.

use jackfield_vocabulary::ObjectId;

use super::Directory;
use crate::{Body, Kind, Text, closest};

impl Directory {
    /// An object by what people call it: its name; for lines and route patterns the number, as in
    /// `2000` or `2000 in Offices`, without a partition's name only where one object has it.
    pub fn by_name(&self, kind: Kind, name: &str) -> Option<ObjectId> {
        if !matches!(kind, Kind::Line | Kind::RoutePattern) {
            return self.find(kind, name);
        }
        let of_kind = |id: &ObjectId| self.entry(*id).is_some_and(|one| one.body.kind() == kind);
        if let Some((number, partition)) = name.split_once(" in ") {
            let partition = self.find(Kind::Partition, partition)?;
            return self.number(number, Some(partition)).filter(of_kind);
        }
        if let Some(id) = self.find(kind, name) {
            return Some(id);
        }
        let mut found = self
            .numbers_from(name)
            .take_while(|(number, ..)| *number == name)
            .map(|(.., id)| id)
            .filter(of_kind);
        let id = found.next()?;
        found.next().is_none().then_some(id)
    }

    /// What somebody may have meant who wrote the name of no object of the kind.
    pub fn similar_name(&self, kind: Kind, written: &str) -> Option<Text> {
        // Of very many the first ones are looked at: nobody waits for a guess.
        let known: Vec<Text> =
            self.after_name(kind, "").take(2000).filter_map(|(id, _)| self.label(id)).collect();
        closest(written, known.iter().map(|name| &**name)).map(Into::into)
    }

    /// What people call an object; see [`Self::by_name`].
    pub fn label(&self, id: ObjectId) -> Option<Text> {
        let body = &self.entry(id)?.body;
        let (number, partition) = match body {
            Body::Line(line) => (line.number.as_str(), line.partition),
            Body::RoutePattern(route) => (route.pattern.as_str(), route.partition),
            Body::EndUser(user) => return Some(user.user_id.clone()),
            Body::ApplicationUser(user) => return Some(user.user_id.clone()),
            _ => return Some(body.name()),
        };
        Some(match partition.and_then(|partition| self.get(partition)) {
            Some(partition) => format!("{number} in {}", partition.name).into(),
            None => number.into(),
        })
    }
}
