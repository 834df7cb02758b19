//! SIP over TCP: one task for each connection, which reads it and cuts messages off, and writes.
//! Everything is bounded: connections, octets that wait for the end of a message or to be written,
//! and the time a connection may stay silent or take nothing.

mod outbox;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jackfield_engine::Input;
use jackfield_sip::{
    Flow, Message, Method, ParseError, StreamEvent, StreamFault, StreamFramer, Transport,
};
use jackfield_vocabulary::share::{Figures, Holder, Places, Total, uses};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout, timeout_at};

use super::lanes::{Lanes, NotTaken, Order};
use super::limits::file_limit;
pub(crate) use outbox::Outbox;
use outbox::{Waiting, WeakOutbox};

/// Descriptors left for everything else when the system allows fewer than that.
const RESERVE: usize = 1000;
/// A connection whose first message, or one that has begun, is not whole by then is closed.
const WHOLE_MESSAGE: Duration = Duration::from_secs(30);
/// A connection that sends nothing at all for so long is closed; phones refresh well within.
const SILENCE: Duration = Duration::from_secs(2 * 3600);
/// A connection that takes nothing for so long is closed.
const WRITE: Duration = Duration::from_secs(30);
/// The time to open a connection to a phone.
const CONNECT: Duration = Duration::from_secs(5);
/// Keep-alives of a connection in a minute at the most; clients send one in one and a half minutes (RFC 5626
/// section 4.4.1), some one a second.
const KEEPALIVES: u32 = 600;
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
    /// What the connections hold: parts of messages, whole ones that wait for the engine, and what
    /// waits to be written. Octets, by their connection and a number of their own.
    octets: Places<(u64, u64)>,
    /// Numbers of octets given since the start.
    holds: u64,
    /// How each is told to end.
    ends: HashMap<u64, Arc<Notify>>,
    /// Connections opened since the start.
    number: u64,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for so many octets of a connection, if its source may have them.
    fn hold(self: &Arc<Self>, connection: u64, octets: usize) -> Option<Held> {
        let key = self.open().hold(connection, u64::try_from(octets).ok()?)?;
        Some(Held { shared: Arc::clone(self), key })
    }
}

/// Room for octets, until it is dropped.
struct Held {
    shared: Arc<Shared>,
    key: (u64, u64),
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.open().octets.release(&self.key);
    }
}

impl Open {
    /// Takes a place for a connection; those that have to go for it are told to end.
    fn enter(&mut self, holder: Holder) -> Option<(u64, Arc<Notify>)> {
        let connection = self.number + 1;
        for gone in self.places.take(connection, holder, 1).ok()? {
            self.end(gone);
        }
        if !holder.proved {
            self.places.idle(&connection);
        }
        self.number = connection;
        let end = Arc::new(Notify::new());
        self.ends.insert(connection, Arc::clone(&end));
        Some((connection, end))
    }

    /// Takes room for octets. All of them wait for the other side: the connections whose octets have to
    /// go for it are told to end, the longest waiting of the source that holds most.
    fn hold(&mut self, connection: u64, octets: u64) -> Option<(u64, u64)> {
        let holder = self.places.holder(&connection)?;
        self.holds += 1;
        let key = (connection, self.holds);
        let gone = self.octets.take(key, holder, octets).ok()?;
        self.octets.idle(&key);
        for (connection, _) in gone {
            self.end(connection);
        }
        Some(key)
    }

