//! Pairs of ports: RTP on an even one, RTCP on the next. They are taken in turn, so that a port
//! that was given back is not used again soon and late packets of the call before find nobody.

use core::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};
use std::io;

use jackfield_vocabulary::MediaFailure;
use mio::net::UdpSocket;
use socket2::{Domain, Protocol, Socket, Type};

#[derive(Debug)]
pub(super) struct Ports {
    bind: IpAddr,
    /// The even ports.
    range: Option<Range>,
}

#[derive(Debug)]
struct Range {
    first: u16,
    pairs: u16,
    next: u16,
}

/// The sockets of one resource.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
    pub(super) port: u16,
}

impl Ports {
    pub(super) fn new(bind: IpAddr, range: Option<RangeInclusive<u16>>, seed: u64) -> Self {
        let range = range.map(|range| {
            let first = range.start().saturating_add(range.start() % 2);
            let pairs = (range.end().saturating_add(1)).saturating_sub(first) / 2;
            Range { first, pairs, next: (seed % u64::from(pairs.max(1))) as u16 }
        });
        Self { bind, range }
    }

    /// The next pair that is free on this machine.
    pub(super) fn open(&mut self) -> Result<Pair, MediaFailure> {
        let tries = self.range.as_ref().map_or(ANY_TRIES, |range| range.pairs);
        for _ in 0..tries {
            match self.open_next() {
                Ok(Some(pair)) => return Ok(pair),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => {
                    tracing::error!(%error, media.bind = %self.bind, "no RTP socket can be opened");
                    return Err(MediaFailure::Socket);
                }
            }
        }
        Err(MediaFailure::Ports)
    }

    fn open_next(&mut self) -> io::Result<Option<Pair>> {
        let rtp = match &mut self.range {
            Some(range) => {
                let port = range.first + range.next * 2;
                range.next = (range.next + 1) % range.pairs;
                open(self.bind, port)?
            }
            None => open(self.bind, 0)?,
        };
        let port = rtp.local_addr()?.port();
        if port % 2 != 0 {
            return Ok(None);
        }
        let rtcp = open(self.bind, port + 1)?;
        Ok(Some(Pair { rtp, rtcp, port }))
    }
}

fn open(bind: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let domain = if bind.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    // Expedited forwarding, as for all telephone sound; a network may not want it.
    let marked = match bind {
        IpAddr::V4(_) => socket.set_tos_v4(EXPEDITED),
        IpAddr::V6(_) => socket.set_tclass_v6(EXPEDITED),
    };
    if let Err(error) = marked {
        tracing::debug!(%error, "RTP packets can't be marked for expedited forwarding");
    }
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(bind, port).into())?;
    Ok(UdpSocket::from_std(socket.into()))
}

/// DSCP 46 in its place in the byte.
const EXPEDITED: u32 = 46 << 2;

/// Tries for an even port with a free neighbour among all ports.
const ANY_TRIES: u16 = 200;

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn pairs_are_even_and_odd_and_taken_in_turn() {
        let free = Ports::new(HERE, None, 0).open().unwrap();
        assert_eq!(free.port % 2, 0);
        assert_eq!(free.rtcp.local_addr().unwrap().port(), free.port + 1);

        let mut ports = Ports::new(HERE, Some(free.port - 1..=free.port + 6), 1);
        let held = free.port;
        let first = ports.open().unwrap().port;
        assert!(first != held && first.is_multiple_of(2));
        assert_ne!(ports.open().unwrap().port, first);
    }

    #[test]
    fn a_range_that_is_taken_or_empty_has_no_ports() {
        let held = Ports::new(HERE, None, 0).open().unwrap();
        let mut ports = Ports::new(HERE, Some(held.port..=held.port + 1), 7);
        assert_eq!(ports.open().unwrap_err(), MediaFailure::Ports);
        let mut ports = Ports::new(HERE, Some(40_001..=40_001), 7);
        assert_eq!(ports.open().unwrap_err(), MediaFailure::Ports);
    }
}
