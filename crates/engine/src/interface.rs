//! What goes into the engine and what comes out of it. The shell feeds inputs and does what the
//! outputs ask; nothing else crosses the border.

use core::time::Duration;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use jackfield_model::{
    Actor, AuthenticationMode, CredentialKind, Directory, Operation, Outcome, SelfProvisioning,
};
use jackfield_sip::Flow;
use jackfield_vocabulary::share::Figures;
use jackfield_vocabulary::{
    CallId, Cause, Command, DeviceName, DeviceRestart, Elsewhere, Event, Mac, MediaCommand,
    MediaEvent, Now, ObjectId, OperationId, Outdated, Refusal, SecretShown, SecretText, SessionId,
    UnixTime, VerifyId,
};
use serde::{Deserialize, Serialize};

/// A registration that an earlier life of the node kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBinding {
    /// The phone.
    pub device: ObjectId,
    /// As the engine gave it out.
    pub binding: Vec<u8>,
    /// It is over, whatever it says itself, as one that was restored from a backup: it only tells
    /// where the phone was.
    pub over: bool,
}

/// What the shell tells the engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// One SIP message, framed: a datagram, or one message of a stream.
    Sip {
        /// How it came.
        flow: Flow,
        /// Its bytes.
        message: Vec<u8>,
    },
    /// A stream is gone.
    FlowClosed {
        /// Which.
        flow: Flow,
    },
    /// More messages wait at the door than can be handled soon (or no longer): while it is so, new
    /// requests outside dialogs are turned away with 503.
    Behind(bool),
    /// The moment of `Engine::next_timeout` has come.
    Timeout,
    /// The configuration changed. Comes before the answer to the operation that changed it.
    Directory {
        /// The new configuration.
        directory: Arc<Directory>,
        /// The objects that changed or went.
        changed: Arc<[ObjectId]>,
    },
    /// A phone's file was fetched with its password in it.
    PasswordGiven {
        /// The phone.
        device: ObjectId,
    },
    /// The answer to [`Output::Elsewhere`], told unasked too when there is news.
    Elsewhere {
        /// The phone.
        device: ObjectId,
        /// What other nodes know of it; `None` when the store can't say.
        known: Option<Elsewhere>,
    },
    /// The answer to [`Output::Beside`].
    Beside {
        /// From where the message came.
        at: SocketAddr,
        /// Where its sender listens.
        ears: SocketAddr,
        /// The phone that it says to be.
        device: Option<ObjectId>,
        /// Another one is there; `None` when the store can't say.
        taken: Option<bool>,
    },
    /// The answer to [`Output::Submit`] or [`Output::Inquire`].
    Decided {
        /// Which operation.
        operation: OperationId,
        /// What became of it.
        decision: Decision,
    },
    /// The answer to [`Output::Verify`].
    Verified {
        /// Which question.
        verify: VerifyId,
        /// The answer.
        verification: Verification,
    },
    /// The media driver tells something.
    Media(MediaEvent),
    /// A service is to start or stop.
    Service(ServiceOrder),
    /// The answer to [`Output::RoutePoint`], told again whenever there is news.
    RoutePoint {
        /// The route point.
        device: ObjectId,
        /// Who owns it.
        ownership: Ownership,
    },
    /// An application signed in, with this account, or its session ended.
    Session {
        /// The session; the highest number belongs to the self-provisioning IVR.
        session: SessionId,
        /// The application user or end user whose rights it has; `None` when it ended.
        account: Option<ObjectId>,
    },
    /// An application's command in its session.
    Application {
        /// The session.
        session: SessionId,
        /// The application's own number for it, echoed in the answer.
        request: u64,
        /// What it wants.
        command: Command,
    },
    /// An administrator or a phone page wants something done now.
    Operator {
        /// The asker's number for it, echoed in the answer.
        request: u64,
        /// What.
        order: OperatorOrder,
    },
}

/// Who owns a route point, of which only one node at a time may take the calls (SP-60).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// This node, until this moment unless it is told so again: by either clock, whichever is
    /// first.
    Own {
        /// From then on another node may own it.
        until: Now,
    },
    /// Another node.
    Other {
        /// Its name.
        node: Box<str>,
    },
    /// Nobody can say now; what was told before stands until it ends.
    Unknown,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Committed.
    Committed(Outcome),
    /// Refused; nothing was changed.
    Refused(Refusal),
    /// The store can't say now; ask again.
    Unknown,
    /// The store never saw it, and never will carry it out: nothing was changed.
    NeverSeen,
}

