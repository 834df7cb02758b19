//! A client that follows the RFCs fetches files, in virtual time over a network that loses, doubles
//! and delays; and over loopback.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::server::{Server, Way};
use super::*;

#[path = "../../../../fuzz/src/replay.rs"]
#[allow(dead_code, reason = "other tests need all of it")]
mod replay;
#[path = "../../../../fuzz/src/tftp_door.rs"]
#[allow(unreachable_pub, reason = "it is part of another crate")]
mod target;

#[test]
fn no_datagram_breaks_the_door() {
    replay::replay("tftp", target::tftp, 3000);
}

/// Files named by their size.
struct Sized;

impl FileSource for Sized {
    fn fetch(&self, name: &str, _: IpAddr) -> Result<Vec<u8>, FileFault> {
        match name.parse::<usize>() {
            Ok(size) => Ok(bytes(size)),
            Err(_) if name.contains("..") => Err(FileFault::Refused),
            Err(_) => Err(FileFault::NotFound),
        }
    }
}

/// The door as clients find it: they ask at the known port and answer whichever socket answered them.
struct Door {
    server: Server<'static>,
    answered: BTreeMap<SocketAddr, usize>,
}

type Sent<'s> = &'s mut dyn FnMut(&[u8], SocketAddr);

impl Door {
    fn new(limits: Limits) -> Self {
        Self { server: Server::new(&Sized, limits), answered: BTreeMap::new() }
    }

    fn handle(&mut self, packet: &[u8], client: SocketAddr, now: Duration, out: Sent<'_>) {
        let socket = self.answered.get(&client).copied().unwrap_or_default();
        let mut send = |packet: &[u8], way: Way| {
            self.answered.insert(way.client, way.socket);
            out(packet, way.client);
        };
        match packet {
            [0, 4 | 5, ..] => {
                self.server.answered(packet, Way { client, socket }, now, &mut send);
            }
            _ => self.server.asked(packet, client, now, &mut send),
        }
    }

    fn tick(&mut self, now: Duration, out: Sent<'_>) {
        self.server.tick(now, &mut |packet, way| out(packet, way.client));
    }
}

impl Deref for Door {
    type Target = Server<'static>;

    fn deref(&self) -> &Self::Target {
        &self.server
    }
}

fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

fn request(name: &str, mode: &str, options: &[(&str, &str)]) -> Vec<u8> {
    let mut packet = vec![0, 1];
    for text in
        [name, mode].into_iter().chain(options.iter().flat_map(|(name, value)| [*name, *value]))
    {
        packet.extend_from_slice(text.as_bytes());
        packet.push(0);
    }
    packet
}

/// The client's side of RFC 1350: acknowledges what it has, ends after a short block.
struct Client {
    request: Vec<u8>,
    block_size: usize,
    window: u64,
    /// Blocks since the last acknowledgement.
    unacknowledged: u64,
    have: u64,
    file: Vec<u8>,
    agreed: Vec<String>,
    done: bool,
    error: Option<u8>,
    due: Duration,
    last: Vec<u8>,
}

impl Client {
    fn new(name: &str, options: &[(&str, &str)]) -> Self {
        Self::in_mode("octet", name, options)
    }

    fn in_mode(mode: &str, name: &str, options: &[(&str, &str)]) -> Self {
        let packet = request(name, mode, options);
        Self {
            last: packet.clone(),
            request: packet,
            block_size: 512,
            window: 1,
            unacknowledged: 0,
            have: 0,
            file: Vec::new(),
            agreed: Vec::new(),
            done: false,
            error: None,
            due: Duration::ZERO,
        }
    }

    fn acknowledge(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.unacknowledged = 0;
        self.due = now + Duration::from_millis(3500);
        self.last = [&[0, 4][..], &(self.have as u16).to_be_bytes()].concat();
        Some(self.last.clone())
    }

