//! SIP over TCP: one task reads a connection and cuts messages off, one writes. Everything is
//! bounded: connections, octets that wait for the end of a message, messages that wait to be
//! written, and the time a connection may stay silent.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jackfield_engine::Input;
use jackfield_sip::{Flow, ParseError, StreamEvent, StreamFault, StreamFramer, Transport};
use jackfield_vocabulary::share::{Figures, Holder, Places, Total, uses};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::lanes::{Lanes, NotTaken, Order};
use super::limits::file_limit;

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
    open: Mutex<Open>,
}

/// The connections that are open.
struct Open {
    places: Places<u64>,
    /// How each is told to end.
    ends: HashMap<u64, Arc<Notify>>,
    /// Connections opened since the start.
    number: u64,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Takes a place for a connection; those that have to go for it are told to end.
    fn enter(&mut self, holder: Holder) -> Option<(u64, Arc<Notify>)> {
        let connection = self.number + 1;
        for gone in self.places.take(connection, holder, 1).ok()? {
            if let Some(end) = self.ends.remove(&gone) {
                end.notify_one();
            }
        }
        if !holder.proved {
            self.places.idle(&connection);
        }
        self.number = connection;
        let end = Arc::new(Notify::new());
        self.ends.insert(connection, Arc::clone(&end));
        Some((connection, end))
    }

    fn leave(&mut self, connection: u64) {
        self.places.release(&connection);
        self.ends.remove(&connection);
    }
}

impl Streams {
    pub(crate) fn new(lanes: Lanes) -> Self {
        Self {
            shared: Arc::new(Shared {
                lanes,
                open: Mutex::new(Open {
                    places: Places::new(uses::SIP_STREAMS.limits_of(most())),
                    ends: HashMap::new(),
                    number: 0,
                }),
            }),
        }
    }

    /// Connections opened since the start, by either side.
    pub(crate) fn opened(&self) -> u64 {
        self.shared.open().number
    }

    /// Connections open now, refused, and closed to make room.
    pub(crate) fn figures(&self) -> Figures {
        uses::SIP_STREAMS.figures(&self.shared.open().places)
    }

    /// A phone registered over this connection: it is not closed to make room for strangers.
    pub(crate) fn keep(&self, connection: u64, proved: bool) {
        let mut open = self.shared.open();
        open.places.busy(&connection);
        if proved {
            open.places.prove(&connection);
        }
    }

    /// Accepts connections until the task is ended.
    pub(crate) async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                // One that finds no place is closed.
                Ok((stream, remote)) => {
                    drop(self.adopt(stream, Holder::stranger(remote.ip()), remote));
                }
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
                // To where a phone of ours registered from.
                let holder = Holder::proved(flow.remote.ip());
                let Some(sender) = self.adopt(stream, holder, flow.remote) else { return };
                let _ = sender.send(message).await;
            }
            _ => {
                let _ = self.shared.lanes.input(Input::FlowClosed { flow });
            }
        }
    }

    /// Starts the two tasks of a connection, if there is a place for it.
    fn adopt(
        &self,
        stream: TcpStream,
        holder: Holder,
        remote: SocketAddr,
    ) -> Option<mpsc::Sender<Arc<[u8]>>> {
        let local = stream.local_addr().ok()?;
        let (connection, end) = self.shared.open().enter(holder)?;
        let _ = stream.set_nodelay(true);
        let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(120));
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
        let flow = Flow {
            transport: Transport::Tcp,
            local,
            remote,
            connection: Some(connection),
            certificate: None,
        };
        let (sender, messages) = mpsc::channel(WRITES);
        let (reader, writer) = stream.into_split();
        let shared = Arc::clone(&self.shared);
        let pongs = sender.clone();
        let opened = Order::StreamOpened { connection, sender: sender.clone() };
        tokio::spawn(async move {
            let writing = tokio::spawn(write(writer, messages));
            // By the lane of its messages, so that the way for an answer is there before them.
            if shared.lanes.stream(opened).await.is_ok() {
                tokio::select! {
                    () = read(reader, &flow, &shared.lanes, pongs) => {}
                    () = end.notified() => {}
                }
            }
            writing.abort();
            shared.open().leave(connection);
            let _ = shared.lanes.stream(Order::StreamClosed { connection, flow }).await;
        });
        Some(sender)
    }
}

/// Connections at the most: every phone of a large cluster on one node, or as many as descriptors
/// allow.
fn most() -> u64 {
    let Total::Fixed(most) = uses::SIP_STREAMS.total else { return 0 };
    let descriptors = file_limit();
    let descriptors = descriptors.saturating_sub(RESERVE).max(descriptors / 2);
    most.min(u64::try_from(descriptors).unwrap_or(u64::MAX))
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
