//! `Reason`: why a request was sent (RFC 3326); Cisco phones report their load in it.

use core::fmt;
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;
use crate::text;

/// A protocol, a cause of it, and a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The protocol the cause belongs to: `SIP` or `Q.850`.
    pub protocol: Box<str>,
    /// Parameters: `cause`, `text`.
    pub params: Params,
}

impl Reason {
    /// A cause and a text.
    #[must_use]
    pub fn new(protocol: &str, cause: u16, text: &str) -> Self {
        let params = Params::new().with("cause", &cause.to_string()).with("text", text);
        Self { protocol: protocol.into(), params }
    }

    /// The cause.
    #[must_use]
    pub fn cause(&self) -> Option<u16> {
        text::number(self.params.value("cause")?).ok()
    }

    /// The text, without quotes.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.params.text("text")
    }
}

impl Header for Reason {
    const NAME: HeaderName = HeaderName::Reason;
    const LIST: bool = true;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let end = text::find_outside(value, b';').unwrap_or(value.len());
        let protocol = text::trim(&value[..end]);
        if !text::is_token(protocol) {
            return Err(HeaderFault::Syntax);
        }
        Ok(Self { protocol: protocol.into(), params: Params::parse(&value[end..])? })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.protocol, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_reports_its_load() {
        let value = "SIP;cause=200;text=\"cisco-alarm:25 Name=SEP001122334455 ActiveLoad=sip88xx\"";
        let reason = Reason::parse(value).unwrap();
        assert_eq!((&*reason.protocol, reason.cause()), ("SIP", Some(200)));
        assert!(reason.text().unwrap().contains("ActiveLoad=sip88xx"));
        assert_eq!(reason.to_string(), value);
    }

    #[test]
    fn made_ones_can_be_read() {
        let made = Reason::new("Q.850", 16, "Normal \"call\" clearing");
        assert_eq!(Reason::parse(&made.to_string()), Ok(made));
    }
}
