//! Coding and decoding by [`Codec`], in units of 10 ms: every codec of ours has whole bytes in
//! 10 ms, so packets, prompts and positions are counted in them.

use jackfield_vocabulary::Codec;

use crate::{
    g711::{alaw_decode, alaw_encode, mulaw_decode, mulaw_encode},
    g722::{G722Decoder, G722Encoder},
    g729::{G729Decoder, G729Encoder, g729_available},
};

/// The sizes of a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecFormat {
    /// Samples in a second.
    pub rate: u32,
    /// RTP clock; G.722 counts 8 kHz for historical reasons (RFC 3551 section 4.5.2).
    pub clock: u32,
    /// Bytes in 10 ms.
    pub unit_bytes: usize,
}

impl CodecFormat {
    /// The sizes of this codec.
    pub fn of(codec: Codec) -> Self {
        let (rate, clock, unit_bytes) = match codec {
            Codec::Pcmu | Codec::Pcma => (8_000, 8_000, 80),
            Codec::G722 => (16_000, 8_000, 80),
            Codec::G729 => (8_000, 8_000, 10),
            Codec::L16 => (16_000, 16_000, 320),
        };
        Self { rate, clock, unit_bytes }
    }

    /// Samples in 10 ms.
    pub fn unit_samples(&self) -> usize {
        self.rate as usize / 100
    }

    /// Steps of the RTP clock in 10 ms.
    pub fn unit_ticks(&self) -> u32 {
        self.clock / 100
    }
}

/// The codecs that this machine can code, in the order of preference.
pub fn codecs_available() -> Vec<Codec> {
    let mut codecs = vec![Codec::G722, Codec::Pcmu, Codec::Pcma, Codec::L16];
    if g729_available() {
        codecs.push(Codec::G729);
    }
    codecs
}

/// A codec's encoder with its state.
#[derive(Debug)]
pub struct Encoder(EncoderState);

/// A codec's decoder with its state.
#[derive(Debug)]
pub struct Decoder(DecoderState);

impl Encoder {
    /// An encoder in its reset state; none where the codec is not there.
    pub fn new(codec: Codec) -> Option<Self> {
        Some(Self(match codec {
            Codec::Pcmu => EncoderState::Pcmu,
            Codec::Pcma => EncoderState::Pcma,
            Codec::G722 => EncoderState::G722(Box::default()),
            Codec::G729 => EncoderState::G729(G729Encoder::new()?),
            Codec::L16 => EncoderState::L16,
        }))
    }

    /// Codes one unit: `unit_samples` samples into `unit_bytes` bytes, as far as both reach.
    pub fn encode(&mut self, sound: &[i16], out: &mut [u8]) {
        let pairs = out.iter_mut().zip(sound);
        match &mut self.0 {
            EncoderState::Pcmu => pairs.for_each(|(byte, sample)| *byte = mulaw_encode(*sample)),
            EncoderState::Pcma => pairs.for_each(|(byte, sample)| *byte = alaw_encode(*sample)),
            EncoderState::G722(encoder) => {
                for (byte, pair) in out.iter_mut().zip(sound.as_chunks().0) {
                    *byte = encoder.encode(*pair);
                }
            }
            EncoderState::G729(encoder) => {
                for (frame, sound) in out.as_chunks_mut().0.iter_mut().zip(sound.as_chunks().0) {
                    *frame = encoder.encode(sound);
                }
            }
            EncoderState::L16 => {
                for (bytes, sample) in out.as_chunks_mut().0.iter_mut().zip(sound) {
                    *bytes = sample.to_be_bytes();
                }
            }
        }
    }
}

impl Decoder {
    /// A decoder in its reset state; none where the codec is not there.
    pub fn new(codec: Codec) -> Option<Self> {
        Some(Self(match codec {
            Codec::Pcmu => DecoderState::Pcmu,
            Codec::Pcma => DecoderState::Pcma,
            Codec::G722 => DecoderState::G722(Box::default()),
            Codec::G729 => DecoderState::G729(G729Decoder::new()?),
            Codec::L16 => DecoderState::L16,
        }))
    }

