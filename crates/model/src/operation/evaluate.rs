use jackfield_vocabulary::{Code, Refusal};
use serde_json::{Value, json};

use super::authority::Authority;
use super::work::Work;
use super::{
    Actor, Ids, Operation, Outcome, Verdict, assign, auto_register, create, credentials, delete,
    first_start, import_auto_registration, quick_add, quick_remove, recover, replace_phone,
    unassign, update,
};
use crate::Directory;

/// Operations in a batch at the most.
const BATCH: usize = 1500;

/// Judges an operation on a directory, and that its actor may want it, where there is one.
pub(super) fn evaluate(
    operation: &Operation,
    actor: Option<&Actor>,
    directory: &Directory,
    ids: &mut Ids,
) -> Result<Verdict, Refusal> {
    let authority = match actor {
        Some(actor) => Authority::of(actor, directory)?,
        None => None,
    };
    let mut work = Work::new(directory, ids);
    let outcome = match operation {
        Operation::Batch(operations) => batch(&mut work, operations, authority.as_ref())?,
        operation => step(operation, &mut work, authority.as_ref())?,
    };
    if let Some(authority) = authority {
        authority.judge_consequences(&work)?;
    }
    Ok(work.verdict(outcome))
}

fn step(
    operation: &Operation,
    work: &mut Work<'_>,
    authority: Option<&Authority>,
) -> Result<Outcome, Refusal> {
    let Some(authority) = authority else { return carry_out(operation, work) };
    authority.admit(operation)?;
    let first = work.effects_from(0).len();
    let outcome = carry_out(operation, work)?;
    authority.judge_step(work, first)?;
    Ok(outcome)
}

fn carry_out(operation: &Operation, work: &mut Work<'_>) -> Result<Outcome, Refusal> {
    match operation {
        Operation::Create { kind, body } => create::create(work, *kind, body.clone()),
        Operation::Update { id, version, patch } => update::update(work, *id, *version, patch),
        Operation::Delete { id, version } => delete::delete(work, *id, *version),
        // A batch holds no batches.
        Operation::Batch(_) => Err(Refusal::new(Code::InvalidValue)),
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
        Operation::QuickAdd { user, feature_group_template, extension, credentials } => {
            quick_add::quick_add(work, user, feature_group_template, extension, credentials)
        }
        Operation::QuickRemove { user } => quick_remove::quick_remove(work, *user),
        Operation::SetCredential { owner, kind, hash } => {
            credentials::set(work, *owner, *kind, hash.clone())
        }
        Operation::RotateDeviceSecret { device } => credentials::rotate(work, *device),
        Operation::Unlock { owner } => credentials::unlock(work, *owner),
        Operation::Recover { user_id, hash, by } => recover::recover(work, user_id, hash, by),
    }
}

/// Every operation in turn on what the ones before it left, or none.
fn batch(
    work: &mut Work<'_>,
    operations: &[Operation],
    authority: Option<&Authority>,
) -> Result<Outcome, Refusal> {
    if operations.len() > BATCH {
        let refusal = Refusal::new(Code::TooLarge).value("found", operations.len());
        return Err(refusal.value("limit", BATCH));
    }
    let (mut saved, mut audits) = (Vec::new(), Vec::new());
    for (row, operation) in (1..).zip(operations) {
        work.audit = Value::Null;
        let outcome =
            step(operation, work, authority).map_err(|refusal| refusal.value("row", row))?;
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
