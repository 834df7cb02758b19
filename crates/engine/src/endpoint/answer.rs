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

/// How this product names itself.
pub(crate) const SERVER: &str = concat!("Jackfield/", env!("CARGO_PKG_VERSION"));
/// The methods it understands.
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE, REFER, SUBSCRIBE, NOTIFY, MESSAGE";
