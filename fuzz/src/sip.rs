//! What is read of SIP, SDP and digest.

use core::fmt::Debug;
use core::time::Duration;

use jackfield_sip::digest::{Algorithm, Challenge, Credentials};
use jackfield_sip::header::*;
use jackfield_sip::sdp::{Codec, Direction, LocalMedia, Origin, Session};
use jackfield_sip::{
    Action, Dialog, Endpoint, Flow, Limits, Message, Now, ResponseBuilder, Status, StreamEvent,
    StreamFramer, Uri,
};

/// A datagram: read it, answer it, let an endpoint handle it until nothing is left of it.
pub fn message(data: &[u8]) {
    let source = "192.0.2.9:5060".parse().expect("an address");
    let flow = Flow::udp("192.0.2.1:5060".parse().expect("an address"), source);
    let mut endpoint = Endpoint::new([1; 32], Limits::default());
    let mut actions = Vec::new();
    match Message::parse_datagram(data) {
        Ok(message) => {
            readable(&message);
            endpoint.receive(Now::ZERO, flow, message, &mut actions);
        }
        Err(error) => {
            let answer = error.answer(source);
            assert!(answer.is_none_or(|answer| Message::parse_datagram(&answer.bytes).is_ok()));
            endpoint.receive_broken(&flow, &error, &mut actions);
        }
    }
    for action in core::mem::take(&mut actions) {
        match action {
            Action::Request { key, message, .. } => {
                let _ = Dialog::uas(&message, "tag").map(|mut dialog| {
                    let _ = dialog.request(jackfield_sip::Method::Bye);
                });
                let response = ResponseBuilder::reply_to(&message, Status::OK).finish();
                let again = Message::parse_datagram(&response.bytes).expect("our own answer");
                assert_eq!(again.call_id(), message.call_id());
                again.check().expect("our own answer is complete");
                endpoint.respond(Now::ZERO, key, &response, &mut actions);
            }
            Action::Transmit { bytes, .. } => {
                Message::parse_datagram(&bytes).expect("our own answer");
            }
            _ => {}
        }
    }
    endpoint.timeout(Now(Duration::from_secs(300)), &mut actions);
    assert!(endpoint.is_empty(), "a transaction has no end");
}

/// Whatever was accepted can be printed and read again, and all its headers can be asked for.
fn readable(message: &Message) {
    let again = Message::parse_datagram(&message.to_bytes()).expect("what was read once");
    assert_eq!(again.head(), message.head());
    assert_eq!(again.body(), message.body());
    let _ = (message.check(), message.uri(), message.from_tag(), message.to_tag());
    let _ = (message.list::<Via>(), message.list::<Contact>(), message.list::<Route>());
    let _ = (message.typed::<Supported>(), message.typed::<Allow>(), message.typed::<Date>());
    let _ = (message.typed::<Authorization>(), message.optional::<Expires>());
    if let Ok(content_type) = message.typed::<ContentType>() {
        let _ = jackfield_sip::parts(&content_type, message.body());
    }
    for (header, name, value) in message.lines() {
        assert!(header == HeaderName::Other || message.first(header).is_some());
        assert!(message.by_text(name).is_some() && !value.contains(['\r', '\n']));
    }
}

/// A stream: the first octet says in which pieces it arrives, which must not matter.
pub fn stream(data: &[u8]) {
    let Some((size, data)) = data.split_first() else { return };
    let (whole, pieces) = (framed(data, StreamFramer::CHUNK), framed(data, usize::from(*size) + 1));
    assert_eq!(whole, pieces);
}

/// The messages that come out, and whether the stream broke.
fn framed(data: &[u8], size: usize) -> (Vec<String>, bool) {
    let (mut framer, mut messages) = (StreamFramer::new(), Vec::new());
    for piece in data.chunks(size) {
        if framer.push(piece).is_err() {
            return (messages, true);
        }
        loop {
            match framer.next_event() {
                Ok(Some(StreamEvent::Message(message))) => messages.push(message.head().to_owned()),
                Ok(Some(StreamEvent::Refused(error))) => messages.push(error.to_string()),
                Ok(Some(StreamEvent::Ping | StreamEvent::Pong)) => {}
                Ok(None) => break,
                Err(_) => return (messages, true),
            }
        }
    }
    (messages, false)
}

/// A session description: prints as it is read, and can be answered.
pub fn sdp(data: &[u8]) {
    let Ok(session) = Session::parse(data) else { return };
    let again = Session::parse(&session.to_bytes()).expect("what was read once");
    assert_eq!(again, session);
    let _ = session.holds_audio();
    let address = "192.0.2.1:30000".parse::<std::net::SocketAddr>().expect("an address");
    let local = LocalMedia {
        address,
        codecs: vec![Codec::new(0, "PCMU", 8000), Codec::telephone_event(101)],
        direction: Direction::SendRecv,
        ptime: Some(20),
    };
    let origin = Origin::new(1, address.ip());
    if let Ok((answer, agreement)) = Session::answer(&session, &origin, &local) {
        let read = Session::parse(&answer.to_bytes()).expect("our own answer");
        assert_eq!(read.media.len(), session.media.len());
        assert!(agreement.codec.payload < 128);
    }
}

