//! `WWW-Authenticate` and `Proxy-Authenticate`: a challenge.

use crate::digest::Challenge;

digest_header! {
    /// A challenge from a server.
    WwwAuthenticate(Challenge), Challenge::parse
}

digest_header! {
    /// A challenge from a proxy.
    ProxyAuthenticate(Challenge), Challenge::parse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn prints_as_read() {
        let text = r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#;
        let header = WwwAuthenticate::parse(text).unwrap();
        assert_eq!(WwwAuthenticate::parse(&header.to_string()), Ok(header));
        assert_eq!(ProxyAuthenticate::NAME.as_str(), "Proxy-Authenticate");
        assert!(ProxyAuthenticate::parse("Digest").is_err());
    }
}
