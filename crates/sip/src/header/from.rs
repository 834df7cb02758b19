//! `From`: who asks.

name_addr_header! {
    /// Who asks, with the tag of their side of the dialog.
    From, list: false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn display_address_and_tag() {
        let from = From::parse("\"Alice\" <sip:alice@example.com>;tag=88sja8x").unwrap();
        assert_eq!((from.display().as_ref(), from.tag()), ("Alice", Some("88sja8x")));
        assert_eq!(from.to_string(), "\"Alice\" <sip:alice@example.com>;tag=88sja8x");
    }
}
