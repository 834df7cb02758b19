use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::form::{self, invalid};
use crate::{
    AutoRegistration, Body, CtiRoutePoint, Declared, Directory, Line, Ref, RoutePattern,
    SelfProvisioning,
};

/// The range has its form and overlaps no number in use; what is on has all that it needs (SP-43).
pub(super) fn check_auto_registration(
    directory: &Directory,
    before: Option<&Body>,
    settings: &AutoRegistration,
) -> Result<(), Refusal> {
    form::networks("allowed_networks", &settings.allowed_networks)?;
    let (first, last) = (&*settings.starting_number, &*settings.ending_number);
    form::digits("starting_number", first)?;
    form::digits("ending_number", last)?;
    if !settings.disabled {
        let missing = |field: &str| {
            Err(Refusal::new(Code::MissingField).field(field).value("rule", "auto-registration"))
        };
        if first.is_empty() {
            return missing("starting_number");
        }
        if settings.device_template.is_none() {
            return missing("device_template");
        }
        if settings.line_template.is_none() {
            return missing("line_template");
        }
        let template = settings.device_template.and_then(|template| directory.get(template));
        if let Some(template) = template {
            super::served(directory, template.security_profile)?;
        }
    }
    if first.len() != last.len() || last < first {
        return Err(invalid(
            "ending_number",
            last,
            &format!("{first}..{}", "9".repeat(first.len())),
        ));
    }
    let same_range = match before {
        Some(Body::AutoRegistration(before)) => {
            before.starting_number == settings.starting_number
                && before.ending_number == settings.ending_number
                && before.line_template == settings.line_template
                && before.disabled == settings.disabled
        }
        _ => false,
    };
    if same_range { Ok(()) } else { check_overlap(directory, settings) }
}

/// Numbers that the range itself has lent are no overlap.
fn check_overlap(directory: &Directory, settings: &AutoRegistration) -> Result<(), Refusal> {
    let (first, last) = (&*settings.starting_number, &*settings.ending_number);
    if first.is_empty() {
        return Ok(());
    }
    no_emergency(directory, first, last)?;
    let template = settings.line_template.and_then(|template| directory.get(template));
    let partition = template.and_then(|template| template.partition).map(Ref::id);
    let used = directory
        .numbers_between(first, last)
        .filter(|(number, of, _)| number.len() == first.len() && *of == partition)
        .find(|(.., id)| !directory.typed::<Line>(*id).is_some_and(|line| line.auto_registered));
    if let Some((number, _, id)) = used {
        let refusal = directory.refusal_about(Code::RangeOverlaps, id).field("starting_number");
        return Err(refusal.value("number", number).value("first", first).value("last", last));
    }
    let mut patterns = directory.patterns_in(partition);
    if let Some((id, pattern)) = patterns.find(|(_, pattern)| pattern.meets(first, last)) {
        let refusal = directory.refusal_about(Code::RangeOverlaps, id).field("starting_number");
        return Err(refusal.value("number", pattern).value("first", first).value("last", last));
    }
    let other = directory.all::<AutoRegistration>().find(|(_, other)| {
        let overlaps = other.starting_number.len() == first.len()
            && *other.starting_number <= *last
            && *first <= *other.ending_number;
        other.name != settings.name && overlaps && partition_of(directory, other) == partition
    });
    if let Some((id, other)) = other {
        let refusal =
            directory.refusal_about(Code::RangeOverlaps, id.id()).field("starting_number");
        let refusal = refusal.value("number", &other.starting_number);
        return Err(refusal.value("first", first).value("last", last));
    }
    Ok(())
}

/// A phone that is lent an emergency number keeps others from help.
fn no_emergency(directory: &Directory, first: &str, last: &str) -> Result<(), Refusal> {
    let cluster = directory.cluster();
    let mut numbers = cluster.emergency_numbers.iter();
    match numbers.find(|number| number.len() == first.len() && (first..=last).contains(&&***number))
    {
        None => Ok(()),
        Some(number) => {
            let refusal = Refusal::new(Code::RangeOverlaps).field("starting_number");
            let refusal = refusal.value("rule", "emergency").value("number", number);
            Err(refusal.value("first", first).value("last", last))
        }
    }
}

/// A pattern over the numbers that a node lends to new phones is refused, as such a range over a
/// pattern is: whichever comes last.
pub(super) fn check_pattern(directory: &Directory, route: &RoutePattern) -> Result<(), Refusal> {
    let partition = route.partition.map(Ref::id);
    let over = directory.all::<AutoRegistration>().find(|(_, settings)| {
        let (first, last) = (&*settings.starting_number, &*settings.ending_number);
        !first.is_empty()
            && partition_of(directory, settings) == partition
            && route.pattern.meets(first, last)
    });
    let Some((id, settings)) = over else { return Ok(()) };
    let refusal = directory.refusal_about(Code::RangeOverlaps, id.id()).field("pattern");
    let refusal = refusal.value("rule", "pattern").value("number", &route.pattern);
    let refusal = refusal.value("node", &settings.name);
    Err(refusal.value("first", &settings.starting_number).value("last", &settings.ending_number))
}

fn partition_of(directory: &Directory, settings: &AutoRegistration) -> Option<ObjectId> {
    let template = settings.line_template.and_then(|template| directory.get(template));
    template.and_then(|template| template.partition).map(Ref::id)
}

/// A route point that self-provisioning answers on takes nobody's extension.
pub(super) fn check_service_numbers(
    directory: &Directory,
    id: Option<ObjectId>,
    before: Option<&Body>,
    point: &CtiRoutePoint,
) -> Result<(), Refusal> {
    let before = before.and_then(CtiRoutePoint::from_body);
    let chosen = directory.self_provisioning().route_point.map(Ref::id);
    if chosen != id || chosen.is_none() || before.is_some_and(|one| one.lines == point.lines) {
        return Ok(());
    }
    nobodys(directory, "lines", point)
}

fn nobodys(directory: &Directory, field: &str, point: &CtiRoutePoint) -> Result<(), Refusal> {
    for line in point.lines.iter().map(|one| one.line.id()) {
        if let Some(user) = directory.primary_users(line).next() {
            let refusal = directory.refusal_about(Code::InvalidValue, user).field(field);
            let number = directory.label(line).unwrap_or_default();
            return Err(refusal.value("rule", "own-extension").value("number", number));
        }
    }
    Ok(())
}

pub(super) fn check_self_provisioning(
    directory: &Directory,
    before: Option<&Body>,
    settings: &SelfProvisioning,
) -> Result<(), Refusal> {
    let had = before.and_then(SelfProvisioning::from_body).and_then(|before| before.route_point);
    let chosen = settings.route_point.filter(|_| had != settings.route_point);
    if let Some(point) = chosen.and_then(|point| directory.get(point)) {
        nobodys(directory, "route_point", point)?;
    }
    if settings.languages.is_empty() {
        return Err(Refusal::new(Code::LastLanguage).field("languages"));
    }
    for (index, language) in settings.languages.iter().enumerate() {
        let field = format!("languages[{index}]");
        form::locale(&field, language)?;
        if settings.languages.iter().take(index).any(|other| other == language) {
            let refusal = Refusal::new(Code::Duplicate).field(field).value("rule", "twice");
            return Err(refusal.value("name", language));
        }
    }
    Ok(())
}
