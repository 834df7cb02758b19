//! What is kept: SQLite or PostgreSQL, change log, audit, secrets, attempts and call records.
//!
//! A node opens one [`Store`] and gives every thread a [`StoreHandle`]:
//!
//! ```no_run
//! # use jackfield_store::{Store, StoreError, StoreHandle, StoreSettings, Verifier};
//! # fn main() -> Result<(), StoreError> {
//! let settings = StoreSettings::in_folder("data".as_ref());
//! let store = Store::open(&settings, |directory, changed| {
//!     // On the writer's thread: send both to the engine and swap the doors' directory.
//!     # drop((directory, changed));
//! })?;
//! let handle = store.handle();
//! let directory = handle.directory();
//! // Passwords and PINs are checked away from every thread that can't wait.
//! let verifier = Verifier::start(&handle, 2)?;
//! # Ok(()) }
//! ```
//!
//! `submit` and `inquire` carry the engine's operations, `execute` those of REST and the command
//! line. An answered commit is on the disk. All writing is done by one thread, which lets many
//! requests share a transaction; nothing that only reads the directory ever waits for it.

mod answer;
mod attempt;
mod audit;
mod backup;
mod binding;
mod claim;
mod clock;
mod commit;
mod database;
mod error;
mod handle;
mod hash;
mod key;
mod lease;
mod load;
mod log;
mod object;
mod prune;
mod queue;
mod record;
mod settings;
mod state;
mod store;
mod token;
mod vault;
mod verifier;
mod write;
mod writer;

pub use answer::Answer;
pub use attempt::Verification;
pub use audit::{AuditEntry, AuditFilter};
pub use backup::{BackupSummary, backup, restore};
pub use binding::BindingRow;
pub use database::Faults;
pub use error::StoreError;
pub use handle::StoreHandle;
pub use lease::Lease;
pub use prune::Pruned;
pub use record::{RecordFilter, RecordRow};
pub use settings::StoreSettings;
pub use store::Store;
pub use token::Token;
pub use verifier::Verifier;
