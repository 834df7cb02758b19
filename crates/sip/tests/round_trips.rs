//! Whatever can be made can be read again, for random contents.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jackfield_sip::digest::{Algorithm, Challenge, Credentials, Login};
use jackfield_sip::header::{Contact, Date, From, Header, NameAddr, Reason, Via, Warning};
use jackfield_sip::sdp::{Codec, Direction, LocalMedia, Origin, Session};
use jackfield_sip::{
    Dialog, DialogId, Host, HostPort, Message, Method, Params, RequestBuilder, ResponseBuilder,
    SipUri, Status, Uri,
};
use proptest::prelude::*;

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,8}(\\.[a-z][a-z0-9]{0,6}){0,3}"
            .prop_filter("no label begins with a dash", |name| Host::parse(name).is_ok())
            .prop_map(|name| Host::parse(&name).unwrap()),
        any::<[u8; 4]>().prop_map(|octets| Host::from(std::net::Ipv4Addr::from(octets))),
        any::<[u8; 16]>().prop_map(|octets| Host::from(std::net::Ipv6Addr::from(octets))),
    ]
}

fn uri() -> impl Strategy<Value = SipUri> {
    let params = prop::collection::btree_map("[a-z]{1,6}", "[a-zA-Z0-9.-]{1,8}", 0..4);
    (any::<bool>(), prop::option::of("\\PC{1,12}"), host(), any::<Option<u16>>(), params).prop_map(
        |(secure, user, host, port, params)| {
            let mut uri = SipUri::new(user.as_deref(), host);
            uri.secure = secure;
            uri.at.port = port;
            for (name, value) in params {
                uri.params.set(&name, Some(&value));
            }
            uri
        },
    )
}

fn name_addr() -> impl Strategy<Value = NameAddr> {
    (uri(), any::<String>(), "[a-zA-Z0-9]{1,16}")
        .prop_map(|(uri, display, tag)| NameAddr::new(uri).with_display(&display).with_tag(&tag))
}

