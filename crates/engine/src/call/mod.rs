//! Calls: who calls whom, and what becomes of it.
//!
//! A call has a caller's leg and, once its number is looked up, a connection to a line with a leg
//! for each device of the line. Devices and CTI devices are reached by messages only. Session
//! descriptions pass through unread, so that media goes directly.

mod analysis;
mod deflect;
mod info;
mod ledger;
mod legs;
mod place;
mod state;
mod talk;

use std::collections::BTreeMap;

use jackfield_vocabulary::share::Figures;
use jackfield_vocabulary::{CallId, CallerIdentity, Cause, ForwardReason, LegId, ObjectId};
use serde::{Deserialize, Serialize};

use crate::context::{Context, Internal, Timer};
use crate::interface::CallRecord;
use crate::leg::{Called as NewLeg, CtiLeg, Divert, LegCommand, LegEvent};
use analysis::Reach;
pub(crate) use analysis::outlook;
use ledger::Ledger;
use legs::Legs;
use place::shown;
use state::{Call, Called, Caller, CallerState, Destination, Exchange, Way};

/// Every call of this node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Calls {
    #[serde(with = "jackfield_vocabulary::pairs")]
    calls: BTreeMap<CallId, Box<Call>>,
    legs: Legs,
    ledger: Ledger,
}

impl Calls {
    /// Takes what devices, or the CTI layer for CTI devices, tell of a leg.
    pub(crate) fn leg_event(&mut self, context: &mut Context<'_>, event: LegEvent) {
        let leg = match event {
            LegEvent::Called(new) => return self.begin(context, *new),
            LegEvent::Ringing { leg, .. }
            | LegEvent::Answered { leg, .. }
            | LegEvent::Refused { leg, .. }
            | LegEvent::Declined { leg, .. }
            | LegEvent::Deflected { leg, .. }
            | LegEvent::Info { leg, .. }
            | LegEvent::InfoAnswered { leg, .. }
            | LegEvent::ReOffered { leg, .. }
            | LegEvent::ReWithdrawn { leg }
            | LegEvent::ReAnswered { leg, .. }
            | LegEvent::ReRefused { leg, .. }
            | LegEvent::Digit { leg, .. }
            | LegEvent::Acknowledged { leg }
            | LegEvent::FeaturePressed { leg }
            | LegEvent::Ended { leg, .. } => leg,
        };
        let Some(mut call) = self.take(leg) else { return stray(context, leg, &event) };
        let over = matches!(
            event,
            LegEvent::Ended { .. }
                | LegEvent::Refused { .. }
                | LegEvent::Declined { .. }
                | LegEvent::Deflected { .. }
        );
        let gone = over.then_some(leg);
        let result = call.event(context, &mut self.legs, event);
        self.settle(context, call, result, gone);
    }

    /// Takes what an application, or the failure of one, wants done with a call of its device. The
    /// CTI layer has forgotten the leg already.
    pub(crate) fn divert(&mut self, context: &mut Context<'_>, order: Divert) {
        let (Divert::Redirect { leg, .. } | Divert::Forward { leg, .. }) = &order;
        let Some(mut call) = self.take(*leg) else { return };
        let from = call.way.reached.clone();
        let reach = call.device_reach(context, *leg);
        call.forget_leg(&mut self.legs, *leg);
        call.settle_exchange(context);
        let result = match order {
            Divert::Redirect { to, .. } => {
                call.leave_called(context, &mut self.legs, Cause::Normal);
                call.divert(&from, ForwardReason::Redirect);
                call.redirected(context).and_then(|()| {
                    let to = Destination { number: to, reach };
                    call.send(context, &mut self.legs, to)
                })
            }
            Divert::Forward { by, otherwise, why, .. } => {
                if let Some(why) = why {
                    let leg = call.caller.leg;
                    tell_leg(context, false, LegCommand::Explain { leg, why });
                }
                call.forward(context, &mut self.legs, &by, otherwise)
            }
        };
        self.settle(context, call, result, None);
    }

