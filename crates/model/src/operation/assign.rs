use std::sync::Arc;

use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::json;

use super::work::Work;
use super::{Outcome, ProvenBy, build, lent, rules};
use crate::{
    DeviceClass, Directory, EndUser, Kind, Line, Phone, Ref, UniversalDeviceTemplate,
    UniversalLineTemplate, UserProfile,
};

/// What an assignment would use, once every condition holds.
struct Plan {
    line: Ref<Line>,
    device_template: Arc<UniversalDeviceTemplate>,
    line_template: Option<Arc<UniversalLineTemplate>>,
}

impl Directory {
    /// Whether a device may be provisioned by its next owner themselves: a phone that came by
    /// auto-registration, or whose present owner's profile allows it.
    pub fn open_for_provisioning(&self, device: ObjectId) -> Result<(), Refusal> {
        let closed = |code| Err(self.refusal_about(code, device));
        let Some(phone) = self.typed::<Phone>(device) else {
            return closed(Code::NotOpenForProvisioning);
        };
        match phone.owner {
            _ if phone.auto_registered => Ok(()),
            None => closed(Code::NotOpenForProvisioning),
            Some(owner) if self.allows_reassignment(owner.id()) => Ok(()),
            Some(_) => closed(Code::OwnedByAnother),
        }
    }

    /// Whether a user may have this device by self-provisioning now (SP-34), and the number that
    /// it would get.
    pub fn may_assign(&self, device: ObjectId, user: ObjectId) -> Result<Arc<str>, Refusal> {
        let plan = plan(self, device, user, ProvenBy::Nothing)?;
        let line = self.get(plan.line);
        Ok(line.map_or("", |line| line.number.as_str()).into())
    }

    /// Everything that keeps a user from provisioning a device of this class now (SP-34).
    pub fn provisioning_obstacles(&self, user: ObjectId, class: DeviceClass) -> Vec<Refusal> {
        judge_user(self, user, class, None).err().unwrap_or_default()
    }

    fn allows_reassignment(&self, owner: ObjectId) -> bool {
        self.profile_of(owner)
            .and_then(|profile| self.get(profile))
            .is_some_and(|profile| profile.allow_reassignment)
    }

    /// A refusal that names the object whose setting decided.
    pub(crate) fn refusal_about(&self, code: Code, id: ObjectId) -> Refusal {
        let kind = self.entry(id).map_or("object", |entry| entry.body.kind().name());
        let name = self.label(id).unwrap_or_else(|| id.to_string().into());
        Refusal::new(code).object(kind, &name).value("name", name)
    }
}

/// Checks the device, then every condition of SP-34; the first that fails refuses. An administrator
/// gives away any phone that nobody owns, also one that was added by hand.
fn plan(
    directory: &Directory,
    device: ObjectId,
    user: ObjectId,
    proven_by: ProvenBy,
) -> Result<Plan, Refusal> {
    let Some(phone) = directory.typed::<Phone>(device) else {
        return Err(match directory.entry(device) {
            Some(_) => directory.refusal_about(Code::NotOpenForProvisioning, device),
            None => not_found(Kind::Phone, device),
        });
    };
    let own = is_owned_by(phone, user);
    let given = proven_by == ProvenBy::Administrator && phone.owner.is_none();
    if directory.typed::<EndUser>(user).is_some() && !own && !given {
        directory.open_for_provisioning(device)?;
    }
    let class = directory.get(phone.model).map_or(DeviceClass::Desk, |model| model.class);
    judge_user(directory, user, class, own.then_some(device)).map_err(|mut refusals| {
        if refusals.is_empty() { Refusal::new(Code::Internal) } else { refusals.swap_remove(0) }
    })
}

/// Checks every condition of SP-34, each with its own code; `own` is a device that the user has
/// already.
fn judge_user(
    directory: &Directory,
    user: ObjectId,
    class: DeviceClass,
    own: Option<ObjectId>,
) -> Result<Plan, Vec<Refusal>> {
    let Some(person) = directory.typed::<EndUser>(user) else {
        return Err(vec![not_found(Kind::EndUser, user)]);
    };
    let about_user = |code| directory.refusal_about(code, user);
    let mut refusals = Vec::new();
    if !person.enabled {
        refusals.push(about_user(Code::Disabled));
    }
    let chosen = directory.profile_of(user).and_then(|id| Some((id.id(), directory.get(id)?)));
    let Some((profile_id, profile)) = chosen else {
        refusals.push(about_user(Code::ProvisioningNotAllowed));
        return Err(refusals);
    };
    let about_profile = |code| directory.refusal_about(code, profile_id);
    if !profile.allow_self_provisioning {
        refusals.push(about_profile(Code::ProvisioningNotAllowed));
    }
    let line = person.primary_extension.filter(|line| directory.get(*line).is_some());
    if line.is_none() {
        refusals.push(about_user(Code::NoPrimaryExtension));
    }
    let device_template = template(directory, class, profile);
    match &device_template {
        None => refusals.push(about_profile(Code::NoDeviceTemplate)),
        Some(template) => {
            refusals.extend(rules::served(directory, template.security_profile).err());
        }
    }
    let owned = directory.owned(user).count();
    if own.is_none() && owned >= usize::from(profile.device_limit) {
        let refusal = about_profile(Code::DeviceLimit);
        refusals.push(refusal.value("limit", profile.device_limit).value("found", owned));
    }
    let line_template = profile.line_template.and_then(|one| directory.get(one)).cloned();
    match (line, device_template) {
        (Some(line), Some(device_template)) if refusals.is_empty() => {
            Ok(Plan { line, device_template, line_template })
        }
        _ => Err(refusals),
    }
}

