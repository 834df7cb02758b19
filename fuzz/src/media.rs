//! What comes on the ports for sound, and the files of language packs.

use core::time::Duration;

use jackfield_media::*;
use jackfield_vocabulary::Codec;

/// One datagram on a port for sound, RTP or RTCP.
pub fn packet(data: &[u8]) {
    if let Ok(packet) = RtpPacket::parse(data) {
        assert!(!is_rtcp(data));
        let mut ours = packet.header.bytes().to_vec();
        ours.extend_from_slice(packet.payload);
        let again = RtpPacket::parse(&ours).expect("our own packet");
        assert_eq!((again.header, again.payload), (packet.header, packet.payload));
    }
    let Ok(packets) = parse_rtcp(data) else { return };
    assert!(packets.len() <= data.len() / 4);
    let (mut sender, mut block) = (None, None);
    for packet in packets {
        if let RtcpPacket::SenderReport { sender: info, blocks, .. } = packet {
            (sender, block) = (Some(info), blocks.first().copied());
        }
    }
    let mut ours = Vec::new();
    print_report(1, sender, block, "name", &mut ours);
    print_bye(1, &mut ours);
    assert_eq!(parse_rtcp(&ours).expect("our own report").len(), 3);
}

/// A call's worth of datagrams for one stream, with time between them. Nothing they say makes it
/// keep much, or tell keys that nobody pressed.
pub fn sound(data: &[u8]) {
    let Some(([how, pause], data)) = data.split_first_chunk() else { return };
    let codec = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::L16][usize::from(how % 4)];
    let settings = StreamSettings {
        codec,
        payload_type: 0,
        event_payload_type: (how & 4 == 0).then_some(101),
        ptime: pause % 80,
        ear: how & 8 == 0,
        tones: false,
    };
    let seed = StreamSeed { ssrc: 1, sequence: 65_534, timestamp: u32::MAX };
    let mut stream = Stream::new(settings, seed).expect("a codec of our own");
    let (mut now, mut keys, mut given) = (Duration::ZERO, 0, 0);
    let mut count = |event| keys += usize::from(matches!(event, StreamEvent::Digit(..)));
    if how & 16 == 0 {
        stream.record(1, Duration::from_secs(5), how & 32 == 0, &mut count);
    }
    for datagram in datagrams(data) {
        given += 1;
        let _ = stream.receive(now, datagram, &mut count);
        let heard = stream.hear(now, &mut count);
        assert!(heard.len() <= 16_000 / 10);
        let mut out = [0; RTP_PACKET_LIMIT];
        let length = stream.send(&EmptyShelf, &mut out, &mut count);
        assert!(length == 0 || RtpPacket::parse(&out[..length]).is_ok());
        now += Duration::from_millis(u64::from(*pause));
    }
    stream.stop_record(&mut count);
    assert!(keys <= given, "{keys} keys of {given} datagrams");
    let report = stream.received().report();
    assert!(report.is_none_or(|report| report.lost <= 0x7f_ffff));
}

/// Packets of telephone-event, each 16 octets long here: no key is told by a packet that came before.
pub fn telephone_event(data: &[u8]) {
    let mut receiver = EventReceiver::default();
    for packet in data.as_chunks::<16>().0 {
        let Ok(packet) = RtpPacket::parse(packet) else { continue };
        if let Some(event) = TelephoneEvent::parse(packet.payload) {
            assert_eq!(TelephoneEvent::parse(&event.bytes()), Some(event));
        }
        let _ = receiver.receive(&packet.header, packet.payload);
        assert_eq!(receiver.receive(&packet.header, packet.payload), None, "told twice");
    }
}

/// What an administrator drops into a folder: a pack's description, or a recording.
pub fn pack(data: &[u8]) {
    if let Ok(text) = core::str::from_utf8(data) {
        let _ = PackInfo::parse(text);
    }
    if let Ok(samples) = parse_wav(data) {
        assert!(samples.len() <= data.len() / 2);
        assert_eq!(parse_wav(&print_wav(&samples, 16_000)).as_ref(), Ok(&samples));
    }
}

/// Each begins with its length.
fn datagrams(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let (length, rest) = data.split_first()?;
        let (datagram, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        Some(datagram)
    })
}
