//! `Retry-After`: when to try again.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;
use crate::text;

/// After how many seconds to try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryAfter {
    /// Seconds.
    pub seconds: u32,
    /// Parameters; `duration` says how long it will be possible.
    pub params: Params,
}

impl RetryAfter {
    /// So many seconds.
    #[must_use]
    pub fn new(seconds: u32) -> Self {
        Self { seconds, params: Params::new() }
    }
}

impl Header for RetryAfter {
    const NAME: HeaderName = HeaderName::RetryAfter;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let end = value.find([';', '(']).unwrap_or(value.len());
        let seconds = text::number(text::trim(&value[..end]))?;
        let after = value[end..].find(';').map_or("", |at| &value[end + at..]);
        Ok(Self { seconds, params: Params::parse(after)? })
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.seconds, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_dropped() {
        let header = RetryAfter::parse("18000 (in a meeting);duration=3600").unwrap();
        assert_eq!(header.to_string(), "18000;duration=3600");
        assert_eq!(RetryAfter::parse("5"), Ok(RetryAfter::new(5)));
        assert!(RetryAfter::parse("later").is_err());
    }
}
