//! `Session-Expires`: after how long a session ends unless somebody refreshes it (RFC 4028).

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;
use crate::text;

/// The session interval and who refreshes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionExpires {
    /// Seconds.
    pub seconds: u32,
    /// Parameters, `refresher` among them.
    pub params: Params,
}

/// Who refreshes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refresher {
    /// The side that sent the request.
    Uac,
    /// The side that answered it.
    Uas,
}

impl SessionExpires {
    /// An interval, and who refreshes if that is settled.
    #[must_use]
    pub fn new(seconds: u32, refresher: Option<Refresher>) -> Self {
        let params = match refresher {
            Some(Refresher::Uac) => Params::new().with("refresher", "uac"),
            Some(Refresher::Uas) => Params::new().with("refresher", "uas"),
            None => Params::new(),
        };
        Self { seconds, params }
    }

    /// Who refreshes, if it is said.
    #[must_use]
    pub fn refresher(&self) -> Option<Refresher> {
        let value = self.params.value("refresher")?;
        [("uac", Refresher::Uac), ("uas", Refresher::Uas)]
            .into_iter()
            .find_map(|(text, refresher)| text.eq_ignore_ascii_case(value).then_some(refresher))
    }
}

impl Header for SessionExpires {
    const NAME: HeaderName = HeaderName::SessionExpires;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let end = value.find(';').unwrap_or(value.len());
        let seconds = text::number(text::trim(&value[..end]))?;
        Ok(Self { seconds, params: Params::parse(&value[end..])? })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.seconds, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_and_refresher() {
        let header = SessionExpires::parse("1800; refresher=UAS").unwrap();
        assert_eq!((header.seconds, header.refresher()), (1800, Some(Refresher::Uas)));
        assert_eq!(SessionExpires::new(90, Some(Refresher::Uac)).to_string(), "90;refresher=uac");
        assert!(SessionExpires::parse("x").is_err());
    }
}