    fn receive(&mut self, packet: &[u8], now: Duration) -> Option<Vec<u8>> {
        match packet {
            [0, 6, options @ ..] if self.have == 0 => {
                self.agreed = options
                    .split(|byte| *byte == 0)
                    .map(|text| String::from_utf8(text.to_vec()).unwrap())
                    .collect();
                for pair in self.agreed.chunks(2) {
                    match &*pair[0] {
                        "blksize" => self.block_size = pair[1].parse().unwrap(),
                        "windowsize" => self.window = pair[1].parse().unwrap(),
                        _ => {}
                    }
                }
                self.acknowledge(now)
            }
            [0, 3, high, low, data @ ..] => {
                if u16::from_be_bytes([*high, *low]) != (self.have + 1) as u16 {
                    // Old or after a gap: says what it has.
                    return if self.done { None } else { self.acknowledge(now) };
                }
                self.have += 1;
                self.unacknowledged += 1;
                self.file.extend_from_slice(data);
                self.done = data.len() < self.block_size;
                (self.done || self.unacknowledged >= self.window)
                    .then(|| self.acknowledge(now))
                    .flatten()
            }
            [0, 5, _, code, ..] => {
                self.error = Some(*code);
                self.done = true;
                None
            }
            _ => None,
        }
    }

    fn tick(&mut self, now: Duration) -> Option<Vec<u8>> {
        (!self.done && now >= self.due).then(|| {
            self.due = now + Duration::from_millis(3500);
            if self.have == 0 && self.agreed.is_empty() {
                self.request.clone()
            } else {
                self.last.clone()
            }
        })
    }
}

/// A network with its faults, from a seed.
struct Network {
    seed: u64,
    loss: u64,
    doubles: u64,
}

impl Network {
    fn chance(&mut self, of_hundred: u64) -> bool {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.seed >> 33) % 100 < of_hundred
    }

    /// How often a packet arrives.
    fn copies(&mut self) -> usize {
        if self.chance(self.loss) { 0 } else { 1 + usize::from(self.chance(self.doubles)) }
    }
}

/// Lets clients fetch in virtual time; returns how many datagrams the server sent.
fn fetch_all(clients: &mut [Client], network: &mut Network, limits: Limits) -> usize {
    let mut server = Door::new(limits);
    let address = |index: usize| {
        SocketAddr::from(([192, 0, 2, 1 + (index / 60_000) as u8], 1024 + (index % 60_000) as u16))
    };
    let (mut sent, mut now) = (0, Duration::ZERO);
    let mut wire: VecDeque<(bool, usize, Vec<u8>)> = VecDeque::new();
    for _ in 0..60_000 {
        for (index, client) in clients.iter_mut().enumerate() {
            wire.extend(client.tick(now).map(|packet| (true, index, packet)));
        }
        let mut out = Vec::new();
        server.tick(now, &mut |packet, to| out.push((packet.to_vec(), to)));
        loop {
            for (packet, to) in out.drain(..) {
                sent += 1;
                let index = (usize::from(match to.ip() {
                    IpAddr::V4(ip) => ip.octets()[3],
                    IpAddr::V6(_) => 1,
                }) - 1)
                    * 60_000
                    + usize::from(to.port() - 1024);
                for _ in 0..network.copies() {
                    wire.push_back((false, index, packet.clone()));
                }
            }
            let Some((to_server, index, packet)) = wire.pop_front() else { break };
            if to_server {
                for _ in 0..network.copies() {
                    server.handle(&packet, address(index), now, &mut |packet, to| {
                        out.push((packet.to_vec(), to));
                    });
                }
            } else if let Some(answer) = clients[index].receive(&packet, now) {
                wire.push_back((true, index, answer));
            }
        }
        if clients.iter().all(|client| client.done) && server.running() == 0 {
            return sent;
        }
        now += Duration::from_millis(100);
    }
    panic!("{} clients are not done", clients.iter().filter(|client| !client.done).count());
}

fn quiet() -> Network {
    Network { seed: 1, loss: 0, doubles: 0 }
}

fn fetch_one(name: &str, options: &[(&str, &str)], network: &mut Network) -> (Client, usize) {
    let mut clients = [Client::new(name, options)];
    let sent = fetch_all(&mut clients, network, Limits::default());
    let [client] = clients;
    (client, sent)
}

