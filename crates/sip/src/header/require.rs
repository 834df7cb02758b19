//! `Require`: the extensions the other side must understand.

tokens_header! {
    /// The extensions the other side must understand.
    Require
}

tokens_header! {
    /// The extensions every proxy on the way must understand.
    ProxyRequire
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn prints_as_read() {
        assert_eq!(Require::parse("100rel,timer").unwrap().to_string(), "100rel, timer");
        assert!(ProxyRequire::parse("nothingSupportsThis").unwrap().has("nothingsupportsthis"));
        assert!(Require::parse("a b").is_err());
    }
}
