//! `Allow`: the methods a side understands.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName, family};
use crate::method::Method;

/// The methods a side understands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allow(pub Vec<Method>);

impl Allow {
    /// Is the method there?
    #[must_use]
    pub fn has(&self, method: &Method) -> bool {
        self.0.contains(method)
    }
}

impl Header for Allow {
    const NAME: HeaderName = HeaderName::Allow;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let tokens = family::tokens(value)?;
        Ok(Self(tokens.iter().filter_map(|token| Method::parse(token)).collect()))
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, method) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            method.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_in_order() {
        let allow = Allow::parse("INVITE,ACK , X-NEW").unwrap();
        assert!(allow.has(&Method::Ack) && !allow.has(&Method::Bye));
        assert_eq!(allow.to_string(), "INVITE, ACK, X-NEW");
    }
}