/// A header value: whatever is accepted prints as something that reads as the same.
pub fn header(data: &[u8]) {
    let Some(text) = line(data) else { return };
    if let Ok(uri) = Uri::parse(text) {
        assert_eq!(Uri::parse(&uri.to_string()).as_ref(), Ok(&uri));
        assert!(uri.matches(&uri));
    }
    all_headers(text);
}

/// A header value never holds a line end.
fn line(data: &[u8]) -> Option<&str> {
    core::str::from_utf8(data).ok().filter(|text| !text.contains(['\r', '\n']))
}

fn all_headers(text: &str) {
    round::<Accept>(text);
    round::<AlertInfo>(text);
    round::<Allow>(text);
    round::<CallId>(text);
    round::<CallInfo>(text);
    round::<Contact>(text);
    round::<ContentLength>(text);
    round::<ContentType>(text);
    round::<CSeq>(text);
    round::<Date>(text);
    round::<Diversion>(text);
    round::<Event>(text);
    round::<Expires>(text);
    round::<From>(text);
    round::<MaxForwards>(text);
    round::<MinExpires>(text);
    round::<MinSe>(text);
    round::<PAssertedIdentity>(text);
    round::<RAck>(text);
    round::<RSeq>(text);
    round::<Reason>(text);
    round::<RecordRoute>(text);
    round::<ReferTo>(text);
    round::<ReferredBy>(text);
    round::<RemotePartyId>(text);
    round::<Replaces>(text);
    round::<Require>(text);
    round::<RetryAfter>(text);
    round::<Route>(text);
    round::<Server>(text);
    round::<SessionExpires>(text);
    round::<SubscriptionState>(text);
    round::<Supported>(text);
    round::<To>(text);
    round::<Unsupported>(text);
    round::<UserAgent>(text);
    round::<Via>(text);
    round::<Warning>(text);
}

fn round<H: Header + PartialEq + Debug>(text: &str) {
    if let Ok(header) = H::parse(text) {
        let printed = header.to_string();
        assert_eq!(H::parse(&printed).as_ref(), Ok(&header), "{printed:?}");
    }
}

/// Credentials and challenges: the same, and nothing verifies by accident.
pub fn digest(data: &[u8]) {
    let Some(text) = line(data) else { return };
    if let Ok(credentials) = Credentials::parse(text) {
        let printed = credentials.to_string();
        let again = Credentials::parse(&printed);
        assert_eq!(again.as_ref(), Ok(&credentials));
        assert!(!credentials.verify("REGISTER", &Algorithm::Md5.ha1("a", "b", "c"), b""));
    }
    if let Ok(challenge) = Challenge::parse(text) {
        let again = Challenge::parse(&challenge.to_string());
        // An algorithm without a name here is not printed, and none means MD5.
        assert!(challenge.algorithm.is_none() || again.as_ref() == Ok(&challenge));
    }
}

/// What both we and the oracle accept, both must read alike.
pub fn differential(data: &[u8]) {
    let ours = Message::parse_datagram(data);
    let limits = sipx_sip::parser::Limits::datagram();
    let theirs = sipx_sip::parser::parse_datagram(bytes::Bytes::copy_from_slice(data), &limits);
    let (Ok(ours), Ok(theirs)) = (ours, theirs) else { return };
    let body = theirs.body();
    assert_eq!(ours.body(), &body[..], "body");
    match (theirs.as_request(), theirs.as_response()) {
        (Some(request), _) => {
            let method = ours.method().map(|method| method.as_str().as_bytes());
            assert_eq!(method, Some(request.method.as_bytes()), "method");
        }
        (_, Some(response)) => {
            assert_eq!(ours.status().map(Status::code), Some(response.status.code()), "status");
        }
        _ => unreachable!("a message is one or the other"),
    }
    let lines: Vec<String> = ours.lines().map(|(_, _, value)| squeezed(value.as_bytes())).collect();
    let oracle: Vec<String> = theirs.headers().iter().map(|h| squeezed(&h.value())).collect();
    assert_eq!(lines, oracle, "header lines");
}

/// How white space is folded is each reader's own affair.
fn squeezed(value: &[u8]) -> String {
    String::from_utf8_lossy(value).split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Do we accept the datagram, and does the oracle?
pub fn verdicts(data: &[u8]) -> (bool, bool) {
    let ours = Message::parse_datagram(data).is_ok_and(|message| message.check().is_ok());
    let limits = sipx_sip::parser::Limits::datagram();
    let theirs = sipx_sip::parser::parse_datagram(bytes::Bytes::copy_from_slice(data), &limits);
    (ours, theirs.is_ok_and(|message| sipx_sip::validate::validate(&message).is_empty()))
}
