//! Attempts at credentials. Each is recorded before the secret is looked at, so that many at once
//! can't beat the limit; the record is in the database, so that neither a restart nor another node
//! forgets it.
//!
//! Failures are counted by track, which is the account as a rule. Who may administer is not locked
//! out by what strangers do: failures with such an account's password are counted for each source,
//! and only the source is locked. A name that nobody has is counted like one that somebody has, so
//! that locks do not tell which names there are.

use std::net::IpAddr;

use jackfield_model::setup::AccountLock;
use jackfield_model::{Actor, CredentialKind, Directory, Privilege, SelfProvisioning, hexadecimal};
use jackfield_vocabulary::share::Source;
use jackfield_vocabulary::{ObjectId, UnixTime};
use serde_json::json;

use crate::database::{Database, DatabaseError, widen};
use crate::writer::Turn;
use crate::{StoreError, commit, hash};

/// Whether a secret is the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It is.
    Right,
    /// It is not, or there is no such account; the failure is counted.
    Wrong,
    /// There are no more tries for a time; the answer is the same whatever the secret is.
    Locked {
        /// Until then; `None` until an administrator unlocks it.
        until: Option<UnixTime>,
    },
    /// The account has no such credential; the failure is counted.
    NoCredential,
    /// It can't be checked now.
    Unavailable,
}

/// Who presents a secret.
#[derive(Clone, Debug, Default)]
pub struct Claimant {
    /// The account; `None` when there is none of that name.
    pub account: Option<ObjectId>,
    /// The name that was given; where it is nobody's, failures are counted for it all the same.
    /// Without name and account nothing is counted.
    pub name: Box<str>,
    /// From where, if that is known.
    pub source: Option<IpAddr>,
}

impl From<Option<ObjectId>> for Claimant {
    fn from(account: Option<ObjectId>) -> Self {
        Self { account, ..Self::default() }
    }
}

/// An attempt that may look at the secret.
pub(crate) struct Attempt {
    kind: CredentialKind,
    track: Track,
    source: Option<IpAddr>,
    row: i64,
    /// The hash to compare with; none when there is none.
    pub(crate) hash: Option<Vec<u8>>,
}

/// What an attempt comes to before the secret is looked at.
pub(crate) enum Begun {
    Attempt(Attempt),
    /// With the hash, so that it takes as long to say so.
    Locked {
        until: Option<UnixTime>,
        hash: Option<Vec<u8>>,
    },
}

