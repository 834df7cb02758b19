use core::fmt;
use core::str::FromStr;
use std::net::IpAddr;

use crate::Text;

/// A network in CIDR form, as in `10.0.0.0/8`, `2001:db8::/32` or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// The text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a network is an IP address, with '/' and a prefix length where it is not a single one")]
pub struct ParseNetworkError;

impl Network {
    /// The address is in the network. An IPv4 address mapped into IPv6 counts as what it is.
    pub fn contains(self, address: IpAddr) -> bool {
        let (own, own_bits) = bits(self.address);
        let (other, other_bits) = bits(address.to_canonical());
        let host_bits = own_bits - self.prefix;
        own_bits == other_bits
            && own.checked_shr(host_bits).unwrap_or(0) == other.checked_shr(host_bits).unwrap_or(0)
    }

    /// It holds every address of its family.
    pub fn is_everywhere(self) -> bool {
        self.prefix == 0
    }

    /// It holds more addresses than a site has: it is wider than /16 of IPv4 or /48 of IPv6.
    pub fn is_wide(self) -> bool {
        self.prefix < if self.address.is_ipv4() { 16 } else { 48 }
    }

    /// The address is in one of the networks; when there are none, it is a private one: RFC 1918,
    /// unique local, link-local or loopback.
    pub fn any_contains(networks: &[Text], address: IpAddr) -> bool {
        if networks.is_empty() {
            return is_private(address);
        }
        let mut listed = networks.iter().filter_map(|network| network.parse::<Self>().ok());
        listed.any(|network| network.contains(address))
    }
}

/// The network of this one address.
impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, prefix: bits(address).1 }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, prefix } = self;
        if *prefix == bits(*address).1 {
            write!(f, "{address}")
        } else {
            write!(f, "{address}/{prefix}")
        }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| ParseNetworkError)?;
        let most = bits(address).1;
        let prefix = match prefix {
            None => most,
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                prefix.parse().ok().filter(|prefix| *prefix <= most).ok_or(ParseNetworkError)?
            }
            Some(_) => return Err(ParseNetworkError),
        };
        Ok(Self { address, prefix })
    }
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u32::from(address).into(), 32),
        IpAddr::V6(address) => (address.into(), 128),
    }
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_what_its_prefix_says() {
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(contains("10.1.0.0/16", "10.1.255.1") && !contains("10.1.0.0/16", "10.2.0.1"));
        assert!(contains("10.1.0.0/16", "::ffff:10.1.2.3"));
        assert!(contains("0.0.0.0/0", "8.8.8.8") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("::/0", "2001:db8::1") && contains("192.0.2.7", "192.0.2.7"));
        assert!(!contains("192.0.2.7/32", "192.0.2.8"));
    }

    #[test]
    fn what_is_wider_than_a_site_is_wide() {
        let wide = |text: &str| {
            let network: Network = text.parse().unwrap();
            (network.is_wide(), network.is_everywhere())
        };
        for text in ["192.0.2.7", "10.1.0.0/16", "2001:db8::/48", "::1"] {
            assert_eq!(wide(text), (false, false), "{text}");
        }
        for text in ["10.0.0.0/15", "0.0.0.0/1", "2001:db8::/47", "::/1"] {
            assert_eq!(wide(text), (true, false), "{text}");
        }
        for text in ["0.0.0.0/0", "10.0.0.0/0", "::/0"] {
            assert_eq!(wide(text), (true, true), "{text}");
        }
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for text in ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        let mapped: IpAddr = "::ffff:192.0.2.7".parse().unwrap();
        assert_eq!(Network::from(mapped).to_string(), "192.0.2.7");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/+8", "10.0.0.0/", "office"]
        {
            assert_eq!(text.parse::<Network>(), Err(ParseNetworkError), "{text}");
        }
    }

    #[test]
    fn without_networks_private_addresses_are_meant() {
        let any = |address: &str| Network::any_contains(&[], address.parse().unwrap());
        assert!(any("192.168.1.1") && any("127.0.0.1") && any("fd00::1") && any("fe80::1"));
        assert!(!any("8.8.8.8") && !any("2001:db8::1"));
    }
}
