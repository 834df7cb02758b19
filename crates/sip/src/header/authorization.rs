//! `Authorization` and `Proxy-Authorization`: the answer to a challenge.

use super::HeaderFault;
use crate::digest::Credentials;

digest_header! {
    /// The answer to a challenge of a server.
    Authorization(Credentials<'static>), own
}

digest_header! {
    /// The answer to a challenge of a proxy.
    ProxyAuthorization(Credentials<'static>), own
}

fn own(value: &str) -> Result<Credentials<'static>, HeaderFault> {
    Credentials::parse(value).map(Credentials::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn prints_as_read() {
        let text = r#"Digest username="a", realm="r", nonce="n", uri="sip:x", response="0123456789abcdef0123456789abcdef""#;
        let header = Authorization::parse(text).unwrap();
        assert_eq!(Authorization::parse(&header.to_string()), Ok(header));
        assert_eq!(ProxyAuthorization::NAME.as_str(), "Proxy-Authorization");
        assert!(ProxyAuthorization::parse("Digest").is_err());
    }
}
