//! The RTP of one call, without sockets: a packet when one is due, and what arrives.

use std::collections::VecDeque;
use std::time::Duration;

use jackfield_media::{
    CodecFormat, Decoder, Encoder, EventReceiver, EventSender, Halve, RTP_HEADER, RtpHeader,
    RtpPacket, ToneGenerator,
};
use jackfield_sip::Now;
use jackfield_vocabulary::{Digit, MediaTarget};

use super::hearing::Hearing;
use crate::interface::Sound;

/// Both directions of a call's audio.
#[derive(Debug)]
pub(crate) struct AudioStream {
    connected: Option<Connected>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    talking: bool,
    next: Now,
    playing: Playing,
    digits: VecDeque<(Digit, bool)>,
    digit: Option<Sending>,
    events: EventReceiver,
    hearing: Hearing,
    place: Option<Place>,
}

#[derive(Debug)]
struct Connected {
    target: MediaTarget,
    format: CodecFormat,
    encoder: Encoder,
    decoder: Decoder,
    halve: Halve,
}

/// Where in the recording the far side's timestamps are.
#[derive(Debug)]
struct Place {
    ssrc: u32,
    timestamp: u32,
    sample: usize,
}

#[derive(Debug)]
enum Sending {
    Event(EventSender),
    Tone {
        generator: Box<ToneGenerator>,
        packets: u32,
    },
    /// Between two keys.
    Pause {
        packets: u32,
    },
}

#[derive(Debug)]
enum Playing {
    Silence,
    Tone { phase: f32, step_hertz: f32, left: Option<u32> },
    Samples { samples: std::sync::Arc<[i16]>, rate: u32, at: usize },
}

