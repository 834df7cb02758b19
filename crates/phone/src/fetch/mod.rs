//! Fetching files, without sockets: what to ask for, and the client sides of TFTP and HTTP.

mod http;
mod tftp;

use std::net::IpAddr;

pub use http::{HttpClient, HttpFault, HttpPage};
pub use tftp::{TftpClient, TftpStep};

use crate::settings::Door;

/// A file or page that a phone wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// The phone's own number for it, echoed in the answer.
    pub id: u64,
    /// How.
    pub door: Door,
    /// From where.
    pub host: IpAddr,
    /// At which port.
    pub port: u16,
    /// File name for TFTP, path and query for HTTP.
    pub path: String,
    /// Further header lines for HTTP.
    pub headers: Vec<(String, String)>,
}

/// What became of a [`FetchRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Here it is.
    Found(Vec<u8>),
    /// There is no such file.
    NotFound,
    /// The page is elsewhere.
    Moved(String),
    /// The server did not answer, or not properly.
    Failed(String),
}

/// The largest file a phone takes.
pub(crate) const LARGEST: usize = 1 << 20;
