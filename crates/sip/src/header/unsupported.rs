//! `Unsupported`: the required extensions that are not understood.

tokens_header! {
    /// The required extensions that are not understood.
    Unsupported
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn prints_as_read() {
        assert_eq!(Unsupported(vec!["a".into(), "b".into()]).to_string(), "a, b");
        assert_eq!(Unsupported::parse("a , b").unwrap().0.len(), 2);
    }
}
