//! What passes between calls and devices. Messages only, because a leg may be on another node.

use std::net::IpAddr;
use std::sync::Arc;

use jackfield_sip::{ServerKey, Status};
use jackfield_vocabulary::{
    CallId, CallerIdentity, Cause, DeviceName, Digit, DigitSource, Event, ForwardReason, LegId,
    ObjectId, Refusal,
};
use serde::{Deserialize, Serialize};

/// A session description as it travels: its bytes, forwarded so that media goes directly between the
/// devices, and unchanged but for what would name somebody who is not to be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description(pub(crate) Arc<[u8]>);

/// What calls tell the device layer to do with a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LegCommand {
    /// Offer the call to a device: a new leg, numbered by the call.
    Offer(Box<Offer>),
    /// Answer a new leg of the caller: it rings at the far side, or comes on in another way that the
    /// status tells; with early media where there is a description.
    Ring { leg: LegId, status: Status, early: Option<Description>, connected: CallerIdentity },
    /// The far side answered; or this device's own call is answered by it.
    Answer { leg: LegId, answer: Description, connected: CallerIdentity },
    /// Offer new media in an established leg (re-INVITE); answered by `ReAnswered` or `ReRefused`.
    ReOffer { leg: LegId, offer: Option<Description> },
    /// Answer the leg's `ReOffered`; or, where the leg's own answer was an offer (delayed offer),
    /// the answer that goes into its ACK.
    ReAnswer { leg: LegId, answer: Description },
    /// Refuse the leg's `ReOffered`; the session goes on as it was.
    ReRefuse { leg: LegId, cause: Cause },
    /// Give up the `ReOffer` that has no answer: nobody waits for it any more.
    Withdraw { leg: LegId },
    /// End the leg in whatever state it is: reject, cancel or BYE.
    End { leg: LegId, cause: Cause },
    /// End the leg of a caller with the status by which the called device refused.
    Decline { leg: LegId, cause: Cause, status: Status },
    /// Send what the other side said in INFO; answered by `InfoAnswered`.
    Info { leg: LegId, info: Box<Info> },
    /// Answer the leg's `Info`.
    AnswerInfo { leg: LegId, asked: ServerKey, status: Status },
    /// Should the leg's call be refused: more about why, in words for whoever looks for a fault.
    Explain { leg: LegId, why: Box<str> },
    /// Who the far side is has changed (redirect, forward): shown where the phone can.
    Identify { leg: LegId, connected: CallerIdentity },
}

/// A call offered to a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    /// The new leg.
    pub(crate) leg: LegId,
    /// Its call.
    pub(crate) call: CallId,
    /// The device.
    pub(crate) device: ObjectId,
    /// The line of the device that rings.
    pub(crate) line: ObjectId,
    /// The number that was called on this line.
    pub(crate) called: Box<str>,
    /// Who calls, as far as it may be shown.
    pub(crate) caller: CallerIdentity,
    /// The first number called and why the call came from there, when it was forwarded.
    pub(crate) diverted: Option<(Box<str>, ForwardReason)>,
    /// The caller's media; `None` asks the device to offer (delayed offer).
    pub(crate) offer: Option<Description>,
    /// How many hops the request may take behind the device.
    pub(crate) max_forwards: u8,
}

/// What the device layer tells calls of a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LegEvent {
    /// A device calls: a new leg, numbered by the device layer.
    Called(Box<Called>),
    /// The offered device rings, or says by another status how far it is; with early media where there
    /// is a description.
    Ringing { leg: LegId, status: Status, early: Option<Description>, withheld: Withheld },
    /// The offered device answered.
    Answered { leg: LegId, answer: Description, withheld: Withheld },
    /// The offered device was not reached, or may have no further call; the leg is over.
    Refused { leg: LegId, cause: Cause },
    /// The offered device refused; the caller is answered with this status. The leg is over.
    Declined { leg: LegId, cause: Cause, status: Status },
    /// The offered device sends the call to other numbers, the preferred one first. The leg is over.
    Deflected { leg: LegId, to: Vec<Box<str>> },
    /// The device changes its media (hold, resume, another codec); calls answer.
    ReOffered { leg: LegId, offer: Option<Description>, hold: Option<bool> },
    /// The device gave up the `ReOffered` that it had no answer to, and is answered.
    ReWithdrawn { leg: LegId },
    /// The answer to `ReOffer`, or an offer where `ReOffer` had none; or, where the leg was answered
    /// by an offer (delayed offer), the answer from its ACK.
    ReAnswered { leg: LegId, answer: Description },
    /// `ReOffer` was refused; the session goes on as it was.
    ReRefused { leg: LegId, cause: Cause },
    /// The device has acknowledged the answer to its call, or to its new media.
    Acknowledged { leg: LegId },
    /// A key in signalling.
    Digit { leg: LegId, digit: Digit, source: DigitSource },
    /// The device says something in INFO; answered by `AnswerInfo`.
    Info { leg: LegId, info: Box<Info> },
    /// The device has answered `LegCommand::Info`.
    InfoAnswered { leg: LegId, asked: ServerKey, status: Status },
    /// The user pressed a call key that signalling shows: hold, transfer (REFER) or conference.
    FeaturePressed { leg: LegId },
    /// The leg is over.
    Ended { leg: LegId, cause: Cause },
}

