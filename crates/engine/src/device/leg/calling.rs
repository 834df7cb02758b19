//! A device places a call: its INVITE is proved, and waits for what the call says.

use core::time::Duration;
use std::borrow::Cow;

use jackfield_model::{Directory, Kind, Phone};
use jackfield_sip::header::{Expires, MaxForwards, NameAddr};
use jackfield_sip::{
    Dialog, DialogFault, Essentials, Flow, HeaderFault, HeaderName, Message, ResponseBuilder,
    ServerKey, Status, Uri,
};
use jackfield_vocabulary::{CallerIdentity, Cause, DeviceName, LegId, ObjectId};

use super::super::authenticate::{Proof, has_credentials};
use super::super::binding::Trust;
use super::super::claim::{Claim, Claimed};
use super::super::{Devices, cause, reach};
use super::{Exchange, Leg, State, Up, headers, privacy, sdp};
use crate::context::{Context, Internal, Timer};
use crate::endpoint::{Endpoint, answer};
use crate::leg::{Called, Description, LegEvent, Withheld};

impl Devices {
    /// An INVITE outside every dialog, of this device.
    pub(super) fn call_in(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ServerKey,
        flow: Flow,
        message: Message,
        device: ObjectId,
    ) {
        if let Err(fault) = way_back(&message) {
            let response = answer::refuse(&message, fault.status(), &fault.to_string());
            return endpoint.respond(ctx, key, &response);
        }
        let called = match self.called(ctx, device, &flow, &message) {
            Ok(called) => called,
            Err((status, why)) => {
                let response = answer::warn(&message, status, &self.node, why);
                return endpoint.respond(ctx, key, &response);
            }
        };
        endpoint.respond(ctx, key, &ResponseBuilder::reply_to(&message, Status::TRYING).finish());
        self.begin(ctx, key, flow, message, called);
    }

    /// The leg of a call that is looked into from now on.
    fn begin(
        &mut self,
        ctx: &mut Context<'_>,
        key: ServerKey,
        flow: Flow,
        message: Message,
        called: Called,
    ) {
        let (id, device) = (called.leg, called.device);
        let token = ctx.ids.tokens().tag().into();
        let tag = ctx.ids.tokens().tag().into();
        let direct = message.check().is_ok_and(|found| reach::is_direct(&flow, &found.via));
        let private = called.withheld != Withheld::NOTHING;
        let limit = message.optional::<Expires>().ok().flatten().map(|expires| {
            ctx.after(Duration::from_secs(expires.0.into()), Timer::InviteExpiry { leg: id })
        });
        let state = State::Calling { invite: key, request: Box::new(message), tag, limit };
        let shown = CallerIdentity::default();
        let leg = Box::new(Leg { device, flow, direct, token, shown, private, why: None, state });
        self.legs.insert(id, leg);
        ctx.tell(Internal::ToCall(LegEvent::Called(Box::new(called))));
    }

    /// Who calls: by digest, or by the way of a registration that was proved over a connection, or
    /// by the address of one that needs no proof.
    pub(in crate::device) fn caller(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
    ) -> Proof {
        let contact = request.optional().ok().flatten();
        let Ok(Essentials { to, from, .. }) = request.check() else {
            return Proof::Refused(Some(answer::plain(request, Status::BAD_REQUEST)));
        };
        if has_credentials(ctx.directory, request, &self.cluster(ctx.directory).sip_realm) {
            let contact = contact.as_ref().and_then(jackfield_sip::header::Contact::address);
            let claim = Claim::of(request, contact, to, from);
            return self.prove(ctx, (flow, false), request, &claim, Claimed::Nobody);
        }
        let user = from.user().unwrap_or_default().into_owned();
        let Some(device) = self.bound_here(ctx.directory, flow, &user) else {
            return Proof::Refused(Some(self.challenge(ctx, request, None, false)));
        };
        let trust = self.bindings.get(&device).map(|binding| binding.trust);
        let connected = flow.connection.is_some();
        let excused = match trust {
            Some(Trust::Proved | Trust::Given) => connected,
            // It was assigned to somebody meanwhile: from then on it has a secret to show.
            _ => ctx.directory.needs_no_secret(device),
        };
        if !excused {
            return Proof::Refused(Some(self.challenge(ctx, request, Some(device), false)));
        }
        Proof::Trusted { device }
    }

