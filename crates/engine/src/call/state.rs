//! What a call is made of: the caller, whoever is called or has answered, and the way it came.

use std::net::IpAddr;
use std::sync::Arc;

use jackfield_model::Line;
use jackfield_sip::Status;
use jackfield_vocabulary::{
    CallId, CallerIdentity, Cause, DeviceName, ForwardReason, LegId, ObjectId, UnixTime,
};
use serde::{Deserialize, Serialize};

use super::analysis::Reach;
use crate::context::TimerToken;
use crate::leg::{Description, Withheld};

/// One call, from the first digit to its record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) began: UnixTime,
    pub(super) caller: Caller,
    pub(super) called: Called,
    pub(super) way: Way,
    pub(super) exchange: Exchange,
    pub(super) answered: Option<Answered>,
    /// How the last device refused that was left.
    pub(super) refused: Option<Refused>,
}

/// The side that placed the call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Caller {
    pub(super) leg: LegId,
    pub(super) device: ObjectId,
    pub(super) name: DeviceName,
    /// Where its signalling comes from.
    pub(super) source: IpAddr,
    /// It has shown its secret.
    pub(super) proved: bool,
    /// The line it calls from.
    pub(super) line: ObjectId,
    pub(super) identity: CallerIdentity,
    /// What the called side is not to be shown of it.
    pub(super) withheld: Withheld,
    pub(super) state: CallerState,
}

/// How far the caller is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum CallerState {
    /// Waits for the first answer.
    Calling { offer: Option<Description>, hears: Option<Status> },
    /// Was answered; stays so when the call moves on to somebody else.
    Answered,
}

/// The side that is called.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Called {
    /// Nobody yet: the number is being looked up.
    Nobody,
    /// A line whose devices ring.
    Offering(Offering),
    /// A device that answered.
    Connected(Party),
}

/// A line that is called: a connection with a terminal connection for each device of the line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Offering {
    pub(super) line: ObjectId,
    pub(super) settings: Arc<Line>,
    pub(super) terminals: Vec<Terminal>,
    /// The best reason of those that refused so far.
    pub(super) refused: Option<Refused>,
    /// Where a device of the line wants the call to go.
    pub(super) deflection: Option<Deflection>,
    pub(super) patience: TimerToken,
}

/// Why a device takes no call, and the status by which it said so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) cause: Cause,
    pub(super) status: Option<Status>,
}

/// A device sends the call to other numbers, the preferred one first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deflection {
    pub(super) device: ObjectId,
    pub(super) to: Vec<Box<str>>,
}

/// A device that is offered the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terminal {
    pub(super) leg: LegId,
    pub(super) device: ObjectId,
    pub(super) name: DeviceName,
    /// A route point or port, whose end an application holds.
    pub(super) cti: bool,
    pub(super) alerting: bool,
}

/// A device that answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Party {
    pub(super) leg: LegId,
    pub(super) device: ObjectId,
    pub(super) cti: bool,
    pub(super) line: ObjectId,
    pub(super) settings: Arc<Line>,
}

/// Where the call has been.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Way {
    /// The number dialled.
    pub(super) dialled: Box<str>,
    /// The number called now.
    pub(super) reached: Box<str>,
    /// An emergency number that it came to, and nobody was told yet that this goes nowhere.
    pub(super) emergency: Option<Box<str>>,
    /// Lines and patterns that it came by: none twice.
    pub(super) visited: Vec<ObjectId>,
    /// Forwards followed so far.
    pub(super) forwards: u8,
    /// The first number that sent it on, and why.
    pub(super) diverted: Option<(Box<str>, ForwardReason)>,
    /// Where it may go when it comes to nothing where it is, the last one first.
    pub(super) alternatives: Vec<Destination>,
    pub(super) max_forwards: u8,
}

/// Who answered first, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) at: UnixTime,
    pub(super) device: DeviceName,
}

/// One side of an answered call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Side {
    Caller,
    Called,
}

/// Where offer and answer between the two sides stand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Exchange {
    /// Both sides agree.
    Stable,
    /// One side offered (or asked for an offer), and the other has not answered.
    Offered { by: Side, delayed: bool, joining: bool, patience: TimerToken },
    /// The offer went back to the side that had asked for it; its answer is awaited.
    Confirming { by: Side, patience: TimerToken },
}

/// Where a call is to go next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Destination {
    pub(super) number: Box<str>,
    pub(super) reach: Reach,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Caller => Self::Called,
            Self::Called => Self::Caller,
        }
    }
}

impl Call {
    /// The leg on this side, and whether it is a CTI device's; `None` while nobody has answered.
    pub(super) fn leg_of(&self, side: Side) -> Option<(LegId, bool)> {
        match (side, &self.called) {
            (Side::Caller, _) => Some((self.caller.leg, false)),
            (Side::Called, Called::Connected(party)) => Some((party.leg, party.cti)),
            (Side::Called, _) => None,
        }
    }

    /// On which side of the answered call the leg is.
    pub(super) fn side_of(&self, leg: LegId) -> Option<Side> {
        [Side::Caller, Side::Called]
            .into_iter()
            .find(|side| self.leg_of(*side).is_some_and(|(found, _)| found == leg))
    }

    /// Every leg with its device and whether it is a CTI device's.
    pub(super) fn legs(&self) -> Vec<(LegId, ObjectId, bool)> {
        let mut legs = vec![(self.caller.leg, self.caller.device, false)];
        match &self.called {
            Called::Nobody => {}
            Called::Offering(offering) => {
                legs.extend(offering.terminals.iter().map(|one| (one.leg, one.device, one.cti)));
            }
            Called::Connected(party) => legs.push((party.leg, party.device, party.cti)),
        }
        legs
    }

    /// The state in a word, for people who look.
    pub(super) fn word(&self) -> &'static str {
        match &self.called {
            Called::Nobody => "initiated",
            Called::Offering(offering) if offering.terminals.iter().any(|one| one.alerting) => {
                "ringing"
            }
            Called::Offering(_) => "offered",
            Called::Connected(_) => "connected",
        }
    }
}
