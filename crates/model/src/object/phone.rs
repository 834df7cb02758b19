use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{
    CallingSearchSpace, CommonDeviceConfiguration, CommonPhoneProfile, DevicePool, EndUser, Line,
    List, Location, PhoneButtonTemplate, PhoneModel, PhoneService, Ref, SecurityProfile,
    SipProfile, SoftkeyTemplate, Sought, Text,
};

/// A line as it appears on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct PhoneLine {
    /// The line.
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub line: Ref<Line>,
    /// Caller name that this appearance shows where its line has none, up to 64 characters.
    #[serde(default)]
    #[garde(length(chars, max = 64))]
    #[schemars(extend("x-takes" = "restart"))]
    pub display: Text,
    /// Label beside the button, up to 32 characters; empty shows the number.
    #[serde(default)]
    #[garde(length(chars, max = 32))]
    #[schemars(extend("x-takes" = "restart"))]
    pub label: Text,
    /// Number shown outside: digits, with `X` for those of the extension, up to 32.
    #[serde(default)]
    #[garde(length(chars, max = 32))]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub external_mask: Text,
    /// Calls that the line can have on this device at once, 1 to 200.
    #[serde(default = "maximum_calls")]
    #[garde(range(min = 1, max = 200))]
    #[schemars(extend("x-takes" = "restart"))]
    pub maximum_calls: u8,
    /// Calls from which on a further one finds the line busy, 1 to `maximum_calls`.
    #[serde(default = "busy_trigger")]
    #[garde(range(min = 1, max = 200))]
    #[schemars(extend("x-takes" = "restart"))]
    pub busy_trigger: u8,
}

impl PhoneLine {
    /// What people look for a device by, of a line on it.
    pub(super) fn sought(&self) -> [Sought<'_>; 3] {
        [self.line.into(), (&self.display).into(), (&self.label).into()]
    }
}

pub(super) fn maximum_calls() -> u8 {
    4
}

pub(super) fn busy_trigger() -> u8 {
    2
}

/// A number under a button.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct SpeedDial {
    /// The number, 1 to 32 digits.
    #[garde(length(chars, min = 1, max = 32))]
    #[schemars(extend("x-takes" = "restart"))]
    pub number: Text,
    /// Its label, up to 32 characters.
    #[serde(default)]
    #[garde(length(chars, max = 32))]
    #[schemars(extend("x-takes" = "restart"))]
    pub label: Text,
}

/// A button that shows whether a number is in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct BusyLampField {
    /// The number, 1 to 32 digits.
    #[garde(length(chars, min = 1, max = 32))]
    #[schemars(extend("x-takes" = "restart"))]
    pub number: Text,
    /// Its label, up to 32 characters.
    #[serde(default)]
    #[garde(length(chars, max = 32))]
    #[schemars(extend("x-takes" = "restart"))]
    pub label: Text,
}

/// A phone or soft client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[schemars(transform = crate::reference::needless_where_default)]
pub struct Phone {
    /// Unique device name: the model's prefix and the hardware address, as in `SEP001122AABBCC`;
    /// 1 to 15 letters, digits, '.', '-' or '_' for soft clients.
    #[garde(length(chars, min = 1, max = 50))]
    pub name: Text,
    /// What it is, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// Its model.
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub model: Ref<PhoneModel>,
    /// Its device pool.
    #[garde(skip)]
    #[schemars(extend("default" = "Default", "x-takes" = "restart"))]
    pub device_pool: Ref<DevicePool>,
    /// How its signalling is secured.
    #[garde(skip)]
    #[schemars(extend("default" = "Non-secure TCP", "x-takes" = "restart"))]
    pub security_profile: Ref<SecurityProfile>,
    /// How it uses SIP.
    #[garde(skip)]
    #[schemars(extend("default" = "Default", "x-takes" = "restart"))]
    pub sip_profile: Ref<SipProfile>,
    /// Which button is what; none means lines first, then speed dials, lamps and services.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub button_template: Option<Ref<PhoneButtonTemplate>>,
    /// Which softkeys it shows; enterprise phones only. None means all that phones are offered.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub softkey_template: Option<Ref<SoftkeyTemplate>>,
    /// Settings shared with other phones.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub common_phone_profile: Option<Ref<CommonPhoneProfile>>,
    /// Settings shared with other devices.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub common_device_configuration: Option<Ref<CommonDeviceConfiguration>>,
    /// What it may call, after its line's calling search space.
    #[serde(default)]
    #[garde(skip)]
    pub css: Option<Ref<CallingSearchSpace>>,
    /// Where it is; none takes the device pool's.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub location: Option<Ref<Location>>,
    /// Whose it is.
    #[serde(default)]
    #[garde(skip)]
    pub owner: Option<Ref<EndUser>>,
    /// Its lines, in the order of the buttons; up to the model's maximum.
    #[serde(default)]
    #[garde(length(max = 200), dive)]
    #[schemars(extend("x-takes" = "restart"))]
    pub lines: List<PhoneLine>,
    /// Its speed dials, up to 200.
    #[serde(default)]
    #[garde(length(max = 200), dive)]
    #[schemars(extend("x-takes" = "restart"))]
    pub speed_dials: List<SpeedDial>,
    /// Its busy lamp fields, up to 200.
    #[serde(default)]
    #[garde(length(max = 200), dive)]
    #[schemars(extend("x-takes" = "restart", "x-not-yet" = "lamps"))]
    pub busy_lamp_fields: List<BusyLampField>,
    /// The services it shows besides those that are everywhere, up to 64.
    #[serde(default)]
    #[garde(length(max = 64))]
    #[schemars(extend("x-takes" = "restart"))]
    pub services: Box<[Ref<PhoneService>]>,
    /// Came by auto-registration and belongs to nobody yet: open for self-provisioning.
    #[serde(default)]
    #[garde(skip)]
    pub auto_registered: bool,
}

declare!(
    Phone,
    |phone| phone.name.clone(),
    sought | phone | {
        let lines = phone.lines.iter().flat_map(PhoneLine::sought);
        let owner = phone.owner.map(Into::into);
        lines.chain(owner).chain([(&phone.description).into(), phone.model.into()]).collect()
    }
);
