//! Signing in and out. A token stands for an account for some hours; what the account may do is
//! read from the directory at every request.

use jackfield_model::{ApplicationUser, CredentialKind, Directory, EndUser};
use jackfield_store::Verification;
use jackfield_vocabulary::{Code, ObjectId, Refusal, UnixTime};
use serde_json::json;

use crate::app::App;
use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::fault::Fault;
use crate::session::{Known, Signed};

/// Signs in.
pub(crate) async fn sign_in(call: Call) -> Result<Answer, Fault> {
    if !call.app.attempts().admit(call.address) {
        return Err(Code::RateLimited.into());
    }
    let (user_id, password) = (call.text("user_id")?, call.secret("password")?);
    let directory = call.app.directory();
    let account = directory.account(user_id);
    let verification = call
        .app
        .blocking(move |store| Ok(store.verify(account, CredentialKind::Password, &password)))
        .await?;
    let account = judge(&directory, account, verification)?;
    let hours = call.body["hours"].as_u64().unwrap_or(HOURS).clamp(1, MOST_HOURS);
    let label = call.body["label"].as_str().unwrap_or("sign-in").to_owned();
    let expires = UnixTime(wall().0.saturating_add(hours * HOUR));
    let (token, must_change) = call
        .app
        .blocking(move |store| {
            let token = store.create_token(account, &label, expires)?;
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
        (Verification::Right, Some(account)) if is_enabled(directory, account) => Ok(account),
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

/// Who a token stands for; `None` when it is not good.
pub(crate) async fn signed(
    app: &App,
    token: jackfield_vocabulary::SecretText,
) -> Result<Option<Signed>, Fault> {
    let remembered = app.remembered().known(&token);
    let known = match remembered {
        Some(known) => Some(known),
        None => ask_store(app, token.clone()).await?,
    };
    let directory = app.directory();
    let Some(known) = known.filter(|known| is_enabled(&directory, known.account)) else {
        return Ok(None);
    };
    // Not again when it was remembered: the store is asked at least once in a while.
    if remembered.is_none() {
        app.remembered().remember(&token, known);
    }
    let user_id = directory.label(known.account).unwrap_or_default();
    Ok(Some(Signed { account: known.account, user_id, token, must_change: known.must_change }))
}

async fn ask_store(
    app: &App,
    token: jackfield_vocabulary::SecretText,
) -> Result<Option<Known>, Fault> {
    let asked = app.blocking(move |store| {
        let Some(found) = store.check_token(&token)? else { return Ok(None) };
        let must_change = store.must_change_password(found.account)?;
        Ok(Some(Known { account: found.account, must_change }))
    });
    Ok(asked.await?)
}

/// The account is there and switched on.
fn is_enabled(directory: &Directory, account: ObjectId) -> bool {
    directory
        .typed::<EndUser>(account)
        .map(|user| user.enabled)
        .or_else(|| directory.typed::<ApplicationUser>(account).map(|user| user.enabled))
        .unwrap_or(false)
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
    call.app.remembered().forget(who.account);
    call.app.blocking(move |store| store.revoke_token(&who.token)).await?;
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
    call.app.remembered().forget(account);
    let revoked = call
        .app
        .blocking(move |store| {
            let own = store.tokens(account)?.iter().any(|token| *token.id == *id);
            Ok(own && store.revoke_token_id(&id)?)
        })
        .await?;
    if revoked { Ok(Answer::nothing()) } else { Err(Code::NotFound.into()) }
}

const HOUR: u64 = 3_600_000;
const HOURS: u64 = 12;
const MOST_HOURS: u64 = 8760;
