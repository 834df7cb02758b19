//! What is answered before anybody looks who sent it: what we can't do, and OPTIONS for the node.

use std::borrow::Cow;

use jackfield_sip::header::{ContentType, MaxForwards, Require};
use jackfield_sip::{
    Flow, Header, HeaderName, Message, Method, Params, Response, ResponseBuilder, Status,
    Transport, limits, parts,
};

use super::answer;

/// The answer to a request that concerns no device; `None` when one has to look at it.
pub(super) fn screen(flow: &Flow, request: &Message) -> Option<Response> {
    let method = request.method()?;
    let in_dialog = request.to_tag().is_some();
    unknown_method(request, method, in_dialog)
        .or_else(|| unknown_scheme(flow, request))
        .or_else(|| too_many_hops(request, method, in_dialog))
        .or_else(|| unknown_extension(request))
        .or_else(|| unreadable_body(request, method))
        .or_else(|| is_for_node(request, method).then(|| answer::options(request)))
}

/// OPTIONS for the node itself, and for no number.
fn is_for_node(request: &Message, method: &Method) -> bool {
    let user = || request.uri().ok().and_then(|uri| uri.user().map(Cow::into_owned));
    *method == Method::Options
        && request.to_tag().is_none()
        && user().is_none_or(|user| user.is_empty())
}

/// RFC 3261 section 8.2.1.
fn unknown_method(request: &Message, method: &Method, in_dialog: bool) -> Option<Response> {
    let status = match method {
        Method::Other(_) => Status::NOT_IMPLEMENTED,
        Method::Publish => Status::METHOD_NOT_ALLOWED,
        Method::Prack if in_dialog => Status::CALL_DOES_NOT_EXIST,
        Method::Prack => Status::METHOD_NOT_ALLOWED,
        Method::Message if !in_dialog => Status::METHOD_NOT_ALLOWED,
        _ => return None,
    };
    Some(answer::with_methods(request, status))
}

/// RFC 3261 section 8.2.2.1. A `urn:` is only read where a phone registers a token with it; `sips:`
/// asks for TLS on every hop (section 26.2.2), which is not to be had once this one had none.
fn unknown_scheme(flow: &Flow, request: &Message) -> Option<Response> {
    let uri = request.raw_uri().as_bytes();
    let scheme = uri.split(|byte| *byte == b':').next().unwrap_or_default();
    let safe = matches!(flow.transport, Transport::Tls | Transport::Wss);
    if scheme.eq_ignore_ascii_case(b"sips") && !safe {
        return Some(answer::plain(request, Status::UNSUPPORTED_URI_SCHEME));
    }
    if KNOWN.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(scheme)) {
        // Whether the rest is well-formed was checked before, or is checked next.
        return None;
    }
    match request.uri() {
        Ok(_) => Some(answer::plain(request, Status::UNSUPPORTED_URI_SCHEME)),
        Err(_) => Some(answer::refuse(request, Status::BAD_REQUEST, "Bad Request-URI")),
    }
}

/// A call goes on from here to another device, so its hops count (RFC 3261 section 16.3).
fn too_many_hops(request: &Message, method: &Method, in_dialog: bool) -> Option<Response> {
    let hops = request.optional::<MaxForwards>().ok().flatten();
    let spent = hops.is_some_and(|hops| hops.0 == 0) && *method == Method::Invite && !in_dialog;
    spent.then(|| answer::plain(request, Status::TOO_MANY_HOPS))
}

/// RFC 3261 section 8.2.2.3. Nothing we know of has to be required. However many are asked for, they
/// are not understood; the answer names as many as a list may have.
fn unknown_extension(request: &Message) -> Option<Response> {
    let asked = [HeaderName::Require, HeaderName::ProxyRequire];
    let asked = asked.into_iter().flat_map(|name| request.elements(name));
    let mut unknown: Vec<&str> = asked.filter(|tag| !tag.is_empty()).collect();
    if unknown.is_empty() {
        return None;
    }
    if unknown.iter().any(|tag| Require::parse(tag).is_err()) {
        return Some(answer::refuse(request, Status::BAD_REQUEST, "Bad Require"));
    }
    unknown.truncate(limits::LIST);
    let response = ResponseBuilder::reply_to(request, Status::BAD_EXTENSION)
        .header(HeaderName::Server, answer::SERVER)
        .header(HeaderName::Unsupported, unknown.join(", "));
    Some(response.finish())
}

/// RFC 3261 section 8.2.3, and bodies larger than any phone has reason to send.
fn unreadable_body(request: &Message, method: &Method) -> Option<Response> {
    if request.body().len() > BODY {
        return Some(answer::plain(request, Status::REQUEST_ENTITY_TOO_LARGE));
    }
    if let Some(encoding) = request.first(HeaderName::ContentEncoding)
        && !encoding.eq_ignore_ascii_case("identity")
    {
        let response = ResponseBuilder::reply_to(request, Status::UNSUPPORTED_MEDIA_TYPE)
            .header(HeaderName::AcceptEncoding, "identity");
        return Some(response.finish());
    }
    if !matches!(method, Method::Invite | Method::Update) || request.body().is_empty() {
        return None;
    }
    let kind = request.first(HeaderName::ContentType).unwrap_or_default();
    let disposition = request.first(HeaderName::ContentDisposition);
    (!is_read(kind, disposition, request.body())).then(|| {
        ResponseBuilder::reply_to(request, Status::UNSUPPORTED_MEDIA_TYPE)
            .header(HeaderName::Accept, answer::READABLE.join(", "))
            .finish()
    })
}

/// Can this body, or this part of one, be read, or does its sender not mind when it is not? Without a
/// word about it the sender does (RFC 3261 section 20.11).
fn is_read(kind: &str, disposition: Option<&str>, body: &[u8]) -> bool {
    let name = kind.split(';').next().unwrap_or_default().trim();
    let parts = || -> Option<bool> {
        let kind = ContentType::parse(kind).ok()?;
        let parts = parts(&kind, body).ok()?;
        Some(parts.iter().all(|part| {
            let (kind, disposition) =
                (part.header("Content-Type"), part.header("Content-Disposition"));
            is_optional(disposition) || kind.is_some_and(is_sdp)
        }))
    };
    is_optional(disposition)
        || is_sdp(kind)
        || (name.eq_ignore_ascii_case("multipart/mixed") && parts().unwrap_or_default())
}

fn is_sdp(kind: &str) -> bool {
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(ContentType::SDP)
}

fn is_optional(disposition: Option<&str>) -> bool {
    let params = disposition.and_then(|value| Some(&value[value.find(';')?..]));
    let params = params.and_then(|params| Params::parse(params).ok());
    params.is_some_and(|params| {
        params.text("handling").is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
    })
}

/// Schemes of addresses that are ours to answer.
const KNOWN: [&str; 3] = ["sip", "sips", "tel"];
/// Octets of a body.
const BODY: usize = 32 * 1024;
