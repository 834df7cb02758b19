//! New offers and answers in an answered leg (RFC 3264, RFC 6337): hold, resume, other codecs,
//! from either side.

use core::time::Duration;

use jackfield_sip::{
    ClientKey, DialogFault, HeaderName, Message, Method, ResponseBuilder, ServerKey, Status,
};
use jackfield_vocabulary::{CallerIdentity, Cause, LegId, Now};

use super::super::{Devices, Sent, cause};
use super::headers::{self, Party};
use super::offered::cseq;
use super::{Exchange, Leg, privacy, sdp};
use crate::context::{Context, Internal, Timer};
use crate::endpoint::{Endpoint, answer};
use crate::leg::{Description, LegEvent, Withheld};

impl Devices {
    /// A call offers new media to a device.
    pub(super) fn re_offer(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        offer: Option<Description>,
    ) {
        let idle = self.legs.up(id).is_some_and(|up| matches!(up.exchange, Exchange::Idle));
        if !idle {
            let cause = Cause::Congestion;
            return ctx.tell(Internal::ToCall(LegEvent::ReRefused { leg: id, cause }));
        }
        let since = ctx.now;
        self.send_re_offer(ctx, endpoint, id, offer, since);
    }

    /// Sends the re-INVITE, for the first time or again after glare.
    pub(super) fn send_re_offer(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        offer: Option<Description>,
        since: Now,
    ) {
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let flow = self.way(leg);
        let contact = headers::contact(&flow, &leg.token);
        let shown = leg.shown.clone();
        let Some(up) = self.legs.up(id) else { return };
        let request = headers::usual(up.dialog.request(Method::Invite), &contact);
        let request = headers::identity(request, &flow, &shown, Party::Called);
        let request = match &offer {
            Some(offer) => request.body(sdp::SDP, &*offer.0),
            None => request,
        };
        let invite = endpoint.request(ctx, flow, &request);
        up.exchange = Exchange::Ours { invite, offer, since, withdrawn: false };
        self.sent.insert(invite, Sent::ReOffer(id));
    }

    /// The device answers our re-INVITE.
    pub(in crate::device) fn re_offer_answered(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
        id: LegId,
        message: &Message,
    ) {
        let Some(status) = message.status().filter(|status| status.is_final()) else { return };
        self.sent.remove(&key);
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let (flow, description) = (self.way(leg), leg.described(message));
        let Some(up) = self.legs.up(id) else { return };
        let (offer, since, withdrawn) = match core::mem::replace(&mut up.exchange, Exchange::Idle) {
            Exchange::Ours { invite, offer, since, withdrawn } if invite == key => {
                (offer, since, withdrawn)
            }
            other => return up.exchange = other,
        };
        let pending = status == Status::REQUEST_PENDING && !withdrawn;
        if pending && ctx.now.since(since) < INSISTING {
            return self.glare(ctx, id, offer, since);
        }
        if !status.is_success() {
            return self.re_offer_refused(ctx, endpoint, id, status);
        }
        // A target that can't be read leaves the one we have.
        let _ = up.dialog.receive_response(message);
        if description.is_some() {
            up.described.clone_from(&description);
        }
        if withdrawn {
            return self.accepted_too_late(ctx, endpoint, key, id, message, offer.is_some());
        }
        if offer.is_none() && description.is_some() {
            up.exchange = Exchange::AckOwed { invite: key, response: Box::new(message.clone()) };
        } else {
            let ack = up.dialog.ack(cseq(message));
            endpoint.acknowledge(ctx, key, message, flow, &ack);
            if description.is_some() {
                up.told = offer;
            }
        }
        ctx.tell(Internal::ToCall(match description {
            Some(answer) => LegEvent::ReAnswered { leg: id, answer },
            None => LegEvent::ReRefused { leg: id, cause: Cause::MediaUnavailable },
        }));
    }

    /// Our re-INVITE had no answer: so the device is gone (RFC 3261 section 12.2.1.2).
    pub(in crate::device) fn re_offer_failed(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
    ) {
        self.lose_leg(ctx, endpoint, id, Cause::DeviceUnreachable);
    }

    fn re_offer_refused(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        status: Status,
    ) {
        if matches!(status.code(), 408 | 481) {
            return self.lose_leg(ctx, endpoint, id, Cause::DeviceUnreachable);
        }
        let cause = cause::of_refusal(status);
        ctx.tell(Internal::ToCall(LegEvent::ReRefused { leg: id, cause }));
    }

