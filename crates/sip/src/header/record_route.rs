//! `Record-Route`: the hops that want to stay in the path.

name_addr_header! {
    /// One hop that wants to stay in the path.
    RecordRoute, list: true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn prints_as_read() {
        let hop = RecordRoute::parse("<sip:p1.example.com;lr>;x=y").unwrap();
        assert_eq!(hop.to_string(), "<sip:p1.example.com;lr>;x=y");
    }
}
