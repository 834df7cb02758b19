use jackfield_vocabulary::{ObjectId, Refusal};
use serde_json::json;

use super::work::Work;
use super::{Outcome, delete, unassign};
use crate::{EndUser, Phone, Ref};

/// Removes a user with what a quick add gave: the phones wait for their next owner, and the extension
/// goes unless somebody else has it, too.
pub(super) fn quick_remove(work: &mut Work<'_>, user: ObjectId) -> Result<Outcome, Refusal> {
    let person: EndUser = work.typed(user)?;
    let owned: Vec<ObjectId> = work.directory.owned(user).collect();
    let mut phones = Vec::new();
    for device in owned {
        if let Some(phone) = work.directory.typed::<Phone>(device) {
            phones.push(phone.name.clone());
            unassign::unassign(work, device)?;
        }
    }
    let extension = person.primary_extension.map(Ref::id);
    let number = extension.and_then(|line| work.directory.label(line));
    delete::delete(work, user, None)?;
    let kept = match extension {
        // A lent one went with the user.
        Some(line) if work.directory.entry(line).is_none() => false,
        Some(line) if delete::used_by(work, line).is_none() => {
            delete::delete(work, line, None)?;
            false
        }
        extension => extension.is_some(),
    };
    work.audit = json!({
        "action": "quick-remove",
        "user": person.user_id,
        "extension": number,
        "extension_kept": kept,
        "phones": phones,
    });
    Ok(Outcome::Deleted(user))
}
