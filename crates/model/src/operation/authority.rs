//! What whoever is signed in may have changed. Two rules, both judged on the latest directory:
//! every operation needs its privilege, and nobody grants, or changes an account, group or role
//! with, privileges that they lack. So no privilege leads to another one.

use std::collections::BTreeSet;

use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::work::Work;
use super::{Actor, Effect, Operation, ProvenBy};
use crate::{
    ApplicationUser, Body, ClusterSettings, Directory, EndUser, Kind, Privilege, Role, UserGroup,
};

/// A signed-in user, with what the user may do at this moment.
pub(super) struct Authority {
    account: ObjectId,
    held: BTreeSet<Privilege>,
    /// What there was before the operation.
    latest: Directory,
}

impl Authority {
    /// The authority of a signed-in user, whose account must be on. The house itself, devices and
    /// applications have rules of their own.
    pub(super) fn of(actor: &Actor, latest: &Directory) -> Result<Option<Self>, Refusal> {
        let Actor::User { user_id, .. } = actor else { return Ok(None) };
        let account = latest.account(user_id).ok_or(Refusal::new(Code::Unauthenticated))?;
        if !latest.is_enabled(account) {
            return Err(Refusal::new(Code::Disabled).value("name", user_id));
        }
        let held = latest.privileges(account);
        Ok(Some(Self { account, held, latest: latest.clone() }))
    }

    /// Refuses an operation for which the user lacks the privilege.
    pub(super) fn admit(&self, operation: &Operation) -> Result<(), Refusal> {
        let needed: &[Privilege] = match operation {
            // Each step is admitted by itself.
            Operation::Batch(_) => return Ok(()),
            // Who proved by PIN, password or code whose the phone shall be needs nothing more.
            Operation::Assign { proven_by, .. } if *proven_by != ProvenBy::Administrator => {
                return Ok(());
            }
            Operation::SetCredential { owner, .. } if *owner == self.account => return Ok(()),
            Operation::SetCredential { .. }
            | Operation::RotateDeviceSecret { .. }
            | Operation::Unlock { .. } => &[Privilege::ManageCredentials],
            operation if self.switches_services(operation) => {
                &[Privilege::OperateServices, Privilege::ChangeConfiguration]
            }
            _ => &[Privilege::ChangeConfiguration],
        };
        match needed {
            [first, ..] if needed.iter().all(|one| !self.held.contains(one)) => {
                Err(Refusal::new(Code::Forbidden).value("privilege", first.name()))
            }
            _ => Ok(()),
        }
    }

    fn switches_services(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Create { kind, .. } => *kind == Kind::ServiceActivation,
            Operation::Update { id, .. } => {
                let entry = self.latest.entry(*id);
                entry.is_some_and(|entry| entry.body.kind() == Kind::ServiceActivation)
            }
            _ => false,
        }
    }

    /// Refuses a step whose effects, those from `first` on, touch what is beyond the user.
    pub(super) fn judge_step(&self, work: &Work<'_>, first: usize) -> Result<(), Refusal> {
        for effect in work.effects_from(first) {
            if let Effect::Put { id, body: Body::ClusterSettings(after), .. } = effect {
                self.may_forget(*id, after)?;
            }
            match effect {
                Effect::Put { id, body, .. } if self.is_touched(*id, body) => {
                    self.judge(work, *id)?;
                }
                Effect::Delete { id } => self.judge(work, *id)?,
                Effect::Credential { owner, .. } | Effect::Unlock { owner }
                    if *owner != self.account =>
                {
                    self.judge(work, *owner)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is kept as evidence is shortened by those only who may read it.
    fn may_forget(&self, id: ObjectId, after: &ClusterSettings) -> Result<(), Refusal> {
        let Some(before) = self.latest.typed::<ClusterSettings>(id) else { return Ok(()) };
        let days = [
            ("audit_days", before.audit_days, after.audit_days),
            ("call_record_days", before.call_record_days, after.call_record_days),
        ];
        let needed = Privilege::ReadAudit;
        match days.iter().find(|(_, before, after)| after < before) {
            Some((field, ..)) if !self.held.contains(&needed) => {
                let refusal = Refusal::new(Code::Forbidden).field(*field);
                Err(refusal.value("rule", "evidence").value("privilege", needed.name()))
            }
            _ => Ok(()),
        }
    }

    /// Refuses an operation by which other accounts gain or lose what is beyond the user, because
    /// their groups and roles changed, or because one of them was chosen for self-provisioning.
    pub(super) fn judge_consequences(&self, work: &Work<'_>) -> Result<(), Refusal> {
        let shifts = |effect: &Effect| {
            let body = match effect {
                Effect::Put { body, .. } => Some(body),
                Effect::Delete { id } => self.latest.entry(*id).map(|entry| &entry.body),
                _ => None,
            };
            matches!(body, Some(Body::Role(_) | Body::UserGroup(_) | Body::SelfProvisioning(_)))
        };
        if !work.effects_from(0).iter().any(shifts) {
            return Ok(());
        }
        for account in self.latest.accounts() {
            if self.latest.privileges(account) != work.directory.privileges(account) {
                self.judge(work, account)?;
            }
        }
        Ok(())
    }

    /// Which phones an account controls follows from assignments, and gives it no privilege.
    fn is_touched(&self, id: ObjectId, after: &Body) -> bool {
        match (self.latest.entry(id).map(|entry| &entry.body), after) {
            (Some(Body::EndUser(before)), Body::EndUser(after)) => {
                let controlled_phones = after.controlled_phones.clone();
                EndUser { controlled_phones, ..EndUser::clone(before) } != **after
            }
            _ => true,
        }
    }

    /// Refuses an account, group or role that has, or would have, what the user lacks.
    fn judge(&self, work: &Work<'_>, id: ObjectId) -> Result<(), Refusal> {
        let before = privileges_in(&self.latest, id);
        let after = privileges_in(&work.directory, id);
        match before.union(&after).find(|one| !self.may_hand_out(**one)) {
            Some(privilege) => {
                let known = if before.is_empty() { &work.directory } else { &self.latest };
                let refusal = known.refusal_about(Code::BeyondOwnPrivileges, id);
                Err(refusal.value("privilege", privilege.name()))
            }
            None => Ok(()),
        }
    }

    /// One hands out what one has, and `self-care`, by which everybody only has their own. Who has
    /// all that administers also hands out what applications need, without having it.
    fn may_hand_out(&self, privilege: Privilege) -> bool {
        let administers_all =
            || Privilege::ADMINISTRATIVE.iter().all(|one| self.held.contains(one));
        self.held.contains(&privilege)
            || privilege == Privilege::SelfCare
            || (!Privilege::ADMINISTRATIVE.contains(&privilege) && administers_all())
    }
}

/// The privileges that an account, group or role has or gives.
fn privileges_in(directory: &Directory, id: ObjectId) -> BTreeSet<Privilege> {
    if let Some(role) = directory.typed::<Role>(id) {
        return role.privileges.iter().copied().collect();
    }
    if let Some(group) = directory.typed::<UserGroup>(id) {
        let roles = group.roles.iter().filter_map(|role| directory.get(*role));
        return roles.flat_map(|role| role.privileges.iter().copied()).collect();
    }
    let is_account = directory.typed::<EndUser>(id).is_some()
        || directory.typed::<ApplicationUser>(id).is_some();
    if is_account { directory.privileges(id) } else { BTreeSet::new() }
}
