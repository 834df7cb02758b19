//! What happens to a call whose devices ring or talk: the first answer wins, new media passes to the
//! other side, and whoever hangs up ends it.

use core::time::Duration;

use jackfield_sip::Status;
use jackfield_vocabulary::{CallerIdentity, Cause, LegId, ObjectId};

use super::legs::Legs;
use super::place::shown;
use super::state::{Answered, Call, Called, CallerState, Exchange, Party, Refused, Side, Terminal};
use super::tell_leg;
use crate::context::{Context, Internal, Timer, TimerToken};
use crate::leg::{CtiLeg, Description, LegCommand, LegEvent, Withheld};

impl Call {
    /// Takes what the device layer (or the CTI layer) tells of one of the call's legs. The cause says
    /// that the call is over.
    pub(super) fn event(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        event: LegEvent,
    ) -> Result<(), Cause> {
        match event {
            LegEvent::Called(_) => Ok(()),
            LegEvent::Ringing { leg, status, early, withheld } => {
                self.ringing(context, leg, status, early, withheld)
            }
            LegEvent::Answered { leg, answer, withheld } => {
                self.answered(context, legs, leg, answer, withheld)
            }
            LegEvent::Refused { leg, cause } => {
                self.refused(context, legs, leg, Refused { cause, status: None })
            }
            LegEvent::Declined { leg, cause, status } => {
                self.refused(context, legs, leg, Refused { cause, status: Some(status) })
            }
            LegEvent::Deflected { leg, to } => self.deflected(context, legs, leg, to),
            LegEvent::Info { leg, info } => self.info(context, leg, info),
            LegEvent::InfoAnswered { leg, asked, status } => {
                self.info_answered(context, leg, asked, status)
            }
            LegEvent::ReOffered { leg, offer, hold } => self.re_offered(context, leg, offer, hold),
            LegEvent::ReWithdrawn { leg } => {
                self.re_withdrawn(context, leg);
                Ok(())
            }
            LegEvent::ReAnswered { leg, answer } => self.re_answered(context, leg, answer),
            LegEvent::ReRefused { leg, cause } => self.re_refused(context, leg, cause),
            LegEvent::Acknowledged { leg } => {
                self.tell_application(context, leg, |leg| CtiLeg::Acknowledged { leg })
            }
            LegEvent::Digit { leg, digit, source } => {
                self.tell_application(context, leg, |leg| CtiLeg::Digit { leg, digit, source })
            }
            LegEvent::FeaturePressed { leg } => {
                self.tell_application(context, leg, |leg| CtiLeg::FeaturePressed { leg })
            }
            LegEvent::Ended { leg, cause } if self.terminal(leg).is_some() => {
                self.refused(context, legs, leg, Refused { cause, status: None })
            }
            LegEvent::Ended { cause, .. } => Err(cause),
        }
    }

    /// The line has rung as long as it may.
    pub(super) fn no_answer(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
    ) -> Result<(), Cause> {
        match self.called {
            Called::Offering(_) => self.exhausted(context, legs, Cause::NoAnswer),
            _ => Ok(()),
        }
    }

    /// One side has not answered the other's media: it need not any more.
    pub(super) fn exchange_failed(&mut self, context: &mut Context<'_>) -> Result<(), Cause> {
        match core::mem::replace(&mut self.exchange, Exchange::Stable) {
            Exchange::Offered { by, joining: false, .. } => {
                self.re_refuse(context, by, Cause::DeviceUnreachable);
                self.withdraw(context, by.other());
                Ok(())
            }
            Exchange::Offered { .. } | Exchange::Confirming { .. } => Err(Cause::MediaUnavailable),
            Exchange::Stable => Ok(()),
        }
    }

    pub(super) fn terminal(&mut self, leg: LegId) -> Option<&mut Terminal> {
        match &mut self.called {
            Called::Offering(offering) => offering.terminals.iter_mut().find(|one| one.leg == leg),
            _ => None,
        }
    }

    fn ringing(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        status: Status,
        early: Option<Description>,
        withheld: Withheld,
    ) -> Result<(), Cause> {
        let Some(terminal) = self.terminal(leg) else { return Ok(()) };
        terminal.alerting |= status == Status::RINGING || early.is_some();
        let terminal = terminal.clone();
        let Called::Offering(offering) = &self.called else { return Ok(()) };
        let (line, alone) = (offering.line, offering.terminals.len() == 1);
        let CallerState::Calling { hears, .. } = &mut self.caller.state else { return Ok(()) };
        // Early media of one of several ringing devices would belie the others.
        let status = if early.is_some() && !alone { Status::RINGING } else { status };
        let early = early.filter(|_| alone);
        let new = hears.is_none_or(|heard| heard != status && heard != Status::RINGING);
        if new || early.is_some() {
            *hears = Some(status);
            let leg = self.caller.leg;
            let connected = withheld.of(self.connected_identity(context, &terminal, line));
            tell_leg(context, false, LegCommand::Ring { leg, status, early, connected });
        }
        Ok(())
    }

