//! From where packets are accepted and whither they go.
//!
//! The rule: packets count only from the IP address that was negotiated, or from the one that the far
//! side's signalling comes from, so that nobody else on the network can put sound or keys into a call.
//! The port may differ, because address translators change it: the first other place that sends
//! valid RTP of the negotiated payload types is latched to, and packets go there. From then on other
//! places are refused; only the negotiated one itself still takes over. A new negotiation starts over.

use core::net::{IpAddr, SocketAddr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Latch {
    negotiated: SocketAddr,
    signalled: Option<IpAddr>,
    latched: Option<SocketAddr>,
}

impl Latch {
    pub(super) fn new(negotiated: SocketAddr, signalled: Option<IpAddr>) -> Self {
        let signalled = signalled.map(|address| address.to_canonical());
        Self { negotiated: canonical(negotiated), signalled, latched: None }
    }

    /// Whether packets from there may count.
    pub(super) fn allows(&self, source: SocketAddr) -> bool {
        let source = canonical(source);
        let free = self.latched.is_none_or(|latched| latched == source);
        self.knows(source.ip()) && (free || source == self.negotiated)
    }

    /// Nothing has come yet from where it may, and this is another host.
    pub(super) fn is_elsewhere(&self, source: SocketAddr) -> bool {
        self.latched.is_none() && !self.knows(canonical(source).ip())
    }

    fn knows(&self, host: IpAddr) -> bool {
        host == self.negotiated.ip() || self.signalled == Some(host)
    }

    /// A valid packet came from there, which [`Latch::allows`] did allow.
    pub(super) fn confirm(&mut self, source: SocketAddr) {
        self.latched = Some(canonical(source));
    }

    /// Whither packets go; nowhere for the addresses and ports that stand for nothing or for many.
    pub(super) fn destination(&self) -> Option<SocketAddr> {
        let to = self.latched.unwrap_or(self.negotiated);
        let many = match to.ip() {
            IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
            IpAddr::V6(address) => address.is_multicast(),
        };
        (to.port() != 0 && !to.ip().is_unspecified() && !many).then_some(to)
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
    fn the_host_that_signals_counts_until_the_negotiated_one_speaks() {
        let signalled = Some("203.0.113.5".parse().unwrap());
        let mut latch = Latch::new(at("10.0.0.7:4000"), signalled);
        assert!(latch.allows(at("203.0.113.5:61000")) && latch.allows(at("10.0.0.7:4000")));
        assert!(latch.is_elsewhere(at("198.51.100.1:4000")));
        assert!(!latch.is_elsewhere(at("203.0.113.5:1")));
        assert_eq!(latch.destination(), Some(at("10.0.0.7:4000")));
        latch.confirm(at("203.0.113.5:61000"));
        assert_eq!(latch.destination(), Some(at("203.0.113.5:61000")));
        assert!(!latch.allows(at("203.0.113.5:61001")) && !latch.allows(at("10.0.0.7:4001")));
        assert!(!latch.is_elsewhere(at("198.51.100.1:4000")), "the far side is heard");
        latch.confirm(at("10.0.0.7:4000"));
        assert!(!latch.allows(at("203.0.113.5:61000")), "it had its time");
    }

    #[test]
    fn other_hosts_never_count() {
        let latch = Latch::new(at("192.0.2.1:4000"), None);
        assert!(!latch.allows(at("192.0.2.2:4000")));
        assert!(latch.allows(at("192.0.2.1:4000")) && latch.allows(at("192.0.2.1:9")));
        assert!(latch.allows(at("[::ffff:192.0.2.1]:4000")));
    }

    #[test]
    fn the_first_other_port_is_kept_until_the_negotiated_one_speaks() {
        let mut latch = Latch::new(at("192.0.2.1:4000"), None);
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
        assert_eq!(Latch::new(at("0.0.0.0:4000"), None).destination(), None);
        assert_eq!(Latch::new(at("192.0.2.1:0"), None).destination(), None);
    }

    #[test]
    fn nothing_goes_to_many_at_once() {
        for many in ["224.0.1.1:4000", "239.255.0.1:4000", "255.255.255.255:4000", "[ff02::1]:4000"]
        {
            assert_eq!(Latch::new(at(many), None).destination(), None, "{many}");
        }
        let mapped = Latch::new(at("[::ffff:224.0.1.1]:4000"), None);
        assert_eq!(mapped.destination(), None);
    }
}
