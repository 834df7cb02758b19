//! Digest authentication (RFC 7616, RFC 8760), both sides.
//!
//! A server sends a [`Challenge`], reads [`Credentials`], checks nonce and count, and
//! verifies the response against the stored HA1 of its algorithm. A client answers a
//! challenge with a [`Login`]. Making and judging nonces is the server's own affair.

mod algorithm;
mod challenge;
mod client;
mod credentials;
mod params;
#[cfg(test)]
mod tests;
mod verify;

pub use algorithm::Algorithm;
pub use challenge::Challenge;
pub use client::Login;
pub use credentials::{Credentials, Protection};
