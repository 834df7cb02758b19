//! Requests of devices: inside a dialog they find their leg, outside they begin something.

use std::borrow::Cow;

use jackfield_sip::header::{Event, ReferTo};
use jackfield_sip::{DialogId, Flow, Message, Method, Response, ServerKey, Status};
use jackfield_vocabulary::LegId;

use super::super::authenticate::Proof;
use super::super::{Devices, cause};
use super::exchange::out_of_order;
use super::{State, sdp};
use crate::call::outlook;
use crate::context::{Context, Internal};
use crate::endpoint::{Endpoint, answer};
use crate::leg::LegEvent;

impl Devices {
    /// Any request but REGISTER, ACK and CANCEL.
    pub(crate) fn request(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ServerKey,
        flow: Flow,
        message: Message,
    ) {
        let Some(method) = message.method().cloned() else { return };
        if message.to_tag().is_none() {
            return match method {
                Method::Invite => self.call_in(ctx, endpoint, key, flow, message),
                Method::Options => {
                    let response = self.options_of_number(ctx, &flow, &message);
                    endpoint.respond(ctx, key, &response);
                }
                _ => self.outside(ctx, endpoint, key, &method, &message),
            };
        }
        let dialog = DialogId::of_request(&message);
        let leg = dialog.as_ref().and_then(|dialog| self.legs.dialogs.get(dialog).copied());
        let Some(leg) = leg else {
            let response = answer::plain(&message, Status::CALL_DOES_NOT_EXIST);
            return endpoint.respond(ctx, key, &response);
        };
        self.inside(ctx, endpoint, key, leg, &method, message);
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
        let status = match method {
            Method::Notify => self.key_notify(ctx, id, message),
            Method::Refer => {
                // Transfer is a matter of call control, which says no to it here.
                ctx.tell(Internal::ToCall(LegEvent::FeaturePressed { leg: id }));
                Status::DECLINE
            }
            // New media before the answer are none of what we can bring to the other side.
            Method::Update if sdp::of(message).is_some() => Status::NOT_ACCEPTABLE_HERE,
            Method::Options | Method::Update => Status::OK,
            Method::Invite => Status::REQUEST_PENDING,
            Method::Subscribe => Status::BAD_EVENT,
            _ => Status::METHOD_NOT_ALLOWED,
        };
        endpoint.respond(ctx, key, &answer::with_methods(message, status));
    }

    /// OPTIONS for a number is answered as an INVITE would be (RFC 3261 section 11.2), as far as that
    /// can be known without ringing anybody.
    fn options_of_number(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        message: &Message,
    ) -> Response {
        let device = match self.caller(ctx, flow, message) {
            Proof::Proved { device, .. } | Proof::Trusted { device } => device,
            Proof::Refused(Some(response)) => return response,
            _ => return answer::plain(message, Status::FORBIDDEN),
        };
        let number = message.uri().ok().and_then(|uri| uri.user().map(Cow::into_owned));
        match outlook(ctx.directory, device, &number.unwrap_or_default()) {
            Ok(()) => answer::options(message),
            Err(cause) => answer::plain(message, cause::status(cause)),
        }
    }

    /// Requests outside dialogs that begin no call.
    fn outside(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ServerKey,
        method: &Method,
        message: &Message,
    ) {
        let status = match method {
            Method::Refer => self.refer_outside(ctx, message),
            Method::Notify => match message.typed::<Event>() {
                // Phones keep a way through a NAT open so.
                Ok(event) if event.package.eq_ignore_ascii_case("keep-alive") => Status::OK,
                _ => Status::CALL_DOES_NOT_EXIST,
            },
            Method::Subscribe => Status::BAD_EVENT,
            Method::Bye | Method::Info | Method::Update => Status::CALL_DOES_NOT_EXIST,
            _ => Status::METHOD_NOT_ALLOWED,
        };
        endpoint.respond(ctx, key, &answer::with_methods(message, status));
    }

    /// Enterprise phones register tokens, report alarms and tell of call keys so; they can't answer
    /// a challenge to it.
    fn refer_outside(&mut self, ctx: &mut Context<'_>, message: &Message) -> Status {
        let target = message.typed::<ReferTo>().map(|to| to.uri.to_string()).unwrap_or_default();
        let body = String::from_utf8_lossy(message.body());
        let remote = target.starts_with("urn:x-cisco-remotecc:") || target.starts_with("cid:");
        if !remote {
            return Status::DECLINE;
        }
        let key = element(&body, "softkeyevent").unwrap_or_default();
        let known = CALL_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
        let call_id = element(&body, "callid").unwrap_or_default();
        let source = message.source();
        if known && source.is_some_and(|source| self.addresses.at(source).next().is_some()) {
            let mut dialogs = self.legs.dialogs.iter();
            let own = |leg: &LegId| self.legs.legs.get(leg).map(|leg| leg.flow.remote) == source;
            let found = dialogs.find(|(id, leg)| *id.call_id == *call_id && own(leg));
            if let Some((_, leg)) = found {
                ctx.tell(Internal::ToCall(LegEvent::FeaturePressed { leg: *leg }));
            }
        }
        Status::ACCEPTED
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
