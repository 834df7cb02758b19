//! `Min-SE`: the shortest session interval a hop accepts (RFC 4028).

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;
use crate::text;

/// The shortest session interval, in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinSe {
    /// Seconds.
    pub seconds: u32,
    /// Parameters, which have no meaning yet.
    pub params: Params,
}

impl Header for MinSe {
    const NAME: HeaderName = HeaderName::MinSe;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let end = value.find(';').unwrap_or(value.len());
        let seconds = text::number(text::trim(&value[..end]))?;
        Ok(Self { seconds, params: Params::parse(&value[end..])? })
    }
}

impl fmt::Display for MinSe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.seconds, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_read() {
        assert_eq!(MinSe::parse("90;lr").unwrap().to_string(), "90;lr");
        assert!(MinSe::parse(";lr").is_err());
    }
}
