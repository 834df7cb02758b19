use super::*;
use crate::header::{Contact, From, Supported, To, Via};

fn parse(text: &str) -> Message {
    Message::parse_datagram(text.as_bytes()).unwrap()
}

fn fault(text: &[u8]) -> Fault {
    Message::parse_datagram(text).unwrap_err().fault
}

const REGISTER: &str = "REGISTER sip:example.com SIP/2.0\r\n\
    v: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport, SIP/2.0/TCP h;branch=z9hG4bK0\r\n\
    Max-Forwards: 70\r\n\
    f: <sip:a@example.com>;tag=f1\r\n\
    To : <sip:a@example.com>\r\n\
    i: 1@10.0.0.1\r\n\
    CSeq: 1 REGISTER\r\n\
    m: <sip:a@10.0.0.1>;q=0.5,\r\n\x20<sip:a@10.0.0.2>\r\n\
    Supported: path, gruu\r\n\
    Supported: 100rel\r\n\
    X-Thing: some value\r\n\
    Content-Length: 4\r\n\r\nbodytrailing";

#[test]
fn headers_are_found_in_both_forms() {
    let message = parse(REGISTER);
    assert_eq!(message.method(), Some(&Method::Register));
    assert_eq!(message.raw_uri(), "sip:example.com");
    assert_eq!(message.body(), b"body");
    assert_eq!(message.typed::<From>().unwrap().tag(), Some("f1"));
    assert_eq!((message.from_tag(), message.to_tag()), (Some("f1"), None));
    assert_eq!(message.by_text("x-thing"), Some("some value"));
    assert_eq!(message.by_text("Nothing"), None);
    assert_eq!(message.list::<Via>().unwrap().len(), 2);
    assert_eq!(message.call_id(), "1@10.0.0.1");
    assert!(message.check().is_ok());
}

#[test]
fn lists_go_over_lines_and_folds() {
    let message = parse(REGISTER);
    let contacts = message.list::<Contact>().unwrap();
    assert_eq!(contacts[1].to_string(), "<sip:a@10.0.0.2>");
    assert_eq!(message.elements(HeaderName::Supported).count(), 3);
    assert!(message.has_token(HeaderName::Supported, "100REL"));
    assert_eq!(message.list::<Supported>().unwrap().len(), 2);
    assert_eq!(message.optional::<crate::header::Expires>(), Ok(None));
}

#[test]
fn a_reply_goes_back_the_way_it_came() {
    let mut message = parse(REGISTER);
    message.set_source("192.0.2.9:1024".parse().unwrap());
    let reply = ResponseBuilder::reply_to(&message, Status::OK)
        .to_tag("t1")
        .header(HeaderName::Contact, "<sip:a@10.0.0.1>;expires=60")
        .finish();
    let reply = Message::parse_datagram(&reply.bytes).unwrap();
    let vias = reply.list::<Via>().unwrap();
    assert_eq!(vias[0].received(), Some("192.0.2.9".parse().unwrap()));
    assert_eq!(vias[0].rport(), Some(Some(1024)));
    assert_eq!(vias[1].branch(), Some("z9hG4bK0"));
    assert_eq!(reply.typed::<To>().unwrap().tag(), Some("t1"));
    assert_eq!((reply.status(), reply.reason()), (Some(Status::OK), "OK"));
    assert!(reply.check().is_ok());
}

