use jackfield_vocabulary::{Code, ObjectId, Refusal, SecretText};
use serde_json::{Value, json};

use super::rules::not_of_service;
use super::tags::Tags;
use super::work::Work;
use super::{CredentialKind, Outcome, build, create, credentials as credential};
use crate::{
    EndUser, FeatureGroupTemplate, Kind, Line, Pattern, Ref, UniversalLineTemplate, UserProfile,
};

/// Adds a user with an extension, ready to self-provision (SP-50).
pub(super) fn quick_add(
    work: &mut Work<'_>,
    user: &Value,
    feature_group_template: &Value,
    extension: &str,
    credentials: &[(CredentialKind, SecretText)],
) -> Result<Outcome, Refusal> {
    let mut body = user.clone();
    if !body.is_object() {
        let refusal = Refusal::new(Code::InvalidValue).field("user").value("found", user);
        return Err(refusal.value("allowed", "{ }"));
    }
    body["feature_group_template"] = feature_group_template.clone();
    let crate::Body::EndUser(user) = create::read(work, Kind::EndUser, body)? else {
        return Err(Refusal::new(Code::Internal));
    };
    let mut user = EndUser::clone(&user);
    let group: Option<FeatureGroupTemplate> =
        user.feature_group_template.and_then(|group| work.typed(group.id()).ok());
    user.user_profile = user.user_profile.or_else(|| group.and_then(|group| group.user_profile));
    let template = line_template(work, &user);
    let mut saved = Vec::new();
    let line = match existing(work, extension, template.as_ref())? {
        Some(line) => line,
        None => {
            let line = new_line(&user, extension, template.as_ref())?;
            let (id, version) = create::write(work, None, line.into())?;
            saved.push((id, version));
            id
        }
    };
    user.primary_extension = Some(Ref::new(line));
    let user_id = user.user_id.clone();
    let made = create::write(work, None, user.into())?;
    for (kind, hash) in credentials {
        credential::set(work, made.0, *kind, Some(hash.clone()))?;
    }
    saved.insert(0, made);
    work.audit = json!({ "action": "quick-add", "user": user_id, "extension": extension });
    Ok(Outcome::Saved(saved))
}

/// The line template of the profile that the user will have.
fn line_template(work: &Work<'_>, user: &EndUser) -> Option<UniversalLineTemplate> {
    let profile = user.user_profile.or_else(|| work.directory.default_profile())?;
    let profile: UserProfile = work.typed(profile.id()).ok()?;
    work.typed(profile.line_template?.id()).ok()
}

/// The line that is there already; somebody else's primary extension, and a number lent to a new
/// phone, are taken.
fn existing(
    work: &Work<'_>,
    extension: &str,
    template: Option<&UniversalLineTemplate>,
) -> Result<Option<ObjectId>, Refusal> {
    let partition = template.and_then(|template| template.partition).map(Ref::id);
    let found = match work.directory.number(extension, partition) {
        Some(id) => Some(id),
        None if template.is_some() => None,
        None => work
            .directory
            .by_name(Kind::Line, extension)
            .map_err(|refusal| refusal.field("extension"))?,
    };
    let Some(id) = found else { return Ok(None) };
    not_of_service(&work.directory, "extension", id)?;
    let free = work.directory.typed::<Line>(id).is_some_and(|line| !line.auto_registered);
    if free && work.directory.primary_users(id).next().is_none() {
        return Ok(Some(id));
    }
    Err(work.directory.refusal_about(Code::Duplicate, id).field("extension"))
}

fn new_line(
    user: &EndUser,
    extension: &str,
    template: Option<&UniversalLineTemplate>,
) -> Result<Line, Refusal> {
    let number: Pattern = extension.parse().map_err(|_| {
        let refusal = Refusal::new(Code::InvalidValue).field("extension");
        refusal.value("found", extension).value("allowed", "0-9 * # +")
    })?;
    let tags = Tags { user: Some(user), number: extension, product: "", mac: None };
    Ok(match template {
        Some(template) => build::line(number.clone(), template, &tags),
        None => build::blank_line(number.clone()),
    })
}
