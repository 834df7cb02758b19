//! `CSeq`: the number of a request in its dialog, and its method.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::method::Method;
use crate::text;

/// The number and method of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CSeq {
    /// The number, below 2^31.
    pub number: u32,
    /// The method, the same as in the request line.
    pub method: Method,
}

impl CSeq {
    /// A number and a method.
    #[must_use]
    pub fn new(number: u32, method: Method) -> Self {
        Self { number, method }
    }
}

impl Header for CSeq {
    const NAME: HeaderName = HeaderName::CSeq;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let value = text::trim(value);
        let (number, method) = value.split_once([' ', '\t']).ok_or(HeaderFault::Syntax)?;
        let number: u32 = text::number(number)?;
        if number > LARGEST {
            return Err(HeaderFault::Number);
        }
        let method = Method::parse(text::trim(method)).ok_or(HeaderFault::Syntax)?;
        Ok(Self { number, method })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

const LARGEST: u32 = 0x7FFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_method() {
        let cseq = CSeq::parse("  0009   INVITE ").unwrap();
        assert_eq!(cseq, CSeq::new(9, Method::Invite));
        assert_eq!(cseq.to_string(), "9 INVITE");
    }

    #[test]
    fn the_number_is_below_two_to_the_31() {
        assert!(CSeq::parse("2147483647 ACK").is_ok());
        for bad in ["2147483648 ACK", "36893488147419103232 REGISTER", "-1 ACK", "1", "ACK", "1 "] {
            assert!(CSeq::parse(bad).is_err(), "{bad}");
        }
    }
}
