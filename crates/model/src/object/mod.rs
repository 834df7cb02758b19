//! Each administered object, declared once: field, type, default, range, help, references, and what
//! a change of it takes. The doc comment of a field is its help text everywhere.
//!
//! The schema of a field, or of one of the words that it takes, may carry `x-not-yet`: what it does not do
//! yet (`crate::not_yet`). A field's may carry `x-takes`: what a change needs before it shows (`restart` of
//! the phone, `service-restart`, `node-restart`); without it a change shows from the next call on.
//! A reference may carry a `default`: the name of the object that is meant where nobody chooses.

mod cluster;
mod cti;
mod line;
mod permission;
mod phone;
mod phone_model;
mod phone_profile;
mod placement;
mod provisioning;
mod routing;
mod softkey;
mod template;
mod user;

pub use cluster::{ClusterSettings, Node, Service, ServiceActivation};
pub use cti::{CtiPort, CtiRoutePoint, RelayPoint, RoutePointLine};
pub use line::{Forward, Forwards, Line};
pub use permission::{ApplicationUser, Privilege, Role, UserGroup};
pub use phone::{BusyLampField, Phone, PhoneLine, SpeedDial};
pub use phone_model::{ButtonFeature, DeviceClass, Dialect, PhoneModel};
pub use phone_profile::{
    CommonDeviceConfiguration, CommonPhoneProfile, PhoneButton, PhoneButtonTemplate, PhoneService,
    PresenceGroup, SecurityMode, SecurityProfile, SignalTransport, SipProfile, SoftkeyTemplate,
    VoicemailProfile,
};
pub use placement::{CallManagerGroup, DateTimeGroup, DevicePool, Location, Region, RegionCodecs};
pub use provisioning::{AuthenticationMode, AutoRegistration, SelfProvisioning};
pub use routing::{CallingSearchSpace, Partition, PatternUse, RoutePattern};
pub use softkey::Softkey;
pub use template::{
    FeatureGroupTemplate, TemplateLine, UniversalDeviceTemplate, UniversalLineTemplate, UserProfile,
};
pub use user::{CredentialPolicy, EndUser};

/// `true`, for `#[serde(default)]`.
pub(crate) fn yes() -> bool {
    true
}
