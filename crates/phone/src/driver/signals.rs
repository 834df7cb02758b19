//! SIP over sockets.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use jackfield_sip::header::Via;
use jackfield_sip::{Message, StreamEvent, StreamFramer};
use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::{Conductor, Driver, Signal, Source};
use crate::interface::PhoneInput;
use crate::settings::Transport;

/// A socket that several phones share.
pub(super) struct UdpSource {
    socket: UdpSocket,
    local: SocketAddr,
}

/// One phone's connection.
pub(super) struct TcpSource {
    index: usize,
    stream: TcpStream,
    framer: StreamFramer,
    waiting: Vec<u8>,
    connected: bool,
}

impl<C: Conductor> Driver<C> {
    pub(super) fn connect(&mut self, index: usize, transport: Transport, server: SocketAddr) {
        self.disconnect(index);
        let result = match transport {
            Transport::Udp => self.connect_udp(index, server),
            Transport::Tcp => self.connect_tcp(index, server),
        };
        if let Err(error) = result {
            let reason = format!("{transport:?} {server}: {error}");
            self.inbox.push((index, PhoneInput::Disconnected { reason }));
        }
    }

    pub(super) fn transmit(&mut self, index: usize, bytes: &[u8]) {
        match self.slots[index].signal {
            Signal::None => {}
            Signal::Udp { socket, server } => {
                if let Some(Source::Udp(udp)) = self.sources.get(&socket) {
                    // What a full socket drops is said again.
                    let _ = udp.socket.send_to(bytes, server);
                }
            }
            Signal::Tcp(token) => {
                if let Some(Source::Tcp(tcp)) = self.sources.get_mut(&token) {
                    tcp.waiting.extend_from_slice(bytes);
                    if tcp.connected {
                        // A broken stream tells itself when it is read.
                        let _ = tcp.flush();
                    }
                }
            }
        }
    }

    pub(super) fn disconnect(&mut self, index: usize) {
        let signal = core::mem::replace(&mut self.slots[index].signal, Signal::None);
        if let Signal::Tcp(token) = signal
            && let Some(Source::Tcp(mut tcp)) = self.sources.remove(&token)
        {
            // Closing says it too.
            let _ = self.poll.registry().deregister(&mut tcp.stream);
        }
    }

    pub(super) fn udp_ready(&mut self, source: UdpSource) -> Source {
        let mut buffer = [0_u8; 65_536];
        while let Ok((length, from)) = source.socket.recv_from(&mut buffer) {
            let Ok(mut message) = Message::parse_datagram(&buffer[..length]) else { continue };
            message.set_source(from);
            if let Some(index) = self.receiver(&message, source.local) {
                self.inbox.push((index, PhoneInput::Sip(message)));
            }
        }
        Source::Udp(source)
    }

    pub(super) fn tcp_ready(&mut self, mut tcp: TcpSource, writable: bool) -> Option<Source> {
        if !tcp.connected && writable {
            match tcp.stream.take_error() {
                Ok(None) if tcp.stream.peer_addr().is_ok() => {
                    tcp.connected = true;
                    // Small messages shall not wait for each other.
                    let _ = tcp.stream.set_nodelay(true);
                    if let Ok(local) = tcp.stream.local_addr() {
                        self.inbox.push((tcp.index, PhoneInput::Connected { local }));
                    }
                }
                Ok(None) => return Some(Source::Tcp(tcp)),
                Ok(Some(error)) | Err(error) => return self.lost(tcp, &error.to_string()),
            }
        }
        if let Err(error) = tcp.flush() {
            return self.lost(tcp, &error.to_string());
        }
        match self.read(&mut tcp) {
            Ok(()) => Some(Source::Tcp(tcp)),
            Err(reason) => self.lost(tcp, &reason),
        }
    }

