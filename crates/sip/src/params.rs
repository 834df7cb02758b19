//! Parameters: `;name=value;flag`, of header elements and of URIs.

use core::fmt;
use std::borrow::Cow;

use memchr::memchr;
use serde::{Deserialize, Serialize};

use crate::header::HeaderFault;
use crate::{class, limits, text};

/// Parameters in the order they came, unknown ones included; names compare without case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Params(Box<str>);

impl Params {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `;a=b;c`; white space around `;` and `=` is dropped.
    pub fn parse(text: &str) -> Result<Self, HeaderFault> {
        Self::read(text::trim(text), is_name, is_value)
    }

    /// Reads the parameters of a URI, where no white space and no quoted value may stand. Escapes
    /// of characters that need none are resolved, so that names can be found.
    pub(crate) fn parse_uri(text: &str) -> Result<Self, HeaderFault> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.bytes().any(text::is_space) {
            return Err(HeaderFault::Parameter);
        }
        let params = Self::read(text, is_uri_part, is_uri_part)?;
        let params = if params.0.bytes().any(|byte| byte == b'%') {
            Self(text::unescape_unreserved(&params.0).into())
        } else {
            params
        };
        if params.has_duplicates() { Err(HeaderFault::Parameter) } else { Ok(params) }
    }

    fn read(
        text: &str,
        is_name: fn(&str) -> bool,
        is_value: fn(&str) -> bool,
    ) -> Result<Self, HeaderFault> {
        let mut rest = text;
        if rest.is_empty() {
            return Ok(Self::default());
        }
        // Without white space the text is kept as it came.
        let spaced = rest.bytes().any(text::is_space);
        let mut kept = String::with_capacity(if spaced { rest.len() } else { 0 });
        let mut count = 0;
        let quoted = memchr(b'"', rest.as_bytes()).is_some();
        while !rest.is_empty() {
            let tail = rest.strip_prefix(';').ok_or(HeaderFault::Parameter)?;
            let end = end_of_param(tail, quoted);
            let (name, value) = cut(&tail[..end]);
            count += 1;
            if !is_name(name) || value.is_some_and(|v| !is_value(v)) || count > limits::PARAMS {
                return Err(HeaderFault::Parameter);
            }
            if spaced {
                push(&mut kept, name, value);
            }
            rest = &tail[end..];
        }
        Ok(Self(if spaced { kept.into_boxed_str() } else { text.into() }))
    }

    /// Sets a parameter, replacing one of the same name. `None` makes a flag.
    ///
    /// The value is given without quotes, and gets them if it could not stand as a token.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.remove(name);
        let value = value.map(|value| match is_plain(value) {
            true => Cow::Borrowed(value),
            false => Cow::Owned(text::quote(value)),
        });
        let longer = name.len() + value.as_deref().map_or(0, str::len) + 2;
        let mut kept = String::with_capacity(self.0.len() + longer);
        kept.push_str(&self.0);
        push(&mut kept, name, value.as_deref());
        self.0 = kept.into_boxed_str();
    }

    /// `self` with a parameter set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, Some(value));
        self
    }

    /// `self` with a parameter that has no value.
    #[must_use]
    pub fn with_flag(mut self, name: &str) -> Self {
        self.set(name, None);
        self
    }

    /// Takes a parameter away; tells whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        if !self.has(name) {
            return false;
        }
        let mut kept = String::with_capacity(self.0.len());
        for (other, value) in self.iter().filter(|(other, _)| !other.eq_ignore_ascii_case(name)) {
            push(&mut kept, other, value);
        }
        self.0 = kept.into_boxed_str();
        true
    }

    /// Is the parameter there, with or without a value?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value as it came, quotes included; empty for a flag.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// The value without quotes; empty for a flag.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(text::unquote)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let mut rest = &*self.0;
        let quoted = memchr(b'"', rest.as_bytes()).is_some();
        core::iter::from_fn(move || {
            let tail = rest.strip_prefix(';')?;
            let end = end_of_param(tail, quoted);
            rest = &tail[end..];
            Some(split(&tail[..end]))
        })
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text as it is printed, with its leading `;`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Do any of the names stand twice?
    #[must_use]
    pub(crate) fn has_duplicates(&self) -> bool {
        let mut few = [""; FEW];
        for (at, (name, _)) in self.iter().enumerate() {
            if few.iter().take(at).any(|other| other.eq_ignore_ascii_case(name)) {
                return true;
            }
            match few.get_mut(at) {
                Some(place) => *place = name,
                None => return self.has_duplicates_among_many(),
            }
        }
        false
    }

    fn has_duplicates_among_many(&self) -> bool {
        let mut names: Vec<_> = self.iter().map(|(name, _)| name).collect();
        names.sort_unstable_by(|one, other| letters(one).cmp(letters(other)));
        names.windows(2).any(|pair| pair[0].eq_ignore_ascii_case(pair[1]))
    }
}

/// So many names are compared with each other; more are sorted, so that nobody makes that dear.
const FEW: usize = 4;

/// As names compare.
fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn push(kept: &mut String, name: &str, value: Option<&str>) {
    kept.push(';');
    kept.push_str(name);
    if let Some(value) = value {
        kept.push('=');
        kept.push_str(value);
    }
}

fn end_of_param(tail: &str, quoted: bool) -> usize {
    let end = if quoted {
        text::find_outside(tail, b';')
    } else {
        tail.bytes().position(|byte| byte == b';')
    };
    end.unwrap_or(tail.len())
}

fn split(param: &str) -> (&str, Option<&str>) {
    match param.bytes().position(|byte| byte == b'=') {
        Some(at) => (&param[..at], Some(&param[at + 1..])),
        None => (param, None),
    }
}

fn cut(param: &str) -> (&str, Option<&str>) {
    let (name, value) = split(param);
    (text::trim(name), value.map(text::trim))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && text::all(name, class::PARAM_NAME)
}

fn is_uri_part(part: &str) -> bool {
    !part.is_empty() && text::is_escaped(part, class::URI_PARAM)
}

fn is_plain(value: &str) -> bool {
    !value.is_empty() && text::all(value, class::PARAM_VALUE)
}

fn is_value(value: &str) -> bool {
    match text::quoted_length(value) {
        Some(length) => length == value.len(),
        None => is_plain(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_white_space_goes() {
        let params = Params::parse(" ; Tag = abc ;lr;x=\"a;b\"").unwrap();
        assert_eq!(params.value("tag"), Some("abc"));
        assert_eq!(params.value("LR"), Some(""));
        assert_eq!(params.text("x").unwrap(), "a;b");
        assert_eq!(params.to_string(), ";Tag=abc;lr;x=\"a;b\"");
    }

    #[test]
    fn empty_and_broken_parameters_are_refused() {
        for bad in [";", ";;a", ";a;", "a=b", ";=b", ";a=\"x", ";a=b c", ";a=", ";a=<b>"] {
            assert!(Params::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn setting_replaces_and_quotes_what_needs_it() {
        let mut params = Params::parse(";a=1;b").unwrap();
        params.set("A", Some("two words"));
        assert_eq!(params.to_string(), ";b;A=\"two words\"");
        assert!(params.remove("b"));
        assert!(!params.remove("b"));
        params.set("c", Some(""));
        assert_eq!(params.to_string(), ";A=\"two words\";c=\"\"");
    }

    #[test]
    fn too_many_are_refused() {
        let text = ";a=b".repeat(limits::PARAMS + 1);
        assert_eq!(Params::parse(&text), Err(HeaderFault::Parameter));
    }
}