    /// The device that registered the way this message came, and means this user: the only one, or
    /// the one whose name or line it is.
    pub(super) fn bound_here(
        &self,
        directory: &Directory,
        flow: &Flow,
        user: &str,
    ) -> Option<ObjectId> {
        let came = |device: &ObjectId| {
            self.bindings.get(device).is_some_and(|binding| binding.came_from(flow))
        };
        let is_here = |device: &ObjectId| self.addresses.is_at(flow.remote, *device);
        if let Some(device) = directory.find(Kind::Phone, user).filter(is_here) {
            return Some(device).filter(came);
        }
        let mut here = self.addresses.at(flow.remote);
        if let (Some(only), None) = (here.next(), here.next()) {
            return Some(only).filter(came);
        }
        // Thousands may share the address of a gateway: only those with the line are looked at.
        let lines = directory.lines_with(user).map(|(line, _)| line.id());
        let of_user = lines.flat_map(|line| directory.appearances(line));
        of_user.filter(is_here).filter(came).min()
    }

    /// What is called, and from which line.
    fn called(
        &mut self,
        ctx: &mut Context<'_>,
        device: ObjectId,
        flow: &Flow,
        request: &Message,
    ) -> Result<Called, (Status, &'static str)> {
        if privacy::is_out_of_reach(request) {
            return Err((Status::SERVER_INTERNAL_ERROR, NO_PRIVACY));
        }
        let phone = ctx.directory.typed::<Phone>(device);
        let phone = phone.ok_or((Status::FORBIDDEN, "unknown device"))?;
        if !self.bindings.contains_key(&device) {
            return Err((Status::FORBIDDEN, "the device is not registered"));
        }
        let users = users(request);
        let has_number = |line: &&jackfield_model::PhoneLine| {
            let line = ctx.directory.get(line.line);
            line.is_some_and(|line| users.iter().any(|user| line.number.as_str() == user))
        };
        let line = phone.lines.iter().find(has_number).or_else(|| phone.lines.first());
        let line = line.ok_or((Status::FORBIDDEN, "the device has no line"))?.line.id();
        let dialled = request.uri().ok().and_then(|uri| uri.user().map(Cow::into_owned));
        let dialled = dialled.filter(|dialled| !dialled.is_empty());
        let dialled = dialled.ok_or((Status::ADDRESS_INCOMPLETE, "no number was dialled"))?;
        if dialled.len() > DIALLED {
            return Err((Status::NOT_FOUND, "no number is so long"));
        }
        let withheld = privacy::wanted(request);
        let offer = sdp::shown(request, withheld != Withheld::NOTHING);
        let hops = request.optional::<MaxForwards>().ok().flatten().map_or(70, |hops| hops.0);
        Ok(Called {
            leg: ctx.ids.leg(),
            device,
            name: DeviceName::from(&*phone.name),
            source: flow.remote.ip(),
            proved: self.bindings.get(&device).is_some_and(|one| one.trust == Trust::Proved),
            line,
            dialled: dialled.into(),
            withheld,
            offer,
            max_forwards: hops,
        })
    }

    /// The far side rings, or has something else to say before an answer.
    pub(super) fn ring(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        leg: LegId,
        (status, early): (Status, Option<&Description>),
        connected: CallerIdentity,
    ) {
        let Some(leg) = self.legs.legs.get_mut(&leg) else { return };
        leg.shown = connected;
        let State::Calling { invite, request, tag, .. } = &leg.state else { return };
        let contact = headers::contact(&leg.flow, &leg.token);
        let response = ResponseBuilder::reply_to(request, status).to_tag(tag);
        let response = headers::usual_in_answer(response, &contact);
        let response = headers::identity_in_answer(response, &leg.flow, &leg.shown);
        let response = match early {
            Some(early) => response.body(sdp::SDP, &early.0).finish(),
            None => response.finish(),
        };
        endpoint.respond(ctx, *invite, &response);
    }