    fn read(&mut self, tcp: &mut TcpSource) -> Result<(), String> {
        let mut buffer = [0_u8; 16_384];
        loop {
            match tcp.stream.read(&mut buffer) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(length) => {
                    tcp.framer.push(&buffer[..length]).map_err(|fault| fault.to_string())?;
                    self.cut(tcp)?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn cut(&mut self, tcp: &mut TcpSource) -> Result<(), String> {
        while let Some(event) = tcp.framer.next_event().map_err(|fault| fault.to_string())? {
            match event {
                StreamEvent::Message(message) => {
                    self.inbox.push((tcp.index, PhoneInput::Sip(message)));
                }
                StreamEvent::Ping => tcp.waiting.extend_from_slice(StreamFramer::PONG),
                StreamEvent::Pong | StreamEvent::Refused(_) => {}
            }
        }
        tcp.flush().map_err(|error| error.to_string())
    }

    fn lost(&mut self, tcp: TcpSource, reason: &str) -> Option<Source> {
        self.slots[tcp.index].signal = Signal::None;
        let reason = reason.to_owned();
        self.inbox.push((tcp.index, PhoneInput::Disconnected { reason }));
        None
    }

    fn connect_udp(&mut self, index: usize, server: SocketAddr) -> io::Result<()> {
        if self.udp.len() < self.udp_limit.min(self.slots.len()) {
            let socket = self.open_udp()?;
            self.udp.push(socket);
        }
        let socket = self.udp[index % self.udp.len()];
        let Some(Source::Udp(source)) = self.sources.get(&socket) else { return Ok(()) };
        let local = source.local;
        self.slots[index].signal = Signal::Udp { socket, server };
        self.inbox.push((index, PhoneInput::Connected { local }));
        Ok(())
    }

    fn open_udp(&mut self) -> io::Result<Token> {
        let address = SocketAddr::new(self.ip, 0);
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        // A storm of answers shall fit; less room only means repetitions.
        let _ = socket.set_recv_buffer_size(BUFFER);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let mut socket = UdpSocket::from_std(socket.into());
        let local = socket.local_addr()?;
        let token = self.token();
        self.poll.registry().register(&mut socket, token, Interest::READABLE)?;
        self.sources.insert(token, Source::Udp(UdpSource { socket, local }));
        Ok(token)
    }

    fn connect_tcp(&mut self, index: usize, server: SocketAddr) -> io::Result<()> {
        let mut stream = TcpStream::connect(server)?;
        let token = self.token();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, token, interest)?;
        let framer = StreamFramer::new();
        let source = TcpSource { index, stream, framer, waiting: Vec::new(), connected: false };
        self.sources.insert(token, Source::Tcp(source));
        self.slots[index].signal = Signal::Tcp(token);
        Ok(())
    }

    /// Which of the phones on a socket a message is for: its branch or its address ends in the
    /// phone's MAC.
    fn receiver(&self, message: &Message, local: SocketAddr) -> Option<usize> {
        let mac = if message.is_request() {
            mac_in(message.raw_uri())
        } else {
            message.typed::<Via>().ok().and_then(|via| mac_in(via.branch()?))
        };
        let found = mac.and_then(|mac| self.by_mac.get(&mac).copied());
        found.or_else(|| {
            // To a number instead of a contact: only a phone with a socket of its own can be meant.
            let mut sharing = self.slots.iter().enumerate().filter(|(_, slot)| {
                matches!(slot.signal, Signal::Udp { socket, .. }
                    if matches!(self.sources.get(&socket), Some(Source::Udp(udp)) if udp.local == local)
                        || !self.sources.contains_key(&socket))
            });
            let only = sharing.next().map(|(index, _)| index);
            only.filter(|_| sharing.next().is_none())
        })
    }
}

impl TcpSource {
    fn flush(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            match self.stream.write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) => {
                    self.waiting.drain(..length);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The last twelve hexadecimal digits that stand behind a hyphen.
fn mac_in(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .rev()
        .find(|word| word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::to_ascii_uppercase)
}

const BUFFER: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_found_in_branches_and_addresses() {
        let expected = Some("001122AABBCC".to_owned());
        for text in [
            "z9hG4bK0123456789ab-001122AABBCC",
            "sip:1001@127.0.0.1:4000;line=1-001122AABBCC",
            "sip:ab12cd34-0000-4000-8001-001122AABBCC@127.0.0.1:4000;transport=tcp",
        ] {
            assert_eq!(mac_in(text), expected, "{text}");
        }
        assert_eq!(mac_in("sip:1001@127.0.0.1"), None);
    }
}
