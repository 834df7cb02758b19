use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jackfield_engine::Input;
use jackfield_sip::{Flow, Transport};
use jackfield_vocabulary::share::uses;
use mio::{Poll, Token, Waker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, pause, sleep, timeout};

use super::outbox::OCTETS;
use super::{KEEPALIVES, Outbox, Streams};
use crate::server::lanes::{Arrivals, Lanes, Order};

const REQUEST: &[u8] =
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n\
    From: <sip:a@b>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
    Content-Length: 0\r\n\r\n";
const ANSWER: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";

/// The connections of a node, and what they bring to its engine.
struct Door {
    streams: Streams,
    arrivals: Arrivals,
    address: SocketAddr,
    _poll: Poll,
}

impl Door {
    async fn open() -> Self {
        let poll = Poll::new().unwrap();
        let (lanes, arrivals) = Lanes::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let streams = Streams::new(lanes);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(streams.clone().accept(listener));
        Self { streams, arrivals, address, _poll: poll }
    }

    /// Somebody connects who takes little at once, and the way back.
    async fn connect(&mut self, source: [u8; 4]) -> (TcpStream, Outbox) {
        let client = self.client(source).await.unwrap();
        loop {
            // Others may end meanwhile.
            let order = self.arrivals.ordinary.recv().await.unwrap();
            if let Order::StreamOpened { outbox, .. } = order {
                return (client, outbox);
            }
        }
    }

    async fn client(&self, source: [u8; 4]) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        socket.bind((Ipv4Addr::from(source), 0).into())?;
        socket.connect(self.address).await
    }

    fn octets(&self) -> u64 {
        self.streams.figures()[1].held
    }
}

fn large() -> Arc<[u8]> {
    vec![b'x'; OCTETS / 4].into()
}

/// What strangers of one source may have waiting.
fn share() -> u64 {
    uses::SIP_STREAM_OCTETS.limits().share
}

/// Has the node closed this connection?
async fn is_closed(client: &mut TcpStream) -> bool {
    timeout(Duration::from_millis(500), client.read_to_end(&mut Vec::new())).await.is_ok()
}

/// Keep-alives cost their sender nothing; each is answered (RFC 5626 section 3.5.1).
#[tokio::test]
async fn a_connection_of_nothing_but_keep_alives_is_closed() {
    let mut door = Door::open().await;
    let (mut client, outbox) = door.connect([127, 0, 0, 1]).await;
    for _ in 0..KEEPALIVES {
        client.write_all(b"\r\n\r\n").await.unwrap();
        let answered = timeout(Duration::from_secs(10), client.read_exact(&mut [0; 2])).await;
        answered.expect("a pong comes").unwrap();
    }
    drop(outbox);
    client.write_all(b"\r\n\r\n").await.unwrap();
    assert!(is_closed(&mut client).await);
}

/// The node on one thread: who sends without end, and takes no answer, keeps nobody else from being heard.
#[tokio::test]
async fn who_sends_without_end_leaves_the_others_their_turn() {
    let mut door = Door::open().await;
    let (address, heard) = (door.address, Arc::new(AtomicBool::new(false)));
    let sending = std::thread::spawn({
        let heard = Arc::clone(&heard);
        move || {
            let refused =
                b"OPTIONS sip:a SIP/2.0\r\nbroken\r\nContent-Length: 0\r\n\r\n".repeat(400);
            let began = std::time::Instant::now();
            while began.elapsed() < Duration::from_secs(30) {
                // Once more, where it was shown out for what it did not take.
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
                while stream.write_all(&refused).is_ok()
                    && began.elapsed() < Duration::from_secs(30)
                {
                    if heard.load(Ordering::Relaxed) {
                        return true;
                    }
                }
            }
            false
        }
    });
    for _ in 0..20 {
        door.connect([127, 0, 0, 2]).await;
    }
    heard.store(true, Ordering::Relaxed);
    assert!(sending.join().unwrap(), "they were heard while it sent");
}

#[tokio::test]
async fn answers_that_nobody_takes_are_counted_by_octets() {
    let mut door = Door::open().await;
    let mut people = Vec::new();
    for _ in 0..60 {
        people.push(door.connect([127, 0, 0, 1]).await);
    }
    let (_, first) = &people[0];
    let taken = (0..10).filter(|_| first.send(large()).is_ok()).count();
    assert_eq!((taken, door.octets()), (4, OCTETS as u64));
    for (_, outbox) in &people {
        while outbox.send(large()).is_ok() {}
    }
    assert!(door.octets() <= share());
    assert!(door.octets() + OCTETS as u64 > share());
    let (_other, outbox) = door.connect([127, 0, 0, 2]).await;
    assert!(outbox.send(large()).is_ok(), "another source has its own share");
}

