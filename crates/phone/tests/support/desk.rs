//! The office on real sockets, bound to 127.0.0.1 and ports of its own: SIP over UDP and TCP, files
//! by TFTP and HTTP, and one number with a voice that takes an ID and a PIN and gives an extension.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use jackfield_media::{EventReceiver, RtpHeader, RtpPacket, ToneGenerator, mulaw_encode};
use jackfield_phone::{Door, Make, PhoneSettings, Transport};
use jackfield_sip::{
    HeaderName, Message, Method, ResponseBuilder, Status, StreamEvent, StreamFramer,
};
use jackfield_vocabulary::Digit;

use super::{Office, Seat, plain};

pub struct Desk {
    pub sip: SocketAddr,
    pub tftp: SocketAddr,
    pub http: SocketAddr,
    pub state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
pub struct State {
    pub office: Office,
    pub files: BTreeMap<String, String>,
    pub asked: Vec<String>,
    /// ID and PIN with the extension they give.
    pub people: BTreeMap<(String, String), String>,
    pub voice_calls: usize,
    /// So many of the next calls to the voice find it busy.
    pub turn_away: usize,
}

enum Way {
    Udp(SocketAddr),
    Tcp(usize),
}

struct Tcp {
    stream: TcpStream,
    framer: StreamFramer,
    open: bool,
}

struct Voice {
    seat: Seat,
    rtp: UdpSocket,
    to: SocketAddr,
    events: EventReceiver,
    keys: String,
    invite: Message,
    number: String,
    tone: ToneGenerator,
    sequence: u16,
    next: std::time::Instant,
    over: bool,
}

/// A port that is free for both: the kernel's choice for one may be taken for the other.
fn same_port() -> (TcpListener, UdpSocket) {
    (0..1_000)
        .find_map(|_| {
            let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            let udp = UdpSocket::bind(tcp.local_addr().unwrap()).ok()?;
            Some((tcp, udp))
        })
        .unwrap()
}

impl Desk {
    pub fn open() -> Self {
        let (tcp, udp) = same_port();
        let sip = udp.local_addr().unwrap();
        let tftp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let http = TcpListener::bind("127.0.0.1:0").unwrap();
        let (tftp_at, http_at) = (tftp.local_addr().unwrap(), http.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            Clerk::new(udp, tcp, tftp, http, shared).work(&stopped);
        });
        Self { sip, tftp: tftp_at, http: http_at, state, stop, thread: Some(thread) }
    }

    pub fn phone(&self, mac: &str, transport: Transport, door: Door) -> PhoneSettings {
        let mut settings =
            PhoneSettings::new(mac.parse().unwrap(), Make::Generic, [127, 0, 0, 1].into());
        settings.sip_port = self.sip.port();
        settings.tftp_port = self.tftp.port();
        settings.http_port = self.http.port();
        settings.transport = transport;
        settings.fetch = vec![door];
        settings
    }

    pub fn file(&self, name: &str, text: &str) {
        self.state.lock().unwrap().files.insert(name.to_owned(), text.to_owned());
    }

