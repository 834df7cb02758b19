use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Where a device registered last with its own secret, and which one that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretShown {
    /// From where.
    pub address: IpAddr,
    /// The generation of the secret that it showed.
    pub generation: u32,
}
