//! Numbers that auto-registration has lent.

use jackfield_vocabulary::ObjectId;

use super::work::Work;
use crate::{Body, Directory, Line, Phone, Ref};

/// Frees those of the numbers of an object, as it was before, that were lent and that nobody has any
/// more.
pub(super) fn free(work: &mut Work<'_>, before: &Body) {
    for line in lines_of(before) {
        if is_lent(&work.directory, line) && !is_anybodys(&work.directory, line) {
            work.delete(line);
        }
    }
}

/// Numbers that were lent and that nobody has any more: older programs left such behind.
pub fn lent_to_nobody(directory: &Directory) -> Vec<ObjectId> {
    let lines = directory.all::<Line>().filter(|(_, line)| line.auto_registered);
    lines.map(|(line, _)| line.id()).filter(|line| !is_anybodys(directory, *line)).collect()
}

/// A phone that waits for an owner waits no longer when an administrator gives it one, or puts a line
/// on it that is no lent one: who has a number calls with it.
pub(super) fn claimed_by_hand(directory: &Directory, before: &Body, after: Body) -> Body {
    let (Body::Phone(old), Body::Phone(new)) = (before, &after) else { return after };
    let given = old.owner.is_none() && new.owner.is_some();
    let own = |phone: &Phone| phone.lines.iter().any(|one| !is_lent(directory, one.line.id()));
    if old.auto_registered && (given || (own(new) && !own(old))) {
        Phone { auto_registered: false, ..Phone::clone(new) }.into()
    } else {
        after
    }
}

fn is_anybodys(directory: &Directory, line: ObjectId) -> bool {
    directory.appearances(line).next().is_some() || directory.primary_users(line).next().is_some()
}

fn is_lent(directory: &Directory, line: ObjectId) -> bool {
    directory.typed::<Line>(line).is_some_and(|line| line.auto_registered)
}

fn lines_of(body: &Body) -> Vec<ObjectId> {
    match body {
        Body::Phone(phone) => phone.lines.iter().map(|one| one.line.id()).collect(),
        Body::CtiPort(port) => port.lines.iter().map(|one| one.line.id()).collect(),
        Body::CtiRoutePoint(point) => point.lines.iter().map(|one| one.line.id()).collect(),
        Body::EndUser(user) => user.primary_extension.map(Ref::id).into_iter().collect(),
        _ => Vec::new(),
    }
}
