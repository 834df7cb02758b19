//! Fills a directory with phones, lines and users through batches, and prints what that took:
//! `cargo run -p jackfield-model --example memory -- 60000`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::{Duration, Instant};

use jackfield_model::{Directory, FirstStart, Ids, Kind, Operation};
use jackfield_vocabulary::{ObjectId, UnixTime};
use serde_json::{Value, json};

const BATCH: u32 = 1500;

fn main() {
    let wanted = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(60_000);
    let (mut directory, mut ids) = (Directory::default(), Ids::after(ObjectId(0)));
    let first = Operation::FirstStart(FirstStart {
        node: "node-1".into(),
        address: "192.0.2.10".into(),
        locale: "en_US".into(),
        time_zone: "UTC".into(),
    });
    run(&first, &mut directory, &mut ids);
    let before = resident_kib();
    let started = Instant::now();
    let mut longest = Duration::ZERO;
    for kind in [Kind::Line, Kind::EndUser, Kind::Phone] {
        for start in (0..wanted).step_by(BATCH as usize) {
            let rows = start..(start + BATCH).min(wanted);
            let operations = rows.map(|row| Operation::Create { kind, body: body(kind, row) });
            let batch = Operation::Batch(operations.collect());
            let began = Instant::now();
            run(&batch, &mut directory, &mut ids);
            longest = longest.max(began.elapsed());
        }
    }
    println!("objects: {}", directory.len());
    println!("memory: {} MB", (resident_kib() - before) / 1024);
    println!("time: {:.1} s", started.elapsed().as_secs_f64());
    println!("longest batch of {BATCH}: {} ms", longest.as_millis());
    let began = Instant::now();
    for row in (0..wanted).step_by(wanted as usize / 100) {
        let id = directory.device(&name(row)).expect("the phone is there");
        let patch = json!({ "description": "changed" });
        let update = Operation::Update { id, version: None, patch };
        run(&update, &mut directory, &mut ids);
    }
    println!("one update: {} us", began.elapsed().as_micros() / 100);
    let looked_up = Instant::now();
    for row in 0..wanted {
        let device = directory.device(&name(row)).and_then(|id| directory.effective(id));
        assert_eq!(device.map(|device| device.lines.len()), Some(1));
    }
    println!("effective(): {:.1} us", looked_up.elapsed().as_secs_f64() * 1e6 / f64::from(wanted));
}

fn run(operation: &Operation, directory: &mut Directory, ids: &mut Ids) {
    let verdict = operation.evaluate(directory, ids, UnixTime(0)).expect("the rows are valid");
    *directory = directory.apply(directory.sequence() + 1, &verdict.changes());
}

fn body(kind: Kind, row: u32) -> Value {
    match kind {
        Kind::Line => json!({
            "number": number(row),
            "description": format!("First{row} Last{row}"),
            "alerting_name": format!("First{row} Last{row}"),
        }),
        Kind::EndUser => json!({
            "user_id": format!("user{row}"),
            "first_name": format!("First{row}"),
            "last_name": format!("Last{row}"),
            "mail": format!("user{row}@example.com"),
            "department": "Sales",
            "primary_extension": number(row),
        }),
        _ => json!({
            "name": name(row),
            "description": format!("First{row} Last{row}, CP-7841"),
            "model": "Cisco 7841",
            "device_pool": "Default",
            "security_profile": "Non-secure TCP",
            "sip_profile": "Default",
            "owner": format!("user{row}"),
            "lines": [{
                "line": number(row),
                "display": format!("First{row} Last{row}"),
                "label": number(row),
            }],
        }),
    }
}

fn number(row: u32) -> String {
    (100_000 + row).to_string()
}

fn name(row: u32) -> String {
    format!("SEP0011{row:08X}")
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
