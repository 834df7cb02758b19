//! What phones fetch.
//!
//! A file is rendered when it is asked for, from the directory as it is, and never kept: one pass
//! into one buffer. [`AccessTable`] decides who gets secrets in it. Dialects: enterprise
//! (`SEP<MAC>.cnf.xml`), multiplatform (flat profile), and a plain form of `key=value` lines.

mod access;
mod bootstrap;
mod default_file;
mod dial_plan;
mod enterprise;
mod flat_profile;
mod locale;
mod name;
mod newcomer;
mod plain;
mod render;
mod softkeys;
mod time_zone;
mod view;
mod writer;

pub use access::AccessTable;
pub use render::{Asker, Context, File, FileError, FileRequest, render, render_for, subject};