    /// Tells a connection to end.
    fn end(&mut self, connection: u64) {
        if let Some(end) = self.ends.remove(&connection) {
            end.notify_one();
        }
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
                    octets: uses::SIP_STREAM_OCTETS.places(),
                    holds: 0,
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

    /// Connections open now, refused, and closed to make room; and what they hold.
    pub(crate) fn figures(&self) -> [Figures; 2] {
        let open = self.shared.open();
        [uses::SIP_STREAMS.figures(&open.places), uses::SIP_STREAM_OCTETS.figures(&open.octets)]
    }

    /// A phone registered over this connection: it is not closed to make room for strangers.
    pub(crate) fn keep(&self, connection: u64, proved: bool) {
        let mut open = self.shared.open();
        open.places.busy(&connection);
        if proved {
            open.places.prove(&connection);
        }
    }

    /// No phone is registered over this connection any more: it is anybody's again.
    pub(crate) fn leave(&self, connection: u64) {
        self.shared.open().places.abandon(&connection);
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

    /// Opens a connection to a phone and sends the first message on it; tells where that fails.
    pub(crate) async fn dial(self, flow: Flow, message: Arc<[u8]>) {
        let opened = timeout(CONNECT, TcpStream::connect(flow.remote)).await;
        // To where a phone of ours registered from.
        let holder = Holder::proved(flow.remote.ip());
        let adopt = |stream| self.adopt(stream, holder, flow.remote);
        let outbox = opened.ok().and_then(Result::ok).and_then(adopt);
        if outbox.is_none_or(|outbox| outbox.send(message).is_err()) {
            let _ = self.shared.lanes.input(Input::FlowClosed { flow });
        }
    }

    /// Starts the task of a connection, if there is a place for it.
    fn adopt(&self, stream: TcpStream, holder: Holder, remote: SocketAddr) -> Option<Outbox> {
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
        let (outbox, messages) = Outbox::new(&self.shared, connection);
        let serving =
            Serving { connection, flow, shared: Arc::clone(&self.shared), outbox: outbox.weak() };
        let opened = Order::StreamOpened { connection, outbox: outbox.clone() };
        tokio::spawn(async move {
            // By the lane of its messages, so that the way for an answer is there before them.
            if serving.shared.lanes.stream(opened).await.is_ok() {
                serving.serve(stream, messages, &end).await;
            }
            serving.shared.open().leave(connection);
        });
        Some(outbox)
    }
}

/// What the task of a connection works with.
struct Serving {
    connection: u64,
    flow: Flow,
    shared: Arc<Shared>,
    outbox: WeakOutbox,
}

impl Serving {
    /// Reads and writes until the connection ends. One whose other side has only sent what it had to
    /// send stays for the answers (RFC 3261 section 18.2.2).
    async fn serve(&self, stream: TcpStream, messages: mpsc::Receiver<Waiting>, end: &Notify) {
        let (reader, writer) = stream.into_split();
        let mut writing = pin!(write(writer, messages));
        let read_to_end = tokio::select! {
            () = self.read(reader) => true,
            _ = &mut writing => false,
            () = end.notified() => false,
        };
        let Self { connection, flow, shared, .. } = self;
        let closed = Order::StreamClosed { connection: *connection, flow: flow.clone() };
        let _ = shared.lanes.stream(closed).await;
        if read_to_end {
            tokio::select! {
                _ = writing => {}
                () = end.notified() => {}
            }
        }
    }

    /// Reads until the other side, or bad bytes, end it; then what is due to be answered is.
    async fn read(&self, reader: OwnedReadHalf) {
        let mut framer = StreamFramer::new();
        // What waits there for the rest of its message, or for the engine.
        let mut held = None;
        // When the message that is under way, or the first one, must be whole: octets that drip in
        // one by one don't put it off.
        let mut deadline = Some(Instant::now() + WHOLE_MESSAGE);
        let mut keepalives = KeepAlives { since: Instant::now(), count: 0 };
        loop {
            // Whoever sends without end finds something to be read each time: the others have their turn, and
            // the time is over for it, too.
            yield_now().await;
            let patience = deadline.unwrap_or_else(|| Instant::now() + SILENCE);
            match timeout_at(patience, fetch(&reader, &mut framer)).await {
                Ok(Ok(0)) => return self.outbox.answered().await,
                Ok(Ok(_)) if Instant::now() < patience => {}
                _ => return,
            }
            drop(held.take());
            held = self.shared.hold(self.connection, framer.waiting());
            if held.is_none() {
                return;
            }
            loop {
                match self.take(&mut framer).await {
                    Ok(Taken::Nothing) => break,
                    Ok(Taken::Message) => deadline = None,
                    Ok(Taken::KeepAlive) if keepalives.may_come() => {}
                    Ok(Taken::KeepAlive) | Err(NotTaken) => return,
                }
            }
            if framer.waiting() > 0 {
                deadline = deadline.or_else(|| Some(Instant::now() + WHOLE_MESSAGE));
            } else {
                held = None;
            }
        }
    }

    /// Takes one thing off the framer; an error ends the connection.
    async fn take(&self, framer: &mut StreamFramer) -> Result<Taken, NotTaken> {
        match framer.next_event() {
            Ok(Some(StreamEvent::Message(message))) => {
                self.pass(&message).await?;
                Ok(Taken::Message)
            }
            Ok(Some(StreamEvent::Refused(error))) => {
                self.answer(&error);
                Ok(Taken::Message)
            }
            Ok(Some(StreamEvent::Ping)) => {
                self.outbox.send(StreamFramer::PONG.into());
                Ok(Taken::KeepAlive)
            }
            Ok(Some(StreamEvent::Pong)) => Ok(Taken::KeepAlive),
            Ok(None) => Ok(Taken::Nothing),
            Err(StreamFault::Broken(error)) => {
                self.answer(&error);
                Err(NotTaken)
            }
            Err(_) => Err(NotTaken),
        }
    }

    async fn pass(&self, message: &Message) -> Result<(), NotTaken> {
        if message.method().is_some_and(|method| *method != Method::Ack) {
            self.outbox.expect_answer();
        }
        let input = Input::Sip { flow: self.flow.clone(), message: message.to_bytes() };
        self.shared.lanes.stream(Order::Input(input)).await
    }

    /// Answers a message that can't be understood, where it can be answered.
    fn answer(&self, error: &ParseError) {
        if let Some(answer) = error.answer(self.flow.remote) {
            self.outbox.send(answer.bytes);
        }
    }
}

/// Counts the keep-alives of a connection.
struct KeepAlives {
    since: Instant,
    count: u32,
}

impl KeepAlives {
    fn may_come(&mut self) -> bool {
        if self.since.elapsed() >= Duration::from_secs(60) {
            *self = Self { since: Instant::now(), count: 0 };
        }
        self.count += 1;
        self.count <= KEEPALIVES
    }
}

enum Taken {
    Message,
    KeepAlive,
    Nothing,
}

/// Connections at the most: every phone of a large cluster on one node, or as many as descriptors
/// allow.
fn most() -> u64 {
    let Total::Fixed(most) = uses::SIP_STREAMS.total else { return 0 };
    let descriptors = file_limit();
    let descriptors = descriptors.saturating_sub(RESERVE).max(descriptors / 2);
    most.min(u64::try_from(descriptors).unwrap_or(u64::MAX))
}

/// Reads what is there into the framer; how many octets, none at the end. A connection that is silent
/// has no room for what it might send.
async fn fetch(reader: &OwnedReadHalf, framer: &mut StreamFramer) -> io::Result<usize> {
    loop {
        reader.readable().await?;
        match read_ready(reader, framer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}

fn read_ready(reader: &OwnedReadHalf, framer: &mut StreamFramer) -> io::Result<usize> {
    let mut chunk = [0; CHUNK];
    let length = reader.try_read(&mut chunk)?;
    framer.push(&chunk[..length]).map_err(io::Error::other)?;
    Ok(length)
}

/// Writes what comes until the connection or its senders end.
async fn write(
    mut writer: OwnedWriteHalf,
    mut messages: mpsc::Receiver<Waiting>,
) -> io::Result<()> {
    while let Some(waiting) = messages.recv().await {
        timeout(WRITE, writer.write_all(&waiting.message)).await??;
    }
    writer.shutdown().await
}
