//! Requests of devices: inside a dialog they find their leg, outside they begin something.

use std::borrow::Cow;

use jackfield_sip::header::{Event, ReferTo};
use jackfield_sip::{
    DialogId, Essentials, Flow, Message, Method, NewRequest, Response, ServerKey, Status,
};
use jackfield_vocabulary::{LegId, ObjectId};

use super::super::authenticate::{Proof, has_credentials};
use super::super::binding::Trust;
use super::super::claim::{Claim, Claimed};
use super::super::{Devices, cause};
use super::exchange::{out_of_order, try_again};
use super::{State, sdp};
use crate::call::outlook;
use crate::context::{Context, Internal};
use crate::endpoint::{Endpoint, Sender, answer};
use crate::leg::LegEvent;

impl Devices {
    /// A request that is new. What can be answered without anything being kept of it is, whoever
    /// sent it (RFC 3261 section 8.2.7); a transaction opens only for devices that are known, or
    /// that speak inside their dialogs.
    pub(crate) fn arrived(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        request: NewRequest,
    ) {
        let (flow, message) = (request.flow(), request.message());
        match self.arrival(ctx, flow, message) {
            Arrival::Admitted { sender, proved } => endpoint.admit(ctx, request, sender, proved),
            Arrival::Answered(response) => endpoint.reply(ctx, flow, message, &response),
            Arrival::Ignored => {}
        }
    }

    fn arrival(&mut self, ctx: &mut Context<'_>, flow: &Flow, message: &Message) -> Arrival {
        if message.to_tag().is_some() {
            let dialog = DialogId::of_request(message);
            let leg = dialog.as_ref().and_then(|dialog| self.legs.dialogs.get(dialog).copied());
            return match leg {
                Some(leg) => self.insider(ctx, flow, message, leg),
                None => Arrival::Answered(answer::plain(message, Status::CALL_DOES_NOT_EXIST)),
            };
        }
        match message.method() {
            Some(Method::Invite | Method::Options) => match self.caller(ctx, flow, message) {
                Proof::Proved { device, .. } => {
                    Arrival::Admitted { sender: Sender::Caller(device), proved: true }
                }
                Proof::Trusted { device } => {
                    let binding = self.bindings.get(&device);
                    let proved = binding.is_some_and(|binding| binding.trust == Trust::Proved);
                    Arrival::Admitted { sender: Sender::Caller(device), proved }
                }
                Proof::Refused(response) => response.map_or(Arrival::Ignored, Arrival::Answered),
                Proof::Newcomer { .. }
                | Proof::Doubtful
                | Proof::Unasked { .. }
                | Proof::Repeated { .. }
                | Proof::Outdated { .. } => {
                    Arrival::Answered(answer::plain(message, Status::FORBIDDEN))
                }
            },
            Some(method) => self.outside(method, message),
            None => Arrival::Ignored,
        }
    }

    /// A request inside a dialog has to come from where its device is, or to be proved: whoever else
    /// knows Call-ID and tags has listened (RFC 3261 section 26.1.4).
    fn insider(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        message: &Message,
        id: LegId,
    ) -> Arrival {
        let Some(device) = self.legs.legs.get(&id).map(|leg| leg.device) else {
            return Arrival::Ignored;
        };
        let admitted = Arrival::Admitted { sender: Sender::Dialog(id), proved: true };
        if self.is_at(id, flow) {
            return admitted;
        }
        let realm = &self.cluster(ctx.directory).sip_realm;
        if has_credentials(ctx.directory, message, realm)
            && let Ok(Essentials { to, from, .. }) = message.check()
        {
            let claim = Claim::of(message, None, to, from);
            match self.prove(ctx, (flow, false), message, &claim, Claimed::Device(device)) {
                Proof::Proved { device: proved, .. } if proved == device => return admitted,
                Proof::Refused(response) => {
                    return response.map_or(Arrival::Ignored, Arrival::Answered);
                }
                _ => {}
            }
        }
        ctx.count("dialogs-from-elsewhere");
        Arrival::Answered(self.challenge(ctx, message, Some(device), false))
    }

    /// Did this come from the host that the leg's call came from or went to, or from where its device
    /// is registered now? Ports differ: phones send from others than they listen on.
    pub(super) fn is_at(&self, id: LegId, flow: &Flow) -> bool {
        let Some(leg) = self.legs.legs.get(&id) else { return false };
        let host = |flow: &Flow| flow.remote.ip().to_canonical();
        let binding = self.bindings.get(&leg.device);
        host(flow) == host(&leg.flow)
            || binding.is_some_and(|binding| host(flow) == host(&binding.flow))
    }

    /// A request that was admitted.
    pub(crate) fn request(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ServerKey,
        flow: Flow,
        message: Message,
        sender: Sender,
    ) {
        let Some(method) = message.method().cloned() else { return };
        match sender {
            Sender::Caller(device) if method == Method::Options => {
                let response = options_of_number(ctx, device, &message);
                endpoint.respond(ctx, key, &response);
            }
            Sender::Caller(device) => self.call_in(ctx, endpoint, key, flow, message, device),
            Sender::Dialog(leg) => self.inside(ctx, endpoint, key, leg, &method, message),
            Sender::CallKey(leg) => {
                ctx.tell(Internal::ToCall(LegEvent::FeaturePressed { leg }));
                endpoint.respond(ctx, key, &answer::plain(&message, Status::ACCEPTED));
            }
        }
    }

