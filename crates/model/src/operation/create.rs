use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::Value;

use super::work::Work;
use super::{Outcome, rules};
use crate::shape;
use crate::{Body, Kind};

/// Makes an object.
pub(super) fn create(work: &mut Work<'_>, kind: Kind, body: Value) -> Result<Outcome, Refusal> {
    let body = read(work, kind, body)?;
    let (id, version) = write(work, None, body)?;
    Ok(Outcome::Saved(vec![(id, version)]))
}

/// Reads a body: every field is known and of its form, and every reference leads somewhere.
pub(super) fn read(work: &Work<'_>, kind: Kind, mut body: Value) -> Result<Body, Refusal> {
    shape::judge(kind, &mut body, &work.directory)?;
    kind.read(&body).map_err(|error| {
        Refusal::new(Code::InvalidValue).value("found", error).value("allowed", kind)
    })
}

/// Checks an object and writes it, with whatever follows from it.
pub(super) fn write(
    work: &mut Work<'_>,
    id: Option<ObjectId>,
    body: Body,
) -> Result<(ObjectId, u32), Refusal> {
    body.check_fields().map_err(|report| refusal(&report))?;
    let before = id.and_then(|id| work.directory.entry(id)).map(|entry| entry.body.clone());
    rules::check(&work.directory, id, before.as_ref(), &body)?;
    let id = id.unwrap_or_else(|| work.ids.take());
    let version = work.put(id, body.clone());
    rules::follow(work, id, before.as_ref(), &body);
    Ok((id, version))
}

/// The first of the broken field rules.
fn refusal(report: &garde::Report) -> Refusal {
    let refusal = Refusal::new(Code::InvalidValue);
    match report.iter().next() {
        Some((path, error)) => {
            refusal.field(path.to_string()).value("found", "").value("allowed", error.message())
        }
        None => refusal.value("found", "").value("allowed", ""),
    }
}
