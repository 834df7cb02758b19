//! The words of Jackfield.
//!
//! Whoever wants something done sends a [`Command`]; what happens is an [`Event`]; what is
//! refused is a [`Refusal`]. Their serde forms are the messages of the CTI wire, so REST, CLI,
//! IVR, phone pages and other nodes only translate to and from these. Nothing here acts.

mod call;
mod command;
mod elsewhere;
mod event;
mod id;
mod media;
pub mod pairs;
mod refusal;
pub mod share;
mod shown;
mod time;

pub use call::{
    CallId, CallerIdentity, Cause, ConnectionState, Digits, Direction, ForwardReason, LegId,
    ParseDigitsError, TerminalConnectionId,
};
pub use command::{
    Command, Credential, DeviceRestart, MediaTermination, Outdated, PromptItem,
    ProvisioningCommand, SecretText,
};
pub use elsewhere::Elsewhere;
pub use event::{CallInfo, CloseReason, CollectEnd, Event, ProvisioningOutcome, ServiceState};
pub use id::{DeviceName, Mac, NodeId, ObjectId, OperationId, ParseMacError, SessionId, VerifyId};
pub use media::{
    Codec, Digit, DigitSource, MediaCommand, MediaEvent, MediaFailure, MediaId, MediaStatistics,
    MediaTarget, PlayEnd, PlayId, PlayItem, RecordEnd, Tone,
};
pub use refusal::{Code, Refusal};
pub use shown::SecretShown;
pub use time::{Now, UnixTime};
