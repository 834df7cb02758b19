//! What people and programs get who have shown nothing yet, and how little they can take.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use core::pin::Pin;
use core::task::{Context, Poll};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use common::{House, PASSWORD};
use hyper::body::Frame;
use jackfield_web::Connections;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tower::ServiceExt;

/// Both doors on sockets.
struct Street {
    house: House,
    people: SocketAddr,
    phones: SocketAddr,
    _stop: tokio::sync::watch::Sender<bool>,
}

impl Street {
    async fn open(most_connections: usize) -> Self {
        let house = House::open().await;
        let connections = Connections::new(most_connections);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let mut addresses = Vec::new();
        for router in [house.router.clone(), jackfield_web::file_router(house.files.clone())] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            let connections = connections.clone();
            tokio::spawn(jackfield_web::serve(listener, router, connections, stopped.clone()));
        }
        Self { house, people: addresses[0], phones: addresses[1], _stop: stop }
    }

    /// A connection from another address of the loopback network.
    async fn connect(&self, from: u8) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, from], 0))).unwrap();
        socket.connect(self.people).await.unwrap()
    }
}

/// Sends something and reads what comes until the other side closes, or has told its header.
async fn ask(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    let mut buffer = [0; 16_384];
    while !told.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(length @ 1..) => told.extend_from_slice(&buffer[..length]),
            _ => break,
        }
    }
    String::from_utf8(told).unwrap()
}

#[tokio::test]
async fn a_person_who_opens_a_door_with_a_browser_is_told_where_to_go_on() {
    let street = Street::open(64).await;
    for (door, english, japanese) in [
        (street.people, "a communications manager", "/api/v1/openapi.json"),
        (street.phones, "fetches the file", "http://192.0.2.1:8080"),
    ] {
        for (language, tag) in [("en-GB,en;q=0.9", "en"), ("ja,en;q=0.5", "ja")] {
            let mut stream = TcpStream::connect(door).await.unwrap();
            let request = format!(
                "GET / HTTP/1.1\r\nHost: x\r\nAccept-Language: {language}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut page = String::new();
            stream.read_to_string(&mut page).await.unwrap();
            assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
            assert!(page.contains("text/html; charset=utf-8"), "{page}");
            assert!(page.contains(&format!("<html lang=\"{tag}")), "{page}");
            assert_eq!(page.contains(english), tag == "en", "{page}");
            assert!(page.contains(japanese) && page.contains("<a href="), "{page}");
            assert_eq!(page.matches("<p>").count(), 3, "{page}");
        }
    }
}

/// A body of one piece, after which nothing more comes and no end.
struct Stalled(Option<Bytes>);

impl hyper::body::Body for Stalled {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.0.take() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => Poll::Pending,
        }
    }
}

fn stalled(from: impl Into<IpAddr>, length: usize) -> Request<Body> {
    Request::builder()
        .method("POST")
        .uri("/api/v1/sessions")
        .header("content-type", "application/json")
        .extension(ConnectInfo(SocketAddr::new(from.into(), 40_000)))
        .body(Body::new(Stalled(Some(vec![b' '; length].into()))))
        .unwrap()
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let house = House::open().await;
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let answer = house.router.clone().oneshot(stalled([192, 0, 2, 1], 10)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    assert!((10..=20).contains(&began.elapsed().as_secs()));
}

#[tokio::test]
async fn who_is_not_signed_in_brings_little() {
    let house = House::open().await;
    let body = json!({ "user_id": "admin", "password": "x".repeat(8200) });
    let told = house.as_nobody("POST", "/sessions", body).await;
    assert_eq!(told.status, StatusCode::PAYLOAD_TOO_LARGE, "{told:?}");
    assert!(told.body["remedy"].as_str().unwrap().contains("8192 bytes"), "{told:?}");
    // Half a megabyte of those who are.
    let name = json!({ "name": "x".repeat(500_000) });
    let told = house.ask("POST", "/partitions", name).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{told:?}");
}

/// How much is held of something, by the metrics page.
async fn figure(house: &House, metric: &str, name: &str) -> u64 {
    let page = house.send("GET", "/metrics", &[], Value::Null).await.text;
    let row = format!("{metric}{{use=\"{name}\"}} ");
    let row = page.lines().find_map(|line| line.strip_prefix(&row));
    row.unwrap_or_else(|| panic!("{page}")).parse().unwrap()
}

#[tokio::test]
async fn unfinished_bodies_take_so_much_memory_and_no_more() {
    let house = House::open().await;
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..6000_u32 {
        let from = [10, 0, (number / 10 / 250) as u8, (number / 10 % 250) as u8];
        requests.spawn(house.router.clone().oneshot(stalled(from, 8000)));
    }
    let mut refused = 0;
    let held = loop {
        while let Some(answer) = requests.try_join_next() {
            assert_eq!(answer.unwrap().unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
            refused += 1;
        }
        let held = figure(&house, "jackfield_limit_held", "http-bodies").await;
        if held / 8192 + refused == 6000 {
            break held;
        }
        tokio::task::yield_now().await;
    };
    assert!((30 << 20..=32 << 20).contains(&held), "{held}");
    // Who is signed in has room.
    house.done("POST", "/partitions", json!({ "name": "Offices" })).await;
    drop(requests);
    while figure(&house, "jackfield_limit_held", "http-bodies").await > 0 {
        tokio::task::yield_now().await;
    }
}

/// Short texts that unfold to many values, or to deep ones.
#[tokio::test]
async fn a_text_that_unfolds_to_very_much_is_refused() {
    let house = House::open().await;
    let bearer = house.bearer();
    let send = async |text: String| {
        let request = Request::builder()
            .method("POST")
            .uri("/api/v1/partitions")
            .header("content-type", "application/json")
            .header("authorization", &*bearer)
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))))
            .body(Body::from(text));
        house.router.clone().oneshot(request.unwrap()).await.unwrap().status()
    };
    let many = format!("[{}0]", "0,".repeat(900_000));
    assert_eq!(send(many).await, StatusCode::PAYLOAD_TOO_LARGE);
    let objects = format!("[{}{{}}]", "{},".repeat(600_000));
    assert_eq!(send(objects).await, StatusCode::PAYLOAD_TOO_LARGE);
    for depth in [1000, 70_000, 500_000] {
        let status = send("[".repeat(depth)).await;
        assert!(status.is_client_error(), "{depth}: {status}");
    }
}

