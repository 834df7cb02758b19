use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    CallerIdentity, Cause, ConnectionState, DeviceName, Digit, DigitSource, Direction,
    ForwardReason, ObjectId, PlayEnd, Refusal, TerminalConnectionId,
};

/// What a session is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The state of an opened device.
    Service {
        /// The device.
        device: DeviceName,
        /// Its state.
        state: ServiceState,
    },
    /// The session no longer has the device.
    Closed {
        /// The device.
        device: DeviceName,
        /// Why.
        reason: CloseReason,
    },
    /// A call came to, or was placed at, an opened device.
    Call(CallInfo),
    /// The connection of an opened device changed its state.
    State {
        /// The call at the device.
        call: TerminalConnectionId,
        /// The new state.
        state: ConnectionState,
        /// Why, where it ended or failed.
        cause: Option<Cause>,
    },
    /// The media of an answered call is up: playing and collecting can begin.
    MediaReady {
        /// The call at the device.
        call: TerminalConnectionId,
    },
    /// A key, on a call whose media the node terminates.
    Digit {
        /// The call at the device.
        call: TerminalConnectionId,
        /// The key.
        digit: Digit,
        /// How it came.
        source: DigitSource,
    },
    /// Playing ended.
    Played {
        /// The call at the device.
        call: TerminalConnectionId,
        /// How.
        end: PlayEnd,
    },
    /// Collecting ended.
    Collected {
        /// The call at the device.
        call: TerminalConnectionId,
        /// The keys, without the terminator.
        digits: Box<str>,
        /// How.
        end: CollectEnd,
    },
    /// The far side pressed a call key: hold, transfer or conference (SP-17).
    FeaturePressed {
        /// The call at the device.
        call: TerminalConnectionId,
    },
    /// The answer to a [`crate::ProvisioningCommand`].
    Provisioning {
        /// The phone.
        device: DeviceName,
        /// What came of it.
        outcome: ProvisioningOutcome,
    },
}

/// A call as it is first told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallInfo {
    /// The call at the device.
    pub call: TerminalConnectionId,
    /// Which way.
    pub direction: Direction,
    /// The state at this moment.
    pub state: ConnectionState,
    /// The line of the opened device that has the call.
    pub line: ObjectId,
    /// Who calls.
    pub caller: CallerIdentity,
    /// The calling device, when it is one of ours.
    pub calling_device: Option<DeviceName>,
    /// Where it calls from, when it is one of ours.
    pub calling_address: Option<IpAddr>,
    /// It has shown its secret.
    pub calling_proved: bool,
    /// The number called now.
    pub called: Box<str>,
    /// The number called first, before forwards.
    pub original_called: Box<str>,
    /// Why it came here from there.
    pub forwarded: Option<ForwardReason>,
}

/// Whether calls can reach an opened device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// Open and registered.
    InService,
    /// Open, and waiting for the device or its node.
    OutOfService,
}

/// Why a session lost a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloseReason {
    /// The session asked.
    Requested,
    /// The device was deleted.
    Deleted,
    /// The permission to control it was taken away.
    Permission,
    /// The session ended.
    SessionEnded,
}

/// Why collecting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "end", content = "key")]
pub enum CollectEnd {
    /// A terminator was pressed.
    Terminator(Digit),
    /// The maximum was reached.
    Maximum,
    /// No key, or no further key, in time.
    Timeout,
    /// Another collection took its place.
    Replaced,
}

/// What came of a provisioning command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProvisioningOutcome {
    /// The phone is open for self-provisioning.
    Open,
    /// The identity is proved, and every condition of SP-34 holds.
    Authenticated {
        /// The user.
        user: ObjectId,
        /// Their primary extension, which the phone would get.
        extension: Arc<str>,
        /// An administrator's code was accepted on the user's behalf (SP-03).
        by_code: bool,
    },
    /// The assignment is committed.
    Assigned {
        /// The user.
        user: ObjectId,
        /// The extension that the phone has now.
        extension: Arc<str>,
        /// The phone is told to restart after so long.
        restart_in: Duration,
    },
    /// Refused, and nothing changed.
    Refused(Refusal),
    /// Nobody knows yet whether it was done; it is being asked for again.
    Unknown,
}
