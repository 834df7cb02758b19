//! `Content-Length`: the octets of the body.

number_header! {
    /// The octets of the body.
    ContentLength, u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn digits_only() {
        assert_eq!(ContentLength::parse("0").unwrap().to_string(), "0");
        assert!(ContentLength::parse("-999").is_err());
        assert!(ContentLength::parse("4294967296").is_err());
        assert!(ContentLength::parse("").is_err());
    }
}
