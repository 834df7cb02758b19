use jackfield_vocabulary::{ObjectId, Refusal, SecretText};
use serde_json::json;

use super::first_start::ADMINISTRATORS;
use super::work::Work;
use super::{CredentialKind, Outcome, create};
use crate::{ApplicationUser, Body, EndUser, Privilege, Ref, Role, UserGroup};

/// Makes an account one that administers, whatever became of it, its groups and its roles.
pub(super) fn recover(
    work: &mut Work<'_>,
    user_id: &str,
    hash: &SecretText,
    by: &str,
) -> Result<Outcome, Refusal> {
    let known = work.directory.account(user_id);
    let account = match known {
        Some(account) if work.directory.is_administrator(account) => account,
        Some(account) if work.directory.may_administer(account) => {
            let body = switched_on(work, account)?;
            create::write(work, known, body)?.0
        }
        known => {
            let group = administrators(work);
            let body = member(work, known, user_id, group);
            create::write(work, known, body)?.0
        }
    };
    work.credential(account, CredentialKind::Password, Some(hash.clone()));
    work.unlock(account);
    work.audit = json!({ "action": "recover", "account": user_id, "by": by });
    let version = work.entry(account)?.version;
    Ok(Outcome::Saved(vec![(account, version)]))
}

fn switched_on(work: &Work<'_>, account: ObjectId) -> Result<Body, Refusal> {
    Ok(match &work.entry(account)?.body {
        Body::EndUser(user) => EndUser { enabled: true, ..EndUser::clone(user) }.into(),
        Body::ApplicationUser(user) => {
            ApplicationUser { enabled: true, ..ApplicationUser::clone(user) }.into()
        }
        other => other.clone(),
    })
}

/// The account, on and in the group.
fn member(work: &Work<'_>, known: Option<ObjectId>, user_id: &str, group: Ref<UserGroup>) -> Body {
    let with = |groups: &[Ref<UserGroup>]| {
        let others = groups.iter().copied().filter(|one| *one != group);
        core::iter::once(group).chain(others).take(64).collect()
    };
    match known.and_then(|id| work.directory.entry(id)).map(|entry| &entry.body) {
        Some(Body::EndUser(user)) => {
            let groups = with(&user.groups);
            EndUser { enabled: true, groups, ..EndUser::clone(user) }.into()
        }
        Some(Body::ApplicationUser(user)) => {
            let groups = with(&user.groups);
            ApplicationUser { enabled: true, groups, ..ApplicationUser::clone(user) }.into()
        }
        _ => ApplicationUser {
            user_id: user_id.into(),
            description: "Made by a recovery.".into(),
            enabled: true,
            presence_group: None,
            groups: [group].into(),
            credential_policy: None,
            controlled_route_points: Box::default(),
            controlled_ports: Box::default(),
            controlled_phones: Box::default(),
        }
        .into(),
    }
}

/// The group of the administrators with its role, made good where they lack something.
fn administrators(work: &mut Work<'_>) -> Ref<UserGroup> {
    let role = role(work);
    match work.directory.named::<UserGroup>(ADMINISTRATORS) {
        Some((id, group)) if group.roles.contains(&role) => id,
        Some((id, group)) => {
            let roles = core::iter::once(role).chain(group.roles.iter().copied()).take(64);
            let group = UserGroup { roles: roles.collect(), ..UserGroup::clone(group) };
            work.put(id.id(), group);
            id
        }
        None => {
            let group = UserGroup { name: ADMINISTRATORS.into(), roles: [role].into() };
            Ref::new(work.add(group))
        }
    }
}

fn role(work: &mut Work<'_>) -> Ref<Role> {
    let needed = Privilege::ADMINISTRATIVE;
    match work.directory.named::<Role>(ADMINISTRATORS) {
        Some((id, role)) => {
            let lacks = |one: &Privilege| !role.privileges.contains(one);
            let lacking: Vec<_> = needed.into_iter().filter(lacks).collect();
            if !lacking.is_empty() {
                let privileges = role.privileges.iter().copied().chain(lacking).collect();
                let role = Role { privileges, ..Role::clone(role) };
                work.put(id.id(), role);
            }
            id
        }
        None => Ref::new(work.add(Role {
            name: ADMINISTRATORS.into(),
            description: "Made by a recovery.".into(),
            privileges: needed.into(),
        })),
    }
}