    fn answered(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        leg: LegId,
        answer: Description,
        withheld: Withheld,
    ) -> Result<(), Cause> {
        let Called::Offering(offering) = &mut self.called else { return Ok(()) };
        let Some(place) = offering.terminals.iter().position(|one| one.leg == leg) else {
            return Ok(());
        };
        let terminal = offering.terminals.swap_remove(place);
        let (line, settings) = (offering.line, offering.settings.clone());
        self.leave_called(context, legs, Cause::AnsweredElsewhere);
        let connected = withheld.of(self.connected_identity(context, &terminal, line));
        let (device, cti) = (terminal.device, terminal.cti);
        self.called = Called::Connected(Party { leg, device, cti, line, settings });
        self.answered.get_or_insert(Answered { at: context.now.wall, device: terminal.name });
        self.join(context, answer, connected);
        Ok(())
    }

    /// Brings the answer of the called side to the caller.
    fn join(&mut self, context: &mut Context<'_>, answer: Description, connected: CallerIdentity) {
        let leg = self.caller.leg;
        match core::mem::replace(&mut self.caller.state, CallerState::Answered) {
            CallerState::Calling { offer, .. } => {
                tell_leg(context, false, LegCommand::Answer { leg, answer, connected });
                if offer.is_none() {
                    let patience = self.exchange_timer(context);
                    self.exchange = Exchange::Confirming { by: Side::Caller, patience };
                }
            }
            CallerState::Answered => {
                self.identify(context, connected);
                let offer = Some(answer);
                tell_leg(context, false, LegCommand::ReOffer { leg, offer });
                let patience = self.exchange_timer(context);
                let (by, delayed) = (Side::Called, false);
                self.exchange = Exchange::Offered { by, delayed, joining: true, patience };
            }
        }
    }

    fn refused(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
        leg: LegId,
        refused: Refused,
    ) -> Result<(), Cause> {
        let Called::Offering(offering) = &mut self.called else {
            return match self.side_of(leg) {
                Some(_) => Err(refused.cause),
                None => Ok(()),
            };
        };
        let Some(place) = offering.terminals.iter().position(|one| one.leg == leg) else {
            return Err(refused.cause);
        };
        let terminal = offering.terminals.swap_remove(place);
        legs.remove(leg, terminal.device);
        offering.refused = Some(offering.refused.map_or(refused, |other| better(other, refused)));
        self.nobody_left(context, legs)
    }

    /// Goes on, or ends, when the last device of the line takes no call.
    pub(super) fn nobody_left(
        &mut self,
        context: &mut Context<'_>,
        legs: &mut Legs,
    ) -> Result<(), Cause> {
        let Called::Offering(offering) = &mut self.called else { return Ok(()) };
        if !offering.terminals.is_empty() {
            return Ok(());
        }
        let result = match (offering.deflection.take(), offering.refused) {
            (Some(deflection), _) => self.deflect(context, legs, deflection),
            (None, Some(refused)) => {
                self.refused = Some(refused);
                self.exhausted(context, legs, refused.cause)
            }
            (None, None) => self.exhausted(context, legs, Cause::NoAnswer),
        };
        self.or_elsewhere(context, legs, result)
    }

    fn re_offered(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        offer: Option<Description>,
        hold: Option<bool>,
    ) -> Result<(), Cause> {
        if hold == Some(true) {
            self.tell_application(context, leg, |leg| CtiLeg::FeaturePressed { leg })?;
        }
        let by = self.side_of(leg);
        let far = by.and_then(|side| self.leg_of(side.other()));
        let (Some(by), Some((far, cti)), Exchange::Stable) = (by, far, &self.exchange) else {
            let cause = Cause::Congestion;
            tell_leg(context, self.is_cti(leg), LegCommand::ReRefuse { leg, cause });
            return Ok(());
        };
        let delayed = offer.is_none();
        tell_leg(context, cti, LegCommand::ReOffer { leg: far, offer });
        let patience = self.exchange_timer(context);
        self.exchange = Exchange::Offered { by, delayed, joining: false, patience };
        Ok(())
    }

