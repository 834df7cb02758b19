use jackfield_vocabulary::{Code, ObjectId, Refusal, SecretText};

use super::work::Work;
use super::{CredentialKind, Outcome};
use crate::{AuthenticationMode, Body, Phone};

/// Sets or removes a credential; its hash was made, and its form judged, before.
pub(super) fn set(
    work: &mut Work<'_>,
    owner: ObjectId,
    kind: CredentialKind,
    hash: Option<SecretText>,
) -> Result<Outcome, Refusal> {
    match (&work.entry(owner)?.body, kind) {
        (Body::EndUser(_), CredentialKind::Password | CredentialKind::Pin)
        | (Body::ApplicationUser(_), CredentialKind::Password) => {}
        (Body::SelfProvisioning(settings), CredentialKind::Code) => {
            // In the other modes the field for the code is disabled (SP-02).
            if hash.is_some() && settings.mode != AuthenticationMode::UsersAndAdministrators {
                let refusal = work.directory.refusal_about(Code::WrongState, owner);
                return Err(refusal.field("mode").value("rule", "no-code"));
            }
        }
        (body, _) => {
            let refusal = Refusal::new(Code::InvalidValue).field("kind");
            return Err(refusal.value("found", body.kind()).value("allowed", "end-user"));
        }
    }
    work.credential(owner, kind, hash);
    Ok(Outcome::Done)
}

/// Gives a device a new secret. Whoever asks for it may have lost the old one to a stranger, who may have
/// registered with it: neither the old one nor that address opens anything from now on.
pub(super) fn rotate(work: &mut Work<'_>, device: ObjectId) -> Result<Outcome, Refusal> {
    work.typed::<Phone>(device)?;
    work.revoke(device);
    Ok(Outcome::Done)
}

/// Forgets the failed attempts of an account.
pub(super) fn unlock(work: &mut Work<'_>, owner: ObjectId) -> Result<Outcome, Refusal> {
    match work.entry(owner)?.body {
        Body::EndUser(_) | Body::ApplicationUser(_) | Body::SelfProvisioning(_) => {
            work.unlock(owner);
            Ok(Outcome::Done)
        }
        _ => Err(Refusal::new(Code::NotFound).value("kind", "end-user").value("name", owner)),
    }
}
