//! What people look for an object by, beside its name. Each kind says so itself, in its row of the
//! registry beside its fields.

use jackfield_vocabulary::ObjectId;

use crate::{Declared, Directory, Ref, Text};

/// Something that an object is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought<'a> {
    /// A text of its own.
    Text(&'a str),
    /// An object that it refers to, by that one's name and texts.
    Object(ObjectId),
}

impl<'a> From<&'a Text> for Sought<'a> {
    fn from(text: &'a Text) -> Self {
        Self::Text(text)
    }
}

impl<T: Declared> From<Ref<T>> for Sought<'_> {
    fn from(reference: Ref<T>) -> Self {
        Self::Object(reference.id())
    }
}

impl Directory {
    /// Each of the words, in lower case, stands somewhere in the object's name, in what else it is
    /// found by, or in the name and texts of what it refers to.
    pub fn is_found_by(&self, id: ObjectId, words: &[String]) -> bool {
        let mut missing: Vec<&str> = words.iter().map(|word| &**word).collect();
        self.look_in(id, &mut missing);
        let Some(entry) = self.entry(id).filter(|_| !missing.is_empty()) else {
            return missing.is_empty();
        };
        for sought in entry.body.sought() {
            if let Sought::Object(other) = sought {
                self.look_in(other, &mut missing);
            }
        }
        missing.is_empty()
    }

    /// Strikes out the words that stand in the object's name and its own texts.
    fn look_in(&self, id: ObjectId, missing: &mut Vec<&str>) {
        let mut strike = |text: &str| {
            if !missing.is_empty() && !text.is_empty() {
                let text = text.to_lowercase();
                missing.retain(|word| !text.contains(word));
            }
        };
        self.label(id).iter().for_each(|name| strike(name));
        for sought in self.entry(id).iter().flat_map(|entry| entry.body.sought()) {
            if let Sought::Text(text) = sought {
                strike(text);
            }
        }
    }
}
