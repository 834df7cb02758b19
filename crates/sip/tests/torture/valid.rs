//! Section 3.1.1: valid messages that are hard to read.

use jackfield_sip::header::{Accept, Contact, From, MaxForwards, To, Via};
use jackfield_sip::sdp::Session;
use jackfield_sip::{HeaderName, Message, Method, Uri, parts};

use super::SDP;
use super::torture::{accepted, accepted_bytes, wire};

fn uri(message: &Message) -> Uri {
    message.uri().unwrap()
}

/// A short tortuous INVITE.
#[test]
fn wsinv() {
    let message = accepted(&format!(
        r#"
INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
TO :
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
from   : "J Rosenberg \\\""       <sip:jdrosen@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.ndaksdj@192.0.2.1
Content-Length   : 150
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \"\"" <sip:jdrosen@example.com> ; newparam =
      newvalue ;
  secondparam ; q = 0.33

{SDP}"#
    ));
    assert!(uri(&message).as_sip().unwrap().params.has("unknownparam"));
    assert_eq!(message.to_tag(), Some("1918181833n"));
    assert_eq!(message.from_tag(), Some("98asjd8"));
    let from = message.typed::<From>().unwrap();
    assert_eq!((from.display().as_ref(), from.tag()), ("J Rosenberg \\\"", Some("98asjd8")));
    assert_eq!(message.typed::<MaxForwards>().unwrap(), MaxForwards(68));
    assert_eq!(message.cseq().unwrap().number, 9);
    let vias = message.list::<Via>().unwrap();
    let branches: Vec<_> = vias.iter().map(|via| via.branch().unwrap()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    assert_eq!(vias[1].to_string(), "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8");
    assert_eq!(message.first(HeaderName::Subject), Some(""));
    assert_eq!(message.by_text("UnknownHeaderWithUnusualValue"), Some(";;,,;;,;"));
    let folded: Vec<_> = message.by_text("newfangledheader").unwrap().split_whitespace().collect();
    assert_eq!(folded.join(" "), "newfangled value continued newfangled value");
    let contact = message.typed::<Contact>().unwrap();
    let contact = contact.address().unwrap();
    assert_eq!(contact.display(), "Quoted string \"\"");
    assert_eq!((contact.q(), contact.params.value("newparam")), (330, Some("newvalue")));
    assert!(contact.params.has("secondparam"));
    assert_eq!(Session::parse(message.body()).unwrap().media.len(), 2);
}

/// A wide range of valid characters.
#[test]
fn intmeth() {
    let text = "
!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0
Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~
To: \"BEL:\\\u{7} NUL:\\\0 DEL:\\\u{7f}\" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>
From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"работающий\";tag=_token~1'+`*%!-.
Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{
CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~
Max-Forwards: 255
extensionHeader-!.%*+_`'~:\u{feff}大停電
Content-Length: 0

";
    let message = accepted(text);
    let method = "!interesting-Method0123456789_*+`.%indeed'~";
    assert_eq!(message.method(), Some(&Method::Other(method.into())));
    let uri = uri(&message);
    assert_eq!(uri.user().unwrap(), "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    let password = "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)";
    assert_eq!(uri.as_sip().unwrap().password(), Some(password));
    let to = message.typed::<To>().unwrap();
    assert_eq!(to.display(), "BEL:\u{7} NUL:\0 DEL:\u{7f}");
    let from = message.typed::<From>().unwrap();
    assert_eq!(from.display(), "token1~` token2'+_ token3*%!.-");
    assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(from.params.text("fromParam''~+*_!.-%").unwrap(), "работающий");
    assert_eq!(message.typed::<Via>().unwrap().branch(), Some("z9hG4bK-.!%66*_+`'~"));
    assert_eq!(message.by_text("extensionHeader-!.%*+_`'~"), Some("\u{feff}大停電"));
}

/// Valid use of the % escaping mechanism.
#[test]
fn esc01() {
    let message = accepted(&format!(
        "
INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0
To: sip:%75se%72@example.com
From: <sip:I%20have%20spaces@example.net>;tag=938
Max-Forwards: 87
i: esc01.239409asdfakjkn23onasd0-3234
CSeq: 234234 INVITE
Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw
C: application/sdp
Contact:
  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>
Content-Length: 150

{SDP}"
    ));
    assert_eq!(uri(&message).user().unwrap(), "sips:user@example.com");
    assert_eq!(message.typed::<To>().unwrap().user().unwrap(), "user");
    assert_eq!(message.typed::<From>().unwrap().user().unwrap(), "I have spaces");
    let contact = message.typed::<Contact>().unwrap();
    let contact = contact.address().unwrap().uri.as_sip().unwrap();
    assert_eq!(contact.user().unwrap(), "caller");
    assert!(contact.params.has("lr"));
    // Unescaping is never done twice: this is value%41, not valueA.
    assert_eq!(contact.params.value("name"), Some("value%2541"));
}

/// Escaped nulls in URIs.
#[test]
fn escnull() {
    let message = accepted(
        "
REGISTER sip:example.com SIP/2.0
To: sip:null-%00-null@example.com
From: sip:null-%00-null@example.com;tag=839923423
Max-Forwards: 70
Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd
CSeq: 14398234 REGISTER
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
Contact: <sip:%00@host5.example.com>
Contact: <sip:%00%00@host5.example.com>
L:0

",
    );
    assert_eq!(message.typed::<To>().unwrap().user().unwrap(), "null-\0-null");
    let contacts = message.list::<Contact>().unwrap();
    let uris: Vec<_> = contacts.iter().map(|c| &c.address().unwrap().uri).collect();
    assert_eq!((uris[0].user().unwrap(), uris[1].user().unwrap()), ("\0".into(), "\0\0".into()));
    assert!(!uris[0].matches(uris[1]));
}

/// Use of % when it is not an escape.
#[test]
fn esc02() {
    let message = accepted(
        "
RE%47IST%45R sip:registrar.example.com SIP/2.0
To: \"%Z%45\" <sip:resource@example.com>
From: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23
Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf
Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234
CSeq: 29344 RE%47IST%45R
Max-Forwards: 70
Contact: <sip:alias1@host1.example.com>
C%6Fntact: <sip:alias2@host2.example.com>
Contact: <sip:alias3@host3.example.com>
l: 0

",
    );
    assert_eq!(message.method(), Some(&Method::Other("RE%47IST%45R".into())));
    assert_eq!(message.typed::<To>().unwrap().display(), "%Z%45");
    assert_eq!(message.list::<Contact>().unwrap().len(), 2);
    assert_eq!(message.by_text("C%6Fntact"), Some("<sip:alias2@host2.example.com>"));
    assert_eq!(message.typed::<Via>().unwrap().branch(), Some("z9hG4bK209%fzsnel234"));
}

/// A message with no white space between display name and <.
#[test]
fn lwsdisp() {
    let message = accepted(
        "
OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: caller<sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID: lwsdisp.1234abcd@funky.example.com
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw
l: 0

",
    );
    let from = message.typed::<From>().unwrap();
    assert_eq!((from.display().as_ref(), from.user().unwrap().as_ref()), ("caller", "caller"));
}

/// Long values in header fields.
#[test]
fn longreq() {
    let (long, name) = ("long".repeat(20), "name".repeat(25));
    let mut vias = String::new();
    for (at, header) in
        ["Via", "v", "V", "Via", "ViA", "VIa", "VIA", "via", "viA", "vIa", "vIA", "V ", "v "]
            .iter()
            .chain(["V  ", "v  ", "Via ", "Via  "].iter())
            .chain(["Via"; 16].iter())
            .enumerate()
    {
        vias += &format!("{header}: SIP/2.0/TCP sip{}.example.com\n", 33 - at);
    }
    let extreme = "extreme".repeat(10);
    let caller = "amazinglylongcallername".repeat(5);
    let tag = format!("1{}424", "2982".repeat(38));
    let message = accepted(&format!(
        "
INVITE sip:user@example.com SIP/2.0
To: \"I have a user name of {extreme} proportion\"<sip:user@example.com:6000;unknownparam1=very{long}value;longparam{name}=shortvalue;very{long}ParameterNameWithNoValue>
F: sip:{caller}@example.net;tag={tag};unknownheaderparam{name}=unknowheaderparam{long};unknownValueless{name}
Call-ID: longreq.one{}longcallid
CSeq: 3882340 INVITE
Unknown-{long}-Name: unknown-{long}-value; unknown-{long}-parameter-name = unknown-{long}-parameter-value
{vias}Via: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very{long}{long}branchvalue
Max-Forwards: 70
Contact: <sip:{caller}@host5.example.net>
Content-Type: application/sdp
l: 150

{SDP}",
        "really".repeat(20)
    ));
    let vias = message.list::<Via>().unwrap();
    assert_eq!(vias.len(), 34);
    assert_eq!(vias[0].sent_by.to_string(), "sip33.example.com");
    assert_eq!(vias[33].received(), Some("192.0.2.5".parse().unwrap()));
    assert_eq!(message.from_tag(), Some(tag.as_str()));
    let to = message.typed::<To>().unwrap();
    assert!(to.display().contains(&extreme));
    let params = &to.uri.as_sip().unwrap().params;
    assert_eq!(params.value(&format!("longparam{name}")), Some("shortvalue"));
    assert!(params.has(&format!("very{long}ParameterNameWithNoValue")));
}

/// Extra trailing octets in a UDP datagram.
#[test]
fn dblreq() {
    let message = accepted(&format!(
        "
REGISTER sip:example.com SIP/2.0
To: sip:j.user@example.com
From: sip:j.user@example.com;tag=43251j3j324
Max-Forwards: 8
I: dblreq.0ha0isndaksdj99sdfafnl3lk233412
Contact: sip:j.user@host.example.com
CSeq: 8 REGISTER
Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492
Content-Length: 0


INVITE sip:joe@example.com SIP/2.0
t: sip:joe@example.com
From: sip:caller@example.net;tag=141334
Max-Forwards: 8
Call-ID: dblreq.0ha0isnda977644900765@192.0.2.15
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw380234
Content-Type: application/sdp
Content-Length: 150

{SDP}"
    ));
    assert_eq!(message.method(), Some(&Method::Register));
    assert!(message.body().is_empty());
    assert!(!message.head().contains("INVITE"));
}

/// Semicolon-separated parameters in the user part of a URI.
#[test]
fn semiuri() {
    let message = accepted(
        "
OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0
To: sip:j_user@example.com
From: sip:caller@example.org;tag=33242
Max-Forwards: 3
Call-ID: semiuri.0ha0isndaksdj
CSeq: 8 OPTIONS
Accept: application/sdp, application/pkcs7-mime,
        multipart/mixed, multipart/signed,
        message/sip, message/sipfrag
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw
l: 0

",
    );
    assert_eq!(uri(&message).user().unwrap(), "user;par=u@example.net");
    let accept = message.list::<Accept>().unwrap();
    assert_eq!(accept.len(), 6);
    assert!(accept[5].accepts("message/sipfrag"));
}

/// Varied and unknown transport types.
#[test]
fn transports() {
    let message = accepted(
        "
OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: <sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID:  transports.kijh4akdnaqjkwendsasfdj
Accept: application/sdp
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw
Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf
Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj
Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en
Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee
l: 0

",
    );
    let vias = message.list::<Via>().unwrap();
    let transports: Vec<_> = vias.iter().map(|via| via.transport.as_str()).collect();
    assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}

/// A body of several parts, one of them binary.
#[test]
fn mpart01() {
    let binary = [0x30, 0x82, 0x00, 0x0d, 0x0a, 0xff, 0x00, 0x0d, 0x0a, 0x0d, 0x0a, 0x2d, 0x2d];
    let part = |kind: &str, content: &[u8]| {
        let head = format!(
            "--7a9cbec02ceef655\r\nContent-Type: {kind}\r\n\
             Content-Transfer-Encoding: binary\r\n\r\n"
        );
        [head.as_bytes(), content, b"\r\n"].concat()
    };
    let body = [
        part("text/plain", b"Hello"),
        part("application/octet-stream", &binary),
        b"--7a9cbec02ceef655--\r\n".to_vec(),
    ]
    .concat();
    let head = wire(&format!(
        "
MESSAGE sip:kumiko@example.org SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport
Max-Forwards: 70
Route: <sip:127.0.0.1:5080>
Identity: r5mwreLuyDRYBi/0TiPwEsY3rEVsk/G2WxhgTV1PF7hHuL
Contact: <sip:fluffy@127.0.0.1:5070>
To: <sip:kumiko@example.org>
From: <sip:fluffy@example.com>;tag=2fb0dcc9
Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..
CSeq: 1 MESSAGE
Content-Transfer-Encoding: binary
Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
Date: Sat, 15 Oct 2005 04:44:56 GMT
User-Agent: SUBSTITUTE
Content-Length: {}

",
        body.len()
    ));
    let message = accepted_bytes(&[head, body].concat());
    let parts = parts(&message.typed().unwrap(), message.body()).unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!(
        (parts[0].header("content-type"), parts[0].body),
        (Some("text/plain"), &b"Hello"[..])
    );
    assert_eq!(parts[1].body, binary);
}

/// An unusual reason phrase.
#[test]
fn unreason() {
    let reason = "= 2**3 * 5**2 но сто девяносто девять - простое";
    let text = format!(
        "
SIP/2.0 200 {reason}
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Call-ID: unreason.1234ksdfak3j2erwedfsASdf
CSeq: 35 INVITE
From: sip:user@example.com;tag=11141343
To: sip:user@example.edu;tag=2229
Content-Length: 150
Content-Type: application/sdp
Contact: <sip:user@host198.example.com>

{SDP}"
    );
    let message = Message::parse_datagram(&wire(&text)).unwrap();
    assert!(message.check().is_ok());
    assert_eq!((message.status().unwrap().code(), message.reason()), (200, reason));
}

/// An empty reason phrase.
#[test]
fn noreason() {
    let text = "
SIP/2.0 100\x20
Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: noreason.asndj203insdf99223ndf
CSeq: 35 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@host105.example.com>

";
    let message = Message::parse_datagram(&wire(text)).unwrap();
    assert!(message.check().is_ok());
    assert_eq!((message.status().unwrap().code(), message.reason()), (100, ""));
}
