//! `Event`: what a subscription or notification is about (RFC 6665).

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;
use crate::text;

/// An event package and parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The package, with templates, such as `presence.winfo`.
    pub package: Box<str>,
    /// Parameters, `id` among them.
    pub params: Params,
}

impl Event {
    /// A package without parameters.
    #[must_use]
    pub fn new(package: &str) -> Self {
        Self { package: package.into(), params: Params::new() }
    }

    /// The `id`, which tells two subscriptions of a dialog apart.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.params.value("id")
    }
}

impl Header for Event {
    const NAME: HeaderName = HeaderName::Event;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let end = text::find_outside(value, b';').unwrap_or(value.len());
        let package = text::trim(&value[..end]);
        if !text::is_token(package) {
            return Err(HeaderFault::Syntax);
        }
        Ok(Self { package: package.into(), params: Params::parse(&value[end..])? })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_and_parameters() {
        let event = Event::parse("ua-profile;profile-type=\"device\";vendor=\"snom\"").unwrap();
        assert_eq!(&*event.package, "ua-profile");
        assert_eq!(event.params.text("vendor").unwrap(), "snom");
        assert_eq!(Event::parse("kpml;id=7").unwrap().id(), Some("7"));
        assert!(Event::parse("").is_err());
    }
}