#[tokio::test]
async fn a_body_in_pieces_that_are_none_is_unreadable() {
    let street = Street::open(64).await;
    for piece in ["zz\r\n{}\r\n0\r\n\r\n", "-1\r\n{}", "5\r\n{}", "ffffffffffffffffff\r\n"] {
        let mut stream = TcpStream::connect(street.people).await.unwrap();
        let head = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                    Transfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(piece.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let told = ask(&mut stream, "").await;
        // A client that breaks off may hear nothing.
        assert!(told.starts_with("HTTP/1.1 400 ") || told.is_empty(), "{piece:?}: {told}");
        assert!(!told.is_empty() || piece.starts_with('5'), "{piece:?}");
    }
}

/// Whoever only holds connections open shuts nobody out: those without a request go first.
#[tokio::test]
async fn idle_connections_make_room_and_those_at_work_stay() {
    let street = Street::open(16).await;
    let mut busy = street.connect(2).await;
    let head = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let body = json!({ "user_id": "admin", "password": PASSWORD }).to_string();
    let begun = format!("{head}Content-Length: {}\r\n\r\n{{", body.len());
    busy.write_all(begun.as_bytes()).await.unwrap();
    while figure(&street.house, "jackfield_limit_held", "http-bodies").await == 0 {
        tokio::task::yield_now().await;
    }
    let mut idle = Vec::new();
    for from in 10..15 {
        for _ in 0..24 {
            idle.push(street.connect(from).await);
        }
    }
    let began = Instant::now();
    for from in [20, 21, 10] {
        let mut stream = street.connect(from).await;
        let told = ask(&mut stream, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(told.starts_with("HTTP/1.1 200 "), "{from}: {told}");
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    let told = ask(&mut busy, &body[1..]).await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
}

/// Nor does who announces bodies and never sends them.
#[tokio::test]
async fn requests_that_are_never_whole_shut_nobody_out() {
    let street = Street::open(16).await;
    let head = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let mut unfinished = Vec::new();
    for from in 10..15 {
        for framing in
            ["Content-Length: 50\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]
        {
            for _ in 0..4 {
                let mut stream = street.connect(from).await;
                // Some find no place themselves.
                let _ = stream.write_all(format!("{head}{framing}").as_bytes()).await;
                unfinished.push(stream);
            }
        }
    }
    for from in [20, 21, 10] {
        let mut stream = street.connect(from).await;
        let told = ask(&mut stream, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(told.starts_with("HTTP/1.1 200 "), "{from}: {told}");
    }
}

/// Who asks and takes nothing of the answers holds no copies of them, and goes.
#[tokio::test]
async fn who_reads_no_answer_is_shown_out() {
    let street = Street::open(64).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut deaf = socket.connect(street.people).await.unwrap();
    let asked = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(40);
    deaf.write_all(asked.as_bytes()).await.unwrap();
    let began = Instant::now();
    while deaf.write_all(b"G").await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(60), "it stays for ever");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(10), "a slow line has time");
}

#[tokio::test]
async fn who_connects_and_says_nothing_is_shown_out_soon() {
    let street = Street::open(64).await;
    let began = Instant::now();
    for text in ["", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = TcpStream::connect(street.people).await.unwrap();
        assert_eq!(ask(&mut stream, text).await, "", "{text}");
        assert!((5..=20).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    }
}

/// A flood of strangers fills no log.
#[tokio::test]
async fn strangers_have_a_line_in_the_log_now_and_then() {
    let house = House::open().await;
    for _ in 0..60 {
        house.as_nobody("GET", "/phones", Value::Null).await;
    }
    let untold = figure(&house, "jackfield_limit_refused_total", "strangers-lines").await;
    assert!(untold >= 45, "{untold}");
}
