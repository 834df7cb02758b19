use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{CredentialPolicy, Ref, Text};

/// Settings of the whole cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default)]
pub struct ClusterSettings {
    /// Name of this cluster among others: letters, digits, '.' and '-', 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub cluster_id: Text,
    /// Organisation shown on pages and phones, up to 128 characters.
    #[garde(length(chars, max = 128))]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub organization: Text,
    /// Realm of digest authentication, 1 to 64 characters. Phones that keep a password hash need
    /// their files again after a change.
    #[garde(length(chars, min = 1, max = 64))]
    #[schemars(extend("x-takes" = "restart"))]
    pub sip_realm: Text,
    /// Release that this cluster advertises to others.
    #[garde(length(chars, min = 1, max = 16))]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub release: Text,
    /// Seconds for which a phone's registration lasts, 60 to 86400.
    #[garde(range(min = 60, max = 86400))]
    pub registration_seconds: u32,
    /// Seconds that a call may ring before it goes on to the no-answer destination, 1 to 300.
    #[garde(range(min = 1, max = 300))]
    pub no_answer_seconds: u16,
    /// Forwards that one call may follow, 1 to 12.
    #[garde(range(min = 1, max = 12))]
    pub maximum_forwards: u8,
    /// Seconds in which an application must accept a new call on a route point, 1 to 30 (CTI-36).
    #[garde(range(min = 1, max = 30))]
    pub new_call_accept_seconds: u8,
    /// Devices of one application above which an alarm is raised (CTI-12).
    #[garde(range(min = 1, max = 1_000_000))]
    pub maximum_devices_per_provider: u32,
    /// Devices of all applications of a node above which an alarm is raised (CTI-12).
    #[garde(range(min = 1, max = 1_000_000))]
    pub maximum_devices_per_node: u32,
    /// Show dependency records (CTI-45).
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub dependency_records: bool,
    /// Days for which changes and audit are kept, 1 to 3650.
    #[garde(range(min = 1, max = 3650))]
    pub audit_days: u16,
    /// Days for which call records are kept, 0 to 3650; 0 keeps none.
    #[garde(range(max = 3650))]
    pub call_record_days: u16,
    /// Numbers that any phone may dial in an emergency, whatever its calling search space.
    #[garde(length(max = 16), inner(length(chars, min = 2, max = 16)))]
    pub emergency_numbers: Box<[Text]>,
    /// Addresses from which phones may fetch files with secrets in them, as CIDR networks.
    #[garde(length(max = 64), inner(length(chars, min = 1, max = 49)))]
    pub provisioning_networks: Box<[Text]>,
    /// Policy for accounts that name none.
    #[garde(skip)]
    pub credential_policy: Option<Ref<CredentialPolicy>>,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            cluster_id: "jackfield".into(),
            organization: "".into(),
            sip_realm: "jackfield".into(),
            release: "14.0".into(),
            registration_seconds: 3600,
            no_answer_seconds: 12,
            maximum_forwards: 12,
            new_call_accept_seconds: 4,
            maximum_devices_per_provider: 2000,
            maximum_devices_per_node: 800,
            dependency_records: true,
            audit_days: 365,
            call_record_days: 90,
            emergency_numbers: ["110", "112", "119", "911"].map(Into::into).into(),
            provisioning_networks: Box::default(),
            credential_policy: None,
        }
    }
}

declare!(ClusterSettings, |_settings| "cluster".into());

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Node {
    /// Unique name, 1 to 64 characters; it is kept, for the node's process is started with it (`serve --node`).
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// Host name or IP address by which phones reach it, 1 to 255 characters.
    #[garde(length(chars, min = 1, max = 255))]
    #[schemars(extend("x-takes" = "restart"))]
    pub address: Text,
    /// Number of the node in the cluster, 1 to 999.
    #[garde(range(min = 1, max = 999))]
    pub number: u16,
    /// The node that holds the truth of the configuration; exactly one is.
    #[serde(default)]
    #[garde(skip)]
    pub publisher: bool,
    /// UDP and TCP port for SIP (SP-43); phones are told it once the node listens there.
    #[serde(default = "sip_port")]
    #[garde(range(min = 1))]
    #[schemars(extend("x-takes" = "node-restart"))]
    pub sip_port: u16,
}

fn sip_port() -> u16 {
    5060
}

impl Node {
    /// The TCP port for SIP over TLS, as phone files that must name one have it. Nothing listens
    /// there in this release.
    pub const SECURE_SIP_PORT: u16 = 5061;
}

declare!(
    Node,
    |node| node.name.clone(),
    unique | node | vec![("number", node.number.to_string())],
    sought | node | vec![(&node.address).into(), (&node.description).into()]
);

/// A service that can be activated on a node.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Service {
    /// Registers phones and routes calls.
    CallManager,
    /// Serves applications that control calls.
    CtiManager,
    /// The self-provisioning IVR.
    SelfProvisioningIvr,
    /// Phone files by TFTP.
    Tftp,
    /// Phone files by HTTP.
    FileHttp,
}

impl Service {
    /// Every service, in the order in which they start.
    pub const ALL: &'static [Self] = &[
        Self::CallManager,
        Self::FileHttp,
        Self::Tftp,
        Self::CtiManager,
        Self::SelfProvisioningIvr,
    ];

    /// The name in APIs, commands and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::CallManager => "call-manager",
            Self::CtiManager => "cti-manager",
            Self::SelfProvisioningIvr => "self-provisioning-ivr",
            Self::Tftp => "tftp",
            Self::FileHttp => "file-http",
        }
    }
}

/// Which services are activated on a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct ServiceActivation {
    /// The node.
    #[garde(skip)]
    pub node: Ref<Node>,
    /// The node's name, which names this object too.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// The activated services. The self-provisioning IVR is not among them on a new node (SP-10).
    #[garde(length(max = 16))]
    pub services: Box<[Service]>,
}

declare!(ServiceActivation, |activation| activation.name.clone());