impl AudioStream {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            connected: None,
            ssrc: seed as u32,
            sequence: (seed >> 32) as u16,
            timestamp: (seed >> 20) as u32,
            talking: false,
            next: Now::ZERO,
            playing: Playing::Silence,
            digits: VecDeque::new(),
            digit: None,
            events: EventReceiver::default(),
            hearing: Hearing::default(),
            place: None,
        }
    }

    /// Sends there and listens from now on.
    pub(crate) fn connect(&mut self, now: Now, target: MediaTarget) {
        let same = self.connected.as_ref().is_some_and(|c| c.target.codec == target.codec);
        if same {
            if let Some(connected) = &mut self.connected {
                connected.target = target;
            }
            return;
        }
        let (Some(encoder), Some(decoder)) =
            (Encoder::new(target.codec), Decoder::new(target.codec))
        else {
            return;
        };
        let format = CodecFormat::of(target.codec);
        let halve = Halve::default();
        self.connected = Some(Connected { target, format, encoder, decoder, halve });
        self.next = self.next.max(now);
        self.talking = false;
    }

    pub(crate) fn digit(&mut self, digit: Digit, tone: bool) {
        if self.digits.len() < DIGITS {
            self.digits.push_back((digit, tone));
        }
    }

    pub(crate) fn play(&mut self, sound: Sound) {
        self.playing = match sound {
            Sound::Silence => Playing::Silence,
            Sound::Tone { frequency, millis } => {
                Playing::Tone { phase: 0.0, step_hertz: frequency, left: millis }
            }
            Sound::Samples { samples, rate } => Playing::Samples { samples, rate, at: 0 },
        };
    }

    pub(crate) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    /// Forgets what was heard so far.
    pub(crate) fn listen_again(&mut self) {
        self.hearing = Hearing::default();
        self.place = None;
    }

    pub(crate) fn into_hearing(self) -> Hearing {
        self.hearing
    }

    /// When the next packet is due.
    pub(crate) fn due(&self) -> Option<Now> {
        self.connected.is_some().then_some(self.next)
    }

    /// The packet that is due, and where it goes.
    pub(crate) fn packet(&mut self, now: Now) -> Option<(Vec<u8>, std::net::SocketAddr)> {
        let connected = self.connected.as_ref()?;
        let ptime = u32::from(connected.target.ptime.max(10));
        let ticks = connected.format.unit_ticks() * (ptime / 10);
        let (remote, send) = (connected.target.remote, connected.target.send);
        // A clock that fell far behind starts again instead of sending a burst.
        self.next = self.next + Duration::from_millis(ptime.into());
        if now.since(self.next) > Duration::from_millis(200) {
            self.next = now + Duration::from_millis(ptime.into());
        }
        let packet = match self.event(ticks) {
            Some(packet) => packet,
            None => self.sound(ptime / 10),
        };
        self.timestamp = self.timestamp.wrapping_add(ticks);
        if !send {
            self.talking = false;
            return None;
        }
        self.hearing.sent += 1;
        Some((packet, remote))
    }

    /// Takes a datagram; answers a key that was heard.
    pub(crate) fn receive(&mut self, now: Now, datagram: &[u8]) -> Option<Digit> {
        let packet = RtpPacket::parse(datagram).ok()?;
        let connected = self.connected.as_mut()?;
        if !connected.target.receive {
            return None;
        }
        if Some(packet.header.payload_type) == connected.target.event_payload_type {
            return self.events.receive(&packet.header, packet.payload);
        }
        if packet.header.payload_type != connected.target.payload_type {
            return None;
        }
        let mut decoded = [0_i16; 2_048];
        let count = connected.decoder.decode(packet.payload, &mut decoded);
        let mut sound = decoded[..count].to_vec();
        if connected.format.rate == 16_000 {
            let halve = &mut connected.halve;
            sound = sound.as_chunks().0.iter().map(|pair| halve.push(*pair)).collect();
        }
        let clock = connected.format.clock;
        self.hearing.punctuality.arrived(now, &packet.header, clock);
        self.hear(&packet.header, &sound, (clock / 8_000).max(1));
        None
    }

    /// Puts a packet's sound into its place.
    fn hear(&mut self, header: &RtpHeader, sound: &[i16], clock: u32) {
        self.hearing.packets += 1;
        let end = self.hearing.sound.len();
        let fresh = Place { ssrc: header.ssrc, timestamp: header.timestamp, sample: end };
        let place = self.place.get_or_insert(fresh);
        let ahead = header.timestamp.wrapping_sub(place.timestamp) / clock;
        let mut at = place.sample.saturating_add(ahead as usize);
        if place.ssrc != header.ssrc || at > end + JUMP {
            // Another source, or a jump: it goes on here.
            (place.ssrc, place.timestamp, place.sample) = (header.ssrc, header.timestamp, end);
            at = end;
        }
        let until = at + sound.len();
        if until > LONGEST {
            return;
        }
        if until > end {
            self.hearing.sound.resize(until, 0);
        }
        self.hearing.sound[at..until].copy_from_slice(sound);
    }

    /// The next packet of a key that is sent as an event.
    fn event(&mut self, ticks: u32) -> Option<Vec<u8>> {
        let connected = self.connected.as_ref()?;
        if self.digit.is_none() {
            let (digit, tone) = self.digits.pop_front()?;
            let pt = connected.target.event_payload_type;
            self.digit = Some(match pt.filter(|_| !tone) {
                Some(_) => {
                    let length = connected.format.clock / 10;
                    Sending::Event(EventSender::new(digit, self.timestamp, length))
                }
                None => Sending::Tone {
                    generator: Box::new(ToneGenerator::digit(digit, -8.0, connected.format.rate)),
                    packets: 5,
                },
            });
        }
        let Some(Sending::Event(sender)) = &mut self.digit else { return None };
        let Some(packet) = sender.next(ticks) else {
            self.digit = Some(Sending::Pause { packets: PAUSE });
            return None;
        };
        let payload_type = connected.target.event_payload_type?;
        let header = RtpHeader {
            marker: packet.marker,
            payload_type,
            sequence: self.sequence,
            timestamp: packet.timestamp,
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.wrapping_add(1);
        Some([&header.bytes()[..], &packet.event.bytes()].concat())
    }

    /// A packet of so many units of 10 ms of what plays.
    fn sound(&mut self, units: u32) -> Vec<u8> {
        let Some(connected) = &mut self.connected else { return Vec::new() };
        let rate = connected.format.rate;
        let samples = connected.format.unit_samples() * units as usize;
        let mut sound = vec![0_i16; samples];
        match &mut self.digit {
            Some(Sending::Tone { generator, packets }) => {
                generator.fill(&mut sound);
                *packets -= 1;
                if *packets == 0 {
                    self.digit = Some(Sending::Pause { packets: PAUSE });
                }
            }
            Some(Sending::Pause { packets }) => {
                *packets -= 1;
                if *packets == 0 {
                    self.digit = None;
                }
            }
            _ => self.playing.fill(&mut sound, rate, units * 10),
        }
        let header = RtpHeader {
            marker: !self.talking,
            payload_type: connected.target.payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        };
        self.talking = true;
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = connected.format.unit_bytes;
        let mut packet = header.bytes().to_vec();
        packet.resize(RTP_HEADER + bytes * units as usize, 0);
        let unit_samples = connected.format.unit_samples();
        for (sound, out) in sound.chunks(unit_samples).zip(packet[RTP_HEADER..].chunks_mut(bytes)) {
            connected.encoder.encode(sound, out);
        }
        packet
    }
}

