use jackfield_vocabulary::{Code, ObjectId, Refusal, SecretText};
use serde_json::Value;

use super::{CredentialKind, Effect, Ids, Outcome, Verdict};
use crate::{Body, Declared, Directory, Entry};

/// An evaluation under way: a copy of the directory in which every effect already shows, so that
/// the next step of the same operation sees it.
pub(super) struct Work<'a> {
    pub(super) directory: Directory,
    pub(super) ids: &'a mut Ids,
    /// What the audit says besides the changes; `Null` when there is nothing.
    pub(super) audit: Value,
    effects: Vec<Effect>,
}

impl<'a> Work<'a> {
    pub(super) fn new(directory: &Directory, ids: &'a mut Ids) -> Self {
        Self { directory: directory.clone(), ids, audit: Value::Null, effects: Vec::new() }
    }

    /// Writes an object and gives its new version.
    pub(super) fn put(&mut self, id: ObjectId, body: impl Into<Body>) -> u32 {
        let body = body.into();
        let version = self.directory.entry(id).map_or(1, |entry| entry.version.saturating_add(1));
        self.directory.put(id, Some(Entry { version, body: body.clone() }));
        self.effects.push(Effect::Put { id, version, body });
        version
    }

    /// Writes a new object.
    pub(super) fn add(&mut self, body: impl Into<Body>) -> ObjectId {
        let id = self.ids.take();
        self.put(id, body);
        id
    }

    pub(super) fn delete(&mut self, id: ObjectId) {
        self.directory.put(id, None);
        self.effects.push(Effect::Delete { id });
    }

    pub(super) fn credential(
        &mut self,
        owner: ObjectId,
        kind: CredentialKind,
        hash: Option<SecretText>,
    ) {
        self.effects.push(Effect::Credential { owner, kind, hash });
    }

    pub(super) fn rotate(&mut self, device: ObjectId) {
        self.directory.rotate(device);
        self.effects.push(Effect::RotateDeviceSecret { device });
    }

    /// The device goes from somebody to somebody else. Who had it may have read its secret, and a phone
    /// is known again by the one before its own: so that one is nobody's.
    pub(super) fn rotate_from_owner(&mut self, device: ObjectId) {
        self.rotate(device);
        self.rotate(device);
    }

    pub(super) fn revoke(&mut self, device: ObjectId) {
        self.directory.revoke(device);
        self.effects.push(Effect::RevokeDeviceSecret { device });
    }

    pub(super) fn unlock(&mut self, owner: ObjectId) {
        self.effects.push(Effect::Unlock { owner });
    }

    /// What is to be written, from the effect with this number on.
    pub(super) fn effects_from(&self, first: usize) -> &[Effect] {
        self.effects.get(first..).unwrap_or_default()
    }

    /// An object that must be there.
    pub(super) fn entry(&self, id: ObjectId) -> Result<&Entry, Refusal> {
        self.directory
            .entry(id)
            .ok_or_else(|| Refusal::new(Code::NotFound).value("kind", "object").value("name", id))
    }

    /// An object of a kind that must be there.
    pub(super) fn typed<T: Declared + Clone>(&self, id: ObjectId) -> Result<T, Refusal> {
        self.directory
            .typed::<T>(id)
            .map(|object| T::clone(object))
            .ok_or_else(|| Refusal::new(Code::NotFound).value("kind", T::KIND).value("name", id))
    }

    pub(super) fn verdict(self, outcome: Outcome) -> Verdict {
        Verdict { effects: self.effects, outcome, audit: self.audit }
    }
}
