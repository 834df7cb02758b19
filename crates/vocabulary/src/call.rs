use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{DeviceName, NodeId};

/// A call in the whole cluster and for all time: its owner, that owner's life, and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId {
    /// The node that owns the call.
    pub node: NodeId,
    /// Counts the starts of that node.
    pub epoch: u32,
    /// Counts the calls of that epoch.
    pub number: u64,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.node, self.epoch, self.number)
    }
}

/// What the device layer holds of one device in one call: a SIP dialog, or a CTI device's end.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LegId(pub u64);

/// A device's part in a call, as applications name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TerminalConnectionId {
    /// The call.
    pub call: CallId,
    /// The device in it.
    pub device: DeviceName,
}

/// What was dialled or is dialled: 1 to 32 of `0-9 A-D * # +`, or a user part of letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Box<str>", into = "Box<str>")]
pub struct Digits(Box<str>);

/// The text can't be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a dialled number is 1 to 32 characters of 0-9, A-D, '*', '#' and a leading '+'")]
pub struct ParseDigitsError;

impl Digits {
    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digits {
    type Err = ParseDigitsError;

    fn from_str(text: &str) -> Result<Self, ParseDigitsError> {
        let body = text.strip_prefix('+').unwrap_or(text);
        let fits = !body.is_empty()
            && text.len() <= 32
            && body.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'D' | b'*' | b'#'));
        if fits { Ok(Self(text.into())) } else { Err(ParseDigitsError) }
    }
}

impl TryFrom<Box<str>> for Digits {
    type Error = ParseDigitsError;

    fn try_from(text: Box<str>) -> Result<Self, ParseDigitsError> {
        text.parse()
    }
}

impl From<Digits> for Box<str> {
    fn from(digits: Digits) -> Self {
        digits.0
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who calls, as the called side may see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdentity {
    /// The number shown.
    pub number: Box<str>,
    /// The name shown; empty when there is none.
    pub name: Box<str>,
}

/// Which way a call goes, seen from a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The device placed it.
    Outgoing,
    /// It came to the device.
    Incoming,
}

/// The state of a connection (line × call), in the words of CSTA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionState {
    /// A number is being dialled, or routed.
    Initiated,
    /// Offered to an application that has not accepted it yet.
    Offered,
    /// Ringing.
    Alerting,
    /// Answered.
    Connected,
    /// Put on hold by this side.
    Held,
    /// The call could not go on; the caller hears a tone.
    Failed,
    /// Ended.
    Disconnected,
}

/// Why a call went on from the number it first reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardReason {
    /// Call forward all.
    All,
    /// Call forward busy.
    Busy,
    /// Call forward no answer.
    NoAnswer,
    /// Call forward unregistered.
    Unregistered,
    /// Call forward on failure, of a CTI device (CTI-54).
    Failure,
    /// An application redirected it.
    Redirect,
}

/// Why a call or a leg ended, or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// One side hung up.
    Normal,
    /// The caller gave up before an answer.
    Cancelled,
    /// Answered by another device of the line.
    AnsweredElsewhere,
    /// The line has no room for another call.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The called side refused.
    Rejected,
    /// No route to the number from this caller's calling search space.
    NoRoute,
    /// The number exists but no device of it is registered.
    Unregistered,
    /// The number is not complete or can't be read.
    InvalidNumber,
    /// The call went in a circle.
    Loop,
    /// The caller may not place this call.
    Forbidden,
    /// No common codec, or the media could not be made.
    MediaUnavailable,
    /// Too many calls, or a service that is not ready.
    Congestion,
    /// The far device did not answer on the network.
    DeviceUnreachable,
    /// The application or service that held the call went away.
    ApplicationFailure,
    /// The caller pressed a call key that the service does not allow (SP-17).
    FeatureNotAllowed,
    /// An administrator or an application ended it.
    Dropped,
    /// A fault of ours.
    ServerError,
}