#[test]
fn files_of_every_length_arrive() {
    for size in [0, 1, 511, 512, 513, 1024, 11_000, 600_000] {
        let (client, sent) = fetch_one(&size.to_string(), &[], &mut quiet());
        assert!(client.file == bytes(size), "{size}");
        assert_eq!(sent, size / 512 + 1, "{size}");
    }
}

#[test]
fn block_numbers_wrap() {
    let (client, _) = fetch_one("600001", &[("blksize", "8")], &mut quiet());
    assert!(client.file == bytes(600_001));
}

#[test]
fn options_are_agreed_on() {
    let options = [("blksize", "1400"), ("tsize", "0"), ("timeout", "3"), ("unknown", "1")];
    let (client, sent) = fetch_one("11000", &options, &mut quiet());
    assert_eq!(client.agreed[..6], ["blksize", "1400", "timeout", "3", "tsize", "11000"]);
    assert!(client.file == bytes(11_000));
    assert_eq!(sent, 1 + 8);
    let (client, _) = fetch_one("11000", &[("blksize", "65464")], &mut quiet());
    assert_eq!(client.agreed[1], "1428", "no datagram is cut in pieces");
    let (client, _) = fetch_one("11000", &[("blksize", "7"), ("timeout", "0")], &mut quiet());
    assert!(client.agreed.is_empty() && client.file == bytes(11_000));
}

#[test]
fn a_window_of_blocks_needs_fewer_acknowledgements() {
    for (size, seed) in [(11_000, 1), (512 * 8, 2), (100_000, 3)] {
        let mut network = Network { seed, loss: 5, doubles: 5 };
        let (client, _) = fetch_one(&size.to_string(), &[("windowsize", "4")], &mut network);
        assert!(client.file == bytes(size), "{size}");
    }
}

#[test]
fn files_arrive_over_a_bad_network() {
    for seed in 1..40 {
        let mut network = Network { seed, loss: 20, doubles: 20 };
        let (client, _) = fetch_one("11000", &[("blksize", "1024")], &mut network);
        // Whoever loses six packets in a row starts anew, with whole files or none.
        if client.error.is_none() {
            assert!(client.file == bytes(11_000), "seed {seed}");
        }
    }
}

#[test]
fn a_doubled_packet_breeds_no_others() {
    let mut doubling = Network { seed: 1, loss: 0, doubles: 100 };
    let (client, sent) = fetch_one("51200", &[], &mut doubling);
    assert!(client.file == bytes(51_200));
    // The first block goes again when the client asks again; it came with the request's double.
    assert_eq!(sent, 102, "every other block once, however often it is acknowledged");
}

#[test]
fn what_is_not_there_is_said_at_once() {
    let (client, sent) = fetch_one("CTLSEP001122334401.tlv", &[("tsize", "0")], &mut quiet());
    assert_eq!((client.error, sent), (Some(1), 1));
    let (client, _) = fetch_one("../../etc/passwd", &[], &mut quiet());
    assert_eq!(client.error, Some(2));
}

fn answer_to(packet: &[u8]) -> Vec<Vec<u8>> {
    let mut server = Door::new(Limits::default());
    let mut out = Vec::new();
    let from = SocketAddr::from(([192, 0, 2, 1], 1024));
    server.handle(packet, from, Duration::ZERO, &mut |packet, _| out.push(packet.to_vec()));
    out
}

/// The mode in which the usual `tftp` command asks.
#[test]
fn a_file_in_netascii_arrives_whole_once_its_ends_of_lines_are_read() {
    for (mode, options) in
        [("netascii", &[][..]), ("NETASCII", &[("tsize", "0"), ("blksize", "1428")])]
    {
        let mut clients = [Client::in_mode(mode, "20480", options)];
        let mut network = Network { seed: 5, loss: 10, doubles: 10 };
        fetch_all(&mut clients, &mut network, Limits::default());
        let [client] = clients;
        let (mut read, mut rest) = (Vec::new(), &*client.file);
        while let Some((byte, after)) = rest.split_first() {
            let ends = matches!((byte, after.first()), (b'\r', Some(b'\n' | 0)));
            read.push(if ends && after[0] == b'\n' { b'\n' } else { *byte });
            rest = if ends { &after[1..] } else { after };
            assert!(ends || !matches!(byte, b'\r' | b'\n'), "an end of a line of its own");
        }
        assert!(read == bytes(20480), "{mode}");
        let told = client.agreed.iter().position(|option| option == "tsize");
        let size = told.map(|at| client.agreed[at + 1].parse().unwrap());
        assert!(
            size.is_none_or(|size: usize| size == client.file.len()),
            "as it goes over the wire"
        );
    }
}

