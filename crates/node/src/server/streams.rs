//! SIP over TCP: one task reads a connection and cuts messages off, one writes. Everything is
//! bounded: connections, octets that wait for the end of a message, messages that wait to be
//! written, and the time a connection may stay silent.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jackfield_engine::Input;
use jackfield_sip::{Flow, ParseError, StreamEvent, StreamFault, StreamFramer, Transport};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::lanes::{Lanes, NotTaken, Order};
use super::limits::file_limit;

/// Connections at the most: every phone of a large cluster on one node. One address has half of
/// them at the most, so that it can't shut all others out.
const CONNECTIONS: usize = 70_000;
/// Descriptors left for everything else when the system allows fewer than that.
const RESERVE: usize = 1000;
/// Messages that may wait to be written on one connection.
const WRITES: usize = 256;
/// A connection whose first message, or one that has begun, is not whole by then is closed.
const WHOLE_MESSAGE: Duration = Duration::from_secs(30);
/// A connection that sends nothing at all for so long is closed; phones refresh well within.
const SILENCE: Duration = Duration::from_secs(2 * 3600);
/// A connection that takes nothing for so long is closed.
const WRITE: Duration = Duration::from_secs(30);
/// The time to open a connection to a phone.
const CONNECT: Duration = Duration::from_secs(5);
/// Octets read at once.
const CHUNK: usize = 16 * 1024;

/// Opens, accepts and counts the connections of a node.
#[derive(Clone)]
pub(crate) struct Streams {
    shared: Arc<Shared>,
}

struct Shared {
    lanes: Lanes,
    next: AtomicU64,
    open: AtomicUsize,
    refused: AtomicU64,
    most: usize,
    sources: Mutex<HashMap<IpAddr, usize>>,
}

impl Shared {
    /// A connection of an address is gone.
    fn leave(&self, address: IpAddr) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = sources.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                sources.remove(&address);
            }
        }
    }
}

impl Streams {
    pub(crate) fn new(lanes: Lanes) -> Self {
        Self {
            shared: Arc::new(Shared {
                lanes,
                next: AtomicU64::new(1),
                open: AtomicUsize::new(0),
                refused: AtomicU64::new(0),
                most: CONNECTIONS.min(file_limit().saturating_sub(RESERVE)),
                sources: Mutex::default(),
            }),
        }
    }

