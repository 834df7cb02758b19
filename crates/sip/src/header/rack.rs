//! `RAck`: which reliable provisional answer a PRACK acknowledges (RFC 3262).

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{CSeq, Header, HeaderFault, HeaderName};
use crate::text;

/// The number of the answer and the CSeq of the request it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RAck {
    /// The RSeq of the answer.
    pub response: u32,
    /// The CSeq of the request.
    pub cseq: CSeq,
}

impl Header for RAck {
    const NAME: HeaderName = HeaderName::RAck;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let value = text::trim(value);
        let (response, cseq) = value.split_once([' ', '\t']).ok_or(HeaderFault::Syntax)?;
        Ok(Self { response: text::number(response)?, cseq: CSeq::parse(cseq)? })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.response, self.cseq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_read() {
        assert_eq!(RAck::parse("776656  1 INVITE").unwrap().to_string(), "776656 1 INVITE");
        assert!(RAck::parse("1 INVITE").is_err());
    }
}