    fn inside(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ServerKey,
        id: LegId,
        method: &Method,
        message: Message,
    ) {
        match method {
            Method::Bye if self.legs.up(id).is_some() => {
                self.bye_in(ctx, endpoint, key, id, &message);
            }
            Method::Bye => {
                // A caller may end an early dialog so (RFC 3261 section 15).
                endpoint.respond(ctx, key, &answer::plain(&message, Status::OK));
                let invite = match self.legs.legs.get(&id).map(|leg| &leg.state) {
                    Some(State::Calling { invite, .. }) => *invite,
                    _ => return,
                };
                self.cancelled(ctx, endpoint, invite);
            }
            Method::Invite | Method::Update if self.legs.up(id).is_some() => {
                self.re_offered(ctx, endpoint, key, id, message);
            }
            Method::Info => self.info_in(ctx, endpoint, key, id, message),
            _ => self.little(ctx, endpoint, key, id, method, &message),
        }
    }

    /// Requests that leave the session as it is.
    fn little(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ServerKey,
        id: LegId,
        method: &Method,
        message: &Message,
    ) {
        if let Some(up) = self.legs.up(id)
            && let Err(fault) = up.dialog.receive_request(message)
        {
            return endpoint.respond(ctx, key, &out_of_order(message, fault));
        }
        if *method == Method::Update && sdp::of(message).is_some() {
            // The offer of its INVITE has no answer yet (RFC 3311 section 5.2).
            let response = try_again(ctx, message);
            return endpoint.respond(ctx, key, &response);
        }
        let status = match method {
            Method::Notify => self.key_notify(ctx, id, message),
            Method::Refer => {
                // Transfer is not there yet: a method that is known and not supported (RFC 3261 section
                // 8.2.1), not one that somebody declined (RFC 3515 section 2.4.2).
                ctx.tell(Internal::ToCall(LegEvent::FeaturePressed { leg: id }));
                Status::METHOD_NOT_ALLOWED
            }
            Method::Options | Method::Update => Status::OK,
            Method::Invite => Status::REQUEST_PENDING,
            Method::Subscribe => Status::BAD_EVENT,
            _ => Status::METHOD_NOT_ALLOWED,
        };
        endpoint.respond(ctx, key, &answer::with_methods(message, status));
    }

    /// Requests outside dialogs that begin no call.
    fn outside(&self, method: &Method, message: &Message) -> Arrival {
        let status = match method {
            Method::Refer => match self.remote_control(message) {
                Some(RemoteControl::Key(leg)) => {
                    return Arrival::Admitted { sender: Sender::CallKey(leg), proved: true };
                }
                Some(RemoteControl::Other) => {
                    return Arrival::Answered(answer::plain(message, Status::ACCEPTED));
                }
                None => Status::METHOD_NOT_ALLOWED,
            },
            Method::Notify => match message.typed::<Event>() {
                // Phones keep a way through a NAT open so.
                Ok(event) if event.package.eq_ignore_ascii_case("keep-alive") => Status::OK,
                _ => Status::CALL_DOES_NOT_EXIST,
            },
            Method::Subscribe => Status::BAD_EVENT,
            Method::Bye | Method::Info | Method::Update => Status::CALL_DOES_NOT_EXIST,
            _ => Status::METHOD_NOT_ALLOWED,
        };
        Arrival::Answered(answer::with_methods(message, status))
    }

    /// Enterprise phones register tokens, report alarms and tell of call keys by REFER; they can't answer
    /// a challenge to it. A call key counts where it comes from the phone of its call. None for a
    /// reference to somebody, which is another matter.
    fn remote_control(&self, message: &Message) -> Option<RemoteControl> {
        let target = message.typed::<ReferTo>().map(|to| to.uri.to_string()).unwrap_or_default();
        if !(target.starts_with("urn:x-cisco-remotecc:") || target.starts_with("cid:")) {
            return None;
        }
        let body = String::from_utf8_lossy(message.body());
        let key = element(&body, "softkeyevent").unwrap_or_default();
        let known = CALL_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
        let call_id = element(&body, "callid").unwrap_or_default();
        let source = message.source();
        if known && source.is_some_and(|source| self.addresses.at(source).next().is_some()) {
            let own = |leg: &LegId| self.legs.legs.get(leg).map(|leg| leg.flow.remote) == source;
            if let Some(leg) = self.legs.with_call_id(call_id).find(own) {
                return Some(RemoteControl::Key(leg));
            }
        }
        Some(RemoteControl::Other)
    }
}

/// What an enterprise phone tells by REFER.
enum RemoteControl {
    /// A key of this call was pressed.
    Key(LegId),
    /// What is taken note of.
    Other,
}

/// What is done with a request that is new.
enum Arrival {
    /// It gets a transaction.
    Admitted { sender: Sender, proved: bool },
    /// It is answered, and nothing is kept of it.
    Answered(Response),
    /// It gets no answer.
    Ignored,
}

/// OPTIONS for a number is answered as an INVITE would be (RFC 3261 section 11.2), as far as that can be
/// known without ringing anybody.
fn options_of_number(ctx: &Context<'_>, device: ObjectId, message: &Message) -> Response {
    let number = message.uri().ok().and_then(|uri| uri.user().map(Cow::into_owned));
    match outlook(ctx.directory, device, &number.unwrap_or_default()) {
        Ok(()) => answer::options(message),
        Err(cause) => answer::plain(message, cause::status(cause)),
    }
}

/// The text of the first element of this name; enough for the flat XML of phones.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let open = format!("<{name}>");
    let rest = text.get(text.find(&open)? + open.len()..)?;
    Some(rest.get(..rest.find("</")?)?.trim())
}

/// Softkeys of a call that a remote-cc REFER tells of.
const CALL_KEYS: [&str; 6] = ["Hold", "Transfer", "Conference", "Confrn", "Park", "Trnsfer"];