impl Playing {
    fn fill(&mut self, out: &mut [i16], rate: u32, millis: u32) {
        match self {
            Self::Silence => {}
            Self::Tone { phase, step_hertz, left } => {
                for sample in out.iter_mut() {
                    *sample = ((*phase * core::f32::consts::TAU).sin() * 8_000.0) as i16;
                    *phase = (*phase + *step_hertz / rate as f32).fract();
                }
                if let Some(left) = left {
                    *left = left.saturating_sub(millis);
                    if *left == 0 {
                        *self = Self::Silence;
                    }
                }
            }
            Self::Samples { samples, rate: own, at } => {
                let step = f64::from(*own) / f64::from(rate);
                for (n, sample) in out.iter_mut().enumerate() {
                    let place = *at + (n as f64 * step) as usize;
                    *sample = samples.get(place).copied().unwrap_or_default();
                }
                *at += (out.len() as f64 * step) as usize;
                if *at >= samples.len() {
                    *self = Self::Silence;
                }
            }
        }
    }
}

/// Keys that wait to be sent.
const DIGITS: usize = 64;
/// Packets between two keys.
const PAUSE: u32 = 4;
/// Ten minutes.
const LONGEST: usize = 10 * 60 * 8_000;
/// A gap longer than ten seconds is a jump.
const JUMP: usize = 10 * 8_000;

#[cfg(test)]
mod tests {
    use jackfield_vocabulary::Codec;

    use super::*;

    fn target(codec: Codec) -> MediaTarget {
        MediaTarget {
            remote: "127.0.0.1:4000".parse().unwrap(),
            rtcp: None,
            signalled: None,
            codec,
            payload_type: 97,
            event_payload_type: Some(101),
            ptime: 20,
            send: true,
            receive: true,
            patience: Duration::from_secs(60),
        }
    }

    fn pair(codec: Codec) -> (AudioStream, AudioStream) {
        let (mut one, mut two) = (AudioStream::new(1), AudioStream::new(2));
        one.connect(Now::ZERO, target(codec));
        two.connect(Now::ZERO, target(codec));
        (one, two)
    }

    /// Lets one talk to the other for so many packets; answers the keys heard.
    fn talk(one: &mut AudioStream, two: &mut AudioStream, packets: usize) -> String {
        let mut keys = String::new();
        for _ in 0..packets {
            let now = one.due().unwrap();
            if let Some((packet, _)) = one.packet(now) {
                keys.extend(two.receive(now, &packet).map(Digit::as_char));
            }
        }
        keys
    }

    #[test]
    fn a_tone_passes_in_every_codec() {
        for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::L16] {
            let (mut one, mut two) = pair(codec);
            one.play(Sound::Tone { frequency: 1_000.0, millis: None });
            talk(&mut one, &mut two, 50);
            assert!(two.hearing().has_tone(1_000.0), "{codec:?}");
            assert_eq!(two.hearing().sound.len(), 8_000, "{codec:?}");
            assert_eq!(two.hearing().punctuality.lateness(), [0; 50]);
        }
    }

    #[test]
    fn keys_are_heard_once_each_and_in_order() {
        let (mut one, mut two) = pair(Codec::Pcmu);
        for key in "1001#*55".chars() {
            one.digit(Digit::try_from(key).unwrap(), false);
        }
        assert_eq!(talk(&mut one, &mut two, 150), "1001#*55");
    }

    #[test]
    fn a_key_as_a_tone_has_both_frequencies() {
        let (mut one, mut two) = pair(Codec::Pcma);
        one.digit(Digit::try_from('5').unwrap(), true);
        talk(&mut one, &mut two, 5);
        let hearing = two.hearing();
        assert!(hearing.tone(770.0).min(hearing.tone(1_336.0)) > 0.3);
        assert!(hearing.tone(941.0) < 0.05);
    }

    #[test]
    fn strange_datagrams_do_no_harm() {
        let (_, mut two) = pair(Codec::Pcmu);
        for datagram in
            [&b""[..], &[0x80; 12], &[0xff; 2_000], &[0x80, 101, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]]
        {
            two.receive(Now::ZERO, datagram);
        }
    }
}
