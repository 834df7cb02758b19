//! What a phone that nobody knows gets where it has no `XMLDefault.cnf.xml` to fall back on: where
//! to register, as which device, and no secret. The server makes device and number when it
//! registers, and only where auto-registration is on (SP-43).

use jackfield_model::{Directory, Node, SignalTransport};
use jackfield_vocabulary::Mac;

use crate::Context;
use crate::bootstrap::provisioning;
use crate::default_file::newcomer_nodes;
use crate::plain::transport_name;
use crate::view::push_authority;
use crate::writer::Writer;

/// A phone that nobody knows.
pub(crate) struct Newcomer<'a> {
    device: String,
    node: &'a Node,
    transport: SignalTransport,
    sip_port: u16,
    file_port: u16,
}

impl<'a> Newcomer<'a> {
    /// `None` where auto-registration is off.
    pub(crate) fn find(mac: Mac, directory: &'a Directory, context: &Context<'_>) -> Option<Self> {
        let (_, settings) = directory.auto_registration(context.node)?;
        if settings.disabled {
            return None;
        }
        let transport = settings
            .device_template
            .and_then(|template| directory.get(template))
            .and_then(|template| directory.get(template.security_profile))
            .map_or(SignalTransport::Tcp, |profile| profile.transport);
        let node = *newcomer_nodes(directory, context).first()?;
        let sip_port = context.sip_ports.of(node);
        let (device, file_port) = (format!("SEP{mac}"), context.file_port);
        Some(Self { device, node, transport, sip_port, file_port })
    }

    /// As a flat profile.
    pub(crate) fn flat_profile(&self) -> Vec<u8> {
        let mut file = Writer::with_capacity(4 * 1024);
        file.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<flat-profile>\n");
        provisioning(&mut file, &self.node.address, self.file_port);
        file.numbered("Line_Enable_", 1, "Yes").numbered("Proxy_", 1, &self.server());
        file.numbered("Register_", 1, "Yes").numbered("User_ID_", 1, &self.device);
        file.numbered("Auth_ID_", 1, &self.device).numbered("Use_Auth_ID_", 1, "Yes");
        file.numbered("Password_", 1, "").numbered("Display_Name_", 1, "AUTO-REG");
        file.numbered("SIP_Transport_", 1, &transport_name(self.transport).to_uppercase());
        file.numbered("Auth_Resync-Reboot_", 1, "No").numbered("Extension_", 1, "1");
        file.numbered("Short_Name_", 1, "AUTO-REG");
        file.raw("</flat-profile>\n");
        file.into_body()
    }

    /// In the plain form.
    pub(crate) fn plain(&self) -> Vec<u8> {
        let mut file = Writer::with_capacity(512);
        file.raw("# Jackfield phone settings\n").pair("device", &self.device);
        file.pair("server", &self.server());
        file.pair("transport", transport_name(self.transport));
        file.pair("user", &self.device).pair("auth-user", &self.device);
        file.pair("label", "AUTO-REG").pair("auto-registration", "open");
        file.into_body()
    }

    fn server(&self) -> String {
        let mut authority = String::with_capacity(64);
        let port = match self.transport {
            SignalTransport::Tls => Node::SECURE_SIP_PORT,
            SignalTransport::Tcp | SignalTransport::Udp => self.sip_port,
        };
        push_authority(&mut authority, &self.node.address, port);
        authority
    }
}
