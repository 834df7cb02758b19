//! What every fuzz target does with its input. A panic is a finding.
//!
//! The tests of the crates that are fuzzed include these files too and replay the corpus with them, so
//! that the targets keep building and what was once found stays mended.

mod files;
mod media;
mod sip;
mod tftp_door;

#[path = "../../crates/files/tests/common/mod.rs"]
mod common;
// The node is a program and no library.
#[path = "../../crates/node/src/tftp/mod.rs"]
#[allow(dead_code, unused_imports, reason = "sockets are not fuzzed")]
mod tftp;

pub use files::*;
pub use media::*;
pub use sip::*;
pub use tftp_door::*;
