//! Datagrams for the TFTP door.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jackfield_vocabulary::share;

use crate::tftp::server::{Server, Way};
use crate::tftp::{FileFault, FileSource, Limits};

/// As long as its name says.
struct Long;

impl FileSource for Long {
    fn fetch(&self, name: &str, _: IpAddr) -> Result<Vec<u8>, FileFault> {
        match name.bytes().next() {
            Some(b'.' | b'/') => Err(FileFault::Refused),
            Some(first @ b'0'..=b'z') => Ok(vec![0; usize::from(first - b'0') * 512]),
            _ => Err(FileFault::NotFound),
        }
    }
}

/// Datagrams of a few clients, each with its length and who sends it when: requests to the known port,
/// everything else to the socket that answered last, or to another. What is sent in answer stays in
/// proportion, and every transfer has an end.
pub fn tftp(data: &[u8]) {
    let transfers = share::Limits { total: 8, share: 4, proved_share: 4, reserve: 0 };
    let bytes = share::Limits { total: 256 * 1024, share: 128 * 1024, proved_share: 0, reserve: 0 };
    let limits = Limits { transfers, bytes, desks: 1, sockets: 2 };
    let mut server = Server::new(&Long, limits);
    let mut now = Duration::ZERO;
    let (mut sent, mut answered) = (0, BTreeMap::new());
    let mut rest = data;
    while let Some(([length, who], data)) = rest.split_first_chunk() {
        let (datagram, data) = data.split_at(usize::from(*length).min(data.len()));
        rest = data;
        let client = SocketAddr::from(([192, 0, 2, who % 4], 1000 + u16::from(who / 4 % 4)));
        let before = sent;
        let last = answered.get(&client).copied().unwrap_or_default();
        let way = Way { client, socket: if who / 16 % 8 == 0 { 1 - last } else { last } };
        let mut send = |packet: &[u8], to: Way| {
            assert_eq!(to.client, client, "an answer goes to whoever asked");
            assert!(packet.len() <= LARGEST);
            answered.insert(client, to.socket);
            sent += 1;
        };
        match datagram.first_chunk() {
            Some([0, 4 | 5]) => server.answered(datagram, way, now, &mut send),
            _ => server.asked(datagram, client, now, &mut send),
        }
        assert!(sent - before <= MOST_AT_ONCE, "{} packets at once", sent - before);
        now += Duration::from_millis(u64::from(*who));
        server.tick(now, &mut |_, _| ());
    }
    for _ in 0..10_000 {
        let Some(due) = server.next_due() else { return };
        server.tick(due, &mut |_, _| ());
    }
    panic!("a transfer has no end");
}

/// A window, and the answer to the options.
const MOST_AT_ONCE: usize = 5;
/// What fits in an Ethernet frame, so that nothing is sent in fragments.
const LARGEST: usize = 1432;
