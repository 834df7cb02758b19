use super::Message;
use crate::header::HeaderName;

impl Message {
    /// A number made from what tells a request from others: top Via, From and Call-ID. It is the
    /// same when the request is sent again, so that an answer for which nothing is kept can be the
    /// same, too (RFC 3261 section 8.2.7). It is stable, not secret.
    pub fn fingerprint(&self) -> u64 {
        let via = self.first(HeaderName::Via).unwrap_or_default();
        let from = self.first(HeaderName::From).unwrap_or_default();
        [via, from, self.call_id()].iter().fold(0xcbf2_9ce4_8422_2325, |hash, text| mix(hash, text))
    }
}

/// Eight octets at a time, multiplied and folded; the length keeps texts apart.
fn mix(hash: u64, text: &str) -> u64 {
    let step = |hash: u64, word: u64| {
        let product = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        product ^ (product >> 32)
    };
    let mut words = text.as_bytes().chunks_exact(8);
    let hash = words
        .by_ref()
        .fold(hash, |hash, word| step(hash, word.try_into().map_or(0, u64::from_le_bytes)));
    let rest =
        words.remainder().iter().fold(text.len() as u64, |rest, b| rest << 8 | u64::from(*b));
    step(hash, rest)
}
