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
use std::sync::{Arc, Mutex, PoisonError};

use jackfield_vocabulary::share::{self, Figures, uses};

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
    pub(crate) transfers: share::Limits,
    /// Bytes of files on their way.
    pub(crate) bytes: share::Limits,
    /// Answering sockets.
    pub(crate) sockets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let part = |limits: share::Limits| share::Limits {
            total: limits.total / SOCKETS,
            share: limits.share / SOCKETS,
            proved_share: limits.proved_share / SOCKETS,
            reserve: limits.reserve / SOCKETS,
        };
        Self {
            transfers: part(uses::TFTP_TRANSFERS.limits()),
            bytes: part(uses::TFTP_BYTES.limits()),
            sockets: SOCKETS as usize,
        }
    }
}

/// What the answering sockets hold, for the metrics page: each has its entry and writes it down.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Vec<[Figures; 2]>>>);

impl Board {
    /// An answering socket tells what it holds.
    pub(crate) fn set(&self, socket: usize, figures: [Figures; 2]) {
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sockets.len() <= socket {
            sockets.resize(socket + 1, Default::default());
        }
        sockets[socket] = figures;
    }

    /// What all of them hold.
    pub(crate) fn figures(&self) -> Vec<Figures> {
        let sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |at: usize| sockets.iter().map(|one| one[at].clone()).reduce(|a, b| a.plus(&b));
        (0..2).filter_map(sum).collect()
    }
}

/// Answering sockets.
const SOCKETS: u64 = 4;
