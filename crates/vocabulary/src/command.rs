use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Codec, DeviceName, Digits, ObjectId, PlayItem, TerminalConnectionId};

/// What an application asks for in its session.
///
/// Every command is answered once: accepted, or refused with a [`crate::Refusal`]. What follows
/// from an accepted one arrives as events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Command {
    /// Open a device: see its calls and, where permitted, control them.
    OpenDevice {
        /// The phone, CTI port or CTI route point.
        device: DeviceName,
        /// Who terminates its media.
        media: MediaTermination,
    },
    /// Take no new calls of a device that the session has open; those it has go on. Opening it
    /// again ends that.
    PauseDevice {
        /// The route point or port.
        device: DeviceName,
    },
    /// Close a device; its calls go to the forward-on-failure destination.
    CloseDevice {
        /// The device.
        device: DeviceName,
    },
    /// Take a new call of a route point or port without answering it yet (CTI-36).
    Accept {
        /// The offered call at the device.
        call: TerminalConnectionId,
    },
    /// Answer.
    Answer {
        /// The offered or ringing call at the device.
        call: TerminalConnectionId,
    },
    /// Send an unanswered or answered call elsewhere.
    Redirect {
        /// The call at the device.
        call: TerminalConnectionId,
        /// Where to.
        to: Digits,
    },
    /// Leave a call, or refuse it.
    Drop {
        /// The call at the device.
        call: TerminalConnectionId,
    },
    /// Play on an answered call whose media the node terminates.
    Play {
        /// The call at the device.
        call: TerminalConnectionId,
        /// What, in order.
        items: Vec<PromptItem>,
        /// A key stops it.
        barge_in: bool,
    },
    /// Stop what plays.
    StopPlay {
        /// The call at the device.
        call: TerminalConnectionId,
    },
    /// Collect keys; ends with [`crate::Event::Collected`].
    Collect {
        /// The call at the device.
        call: TerminalConnectionId,
        /// At most so many keys, 1 to 64.
        maximum: u8,
        /// These end the entry; the terminator is told apart from the digits.
        terminators: Box<str>,
        /// Wait so long for the first key, counted from the end of what plays.
        first: Duration,
        /// Wait so long between keys.
        between: Duration,
    },
    /// Send DTMF to the far side of an answered call.
    SendDigits {
        /// The call at the device.
        call: TerminalConnectionId,
        /// 1 to 32 keys.
        digits: Digits,
    },
    /// Show a line of text on a phone's display.
    ShowText {
        /// The phone.
        device: DeviceName,
        /// Up to 128 characters.
        text: Box<str>,
        /// After so long, from now.
        after: Duration,
    },
    /// Tell a phone to restart or to read its configuration again.
    RestartDevice {
        /// The phone.
        device: DeviceName,
        /// How.
        restart: DeviceRestart,
    },
    /// Self-provisioning, for applications that are permitted to.
    Provision(ProvisioningCommand),
}

/// Who terminates the media of an opened device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "media", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MediaTermination {
    /// Nobody: the device does, or the calls are only redirected.
    None,
    /// The node, with a media resource for each answered call.
    Node {
        /// Codecs in order of preference.
        codecs: Vec<Codec>,
    },
}

/// One thing to play on a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptItem {
    /// A prompt of an installed pack.
    Prompt {
        /// The pack.
        locale: Arc<str>,
        /// The prompt's id.
        prompt: Arc<str>,
    },
    /// A number spoken digit by digit.
    Spell {
        /// The pack.
        locale: Arc<str>,
        /// The number.
        digits: Box<str>,
    },
    /// Anything the media driver plays.
    Item(PlayItem),
}

/// How a phone is told to take new settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceRestart {
    /// Re-read the files and register again, without a reboot where the phone can.
    Restart,
    /// Reboot.
    Reset,
    /// Re-read the files and take what changed.
    Resync,
}

/// What a phone has not heard of since it registered: it has to restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outdated {
    /// Numbers that it registered are no longer its own.
    Lines,
    /// Its secret was replaced.
    Secret,
}

/// The part of an application that provisions phones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "provision", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProvisioningCommand {
    /// Is this phone open for self-provisioning? Answered by `Event::Provisioning`.
    Inspect {
        /// The phone.
        device: DeviceName,
    },
    /// Who is this, and may they? Answered by `Event::Provisioning`.
    Authenticate {
        /// The phone.
        device: DeviceName,
        /// Self-service ID, or user ID where `credential` comes from a screen.
        identity: Box<str>,
        /// PIN, password or authentication code; `None` where the mode needs none.
        credential: Option<Credential>,
    },
    /// Make the phone this user's. Answered by `Event::Provisioning`.
    Assign {
        /// The phone.
        device: DeviceName,
        /// The user whom `Authenticate` returned.
        user: ObjectId,
    },
}

/// What proves who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// Keyed in: the user's PIN, or the administrators' authentication code where the mode
    /// accepts one (SP-03).
    Keypad(SecretText),
    /// Typed on a screen: the user's password (SP-06).
    Password(SecretText),
}

/// A text that never appears in a log, an error or a `Debug` form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(Box<str>);

impl SecretText {
    /// Wraps a secret.
    pub fn new(secret: impl Into<Box<str>>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for whoever checks it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_in_debug() {
        let shown = format!("{:?}", Credential::Keypad(SecretText::new("12345")));
        assert!(!shown.contains("12345"), "{shown}");
    }
}
