//! How lines and phones are built from templates (SP-40, SP-41).

use jackfield_vocabulary::ObjectId;

use super::tags::Tags;
use crate::directory::mac_of;
use crate::{
    Directory, EndUser, Forwards, Line, List, Pattern, Phone, PhoneLine, PhoneModel, Ref,
    TemplateLine, UniversalDeviceTemplate, UniversalLineTemplate,
};

/// A new line from a template.
pub(super) fn line(number: Pattern, template: &UniversalLineTemplate, tags: &Tags<'_>) -> Line {
    line_again(&blank_line(number), template, tags)
}

/// A line with nothing set.
pub(super) fn blank_line(number: Pattern) -> Line {
    Line {
        number,
        partition: None,
        description: "".into(),
        alerting_name: "".into(),
        css: None,
        voicemail_profile: None,
        presence_group: None,
        forwards: Forwards::default(),
        auto_registered: false,
    }
}

/// A line with a template's settings in place of its own.
pub(super) fn line_again(line: &Line, template: &UniversalLineTemplate, tags: &Tags<'_>) -> Line {
    Line {
        number: line.number.clone(),
        partition: template.partition,
        description: tags.expand(&template.line_description, 128),
        alerting_name: tags.expand(&template.alerting_name, 64),
        css: template.css,
        voicemail_profile: template.voicemail_profile,
        presence_group: template.presence_group,
        forwards: template.forwards.clone(),
        auto_registered: line.auto_registered,
    }
}

/// How the first line of a phone appears on it; `kept` is how it appears elsewhere, for when no
/// line template says otherwise (SP-33).
pub(super) fn appearance(
    line: Ref<Line>,
    device: &UniversalDeviceTemplate,
    template: Option<&UniversalLineTemplate>,
    kept: Option<&PhoneLine>,
    tags: &Tags<'_>,
) -> PhoneLine {
    let default = TemplateLine::default();
    let shown = device.lines.first().unwrap_or(&default);
    let text = template.map_or("", |template| &*template.line_text);
    let label = if text.is_empty() { &*shown.label } else { text };
    let (external_mask, maximum_calls, busy_trigger) = match (template, kept) {
        (Some(template), _) => {
            (template.external_mask.clone(), template.maximum_calls, template.busy_trigger)
        }
        (None, Some(kept)) => (kept.external_mask.clone(), kept.maximum_calls, kept.busy_trigger),
        (None, None) => ("".into(), 4, 2),
    };
    PhoneLine {
        line,
        display: tags.expand(&shown.display, 64),
        label: tags.expand(label, 32),
        external_mask,
        maximum_calls,
        busy_trigger,
    }
}

/// A phone from a template, with one line.
pub(super) fn phone(
    name: &str,
    model: Ref<PhoneModel>,
    template: &UniversalDeviceTemplate,
    line: Option<PhoneLine>,
    tags: &Tags<'_>,
) -> Phone {
    Phone {
        name: name.into(),
        description: tags.expand(&template.device_description, 128),
        model,
        device_pool: template.device_pool,
        security_profile: template.security_profile,
        sip_profile: template.sip_profile,
        button_template: template.button_template,
        softkey_template: template.softkey_template,
        common_phone_profile: template.common_phone_profile,
        common_device_configuration: template.common_device_configuration,
        css: template.css,
        location: template.location,
        owner: template.owner,
        lines: line.into_iter().collect(),
        speed_dials: template.speed_dials.clone(),
        busy_lamp_fields: template.busy_lamp_fields.clone(),
        services: template.services.clone(),
        auto_registered: false,
    }
}

/// What tags stand for on a phone.
pub(super) fn tags<'a>(
    directory: &'a Directory,
    phone: &str,
    model: Ref<PhoneModel>,
    user: Option<&'a EndUser>,
    number: &'a str,
) -> Tags<'a> {
    Tags { user, number, product: product(directory, model), mac: mac_of(phone) }
}

/// What `#Product#` stands for.
pub(super) fn product(directory: &Directory, model: Ref<PhoneModel>) -> &str {
    directory
        .get(model)
        .map_or("", |model| if model.product.is_empty() { &*model.name } else { &*model.product })
}

/// How a line appears on the first phone that has it.
pub(super) fn appearance_elsewhere(directory: &Directory, line: ObjectId) -> Option<PhoneLine> {
    directory.appearances(line).find_map(|device| {
        let phone = directory.typed::<Phone>(device)?;
        phone.lines.iter().find(|one| one.line.id() == line).cloned()
    })
}

/// A user's phones without this one.
pub(super) fn without(phones: &[Ref<Phone>], phone: ObjectId) -> Box<[Ref<Phone>]> {
    phones.iter().copied().filter(|one| one.id() != phone).collect()
}

/// No lines.
pub(super) fn no_lines() -> List<PhoneLine> {
    List::default()
}
