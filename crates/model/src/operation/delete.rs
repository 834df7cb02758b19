use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::work::Work;
use super::{Outcome, assign, lent, rules, update};
use crate::setup::holders;
use crate::{Body, Kind};

/// Deletes an object, with what belongs to it alone.
pub(super) fn delete(
    work: &mut Work<'_>,
    id: ObjectId,
    version: Option<u32>,
) -> Result<Outcome, Refusal> {
    let entry = work.entry(id)?;
    update::check_version(entry.version, version)?;
    let body = entry.body.clone();
    rules::check_delete(&work.directory, id, &body)?;
    if let Some(user) = used_by(work, id) {
        let refusal = work.directory.refusal_about(Code::InUse, id).value("by", user);
        return Err(match &body {
            Body::EndUser(_) => refusal.value("rule", "leaver"),
            _ => refusal,
        });
    }
    match &body {
        Body::Phone(phone) => {
            if let Some(owner) = phone.owner {
                assign::dissociate(work, owner.id(), id);
            }
            work.delete(id);
        }
        Body::Node(node) => {
            for kind in [Kind::AutoRegistration, Kind::ServiceActivation] {
                if let Some(part) = work.directory.find(kind, &node.name) {
                    work.delete(part);
                }
            }
            work.delete(id);
        }
        _ => work.delete(id),
    }
    lent::free(work, &body);
    Ok(Outcome::Deleted(id))
}

/// Whatever the indexes know to use it; the store's foreign keys know the rest.
pub(super) fn used_by(work: &Work<'_>, id: ObjectId) -> Option<String> {
    let directory = &work.directory;
    let users = holders(directory, id).chain(directory.owned(id)).take(MOST_NAMED);
    let named = users.filter_map(|user| {
        let kind = directory.entry(user)?.body.kind();
        Some(format!("{kind} {}", directory.label(user)?))
    });
    let named: Vec<_> = named.collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// Users of one object that are named.
const MOST_NAMED: usize = 10;