/// Whether a secret is the right one.
#[derive(Clone, Debug, PartialEq)]
pub enum Verification {
    /// It is.
    Right,
    /// It is not; the failure is counted.
    Wrong,
    /// The account is locked; the secret was not looked at.
    Locked {
        /// Until then; `None` until an administrator unlocks it.
        until: Option<UnixTime>,
    },
    /// There is none to compare with.
    NoCredential,
    /// It can't be checked now.
    Unavailable,
}

/// Orders to services inside the engine. A running service keeps the settings it started with.
#[derive(Clone, Debug)]
pub enum ServiceOrder {
    /// Start the CTI manager.
    StartCtiManager,
    /// Stop it: sessions end.
    StopCtiManager,
    /// Start the self-provisioning IVR.
    StartSelfProvisioning(Arc<SelfProvisioningStart>),
    /// Stop it: its calls drop at once (SP-18).
    StopSelfProvisioning,
}

/// With what the self-provisioning IVR starts.
#[derive(Clone, Debug)]
pub struct SelfProvisioningStart {
    /// The settings, kept until the next start (SP-19).
    pub settings: SelfProvisioning,
    /// Installed language packs among `settings.languages`, in that order.
    pub languages: Vec<Arc<str>>,
    /// G.729 can be coded on this node.
    pub g729: bool,
}

/// What an administrator or a phone page can order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OperatorOrder {
    /// Tell a phone to restart.
    Restart {
        /// The phone.
        device: ObjectId,
        /// How.
        restart: DeviceRestart,
    },
    /// Show a text on a phone.
    ShowText {
        /// The phone.
        device: ObjectId,
        /// Up to 128 characters.
        text: Box<str>,
    },
    /// End a call.
    DropCall {
        /// Which.
        call: CallId,
    },
    /// Tell the state of a device.
    Inspect {
        /// The device.
        device: ObjectId,
    },
    /// Tell which of these devices are registered, and where.
    Whereabouts {
        /// The devices, up to 1,000.
        devices: Box<[ObjectId]>,
    },
    /// Tell why phones were refused that are in no configuration. Answered by
    /// `OperatorReply::Refused`.
    Refused {
        /// The one with this hardware address.
        mac: Option<Mac>,
        /// Those that came from here.
        address: Option<IpAddr>,
    },
    /// Tell what is going on as a whole.
    Overview,
    /// Self-provision a phone from its own screen (SP-06): authenticate and assign in one order.
    /// Answered by `OperatorReply::Provisioned` or a refusal.
    Provision {
        /// The phone.
        device: ObjectId,
        /// User ID or self-service ID.
        identity: Box<str>,
        /// The password; `None` where the mode needs none.
        password: Option<SecretText>,
        /// From where the screen asks.
        address: IpAddr,
    },
}

/// The answer to an [`OperatorOrder`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OperatorReply {
    /// Done, or on its way.
    Accepted,
    /// The state of a device.
    Device(DeviceState),
    /// Those of the devices that are registered.
    Whereabouts(Vec<Whereabouts>),
    /// Why phones were refused, the latest first, ten at the most.
    Refused(Vec<LastRefusal>),
    /// What is going on.
    Overview(Overview),
    /// The phone is the user's now.
    Provisioned {
        /// Its number.
        extension: Arc<str>,
    },
}

/// Where a registered device is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    /// The device.
    pub device: ObjectId,
    /// Its address and transport.
    pub address: Box<str>,
    /// Since when it has been registered.
    pub since: UnixTime,
}

/// What the engine knows of a device at this moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceState {
    /// Its name.
    pub device: Box<str>,
    /// Registered now.
    pub registered: bool,
    /// Calls and orders reach it, as far as is known. Out of reach is who could not be called back after its
    /// connection was gone, or stands behind a NAT then, until it makes another one.
    pub reachable: bool,
    /// Its address and transport, where it is registered, or was before its settings changed.
    pub address: Option<Box<str>>,
    /// Its User-Agent, where it told one.
    pub user_agent: Box<str>,
    /// Why it was refused last, where it is not registered and was, or was refused since.
    pub refused: Option<LastRefusal>,
    /// What it has not heard of since it registered.
    pub outdated: Option<Outdated>,
    /// Its lines by which neither it nor another phone that has them is registered and within reach.
    pub silent_lines: Vec<ObjectId>,
    /// Since when it has been registered.
    pub since: Option<UnixTime>,
    /// When the registration ends unless it is refreshed.
    pub expires: Option<UnixTime>,
    /// Its calls: id and state in words.
    pub calls: Vec<(CallId, Box<str>)>,
}

