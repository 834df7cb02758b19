use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::form::{self, invalid};
use crate::directory::mac_of;
use crate::{
    Body, BusyLampField, CtiPort, CtiRoutePoint, Declared, DeviceClass, Directory, Forwards, Line,
    PatternUse, Phone, PhoneLine, PhoneModel, RoutePattern, SpeedDial, UniversalDeviceTemplate,
    UniversalLineTemplate,
};

pub(super) fn check_line(line: &Line) -> Result<(), Refusal> {
    let number = line.number.as_str();
    if !line.number.is_number() || number.len() > 24 {
        return Err(invalid("number", number, "0-9 * # +, length 1..24"));
    }
    check_forwards(&line.forwards)
}

fn check_forwards(forwards: &Forwards) -> Result<(), Refusal> {
    form::dialable("forwards.all.destination", &forwards.all.destination)?;
    form::dialable("forwards.busy.destination", &forwards.busy.destination)?;
    form::dialable("forwards.no_answer.destination", &forwards.no_answer.destination)?;
    form::dialable("forwards.unregistered.destination", &forwards.unregistered.destination)?;
    form::dialable("forwards.failure.destination", &forwards.failure.destination)
}

pub(super) fn check_route_pattern(
    directory: &Directory,
    before: Option<&Body>,
    route: &RoutePattern,
) -> Result<(), Refusal> {
    form::dialable("destination", &route.destination)?;
    let same = before.and_then(RoutePattern::from_body).is_some_and(|before| {
        before.pattern == route.pattern && before.partition == route.partition
    });
    if !same {
        super::provisioning::check_pattern(directory, route)?;
    }
    match route.does {
        PatternUse::Redirect if route.destination.is_empty() => {
            Err(Refusal::new(Code::MissingField).field("destination"))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_model(model: &PhoneModel) -> Result<(), Refusal> {
    form::plain_name("device_prefix", &model.device_prefix, "._-")?;
    for (index, prefix) in model.hardware_prefixes.iter().enumerate() {
        if !prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')) {
            return Err(invalid(&format!("hardware_prefixes[{index}]"), prefix, "0-9 A-F"));
        }
    }
    Ok(())
}

pub(super) fn check_phone(
    directory: &Directory,
    before: Option<&Body>,
    phone: &Phone,
) -> Result<(), Refusal> {
    let model = directory.get(phone.model);
    let renamed = before.is_none_or(|before| *before.name() != *phone.name);
    if renamed && let Some(model) = model {
        check_phone_name(model, &phone.name)?;
    }
    check_lines(directory, &phone.lines)?;
    check_buttons(&phone.speed_dials, &phone.busy_lamp_fields)?;
    let most = model.map_or(200, |model| model.maximum_lines);
    if phone.lines.len() > usize::from(most) {
        let refusal = directory.refusal_about(Code::LimitReached, phone.model.id());
        return Err(refusal.field("lines").value("limit", most));
    }
    Ok(())
}

fn check_phone_name(model: &PhoneModel, name: &str) -> Result<(), Refusal> {
    form::plain_name("name", name, "._-")?;
    let prefix = &*model.device_prefix;
    let hardware = name.strip_prefix(prefix).is_some_and(|digits| {
        digits.len() == 12 && mac_of(digits).is_some_and(|mac| mac.to_string() == digits)
    });
    match model.class {
        DeviceClass::Desk if hardware => Ok(()),
        DeviceClass::Desk => Err(invalid("name", name, &format!("{prefix}001122AABBCC"))),
        DeviceClass::MobileOrDesktop if hardware || name.len() <= 15 => Ok(()),
        DeviceClass::MobileOrDesktop => Err(invalid("name", name, "length 1..15")),
    }
}

/// No line twice, and no line that is busy only when it is full twice over.
fn check_lines(directory: &Directory, lines: &[PhoneLine]) -> Result<(), Refusal> {
    for (index, line) in lines.iter().enumerate() {
        check_trigger(
            &format!("lines[{index}].busy_trigger"),
            line.busy_trigger.into(),
            line.maximum_calls.into(),
        )?;
        form::mask(&format!("lines[{index}].external_mask"), &line.external_mask)?;
        if lines.iter().take(index).any(|other| other.line == line.line) {
            let field = format!("lines[{index}].line");
            return Err(twice(directory, field, line.line.id()));
        }
    }
    Ok(())
}

fn twice(directory: &Directory, field: String, line: ObjectId) -> Refusal {
    let name = directory.label(line).unwrap_or_default();
    Refusal::new(Code::Duplicate).field(field).value("rule", "twice").value("name", name)
}

fn check_trigger(field: &str, trigger: u16, maximum: u16) -> Result<(), Refusal> {
    if trigger <= maximum {
        return Ok(());
    }
    Err(invalid(field, &trigger.to_string(), &format!("1..{maximum}")))
}

fn check_buttons(dials: &[SpeedDial], lamps: &[BusyLampField]) -> Result<(), Refusal> {
    for (index, dial) in dials.iter().enumerate() {
        form::dialable(&format!("speed_dials[{index}].number"), &dial.number)?;
    }
    for (index, lamp) in lamps.iter().enumerate() {
        form::dialable(&format!("busy_lamp_fields[{index}].number"), &lamp.number)?;
    }
    Ok(())
}

pub(super) fn check_route_point(
    directory: &Directory,
    point: &CtiRoutePoint,
) -> Result<(), Refusal> {
    form::plain_name("name", &point.name, "._-")?;
    for (index, line) in point.lines.iter().enumerate() {
        let field = format!("lines[{index}].busy_trigger");
        check_trigger(&field, line.busy_trigger, line.maximum_calls)?;
        if point.lines.iter().take(index).any(|other| other.line == line.line) {
            let field = format!("lines[{index}].line");
            return Err(twice(directory, field, line.line.id()));
        }
    }
    Ok(())
}

pub(super) fn check_port(directory: &Directory, port: &CtiPort) -> Result<(), Refusal> {
    form::plain_name("name", &port.name, "._-")?;
    check_lines(directory, &port.lines)
}

pub(super) fn check_device_template(template: &UniversalDeviceTemplate) -> Result<(), Refusal> {
    check_buttons(&template.speed_dials, &template.busy_lamp_fields)
}

pub(super) fn check_line_template(template: &UniversalLineTemplate) -> Result<(), Refusal> {
    check_trigger("busy_trigger", template.busy_trigger.into(), template.maximum_calls.into())?;
    form::mask("external_mask", &template.external_mask)?;
    check_forwards(&template.forwards)
}
