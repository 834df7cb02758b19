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
//! # How the node uses it
//!
//! - First start: `execute` with `Operation::FirstStart`, which does nothing later on; then
//!   [`StoreHandle::issue_one_time_password`] for the first administrator.
//! - The engine's operations go through [`StoreHandle::submit`] and [`StoreHandle::inquire`], those
//!   of REST and the command line through [`StoreHandle::execute`]. An answered commit is on the
//!   disk. After [`Answer::Unknown`] ask; [`Answer::NeverSeen`] is final.
//! - Registrations and call records are written behind: [`StoreHandle::save_bindings`],
//!   [`StoreHandle::append_records`], a batch a second; [`StoreHandle::bindings`] reads those of a
//!   node at its start.
//! - Windows for phones' files are written behind too: [`StoreHandle::window_opened`],
//!   [`StoreHandle::window_closed`]; [`StoreHandle::windows_since`] reads those of all nodes.
//! - What only one of several nodes may do at a time goes by [`StoreHandle::lease`].
//! - What a node wants another one to do goes by [`StoreHandle::leave_order`].
//! - [`StoreHandle::prune`] now and then, an hour apart.
//! - Callbacks run on the writer's thread: they must not block, nor call what waits for the writer
//!   (everything that returns a `Result`). From async code call that in `spawn_blocking`.
//! - [`backup`] works beside a running server; [`restore`] wants an empty database and no server.
//!
//! All writing is done by one thread, which lets many requests share a transaction; whatever only
//! reads the directory never waits for it. A connection to PostgreSQL is not encrypted: put the
//! server on the same machine, or behind a tunnel.

mod administrator;
mod answer;
mod attempt;
mod audit;
mod backoff;
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
mod order;
mod prune;
mod pulse;
mod queue;
mod record;
mod settings;
mod state;
mod store;
mod tally;
mod token;
mod vault;
mod verifier;
mod window;
mod write;
mod writer;

pub use answer::Answer;
pub use attempt::{Claimant, Verification};
pub use audit::{AuditEntry, AuditFilter};
pub use backup::{BackupSummary, SHORTEST_PASSPHRASE, backup, restore};
pub use binding::{BindingRow, Looked, Registration};
pub use database::Faults;
pub use error::StoreError;
pub use handle::StoreHandle;
pub use lease::Lease;
pub use order::{NodeOrder, OrderFate};
pub use prune::Pruned;
pub use record::{RecordFilter, RecordRow};
pub use settings::StoreSettings;
pub use store::Store;
pub use tally::Tally;
pub use token::Token;
pub use verifier::Verifier;
pub use window::FileWindow;
