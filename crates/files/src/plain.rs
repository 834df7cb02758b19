//! The plain form: `key=value` lines in UTF-8, `#` for comments; for generic and virtual phones.
//!
//! `device`, `server` (host:port, first choice first, repeated), `transport` (udp, tcp, tls),
//! `security` (non-secure, authenticated, encrypted), `user`, `auth-user`, `password` (left out for
//! strangers), `display-name`, `label`, `expires`; `line.N.number`, `.display-name`, `.label`,
//! `.voicemail`, `.maximum-calls`; `speed-dial.N.number`, `.label`; `service.N.name`, `.url`;
//! `locale`, `time-zone`, `date-form`, `ntp`, `idle-url`, `auto-registered`, `version`.

use jackfield_model::{Node, SecurityMode, SignalTransport};

use crate::view::{View, push_authority};
use crate::writer::Writer;

/// Renders the file.
pub(crate) fn render(view: &View<'_>) -> Vec<u8> {
    let mut file = Writer::with_capacity(2 * 1024);
    file.raw("# Jackfield phone settings\n").raw("version=");
    let stamp = file.stamp_room();
    file.raw("\n");
    account(&mut file, view);
    lines(&mut file, view);
    rest(&mut file, view);
    file.stamp(stamp);
    file.into_body()
}

fn account(file: &mut Writer, view: &View<'_>) {
    let (device, transport) = (&view.device, view.device.transport());
    file.pair("device", view.name());
    for node in &view.nodes {
        let mut authority = String::with_capacity(64);
        let port = match transport {
            SignalTransport::Tls => Node::SECURE_SIP_PORT,
            SignalTransport::Tcp | SignalTransport::Udp => view.context.sip_ports.of(node),
        };
        push_authority(&mut authority, &node.address, port);
        file.pair("server", &authority);
    }
    file.pair("transport", transport_name(transport));
    file.pair(
        "security",
        match device.security_mode() {
            SecurityMode::NonSecure => "non-secure",
            SecurityMode::Authenticated => "authenticated",
            SecurityMode::Encrypted => "encrypted",
        },
    );
    let first = device.lines.first();
    file.pair("user", first.map_or(view.name(), |line| line.number()));
    file.pair("auth-user", view.name());
    if let Some(password) = view.password() {
        file.pair("password", password);
    }
    file.pair("display-name", first.map_or("", |line| &line.display));
    file.pair("label", first.map_or(view.name(), |line| &line.label));
    if let Some(profile) = &device.sip {
        file.raw("expires=").number(profile.registration_seconds).raw("\n");
        file.raw("rtp-ports=").number(profile.first_media_port).raw("-");
        file.number(profile.last_media_port).raw("\n");
        file.raw("dtmf-payload=").number(profile.dtmf_payload_type).raw("\n");
    }
}

fn lines(file: &mut Writer, view: &View<'_>) {
    for line in &view.device.lines {
        let index = u32::from(line.index);
        entry(file, "line", index, "number", line.number());
        entry(file, "line", index, "display-name", &line.display);
        entry(file, "line", index, "label", &line.label);
        entry(file, "line", index, "voicemail", view.voicemail(line));
        file.raw("line.").number(index).raw(".maximum-calls=").number(line.maximum_calls);
        file.raw("\n");
    }
    let dials = view.device.speed_dials.iter().map(|dial| (&dial.number, &dial.label));
    // Nobody can tell a phone of another's state yet, so that a lamp is a speed dial.
    let lamps = view.device.busy_lamp_fields.iter().map(|lamp| (&lamp.number, &lamp.label));
    for (index, (number, label)) in (1..).zip(dials.chain(lamps)) {
        entry(file, "speed-dial", index, "number", number);
        entry(file, "speed-dial", index, "label", label);
    }
}

fn rest(file: &mut Writer, view: &View<'_>) {
    for (index, service) in (1..).zip(&view.device.services) {
        entry(file, "service", index, "name", &service.name);
        entry(file, "service", index, "url", &view.expand(&service.url));
    }
    file.pair("locale", view.locale.tag);
    if let Some(clock) = view.clock {
        file.pair("time-zone", &clock.time_zone).pair("date-form", &clock.date_form);
        for server in &clock.ntp_servers {
            file.pair("ntp", server);
        }
    }
    if view.device.auto_registered {
        file.pair("auto-registered", "yes").pair("idle-url", &view.self_provisioning_url());
    }
}

/// The name of a transport in the plain form.
pub(crate) fn transport_name(transport: SignalTransport) -> &'static str {
    match transport {
        SignalTransport::Tcp => "tcp",
        SignalTransport::Udp => "udp",
        SignalTransport::Tls => "tls",
    }
}

fn entry(file: &mut Writer, kind: &str, index: u32, key: &str, value: &str) {
    file.raw(kind).raw(".").number(index).raw(".").pair(key, value);
}
