//! Where requests to a phone go: to its Contact (RFC 3261 sections 10.3 and 16.6), which may name
//! another port than the one it sends from. Only behind a NAT, or where the phone asks for it by
//! `rport` (RFC 3581), they go back to where its messages come from.

use std::net::SocketAddr;

use jackfield_sip::header::Via;
use jackfield_sip::{Flow, Host, SipUri, Transport, Uri};

/// Does a sender of datagrams listen where it says? Not behind a NAT, which shows in a Via with
/// another host; and who asks for `rport` listens where it sends from.
pub(super) fn is_direct(flow: &Flow, via: &Via) -> bool {
    let own = via.sent_by.host == Host::from(flow.remote.ip().to_canonical());
    !flow.transport.is_reliable() && !via.params.has("rport") && own
}

/// The address in a contact, where that is the sender's own: anybody else's is behind a NAT, or
/// none of the sender's to give.
pub(super) fn listens(flow: &Flow, contact: &Uri) -> Option<SocketAddr> {
    let contact = contact.as_sip()?;
    let same = |param: &str| Transport::parse(param) == Some(flow.transport);
    let address = contact.socket_address().filter(|_| contact.transport().is_none_or(same))?;
    (address.ip().to_canonical() == flow.remote.ip().to_canonical()).then_some(address)
}

/// The way to a contact of a sender that listens where it says.
pub(super) fn way(flow: &Flow, contact: &Uri) -> Flow {
    let remote = listens(flow, contact).unwrap_or(flow.remote);
    Flow { remote, ..flow.clone() }
}

/// Where a phone can be called back that made a connection which is gone; `None` behind a NAT.
pub(super) fn call_back(flow: &Flow, contact: &str) -> Option<SocketAddr> {
    let contact = Uri::parse(contact).ok()?;
    let address = contact.as_sip().and_then(SipUri::socket_address)?;
    (address.ip().to_canonical() == flow.remote.ip().to_canonical()).then_some(address)
}
