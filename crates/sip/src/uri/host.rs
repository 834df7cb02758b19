//! Hosts: names and addresses, with or without a port.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::header::HeaderFault;
use crate::{class, text};

/// A host as SIP writes it. Names compare without case.
#[derive(Clone, Debug, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Host {
    /// A domain name.
    Name(Box<str>),
    /// An address; IPv6 is printed in brackets.
    Address(IpAddr),
}

impl Host {
    /// Reads a host without a port.
    pub fn parse(text: &str) -> Result<Self, HeaderFault> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(HeaderFault::Host)?;
            return inner.parse::<Ipv6Addr>().map(Self::from).map_err(|_| HeaderFault::Host);
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            if let Some(address) = ipv4(text.as_bytes()) {
                return Ok(Self::from(address));
            }
            let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
            if last.bytes().all(|b| b.is_ascii_digit()) {
                return Err(HeaderFault::Host);
            }
        }
        if is_name(text) { Ok(Self::Name(text.into())) } else { Err(HeaderFault::Host) }
    }

    /// The address, if it is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Name(_) => None,
        }
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(two)) => one.eq_ignore_ascii_case(two),
            (Self::Address(one), Self::Address(two)) => one == two,
            _ => false,
        }
    }
}

impl core::hash::Hash for Host {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        match self {
            Self::Name(name) => name.bytes().for_each(|b| state.write_u8(b.to_ascii_lowercase())),
            Self::Address(address) => address.hash(state),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

impl From<Ipv4Addr> for Host {
    fn from(address: Ipv4Addr) -> Self {
        Self::Address(address.into())
    }
}

impl From<Ipv6Addr> for Host {
    fn from(address: Ipv6Addr) -> Self {
        Self::Address(address.into())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => f.write_str(Digits::of(*address).text()),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// A host and, if it was given, a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostPort {
    /// The host.
    pub host: Host,
    /// The port, if one was given.
    pub port: Option<u16>,
}

impl HostPort {
    /// Reads `host` or `host:port`; white space around the colon is allowed, as in Via.
    pub fn parse(text: &str) -> Result<Self, HeaderFault> {
        let find = |wanted| text.bytes().position(|byte| byte == wanted);
        let bracket = if text.starts_with('[') { find(b']') } else { None };
        let end_of_host = match bracket {
            Some(bracket) => bracket + 1,
            None => find(b':').unwrap_or(text.len()),
        };
        let host = Host::parse(text::trim(&text[..end_of_host]))?;
        let rest = text::trim(&text[end_of_host..]);
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(text::number(text::trim(port)).map_err(|_| HeaderFault::Host)?),
            None if rest.is_empty() => None,
            None => return Err(HeaderFault::Host),
        };
        Ok(Self { host, port })
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().into(), port: Some(address.port()) }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(port) = self.port else { return self.host.fmt(f) };
        let mut digits = match self.host {
            Host::Address(IpAddr::V4(address)) => Digits::of(address),
            _ => {
                self.host.fmt(f)?;
                Digits::default()
            }
        };
        digits.push(b':');
        digits.number(port);
        f.write_str(digits.text())
    }
}

/// Numbers between dots and colons, up to `255.255.255.255:65535`. Every message has many of them, so
/// they are printed here and not by the general formatting of the standard library.
#[derive(Default)]
struct Digits {
    octets: [u8; 21],
    length: usize,
}

impl Digits {
    fn of(address: Ipv4Addr) -> Self {
        let mut digits = Self::default();
        for (place, octet) in address.octets().into_iter().enumerate() {
            if place > 0 {
                digits.push(b'.');
            }
            digits.number(octet.into());
        }
        digits
    }

    fn number(&mut self, number: u16) {
        let digit = |weight| b"0123456789"[usize::from(number / weight % 10)];
        for weight in [10_000, 1_000, 100, 10] {
            if number >= weight {
                self.push(digit(weight));
            }
        }
        self.push(digit(1));
    }

    fn push(&mut self, octet: u8) {
        self.octets[self.length] = octet;
        self.length += 1;
    }

    fn text(&self) -> &str {
        core::str::from_utf8(&self.octets[..self.length]).unwrap_or_default()
    }
}

/// Four numbers up to 255 without needless zeros. Every message has several, so this is done here
/// and not by the general parser of the standard library.
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut octets, mut place, mut digits) = ([0_u8; 4], 0, 0);
    for byte in text {
        match byte {
            b'.' if digits > 0 && place < 3 => (place, digits) = (place + 1, 0),
            b'0'..=b'9' if digits == 0 || octets[place] > 0 => {
                octets[place] = octets[place].checked_mul(10)?.checked_add(byte - b'0')?;
                digits += 1;
            }
            _ => return None,
        }
    }
    (place == 3 && digits > 0).then(|| octets.into())
}

fn is_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && text::all(label, class::LABEL)
    };
    name.len() <= 255 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_print_as_they_are_read() {
        for text in ["example.com", "192.0.2.1", "[2001:db8::1]", "a_b.local", "x.", "1and1.de"] {
            assert_eq!(Host::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "0.0.0.0",
            "0.0.0.0:0",
            "9.10.99.100:9",
            "255.255.255.255:65535",
            "10.20.30.40:10000",
            "[::1]:5060",
            "example.com:101",
            "1.2.3.4:1010",
        ] {
            assert_eq!(HostPort::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(HostPort::parse("[::1]:5060").unwrap().port, Some(5060));
        assert_eq!(HostPort::parse("h : 5060").unwrap().to_string(), "h:5060");
    }

    #[test]
    fn broken_hosts_are_refused() {
        for text in ["", "a b", "[::1", "::1", "1.2.3", "1.2.3.256", "a..b", "-a", "[x]", "a@b"] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
        for text in ["a:", "a:x", "a:65536", "2001:db8::1", "[::1]5060", ":5060", "a:-1"] {
            assert!(HostPort::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_are_read_as_the_standard_library_reads_them() {
        let texts = ["0.0.0.0", "255.255.255.255", "1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4.5"];
        let broken =
            ["256.1.1.1", "1..2.3", "1.2.3.4.", ".1.2.3", "1.2.3.a", "0001.2.3.4", "", "+1.2.3.4"];
        for text in texts.into_iter().chain(broken) {
            assert_eq!(ipv4(text.as_bytes()), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn names_compare_without_case() {
        assert_eq!(Host::parse("EXAMPLE.com"), Host::parse("example.COM"));
    }
}