/// Of a header that stands once at most, nobody knows which of two counts; others may take several lines
/// (RFC 3261 section 7.3.1).
#[test]
fn a_header_that_stands_once_is_not_taken_twice() {
    let fault = |lines: &str| {
        let rest = format!("{lines}Content-Length: 0\r\n\r\n");
        let message = parse(&REGISTER.replace("Content-Length: 4\r\n\r\nbodytrailing", &rest));
        message.check().err()
    };
    for (header, lines) in [
        (HeaderName::From, "From: <sip:a@example.com>;tag=f1\r\n"),
        (HeaderName::To, "t: <sip:a@example.com>\r\n"),
        (HeaderName::CallId, "Call-ID: 1@10.0.0.1\r\n"),
        (HeaderName::CSeq, "CSeq: 1 REGISTER\r\n"),
        (HeaderName::MaxForwards, "Max-Forwards: 70\r\n"),
        (HeaderName::ContentType, "Content-Type: text/plain\r\nc: text/plain\r\n"),
        (HeaderName::Expires, "Expires: 60\r\nExpires: 60\r\n"),
    ] {
        let repeated = Fault::Header(header, HeaderFault::Repeated);
        assert_eq!(fault(lines), Some(repeated), "{lines}");
    }
    for lines in
        ["Supported: x\r\n", "Contact: <sip:a@b>\r\n", "v: SIP/2.0/UDP h;branch=z9hG4bK2\r\n"]
    {
        assert_eq!(fault(lines), None, "{lines}");
    }
}

/// The hops of a dialog are told back where one may begin, and nowhere else (RFC 3261 section 12.1.1).
#[test]
fn hops_go_back_only_where_a_dialog_may_begin() {
    let hops = |method: &str, status: u16| {
        let request = format!(
            "{method} sip:bob@b SIP/2.0\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\n\
             Record-Route: <sip:p2;lr>, <sip:p1;lr>\nMax-Forwards: 70\nFrom: <sip:a@a>;tag=1\n\
             To: <sip:b@b>\nCall-ID: 1\nCSeq: 1 {method}\nContent-Length: 0\n\n"
        );
        let request = parse(&request.replace('\n', "\r\n"));
        let reply = ResponseBuilder::reply_to(&request, Status::new(status).unwrap()).finish();
        let reply = Message::parse_datagram(&reply.bytes).unwrap();
        reply.first(HeaderName::RecordRoute).map(str::to_owned)
    };
    for (method, status) in
        [("INVITE", 180), ("INVITE", 200), ("SUBSCRIBE", 202), ("REFER", 202), ("NOTIFY", 200)]
    {
        let told = hops(method, status);
        assert_eq!(told.as_deref(), Some("<sip:p2;lr>, <sip:p1;lr>"), "{status} to {method}");
    }
    for (method, status) in [
        ("INVITE", 100),
        ("INVITE", 302),
        ("INVITE", 486),
        ("SUBSCRIBE", 489),
        ("BYE", 200),
        ("OPTIONS", 200),
        ("REGISTER", 200),
    ] {
        assert_eq!(hops(method, status), None, "{status} to {method}");
    }
}

#[test]
fn replies_without_a_chosen_tag_agree() {
    let message = parse(REGISTER);
    let one = ResponseBuilder::reply_to(&message, Status::NOT_FOUND).finish();
    let two = ResponseBuilder::reply_to(&message, Status::FORBIDDEN).finish();
    let tag = |response: Response| {
        Message::parse_datagram(&response.bytes).unwrap().to_tag().unwrap().to_owned()
    };
    assert_eq!(tag(one), tag(two));
}

#[test]
fn nothing_leaves_its_header_line() {
    let request = RequestBuilder::new(Method::Notify, "sip:a@b\r\nEvil: 1")
        .header(HeaderName::Subject, "x\r\nEvil: 2")
        .extension("Evil: 3\r\nX", "y")
        .body("text/plain\r\nEvil: 4", "hi");
    let via = Via::parse("SIP/2.0/UDP h;branch=z9hG4bK1").unwrap();
    let message = Message::parse_datagram(&request.write(&via)).unwrap();
    assert_eq!(message.by_text("Evil"), None);
    assert_eq!(message.lines().count(), 6);
    assert_eq!(message.first(HeaderName::MaxForwards), Some("70"));
    assert_eq!(message.body(), b"hi");
}

#[test]
fn state_can_be_written_and_read_back() {
    let mut message = parse(REGISTER);
    message.set_source("192.0.2.9:1024".parse().unwrap());
    let text = serde_json::to_string(&message).unwrap();
    assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
}

