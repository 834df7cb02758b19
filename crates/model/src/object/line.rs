use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{CallingSearchSpace, Partition, Pattern, PresenceGroup, Ref, Text, VoicemailProfile};

/// Where calls go on to, and with whose reach.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default)]
pub struct Forward {
    /// The number, up to 32 digits; empty means that this forward is off.
    #[garde(length(chars, max = 32))]
    pub destination: Text,
    /// The calling search space in which it is looked up; none uses the line's own.
    #[garde(skip)]
    pub css: Option<Ref<CallingSearchSpace>>,
}

/// The forwards of a line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default)]
pub struct Forwards {
    /// All calls, at once.
    #[garde(dive)]
    pub all: Forward,
    /// When the busy trigger is reached.
    #[garde(dive)]
    pub busy: Forward,
    /// When nobody answers in time; and for a CTI device that no application has open (CTI-54).
    #[garde(dive)]
    pub no_answer: Forward,
    /// When no device of the line is registered.
    #[garde(dive)]
    pub unregistered: Forward,
    /// When the application of a CTI device fails (CTI-36, CTI-54).
    #[garde(dive)]
    pub failure: Forward,
    /// Seconds of ringing before `no_answer`, 1 to 300; none uses the cluster's.
    #[garde(range(min = 1, max = 300))]
    pub no_answer_seconds: Option<u16>,
}

/// A directory number in a partition; it may appear on several devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Line {
    /// The directory number: 1 to 24 digits, `*`, `#` or a leading `+`.
    #[garde(skip)]
    pub number: Pattern,
    /// Its partition; none means that every calling search space reaches it.
    #[serde(default)]
    #[garde(skip)]
    pub partition: Option<Ref<Partition>>,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// Name shown to those whom the line calls, and to those who call it; up to 64 characters. Without one
    /// each appearance shows its own.
    #[serde(default)]
    #[garde(length(chars, max = 64))]
    pub alerting_name: Text,
    /// What the line itself may call, together with its device's calling search space.
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
    /// Made by auto-registration, and free again when the phone is assigned (SP-44).
    #[serde(default)]
    #[garde(skip)]
    pub auto_registered: bool,
}

declare!(
    Line,
    |line| crate::pattern_name(line.number.as_str(), line.partition.map(Ref::id)),
    unique | line | vec![crate::number_key(line.number.as_str(), line.partition.map(Ref::id))],
    sought | line | vec![(&line.description).into(), (&line.alerting_name).into()]
);
