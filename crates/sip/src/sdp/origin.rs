//! `o=` and `c=`.

use core::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::SdpFault;

/// Who made a description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// A user name; `-` for none.
    pub user: Box<str>,
    /// The session, a number.
    pub session: Box<str>,
    /// The version of the description, a number.
    pub version: Box<str>,
    /// The maker's address; `None` for a name.
    pub address: Option<IpAddr>,
}

impl Origin {
    /// The first version of a session.
    #[must_use]
    pub fn new(session: u64, address: IpAddr) -> Self {
        // Some phones read the number into 63 bits.
        let session = (session >> 1).to_string().into();
        Self { user: "-".into(), session, version: "1".into(), address: Some(address) }
    }

    /// The next version.
    #[must_use]
    pub fn next(mut self) -> Self {
        let version = self.version.parse::<u64>().unwrap_or_default().wrapping_add(1);
        self.version = version.to_string().into();
        self
    }

    pub(super) fn parse(value: &str) -> Result<Self, SdpFault> {
        let words: Vec<&str> = value.split_ascii_whitespace().take(7).collect();
        let [user, session, version, "IN", family, address] = words[..] else {
            return Err(SdpFault::Origin);
        };
        let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(session) || !is_number(version) {
            return Err(SdpFault::Origin);
        }
        Ok(Self {
            user: user.into(),
            session: session.into(),
            version: version.into(),
            address: read_address(family, address).ok_or(SdpFault::Origin)?,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = Connection::new(self.address);
        write!(f, "{} {} {} {connection}", self.user, self.session, self.version)
    }
}

/// Where media goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The address; `None` for a name.
    pub address: Option<IpAddr>,
}

impl Connection {
    /// An address.
    #[must_use]
    pub fn new(address: Option<IpAddr>) -> Self {
        Self { address }
    }

    pub(super) fn parse(value: &str) -> Result<Self, SdpFault> {
        let words: Vec<&str> = value.split_ascii_whitespace().take(4).collect();
        let ["IN", family, address] = words[..] else { return Err(SdpFault::Connection) };
        // A multicast address may carry its time to live and a count.
        let address = address.split('/').next().unwrap_or_default();
        read_address(family, address).map(Self::new).ok_or(SdpFault::Connection)
    }

    /// Does the line name the place that holds: 0.0.0.0 or `::`, or the name that stands for it with
    /// IPv6 (RFC 3264 section 8.4, RFC 6157 section 3)?
    pub(super) fn is_nowhere(value: &str) -> bool {
        let Ok(Self { address }) = Self::parse(value) else { return false };
        let name = value.trim_end().to_ascii_lowercase();
        address.map_or(name.ends_with(".invalid"), |address| address.is_unspecified())
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V6(address)) => write!(f, "IN IP6 {address}"),
            Some(IpAddr::V4(address)) => write!(f, "IN IP4 {address}"),
            None => f.write_str("IN IP4 0.0.0.0"),
        }
    }
}

/// `Some(None)` is a name.
fn read_address(family: &str, address: &str) -> Option<Option<IpAddr>> {
    let is_name = |name: &str| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    match (family, address.parse::<IpAddr>()) {
        ("IP4", Ok(IpAddr::V4(address))) => Some(Some(address.into())),
        ("IP6", Ok(IpAddr::V6(address))) => Some(Some(address.into())),
        ("IP4" | "IP6", Err(_)) if is_name(address) => Some(None),
        _ => None,
    }
}
