//! `Call-ID`: the name of a call, or of all registrations of a phone's start.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::text;

/// The name of a call; compares with case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub Box<str>);

impl Header for CallId {
    const NAME: HeaderName = HeaderName::CallId;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let value = text::trim(value);
        if is_call_id(value) { Ok(Self(value.into())) } else { Err(HeaderFault::Syntax) }
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The grammar has a list of characters; anything visible without white space will do.
pub(crate) fn is_call_id(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_addresses() {
        for text in ["f81d4fae@foo.bar.com", "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"] {
            assert_eq!(CallId::parse(text).unwrap().to_string(), text);
        }
        assert!(CallId::parse("").is_err());
        assert!(CallId::parse("a b").is_err());
    }
}