proptest! {
    #[test]
    fn uris(uri in uri()) {
        let uri = Uri::from(uri);
        let read = Uri::parse(&uri.to_string()).unwrap();
        prop_assert_eq!(&read, &uri);
        prop_assert!(read.matches(&uri));
    }

    #[test]
    fn users_keep_every_character(user in "\\PC{1,20}", host in host()) {
        let uri = Uri::from(SipUri::new(Some(&user), host));
        let read = Uri::parse(&uri.to_string()).unwrap();
        prop_assert_eq!(read.user().unwrap(), user);
    }

    #[test]
    fn addresses(address in name_addr()) {
        let read = NameAddr::parse(&address.to_string()).unwrap();
        prop_assert_eq!(read, address);
    }

    #[test]
    fn parameters_keep_every_value(values in prop::collection::btree_map("[a-z]{1,8}", any::<String>(), 0..6)) {
        let mut params = Params::new();
        for (name, value) in &values {
            params.set(name, Some(value));
        }
        let read = Params::parse(&params.to_string()).unwrap();
        for (name, value) in &values {
            let expected = value.replace(['\r', '\n'], " ");
            prop_assert_eq!(read.text(name).unwrap(), expected);
        }
    }

    #[test]
    fn vias(host in host(), port in any::<Option<u16>>(), branch in "[a-zA-Z0-9]{1,20}") {
        let via = Via::new(jackfield_sip::Transport::Tcp.via(), HostPort { host, port }, &branch);
        prop_assert_eq!(Via::parse(&via.to_string()).unwrap(), via);
    }

    #[test]
    fn dates(seconds in 0_u64..253_402_300_800) {
        let date = Date::from_unix(seconds);
        prop_assert_eq!(Date::parse(&date.to_string()).unwrap(), date);
    }

    #[test]
    fn texts_in_quotes(text in any::<String>(), cause in any::<u16>()) {
        let expected = text.replace(['\r', '\n'], " ");
        let reason = Reason::parse(&Reason::new("SIP", cause, &text).to_string()).unwrap();
        prop_assert_eq!(reason.text().unwrap(), expected.as_str());
        let warning = Warning::parse(&Warning::new(399, "h", &text).to_string()).unwrap();
        prop_assert_eq!(&*warning.text, expected.as_str());
    }

    /// Nothing put into a request or its answer adds, hides or changes another line.
    #[test]
    fn messages(from in name_addr(), to in name_addr(), subject in any::<String>(), body in any::<Vec<u8>>(), via in uri()) {
        let request = RequestBuilder::new(Method::Invite, Uri::from(via.clone()))
            .typed(&From(from.clone()))
            .typed(&jackfield_sip::header::To(to))
            .header(jackfield_sip::HeaderName::CallId, "c1")
            .header(jackfield_sip::HeaderName::CSeq, "1 INVITE")
            .header(jackfield_sip::HeaderName::Subject, &subject)
            .typed(&Contact::new(from.clone()))
            .body("application/octet-stream", body.clone());
        let hop = Via::new(jackfield_sip::Transport::Udp.via(), via.at, "z9hG4bK1");
        let message = Message::parse_datagram(&request.write(&hop)).unwrap();
        message.check().unwrap();
        prop_assert_eq!(message.lines().count(), 10);
        prop_assert_eq!(message.typed::<From>().unwrap().0, from);
        prop_assert_eq!(message.body(), &body[..]);
        let answer = ResponseBuilder::with_reason(&message, Status::OK, &subject)
            .header(jackfield_sip::HeaderName::Contact, "<sip:b@c>")
            .body("text/plain", &body)
            .finish();
        let answer = Message::parse_datagram(&answer.bytes).unwrap();
        answer.check().unwrap();
        prop_assert_eq!(answer.lines().count(), 8);
        prop_assert_eq!(answer.body(), &body[..]);
        let uas = Dialog::uas(&message, answer.to_tag().unwrap()).unwrap();
        let uac = Dialog::uac(&answer).unwrap();
        prop_assert_eq!(&uac.id().remote_tag, &uas.id().local_tag);
        prop_assert_eq!(&DialogId::of_response(&answer).unwrap(), uac.id());
    }

    #[test]
    fn credentials(user in "\\PC{0,12}", realm in "\\PC{0,12}", password in any::<String>(), body in any::<Vec<u8>>(), at in 0_usize..4, count in 1_u32..) {
        let algorithm = Algorithm::ALL[at];
        let mut challenge = Challenge::new(&realm, "nonce", algorithm, false);
        challenge.qop_auth_int = body.len() % 2 == 0;
        challenge.qop_auth = !challenge.qop_auth_int;
        let login = Login {
            username: &user,
            password: &password,
            method: "INVITE",
            uri: "sip:a@b",
            cnonce: "c",
            count,
            body: &body,
        };
        let sent = challenge.answer(&login).unwrap();
        let text = sent.to_string();
        let read = Credentials::parse(&text).unwrap();
        prop_assert_eq!(&read, &sent);
        let ha1 = algorithm.ha1(&user, &realm, &password);
        prop_assert!(read.verify("INVITE", &ha1, &body));
        prop_assert!(!read.verify("BYE", &ha1, &body));
    }

    /// Both sides of an offer and answer come to the same result.
    #[test]
    fn offers(ours in prop::sample::subsequence(vec![0_u8, 8, 9, 18], 1..4), theirs in prop::sample::subsequence(vec![0_u8, 8, 9, 18], 1..4), way in 0_usize..4) {
        let direction = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive][way];
        let local = |host: &str, codecs: &[u8], direction| LocalMedia {
            address: format!("{host}:4000").parse().unwrap(),
            codecs: codecs.iter().map(|one| Codec::fixed(*one).unwrap()).collect(),
            direction,
            ptime: None,
        };
        let (ours, theirs) = (local("192.0.2.1", &ours, direction), local("192.0.2.2", &theirs, Direction::SendRecv));
        let origin = Origin::new(1, ours.address.ip());
        let offer = Session::parse(&Session::offer(&origin, &ours).to_bytes()).unwrap();
        let common = theirs.codecs.iter().find(|one| ours.codecs.iter().any(|other| other.is_same(one)));
        match (Session::answer(&offer, &origin, &theirs), common) {
            (Ok((answer, agreed)), Some(codec)) => {
                let answer = Session::parse(&answer.to_bytes()).unwrap();
                let accepted = answer.accept(&offer, &ours).unwrap();
                prop_assert_eq!(&accepted.codec, &agreed.codec);
                prop_assert!(accepted.codec.is_same(codec));
                prop_assert_eq!(accepted.direction.reversed(), agreed.direction);
                prop_assert_eq!(accepted.direction, direction);
                prop_assert_eq!(accepted.remote, theirs.address);
                prop_assert_eq!(agreed.remote, ours.address);
            }
            (Err(_), None) => {}
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