#[test]
fn faults_are_named() {
    let with = |line: &str| format!("OPTIONS sip:a SIP/2.0\r\n{line}\r\n\r\n").into_bytes();
    assert_eq!(fault(b"\r\n\r\n"), Fault::KeepAlive);
    assert_eq!(fault(b"\0\0\0\0"), Fault::KeepAlive);
    assert_eq!(fault(b""), Fault::KeepAlive);
    assert_eq!(fault(b"GET / HTTP/1.1\r\n\r\n"), Fault::NotSip);
    assert_eq!(fault(b"OPTIONS sip:a SIP/3.0\r\n\r\n"), Fault::Version);
    assert_eq!(fault(b"OPTIONS  sip:a SIP/2.0\r\n\r\n"), Fault::RequestLine);
    assert_eq!(fault(b"SIP/2.0 2000 OK\r\n\r\n"), Fault::StatusLine);
    assert_eq!(fault(b"SIP/2.0 700 No\r\n\r\n"), Fault::StatusLine);
    assert_eq!(fault(&with("no colon")), Fault::HeaderLine);
    assert_eq!(fault(&with(": x")), Fault::HeaderLine);
    assert_eq!(fault(&with("A b: x")), Fault::HeaderLine);
    let line = |length: usize| with(&format!("A: {}", "x".repeat(length - "A: ".len())));
    assert_eq!(fault(&line(limits::HEADER_VALUE + 1)), Fault::HeaderLine);
    assert!(Message::parse_datagram(&line(limits::HEADER_VALUE)).is_ok());
    assert_eq!(fault(&with("A: b\nC: d")), Fault::LineEnd);
    assert_eq!(fault(&with("A: b\rC: d")), Fault::LineEnd);
    assert_eq!(fault(&with(&"A: b\r\n".repeat(300))), Fault::TooManyHeaders);
    assert_eq!(fault(&with("l: 1\r\nContent-Length: 1")), Fault::ContentLength);
    assert_eq!(fault(&with("l: -1")), Fault::ContentLength);
    assert_eq!(fault(&with("l: 99999999999999999999999")), Fault::ContentLength);
    assert_eq!(fault(&with("l: 5")), Fault::Truncated);
    assert_eq!(fault(b"OPTIONS sip:a SIP/2.0\r\nl: 1\r\n"), Fault::Unterminated);
    assert_eq!(fault(b"OPTIONS sip:a SIP/2.0\r\nA: \xff\r\n\r\n"), Fault::NotUtf8);
    assert_eq!(fault(&vec![b'a'; limits::MESSAGE + 1]), Fault::TooLarge);
}

/// A datagram ends where it ends, and some senders leave out what says so (RFC 3261 section 18.3).
#[test]
fn a_datagram_may_lack_its_last_line_ends() {
    let bye = "BYE sip:a SIP/2.0\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n";
    for missing in ["\r\n", "\r\n\r\n", "Content-Length: 0\r\n\r\n"] {
        let message = parse(bye.strip_suffix(missing).unwrap());
        assert_eq!(message.cseq().unwrap().number, 2, "{missing:?}");
        assert!(message.head().ends_with("\r\n\r\n"), "{missing:?}");
        assert_eq!(message.body(), b"");
        assert_eq!(parse(message.head()), message);
    }
}

#[test]
fn blanks_after_the_version_mean_nothing() {
    for blanks in [" ", "  ", "\t"] {
        let ack = parse(&format!("ACK sip:a@b SIP/2.0{blanks}\r\nCSeq: 1 ACK\r\n\r\n"));
        assert_eq!((ack.method(), ack.raw_uri()), (Some(&Method::Ack), "sip:a@b"));
    }
}

