//! `Contact`: where a party can be reached.

use core::fmt;
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName, NameAddr, expires};
use crate::text;

/// One contact: `*`, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Contact {
    /// `*`: all bindings, in a REGISTER that takes them away.
    All,
    /// An address.
    Address(ContactAddress),
}

/// The address of a contact, with parameters that are kept even when they are not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactAddress(pub NameAddr);

impl Contact {
    /// A contact with this address.
    #[must_use]
    pub fn new(address: NameAddr) -> Self {
        Self::Address(ContactAddress(address))
    }

    /// The address, unless it is `*`.
    #[must_use]
    pub fn address(&self) -> Option<&ContactAddress> {
        match self {
            Self::All => None,
            Self::Address(address) => Some(address),
        }
    }

    /// The address, unless it is `*`.
    #[must_use]
    pub fn into_address(self) -> Option<ContactAddress> {
        match self {
            Self::All => None,
            Self::Address(address) => Some(address),
        }
    }
}

impl ContactAddress {
    /// The `expires` parameter, in seconds.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        expires::seconds(self.params.value("expires")?).ok()
    }

    /// The preference in thousandths, 1000 when none is given.
    #[must_use]
    pub fn q(&self) -> u16 {
        self.params.value("q").and_then(|value| thousandths(value).ok()).unwrap_or(1000)
    }

    /// The device's own lasting name (RFC 5626), without quotes and angle brackets.
    #[must_use]
    pub fn instance(&self) -> Option<Cow<'_, str>> {
        Some(match self.params.text("+sip.instance")? {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(['<', '>'])),
            Cow::Owned(text) => Cow::Owned(text.trim_matches(['<', '>']).to_owned()),
        })
    }

    /// The name under which a Cisco enterprise phone registers, such as `SEP001122334455`.
    #[must_use]
    pub fn device_name(&self) -> Option<Cow<'_, str>> {
        self.params.text("+u.sip!devicename.ccm.cisco.com")
    }

    /// The model number a Cisco enterprise phone gives.
    #[must_use]
    pub fn model_number(&self) -> Option<Cow<'_, str>> {
        self.params.text("+u.sip!model.ccm.cisco.com")
    }

    /// The number of a flow of that device (RFC 5626).
    #[must_use]
    pub fn flow_number(&self) -> Option<u32> {
        text::number(self.params.value("reg-id")?).ok()
    }
}

impl Header for Contact {
    const NAME: HeaderName = HeaderName::Contact;
    const LIST: bool = true;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        if text::trim(value) == "*" {
            return Ok(Self::All);
        }
        let address = NameAddr::parse(value)?;
        if let Some(q) = address.params.value("q") {
            thousandths(q)?;
        }
        Ok(Self::Address(ContactAddress(address)))
    }
}

impl core::ops::Deref for ContactAddress {
    type Target = NameAddr;

    fn deref(&self) -> &NameAddr {
        &self.0
    }
}

impl core::ops::DerefMut for ContactAddress {
    fn deref_mut(&mut self) -> &mut NameAddr {
        &mut self.0
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for ContactAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `qvalue`: 0 to 1 with up to three decimals.
pub(super) fn thousandths(value: &str) -> Result<u16, HeaderFault> {
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    let whole: u16 = if whole.is_empty() { 0 } else { text::number(whole)? };
    if part.len() > 3 || whole > 1 || value.is_empty() || value == "." {
        return Err(HeaderFault::Number);
    }
    let part: u16 = if part.is_empty() { 0 } else { text::number(&format!("{part:0<3}"))? };
    if whole * 1000 + part > 1000 { Err(HeaderFault::Number) } else { Ok(whole * 1000 + part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ContactAddress {
        Contact::parse(text).unwrap().address().unwrap().clone()
    }

    #[test]
    fn a_cisco_phone_says_who_it_is() {
        let text = "<sip:5b2c@10.1.1.5:51234;transport=tcp>;\
            +sip.instance=\"<urn:uuid:00000000-0000-0000-0000-001122334455>\";\
            +u.sip!devicename.ccm.cisco.com=\"SEP001122334455\";+u.sip!model.ccm.cisco.com=\"622\"";
        let contact = address(text);
        assert_eq!(contact.instance().unwrap(), "urn:uuid:00000000-0000-0000-0000-001122334455");
        assert_eq!(contact.device_name().unwrap(), "SEP001122334455");
        assert_eq!(contact.model_number().unwrap(), "622");
        assert_eq!(contact.to_string(), text);
    }

    #[test]
    fn expiry_preference_and_star() {
        assert_eq!(Contact::parse(" * "), Ok(Contact::All));
        let contact = address("\"A\" <sip:a@b>;q=0.7;expires=280297596632815");
        assert_eq!((contact.q(), contact.expires()), (700, Some(u32::MAX)));
        assert_eq!(address("sip:a@b;q=1.000").q(), 1000);
        assert_eq!(address("sip:a@b").q(), 1000);
    }

    #[test]
    fn broken_contacts_are_refused() {
        for bad in [
            "",
            "**",
            "sip:a@b;q=2",
            "sip:a@b;q=0.1234",
            "sip:a@b;q=.",
            "<sip:a@b>;q=x",
            "* ;expires=0",
        ] {
            assert!(Contact::parse(bad).is_err(), "{bad}");
        }
    }
}
