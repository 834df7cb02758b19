//! Lines of a session description.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::SdpFault;

/// `x=value`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The letter.
    pub kind: char,
    /// What stands after `=`.
    pub value: Box<str>,
}

impl Line {
    /// A line; a line break in the value becomes a space.
    #[must_use]
    pub fn new(kind: char, value: &str) -> Self {
        Self { kind, value: value.replace(['\r', '\n'], " ").into() }
    }

    pub(super) fn parse(row: &str) -> Result<Self, SdpFault> {
        let (kind, value) = row.split_once('=').ok_or(SdpFault::Line)?;
        match kind.as_bytes() {
            [letter] if letter.is_ascii_lowercase() && !value.contains('\r') => {
                Ok(Self { kind: char::from(*letter), value: value.into() })
            }
            _ => Err(SdpFault::Line),
        }
    }

    /// Name and value of an attribute; the value is empty for a flag.
    #[must_use]
    pub fn attribute(&self) -> Option<(&str, &str)> {
        (self.kind == 'a').then(|| self.meant().split_once(':').unwrap_or((self.meant(), "")))
    }

    /// The value without the blanks at its end, which no type of line gives a meaning.
    pub(super) fn meant(&self) -> &str {
        self.value.trim_end_matches([' ', '\t'])
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}\r\n", self.kind, self.value)
    }
}

/// The value of the first line of a kind.
pub(super) fn first(lines: &[Line], kind: char) -> Option<&str> {
    lines.iter().find(|line| line.kind == kind).map(|line| &*line.value)
}

/// The values of an attribute.
pub(super) fn attributes<'l>(lines: &'l [Line], name: &str) -> impl Iterator<Item = &'l str> {
    lines
        .iter()
        .filter_map(Line::attribute)
        .filter(move |(other, _)| *other == name)
        .map(|(_, value)| value)
}
