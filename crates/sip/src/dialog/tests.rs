use super::*;
use crate::header::Via;
use crate::message::ResponseBuilder;

fn parse(text: &str) -> Message {
    Message::parse_datagram(text.replace('\n', "\r\n").as_bytes()).unwrap()
}

fn built(request: &RequestBuilder) -> Message {
    let via = Via::parse("SIP/2.0/UDP h;branch=z9hG4bK1").unwrap();
    Message::parse_datagram(&request.write(&via)).unwrap()
}

/// An INVITE that took two proxies; `last` is how the nearest one names itself.
fn invite(last: &str) -> Message {
    parse(&format!(
        "INVITE sip:bob@192.0.2.4 SIP/2.0\n\
         Via: SIP/2.0/UDP p2.example.com;branch=z9hG4bK1\n\
         Record-Route: <{last}>, <sip:p1.example.com;lr>\n\
         From: \"Alice\" <sip:alice@example.com>;tag=a1\n\
         To: <sip:bob@example.com>\n\
         Call-ID: c1\n\
         CSeq: 101 INVITE\n\
         Contact: <sip:alice@10.0.0.1:5070?x=y>\n\n"
    ))
}

fn answer(invite: &Message, status: Status, contact: &str) -> Message {
    let response = ResponseBuilder::reply_to(invite, status)
        .to_tag("b1")
        .header(HeaderName::Contact, contact)
        .finish();
    Message::parse_datagram(&response.bytes).unwrap()
}

fn pair() -> (Dialog, Dialog) {
    let invite = invite("sip:p2.example.com;lr");
    let response = answer(&invite, Status::OK, "<sip:bob@192.0.2.4>");
    let mut uas = Dialog::uas(&invite, "b1").unwrap();
    uas.confirm();
    (Dialog::uac(&response).unwrap(), uas)
}

#[test]
fn both_sides_agree_on_who_is_who() {
    let (uac, uas) = pair();
    assert_eq!(uac.id(), &DialogId::new("c1", "a1", "b1"));
    assert_eq!(uas.id(), &DialogId::new("c1", "b1", "a1"));
    assert_eq!(uac.state(), DialogState::Confirmed);
    assert_eq!(uac.remote_target().to_string(), "sip:bob@192.0.2.4");
}

#[test]
fn the_route_set_is_reversed_on_the_calling_side() {
    let (mut uac, mut uas) = pair();
    let bye = built(&uac.request(Method::Bye));
    let hops: Vec<_> = bye.all(HeaderName::Route).collect();
    assert_eq!(hops, ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]);
    assert_eq!(bye.raw_uri(), "sip:bob@192.0.2.4");
    assert_eq!(bye.cseq().unwrap().number, 102);
    assert_eq!(uac.next_hop().to_string(), "sip:p1.example.com;lr");
    assert_eq!(DialogId::of_request(&bye).as_ref(), Some(uas.id()));
    let info = built(&uas.request(Method::Info));
    let hops: Vec<_> = info.all(HeaderName::Route).collect();
    assert_eq!(hops, ["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>"]);
    assert_eq!(info.raw_uri(), "sip:alice@10.0.0.1:5070");
    assert_eq!(info.first(HeaderName::From), Some("<sip:bob@example.com>;tag=b1"));
    assert_eq!(info.first(HeaderName::To), Some("\"Alice\" <sip:alice@example.com>;tag=a1"));
}

#[test]
fn a_strict_router_stands_in_the_request_line() {
    let mut uas = Dialog::uas(&invite("sip:p2.example.com"), "b1").unwrap();
    let bye = built(&uas.request(Method::Bye));
    assert_eq!(bye.raw_uri(), "sip:p2.example.com");
    let hops: Vec<_> = bye.all(HeaderName::Route).collect();
    assert_eq!(hops, ["<sip:p1.example.com;lr>", "<sip:alice@10.0.0.1:5070?x=y>"]);
}