/// The failures that are counted together.
struct Track {
    owner: ObjectId,
    /// The kind of credential, and of whom or from where, where that matters.
    name: String,
    limit: Limit,
    /// Nothing is counted.
    idle: bool,
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

/// Records an attempt, or says that there are no more tries. Unknown accounts do the same work.
pub(crate) fn begin(
    turn: &mut Turn<'_>,
    claimant: &Claimant,
    kind: CredentialKind,
) -> Result<Begun, StoreError> {
    let track = Track::of(turn, claimant, kind);
    let database = &mut *turn.database;
    let hash = turn.vault.get(database, track.owner.0, name(kind))?;
    match lock(track.limit, &recent(database, &track)?, turn.now) {
        Lock::Shut(until) => return Ok(Begun::Locked { until, hash }),
        // The lock's time is over: it starts anew.
        Lock::Over => forget_track(database, &track)?,
        Lock::Open => {}
    }
    let row = database
        .row(
            "INSERT INTO credential_attempt (owner, kind, time) VALUES (?1, ?2, ?3) RETURNING id",
            &[track.owner.0.into(), (&*track.name).into(), widen(turn.now.0)],
            |row| row.int(0),
        )?
        .ok_or_else(|| StoreError::Fault("a new row has no id".into()))?;
    if track.owner == NOBODY {
        database.execute(
            "DELETE FROM credential_attempt WHERE owner = ?1 AND id <= ?2",
            &[NOBODY.0.into(), (row - MOST_OF_NOBODY).into()],
        )?;
    }
    Ok(Begun::Attempt(Attempt { kind, track, source: claimant.source, row, hash }))
}

/// Writes down what the attempt came to, and says whether it locks something. A wrong one was counted
/// when it began; the one after which there are no more tries is in the audit.
pub(crate) fn finish(
    turn: &mut Turn<'_>,
    attempt: &Attempt,
    right: bool,
) -> Result<bool, StoreError> {
    let Attempt { kind, track, row, .. } = attempt;
    match (right, kind) {
        // The code is everybody's: one who knows it does not clear the guesses of others.
        (true, CredentialKind::Password | CredentialKind::Pin) => {
            forget_track(turn.database, track)?;
        }
        (false, _) if !track.idle => return note_lock(turn, attempt),
        _ => {
            turn.database
                .execute("DELETE FROM credential_attempt WHERE id = ?1", &[(*row).into()])?;
        }
    }
    Ok(false)
}

/// The failure after which an account, or a source for it, is locked is in the audit.
fn note_lock(turn: &mut Turn<'_>, attempt: &Attempt) -> Result<bool, StoreError> {
    let Attempt { kind, track, source, row, .. } = attempt;
    if track.owner == NOBODY {
        return Ok(false);
    }
    let newest = turn.database.row(
        "SELECT max(id) FROM credential_attempt WHERE owner = ?1 AND kind = ?2",
        &[track.owner.0.into(), (&*track.name).into()],
        |row| row.optional_int(0),
    )?;
    let times = recent(turn.database, track)?;
    let Lock::Shut(until) = lock(track.limit, &times, turn.now) else { return Ok(false) };
    // Of several at once the last one tells.
    if newest.flatten() != Some(*row) {
        return Ok(false);
    }
    let detail = json!({
        "credential": kind,
        "failures": times.len(),
        "address": source.map(|source| source.to_canonical().to_string()),
        "only_from": track.only_from(),
        "until": until,
    });
    commit::note(turn, &Actor::System, "lock", Some(track.owner), detail)?;
    Ok(true)
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
    let track = Track::of_account(&turn.state.directory, owner, kind);
    locked_track(turn, &track)
}

/// What is locked of an account, or of all, by what was tried last; names that nobody has are none.
pub(crate) fn locks(
    turn: &mut Turn<'_>,
    of: Option<ObjectId>,
) -> Result<Vec<AccountLock>, StoreError> {
    let (first, last) = of.map_or((NOBODY.0 + 1, u32::MAX), |owner| (owner.0, owner.0));
    let tracks = turn.database.rows(
        "SELECT owner, kind FROM credential_attempt WHERE owner >= ?1 AND owner <= ?2 \
         GROUP BY owner, kind ORDER BY max(id) DESC LIMIT 1500",
        &[first.into(), last.into()],
        |row| Ok((ObjectId(row.number(0)?), row.text(1)?.to_owned())),
    )?;
    let mut locks = Vec::new();
    for (owner, track) in tracks {
        let credential = track.split(FROM).next().unwrap_or_default();
        let Some(credential) = KINDS.into_iter().find(|kind| name(*kind) == credential) else {
            continue;
        };
        let whole = Track::of_account(&turn.state.directory, owner, credential);
        let track = Track { name: track, ..whole };
        if let Some(until) = locked_track(turn, &track)? {
            let source = track.only_from().map(Into::into);
            locks.push(AccountLock { owner, credential, source, until });
        }
    }
    Ok(locks)
}

fn locked_track(
    turn: &mut Turn<'_>,
    track: &Track,
) -> Result<Option<Option<UnixTime>>, StoreError> {
    let times = recent(turn.database, track)?;
    Ok(match lock(track.limit, &times, turn.now) {
        Lock::Shut(until) => Some(until),
        Lock::Over | Lock::Open => None,
    })
}

/// Forgets the failures of one credential, from wherever they came.
pub(crate) fn forget(
    database: &mut Database,
    owner: ObjectId,
    kind: CredentialKind,
) -> Result<(), DatabaseError> {
    let name = name(kind);
    database.execute(
        "DELETE FROM credential_attempt WHERE owner = ?1 AND (kind = ?2 OR kind LIKE ?3)",
        &[owner.0.into(), name.into(), format!("{name}{FROM}%").into()],
    )?;
    Ok(())
}

fn forget_track(database: &mut Database, track: &Track) -> Result<(), DatabaseError> {
    database.execute(
        "DELETE FROM credential_attempt WHERE owner = ?1 AND kind = ?2",
        &[track.owner.0.into(), (&*track.name).into()],
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
/// Between the kind of a credential and the source in a track's name.
const FROM: &str = " from ";
/// Failures with names that nobody has: the newest of so many attempts.
const MOST_OF_NOBODY: i64 = 20_000;

impl Track {
    fn of(turn: &Turn<'_>, claimant: &Claimant, kind: CredentialKind) -> Self {
        let directory = &turn.state.directory;
        match (claimant.account, claimant.source) {
            (Some(owner), Some(source))
                if kind == CredentialKind::Password && administers(directory, owner) =>
            {
                let whole = Self::of_account(directory, owner, kind);
                Self { name: format!("{}{FROM}{}", whole.name, Source::from(source)), ..whole }
            }
            (Some(owner), _) => Self::of_account(directory, owner, kind),
            (None, _) if claimant.name.is_empty() => {
                Self { owner: NOBODY, name: name(kind).into(), limit: NO_LIMIT, idle: true }
            }
            (None, _) => {
                // Names are the same in capitals; a wrong one may be a password.
                let spelt = claimant.name.trim().to_lowercase();
                let spelt = hexadecimal(&hash::keyed(&turn.vault.pepper, spelt.as_bytes())[..8]);
                let limit = limit(directory, NOBODY, kind);
                Self {
                    owner: NOBODY,
                    name: format!("{} of {spelt}", name(kind)),
                    limit,
                    idle: false,
                }
            }
        }
    }

    fn of_account(directory: &Directory, owner: ObjectId, kind: CredentialKind) -> Self {
        let limit = limit(directory, owner, kind);
        Self { owner, name: name(kind).into(), limit, idle: false }
    }

    /// The source, where only one is counted.
    fn only_from(&self) -> Option<&str> {
        self.name.split_once(FROM).map(|(_, source)| source)
    }
}

/// Who may administer anything is no target for strangers who want to lock somebody out.
fn administers(directory: &Directory, owner: ObjectId) -> bool {
    let owned = directory.privileges(owner);
    Privilege::ADMINISTRATIVE.iter().any(|one| owned.contains(one))
}

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

fn recent(database: &mut Database, track: &Track) -> Result<Vec<UnixTime>, DatabaseError> {
    database.rows(
        "SELECT time FROM credential_attempt WHERE owner = ?1 AND kind = ?2 \
         ORDER BY id DESC LIMIT ?3",
        &[track.owner.0.into(), (&*track.name).into(), track.limit.failures.into()],
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
    use jackfield_model::{Change, Entry, Kind};

    use super::*;

    /// Proves SP-07.b and SP-07.c: each number is the one that the user's own policy has for it.
    #[test]
    fn the_limit_is_as_the_policy_of_the_account_has_it() {
        let policy = json!({
            "name": "strict", "failures": 3, "window_minutes": 5, "lock_minutes": 60,
        });
        let user = json!({ "user_id": "jo", "credential_policy": 1 });
        let object = |id, kind: Kind, body| {
            let after = Some(Entry { version: 1, body: kind.read(&body).unwrap() });
            Change { id: ObjectId(id), after }
        };
        let objects = [object(1, Kind::CredentialPolicy, policy), object(2, Kind::EndUser, user)];
        let directory = Directory::default().apply(1, &objects);
        for kind in [CredentialKind::Pin, CredentialKind::Password] {
            let own = Limit { failures: 3, window: 5 * MINUTE, lock: 60 * MINUTE };
            assert_eq!(limit(&directory, ObjectId(2), kind), own);
        }
    }

    /// Proves SP-07.b.
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
