//! Who may send into a call, and where the call sends to.

use core::time::Duration;
use std::net::UdpSocket;

use jackfield_media::{RtpHeader, parse_rtcp};
use jackfield_vocabulary::{
    Codec, DigitSource, MediaCommand, MediaEvent, MediaId, MediaTarget, PlayEnd, PlayId, PlayItem,
};

use crate::harness::{HERE, Node, PATIENCE, prompt, socket, target};

/// A key press in one packet.
fn key(event: u8, timestamp: u32, payload_type: u8) -> Vec<u8> {
    let header =
        RtpHeader { marker: true, payload_type, sequence: event.into(), timestamp, ssrc: 5 };
    let mut packet = header.bytes().to_vec();
    packet.extend([event, 0x8a, 3, 0x20]);
    packet
}

fn received(socket: &UdpSocket) -> bool {
    comes_within(socket, PATIENCE)
}

/// Sound comes each 20 ms: what has not come after ten of them does not come.
fn stays_silent(socket: &UdpSocket) -> bool {
    !comes_within(socket, Duration::from_millis(200))
}

fn comes_within(socket: &UdpSocket, time: Duration) -> bool {
    socket.set_read_timeout(Some(time)).unwrap();
    socket.recv(&mut [0; 2_000]).is_ok()
}

#[test]
fn another_port_of_the_same_address_is_latched_to_once() {
    let (negotiated, real, intruder) = (socket(), socket(), socket());
    let mut node = Node::start();
    let local = node.allocate(1);
    node.connect(1, target(negotiated.local_addr().unwrap(), Codec::Pcmu));
    assert!(received(&negotiated));

    // Rubbish and payload types that were not negotiated move nothing.
    intruder.send_to(b"no RTP", local).unwrap();
    intruder.send_to(&key(1, 0, 77), local).unwrap();
    real.send_to(&key(1, 160, 101), local).unwrap();
    assert_eq!(node.digits(1, 1), [('1', DigitSource::Event)]);
    assert!(received(&real), "sound follows the port it comes from");

    intruder.send_to(&key(2, 3_200, 101), local).unwrap();
    real.send_to(&key(3, 6_400, 101), local).unwrap();
    assert_eq!(node.digits(1, 1), [('3', DigitSource::Event)], "the intruder's 2 does not count");
    assert!(stays_silent(&intruder));
    assert_eq!(node.driver.figures().ignored, 3);
}

#[test]
fn another_address_never_counts() {
    let negotiated = socket();
    let elsewhere = UdpSocket::bind(("127.0.0.2", 0)).unwrap();
    let mut node = Node::start();
    let local = node.allocate(1);
    node.connect(1, target(negotiated.local_addr().unwrap(), Codec::Pcmu));
    assert!(received(&negotiated));
    elsewhere.send_to(&key(2, 160, 101), local).unwrap();
    negotiated.send_to(&key(3, 6_400, 101), local).unwrap();
    assert_eq!(node.digits(1, 1), [('3', DigitSource::Event)]);
    assert!(stays_silent(&elsewhere));
}

/// Behind an address translator, or with two interfaces, sound comes from where the signalling does.
#[test]
fn the_address_of_the_signalling_counts_too() {
    let Ok(translated) = UdpSocket::bind(("127.0.0.2", 0)) else { return };
    let Ok(intruder) = UdpSocket::bind(("127.0.0.3", 0)) else { return };
    let inside = socket();
    let mut node = Node::start();
    let local = node.allocate(1);
    let signalled = Some(translated.local_addr().unwrap().ip());
    let expected = inside.local_addr().unwrap();
    node.connect(1, MediaTarget { signalled, ..target(expected, Codec::Pcmu) });
    assert!(received(&inside), "what comes before the call is connected is not told");
    intruder.send_to(&key(1, 160, 101), local).unwrap();
    let told = node.wait(|event| match event {
        MediaEvent::Elsewhere { from, expected, .. } => Some((*from, *expected)),
        _ => None,
    });
    assert_eq!(told, (intruder.local_addr().unwrap(), expected));
    intruder.send_to(&key(1, 160, 101), local).unwrap();
    translated.send_to(&key(2, 3_200, 101), local).unwrap();
    assert_eq!(node.digits(1, 1), [('2', DigitSource::Event)]);
    assert!(received(&translated), "sound follows the place it comes from");
    node.drain();
    let elsewhere = |event: &&MediaEvent| matches!(event, MediaEvent::Elsewhere { .. });
    assert_eq!(node.seen.iter().filter(elsewhere).count(), 1, "told once");
    assert!(stays_silent(&intruder));
}

