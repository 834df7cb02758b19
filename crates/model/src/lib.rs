//! What is administered.
//!
//! Every kind of object is declared once, as a struct with a row in the [`Kind`] registry; JSON
//! Schema, REST, CLI and validation follow from that. Every change is an [`Operation`] that the
//! store evaluates on the latest state; everything reads an immutable [`Directory`].

mod clause;
mod credential;
pub mod defaults;
mod directory;
mod list;
mod network;
mod not_yet;
mod object;
mod operation;
mod pattern;
mod reference;
mod registry;
mod secrets;
pub mod setup;
mod shape;
mod sign;
mod similar;
mod sought;
mod text;
mod texts;
mod time_zone;
mod trivial;

pub use credential::{is_guessable_code, judge_new};
pub(crate) use directory::NO_PARTITION;
pub use directory::{
    Change, Dialled, Directory, Effective, EffectiveLine, Entry, Room, UserLookup, mac_of,
    number_in,
};
pub use list::List;
pub use network::{Network, ParseNetworkError};
pub use not_yet::{NotYet, not_yet, warnings};
pub use object::*;
pub use operation::{
    Actor, CredentialKind, Effect, FirstStart, Ids, Operation, Outcome, PlainAutoRegistration,
    ProvenBy, Verdict, lent_to_nobody,
};
pub use pattern::{ParsePatternError, Pattern};
pub(crate) use pattern::{number_key, pattern_name};
pub use reference::Ref;
pub use registry::{Body, Declared, Kind};
pub use secrets::{DeviceSecrets, DigestAlgorithm, hexadecimal};
pub use shape::{compared, meant, references_of};
pub use sign::{is_hidden, refuse_hidden};
pub use similar::closest;
pub use sought::Sought;
pub use text::Text;
pub(crate) use texts::clock;
pub use texts::{Explanation, Language, Message, sentence};
pub use time_zone::is_time_zone;
