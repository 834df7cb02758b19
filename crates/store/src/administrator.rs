//! Somebody can always administer: no change is committed after which no enabled account with a
//! password may change both the configuration and credentials. It is judged in the transaction,
//! since what the one leaves the other may take.

use jackfield_model::{Body, CredentialKind, Directory, Effect, Verdict};
use jackfield_vocabulary::{Code, ObjectId, Refusal};

use crate::StoreError;
use crate::attempt;
use crate::database::{Database, DatabaseError};

/// Whether an operation may take the last administrator.
pub(crate) enum Stake {
    /// It can't, or there is none to be taken.
    Nothing,
    /// It may: there must still be one when it is written.
    LastAdministrator,
}

impl Stake {
    /// Looks before the verdict is written.
    pub(crate) fn find(
        database: &mut Database,
        latest: &Directory,
        verdict: &Verdict,
    ) -> Result<Self, DatabaseError> {
        let at_stake = verdict.effects.iter().any(|effect| may_take(latest, effect));
        let stake = at_stake && somebody_administers(database, latest)?;
        Ok(if stake { Self::LastAdministrator } else { Self::Nothing })
    }

    /// Looks again when it is written.
    pub(crate) fn check(
        &self,
        database: &mut Database,
        next: &Directory,
    ) -> Result<(), StoreError> {
        match self {
            Self::LastAdministrator if !somebody_administers(database, next)? => {
                Err(Refusal::new(Code::LastAdministrator).into())
            }
            _ => Ok(()),
        }
    }
}

/// The effect is one on an administrator, or on what makes administrators.
fn may_take(latest: &Directory, effect: &Effect) -> bool {
    match effect {
        Effect::Put { body: Body::Role(_) | Body::UserGroup(_), .. } => true,
        Effect::Put { id, body: Body::EndUser(_) | Body::ApplicationUser(_), .. } => {
            latest.is_administrator(*id)
        }
        Effect::Delete { id } => {
            let body = latest.entry(*id).map(|entry| &entry.body);
            matches!(body, Some(Body::Role(_) | Body::UserGroup(_))) || latest.is_administrator(*id)
        }
        Effect::Credential { owner, kind: CredentialKind::Password, hash: None } => {
            latest.is_administrator(*owner)
        }
        _ => false,
    }
}

fn somebody_administers(
    database: &mut Database,
    directory: &Directory,
) -> Result<bool, DatabaseError> {
    for account in directory.administrators() {
        if has_password(database, account)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_password(database: &mut Database, account: ObjectId) -> Result<bool, DatabaseError> {
    let found = database.row(
        "SELECT owner FROM secret WHERE owner = ?1 AND kind = ?2",
        &[account.0.into(), attempt::name(CredentialKind::Password).into()],
        |row| row.int(0),
    )?;
    Ok(found.is_some())
}