    /// One of the timers that calls set has fired.
    pub(crate) fn timer(&mut self, context: &mut Context<'_>, timer: &Timer) {
        let (Timer::NoAnswer { call: id } | Timer::Exchange { call: id }) = timer else { return };
        let Some(mut call) = self.calls.remove(id) else { return };
        let result = match timer {
            Timer::NoAnswer { .. } => {
                let result = call.no_answer(context, &mut self.legs);
                call.or_elsewhere(context, &mut self.legs, result)
            }
            _ => call.exchange_failed(context),
        };
        self.settle(context, call, result, None);
    }

    /// Ends a call by an operator's order; false when there is none.
    pub(crate) fn drop_call(&mut self, context: &mut Context<'_>, id: CallId) -> bool {
        let Some(call) = self.calls.remove(&id) else { return false };
        self.settle(context, call, Err(Cause::Dropped), None);
        true
    }

    /// How many calls there are, and how many of them are answered.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let connected =
            self.calls.values().filter(|one| matches!(one.called, Called::Connected(_)));
        (self.calls.len() as u64, connected.count() as u64)
    }

    /// What the limit by source has come to.
    pub(crate) fn figures(&self) -> Figures {
        self.ledger.figures()
    }

    /// How many legs calls have.
    pub(crate) fn legs(&self) -> usize {
        self.legs.len()
    }

    /// The calls of a device, with their states in words.
    pub(crate) fn of_device(&self, device: ObjectId) -> Vec<(CallId, Box<str>)> {
        let calls = self.legs.of_device(device).filter_map(|id| self.calls.get(&id));
        calls.map(|call| (call.id, call.word().into())).collect()
    }

    fn begin(&mut self, context: &mut Context<'_>, new: NewLeg) {
        context.count("calls");
        let (leg, device, line) = (new.leg, new.device, new.line);
        let found = context.directory.effective(device);
        let appearance =
            found.as_ref().and_then(|one| one.lines.iter().find(|on| on.id.id() == line));
        let mut call = Box::new(Call::new(context, new));
        let result = match (&found, appearance) {
            _ if self.calls.len() >= MAXIMUM_CALLS => Err(Cause::Congestion),
            (Some(device), Some(appearance)) => {
                let (_, on_line) = self.legs.count(device.id, line);
                call.caller.identity = shown(appearance);
                let reach = Reach::of(context.directory, appearance.css(), device.css);
                call.start(on_line < usize::from(appearance.maximum_calls)).map(|()| reach)
            }
            _ => Err(Cause::Forbidden),
        };
        self.legs.add(leg, call.id, device, line);
        let result = result.and_then(|reach| {
            let number = call.way.dialled.clone();
            call.send(context, &mut self.legs, Destination { number, reach })
        });
        self.settle(context, call, result, None);
    }

    fn take(&mut self, leg: LegId) -> Option<Box<Call>> {
        self.calls.remove(&self.legs.call(leg)?)
    }

    /// Puts a call back, or ends it: every leg but the one that is gone already is told.
    fn settle(
        &mut self,
        context: &mut Context<'_>,
        mut call: Box<Call>,
        result: Result<(), Cause>,
        gone: Option<LegId>,
    ) {
        if let Some(number) = call.way.emergency.take() {
            self.ledger.emergency(context, &call, &number);
        }
        let Err(cause) = result else {
            self.calls.insert(call.id, call);
            return;
        };
        if let Called::Offering(offering) = &call.called {
            context.timers.cancel(offering.patience);
        }
        call.settle_exchange(context);
        for (leg, device, cti) in call.legs() {
            self.legs.remove(leg, device);
            let declined = call.refused.filter(|one| leg == call.caller.leg && one.cause == cause);
            match declined.and_then(|one| one.status) {
                _ if gone == Some(leg) => {}
                Some(status) => tell_leg(context, cti, LegCommand::Decline { leg, cause, status }),
                None => end_leg(context, leg, cti, cause),
            }
        }
        self.ledger.record(context, *call, cause);
    }
}

