use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::super::work::Work;
use super::form::{self, invalid};
use crate::{Body, Directory, EndUser, Ref, UserProfile};

pub(super) fn check_user(
    directory: &Directory,
    id: Option<ObjectId>,
    user: &EndUser,
) -> Result<(), Refusal> {
    check_user_id(&user.user_id)?;
    form::locale("locale", &user.locale)?;
    form::digits("self_service_id", &user.self_service_id)?;
    let other = directory.self_service_owners(&user.self_service_id).find(|one| Some(*one) != id);
    match other {
        Some(other) if !user.self_service_id.is_empty() => {
            Err(directory.refusal_about(Code::Duplicate, other).field("self_service_id"))
        }
        _ => Ok(()),
    }
}

/// A user id is one word: it is typed on phones and stands in addresses.
pub(super) fn check_user_id(user_id: &str) -> Result<(), Refusal> {
    let wrong = |c: char| c.is_whitespace() || c.is_control() || "\"<>:/\\".contains(c);
    if user_id.contains(wrong) {
        return Err(invalid("user_id", user_id, "≠ space \" < > : / \\"));
    }
    Ok(())
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
