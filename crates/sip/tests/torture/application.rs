//! Sections 3.3 and 3.4: messages whose trouble begins above the parser. What the layer above needs
//! to give the right answer must be there.

use jackfield_sip::header::{
    Accept, Authorization, Contact, ContentType, MaxForwards, NameAddr, ProxyRequire, Require, To,
};
use jackfield_sip::{Dialog, HeaderName, Message, Uri};

use super::SDP;
use super::torture::{Outcome, accepted, dropped, receive, refused, wire};

/// Missing required header fields.
#[test]
fn insuf() {
    let text = "
INVITE sip:user@example.com SIP/2.0
CSeq: 193942 INVITE
Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf
Content-Type: application/sdp
l: 0

";
    assert_eq!(refused(text, 400), "Bad From: missing");
    let Outcome::Refused(answer) = receive(&wire(text)) else { panic!() };
    assert_eq!(answer.first(HeaderName::CSeq), Some("193942 INVITE"));
    assert_eq!(answer.first(HeaderName::To), None);
}

fn options(request_line: &str, more: &str) -> String {
    let method = request_line.split(' ').next().unwrap();
    format!(
        "
{request_line}
To: sip:user@example.com
From: sip:caller@example.net;tag=242etr
Max-Forwards: 6
Call-ID: above.0ha0isndaksdj
CSeq: 8 {method}
Via: SIP/2.0/UDP c.example.com;branch=z9hG4bKkdjuw
{more}l: 0

"
    )
}

/// A Request-URI of an unknown scheme (416).
#[test]
fn unkscm() {
    let line = "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0";
    let message = accepted(&options(line, ""));
    assert_eq!(message.uri().unwrap().scheme(), "nobodyKnowsThisScheme");
}

/// A Request-URI of a known scheme that is not SIP's (416).
#[test]
fn novelsc() {
    let message = accepted(&options("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", ""));
    assert_eq!(message.uri().unwrap().scheme(), "soap.beep");
}

/// Unknown schemes in other headers.
#[test]
fn unksm2() {
    let message = accepted(
        "
REGISTER sip:example.com SIP/2.0
To: isbn:2983792873
From: <http://www.example.com>;tag=3234233
Call-ID: unksm2.daksdj@hyphenated-host.example.com
CSeq: 234902 REGISTER
Max-Forwards: 70
Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw
Contact: <name:John_Smith>
l: 0

",
    );
    assert_eq!(message.typed::<To>().unwrap().uri.scheme(), "isbn");
    let contact = message.typed::<Contact>().unwrap();
    assert_eq!(contact.address().unwrap().uri, Uri::Other("name:John_Smith".into()));
}

/// Required extensions nobody knows (420 with Unsupported).
#[test]
fn bext01() {
    let message = accepted(&options(
        "OPTIONS sip:user@example.com SIP/2.0",
        "Require: nothingSupportsThis, nothingSupportsThisEither\n\
         Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\n",
    ));
    assert_eq!(message.typed::<Require>().unwrap().0.len(), 2);
    assert!(message.typed::<ProxyRequire>().unwrap().has("noProxiesSupportThis"));
    assert!(message.has_token(HeaderName::Require, "nothingSupportsThisEither"));
}

/// An unknown type of body (415).
#[test]
fn invut() {
    let message = accepted(
        "
INVITE sip:user@example.com SIP/2.0
Contact: <sip:caller@host5.example.net>
To: sip:j.user@example.com
From: sip:caller@example.net;tag=8392034
Max-Forwards: 70
Call-ID: invut.0ha0isndaksdjadsfij34n23d
CSeq: 235448 INVITE
Via: SIP/2.0/UDP somehost.example.com;branch=z9hG4bKkdjuw
Content-Type: application/unknownformat
Content-Length: 40

<audio>
 <pcmu port=\"443\"/>
</audio>
",
    );
    assert!(message.typed::<ContentType>().unwrap().is("application/unknownformat"));
    assert!(message.body().starts_with(b"<audio>"));
}

/// An unknown scheme of authorization: as if there were none (401).
#[test]
fn regaut01() {
    let message = accepted(&options(
        "REGISTER sip:example.com SIP/2.0",
        "Authorization: NoOneKnowsThisScheme opaque-data=here\n",
    ));
    assert!(message.typed::<Authorization>().is_err());
}

