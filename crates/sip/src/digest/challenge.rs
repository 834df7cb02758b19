//! What a server asks for.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::algorithm::Algorithm;
use super::params::AuthParams;
use crate::header::HeaderFault;
use crate::text::{self, Quoted};

/// A `Digest` challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Whose user and password are asked for.
    pub realm: Box<str>,
    /// The server's nonce.
    pub nonce: Box<str>,
    /// A text the client sends back.
    pub opaque: Option<Box<str>>,
    /// Was only the nonce too old?
    pub stale: bool,
    /// The algorithm; `None` when it is one this crate does not know.
    pub algorithm: Option<Algorithm>,
    /// Is `qop=auth` offered? Without it the challenge is of RFC 2069.
    pub qop_auth: bool,
    /// Is `qop=auth-int` offered?
    pub qop_auth_int: bool,
}

impl Challenge {
    /// A challenge with `qop=auth`.
    #[must_use]
    pub fn new(realm: &str, nonce: &str, algorithm: Algorithm, stale: bool) -> Self {
        Self {
            realm: realm.into(),
            nonce: nonce.into(),
            opaque: None,
            stale,
            algorithm: Some(algorithm),
            qop_auth: true,
            qop_auth_int: false,
        }
    }

    /// Reads a challenge of the Digest scheme.
    pub fn parse(value: &str) -> Result<Self, HeaderFault> {
        let params = AuthParams::parse(value)?;
        let qop = params.value("qop").unwrap_or_default();
        let offers = |name: &str| text::list(qop).any(|word| word.eq_ignore_ascii_case(name));
        Ok(Self {
            realm: params.need("realm")?.into(),
            nonce: params.need("nonce")?.into(),
            opaque: params.may("opaque").map(Into::into),
            stale: params.value("stale").is_some_and(|v| v.eq_ignore_ascii_case("true")),
            algorithm: match params.value("algorithm") {
                Some(name) => Algorithm::parse(name),
                None => Some(Algorithm::Md5),
            },
            qop_auth: offers("auth"),
            qop_auth_int: offers("auth-int"),
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (realm, nonce) = (Quoted(&self.realm), Quoted(&self.nonce));
        write!(f, "Digest realm={realm}, nonce={nonce}")?;
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", Quoted(opaque))?;
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        if let Some(algorithm) = self.algorithm {
            write!(f, ", algorithm={algorithm}")?;
        }
        match (self.qop_auth, self.qop_auth_int) {
            (true, true) => f.write_str(", qop=\"auth,auth-int\""),
            (true, false) => f.write_str(", qop=\"auth\""),
            (false, true) => f.write_str(", qop=\"auth-int\""),
            (false, false) => Ok(()),
        }
    }
}
