//! `To`: whom the request is for.

name_addr_header! {
    /// Whom the request is for, with the tag of the other side of the dialog.
    To, list: false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn a_new_request_has_no_tag() {
        let mut to = To::parse("<sip:bob@example.com>").unwrap();
        assert_eq!(to.tag(), None);
        to.params.set("tag", Some("x"));
        assert_eq!(to.to_string(), "<sip:bob@example.com>;tag=x");
    }
}
