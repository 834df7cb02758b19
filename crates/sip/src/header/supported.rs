//! `Supported`: the extensions a side understands.

tokens_header! {
    /// The extensions a side understands.
    Supported
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn an_empty_line_is_allowed() {
        assert_eq!(Supported::parse("").unwrap(), Supported::default());
        let tags = Supported::parse("replaces, 100rel,X-cisco-sis-7.0.0").unwrap();
        assert!(tags.has("100rel") && tags.has("x-cisco-sis-7.0.0") && !tags.has("timer"));
        assert_eq!(tags.to_string(), "replaces, 100rel, X-cisco-sis-7.0.0");
        assert!(Supported::parse("a,,b").is_err());
    }
}
