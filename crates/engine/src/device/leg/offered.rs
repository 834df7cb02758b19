//! A call is offered to a device: an INVITE to where it registered.

use jackfield_sip::header::{CSeq, MaxForwards};
use jackfield_sip::{
    ClientKey, Dialog, DialogId, Flow, HeaderName, Message, Method, RequestBuilder, Status, Uri,
};
use jackfield_vocabulary::{Cause, LegId};

use super::super::{Devices, Sent, cause};
use super::headers::{self, Party};
use super::{Exchange, Leg, State, Up, deflected, privacy, sdp};
use crate::context::{Context, Internal, Timer};
use crate::endpoint::Endpoint;
use crate::leg::{LegEvent, Offer, Withheld};

impl Devices {
    /// Offers a call to a device, where that line of it is registered.
    pub(super) fn offer(&mut self, ctx: &mut Context<'_>, endpoint: &mut Endpoint, offer: &Offer) {
        let refuse = |ctx: &mut Context<'_>, cause| {
            ctx.tell(Internal::ToCall(LegEvent::Refused { leg: offer.leg, cause }));
        };
        let binding = self.bindings.get(&offer.device);
        let reach = binding.and_then(|binding| Some((binding, binding.line(offer.line)?)));
        let Some((binding, line)) = reach else { return refuse(ctx, Cause::Unregistered) };
        if !self.may_be_there(ctx.now, offer.device, binding) {
            return refuse(ctx, Cause::DeviceUnreachable);
        }
        let (flow, direct) = (binding.way(line), line.listens.is_some());
        let contact = line.contact.clone();
        let token = ctx.ids.tokens().tag();
        let request = invite(ctx, &flow, &contact, &token, offer);
        let invite = endpoint.request(ctx, flow.clone(), &request);
        let silence = if flow.transport.is_reliable() { SILENCE } else { DATAGRAMS_SILENCE };
        let limit = ctx.after(silence, Timer::OfferGiveUp { leg: offer.leg });
        let described = offer.offer.clone();
        let state = State::Offered { invite, to: contact, offer: described, limit, heard: false };
        let shown = offer.caller.clone();
        let (device, token) = (offer.device, token.into());
        let (private, why) = (false, None);
        let leg = Box::new(Leg { device, flow, direct, token, shown, private, why, state });
        self.legs.insert(offer.leg, leg);
        self.sent.insert(invite, Sent::Offer(offer.leg));
    }

    /// The device answers an offered call, finally or not yet.
    pub(in crate::device) fn offer_answered(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
        id: LegId,
        flow: Flow,
        message: &Message,
    ) {
        let Some(status) = message.status() else { return };
        self.offer_heard(ctx, id);
        if status.is_provisional() {
            return self.offer_rings(ctx, id, message);
        }
        self.sent.remove(&key);
        if status.is_success() {
            return self.offer_accepted(ctx, endpoint, key, id, flow, message);
        }
        if self.legs.close(ctx, id).is_some() {
            let to = match status.is_redirection() {
                true => deflected::numbers(message, &flow),
                false => Vec::new(),
            };
            let cause = cause::of_refusal(status);
            ctx.tell(Internal::ToCall(match to.is_empty() {
                true => LegEvent::Declined { leg: id, cause, status },
                false => LegEvent::Deflected { leg: id, to },
            }));
        }
    }

    /// Whatever the device says, it is there: from now on it may ring as long as devices may.
    fn offer_heard(&mut self, ctx: &mut Context<'_>, id: LegId) {
        let Some(leg) = self.legs.legs.get_mut(&id) else { return };
        let State::Offered { limit, heard, .. } = &mut leg.state else { return };
        if !core::mem::replace(heard, true) {
            ctx.timers.cancel(*limit);
            *limit = ctx.after(LONGEST_RING, Timer::OfferGiveUp { leg: id });
            self.lost.forget(leg.device);
        }
    }

    /// No answer came at all.
    pub(in crate::device) fn offer_failed(&mut self, ctx: &mut Context<'_>, id: LegId) {
        if self.legs.close(ctx, id).is_some() {
            let cause = Cause::DeviceUnreachable;
            ctx.tell(Internal::ToCall(LegEvent::Refused { leg: id, cause }));
        }
    }

    fn offer_rings(&mut self, ctx: &mut Context<'_>, id: LegId, message: &Message) {
        let Some(leg) = self.legs.legs.get_mut(&id) else { return };
        let Some(status) = message.status().filter(|status| *status > Status::TRYING) else {
            return;
        };
        let withheld = privacy::wanted(message);
        leg.private |= withheld != Withheld::NOTHING;
        let early = leg.described(message);
        ctx.tell(Internal::ToCall(LegEvent::Ringing { leg: id, status, early, withheld }));
    }

    fn offer_accepted(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
        id: LegId,
        flow: Flow,
        message: &Message,
    ) {
        let Some(mut leg) = self.legs.close(ctx, id) else { return };
        let State::Offered { ref to, offer: ref told, .. } = leg.state else {
            return self.legs.insert(id, leg);
        };
        let flow = if leg.direct { leg.flow.clone() } else { flow };
        let withheld = privacy::wanted(message);
        leg.private |= withheld != Withheld::NOTHING;
        let (Some(dialog), Some(answer)) = (accepted(message, to), leg.described(message)) else {
            let cause = Cause::MediaUnavailable;
            end_late(ctx, endpoint, key, message, (flow, to, cause));
            return ctx.tell(Internal::ToCall(LegEvent::Refused { leg: id, cause }));
        };
        let told = told.clone();
        let exchange = if told.is_none() {
            Exchange::AckOwed { invite: key, response: Box::new(message.clone()) }
        } else {
            let ack = dialog.ack(cseq(message));
            let flow = leg.to_target(flow, &dialog);
            endpoint.acknowledge(ctx, key, message, flow, &ack);
            Exchange::Idle
        };
        let updates = message.has_token(HeaderName::Allow, "UPDATE");
        let up = Up {
            dialog,
            exchange,
            unacknowledged: None,
            ending: None,
            updates,
            described: Some(answer.clone()),
            told,
            asked: Vec::new(),
            audit: None,
            keys: None,
        };
        leg.state = State::Up(Box::new(up));
        self.legs.insert(id, leg);
        self.plan_audit(ctx, id);
        self.watch_keys(ctx, endpoint, id, Some(&answer));
        ctx.tell(Internal::ToCall(LegEvent::Answered { leg: id, answer, withheld }));
    }

    /// The answer to an offer that was withdrawn: an acceptance came too late.
    pub(in crate::device) fn withdrawn_answered(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
        message: &Message,
    ) {
        let Some(status) = message.status().filter(|status| status.is_final()) else { return };
        let Some(Sent::Withdrawn { flow, to, why }) = self.sent.remove(&key) else { return };
        if status.is_success() {
            end_late(ctx, endpoint, key, message, (flow, &to, why));
        }
    }

    /// An INVITE of ours was forked, and another branch accepts it, too: that is a dialog of its own, which
    /// nobody wants (RFC 3261 section 13.2.2.4).
    pub(in crate::device) fn accepted_again(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
        flow: Flow,
        message: &Message,
    ) {
        let accepts = message.status().is_some_and(Status::is_success)
            && message.cseq().is_ok_and(|cseq| cseq.method == Method::Invite);
        let dialog = DialogId::of_response(message);
        if accepts && dialog.is_some_and(|dialog| !self.legs.dialogs.contains_key(&dialog)) {
            let to = format!("sip:{}", flow.remote);
            end_late(ctx, endpoint, key, message, (flow, &to, Cause::AnsweredElsewhere));
        }
    }

    /// A device neither answers nor refuses for far too long; or it says nothing at all, not even 100, which
    /// would come within 0.2 seconds (RFC 3261 section 17.2.1): it may not be there.
    pub(crate) fn give_up_offer(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
    ) {
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let State::Offered { heard, .. } = leg.state else { return };
        let cause = if heard { Cause::NoAnswer } else { Cause::DeviceUnreachable };
        if !heard {
            let device = leg.device;
            self.ask_whether_there(ctx, endpoint, device);
        }
        self.end_leg(ctx, endpoint, id, cause);
        ctx.tell(Internal::ToCall(LegEvent::Refused { leg: id, cause }));
    }
}