    /// A plain file for a phone of this desk.
    pub fn plain(&self, number: &str, password: &str, transport: &str) -> String {
        plain(number, password)
            .replace("127.0.0.1:5060", &self.sip.to_string())
            .replace("transport=udp", &format!("transport={transport}"))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

struct Clerk {
    udp: UdpSocket,
    listener: TcpListener,
    tftp: UdpSocket,
    http: TcpListener,
    state: Arc<Mutex<State>>,
    connections: Vec<Tcp>,
    ways: Vec<Way>,
    seats: HashMap<SocketAddr, Seat>,
    transfers: HashMap<SocketAddr, (Vec<u8>, usize)>,
    voices: Vec<Voice>,
}

impl Clerk {
    fn new(
        udp: UdpSocket,
        listener: TcpListener,
        tftp: UdpSocket,
        http: TcpListener,
        state: Arc<Mutex<State>>,
    ) -> Self {
        udp.set_nonblocking(true).unwrap();
        listener.set_nonblocking(true).unwrap();
        tftp.set_nonblocking(true).unwrap();
        http.set_nonblocking(true).unwrap();
        Self {
            udp,
            listener,
            tftp,
            http,
            state,
            connections: Vec::new(),
            ways: Vec::new(),
            seats: HashMap::new(),
            transfers: HashMap::new(),
            voices: Vec::new(),
        }
    }

    fn work(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.read_udp();
            self.read_tcp();
            self.serve_tftp();
            self.serve_http();
            self.listen();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn read_udp(&mut self) {
        let mut buffer = [0; 65_536];
        while let Ok((length, from)) = self.udp.recv_from(&mut buffer) {
            let mut message = Message::parse_datagram(&buffer[..length]).unwrap();
            message.set_source(from);
            let seat = *self.seats.entry(from).or_insert_with(|| {
                self.ways.push(Way::Udp(from));
                self.ways.len() - 1
            });
            self.receive(seat, &message);
        }
    }

    fn read_tcp(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            stream.set_nonblocking(true).unwrap();
            self.ways.push(Way::Tcp(self.connections.len()));
            self.connections.push(Tcp { stream, framer: StreamFramer::new(), open: true });
        }
        for index in 0..self.connections.len() {
            let mut messages = Vec::new();
            let connection = &mut self.connections[index];
            let mut buffer = [0; 16_384];
            while connection.open {
                match connection.stream.read(&mut buffer) {
                    Ok(0) => connection.open = false,
                    Ok(length) => {
                        connection.framer.push(&buffer[..length]).unwrap();
                        while let Some(event) = connection.framer.next_event().unwrap() {
                            if let StreamEvent::Message(message) = event {
                                messages.push(message);
                            }
                        }
                    }
                    Err(_) => break,
                }
            }
            let seat = self.ways.iter().position(|way| matches!(way, Way::Tcp(n) if *n == index));
            for message in messages {
                self.receive(seat.unwrap(), &message);
            }
        }
    }

    fn receive(&mut self, seat: Seat, message: &Message) {
        if self.for_the_voice(seat, message) {
            return;
        }
        let sent = self.state.lock().unwrap().office.receive(seat, message);
        for (seat, bytes) in sent {
            self.send(seat, &bytes);
        }
    }

    fn send(&mut self, seat: Seat, bytes: &[u8]) {
        match self.ways[seat] {
            Way::Udp(to) => {
                self.udp.send_to(bytes, to).unwrap();
            }
            Way::Tcp(index) => {
                let _ = self.connections[index].stream.write_all(bytes);
            }
        }
    }

    fn for_the_voice(&mut self, seat: Seat, message: &Message) -> bool {
        let call = self.voices.iter().position(|voice| voice.invite.call_id() == message.call_id());
        match (message.method(), call) {
            (Some(Method::Bye), Some(index)) => {
                let response = ResponseBuilder::reply_to(message, Status::OK).finish();
                self.send(seat, &response.bytes);
                self.voices.remove(index);
            }
            (Some(Method::Invite), None) if message.raw_uri().contains("sip:2000@") => {
                if self.is_busy() {
                    let response = ResponseBuilder::reply_to(message, Status::BUSY_HERE);
                    self.send(seat, &response.to_tag("voice").finish().bytes);
                } else {
                    self.answer(seat, message);
                }
            }
            (_, Some(_)) => {}
            _ => return false,
        }
        true
    }

    fn is_busy(&self) -> bool {
        let left = &mut self.state.lock().unwrap().turn_away;
        let is_busy = *left > 0;
        *left = left.saturating_sub(1);
        is_busy
    }

    fn answer(&mut self, seat: Seat, invite: &Message) {
        let offer = String::from_utf8_lossy(invite.body()).into_owned();
        let port: u16 = offer
            .lines()
            .find_map(|line| line.strip_prefix("m=audio ")?.split(' ').next()?.parse().ok())
            .unwrap();
        let rtp = UdpSocket::bind("127.0.0.1:0").unwrap();
        rtp.set_nonblocking(true).unwrap();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n",
            rtp.local_addr().unwrap().port()
        );
        let response = ResponseBuilder::reply_to(invite, Status::OK)
            .to_tag("voice")
            .header(HeaderName::Contact, format!("<sip:voice@{}>", self.udp.local_addr().unwrap()))
            .body("application/sdp", sdp.as_bytes())
            .finish();
        self.send(seat, &response.bytes);
        let number = invite.typed::<jackfield_sip::header::From>().unwrap();
        self.state.lock().unwrap().voice_calls += 1;
        self.voices.push(Voice {
            seat,
            rtp,
            to: SocketAddr::from(([127, 0, 0, 1], port)),
            events: EventReceiver::default(),
            keys: String::new(),
            invite: invite.clone(),
            number: number.user().unwrap().into_owned(),
            tone: ToneGenerator::digit(Digit::try_from('7').unwrap(), -10.0, 8_000),
            sequence: 0,
            next: std::time::Instant::now(),
            over: false,
        });
    }

    /// Speaks and hears in every call with the voice.
    fn listen(&mut self) {
        let mut done = Vec::new();
        for (index, voice) in self.voices.iter_mut().enumerate() {
            voice.speak();
            let mut buffer = [0; 2_048];
            while let Ok((length, _)) = voice.rtp.recv_from(&mut buffer) {
                let Ok(packet) = RtpPacket::parse(&buffer[..length]) else { continue };
                if packet.header.payload_type == 101 {
                    let digit = voice.events.receive(&packet.header, packet.payload);
                    voice.keys.extend(digit.map(Digit::as_char));
                }
            }
            if voice.keys.matches('#').count() >= 2 && voice.keys.ends_with('1') && !voice.over {
                voice.over = true;
                done.push(index);
            }
        }
        for index in done.into_iter().rev() {
            self.decide(index);
        }
    }

    /// Gives the phone its owner's extension, hangs up and restarts it.
    fn decide(&mut self, index: usize) {
        let voice = self.voices.remove(index);
        let mut words = voice.keys.split('#');
        let key = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let contact = voice.invite.typed::<jackfield_sip::header::Contact>().unwrap();
        let contact = contact.address().unwrap().uri.to_string();
        let from = voice.invite.first(HeaderName::From).unwrap();
        let to = voice.invite.first(HeaderName::To).unwrap();
        let bye = format!(
            "BYE {contact} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKbye{}\r\n\
             From: {to};tag=voice\r\nTo: {from}\r\nCall-ID: {}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
            voice.invite.call_id(),
            voice.invite.call_id()
        );
        self.send(voice.seat, bye.as_bytes());
        let mut state = self.state.lock().unwrap();
        let Some(extension) = state.people.get(&key).cloned() else { return };
        let mac = contact.rsplit('-').next().unwrap()[..12].to_ascii_lowercase();
        let file = state.files[&format!("{mac}.txt")].replace(&voice.number, &extension);
        state.files.insert(format!("{mac}.txt"), file);
        let sent = state.office.notify(&voice.number, "check-sync;reboot=true", "");
        drop(state);
        if let Some((seat, bytes)) = sent {
            self.send(seat, &bytes);
        }
    }

    fn serve_tftp(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok((length, from)) = self.tftp.recv_from(&mut buffer) {
            match buffer[1] {
                1 => {
                    let name = buffer[2..length].split(|b| *b == 0).next().unwrap();
                    let name = String::from_utf8_lossy(name).into_owned();
                    match self.find(&name) {
                        Some(file) => {
                            self.transfers.insert(from, (file, 0));
                            self.block(from, 0);
                        }
                        None => {
                            self.tftp.send_to(b"\0\x05\0\x01not found\0", from).unwrap();
                        }
                    }
                }
                4 => self.block(from, usize::from(u16::from_be_bytes([buffer[2], buffer[3]]))),
                _ => {}
            }
        }
    }

    fn block(&mut self, to: SocketAddr, acknowledged: usize) {
        let Some((file, _)) = self.transfers.get(&to) else { return };
        let start = acknowledged * 512;
        if start > file.len() {
            self.transfers.remove(&to);
            return;
        }
        let data = &file[start..file.len().min(start + 512)];
        let number = (acknowledged as u16 + 1).to_be_bytes();
        self.tftp.send_to(&[&[0, 3], &number[..], data].concat(), to).unwrap();
    }

    fn serve_http(&mut self) {
        while let Ok((mut stream, _)) = self.http.accept() {
            stream.set_nonblocking(false).unwrap();
            let mut buffer = [0; 4_096];
            let length = stream.read(&mut buffer).unwrap_or(0);
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let path = text.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
            let answer = match self.find(&path) {
                Some(file) => [
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", file.len()).as_bytes(),
                    &file,
                ]
                .concat(),
                None => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
            };
            let _ = stream.write_all(&answer);
        }
    }

    fn find(&mut self, name: &str) -> Option<Vec<u8>> {
        let mut state = self.state.lock().unwrap();
        state.asked.push(name.to_owned());
        state.files.get(name).map(|text| text.clone().into_bytes())
    }
}

impl Voice {
    fn speak(&mut self) {
        while std::time::Instant::now() >= self.next {
            let mut sound = [0; 160];
            self.tone.fill(&mut sound);
            let header = RtpHeader {
                marker: self.sequence == 0,
                payload_type: 0,
                sequence: self.sequence,
                timestamp: u32::from(self.sequence) * 160,
                ssrc: 7,
            };
            let payload = sound.map(mulaw_encode);
            let _ = self.rtp.send_to(&[&header.bytes()[..], &payload].concat(), self.to);
            self.sequence += 1;
            self.next += Duration::from_millis(20);
        }
    }
}
