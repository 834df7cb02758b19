//! From where packets are accepted and whither they go.
//!
//! The rule: packets count only from the IP address that was negotiated, so that nobody else on
//! the network can put sound or keys into a call. The port may differ, because address
//! translators change it: the first other port of that address that sends valid RTP of the
//! negotiated payload types is latched to, and packets go there. From then on other ports are
//! refused; only the negotiated port itself still takes over. A new negotiation starts over.

use core::net::SocketAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Latch {
    negotiated: SocketAddr,
    latched: Option<SocketAddr>,
}

impl Latch {
    pub(super) fn new(negotiated: SocketAddr) -> Self {
        Self { negotiated: canonical(negotiated), latched: None }
    }

    /// Whether packets from there may count.
    pub(super) fn allows(&self, source: SocketAddr) -> bool {
        let source = canonical(source);
        let free = self.latched.is_none_or(|latched| latched == source);
        source.ip() == self.negotiated.ip() && (free || source == self.negotiated)
    }

    /// A valid packet came from there, which [`Latch::allows`] did allow.
    pub(super) fn confirm(&mut self, source: SocketAddr) {
        self.latched = Some(canonical(source));
    }

    /// Whither packets go; nowhere for the addresses and ports that stand for nothing.
    pub(super) fn destination(&self) -> Option<SocketAddr> {
        let to = self.latched.unwrap_or(self.negotiated);
        (to.port() != 0 && !to.ip().is_unspecified()).then_some(to)
    }

    /// The address that was negotiated.
    pub(super) fn negotiated(&self) -> SocketAddr {
        self.negotiated
    }
}

/// IPv4 inside IPv6 is IPv4.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    #[test]
    fn other_hosts_never_count() {
        let latch = Latch::new(at("192.0.2.1:4000"));
        assert!(!latch.allows(at("192.0.2.2:4000")));
        assert!(latch.allows(at("192.0.2.1:4000")) && latch.allows(at("192.0.2.1:9")));
        assert!(latch.allows(at("[::ffff:192.0.2.1]:4000")));
    }

    #[test]
    fn the_first_other_port_is_kept_until_the_negotiated_one_speaks() {
        let mut latch = Latch::new(at("192.0.2.1:4000"));
        assert_eq!(latch.destination(), Some(at("192.0.2.1:4000")));
        latch.confirm(at("192.0.2.1:61000"));
        assert_eq!(latch.destination(), Some(at("192.0.2.1:61000")));
        assert!(!latch.allows(at("192.0.2.1:61001")));
        assert!(latch.allows(at("192.0.2.1:4000")));
        latch.confirm(at("192.0.2.1:4000"));
        assert_eq!(latch.destination(), Some(at("192.0.2.1:4000")));
        assert!(!latch.allows(at("192.0.2.1:61000")));
    }

    #[test]
    fn nothing_goes_nowhere() {
        assert_eq!(Latch::new(at("0.0.0.0:4000")).destination(), None);
        assert_eq!(Latch::new(at("192.0.2.1:0")).destination(), None);
    }
}
