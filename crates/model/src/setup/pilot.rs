//! Whether who dials the number of self-provisioning comes to its route point. A phone that waits
//! for an owner does, whatever it reaches; only a forward of every call leads it elsewhere.

use std::sync::Arc;

use jackfield_vocabulary::ObjectId;

use super::command::quoted;
use super::concern::target;
use super::explain::Finding;
use crate::{CallingSearchSpace, Dialled, Directory, Language, Line, Message, Phone, Ref};

/// That of the numbers of self-provisioning none is left by which anybody reaches it.
pub(super) fn out_of_reach(directory: &Directory, language: Language) -> Option<Finding> {
    let lines = lines(directory);
    let (id, line) = *lines.first()?;
    let all = lines.iter().all(|(id, line)| goes_on(directory, *id, line));
    if all { forward_of(directory, id, line, language) } else { None }
}

/// That every call to a line of self-provisioning goes on to somebody else.
pub(super) fn forward_of(
    directory: &Directory,
    id: ObjectId,
    line: &Line,
    language: Language,
) -> Option<Finding> {
    let of_service = directory.self_provisioning_lines().contains(&id);
    (of_service && goes_on(directory, id, line)).then(|| {
        let destination = &*line.forwards.all.destination;
        let values = [("number", line.number.as_str()), ("destination", destination)];
        let name = quoted(&directory.label(id).unwrap_or_default());
        let remedy = format!("`jackfield set line {name} --forwards.all.destination ''`");
        Finding::bad(Message::ServiceForwarded.with(language, &values), remedy)
    })
}

/// What keeps some of the callers from self-provisioning, or lets somebody else hear them.
pub(super) fn in_the_way(directory: &Directory, language: Language) -> Vec<String> {
    let mut told = Vec::new();
    for (id, line) in lines(directory) {
        told.extend(forward_of(directory, id, line, language).map(|one| one.text));
        told.extend(hidden(directory, id, line, language));
        told.extend(others(directory, id, line, language));
    }
    told
}

/// What callers with this calling search space reach in place of self-provisioning.
pub(super) fn hidden_from(directory: &Directory, css: ObjectId, language: Language) -> Vec<String> {
    let name = directory.label(css).unwrap_or_default();
    let hides = |(id, line): (ObjectId, &Arc<Line>)| {
        let other = found_instead(directory, Ref::new(css), id, line)?;
        Some(told_hidden(directory, line, other, &name, language))
    };
    lines(directory).into_iter().filter_map(hides).collect()
}

fn lines(directory: &Directory) -> Vec<(ObjectId, &Arc<Line>)> {
    let lines = directory.self_provisioning_lines().into_iter();
    lines.filter_map(|id| Some((id, directory.typed::<Line>(id)?))).collect()
}

/// Every call goes on, and not to another number of self-provisioning that takes it.
fn goes_on(directory: &Directory, id: ObjectId, line: &Line) -> bool {
    let all = &line.forwards.all;
    let answers = |to: Dialled| match to {
        Dialled::Line(other, line) => {
            let of_service = directory.self_provisioning_lines().contains(&other.id());
            of_service && other.id() != id && line.forwards.all.destination.is_empty()
        }
        Dialled::Route(..) => false,
    };
    !all.destination.is_empty() && !target(directory, id, line, all).is_some_and(answers)
}

/// Who reaches the line's partition, and something else by its number: a sentence for each that
/// hides it.
fn hidden(directory: &Directory, id: ObjectId, line: &Line, language: Language) -> Vec<String> {
    let mut hiding: Vec<(ObjectId, Vec<&str>)> = Vec::new();
    for (css, space) in directory.all::<CallingSearchSpace>() {
        let Some(other) = found_instead(directory, css, id, line) else { continue };
        match hiding.iter_mut().find(|(found, _)| *found == other) {
            Some((_, spaces)) => spaces.push(&space.name),
            None => hiding.push((other, vec![&space.name])),
        }
    }
    let tell = |(other, spaces): (ObjectId, Vec<&str>)| {
        told_hidden(directory, line, other, &spaces.join(", "), language)
    };
    hiding.into_iter().map(tell).collect()
}

fn told_hidden(
    directory: &Directory,
    line: &Line,
    other: ObjectId,
    spaces: &str,
    language: Language,
) -> String {
    let name = directory.label(other).unwrap_or_default();
    let values = [("number", line.number.as_str()), ("name", &*name), ("css", spaces)];
    Message::ServiceHidden.with(language, &values)
}

fn found_instead(
    directory: &Directory,
    css: Ref<CallingSearchSpace>,
    id: ObjectId,
    line: &Line,
) -> Option<ObjectId> {
    let search = directory.search(Some(css), None);
    if !line.number.is_number() || !search.contains(&line.partition.map(Ref::id)) {
        return None;
    }
    let found = match directory.dial(&search, line.number.as_str())? {
        Dialled::Line(other, _) => other.id(),
        Dialled::Route(route, _) => route.id(),
    };
    let own = found == id || directory.self_provisioning_lines().contains(&found);
    (!own).then_some(found)
}

/// The users and phones that have the line, too, as older settings may have it.
fn others(directory: &Directory, id: ObjectId, line: &Line, language: Language) -> Vec<String> {
    let told = |message: Message, other: ObjectId| {
        let name = directory.label(other).unwrap_or_default();
        message.with(language, &[("number", line.number.as_str()), ("name", &name)])
    };
    let users = directory.primary_users(id).map(|user| told(Message::ServiceOfUser, user));
    let phones = directory.appearances(id).filter(|one| directory.typed::<Phone>(*one).is_some());
    users.chain(phones.map(|phone| told(Message::PhoneOfService, phone))).collect()
}
