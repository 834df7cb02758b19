//! URIs: `sip`, `sips` and `tel` in their parts, any other scheme as text.

use core::fmt::{self, Write};
use core::str::FromStr;
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::header::HeaderFault;

mod compare;
mod host;
mod sip;
mod tel;

pub use host::{Host, HostPort};
pub use sip::SipUri;
pub use tel::TelUri;

/// A URI as it stands in a request line or between angle brackets.
///
/// `==` compares what is written; [`Uri::matches`] compares by the rules of each scheme.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Uri {
    /// `sip:` or `sips:`.
    Sip(SipUri),
    /// `tel:`.
    Tel(TelUri),
    /// Any other scheme, the whole text.
    Other(Box<str>),
}

impl Uri {
    /// Reads a URI that fills the whole text.
    pub fn parse(text: &str) -> Result<Self, HeaderFault> {
        let colon = text.bytes().position(|byte| byte == b':').ok_or(HeaderFault::Uri)?;
        let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
        if scheme.eq_ignore_ascii_case("sip") {
            SipUri::parse(false, rest).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case("sips") {
            SipUri::parse(true, rest).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case("tel") {
            TelUri::parse(rest).map(Self::Tel)
        } else if is_scheme(scheme) && is_opaque(rest) {
            Ok(Self::Other(text.into()))
        } else {
            Err(HeaderFault::Uri)
        }
    }

    /// The text as it is printed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(96);
        // Writing into a string can't fail.
        let _ = write!(text, "{self}");
        text
    }

    /// The scheme in lower case where it is known, as written otherwise.
    #[must_use]
    pub fn scheme(&self) -> &str {
        match self {
            Self::Sip(uri) if uri.secure => "sips",
            Self::Sip(_) => "sip",
            Self::Tel(_) => "tel",
            Self::Other(text) => text.split_once(':').map_or("", |(scheme, _)| scheme),
        }
    }

    /// The parts of a `sip:` or `sips:` URI.
    #[must_use]
    pub fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            _ => None,
        }
    }

    /// The user without escapes, or the number of a `tel:` URI without separators: what was dialled.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Sip(uri) => uri.user(),
            Self::Tel(uri) => Some(Cow::Owned(uri.digits())),
            Self::Other(_) => None,
        }
    }

    /// The host of a `sip:` or `sips:` URI.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.as_sip().map(|uri| &uri.at.host)
    }

    /// Does the URI stand for the same resource?
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sip(one), Self::Sip(two)) => one.matches(two),
            (Self::Tel(one), Self::Tel(two)) => one.matches(two),
            (one, two) => one == two,
        }
    }
}

impl FromStr for Uri {
    type Err = HeaderFault;

    fn from_str(text: &str) -> Result<Self, HeaderFault> {
        Self::parse(text)
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Self {
        Self::Sip(uri)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => uri.fmt(f),
            Self::Tel(uri) => uri.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn is_opaque(rest: &str) -> bool {
    !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_sip_uri_is_read_and_printed() {
        let text = "sips:al%20ice:pw@[2001:db8::1]:5071;transport=tcp;lr?Subject=x&a=b";
        let uri = Uri::parse(text).unwrap();
        let sip = uri.as_sip().unwrap();
        assert!(sip.secure);
        assert_eq!(uri.user().unwrap(), "al ice");
        assert_eq!(sip.password(), Some("pw"));
        assert_eq!(sip.at.to_string(), "[2001:db8::1]:5071");
        assert_eq!(sip.transport(), Some("tcp"));
        assert_eq!(sip.headers().collect::<Vec<_>>(), [("Subject", "x"), ("a", "b")]);
        assert_eq!(uri.to_string(), text);
    }

    #[test]
    fn a_user_may_hold_what_looks_like_parameters() {
        let uri = Uri::parse("sip:user;par=u%40example.net@example.com").unwrap();
        assert_eq!(uri.user().unwrap(), "user;par=u@example.net");
        assert!(uri.as_sip().unwrap().params.is_empty());
    }

    #[test]
    fn numbers_and_other_schemes() {
        let tel = Uri::parse("tel:+1-201-555.0123;phone-context=x.com").unwrap();
        assert_eq!(tel.user().unwrap(), "+12015550123");
        let urn = Uri::parse("urn:x-cisco-remotecc:token-registration").unwrap();
        assert_eq!((urn.scheme(), urn.user()), ("urn", None));
        assert_eq!(urn.to_string(), "urn:x-cisco-remotecc:token-registration");
    }

    #[test]
    fn users_are_escaped_when_made() {
        let uri = SipUri::new(Some("*21#"), Host::parse("h").unwrap()).with_port(5060);
        assert_eq!(uri.to_string(), "sip:*21%23@h:5060");
        assert_eq!(uri.user().unwrap(), "*21#");
    }

    #[test]
    fn broken_uris_are_refused() {
        for bad in [
            "",
            "sip",
            "sip:",
            "sip:@host",
            "sip:a b@host",
            "sip:a@b c",
            "sip:a@",
            "sip:a@b@c",
            "sip:a@host:port",
            "sip:a%4@host",
            "sip:a@host;",
            "sip:a@host;x=\"y\"",
            "sip: a@host",
            "sip:a@host?",
            "tel:",
            "tel:abc-xyz",
            "1x:y",
            "sip:<a@b>",
            "x:",
            "sip:a@[::1",
            "a b:c",
        ] {
            assert!(Uri::parse(bad).is_err(), "{bad}");
        }
    }
}
