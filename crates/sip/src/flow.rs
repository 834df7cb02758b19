//! Where a message came from and where it goes.

use core::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::header::ViaTransport;

/// How messages are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl Transport {
    /// Does the transport itself repeat what was lost?
    #[must_use]
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }

    /// The value of a `transport` parameter.
    #[must_use]
    pub fn param(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Recognises the value of a `transport` parameter, without case.
    #[must_use]
    pub fn parse(param: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|transport| transport.param().eq_ignore_ascii_case(param))
    }

    /// The name for a Via.
    #[must_use]
    pub fn via(self) -> ViaTransport {
        match self {
            Self::Udp => ViaTransport::Udp,
            Self::Tcp => ViaTransport::Tcp,
            Self::Tls => ViaTransport::Tls,
            Self::Ws => ViaTransport::Ws,
            Self::Wss => ViaTransport::Wss,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.param())
    }
}

/// A way between two addresses: a pair of sockets, or one connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// How messages are carried.
    pub transport: Transport,
    /// Our address, as the other side can reach it.
    pub local: SocketAddr,
    /// The other side's address as we see it.
    pub remote: SocketAddr,
    /// The number of the connection, to be used again; `None` for UDP, or to open one.
    pub connection: Option<u64>,
    /// The identity in the other side's certificate, when there is one.
    pub certificate: Option<Arc<str>>,
}

impl Flow {
    /// A flow over UDP.
    #[must_use]
    pub fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self::new(Transport::Udp, local, remote)
    }

    /// A flow without a connection yet.
    #[must_use]
    pub fn new(transport: Transport, local: SocketAddr, remote: SocketAddr) -> Self {
        Self { transport, local, remote, connection: None, certificate: None }
    }

    /// A connection.
    #[must_use]
    pub fn connected(self, connection: u64) -> Self {
        Self { connection: Some(connection), ..self }
    }
}
