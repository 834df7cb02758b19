//! `Max-Forwards`: how many hops a request may still take.

number_header! {
    /// How many hops a request may still take.
    MaxForwards, u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn up_to_255() {
        assert_eq!(MaxForwards::parse(" 70 "), Ok(MaxForwards(70)));
        assert!(MaxForwards::parse("256").is_err());
        assert!(MaxForwards::parse("-1").is_err());
    }
}
