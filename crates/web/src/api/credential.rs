//! Passwords, PINs and locks. A secret goes in and never comes out.

use jackfield_model::setup::{self, AccountLock};
use jackfield_model::{CredentialKind, EndUser, Kind, Operation};
use jackfield_vocabulary::{ObjectId, Refusal, SecretText};
use serde_json::{Value, json};

use crate::app::{not_among, not_found};
use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::object::link;

/// Sets a password; other tokens of the account end.
pub(crate) async fn password(call: Call) -> Result<Answer, Fault> {
    let owner = account(&call)?;
    let secret = call.secret("password")?;
    set(&call, owner, CredentialKind::Password, Some(secret)).await?;
    let own = call.who.as_ref().filter(|who| who.account == owner).map(|who| who.token.clone());
    let actor = call.actor();
    call.app
        .blocking(move |store| {
            let kept = own.and_then(|token| store.check_token(&token).ok().flatten());
            for token in store.tokens(owner)? {
                if kept.as_ref().is_none_or(|kept| kept.id != token.id) {
                    store.revoke_token_id(actor.clone(), &token.id)?;
                }
            }
            Ok(())
        })
        .await?;
    Ok(Answer::nothing())
}

/// Sets a PIN.
pub(crate) async fn pin(call: Call) -> Result<Answer, Fault> {
    let owner = account(&call)?;
    if call.app.directory().typed::<EndUser>(owner).is_none() {
        return Err(not_found("end-user", call.param("name")).into());
    }
    let secret = call.secret("pin")?;
    set(&call, owner, CredentialKind::Pin, Some(secret)).await?;
    Ok(Answer::nothing())
}

/// Which credentials are set.
pub(crate) async fn state(call: Call) -> Result<Answer, Fault> {
    let owner = account(&call)?;
    let answer = call
        .app
        .blocking(move |store| {
            let mut answer = json!({});
            for (name, kind) in
                [("password", CredentialKind::Password), ("pin", CredentialKind::Pin)]
            {
                let locked = store.locked(owner, kind)?;
                answer[name] = json!({
                    "set": store.has_credential(owner, kind)?,
                    "locked": locked.is_some(),
                    "locked_until": locked.flatten(),
                });
            }
            let locks = store.locks(Some(owner))?;
            let of_source = |lock: &AccountLock| {
                let source = lock.source.as_ref()?;
                Some(json!({ "address": source, "locked_until": lock.until }))
            };
            answer["password"]["locked_sources"] = locks.iter().filter_map(of_source).collect();
            answer["must_change_password"] = Value::from(store.must_change_password(owner)?);
            Ok(answer)
        })
        .await?;
    Ok(Answer::ok(answer))
}

/// The accounts that are locked, or shut to some source: what, until when, and what ends it now.
pub(crate) async fn locks(call: Call) -> Result<Answer, Fault> {
    let locks = call.app.blocking(|store| store.locks(None)).await?;
    let directory = call.app.directory();
    let shown = locks.iter().map(|lock| {
        let mut shown = shown_lock(lock);
        shown["account"] = link(&directory, lock.owner);
        shown["remedy"] = setup::explain_lock(&directory, lock, call.language).remedy.into();
        shown
    });
    Ok(Answer::ok(json!({ "items": shown.collect::<Vec<_>>() })))
}

/// A lock beside the account that it is of.
pub(crate) fn shown_lock(lock: &AccountLock) -> Value {
    json!({ "credential": lock.credential, "source": lock.source, "until": lock.until })
}

/// Unlocks an account.
pub(crate) async fn unlock(call: Call) -> Result<Answer, Fault> {
    let owner = account(&call)?;
    call.app.execute(call.operation, call.actor(), Operation::Unlock { owner }).await?;
    Ok(Answer::nothing())
}

/// Judges a credential, hashes it and sets it; `None` removes it.
pub(crate) async fn set(
    call: &Call,
    owner: ObjectId,
    kind: CredentialKind,
    secret: Option<SecretText>,
) -> Result<(), Fault> {
    if let Some(secret) = &secret {
        call.app.directory().judge_new_credential(owner, kind, secret)?;
    }
    let hash = match secret {
        Some(secret) => Some(call.app.hashing(move |store| store.hash(kind, &secret)).await?),
        None => None,
    };
    let operation = Operation::SetCredential { owner, kind, hash };
    call.app.execute(call.operation, call.actor(), operation).await?;
    Ok(())
}

/// The account that the path names: an end user or application user, by user ID.
fn account(call: &Call) -> Result<ObjectId, Refusal> {
    let name = call.param("name");
    let directory = call.app.directory();
    let by_id = || {
        let id = ObjectId(name.strip_prefix("id:")?.parse().ok()?);
        directory.entry(id).map(|_| id)
    };
    directory.account(name).or_else(by_id).ok_or_else(|| {
        let kinds = [Kind::ApplicationUser, Kind::EndUser];
        let known = kinds.map(|kind| directory.similar_name(kind, name));
        not_among("user", name, known.iter().flatten().map(|name| &**name))
    })
}
