//! `Diversion`: who forwarded a call and why (RFC 5806).

name_addr_header! {
    /// One forwarding; the latest stands first.
    Diversion, list: true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn reason_and_counter() {
        let by = Diversion::parse("<sip:2000@h>;reason=user-busy;counter=1").unwrap();
        assert_eq!(by.params.value("reason"), Some("user-busy"));
        assert_eq!(by.to_string(), "<sip:2000@h>;reason=user-busy;counter=1");
    }
}
