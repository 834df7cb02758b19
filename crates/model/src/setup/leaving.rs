//! Who else is concerned when something goes: what calls a number by a setting, and what stays behind
//! that nobody has.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_vocabulary::ObjectId;

use super::concern::{each, target};
use super::quoted;
use crate::{
    Body, BusyLampField, Dialled, Directory, EndUser, Forwards, Language, Line, Message,
    PatternUse, Phone, Ref, SpeedDial,
};

/// What whoever deletes these objects had better know: what still calls their numbers, and which lines
/// stay that nobody has.
pub fn left_behind(
    directory: &Directory,
    gone: &BTreeSet<ObjectId>,
    language: Language,
) -> Vec<String> {
    let mut by_line: BTreeMap<ObjectId, Vec<String>> = BTreeMap::new();
    for (from, field, line) in callers(directory, gone) {
        by_line.entry(line).or_default().extend(directory.use_of(from, &field));
    }
    let called = by_line.into_iter().filter_map(|(line, users)| {
        let (number, users) = (directory.label(line)?, some_of(users));
        let values = [("number", &*number), ("users", &*users)];
        Some(Message::NumberStillCalled.with(language, &values))
    });
    let stays = lines_of(directory, gone).into_iter().filter(|line| {
        let mut holders = holders(directory, *line).peekable();
        !gone.contains(line) && holders.peek().is_some() && holders.all(|one| gone.contains(&one))
    });
    let stays = stays.filter_map(|line| {
        let number = directory.label(line)?;
        let values = [("number", &*number), ("line", &*quoted(&number))];
        Some(Message::NumberStays.with(language, &values))
    });
    called.chain(stays).take(MOST_TOLD).collect()
}

/// What whoever removed this user had better know of what stays: the user's name on a line that others
/// have, and who else may still control the phones. `left` is what was there before.
pub fn left_by(
    left: &Directory,
    directory: &Directory,
    user: ObjectId,
    language: Language,
) -> Vec<String> {
    let Some(person) = left.typed::<EndUser>(user) else { return Vec::new() };
    let line = person.primary_extension.and_then(|line| Some((line, directory.get(line)?)));
    let named =
        line.filter(|(_, line)| shows(&line.alerting_name, person)).and_then(|(id, line)| {
            let number = directory.label(id.id())?;
            let name = &*line.alerting_name;
            let values = [("number", &*number), ("name", name), ("line", &*quoted(&number))];
            Some(Message::NameStays.with(language, &values))
        });
    let controlled = left.owned(user).filter_map(|phone| {
        let phone = directory.label(phone).map(|name| (phone, name))?;
        let others = controllers(directory, phone.0);
        let users = others.iter().filter_map(|one| directory.use_of(*one, "controlled_phones"));
        let values = [("phone", &*phone.1), ("users", &*some_of(users.collect()))];
        (!others.is_empty()).then(|| Message::StillControlled.with(language, &values))
    });
    named.into_iter().chain(controlled).collect()
}

/// The devices that have a line, and the users whose primary extension it is.
pub fn holders(directory: &Directory, line: ObjectId) -> impl Iterator<Item = ObjectId> {
    directory.appearances(line).chain(directory.primary_users(line))
}

/// What calls the numbers of these lines by a setting and is not among them itself: the object, the
/// field that names the number, and the line.
pub fn callers(
    directory: &Directory,
    lines: &BTreeSet<ObjectId>,
) -> Vec<(ObjectId, String, ObjectId)> {
    let number = |id: &ObjectId| Some(directory.typed::<Line>(*id)?.number.as_str());
    let numbers: BTreeSet<&str> = lines.iter().filter_map(number).collect();
    if numbers.is_empty() {
        return Vec::new();
    }
    let others = directory.entries().filter(|(id, _)| !lines.contains(id));
    others
        .flat_map(|(id, entry)| {
            let called = called(directory, id, &entry.body, &|number| numbers.contains(number));
            called.into_iter().filter_map(move |(field, line)| Some((id, field, line?)))
        })
        .filter(|(_, _, line)| lines.contains(line))
        .collect()
}

