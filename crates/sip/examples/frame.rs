//! How much processor time a REGISTER takes (Linux): run with `cargo run --release -p jackfield-sip --example frame`.
#![allow(clippy::unwrap_used, reason = "a measurement may panic")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads its processor time")]

use std::hint::black_box;
use std::time::Duration;

use jackfield_sip::digest::{Algorithm, Credentials};
use jackfield_sip::header::{Contact, Date, Expires, UserAgent};
use jackfield_sip::{
    Action, Endpoint, Flow, HeaderName, Limits, Message, Now, ResponseBuilder, Status,
};

fn main() {
    let ha1 = Algorithm::Md5.ha1("1000", "ccmsipline", "secret");
    let mut datagram = datagram();
    let number = datagram.windows(8).position(|digits| digits == b"00000000").unwrap();
    measure("frame", || {
        black_box(Message::parse_datagram(&datagram).unwrap());
    });
    let message = Message::parse_datagram(&datagram).unwrap();
    measure("check (Request-URI, Via, From, To, CSeq)", || {
        black_box(message.check().unwrap());
    });
    measure("Contact, Expires, Authorization, User-Agent", || {
        black_box(read(&message));
    });
    let credentials = read(&message);
    measure("digest", || verify(&credentials, &ha1));
    measure("200 OK", || {
        black_box(answer(&message));
    });
    let mut endpoint = Endpoint::new([9; 32], Limits::default());
    let (mut out, mut count) = (Vec::new(), 0_usize);
    measure("whole: frame, transaction, headers, digest, 200", || {
        count += 1;
        let now = Now(Duration::from_micros(count as u64 * 333));
        datagram[number..number + 8].copy_from_slice(format!("{count:08}").as_bytes());
        let message = Message::parse_datagram(&datagram).unwrap();
        endpoint.timeout(now, &mut out);
        endpoint.receive(now, flow(), message, &mut out);
        if let Some(Action::Request { key, message, .. }) = out.pop() {
            let credentials = read(&message);
            verify(&credentials, &ha1);
            endpoint.respond(now, key, &answer(&message), &mut out);
        }
        out.clear();
    });
    println!("transactions at the end: {}", endpoint.len());
}

fn measure(what: &str, mut work: impl FnMut()) {
    (0..20_000).for_each(|_| work());
    let round = |_| {
        let start = processor_time();
        (0..50_000).for_each(|_| work());
        (processor_time() - start) / 50_000
    };
    let best = (0..9).map(round).min().unwrap();
    println!("{what}: {best} ns");
}

/// Nanoseconds this thread has run: what else runs on the machine does not count.
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn read(message: &Message) -> Credentials<'_> {
    black_box(message.list::<Contact>().unwrap());
    black_box(message.optional::<Expires>().unwrap());
    black_box(message.optional::<UserAgent>().unwrap());
    Credentials::parse(message.first(HeaderName::Authorization).unwrap()).unwrap()
}

fn verify(credentials: &Credentials<'_>, ha1: &str) {
    assert!(credentials.verify("REGISTER", ha1, b"") || credentials.response.len() == 32);
}

fn answer(message: &Message) -> jackfield_sip::Response {
    ResponseBuilder::reply_to(message, Status::OK)
        .to_tag("k3j4h5g6f7d8s9a2")
        .header(HeaderName::Contact, message.first(HeaderName::Contact).unwrap())
        .typed(&Date::from_unix(1_763_760_000))
        .header(HeaderName::Server, "Jackfield/0.1")
        .finish()
}

fn flow() -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.77:5060".parse().unwrap())
}

/// A refresh as a phone sends it, with a branch whose number is filled in.
fn datagram() -> Vec<u8> {
    let nonce = "692000005f0c3a11d1f2b3c4a5968778695a4b3c";
    format!(
        "REGISTER sip:192.0.2.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bK-524287-00000000-0;rport\r\n\
             From: \"1000\" <sip:1000@192.0.2.1>;tag=aa12b3c4\r\n\
             To: \"1000\" <sip:1000@192.0.2.1>\r\n\
             Call-ID: 00562b04-36150002-1c5d3fa1@192.0.2.77\r\n\
             Max-Forwards: 70\r\n\
             CSeq: 102 REGISTER\r\n\
             User-Agent: Cisco-CP8841/12.8.1\r\n\
             Contact: <sip:1000@192.0.2.77:5060;transport=udp>;\
             +sip.instance=\"<urn:uuid:00000000-0000-0000-0000-00562b043615>\"\r\n\
             Authorization: Digest username=\"1000\",realm=\"ccmsipline\",\
             uri=\"sip:192.0.2.1\",response=\"0123456789abcdef0123456789abcdef\",\
             nonce=\"{nonce}\",cnonce=\"6b8b4567\",qop=auth,nc=00000001,algorithm=MD5\r\n\
             Supported: replaces,join,sdp-anat,norefersub,resource-priority\r\n\
             Expires: 3600\r\n\
             Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}
