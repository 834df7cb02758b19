//! Numbers by which callers reach somebody else, or no help.

use jackfield_vocabulary::ObjectId;

use crate::{
    AutoRegistration, CallingSearchSpace, ClusterSettings, Directory, Language, Line, Message,
    Phone, Ref, RoutePattern,
};

/// What else has the number of a line.
pub(super) fn of_line(
    directory: &Directory,
    id: ObjectId,
    line: &Line,
    language: Language,
) -> Vec<String> {
    let number = line.number.as_str();
    let mut told = Vec::new();
    if directory.cluster().emergency_numbers.iter().any(|one| **one == *number) {
        told.push(Message::NumberOfHelp.with(language, &[("number", number)]));
    }
    let same = directory.numbers_from(number).take_while(|(found, ..)| *found == number);
    let partition = line.partition.map(Ref::id);
    let others = same.filter(|(_, of, other)| *other != id && meet(directory, *of, partition));
    let others: Vec<_> = others.map(|(.., other)| other).collect();
    let service = directory.self_provisioning_lines();
    let other = others.iter().find(|one| service.contains(one)).or_else(|| others.first());
    if let Some(other) = other {
        let message = match service.contains(other) {
            true => Message::NumberOfService,
            false => Message::NumberTwice,
        };
        let name = directory.label(*other).unwrap_or_default();
        told.push(message.with(language, &[("number", number), ("name", &name)]));
    }
    told
}

/// What else has one of the numbers that a node lends to new phones; that of self-provisioning
/// first.
pub(super) fn of_range(
    directory: &Directory,
    range: &AutoRegistration,
    language: Language,
) -> Option<String> {
    let (first, last) = (&*range.starting_number, &*range.ending_number);
    if first.is_empty() {
        return None;
    }
    let template = range.line_template.and_then(|template| directory.get(template));
    let partition = template.and_then(|template| template.partition).map(Ref::id);
    let within = |number: &str, of| number.len() == first.len() && of != partition;
    let found = directory.numbers_between(first, last);
    let found = found.filter(|(number, of, _)| within(number, *of));
    let found: Vec<_> = found.filter(|(_, of, _)| meet(directory, *of, partition)).collect();
    let service = directory.self_provisioning_lines();
    let other = found.iter().find(|(.., id)| service.contains(id)).or_else(|| found.first());
    let (number, _, id) = *other?;
    let name = directory.label(id)?;
    let values = [("number", number), ("name", &*name), ("first", first), ("last", last)];
    let message = match service.contains(&id) {
        true => Message::RangeOverService,
        false => Message::RangeOverNumber,
    };
    Some(message.with(language, &values))
}

/// That a phone rings where self-provisioning answers.
pub(super) fn of_phone(directory: &Directory, phone: &Phone, language: Language) -> Option<String> {
    let service = directory.self_provisioning_lines();
    let line = phone.lines.iter().find(|one| service.contains(&one.line.id()))?.line;
    let number = directory.get(line)?.number.as_str();
    let values = [("number", number), ("name", &*phone.name)];
    Some(Message::PhoneOfService.with(language, &values))
}

/// Emergency numbers that lead to somebody else, or that there are none.
pub(super) fn of_cluster(
    directory: &Directory,
    settings: &ClusterSettings,
    language: Language,
) -> Vec<String> {
    let numbers = &settings.emergency_numbers;
    if numbers.is_empty() {
        return vec![Message::NoEmergencyNumbers.text(language)];
    }
    let mut told = Vec::new();
    for number in numbers {
        let values = [("number", &**number)];
        if directory.lines_with(number).next().is_some() {
            told.push(Message::NumberOfHelp.with(language, &values));
        }
        let patterns = directory.all::<RoutePattern>();
        told.extend(
            patterns.filter_map(|(id, route)| of_help(directory, id.id(), route, number, language)),
        );
        let lent = |range: &AutoRegistration| {
            let (first, last) = (&*range.starting_number, &*range.ending_number);
            number.len() == first.len() && (first..=last).contains(&&**number)
        };
        let lends = directory.all::<AutoRegistration>().find(|(_, range)| lent(range));
        if let Some((_, range)) = lends {
            let values = [("number", &**number), ("node", &*range.name)];
            told.push(Message::HelpInRange.with(language, &values));
        }
    }
    told
}

/// That a pattern takes an emergency number for something else.
pub(super) fn of_help(
    directory: &Directory,
    id: ObjectId,
    route: &RoutePattern,
    number: &str,
    language: Language,
) -> Option<String> {
    let takes = !route.emergency && route.pattern.matches(number).is_some();
    let name = directory.label(id).filter(|_| takes)?;
    let values = [("number", number), ("name", &*name)];
    Some(Message::PatternOverHelp.with(language, &values))
}

/// Somebody can reach both partitions.
fn meet(directory: &Directory, one: Option<ObjectId>, other: Option<ObjectId>) -> bool {
    let reaches = |css: &CallingSearchSpace, partition: Option<ObjectId>| {
        partition.is_none_or(|id| css.partitions.iter().any(|one| one.id() == id))
    };
    let both = |css: &CallingSearchSpace| reaches(css, one) && reaches(css, other);
    directory.all::<CallingSearchSpace>().any(|(_, css)| both(css))
}
