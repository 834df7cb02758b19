use super::super::work::Work;
use crate::Privilege::{
    Backup, ChangeConfiguration, CtiCallParkMonitoring, CtiCallingNumberModification,
    CtiControlAllDevices, CtiEnabled, CtiSecureConnection, CtiSrtpKeyMaterial, ManageCredentials,
    OperateServices, ProvisionPhones, ReadAudit, ReadConfiguration, SelfCare,
};
use crate::{ApplicationUser, Privilege, Ref, Role, UserGroup};

/// Each group of these has the role of the same name. The names of the first six are part of the
/// interface (CTI-41).
const ROLES: &[(&str, &str, &[Privilege])] = &[
    ("Standard CTI Enabled", "Connects applications to the CTI manager.", &[CtiEnabled]),
    (
        "Standard CTI Allow Control of All Devices",
        "Controls every controllable device; give the secure connection along with it.",
        &[CtiControlAllDevices],
    ),
    (
        "Standard CTI Allow Call Park Monitoring",
        "Sees calls being parked.",
        &[CtiCallParkMonitoring],
    ),
    (
        "Standard CTI Allow Calling Number Modification",
        "Changes the calling number.",
        &[CtiCallingNumberModification],
    ),
    (
        "Standard CTI Allow Reception of SRTP Key Material",
        "Receives the keys of protected media.",
        &[CtiSrtpKeyMaterial],
    ),
    (
        "Standard CTI Secure Connection",
        "Must connect over TLS with a certificate of its own.",
        &[CtiSecureConnection],
    ),
    ("Phone Provisioning", "Provisions phones for users who authenticate.", &[ProvisionPhones]),
    (
        ADMINISTRATORS,
        "May do everything but use the phones of others.",
        &[
            ReadConfiguration,
            ChangeConfiguration,
            OperateServices,
            ReadAudit,
            ManageCredentials,
            Backup,
        ],
    ),
    (
        "Operators",
        "Watch over services and phones, and read the configuration.",
        &[ReadConfiguration, OperateServices],
    ),
    ("Help desk", "Set and unlock credentials.", &[ReadConfiguration, ManageCredentials]),
    ("Auditors", "Read the configuration and the audit.", &[ReadConfiguration, ReadAudit]),
    ("End users", "Use their own pages and phones.", &[SelfCare]),
];

/// The role and group of those who may administer everything.
pub(in crate::operation) const ADMINISTRATORS: &str = "Administrators";

/// The account of the first administrator. It has no password until somebody sets one.
pub const ADMINISTRATOR: &str = "admin";

pub(super) fn roles_and_groups(work: &mut Work<'_>) {
    let mut administrators = None;
    for (name, description, privileges) in ROLES {
        let role = work.add(Role {
            name: (*name).into(),
            description: (*description).into(),
            privileges: (*privileges).into(),
        });
        let group = work.add(UserGroup { name: (*name).into(), roles: [Ref::new(role)].into() });
        if *name == ADMINISTRATORS {
            administrators = Some(Ref::new(group));
        }
    }
    work.add(ApplicationUser {
        user_id: ADMINISTRATOR.into(),
        description: "The first administrator.".into(),
        enabled: true,
        presence_group: None,
        groups: administrators.into_iter().collect(),
        credential_policy: None,
        controlled_route_points: Box::default(),
        controlled_ports: Box::default(),
        controlled_phones: Box::default(),
    });
}
