//! The TFTP door to phone files: RFC 1350 and 2347 to 2349, reading only, in the modes
//! octet and netascii.
//!
//! The server is a machine without sockets or clock; a driver feeds it. Requests come in on one
//! socket and are answered from a few others, so that thousands of phones that boot at once take no
//! descriptor each, and a transfer's port is none that everybody knows.

mod drive;
mod packet;
pub(crate) mod server;
mod transfer;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

pub(crate) use drive::serve;

/// Where files come from; asked on the driver's task, so it must not wait.
pub(crate) trait FileSource: Send + Sync {
    /// The file of this name, exactly as it was asked for, for this address.
    fn fetch(&self, name: &str, from: IpAddr) -> Result<Vec<u8>, FileFault>;
}

/// Why there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileFault {
    /// There is none of this name.
    NotFound,
    /// The name is a trick.
    Refused,
}

/// How much is held at once, on each answering socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Transfers that run at once.
    pub(crate) transfers: usize,
    /// Transfers of one address that run at once; more than that wait for their next request.
    pub(crate) per_source: usize,
    /// Bytes of files on their way.
    pub(crate) bytes: usize,
    /// Answering sockets.
    pub(crate) sockets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { transfers: 4096, per_source: 1024, bytes: 64 * 1024 * 1024, sockets: 4 }
    }
}
