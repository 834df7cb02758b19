//! What can't be understood or done is answered so, or not at all.

use crate::world::World;

/// Sends it and tells the first line of the answer.
fn answer(request: &str) -> String {
    let mut world = World::new();
    world.send_raw("10.7.7.7:5060", request);
    world.run(1);
    let answer = world.store.strays.first().map(|(_, bytes)| bytes.clone()).unwrap_or_default();
    String::from_utf8(answer).unwrap()
}

fn request(method: &str, uri: &str, extra: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 10.7.7.7;branch=z9hG4bKa;rport\n\
         Max-Forwards: 70\nFrom: <sip:x@y>;tag=1\nTo: <sip:2001@192.0.2.10>\nCall-ID: c\n\
         CSeq: 1 {method}\nContact: <sip:x@10.7.7.7>\n{extra}Content-Length: 0\n\n"
    )
}

#[test]
fn options_tell_what_we_can() {
    let answer = answer(&request("OPTIONS", "sip:192.0.2.10", ""));
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    assert!(answer.contains("\r\nAllow: INVITE, ACK"), "{answer}");
    assert!(answer.contains("\r\nServer: Jackfield/"), "{answer}");
    assert!(answer.contains(";received=10.7.7.7;rport=5060") || answer.contains("rport=5060"));
}

#[test]
fn what_we_can_not_do_is_refused_with_the_right_status() {
    for (request, status) in [
        (request("DANCE", "sip:192.0.2.10", ""), "501"),
        (request("PUBLISH", "sip:192.0.2.10", ""), "405"),
        (request("MESSAGE", "sip:192.0.2.10", ""), "405"),
        (request("SUBSCRIBE", "sip:192.0.2.10", "Event: presence\n"), "489"),
        (request("NOTIFY", "sip:192.0.2.10", "Event: keep-alive\n"), "200"),
        (request("BYE", "sip:192.0.2.10", ""), "481"),
        (request("INFO", "sip:192.0.2.10", ""), "481"),
        (request("OPTIONS", "http://192.0.2.10/", ""), "416"),
        (request("INVITE", "sip:2001@192.0.2.10", "Require: 100rel\n"), "420"),
        (request("REGISTER", "sip:192.0.2.10", "Require: gruu\n"), "420"),
        (request("INVITE", "sip:2001@192.0.2.10", ""), "401"),
        (request("REGISTER", "sip:192.0.2.10", "From: <sip:z@y>;tag=2\n"), "400"),
    ] {
        let answer = answer(&request);
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{request}\n{answer}");
    }
}

#[test]
fn hops_that_ran_out_and_bodies_that_can_not_be_read() {
    let spent = request("INVITE", "sip:2001@192.0.2.10", "").replace("Forwards: 70", "Forwards: 0");
    assert!(answer(&spent).starts_with("SIP/2.0 483"));
    let body = request("INVITE", "sip:2001@192.0.2.10", "Content-Type: text/html\n")
        .replace("Content-Length: 0\n\n", "Content-Length: 4\n\n<a/>");
    let answer = answer(&body);
    assert!(answer.starts_with("SIP/2.0 415"), "{answer}");
    assert!(answer.contains("\r\nAccept: application/sdp"), "{answer}");
}

#[test]
fn an_extension_we_do_not_know_is_named_in_the_refusal() {
    let answer = answer(&request("INVITE", "sip:1@192.0.2.10", "Require: 100rel, x\n"));
    assert!(answer.contains("\r\nUnsupported: 100rel, x\r\n"), "{answer}");
}

#[test]
fn however_many_extensions_are_asked_for_they_are_refused() {
    let names: Vec<String> = (0..70).map(|number| format!("x{number}")).collect();
    let one_line = format!("Require: {}\n", names.join(","));
    let many_lines: String = names.iter().map(|name| format!("Require: {name}\n")).collect();
    let proxies = one_line.replace("Require", "Proxy-Require");
    for lines in [one_line, many_lines, proxies, "Require: ,,x\n".to_owned()] {
        let answer = answer(&request("INVITE", "sip:1@192.0.2.10", &lines));
        assert!(answer.starts_with("SIP/2.0 420"), "{lines}\n{answer}");
    }
    let answer = answer(&request("INVITE", "sip:1@192.0.2.10", "Require: a b\n"));
    assert!(answer.starts_with("SIP/2.0 400"), "{answer}");
}

#[test]
fn noise_is_dropped_and_an_ack_of_nothing_has_no_answer() {
    assert_eq!(answer("\n\n"), "");
    assert_eq!(answer("hello"), "");
    assert_eq!(answer(&request("ACK", "sip:192.0.2.10", "")), "");
}

#[test]
fn a_request_in_a_dialog_we_do_not_know() {
    let strange = request("INVITE", "sip:x@192.0.2.10", "")
        .replace("To: <sip:2001@192.0.2.10>", "To: <sip:2001@192.0.2.10>;tag=nobody");
    assert!(answer(&strange).starts_with("SIP/2.0 481"));
}
