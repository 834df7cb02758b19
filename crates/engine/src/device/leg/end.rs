//! Legs end: by their device, by their call, or because nobody answers.

use jackfield_sip::{ClientKey, HeaderName, Message, Method, ServerKey, Status};
use jackfield_vocabulary::{Cause, LegId};

use super::super::{Devices, Sent, cause};
use super::{Exchange, State};
use crate::context::{Context, Internal};
use crate::endpoint::{Endpoint, answer};
use crate::leg::LegEvent;

impl Devices {
    /// A call ends one of its legs, in whatever state that is.
    pub(super) fn end_leg(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        why: Cause,
    ) {
        let Some(leg) = self.legs.legs.get_mut(&id) else { return };
        match &mut leg.state {
            State::Calling { .. } => self.refuse_calling(ctx, endpoint, id, why),
            State::Offered { invite, to, .. } => {
                let (invite, to) = (*invite, to.clone());
                let flow = leg.flow.clone();
                self.legs.close(ctx, id);
                // Its answer still comes: a refusal, or an acceptance that is too late.
                self.sent.insert(invite, Sent::Withdrawn { flow, to, why });
                endpoint.cancel(ctx, invite, cause::of_cancel(why).as_ref());
            }
            State::Up(up) if up.unacknowledged.is_some() => up.ending = Some(why),
            State::Up(_) => self.hang_up(ctx, endpoint, id, why),
        }
    }

    /// Sends BYE and forgets the leg.
    fn hang_up(&mut self, ctx: &mut Context<'_>, endpoint: &mut Endpoint, id: LegId, why: Cause) {
        let Some(leg) = self.legs.close(ctx, id) else { return };
        let flow = self.way(&leg);
        let State::Up(mut up) = leg.state else { return };
        Self::give_up_infos(ctx, endpoint, core::mem::take(&mut up.asked));
        match up.exchange {
            Exchange::Theirs { key, request } => {
                let response = answer::plain(&request, Status::REQUEST_TERMINATED);
                endpoint.respond(ctx, key, &response);
            }
            Exchange::AckOwed { invite, response } => {
                let ack = up.dialog.ack(super::offered::cseq(&response));
                endpoint.acknowledge(ctx, invite, &response, flow.clone(), &ack);
            }
            Exchange::Ours { invite, .. } => {
                self.withdraw(ctx, endpoint, invite, why);
            }
            Exchange::Glare { timer, .. } => ctx.timers.cancel(timer),
            Exchange::Idle | Exchange::AckAwaited => {}
        }
        let bye = up.dialog.request(Method::Bye);
        let bye = bye
            .header(HeaderName::Reason, cause::reason(why))
            .header(HeaderName::UserAgent, answer::SERVER);
        match up.unacknowledged {
            // Whoever never acknowledged our answer may not be there.
            Some(_) => endpoint.request_at_most(ctx, flow, &bye, REPEATS),
            None => endpoint.request(ctx, flow, &bye),
        };
    }

    /// An offer in a call that is over: whoever answered it with no more than 100 is told, too.
    fn withdraw(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        invite: ClientKey,
        why: Cause,
    ) {
        self.sent.remove(&invite);
        endpoint.cancel(ctx, invite, cause::of_cancel(why).as_ref());
    }

    /// The device is lost for this call.
    pub(super) fn lose_leg(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        cause: Cause,
    ) {
        let ending = self.legs.up(id).is_some_and(|up| up.ending.is_some());
        self.hang_up(ctx, endpoint, id, cause);
        if !ending {
            ctx.tell(Internal::ToCall(LegEvent::Ended { leg: id, cause }));
        }
    }

    /// The 2xx of a leg was never acknowledged.
    pub(crate) fn unacknowledged(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        invite: ServerKey,
    ) {
        let Some(id) = self.legs.invites.remove(&invite) else { return };
        if self.legs.up(id).is_none() {
            // It went on to another INVITE meanwhile, and is over.
            return;
        }
        ctx.count("calls-unacknowledged");
        self.lose_leg(ctx, endpoint, id, Cause::DeviceUnreachable);
    }

    /// The device hung up.
    pub(super) fn bye_in(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ServerKey,
        id: LegId,
        message: &Message,
    ) {
        endpoint.respond(ctx, key, &answer::plain(message, Status::OK));
        let Some(leg) = self.legs.close(ctx, id) else { return };
        let State::Up(mut up) = leg.state else { return };
        Self::give_up_infos(ctx, endpoint, core::mem::take(&mut up.asked));
        match up.exchange {
            Exchange::Theirs { key, request } => {
                let response = answer::plain(&request, Status::REQUEST_TERMINATED);
                endpoint.respond(ctx, key, &response);
            }
            Exchange::Glare { timer, .. } => ctx.timers.cancel(timer),
            Exchange::Ours { invite, .. } => {
                self.withdraw(ctx, endpoint, invite, Cause::Normal);
            }
            _ => {}
        }
        if up.ending.is_none() {
            let cause = Cause::Normal;
            ctx.tell(Internal::ToCall(LegEvent::Ended { leg: id, cause }));
        }
    }

    /// A device is gone for good: its legs end.
    pub(in crate::device) fn end_legs_of(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        device: jackfield_vocabulary::ObjectId,
    ) {
        let of_device = self.legs.legs.iter().filter(|(_, leg)| leg.device == device);
        let ids: Vec<LegId> = of_device.map(|(id, _)| *id).collect();
        for id in ids {
            let cause = Cause::Dropped;
            let event = match self.legs.legs.get(&id).map(|leg| &leg.state) {
                Some(State::Offered { .. }) => LegEvent::Refused { leg: id, cause },
                _ => LegEvent::Ended { leg: id, cause },
            };
            self.end_leg(ctx, endpoint, id, cause);
            ctx.tell(Internal::ToCall(event));
        }
    }
}

/// How often a request goes again to somebody who may not be there.
const REPEATS: u8 = 2;
