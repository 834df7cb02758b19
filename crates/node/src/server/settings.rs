//! With what a node starts.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::{Context, Result};
use jackfield_store::StoreSettings;

use super::first_start::Sample;
use super::leases;

/// Where everything is kept.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseChoice {
    /// Folder of the built-in database and of the key file.
    pub(crate) folder: PathBuf,
    /// A PostgreSQL server in place of the built-in database.
    pub(crate) url: Option<String>,
}

impl DatabaseChoice {
    /// The store's settings, with the data folder made.
    pub(crate) fn store_settings(&self) -> Result<StoreSettings> {
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("making the data folder {}", self.folder.display()))?;
        // Where a node has run there is a system, and a new one in its place would be a loss.
        let has_run = self.folder.join(leases::IDENTITY).exists();
        Ok(if has_run { self.settings().existing() } else { self.settings() })
    }

    /// The store's settings; nothing is made.
    pub(crate) fn settings(&self) -> StoreSettings {
        match &self.url {
            None => StoreSettings::in_folder(&self.folder),
            Some(url) => StoreSettings::on_server(url, &self.folder.join("key")),
        }
    }
}

/// With what a node starts.
#[derive(Clone, Debug)]
pub(crate) struct ServeSettings {
    pub(crate) place: DatabaseChoice,
    /// This node's name in the cluster.
    pub(crate) node: Box<str>,
    /// The address by which phones reach it; found out when not given.
    pub(crate) address: Option<IpAddr>,
    pub(crate) sip: SocketAddr,
    /// Somebody named the port of `sip`; else that of the node's settings is taken.
    pub(crate) sip_is_given: bool,
    pub(crate) http: SocketAddr,
    pub(crate) files: SocketAddr,
    pub(crate) tftp: SocketAddr,
    pub(crate) media_ports: RangeInclusive<u16>,
    pub(crate) prompts: Option<PathBuf>,
    /// SIGTERM is waited for by whoever starts the node, so that it ends in good order.
    pub(crate) until_terminated: bool,
    /// Make a company to try things on, on the first start.
    pub(crate) sample: Option<Sample>,
}
