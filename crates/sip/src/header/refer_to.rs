//! `Refer-To`: whom to contact (RFC 3515).

name_addr_header! {
    /// Whom the receiver is asked to contact; Cisco phones also send `urn:` addresses.
    ReferTo, list: false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn replaces_stands_in_the_headers_of_the_uri() {
        let to = ReferTo::parse("<sip:b@c?Replaces=1%40h%3Bto-tag%3D2>").unwrap();
        let (name, value) = to.uri.as_sip().unwrap().headers().next().unwrap();
        assert_eq!((name, value), ("Replaces", "1%40h%3Bto-tag%3D2"));
    }

    #[test]
    fn a_remote_control_address_is_no_sip_uri() {
        let to = ReferTo::parse("<urn:x-cisco-remotecc:token-registration>").unwrap();
        assert_eq!(to.uri.scheme(), "urn");
    }
}
