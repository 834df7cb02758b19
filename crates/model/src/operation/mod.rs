//! Changes of configuration, as intentions.
//!
//! Whoever wants a change submits an [`Operation`]; the store's single writer evaluates it on the
//! latest directory inside its transaction, so that two writers can't take the same number, and
//! commits what it yields. Evaluation is pure: the same directory gives the same answer.

mod assign;
mod authority;
mod auto_register;
mod build;
mod create;
mod credentials;
mod delete;
mod derived;
mod evaluate;
mod first_start;
mod import_auto_registration;
mod lent;
mod quick_add;
mod quick_remove;
mod recover;
mod replace_phone;
mod rules;
mod tags;
mod unassign;
mod update;
mod work;

pub use first_start::ADMINISTRATOR;
pub use lent::lent_to_nobody;
pub(crate) use tags::unknown_tags;

use std::sync::Arc;

use jackfield_vocabulary::{Mac, ObjectId, Refusal, SecretText, UnixTime};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Body, Change, Directory, Entry, Kind, Text};

/// Who wants a change, for the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "actor", rename_all = "kebab-case")]
pub enum Actor {
    /// The house itself, as at first start.
    System,
    /// A signed-in user.
    User {
        /// The user's id as text.
        user_id: Text,
        /// Where the request came from.
        address: Option<Text>,
    },
    /// A device that registered.
    Device {
        /// Its name.
        device: Text,
        /// Where it registered from.
        address: Text,
    },
    /// An application in its CTI session.
    Application {
        /// The application user.
        user_id: Text,
    },
}

/// How somebody proved whose the phone shall be (SP-56).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProvenBy {
    /// The user's PIN, over the keypad.
    Pin,
    /// The user's password, over a screen.
    Password,
    /// The administrators' authentication code.
    Code,
    /// Nothing: the mode asks for nothing.
    Nothing,
    /// An administrator, signed in.
    Administrator,
}

/// A wanted change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation", content = "value", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// Make an object. References in `body` may be ids or names.
    Create {
        /// Its kind.
        kind: Kind,
        /// Its fields; those left out take their defaults.
        body: Value,
    },
    /// Change some fields of an object (JSON merge patch, RFC 7396).
    Update {
        /// The object.
        id: ObjectId,
        /// The version that was read; `None` takes the latest.
        version: Option<u32>,
        /// The changed fields.
        patch: Value,
    },
    /// Delete an object that nothing refers to.
    Delete {
        /// The object.
        id: ObjectId,
        /// The version that was read; `None` takes the latest.
        version: Option<u32>,
    },
    /// Several changes, all or none; at most 1,500.
    Batch(Vec<Self>),
    /// Make the objects of a first start; does nothing where there is anything already.
    FirstStart(FirstStart),
    /// Take in an unknown phone: the next free number, line and device from templates (SP-43).
    AutoRegister {
        /// The node's name.
        node: Text,
        /// The phone.
        mac: Mac,
        /// The catalogue row it was recognised as.
        model: ObjectId,
    },
    /// Take over a node's auto-registration from an older export, where its values stood on the node
    /// itself: a device and a line template are made to keep them (SP-45).
    ImportAutoRegistration(PlainAutoRegistration),
    /// Make a phone a user's own, line and device from the templates of the user's profile
    /// (SP-17, SP-34, SP-44).
    Assign {
        /// The phone.
        device: ObjectId,
        /// The user.
        user: ObjectId,
        /// How that was proved.
        proven_by: ProvenBy,
    },
    /// Take a phone from its owner: it is open for self-provisioning again, with a number of the
    /// auto-registration range.
    Unassign {
        /// The phone.
        device: ObjectId,
    },
    /// Put a new device in the place of a user's old one: the old one's settings and lines move.
    ReplacePhone {
        /// The old device.
        old: ObjectId,
        /// The new one, open for self-provisioning.
        new: ObjectId,
    },
    /// Quick user/phone add (SP-50): a user from a feature group template, with an extension.
    QuickAdd {
        /// The user's fields.
        user: Value,
        /// The template, by id or name.
        feature_group_template: Value,
        /// The extension: made from the profile's line template when it is not there yet.
        extension: Text,
        /// The user's first credentials, as hashes; their form was judged before.
        #[serde(default)]
        credentials: Vec<(CredentialKind, SecretText)>,
    },
    /// Remove a user who leaves: phones are unassigned, and the primary extension goes unless
    /// somebody else has it, too.
    QuickRemove {
        /// The user.
        user: ObjectId,
    },
    /// Set a credential; its hash is made before the operation is submitted.
    SetCredential {
        /// Whose; for the authentication code the self-provisioning settings.
        owner: ObjectId,
        /// Which.
        kind: CredentialKind,
        /// The salted hash, in PHC form; `None` removes the credential.
        hash: Option<SecretText>,
    },
    /// Give a device a new secret: its registration ends with the old one.
    RotateDeviceSecret {
        /// The device.
        device: ObjectId,
    },
    /// Unlock an account after too many failures.
    Unlock {
        /// The account.
        owner: ObjectId,
    },
    /// Give somebody who has the machine itself the way back in: an account that administers, on,
    /// unlocked, with this password. It is made where there is none of the name.
    Recover {
        /// Its user ID.
        user_id: Text,
        /// The salted hash of its password, in PHC form.
        hash: SecretText,
        /// Who asked, on the machine, for the audit.
        by: Text,
    },
}

