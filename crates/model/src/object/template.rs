use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::object::phone::{busy_trigger, maximum_calls};
use crate::registry::declare;
use crate::{
    BusyLampField, CallingSearchSpace, CommonDeviceConfiguration, CommonPhoneProfile, DevicePool,
    EndUser, Forwards, List, Location, Partition, PhoneButtonTemplate, PhoneService, PresenceGroup,
    Ref, SecurityProfile, SipProfile, SoftkeyTemplate, SpeedDial, Text, VoicemailProfile,
};

/// How a template's line appears on the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default)]
pub struct TemplateLine {
    /// Caller name, up to 128 characters; may hold tags.
    #[garde(length(chars, max = 128))]
    pub display: Text,
    /// Label beside the button, up to 128 characters; may hold tags.
    #[garde(length(chars, max = 128))]
    pub label: Text,
}

impl Default for TemplateLine {
    fn default() -> Self {
        Self { display: "#FirstName# #LastName#".into(), label: "#DirectoryNumber#".into() }
    }
}

/// What a device is built from (SP-40). Texts may hold the tags `#FirstName#`, `#LastName#`,
/// `#UserID#`, `#DirectoryNumber#`, `#Product#` and `#MAC#`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[schemars(transform = crate::reference::needless_where_default)]
pub struct UniversalDeviceTemplate {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// Description of the device, up to 128 characters; may hold tags.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub device_description: Text,
    /// Its device pool.
    #[garde(skip)]
    #[schemars(extend("default" = "Default"))]
    pub device_pool: Ref<DevicePool>,
    /// How its signalling is secured.
    #[garde(skip)]
    #[schemars(extend("default" = "Non-secure TCP"))]
    pub security_profile: Ref<SecurityProfile>,
    /// How it uses SIP.
    #[garde(skip)]
    #[schemars(extend("default" = "Default"))]
    pub sip_profile: Ref<SipProfile>,
    /// Which button is what.
    #[serde(default)]
    #[garde(skip)]
    pub button_template: Option<Ref<PhoneButtonTemplate>>,
    /// Which softkeys it shows; enterprise phones only. None means all that phones are offered.
    #[serde(default)]
    #[garde(skip)]
    pub softkey_template: Option<Ref<SoftkeyTemplate>>,
    /// Settings shared with other phones.
    #[serde(default)]
    #[garde(skip)]
    pub common_phone_profile: Option<Ref<CommonPhoneProfile>>,
    /// Settings shared with other devices.
    #[serde(default)]
    #[garde(skip)]
    pub common_device_configuration: Option<Ref<CommonDeviceConfiguration>>,
    /// What it may call.
    #[serde(default)]
    #[garde(skip)]
    pub css: Option<Ref<CallingSearchSpace>>,
    /// Where it is.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub location: Option<Ref<Location>>,
    /// Owner of devices that are made for nobody in particular.
    #[serde(default)]
    #[garde(skip)]
    pub owner: Option<Ref<EndUser>>,
    /// How its lines appear: the first entry for the first line, and so on; the last for the rest.
    #[serde(default)]
    #[garde(length(max = 16), dive)]
    pub lines: List<TemplateLine>,
    /// Its speed dials, up to 200, as the number of the self-provisioning IVR (SP-42).
    #[serde(default)]
    #[garde(length(max = 200), dive)]
    pub speed_dials: List<SpeedDial>,
    /// Its busy lamp fields, up to 200.
    #[serde(default)]
    #[garde(length(max = 200), dive)]
    #[schemars(extend("x-not-yet" = "lamps"))]
    pub busy_lamp_fields: List<BusyLampField>,
    /// Its services, up to 64.
    #[serde(default)]
    #[garde(length(max = 64))]
    pub services: Box<[Ref<PhoneService>]>,
}

declare!(UniversalDeviceTemplate, |template| template.name.clone());

