//! `Referred-By`: who asked for a transfer (RFC 3892).

name_addr_header! {
    /// Who asked for a transfer.
    ReferredBy, list: false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn prints_as_read() {
        let by = ReferredBy::parse("<sip:a@b>;cid=\"1@2\"").unwrap();
        assert_eq!(by.params.text("cid").unwrap(), "1@2");
        assert_eq!(by.to_string(), "<sip:a@b>;cid=\"1@2\"");
    }
}
