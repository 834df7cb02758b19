//! `Via`: the way a request came and its answer goes back.

use core::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::{Header, HeaderFault, HeaderName};
use crate::params::Params;
use crate::text;
use crate::uri::{Host, HostPort};

/// One hop of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// The transport the request was sent over.
    pub transport: ViaTransport,
    /// Where the sender wants answers.
    pub sent_by: HostPort,
    /// Parameters, `branch`, `received` and `rport` among them.
    pub params: Params,
}

/// The transport named in a Via.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ViaTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS.
    Wss,
    /// Any other one.
    Other(Box<str>),
}

impl Via {
    /// A hop with a branch.
    #[must_use]
    pub fn new(transport: ViaTransport, sent_by: HostPort, branch: &str) -> Self {
        Self { transport, sent_by, params: Params::new().with("branch", branch) }
    }

    /// The branch, which names the transaction.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.params.value("branch")
    }

    /// Does the branch follow RFC 3261, so that it alone names the transaction?
    #[must_use]
    pub fn has_unique_branch(&self) -> bool {
        self.branch().is_some_and(|branch| {
            branch.len() > COOKIE.len()
                && branch
                    .get(..COOKIE.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(COOKIE))
        })
    }

    /// Where the request really came from, by the hop that received it.
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        let value = self.params.value("received")?;
        value.trim_matches(['[', ']']).parse().ok()
    }

    /// The port the request really came from; `Some(None)` when the sender asks for it.
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.value("rport").map(|value| text::number(value).ok())
    }

    /// Does the sender want to know its port (RFC 3581)?
    #[must_use]
    pub fn asks_for_rport(&self) -> bool {
        self.rport() == Some(None)
    }

    /// The host of a `sent-by` without white space.
    pub(crate) fn host_of(sent_by: &str) -> Option<Host> {
        HostPort::parse(sent_by).ok().map(|at| at.host)
    }

    /// Notes where the request came from (RFC 3261 section 18.2.1, RFC 3581 section 4).
    pub fn note_source(&mut self, source: SocketAddr) {
        let asks = self.params.has("rport");
        if asks {
            self.params.set("rport", Some(&source.port().to_string()));
        }
        if asks || self.sent_by.host != Host::from(source.ip()) {
            self.params.set("received", Some(&source.ip().to_string()));
        }
    }
}

impl Header for Via {
    const NAME: HeaderName = HeaderName::Via;
    const LIST: bool = true;

    fn parse(value: &str) -> Result<Self, HeaderFault> {
        let end = text::find_outside(value, b';').unwrap_or(value.len());
        let (protocol, sent_by) = split_protocol(text::trim(&value[..end]))?;
        let params = Params::parse(&value[end..])?;
        if params.has_duplicates() {
            return Err(HeaderFault::Parameter);
        }
        Ok(Self { transport: protocol, sent_by: HostPort::parse(sent_by)?, params })
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}{}", self.transport.as_str(), self.sent_by, self.params)
    }
}

impl ViaTransport {
    /// The name as it is printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
            Self::Other(name) => name,
        }
    }

    fn parse(name: &str) -> Result<Self, HeaderFault> {
        for known in [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss] {
            if known.as_str().eq_ignore_ascii_case(name) {
                return Ok(known);
            }
        }
        if text::is_token(name) { Ok(Self::Other(name.into())) } else { Err(HeaderFault::Syntax) }
    }
}

/// Takes `SIP / 2.0 / UDP` off; white space may stand around the slashes.
fn split_protocol(value: &str) -> Result<(ViaTransport, &str), HeaderFault> {
    let (name, rest) = value.split_once('/').ok_or(HeaderFault::Syntax)?;
    let (version, rest) = rest.split_once('/').ok_or(HeaderFault::Syntax)?;
    let rest = rest.trim_start_matches([' ', '\t']);
    let (transport, sent_by) = rest.split_once([' ', '\t']).ok_or(HeaderFault::Syntax)?;
    if !text::trim(name).eq_ignore_ascii_case("SIP") || text::trim(version) != "2.0" {
        return Err(HeaderFault::Syntax);
    }
    Ok((ViaTransport::parse(transport)?, text::trim(sent_by)))
}

/// How a branch begins that follows RFC 3261.
pub(crate) const COOKIE: &str = "z9hG4bK";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_read() {
        let via = Via::parse("SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK77").unwrap();
        assert_eq!(via.transport, ViaTransport::Udp);
        assert_eq!(via.sent_by.port, Some(5070));
        assert_eq!(via.branch(), Some("z9hG4bK77"));
        assert!(via.has_unique_branch() && via.asks_for_rport());
        assert_eq!(via.to_string(), "SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK77");
    }

    #[test]
    fn white_space_and_other_transports() {
        let via = Via::parse("SIP  / 2.0 /TLSX  host.example.com : 99 ; branch = x").unwrap();
        assert_eq!(via.to_string(), "SIP/2.0/TLSX host.example.com:99;branch=x");
        assert!(!via.has_unique_branch());
    }

    #[test]
    fn the_source_is_noted() {
        let source = "198.51.100.7:40000".parse().unwrap();
        let mut via = Via::parse("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport").unwrap();
        via.note_source(source);
        assert_eq!(via.received(), Some(source.ip()));
        assert_eq!(via.rport(), Some(Some(40000)));
        let mut plain = Via::parse("SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1").unwrap();
        plain.note_source(source);
        assert_eq!(plain.to_string(), "SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1");
    }

    #[test]
    fn received_may_be_ipv6_with_or_without_brackets() {
        for text in ["2001:db8::9:255", "[2001:db8::9:255]"] {
            let via = format!("SIP/2.0/UDP [2001:db8::9:1];received={text};branch=z9hG4bKas3");
            let via = Via::parse(&via).unwrap();
            assert_eq!(via.received(), Some("2001:db8::9:255".parse().unwrap()));
        }
    }

    #[test]
    fn broken_hops_are_refused() {
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0 host",
            "SIP/3.0/UDP host",
            "SIP/2.0/UDP host;;branch=x",
            "SIP/2.0/UDP host;branch=1;branch=2",
            "SIP/2.0/UDP ;branch=x",
            "HTTP/2.0/UDP host",
            "SIP/2.0/U@P host",
        ] {
            assert!(Via::parse(bad).is_err(), "{bad}");
        }
    }
}
