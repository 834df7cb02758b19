//! `Warning`: more about what went wrong.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::text;

/// A code from 300 to 399, who says it, and a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The code.
    pub code: u16,
    /// The host or name of who warns.
    pub agent: Box<str>,
    /// The text, without quotes.
    pub text: Box<str>,
}

impl Warning {
    /// A warning.
    #[must_use]
    pub fn new(code: u16, agent: &str, text: &str) -> Self {
        Self { code, agent: agent.into(), text: text.into() }
    }
}

impl Header for Warning {
    const NAME: HeaderName = HeaderName::Warning;
    const LIST: bool = true;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let mut words = text::trim(value).splitn(3, [' ', '\t']);
        let (code, agent, quoted) = (words.next(), words.next(), words.next());
        let (Some(code), Some(agent), Some(quoted)) = (code, agent, quoted) else {
            return Err(HeaderFault::Syntax);
        };
        let quoted = text::trim(quoted);
        if code.len() != 3 || agent.is_empty() || text::quoted_length(quoted) != Some(quoted.len())
        {
            return Err(HeaderFault::Syntax);
        }
        Ok(Self {
            code: text::number(code)?,
            agent: agent.into(),
            text: text::unquote(quoted).into(),
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {} {}", self.code, self.agent, text::quote(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_read() {
        let text = "307 isi.edu \"Session parameter 'foo' not understood\"";
        assert_eq!(Warning::parse(text).unwrap().to_string(), text);
        assert!(Warning::parse("1812 overture \"In Progress\"").is_err());
        assert!(Warning::parse("301 x").is_err());
        assert!(Warning::parse("301 x y").is_err());
    }
}
