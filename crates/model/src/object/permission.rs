use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{CredentialPolicy, CtiPort, CtiRoutePoint, Phone, PresenceGroup, Ref, Text};

/// A thing that one may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Privilege {
    /// Read the configuration.
    ReadConfiguration,
    /// Change the configuration.
    ChangeConfiguration,
    /// Start, stop and restart services, and restart phones.
    OperateServices,
    /// Read the audit.
    ReadAudit,
    /// Set and unlock the credentials of others.
    ManageCredentials,
    /// Make backups.
    Backup,
    /// Connect applications to the CTI manager (`Standard CTI Enabled`).
    CtiEnabled,
    /// Control every controllable device.
    CtiControlAllDevices,
    /// See calls being parked.
    #[schemars(extend("x-not-yet" = "choice"))]
    CtiCallParkMonitoring,
    /// Change the calling number.
    #[schemars(extend("x-not-yet" = "choice"))]
    CtiCallingNumberModification,
    /// Receive the keys of protected media.
    #[schemars(extend("x-not-yet" = "choice"))]
    CtiSrtpKeyMaterial,
    /// The session must use TLS with a client certificate.
    #[schemars(extend("x-not-yet" = "choice"))]
    CtiSecureConnection,
    /// Provision phones for users who authenticate; the self-provisioning IVR does so because its account
    /// is chosen.
    #[schemars(extend("x-not-yet" = "choice"))]
    ProvisionPhones,
    /// Use the own user's pages and phones.
    SelfCare,
}

impl Privilege {
    /// What makes somebody an administrator of something.
    pub const ADMINISTRATIVE: [Self; 6] = [
        Self::ReadConfiguration,
        Self::ChangeConfiguration,
        Self::OperateServices,
        Self::ReadAudit,
        Self::ManageCredentials,
        Self::Backup,
    ];

    /// The name in APIs, commands and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadConfiguration => "read-configuration",
            Self::ChangeConfiguration => "change-configuration",
            Self::OperateServices => "operate-services",
            Self::ReadAudit => "read-audit",
            Self::ManageCredentials => "manage-credentials",
            Self::Backup => "backup",
            Self::CtiEnabled => "cti-enabled",
            Self::CtiControlAllDevices => "cti-control-all-devices",
            Self::CtiCallParkMonitoring => "cti-call-park-monitoring",
            Self::CtiCallingNumberModification => "cti-calling-number-modification",
            Self::CtiSrtpKeyMaterial => "cti-srtp-key-material",
            Self::CtiSecureConnection => "cti-secure-connection",
            Self::ProvisionPhones => "provision-phones",
            Self::SelfCare => "self-care",
        }
    }
}

/// A named set of privileges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Role {
    /// Unique name, 1 to 128 characters.
    #[garde(length(chars, min = 1, max = 128))]
    pub name: Text,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// What it allows.
    #[garde(length(max = 64))]
    pub privileges: Box<[Privilege]>,
}

declare!(Role, |role| role.name.clone(), sought | role | vec![(&role.description).into()]);

/// Users who have the same roles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct UserGroup {
    /// Unique name, 1 to 128 characters.
    #[garde(length(chars, min = 1, max = 128))]
    pub name: Text,
    /// Its roles.
    #[garde(length(max = 64))]
    pub roles: Box<[Ref<Role>]>,
}

declare!(UserGroup, |group| group.name.clone());

/// An application's account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct ApplicationUser {
    /// Unique user ID, 1 to 128 characters; upper and lower case are the same.
    #[garde(length(chars, min = 1, max = 128))]
    pub user_id: Text,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// The account is on.
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    pub enabled: bool,
    /// Whose presence it may see (SP-25).
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub presence_group: Option<Ref<PresenceGroup>>,
    /// Groups and so roles.
    #[serde(default)]
    #[garde(length(max = 64))]
    pub groups: Box<[Ref<UserGroup>]>,
    /// Rules for its password; none means the cluster's.
    #[serde(default)]
    #[garde(skip)]
    pub credential_policy: Option<Ref<CredentialPolicy>>,
    /// Route points that it may control (SP-25, CTI-40).
    #[serde(default)]
    #[garde(length(max = 10_000))]
    pub controlled_route_points: Box<[Ref<CtiRoutePoint>]>,
    /// CTI ports that it may control.
    #[serde(default)]
    #[garde(length(max = 10_000))]
    pub controlled_ports: Box<[Ref<CtiPort>]>,
    /// Phones that it may control.
    #[serde(default)]
    #[garde(length(max = 10_000))]
    pub controlled_phones: Box<[Ref<Phone>]>,
}

declare!(
    ApplicationUser,
    |user| user.user_id.to_lowercase().into(),
    sought | user | vec![(&user.description).into()]
);