/// What a line is built from (SP-41). Texts may hold the same tags as in a device template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct UniversalLineTemplate {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// Description of the line, up to 128 characters; may hold tags.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub line_description: Text,
    /// Its partition.
    #[serde(default)]
    #[garde(skip)]
    pub partition: Option<Ref<Partition>>,
    /// What it may call.
    #[serde(default)]
    #[garde(skip)]
    pub css: Option<Ref<CallingSearchSpace>>,
    /// Voice mailbox.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "messages"))]
    pub voicemail_profile: Option<Ref<VoicemailProfile>>,
    /// Who may see whether the line is in use.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub presence_group: Option<Ref<PresenceGroup>>,
    /// Where calls go on to.
    #[serde(default)]
    #[garde(dive)]
    pub forwards: Forwards,
    /// Name shown to those whom the line calls, up to 128 characters; may hold tags.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub alerting_name: Text,
    /// Label beside the button, up to 128 characters; may hold tags; empty takes the device
    /// template's.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub line_text: Text,
    /// Number shown outside: digits, with `X` for those of the extension, up to 32.
    #[serde(default)]
    #[garde(length(chars, max = 32))]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub external_mask: Text,
    /// Calls that the line can have on a device at once, 1 to 200.
    #[serde(default = "maximum_calls")]
    #[garde(range(min = 1, max = 200))]
    pub maximum_calls: u8,
    /// Calls from which on a further one finds the line busy, 1 to `maximum_calls`.
    #[serde(default = "busy_trigger")]
    #[garde(range(min = 1, max = 200))]
    pub busy_trigger: u8,
}

declare!(UniversalLineTemplate, |template| template.name.clone());

/// What a group of users may provision, and from which templates (SP-30).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct UserProfile {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// The profile of users who name none; making one the default takes it from the last (SP-31).
    #[serde(default)]
    #[garde(skip)]
    pub system_default: bool,
    /// Template of desk phones.
    #[serde(default)]
    #[garde(skip)]
    pub desk_phones: Option<Ref<UniversalDeviceTemplate>>,
    /// Template of mobile and desktop devices (SP-57).
    #[serde(default)]
    #[garde(skip)]
    pub mobile_and_desktop_devices: Option<Ref<UniversalDeviceTemplate>>,
    /// Template of remote destinations and device profiles.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub remote_destination_profiles: Option<Ref<UniversalDeviceTemplate>>,
    /// Template of lines; without one a line keeps the settings that it has (SP-33).
    #[serde(default)]
    #[garde(skip)]
    pub line_template: Option<Ref<UniversalLineTemplate>>,
    /// End users may provision their own phones.
    #[serde(default)]
    #[garde(skip)]
    pub allow_self_provisioning: bool,
    /// No provisioning once the user has this many phones, 0 to 20.
    #[serde(default = "device_limit")]
    #[garde(range(max = 20))]
    pub device_limit: u8,
    /// A phone of a user with this profile may be provisioned by somebody else.
    #[serde(default)]
    #[garde(skip)]
    pub allow_reassignment: bool,
}

fn device_limit() -> u8 {
    10
}

declare!(
    UserProfile,
    |profile| profile.name.clone(),
    sought | profile | vec![(&profile.description).into()]
);

/// What a new user gets (SP-51).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct FeatureGroupTemplate {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// The profile; none means the system default.
    #[serde(default)]
    #[garde(skip)]
    pub user_profile: Option<Ref<UserProfile>>,
    /// The user's data is kept in this cluster.
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub home_cluster: bool,
    /// Extension mobility.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub extension_mobility: bool,
    /// Extension mobility cross cluster.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub extension_mobility_cross_cluster: bool,
    /// Instant messages and presence.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub presence: bool,
    /// The user may let applications control their devices.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub cti_control: bool,
}

declare!(
    FeatureGroupTemplate,
    |template| template.name.clone(),
    sought | template | vec![(&template.description).into()]
);