    /// Whoever offered gives up before there is an answer (RFC 3261 section 9).
    fn re_withdrawn(&mut self, context: &mut Context<'_>, leg: LegId) {
        let side = self.side_of(leg);
        match self.exchange {
            Exchange::Offered { by, patience, .. } if side == Some(by) => {
                context.timers.cancel(patience);
                self.exchange = Exchange::Stable;
                self.withdraw(context, by.other());
            }
            _ => {}
        }
    }

    fn re_answered(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        answer: Description,
    ) -> Result<(), Cause> {
        let side = self.side_of(leg);
        let far = side.and_then(|side| self.leg_of(side.other()));
        let (Some(side), Some((far, cti))) = (side, far) else { return Ok(()) };
        let next = match &self.exchange {
            Exchange::Offered { by, delayed, patience, .. } if *by == side.other() => {
                context.timers.cancel(*patience);
                if *delayed {
                    let patience = self.exchange_timer(context);
                    Exchange::Confirming { by: side.other(), patience }
                } else {
                    Exchange::Stable
                }
            }
            Exchange::Confirming { by, patience } if *by == side => {
                context.timers.cancel(*patience);
                Exchange::Stable
            }
            _ => return Ok(()),
        };
        self.exchange = next;
        tell_leg(context, cti, LegCommand::ReAnswer { leg: far, answer });
        Ok(())
    }

    fn re_refused(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        cause: Cause,
    ) -> Result<(), Cause> {
        let side = self.side_of(leg);
        match self.exchange {
            Exchange::Offered { by, joining, patience, .. } if side == Some(by.other()) => {
                context.timers.cancel(patience);
                self.exchange = Exchange::Stable;
                if joining {
                    return Err(Cause::MediaUnavailable);
                }
                self.re_refuse(context, by, cause);
            }
            _ => {}
        }
        Ok(())
    }

    fn re_refuse(&self, context: &mut Context<'_>, by: Side, cause: Cause) {
        if let Some((leg, cti)) = self.leg_of(by) {
            tell_leg(context, cti, LegCommand::ReRefuse { leg, cause });
        }
    }

    /// What was offered to this side is not wanted any more.
    fn withdraw(&self, context: &mut Context<'_>, from: Side) {
        if let Some((leg, cti)) = self.leg_of(from) {
            tell_leg(context, cti, LegCommand::Withdraw { leg });
        }
    }

    /// Tells the application at the other end of the call, where there is one.
    pub(super) fn tell_application(
        &mut self,
        context: &mut Context<'_>,
        from: LegId,
        what: impl Fn(LegId) -> CtiLeg,
    ) -> Result<(), Cause> {
        if from == self.caller.leg {
            for (leg, _, cti) in self.legs().into_iter().skip(1) {
                if cti {
                    context.tell(Internal::ToCti(what(leg)));
                }
            }
        }
        Ok(())
    }

    /// Forgets what the two sides were negotiating.
    pub(super) fn settle_exchange(&mut self, context: &mut Context<'_>) {
        match core::mem::replace(&mut self.exchange, Exchange::Stable) {
            Exchange::Offered { patience, .. } | Exchange::Confirming { patience, .. } => {
                context.timers.cancel(patience);
            }
            Exchange::Stable => {}
        }
    }

    fn is_cti(&self, leg: LegId) -> bool {
        self.legs().iter().any(|(one, _, cti)| *one == leg && *cti)
    }

    fn exchange_timer(&self, context: &mut Context<'_>) -> TimerToken {
        context.after(EXCHANGE_LIMIT, Timer::Exchange { call: self.id })
    }

    /// How the device that answered is shown to the caller.
    fn connected_identity(
        &self,
        context: &Context<'_>,
        terminal: &Terminal,
        line: ObjectId,
    ) -> CallerIdentity {
        let device = context.directory.effective(terminal.device);
        let appearance = device.iter().flat_map(|one| &one.lines).find(|one| one.id.id() == line);
        let Some(appearance) = appearance else {
            return CallerIdentity { number: self.way.reached.clone(), name: "".into() };
        };
        shown(appearance)
    }
}

/// Of two reasons to refuse, the one that tells the caller more of the line.
fn better(one: Refused, other: Refused) -> Refused {
    let rank = |refused: Refused| match refused.cause {
        Cause::Busy => 0,
        Cause::Rejected => 1,
        Cause::NoAnswer => 2,
        Cause::MediaUnavailable | Cause::Congestion => 3,
        Cause::DeviceUnreachable => 4,
        Cause::Unregistered => 5,
        _ => 6,
    };
    if rank(other) < rank(one) { other } else { one }
}

/// Offer and answer take no longer than an INVITE transaction and a little more.
const EXCHANGE_LIMIT: Duration = Duration::from_secs(40);
