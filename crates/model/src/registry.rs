//! The list of everything that is administered. A kind is declared by its struct and its row here;
//! schemas, REST, CLI, forms, validation and storage follow from the two.

use core::fmt;
use core::str::FromStr;
use std::sync::Arc;

use garde::Validate;
use jackfield_vocabulary::{Code, Refusal};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::*;
use crate::{Sought, Text};

/// What every administered struct says of itself beyond its fields.
pub trait Declared:
    Serialize + DeserializeOwned + JsonSchema + Validate<Context = ()> + Send + Sync + 'static
{
    /// Its row in the registry.
    const KIND: Kind;

    /// Its unique name among its kind.
    fn name(&self) -> Text;

    /// Keys besides the name that no other object of the kind may have: (key, value).
    fn unique_keys(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// What people look for it by, beside its name.
    fn sought(&self) -> Vec<Sought<'_>> {
        Vec::new()
    }

    /// Takes the typed struct out of a body.
    fn from_body(body: &Body) -> Option<&Arc<Self>>;

    /// Wraps the struct as a body.
    fn into_body(self) -> Body;
}

macro_rules! kinds {
    ($($kind:ident = $name:literal, $plural:literal, $many:ident;)*) => {
        /// The kinds of administered objects.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[non_exhaustive]
        pub enum Kind {
            $(#[doc = concat!("See [`", stringify!($kind), "`](crate::", stringify!($kind), ").")]
            #[serde(rename = $name)] $kind,)*
        }

        impl Kind {
            /// Every kind, in the order of the registry.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The name in APIs, commands and messages, as in `device-pool`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The name of the collection, as in `device-pools`.
            pub fn plural(self) -> &'static str {
                match self { $(Self::$kind => $plural,)* }
            }

            /// There is exactly one object of this kind: it can be changed, not made or deleted.
            pub fn is_singleton(self) -> bool {
                match self { $(Self::$kind => kinds!(@single $many),)* }
            }

            /// The JSON Schema of the kind, with help, ranges, defaults and references.
            pub fn schema(self) -> schemars::Schema {
                match self { $(Self::$kind => schemars::schema_for!($kind),)* }
            }

            /// Reads a body of this kind without judging it.
            pub fn read(self, value: &Value) -> Result<Body, serde_json::Error> {
                Ok(match self {
                    $(Self::$kind => Body::$kind(Arc::new($kind::deserialize(value)?)),)*
                })
            }

            /// Reads the stored form of this kind without judging it, and without a tree of values
            /// in between.
            pub fn read_text(self, text: &str) -> Result<Body, serde_json::Error> {
                Ok(match self {
                    $(Self::$kind => {
                        Body::$kind(Arc::new(serde_json::from_str::<$kind>(text)?))
                    })*
                })
            }
        }

        /// An administered object, whatever its kind.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Body {
            $(#[doc = concat!("See [`", stringify!($kind), "`](crate::", stringify!($kind), ").")]
            $kind(Arc<$kind>),)*
        }

        impl Body {
            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// Its unique name among its kind.
            pub fn name(&self) -> Text {
                match self { $(Self::$kind(object) => object.name(),)* }
            }

            /// See [`Declared::unique_keys`].
            pub fn unique_keys(&self) -> Vec<(&'static str, String)> {
                match self { $(Self::$kind(object) => object.unique_keys(),)* }
            }

            /// See [`Declared::sought`].
            pub fn sought(&self) -> Vec<Sought<'_>> {
                match self { $(Self::$kind(object) => object.sought(),)* }
            }

            /// The stored form.
            pub fn to_json(&self) -> Value {
                match self {
                    $(Self::$kind(object) => serde_json::to_value(&**object),)*
                }
                .expect("an object is plain data with text keys")
            }

            /// Checks every field by itself: ranges, lengths and forms.
            pub fn check_fields(&self) -> Result<(), garde::Report> {
                match self { $(Self::$kind(object) => object.validate(),)* }
            }
        }

        $(impl From<$kind> for Body {
            fn from(object: $kind) -> Self {
                Self::$kind(Arc::new(object))
            }
        })*
    };
    (@single many) => { false };
    (@single one) => { true };
}

