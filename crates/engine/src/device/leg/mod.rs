//! Legs: what the device layer holds of one device in one call, a SIP dialog in the making, going
//! on, or ending. Calls tell a leg what to do, and are told what its device does.

mod audit;
mod calling;
mod deflected;
mod end;
mod exchange;
pub(super) mod headers;
mod info;
mod keys;
mod offered;
mod privacy;
mod requests;
mod sdp;
mod withdrawn;

use std::collections::BTreeMap;

use jackfield_sip::{ClientKey, Dialog, DialogId, Flow, Message, ServerKey};
use jackfield_vocabulary::{CallerIdentity, Cause, LegId, Now, ObjectId};
use serde::{Deserialize, Serialize};

use super::{Devices, reach};
use crate::context::{Context, TimerToken};
use crate::endpoint::Endpoint;
use crate::leg::{Description, LegCommand};

/// Every leg, and how messages find theirs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Legs {
    legs: BTreeMap<LegId, Box<Leg>>,
    /// The legs whose phones placed the call, or offer new media, by their INVITE, until it is answered
    /// and acknowledged.
    #[serde(with = "jackfield_vocabulary::pairs")]
    invites: BTreeMap<ServerKey, LegId>,
    #[serde(with = "jackfield_vocabulary::pairs")]
    dialogs: BTreeMap<DialogId, LegId>,
}

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Leg {
    device: ObjectId,
    /// How the device is reached.
    flow: Flow,
    /// It listens where its Contact says, not where it sends from.
    direct: bool,
    /// The user of our Contact: opaque, and good on any node.
    token: Box<str>,
    /// Who the far side is, as shown on the device.
    shown: CallerIdentity,
    /// The device's user is not to be known from its descriptions either.
    private: bool,
    /// More about why it is refused, should it be.
    why: Option<Box<str>>,
    state: State,
}

/// How far it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    /// The device placed the call and waits, as long as it said.
    Calling { invite: ServerKey, request: Box<Message>, tag: Box<str>, limit: Option<TimerToken> },
    /// The device is offered the call; `to` is where the INVITE went, `offer` what it was told of the
    /// caller's media, `heard` whether it has said anything.
    Offered {
        invite: ClientKey,
        to: Box<str>,
        offer: Option<Description>,
        limit: TimerToken,
        heard: bool,
    },
    /// Answered.
    Up(Box<Up>),
}

/// An answered leg.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Up {
    dialog: Dialog,
    exchange: Exchange,
    /// Our 2xx that has no ACK yet.
    unacknowledged: Option<ServerKey>,
    /// It is to end as soon as the ACK is there (RFC 3261 section 15).
    ending: Option<Cause>,
    /// The device understands UPDATE.
    updates: bool,
    /// What the device said of its media last.
    described: Option<Description>,
    /// What it was told of the other side's media when both agreed last.
    told: Option<Description>,
    /// INFOs of the device that wait for the other side's answer.
    asked: Vec<(ServerKey, Box<Message>)>,
    /// When it is asked whether it still lives.
    audit: Option<TimerToken>,
    /// When it is asked anew to report its keys.
    keys: Option<TimerToken>,
}

/// Where offer and answer stand.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Exchange {
    /// Both sides agree.
    Idle,
    /// Our 2xx made the offer; the ACK brings the answer.
    AckAwaited,
    /// The device's 2xx made the offer; our ACK waits for the answer.
    AckOwed { invite: ClientKey, response: Box<Message> },
    /// Our re-INVITE is out; it was wanted then, and perhaps is no longer.
    Ours { invite: ClientKey, offer: Option<Description>, since: Now, withdrawn: bool },
    /// The device's re-INVITE or UPDATE waits for an answer.
    Theirs { key: ServerKey, request: Box<Message> },
    /// Both had offered at once: ours goes out again.
    Glare { offer: Option<Description>, timer: TimerToken, since: Now },
}

