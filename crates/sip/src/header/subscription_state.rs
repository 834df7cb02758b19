//! `Subscription-State`: how a subscription stands (RFC 6665).

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;
use crate::text;

/// The state of a subscription with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionState {
    /// The state.
    pub status: SubscriptionStatus,
    /// Parameters: `expires`, `reason`, `retry-after`.
    pub params: Params,
}

/// How a subscription stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubscriptionStatus {
    /// Granted.
    Active,
    /// Not decided yet.
    Pending,
    /// Over.
    Terminated,
    /// A state of some extension.
    Other(Box<str>),
}

impl SubscriptionState {
    /// Granted, for so many seconds.
    #[must_use]
    pub fn active(expires: u32) -> Self {
        let params = Params::new().with("expires", &expires.to_string());
        Self { status: SubscriptionStatus::Active, params }
    }

    /// Over, for this reason.
    #[must_use]
    pub fn terminated(reason: &str) -> Self {
        let params = Params::new().with("reason", reason);
        Self { status: SubscriptionStatus::Terminated, params }
    }

    /// The seconds left.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        text::number(self.params.value("expires")?).ok()
    }
}

impl Header for SubscriptionState {
    const NAME: HeaderName = HeaderName::SubscriptionState;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let end = value.find(';').unwrap_or(value.len());
        let status = match text::trim(&value[..end]) {
            word if word.eq_ignore_ascii_case("active") => SubscriptionStatus::Active,
            word if word.eq_ignore_ascii_case("pending") => SubscriptionStatus::Pending,
            word if word.eq_ignore_ascii_case("terminated") => SubscriptionStatus::Terminated,
            word if text::is_token(word) => SubscriptionStatus::Other(word.into()),
            _ => return Err(HeaderFault::Syntax),
        };
        Ok(Self { status, params: Params::parse(&value[end..])? })
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match &self.status {
            SubscriptionStatus::Active => "active",
            SubscriptionStatus::Pending => "pending",
            SubscriptionStatus::Terminated => "terminated",
            SubscriptionStatus::Other(word) => word,
        };
        write!(f, "{status}{}", self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_parameters() {
        let state = SubscriptionState::parse("Active ; expires=600").unwrap();
        assert_eq!((&state.status, state.expires()), (&SubscriptionStatus::Active, Some(600)));
        assert_eq!(SubscriptionState::active(60).to_string(), "active;expires=60");
        assert_eq!(
            SubscriptionState::terminated("timeout").to_string(),
            "terminated;reason=timeout"
        );
        assert!(SubscriptionState::parse(";x").is_err());
    }
}