/// Gives a struct its row: `declare!(Partition, |o| o.name.clone());`. After `sought` stand the texts and
/// references by which people look for it, beside its name.
macro_rules! declare {
    (
        $kind:ident, |$object:ident| $name:expr
        $(, unique |$subject:ident| $keys:expr)?
        $(, sought |$found:ident| $sought:expr)?
    ) => {
        impl crate::Declared for $kind {
            const KIND: crate::Kind = crate::Kind::$kind;

            fn name(&self) -> crate::Text {
                let $object = self;
                $name
            }

            $(fn unique_keys(&self) -> Vec<(&'static str, String)> {
                let $subject = self;
                $keys
            })?

            $(fn sought(&self) -> Vec<crate::Sought<'_>> {
                let $found = self;
                $sought
            })?

            fn from_body(body: &crate::Body) -> Option<&std::sync::Arc<Self>> {
                match body {
                    crate::Body::$kind(object) => Some(object),
                    _ => None,
                }
            }

            fn into_body(self) -> crate::Body {
                self.into()
            }
        }
    };
}
pub(crate) use declare;

kinds! {
    ClusterSettings = "cluster-settings", "cluster-settings", one;
    Node = "node", "nodes", many;
    ServiceActivation = "service-activation", "service-activations", many;
    CallManagerGroup = "call-manager-group", "call-manager-groups", many;
    DateTimeGroup = "date-time-group", "date-time-groups", many;
    DevicePool = "device-pool", "device-pools", many;
    Region = "region", "regions", many;
    Location = "location", "locations", many;
    Partition = "partition", "partitions", many;
    CallingSearchSpace = "calling-search-space", "calling-search-spaces", many;
    RoutePattern = "route-pattern", "route-patterns", many;
    Line = "line", "lines", many;
    PhoneModel = "phone-model", "phone-models", many;
    SecurityProfile = "security-profile", "security-profiles", many;
    SipProfile = "sip-profile", "sip-profiles", many;
    PhoneButtonTemplate = "phone-button-template", "phone-button-templates", many;
    SoftkeyTemplate = "softkey-template", "softkey-templates", many;
    CommonPhoneProfile = "common-phone-profile", "common-phone-profiles", many;
    CommonDeviceConfiguration =
        "common-device-configuration", "common-device-configurations", many;
    PresenceGroup = "presence-group", "presence-groups", many;
    VoicemailProfile = "voicemail-profile", "voicemail-profiles", many;
    PhoneService = "phone-service", "phone-services", many;
    Phone = "phone", "phones", many;
    CtiRoutePoint = "cti-route-point", "cti-route-points", many;
    CtiPort = "cti-port", "cti-ports", many;
    UniversalDeviceTemplate =
        "universal-device-template", "universal-device-templates", many;
    UniversalLineTemplate = "universal-line-template", "universal-line-templates", many;
    UserProfile = "user-profile", "user-profiles", many;
    FeatureGroupTemplate = "feature-group-template", "feature-group-templates", many;
    CredentialPolicy = "credential-policy", "credential-policies", many;
    EndUser = "end-user", "end-users", many;
    ApplicationUser = "application-user", "application-users", many;
    Role = "role", "roles", many;
    UserGroup = "user-group", "user-groups", many;
    AutoRegistration = "auto-registration", "auto-registrations", many;
    SelfProvisioning = "self-provisioning", "self-provisioning", one;
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = Refusal;

    /// Accepts the name and the plural.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == text || kind.plural() == text)
            .ok_or_else(|| {
                let names = Self::ALL.iter().flat_map(|kind| [kind.name(), kind.plural()]);
                let refusal = Refusal::new(Code::UnknownKind).value("kind", text);
                match crate::closest(text, names) {
                    Some(meant) => refusal.value("similar", meant),
                    None => refusal,
                }
            })
    }
}
