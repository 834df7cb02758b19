use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::connections::{Connection, Connections};

/// Serves HTTP until `stop` turns true or its sender goes; then lets requests finish for a moment.
/// Connections are bounded: when there is no room, those that wait for nothing go first. One that
/// sends no request in time is closed.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: Connections,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, address)) => {
                // Without a place the stream is closed at once.
                let Some(place) = connections.take(address.ip()) else { continue };
                let place = Arc::new(place);
                let task = tasks.spawn(connection(
                    stream,
                    address,
                    router.clone(),
                    Arc::clone(&place),
                    stop.clone(),
                ));
                place.runs(task);
            }
            // Too many open descriptors, for one: waiting helps, ending does not.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while tasks.try_join_next().is_some() {}
    }
    drop(listener);
    let all = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(FAREWELL, all).await;
    Ok(())
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    place: Arc<Connection>,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are written whole.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(READING_TIME));
    let spoke = Arc::new(AtomicBool::new(false));
    let service = {
        let spoke = Arc::clone(&spoke);
        service_fn(move |mut request: Request<Incoming>| {
            spoke.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(address));
            let (router, place) = (router.clone(), Arc::clone(&place));
            let request = request.map(|body| axum::body::Body::new(Brought::new(body, &place)));
            async move {
                let answer = router.oneshot(request).await;
                place.idle();
                answer
            }
        })
    };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(MOST_OF_HEADER);
    let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = core::pin::pin!(connection);
    let silence = async {
        tokio::time::sleep(FIRST_HEADER_TIME).await;
        if spoke.load(Ordering::Relaxed) {
            core::future::pending::<()>().await;
        }
    };
    // A client that breaks off or breaks the protocol is its own affair.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = silence => {}
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// A request's body. Only when it is whole does its connection wait for the server and not for the
/// client, and can't be taken away.
struct Brought {
    body: Incoming,
    place: Arc<Connection>,
}

impl Brought {
    fn new(body: Incoming, place: &Arc<Connection>) -> Self {
        let brought = Self { body, place: Arc::clone(place) };
        brought.look();
        brought
    }

    fn look(&self) {
        if self.body.is_end_stream() {
            self.place.busy();
        }
    }
}

impl hyper::body::Body for Brought {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        match frame {
            Poll::Ready(None) => self.place.busy(),
            _ => self.look(),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Waits until the doors shall close.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await.is_ok();
}

/// Who takes nothing of an answer for so long is gone.
const READING_TIME: Duration = Duration::from_secs(20);
/// Whoever connects wants something.
const FIRST_HEADER_TIME: Duration = Duration::from_secs(8);
/// Between requests: a phone opens a new connection when it wants something again.
const HEADER_TIME: Duration = Duration::from_secs(60);
/// Bytes of a header at the most, and of what is read ahead.
const MOST_OF_HEADER: usize = 16 * 1024;
const FAREWELL: Duration = Duration::from_secs(5);
