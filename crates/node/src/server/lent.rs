//! Numbers that an older program lent to new phones and did not take back when the phones went: they
//! would use up the range for ever.

use jackfield_model::{Actor, Operation, lent_to_nobody};
use jackfield_store::{StoreError, StoreHandle};
use jackfield_vocabulary::ObjectId;

/// Numbers freed by one operation.
const CHUNK: usize = 500;

/// Frees the numbers that nobody has any more.
pub(crate) fn free(store: &StoreHandle) {
    let lent = lent_to_nobody(&store.directory());
    let freed: usize = lent.chunks(CHUNK).map(|lines| delete(store, lines)).sum();
    if freed > 0 {
        tracing::info!(
            lines.freed = freed,
            "numbers that were lent to phones that are gone are free"
        );
    }
}

/// Deletes these lines, but those that something refers to all the same; how many.
fn delete(store: &StoreHandle, lines: &[ObjectId]) -> usize {
    let one = |line: &ObjectId| Operation::Delete { id: *line, version: None };
    let deleted = StoreHandle::operation_id().and_then(|id| {
        store.execute(id, Actor::System, Operation::Batch(lines.iter().map(one).collect()))
    });
    match deleted {
        Ok(_) => lines.len(),
        Err(StoreError::Refused(_)) if lines.len() > 1 => {
            let (some, others) = lines.split_at(lines.len() / 2);
            delete(store, some) + delete(store, others)
        }
        Err(error) => {
            tracing::debug!(error.cause = %error, "a lent number stays");
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use jackfield_model::{FirstStart, Kind, Line, Outcome};
    use jackfield_store::{Store, StoreSettings};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_number_that_is_lent_to_nobody_is_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreSettings::in_folder(folder.path()), |_, _| {}).unwrap();
        let handle = store.handle();
        let run = |operation| {
            let id = StoreHandle::operation_id().unwrap();
            handle.execute(id, Actor::System, operation).unwrap()
        };
        let make = |kind, body: Value| run(Operation::Create { kind, body });
        run(Operation::FirstStart(FirstStart {
            node: "node1".into(),
            address: "192.0.2.10".into(),
            locale: "en_US".into(),
            time_zone: "Etc/UTC".into(),
        }));
        for (number, lent) in [("9001", true), ("9002", true), ("9003", true), ("3001", false)] {
            let made = make(Kind::Line, json!({ "number": number, "auto_registered": lent }));
            assert!(matches!(made, Outcome::Saved(_)));
        }
        let phone = json!({ "name": "SEP001122AABB01", "model": "Cisco 7841", "lines": [{ "line": "9002" }] });
        make(Kind::Phone, phone);
        free(&handle);
        let directory = handle.directory();
        let left = directory.all::<Line>().map(|(_, line)| line.number.as_str().to_owned());
        assert_eq!(left.collect::<Vec<_>>(), ["3001", "9002"]);
    }
}