    /// Decodes a payload of any length into `out`, which is full afterwards or the payload is
    /// used up; answers how many samples there are.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        match &mut self.0 {
            DecoderState::Pcmu => each(payload, out, mulaw_decode),
            DecoderState::Pcma => each(payload, out, alaw_decode),
            DecoderState::G722(decoder) => {
                let pairs = out.as_chunks_mut().0;
                let count = pairs.len().min(payload.len());
                for (pair, byte) in pairs.iter_mut().zip(payload) {
                    *pair = decoder.decode(*byte);
                }
                count * 2
            }
            DecoderState::G729(decoder) => decode_g729(decoder, payload, out),
            DecoderState::L16 => {
                let samples = payload.as_chunks().0;
                for (sample, bytes) in out.iter_mut().zip(samples) {
                    *sample = i16::from_be_bytes(*bytes);
                }
                samples.len().min(out.len())
            }
        }
    }

    /// Makes up 10 ms that were lost, where the codec itself knows how.
    pub fn conceal(&mut self, out: &mut [i16]) -> bool {
        let DecoderState::G729(decoder) = &mut self.0 else { return false };
        for frame in out.as_chunks_mut().0 {
            *frame = decoder.conceal();
        }
        true
    }
}

#[derive(Debug)]
enum EncoderState {
    Pcmu,
    Pcma,
    G722(Box<G722Encoder>),
    G729(G729Encoder),
    L16,
}

#[derive(Debug)]
enum DecoderState {
    Pcmu,
    Pcma,
    G722(Box<G722Decoder>),
    G729(G729Decoder),
    L16,
}

fn each(payload: &[u8], out: &mut [i16], decode: impl Fn(u8) -> i16) -> usize {
    for (sample, byte) in out.iter_mut().zip(payload) {
        *sample = decode(*byte);
    }
    out.len().min(payload.len())
}

/// Frames of 10 bytes, the last perhaps of 2 for comfort noise (RFC 3551 section 4.5.6).
fn decode_g729(decoder: &mut G729Decoder, payload: &[u8], out: &mut [i16]) -> usize {
    let (frames, rest) = payload.as_chunks();
    let mut places = out.as_chunks_mut().0.iter_mut();
    let mut count = 0;
    for (frame, place) in frames.iter().zip(places.by_ref()) {
        *place = decoder.decode(frame);
        count += 80;
    }
    if let ([first, second], Some(place)) = (rest, places.next()) {
        *place = decoder.noise([*first, *second]);
        count += 80;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Codec; 5] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::G729, Codec::L16];

    #[test]
    fn every_codec_keeps_a_tone() {
        for codec in ALL.into_iter().filter(|codec| codecs_available().contains(codec)) {
            let format = CodecFormat::of(codec);
            let (mut encoder, mut decoder) =
                (Encoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
            let mut bytes = vec![0; format.unit_bytes];
            let (mut sent, mut received) = (0.0, 0.0);
            for unit in 0..30 {
                let sound: Vec<i16> = (0..format.unit_samples())
                    .map(|n| {
                        let time =
                            (unit * format.unit_samples() + n) as f64 / f64::from(format.rate);
                        (6_000.0 * (time * 440.0 * core::f64::consts::TAU).sin()) as i16
                    })
                    .collect();
                encoder.encode(&sound, &mut bytes);
                let mut out = [0; 400];
                let count = decoder.decode(&bytes, &mut out);
                assert_eq!(count, format.unit_samples(), "{codec:?}");
                sent += sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
                received += out.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
            }
            let change = 10.0 * (received / sent).log10();
            assert!(change.abs() < 3.0, "{codec:?}: {change} dB");
        }
    }

    /// Proves SP-15.d: 16 bits in the order of the network (RFC 3551 section 4.5.11), 16,000 times a
    /// second.
    #[test]
    fn l16_is_256_kilobits_a_second_in_the_order_of_the_network() {
        let format = CodecFormat::of(Codec::L16);
        assert_eq!((format.rate, format.clock), (16_000, 16_000));
        assert_eq!(format.unit_bytes * 8 * 100, 256_000);
        let (sound, bytes) = ([1, -2, 0x1234], [0x00, 0x01, 0xff, 0xfe, 0x12, 0x34]);
        let mut coded = [0; 6];
        Encoder::new(Codec::L16).unwrap().encode(&sound, &mut coded);
        assert_eq!(coded, bytes);
        let mut decoded = [0; 3];
        assert_eq!(Decoder::new(Codec::L16).unwrap().decode(&bytes, &mut decoded), 3);
        assert_eq!(decoded, sound);
    }

    #[test]
    fn odd_payloads_are_cut_not_overrun() {
        for codec in ALL.into_iter().filter(|codec| codecs_available().contains(codec)) {
            let mut decoder = Decoder::new(codec).unwrap();
            for length in [0, 1, 2, 3, 11, 12, 79, 1_999] {
                let mut out = [0; 320];
                assert!(decoder.decode(&vec![0x55; length], &mut out) <= 320);
            }
        }
    }
}
