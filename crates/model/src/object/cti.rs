use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{
    CallingSearchSpace, CommonDeviceConfiguration, DevicePool, EndUser, Line, List, Location,
    PhoneLine, Ref, Text,
};

/// Whether media goes through a trusted relay point (SP-55).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RelayPoint {
    /// As the common device configuration says.
    #[default]
    Default,
    /// Always.
    On,
    /// Never.
    Off,
}

/// A line of a route point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct RoutePointLine {
    /// The line.
    #[garde(skip)]
    pub line: Ref<Line>,
    /// Name that callers see, up to 64 characters.
    #[serde(default)]
    #[garde(length(chars, max = 64))]
    pub display: Text,
    /// Calls that the line can have at once, 1 to 10000 (CTI-37).
    #[serde(default = "maximum_calls")]
    #[garde(range(min = 1, max = 10_000))]
    pub maximum_calls: u16,
    /// Calls from which on a further one finds the line busy, 1 to `maximum_calls`.
    #[serde(default = "maximum_calls")]
    #[garde(range(min = 1, max = 10_000))]
    pub busy_trigger: u16,
}

/// A virtual device on which an application takes many calls (CTI-35, SP-55).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[schemars(transform = crate::reference::needless_where_default)]
pub struct CtiRoutePoint {
    /// Unique device name, 1 to 50 characters.
    #[garde(length(chars, min = 1, max = 50))]
    pub name: Text,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// Its device pool.
    #[garde(skip)]
    #[schemars(extend("default" = "Default"))]
    pub device_pool: Ref<DevicePool>,
    /// Where it is; none takes the device pool's.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub location: Option<Ref<Location>>,
    /// What it may call.
    #[serde(default)]
    #[garde(skip)]
    pub css: Option<Ref<CallingSearchSpace>>,
    /// Settings shared with other devices.
    #[serde(default)]
    #[garde(skip)]
    pub common_device_configuration: Option<Ref<CommonDeviceConfiguration>>,
    /// Whether media goes through a trusted relay point.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub relay_point: RelayPoint,
    /// Calls that it can have at once, over all its lines, 1 to 10000 (SP-16).
    #[serde(default = "maximum_calls")]
    #[garde(range(min = 1, max = 10_000))]
    pub maximum_calls: u16,
    /// Its lines, up to 100.
    #[serde(default)]
    #[garde(length(max = 100), dive)]
    pub lines: List<RoutePointLine>,
}

fn maximum_calls() -> u16 {
    5000
}

declare!(
    CtiRoutePoint,
    |device| device.name.clone(),
    sought | device | {
        let lines = device.lines.iter().flat_map(|one| [one.line.into(), (&one.display).into()]);
        lines.chain([(&device.description).into()]).collect()
    }
);

/// A virtual phone of an application, one call with media at a time (CTI-34).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[schemars(transform = crate::reference::needless_where_default)]
pub struct CtiPort {
    /// Unique device name, 1 to 50 characters.
    #[garde(length(chars, min = 1, max = 50))]
    pub name: Text,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// Its device pool.
    #[garde(skip)]
    #[schemars(extend("default" = "Default"))]
    pub device_pool: Ref<DevicePool>,
    /// Where it is; none takes the device pool's.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub location: Option<Ref<Location>>,
    /// What it may call.
    #[serde(default)]
    #[garde(skip)]
    pub css: Option<Ref<CallingSearchSpace>>,
    /// Settings shared with other devices.
    #[serde(default)]
    #[garde(skip)]
    pub common_device_configuration: Option<Ref<CommonDeviceConfiguration>>,
    /// Whose it is.
    #[serde(default)]
    #[garde(skip)]
    pub owner: Option<Ref<EndUser>>,
    /// Its lines, up to 100.
    #[serde(default)]
    #[garde(length(max = 100), dive)]
    pub lines: List<PhoneLine>,
}

declare!(
    CtiPort,
    |device| device.name.clone(),
    sought | device | {
        let lines = device.lines.iter().flat_map(PhoneLine::sought);
        let owner = device.owner.map(Into::into);
        lines.chain(owner).chain([(&device.description).into()]).collect()
    }
);
