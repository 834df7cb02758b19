//! `Call-Info`: more about a party; Cisco phones use it for call instance and security.

name_addr_header! {
    /// One piece of information about a party.
    CallInfo, list: true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn cisco_call_instance() {
        let info = CallInfo::parse("<urn:x-cisco-remotecc:callinfo>; call-instance=2").unwrap();
        assert_eq!(info.params.value("call-instance"), Some("2"));
        assert_eq!(info.to_string(), "<urn:x-cisco-remotecc:callinfo>;call-instance=2");
    }
}
