//! TFTP and HTTP over sockets.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Token};

use super::timers::Wake;
use super::{Conductor, Driver, Source};
use crate::fetch::{FetchRequest, Fetched, HttpClient, TftpClient, TftpStep};
use crate::interface::PhoneInput;
use crate::settings::Door;

/// A file on its way by TFTP.
pub(super) struct TftpSource {
    index: usize,
    id: u64,
    socket: UdpSocket,
    client: TftpClient,
    server: SocketAddr,
    /// The server's port for this file, from its first packet.
    peer: Option<SocketAddr>,
}

/// A page on its way by HTTP.
pub(super) struct HttpSource {
    index: usize,
    id: u64,
    stream: TcpStream,
    client: HttpClient,
    request: Vec<u8>,
}

impl<C: Conductor> Driver<C> {
    pub(super) fn fetch(&mut self, index: usize, request: FetchRequest) {
        let id = request.id;
        let result = match request.door {
            Door::Tftp => self.fetch_tftp(index, &request),
            Door::Http => self.fetch_http(index, &request),
        };
        if let Err(error) = result {
            self.fetched(index, id, Fetched::Failed(error.to_string()));
        }
    }

    pub(super) fn tftp_ready(&mut self, token: Token, mut tftp: TftpSource) -> Option<Source> {
        let now = self.now();
        let mut buffer = [0_u8; 2_048];
        while let Ok((length, from)) = tftp.socket.recv_from(&mut buffer) {
            if from.ip() != tftp.server.ip() || tftp.peer.is_some_and(|peer| peer != from) {
                continue;
            }
            tftp.peer = Some(from);
            let step = tftp.client.receive(&buffer[..length], now);
            tftp = self.tftp_step(tftp, step)?;
        }
        self.timers.set(tftp.client.due(), Wake::Tftp(token));
        Some(Source::Tftp(tftp))
    }

    pub(super) fn tftp_due(&mut self, token: Token) {
        let now = self.now();
        let Some(Source::Tftp(mut tftp)) = self.sources.remove(&token) else { return };
        if tftp.client.due() <= now {
            let step = tftp.client.timeout(now);
            let Some(going_on) = self.tftp_step(tftp, step) else { return };
            tftp = going_on;
            self.timers.set(tftp.client.due(), Wake::Tftp(token));
        }
        self.sources.insert(token, Source::Tftp(tftp));
    }

    pub(super) fn http_ready(&mut self, mut http: HttpSource, writable: bool) -> Option<Source> {
        match http.go_on(writable) {
            Ok(None) => Some(Source::Http(http)),
            Ok(Some(fetched)) => {
                self.fetched(http.index, http.id, fetched);
                None
            }
            Err(error) => {
                self.fetched(http.index, http.id, Fetched::Failed(format!("HTTP: {error}")));
                None
            }
        }
    }

    pub(super) fn http_due(&mut self, token: Token) {
        if let Some(Source::Http(http)) = self.sources.remove(&token) {
            self.fetched(http.index, http.id, Fetched::Failed("HTTP: no answer".into()));
        }
    }

    fn tftp_step(&mut self, tftp: TftpSource, step: TftpStep) -> Option<TftpSource> {
        let to = tftp.peer.unwrap_or(tftp.server);
        // What does not go out now is said again.
        match step {
            TftpStep::Wait => {}
            TftpStep::Send(packet) => drop(tftp.socket.send_to(&packet, to)),
            TftpStep::SendAndEnd(packet, fetched) => {
                drop(tftp.socket.send_to(&packet, to));
                self.fetched(tftp.index, tftp.id, fetched);
                return None;
            }
            TftpStep::End(fetched) => {
                self.fetched(tftp.index, tftp.id, fetched);
                return None;
            }
        }
        Some(tftp)
    }

    fn fetched(&mut self, index: usize, id: u64, fetched: Fetched) {
        self.inbox.push((index, PhoneInput::Fetched { id, fetched }));
    }

    fn fetch_tftp(&mut self, index: usize, request: &FetchRequest) -> io::Result<()> {
        let server = SocketAddr::new(request.host, request.port);
        let mut socket = UdpSocket::bind(SocketAddr::new(self.ip, 0))?;
        let (client, packet) = TftpClient::new(&request.path, self.now());
        socket.send_to(&packet, server)?;
        let token = self.token();
        self.poll.registry().register(&mut socket, token, Interest::READABLE)?;
        self.timers.set(client.due(), Wake::Tftp(token));
        let id = request.id;
        let source = TftpSource { index, id, socket, client, server, peer: None };
        self.sources.insert(token, Source::Tftp(source));
        Ok(())
    }

    fn fetch_http(&mut self, index: usize, request: &FetchRequest) -> io::Result<()> {
        let mut stream = TcpStream::connect(SocketAddr::new(request.host, request.port))?;
        let agent = self.slots[index].phone.settings().user_agent();
        let (client, text) = HttpClient::new(request, &agent);
        let token = self.token();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, token, interest)?;
        self.timers.set(self.now() + PATIENCE, Wake::Http(token));
        let source = HttpSource { index, id: request.id, stream, client, request: text };
        self.sources.insert(token, Source::Http(source));
        Ok(())
    }
}

impl HttpSource {
    /// Sends what is left, reads what is there; answers the page when it is whole.
    fn go_on(&mut self, writable: bool) -> io::Result<Option<Fetched>> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        if writable && self.stream.peer_addr().is_ok() {
            self.send()?;
        }
        let mut buffer = [0_u8; 16_384];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    return Ok(Some(match self.client.end() {
                        Ok(page) => page.into(),
                        Err(fault) => Fetched::Failed(fault.to_string()),
                    }));
                }
                Ok(length) => match self.client.receive(&buffer[..length]) {
                    Ok(None) => {}
                    Ok(Some(page)) => return Ok(Some(page.into())),
                    Err(fault) => return Ok(Some(Fetched::Failed(fault.to_string()))),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn send(&mut self) -> io::Result<()> {
        while !self.request.is_empty() {
            match self.stream.write(&self.request) {
                Ok(length) => drop(self.request.drain(..length)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(15);
