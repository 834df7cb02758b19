//! Why can't this phone or user …?

use std::net::{IpAddr, SocketAddr};

use jackfield_model::setup::{self, Finding, Refused, Seen, Served};
use jackfield_model::{CredentialKind, EndUser, Kind, Message, Service, mac_of};
use jackfield_store::StoreError;
use jackfield_vocabulary::{ObjectId, Refusal};
use serde_json::{Value, json};

use crate::app::not_found;
use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::fault::{Fault, describe};
use crate::object::find;
use crate::operator::{LastRefusal, Order, Reply, ServiceStatus};

use super::phone::registered_elsewhere;
use super::service::statuses;
use super::status::{misplaced, shown};

/// A device, by its name or its number.
pub(crate) async fn phone(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let name = call.param("name");
    if let Some(device) = directory.device(name) {
        return Ok(told(&of_device(&call, device).await?, None));
    }
    let Some(number) = setup::explain_number(&directory, name, call.language) else {
        return stranger(&call, name).await;
    };
    let mut findings = number.findings;
    if let Some(device) = number.device {
        findings.extend(of_device(&call, device).await?);
    }
    Ok(told(&findings, None))
}

async fn of_device(call: &Call, device: ObjectId) -> Result<Vec<Finding>, Fault> {
    let directory = call.app.directory();
    // Nothing but a phone registers by SIP.
    let is_phone = directory.entry(device).is_some_and(|one| one.body.kind() == Kind::Phone);
    let state = match is_phone {
        true => match call.app.operate(Order::Inspect { device }).await {
            Ok(Reply::Device(state)) => Some(state),
            _ => None,
        },
        false => None,
    };
    let registered = state.as_ref().map(|state| state.registered);
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
    let reachable = state.as_ref().map(|state| state.reachable);
    let refused = state.as_ref().and_then(|state| state.refused.as_ref());
    let refused = refused.map(|last| Refused {
        may_fetch: source(last).is_some_and(|from| call.app.files().trusts(device, from)),
        ..refused_lately(last)
    });
    let outdated = state.as_ref().and_then(|state| state.outdated);
    let left = state.as_ref().and_then(|state| state.address.as_deref()).and_then(host);
    let left = left.map(|from| (from, call.app.files().trusts(device, from)));
    let silent = state.as_ref().map_or(&[][..], |state| &*state.silent_lines);
    let seen = Seen { registered, reachable, refused, elsewhere, served, ..Seen::default() };
    let seen = Seen { outdated, left, silent, ..seen };
    let mut findings = setup::explain_device(&directory, device, seen, call.language);
    if is_phone {
        findings.extend(misplaced(call).await);
    }
    Ok(findings)
}

/// A phone that is in no configuration, by its name or where it comes from: what became of it.
async fn stranger(call: &Call, name: &str) -> Result<Answer, Fault> {
    let (mac, address) = (mac_of(name), name.parse::<IpAddr>().ok());
    let refused = match call.app.operate(Order::Refused { mac, address }).await {
        Ok(Reply::Refused(refused)) => refused,
        _ => Vec::new(),
    };
    let why = |one| setup::explain_refused(refused_lately(one), call.language);
    let findings: Vec<Finding> = refused.iter().map(why).collect();
    if !findings.is_empty() {
        return Ok(told(&findings, None));
    }
    let directory = call.app.directory();
    let open = setup::explain_stranger(&directory, name, call.app.node(), call.language);
    let mut findings = open.ok_or_else(|| not_found("device", name))?;
    findings.extend(misplaced(call).await);
    Ok(told(&findings, None))
}

fn refused_lately(refused: &LastRefusal) -> Refused<'_> {
    let seconds_ago = wall().0.saturating_sub(refused.at.0) / 1000;
    let (address, refusal) = (&*refused.address, &refused.refusal);
    Refused { seconds_ago, address, refusal, may_fetch: false, others: &refused.others }
}

/// The address, without its port, from which a phone was refused.
fn source(refused: &LastRefusal) -> Option<IpAddr> {
    let address: SocketAddr = refused.address.parse().ok()?;
    Some(address.ip().to_canonical())
}

/// The address, without port and transport, where a phone is or was.
fn host(address: &str) -> Option<IpAddr> {
    let address: SocketAddr = address.split(' ').next()?.parse().ok()?;
    Some(address.ip().to_canonical())
}

/// A user, by user ID or number; with `phone`, whether they may have that one.
pub(crate) async fn user(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let name = call.param("name");
    let named = directory.named::<EndUser>(name).map(|(user, _)| user.id());
    let user = named
        .or_else(|| setup::user_of_number(&directory, name))
        .map_or_else(|| find(&directory, Kind::EndUser, name), Ok)?;
    let known = call
        .app
        .blocking(move |store| {
            // By call with the PIN, or on the phone's screen with the password.
            let pin = store.has_credential(user, CredentialKind::Pin)?;
            Ok((pin, store.locks(Some(user))?))
        })
        .await;
    let known = match known {
        Err(StoreError::Unavailable(_)) => None,
        known => Some(known?),
    };
    let (pin, locks) = known.as_ref().map_or((None, &[][..]), |(pin, locks)| (Some(*pin), locks));
    let seen = Seen { pin, locks, ..Seen::default() };
    let mut findings = setup::explain_user(&directory, user, seen, call.language);
    let number = setup::explain_number(&directory, name, call.language);
    if let Some(number) = number.filter(|_| named.is_none()) {
        findings.splice(0..0, number.findings);
    }
    if known.is_none() {
        let text = Message::NotKnownNow.text(call.language);
        findings.push(Finding { good: false, text, remedy: None });
    }
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

#[cfg(test)]
mod tests {
    use jackfield_vocabulary::{Code, UnixTime};

    use super::*;

    #[test]
    fn how_long_ago_a_refusal_was_is_told_in_seconds() {
        let at = UnixTime(wall().0 - 3_600_000);
        let (address, user) = ("192.0.2.1:5060".into(), "3001".into());
        let refusal = Refusal::new(Code::NotFound);
        let last = LastRefusal { at, address, user, refusal, others: Vec::new() };
        assert!((3600..3660).contains(&refused_lately(&last).seconds_ago));
    }
}