#[test]
fn rtcp_goes_to_the_next_port_and_ends_with_a_goodbye() {
    let far = jackfield_media_pair();
    let mut node = Node::start();
    node.allocate(1);
    node.connect(1, target(far.0.local_addr().unwrap(), Codec::Pcmu));
    assert!(received(&far.0));
    node.send(MediaCommand::Release { media: MediaId(1) });
    let mut bytes = [0; 500];
    let length = far.1.recv(&mut bytes).unwrap();
    let kinds = format!("{:?}", parse_rtcp(&bytes[..length]).unwrap());
    assert!(kinds.contains("SenderReport") && kinds.contains("Bye"), "{kinds}");
}

/// Keys sent before the call was connected are not taken for keys of the call.
#[test]
fn what_came_before_the_connection_is_dropped() {
    let far = socket();
    let mut node = Node::start();
    let local = node.allocate(1);
    // On loopback a packet waits at its socket when it is sent.
    far.send_to(&key(2, 160, 101), local).unwrap();
    node.connect(1, target(far.local_addr().unwrap(), Codec::Pcmu));
    assert!(received(&far));
    far.send_to(&key(3, 6_400, 101), local).unwrap();
    assert_eq!(node.digits(1, 1), [('3', DigitSource::Event)]);
    assert!(!node.seen.iter().any(|event| matches!(event, MediaEvent::Failed { .. })));
}

/// A socket with its neighbour.
fn jackfield_media_pair() -> (UdpSocket, UdpSocket) {
    (0..100)
        .find_map(|_| {
            let rtp = socket();
            let next = rtp.local_addr().unwrap().port().checked_add(1)?;
            let rtcp = UdpSocket::bind((HERE, next)).ok()?;
            rtcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            Some((rtp, rtcp))
        })
        .unwrap()
}

#[test]
fn nothing_is_sent_any_more_when_nothing_comes_back() {
    let far = socket();
    let mut node = Node::start();
    let local = node.allocate(1);
    let patient = target(far.local_addr().unwrap(), Codec::Pcmu);
    node.connect(1, MediaTarget { patience: Duration::from_millis(500), ..patient.clone() });
    assert!(received(&far));
    while !stays_silent(&far) {}
    // A new negotiation does not begin anew, a packet does.
    node.connect(1, MediaTarget { patience: Duration::from_millis(500), ptime: 40, ..patient });
    assert!(stays_silent(&far));
    far.send_to(&key(1, 160, 101), local).unwrap();
    assert_eq!(node.digits(1, 1), [('1', DigitSource::Event)]);
    assert!(received(&far));
}

#[test]
fn no_sound_goes_to_the_nodes_own_ports() {
    let (service, phone) = (socket(), socket());
    let own = service.local_addr().unwrap();
    let mut settings = jackfield_media::DriverSettings::new(HERE, 7);
    settings.closed = vec![own.port()];
    let mut node = Node::with(settings);
    for (media, far) in [(1, &service), (2, &phone)] {
        node.allocate(media);
        node.connect(media, target(far.local_addr().unwrap(), Codec::Pcmu));
    }
    assert!(received(&phone));
    assert!(stays_silent(&service));
}

/// Who waits for the end of what plays there does not wait for ever.
#[test]
fn what_plays_into_the_nodes_own_ports_is_heard_by_nobody_and_ends() {
    let mut node = Node::start();
    let (first, second) = (node.allocate(1), node.allocate(2));
    node.connect(1, target(second, Codec::Pcmu));
    node.connect(2, target(first, Codec::Pcmu));
    node.play(1, 1, vec![prompt("low"), PlayItem::Digits("5".into())], false);
    let end = node.wait(|event| match event {
        MediaEvent::Played { play: PlayId(1), end, .. } => Some(*end),
        _ => None,
    });
    assert_eq!(end, PlayEnd::Finished);
    node.drain();
    assert!(!node.seen.iter().any(|event| matches!(event, MediaEvent::Digit { .. })));
    assert_eq!(node.driver.figures().sent, 0);
}

/// A phone on the same machine may have a port of the range, as long as the driver has not.
#[test]
fn a_phone_on_this_machine_hears_at_a_port_of_the_range() {
    let phone = socket();
    let port = phone.local_addr().unwrap().port();
    let mut settings = jackfield_media::DriverSettings::new(HERE, 7);
    settings.ports = Some(port.saturating_sub(200)..=port.saturating_add(200));
    let mut node = Node::with(settings);
    node.allocate(1);
    node.connect(1, target(phone.local_addr().unwrap(), Codec::Pcmu));
    assert!(received(&phone));
}
