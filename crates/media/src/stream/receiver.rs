//! The receiving half: counts, puts in order, decodes what somebody needs, and finds keys.

use core::time::Duration;

use jackfield_vocabulary::{Codec, Digit};

use super::{StreamSettings, keys::Keys};
use crate::{
    codec::{CodecFormat, Decoder},
    jitter::{JitterBuffer, Playable},
    receive::ReceiveStatistics,
    resample::Halve,
    rtp::{RtpError, RtpPacket},
    telephone_event::{EventReceiver, TelephoneEvent},
    tone_detector::ToneDetector,
};

/// Why a datagram was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ignored {
    /// It is no RTP packet.
    #[error(transparent)]
    Packet(#[from] RtpError),
    /// Its payload type was not negotiated.
    #[error("payload type {0} was not negotiated")]
    PayloadType(u8),
}

#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) settings: StreamSettings,
    pub(super) statistics: ReceiveStatistics,
    format: CodecFormat,
    jitter: JitterBuffer,
    decoder: Decoder,
    events: EventReceiver,
    /// Where keys are looked for in the sound: until one comes as an event.
    tones: Option<Tones>,
    keys: Keys,
    /// Decoded and not yet heard; the first part is what is being heard.
    sound: Vec<i16>,
    heard: usize,
    /// The last packet's sound, for the next one that is lost.
    last: Vec<i16>,
    lost_in_a_row: u32,
}

impl Receiver {
    pub(super) fn new(settings: &StreamSettings) -> Option<Self> {
        let format = CodecFormat::of(settings.codec);
        Some(Self {
            settings: *settings,
            statistics: ReceiveStatistics::default(),
            format,
            jitter: JitterBuffer::new(format.clock),
            decoder: Decoder::new(settings.codec)?,
            events: EventReceiver::default(),
            tones: Tones::of(settings.codec).filter(|_| settings.tones),
            keys: Keys::default(),
            sound: Vec::new(),
            heard: 0,
            last: Vec::new(),
            lost_in_a_row: 0,
        })
    }

    /// Starts over for another codec or far side; only the counts go on.
    pub(super) fn change(&mut self, settings: &StreamSettings) -> bool {
        let Some(fresh) = Self::new(settings) else { return false };
        let statistics = core::mem::take(&mut self.statistics);
        *self = Self { statistics, ..fresh };
        true
    }

    /// Takes a datagram; answers a key that it tells.
    pub(super) fn datagram(
        &mut self,
        now: Duration,
        datagram: &[u8],
        listening: bool,
    ) -> Result<Option<Digit>, Ignored> {
        let RtpPacket { header, payload } = RtpPacket::parse(datagram)?;
        let is_event = match self.settings.event_payload_type {
            Some(negotiated) => negotiated == header.payload_type,
            None => is_unasked_event(header.payload_type, payload),
        };
        let is_event = is_event && header.payload_type != self.settings.payload_type;
        let is_sound = header.payload_type == self.settings.payload_type;
        if !is_event && !is_sound && !COMFORT_NOISE.contains(&header.payload_type) {
            return Err(Ignored::PayloadType(header.payload_type));
        }
        if self.statistics.source().is_some_and(|source| source != header.ssrc) {
            self.jitter.clear();
        }
        let arrival = now.as_micros() as u64;
        let ticks = (arrival as u128 * u128::from(self.format.clock) / 1_000_000) as u32;
        self.statistics.count(header.ssrc, header.sequence, header.timestamp, ticks);
        if self.needs_sound(listening) {
            // Events keep their place, so that they are not taken for lost sound.
            let sound = if is_sound { payload } else { &[] };
            self.jitter.push(header.sequence, header.timestamp, arrival, sound);
        }
        if !is_event {
            return Ok(None);
        }
        let digit = self.events.receive(&header, payload);
        let event = TelephoneEvent::parse(payload).map(|report| report.event);
        if let Some(pressed) = event.and_then(Digit::from_event) {
            self.keys.event(pressed, now);
            self.trust_events(listening);
        }
        Ok(digit)
    }

    /// Who sends its keys as events sends no key as a tone alone. What sounds like one from then on is a
    /// voice, or what is left of a key that came as an event.
    fn trust_events(&mut self, listening: bool) {
        if self.tones.take().is_some() && !self.needs_sound(listening) {
            self.jitter.clear();
            self.sound.clear();
            self.heard = 0;
        }
    }