    /// RFC 3261 section 14.1: we wait 2.1 to 4 seconds where the Call-ID is ours, and up to 2
    /// where it is not.
    fn glare(&mut self, ctx: &mut Context<'_>, id: LegId, offer: Option<Description>, since: Now) {
        let Some(up) = self.legs.up(id) else { return };
        let ours = up.dialog.remote_cseq().is_none();
        let (least, span) = if ours { (2100, 1900) } else { (0, 2000) };
        let wait = Duration::from_millis(least + ctx.ids.below(span / 10) * 10);
        let timer = ctx.after(wait, Timer::GlareRetry { leg: id });
        up.exchange = Exchange::Glare { offer, timer, since };
    }

    /// The wait after glare is over.
    pub(crate) fn glare_retry(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
    ) {
        let Some(up) = self.legs.up(id) else { return };
        if let Exchange::Glare { offer, since, .. } = &up.exchange {
            let (offer, since) = (offer.clone(), *since);
            self.send_re_offer(ctx, endpoint, id, offer, since);
        }
    }

    /// The device offers new media: re-INVITE, or UPDATE with a description.
    pub(super) fn re_offered(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ServerKey,
        id: LegId,
        message: Message,
    ) {
        let Some(up) = self.legs.up(id) else { return };
        if let Err(fault) = up.dialog.receive_request(&message) {
            return endpoint.respond(ctx, key, &out_of_order(&message, fault));
        }
        let Some(leg) = self.legs.legs.get_mut(&id) else { return };
        leg.private |= privacy::wanted(&message) != Withheld::NOTHING;
        let offer = leg.described(&message);
        // Without an offer it crosses none, whatever goes on (RFC 3311 section 5.2).
        if message.method() == Some(&Method::Update) && offer.is_none() {
            let response = self.answer_in(id, &message, None);
            return endpoint.respond(ctx, key, &response);
        }
        if let Some(response) = self.crosses(ctx, id, &message) {
            return endpoint.respond(ctx, key, &response);
        }
        if message.method() == Some(&Method::Invite) {
            self.legs.invites.insert(key, id);
        }
        let Some(up) = self.legs.up(id) else { return };
        up.exchange = Exchange::Theirs { key, request: Box::new(message) };
        let hold = offer.as_ref().map(sdp::holds);
        ctx.tell(Internal::ToCall(LegEvent::ReOffered { leg: id, offer, hold }));
    }

    /// The answer to an offer of the device that can't be taken, for another one is open. One of ours
    /// that waits to be sent again gives way, and calls are told so.
    fn crosses(
        &mut self,
        ctx: &mut Context<'_>,
        id: LegId,
        offer: &Message,
    ) -> Option<jackfield_sip::Response> {
        match &self.legs.up(id)?.exchange {
            Exchange::Idle => None,
            // RFC 3261 section 14.2.
            Exchange::Theirs { .. } => Some(try_again(ctx, offer)),
            Exchange::Glare { timer, .. } => {
                ctx.timers.cancel(*timer);
                let cause = Cause::Congestion;
                ctx.tell(Internal::ToCall(LegEvent::ReRefused { leg: id, cause }));
                None
            }
            _ => Some(answer::plain(offer, Status::REQUEST_PENDING)),
        }
    }

    /// A call answers the device's new media, or what its 2xx offered.
    pub(super) fn re_answer(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        description: &Description,
    ) {
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let (flow, private) = (self.way(leg), leg.private);
        let Some(up) = self.legs.up(id) else { return };
        match core::mem::replace(&mut up.exchange, Exchange::Idle) {
            Exchange::Theirs { key, request } => {
                let is_invite = request.method() == Some(&Method::Invite);
                match sdp::shown(&request, private) {
                    None if is_invite => up.exchange = Exchange::AckAwaited,
                    None => {}
                    offer => up.described = offer,
                }
                if is_invite {
                    up.unacknowledged = Some(key);
                }
                up.told = Some(description.clone());
                let response = self.answer_in(id, &request, Some(description));
                endpoint.respond(ctx, key, &response);
            }
            Exchange::AckOwed { invite, response } => {
                up.told = Some(description.clone());
                let ack = up.dialog.ack(cseq(&response)).body(sdp::SDP, &*description.0);
                endpoint.acknowledge(ctx, invite, &response, flow, &ack);
            }
            other => up.exchange = other,
        }
    }

