//! Fills an empty database with users, lines and phones, and prints how long things take:
//! `fill <folder or postgres://…> <key file> <users>`. Meant for a release build.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::time::Instant;

use jackfield_model::{Actor, FirstStart, Kind, Operation, Phone, ProvenBy};
use jackfield_store::{Answer, Store, StoreError, StoreHandle, StoreSettings};
use jackfield_vocabulary::{Mac, ObjectId};
use serde_json::json;

/// Operations that are on their way at once.
const AT_ONCE: usize = 100;

fn main() -> Result<(), StoreError> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().unwrap_or_default();
    let (url, key, users) = (next(), next(), next().parse().unwrap_or(1000));
    let settings = StoreSettings::on_server(&url, Path::new(&key));
    let store = Store::open(&settings, |_, _| {})?;
    let handle = store.handle();
    first_start(&handle)?;
    timed("fill", || fill(&handle, users))?;
    timed("edit every phone", || edit_phones(&handle))?;
    let phones = timed("take in 5000 new phones", || auto_register(&handle, 5000))?;
    timed("assign 1000 of them, 100 at a time", || assign(&handle, &phones, users.min(1000)))?;
    println!("memory: {}", memory());
    drop((handle, store));
    let store = timed("open again", || Store::open(&settings, |_, _| {}))?;
    println!("objects: {}; memory: {}", store.directory().len(), memory());
    Ok(())
}

fn timed<T>(what: &str, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let began = Instant::now();
    let done = work()?;
    println!("{what}: {:.2} s", began.elapsed().as_secs_f64());
    Ok(done)
}

fn first_start(handle: &StoreHandle) -> Result<(), StoreError> {
    let first = FirstStart {
        node: "node".into(),
        address: "127.0.0.1".into(),
        locale: "C".into(),
        time_zone: "Etc/UTC".into(),
    };
    execute(handle, Operation::FirstStart(first))?;
    let directory = handle.directory();
    let find = |kind, name: &str| {
        directory.find(kind, name).ok_or_else(|| StoreError::Settings(format!("no {name}")))
    };
    let registration = json!({
        "disabled": false, "starting_number": "9000000", "ending_number": "9009999",
        "unassigned_limit": 100_000, "per_minute": 100_000,
    });
    let id = find(Kind::AutoRegistration, "node")?;
    execute(handle, Operation::Update { id, version: None, patch: registration })?;
    let id = find(Kind::UserProfile, "Default")?;
    let patch = json!({ "allow_self_provisioning": true });
    execute(handle, Operation::Update { id, version: None, patch })
}

fn execute(handle: &StoreHandle, operation: Operation) -> Result<(), StoreError> {
    handle.execute(StoreHandle::operation_id()?, Actor::System, operation).map(drop)
}

fn fill(handle: &StoreHandle, users: u32) -> Result<(), StoreError> {
    let create = |kind, body| Operation::Create { kind, body };
    for from in (0..users).step_by(500) {
        let batch = (from..users.min(from + 500)).flat_map(|n| {
            let (number, user) = (format!("{}", 1_000_000 + n), format!("user{n}"));
            [
                create(Kind::Line, json!({ "number": number, "alerting_name": user })),
                create(
                    Kind::EndUser,
                    json!({
                        "user_id": user, "first_name": "Some", "last_name": user,
                        "primary_extension": number,
                    }),
                ),
                create(
                    Kind::Phone,
                    json!({
                        "name": format!("SEP{:012X}", 0x0011_0000_0000_u64 + u64::from(n)),
                        "model": "Generic SIP phone", "device_pool": "Default",
                        "security_profile": "Non-secure UDP", "sip_profile": "Default",
                        "owner": user, "lines": [{ "line": number, "label": user }],
                    }),
                ),
            ]
        });
        execute(handle, Operation::Batch(batch.collect()))?;
    }
    Ok(())
}

fn edit_phones(handle: &StoreHandle) -> Result<(), StoreError> {
    let ids: Vec<_> = handle.directory().all::<Phone>().map(|(phone, _)| phone.id()).collect();
    for ids in ids.chunks(1500) {
        let update = |&id| {
            let patch = json!({ "description": "edited" });
            Operation::Update { id, version: None, patch }
        };
        execute(handle, Operation::Batch(ids.iter().map(update).collect()))?;
    }
    Ok(())
}

/// Submits everything at once, as a boot storm does.
fn auto_register(handle: &StoreHandle, phones: u32) -> Result<Vec<ObjectId>, StoreError> {
    let model = handle.directory().find(Kind::PhoneModel, "Generic SIP phone").unwrap_or_default();
    let (send, receive) = channel();
    for n in 0..phones {
        let [_, a, b, c] = n.to_be_bytes();
        let mac = Mac([0, 0x22, 0x33, a, b, c]);
        let operation = Operation::AutoRegister { node: "node".into(), mac, model };
        let send = send.clone();
        let reply = move |answer| drop(send.send(answer));
        handle.submit(StoreHandle::operation_id()?, Actor::System, operation, Box::new(reply));
    }
    drop(send);
    receive.iter().map(committed).collect()
}

fn committed(answer: Answer) -> Result<ObjectId, StoreError> {
    match answer {
        Answer::Committed(jackfield_model::Outcome::AutoRegistered { device, .. }) => Ok(device),
        Answer::Committed(_) => Ok(ObjectId(0)),
        Answer::Refused(refusal) => Err(refusal.into()),
        other => Err(StoreError::Unknown(format!("{other:?}"))),
    }
}

fn assign(handle: &StoreHandle, phones: &[ObjectId], users: u32) -> Result<(), StoreError> {
    let (send, receive) = sync_channel(AT_ONCE);
    let mut under_way = 0;
    let settle = |receive: &Receiver<Answer>| -> Result<(), StoreError> {
        receive.recv().map_or(Ok(()), |answer| committed(answer).map(drop))
    };
    for (n, &device) in (0..users).zip(phones) {
        let name = format!("user{n}");
        let user = handle.directory().find(Kind::EndUser, &name).unwrap_or_default();
        let operation = Operation::Assign { device, user, proven_by: ProvenBy::Pin };
        let send = send.clone();
        let reply = move |answer| drop(send.send(answer));
        handle.submit(StoreHandle::operation_id()?, Actor::System, operation, Box::new(reply));
        under_way += 1;
        if under_way == AT_ONCE {
            settle(&receive)?;
            under_way -= 1;
        }
    }
    (0..under_way).try_for_each(|_| settle(&receive))
}

/// Memory that is the process's own, now and at its highest.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).unwrap_or("?").to_owned()
    };
    format!("{} KiB now, {} KiB at most", line("VmRSS"), line("VmHWM"))
}
