//! `Accept`: the body types a side can read.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::content_type::media_and_params;
use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;

/// One type, or a range such as `application/*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    media: Box<str>,
    /// Parameters, `q` among them.
    pub params: Params,
}

impl Accept {
    /// Does the range hold this type?
    #[must_use]
    pub fn accepts(&self, media: &str) -> bool {
        let Some((main, _)) = media.split_once('/') else { return false };
        match self.media.strip_suffix("/*") {
            Some("*") => true,
            Some(range) => range.eq_ignore_ascii_case(main),
            None => self.media.eq_ignore_ascii_case(media),
        }
    }
}

impl Header for Accept {
    const NAME: HeaderName = HeaderName::Accept;
    const LIST: bool = true;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let (media, params) = media_and_params(value)?;
        Ok(Self { media: media.into(), params })
    }
}

impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.media, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_types() {
        assert!(Accept::parse("*/*;q=0.5").unwrap().accepts("text/plain"));
        assert!(Accept::parse("application/*").unwrap().accepts("Application/sdp"));
        assert!(!Accept::parse("application/sdp").unwrap().accepts("application/url"));
        assert!(Accept::parse("text").is_err());
    }
}
