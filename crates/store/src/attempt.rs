//! Attempts at credentials. Each is recorded before the secret is looked at, so that many at once
//! can't beat the limit; the record is in the database, so that neither a restart nor another node
//! forgets it.

use jackfield_model::{CredentialKind, Directory, SelfProvisioning};
use jackfield_vocabulary::{ObjectId, UnixTime};

use crate::StoreError;
use crate::database::{Database, DatabaseError, widen};
use crate::writer::Turn;

/// Whether a secret is the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It is.
    Right,
    /// It is not, or there is no such account; the failure is counted.
    Wrong,
    /// The account is locked; the secret was not looked at.
    Locked {
        /// Until then; `None` until an administrator unlocks it.
        until: Option<UnixTime>,
    },
    /// The account has no such credential.
    NoCredential,
    /// It can't be checked now.
    Unavailable,
}

/// An attempt that may look at the secret.
pub(crate) struct Attempt {
    pub(crate) owner: Option<ObjectId>,
    pub(crate) kind: CredentialKind,
    pub(crate) row: i64,
    /// The hash to compare with; none when there is none.
    pub(crate) hash: Option<Vec<u8>>,
}

/// What an attempt comes to before the secret is looked at.
pub(crate) enum Begun {
    Attempt(Attempt),
    Locked { until: Option<UnixTime> },
}

/// Failures within a time after which there are no more tries for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    /// 0 means no limit.
    failures: u32,
    window: u64,
    /// 0 means until somebody unlocks.
    lock: u64,
}

/// Records an attempt, or says that the account is locked. Unknown accounts do the same work.
pub(crate) fn begin(
    turn: &mut Turn<'_>,
    owner: Option<ObjectId>,
    kind: CredentialKind,
) -> Result<Begun, StoreError> {
    let database = &mut *turn.database;
    let row_owner = owner.unwrap_or(NOBODY);
    let hash = turn.vault.get(database, row_owner.0, name(kind))?;
    let limit = owner.map_or(NO_LIMIT, |owner| limit(&turn.state.directory, owner, kind));
    match lock(limit, &recent(database, row_owner, kind, limit.failures)?, turn.now) {
        Lock::Shut(until) => return Ok(Begun::Locked { until }),
        // The lock's time is over: the account starts anew.
        Lock::Over => forget(database, row_owner, kind)?,
        Lock::Open => {}
    }
    let row = database
        .row(
            "INSERT INTO credential_attempt (owner, kind, time) VALUES (?1, ?2, ?3) RETURNING id",
            &[row_owner.0.into(), name(kind).into(), widen(turn.now.0)],
            |row| row.int(0),
        )?
        .ok_or_else(|| StoreError::Fault("a new row has no id".into()))?;
    Ok(Begun::Attempt(Attempt { owner, kind, row, hash }))
}

/// Writes down what the attempt came to. A wrong one was counted when it began.
pub(crate) fn finish(
    turn: &mut Turn<'_>,
    attempt: &Attempt,
    right: bool,
) -> Result<(), StoreError> {
    let counts = attempt.owner.is_some() && attempt.hash.is_some();
    match (right, attempt.owner, attempt.kind) {
        // The code is everybody's: one who knows it does not clear the guesses of others.
        (true, Some(owner), CredentialKind::Password | CredentialKind::Pin) => {
            forget(turn.database, owner, attempt.kind)?;
        }
        (false, _, _) if counts => {}
        _ => {
            turn.database
                .execute("DELETE FROM credential_attempt WHERE id = ?1", &[attempt.row.into()])?;
        }
    }
    Ok(())
}

/// Takes the newest failure of a credential back.
pub(crate) fn forgive(
    turn: &mut Turn<'_>,
    owner: ObjectId,
    kind: CredentialKind,
) -> Result<(), StoreError> {
    turn.database.execute(
        "DELETE FROM credential_attempt WHERE id = (SELECT max(id) FROM credential_attempt \
         WHERE owner = ?1 AND kind = ?2)",
        &[owner.0.into(), name(kind).into()],
    )?;
    Ok(())
}

/// Whether and until when an account is locked.
pub(crate) fn locked(
    turn: &mut Turn<'_>,
    owner: ObjectId,
    kind: CredentialKind,
) -> Result<Option<Option<UnixTime>>, StoreError> {
    let limit = limit(&turn.state.directory, owner, kind);
    let times = recent(turn.database, owner, kind, limit.failures)?;
    Ok(match lock(limit, &times, turn.now) {
        Lock::Shut(until) => Some(until),
        Lock::Over | Lock::Open => None,
    })
}

/// Forgets the failures of one credential.
pub(crate) fn forget(
    database: &mut Database,
    owner: ObjectId,
    kind: CredentialKind,
) -> Result<(), DatabaseError> {
    database.execute(
        "DELETE FROM credential_attempt WHERE owner = ?1 AND kind = ?2",
        &[owner.0.into(), name(kind).into()],
    )?;
    Ok(())
}

