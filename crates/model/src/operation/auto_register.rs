use std::sync::Arc;

use jackfield_vocabulary::{Code, Mac, ObjectId, Refusal};
use serde_json::json;

use super::work::Work;
use super::{Outcome, build, rules};
use crate::{
    AutoRegistration, DevicePool, Directory, Line, Pattern, Phone, PhoneLine, PhoneModel, Ref,
    UniversalDeviceTemplate, UniversalLineTemplate,
};

/// What a node gives to unknown phones.
pub(super) struct Offer {
    settings: Arc<AutoRegistration>,
    device_template: Arc<UniversalDeviceTemplate>,
    line_template: Arc<UniversalLineTemplate>,
}

/// Takes in an unknown phone (SP-43). One that is there already stays as it is, so that asking
/// twice does no harm.
pub(super) fn auto_register(
    work: &mut Work<'_>,
    node: &str,
    mac: Mac,
    model: ObjectId,
) -> Result<Outcome, Refusal> {
    let known = work.directory.phone_by_mac(mac);
    if let Some(device) = known
        && let Some(outcome) = settled(&work.directory, device)
    {
        return Ok(outcome);
    }
    let offer = offer(&work.directory, node)?;
    let limit = offer.settings.unassigned_limit;
    if known.is_none() && work.directory.unassigned_count() >= limit as usize {
        let refusal = about(&work.directory, Code::UnassignedLimit, node);
        return Err(refusal.value("limit", limit));
    }
    let row: PhoneModel = work.typed(model)?;
    let device = known.unwrap_or_else(|| work.ids.take());
    let name = match known {
        Some(device) => work.typed::<Phone>(device)?.name,
        None => format!("{}{mac}", row.device_prefix).into(),
    };
    let (phone, line) = lend(work, &offer, &name, Ref::new(model))?;
    work.put(device, phone);
    work.audit = json!({
        "action": "auto-register",
        "phone": name,
        "node": node,
        "extension": work.directory.label(line),
    });
    Ok(Outcome::AutoRegistered { device, line, created: known.is_none() })
}

/// The phone is in the configuration and lacks nothing.
fn settled(directory: &Directory, device: ObjectId) -> Option<Outcome> {
    let phone = directory.typed::<Phone>(device)?;
    let line = match phone.lines.first() {
        Some(first) => first.line.id(),
        None if phone.auto_registered => return None,
        None => ObjectId(0),
    };
    Some(Outcome::AutoRegistered { device, line, created: false })
}

/// What a node offers, or why it offers nothing.
pub(super) fn offer(directory: &Directory, node: &str) -> Result<Offer, Refusal> {
    let (_, settings) = directory.auto_registration(node).ok_or_else(|| {
        Refusal::new(Code::NotFound).value("kind", "auto-registration").value("name", node)
    })?;
    if settings.disabled {
        return Err(about(directory, Code::AutoRegistrationDisabled, node));
    }
    let device_template = settings.device_template.and_then(|one| directory.get(one));
    let line_template = settings.line_template.and_then(|one| directory.get(one));
    let (Some(device_template), Some(line_template)) = (device_template, line_template) else {
        return Err(about(directory, Code::NoAutoRegistrationTemplate, node));
    };
    rules::served(directory, device_template.security_profile)?;
    Ok(Offer {
        settings: Arc::clone(settings),
        device_template: Arc::clone(device_template),
        line_template: Arc::clone(line_template),
    })
}

/// Makes a temporary line, and a phone that carries it.
pub(super) fn lend(
    work: &mut Work<'_>,
    offer: &Offer,
    name: &str,
    model: Ref<PhoneModel>,
) -> Result<(Phone, ObjectId), Refusal> {
    let partition = offer.line_template.partition.map(Ref::id);
    let number = free_number(&work.directory, &offer.settings, partition)
        .ok_or_else(|| about(&work.directory, Code::RangeExhausted, &offer.settings.name))?;
    let tags = build::tags(&work.directory, name, model, None, number.as_str());
    let mut line = build::line(number.clone(), &offer.line_template, &tags);
    line.auto_registered = true;
    let id = work.add(line);
    let phone = lent_phone(work, offer, name, model, Ref::new(id), number.as_str());
    Ok((phone, id))
}

fn lent_phone(
    work: &Work<'_>,
    offer: &Offer,
    name: &str,
    model: Ref<PhoneModel>,
    line: Ref<Line>,
    number: &str,
) -> Phone {
    let tags = build::tags(&work.directory, name, model, None, number);
    let template = &offer.device_template;
    let appearance: PhoneLine =
        build::appearance(line, template, Some(&offer.line_template), None, &tags);
    let built = build::phone(name, model, template, Some(appearance), &tags);
    let pool: Option<&Arc<DevicePool>> = work.directory.get(built.device_pool);
    let css = pool.and_then(|pool| pool.auto_registration_css).or(built.css);
    Phone { css, auto_registered: true, ..built }
}

/// The lowest number of the range that nobody has in this partition.
fn free_number(
    directory: &Directory,
    settings: &AutoRegistration,
    partition: Option<ObjectId>,
) -> Option<Pattern> {
    let (first, last) = (&*settings.starting_number, &*settings.ending_number);
    let width = first.len();
    let (mut wanted, end): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let used = directory
        .numbers_between(first, last)
        .filter(|(number, of, _)| number.len() == width && *of == partition);
    for (number, ..) in used {
        if number.parse() != Ok(wanted) {
            break;
        }
        wanted += 1;
    }
    (wanted <= end).then(|| format!("{wanted:0width$}").parse().ok()).flatten()
}

fn about(directory: &Directory, code: Code, node: &str) -> Refusal {
    match directory.auto_registration(node) {
        Some((settings, _)) => directory.refusal_about(code, settings.id()),
        None => Refusal::new(code).value("name", node),
    }
}