fn invite(
    ctx: &mut Context<'_>,
    flow: &Flow,
    contact: &str,
    token: &str,
    offer: &Offer,
) -> RequestBuilder {
    let from = headers::address(flow, &offer.caller.number, &offer.caller.name);
    let from = from.with_tag(&ctx.ids.tokens().tag());
    let request = RequestBuilder::new(Method::Invite, contact)
        .typed(&MaxForwards(offer.max_forwards))
        .header(HeaderName::From, from)
        .header(HeaderName::To, headers::address(flow, &offer.called, ""))
        .header(HeaderName::CallId, ctx.ids.tokens().call_id())
        .typed(&CSeq::new(1, Method::Invite));
    let mut request = headers::usual(request, &headers::contact(flow, token));
    request = headers::identity(request, flow, &offer.caller, Party::Calling);
    if let Some((number, reason)) = &offer.diverted {
        request = request.typed(&headers::diversion(flow, number, *reason));
    }
    match &offer.offer {
        Some(description) => request.body(sdp::SDP, &*description.0),
        None => request,
    }
}

/// The dialog with a device that accepts, whatever its answer leaves out.
fn accepted(message: &Message, to: &str) -> Option<Dialog> {
    Dialog::uac_at(message, &Uri::parse(to).ok()?).ok()
}

/// Ends a session that was accepted when nobody wanted it any more, or that can't come about.
fn end_late(
    ctx: &mut Context<'_>,
    endpoint: &mut Endpoint,
    key: ClientKey,
    message: &Message,
    (flow, to, why): (Flow, &str, Cause),
) {
    let Some(mut dialog) = accepted(message, to) else { return };
    let ack = dialog.ack(cseq(message));
    endpoint.acknowledge(ctx, key, message, flow.clone(), &ack);
    let bye = dialog.request(Method::Bye).header(HeaderName::Reason, cause::reason(why));
    endpoint.request(ctx, flow, &bye);
}

pub(super) fn cseq(message: &Message) -> u32 {
    message.cseq().map_or(0, |cseq| cseq.number)
}

/// A phone on a connection has so long to say that it is there; over UDP it is asked five times until then.
const SILENCE: core::time::Duration = core::time::Duration::from_secs(5);
const DATAGRAMS_SILENCE: core::time::Duration = core::time::Duration::from_secs(8);
/// A phone that neither answers nor refuses is given up; lines have their own, shorter limits.
const LONGEST_RING: core::time::Duration = core::time::Duration::from_secs(330);
