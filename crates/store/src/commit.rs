//! One operation in the running transaction: judged on the latest directory, then written with its
//! keys, references, change rows and outcome, or not at all.

use std::panic::AssertUnwindSafe;

use jackfield_model::{Actor, Ids, Operation, Outcome, Verdict};
use jackfield_vocabulary::{ObjectId, OperationId, Refusal, UnixTime};
use serde_json::{Value as Json, json};

use crate::StoreError;
use crate::administrator::Stake;
use crate::database::{Database, Value, widen};
use crate::log::{Log, Origin, to_text};
use crate::state::{State, set_meta_number};
use crate::vault::Vault;
use crate::write::Writing;
use crate::writer::Turn;

/// An operation on its way.
pub(crate) struct Wanted {
    pub(crate) id: OperationId,
    pub(crate) actor: Actor,
    pub(crate) operation: Operation,
}

/// What the operation table says of an id.
pub(crate) enum Past {
    Committed(Outcome),
    Dead,
    Unseen,
}

/// Looks up what became of an operation.
pub(crate) fn past(database: &mut Database, id: OperationId) -> Result<Past, StoreError> {
    let row = database.row(
        "SELECT outcome FROM operation WHERE id = ?1",
        &[id.to_string().into()],
        |row| Ok(row.optional_text(0)?.map(ToOwned::to_owned)),
    )?;
    match row {
        None => Ok(Past::Unseen),
        Some(None) => Ok(Past::Dead),
        Some(Some(outcome)) => serde_json::from_str(&outcome)
            .map(Past::Committed)
            .map_err(|error| StoreError::Corrupt(format!("outcome of operation {id}: {error}"))),
    }
}

/// Makes sure that an operation that was never seen is never carried out.
pub(crate) fn bury(
    database: &mut Database,
    id: OperationId,
    now: UnixTime,
) -> Result<(), StoreError> {
    remember(database, id, now, Value::Null)
}

/// Carries out an operation that was not seen before.
pub(crate) fn carry_out(
    database: &mut Database,
    state: &mut State,
    vault: &Vault,
    wanted: &Wanted,
    now: UnixTime,
) -> Result<Outcome, StoreError> {
    let mut ids = Ids::after(state.last_id);
    let verdict = evaluate(wanted, state, &mut ids, now)?;
    let mut next = state.clone();
    let writing = Writing { vault, wanted, now };
    database.savepoint(|database| {
        let stake = Stake::find(database, &state.directory, &verdict)?;
        writing.write(database, &mut next, &verdict)?;
        stake.check(database, &next.directory)?;
        if ids.last() != state.last_id {
            next.last_id = ids.last();
            set_meta_number(database, "last-id", u64::from(next.last_id.0))?;
        }
        let outcome = to_text(&verdict.outcome)?;
        remember(database, wanted.id, now, outcome.into())
    })?;
    *state = next;
    Ok(verdict.outcome)
}

/// Judges the operation. One that panics changes nothing and is refused: the writer goes on, and
/// the same operation sent again can't stop it.
fn evaluate(
    wanted: &Wanted,
    state: &State,
    ids: &mut Ids,
    now: UnixTime,
) -> Result<Verdict, StoreError> {
    // The directory is read only and the ids are given up: nothing half-done can be seen after.
    let judge = AssertUnwindSafe(|| {
        wanted.operation.evaluate_for(&wanted.actor, &state.directory, ids, now)
    });
    match std::panic::catch_unwind(judge) {
        Ok(verdict) => Ok(verdict?),
        Err(_) => Err(StoreError::Fault("judging the operation panicked".into())),
    }
}

/// Writes down that an assignment was refused, and why (SP-56).
pub(crate) fn note_refusal(
    database: &mut Database,
    state: &mut State,
    wanted: &Wanted,
    refusal: &Refusal,
    now: UnixTime,
) -> Result<(), StoreError> {
    let object = match &wanted.operation {
        Operation::Assign { device, .. } | Operation::Unassign { device } => *device,
        Operation::ReplacePhone { new, .. } => *new,
        _ => return Ok(()),
    };
    let detail = Some(json!({ "refused": refusal, "wanted": wanted.operation }));
    let log = Log { object: Some(object), detail, ..Log::default() };
    Origin::of(wanted, now)?.append(database, state, vec![log])
}

/// Writes down something that was done without a change.
pub(crate) fn note(
    turn: &mut Turn<'_>,
    actor: &Actor,
    what: &str,
    object: Option<ObjectId>,
    detail: Json,
) -> Result<(), StoreError> {
    let origin = Origin::elsewhere(actor, what, turn.now)?;
    let log = Log { object, detail: Some(detail), ..Log::default() };
    origin.append(turn.database, turn.state, vec![log])
}

fn remember(
    database: &mut Database,
    id: OperationId,
    now: UnixTime,
    outcome: Value<'_>,
) -> Result<(), StoreError> {
    database.execute(
        "INSERT INTO operation (id, time, outcome) VALUES (?1, ?2, ?3)",
        &[id.to_string().into(), widen(now.0), outcome],
    )?;
    Ok(())
}
