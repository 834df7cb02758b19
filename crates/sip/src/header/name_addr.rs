//! `"Display name" <uri>;parameters`, the form of many headers.

use core::fmt;
use std::borrow::Cow;

use memchr::memchr;
use serde::{Deserialize, Serialize};

use super::HeaderFault;
use crate::params::Params;
use crate::uri::Uri;
use crate::{class, text};

/// A name, an address and parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NameAddr {
    /// The display name as on the wire, with quotes if it has them.
    display: Box<str>,
    /// The address.
    pub uri: Uri,
    /// Parameters of the header, after the address.
    pub params: Params,
}

impl NameAddr {
    /// An address without a name.
    #[must_use]
    pub fn new(uri: impl Into<Uri>) -> Self {
        Self { display: "".into(), uri: uri.into(), params: Params::new() }
    }

    /// `self` with a display name, quoted.
    #[must_use]
    pub fn with_display(mut self, name: &str) -> Self {
        self.set_display(name);
        self
    }

    /// `self` with a tag.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", Some(tag));
        self
    }

    /// Reads a name and address, or an address without brackets.
    pub fn parse(value: &str) -> Result<Self, HeaderFault> {
        let value = text::trim(value);
        let open = if value.starts_with('"') {
            let end = text::quoted_length(value).ok_or(HeaderFault::Address)?;
            let gap = value[end..].len() - value[end..].trim_start_matches([' ', '\t']).len();
            Some(end + gap)
        } else {
            memchr(b'<', value.as_bytes())
        };
        match open {
            Some(open) => Self::parse_bracketed(value, open),
            None => Self::parse_bare(value),
        }
    }

    fn parse_bracketed(value: &str, open: usize) -> Result<Self, HeaderFault> {
        let display = text::trim(&value[..open]);
        let inside = value[open..].strip_prefix('<').ok_or(HeaderFault::Address)?;
        let close = memchr(b'>', inside.as_bytes()).ok_or(HeaderFault::Address)?;
        let (uri, params) = (&inside[..close], &inside[close + 1..]);
        if !display.starts_with('"') && !text::all(display, class::DISPLAY) {
            return Err(HeaderFault::Address);
        }
        let params = Params::parse(params)?;
        Ok(Self { display: display.into(), uri: Uri::parse(uri)?, params })
    }

    /// Without brackets the parameters are the header's, and the URI has no `?` or `,`.
    fn parse_bare(value: &str) -> Result<Self, HeaderFault> {
        let end = value.find(';').unwrap_or(value.len());
        let uri = text::trim(&value[..end]);
        if uri.contains(['?', ',']) {
            return Err(HeaderFault::Address);
        }
        let params = Params::parse(&value[end..])?;
        Ok(Self { display: "".into(), uri: Uri::parse(uri)?, params })
    }

    /// The display name without quotes; empty when there is none.
    #[must_use]
    pub fn display(&self) -> Cow<'_, str> {
        text::unquote(&self.display)
    }

    /// The display name as on the wire.
    #[must_use]
    pub fn raw_display(&self) -> &str {
        &self.display
    }

    /// Sets the display name, quoted; an empty one takes it away.
    pub fn set_display(&mut self, name: &str) {
        self.display = if name.is_empty() { "".into() } else { text::quote(name).into_boxed_str() };
    }

    /// The `tag` parameter.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag")
    }

    /// The user of the address, without escapes.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, str>> {
        self.uri.user()
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.display.is_empty() {
            f.write_str(&self.display)?;
            f.write_str(" ")?;
        }
        f.write_str("<")?;
        self.uri.fmt(f)?;
        f.write_str(">")?;
        self.params.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read_and_printed_in_one() {
        for (text, display, printed) in [
            ("sip:a@b;tag=1", "", "<sip:a@b>;tag=1"),
            ("<sip:a@b;lr>;tag=1", "", "<sip:a@b;lr>;tag=1"),
            ("Alice X <sip:a@b>", "Alice X", "Alice X <sip:a@b>"),
            ("\"A \\\"<B\"<sip:a@b> ; x", "A \"<B", "\"A \\\"<B\" <sip:a@b>;x"),
            ("Jürgen <tel:123>", "Jürgen", "Jürgen <tel:123>"),
        ] {
            let address = NameAddr::parse(text).unwrap();
            assert_eq!(address.display(), display);
            assert_eq!(address.to_string(), printed);
            assert_eq!(NameAddr::parse(printed).as_ref(), Ok(&address));
        }
    }

    #[test]
    fn broken_addresses_are_refused() {
        for bad in [
            "",
            "<sip:a@b",
            "sip:a@b>",
            "\"a <sip:a@b>",
            "\"a\" x <sip:a@b>",
            "Watson, Thomas <sip:a@b>",
            "< sip:a@b>",
            "<sip:a@b >",
            "sip:a@b?Route=x",
            "<sip:a@b> tag=1",
            "<<sip:a@b>>",
            "\"a\"",
        ] {
            assert!(NameAddr::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_display_name_can_not_leave_its_quotes() {
        let uri = Uri::parse("sip:a@b").unwrap();
        let address = NameAddr::new(uri).with_display("x\" <sip:evil@c>\r\nVia: y").with_tag("t");
        let again = NameAddr::parse(&address.to_string()).unwrap();
        assert_eq!(again.uri.to_string(), "sip:a@b");
        assert_eq!(again.tag(), Some("t"));
        assert_eq!(again.display(), "x\" <sip:evil@c>  Via: y");
    }
}