impl Call {
    fn new(context: &mut Context<'_>, new: NewLeg) -> Self {
        let offer = new.offer;
        Self {
            id: context.ids.call(),
            began: context.now.wall,
            caller: Caller {
                leg: new.leg,
                device: new.device,
                name: new.name,
                source: new.source,
                proved: new.proved,
                line: new.line,
                identity: CallerIdentity::default(),
                withheld: new.withheld,
                state: CallerState::Calling { offer, hears: None },
            },
            called: Called::Nobody,
            way: Way {
                reached: new.dialled.clone(),
                dialled: new.dialled,
                emergency: None,
                visited: Vec::new(),
                forwards: 0,
                diverted: None,
                alternatives: Vec::new(),
                max_forwards: new.max_forwards,
            },
            exchange: Exchange::Stable,
            answered: None,
            refused: None,
        }
    }

    /// Takes one hop, and refuses a caller whose line is full.
    fn start(&mut self, has_room: bool) -> Result<(), Cause> {
        self.way.max_forwards = self.way.max_forwards.checked_sub(1).ok_or(Cause::Loop)?;
        if has_room { Ok(()) } else { Err(Cause::Congestion) }
    }

    /// An application sends the call on: that counts as a forward, so that it ends somewhere.
    fn redirected(&mut self, context: &Context<'_>) -> Result<(), Cause> {
        self.count_forward(context)?;
        // An application may send a call back to where it was: only the count ends such circles.
        self.way.visited.clear();
        self.way.visited.push(self.caller.line);
        Ok(())
    }

    /// What the CTI device with this leg may call.
    fn device_reach(&self, context: &Context<'_>, leg: LegId) -> Reach {
        let directory = context.directory;
        let device = self.legs().into_iter().find(|(one, ..)| *one == leg);
        let css = device.and_then(|(_, device, _)| directory.effective(device)?.css);
        let line = match &self.called {
            Called::Offering(offering) => offering.settings.css,
            Called::Connected(party) => party.settings.css,
            Called::Nobody => None,
        };
        Reach::of(directory, line, css)
    }

    /// The CTI layer has forgotten the leg: nobody needs to end it.
    fn forget_leg(&mut self, legs: &mut Legs, leg: LegId) {
        if let Some((_, device, _)) = self.legs().into_iter().find(|(one, ..)| *one == leg) {
            legs.remove(leg, device);
        }
        if let Called::Offering(offering) = &mut self.called {
            offering.terminals.retain(|one| one.leg != leg);
        }
    }

    fn record(self, context: &Context<'_>, cause: Cause) -> CallRecord {
        let (answered, answering_device) =
            self.answered.map_or((None, None), |one| (Some(one.at), Some(one.device)));
        CallRecord {
            call: self.id,
            calling_device: Some(self.caller.name),
            calling: self.caller.identity.number,
            dialled: self.way.dialled,
            reached: self.way.reached,
            answering_device,
            began: self.began,
            answered,
            ended: context.now.wall,
            cause,
        }
    }
}

/// Tells a leg's own layer what to do with it.
fn tell_leg(context: &mut Context<'_>, cti: bool, command: LegCommand) {
    context.tell(if cti {
        Internal::ToCti(CtiLeg::Command(command))
    } else {
        Internal::ToDevice(command)
    });
}

fn end_leg(context: &mut Context<'_>, leg: LegId, cti: bool, cause: Cause) {
    tell_leg(context, cti, LegCommand::End { leg, cause });
}

/// A leg that no call knows any more, as when an answer and a hang-up cross: it must not stay.
fn stray(context: &mut Context<'_>, leg: LegId, event: &LegEvent) {
    if matches!(event, LegEvent::Answered { .. } | LegEvent::ReOffered { .. }) {
        end_leg(context, leg, false, Cause::Cancelled);
    }
}

/// Calls of one node at once.
const MAXIMUM_CALLS: usize = 50_000;
