//! What a person is told when the node is there.

use std::net::SocketAddr;

use jackfield_model::setup::misplaced;
use jackfield_model::{Language, Service};
use jackfield_store::Store;

use super::{Addresses, Server};
use crate::say::say;

impl Server {
    /// Tells a person where the node is and what to do next.
    pub(crate) fn say_ready(&self) {
        let Addresses { advertised, sip, http, files, tftp } = self.addresses;
        let page = SocketAddr::new(
            if http.ip().is_unspecified() { advertised } else { http.ip() },
            http.port(),
        );
        say!("Jackfield {}", env!("CARGO_PKG_VERSION"));
        let door = |service, address: SocketAddr| match self.services.is_running(service) {
            true => address.to_string(),
            false => format!("{address} (not open)"),
        };
        let (files, tftp) = (door(Service::FileHttp, files), door(Service::Tftp, tftp));
        say!("  phones:  SIP {sip} (UDP, TCP); files by HTTP {files}, by TFTP {tftp}");
        say!("  people:  http://{page}/api/v1 and the jackfield command");
        if let Some(password) = &self.one_time_password {
            say!("  first administrator: admin, one-time password: {password}");
            // As it was typed here, so that it can be typed again.
            let command = std::env::args().next().unwrap_or_else(|| "jackfield".into());
            say!("  next:    {command} --server http://{page} login admin");
            say!("           {command} password admin");
            say!("           {command} setup");
        }
        let directory = self.store.as_ref().map(Store::directory).unwrap_or_default();
        let place = self.runtime.block_on(self.place.tell());
        for finding in misplaced(&directory, &place, Language::English) {
            say!("  warning: {} {}", finding.text, finding.remedy.unwrap_or_default());
        }
        say!("ready: {page}");
    }
}
