use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::super::work::Work;
use super::form::{self, invalid};
use crate::sign::kept_form;
use crate::{Body, Declared, Directory, EndUser, Line, Ref, UserProfile};

pub(super) fn check_user(
    directory: &Directory,
    id: Option<ObjectId>,
    before: Option<&Body>,
    user: &EndUser,
) -> Result<(), Refusal> {
    check_user_id(directory, id, &user.user_id)?;
    form::locale("locale", &user.locale)?;
    form::mail("mail", &user.mail)?;
    form::digits("self_service_id", &user.self_service_id)?;
    let had = before.and_then(EndUser::from_body).and_then(|before| before.primary_extension);
    if let Some(line) = user.primary_extension.filter(|_| had != user.primary_extension) {
        not_of_service(directory, "primary_extension", line.id())?;
    }
    let keyed_in = |user: &EndUser| (user.self_service_id.clone(), user.primary_extension);
    match before {
        Some(Body::EndUser(before)) if keyed_in(before) == keyed_in(user) => Ok(()),
        _ => check_self_service_id(directory, id, user),
    }
}

/// The number of self-provisioning is nobody's extension: whoever dials it wants to be asked.
pub(in crate::operation) fn not_of_service(
    directory: &Directory,
    field: &str,
    line: ObjectId,
) -> Result<(), Refusal> {
    if !directory.self_provisioning_lines().contains(&line) {
        return Ok(());
    }
    let number = directory.label(line).unwrap_or_default();
    let refusal = Refusal::new(Code::InvalidValue).field(field).value("rule", "service-number");
    Err(refusal.value("number", number))
}

/// What one user keys in as an ID of their own identifies nobody else: neither by such an ID nor by
/// the primary extension that stands in for one.
fn check_self_service_id(
    directory: &Directory,
    id: Option<ObjectId>,
    user: &EndUser,
) -> Result<(), Refusal> {
    let own = &*user.self_service_id;
    let (field, other) = if own.is_empty() {
        let line = user.primary_extension.and_then(|line| directory.get(line));
        let number = line.map_or("", |line| line.number.as_str());
        let other = directory.self_service_owners(number).find(|one| Some(*one) != id);
        ("primary_extension", other)
    } else {
        let other = directory.self_service_users(own).find(|one| Some(*one) != id);
        ("self_service_id", other)
    };
    match other {
        Some(other) => Err(directory.refusal_about(Code::Duplicate, other).field(field)),
        None => Ok(()),
    }
}

/// A line that stands in for the self-service ID of its user takes no number that is somebody's ID.
pub(super) fn check_extension(
    directory: &Directory,
    id: Option<ObjectId>,
    before: Option<&Body>,
    line: &Line,
) -> Result<(), Refusal> {
    let Some(id) = id else { return Ok(()) };
    if matches!(before, Some(Body::Line(before)) if before.number == line.number) {
        return Ok(());
    }
    let stands_in = |user: ObjectId| {
        let user = directory.typed::<EndUser>(user);
        user.is_some_and(|user| user.self_service_id.is_empty())
    };
    let taken = directory.self_service_owners(line.number.as_str()).next();
    match taken {
        Some(other) if directory.primary_users(id).any(stands_in) => {
            Err(directory.refusal_about(Code::Duplicate, other).field("number"))
        }
        _ => Ok(()),
    }
}

/// A user id is one word: it is typed on phones and stands in addresses. What looks the same to
/// people is the same user.
pub(super) fn check_user_id(
    directory: &Directory,
    id: Option<ObjectId>,
    user_id: &str,
) -> Result<(), Refusal> {
    let unseen =
        |c| matches!(c, '\u{ad}' | '\u{34f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    let wrong =
        |c: char| c.is_whitespace() || c.is_control() || unseen(c) || "\"<>:/\\".contains(c);
    if user_id.contains(wrong) {
        let refusal = Refusal::new(Code::InvalidValue).field("user_id").value("rule", "user-id");
        return Err(refusal.value("found", user_id));
    }
    let known = id.and_then(|id| directory.label(id));
    if known.as_deref() == Some(user_id) {
        return Ok(());
    }
    let kept = kept_form(user_id);
    if kept != user_id {
        return Err(invalid("user_id", user_id, &kept));
    }
    match directory.lookalike(user_id).find(|other| Some(*other) != id) {
        Some(other) => {
            let refusal = directory.refusal_about(Code::InvalidValue, other).field("user_id");
            Err(refusal.value("rule", "look-alike").value("found", user_id))
        }
        None => Ok(()),
    }
}

/// The default profile can be replaced, never merely switched off (SP-31).
pub(super) fn check_profile(
    directory: &Directory,
    before: Option<&Body>,
    profile: &UserProfile,
) -> Result<(), Refusal> {
    let was_default = matches!(before, Some(Body::UserProfile(before)) if before.system_default);
    if was_default && !profile.system_default {
        let refusal = Refusal::new(Code::Protected).field("system_default");
        return Err(refusal.object("user-profile", &profile.name).value("name", &profile.name));
    }
    if !was_default && !profile.system_default && directory.default_profile().is_none() {
        return Err(invalid("system_default", "false", "true"));
    }
    Ok(())
}

/// Takes the mark of the default profile from every other one (SP-31).
pub(super) fn only_default(work: &mut Work<'_>, id: ObjectId) {
    let others: Vec<(Ref<UserProfile>, UserProfile)> = work
        .directory
        .all::<UserProfile>()
        .filter(|(other, profile)| other.id() != id && profile.system_default)
        .map(|(other, profile)| (other, UserProfile::clone(profile)))
        .collect();
    for (other, profile) in others {
        work.put(other.id(), UserProfile { system_default: false, ..profile });
    }
}
