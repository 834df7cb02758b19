use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Text;
use crate::registry::declare;

/// How a phone is spoken to, and what its files look like.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Dialect {
    /// Enterprise firmware: `SEP<MAC>.cnf.xml`, `service-control`, one registration for all lines.
    Enterprise,
    /// Multiplatform firmware: flat-profile XML, `resync`.
    Multiplatform,
    /// RFC 3261 and little else: a plain form, `check-sync`.
    Generic,
    /// The virtual phone, which speaks every dialect.
    Virtual,
}

/// Which of a user profile's templates a device is built from.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceClass {
    /// A phone on a desk.
    #[default]
    Desk,
    /// A soft client on a computer or a mobile (SP-57).
    MobileOrDesktop,
}

/// What a programmable button of a model can be.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ButtonFeature {
    /// A line.
    Line,
    /// A speed dial.
    SpeedDial,
    /// A speed dial that shows whether the number is in use.
    #[schemars(extend("x-not-yet" = "lamps"))]
    BusyLampField,
    /// A phone service.
    Service,
}

/// A phone model: a row of the catalogue, not code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct PhoneModel {
    /// Unique name, as in `Cisco 7841`, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// Maker.
    #[garde(length(chars, max = 64))]
    pub maker: Text,
    /// How it is spoken to.
    #[garde(skip)]
    pub dialect: Dialect,
    /// Which template class it belongs to.
    #[serde(default)]
    #[garde(skip)]
    pub class: DeviceClass,
    /// The number by which the phone names its model when it registers, where it does.
    #[serde(default)]
    #[garde(skip)]
    pub enumeration: Option<u32>,
    /// The maker's product name in User-Agent and DHCP, as in `CP-7841`.
    #[serde(default)]
    #[garde(length(chars, max = 64))]
    pub product: Text,
    /// Prefix of device names: `SEP` for desk phones.
    #[garde(length(chars, min = 1, max = 15))]
    pub device_prefix: Text,
    /// Most lines, 1 to 200.
    #[garde(range(min = 1, max = 200))]
    pub maximum_lines: u8,
    /// Buttons beside the lines, 0 to 200.
    #[garde(range(max = 200))]
    pub buttons: u8,
    /// Has a display that can show text and phone services.
    #[garde(skip)]
    pub display: bool,
    /// Applications can control it (CTI-30).
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    pub cti_controllable: bool,
    /// First six hexadecimal digits of hardware addresses of its maker, where known.
    #[serde(default)]
    #[garde(length(max = 64), inner(length(chars, min = 6, max = 6)))]
    pub hardware_prefixes: Box<[Text]>,
    /// Tried on the real hardware; otherwise a row from public facts, never tried on hardware.
    #[serde(default)]
    #[garde(skip)]
    pub tried_on_hardware: bool,
}

declare!(
    PhoneModel,
    |model| model.name.clone(),
    sought | model | vec![(&model.maker).into(), (&model.product).into()]
);