    /// Moves on by one packet time.
    pub(super) fn play_out(&mut self, listening: bool) {
        self.sound.drain(..self.heard);
        self.heard = 0;
        if !self.needs_sound(listening) {
            return;
        }
        let wanted = self.settings.units() * self.format.unit_samples();
        while self.sound.len() < wanted && self.decode_one() {}
        if self.sound.len() < wanted {
            self.sound.resize(wanted, 0);
        }
        self.heard = wanted;
        if let Some(tones) = &mut self.tones {
            tones.listen(&self.sound[..wanted]);
        }
    }

    /// The sound of the packet time.
    pub(super) fn heard(&self) -> &[i16] {
        &self.sound[..self.heard]
    }

    /// A key that was heard as a tone and is certain now.
    pub(super) fn tone(&mut self, now: Duration) -> Option<Digit> {
        if let Some(digit) = self.tones.as_mut().and_then(|tones| tones.found.take()) {
            self.keys.tone(digit, now, self.settings.event_payload_type.is_some());
        }
        self.keys.due(now)
    }

    fn needs_sound(&self, listening: bool) -> bool {
        listening || self.settings.ear || self.tones.is_some()
    }

    /// Decodes the next packet, which then is gone from the buffer; false when there is none.
    fn decode_one(&mut self) -> bool {
        let mut decoded = [0; MOST_SAMPLES];
        let count = match self.jitter.pop() {
            Playable::Nothing => return false,
            // An event. Where sound comes beside it this is no gap; where it comes instead of
            // sound, there will be nothing to play soon enough.
            Playable::Packet([]) => 0,
            Playable::Packet(payload) => {
                self.lost_in_a_row = 0;
                let count = self.decoder.decode(payload, &mut decoded);
                self.last.clear();
                self.last.extend_from_slice(&decoded[..count]);
                count
            }
            Playable::Lost => {
                self.lost_in_a_row += 1;
                self.conceal(&mut decoded)
            }
        };
        self.sound.extend_from_slice(&decoded[..count]);
        true
    }

    /// A lost packet sounds like the one before, softer each time.
    fn conceal(&mut self, decoded: &mut [i16; MOST_SAMPLES]) -> usize {
        let count = self.last.len().max(self.format.unit_samples()).min(MOST_SAMPLES);
        let whole = count - count % self.format.unit_samples();
        if !self.decoder.conceal(&mut decoded[..whole]) && self.lost_in_a_row <= CONCEALED {
            let softer = self.lost_in_a_row - 1;
            for (sample, last) in decoded.iter_mut().zip(&self.last) {
                *sample = last >> softer;
            }
        }
        count
    }
}

/// Keys in sound of 8 or 16 kHz.
#[derive(Debug)]
struct Tones {
    detector: ToneDetector,
    halve: Option<Halve>,
    found: Option<Digit>,
}

impl Tones {
    /// Keys are looked for where the codec keeps tones: G.711 and L16.
    fn of(codec: Codec) -> Option<Self> {
        let halve = match codec {
            Codec::Pcmu | Codec::Pcma => None,
            Codec::L16 => Some(Halve::new()),
            Codec::G722 | Codec::G729 => return None,
        };
        Some(Self { detector: ToneDetector::new(), halve, found: None })
    }

    /// Listens to at most 60 ms, in which at most one key can become certain.
    fn listen(&mut self, sound: &[i16]) {
        let found = &mut self.found;
        let Some(filter) = &mut self.halve else {
            return self.detector.listen(sound, |digit| *found = Some(digit));
        };
        let mut halved = [0; 480];
        let pairs = sound.as_chunks().0;
        for (sample, pair) in halved.iter_mut().zip(pairs) {
            *sample = filter.push(*pair);
        }
        self.detector.listen(&halved[..pairs.len().min(480)], |digit| *found = Some(digit));
    }
}

/// Some senders tell keys as events without having offered to: four bytes of a dynamic payload type that
/// report a key are taken for one.
fn is_unasked_event(payload_type: u8, payload: &[u8]) -> bool {
    let event = TelephoneEvent::parse(payload).filter(|_| payload.len() == 4);
    (96..=127).contains(&payload_type)
        && event.is_some_and(|report| Digit::from_event(report.event).is_some())
}

/// Comfort noise (RFC 3389), and its old number.
const COMFORT_NOISE: [u8; 2] = [13, 19];

/// The most samples of one packet: a datagram full of G.711.
const MOST_SAMPLES: usize = 2_048;

/// Packets in a row that are made up.
const CONCEALED: u32 = 3;