#[test]
fn writing_and_other_modes_are_refused_and_noise_is_not_answered() {
    let code = |packet: &[u8]| answer_to(packet).first().map(|answer| (answer[1], answer[3]));
    assert_eq!(code(b"\0\x02file\0octet\0"), Some((5, 2)));
    assert_eq!(code(&request("100", "mail", &[])), Some((5, 0)));
    assert_eq!(code(&request("100", "", &[])), Some((5, 0)));
    assert_eq!(code(b"\0\x01"), Some((5, 4)));
    for noise in [
        &b""[..],
        b"\0",
        b"\0\x04",
        b"\0\x04\0\x01",
        b"\0\x05\0\0x\0",
        b"\0\x03\0\x01x",
        b"\xff\xff",
    ] {
        assert_eq!(code(noise), None, "{noise:?}");
    }
}

#[test]
fn a_silent_client_is_given_up_and_forgotten() {
    let mut server = Door::new(Limits::default());
    let (mut sent, from) = (0, SocketAddr::from(([192, 0, 2, 1], 1024)));
    server.handle(&request("11000", "octet", &[]), from, Duration::ZERO, &mut |_, _| sent += 1);
    for seconds in 1..60 {
        server.tick(Duration::from_secs(seconds), &mut |_, _| sent += 1);
    }
    assert_eq!((sent, server.running(), server.next_due()), (1, 0, None));
}

#[test]
fn a_request_with_a_forged_sender_sends_it_no_more_than_a_block_for_each() {
    let (mut server, mut sent) = (Door::new(Limits::default()), 0);
    let victim = SocketAddr::from(([192, 0, 2, 1], 1024));
    for seconds in 0..60 {
        let now = Duration::from_secs(seconds);
        if seconds % 3 == 0 {
            let asked = request("11000", "octet", &[]);
            server.handle(&asked, victim, now, &mut |packet, _| sent += packet.len());
        }
        server.tick(now, &mut |packet, _| sent += packet.len());
    }
    assert!(sent <= 20 * 516, "{sent} octets for 20 requests");
}

#[test]
fn options_are_answered_a_few_times_until_the_client_acknowledges_them() {
    let (mut server, mut sent) = (Door::new(Limits::default()), Vec::new());
    let client = SocketAddr::from(([192, 0, 2, 1], 1024));
    let asked = request("11000", "octet", &[("blksize", "1428"), ("windowsize", "16")]);
    server.handle(&asked, client, Duration::ZERO, &mut |packet, _| sent.push(packet.len()));
    for seconds in 1..60 {
        server.tick(Duration::from_secs(seconds), &mut |packet, _| sent.push(packet.len()));
    }
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|length| *length <= asked.len()), "{sent:?}");
}

/// RFC 1350 section 4: the port of a transfer is known to its client alone. Nobody sees the answers to
/// a request in whose name he forged it.
#[test]
fn an_acknowledgement_that_is_guessed_sends_its_supposed_sender_nothing() {
    let client = SocketAddr::from(([192, 0, 2, 1], 1024));
    let asked = request("11000", "octet", &[("blksize", "1428"), ("windowsize", "16")]);
    for right_at_last in [true, false] {
        let mut server = Server::new(&Sized, Limits::default());
        let mut right = None;
        server.asked(&asked, client, Duration::ZERO, &mut |_, way| right = Some(way));
        let right = right.unwrap();
        let mut blocks = 0;
        let mut send = |packet: &[u8], _: Way| blocks += usize::from(packet[1] == 3);
        let wrong = (0..64).filter(|socket| *socket != right.socket);
        for socket in wrong.take(if right_at_last { 4 } else { 5 }) {
            let guess = Way { client, socket };
            server.answered(b"\0\x04\0\0", guess, Duration::ZERO, &mut send);
            server.answered(b"\0\x01x\0octet\0", guess, Duration::ZERO, &mut send);
        }
        server.answered(b"\0\x04\0\0", right, Duration::ZERO, &mut send);
        // A client's own may stray a few times; after more the transfer is over.
        assert_eq!((blocks, server.running()), if right_at_last { (4, 1) } else { (0, 0) });
    }
}

