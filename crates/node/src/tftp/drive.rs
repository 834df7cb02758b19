use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::server::{Server, Way};
use super::{Board, FileSource, Limits};

/// Serves until `stop` turns true or its sender goes, or a task that answers ends. `socket` takes the
/// requests.
pub(crate) async fn serve(
    socket: UdpSocket,
    source: Arc<dyn FileSource>,
    limits: Limits,
    board: Board,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let address = socket.local_addr()?;
    make_room(&socket, REQUEST_BUFFER);
    let secret = RandomState::new();
    let mut desks = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..limits.desks.max(1) {
        let (heard, answers) = mpsc::channel(QUEUE);
        let mut sockets = Vec::new();
        for at in 0..limits.sockets.max(1) {
            let socket = UdpSocket::bind(SocketAddr::new(address.ip(), 0)).await?;
            make_room(&socket, ANSWER_BUFFER);
            let socket = Arc::new(socket);
            tasks.spawn(hear(Arc::clone(&socket), at, heard.clone()));
            sockets.push(socket);
        }
        let (asked, requests) = mpsc::channel(QUEUE);
        desks.push(asked);
        let (board, source) = ((board.clone(), number), Arc::clone(&source));
        tasks.spawn(answer(sockets, source, limits, board, Incoming { requests, answers }));
    }
    let mut buffer = [0; LONGEST_DATAGRAM];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        // An error of one client (a port that nobody hears any more) is no reason to stop.
        let Ok((length, from)) = received else { continue };
        let desk = &desks[desk_of(&secret, from, desks.len())];
        // Full: the client asks again. Whose task has ended would answer its clients never more.
        if let Err(TrySendError::Closed(_)) = desk.try_send((buffer[..length].into(), from)) {
            return Err(io::Error::other("a task that answers has ended"));
        }
    }
    tasks.shutdown().await;
    Ok(())
}

/// Asks the kernel for room: phones that boot together ask together. It is cut to the system's
/// limit (`net.core.rmem_max`).
fn make_room(socket: &UdpSocket, room: usize) {
    let _ = SockRef::from(socket).set_recv_buffer_size(room);
}

/// Hears what comes to one answering socket, until its desk has closed.
async fn hear(socket: Arc<UdpSocket>, number: usize, heard: mpsc::Sender<(Box<[u8]>, Way)>) {
    let mut buffer = [0; LONGEST_DATAGRAM];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
        let way = Way { client, socket: number };
        // Full: the client acknowledges again.
        if let Err(TrySendError::Closed(_)) = heard.try_send((buffer[..length].into(), way)) {
            return;
        }
    }
}

/// What comes to a desk.
struct Incoming {
    /// From the known port.
    requests: mpsc::Receiver<(Box<[u8]>, SocketAddr)>,
    /// From its own sockets.
    answers: mpsc::Receiver<(Box<[u8]>, Way)>,
}

async fn answer(
    sockets: Vec<Arc<UdpSocket>>,
    source: Arc<dyn FileSource>,
    limits: Limits,
    (board, number): (Board, usize),
    mut incoming: Incoming,
) {
    let started = Instant::now();
    let mut server = Server::new(&*source, limits);
    // What the socket can't take now counts as lost on the way: it goes again when it is due.
    let mut send =
        |packet: &[u8], way: Way| drop(sockets[way.socket].try_send_to(packet, way.client));
    loop {
        board.set(number, server.figures());
        let due = server.next_due().map(|due| started + due);
        tokio::select! {
            request = incoming.requests.recv() => {
                let Some((datagram, from)) = request else { return };
                server.asked(&datagram, from, started.elapsed(), &mut send);
                // A round of requests at a time, then acknowledgements.
                for _ in 0..ROUND {
                    let Ok((datagram, from)) = incoming.requests.try_recv() else { break };
                    server.asked(&datagram, from, started.elapsed(), &mut send);
                }
            }
            answer = incoming.answers.recv() => {
                let Some((datagram, way)) = answer else { return };
                server.answered(&datagram, way, started.elapsed(), &mut send);
                for _ in 0..ROUND {
                    let Ok((datagram, way)) = incoming.answers.try_recv() else { break };
                    server.answered(&datagram, way, started.elapsed(), &mut send);
                }
            }
            () = until(due) => {}
        }
        server.tick(started.elapsed(), &mut send);
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => core::future::pending().await,
    }
}

/// One client's requests come to one desk, where they are counted; which one nobody else knows.
fn desk_of(secret: &RandomState, client: SocketAddr, desks: usize) -> usize {
    // Phones behind one address still spread, in a few lots.
    let drawn = secret.hash_one((client.ip(), client.port() / 4096)) % desks as u64;
    usize::try_from(drawn).unwrap_or_default()
}

/// Some 5,000 datagrams that wait.
const REQUEST_BUFFER: usize = 4 << 20;
/// A part of their acknowledgements, as there are many answering sockets.
const ANSWER_BUFFER: usize = 128 << 10;
const LONGEST_DATAGRAM: usize = 2048;
const QUEUE: usize = 4096;
const ROUND: usize = 64;
