//! `Min-Expires`: the shortest time a registrar or notifier grants.

number_header! {
    /// The shortest time granted, in seconds.
    MinExpires, u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn seconds() {
        assert_eq!(MinExpires::parse("60"), Ok(MinExpires(60)));
        assert!(MinExpires::parse("60s").is_err());
    }
}
