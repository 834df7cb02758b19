//! One phone calls another, and they talk.

use jackfield_sip::HeaderName;

use crate::world::{CallState, Raw, World};

#[test]
fn a_call_rings_is_answered_and_ends_by_either_side() {
    for caller_hangs_up in [true, false] {
        let mut world = World::new();
        let alice = world.phone("SEP001122AABB01", "2001");
        let bob = world.phone("SEP001122AABB02", "2002");
        world.registered(alice);
        world.registered(bob);
        world.dial(alice, "2002");
        world.assert_state(bob, CallState::Ringing);
        world.assert_state(alice, CallState::RingingBack);
        assert!(world.phones[&bob].call().heard.contains("c=IN IP4 10.1.0.1"), "alice's own media");
        assert_eq!(world.phones[&bob].call().shown, "2001 User 2001");
        world.answer(bob);
        world.assert_state(alice, CallState::Talking);
        assert!(world.phones[&alice].call().heard.contains("c=IN IP4 10.1.0.2"));
        assert!(world.phones[&bob].call().acked);
        world.run(30);
        world.hang_up(if caller_hangs_up { alice } else { bob });
        world.assert_state(alice, CallState::Over(0));
        world.assert_state(bob, CallState::Over(0));
        world.assert_quiet();
        assert_eq!(world.heard.records.len(), 1);
        assert!(world.heard.records[0].answered.is_some());
    }
}

/// RFC 3261 section 16.6: this node is one hop, and the last one is the phone's.
#[test]
fn a_call_goes_as_many_hops_as_it_may_and_no_more() {
    let mut world = World::new();
    world.open_phone("SEP001122AABB01", "2001");
    let mut alice = Raw::new("2001", "10.7.0.1:5060");
    alice.register(&mut world, 1, "Contact: <sip:2001@10.7.0.1>\n");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.registered(bob);
    for (hops, left) in [(1, "0"), (2, "1"), (70, "69")] {
        let invite = format!(
            "INVITE sip:2002@192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP 10.7.0.1;branch=z9hG4bKh{hops}\n\
             Max-Forwards: {hops}\nFrom: <sip:2001@x>;tag={hops}\nTo: <sip:2002@x>\n\
             Call-ID: hops-{hops}\nCSeq: 1 INVITE\nContact: <sip:2001@10.7.0.1>\n\
             Content-Length: 0\n\n"
        );
        world.send_raw("10.7.0.1:5060", &invite);
        world.run(1);
        world.assert_state(bob, CallState::Ringing);
        let invited = world.phones[&bob].call().message.clone().unwrap();
        assert_eq!(invited.first(HeaderName::MaxForwards), Some(left), "{hops}");
        world.hang_up(bob);
        world.run(1);
    }
}
