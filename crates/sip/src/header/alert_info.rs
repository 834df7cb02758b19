//! `Alert-Info`: how to ring; some phones answer by themselves when told so here.

name_addr_header! {
    /// One ring tone or alert.
    AlertInfo, list: true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn auto_answer() {
        let info = AlertInfo::parse("<http://h/x>;info=alert-autoanswer;delay=0").unwrap();
        assert_eq!(info.uri.scheme(), "http");
        assert_eq!(info.params.value("info"), Some("alert-autoanswer"));
    }
}
