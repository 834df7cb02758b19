//! `P-Asserted-Identity`: who the caller is, by the word of a trusted party (RFC 3325).

name_addr_header! {
    /// One identity a trusted party vouches for.
    PAssertedIdentity, list: true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn names_and_numbers() {
        let one = PAssertedIdentity::parse("\"Cullen\" <sip:fluffy@cisco.com>").unwrap();
        assert_eq!(one.display(), "Cullen");
        assert_eq!(
            PAssertedIdentity::parse("tel:+14085264000").unwrap().user().unwrap(),
            "+14085264000"
        );
    }
}
