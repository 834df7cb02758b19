//! The TFTP door to phone files: RFC 1350 and 2347 to 2349, reading only, in the modes
//! octet and netascii.
//!
//! The server is a machine without sockets or clock; a driver feeds it. Requests come in on one
//! socket and go to a few desks, each of which answers from many sockets of its own. Which of them
//! answers a transfer is drawn in secret: so thousands of phones that boot at once take no descriptor
//! each, and who forges a client's address can't acknowledge in its name, as he would have to guess the
//! port (RFC 1350 section 4).

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

/// How much is held at once, at each desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Transfers that run at once.
    pub(crate) transfers: share::Limits,
    /// Bytes of files on their way.
    pub(crate) bytes: share::Limits,
    /// Desks.
    pub(crate) desks: usize,
    /// Answering sockets of each desk.
    pub(crate) sockets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let part = |limits: share::Limits| share::Limits {
            total: limits.total / DESKS,
            share: limits.share / DESKS,
            proved_share: limits.proved_share / DESKS,
            reserve: limits.reserve / DESKS,
        };
        Self {
            transfers: part(uses::TFTP_TRANSFERS.limits()),
            bytes: part(uses::TFTP_BYTES.limits()),
            desks: DESKS as usize,
            sockets: SOCKETS,
        }
    }
}

/// What the desks hold, for the metrics page: each has its entry and writes it down.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Vec<[Figures; 2]>>>);

impl Board {
    /// A desk tells what it holds.
    pub(crate) fn set(&self, desk: usize, figures: [Figures; 2]) {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if desks.len() <= desk {
            desks.resize(desk + 1, Default::default());
        }
        desks[desk] = figures;
    }

    /// What all of them hold.
    pub(crate) fn figures(&self) -> Vec<Figures> {
        let desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |at: usize| desks.iter().map(|one| one[at].clone()).reduce(|a, b| a.plus(&b));
        (0..2).filter_map(sum).collect()
    }
}

const DESKS: u64 = 4;

/// Answering sockets of a desk: whoever guesses hits a transfer's port once in 256 times.
const SOCKETS: usize = 64;
