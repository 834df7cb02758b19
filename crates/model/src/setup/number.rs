//! Whose a number is, for those who know no more than the number.

use jackfield_vocabulary::ObjectId;

use super::command::quoted;
use super::explain::Finding;
use crate::{Directory, Kind, Language, Message};

/// What is known of a number, as `3001` or `3001 in Offices`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Each line that has it, with its devices and users.
    pub findings: Vec<Finding>,
    /// The device, where only one has it.
    pub device: Option<ObjectId>,
}

/// Who has this number; `None` where no line has it.
pub fn explain_number(directory: &Directory, number: &str, language: Language) -> Option<Number> {
    let lines = lines(directory, number);
    let mut devices: Vec<ObjectId> =
        lines.iter().flat_map(|line| directory.appearances(*line)).collect();
    devices.dedup();
    let device = devices.first().copied().filter(|_| devices.len() == 1);
    let lead_on = device.is_none();
    let findings: Vec<_> =
        lines.iter().flat_map(|line| explain_line(directory, *line, lead_on, language)).collect();
    (!findings.is_empty()).then_some(Number { findings, device })
}

/// The user who is identified by these digits, as extension or as self-service ID, where it is one.
pub fn user_of_number(directory: &Directory, number: &str) -> Option<ObjectId> {
    let lines = lines(directory, number);
    let mut users = lines.iter().flat_map(|line| directory.primary_users(*line));
    let user = users.next().or_else(|| directory.user_by_self_service_id(number).user())?;
    users.next().is_none().then_some(user)
}

fn lines(directory: &Directory, number: &str) -> Vec<ObjectId> {
    let named = directory.by_name(Kind::Line, number).ok().flatten();
    let named = named.filter(|_| number.contains(" in "));
    let all = directory.lines_with(number).map(|(line, _)| line.id());
    named.into_iter().chain(all).collect()
}

/// A line with its devices and users, and the commands that tell more of them.
fn explain_line(
    directory: &Directory,
    line: ObjectId,
    lead_on: bool,
    language: Language,
) -> Option<Finding> {
    let number = directory.label(line)?;
    let devices = labels(directory, directory.appearances(line));
    let users = labels(directory, directory.primary_users(line));
    let (on, of) = (devices.join(", "), users.join(", "));
    let named = [("number", &*number), ("devices", &*on), ("users", &*of)];
    let values: Vec<_> = named.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let text = Message::NumberIs.with(language, &values);
    if devices.is_empty() {
        return Some(Finding::bad(text, Message::PutOnDevice.text(language)));
    }
    let phones = devices.iter().map(|name| format!("`jackfield explain phone {}`", quoted(name)));
    let people = users.iter().map(|name| format!("`jackfield explain user {}`", quoted(name)));
    let commands: Vec<_> = phones.filter(|_| lead_on).chain(people).collect();
    let remedy = (!commands.is_empty()).then(|| commands.join(", "));
    Some(Finding { good: true, text, remedy })
}

fn labels(directory: &Directory, ids: impl Iterator<Item = ObjectId>) -> Vec<String> {
    let label = |id| directory.label(id).map(|label| label.to_string());
    ids.take(MOST_NAMED).filter_map(label).collect()
}

/// Of a line on very many devices so many are named.
const MOST_NAMED: usize = 20;
