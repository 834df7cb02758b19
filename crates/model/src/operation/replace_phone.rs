use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::json;

use super::work::Work;
use super::{Outcome, derived, lent, rules};
use crate::{ApplicationUser, EndUser, Phone, Ref};

/// Puts a new phone in the place of an old one: settings, lines, owner and associations move, and
/// the old one is gone. Should it ever come back, it comes as an unknown phone.
pub(super) fn replace_phone(
    work: &mut Work<'_>,
    old: ObjectId,
    new: ObjectId,
) -> Result<Outcome, Refusal> {
    let before: Phone = work.typed(old)?;
    let fresh: Phone = work.typed(new)?;
    if !fresh.auto_registered || old == new {
        return Err(work.directory.refusal_about(Code::NotOpenForProvisioning, new));
    }
    // The new one would be gone at its next restart, as the old one is.
    rules::served(&work.directory, before.security_profile)?;
    let most = work.directory.get(fresh.model).map_or(200, |model| model.maximum_lines);
    if before.lines.len() > usize::from(most) {
        let refusal = work.directory.refusal_about(Code::LimitReached, fresh.model.id());
        return Err(refusal.field("lines").value("limit", most));
    }
    let after = Phone { name: fresh.name.clone(), model: fresh.model, ..before.clone() };
    let after = derived::on_other_phone(&work.directory, &before, after);
    let version = work.put(new, after.clone());
    move_associations(work, old, new);
    work.delete(old);
    lent::free(work, &fresh.clone().into());
    work.rotate(new);
    work.audit = json!({
        "action": "replace-phone",
        "phone": fresh.name,
        "replaced": before.name,
        "user": before.owner.and_then(|owner| work.directory.label(owner.id())),
        "old": fresh,
        "new": after,
        "result": "replaced",
    });
    Ok(Outcome::Saved(vec![(new, version)]))
}

/// Whoever could control the old phone can control the new one.
fn move_associations(work: &mut Work<'_>, old: ObjectId, new: ObjectId) {
    let controls = |phones: &[Ref<Phone>]| phones.iter().any(|phone| phone.id() == old);
    let users: Vec<(Ref<EndUser>, EndUser)> = work
        .directory
        .all::<EndUser>()
        .filter(|(_, user)| controls(&user.controlled_phones))
        .map(|(id, user)| (id, EndUser::clone(user)))
        .collect();
    for (id, mut user) in users {
        user.controlled_phones = moved(&user.controlled_phones, old, new);
        work.put(id.id(), user);
    }
    let applications: Vec<(Ref<ApplicationUser>, ApplicationUser)> = work
        .directory
        .all::<ApplicationUser>()
        .filter(|(_, user)| controls(&user.controlled_phones))
        .map(|(id, user)| (id, ApplicationUser::clone(user)))
        .collect();
    for (id, mut user) in applications {
        user.controlled_phones = moved(&user.controlled_phones, old, new);
        work.put(id.id(), user);
    }
}

fn moved(phones: &[Ref<Phone>], old: ObjectId, new: ObjectId) -> Box<[Ref<Phone>]> {
    let kept = phones.iter().copied().filter(|phone| phone.id() != new);
    kept.map(|phone| if phone.id() == old { Ref::new(new) } else { phone }).collect()
}
