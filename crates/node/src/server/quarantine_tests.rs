//! A whole node, with its sockets and its loop, whose engine panics on certain messages: the process
//! ends with 70, and its next life drops those messages and goes on. Each life is this very test
//! program started again, with one test alone.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use jackfield_engine::{Engine, Input, Output};
use jackfield_vocabulary::Now;

use super::engine_loop::Machine;
use super::{DatabaseChoice, ServeSettings, Server};

/// What the engine can't bear.
const DEADLY: &str = "X-Deadly: yes\r\n";
/// Where a life of the node has its data.
const FOLDER: &str = "JACKFIELD_TEST_FOLDER";
const PATIENCE: Duration = Duration::from_secs(30);

/// The engine, but for its weakness.
struct Touchy(Engine);

impl Machine for Touchy {
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        if let Input::Sip { message, .. } = &input {
            let deadly = DEADLY.as_bytes();
            assert!(!message.windows(deadly.len()).any(|part| part == deadly), "as it was told");
        }
        self.0.handle(now, input, out);
    }

    fn next_timeout(&self) -> Option<Now> {
        self.0.next_timeout()
    }
}

#[test]
fn a_message_ends_one_process_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::new();
    let mut life = Life::begin(folder.path());
    phone.send(&life, "one", DEADLY);
    assert_eq!(life.end().code(), Some(70));
    assert_eq!(marks(folder.path()), 1);

    let mut next = Life::begin(folder.path());
    for _ in 0..3 {
        phone.send(&next, "one", DEADLY);
    }
    phone.send(&next, "two", "");
    assert_eq!(phone.answered(1), ["two"]);
    next.counts("messages-quarantined", 3);
    // It is this message alone: another one that kills is still to be learned.
    phone.send(&next, "three", DEADLY);
    assert_eq!(next.end().code(), Some(70));
    assert_eq!(marks(folder.path()), 2);

    let mut last = Life::begin(folder.path());
    phone.send(&last, "three", DEADLY);
    phone.send(&last, "one", DEADLY);
    phone.send(&last, "four", "");
    assert_eq!(phone.answered(1), ["four"]);
    assert!(last.stop().success());
}

#[test]
fn of_a_batch_only_the_message_in_hand_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::new();
    let names: Vec<String> = (0..41).map(|number| format!("n{number:02}")).collect();
    let send_all = |life: &Life| {
        // All of them wait in the kernel before any is read.
        life.signal(libc::SIGSTOP);
        for name in &names {
            phone.send(life, name, if name == "n20" { DEADLY } else { "" });
        }
        life.signal(libc::SIGCONT);
    };
    let mut life = Life::begin(folder.path());
    send_all(&life);
    assert_eq!(life.end().code(), Some(70));
    assert_eq!(marks(folder.path()), 1);
    phone.forget();

    let mut next = Life::begin(folder.path());
    send_all(&next);
    let mut answered = phone.answered(40);
    answered.sort();
    let others: Vec<&String> = names.iter().filter(|name| *name != "n20").collect();
    assert_eq!(answered.iter().collect::<Vec<_>>(), others);
    next.counts("messages-quarantined", 1);
    assert!(next.stop().success());
}

#[test]
fn a_message_of_a_stream_is_refused_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut life = Life::begin(folder.path());
    let text = [options("TCP", 5060, "one", ""), options("TCP", 5060, "two", DEADLY)].concat();
    let mut stream = TcpStream::connect(life.sip).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    assert_eq!(life.end().code(), Some(70));
    assert_eq!(marks(folder.path()), 1);

    let mut next = Life::begin(folder.path());
    let text = text + &options("TCP", 5060, "three", "");
    let mut stream = TcpStream::connect(next.sip).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answers = String::new();
    let mut chunk = [0; 4096];
    while !answers.contains("Call-ID: three") {
        let length = stream.read(&mut chunk).unwrap();
        assert!(length > 0, "closed after {answers:?}");
        answers += core::str::from_utf8(&chunk[..length]).unwrap();
    }
    assert!(answers.contains("Call-ID: one") && !answers.contains("Call-ID: two"));
    next.counts("messages-quarantined", 1);
    assert!(next.stop().success());
}

