//! Tags, branches and other texts nobody can guess, from a seed.

use serde::{Deserialize, Serialize};

use crate::siphash::{key, siphash};

/// A source of tokens; the same seed gives the same tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tokens {
    key: [u64; 2],
    count: u64,
}

impl Tokens {
    /// A source. The seed must come from real randomness and be used for one source only.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        let (low, high) = (key(&seed[..16]), key(&seed[16..]));
        Self {
            key: siphash(low, &[high[0].to_le_bytes(), high[1].to_le_bytes()].concat()),
            count: 0,
        }
    }

    /// Another source, whose tokens have nothing to do with those of this one.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self { key: self.draw(), count: 0 }
    }

    /// A number.
    pub fn number(&mut self) -> u64 {
        self.draw()[0]
    }

    /// A number below a limit, which must not be zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit.max(1)
    }

    /// A tag of 16 letters and digits (80 bits).
    pub fn tag(&mut self) -> String {
        self.text("", 16)
    }

    /// A branch of RFC 3261.
    pub fn branch(&mut self) -> String {
        self.text(crate::header::via::COOKIE, 20)
    }

    /// A Call-ID without a host.
    pub fn call_id(&mut self) -> String {
        self.text("", 24)
    }

    fn text(&mut self, start: &str, length: usize) -> String {
        let [low, high] = self.draw();
        let mut bits = u128::from(low) | u128::from(high) << 64;
        let mut text = String::with_capacity(start.len() + length);
        text.push_str(start);
        for _ in 0..length {
            text.push(char::from(LETTERS[(bits & 31) as usize]));
            bits >>= 5;
        }
        text
    }

    fn draw(&mut self) -> [u64; 2] {
        self.count += 1;
        siphash(self.key, &self.count.to_le_bytes())
    }
}

const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_tokens() {
        let (mut one, mut two) = (Tokens::new([7; 32]), Tokens::new([7; 32]));
        assert_eq!(one.tag(), two.tag());
        assert_ne!(one.tag(), one.tag());
        assert_ne!(Tokens::new([8; 32]).tag(), Tokens::new([7; 32]).tag());
        assert_ne!(one.fork().tag(), one.tag());
        assert!(one.branch().starts_with("z9hG4bK"));
        assert_eq!(one.branch().len(), 27);
    }
}