/// The last refusal of a phone that has not registered since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRefusal {
    /// When.
    pub at: UnixTime,
    /// Where it came from.
    pub address: Box<str>,
    /// The user it wanted to register.
    pub user: Box<str>,
    /// Why.
    pub refusal: Refusal,
    /// Where it was tried from before, too, since the phone registered last; the first few.
    pub others: Vec<IpAddr>,
}

/// Counts of what is going on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// Devices registered.
    pub registered: u64,
    /// Calls that exist.
    pub calls: u64,
    /// Calls answered and not ended.
    pub calls_connected: u64,
    /// CTI sessions.
    pub sessions: u64,
    /// Self-provisioning calls in progress.
    pub ivr_calls: u64,
    /// State of the self-provisioning IVR in words: `stopped`, `waiting`, `in-service`, or why not.
    pub ivr: Box<str>,
    /// The other node for whose route point it stands by (SP-60).
    pub ivr_owner: Option<Box<str>>,
    /// How somebody proves at this moment whose a phone shall be (SP-19).
    pub mode: AuthenticationMode,
    /// When its start delay ends, where it waits for that.
    pub ivr_starts: Option<UnixTime>,
    /// Counters since the start, by name, for the metrics page.
    pub counters: Vec<(Box<str>, u64)>,
    /// What there is at this moment, by name, for the metrics page.
    pub gauges: Vec<(Box<str>, u64)>,
    /// What limits by source have come to.
    pub limits: Vec<Figures>,
}

/// What the engine asks of the shell.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// Where. A stream that is not there is opened when the flow names no connection.
        flow: Flow,
        /// One whole SIP message.
        message: Arc<[u8]>,
    },
    /// A device registered over this stream, or proved its secret over it: the shell does not close
    /// it to make room for strangers.
    KeepStream {
        /// Which.
        flow: Flow,
        /// The device proved its secret.
        proved: bool,
    },
    /// No device is registered over this stream any more: the shell may close it to make room.
    LeaveStream {
        /// Which.
        flow: Flow,
    },
    /// Close a stream.
    Disconnect {
        /// Which.
        flow: Flow,
    },
    /// Submit an operation; answered by [`Input::Decided`].
    Submit {
        /// Its idempotency id.
        operation: OperationId,
        /// In whose name.
        actor: Actor,
        /// What.
        what: Operation,
    },
    /// Submit the deletion of a phone that never came back, unless it registered at another node
    /// since; not answered.
    Expire {
        /// The phone.
        device: ObjectId,
        /// Its idempotency id.
        operation: OperationId,
        /// In whose name.
        actor: Actor,
        /// What.
        what: Operation,
    },
    /// Ask what became of an operation submitted before; answered by [`Input::Decided`].
    Inquire {
        /// Which.
        operation: OperationId,
    },
    /// Check a secret and count failures; answered by [`Input::Verified`].
    Verify {
        /// The question.
        verify: VerifyId,
        /// Whose; `None` when there is no such account, so that the answer takes as long.
        account: Option<ObjectId>,
        /// The name that was given: failures are counted for it when it is nobody's.
        name: Box<str>,
        /// Which credential.
        kind: CredentialKind,
        /// What was presented.
        secret: SecretText,
    },
    /// Take back one failure that [`Output::Verify`] counted: what was presented was meant for
    /// something else, and right.
    Forgive {
        /// Whose.
        account: ObjectId,
        /// Which credential.
        kind: CredentialKind,
    },
    /// Tell the media driver.
    Media(MediaCommand),
    /// Try to own a route point and go on owning it, or give it up at once; answered by
    /// [`Input::RoutePoint`]. Asked again while it is wanted, it is tried again at once.
    RoutePoint {
        /// The route point.
        device: ObjectId,
        /// Try, or give up.
        wanted: bool,
    },
    /// Keep or forget a registration across restarts (written behind).
    Binding(BindingChange),
    /// Ask the store what other nodes know of a phone; answered by [`Input::Elsewhere`].
    Elsewhere {
        /// The phone.
        device: ObjectId,
    },
    /// Ask the store whether another phone than this one is registered at another node, and sends from
    /// or listens at one of these addresses, which are of one host; answered by [`Input::Beside`].
    Beside {
        /// From where a message came.
        at: SocketAddr,
        /// Where its sender listens.
        ears: SocketAddr,
        /// The phone that it says to be, if it is one of ours.
        device: Option<ObjectId>,
    },
    /// Tell the other nodes that a new phone, which is not registered here, has its secret.
    SecretGiven {
        /// The phone.
        device: ObjectId,
    },
    /// A finished call.
    Record(CallRecord),
    /// Who may fetch a device's file with secrets in it.
    Access(Access),
    /// The answer to an application's command.
    Answer {
        /// The session.
        session: SessionId,
        /// The application's number.
        request: u64,
        /// Accepted, or why not.
        result: Result<(), Refusal>,
    },
    /// Something happened that a session sees.
    Event {
        /// The session.
        session: SessionId,
        /// What.
        event: Event,
    },
    /// The answer to an operator's order.
    Reply {
        /// The asker's number.
        request: u64,
        /// The answer.
        result: Result<OperatorReply, Refusal>,
    },
    /// Write into the audit that a phone was not made somebody's. (What the store refuses it writes
    /// down itself.)
    Refused(RefusedAssignment),
    /// Something an administrator should look at.
    Alarm(Alarm),
    /// Something for the log.
    Note(Note),
}

