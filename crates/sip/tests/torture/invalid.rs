//! Section 3.1.2: invalid messages, and 3.2: a transaction identifier without an identifier.

use jackfield_sip::Message;
use jackfield_sip::header::{Contact, Date, Via};

use super::SDP;
use super::torture::{accepted, dropped, refused, wire};

/// Extraneous header field separators.
#[test]
fn badinv01() {
    let reason = refused(
        &format!(
            "
INVITE sip:user@example.com SIP/2.0
To: sip:j.user@example.com
From: sip:caller@example.net;tag=134161461246
Max-Forwards: 7
Call-ID: badinv01.0ha0isndaksdjasdf3234nas
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;;,;,,
Contact: \"Joe\" <sip:joe@example.org>;;;;
Content-Length: 152
Content-Type: application/sdp

{SDP}xx"
        ),
        400,
    );
    assert_eq!(reason, "Bad Via: broken parameter");
}

/// Content-Length larger than the message.
#[test]
fn clerr() {
    let text = format!(
        "
INVITE sip:user@example.com SIP/2.0
Max-Forwards: 80
To: sip:j.user@example.com
From: sip:caller@example.net;tag=93942939o2
Contact: <sip:caller@hungry.example.net>
Call-ID: clerr.0ha0isndaksdjweiafasdk3
CSeq: 8 INVITE
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bK-39234-23523
Content-Type: application/sdp
Content-Length: 9999

{SDP}"
    );
    assert_eq!(refused(&text, 400), "Body shorter than Content-Length");
}

/// Negative Content-Length.
#[test]
fn ncl() {
    let text = format!(
        "
INVITE sip:user@example.com SIP/2.0
Max-Forwards: 254
To: sip:j.user@example.com
From: sip:caller@example.net;tag=32394234
Call-ID: ncl.0ha0isndaksdj2193423r542w35
CSeq: 0 INVITE
Via: SIP/2.0/UDP 192.0.2.53;branch=z9hG4bKkdjuw
Contact: <sip:caller@example53.example.net>
Content-Type: application/sdp
Content-Length: -999

{SDP}"
    );
    assert_eq!(refused(&text, 400), "Bad Content-Length");
}

/// Request scalar fields with overlarge values.
#[test]
fn scalar02() {
    let text = format!(
        "
REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3
To: <sip:user@example.com>
From: <sip:user@example.com>;tag=239232jh3
CSeq: 36893488147419103232 REGISTER
Call-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32
Max-Forwards: 300
Expires: 1{}
Contact: <sip:user@host129.example.com>
  ;expires=280297596632815
Content-Length: 0

",
        "0".repeat(100)
    );
    assert_eq!(refused(&text, 400), "Bad CSeq: not a number in range");
    let hops = text.replace("36893488147419103232", "1");
    assert_eq!(refused(&hops, 400), "Bad Max-Forwards: not a number in range");
}

/// Response scalar fields with overlarge values.
#[test]
fn scalarlg() {
    dropped(
        "
SIP/2.0 503 Service Unavailable
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129
To: <sip:user@example.com>
From: <sip:other@example.net>;tag=2easdjfejw
CSeq: 9292394834772304023312 OPTIONS
Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r
Retry-After: 949302838503028349304023988
Warning: 1812 overture \"In Progress\"
Content-Length: 0

",
    );
}

/// Unterminated quoted string in a display name.
#[test]
fn quotbal() {
    let text = format!(
        "
INVITE sip:user@example.com SIP/2.0
To: \"Mr. J. User <sip:j.user@example.com>
From: sip:caller@example.net;tag=93334
Max-Forwards: 10
Call-ID: quotbal.aksdj
Contact: <sip:caller@host59.example.net>
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234
Content-Type: application/sdp
Content-Length: 150

{SDP}"
    );
    assert_eq!(refused(&text, 400), "Bad To: broken address");
}

fn invite_with(request_line: &str) -> String {
    format!(
        "
{request_line}
To: sip:user@example.com
From: sip:caller@example.net;tag=39291
Max-Forwards: 23
Call-ID: broken-line.1@192.0.2.5
CSeq: 1 INVITE
Via: SIP/2.0/UDP 192.0.2.5
Contact: <sip:caller@host5.example.net>
Content-Type: application/sdp
Content-Length: 150

{SDP}"
    )
}

/// Angle brackets around the Request-URI.
#[test]
fn ltgtruri() {
    let reason = refused(&invite_with("INVITE <sip:user@example.com> SIP/2.0"), 400);
    assert_eq!(reason, "Bad request line");
}

/// White space within the Request-URI.
#[test]
fn lwsruri() {
    let reason = refused(&invite_with("INVITE sip:user@example.com; lr SIP/2.0"), 400);
    assert_eq!(reason, "Bad request line");
}

