//! Telephone numbers as URIs (RFC 3966).

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::header::HeaderFault;
use crate::params::Params;

/// `tel:+1-201-555-0123;phone-context=example.com`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TelUri {
    number: Box<str>,
    /// Parameters after the number.
    pub params: Params,
}

impl TelUri {
    /// Reads what follows the scheme.
    pub(super) fn parse(text: &str) -> Result<Self, HeaderFault> {
        let end = text.find(';').unwrap_or(text.len());
        let number = &text[..end];
        let digits = number.strip_prefix('+').unwrap_or(number);
        if !digits.bytes().any(is_digit) || !digits.bytes().all(|b| is_digit(b) || is_mark(b)) {
            return Err(HeaderFault::Uri);
        }
        Ok(Self { number: number.into(), params: Params::parse_uri(&text[end..])? })
    }

    /// The number as on the wire.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The number without visual separators.
    #[must_use]
    pub fn digits(&self) -> String {
        self.number.chars().filter(|c| !is_mark(u8::try_from(*c).unwrap_or_default())).collect()
    }

    pub(super) fn matches(&self, other: &Self) -> bool {
        let context = |uri: &Self| uri.params.value("phone-context").map(str::to_ascii_lowercase);
        self.digits().eq_ignore_ascii_case(&other.digits()) && context(self) == context(other)
    }
}

impl fmt::Display for TelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tel:{}{}", self.number, self.params)
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b'*' || byte == b'#'
}

fn is_mark(byte: u8) -> bool {
    b"-.()".contains(&byte)
}