/// A client that has answered is there: whoever writes its address into datagrams stops nothing.
#[test]
fn a_client_that_has_answered_gets_its_file_whatever_comes_in_its_name() {
    let client = SocketAddr::from(([192, 0, 2, 1], 1024));
    let mut server = Server::new(&Sized, Limits::default());
    let (mut right, mut blocks) = (0, 0);
    let asked = request("11000", "octet", &[]);
    server.asked(&asked, client, Duration::ZERO, &mut |_, way| right = way.socket);
    let way = Way { client, socket: right };
    for block in 1..=22_u8 {
        let mut send = |_: &[u8], _| blocks += 1;
        server.answered(&[0, 4, 0, block], way, Duration::ZERO, &mut send);
        for other in (0..64).filter(|other| *other != right) {
            let forged = Way { client, socket: other };
            server.answered(&[0, 4, 0, block], forged, Duration::ZERO, &mut send);
            server.answered(&[0, 4, 255, 255], forged, Duration::ZERO, &mut send);
        }
        // Nor does a number that no block has.
        server.answered(&[0, 4, 255, 255], way, Duration::ZERO, &mut send);
    }
    assert_eq!((blocks, server.running()), (21, 0), "22 blocks, the first one when it asked");
}

#[test]
fn an_error_that_is_guessed_ends_nothing() {
    let client = SocketAddr::from(([192, 0, 2, 1], 1024));
    let mut server = Server::new(&Sized, Limits::default());
    let mut right = 0;
    let asked = request("11000", "octet", &[]);
    server.asked(&asked, client, Duration::ZERO, &mut |_, way| right = way.socket);
    let wrong = Way { client, socket: (right + 1) % 64 };
    server.answered(b"\0\x05\0\0x\0", wrong, Duration::ZERO, &mut |_, _| {});
    assert_eq!(server.running(), 1);
}

#[test]
fn transfers_are_answered_from_many_ports() {
    let mut server = Server::new(&Sized, Limits::default());
    let mut used = BTreeSet::new();
    for port in 1024..2024 {
        let client = SocketAddr::from(([192, 0, 2, (port % 200) as u8], port));
        let asked = request("1", "octet", &[]);
        server.asked(&asked, client, Duration::ZERO, &mut |_, way| {
            used.insert(way.socket);
        });
    }
    assert_eq!(used.len(), 64);
}

#[test]
fn requests_without_acknowledgement_leave_room_for_those_who_answer() {
    let transfers = share::Limits { total: 100, share: 50, proved_share: 50, reserve: 0 };
    let limits = Limits { transfers, ..Limits::default() };
    let mut server = Door::new(limits);
    let mut out = Vec::new();
    let phone = SocketAddr::from(([198, 51, 100, 1], 1024));
    server.handle(&request("51200", "octet", &[]), phone, Duration::ZERO, &mut |packet, to| {
        out.push((packet.to_vec(), to));
    });
    server.handle(b"\0\x04\0\x01", phone, Duration::ZERO, &mut |packet, to| {
        out.push((packet.to_vec(), to));
    });
    for flood in 0..5_000_u32 {
        let from = SocketAddr::from(((0x0a00_0000 + flood).to_be_bytes(), 1024));
        server.handle(&request("51200", "octet", &[]), from, Duration::ZERO, &mut |_, _| {});
        assert!(server.running() <= 100);
    }
    out.clear();
    server.handle(b"\0\x04\0\x02", phone, Duration::ZERO, &mut |packet, to| {
        out.push((packet.to_vec(), to));
    });
    assert_eq!(out[0].0[..4], [0, 3, 0, 3], "the phone's transfer goes on");
}

