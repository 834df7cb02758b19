//! What is administered.
//!
//! Every kind of object is declared once, as a struct with a row in the [`Kind`] registry; JSON
//! Schema, REST, CLI and validation follow from that. Every change is an [`Operation`] that the
//! store evaluates on the latest state; everything reads an immutable [`Directory`].

mod list;
mod object;
mod pattern;
mod reference;
mod registry;

pub use list::List;
pub use object::*;
pub use pattern::{ParsePatternError, Pattern};
pub(crate) use pattern::{number_key, pattern_name};
pub use reference::Ref;
pub use registry::{Body, Declared, Kind};
