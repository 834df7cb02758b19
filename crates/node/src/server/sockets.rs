//! The sockets that a node listens on.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

pub(super) fn bind_tcp(runtime: &Runtime, address: SocketAddr) -> Result<tokio::net::TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    let _guard = runtime.enter();
    Ok(tokio::net::TcpListener::from_std(socket.into())?)
}

pub(super) fn bind_http(address: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)
        .with_context(|| format!("binding HTTP to {address}; choose another with --http"))?;
    listener.set_nonblocking(true)?;
    let local = listener.local_addr()?;
    Ok((listener, local))
}

/// Port 0 means any that is free for TCP and UDP alike: SIP takes both, and a door keeps its port
/// over restarts of its service.
pub(super) fn free_port(address: SocketAddr) -> Result<SocketAddr> {
    const ATTEMPTS: usize = 64;
    if address.port() != 0 {
        return Ok(address);
    }
    for _ in 0..ATTEMPTS {
        let stream = std::net::TcpListener::bind(address)?;
        let chosen = stream.local_addr()?;
        if std::net::UdpSocket::bind(chosen).is_ok() {
            return Ok(chosen);
        }
    }
    anyhow::bail!("no port of {} is free for TCP and UDP both", address.ip())
}
