//! Texts that a template made of a number or a name follow it, unless somebody wrote others by hand
//! (SP-40, SP-41): what the template makes of the old number or name is what is replaced.

use std::sync::Arc;

use jackfield_vocabulary::{Mac, ObjectId};

use super::build;
use super::tags::Tags;
use super::work::Work;
use crate::directory::mac_of;
use crate::{
    AutoRegistration, Body, Directory, EndUser, Line, Phone, PhoneLine, Ref, Text,
    UniversalDeviceTemplate, UniversalLineTemplate,
};

/// What a line, user or phone was, where it is another now.
#[derive(Clone, Copy, Default)]
struct Was<'a> {
    line: Option<(ObjectId, &'a Line)>,
    user: Option<(ObjectId, &'a EndUser)>,
    phone: Option<&'a Phone>,
}

/// A line whose number changes, or a phone that is another, with its own texts as they follow; what the
/// change itself says of a text stays.
pub(super) fn with_own_texts(
    directory: &Directory,
    id: ObjectId,
    before: &Body,
    after: Body,
) -> Body {
    match (before, &after) {
        (Body::Line(old), Body::Line(new)) if old.number != new.number => {
            let was = Was { line: Some((id, old)), ..Was::default() };
            let said = |line: &Line| (line.alerting_name.clone(), line.description.clone());
            match said(old) == said(new) {
                true => line_again(directory, id, new, was).into(),
                false => after,
            }
        }
        (Body::Phone(old), Body::Phone(new)) if old.description == new.description => {
            on_other_phone(directory, old, Phone::clone(new)).into()
        }
        _ => after,
    }
}

/// A phone's settings on another phone, or on one of another model.
pub(super) fn on_other_phone(directory: &Directory, old: &Phone, new: Phone) -> Phone {
    if (&old.name, old.model) == (&new.name, new.model) {
        return new;
    }
    phone_again(directory, &new, Was { phone: Some(old), ..Was::default() })
}

/// Writes the texts of other objects that follow from a changed number or name.
pub(super) fn follow(work: &mut Work<'_>, id: ObjectId, before: &Body, after: &Body) {
    match (before, after) {
        (Body::Line(old), Body::Line(new)) if old.number != new.number => {
            let was = Was { line: Some((id, old)), ..Was::default() };
            let phones: Vec<ObjectId> = work.directory.appearances(id).collect();
            phones.into_iter().for_each(|phone| follow_phone(work, phone, was));
        }
        (Body::EndUser(old), Body::EndUser(new)) if names(old) != names(new) => {
            let was = Was { user: Some((id, old)), ..Was::default() };
            let same = old.primary_extension == new.primary_extension;
            if let Some(line) = new.primary_extension.filter(|_| same) {
                follow_line(work, line.id(), was);
            }
            let phones: Vec<ObjectId> = work.directory.owned(id).collect();
            phones.into_iter().for_each(|phone| follow_phone(work, phone, was));
        }
        _ => {}
    }
}

fn names(user: &EndUser) -> [&Text; 3] {
    [&user.first_name, &user.last_name, &user.user_id]
}

fn follow_line(work: &mut Work<'_>, id: ObjectId, was: Was<'_>) {
    let Some(line) = work.directory.typed::<Line>(id).cloned() else { return };
    let again = line_again(&work.directory, id, &line, was);
    if again != *line {
        work.put(id, again);
    }
}

fn follow_phone(work: &mut Work<'_>, id: ObjectId, was: Was<'_>) {
    let Some(phone) = work.directory.typed::<Phone>(id).cloned() else { return };
    let again = phone_again(&work.directory, &phone, was);
    if again != *phone {
        work.put(id, again);
    }
}

fn line_again(directory: &Directory, id: ObjectId, line: &Line, was: Was<'_>) -> Line {
    let user = directory.primary_users(id).next();
    let device = directory.appearances(id).find_map(|one| directory.typed::<Phone>(one));
    let tags = Pair::of(directory, was, user, Some((id, line)), device.map(|device| &**device));
    let templates = Templates::of(directory, user);
    let texts = |text: fn(&UniversalLineTemplate) -> &Text| {
        templates.lines.iter().map(|one| &**text(one)).collect::<Vec<_>>()
    };
    let alerting = texts(|template| &template.alerting_name);
    let description = texts(|template| &template.line_description);
    Line {
        alerting_name: tags.again(&alerting, &line.alerting_name, 64),
        description: tags.again(&description, &line.description, 128),
        ..line.clone()
    }
}

fn phone_again(directory: &Directory, phone: &Phone, was: Was<'_>) -> Phone {
    // A phone that waits for an owner has none.
    let user = phone.owner.map(Ref::id).filter(|_| !phone.auto_registered);
    let templates = Templates::of(directory, user);
    let line = |line: Ref<Line>| Some((line.id(), &**directory.get(line)?));
    let first = phone.lines.first().and_then(|first| line(first.line));
    let descriptions: Vec<&str> =
        templates.devices.iter().map(|one| &*one.device_description).collect();
    let tags = Pair::of(directory, was, user, first, Some(phone));
    let lines = phone.lines.iter().map(|shown| {
        let tags = Pair::of(directory, was, user, line(shown.line), Some(phone));
        PhoneLine {
            label: tags.again(&templates.labels(), &shown.label, 32),
            display: tags.again(&templates.displays(), &shown.display, 64),
            ..shown.clone()
        }
    });
    let lines = lines.collect();
    Phone {
        description: tags.again(&descriptions, &phone.description, 128),
        lines,
        ..phone.clone()
    }
}

/// The templates of which a user's line and phones may have been made, or those of nobody.
struct Templates {
    lines: Vec<Arc<UniversalLineTemplate>>,
    devices: Vec<Arc<UniversalDeviceTemplate>>,
}

impl Templates {
    fn of(directory: &Directory, user: Option<ObjectId>) -> Self {
        let profile = user.and_then(|user| directory.profile_of(user));
        let profile = profile.and_then(|profile| directory.get(profile));
        let (mut lines, mut devices) = (Vec::new(), Vec::new());
        if let Some(profile) = profile {
            lines.extend(profile.line_template);
            devices.extend(profile.desk_phones);
            devices.extend(profile.mobile_and_desktop_devices);
        }
        for (_, range) in directory.all::<AutoRegistration>() {
            lines.extend(range.line_template);
            devices.extend(range.device_template);
        }
        let lines = lines.into_iter().filter_map(|one| directory.get(one).cloned()).collect();
        let devices = devices.into_iter().filter_map(|one| directory.get(one).cloned()).collect();
        Self { lines, devices }
    }

    fn labels(&self) -> Vec<&str> {
        let of_lines = self.lines.iter().map(|one| &*one.line_text).filter(|text| !text.is_empty());
        let of_devices = self.devices.iter().filter_map(|one| Some(&*one.lines.first()?.label));
        of_lines.chain(of_devices).chain([NUMBER]).collect()
    }

    fn displays(&self) -> Vec<&str> {
        self.devices.iter().filter_map(|one| Some(&*one.lines.first()?.display)).collect()
    }
}

/// What tags stand for.
#[derive(Clone)]
struct Stood {
    user: Option<EndUser>,
    number: Text,
    product: Text,
    mac: Option<Mac>,
}

impl Stood {
    fn expand(&self, template: &str, most: usize) -> Text {
        let Self { user, number, product, mac } = self;
        Tags { user: user.as_ref(), number, product, mac: *mac }.expand(template, most)
    }
}

/// What tags stood for, and what they stand for now.
struct Pair {
    old: Stood,
    new: Stood,
}

impl Pair {
    fn of(
        directory: &Directory,
        was: Was<'_>,
        user: Option<ObjectId>,
        line: Option<(ObjectId, &Line)>,
        phone: Option<&Phone>,
    ) -> Self {
        let number = |line: &Line| Text::from(line.number.as_str());
        let product = |phone: &Phone| build::product(directory, phone.model).into();
        let now = user.and_then(|user| directory.typed::<EndUser>(user));
        let new = Stood {
            user: now.map(|user| EndUser::clone(user)),
            number: line.map(|(_, line)| number(line)).unwrap_or_default(),
            product: phone.map(product).unwrap_or_default(),
            mac: phone.and_then(|phone| mac_of(&phone.name)),
        };
        let mut old = new.clone();
        if let Some((_, was)) = was.user.filter(|(id, _)| Some(*id) == user) {
            old.user = Some(was.clone());
        }
        if let Some((_, was)) = was.line.filter(|(id, _)| line.is_some_and(|(one, _)| one == *id)) {
            old.number = number(was);
        }
        if let Some(was) = was.phone {
            (old.product, old.mac) = (product(was), mac_of(&was.name));
        }
        Self { old, new }
    }

    /// The text anew, where one of the templates made it.
    fn again(&self, templates: &[&str], text: &Text, most: usize) -> Text {
        let made = templates.iter().find(|template| self.old.expand(template, most) == *text);
        made.map_or_else(|| text.clone(), |template| self.new.expand(template, most))
    }
}

/// A label that is the number follows it, whoever wrote it.
const NUMBER: &str = "#DirectoryNumber#";