/// Several values of headers that stand once.
#[test]
fn multi01() {
    let reason = refused(
        &format!(
            "
INVITE sip:user@company.com SIP/2.0
Contact: <sip:caller@host25.example.net>
Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw
Max-Forwards: 70
CSeq: 5 INVITE
Call-ID: multi01.98asdh@192.0.2.1
CSeq: 59 INVITE
Call-ID: multi01.98asdh@192.0.2.2
From: sip:caller@example.com;tag=3413415
To: sip:user@example.com
To: sip:other@example.net
From: sip:caller@example.net;tag=2923420123
Content-Type: application/sdp
l: 150
Contact: <sip:caller@host36.example.net>
Max-Forwards: 5

{SDP}"
        ),
        400,
    );
    assert_eq!(reason, "Bad CSeq: repeated");
}

/// Several values of Content-Length.
#[test]
fn mcl01() {
    let reason = refused(
        "
OPTIONS sip:user@example.com SIP/2.0
Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bK293423
To: sip:user@example.com
From: sip:other@example.net;tag=3923942
Call-ID: mcl01.fhn2323orihawfdoa3o4r52o3irsdf
CSeq: 15932 OPTIONS
Content-Length: 13
Max-Forwards: 60
Content-Length: 5
Content-Type: text/plain

There's no way to know how many octets are supposed to be here.
",
        400,
    );
    assert_eq!(reason, "Bad Content-Length");
}

/// A 200 OK with a broadcast address in its second Via: not for us.
#[test]
fn bcast() {
    dropped(&format!(
        "
SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf
CSeq: 35 INVITE
From: sip:user@example.com;tag=11141343
To: sip:user@example.edu;tag=2229
Content-Length: 150
Content-Type: application/sdp
Contact: <sip:user@host28.example.com>

{SDP}"
    ));
}

/// Max-Forwards of zero: an element that is the target answers.
#[test]
fn zeromf() {
    let text = options("OPTIONS sip:user@example.com SIP/2.0", "");
    let message = accepted(&text.replace("Max-Forwards: 6", "Max-Forwards: 0"));
    assert_eq!(message.typed::<MaxForwards>().unwrap(), MaxForwards(0));
}

fn contact(value: &str) -> NameAddr {
    let line = format!("Contact: {value}\n");
    let message = accepted(&options("REGISTER sip:example.com SIP/2.0", &line));
    message.typed::<Contact>().unwrap().address().unwrap().0.clone()
}

/// A parameter of a Contact without brackets is the header's.
#[test]
fn cparam01() {
    let contact = contact("sip:+19725552222@gw1.example.net;unknownparam");
    assert!(contact.params.has("unknownparam"));
    assert_eq!(contact.uri.to_string(), "sip:+19725552222@gw1.example.net");
}

/// The same inside brackets is the URI's.
#[test]
fn cparam02() {
    let contact = contact("<sip:+19725552222@gw1.example.net;unknownparam>");
    assert!(contact.params.is_empty());
    assert!(contact.uri.as_sip().unwrap().params.has("unknownparam"));
}

/// Escaped headers belong to the URI that is registered.
#[test]
fn regescrt() {
    let contact = contact("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>");
    let header = contact.uri.as_sip().unwrap().headers().next();
    assert_eq!(header, Some(("Route", "%3Csip:sip.example.com%3E")));
}

/// An answer of a type nobody knows is wanted (406).
#[test]
fn sdp01() {
    let text = options("INVITE sip:user@example.com SIP/2.0", "Accept: text/nobodyKnowsThis\n");
    let accept = accepted(&text).typed::<Accept>().unwrap();
    assert!(!accept.accepts(ContentType::SDP));
}

/// Section 3.4.1: an INVITE of RFC 2543, without tag, branch, Max-Forwards and Contact.
#[test]
fn inv2543() {
    let message: Message = accepted(&format!(
        "
INVITE sip:UserB@example.com SIP/2.0
Via: SIP/2.0/UDP iftgw.example.com
From: <sip:+13035551111@ift.client.example.net;user=phone>
Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
To: sip:+16505552222@ss1.example.net;user=phone
Call-ID: inv2543.1717@ift.client.example.com
CSeq: 56 INVITE
Content-Type: application/sdp

{SDP}"
    ));
    assert_eq!((message.from_tag(), message.to_tag()), (None, None));
    assert_eq!(message.body().len(), wire(SDP).len());
    assert!(Dialog::uas(&message, "x").is_err(), "without Contact nobody can be called back");
}
