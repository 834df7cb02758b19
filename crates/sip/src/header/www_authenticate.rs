//! `WWW-Authenticate` and `Proxy-Authenticate`: a challenge.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::digest::Challenge;

/// A challenge from a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WwwAuthenticate(pub Challenge);

impl Header for WwwAuthenticate {
    const NAME: HeaderName = HeaderName::WwwAuthenticate;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        Challenge::parse(value).map(Self)
    }
}

impl fmt::Display for WwwAuthenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A challenge from a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyAuthenticate(pub Challenge);

impl Header for ProxyAuthenticate {
    const NAME: HeaderName = HeaderName::ProxyAuthenticate;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        Challenge::parse(value).map(Self)
    }
}

impl fmt::Display for ProxyAuthenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_read() {
        let text = r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#;
        let header = WwwAuthenticate::parse(text).unwrap();
        assert_eq!(WwwAuthenticate::parse(&header.to_string()), Ok(header));
        assert_eq!(ProxyAuthenticate::NAME.as_str(), "Proxy-Authenticate");
        assert!(ProxyAuthenticate::parse("Digest").is_err());
    }
}
