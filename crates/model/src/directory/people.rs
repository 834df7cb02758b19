use std::collections::BTreeSet;

use jackfield_vocabulary::ObjectId;

use super::Directory;
use crate::sign::look;
use crate::{
    ApplicationUser, CredentialPolicy, EndUser, Line, Privilege, Ref, Role, Text, UserGroup,
    UserProfile,
};

/// Who has a self-service ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserLookup {
    /// This user.
    Found(ObjectId),
    /// Nobody.
    Nobody,
    /// More than one: an administrator must give one of them another ID.
    Ambiguous,
}

impl UserLookup {
    /// The user, when there is exactly one.
    pub fn user(self) -> Option<ObjectId> {
        match self {
            Self::Found(user) => Some(user),
            Self::Nobody | Self::Ambiguous => None,
        }
    }
}

impl Directory {
    /// Who keys in these digits: the user with this self-service ID, or the user without one whose
    /// primary extension this is.
    pub fn user_by_self_service_id(&self, digits: &str) -> UserLookup {
        let found = self.self_service_users(digits).collect::<Vec<_>>();
        match *found {
            [] => UserLookup::Nobody,
            [user] => UserLookup::Found(user),
            _ => UserLookup::Ambiguous,
        }
    }

    /// Everybody who keys in these digits. Several may share a primary extension; an ID of one's own
    /// is nobody else's.
    pub(crate) fn self_service_users(&self, digits: &str) -> impl Iterator<Item = ObjectId> {
        self.self_service_owners(digits).chain(self.primary_owners(digits))
    }

    /// The users with this self-service ID of their own.
    pub(crate) fn self_service_owners(&self, digits: &str) -> impl Iterator<Item = ObjectId> {
        let first = (Text::from(digits), ObjectId(0));
        let last = (first.0.clone(), ObjectId(u32::MAX));
        self.self_service.range(first..=last).map(|((_, user), ())| *user)
    }

    fn primary_owners(&self, digits: &str) -> Vec<ObjectId> {
        self.lines_with(digits)
            .flat_map(|(line, _)| self.primary_users(line.id()))
            .filter(|user| {
                self.typed::<EndUser>(*user).is_some_and(|user| user.self_service_id.is_empty())
            })
            .collect()
    }

    /// The profile in force for a user: the user's own, else the system default (SP-31).
    pub fn profile_of(&self, user: ObjectId) -> Option<Ref<UserProfile>> {
        let user = self.typed::<EndUser>(user)?;
        user.user_profile.or_else(|| self.default_profile())
    }

    /// The profile of users who name none (SP-31).
    pub fn default_profile(&self) -> Option<Ref<UserProfile>> {
        self.all::<UserProfile>().find(|(_, profile)| profile.system_default).map(|(id, _)| id)
    }

    /// The accounts whose user ids look like this one without being it. Plain ASCII words are taken
    /// for what they are, as `user1` and `userl`.
    pub(crate) fn lookalike(&self, user_id: &str) -> impl Iterator<Item = ObjectId> {
        let look = look(user_id);
        // Only what looks like ASCII can be taken for it; then all of them are looked at.
        let plain = (!user_id.is_ascii() && look.is_ascii()).then(|| {
            let accounts = self.accounts();
            let alike =
                |id: &ObjectId| self.label(*id).is_some_and(|one| self::look(&one) == *look);
            accounts.filter(alike).collect::<Vec<_>>()
        });
        let first = (look.clone(), ObjectId(0));
        let last = (look.clone(), ObjectId(u32::MAX));
        let others = self.looks.range(first..=last).map(|((_, account), ())| *account);
        others.chain(plain.into_iter().flatten()).collect::<Vec<_>>().into_iter()
    }

    /// A user's primary extension.
    pub fn primary_extension(&self, user: ObjectId) -> Option<Ref<Line>> {
        self.typed::<EndUser>(user)?.primary_extension
    }

    /// The policy for the credentials of an end user or application user: their own, else the
    /// cluster's.
    pub fn credential_policy_of(&self, user: ObjectId) -> Option<Ref<CredentialPolicy>> {
        let own = self
            .typed::<EndUser>(user)
            .map(|user| user.credential_policy)
            .or_else(|| self.typed::<ApplicationUser>(user).map(|user| user.credential_policy));
        own.flatten().or_else(|| self.cluster().credential_policy)
    }

    /// What an end user or application user may do, through groups and roles. To be chosen as the
    /// account of the self-provisioning IVR is to be allowed to provision phones.
    pub fn privileges(&self, user: ObjectId) -> BTreeSet<Privilege> {
        let ivr = self.self_provisioning().application_user.map(Ref::id) == Some(user);
        let chosen = ivr.then_some(Privilege::ProvisionPhones);
        self.groups(user)
            .iter()
            .filter_map(|group| self.get(*group))
            .flat_map(|group| group.roles.iter())
            .filter_map(|role: &Ref<Role>| self.get(*role))
            .flat_map(|role| role.privileges.iter().copied())
            .chain(chosen)
            .collect()
    }

    fn groups(&self, user: ObjectId) -> &[Ref<UserGroup>] {
        let end_user = self.typed::<EndUser>(user).map(|user| &*user.groups);
        end_user
            .or_else(|| self.typed::<ApplicationUser>(user).map(|user| &*user.groups))
            .unwrap_or_default()
    }

    /// The accounts that can keep the system in order: switched on, and allowed to change both the
    /// configuration and credentials. Whether they have a password is for the store to say.
    pub fn administrators(&self) -> impl Iterator<Item = ObjectId> {
        self.accounts().filter(|account| self.is_administrator(*account))
    }

    /// The account is one of [`Self::administrators`].
    pub fn is_administrator(&self, account: ObjectId) -> bool {
        self.is_enabled(account) && self.may_administer(account)
    }

    /// The account may change both the configuration and credentials, when it is switched on.
    pub fn may_administer(&self, account: ObjectId) -> bool {
        let needed = [Privilege::ChangeConfiguration, Privilege::ManageCredentials];
        self.privileges(account).is_superset(&needed.into())
    }

    /// The account of an end user or application user is there and switched on.
    pub fn is_enabled(&self, account: ObjectId) -> bool {
        let end_user = self.typed::<EndUser>(account).map(|user| user.enabled);
        end_user
            .or_else(|| self.typed::<ApplicationUser>(account).map(|user| user.enabled))
            .unwrap_or(false)
    }

    /// Every account: application users, then end users.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = ObjectId> {
        let applications = self.all::<ApplicationUser>().map(|(user, _)| user.id());
        applications.chain(self.all::<EndUser>().map(|(user, _)| user.id()))
    }

    /// An account by its user id, as at sign-in: an end user, else an application user.
    pub fn account(&self, user_id: &str) -> Option<ObjectId> {
        self.named::<EndUser>(user_id)
            .map(|(user, _)| user.id())
            .or_else(|| self.named::<ApplicationUser>(user_id).map(|(user, _)| user.id()))
    }
}
