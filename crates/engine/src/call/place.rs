//! Sending a call on its way: looking its number up, ringing every device of the line, and going on
//! by the line's forwards.

use core::time::Duration;
use std::sync::Arc;

use jackfield_model::{Directory, Effective, EffectiveLine, Forward, Kind, Line};
use jackfield_vocabulary::{CallerIdentity, Cause, ForwardReason, ObjectId};

use super::analysis::{Reach, Target, analyse, analyse_unassigned, is_emergency};
use super::legs::Legs;
use super::state::{Call, Called, Caller, CallerState, Destination, Offering, Refused, Terminal};
use super::{end_leg, tell_leg};
use crate::context::{Context, Internal, Timer};
use crate::leg::{Calling, CtiLeg, LegCommand, Offer};

impl Call {
    /// Sends the call to a number, and on by forwards and patterns, until devices are offered it.
    /// The cause says why it can't go on.
    pub(super) fn send(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        to: Destination,
    ) -> Result<(), Cause> {
        self.refused = None;
        let mut next = Some(to);
        while let Some(to) = next {
            next = match self.look_up(context, legs, to) {
                Ok(next) => next,
                Err(cause) => {
                    self.note_emergency(context.directory, cause);
                    return Err(cause);
                }
            };
        }
        Ok(())
    }

    /// Who dialled for help and was sent on, or barred, by a pattern or a forward called for help all
    /// the same.
    fn note_emergency(&mut self, directory: &Directory, cause: Cause) {
        let nowhere = matches!(cause, Cause::NoRoute | Cause::Forbidden | Cause::Loop);
        if nowhere && self.way.emergency.is_none() && is_emergency(directory, &self.way.dialled) {
            self.way.emergency = Some(self.way.dialled.clone());
        }
    }

    /// Nobody is left at this line: the call goes on by the fitting forward, or is over.
    pub(super) fn exhausted(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        cause: Cause,
    ) -> Result<(), Cause> {
        let reason = match cause {
            Cause::Busy => ForwardReason::Busy,
            Cause::NoAnswer => ForwardReason::NoAnswer,
            Cause::Unregistered | Cause::DeviceUnreachable => ForwardReason::Unregistered,
            _ => return Err(cause),
        };
        self.forward(context, legs, &[reason], cause)
    }

    /// Sends the call to the first destination that its present line has among these forwards.
    pub(super) fn forward(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        reasons: &[ForwardReason],
        otherwise: Cause,
    ) -> Result<(), Cause> {
        let (line, settings) = match &self.called {
            Called::Offering(offering) => (offering.line, Arc::clone(&offering.settings)),
            Called::Connected(party) => (party.line, Arc::clone(&party.settings)),
            Called::Nobody => return Err(otherwise),
        };
        self.leave_called(context, legs, otherwise);
        for reason in reasons {
            if let Some(to) = self.onward(context, line, &settings, *reason)? {
                return self.send(context, legs, to);
            }
        }
        Err(otherwise)
    }

    /// Ends every leg of the called side that is left.
    pub(super) fn leave_called(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        cause: Cause,
    ) {
        if let Called::Offering(offering) = &self.called {
            context.timers.cancel(offering.patience);
        }
        for (leg, device, cti) in self.legs().into_iter().skip(1) {
            end_leg(context, leg, cti, cause);
            legs.remove(leg, device);
        }
        self.called = Called::Nobody;
    }

    fn look_up(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        to: Destination,
    ) -> Result<Option<Destination>, Cause> {
        let directory = context.directory;
        let unassigned = self.way.visited.is_empty()
            && directory.effective(self.caller.device).is_some_and(|one| one.auto_registered);
        let target = if unassigned {
            analyse_unassigned(directory, &to.number)
        } else {
            analyse(directory, &to.reach, &to.number)
        };
        match target {
            Target::Line(line, settings) => {
                self.visit(line)?;
                self.way.reached = to.number;
                self.reach_line(context, legs, line, settings)
            }
            Target::Redirect { pattern, to, reach } => {
                self.visit(pattern)?;
                Ok(Some(Destination { number: to, reach }))
            }
            refused => {
                let barred = || is_emergency(directory, &to.number);
                if matches!(refused, Target::Emergency) || barred() {
                    self.way.emergency = Some(to.number);
                }
                Err(refused.refusal().unwrap_or(Cause::NoRoute))
            }
        }
    }

    fn visit(&mut self, object: ObjectId) -> Result<(), Cause> {
        if self.way.visited.contains(&object) || self.way.visited.len() >= MAXIMUM_WAY {
            return Err(Cause::Loop);
        }
        self.way.visited.push(object);
        Ok(())
    }

    fn reach_line(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        line: ObjectId,
        settings: Arc<Line>,
    ) -> Result<Option<Destination>, Cause> {
        if let Some(to) = self.onward(context, line, &settings, ForwardReason::All)? {
            return Ok(Some(to));
        }
        let (offered, devices) = self.offer(context, legs, line);
        if offered.is_empty() {
            let (cause, reason) = if devices == 0 {
                (Cause::Unregistered, ForwardReason::Unregistered)
            } else {
                (Cause::Busy, ForwardReason::Busy)
            };
            let onward = self.onward(context, line, &settings, reason)?;
            return onward.ok_or(cause).map(Some);
        }
        let busy = Refused { cause: Cause::Busy, status: None };
        let refused = (offered.len() < devices).then_some(busy);
        let patience = patience(context, &settings);
        let patience = context.after(patience, Timer::NoAnswer { call: self.id });
        self.called = Called::Offering(Offering {
            line,
            settings,
            terminals: offered,
            refused,
            deflection: None,
            patience,
        });
        Ok(None)
    }