impl LegEvent {
    /// The device rings, and has nothing to hide.
    pub(crate) fn rings(leg: LegId) -> Self {
        let (status, withheld) = (Status::RINGING, Withheld::NOTHING);
        Self::Ringing { leg, status, early: None, withheld }
    }

    /// The device answers, and has nothing to hide.
    pub(crate) fn answers(leg: LegId, answer: Description) -> Self {
        Self::Answered { leg, answer, withheld: Withheld::NOTHING }
    }
}

/// What one side of a call says in INFO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Info {
    /// The request that wants the answer.
    pub(crate) asked: ServerKey,
    /// The key in it.
    pub(crate) digit: Option<Digit>,
    /// Is it of a type that tells keys? A hook flash is one that is no digit.
    pub(crate) is_key: bool,
    /// The header lines of its body.
    pub(crate) lines: Vec<(Box<str>, Box<str>)>,
    /// Its body.
    pub(crate) body: Arc<[u8]>,
}

/// What a party wants withheld of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Withheld {
    pub(crate) number: bool,
    pub(crate) name: bool,
}

impl Withheld {
    pub(crate) const NOTHING: Self = Self { number: false, name: false };
    pub(crate) const ALL: Self = Self { number: true, name: true };

    pub(crate) fn or(self, other: Self) -> Self {
        Self { number: self.number || other.number, name: self.name || other.name }
    }

    /// What is left to show.
    pub(crate) fn of(self, who: CallerIdentity) -> CallerIdentity {
        let shown = |withheld, text| if withheld { "".into() } else { text };
        CallerIdentity { number: shown(self.number, who.number), name: shown(self.name, who.name) }
    }
}

/// A call that a device places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Called {
    /// The new leg.
    pub(crate) leg: LegId,
    /// The calling device, proved by digest or by its flow.
    pub(crate) device: ObjectId,
    /// Its name.
    pub(crate) name: DeviceName,
    /// Where its signalling comes from.
    pub(crate) source: IpAddr,
    /// It has shown its secret; one that has not is registered from there.
    pub(crate) proved: bool,
    /// The line it calls from.
    pub(crate) line: ObjectId,
    /// What was dialled.
    pub(crate) dialled: Box<str>,
    /// What the called side is not to be shown.
    pub(crate) withheld: Withheld,
    /// The caller's media; `None` when it wants an offer from the far side.
    pub(crate) offer: Option<Description>,
    /// How many more hops the request may take, this node's among them.
    pub(crate) max_forwards: u8,
}

/// What calls tell the CTI layer, which is the device layer of CTI devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CtiLeg {
    /// A call is offered to a route point or port.
    Offered { offer: Box<Offer>, calling: Option<Calling> },
    /// Any later command; never an offer.
    Command(LegCommand),
    /// The far side has acknowledged the answer: it receives what is sent to it.
    Acknowledged { leg: LegId },
    /// The far side pressed a key, told by its signalling.
    Digit { leg: LegId, digit: Digit, source: DigitSource },
    /// The far side pressed a call key: hold, transfer or conference.
    FeaturePressed { leg: LegId },
}

/// The device that calls, when it is one of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calling {
    /// The device.
    pub(crate) device: ObjectId,
    /// Its name.
    pub(crate) name: DeviceName,
    /// Where its signalling comes from.
    pub(crate) source: IpAddr,
    /// It has shown its secret; one that has not is registered from there.
    pub(crate) proved: bool,
}

/// An application, or the failure of one, sends a call of its CTI device elsewhere. The device's
/// leg is over with that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Divert {
    /// To this number.
    Redirect { leg: LegId, to: Box<str> },
    /// To the first destination that the line has among these forwards; without one the call ends,
    /// and the caller's phone is told why.
    Forward { leg: LegId, by: Vec<ForwardReason>, otherwise: Cause, why: Option<Box<str>> },
}

/// What an application inside the engine hears in its session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Told {
    /// Something happened.
    Event(Event),
    /// The answer to a command.
    Answer { request: u64, result: Result<(), Refusal> },
}
