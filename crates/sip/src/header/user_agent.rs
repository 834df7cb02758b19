//! `User-Agent`: what software asks.

text_header! {
    /// What software asks.
    UserAgent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn the_text_is_kept() {
        let text = "Cisco-CP-8841-3PCC/11.0 (00562b043615)";
        assert_eq!(UserAgent::parse(text).unwrap().to_string(), text);
    }
}