#[test]
fn a_bad_request_is_answered_if_it_can_be() {
    let bad = REGISTER.replace("X-Thing: some value", "X-Thing");
    let error = Message::parse_datagram(bad.as_bytes()).unwrap_err();
    let answer = error.answer("192.0.2.9:1024".parse().unwrap()).unwrap();
    let answer = Message::parse_datagram(&answer.bytes).unwrap();
    assert_eq!((answer.status(), answer.reason()), (Some(Status::BAD_REQUEST), "Bad header line"));
    assert!(answer.check().is_ok());
    let no_via = bad.replace("v: SIP", "X: SIP");
    let error = Message::parse_datagram(no_via.as_bytes()).unwrap_err();
    assert!(error.answer("192.0.2.9:1024".parse().unwrap()).is_none());
}

#[test]
fn a_missing_header_or_another_method_is_a_fault() {
    let missing = REGISTER.replace("i: 1@10.0.0.1\r\n", "");
    let expected = Fault::Header(HeaderName::CallId, HeaderFault::Missing);
    assert_eq!(parse(&missing).check().unwrap_err(), expected);
    let mismatch = REGISTER.replace("CSeq: 1 REGISTER", "CSeq: 1 INVITE");
    assert_eq!(parse(&mismatch).check().unwrap_err(), Fault::MethodMismatch);
}

mod stream {
    use super::*;

    fn framed(framer: &mut StreamFramer) -> Message {
        match framer.next_event() {
            Ok(Some(StreamEvent::Message(message))) => message,
            other => panic!("{other:?}"),
        }
    }

    fn whole() -> String {
        REGISTER.trim_end_matches("trailing").to_owned()
    }

    #[test]
    fn messages_come_out_whatever_the_pieces() {
        for size in 1..40 {
            let mut framer = StreamFramer::new();
            let (mut found, twice) = (0, whole().repeat(2));
            for piece in twice.as_bytes().chunks(size) {
                framer.push(piece).unwrap();
                while let Some(event) = framer.next_event().unwrap() {
                    assert!(matches!(event, StreamEvent::Message(m) if m.body() == b"body"));
                    found += 1;
                }
            }
            assert_eq!((found, framer.waiting()), (2, 0));
        }
    }

    #[test]
    fn keep_alives_between_messages() {
        let mut framer = StreamFramer::new();
        framer.push(format!("\r\n\r\n{}\r\n", whole()).as_bytes()).unwrap();
        assert!(matches!(framer.next_event(), Ok(Some(StreamEvent::Ping))));
        framed(&mut framer);
        assert!(matches!(framer.next_event(), Ok(Some(StreamEvent::Pong))));
        assert!(matches!(framer.next_event(), Ok(None)));
    }

    #[test]
    fn without_a_length_the_stream_is_broken_but_answered() {
        for line in ["X: 1", "Content-Length: -1", "l: 4\r\nl: 4", "l: 99999"] {
            let text = whole().replace("Content-Length: 4", line);
            let mut framer = StreamFramer::new();
            framer.push(text.as_bytes()).unwrap();
            let Err(StreamFault::Broken(error)) = framer.next_event() else { panic!("{line}") };
            assert!(error.answer("192.0.2.9:1024".parse().unwrap()).is_some(), "{line}");
            assert!(framer.push(b"x").is_err());
            assert!(matches!(framer.next_event(), Ok(None)));
        }
    }

    #[test]
    fn a_bad_message_does_not_stop_the_next() {
        let bad = whole().replace("X-Thing: some value", "X-Thing");
        let mut framer = StreamFramer::new();
        framer.push(format!("{bad}{}", whole()).as_bytes()).unwrap();
        assert!(matches!(framer.next_event(), Ok(Some(StreamEvent::Refused(_)))));
        framed(&mut framer);
    }

    #[test]
    fn endless_headers_are_bounded() {
        let mut framer = StreamFramer::new();
        let mut result = Ok(None);
        for _ in 0..100 {
            if framer.push(&[b'a'; 1024]).is_err() {
                break;
            }
            result = framer.next_event();
            if result.is_err() {
                break;
            }
        }
        assert!(matches!(result, Err(StreamFault::Broken(e)) if e.fault == Fault::TooLarge));
        assert_eq!(framer.waiting(), 0);
    }
}
