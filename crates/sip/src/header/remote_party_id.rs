//! `Remote-Party-ID`: the older form of an asserted identity, which Cisco phones show.

name_addr_header! {
    /// The other party as a phone shall show it.
    RemotePartyId, list: true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn party_privacy_and_screen() {
        let id = RemotePartyId::parse("\"Bob\" <sip:2000@h>;party=called;privacy=off;screen=yes");
        let id = id.unwrap();
        assert_eq!(id.params.value("party"), Some("called"));
        assert_eq!(id.params.value("screen"), Some("yes"));
    }
}
