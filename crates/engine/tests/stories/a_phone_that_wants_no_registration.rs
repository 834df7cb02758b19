//! Unknown phones that take themselves away, ask, or come for a moment: none of them is taken in, and
//! no number is used up.

use jackfield_sip::HeaderName;

use crate::world::{Raw, World, contacts, status};

fn unknown(mac: &str) -> Raw {
    Raw::new(mac, "10.1.0.7:5060")
}

const CONTACT: &str = "<sip:x@10.1.0.7>";

#[test]
fn it_is_no_newcomer() {
    for lines in [
        format!("Contact: {CONTACT}\nExpires: 0\n"),
        format!("Contact: {CONTACT};expires=0\n"),
        format!("m: {CONTACT};expires=0, <sip:x@10.1.0.8>;expires=0\nExpires: 3600\n"),
        format!("Contact: {CONTACT};expires=0\nReason: SIP;cause=200;text=\"Last=reset-reset\"\n"),
        "Contact: *\nExpires: 0\n".into(),
        "Expires: 3600\n".into(),
        "Expires: 0\n".into(),
        String::new(),
    ] {
        let mut world = World::new();
        let answer = unknown("02ab00000001").register(&mut world, 1, &lines);
        assert_eq!((status(&answer), contacts(&answer).len()), (200, 0), "{lines}");
        assert_eq!(world.heard.submitted, 0, "{lines}");
        assert_eq!(world.directory.unassigned_count(), 0, "{lines}");
    }
}

#[test]
fn too_short_a_time_is_refused_before_anything_is_made() {
    let mut world = World::new();
    let mut phone = unknown("02ab00000002");
    for brief in
        [format!("Contact: {CONTACT}\nExpires: 30\n"), format!("Contact: {CONTACT};expires=1\n")]
    {
        let answer = phone.register(&mut world, 1, &brief);
        assert_eq!((status(&answer), answer.first(HeaderName::MinExpires)), (423, Some("60")));
    }
    assert_eq!(world.heard.submitted, 0);
    // With the time that it was told it is taken in.
    let answer = phone.register(&mut world, 2, &format!("Contact: {CONTACT}\nExpires: 60\n"));
    assert_eq!((status(&answer), world.heard.submitted), (200, 1));
}

#[test]
fn two_contacts_at_once_make_no_newcomer() {
    let mut world = World::new();
    let two = format!("Contact: {CONTACT}, <sip:x@10.1.0.7:5070>\n");
    assert_eq!(status(&unknown("02ab00000003").register(&mut world, 1, &two)), 403);
    assert_eq!(world.heard.submitted, 0);
}

#[test]
fn one_that_leaves_while_it_is_taken_in_is_registered_first() {
    let mut world = World::new();
    world.store.reply = crate::world::Reply::After(1500);
    let mut phone = unknown("02ab00000004");
    let text = |lines: &str, cseq: u32| {
        format!(
            "REGISTER sip:192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP 10.1.0.7;branch=z9hG4bK{cseq}\n\
             From: <sip:02ab00000004@x>;tag=1\nTo: <sip:02ab00000004@x>\nCall-ID: raw-02ab00000004\n\
             CSeq: {cseq} REGISTER\n{lines}Content-Length: 0\n\n"
        )
    };
    world.send_raw("10.1.0.7:5060", &text(&format!("Contact: {CONTACT}\n"), 1));
    world.send_raw("10.1.0.7:5060", &text(&format!("Contact: {CONTACT};expires=0\n"), 2));
    world.run(3);
    assert_eq!((world.heard.submitted, world.overview().registered), (1, 1));
    let answer = phone.register(&mut world, 3, &format!("Contact: {CONTACT};expires=0\n"));
    assert_eq!(
        (status(&answer), world.overview().registered),
        (401, 1),
        "anybody may have said so"
    );
    world.run(3700);
    assert_eq!(world.overview().registered, 0);
}
