//! Digest authentication (RFC 7616, RFC 8760), both sides.

mod algorithm;
mod challenge;
mod credentials;
mod params;

pub use algorithm::Algorithm;
pub use challenge::Challenge;
pub use credentials::{Credentials, Protection};