#[test]
fn an_early_dialog_is_confirmed_by_its_2xx() {
    let invite = invite("sip:p2.example.com;lr");
    let ringing = answer(&invite, Status::RINGING, "<sip:bob@192.0.2.4>");
    let mut uac = Dialog::uac(&ringing).unwrap();
    assert_eq!(uac.state(), DialogState::Early);
    uac.receive_response(&answer(&invite, Status::OK, "<sip:bob@192.0.2.5>")).unwrap();
    assert_eq!(uac.state(), DialogState::Confirmed);
    assert_eq!(uac.remote_target().to_string(), "sip:bob@192.0.2.5");
    let ack = built(&uac.ack(101));
    assert_eq!(ack.first(HeaderName::CSeq), Some("101 ACK"));
    assert_eq!(ack.to_tag(), Some("b1"));
    uac.terminate();
    assert_eq!(uac.state(), DialogState::Terminated);
}

#[test]
fn requests_come_in_order_and_may_move_the_target() {
    let (mut uac, mut uas) = pair();
    let reinvite = uac.request(Method::Invite).header(HeaderName::Contact, "<sip:alice@new>");
    let reinvite = built(&reinvite);
    uas.receive_request(&reinvite).unwrap();
    assert_eq!(uas.remote_target().to_string(), "sip:alice@new");
    assert_eq!(uas.receive_request(&reinvite), Err(DialogFault::OutOfOrder));
    assert_eq!(DialogFault::OutOfOrder.status(), Status::SERVER_INTERNAL_ERROR);
    let info = uac.request(Method::Info).header(HeaderName::Contact, "<sip:alice@other>");
    uas.receive_request(&built(&info)).unwrap();
    assert_eq!(uas.remote_target().to_string(), "sip:alice@new");
    assert_eq!(uas.remote_cseq(), Some(103));
}

#[test]
fn what_makes_no_dialog() {
    let invite = invite("sip:p2.example.com;lr");
    let refusal = answer(&invite, Status::BUSY_HERE, "<sip:b@c>");
    assert_eq!(Dialog::uac(&refusal), Err(DialogFault::NoDialog));
    let trying = answer(&invite, Status::TRYING, "<sip:b@c>");
    assert_eq!(Dialog::uac(&trying), Err(DialogFault::NoDialog));
    let star = answer(&invite, Status::OK, "*");
    let fault = DialogFault::Header(HeaderName::Contact, HeaderFault::Address);
    assert_eq!(Dialog::uac(&star), Err(fault));
}

/// RFC 3261 section 12.1.2: the tag "is considered to have a value of null".
#[test]
fn an_acceptance_without_a_tag_makes_a_dialog() {
    let text = answer(&invite("sip:p2.example.com;lr"), Status::OK, "<sip:bob@192.0.2.4>");
    let text = text.head().replace(";tag=b1", "");
    let mut uac = Dialog::uac(&Message::parse_datagram(text.as_bytes()).unwrap()).unwrap();
    assert_eq!(uac.id(), &DialogId::new("c1", "a1", ""));
    assert_eq!(
        built(&uac.request(Method::Bye)).first(HeaderName::To),
        Some("<sip:bob@example.com>")
    );
    let ringing = text.replace("200 OK", "180 Ringing");
    let ringing = Message::parse_datagram(ringing.as_bytes()).unwrap();
    assert_eq!(Dialog::uac(&ringing), Err(DialogFault::NoDialog));
}

#[test]
fn an_acceptance_that_says_no_place_is_acknowledged_where_the_invite_went() {
    let invited = Uri::parse("sip:bob@192.0.2.77:5062").unwrap();
    let ok = answer(&invite("sip:p2.example.com;lr"), Status::OK, "<sip:bob@192.0.2.4>");
    for contact in ["", "Contact: *\r\n", "Contact: <tel:1234>\r\n", "Contact: <sip:\r\n"] {
        let text = ok.head().replace("Contact: <sip:bob@192.0.2.4>\r\n", contact);
        let ok = Message::parse_datagram(text.as_bytes()).unwrap();
        let uac = Dialog::uac_at(&ok, &invited).unwrap();
        assert_eq!(built(&uac.ack(101)).raw_uri(), "sip:bob@192.0.2.77:5062", "{contact}");
    }
    let uac = Dialog::uac_at(&ok, &invited).unwrap();
    assert_eq!(uac.remote_target().to_string(), "sip:bob@192.0.2.4");
}

#[test]
fn a_dialog_can_be_written_and_read_back() {
    let (uac, _) = pair();
    let text = serde_json::to_string(&uac).unwrap();
    assert_eq!(serde_json::from_str::<Dialog>(&text).unwrap(), uac);
}