impl Devices {
    /// Carries out what a call tells one of its legs.
    pub(crate) fn leg_command(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        command: LegCommand,
    ) {
        match command {
            LegCommand::Offer(offer) => self.offer(ctx, endpoint, &offer),
            LegCommand::Ring { leg, status, early, connected } => {
                self.ring(ctx, endpoint, leg, (status, early.as_ref()), connected);
            }
            LegCommand::Answer { leg, answer, connected } => {
                self.answer(ctx, endpoint, leg, &answer, connected);
            }
            LegCommand::ReOffer { leg, offer } => self.re_offer(ctx, endpoint, leg, offer),
            LegCommand::ReAnswer { leg, answer } => self.re_answer(ctx, endpoint, leg, &answer),
            LegCommand::ReRefuse { leg, cause } => self.re_refuse(ctx, endpoint, leg, cause),
            LegCommand::Withdraw { leg } => self.withdraw_offer(ctx, endpoint, leg),
            LegCommand::End { leg, cause } => self.end_leg(ctx, endpoint, leg, cause),
            LegCommand::Decline { leg, cause, status } => {
                self.decline(ctx, endpoint, leg, cause, status);
            }
            LegCommand::Info { leg, info } => self.info_out(ctx, endpoint, leg, &info),
            LegCommand::AnswerInfo { leg, asked, status } => {
                self.answer_info(ctx, endpoint, leg, asked, status);
            }
            LegCommand::Explain { leg, why } => {
                if let Some(leg) = self.legs.legs.get_mut(&leg) {
                    leg.why = Some(why);
                }
            }
            LegCommand::Identify { leg, connected } => {
                self.identify(ctx, endpoint, leg, connected);
            }
        }
    }

    /// The latest way to a leg's device: a phone that came back over another connection is reached
    /// over that one.
    fn way(&self, leg: &Leg) -> Flow {
        let binding = self.bindings.get(&leg.device);
        let newer = binding.filter(|binding| {
            leg.flow.transport.is_reliable()
                && binding.flow.transport == leg.flow.transport
                && binding.flow.remote.ip() == leg.flow.remote.ip()
        });
        match (newer, &leg.state) {
            (Some(binding), _) => binding.flow.clone(),
            (None, State::Up(up)) => leg.to_target(leg.flow.clone(), &up.dialog),
            (None, _) => leg.flow.clone(),
        }
    }
}

impl Leg {
    /// The way of requests in a dialog: to its target, where the device listens there.
    fn to_target(&self, flow: Flow, dialog: &Dialog) -> Flow {
        if self.direct { reach::way(&flow, dialog.remote_target()) } else { flow }
    }
}

impl Leg {
    /// The description in a message of the device, as the other side may see it.
    fn described(&self, message: &Message) -> Option<Description> {
        sdp::shown(message, self.private)
    }
}

impl Legs {
    fn insert(&mut self, id: LegId, leg: Box<Leg>) {
        match &leg.state {
            State::Calling { invite, request, tag, .. } => {
                self.invites.insert(*invite, id);
                self.dialogs.insert(early(request, tag), id);
            }
            State::Up(up) => drop(self.dialogs.insert(up.dialog.id().clone(), id)),
            State::Offered { .. } => {}
        }
        self.legs.insert(id, leg);
    }

    /// Takes a leg out of the table with everything that leads to it.
    fn remove(&mut self, id: LegId) -> Option<Box<Leg>> {
        let leg = self.legs.remove(&id)?;
        match &leg.state {
            State::Calling { invite, request, tag, .. } => {
                self.invites.remove(invite);
                self.dialogs.remove(&early(request, tag));
            }
            State::Up(up) => {
                self.dialogs.remove(up.dialog.id());
                if let Some(invite) = &up.unacknowledged {
                    self.invites.remove(invite);
                }
                if let Exchange::Theirs { key, .. } = &up.exchange {
                    self.invites.remove(key);
                }
            }
            State::Offered { .. } => {}
        }
        Some(leg)
    }

    /// Takes a leg out, with its timers.
    fn close(&mut self, ctx: &mut Context<'_>, id: LegId) -> Option<Box<Leg>> {
        let leg = self.remove(id)?;
        let timers = match &leg.state {
            State::Offered { limit, .. } => [Some(*limit), None],
            State::Up(up) => [up.audit, up.keys],
            State::Calling { limit, .. } => [*limit, None],
        };
        timers.into_iter().flatten().for_each(|timer| ctx.timers.cancel(timer));
        Some(leg)
    }

    /// The legs whose dialogs have this Call-ID.
    fn with_call_id(&self, call_id: &str) -> impl Iterator<Item = LegId> {
        let dialogs = self.dialogs.range(DialogId::new(call_id, "", "")..);
        dialogs.take_while(move |(id, _)| *id.call_id == *call_id).map(|(_, leg)| *leg)
    }

    fn is_calling(&self, id: LegId) -> bool {
        matches!(self.legs.get(&id).map(|leg| &leg.state), Some(State::Calling { .. }))
    }

    fn up(&mut self, id: LegId) -> Option<&mut Up> {
        match &mut self.legs.get_mut(&id)?.state {
            State::Up(up) => Some(up),
            _ => None,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.legs.len()
    }
}

/// The dialog that our provisional answers make.
fn early(request: &Message, tag: &str) -> DialogId {
    DialogId::new(request.call_id(), tag, request.from_tag().unwrap_or_default())
}
