//! `Route`: the hops a request still has to take.

name_addr_header! {
    /// One hop a request still has to take.
    Route, list: true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn a_loose_router_says_lr() {
        let route = Route::parse("<sip:p1.example.com;lr>").unwrap();
        assert!(route.uri.as_sip().unwrap().params.has("lr"));
        assert_eq!(route.to_string(), "<sip:p1.example.com;lr>");
    }
}