/// Several spaces between the words of the request line.
#[test]
fn lwsstart() {
    let reason = refused(&invite_with("INVITE  sip:user@example.com  SIP/2.0"), 400);
    assert_eq!(reason, "Bad request line");
}

/// Escaped headers in the Request-URI.
#[test]
fn escruri() {
    let line = "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0";
    assert_eq!(refused(&invite_with(line), 400), "Bad request line");
}

/// A date in another zone than GMT: the request may be used, the header not.
#[test]
fn baddate() {
    let text = invite_with("INVITE sip:user@example.com SIP/2.0")
        .replace("Max-Forwards: 23", "Max-Forwards: 70\nDate: Fri, 01 Jan 2010 16:00:00 EST");
    assert!(accepted(&text).typed::<Date>().is_err());
}

/// A Contact with escaped headers and no angle brackets: the registrar sees that it is broken.
#[test]
fn regbadct() {
    let message = accepted(
        "
REGISTER sip:example.com SIP/2.0
To: sip:user@example.com
From: sip:user@example.com;tag=998332
Max-Forwards: 70
Call-ID: regbadct.k345asrl3fdbv@10.0.0.1
CSeq: 1 REGISTER
Via: SIP/2.0/UDP 135.180.130.133:5060;branch=z9hG4bKkdjuw
Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E
l: 0

",
    );
    assert!(message.list::<Contact>().is_err());
}

/// Spaces within an address.
#[test]
fn badaspec() {
    let reason = refused(
        "
OPTIONS sip:user@example.org SIP/2.0
Via: SIP/2.0/UDP host4.example.com:5060;branch=z9hG4bKkdju43234
Max-Forwards: 70
From: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=433423
To: \"Watson, Thomas\" < sip:t.watson@example.org >
Call-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3
Accept: application/sdp
CSeq: 3923239 OPTIONS
l: 0

",
        400,
    );
    assert_eq!(reason, "Bad To: broken URI");
}

/// Characters in a display name that need quotes.
#[test]
fn baddn() {
    let reason = refused(
        "
OPTIONS sip:t.watson@example.org SIP/2.0
Via: SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw
Max-Forwards: 70
From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43
To: Watson, Thomas <sip:t.watson@example.org>
Call-ID: baddn.31415@c.example.com
Accept: application/sdp
CSeq: 3923239 OPTIONS
l: 0

",
        400,
    );
    assert_eq!(reason, "Bad From: broken address");
}

/// An unknown protocol version.
#[test]
fn badvers() {
    refused(
        "
OPTIONS sip:t.watson@example.org SIP/7.0
Via: SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw
Max-Forwards: 70
From: A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe
To: T. Watson <sip:t.watson@example.org>
Call-ID: badvers.31417@c.example.com
CSeq: 1 OPTIONS
l: 0

",
        505,
    );
}

/// Method of request line and CSeq differ.
#[test]
fn mismatch01() {
    let reason = refused(
        "
OPTIONS sip:user@example.com SIP/2.0
To: sip:j.user@example.com
From: sip:caller@example.net;tag=34525
Max-Forwards: 6
Call-ID: mismatch01.dj0234sxdfl3
CSeq: 8 INVITE
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
l: 0

",
        400,
    );
    assert_eq!(reason, "CSeq method does not match");
}

/// An unknown method that differs from the one of CSeq.
#[test]
fn mismatch02() {
    let text = format!(
        "
NEWMETHOD sip:user@example.com SIP/2.0
To: sip:j.user@example.com
From: sip:caller@example.net;tag=34525
Max-Forwards: 6
Call-ID: mismatch02.dj0234sxdfl3
CSeq: 8 INVITE
Contact: <sip:caller@host.example.net>
Via: SIP/2.0/UDP host.example.net;branch=z9hG4bKkdjuw
Content-Type: application/sdp
l: 150

{SDP}"
    );
    assert_eq!(refused(&text, 400), "CSeq method does not match");
}

/// An overlarge response code.
#[test]
fn bigcode() {
    let text = "
SIP/2.0 4294967301 better not break the receiver
Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i
CSeq: 353494 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@host105.example.com>

";
    assert!(Message::parse_datagram(&wire(text)).is_err());
    dropped(text);
}

/// Section 3.2.1: a branch that is nothing but the cookie is no transaction identifier.
#[test]
fn badbranch() {
    let message = accepted(
        "
OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: sip:caller@example.org;tag=33242
Max-Forwards: 3
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK
Accept: application/sdp
Call-ID: badbranch.sadonfo23i420jv0as0derf3j3n
CSeq: 8 OPTIONS
l: 0

",
    );
    assert!(!message.typed::<Via>().unwrap().has_unique_branch());
}
