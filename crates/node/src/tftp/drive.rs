use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::server::Server;
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
    make_room(&socket);
    let mut desks = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..limits.sockets.max(1) {
        let desk = UdpSocket::bind(SocketAddr::new(address.ip(), 0)).await?;
        make_room(&desk);
        let (requests, incoming) = mpsc::channel(QUEUE);
        desks.push(requests);
        let board = (board.clone(), number);
        tasks.spawn(answer(desk, Arc::clone(&source), limits, board, incoming));
    }
    let mut buffer = [0; LONGEST_DATAGRAM];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        // An error of one client (a port that nobody hears any more) is no reason to stop.
        let Ok((length, from)) = received else { continue };
        let desk = &desks[desk_of(from, desks.len())];
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
fn make_room(socket: &UdpSocket) {
    let _ = SockRef::from(socket).set_recv_buffer_size(KERNEL_BUFFER);
}

type Incoming = mpsc::Receiver<(Box<[u8]>, SocketAddr)>;

async fn answer(
    socket: UdpSocket,
    source: Arc<dyn FileSource>,
    limits: Limits,
    (board, number): (Board, usize),
    mut incoming: Incoming,
) {
    let started = Instant::now();
    let mut server = Server::new(&*source, limits);
    let mut buffer = [0; LONGEST_DATAGRAM];
    // What the socket can't take now counts as lost on the way: it goes again when it is due.
    let mut send = |packet: &[u8], to: SocketAddr| drop(socket.try_send_to(packet, to));
    loop {
        board.set(number, server.figures());
        let due = server.next_due().map(|due| started + due);
        tokio::select! {
            request = incoming.recv() => {
                let Some((datagram, from)) = request else { return };
                server.handle(&datagram, from, started.elapsed(), &mut send);
                // A round of requests at a time, then acknowledgements.
                for _ in 0..ROUND {
                    let Ok((datagram, from)) = incoming.try_recv() else { break };
                    server.handle(&datagram, from, started.elapsed(), &mut send);
                }
            }
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, from)) = received else { continue };
                acknowledged(&mut server, &buffer[..length], from, started.elapsed(), &mut send);
                for _ in 0..ROUND {
                    let Ok((length, from)) = socket.try_recv_from(&mut buffer) else { break };
                    acknowledged(&mut server, &buffer[..length], from, started.elapsed(), &mut send);
                }
            }
            () = until(due) => {}
        }
        server.tick(started.elapsed(), &mut send);
    }
}

/// Only the known port takes requests: an answering socket hears acknowledgements and errors.
fn acknowledged(
    server: &mut Server<'_>,
    datagram: &[u8],
    from: SocketAddr,
    now: Duration,
    send: &mut super::server::Send<'_>,
) {
    if !matches!(datagram.first_chunk(), Some([0, 1 | 2])) {
        server.handle(datagram, from, now, send);
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => core::future::pending().await,
    }
}

/// One client's requests come to one desk, where they are counted.
fn desk_of(client: SocketAddr, desks: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    client.ip().hash(&mut hasher);
    // Phones behind one address still spread, in a few lots.
    (client.port() / 4096).hash(&mut hasher);
    (hasher.finish() % desks as u64) as usize
}

/// Some 5,000 datagrams that wait.
const KERNEL_BUFFER: usize = 4 << 20;
const LONGEST_DATAGRAM: usize = 2048;
const QUEUE: usize = 4096;
const ROUND: usize = 64;
