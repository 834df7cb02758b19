//! A small company: one node in Tokyo, a phone of every dialect, a newcomer.

#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use jackfield_files::{Asker, Context, File, FileError, FileRequest, render};
use jackfield_model::setup::SipPorts;
use jackfield_model::{Change, DeviceSecrets, Directory, Entry, Kind};
use jackfield_vocabulary::ObjectId;
use serde_json::{Value, json};

pub(crate) const NODE: ObjectId = ObjectId(2);
pub(crate) const AUTO_REGISTRATION: ObjectId = ObjectId(30);
pub(crate) const SECURITY: ObjectId = ObjectId(9);
pub(crate) const DESK: ObjectId = ObjectId(20);
pub(crate) const CONFERENCE: ObjectId = ObjectId(21);
pub(crate) const GENERIC: ObjectId = ObjectId(22);
pub(crate) const VIRTUAL: ObjectId = ObjectId(23);
pub(crate) const NEWCOMER: ObjectId = ObjectId(24);

/// Puts objects into a directory.
pub(crate) fn with(directory: &Directory, objects: &[(u32, Kind, Value)]) -> Directory {
    let changes = objects
        .iter()
        .map(|(id, kind, body)| {
            let body = kind.read(body).unwrap_or_else(|error| panic!("{kind} {id}: {error}"));
            Change { id: ObjectId(*id), after: Some(Entry { version: 1, body }) }
        })
        .collect::<Vec<_>>();
    directory.apply(directory.sequence() + 1, &changes)
}

/// The company.
pub(crate) fn company() -> Directory {
    let directory = Directory::default().with_secrets(DeviceSecrets::new([7; 32]));
    with(&with(&directory, &settings()), &phones())
}

fn settings() -> Vec<(u32, Kind, Value)> {
    let model = |name: &str, dialect: &str, product: &str, enumeration: Option<u32>| {
        json!({
            "name": name, "maker": "Maker", "dialect": dialect, "product": product,
            "enumeration": enumeration, "device_prefix": "SEP", "maximum_lines": 2, "buttons": 4,
            "display": true,
        })
    };
    vec![
        (1, Kind::ClusterSettings, json!({ "provisioning_networks": ["198.51.100.0/24"] })),
        (
            2,
            Kind::Node,
            json!({ "name": "node1", "address": "192.0.2.1", "number": 1, "publisher": true }),
        ),
        (3, Kind::Node, json!({ "name": "node2", "address": "192.0.2.2", "number": 2 })),
        (4, Kind::CallManagerGroup, json!({ "name": "default", "nodes": [2, 3] })),
        (
            5,
            Kind::DateTimeGroup,
            json!({
                "name": "Tokyo", "time_zone": "Asia/Tokyo", "ntp_servers": ["ntp.example.com"],
            }),
        ),
        (6, Kind::Region, json!({ "name": "default" })),
        (7, Kind::Location, json!({ "name": "default" })),
        (
            8,
            Kind::DevicePool,
            json!({
                "name": "default", "call_manager_group": 4, "region": 6, "location": 7,
                "date_time_group": 5,
            }),
        ),
        (9, Kind::SecurityProfile, json!({ "name": "tcp" })),
        (10, Kind::SipProfile, json!({ "name": "default" })),
        (11, Kind::CommonDeviceConfiguration, json!({ "name": "ja", "locale": "ja-JP" })),
        (12, Kind::VoicemailProfile, json!({ "name": "default", "pilot": "8000" })),
        (13, Kind::PhoneModel, model("Cisco 7841", "enterprise", "CP-7841", Some(622))),
        (14, Kind::PhoneModel, model("Cisco 7832", "multiplatform", "CP-7832-3PCC", None)),
        (15, Kind::PhoneModel, model("Generic SIP", "generic", "", None)),
        (16, Kind::PhoneModel, model("Virtual phone", "virtual", "", None)),
        (
            17,
            Kind::PhoneService,
            json!({
                "name": "News & weather", "url": "http://{server}/news?of={device}&in={lang}{odd",
                "everywhere": true,
            }),
        ),
        (
            18,
            Kind::UniversalDeviceTemplate,
            json!({
                "name": "new phones", "device_pool": 8, "security_profile": 9, "sip_profile": 10,
            }),
        ),
        (
            30,
            Kind::AutoRegistration,
            json!({
                "name": "node1", "node": 2, "disabled": false, "device_template": 18,
                "starting_number": "7000", "ending_number": "7999",
            }),
        ),
        (31, Kind::SelfProvisioning, json!({ "mode": "users-and-administrators" })),
    ]
}

fn phones() -> Vec<(u32, Kind, Value)> {
    let line = |number: &str| json!({ "number": number, "alerting_name": "Name", "voicemail_profile": 12 });
    let phone = |name: &str, model: u32, line: u32| {
        json!({
            "name": name, "model": model, "device_pool": 8, "security_profile": 9,
            "sip_profile": 10, "common_device_configuration": 11,
            "lines": [{ "line": line, "display": "Ada <R&D> \"Lovelace\"", "label": "Ada" }],
            "speed_dials": [{ "number": "2000", "label": "Self-provisioning" }],
            "busy_lamp_fields": [{ "number": "2002" }],
        })
    };
    let mut newcomer = phone("SEP0011223344FF", 13, 44);
    newcomer["auto_registered"] = true.into();
    vec![
        (40, Kind::Line, line("2001")),
        (41, Kind::Line, line("2002")),
        (42, Kind::Line, line("2003")),
        (43, Kind::Line, line("2004")),
        (44, Kind::Line, line("7000")),
        (20, Kind::Phone, phone("SEP001122334401", 13, 40)),
        (21, Kind::Phone, phone("SEP001122334402", 14, 41)),
        (22, Kind::Phone, phone("SEP001122334403", 15, 42)),
        (23, Kind::Phone, phone("SEP001122334404", 16, 43)),
        (24, Kind::Phone, newcomer),
    ]
}

static PORTS: SipPorts = SipPorts::new();
pub(crate) const CONTEXT: Context<'static> =
    Context { node: "node1", sip_ports: &PORTS, web_port: 8080, file_port: 6970 };

/// Fetches a file as somebody whose address is trusted for it, or as a stranger.
pub(crate) fn fetch(directory: &Directory, path: &str, trusted: bool) -> Result<File, FileError> {
    render(&FileRequest { path, asker: Asker { trusted } }, directory, &CONTEXT)
}

/// The text of a file that is there.
pub(crate) fn text(directory: &Directory, path: &str, trusted: bool) -> String {
    let file = fetch(directory, path, trusted).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8(file.body).unwrap()
}