    /// The destination of this forward of the line, when it is set.
    pub(super) fn onward(
        &mut self,
        context: &mut Context<'_>,
        line: ObjectId,
        settings: &Line,
        reason: ForwardReason,
    ) -> Result<Option<Destination>, Cause> {
        let Some(forward) = forward_of(settings, reason) else { return Ok(None) };
        let directory = context.directory;
        self.count_forward(context)?;
        self.divert(&settings.number.to_string(), reason);
        let device = || directory.appearances(line).find_map(|one| directory.effective(one));
        let reach = match forward.css {
            Some(css) => Reach::of(directory, Some(css), None),
            None => Reach::of(directory, settings.css, device().and_then(|device| device.css)),
        };
        Ok(Some(Destination { number: (&forward.destination).into(), reach }))
    }

    /// A call goes on so many times and no more.
    pub(super) fn count_forward(&mut self, context: &Context<'_>) -> Result<(), Cause> {
        if self.way.forwards >= context.directory.cluster().maximum_forwards {
            return Err(Cause::Loop);
        }
        self.way.forwards += 1;
        Ok(())
    }

    /// Remembers the first number that sent the call on.
    pub(super) fn divert(&mut self, from: &str, reason: ForwardReason) {
        self.way.diverted.get_or_insert_with(|| (from.into(), reason));
    }

    /// Offers the call to every device of the line that has room; with the number of devices.
    fn offer(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        line: ObjectId,
    ) -> (Vec<Terminal>, usize) {
        let directory = Arc::clone(context.directory);
        let mut offered = Vec::new();
        let mut devices = 0;
        for device in directory.appearances(line).take(MAXIMUM_APPEARANCES) {
            let Some(device) = directory.effective(device) else { continue };
            let Some(appearance) = device.lines.iter().find(|one| one.id.id() == line) else {
                continue;
            };
            devices += 1;
            let own = device.id == self.caller.device && line == self.caller.line;
            if !own && has_room(legs, &device, appearance) {
                offered.push(self.offer_device(context, legs, &device, line));
            }
        }
        (offered, devices)
    }

    fn offer_device(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        device: &Effective,
        line: ObjectId,
    ) -> Terminal {
        let leg = context.ids.leg();
        let offer = Box::new(Offer {
            leg,
            call: self.id,
            device: device.id,
            line,
            called: self.way.reached.clone(),
            caller: self.caller.withheld.of(self.caller.identity.clone()),
            diverted: self.way.diverted.clone(),
            offer: match &self.caller.state {
                CallerState::Calling { offer, .. } => offer.clone(),
                CallerState::Answered => None,
            },
            max_forwards: self.way.max_forwards,
        });
        let cti = device.kind != Kind::Phone;
        context.tell(if cti {
            let Caller { device, name, source, proved, .. } = &self.caller;
            let (source, proved) = (*source, *proved);
            let calling = Calling { device: *device, name: name.clone(), source, proved };
            Internal::ToCti(CtiLeg::Offered { offer, calling: Some(calling) })
        } else {
            Internal::ToDevice(LegCommand::Offer(offer))
        });
        legs.add(leg, self.id, device.id, line);
        let (device, name) = (device.id, device.name.clone());
        Terminal { leg, device, name, cti, alerting: false }
    }

    /// Tells the caller who the far side is now.
    pub(super) fn identify(&self, context: &mut Context<'_>, connected: CallerIdentity) {
        let leg = self.caller.leg;
        tell_leg(context, false, LegCommand::Identify { leg, connected });
    }
}

/// How the appearance of a line on a device is shown to the other side, whichever placed the call: with
/// the name of the line, or else with the one of the appearance.
pub(super) fn shown(appearance: &EffectiveLine) -> CallerIdentity {
    let line = &appearance.line.alerting_name;
    let name = if line.is_empty() { &appearance.display } else { line };
    CallerIdentity { number: appearance.number().into(), name: name.into() }
}

fn has_room(legs: &Legs, device: &Effective, appearance: &EffectiveLine) -> bool {
    let (all, on_line) = legs.count(device.id, appearance.id.id());
    let most = usize::from(appearance.busy_trigger.min(appearance.maximum_calls));
    on_line < most && device.maximum_calls.is_none_or(|most| all < usize::from(most))
}

fn forward_of(settings: &Line, reason: ForwardReason) -> Option<&Forward> {
    let forwards = &settings.forwards;
    let forward = match reason {
        ForwardReason::All => &forwards.all,
        ForwardReason::Busy => &forwards.busy,
        ForwardReason::NoAnswer => &forwards.no_answer,
        ForwardReason::Unregistered => &forwards.unregistered,
        ForwardReason::Failure => &forwards.failure,
        ForwardReason::Redirect => return None,
    };
    (!forward.destination.is_empty()).then_some(forward)
}

/// How long the line may ring: until its no-answer forward, or until nobody can be expected.
fn patience(context: &Context<'_>, settings: &Line) -> Duration {
    if settings.forwards.no_answer.destination.is_empty() {
        return RING_LIMIT;
    }
    let seconds = settings.forwards.no_answer_seconds;
    let seconds = seconds.unwrap_or_else(|| context.directory.cluster().no_answer_seconds);
    Duration::from_secs(seconds.into())
}

/// Ringing that leads nowhere ends after this (T301 of Q.931).
const RING_LIMIT: Duration = Duration::from_secs(180);

/// Devices of one line that ring at once.
const MAXIMUM_APPEARANCES: usize = 100;

/// Lines and patterns that one call may come by.
const MAXIMUM_WAY: usize = 32;
