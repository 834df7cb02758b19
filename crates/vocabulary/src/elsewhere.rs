use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What a node hears of a phone from the others, by the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// From where it is registered at another node.
    pub host: Option<IpAddr>,
    /// It has its secret: it showed it at some node, or the file with it was fetched there.
    pub has_secret: bool,
}
