//! Measures what a registration costs the engine: fresh (challenge and answer) and refresh with a
//! held nonce, with so many phones configured. Usage: `registrations [phones] [rounds]`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a measurement, not the core")]

use std::sync::Arc;
use std::time::Instant;

use jackfield_engine::{Engine, Identity, Input, Output};
use jackfield_model::{DeviceSecrets, Directory, FirstStart, Ids, Kind, Operation};
use jackfield_sip::digest::{Algorithm, Challenge, Login};
use jackfield_sip::{Flow, HeaderName, Message};
use jackfield_vocabulary::{Now, ObjectId, UnixTime};
use serde_json::json;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u32>().unwrap());
    let phones = arguments.next().unwrap_or(2000);
    let rounds = arguments.next().unwrap_or(20);
    let directory = Arc::new(directory(phones));
    let identity = Identity { node: "node-1".into(), epoch: 1 };
    let mut engine = Engine::new(identity, Arc::clone(&directory), [3; 32]);
    let mut clock = 1_000_000;
    let mut out = Vec::new();
    let mut handle = |message: Vec<u8>, phone: u32| -> (Vec<u8>, u128) {
        clock += 10;
        let now = Now::new(clock, UnixTime(1_700_000_000_000 + clock / 1000));
        let [_, b, c, d] = phone.to_be_bytes();
        let remote = std::net::SocketAddr::from(([10, b, c, d], 5060));
        let flow = Flow::udp("192.0.2.10:5060".parse().unwrap(), remote);
        out.clear();
        let began = Instant::now();
        engine.handle(now, Input::Sip { flow, message }, &mut out);
        let took = began.elapsed().as_nanos();
        let answer = out.iter().find_map(|output| match output {
            Output::Transmit { message, .. } => Some(message.clone()),
            _ => None,
        });
        (answer.unwrap().to_vec(), took)
    };
    let mut passwords = Vec::new();
    for phone in 0..phones {
        let device = directory.find(Kind::Phone, &name(phone)).unwrap();
        passwords.push(directory.secrets().sip_password(device).reveal().to_owned());
    }
    let (mut challenged, mut fresh, mut refreshed) = (Vec::new(), Vec::new(), Vec::new());
    let mut challenges = Vec::new();
    for phone in 0..phones {
        let (answer, took) = handle(register(phone, 1, None), phone);
        challenged.push(took);
        let answer = Message::parse_datagram(&answer).unwrap();
        let all = answer.all(HeaderName::WwwAuthenticate).map(|v| Challenge::parse(v).unwrap());
        let challenge = all.last().unwrap();
        let line = login(&challenge, phone, &passwords, 1);
        let (answer, took) = handle(register(phone, 2, Some(line)), phone);
        assert!(answer.starts_with(b"SIP/2.0 200"), "{}", String::from_utf8_lossy(&answer));
        fresh.push(took);
        challenges.push(challenge);
    }
    for round in 0..rounds {
        for phone in 0..phones {
            let line = login(&challenges[phone as usize], phone, &passwords, 2 + round);
            let (answer, took) = handle(register(phone, 3 + round, Some(line)), phone);
            assert!(answer.starts_with(b"SIP/2.0 200"), "{}", String::from_utf8_lossy(&answer));
            refreshed.push(took);
        }
    }
    // Medians: whatever else runs on the machine shows in the mean.
    let median = |mut all: Vec<u128>| {
        all.sort_unstable();
        all[all.len() / 2] as f64 / 1000.0
    };
    println!("engine-challenge: {:.2} us", median(challenged));
    println!("engine-register-fresh: {:.2} us", median(fresh));
    println!("engine-register-refresh: {:.2} us", median(refreshed));
}

fn name(phone: u32) -> String {
    format!("SEP{phone:012X}")
}

fn login(challenge: &Challenge, phone: u32, passwords: &[String], count: u32) -> String {
    assert_eq!(challenge.algorithm, Some(Algorithm::Md5));
    let login = Login {
        username: &name(phone),
        password: &passwords[phone as usize],
        method: "REGISTER",
        uri: "sip:192.0.2.10",
        cnonce: "abcdefgh",
        count,
        body: &[],
    };
    challenge.answer(&login).unwrap().to_string()
}

fn register(phone: u32, sequence: u32, authorization: Option<String>) -> Vec<u8> {
    let name = name(phone);
    let [_, b, c, d] = phone.to_be_bytes();
    let authorization =
        authorization.map_or(String::new(), |line| format!("Authorization: {line}\r\n"));
    format!(
        "REGISTER sip:192.0.2.10 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.{b}.{c}.{d}:5060;branch=z9hG4bK-{phone}-{sequence};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{name}@192.0.2.10>;tag=t{sequence}\r\n\
         To: <sip:{name}@192.0.2.10>\r\nCall-ID: call-{phone}\r\nCSeq: {sequence} REGISTER\r\n\
         Contact: <sip:{name}@10.{b}.{c}.{d}:5060>\r\nUser-Agent: SIPp/3.7\r\n\
         {authorization}Expires: 3600\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn directory(phones: u32) -> Directory {
    let mut ids = Ids::after(ObjectId(0));
    let mut directory = Directory::default().with_secrets(DeviceSecrets::new([9; 32]));
    let mut sequence = 0;
    let mut done = |operation: Operation| {
        let verdict = operation.evaluate(&directory, &mut ids, UnixTime(0)).unwrap();
        sequence += 1;
        directory = directory.apply(sequence, &verdict.changes());
    };
    done(Operation::FirstStart(FirstStart {
        node: "node-1".into(),
        address: "192.0.2.10".into(),
        locale: "en_US.UTF-8".into(),
        time_zone: "Asia/Tokyo".into(),
    }));
    for chunk in (0..phones).collect::<Vec<_>>().chunks(500) {
        let create = |kind, body| Operation::Create { kind, body };
        let lines = chunk
            .iter()
            .map(|phone| create(Kind::Line, json!({ "number": (1_000_000 + phone).to_string() })));
        done(Operation::Batch(lines.collect()));
        let all = chunk.iter().map(|phone| {
            create(
                Kind::Phone,
                json!({
                    "name": name(*phone), "model": "Generic SIP phone", "device_pool": "Default",
                    "security_profile": "Non-secure UDP", "sip_profile": "Default",
                    "lines": [{ "line": (1_000_000 + phone).to_string() }],
                }),
            )
        });
        done(Operation::Batch(all.collect()));
    }
    directory
}
