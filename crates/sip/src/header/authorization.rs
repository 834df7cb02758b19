//! `Authorization` and `Proxy-Authorization`: the answer to a challenge.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::digest::Credentials;

/// The answer to a challenge of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization(pub Credentials<'static>);

impl Header for Authorization {
    const NAME: HeaderName = HeaderName::Authorization;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        Credentials::parse(value).map(|read| Self(read.into_owned()))
    }
}

impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The answer to a challenge of a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyAuthorization(pub Credentials<'static>);

impl Header for ProxyAuthorization {
    const NAME: HeaderName = HeaderName::ProxyAuthorization;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        Credentials::parse(value).map(|read| Self(read.into_owned()))
    }
}

impl fmt::Display for ProxyAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_read() {
        let text = r#"Digest username="a", realm="r", nonce="n", uri="sip:x", response="0123456789abcdef0123456789abcdef""#;
        let header = Authorization::parse(text).unwrap();
        assert_eq!(Authorization::parse(&header.to_string()), Ok(header));
        assert_eq!(ProxyAuthorization::NAME.as_str(), "Proxy-Authorization");
        assert!(ProxyAuthorization::parse("Digest").is_err());
    }
}
