//! Enterprise phones tell of tokens, alarms and call keys by REFER outside dialogs, without
//! credentials.

use crate::world::World;

fn refer(call_id: &str, target: &str, body: &str) -> String {
    format!(
        "REFER sip:192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK{call_id};rport\n\
         Max-Forwards: 70\nFrom: <sip:001122AABB01@192.0.2.10>;tag=1\nTo: <sip:192.0.2.10>\n\
         Call-ID: {call_id}\nCSeq: 1 REFER\nContact: <sip:x@10.1.0.1:5060>\nRefer-To: <{target}>\n\
         Content-Type: application/x-cisco-remotecc-request+xml\nContent-Length: {}\n\n{body}",
        body.len()
    )
}

#[test]
fn tokens_and_alarms_are_taken_and_other_references_refused() {
    let mut world = World::new();
    world.send_raw("10.7.7.7:5060", &refer("a", "urn:x-cisco-remotecc:token-registration", ""));
    world.send_raw("10.7.7.7:5060", &refer("b", "sip:2002@192.0.2.10", ""));
    let [taken, refused] = &world.transcript[..] else { panic!("{:?}", world.transcript) };
    assert!(taken.contains("SIP/2.0 202") && !taken.contains("Allow:"), "{taken}");
    // RFC 3261 section 8.2.1.
    let allowed = refused.split_once("Allow: ").unwrap().1.split("\\r").next().unwrap();
    assert!(refused.contains("SIP/2.0 405") && !allowed.contains("REFER"), "{refused}");
}

#[test]
fn a_key_of_a_call_is_taken_from_its_own_phone() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    let body = "<x-cisco-remotecc-request><softkeyeventmsg><softkeyevent>Hold</softkeyevent>\
                <dialogid><callid>call-1-0</callid></dialogid></softkeyeventmsg>\
                </x-cisco-remotecc-request>";
    world.send_raw("10.1.0.1:5060", &refer("k", "cid:k@10.1.0.1", body));
    assert!(world.transcript.last().unwrap().contains("SIP/2.0 202"));
    assert_eq!(world.overview().calls_connected, 1, "between phones it changes nothing");
}
