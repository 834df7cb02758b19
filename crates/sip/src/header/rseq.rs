//! `RSeq`: the number of a reliable provisional answer (RFC 3262).

number_header! {
    /// The number of a reliable provisional answer.
    RSeq, u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn prints_as_read() {
        assert_eq!(RSeq::parse("988789").unwrap().to_string(), "988789");
    }
}
