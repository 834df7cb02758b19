//! What the doors ask of the running node. The node implements [`Operator`] with its engine,
//! services and language packs; the doors know none of these.

use core::future::Future;
use core::net::IpAddr;
use core::pin::Pin;

use jackfield_model::setup::Place;
use jackfield_model::{AuthenticationMode, Service};
use jackfield_vocabulary::share::Figures;
use jackfield_vocabulary::{DeviceRestart, Mac, ObjectId, Outdated, Refusal, SecretText, UnixTime};
use serde::{Deserialize, Serialize};

/// The running node, as the doors see it.
pub trait Operator: Send + Sync + 'static {
    /// Carries out an order; must end by itself in bounded time.
    fn operate(&self, order: Order) -> Operated<'_>;
}

/// The answer to come.
pub type Operated<'a> = Pin<Box<dyn Future<Output = Result<Reply, Refusal>> + Send + 'a>>;

/// What the doors can order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Order {
    /// Tell a phone to restart. Answered by [`Reply::Accepted`].
    Restart {
        /// The phone.
        device: ObjectId,
        /// How.
        restart: DeviceRestart,
    },
    /// Show a text on a phone. Answered by [`Reply::Accepted`].
    ShowText {
        /// The phone.
        device: ObjectId,
        /// Up to 128 characters.
        text: Box<str>,
    },
    /// Tell the state of a device. Answered by [`Reply::Device`].
    Inspect {
        /// The device.
        device: ObjectId,
    },
    /// Tell which of these devices are registered, and where. Answered by [`Reply::Whereabouts`].
    Whereabouts {
        /// The devices, up to 1,000.
        devices: Box<[ObjectId]>,
    },
    /// Tell why phones were refused that are in no configuration. Answered by [`Reply::Refused`].
    Refused {
        /// The one with this hardware address.
        mac: Option<Mac>,
        /// Those that came from here.
        address: Option<IpAddr>,
    },
    /// Tell what is going on. Answered by [`Reply::Overview`].
    Overview,
    /// Tell which alarms were raised. Answered by [`Reply::Alarms`].
    Alarms,
    /// Tell where the node is, which may take a moment. Answered by [`Reply::Place`].
    Place,
    /// Self-provision a phone from its own screen (SP-06). Answered by [`Reply::Provisioned`].
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
    /// Tell the state of every service of this node. Answered by [`Reply::Services`].
    Services,
    /// Tell which services run on the other nodes of the cluster. Answered by
    /// [`Reply::RunningElsewhere`].
    ServicesElsewhere,
    /// Start, stop or restart a service of this node. Answered by [`Reply::Accepted`] when done.
    Service {
        /// Which.
        service: Service,
        /// What.
        action: ServiceAction,
    },
    /// Start, stop or restart a service of another node. Answered by [`Reply::Accepted`] when that
    /// node did; refused when it does not answer.
    ServiceElsewhere {
        /// The other node.
        node: Box<str>,
        /// Which.
        service: Service,
        /// What.
        action: ServiceAction,
    },
    /// Tell the installed language packs. Answered by [`Reply::Languages`].
    Languages,
    /// Look for language packs again (SP-14). Answered by [`Reply::Rescanned`].
    RescanLanguages,
}

/// What can be done with a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceAction {
    /// Start it with the settings that are stored.
    Start,
    /// Stop it: what it does ends at once.
    Stop,
    /// Stop it and start it with the settings that are stored.
    Restart,
}

/// The answer to an [`Order`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// Done, or on its way.
    Accepted,
    /// The state of a device.
    Device(DeviceState),
    /// Those of the devices that are registered at this node.
    Whereabouts(Vec<Whereabouts>),
    /// Why phones were refused, the latest first.
    Refused(Vec<LastRefusal>),
    /// What is going on.
    Overview(Overview),
    /// Where the node is.
    Place(Place),
    /// The alarms that were raised last, newest first.
    Alarms(Vec<RaisedAlarm>),
    /// The language packs that are installed now, and what is wrong with those that are not.
    Rescanned {
        /// Those that are whole.
        languages: Vec<Language>,
        /// A sentence each.
        problems: Vec<Box<str>>,
    },
    /// The phone is the user's now.
    Provisioned {
        /// Its number.
        extension: Box<str>,
    },
    /// The services of this node.
    Services(Vec<ServiceStatus>),
    /// Services that run on other nodes, each with its node.
    RunningElsewhere(Vec<(Box<str>, Service)>),
    /// The installed language packs.
    Languages(Vec<Language>),
}

/// What is known of a device at this moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceState {
    /// Its name.
    pub device: Box<str>,
    /// Registered now.
    pub registered: bool,
    /// Calls and orders reach it; not behind a NAT once its connection is gone.
    pub reachable: bool,
    /// Its address and transport, where it is registered, or was before its settings changed.
    pub address: Option<Box<str>>,
    /// Its User-Agent, where it told one.
    pub user_agent: Box<str>,
    /// Why it was refused last, where it is not registered and was, or was refused since.
    pub refused: Option<LastRefusal>,
    /// What it has not heard of since it registered: it has to restart.
    pub outdated: Option<Outdated>,
    /// Its lines by which neither it nor another phone that has them is registered.
    pub silent_lines: Vec<ObjectId>,
    /// Since when it has been registered.
    pub since: Option<UnixTime>,
    /// When the registration ends unless it is refreshed.
    pub expires: Option<UnixTime>,
    /// Its calls.
    pub calls: serde_json::Value,
}

/// Where a registered device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The device.
    pub device: ObjectId,
    /// Its address and transport.
    pub address: Box<str>,
    /// Since when it has been registered.
    pub since: UnixTime,
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

/// Something that an administrator should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisedAlarm {
    /// When.
    pub at: UnixTime,
    /// A constant name, as in `auto-registration-range-exhausted`.
    pub name: &'static str,
    /// Values, by name.
    pub values: Vec<(&'static str, String)>,
}

/// Counts of what is going on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// State of the self-provisioning IVR in words.
    pub ivr: Box<str>,
    /// The other node for whose route point it stands by.
    pub ivr_owner: Option<Box<str>>,
    /// How somebody proves at this moment whose a phone shall be (SP-19).
    pub mode: AuthenticationMode,
    /// When its start delay ends, where it waits for that.
    pub ivr_starts: Option<UnixTime>,
    /// Counters since the start, by name.
    pub counters: Vec<(Box<str>, u64)>,
    /// What there is at this moment, by name.
    pub gauges: Vec<(Box<str>, u64)>,
    /// What limits by source have come to.
    pub limits: Vec<Figures>,
}

/// The state of a service: configured, running and in service are three things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Which.
    pub service: Service,
    /// It was started and did not stop.
    pub running: bool,
    /// In words: `stopped`, `waiting`, `in-service`, or why not.
    pub state: Box<str>,
    /// It runs with settings older than the stored ones (SP-19).
    pub restart_needed: bool,
    /// The other node for which it stands by (SP-60).
    pub owner: Option<Box<str>>,
    /// When its number answers, where it waits and that is known.
    pub in_service_at: Option<UnixTime>,
}

/// An installed language pack (SP-14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// Its tag, as in `ja-JP`.
    pub locale: Box<str>,
    /// Its own name, as in `日本語`.
    pub name: Box<str>,
}

/// A reply that is not the one to the order: a fault of the node.
pub(crate) fn mismatch(reply: &Reply) -> Refusal {
    tracing::error!(?reply, "the node gave an answer to something else");
    Refusal::new(jackfield_vocabulary::Code::Internal)
}
