//! Stands between a store and a PostgreSQL server, and fails on order.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What to do with the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Commit {
    /// Cut the connection before the server has it.
    CutBefore = 1,
    /// Cut the connection before the store has the answer.
    CutAfter = 2,
}

#[derive(Default)]
struct Orders {
    down: AtomicBool,
    commit: AtomicU8,
    open: Mutex<Vec<TcpStream>>,
}

/// A proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    orders: Arc<Orders>,
    pub(crate) port: u16,
}

impl Proxy {
    /// Starts one to `server`, as `127.0.0.1:5432`.
    pub(crate) fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let orders = Arc::new(Orders::default());
        let (shared, server) = (Arc::downgrade(&orders), server.to_owned());
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            while let Some(orders) = shared.upgrade() {
                if let Ok((client, _)) = listener.accept() {
                    client.set_nonblocking(false).unwrap();
                    if !orders.down.load(Ordering::SeqCst) {
                        pass(client, &server, &orders);
                    }
                }
                drop(orders);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Self { orders, port }
    }

    /// The server can't be reached from now on, or can again.
    pub(crate) fn down(&self, down: bool) {
        self.orders.down.store(down, Ordering::SeqCst);
        if down {
            self.cut();
        }
    }

    /// Orders what happens to the next commit.
    pub(crate) fn on_commit(&self, commit: Commit) {
        self.orders.commit.store(commit as u8, Ordering::SeqCst);
    }

    fn cut(&self) {
        cut(&self.orders);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

fn cut(orders: &Orders) {
    for stream in orders.open.lock().unwrap().drain(..) {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn pass(client: TcpStream, server: &str, orders: &Arc<Orders>) {
    let server = TcpStream::connect(server).unwrap();
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
        orders.open.lock().unwrap().push(stream.try_clone().unwrap());
    }
    let answers = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let shared = Arc::clone(orders);
    std::thread::spawn(move || copy(answers.0, answers.1, &shared, false));
    let shared = Arc::clone(orders);
    std::thread::spawn(move || copy(client, server, &shared, true));
}

fn copy(mut from: TcpStream, mut to: TcpStream, orders: &Orders, requests: bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..length];
        let commit = requests && bytes.windows(6).any(|window| window == b"COMMIT");
        let order = if commit { orders.commit.swap(0, Ordering::SeqCst) } else { 0 };
        if order == Commit::CutBefore as u8 {
            cut(orders);
        }
        if order == Commit::CutAfter as u8 {
            // The answer's way is closed before the question goes out.
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.write_all(bytes);
            std::thread::sleep(Duration::from_millis(50));
            cut(orders);
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