/// Forgets all failures of an account.
pub(crate) fn forget_all(database: &mut Database, owner: ObjectId) -> Result<(), DatabaseError> {
    database.execute("DELETE FROM credential_attempt WHERE owner = ?1", &[owner.0.into()])?;
    Ok(())
}

/// Throws away attempts before a time, but none that still lock an account: an account may stay
/// locked until somebody unlocks it.
pub(crate) fn prune(turn: &mut Turn<'_>, before: UnixTime) -> Result<u64, StoreError> {
    let accounts = turn.database.rows(
        "SELECT DISTINCT owner, kind FROM credential_attempt WHERE time < ?1 LIMIT 1500",
        &[widen(before.0)],
        |row| Ok((ObjectId(row.number(0)?), row.text(1)?.to_owned())),
    )?;
    let mut gone = 0;
    for (owner, kind_name) in accounts {
        let kind = KINDS.into_iter().find(|kind| name(*kind) == kind_name);
        if let Some(kind) = kind
            && locked(turn, owner, kind)?.is_some()
        {
            continue;
        }
        gone += turn.database.execute(
            "DELETE FROM credential_attempt WHERE owner = ?1 AND kind = ?2 AND time < ?3",
            &[owner.0.into(), kind_name.into(), widen(before.0)],
        )?;
    }
    Ok(gone)
}

/// The name of a kind of credential in tables.
pub(crate) fn name(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Password => "password",
        CredentialKind::Pin => "pin",
        CredentialKind::Code => "code",
    }
}

const KINDS: [CredentialKind; 3] =
    [CredentialKind::Password, CredentialKind::Pin, CredentialKind::Code];

const NOBODY: ObjectId = ObjectId(0);
const NO_LIMIT: Limit = Limit { failures: 0, window: 0, lock: 0 };
const MINUTE: u64 = 60_000;

fn limit(directory: &Directory, owner: ObjectId, kind: CredentialKind) -> Limit {
    if kind == CredentialKind::Code {
        let settings = directory.typed::<SelfProvisioning>(owner);
        let failures = settings.map_or(10, |settings| settings.code_failures_per_minute);
        return Limit { failures: failures.into(), window: MINUTE, lock: MINUTE };
    }
    let policy = directory.credential_policy_of(owner).and_then(|policy| directory.get(policy));
    match policy {
        Some(policy) => Limit {
            failures: policy.failures.into(),
            window: u64::from(policy.window_minutes) * MINUTE,
            lock: u64::from(policy.lock_minutes) * MINUTE,
        },
        None => Limit { failures: 5, window: 30 * MINUTE, lock: 30 * MINUTE },
    }
}

fn recent(
    database: &mut Database,
    owner: ObjectId,
    kind: CredentialKind,
    failures: u32,
) -> Result<Vec<UnixTime>, DatabaseError> {
    database.rows(
        "SELECT time FROM credential_attempt WHERE owner = ?1 AND kind = ?2 \
         ORDER BY id DESC LIMIT ?3",
        &[owner.0.into(), name(kind).into(), failures.into()],
        |row| row.number(0).map(UnixTime),
    )
}

#[derive(Debug, PartialEq, Eq)]
enum Lock {
    Open,
    Shut(Option<UnixTime>),
    Over,
}

/// Judges the last failures, newest first.
fn lock(limit: Limit, failures: &[UnixTime], now: UnixTime) -> Lock {
    let (Some(newest), Some(oldest)) = (failures.first(), failures.last()) else {
        return Lock::Open;
    };
    let few = (failures.len() as u64) < u64::from(limit.failures);
    if limit.failures == 0 || few || newest.0.saturating_sub(oldest.0) > limit.window {
        return Lock::Open;
    }
    if limit.lock == 0 {
        return Lock::Shut(None);
    }
    let until = UnixTime(newest.0.saturating_add(limit.lock));
    if now < until { Lock::Shut(Some(until)) } else { Lock::Over }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_failures_within_the_window_lock_for_so_long() {
        let limit = Limit { failures: 3, window: 1000, lock: 500 };
        let at = |times: &[u64], now| {
            let times: Vec<_> = times.iter().copied().map(UnixTime).collect();
            lock(limit, &times, UnixTime(now))
        };
        assert_eq!(at(&[], 0), Lock::Open);
        assert_eq!(at(&[900, 100], 900), Lock::Open);
        assert_eq!(at(&[1000, 900, 100], 1100), Lock::Shut(Some(UnixTime(1500))));
        assert_eq!(at(&[1000, 900, 100], 1500), Lock::Over);
        assert_eq!(at(&[1200, 900, 100], 1200), Lock::Open);
    }

    #[test]
    fn no_lock_time_means_until_somebody_unlocks_and_no_limit_never() {
        let times = [UnixTime(2), UnixTime(1)];
        let for_ever = Limit { failures: 2, window: 10, lock: 0 };
        assert_eq!(lock(for_ever, &times, UnixTime(1 << 40)), Lock::Shut(None));
        assert_eq!(lock(NO_LIMIT, &times, UnixTime(3)), Lock::Open);
    }
}