/// What is known of a node at its first start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstStart {
    /// Its name.
    pub node: Text,
    /// Host name or IP address by which phones reach it.
    pub address: Text,
    /// The system locale, as in `ja_JP.UTF-8`: prompts are Japanese when it is, else English.
    pub locale: Text,
    /// Time zone by its IANA name.
    pub time_zone: Text,
}

impl FirstStart {
    fn is_japanese(&self) -> bool {
        self.locale.starts_with("ja")
    }
}

/// A node's auto-registration as older exports have it, without templates (SP-45).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainAutoRegistration {
    /// The node's name.
    pub node: Text,
    /// Auto-registration was off.
    pub disabled: bool,
    /// First directory number.
    pub starting_number: Text,
    /// Last directory number.
    pub ending_number: Text,
    /// Name of the partition of the lines; empty for none.
    #[serde(default)]
    pub partition: Text,
    /// External phone number mask of the lines.
    #[serde(default)]
    pub external_mask: Text,
}

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// Of end users and application users.
    Password,
    /// Of end users.
    Pin,
    /// The administrators' authentication code of self-provisioning (SP-04).
    Code,
}

/// What a committed operation did, for whoever asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "value", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// Objects were made or changed, in the order of the operation: id and new version.
    Saved(Vec<(ObjectId, u32)>),
    /// An object is gone.
    Deleted(ObjectId),
    /// The phone is in, or was already.
    AutoRegistered {
        /// The phone.
        device: ObjectId,
        /// Its line.
        line: ObjectId,
        /// It was not there before.
        created: bool,
    },
    /// The phone is the user's.
    Assigned {
        /// The phone.
        device: ObjectId,
        /// The user.
        user: ObjectId,
        /// The number that it has now.
        extension: Arc<str>,
    },
    /// The phone is nobody's.
    Unassigned {
        /// The phone.
        device: ObjectId,
        /// The number that it has now; none when auto-registration has none to give.
        extension: Option<Arc<str>>,
    },
    /// Done, and nothing more to tell.
    Done,
}

/// What evaluation yields for the store to commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Objects to write, in an order in which every reference is already there.
    pub effects: Vec<Effect>,
    /// The answer.
    pub outcome: Outcome,
    /// What the audit says besides the changes themselves, as JSON without secrets (SP-56).
    pub audit: Value,
}

/// One thing to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write the object at this version.
    Put {
        /// The object.
        id: ObjectId,
        /// Its new version.
        version: u32,
        /// The object.
        body: Body,
    },
    /// Delete the object; refused by the store when something refers to it.
    Delete {
        /// The object.
        id: ObjectId,
    },
    /// Write or remove a credential hash, and forget its failed attempts.
    Credential {
        /// Whose.
        owner: ObjectId,
        /// Which.
        kind: CredentialKind,
        /// The hash.
        hash: Option<SecretText>,
    },
    /// Count up the generation of a device's secret.
    RotateDeviceSecret {
        /// The device.
        device: ObjectId,
    },
    /// The same, and who knew the one before is not taken for the device any more.
    RevokeDeviceSecret {
        /// The device.
        device: ObjectId,
    },
    /// Forget the failed attempts of an account.
    Unlock {
        /// The account.
        owner: ObjectId,
    },
}

impl Verdict {
    /// What the directory is told once the effects are committed.
    pub fn changes(&self) -> Vec<Change> {
        let change = |effect: &Effect| match effect {
            Effect::Put { id, version, body } => {
                let after = Entry { version: *version, body: body.clone() };
                Some(Change { id: *id, after: Some(after) })
            }
            Effect::Delete { id } => Some(Change { id: *id, after: None }),
            _ => None,
        };
        self.effects.iter().filter_map(change).collect()
    }
}

/// Takes ids that were never used before.
#[derive(Clone, Copy, Debug)]
pub struct Ids {
    next: u32,
}

impl Ids {
    /// Starts after the highest id ever used.
    pub fn after(last: ObjectId) -> Self {
        Self { next: last.0.saturating_add(1) }
    }

    /// The next id.
    pub fn take(&mut self) -> ObjectId {
        let id = ObjectId(self.next);
        self.next = self.next.saturating_add(1);
        id
    }

    /// The last id taken.
    pub fn last(self) -> ObjectId {
        ObjectId(self.next.saturating_sub(1))
    }
}

impl Operation {
    /// Judges the operation on this directory and says what to write, or why not, whoever wants it.
    /// Nothing in it depends on the time yet; the argument is there for what will.
    pub fn evaluate(
        &self,
        directory: &Directory,
        ids: &mut Ids,
        _now: UnixTime,
    ) -> Result<Verdict, Refusal> {
        evaluate::evaluate(self, None, directory, ids)
    }

    /// Judges the operation as one that `actor` wants: whoever is signed in has what they may do
    /// judged on this directory too, and neither grants nor touches what is beyond them.
    pub fn evaluate_for(
        &self,
        actor: &Actor,
        directory: &Directory,
        ids: &mut Ids,
        _now: UnixTime,
    ) -> Result<Verdict, Refusal> {
        evaluate::evaluate(self, Some(actor), directory, ids)
    }
}
