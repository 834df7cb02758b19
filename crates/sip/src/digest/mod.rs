//! Digest authentication (RFC 7616, RFC 8760), both sides.
//!
//! A server makes challenges with [`Nonces`], reads [`Credentials`], checks nonce and count, and
//! verifies the response against the stored HA1 of its algorithm. A client answers a
//! [`Challenge`] with a [`Login`].

mod algorithm;
mod challenge;
mod client;
mod credentials;
mod nonce;
mod params;
#[cfg(test)]
mod tests;
mod verify;

pub use algorithm::Algorithm;
pub use challenge::Challenge;
pub use client::Login;
pub use credentials::{Credentials, Protection};
pub use nonce::{CountWindow, NonceState, Nonces};
