//! The messages of RFC 5118: IPv6 addresses in all places, with and without brackets.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod torture;

use std::net::IpAddr;

use jackfield_sip::Host;
use jackfield_sip::header::{Contact, Via};
use jackfield_sip::sdp::Session;
use torture::{accepted, refused};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn register(uri: &str) -> String {
    format!(
        "
REGISTER {uri} SIP/2.0
To: sip:user@example.com
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Max-Forwards: 70
Contact: \"Caller\" <sip:caller@[2001:db8::1]>
CSeq: 98176 REGISTER
Content-Length: 0

"
    )
}

/// 4.1: a valid message with an IPv6 reference.
#[test]
fn ipv6_good() {
    let message = accepted(&register("sip:[2001:db8::10]"));
    assert_eq!(message.uri().unwrap().host(), Some(&Host::from(ip("2001:db8::10"))));
    let via = message.typed::<Via>().unwrap();
    assert_eq!(via.sent_by.host.address(), Some(ip("2001:db8::9:1")));
    let contact = message.typed::<Contact>().unwrap();
    assert_eq!(contact.to_string(), "\"Caller\" <sip:caller@[2001:db8::1]>");
}

/// 4.2: no brackets in the Request-URI.
#[test]
fn ipv6_bad() {
    assert_eq!(refused(&register("sip:2001:db8::10"), 400), "Bad request line");
}

/// 4.3: a port inside the brackets is part of the address.
#[test]
fn port_ambiguous() {
    let uri = accepted(&register("sip:[2001:db8::10:5070]")).uri().unwrap();
    assert_eq!(uri.host().unwrap().address(), Some(ip("2001:db8::10:5070")));
    assert_eq!(uri.as_sip().unwrap().at.port, None);
}

/// 4.4: a port outside the brackets is a port.
#[test]
fn port_unambiguous() {
    let uri = accepted(&register("sip:[2001:db8::10]:5070")).uri().unwrap();
    assert_eq!(uri.host().unwrap().address(), Some(ip("2001:db8::10")));
    assert_eq!(uri.as_sip().unwrap().at.port, Some(5070));
}

fn with_received(received: &str) -> Via {
    let message = accepted(&format!(
        "
BYE sip:[2001:db8::10] SIP/2.0
To: sip:user@example.com;tag=bd76ya
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Max-Forwards: 70
CSeq: 321 BYE
Content-Length: 0

"
    ));
    message.typed().unwrap()
}

/// 4.5: `received` with brackets, which the grammar does not have.
#[test]
fn via_received_param_with_delim() {
    assert_eq!(with_received("[2001:db8::9:255]").received(), Some(ip("2001:db8::9:255")));
}

/// 4.5: `received` without brackets.
#[test]
fn via_received_param_no_delim() {
    assert_eq!(with_received("2001:db8::9:255").received(), Some(ip("2001:db8::9:255")));
}

fn invite(contact: &str, body: &str) -> String {
    format!(
        "
INVITE sip:user@[2001:db8::10] SIP/2.0
To: sip:user@[2001:db8::10]
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Contact: \"Caller\" <sip:caller@{contact}>
CSeq: 8612 INVITE
Max-Forwards: 70
Content-Type: application/sdp

{body}"
    )
}

/// 4.6: IPv6 addresses in the session description.
#[test]
fn ipv6_in_sdp() {
    let message = accepted(&invite(
        "[2001:db8::1]",
        "v=0
o=assistant 971731711378798081 0 IN IP6 2001:db8::20
s=Live video feed for today's meeting
c=IN IP6 2001:db8::20
t=3338481189 3370017201
m=audio 6000 RTP/AVP 2
a=rtpmap:2 G726-32/8000
m=video 6024 RTP/AVP 107
a=rtpmap:107 H263-1998/90000
",
    ));
    let session = Session::parse(message.body()).unwrap();
    let address = session.address(&session.media[0]);
    assert_eq!(address, Some("[2001:db8::20]:6000".parse().unwrap()));
}

/// 4.7: IPv4 and IPv6 addresses in one list of Via.
#[test]
fn mult_ip_in_header() {
    let message = accepted(
        "
BYE sip:user@host.example.net SIP/2.0
Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144
Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200
Call-ID: 997077@lau_4100
Max-Forwards: 70
CSeq: 89187 BYE
To: sip:user@example.net;tag=9817--94
From: sip:user@example.com;tag=81x2
Content-Length: 0

",
    );
    let vias = message.list::<Via>().unwrap();
    let places: Vec<_> = vias.iter().map(|via| via.sent_by.to_string()).collect();
    assert_eq!(places, ["[2001:db8::9:1]:6050", "192.0.2.1", "[2001:db8::9:255]"]);
    assert_eq!(vias[2].received(), Some(ip("192.0.2.200")));
}

/// 4.8: several addresses in the session description.
#[test]
fn mult_ip_in_sdp() {
    let message = accepted(&invite(
        "[2001:db8::9:1]",
        "v=0
o=bob 280744730 28977631 IN IP4 host.example.com
s=
t=0 0
m=audio 22334 RTP/AVP 0
c=IN IP4 192.0.2.1
m=video 6024 RTP/AVP 107
c=IN IP6 2001:db8::1
a=rtpmap:107 H263-1998/90000
",
    ));
    let session = Session::parse(message.body()).unwrap();
    let places: Vec<_> = session.media.iter().map(|media| session.address(media)).collect();
    let expected = ["192.0.2.1:22334", "[2001:db8::1]:6024"].map(|at| at.parse().ok());
    assert_eq!(places, expected);
}

/// 4.9: IPv4-mapped addresses.
#[test]
fn ipv4_mapped_ipv6() {
    let message = accepted(
        "
INVITE sip:user@example.com SIP/2.0
To: sip:user@example.com
From: sip:user@east.example.com;tag=5ffjhw9e9w
Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19
Via: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Contact: \"T. desk phone\" <sip:ted@[::ffff:192.0.2.2]>
CSeq: 612 INVITE
Max-Forwards: 70
Content-Type: application/sdp

v=0
o=bob 0 0 IN IP6 ::ffff:192.0.2.2
s=-
c=IN IP6 ::ffff:192.0.2.2
t=0 0
m=audio 6000 RTP/AVP 0
",
    );
    let via = message.typed::<Via>().unwrap();
    assert_eq!(via.sent_by.to_string(), "[::ffff:192.0.2.10]:19823");
    let session = Session::parse(message.body()).unwrap();
    let address = session.address(&session.media[0]).unwrap();
    assert_eq!(address.ip(), ip("::ffff:192.0.2.2"));
}

/// 4.10: an address with three colons, which the old grammar allowed.
#[test]
fn ipv6_bug_abnf_3_colons() {
    let text = register("sip:user@[2001:db8:::192.0.2.1]");
    assert_eq!(refused(&text, 400), "Bad request line");
    let uri = accepted(&register("sip:user@[2001:db8::192.0.2.1]")).uri().unwrap();
    assert_eq!(uri.host().unwrap().address(), Some(ip("2001:db8::192.0.2.1")));
}