/// However many sources there are of which each takes its share.
#[tokio::test]
async fn octets_of_some_keep_nobody_else_out() {
    let mut door = Door::open().await;
    let mut people = Vec::new();
    for source in 1..=5 {
        for _ in 0..=share() / OCTETS as u64 {
            people.push(door.connect([127, 0, 0, source]).await);
        }
    }
    let (mut client, other) = door.connect([127, 0, 0, 9]).await;
    for (_, outbox) in &people {
        while outbox.send(large()).is_ok() {}
    }
    assert!(other.send(ANSWER.into()).is_ok());
    assert!(!is_closed(&mut client).await);
    assert!(is_closed(&mut people[0].0).await, "who has waited longest, of who holds most");
}

/// Whoever wanted to call the phone hears of it at once.
#[tokio::test]
async fn a_first_message_that_can_not_be_sent_is_told() {
    let mut door = Door::open().await;
    let remote = door.address;
    let flow = Flow {
        transport: Transport::Tcp,
        local: remote,
        remote,
        connection: None,
        certificate: None,
    };
    door.streams.clone().dial(flow, vec![b'x'; OCTETS + 1].into()).await;
    let told = timeout(Duration::from_secs(5), door.arrivals.urgent.recv()).await.unwrap();
    assert!(matches!(told, Some(Order::Input(Input::FlowClosed { .. }))));
}

#[tokio::test]
async fn a_connection_that_takes_nothing_is_closed() {
    let mut door = Door::open().await;
    let (mut client, outbox) = door.connect([127, 0, 0, 1]).await;
    client.write_all(REQUEST).await.unwrap();
    assert!(matches!(door.arrivals.ordinary.recv().await, Some(Order::Input(_))));
    pause();
    // Time goes on by itself when nothing moves any more.
    while outbox.send(large()).is_ok() || settled(&outbox).await.is_ok() {}
    let began = Instant::now();
    assert!(matches!(door.arrivals.ordinary.recv().await, Some(Order::StreamClosed { .. })));
    assert!(began.elapsed() <= Duration::from_secs(30));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(door.octets(), 0);
}

async fn settled(outbox: &Outbox) -> Result<(), super::outbox::NoRoom> {
    sleep(Duration::from_millis(10)).await;
    outbox.send(large())
}

#[tokio::test]
async fn who_sends_no_more_still_gets_its_answer() {
    let mut door = Door::open().await;
    let (mut client, outbox) = door.connect([127, 0, 0, 1]).await;
    pause();
    client.write_all(REQUEST).await.unwrap();
    client.shutdown().await.unwrap();
    assert!(matches!(door.arrivals.ordinary.recv().await, Some(Order::Input(_))));
    sleep(Duration::from_secs(5)).await;
    outbox.send(ANSWER.into()).unwrap();
    assert!(matches!(door.arrivals.ordinary.recv().await, Some(Order::StreamClosed { .. })));
    drop(outbox);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, ANSWER);
}

#[tokio::test]
async fn who_leaves_with_nothing_to_be_answered_is_gone_at_once() {
    let mut door = Door::open().await;
    let (mut client, outbox) = door.connect([127, 0, 0, 1]).await;
    client.write_all(REQUEST).await.unwrap();
    assert!(matches!(door.arrivals.ordinary.recv().await, Some(Order::Input(_))));
    outbox.send(ANSWER.into()).unwrap();
    pause();
    let began = Instant::now();
    drop(client);
    assert!(matches!(door.arrivals.ordinary.recv().await, Some(Order::StreamClosed { .. })));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn parts_of_messages_are_counted_by_source() {
    let mut door = Door::open().await;
    let head = b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nContent-Length: 65000\r\n\r\n";
    let mut people = Vec::new();
    while door.streams.figures()[1].evicted == 0 {
        let (mut client, outbox) = door.connect([127, 0, 0, 1]).await;
        client.write_all(head).await.unwrap();
        client.write_all(&[b'x'; 60_000]).await.unwrap();
        people.push((client, outbox));
        assert!(people.len() < 400, "{} octets are held", door.octets());
    }
    assert!(door.octets() <= share());
    assert!(is_closed(&mut people[0].0).await, "who has waited longest");
    assert!(!is_closed(&mut people[9].0).await);
    let (mut other, _outbox) = door.connect([127, 0, 0, 2]).await;
    other.write_all(REQUEST).await.unwrap();
    while !matches!(door.arrivals.ordinary.recv().await, Some(Order::Input(_))) {}
}