    /// The far side answered.
    pub(super) fn answer(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        answer: &Description,
        connected: CallerIdentity,
    ) {
        if !self.legs.is_calling(id) {
            return;
        }
        let Some(mut leg) = self.legs.close(ctx, id) else { return };
        let State::Calling { invite, request, tag, .. } = leg.state else { return };
        leg.shown = connected;
        // It could when the call began.
        let Ok(mut dialog) = Dialog::uas(&request, &tag) else { return };
        dialog.confirm();
        let contact = headers::contact(&leg.flow, &leg.token);
        let response = ResponseBuilder::reply_to(&request, Status::OK).to_tag(&tag);
        let response = headers::usual_in_answer(response, &contact);
        let response = headers::identity_in_answer(response, &leg.flow, &leg.shown);
        let response = response.body(sdp::SDP, &answer.0).finish();
        endpoint.respond(ctx, invite, &response);
        let described = sdp::shown(&request, leg.private);
        let delayed = described.is_none();
        let up = Up {
            dialog,
            exchange: if delayed { Exchange::AckAwaited } else { Exchange::Idle },
            unacknowledged: Some(invite),
            ending: None,
            updates: request.has_token(HeaderName::Allow, "UPDATE"),
            described,
            told: Some(answer.clone()),
            asked: Vec::new(),
            audit: None,
            keys: None,
        };
        leg.state = State::Up(Box::new(up));
        self.legs.insert(id, leg);
        self.legs.invites.insert(invite, id);
        self.plan_audit(ctx, id);
    }

    /// The device gave up before an answer: its call, or new media in it.
    pub(in crate::device) fn cancelled(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        invite: ServerKey,
    ) {
        let Some(id) = self.legs.invites.get(&invite).copied() else { return };
        if !self.legs.is_calling(id) {
            return self.re_offer_cancelled(ctx, endpoint, id, invite);
        }
        self.refuse_calling(ctx, endpoint, id, Cause::Cancelled);
        ctx.tell(Internal::ToCall(LegEvent::Ended { leg: id, cause: Cause::Cancelled }));
    }

    /// The time that the caller gave its INVITE is over (RFC 3261 section 13.3.1).
    pub(in crate::device) fn invite_expired(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
    ) {
        if let Some(State::Calling { invite, .. }) = self.legs.legs.get(&id).map(|leg| &leg.state) {
            let invite = *invite;
            self.cancelled(ctx, endpoint, invite);
        }
    }

    /// Answers the INVITE of a waiting caller with a refusal.
    pub(super) fn refuse_calling(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        why: Cause,
    ) {
        self.refuse_with(ctx, endpoint, id, why, (cause::status(why), cause::reason(why)));
    }

    /// The called device refused: the caller is told by the status that means it.
    pub(super) fn decline(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        why: Cause,
        status: Status,
    ) {
        match self.legs.legs.get(&id).map(|leg| &leg.state) {
            Some(State::Calling { .. }) => {
                let answer = (cause::passed_on(status), cause::reason_of(status));
                self.refuse_with(ctx, endpoint, id, why, answer);
            }
            _ => self.end_leg(ctx, endpoint, id, why),
        }
    }

    fn refuse_with(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        why: Cause,
        (status, reason): (Status, String),
    ) {
        let Some(leg) = self.legs.close(ctx, id) else { return };
        let State::Calling { invite, request, tag, .. } = &leg.state else { return };
        let response = ResponseBuilder::reply_to(request, status)
            .to_tag(tag)
            .header(HeaderName::Reason, reason)
            .header(HeaderName::Allow, answer::ALLOW)
            .header(HeaderName::Server, answer::SERVER);
        let response = match why {
            Cause::Congestion if status == Status::SERVICE_UNAVAILABLE => {
                response.header(HeaderName::RetryAfter, 5 + ctx.ids.below(10))
            }
            _ => response,
        };
        let response = match &leg.why {
            Some(why) => response.typed(&answer::warning(&self.node, why)),
            None => response,
        };
        endpoint.respond(ctx, *invite, &response.finish());
    }
}

/// An INVITE without a place for our requests can't become a session: nobody's phone is to ring for
/// it (RFC 3261 sections 8.1.1.8 and 12.1.1).
fn way_back(invite: &Message) -> Result<(), DialogFault> {
    match Dialog::uas(invite, "")?.remote_target() {
        Uri::Sip(_) => Ok(()),
        _ => Err(DialogFault::Header(HeaderName::Contact, HeaderFault::Uri)),
    }
}

/// The users by which a request may name the line that it comes from. A caller that wants to be anonymous
/// names it in P-Preferred-Identity (RFC 3325 section 9.2).
fn users(request: &Message) -> Vec<String> {
    let from = request.first(HeaderName::From).into_iter();
    let values = from
        .chain(request.elements(HeaderName::PPreferredIdentity))
        .chain(request.elements(HeaderName::RemotePartyId));
    let addresses = values.take(4).filter_map(|value| NameAddr::parse(value).ok());
    addresses.filter_map(|address| Some(address.user()?.into_owned())).collect()
}

const NO_PRIVACY: &str = "a kind of privacy that is critical to the caller can't be given here";

/// Longest number or user that can be dialled.
const DIALLED: usize = 64;
