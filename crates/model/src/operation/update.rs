use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::Value;

use super::work::Work;
use super::{Outcome, create, derived, lent};

/// Changes some fields of an object.
pub(super) fn update(
    work: &mut Work<'_>,
    id: ObjectId,
    version: Option<u32>,
    patch: &Value,
) -> Result<Outcome, Refusal> {
    let entry = work.entry(id)?;
    check_version(entry.version, version)?;
    let kind = entry.body.kind();
    if !patch.is_object() {
        let refusal = Refusal::new(Code::InvalidValue).value("found", patch);
        return Err(refusal.value("allowed", "{ }"));
    }
    let mut body = entry.body.to_json();
    merge(&mut body, patch);
    let before = work.entry(id)?.body.clone();
    let body = create::read(work, kind, body)?;
    let body = lent::claimed_by_hand(&work.directory, &before, body);
    let body = derived::with_own_texts(&work.directory, id, &before, body);
    if body == before {
        return Ok(Outcome::Saved(vec![(id, work.entry(id)?.version)]));
    }
    let (id, version) = create::write(work, Some(id), body)?;
    lent::free(work, &before);
    let after = work.entry(id)?.body.clone();
    derived::follow(work, id, &before, &after);
    Ok(Outcome::Saved(vec![(id, version)]))
}

/// Refuses to overwrite what somebody changed since it was read.
pub(super) fn check_version(latest: u32, read: Option<u32>) -> Result<(), Refusal> {
    match read {
        Some(read) if read != latest => {
            let refusal = Refusal::new(Code::VersionConflict).value("read", read);
            Err(refusal.value("latest", latest))
        }
        _ => Ok(()),
    }
}

/// JSON merge patch, RFC 7396: `null` takes a field back to its default.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    #[test]
    fn a_patch_replaces_removes_and_goes_into_objects() {
        // From the example of RFC 7396, 3.
        let mut document = json!({"title": "Goodbye!", "author": {"a": 1, "b": 2}, "tags": [1]});
        merge(&mut document, &json!({"title": "Hello!", "author": {"b": null}, "tags": [2, 3]}));
        assert_eq!(document, json!({"title": "Hello!", "author": {"a": 1}, "tags": [2, 3]}));
    }
}