/// A registration to keep or forget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingChange {
    /// The device.
    pub device: ObjectId,
    /// Its registration in the engine's own serialised form; `None` when it ended and nothing of it
    /// is to be kept.
    pub binding: Option<Vec<u8>>,
    /// When it ends by itself; 0 says that it ended. What is left of one is kept for a year.
    pub expires: UnixTime,
    /// From where it is registered, or was.
    pub host: IpAddr,
    /// The ports there from which it sends and at which it listens.
    pub ports: Vec<u16>,
    /// It has its secret: it showed it, or the file with it was fetched.
    pub has_secret: bool,
    /// From where it showed its secret, if it did: from there it may fetch its file, at whatever node.
    pub shown: Option<SecretShown>,
}

/// Self-provisioning that ended before an assignment was submitted (SP-34, SP-56).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedAssignment {
    /// Who asked.
    pub actor: Actor,
    /// The phone.
    pub device: ObjectId,
    /// For whom, where the entry named a user.
    pub user: Option<ObjectId>,
    /// Why not.
    pub refusal: Refusal,
}

/// Who may fetch a device's file (architecture, section 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The device registered from this address with its own secret.
    Registered {
        /// The device.
        device: ObjectId,
        /// From where.
        address: IpAddr,
        /// The generation of the secret that it showed.
        generation: u32,
    },
    /// The device is registered from this address, and has shown no secret.
    Seen {
        /// The device.
        device: ObjectId,
        /// From where.
        address: IpAddr,
    },
    /// The device may fetch, for so long.
    Window {
        /// The device.
        device: ObjectId,
        /// From here only; `None` means from where it was last.
        address: Option<IpAddr>,
        /// The generation of its secret at this moment.
        generation: u32,
        /// For so long.
        length: Duration,
    },
}

/// A finished call, for the call records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The call.
    pub call: CallId,
    /// The calling device, when it is one of ours.
    pub calling_device: Option<DeviceName>,
    /// The calling number.
    pub calling: Box<str>,
    /// The number dialled.
    pub dialled: Box<str>,
    /// The number reached after forwards.
    pub reached: Box<str>,
    /// The device that answered.
    pub answering_device: Option<DeviceName>,
    /// When it began.
    pub began: UnixTime,
    /// When it was answered.
    pub answered: Option<UnixTime>,
    /// When it ended.
    pub ended: UnixTime,
    /// Why.
    pub cause: Cause,
}

/// Something an administrator should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// A constant name, as in `auto-registration-range-exhausted`.
    pub name: &'static str,
    /// Values, by name.
    pub values: Vec<(&'static str, String)>,
}

/// Something for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How much it matters.
    pub level: Level,
    /// A constant sentence.
    pub text: &'static str,
    /// Fields with dotted constant names; never a secret.
    pub fields: Vec<(&'static str, String)>,
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// What happens in the ordinary course.
    Info,
    /// What should not happen, and does no harm yet.
    Warn,
    /// What needs somebody.
    Error,
}
