//! `Digest name=value, name="value"`: the form of challenges and credentials.

use std::borrow::Cow;

use memchr::memchr;

use crate::header::HeaderFault;
use crate::text;

/// Parameters of a `Digest` header.
pub(super) struct AuthParams<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> AuthParams<'a> {
    /// Reads the parameters; another scheme than Digest is a fault.
    pub(super) fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let value = text::trim(value);
        let (scheme, rest) = value.split_once([' ', '\t']).ok_or(HeaderFault::Syntax)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Err(HeaderFault::Syntax);
        }
        let mut params: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(16);
        for param in text::list(rest).filter(|param| !param.is_empty()) {
            let at = memchr(b'=', param.as_bytes()).ok_or(HeaderFault::Parameter)?;
            let (name, value) = (text::trim(&param[..at]), text::trim(&param[at + 1..]));
            let quoted = text::quoted_length(value).map_or(value.is_empty(), |n| n != value.len());
            if !text::is_token(name) || quoted || params.len() == MOST {
                return Err(HeaderFault::Parameter);
            }
            if params.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(HeaderFault::Repeated);
            }
            params.push((name, text::unquote(value)));
        }
        Ok(Self(params))
    }

    /// A parameter without its quotes.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.find(name).map(AsRef::as_ref)
    }

    /// A parameter that must be there.
    pub(super) fn need(&self, name: &str) -> Result<Cow<'a, str>, HeaderFault> {
        self.may(name).ok_or(HeaderFault::Parameter)
    }

    /// A parameter that may be there.
    pub(super) fn may(&self, name: &str) -> Option<Cow<'a, str>> {
        self.find(name).cloned()
    }

    fn find(&self, name: &str) -> Option<&Cow<'a, str>> {
        let found = self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// Names are compared pair by pair, so there must not be many.
const MOST: usize = 24;