#[test]
fn a_broken_file_keeps_no_node_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("quarantine");
    std::fs::write(&file, [0xff; 100_000]).unwrap();
    let phone = Phone::new();
    let mut life = Life::begin(folder.path());
    phone.send(&life, "one", "");
    assert_eq!(phone.answered(1), ["one"]);
    phone.send(&life, "two", DEADLY);
    assert_eq!(life.end().code(), Some(70));
    assert_eq!(marks(folder.path()), 1);
}

/// No test of its own: a life of the node, for the tests above. It ends with its standard input.
#[test]
#[ignore = "the other tests start it, each in a process of its own"]
fn a_life_for_the_others() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let tftp = UdpSocket::bind(loopback).unwrap().local_addr().unwrap();
    let settings = ServeSettings {
        place: DatabaseChoice { folder: folder.into(), url: None },
        node: "node1".into(),
        address: Some(loopback.ip()),
        sip: loopback,
        sip_is_given: true,
        http: loopback,
        files: loopback,
        tftp,
        media_ports: 24_576..=32_767,
        until_terminated: false,
        prompts: Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../prompts")),
        sample: None,
    };
    let server = Server::start_around(settings, Touchy).unwrap();
    println!("\nlistens {} {}", server.addresses().sip, server.addresses().http);
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    server.stop();
}

/// One process of the node.
struct Life {
    process: Child,
    sip: SocketAddr,
    http: SocketAddr,
}

impl Life {
    fn begin(folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture"])
            .arg(concat!(module_path!(), "::a_life_for_the_others").split_once("::").unwrap().1)
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("listens ").map(str::to_owned))
            .expect("it listens");
        // Nobody reads what it says further, which must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let (sip, http) = line.split_once(' ').unwrap();
        Self { process, sip: sip.parse().unwrap(), http: http.parse().unwrap() }
    }

    fn signal(&self, signal: i32) {
        let id = libc::pid_t::try_from(self.process.id()).unwrap();
        // SAFETY: the process is a child of this one and not waited for yet.
        assert_eq!(unsafe { libc::kill(id, signal) }, 0);
    }

    /// Waits until the metrics page has this count.
    fn counts(&self, name: &str, count: u64) {
        let wanted = format!("jackfield_events_total{{name=\"{name}\"}} {count}\n");
        let began = Instant::now();
        loop {
            let mut page = ureq::get(&format!("http://{}/metrics", self.http)).call().unwrap();
            let page = page.body_mut().read_to_string().unwrap();
            if page.contains(&wanted) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "no {wanted} in {page}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&mut self) -> ExitStatus {
        drop(self.process.stdin.take());
        self.end()
    }

    fn end(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it did not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Phone(UdpSocket);

impl Phone {
    fn new() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// The same name is the same message, octet by octet.
    fn send(&self, life: &Life, name: &str, header: &str) {
        let port = self.0.local_addr().unwrap().port();
        self.0.send_to(options("UDP", port, name, header).as_bytes(), life.sip).unwrap();
    }

    /// The names of the next messages that were answered.
    fn answered(&self, count: usize) -> Vec<String> {
        let mut buffer = [0; 4096];
        (0..count)
            .map(|_| {
                let length = self.0.recv(&mut buffer).expect("an answer");
                let text = core::str::from_utf8(&buffer[..length]).unwrap();
                assert!(text.starts_with("SIP/2.0 200 "), "{text}");
                let id = text.lines().find_map(|line| line.strip_prefix("Call-ID: "));
                id.unwrap().to_owned()
            })
            .collect()
    }

    /// What came so far, before its sender died, is of no interest.
    fn forget(&self) {
        self.0.set_nonblocking(true).unwrap();
        while self.0.recv(&mut [0; 4096]).is_ok() {}
        self.0.set_nonblocking(false).unwrap();
    }
}

fn options(transport: &str, port: u16, name: &str, header: &str) -> String {
    format!(
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:{port};rport;\
         branch=z9hG4bK{name}\r\nMax-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\n\
         To: <sip:127.0.0.1>\r\nCall-ID: {name}\r\nCSeq: 1 OPTIONS\r\n{header}\
         Content-Length: 0\r\n\r\n"
    )
}

/// How many messages the file knows.
fn marks(folder: &Path) -> usize {
    let text = std::fs::read_to_string(folder.join("quarantine")).expect("a quarantine");
    text.lines().count() - 1
}
