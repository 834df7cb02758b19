//! Answers that say no, or not now.

use jackfield_sip::header::{RetryAfter, Warning};
use jackfield_sip::{HeaderName, Message, Response, ResponseBuilder, Status};

/// Refuses with a reason in place of the usual phrase.
pub(crate) fn refuse(request: &Message, status: Status, reason: &str) -> Response {
    ResponseBuilder::with_reason(request, status, reason)
        .header(HeaderName::Server, SERVER)
        .finish()
}

/// Refuses with the usual phrase and says why in a Warning.
pub(crate) fn warn(request: &Message, status: Status, node: &str, why: &str) -> Response {
    ResponseBuilder::reply_to(request, status)
        .header(HeaderName::Server, SERVER)
        .typed(&warning(node, why))
        .finish()
}

/// What this node says about a refusal.
pub(crate) fn warning(node: &str, why: &str) -> Warning {
    let agent: String = node.chars().filter(char::is_ascii_graphic).collect();
    Warning::new(399, &agent, why)
}

/// Not now: come again after so many seconds.
pub(crate) fn unavailable(request: &Message, seconds: u64) -> Response {
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    ResponseBuilder::reply_to(request, Status::SERVICE_UNAVAILABLE)
        .header(HeaderName::Server, SERVER)
        .typed(&RetryAfter::new(seconds))
        .finish()
}

/// A plain answer without a body.
pub(crate) fn plain(request: &Message, status: Status) -> Response {
    ResponseBuilder::reply_to(request, status).header(HeaderName::Server, SERVER).finish()
}

/// An answer that says what may be sent instead.
pub(crate) fn with_methods(request: &Message, status: Status) -> Response {
    let response = ResponseBuilder::reply_to(request, status)
        .header(HeaderName::Server, SERVER)
        .header(HeaderName::Allow, ALLOW);
    match status {
        Status::BAD_EVENT => response.header(HeaderName::AllowEvents, EVENTS).finish(),
        _ => response.finish(),
    }
}

/// Says what may be sent here (RFC 3261 section 11.2).
pub(crate) fn options(request: &Message) -> Response {
    ResponseBuilder::reply_to(request, Status::OK)
        .header(HeaderName::Allow, ALLOW)
        .header(HeaderName::Accept, READABLE.join(", "))
        .header(HeaderName::Server, SERVER)
        .finish()
}

/// How this product names itself.
pub(crate) const SERVER: &str = concat!("Jackfield/", env!("CARGO_PKG_VERSION"));
/// The methods that phones may use. Those that are heard only to be refused are not among them.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE, NOTIFY";
/// The event packages that it understands (RFC 6665 section 8.2.2).
const EVENTS: &str = "kpml";
/// Bodies that an INVITE may have.
pub(super) const READABLE: [&str; 2] = ["application/sdp", "multipart/mixed"];
