//! `Content-Type`: what the body is.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;
use crate::text;

/// A media type with parameters; type and subtype compare without case.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct ContentType {
    /// `type/subtype` as on the wire.
    media: Box<str>,
    /// Parameters such as `boundary` or `charset`.
    pub params: Params,
}

impl ContentType {
    /// `application/sdp`.
    pub const SDP: &'static str = "application/sdp";

    /// Is it this type and subtype?
    #[must_use]
    pub fn is(&self, media: &str) -> bool {
        self.media.eq_ignore_ascii_case(media)
    }

    /// `type/subtype` as on the wire.
    #[must_use]
    pub fn media(&self) -> &str {
        &self.media
    }
}

impl Header for ContentType {
    const NAME: HeaderName = HeaderName::ContentType;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let (media, params) = media_and_params(value)?;
        Ok(Self { media: media.into(), params })
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.media, self.params)
    }
}

/// Reads `type/subtype;parameters`; white space around the slash is dropped.
pub(super) fn media_and_params(value: &str) -> Result<(String, Params), HeaderFault> {
    let end = text::find_outside(value, b';').unwrap_or(value.len());
    let (main, sub) = value[..end].split_once('/').ok_or(HeaderFault::Syntax)?;
    let (main, sub) = (text::trim(main), text::trim(sub));
    if !text::is_token(main) || !text::is_token(sub) {
        return Err(HeaderFault::Syntax);
    }
    Ok((format!("{main}/{sub}"), Params::parse(&value[end..])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_and_parameters() {
        let header = ContentType::parse("multipart / Mixed ; boundary=\"a;b\"").unwrap();
        assert!(header.is("multipart/mixed"));
        assert_eq!(header.params.text("boundary").unwrap(), "a;b");
        assert_eq!(header.to_string(), "multipart/Mixed;boundary=\"a;b\"");
    }

    #[test]
    fn broken_types_are_refused() {
        for bad in ["", "application", "application/", "/sdp", "a/b/c", "a/b;", "a b/c"] {
            assert!(ContentType::parse(bad).is_err(), "{bad}");
        }
    }
}
