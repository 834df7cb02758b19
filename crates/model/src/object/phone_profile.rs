use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{ButtonFeature, List, RelayPoint, Softkey, Text};

/// What of a phone's signalling and media is protected. There is no TLS in this release: what older
/// programs wrote is read, and nothing that needs it is offered.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SecurityMode {
    /// Nothing beyond digest authentication.
    #[default]
    NonSecure,
    /// Signalling over TLS, without encryption.
    #[schemars(skip)]
    Authenticated,
    /// Signalling over TLS and media over SRTP.
    #[schemars(skip)]
    Encrypted,
}

/// How a phone sends SIP.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SignalTransport {
    /// Over TCP.
    #[default]
    Tcp,
    /// Over UDP.
    Udp,
    /// Over TLS, on which nothing listens in this release.
    #[schemars(skip)]
    Tls,
}

/// How a phone's signalling is secured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct SecurityProfile {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// What is protected; TLS is not in this release.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub mode: SecurityMode,
    /// How SIP is sent; TLS is not in this release.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub transport: SignalTransport,
    /// Requests must carry digest credentials.
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub digest: bool,
    /// SHA-256 is offered for the digest besides MD5 (RFC 8760). Many phones know MD5 only and fail
    /// when they are offered anything else.
    #[serde(default)]
    #[garde(skip)]
    pub sha256: bool,
    /// SIP port on the phone.
    #[serde(default = "sip_port")]
    #[garde(range(min = 1024))]
    #[schemars(extend("x-takes" = "restart"))]
    pub phone_port: u16,
}

fn sip_port() -> u16 {
    5060
}

impl SecurityProfile {
    /// Something listens for phones that use it.
    pub fn is_served(&self) -> bool {
        self.mode == SecurityMode::NonSecure && self.transport != SignalTransport::Tls
    }
}

declare!(SecurityProfile, |profile| profile.name.clone());

/// How a phone uses SIP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct SipProfile {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// Seconds for which the phone asks to be registered, 60 to 86400.
    #[serde(default = "hour")]
    #[garde(range(min = 60, max = 86400))]
    #[schemars(extend("x-takes" = "restart"))]
    pub registration_seconds: u32,
    /// Payload type of DTMF events (RFC 4733), 96 to 127.
    #[serde(default = "event_payload_type")]
    #[garde(range(min = 96, max = 127))]
    #[schemars(extend("x-takes" = "restart"))]
    pub dtmf_payload_type: u8,
    /// First UDP port for media.
    #[serde(default = "first_media_port")]
    #[garde(range(min = 1024))]
    #[schemars(extend("x-takes" = "restart"))]
    pub first_media_port: u16,
    /// Last UDP port for media.
    #[serde(default = "last_media_port")]
    #[garde(range(min = 1024))]
    #[schemars(extend("x-takes" = "restart"))]
    pub last_media_port: u16,
    /// SIP T1, in milliseconds, 100 to 10000.
    #[serde(default = "timer_t1")]
    #[garde(range(min = 100, max = 10_000))]
    #[schemars(extend("x-takes" = "restart"))]
    pub timer_t1_ms: u16,
    /// SIP T2, in milliseconds, 1000 to 40000.
    #[serde(default = "timer_t2")]
    #[garde(range(min = 1000, max = 40_000))]
    #[schemars(extend("x-takes" = "restart"))]
    pub timer_t2_ms: u16,
}

fn hour() -> u32 {
    3600
}

fn event_payload_type() -> u8 {
    101
}

fn first_media_port() -> u16 {
    16384
}

fn last_media_port() -> u16 {
    32766
}

fn timer_t1() -> u16 {
    500
}

fn timer_t2() -> u16 {
    4000
}

impl Default for SipProfile {
    fn default() -> Self {
        Self {
            name: "".into(),
            registration_seconds: hour(),
            dtmf_payload_type: event_payload_type(),
            first_media_port: first_media_port(),
            last_media_port: last_media_port(),
            timer_t1_ms: timer_t1(),
            timer_t2_ms: timer_t2(),
        }
    }
}

declare!(SipProfile, |profile| profile.name.clone());

/// One button of a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct PhoneButton {
    /// What it is.
    #[garde(skip)]
    pub feature: ButtonFeature,
    /// Its label where the phone has none of its own, up to 32 characters.
    #[serde(default)]
    #[garde(length(chars, max = 32))]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub label: Text,
}

/// Which button is what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct PhoneButtonTemplate {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// The buttons in order, 1 to 200.
    #[garde(length(min = 1, max = 200), dive)]
    #[schemars(extend("x-takes" = "restart"))]
    pub buttons: List<PhoneButton>,
}

declare!(PhoneButtonTemplate, |template| template.name.clone());

/// Which softkeys an enterprise phone shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct SoftkeyTemplate {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// The softkeys in order, up to 16. Keys without which a call can't be made, answered, taken back
    /// from hold or ended are always there.
    #[serde(default)]
    #[garde(length(max = 16))]
    #[schemars(extend("x-takes" = "restart"))]
    pub softkeys: Box<[Softkey]>,
}

declare!(SoftkeyTemplate, |template| template.name.clone());

/// Settings that many phones share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct CommonPhoneProfile {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// The phone's own web page is on.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub web_access: bool,
    /// The phone's settings menu is open.
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub settings_access: bool,
    /// The phone's PC port is on.
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub pc_port: bool,
}

declare!(CommonPhoneProfile, |profile| profile.name.clone());

/// Settings that many devices of all kinds share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct CommonDeviceConfiguration {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// Language of the phone's texts, as in `en-US` or `ja-JP`.
    #[serde(default = "english")]
    #[garde(length(chars, min = 2, max = 16))]
    #[schemars(extend("x-takes" = "restart"))]
    pub locale: Text,
    /// Whether media goes through a trusted relay point.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub relay_point: RelayPoint,
}

fn english() -> Text {
    "en-US".into()
}

declare!(CommonDeviceConfiguration, |configuration| configuration.name.clone());

/// A group of lines and users in questions of presence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct PresenceGroup {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
}

declare!(PresenceGroup, |group| group.name.clone());

/// A voice mail system as a line sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct VoicemailProfile {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// The number of the voice mail system, up to 32 digits.
    #[serde(default)]
    #[garde(length(chars, max = 32))]
    #[schemars(extend("x-not-yet" = "messages"))]
    pub pilot: Text,
}

declare!(VoicemailProfile, |profile| profile.name.clone());

/// A page that a phone can open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct PhoneService {
    /// Unique name, shown on the phone, 1 to 32 characters.
    #[garde(length(chars, min = 1, max = 32))]
    #[schemars(extend("x-takes" = "restart"))]
    pub name: Text,
    /// Address of the page, up to 512 characters. `{server}` stands for the node's address and
    /// web port, `{device}` for the phone's name, `{lang}` for its language.
    #[garde(length(chars, min = 1, max = 512))]
    #[schemars(extend("x-takes" = "restart"))]
    pub url: Text,
    /// Every phone has it without subscribing.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-takes" = "restart"))]
    pub everywhere: bool,
}

declare!(PhoneService, |service| service.name.clone());