#[test]
fn one_address_takes_no_more_than_its_share() {
    for hosts in [["192.0.2.1", "192.0.2.1"], ["2001:db8::1", "2001:db8::2:2"]] {
        let mut server = Door::new(share_of(10));
        for port in 0..100 {
            for host in hosts {
                let from = SocketAddr::new(host.parse().unwrap(), 1024 + port);
                server.handle(&request("100", "octet", &[]), from, Duration::ZERO, &mut |_, _| {});
            }
        }
        assert_eq!(server.running(), 10);
        let [transfers, _] = server.figures();
        let asked_in_vain = if hosts[0] == hosts[1] { 180 } else { 190 };
        assert_eq!((transfers.evicted, transfers.refused), (0, asked_in_vain));
    }
}

fn share_of(share: u64) -> Limits {
    let transfers = share::Limits { share, ..Limits::default().transfers };
    Limits { transfers, ..Limits::default() }
}

#[test]
fn five_thousand_phones_boot_at_once() {
    let mut clients = (0..5_000).map(|_| Client::new("11000", &[])).collect::<Vec<_>>();
    fetch_all(&mut clients, &mut quiet(), share_of(500));
    assert!(clients.iter().all(|client| client.file == bytes(11_000)));
}

/// More phones at once than there are sockets to answer them from: so many and no more are used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn phones_fetch_over_loopback() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let serving =
        tokio::spawn(serve(socket, Arc::new(Sized), Limits::default(), Board::default(), stopped));
    let mut phones = tokio::task::JoinSet::new();
    let ports = Arc::new(Mutex::new(BTreeSet::new()));
    for _ in 0..400 {
        let ports = Arc::clone(&ports);
        phones.spawn(async move {
            let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let mut client = Client::new("11000", &[("blksize", "1024")]);
            let started = tokio::time::Instant::now();
            socket.send_to(&client.request.clone(), server).await.unwrap();
            client.due = Duration::from_secs(1);
            let mut buffer = [0; 2048];
            while !client.done {
                let wait = Duration::from_millis(200);
                let answer = match tokio::time::timeout(wait, socket.recv_from(&mut buffer)).await {
                    Ok(received) => {
                        let (length, from) = received.unwrap();
                        assert_ne!(from.port(), server.port());
                        ports.lock().unwrap().insert(from.port());
                        client
                            .receive(&buffer[..length], started.elapsed())
                            .map(|packet| (packet, from))
                    }
                    Err(_) => client.tick(started.elapsed()).map(|packet| (packet, server)),
                };
                if let Some((packet, to)) = answer {
                    socket.send_to(&packet, to).await.unwrap();
                }
                assert!(started.elapsed() < Duration::from_secs(20));
            }
            client.file == bytes(11_000)
        });
    }
    while let Some(whole) = phones.join_next().await {
        assert!(whole.unwrap());
    }
    let used = ports.lock().unwrap().len();
    assert!((129..=256).contains(&used), "{used} ports answered");
    stop.send(true).unwrap();
    serving.await.unwrap().unwrap();
}

/// Files of which one is never written to its end.
struct Broken;

impl FileSource for Broken {
    fn fetch(&self, _: &str, _: IpAddr) -> Result<Vec<u8>, FileFault> {
        panic!("ordered by a test")
    }
}

/// Whoever looks after the door opens it again; a part of the phones would have no files else.
#[tokio::test]
async fn a_door_of_which_a_part_has_ended_closes() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let (limits, board) = (Limits::default(), Board::default());
    let serving = tokio::spawn(serve(socket, Arc::new(Broken), limits, board, stopped));
    let phone = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let began = tokio::time::Instant::now();
    while !serving.is_finished() {
        let _ = phone.send_to(&request("1", "octet", &[]), server).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(10), "it stays open by halves");
    }
    assert!(serving.await.unwrap().is_err());
}
