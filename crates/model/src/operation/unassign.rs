use std::sync::Arc;

use jackfield_vocabulary::{ObjectId, Refusal};
use serde_json::json;

use super::work::Work;
use super::{Outcome, assign, auto_register, build, lent};
use crate::{Directory, Phone, Text};

/// Takes a phone from its owner; it waits for the next one, with a number of the
/// auto-registration range when there is one to have. One that waits without a number gets it so, too.
pub(super) fn unassign(work: &mut Work<'_>, device: ObjectId) -> Result<Outcome, Refusal> {
    let old: Phone = work.typed(device)?;
    if old.auto_registered && !old.lines.is_empty() {
        let extension = first_number(&work.directory, &old);
        return Ok(Outcome::Unassigned { device, extension });
    }
    let new = open_phone(work, &old);
    if new == old {
        return Ok(Outcome::Unassigned { device, extension: None });
    }
    work.put(device, new.clone());
    lent::free(work, &old.clone().into());
    match old.owner {
        Some(owner) => {
            assign::dissociate(work, owner.id(), device);
            work.rotate_from_owner(device);
        }
        None => work.rotate(device),
    }
    work.audit = json!({
        "action": "unassign",
        "phone": old.name,
        "former_owner": old.owner.and_then(|owner| work.directory.label(owner.id())),
        "old": old,
        "new": new,
        "result": "unassigned",
    });
    let extension = first_number(&work.directory, &new);
    Ok(Outcome::Unassigned { device, extension })
}

/// The phone as auto-registration would make it; when it can't, the phone without lines, and without what it
/// said of its owner.
fn open_phone(work: &mut Work<'_>, old: &Phone) -> Phone {
    let offer = nodes(&work.directory, old)
        .iter()
        .find_map(|node| auto_register::offer(&work.directory, node).ok());
    offer
        .and_then(|offer| auto_register::lend(work, &offer, &old.name, old.model).ok())
        .map(|(phone, _)| phone)
        .unwrap_or_else(|| Phone {
            owner: None,
            description: Text::default(),
            lines: build::no_lines(),
            auto_registered: true,
            ..old.clone()
        })
}

/// The nodes that serve the phone, and last the publisher.
fn nodes(directory: &Directory, phone: &Phone) -> Vec<Text> {
    let group =
        directory.get(phone.device_pool).and_then(|pool| directory.get(pool.call_manager_group));
    let nodes = group.map(|group| &*group.nodes).unwrap_or_default();
    nodes
        .iter()
        .copied()
        .chain(directory.publisher().map(|(node, _)| node))
        .filter_map(|node| directory.get(node))
        .map(|node| node.name.clone())
        .collect()
}

fn first_number(directory: &Directory, phone: &Phone) -> Option<Arc<str>> {
    let line = directory.get(phone.lines.first().map(|first| first.line)?)?;
    Some(line.number.as_str().into())
}
