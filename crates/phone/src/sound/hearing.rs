//! What was heard in a call: the sound at 8 kHz in its place, and when its packets came.

use std::f32::consts::TAU;
use std::time::Duration;

use super::punctuality::Punctuality;

/// Everything that was heard in one call, up to ten minutes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hearing {
    /// The sound at 8 kHz; what was lost is silence.
    pub sound: Vec<i16>,
    /// RTP packets that carried sound.
    pub packets: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// How well the packets kept to their clock.
    pub punctuality: Punctuality,
}

impl Hearing {
    /// How long it is.
    pub fn length(&self) -> Duration {
        Duration::from_millis(self.sound.len() as u64 / 8)
    }

    /// Root mean square of the samples, 0 to 32767.
    pub fn energy(&self) -> f32 {
        energy(&self.sound)
    }

    /// The last so many milliseconds of it.
    pub fn last(&self, millis: usize) -> &[i16] {
        &self.sound[self.sound.len().saturating_sub(millis * 8)..]
    }

    /// How much of a tone is in the sound: the part of its energy at this frequency, 0 to 1, in
    /// the loudest second of it.
    pub fn tone(&self, frequency: f32) -> f32 {
        self.sound
            .chunks(RATE)
            .filter(|second| second.len() >= RATE / 10 && energy(second) > QUIET)
            .map(|second| purity(second, frequency))
            .fold(0.0, f32::max)
    }

    /// Was this tone heard, alone or as one of two, for a tenth of a second at least?
    pub fn has_tone(&self, frequency: f32) -> bool {
        self.sound
            .chunks(RATE / 10)
            .any(|piece| energy(piece) > QUIET && purity(piece, frequency) > 0.4)
    }

    /// As a WAV file.
    pub fn wav(&self) -> Vec<u8> {
        jackfield_media::print_wav(&self.sound, RATE as u32)
    }
}

fn energy(sound: &[i16]) -> f32 {
    if sound.is_empty() {
        return 0.0;
    }
    let sum: f64 = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / sound.len() as f64).sqrt() as f32
}

/// Goertzel: the part of the energy at one frequency, 1 for a pure tone.
fn purity(sound: &[i16], frequency: f32) -> f32 {
    let coefficient = 2.0 * (TAU * frequency / RATE as f32).cos();
    let (mut one, mut two, mut total) = (0.0_f32, 0.0_f32, 0.0_f32);
    for sample in sound {
        let sample = f32::from(*sample) / 32_768.0;
        let next = sample + coefficient * one - two;
        (two, one) = (one, next);
        total += sample * sample;
    }
    let power = one * one + two * two - coefficient * one * two;
    if total <= f32::EPSILON { 0.0 } else { (2.0 * power / (sound.len() as f32 * total)).min(1.0) }
}

pub(crate) const RATE: usize = 8_000;
/// Below this is silence.
const QUIET: f32 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frequency: f32, samples: usize) -> Vec<i16> {
        let sample = |n| (TAU * frequency * n as f32 / 8e3).sin() * 8_000.0;
        (0..samples).map(|n| sample(n) as i16).collect()
    }

    #[test]
    fn a_tone_is_told_from_another_and_from_silence() {
        let hearing = Hearing { sound: tone(440.0, 8_000), ..Default::default() };
        assert!(hearing.tone(440.0) > 0.95 && hearing.has_tone(440.0));
        assert!(hearing.tone(620.0) < 0.05 && !hearing.has_tone(620.0));
        let silence = Hearing { sound: vec![3; 8_000], ..Default::default() };
        assert!(!silence.has_tone(440.0));
        assert_eq!(hearing.length(), Duration::from_secs(1));
    }
}