    /// Connections opened since the start, by either side.
    pub(crate) fn opened(&self) -> u64 {
        self.shared.next.load(Ordering::Relaxed) - 1
    }

    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Connections refused because there were too many.
    pub(crate) fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Accepts connections until the task is ended.
    pub(crate) async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, remote)) => self.admit(stream, remote),
                Err(error) => {
                    tracing::warn!(error.cause = %error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Opens a connection to a phone and sends the first message on it.
    pub(crate) async fn dial(self, flow: Flow, message: Arc<[u8]>) {
        match timeout(CONNECT, TcpStream::connect(flow.remote)).await {
            Ok(Ok(stream)) => {
                let Some(sender) = self.adopt(stream, flow.remote) else { return };
                let _ = sender.send(message).await;
            }
            _ => {
                let _ = self.shared.lanes.input(Input::FlowClosed { flow });
            }
        }
    }

    fn admit(&self, stream: TcpStream, remote: SocketAddr) {
        if self.adopt(stream, remote).is_none() {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Starts the two tasks of a connection.
    fn adopt(&self, stream: TcpStream, remote: SocketAddr) -> Option<mpsc::Sender<Arc<[u8]>>> {
        if self.open() >= self.shared.most || !self.enter(remote.ip()) {
            return None;
        }
        let adopted = self.run(stream, remote);
        if adopted.is_none() {
            self.shared.leave(remote.ip());
        }
        adopted
    }

    /// Counts a connection of an address; `false` when it has its share.
    fn enter(&self, address: IpAddr) -> bool {
        let mut sources = self.shared.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let count = sources.entry(address).or_default();
        let room = *count < self.shared.most / 2;
        *count += usize::from(room);
        room
    }

    fn run(&self, stream: TcpStream, remote: SocketAddr) -> Option<mpsc::Sender<Arc<[u8]>>> {
        let local = stream.local_addr().ok()?;
        let _ = stream.set_nodelay(true);
        let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(120));
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
        let connection = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let flow = Flow {
            transport: Transport::Tcp,
            local,
            remote,
            connection: Some(connection),
            certificate: None,
        };
        let (sender, messages) = mpsc::channel(WRITES);
        self.shared.open.fetch_add(1, Ordering::Relaxed);
        let (reader, writer) = stream.into_split();
        let shared = Arc::clone(&self.shared);
        let pongs = sender.clone();
        let opened = Order::StreamOpened { connection, sender: sender.clone() };
        tokio::spawn(async move {
            let writing = tokio::spawn(write(writer, messages));
            // By the lane of its messages, so that the way for an answer is there before them.
            if shared.lanes.stream(opened).await.is_ok() {
                read(reader, &flow, &shared.lanes, pongs).await;
            }
            writing.abort();
            shared.open.fetch_sub(1, Ordering::Relaxed);
            shared.leave(remote.ip());
            let _ = shared.lanes.stream(Order::StreamClosed { connection, flow }).await;
        });
        Some(sender)
    }
}

/// Reads until the other side, or bad bytes, end the connection.
async fn read(
    mut reader: OwnedReadHalf,
    flow: &Flow,
    lanes: &Lanes,
    pongs: mpsc::Sender<Arc<[u8]>>,
) {
    let mut framer = StreamFramer::new();
    let mut chunk = vec![0; CHUNK];
    // When the message that is under way, or the first one, must be whole: octets that drip in one
    // by one don't put it off.
    let mut deadline = Some(Instant::now() + WHOLE_MESSAGE);
    loop {
        let patience = deadline.unwrap_or_else(|| Instant::now() + SILENCE);
        let Ok(Ok(length @ 1..)) = timeout_at(patience, reader.read(&mut chunk)).await else {
            return;
        };
        if framer.push(&chunk[..length]).is_err() {
            return;
        }
        loop {
            match take(&mut framer, flow, lanes, &pongs).await {
                Ok(Taken::Nothing) => break,
                Ok(Taken::Message) => deadline = None,
                Ok(Taken::KeepAlive) => {}
                Err(NotTaken) => return,
            }
        }
        if framer.waiting() > 0 {
            deadline = deadline.or_else(|| Some(Instant::now() + WHOLE_MESSAGE));
        }
    }
}

enum Taken {
    Message,
    KeepAlive,
    Nothing,
}

/// Takes one thing off the framer; an error ends the connection.
async fn take(
    framer: &mut StreamFramer,
    flow: &Flow,
    lanes: &Lanes,
    pongs: &mpsc::Sender<Arc<[u8]>>,
) -> Result<Taken, NotTaken> {
    match framer.next_event() {
        Ok(Some(StreamEvent::Message(message))) => {
            pass(lanes, flow, message.to_bytes()).await?;
            Ok(Taken::Message)
        }
        Ok(Some(StreamEvent::Refused(error))) => {
            answer(&error, flow, pongs);
            Ok(Taken::Message)
        }
        Ok(Some(StreamEvent::Ping)) => {
            let _ = pongs.try_send(StreamFramer::PONG.into());
            Ok(Taken::KeepAlive)
        }
        Ok(Some(StreamEvent::Pong)) => Ok(Taken::KeepAlive),
        Ok(None) => Ok(Taken::Nothing),
        Err(StreamFault::Broken(error)) => {
            answer(&error, flow, pongs);
            // Time for the answer to leave before the connection does.
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(NotTaken)
        }
        Err(_) => Err(NotTaken),
    }
}

async fn pass(lanes: &Lanes, flow: &Flow, message: Vec<u8>) -> Result<(), NotTaken> {
    lanes.stream(Order::Input(Input::Sip { flow: flow.clone(), message })).await
}

/// Answers a message that can't be understood, where it can be answered.
fn answer(error: &ParseError, flow: &Flow, answers: &mpsc::Sender<Arc<[u8]>>) {
    if let Some(answer) = error.answer(flow.remote) {
        let _ = answers.try_send(answer.bytes);
    }
}

/// Writes what comes until the connection or its senders end.
async fn write(
    mut writer: OwnedWriteHalf,
    mut messages: mpsc::Receiver<Arc<[u8]>>,
) -> io::Result<()> {
    while let Some(message) = messages.recv().await {
        timeout(WRITE, writer.write_all(&message)).await??;
    }
    writer.shutdown().await
}
