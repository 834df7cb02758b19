use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{CallingSearchSpace, Node, Ref, Text};

/// Nodes in the order in which a phone tries them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct CallManagerGroup {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// The nodes, 1 to 5, first choice first.
    #[garde(length(min = 1, max = 5))]
    #[schemars(extend("x-takes" = "restart"))]
    pub nodes: Box<[Ref<Node>]>,
}

declare!(CallManagerGroup, |group| group.name.clone());

/// Time zone and date form of phones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct DateTimeGroup {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// Time zone by its IANA name, as in `Asia/Tokyo`.
    #[garde(length(chars, min = 1, max = 64))]
    #[schemars(extend("x-takes" = "restart"))]
    pub time_zone: Text,
    /// Order of the date: `M/D/Y`, `D/M/Y` or `Y/M/D`.
    #[serde(default = "date_form")]
    #[garde(length(chars, min = 5, max = 5))]
    #[schemars(extend("x-takes" = "restart"))]
    pub date_form: Text,
    /// Clock of 24 hours.
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub hours_24: bool,
    /// NTP servers, up to 4.
    #[serde(default)]
    #[garde(length(max = 4), inner(length(chars, min = 1, max = 255)))]
    #[schemars(extend("x-takes" = "restart"))]
    pub ntp_servers: Box<[Text]>,
}

fn date_form() -> Text {
    "Y/M/D".into()
}

declare!(DateTimeGroup, |group| group.name.clone());

/// What phones of one place have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[schemars(transform = crate::reference::needless_where_default)]
pub struct DevicePool {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// The nodes that serve its phones.
    #[garde(skip)]
    #[schemars(extend("default" = "Default", "x-takes" = "restart"))]
    pub call_manager_group: Ref<CallManagerGroup>,
    /// Which codecs its phones may use with those of other regions.
    #[garde(skip)]
    #[schemars(extend("default" = "Default"))]
    pub region: Ref<Region>,
    /// Where its phones are.
    #[garde(skip)]
    #[schemars(extend("default" = "Default", "x-not-yet" = "effect"))]
    pub location: Ref<Location>,
    /// Time zone and date form.
    #[garde(skip)]
    #[schemars(extend("default" = "Default", "x-takes" = "restart"))]
    pub date_time_group: Ref<DateTimeGroup>,
    /// Calling search space that auto-registered phones of the pool get, where set.
    #[serde(default)]
    #[garde(skip)]
    pub auto_registration_css: Option<Ref<CallingSearchSpace>>,
}

declare!(DevicePool, |pool| pool.name.clone());

/// Codecs that calls of a region may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RegionCodecs {
    /// Up to 256 kbit/s: L16 and all below.
    Wideband,
    /// Up to 64 kbit/s: G.722, G.711 and all below.
    #[default]
    Standard,
    /// Up to 8 kbit/s: G.729.
    Narrow,
}

/// A set of places between which audio has one quality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Region {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// Codecs of calls within the region.
    #[serde(default)]
    #[garde(skip)]
    pub codecs: RegionCodecs,
}

declare!(Region, |region| region.name.clone());

/// A place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Location {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// What it is, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
}

declare!(
    Location,
    |location| location.name.clone(),
    sought | location | vec![(&location.description).into()]
);
