//! `Expires`: how long a registration, subscription or invitation shall last.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::text;

/// How long something shall last, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Expires(pub u32);

impl Header for Expires {
    const NAME: HeaderName = HeaderName::Expires;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        seconds(text::trim(value)).map(Self)
    }
}

impl fmt::Display for Expires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Seconds; a number too large for the grammar is the largest one.
pub(super) fn seconds(text: &str) -> Result<u32, HeaderFault> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HeaderFault::Number);
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_saturate_and_words_are_refused() {
        assert_eq!(Expires::parse("3600"), Ok(Expires(3600)));
        assert_eq!(Expires::parse("10000000000000000000000"), Ok(Expires(u32::MAX)));
        assert!(Expires::parse("soon").is_err());
        assert!(Expires::parse("-1").is_err());
    }
}
