//! Why can't this phone or user …?

use jackfield_model::setup::{self, Finding, Seen, Served};
use jackfield_model::{CredentialKind, EndUser, Kind, Service};
use jackfield_vocabulary::Refusal;
use serde_json::{Value, json};

use crate::app::not_found;
use crate::call::{Answer, Call};
use crate::fault::{Fault, describe};
use crate::object::find;
use crate::operator::{Order, Reply, ServiceStatus};

use super::phone::registered_elsewhere;
use super::service::statuses;
use super::status::{misplaced, shown};

/// A device.
pub(crate) async fn phone(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let name = call.param("name");
    let Some(device) = directory.device(name) else {
        let stranger = setup::explain_stranger(&directory, name, call.app.node(), call.language);
        let mut findings = stranger.ok_or_else(|| not_found("device", name))?;
        findings.extend(misplaced(&call).await);
        return Ok(told(&findings, None));
    };
    // Nothing but a phone registers by SIP.
    let is_phone = directory.entry(device).is_some_and(|one| one.body.kind() == Kind::Phone);
    let registered = match is_phone {
        true => match call.app.operate(Order::Inspect { device }).await {
            Ok(Reply::Device(state)) => Some(state.registered),
            _ => None,
        },
        false => None,
    };
    let elsewhere = match registered {
        Some(false) => registered_elsewhere(&call.app, device).await,
        _ => None,
    };
    let elsewhere = elsewhere.as_deref().map(|node| (call.app.node(), node));
    let chosen = directory.self_provisioning().route_point;
    let ivr = match chosen.is_some_and(|point| point.id() == device) {
        true => statuses(&call.app).await?.into_iter().find(is_ivr),
        false => None,
    };
    let served = ivr.as_ref().map(|ivr| Served {
        node: call.app.node(),
        state: &ivr.state,
        owner: ivr.owner.as_deref(),
    });
    let seen = Seen { registered, elsewhere, served, ..Seen::default() };
    let mut findings = setup::explain_device(&directory, device, seen, call.language);
    if is_phone {
        findings.extend(misplaced(&call).await);
    }
    Ok(told(&findings, None))
}

/// A user; with `phone`, whether they may have that one.
pub(crate) async fn user(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let name = call.param("name");
    let user = directory
        .named::<EndUser>(name)
        .map(|(user, _)| user.id())
        .map_or_else(|| find(&directory, Kind::EndUser, name), Ok)?;
    let (pin, locked) = call
        .app
        .blocking(move |store| {
            let pin = store.has_credential(user, CredentialKind::Pin)?;
            // By call with the PIN, or on the phone's screen with the password.
            let mut locked = false;
            for kind in [CredentialKind::Pin, CredentialKind::Password] {
                locked |= store.locked(user, kind)?.is_some();
            }
            Ok((pin, locked))
        })
        .await?;
    let seen = Seen { pin: Some(pin), locked: Some(locked), ..Seen::default() };
    let findings = setup::explain_user(&directory, user, seen, call.language);
    let judged = match call.query("phone") {
        Some(phone) => {
            let device = find(&directory, Kind::Phone, phone)?;
            Some(directory.may_assign(device, user).map(|_| ()))
        }
        None => None,
    };
    let judged = judged.and_then(Result::err);
    Ok(told(&findings, judged.map(|refusal| refused(&refusal, &call))))
}

fn is_ivr(status: &ServiceStatus) -> bool {
    status.service == Service::SelfProvisioningIvr
}

fn refused(refusal: &Refusal, call: &Call) -> Value {
    let said = describe(refusal, call.language);
    json!({ "good": false, "message": said["message"], "remedy": said["remedy"] })
}

fn told(findings: &[Finding], more: Option<Value>) -> Answer {
    let mut findings = match shown(findings) {
        Value::Array(rows) => rows,
        other => vec![other],
    };
    findings.extend(more);
    let good = findings.iter().all(|finding| finding["good"] == true);
    Answer::ok(json!({ "good": good, "findings": findings }))
}
