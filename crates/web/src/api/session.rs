//! Signing in and out. A token stands for an account for some hours; what the account may do is
//! read from the directory at every request.

use jackfield_model::{Actor, CredentialKind, Directory};
use jackfield_store::{Claimant, Verification};
use jackfield_vocabulary::{Code, ObjectId, Refusal, SecretText, UnixTime};
use serde_json::json;

use crate::app::App;
use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::failure::{self, Door};
use crate::fault::Fault;
use crate::session::{Known, Signed};

/// Signs in. What is no try is not counted as one.
pub(crate) async fn sign_in(call: Call) -> Result<Answer, Fault> {
    let (user_id, password) = (call.text("user_id")?, call.secret("password")?);
    if !call.app.sign_ins().allows(call.app.now(), call.address) {
        return Err(Code::RateLimited.into());
    }
    let account = call.app.directory().account(user_id);
    let claimant = Claimant { account, name: user_id.into(), source: Some(call.address) };
    let verification = call
        .app
        .hashing(move |store| Ok(store.verify(claimant, CredentialKind::Password, &password)))
        .await?;
    // The store has followed since what was done past this node, as a recovery of the account.
    let directory = call.app.directory();
    let judged = judge(&directory, account, verification);
    if let Err(refusal) = &judged {
        failure::note(&call.app, Door::Rest, call.address, account, refusal.code);
    }
    let account = judged?;
    let hours = call.body["hours"].as_u64().unwrap_or(HOURS).clamp(1, MOST_HOURS);
    let label = call.body["label"].as_str().unwrap_or("sign-in").to_owned();
    let expires = UnixTime(wall().0.saturating_add(hours * HOUR));
    let user_id = directory.label(account).unwrap_or_default();
    let actor = Actor::User { user_id, address: Some(call.address.to_string().into()) };
    let (token, must_change) = call
        .app
        .blocking(move |store| {
            let token = store.create_token(account, &label, expires)?;
            let detail = json!({ "label": label, "until": expires });
            store.note(actor, "sign-in", Some(account), detail)?;
            Ok((token, store.must_change_password(account)?))
        })
        .await?;
    Ok(Answer::ok(json!({
        "token": token.reveal(),
        "expires": expires,
        "must_change_password": must_change,
    })))
}

/// What a checked password means. A wrong one and an unknown account look the same.
fn judge(
    directory: &Directory,
    account: Option<ObjectId>,
    verification: Verification,
) -> Result<ObjectId, Refusal> {
    match (verification, account) {
        (Verification::Right, Some(account)) if directory.is_enabled(account) => Ok(account),
        (Verification::Right, Some(_)) => Err(Refusal::new(Code::Disabled)),
        (Verification::Locked { until }, _) => {
            let refusal = Refusal::new(Code::Locked);
            Err(match until {
                Some(until) => refusal.value("until", until.seconds()),
                None => refusal,
            })
        }
        (Verification::Unavailable, _) => Err(Refusal::new(Code::DatabaseUnavailable)),
        _ => Err(Refusal::new(Code::WrongCredential)),
    }
}

/// Who a token stands for; `None` when it is not good. For reading, a token that was good lately is
/// good while the store can't say.
pub(crate) async fn signed(
    app: &App,
    token: SecretText,
    reading: bool,
) -> Result<Option<Signed>, Fault> {
    let remembered = app.remembered().known(&token, reading, app.store().sign_outs());
    let known = match remembered {
        Some(known) => Some(known),
        None if reading => ask_or_recall(app, &token).await?,
        None => ask_store(app, token.clone()).await?,
    };
    let directory = app.directory();
    let Some(known) = known.filter(|known| directory.is_enabled(known.account)) else {
        return Ok(None);
    };
    let user_id = directory.label(known.account).unwrap_or_default();
    Ok(Some(Signed { account: known.account, user_id, token, must_change: known.must_change }))
}

/// What the store says, or what it said lately when it does not answer soon.
async fn ask_or_recall(app: &App, token: &SecretText) -> Result<Option<Known>, Fault> {
    let lately = || app.remembered().lately(token, app.store().sign_outs());
    let asked = tokio::time::timeout(SOON, ask_store(app, token.clone())).await;
    match asked {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(fault)) => lately().map(Some).ok_or(fault),
        Err(_) => match lately() {
            Some(known) => Ok(Some(known)),
            None => Err(Code::DatabaseUnavailable.into()),
        },
    }
}

async fn ask_store(app: &App, token: SecretText) -> Result<Option<Known>, Fault> {
    let remembered = token.clone();
    let sign_outs = app.store().sign_outs();
    let asked = app.blocking(move |store| {
        let Some(found) = store.check_token(&token)? else { return Ok(None) };
        let must_change = store.must_change_password(found.account)?;
        Ok(Some(Known { account: found.account, must_change, expires: found.expires }))
    });
    let known = asked.await?;
    if let Some(known) = known {
        app.remembered().remember(&remembered, known, sign_outs);
    }
    Ok(known)
}

/// Who is signed in.
pub(crate) async fn current(call: Call) -> Result<Answer, Fault> {
    let who = call.who.as_ref().ok_or(Code::Unauthenticated)?;
    Ok(Answer::ok(json!({
        "id": who.account,
        "user_id": who.user_id,
        "privileges": call.privileges,
        "must_change_password": who.must_change,
    })))
}

/// Signs out.
pub(crate) async fn sign_out(call: Call) -> Result<Answer, Fault> {
    let who = call.who.clone().ok_or(Code::Unauthenticated)?;
    let actor = call.actor();
    call.app.blocking(move |store| store.revoke_token(actor, &who.token)).await?;
    Ok(Answer::nothing())
}

/// The own tokens.
pub(crate) async fn tokens(call: Call) -> Result<Answer, Fault> {
    let account = call.who.as_ref().ok_or(Code::Unauthenticated)?.account;
    let tokens = call.app.blocking(move |store| store.tokens(account)).await?;
    let items = tokens
        .iter()
        .map(|token| {
            json!({
                "id": token.id, "label": token.label,
                "created": token.created, "expires": token.expires,
            })
        })
        .collect::<Vec<_>>();
    Ok(Answer::ok(json!({ "items": items })))
}

/// Ends one of the own tokens.
pub(crate) async fn revoke(call: Call) -> Result<Answer, Fault> {
    let account = call.who.as_ref().ok_or(Code::Unauthenticated)?.account;
    let id = call.param("name").to_owned();
    let actor = call.actor();
    let revoked = call
        .app
        .blocking(move |store| {
            let own = store.tokens(account)?.iter().any(|token| *token.id == *id);
            Ok(own && store.revoke_token_id(actor, &id)?)
        })
        .await?;
    if revoked { Ok(Answer::nothing()) } else { Err(Code::NotFound.into()) }
}

/// A store that takes longer is not waited for where reading can go on without it.
const SOON: core::time::Duration = core::time::Duration::from_secs(3);
const HOUR: u64 = 3_600_000;
const HOURS: u64 = 12;
const MOST_HOURS: u64 = 8760;