    /// A call refuses the device's new media.
    pub(super) fn re_refuse(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        why: Cause,
    ) {
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let flow = self.way(leg);
        let Some(up) = self.legs.up(id) else { return };
        match core::mem::replace(&mut up.exchange, Exchange::Idle) {
            Exchange::Theirs { key, request } => {
                self.legs.invites.remove(&key);
                let response = ResponseBuilder::reply_to(&request, cause::of_re_refusal(why))
                    .header(HeaderName::Server, answer::SERVER)
                    .finish();
                endpoint.respond(ctx, key, &response);
            }
            Exchange::AckOwed { invite, response } => {
                let ack = up.dialog.ack(cseq(&response));
                endpoint.acknowledge(ctx, invite, &response, flow, &ack);
            }
            other => up.exchange = other,
        }
    }

    /// Shows a device that the far side is somebody else now.
    pub(super) fn identify(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        connected: CallerIdentity,
    ) {
        let Some(leg) = self.legs.legs.get_mut(&id) else { return };
        leg.shown = connected;
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let flow = self.way(leg);
        let (contact, shown) = (headers::contact(&flow, &leg.token), leg.shown.clone());
        let Some(up) = self.legs.up(id) else { return };
        if up.updates && up.ending.is_none() && matches!(up.exchange, Exchange::Idle) {
            let request = headers::usual(up.dialog.request(Method::Update), &contact);
            let request = headers::identity(request, &flow, &shown, Party::Called);
            endpoint.request(ctx, flow, &request);
        }
    }

    /// An ACK came for a 2xx of ours.
    pub(crate) fn acknowledged(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        invite: Option<ServerKey>,
        message: &Message,
    ) {
        let Some(id) = invite.and_then(|invite| self.legs.invites.remove(&invite)) else { return };
        let Some(up) = self.legs.up(id) else { return };
        up.unacknowledged = None;
        if let Some(cause) = up.ending {
            return self.end_leg(ctx, endpoint, id, cause);
        }
        if matches!(up.exchange, Exchange::AckAwaited) {
            up.exchange = Exchange::Idle;
            let former = up.described.clone();
            // Who asks for an offer and leaves it unanswered means to go on as before.
            let answer = self.legs.legs.get(&id).and_then(|leg| leg.described(message)).or(former);
            if let Some(up) = self.legs.up(id) {
                up.described.clone_from(&answer);
            }
            match answer {
                Some(answer) => {
                    ctx.tell(Internal::ToCall(LegEvent::ReAnswered { leg: id, answer }));
                }
                None => self.lose_leg(ctx, endpoint, id, Cause::MediaUnavailable),
            }
        } else {
            ctx.tell(Internal::ToCall(LegEvent::Acknowledged { leg: id }));
        }
        let unwatched = self.legs.up(id).filter(|up| up.keys.is_none());
        let described = unwatched.and_then(|up| up.described.clone());
        self.watch_keys(ctx, endpoint, id, described.as_ref());
    }

    fn answer_in(
        &self,
        id: LegId,
        request: &Message,
        description: Option<&Description>,
    ) -> jackfield_sip::Response {
        let response = ResponseBuilder::reply_to(request, Status::OK);
        let Some(leg) = self.legs.legs.get(&id) else { return response.finish() };
        let Leg { flow, token, shown, .. } = &**leg;
        let response = headers::usual_in_answer(response, &headers::contact(flow, token));
        let response = headers::identity_in_answer(response, flow, shown);
        match description {
            Some(description) => response.body(sdp::SDP, &description.0).finish(),
            None => response.finish(),
        }
    }
}

/// The answer to a request that comes too late in its dialog.
pub(super) fn out_of_order(request: &Message, fault: DialogFault) -> jackfield_sip::Response {
    answer::refuse(request, fault.status(), "Out of order in the dialog")
}

/// The answer to an offer that comes while one of the same device has no answer.
pub(super) fn try_again(ctx: &mut Context<'_>, offer: &Message) -> jackfield_sip::Response {
    let response = ResponseBuilder::reply_to(offer, Status::SERVER_INTERNAL_ERROR);
    response.header(HeaderName::RetryAfter, ctx.ids.below(10)).finish()
}

/// A device that is always about to offer something itself is offered ours again for so long: less than
/// the call waits for an answer, so that nothing is offered that nobody waits for.
const INSISTING: Duration = Duration::from_secs(30);
