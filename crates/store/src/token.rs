//! Tokens with which somebody who signed in is known afterwards, and one-time passwords. The
//! database holds a token's hash only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jackfield_model::{Actor, CredentialKind, Operation, hexadecimal};
use jackfield_vocabulary::{ObjectId, SecretText, UnixTime};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::StoreError;
use crate::commit::{self, Wanted};
use crate::database::{Database, DatabaseError, Row, widen};
use crate::handle::StoreHandle;
use crate::key::random_bytes;
use crate::log::{Log, Origin, TOKEN};
use crate::queue::Lane;
use crate::writer::Turn;

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Names the token without being it: good for listing and revoking.
    pub id: Box<str>,
    /// Whose it is; the roles are read from the directory each time.
    pub account: ObjectId,
    /// What it is for.
    pub label: Box<str>,
    /// When it was made.
    pub created: UnixTime,
    /// Until when it is good.
    pub expires: UnixTime,
}

impl StoreHandle {
    /// Makes a token for an account. It can't be read again later.
    pub fn create_token(
        &self,
        account: ObjectId,
        label: &str,
        expires: UnixTime,
    ) -> Result<SecretText, StoreError> {
        let token = format!("jf_{}", URL_SAFE_NO_PAD.encode(random_bytes::<32>()?));
        let (id, label) = (digest(&token), label.chars().take(128).collect::<String>());
        self.work(Lane::Urgent, move |turn| {
            turn.database.execute(
                "INSERT INTO token (hash, account, label, created, expires) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                &[id.into(), account.0.into(), label.into(), widen(turn.now.0), widen(expires.0)],
            )?;
            Ok(())
        })?;
        Ok(SecretText::new(token))
    }

    /// What a token stands for; none when it is not good, or not any more.
    pub fn check_token(&self, token: &SecretText) -> Result<Option<Token>, StoreError> {
        let id = digest(token.reveal());
        self.work(Lane::Urgent, move |turn| {
            let mut tokens = turn.database.rows(
                "SELECT hash, account, label, created, expires FROM token \
                 WHERE hash = ?1 AND expires > ?2",
                &[id.into(), widen(turn.now.0)],
                read,
            )?;
            Ok(tokens.pop())
        })
    }

    /// The good tokens of an account.
    pub fn tokens(&self, account: ObjectId) -> Result<Vec<Token>, StoreError> {
        self.work(Lane::Background, move |turn| {
            let tokens = turn.database.rows(
                "SELECT hash, account, label, created, expires FROM token \
                 WHERE account = ?1 AND expires > ?2 ORDER BY created, hash",
                &[account.0.into(), widen(turn.now.0)],
                read,
            )?;
            Ok(tokens)
        })
    }

    /// Ends the token itself, as at signing out.
    pub fn revoke_token(&self, actor: Actor, token: &SecretText) -> Result<bool, StoreError> {
        self.revoke_token_id(actor, &digest(token.reveal()))
    }

    /// Ends a token by its id; `false` when there is none.
    pub fn revoke_token_id(&self, actor: Actor, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.work(Lane::Urgent, move |turn| {
            let sql = "DELETE FROM token WHERE hash = ?1 RETURNING account";
            let account = turn.database.row(sql, &[id.into()], |row| row.number(0))?;
            if let Some(account) = account {
                signed_out(turn, &actor, ObjectId(account), 1)?;
            }
            Ok(account.is_some())
        })
    }

    /// Ends all tokens of an account, as after a change of its password.
    pub fn revoke_tokens(&self, actor: Actor, account: ObjectId) -> Result<u64, StoreError> {
        self.work(Lane::Urgent, move |turn| {
            let gone = end_tokens(turn.database, account)?;
            if gone > 0 {
                signed_out(turn, &actor, account, gone)?;
            }
            Ok(gone)
        })
    }

    /// Sets a new random password that its owner must change after the first use, as for the
    /// first administrator, and gives it.
    pub fn issue_one_time_password(&self, account: ObjectId) -> Result<SecretText, StoreError> {
        let password = one_time_password()?;
        let kind = CredentialKind::Password;
        let hash = Some(self.hash(kind, &password)?);
        let operation = Operation::SetCredential { owner: account, kind, hash };
        let wanted = Wanted { id: Self::operation_id()?, actor: Actor::System, operation };
        // In one transaction: a password without its mark would stay for ever.
        self.work(Lane::Operation, move |turn| {
            commit::carry_out(turn.database, turn.state, turn.vault, &wanted, turn.now)?;
            turn.vault.put(turn.database, account.0, ONE_TIME, b"1", turn.now.0)
        })?;
        Ok(password)
    }

    /// Gives an account that administers to whoever has the machine: makes it or its rights good,
    /// unlocks it, ends its tokens, and sets a new one-time password. `by` is for the audit.
    pub fn recover(&self, user_id: &str, by: &str) -> Result<SecretText, StoreError> {
        let password = one_time_password()?;
        let hash = self.hash(CredentialKind::Password, &password)?;
        let operation = Operation::Recover { user_id: user_id.into(), hash, by: by.into() };
        let wanted = Wanted { id: Self::operation_id()?, actor: Actor::System, operation };
        self.work(Lane::Operation, move |turn| {
            commit::carry_out(turn.database, turn.state, turn.vault, &wanted, turn.now)?;
            let Operation::Recover { user_id, .. } = &wanted.operation else { return Ok(()) };
            let account = turn.state.directory.account(user_id).unwrap_or(ObjectId(0));
            end_tokens(turn.database, account)?;
            turn.vault.put(turn.database, account.0, ONE_TIME, b"1", turn.now.0)
        })?;
        Ok(password)
    }

    /// The account's password is a one-time one, and must be changed before anything else.
    pub fn must_change_password(&self, account: ObjectId) -> Result<bool, StoreError> {
        self.work(Lane::Urgent, move |turn| {
            Ok(turn.vault.get(turn.database, account.0, ONE_TIME)?.is_some())
        })
    }
}

/// Ends all tokens of an account, and tells how many they were.
pub(crate) fn end_tokens(database: &mut Database, account: ObjectId) -> Result<u64, DatabaseError> {
    database.execute("DELETE FROM token WHERE account = ?1", &[account.0.into()])
}

/// Tokens have ended: it is in the audit, and whoever remembers them is told.
fn signed_out(
    turn: &mut Turn<'_>,
    actor: &Actor,
    account: ObjectId,
    tokens: u64,
) -> Result<(), StoreError> {
    turn.state.signed_out = true;
    let detail = Some(json!({ "tokens": tokens }));
    let log = Log { object: Some(account), kind: Some(TOKEN), detail, ..Log::default() };
    let origin = Origin::elsewhere(actor, "sign-out", turn.now)?;
    origin.append(turn.database, turn.state, vec![log])
}

/// The secret that marks a one-time password.
pub(crate) const ONE_TIME: &str = "one-time";

fn read(row: &Row<'_>) -> Result<Token, DatabaseError> {
    Ok(Token {
        id: row.text(0)?.into(),
        account: ObjectId(row.number(1)?),
        label: row.text(2)?.into(),
        created: UnixTime(row.number(3)?),
        expires: UnixTime(row.number(4)?),
    })
}

/// A token has 256 random bits, so that a plain hash is enough.
fn digest(token: &str) -> String {
    hexadecimal(&Sha256::digest(token))
}

/// Four groups of four letters and digits that can't be taken for one another: 80 bits.
fn one_time_password() -> Result<SecretText, StoreError> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = random_bytes::<16>()?;
    let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(SecretText::new(groups.join("-")))
}
