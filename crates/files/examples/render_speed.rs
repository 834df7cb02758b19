//! Renders the files of many phones and prints how many a second: `cargo run --release -p
//! jackfield-files --example render_speed [phones]`.

use std::hint::black_box;

use jackfield_files::{Asker, Context, FileRequest, render};
use jackfield_model::setup::SipPorts;
use jackfield_model::{Change, DeviceSecrets, Directory, Entry, Kind};
use jackfield_vocabulary::ObjectId;
use serde_json::{Value, json};

fn main() {
    let phones = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(60_000);
    let directory = company(phones);
    let context =
        Context { node: "node1", sip_ports: &SipPorts::new(), web_port: 8080, file_port: 6970 };
    let names = (0..phones).map(|phone| format!("SEP{phone:012X}.cnf.xml")).collect::<Vec<_>>();
    #[expect(clippy::disallowed_methods, reason = "an example measures")]
    let now = std::time::Instant::now;
    let (began, mut files, mut bytes) = (now(), 0_u64, 0);
    while began.elapsed().as_secs() < 3 {
        for at in 0..1000 {
            // Far apart in memory, as phones come.
            let name = &names[(files as usize * 7919 + at) % names.len()];
            let request = FileRequest { path: name, asker: Asker { trusted: true } };
            bytes =
                black_box(render(&request, &directory, &context)).map_or(0, |file| file.body.len());
            files += 1;
        }
    }
    let rate = files as f64 / began.elapsed().as_secs_f64();
    println!("files-rendered-{phones}: {rate:.0} per second on one core, {bytes} bytes each");
}

fn company(phones: u32) -> Directory {
    let directory = Directory::default().with_secrets(DeviceSecrets::new([7; 32]));
    let mut objects = vec![
        (1, Kind::ClusterSettings, json!({})),
        (
            2,
            Kind::Node,
            json!({ "name": "node1", "address": "192.0.2.1", "number": 1, "publisher": true }),
        ),
        (4, Kind::CallManagerGroup, json!({ "name": "d", "nodes": [2] })),
        (5, Kind::DateTimeGroup, json!({ "name": "t", "time_zone": "Asia/Tokyo" })),
        (6, Kind::Region, json!({ "name": "d" })),
        (7, Kind::Location, json!({ "name": "d" })),
        (
            8,
            Kind::DevicePool,
            json!({
                "name": "d", "call_manager_group": 4, "region": 6, "location": 7, "date_time_group": 5,
            }),
        ),
        (9, Kind::SecurityProfile, json!({ "name": "tcp" })),
        (10, Kind::SipProfile, json!({ "name": "d" })),
        (
            13,
            Kind::PhoneModel,
            json!({
                "name": "m", "maker": "m", "dialect": "enterprise", "device_prefix": "SEP",
                "maximum_lines": 4, "buttons": 8, "display": true,
            }),
        ),
    ];
    for phone in 0..phones {
        let (line, user) = (100 + phone * 3, 102 + phone * 3);
        objects.push((line, Kind::Line, json!({ "number": (1_000_000 + phone).to_string() })));
        let user_id = format!("user{phone}");
        objects.push((user, Kind::EndUser, json!({ "user_id": user_id, "locale": "en-US" })));
        objects.push((line + 1, Kind::Phone, json!({ "owner": user,
            "name": format!("SEP{phone:012X}"), "model": 13, "device_pool": 8,
            "security_profile": 9, "sip_profile": 10,
            "lines": [{ "line": line, "display": "Ada Lovelace", "label": "Ada" }],
            "speed_dials": (0..6).map(|n| json!({ "number": n.to_string(), "label": "Name" })).collect::<Vec<_>>(),
            "busy_lamp_fields": (0..6).map(|n| json!({ "number": n.to_string(), "label": "Name" })).collect::<Vec<_>>(),
        })));
    }
    let change = |(id, kind, body): (u32, Kind, Value)| {
        let body = kind.read(&body).expect("the sample is written by hand");
        Change { id: ObjectId(id), after: Some(Entry { version: 1, body }) }
    };
    let changes = objects.into_iter().map(change).collect::<Vec<_>>();
    directory.apply(1, &changes)
}
