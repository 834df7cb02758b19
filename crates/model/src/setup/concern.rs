//! What is allowed and most likely not meant.

use std::collections::BTreeSet;

use jackfield_vocabulary::{Code, ObjectId};

use super::explain::ambiguity;
use super::{pilot, shadow};
use crate::operation::unknown_tags;
use crate::{
    AutoRegistration, Body, CredentialPolicy, Dialled, Directory, Forward, Forwards, Language,
    Line, Message, Partition, PatternUse, Phone, Ref, RoutePattern, sentence,
};

/// What whoever has just made or changed an object had better know.
pub fn concerns(directory: &Directory, id: ObjectId, language: Language) -> Vec<String> {
    match directory.entry(id).map(|entry| &entry.body) {
        Some(Body::Line(line)) => of_line(directory, id, line, language),
        Some(Body::EndUser(user)) => {
            let (user_id, id) = (id, user.primary_extension.map(Ref::id));
            let line = id.and_then(|id| Some((id, directory.typed::<Line>(id)?)));
            let number = line.map(|(_, line)| line.number.as_str());
            let shared = ambiguity(directory, user_id, user, number, language);
            let told = line.map(|(id, line)| of_line(directory, id, line, language));
            shared.map(|one| one.text).into_iter().chain(told.unwrap_or_default()).collect()
        }
        Some(Body::AutoRegistration(range)) => {
            shadow::of_range(directory, range, language).into_iter().collect()
        }
        Some(Body::UniversalLineTemplate(template)) => {
            let uses = |range: &AutoRegistration| range.line_template.map(Ref::id) == Some(id);
            let ranges = directory.all::<AutoRegistration>().filter(|(_, range)| uses(range));
            let over = ranges.filter_map(|(_, range)| shadow::of_range(directory, range, language));
            let texts = [&template.line_description, &template.alerting_name, &template.line_text];
            over.chain(of_tags(texts.into_iter().map(|text| &**text), language)).collect()
        }
        Some(Body::UniversalDeviceTemplate(template)) => {
            let lines = template.lines.iter().flat_map(|line| [&*line.display, &*line.label]);
            of_tags(lines.chain([&*template.device_description]), language).collect()
        }
        Some(Body::UserProfile(profile))
            if profile.allow_self_provisioning && profile.desk_phones.is_none() =>
        {
            let refusal = directory.refusal_about(Code::NoDeviceTemplate, id);
            let said = sentence(&refusal, language);
            vec![format!("{} {}", said.message, said.remedy)]
        }
        Some(Body::ClusterSettings(settings)) => shadow::of_cluster(directory, settings, language),
        Some(Body::CallingSearchSpace(_)) => pilot::hidden_from(directory, id, language),
        Some(Body::RoutePattern(route)) => of_pattern(directory, id, route, language),
        Some(Body::CredentialPolicy(policy)) => of_policy(policy, language),
        Some(Body::Phone(phone)) => {
            let shadows = shadow::of_phone(directory, phone, language);
            shadows.into_iter().chain(of_phone(directory, phone, language)).collect()
        }
        _ => Vec::new(),
    }
}

/// That a phone of nobody's calls with somebody's own number.
fn of_phone(directory: &Directory, phone: &Phone, language: Language) -> Option<String> {
    let line = phone.lines.first().filter(|_| phone.owner.is_none())?.line;
    let user = directory.label(directory.primary_users(line.id()).next()?)?;
    let number = directory.get(line)?.number.as_str();
    let values = [("number", number), ("user", &*user), ("name", &*phone.name)];
    Some(Message::NumberOfAnothers.with(language, &values))
}

/// What looks like a tag and stays as it stands.
fn of_tags<'a>(
    texts: impl Iterator<Item = &'a str>,
    language: Language,
) -> impl Iterator<Item = String> {
    let tell = move |name: &str| Message::UnknownTag.with(language, &[("name", name)]);
    texts.flat_map(unknown_tags).map(tell)
}

/// That a pattern sends calls to nobody, or takes a number that somebody dials for help.
fn of_pattern(
    directory: &Directory,
    id: ObjectId,
    route: &RoutePattern,
    language: Language,
) -> Vec<String> {
    let cluster = directory.cluster();
    let help = cluster.emergency_numbers.iter();
    let mut told: Vec<String> =
        help.filter_map(|number| shadow::of_help(directory, id, route, number, language)).collect();
    let digits = &*route.destination;
    let search = directory.search(route.css, None);
    if route.does == PatternUse::Redirect && directory.dial(&search, digits).is_none() {
        told.push(Message::RedirectToNobody.with(language, &[("destination", digits)]));
    }
    told
}

/// What makes a policy easy for those who guess.
fn of_policy(policy: &CredentialPolicy, language: Language) -> Vec<String> {
    let (password, pin) = (policy.minimum_password_length, policy.minimum_pin_length);
    let weak = [
        (policy.failures == 0, Message::PolicyNeverLocks, 0),
        (password < SHORT_PASSWORD, Message::PolicyShortPassword, password),
        (pin < SHORT_PIN, Message::PolicyShortPin, pin),
        (!policy.refuse_trivial, Message::PolicyTrivial, 0),
    ];
    let weak = weak.into_iter().filter(|(is_so, ..)| *is_so);
    weak.map(|(_, message, length)| message.with(language, &[("length", &length.to_string())]))
        .collect()
}

