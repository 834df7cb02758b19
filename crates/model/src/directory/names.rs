//! What people call objects, and which object is called so.

use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::{Directory, fold};
use crate::pattern::pattern_name;
use crate::{Body, Kind, Text, closest};

/// What stands in the place of a partition's name for numbers that are in none; no partition is
/// called so.
pub(crate) const NO_PARTITION: &str = "no partition";

/// A number with its place, as a name of a line or route pattern.
pub fn number_in(number: &str, partition: Option<&str>) -> String {
    format!("{number} in {}", partition.unwrap_or(NO_PARTITION))
}

impl Directory {
    /// An object by what people call it: its name; for lines and route patterns the number, as in
    /// `2000`, `2000 in Offices` or `2000 in no partition`; or any by its id, as in `id:17`. Refuses a
    /// number that several have where it does not say in which partition, and names them.
    pub fn by_name(&self, kind: Kind, name: &str) -> Result<Option<ObjectId>, Refusal> {
        let named = match kind {
            Kind::Line | Kind::RoutePattern => self.by_number(kind, name)?,
            kind => self.find(kind, name),
        };
        Ok(named.or_else(|| self.by_id(kind, name)))
    }

    fn by_number(&self, kind: Kind, name: &str) -> Result<Option<ObjectId>, Refusal> {
        if let Some((number, place)) = name.split_once(" in ") {
            if place.eq_ignore_ascii_case(NO_PARTITION) {
                return Ok(self.find(kind, number));
            }
            let partition = self.find(Kind::Partition, place);
            let placed = |partition| self.find(kind, &pattern_name(number, Some(partition)));
            return Ok(partition.and_then(placed));
        }
        let found: Vec<ObjectId> = self.numbered(kind, name).take(MOST_NAMED).collect();
        if found.len() > 1 {
            let names: Vec<_> = found.iter().filter_map(|id| self.label(*id)).collect();
            let refusal = Refusal::new(Code::AmbiguousName).value("kind", kind).value("name", name);
            return Err(refusal.value("found", names.join(", ")));
        }
        Ok(found.first().copied())
    }

    fn by_id(&self, kind: Kind, text: &str) -> Option<ObjectId> {
        let id = ObjectId(text.strip_prefix("id:")?.parse().ok()?);
        self.entry(id).filter(|entry| entry.body.kind() == kind).map(|_| id)
    }

    /// The lines or route patterns with this number, in whatever partition.
    fn numbered(&self, kind: Kind, number: &str) -> impl Iterator<Item = ObjectId> {
        let start = fold(&format!("{number}@"));
        let placed = self
            .names
            .range((kind, start.clone())..)
            .take_while(move |((of, name), _)| *of == kind && name.starts_with(&*start))
            .map(|(_, id)| *id);
        self.find(kind, number).into_iter().chain(placed)
    }

    /// What somebody may have meant who wrote the name of no object of the kind.
    pub fn similar_name(&self, kind: Kind, written: &str) -> Option<Text> {
        // Of very many the first ones are looked at: nobody waits for a guess.
        let known: Vec<Text> =
            self.after_name(kind, "").take(2000).filter_map(|(id, _)| self.label(id)).collect();
        closest(written, known.iter().map(|name| &**name)).map(Into::into)
    }

    /// What people call an object, so that [`Self::by_name`] finds it again.
    pub fn label(&self, id: ObjectId) -> Option<Text> {
        let body = &self.entry(id)?.body;
        let (number, partition) = match body {
            Body::Line(line) => (line.number.as_str(), line.partition),
            Body::RoutePattern(route) => (route.pattern.as_str(), route.partition),
            Body::EndUser(user) => return Some(user.user_id.clone()),
            Body::ApplicationUser(user) => return Some(user.user_id.clone()),
            _ => return Some(body.name()),
        };
        let partition = partition.and_then(|partition| self.get(partition));
        let is_one_of_several = || self.numbered(body.kind(), number).nth(1).is_some();
        Some(match partition {
            None if !is_one_of_several() => number.into(),
            partition => number_in(number, partition.map(|one| &*one.name)).into(),
        })
    }
}

/// Objects of one number that are named.
const MOST_NAMED: usize = 10;
