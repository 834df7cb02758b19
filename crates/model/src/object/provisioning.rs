use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{
    ApplicationUser, CtiRoutePoint, Node, Ref, Text, UniversalDeviceTemplate, UniversalLineTemplate,
};

/// What unknown phones get when they register at a node (SP-43).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct AutoRegistration {
    /// The node's name, which names this object too.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// The node.
    #[garde(skip)]
    pub node: Ref<Node>,
    /// Auto-registration Disabled on the Jackfield node. On unless it is switched off here.
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    pub disabled: bool,
    /// Template of the phones.
    #[serde(default)]
    #[garde(skip)]
    pub device_template: Option<Ref<UniversalDeviceTemplate>>,
    /// Template of their lines.
    #[serde(default)]
    #[garde(skip)]
    pub line_template: Option<Ref<UniversalLineTemplate>>,
    /// First directory number, 1 to 16 digits.
    #[serde(default)]
    #[garde(length(chars, max = 16))]
    pub starting_number: Text,
    /// Last directory number, as long as the first and not below it.
    #[serde(default)]
    #[garde(length(chars, max = 16))]
    pub ending_number: Text,
    /// Networks from which unknown phones are taken, as CIDR; empty means every private address.
    #[serde(default)]
    #[garde(length(max = 64), inner(length(chars, min = 1, max = 49)))]
    pub allowed_networks: Box<[Text]>,
    /// Phones that may wait for an owner at once, 1 to 100000.
    #[serde(default = "unassigned_limit")]
    #[garde(range(min = 1, max = 100_000))]
    pub unassigned_limit: u32,
    /// Hours after which a new phone is deleted that has not registered with its secret, and its number
    /// is free again; 0 to 8760, 0 means never.
    #[serde(default = "return_hours")]
    #[garde(range(max = 8760))]
    pub return_hours: u16,
    /// New phones taken in a minute, 1 to 100000.
    #[serde(default = "per_minute")]
    #[garde(range(min = 1, max = 100_000))]
    pub per_minute: u32,
}

fn unassigned_limit() -> u32 {
    1000
}

fn return_hours() -> u16 {
    24
}

fn per_minute() -> u32 {
    600
}

declare!(AutoRegistration, |settings| settings.name.clone());

/// How somebody proves whose the phone shall be (SP-02, SP-03, SP-05).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthenticationMode {
    /// Require authentication, users only (password/PIN).
    #[default]
    UsersOnly,
    /// Require authentication, users (password/PIN) and administrators (authentication code).
    UsersAndAdministrators,
    /// No authentication required. Not recommended for day-to-day use.
    None,
}

/// Settings of self-provisioning; all but the last take effect when its IVR service restarts (SP-19).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default)]
pub struct SelfProvisioning {
    /// How somebody proves whose the phone shall be.
    #[garde(skip)]
    #[schemars(extend("x-takes" = "service-restart"))]
    pub mode: AuthenticationMode,
    /// Languages of the IVR in the order in which callers choose, 1 to 9 (SP-13).
    #[garde(length(max = 9), inner(length(chars, min = 2, max = 16)))]
    // An empty list is refused in the words that are part of the interface.
    #[schemars(extend("x-takes" = "service-restart", "minItems" = 1))]
    pub languages: Box<[Text]>,
    /// The route point whose number is dialled.
    #[garde(skip)]
    #[schemars(extend("x-takes" = "service-restart"))]
    pub route_point: Option<Ref<CtiRoutePoint>>,
    /// The account under which the IVR works.
    #[garde(skip)]
    #[schemars(extend("x-takes" = "service-restart"))]
    pub application_user: Option<Ref<ApplicationUser>>,
    /// Calls that the IVR takes at once, 1 to 100 (SP-16).
    #[garde(range(min = 1, max = 100))]
    #[schemars(extend("x-takes" = "service-restart"))]
    pub maximum_calls: u8,
    /// Wrong entries after which a call ends, 1 to 10 (SP-07).
    #[garde(range(min = 1, max = 10))]
    #[schemars(extend("x-takes" = "service-restart"))]
    pub attempts_per_call: u8,
    /// Seconds that the IVR waits for a key, 2 to 60.
    #[garde(range(min = 2, max = 60))]
    #[schemars(extend("x-takes" = "service-restart"))]
    pub digit_seconds: u8,
    /// Seconds from the start of the service until its route point registers, 0 to 300 (SP-18).
    #[garde(range(max = 300))]
    #[schemars(extend("x-takes" = "service-restart"))]
    pub start_delay_seconds: u16,
    /// Wrong authentication codes in the whole cluster in a minute after which the code is locked
    /// for that minute, 1 to 1000 (SP-07). It counts at once.
    #[garde(range(min = 1, max = 1000))]
    pub code_failures_per_minute: u16,
}

impl Default for SelfProvisioning {
    fn default() -> Self {
        Self {
            mode: AuthenticationMode::UsersOnly,
            languages: [Text::from("en-US")].into(),
            route_point: None,
            application_user: None,
            maximum_calls: 100,
            attempts_per_call: 3,
            digit_seconds: 10,
            start_delay_seconds: 30,
            code_failures_per_minute: 10,
        }
    }
}

declare!(SelfProvisioning, |_settings| "self-provisioning".into());