/// The device template of a profile for a class of device (SP-57).
fn template(
    directory: &Directory,
    class: DeviceClass,
    profile: &UserProfile,
) -> Option<Arc<UniversalDeviceTemplate>> {
    let template = match class {
        DeviceClass::Desk => profile.desk_phones,
        DeviceClass::MobileOrDesktop => profile.mobile_and_desktop_devices,
    };
    template.and_then(|template| directory.get(template)).cloned()
}

/// The phone is the user's, and not merely lent by a template of new phones.
fn is_owned_by(phone: &Phone, user: ObjectId) -> bool {
    !phone.auto_registered && phone.owner.map(Ref::id) == Some(user)
}

fn not_found(kind: Kind, id: ObjectId) -> Refusal {
    Refusal::new(Code::NotFound).value("kind", kind).value("name", id)
}

/// Makes a phone a user's own, all of it in one verdict (SP-17, SP-44).
pub(super) fn assign(
    work: &mut Work<'_>,
    device: ObjectId,
    user: ObjectId,
    proven_by: ProvenBy,
) -> Result<Outcome, Refusal> {
    if let Some(outcome) = already(&work.directory, device, user) {
        return Ok(outcome);
    }
    let plan = plan(&work.directory, device, user, proven_by)?;
    let person: EndUser = work.typed(user)?;
    let old: Phone = work.typed(device)?;
    let line = renew_line(work, &plan, &person, device, &old)?;
    let new = build_phone(work, &plan, &person, user, &old, &line);
    work.put(device, new.clone());
    let former_owner = old.owner.map(Ref::id).filter(|owner| *owner != user);
    if let Some(owner) = former_owner {
        dissociate(work, owner, device);
    }
    associate(work, user, device)?;
    lent::free(work, &old.clone().into());
    match former_owner {
        Some(_) => work.rotate_from_owner(device),
        None => work.rotate(device),
    }
    work.audit = json!({
        "action": "assign",
        "phone": old.name,
        "user": person.user_id,
        "proven_by": proven_by,
        "former_owner": former_owner.and_then(|owner| work.directory.label(owner)),
        "extension": line.number,
        "old": old,
        "new": new,
        "result": "assigned",
    });
    Ok(Outcome::Assigned { device, user, extension: line.number.as_str().into() })
}

/// Assigned before, with the extension that the user has now: nothing is left to do.
fn already(directory: &Directory, device: ObjectId, user: ObjectId) -> Option<Outcome> {
    let phone = directory.typed::<Phone>(device).filter(|phone| is_owned_by(phone, user))?;
    let extension = directory.primary_extension(user)?;
    let line = directory.get(extension)?;
    let carries = phone.lines.first().is_some_and(|first| first.line == extension);
    let extension = line.number.as_str().into();
    carries.then_some(Outcome::Assigned { device, user, extension })
}

/// Gives the primary extension the line template's settings; without a template it keeps its own
/// (SP-33). It also does when other phones have it already: what they do is not for a further phone
/// to change.
fn renew_line(
    work: &mut Work<'_>,
    plan: &Plan,
    person: &EndUser,
    device: ObjectId,
    phone: &Phone,
) -> Result<Line, Refusal> {
    let id = plan.line.id();
    let line: Line = work.typed(id)?;
    let is_elsewhere = work.directory.appearances(id).any(|other| other != device);
    let Some(template) = plan.line_template.as_ref().filter(|_| !is_elsewhere) else {
        return Ok(line);
    };
    let number = line.number.as_str();
    let tags = build::tags(&work.directory, &phone.name, phone.model, Some(person), number);
    let mut renewed = build::line_again(&line, template, &tags);
    renewed.auto_registered = false;
    let taken = work.directory.number(number, renewed.partition.map(Ref::id));
    if let Some(other) = taken.filter(|other| *other != id) {
        return Err(work.directory.refusal_about(Code::Duplicate, other));
    }
    if renewed != line {
        work.put(id, renewed.clone());
    }
    Ok(renewed)
}

fn build_phone(
    work: &Work<'_>,
    plan: &Plan,
    person: &EndUser,
    user: ObjectId,
    old: &Phone,
    line: &Line,
) -> Phone {
    let number = line.number.as_str();
    let tags = build::tags(&work.directory, &old.name, old.model, Some(person), number);
    let kept = build::appearance_elsewhere(&work.directory, plan.line.id());
    let line_template = plan.line_template.as_deref();
    let appearance =
        build::appearance(plan.line, &plan.device_template, line_template, kept.as_ref(), &tags);
    let template = &plan.device_template;
    let built = build::phone(&old.name, old.model, template, Some(appearance), &tags);
    Phone { owner: Some(Ref::new(user)), ..built }
}

/// Puts the phone among the user's associated devices.
fn associate(work: &mut Work<'_>, user: ObjectId, device: ObjectId) -> Result<(), Refusal> {
    let mut person: EndUser = work.typed(user)?;
    if person.controlled_phones.iter().any(|phone| phone.id() == device) {
        return Ok(());
    }
    let mut phones = person.controlled_phones.into_vec();
    if phones.len() >= 1000 {
        let refusal = work.directory.refusal_about(Code::LimitReached, user);
        return Err(refusal.field("controlled_phones").value("limit", 1000));
    }
    phones.push(Ref::new(device));
    person.controlled_phones = phones.into();
    work.put(user, person);
    Ok(())
}

/// Takes the phone from among the user's associated devices.
pub(super) fn dissociate(work: &mut Work<'_>, user: ObjectId, device: ObjectId) {
    let Some(person) = work.directory.typed::<EndUser>(user) else { return };
    if person.controlled_phones.iter().any(|phone| phone.id() == device) {
        let mut person = EndUser::clone(person);
        person.controlled_phones = build::without(&person.controlled_phones, device);
        work.put(user, person);
    }
}
