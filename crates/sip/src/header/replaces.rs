//! `Replaces`: the dialog a new call takes over (RFC 3891).

use core::fmt;

use serde::{Deserialize, Serialize};

use super::call_id::is_call_id;
use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;
use crate::text;

/// A dialog as the receiver knows it: `to-tag` is the receiver's own tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaces {
    /// The call.
    pub call_id: Box<str>,
    /// The receiver's tag.
    pub to_tag: Box<str>,
    /// The other side's tag.
    pub from_tag: Box<str>,
    /// Only while the dialog is early?
    pub early_only: bool,
}

impl Header for Replaces {
    const NAME: HeaderName = HeaderName::Replaces;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let (call_id, _) = value.split_once(';').ok_or(HeaderFault::Syntax)?;
        let params = Params::parse(&value[call_id.len()..])?;
        let call_id = text::trim(call_id);
        let tag = |name| params.value(name).filter(|tag| !tag.is_empty());
        match (tag("to-tag"), tag("from-tag")) {
            (Some(to), Some(from)) if is_call_id(call_id) => Ok(Self {
                call_id: call_id.into(),
                to_tag: to.into(),
                from_tag: from.into(),
                early_only: params.has("early-only"),
            }),
            _ => Err(HeaderFault::Parameter),
        }
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        f.write_str(if self.early_only { ";early-only" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_read() {
        let text = "425928@bobster.example.org;to-tag=7743;from-tag=6472;early-only";
        let replaces = Replaces::parse(text).unwrap();
        assert!(replaces.early_only);
        assert_eq!(replaces.to_string(), text);
    }

    #[test]
    fn both_tags_are_needed() {
        assert!(Replaces::parse("1@2;to-tag=3").is_err());
        assert!(Replaces::parse("1@2").is_err());
        assert!(Replaces::parse(";to-tag=1;from-tag=2").is_err());
    }
}