/// NIST SP 800-63B section 5.1.1.1 asks for as many at the least.
const SHORT_PASSWORD: u8 = 8;

/// The 1,000 of three digits are soon tried.
const SHORT_PIN: u8 = 4;

fn of_line(directory: &Directory, id: ObjectId, line: &Line, language: Language) -> Vec<String> {
    let lent = lent_by(directory, line).map(|node| {
        let values = [("number", line.number.as_str()), ("node", &*node)];
        Message::NumberInRange.with(language, &values)
    });
    let nowhere = each(&line.forwards).into_iter();
    let nowhere = nowhere.filter(|(_, forward)| !leads(directory, id, line, forward));
    let nobody = nowhere.map(|(name, forward)| {
        let values = [("name", name), ("destination", &*forward.destination)];
        Message::ForwardToNobody.with(language, &values)
    });
    let back = (0..).zip(each(&line.forwards)).filter_map(|(at, (name, forward))| {
        let number = line.number.as_str();
        let values = [("name", name), ("destination", &*forward.destination), ("number", number)];
        let message = if comes_back(directory, id, line, forward) {
            Message::ForwardComesBack
        } else if goes_round(directory, id, line, at) {
            Message::ForwardGoesRound
        } else {
            return None;
        };
        Some(message.with(language, &values))
    });
    let shadows = shadow::of_line(directory, id, line, language);
    let away = pilot::forward_of(directory, id, line, language).map(|one| one.text);
    lent.into_iter().chain(shadows).chain(away).chain(nobody).chain(back).collect()
}

/// The forward leads to the line itself, be it past lines that forward every call.
pub(super) fn comes_back(
    directory: &Directory,
    id: ObjectId,
    line: &Line,
    forward: &Forward,
) -> bool {
    leads_back(directory, id, target(directory, id, line, forward), |passed| &passed.all)
}

/// The forward at this place of [`each`] leads to the line itself past lines that forward every call, or
/// calls for the same reason.
fn goes_round(directory: &Directory, id: ObjectId, line: &Line, at: usize) -> bool {
    let first = target(directory, id, line, each(&line.forwards)[at].1);
    leads_back(directory, id, first, |passed| match passed.all.destination.is_empty() {
        true => each(passed)[at].1,
        false => &passed.all,
    })
}

/// From line to line by these of their forwards a call comes to this one.
fn leads_back(
    directory: &Directory,
    id: ObjectId,
    first: Option<Dialled>,
    onward: impl Fn(&Forwards) -> &Forward,
) -> bool {
    let (mut at, mut passed) = (first, BTreeSet::new());
    while let Some(Dialled::Line(next, line)) = at {
        if next.id() == id {
            return true;
        }
        if !passed.insert(next.id()) {
            return false;
        }
        at = target(directory, next.id(), &line, onward(&line.forwards));
    }
    false
}

/// The node whose auto-registration would lend the number of a line that is somebody's.
fn lent_by(directory: &Directory, line: &Line) -> Option<String> {
    let number = line.number.as_str();
    let holds = |range: &AutoRegistration| {
        let template = range.line_template.and_then(|template| directory.get(template));
        let (first, last) = (&*range.starting_number, &*range.ending_number);
        !line.auto_registered
            && number.len() == first.len()
            && (first..=last).contains(&number)
            && template.and_then(|template| template.partition) == line.partition
    };
    let found = directory.all::<AutoRegistration>().find(|(_, range)| holds(range));
    found.map(|(_, range)| range.name.to_string())
}

pub(super) fn each(forwards: &Forwards) -> [(&'static str, &Forward); 5] {
    [
        ("all", &forwards.all),
        ("busy", &forwards.busy),
        ("no_answer", &forwards.no_answer),
        ("unregistered", &forwards.unregistered),
        ("failure", &forwards.failure),
    ]
}

/// The forward is off, or its destination matches something within its reach.
pub(super) fn leads(directory: &Directory, id: ObjectId, line: &Line, forward: &Forward) -> bool {
    forward.destination.is_empty() || target(directory, id, line, forward).is_some()
}

/// What the destination of a forward matches within its reach; nothing where the forward is off.
pub(super) fn target(
    directory: &Directory,
    id: ObjectId,
    line: &Line,
    forward: &Forward,
) -> Option<Dialled> {
    let digits = &*forward.destination;
    if digits.is_empty() {
        return None;
    }
    let device = directory.appearances(id).find_map(|one| directory.effective(one));
    let search = match (forward.css, &device) {
        (Some(css), _) => directory.search(Some(css), None),
        (None, Some(device)) => directory.search(line.css, device.css),
        // What a device that will have the line reaches is not known yet.
        (None, None) => everywhere(directory),
    };
    directory.dial(&search, digits)
}

fn everywhere(directory: &Directory) -> Vec<Option<ObjectId>> {
    let partitions = directory.all::<Partition>().map(|(partition, _)| Some(partition.id()));
    partitions.chain([None]).collect()
}
