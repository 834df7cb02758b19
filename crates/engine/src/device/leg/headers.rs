//! The headers by which both sides of a leg know each other.

use jackfield_sip::header::{Diversion, NameAddr, PAssertedIdentity, RemotePartyId};
use jackfield_sip::{Flow, HeaderName, Host, RequestBuilder, ResponseBuilder, SipUri};
use jackfield_vocabulary::{CallerIdentity, ForwardReason};

use crate::endpoint::answer;

/// Which side of the call a shown party is, as the header names it.
#[derive(Clone, Copy)]
pub(super) enum Party {
    Calling,
    Called,
}

/// Our Contact: an opaque token, so that another node can take the dialog over.
pub(in crate::device) fn contact(flow: &Flow, token: &str) -> NameAddr {
    let mut uri = SipUri::of_address(Some(token), flow.local);
    if flow.transport.is_reliable() {
        uri.params.set("transport", Some(flow.transport.param()));
    }
    NameAddr::new(uri)
}

/// A number at this node; without one somebody who is not to be known (RFC 3323 section 4.1.1.3).
pub(in crate::device) fn address(flow: &Flow, number: &str, name: &str) -> NameAddr {
    if number.is_empty() {
        let uri = SipUri::new(Some("anonymous"), Host::Name("anonymous.invalid".into()));
        let name = if name.is_empty() { "Anonymous" } else { name };
        return NameAddr::new(uri).with_display(&printable(name));
    }
    let uri = SipUri::new(Some(number), Host::from(flow.local.ip()));
    NameAddr::new(uri).with_display(&printable(name))
}

/// Who the far side is, in both the forms that phones read.
pub(super) fn identity(
    request: RequestBuilder,
    flow: &Flow,
    shown: &CallerIdentity,
    party: Party,
) -> RequestBuilder {
    if shown.number.is_empty() {
        return request;
    }
    let address = address(flow, &shown.number, &shown.name);
    request
        .typed(&PAssertedIdentity(address.clone()))
        .typed(&RemotePartyId(with_party(address, party)))
}

/// The same in an answer.
pub(super) fn identity_in_answer<'m>(
    response: ResponseBuilder<'m>,
    flow: &Flow,
    shown: &CallerIdentity,
) -> ResponseBuilder<'m> {
    if shown.number.is_empty() {
        return response;
    }
    let address = address(flow, &shown.number, &shown.name);
    response
        .typed(&PAssertedIdentity(address.clone()))
        .typed(&RemotePartyId(with_party(address, Party::Called)))
}

/// From where a call was forwarded, and why (RFC 5806).
pub(super) fn diversion(flow: &Flow, number: &str, reason: ForwardReason) -> Diversion {
    let word = match reason {
        ForwardReason::All => "unconditional",
        ForwardReason::Busy => "user-busy",
        ForwardReason::NoAnswer => "no-answer",
        ForwardReason::Unregistered | ForwardReason::Failure => "unavailable",
        ForwardReason::Redirect => "deflection",
    };
    let mut address = address(flow, number, "");
    address.params.set("reason", Some(word));
    Diversion(address)
}

/// What every request of ours says of itself.
pub(super) fn usual(request: RequestBuilder, contact: &NameAddr) -> RequestBuilder {
    request
        .header(HeaderName::Contact, contact)
        .header(HeaderName::Allow, answer::ALLOW)
        .header(HeaderName::UserAgent, answer::SERVER)
}

/// What every answer of ours that makes or keeps a dialog says of itself.
pub(super) fn usual_in_answer<'m>(
    response: ResponseBuilder<'m>,
    contact: &NameAddr,
) -> ResponseBuilder<'m> {
    response
        .header(HeaderName::Contact, contact)
        .header(HeaderName::Allow, answer::ALLOW)
        .header(HeaderName::Server, answer::SERVER)
}

fn with_party(mut address: NameAddr, party: Party) -> NameAddr {
    let word = match party {
        Party::Calling => "calling",
        Party::Called => "called",
    };
    address.params.set("party", Some(word));
    address.params.set("screen", Some("yes"));
    address.params.set("privacy", Some("off"));
    address
}

fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}
