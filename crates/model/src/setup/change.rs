//! What a change makes of other objects, and what it leaves as it was.

use std::sync::Arc;

use jackfield_vocabulary::ObjectId;

use crate::directory::mac_of;
use crate::{Body, Directory, EndUser, Language, Line, Message, Phone, Ref, Text};

/// What whoever changed an object had better know: texts that still show its old number or name, and
/// what becomes of a phone with another name. `before` is what was there.
pub fn left_unchanged(
    before: &Directory,
    directory: &Directory,
    id: ObjectId,
    language: Language,
) -> Vec<String> {
    match (body(before, id), body(directory, id)) {
        (Some(Body::Line(old)), Some(Body::Line(new))) if old.number != new.number => {
            let texts = of_line(directory, id).into_iter().chain(on_phones(directory, id, None));
            shown_still(texts, &[old.number.as_str()], &[new.number.as_str()], language)
        }
        (Some(Body::EndUser(old)), Some(Body::EndUser(new))) => {
            let changed = |name: fn(&EndUser) -> &Text| {
                Some(&**name(old)).filter(|old| !old.is_empty() && **old != **name(new))
            };
            let changed = [changed(|user| &user.first_name), changed(|user| &user.last_name)];
            let changed: Vec<&str> = changed.into_iter().flatten().collect();
            let line = new.primary_extension.map(Ref::id);
            let texts = line.into_iter().flat_map(|line| {
                of_line(directory, line).into_iter().chain(on_phones(directory, line, Some(id)))
            });
            shown_still(texts, &changed, &[&new.first_name, &new.last_name], language)
        }
        (Some(Body::Phone(old)), Some(Body::Phone(new))) => {
            let told = [renamed(old, new, language), remodelled(directory, old, new, language)];
            told.into_iter().flatten().collect()
        }
        _ => Vec::new(),
    }
}

/// The phones on which the change of this object shows when they restart. One that registers a number
/// that it has no longer is out of service until then.
pub fn phones_to_restart(
    before: &Directory,
    directory: &Directory,
    id: ObjectId,
) -> impl Iterator<Item = ObjectId> {
    let number = |directory: &Directory| Some(directory.typed::<Line>(id)?.number.clone());
    let renumbered = number(before) != number(directory);
    let changed = move |phone: &ObjectId| body(before, *phone) != body(directory, *phone);
    let own = Some(id).filter(|id| directory.typed::<Phone>(*id).is_some());
    let lines = directory.appearances(id).filter(move |phone| renumbered || changed(phone));
    let owned = directory.owned(id).filter(changed);
    let phones = own.into_iter().chain(lines).chain(owned);
    phones.filter(|phone| directory.typed::<Phone>(*phone).is_some())
}

fn body(directory: &Directory, id: ObjectId) -> Option<&Body> {
    directory.entry(id).map(|entry| &entry.body)
}

/// The texts that hold one of these words, and not only as part of what it is now.
fn shown_still(
    texts: impl Iterator<Item = (String, Text)>,
    words: &[&str],
    now: &[&str],
    language: Language,
) -> Vec<String> {
    let holds = |text: &str| {
        let rest = now.iter().filter(|now| !now.is_empty());
        let rest = rest.fold(text.to_owned(), |text, now| text.replace(now, " "));
        words.iter().any(|word| has_word(&rest, word))
    };
    let still = texts.filter(|(_, text)| holds(text)).take(MOST_TOLD);
    still
        .map(|(place, text)| {
            Message::TextStays.with(language, &[("place", &place), ("text", &text)])
        })
        .collect()
}

fn of_line(directory: &Directory, id: ObjectId) -> Vec<(String, Text)> {
    let Some(line) = directory.typed::<Line>(id) else { return Vec::new() };
    let texts = [("alerting_name", &line.alerting_name), ("description", &line.description)];
    let place = |field| directory.use_of(id, field).unwrap_or_default();
    texts.map(|(field, text)| (place(field), text.clone())).into()
}

/// How a line appears on phones, of this owner where one is named.
fn on_phones(
    directory: &Directory,
    line: ObjectId,
    owner: Option<ObjectId>,
) -> Vec<(String, Text)> {
    let phones = directory.appearances(line).filter_map(|id| Some((id, directory.typed(id)?)));
    let phones = phones.filter(|(_, phone): &(_, &Arc<Phone>)| {
        owner.is_none_or(|owner| phone.owner.map(Ref::id) == Some(owner))
    });
    let texts = |(id, phone): (ObjectId, &Arc<Phone>)| {
        let mut texts = vec![("description".to_owned(), phone.description.clone())];
        for (at, shown) in phone.lines.iter().enumerate().filter(|(_, one)| one.line.id() == line) {
            texts.push((format!("lines[{at}].label"), shown.label.clone()));
            texts.push((format!("lines[{at}].display"), shown.display.clone()));
        }
        let placed = |(field, text): (String, Text)| Some((directory.use_of(id, &field)?, text));
        texts.into_iter().filter_map(placed).collect::<Vec<_>>()
    };
    phones.flat_map(texts).collect()
}

/// A phone is known by the hardware address in its name.
fn renamed(old: &Phone, new: &Phone, language: Language) -> Option<String> {
    let known = mac_of(&old.name).filter(|mac| mac_of(&new.name) != Some(*mac));
    known?;
    let values = [("old", &*old.name), ("new", &*new.name)];
    Some(Message::PhoneRenamed.with(language, &values))
}

/// The word stands there, and is not part of a longer number or word of Latin letters.
fn has_word(text: &str, word: &str) -> bool {
    let goes_on = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let joined_before = goes_on(word.chars().next()) && goes_on(before.chars().next_back());
        let joined_after = goes_on(word.chars().next_back()) && goes_on(after.chars().next());
        !joined_before && !joined_after
    })
}

/// A phone is no other model because somebody says so: what it reads is decided by its maker.
fn remodelled(
    directory: &Directory,
    old: &Phone,
    new: &Phone,
    language: Language,
) -> Option<String> {
    let [was, is] = [directory.get(old.model)?, directory.get(new.model)?];
    let values = [("name", &*new.name), ("model", &*is.name)];
    let told = || Message::PhoneRemodelled.with(language, &values);
    (was.dialect != is.dialect).then(told)
}

/// Of many texts so many are told.
const MOST_TOLD: usize = 10;
