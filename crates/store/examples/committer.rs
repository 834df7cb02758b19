//! Commits one thing after the other and says what is acknowledged, until it is killed; for the
//! test that kills it. `committer <url> <key file> <name>`

use std::io::Write;
use std::path::Path;

use jackfield_model::{Actor, Kind, Operation};
use jackfield_store::{Store, StoreError, StoreHandle, StoreSettings};
use serde_json::json;

fn main() -> Result<(), StoreError> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().unwrap_or_default();
    let (url, key, name) = (next(), next(), next());
    let mut settings = StoreSettings::on_server(&url, Path::new(&key));
    settings.url = url.into();
    let store = Store::open(&settings, |_, _| {})?;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (handle, name) = (store.handle(), &name);
            scope.spawn(move || commit(&handle, &format!("{name}-{thread}")));
        }
    });
    Ok(())
}

/// Each operation makes a partition and a line in it: half of it would show.
fn commit(handle: &StoreHandle, name: &str) {
    for number in 0.. {
        let name = format!("{name}-{number}");
        let both = Operation::Batch(vec![
            Operation::Create { kind: Kind::Partition, body: json!({ "name": name }) },
            Operation::Create {
                kind: Kind::Line,
                body: json!({ "number": "2000", "partition": name, "description": name }),
            },
        ]);
        let Ok(id) = StoreHandle::operation_id() else { return };
        if handle.execute(id, Actor::System, both).is_err() {
            return;
        }
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{id} {name}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}