/// The lines that an object calls by its settings, where the number is one of those that are `wanted`.
fn called(
    directory: &Directory,
    id: ObjectId,
    body: &Body,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<(String, Option<ObjectId>)> {
    let any = |number: &str| directory.lines_with(number).next().map(|(line, _)| line.id());
    match body {
        Body::Line(line) => by_forwards(&line.forwards, wanted, |forward| {
            line_of(target(directory, id, line, forward))
        }),
        Body::Phone(phone) => {
            let reach = |number: &str| line_of(directory.dial(&reach(directory, phone), number));
            by_buttons(&phone.speed_dials, &phone.busy_lamp_fields, wanted, reach)
        }
        Body::RoutePattern(route)
            if route.does == PatternUse::Redirect && wanted(&route.destination) =>
        {
            let search = directory.search(route.css, None);
            let found = line_of(directory.dial(&search, &route.destination));
            vec![("destination".into(), found)]
        }
        // Who will have what is made from it is not known yet, nor what that reaches.
        Body::UniversalLineTemplate(template) => {
            by_forwards(&template.forwards, wanted, |forward| any(&forward.destination))
        }
        Body::UniversalDeviceTemplate(template) => {
            by_buttons(&template.speed_dials, &template.busy_lamp_fields, wanted, any)
        }
        _ => Vec::new(),
    }
}

fn by_forwards(
    forwards: &Forwards,
    wanted: &dyn Fn(&str) -> bool,
    found: impl Fn(&crate::Forward) -> Option<ObjectId>,
) -> Vec<(String, Option<ObjectId>)> {
    let set = each(forwards).into_iter().filter(|(_, forward)| wanted(&forward.destination));
    set.map(|(name, forward)| (format!("forwards.{name}.destination"), found(forward))).collect()
}

fn by_buttons(
    dials: &[SpeedDial],
    lamps: &[BusyLampField],
    wanted: &dyn Fn(&str) -> bool,
    found: impl Fn(&str) -> Option<ObjectId>,
) -> Vec<(String, Option<ObjectId>)> {
    let dials = dials.iter().map(|dial| ("speed_dials", &*dial.number)).enumerate();
    let lamps = lamps.iter().map(|lamp| ("busy_lamp_fields", &*lamp.number)).enumerate();
    let called = dials.chain(lamps).filter(|(_, (_, number))| wanted(number));
    called.map(|(at, (list, number))| (format!("{list}[{at}].number"), found(number))).collect()
}

fn line_of(dialled: Option<Dialled>) -> Option<ObjectId> {
    match dialled? {
        Dialled::Line(line, _) => Some(line.id()),
        Dialled::Route(..) => None,
    }
}

/// The partitions that a phone reaches by its buttons.
fn reach(directory: &Directory, phone: &Phone) -> Vec<Option<ObjectId>> {
    let first = phone.lines.first().and_then(|line| directory.get(line.line));
    directory.search(first.and_then(|line| line.css), phone.css)
}

/// The lines that these objects have.
fn lines_of(directory: &Directory, of: &BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
    let lines = |id: &ObjectId| match directory.entry(*id).map(|entry| &entry.body) {
        Some(Body::EndUser(user)) => user.primary_extension.map(Ref::id).into_iter().collect(),
        Some(Body::Phone(phone)) => phone.lines.iter().map(|line| line.line.id()).collect(),
        Some(Body::CtiPort(port)) => port.lines.iter().map(|line| line.line.id()).collect(),
        Some(Body::CtiRoutePoint(point)) => point.lines.iter().map(|one| one.line.id()).collect(),
        _ => Vec::new(),
    };
    // A lent number goes with whoever had it.
    let own =
        |line: &ObjectId| directory.typed::<Line>(*line).is_some_and(|line| !line.auto_registered);
    of.iter().flat_map(lines).filter(own).collect()
}

/// The users and applications that may control a phone.
fn controllers(directory: &Directory, phone: ObjectId) -> Vec<ObjectId> {
    let has = |phones: &[Ref<Phone>]| phones.iter().any(|one| one.id() == phone);
    let controls = |body: &Body| match body {
        Body::EndUser(user) => has(&user.controlled_phones),
        Body::ApplicationUser(user) => has(&user.controlled_phones),
        _ => false,
    };
    directory.entries().filter(|(_, entry)| controls(&entry.body)).map(|(id, _)| id).collect()
}

/// The text has the person's name in it.
fn shows(text: &str, person: &EndUser) -> bool {
    let names = [&person.last_name, &person.first_name, &person.user_id];
    let text = text.to_lowercase();
    names.iter().any(|name| !name.is_empty() && text.contains(&name.to_lowercase()))
}

/// The first ones, and that there are more.
fn some_of(mut users: Vec<String>) -> String {
    if users.len() > MOST_NAMED {
        users.truncate(MOST_NAMED);
        users.push("…".into());
    }
    users.join(", ")
}

/// Users of one object that are named.
const MOST_NAMED: usize = 10;
/// Of many objects that go so much is told.
const MOST_TOLD: usize = 20;
