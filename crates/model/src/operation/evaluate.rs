use jackfield_vocabulary::{Code, Refusal};
use serde_json::{Value, json};

use super::work::Work;
use super::{
    Ids, Operation, Outcome, Verdict, assign, auto_register, create, credentials, delete,
    first_start, import_auto_registration, quick_add, replace_phone, unassign, update,
};
use crate::Directory;

/// Operations in a batch at the most.
const BATCH: usize = 1500;

/// Judges an operation on a directory.
pub(super) fn evaluate(
    operation: &Operation,
    directory: &Directory,
    ids: &mut Ids,
) -> Result<Verdict, Refusal> {
    let mut work = Work::new(directory, ids);
    let outcome = step(operation, &mut work)?;
    Ok(work.verdict(outcome))
}

fn step(operation: &Operation, work: &mut Work<'_>) -> Result<Outcome, Refusal> {
    match operation {
        Operation::Create { kind, body } => create::create(work, *kind, body.clone()),
        Operation::Update { id, version, patch } => update::update(work, *id, *version, patch),
        Operation::Delete { id, version } => delete::delete(work, *id, *version),
        Operation::Batch(operations) => batch(work, operations),
        Operation::FirstStart(first) => first_start::first_start(work, first),
        Operation::AutoRegister { node, mac, model } => {
            auto_register::auto_register(work, node, *mac, *model)
        }
        Operation::ImportAutoRegistration(values) => import_auto_registration::import(work, values),
        Operation::Assign { device, user, proven_by } => {
            assign::assign(work, *device, *user, *proven_by)
        }
        Operation::Unassign { device } => unassign::unassign(work, *device),
        Operation::ReplacePhone { old, new } => replace_phone::replace_phone(work, *old, *new),
        Operation::QuickAdd { user, feature_group_template, extension } => {
            quick_add::quick_add(work, user, feature_group_template, extension)
        }
        Operation::SetCredential { owner, kind, hash } => {
            credentials::set(work, *owner, *kind, hash.clone())
        }
        Operation::RotateDeviceSecret { device } => credentials::rotate(work, *device),
        Operation::Unlock { owner } => credentials::unlock(work, *owner),
    }
}

/// Every operation in turn on what the ones before it left, or none.
fn batch(work: &mut Work<'_>, operations: &[Operation]) -> Result<Outcome, Refusal> {
    if operations.len() > BATCH {
        let refusal = Refusal::new(Code::TooLarge).value("found", operations.len());
        return Err(refusal.value("limit", BATCH));
    }
    let (mut saved, mut audits) = (Vec::new(), Vec::new());
    for (row, operation) in (1..).zip(operations) {
        work.audit = Value::Null;
        if matches!(operation, Operation::Batch(_)) {
            return Err(Refusal::new(Code::InvalidValue).value("row", row));
        }
        let outcome = step(operation, work).map_err(|refusal| refusal.value("row", row))?;
        if let Outcome::Saved(objects) = outcome {
            saved.extend(objects);
        }
        if !work.audit.is_null() {
            audits.push(work.audit.take());
        }
    }
    work.audit = if audits.is_empty() { Value::Null } else { json!({ "operations": audits }) };
    Ok(Outcome::Saved(saved))
}
