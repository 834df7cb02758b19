//! Requests that are made from an INVITE: its CANCEL, and the ACK of a refusal.

use std::sync::Arc;

use crate::header::{Header, HeaderName, Via};
use crate::message::{Message, RequestBuilder};
use crate::method::Method;

/// The CANCEL of an INVITE that was sent (RFC 3261 section 9.1), with its reason (RFC 3326).
pub(super) fn cancel(invite: &[u8], reason: Option<&str>) -> Option<Arc<[u8]>> {
    let invite = Message::parse_datagram(invite).ok()?;
    derive(&invite, Method::Cancel, invite.first(HeaderName::To)?, reason)
}

/// The ACK of an answer from 300 to 699 (RFC 3261 section 17.1.1.3).
pub(super) fn ack(invite: &[u8], response: &Message) -> Option<Arc<[u8]>> {
    let invite = Message::parse_datagram(invite).ok()?;
    derive(&invite, Method::Ack, response.first(HeaderName::To)?, None)
}

fn derive(invite: &Message, method: Method, to: &str, reason: Option<&str>) -> Option<Arc<[u8]>> {
    let number = invite.cseq().ok()?.number;
    let via = Via::parse(invite.first(HeaderName::Via)?).ok()?;
    let cseq = format!("{number} {method}");
    let mut request = RequestBuilder::new(method, invite.raw_uri());
    for route in invite.all(HeaderName::Route) {
        request.push(HeaderName::Route, route);
    }
    if let Some(reason) = reason {
        request.push(HeaderName::Reason, reason);
    }
    let request = request
        .header(HeaderName::From, invite.first(HeaderName::From)?)
        .header(HeaderName::To, to)
        .header(HeaderName::CallId, invite.call_id())
        .header(HeaderName::CSeq, cseq);
    Some(request.write(&via).into())
}
