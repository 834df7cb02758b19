//! Tones the node makes: the sixteen keys, the beep, and ringback, busy and reorder in the cadence
//! of the country (ITU-T E.180 supplement 2 for the figures).

use core::f32::consts::TAU;

use jackfield_vocabulary::{Digit, Tone};

/// Whose tones: what a caller of that place is used to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToneRegion {
    /// North America.
    #[default]
    Us,
    /// Japan.
    Japan,
    /// Most of Europe.
    Europe,
}

impl ToneRegion {
    /// The region of a locale such as `ja-JP`; North America where nothing else is known.
    pub fn of(locale: &str) -> Self {
        let (language, country) = locale.split_once(['-', '_']).unwrap_or((locale, ""));
        match (language, country) {
            (_, "US" | "CA") => Self::Us,
            ("ja", _) | (_, "JP") => Self::Japan,
            ("de" | "fr" | "es" | "it" | "nl" | "pl" | "sv" | "da" | "fi" | "pt", _) => {
                Self::Europe
            }
            (_, "GB" | "IE") => Self::Europe,
            _ => Self::Us,
        }
    }
}

/// A tone that goes on for ever, sample by sample.
#[derive(Clone, Debug)]
pub struct ToneGenerator {
    oscillators: [Oscillator; 2],
    pulse: Pulse,
    rate: u32,
    position: u32,
}

impl ToneGenerator {
    /// A call progress tone.
    pub fn new(tone: Tone, region: ToneRegion, rate: u32) -> Self {
        let shape = shape(tone, region);
        Self::of(shape.frequencies, shape.level, shape.pulse, rate)
    }

    /// A key's two frequencies, at so many dBm0 each.
    pub fn digit(digit: Digit, level: f32, rate: u32) -> Self {
        let (row, column) = frequencies(digit);
        Self::of([row, column], level, Pulse::default(), rate)
    }

    /// Writes the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        let period = (self.pulse.on + self.pulse.off) * self.rate / 1_000;
        let on = self.pulse.on * self.rate / 1_000;
        for sample in out {
            let sum = self.oscillators[0].next() + self.oscillators[1].next();
            let audible = period == 0 || self.position % period < on;
            *sample = if audible { sum as i16 } else { 0 };
            self.position = self.position.wrapping_add(1);
        }
    }

    /// Steps over the next samples, as far as the cadence goes.
    pub fn skip(&mut self, samples: usize) {
        self.position = self.position.wrapping_add(samples as u32);
    }

    fn of(frequencies: [f32; 2], level: f32, pulse: Pulse, rate: u32) -> Self {
        let amplitude = amplitude(level);
        let oscillators = frequencies.map(|frequency| Oscillator::new(frequency, amplitude, rate));
        Self { oscillators, pulse, rate, position: 0 }
    }
}

/// The row and column frequency of a key.
pub fn frequencies(digit: Digit) -> (f32, f32) {
    let place = KEYS.iter().position(|key| *key == digit.as_char()).unwrap_or(0);
    (ROWS[place / 4], COLUMNS[place % 4])
}

/// The peak of a sine at so many dBm0: full scale is +3.17 dBm0.
pub fn amplitude(level: f32) -> f32 {
    32_767.0 * 10f32.powf((level - 3.17) / 20.0)
}

/// The keypad, row by row.
pub(crate) const KEYS: [char; 16] =
    ['1', '2', '3', 'A', '4', '5', '6', 'B', '7', '8', '9', 'C', '*', '0', '#', 'D'];

/// The lower frequency of each row of the keypad.
pub(crate) const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];

/// The upper frequency of each column.
pub(crate) const COLUMNS: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

struct Shape {
    frequencies: [f32; 2],
    level: f32,
    pulse: Pulse,
}

/// Milliseconds of sound and of pause; no pause and no sound is sound without end.
#[derive(Clone, Copy, Debug, Default)]
struct Pulse {
    on: u32,
    off: u32,
}

fn shape(tone: Tone, region: ToneRegion) -> Shape {
    let (frequencies, on, off) = match (tone, region) {
        (Tone::Beep, _) => ([1_000.0, 0.0], 0, 0),
        (Tone::Ringback, ToneRegion::Us) => ([440.0, 480.0], 2_000, 4_000),
        (Tone::Ringback, ToneRegion::Japan) => ([384.0, 416.0], 1_000, 2_000),
        (Tone::Ringback, ToneRegion::Europe) => ([425.0, 0.0], 1_000, 4_000),
        (Tone::Busy, ToneRegion::Us) => ([480.0, 620.0], 500, 500),
        (Tone::Busy, ToneRegion::Japan) => ([400.0, 0.0], 500, 500),
        (Tone::Busy, ToneRegion::Europe) => ([425.0, 0.0], 500, 500),
        (Tone::Reorder, ToneRegion::Us) => ([480.0, 620.0], 250, 250),
        (Tone::Reorder, ToneRegion::Japan) => ([400.0, 0.0], 250, 250),
        (Tone::Reorder, ToneRegion::Europe) => ([425.0, 0.0], 250, 250),
    };
    Shape { frequencies, level: -15.0, pulse: Pulse { on, off } }
}

/// A rotating phasor, brought back to its length now and then.
#[derive(Clone, Copy, Debug)]
struct Oscillator {
    phasor: (f32, f32),
    step: (f32, f32),
    amplitude: f32,
}

impl Oscillator {
    fn new(frequency: f32, amplitude: f32, rate: u32) -> Self {
        let angle = TAU * frequency / rate as f32;
        let amplitude = if frequency == 0.0 { 0.0 } else { amplitude };
        Self { phasor: (1.0, 0.0), step: (angle.cos(), angle.sin()), amplitude }
    }

    fn next(&mut self) -> f32 {
        let ((x, y), (c, s)) = (self.phasor, self.step);
        let (x, y) = (x * c - y * s, x * s + y * c);
        // One step of Newton toward length 1.
        let gain = 1.5 - 0.5 * (x * x + y * y);
        self.phasor = (x * gain, y * gain);
        y * self.amplitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(sound: &[i16], frequency: f32, rate: f32) -> f32 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in sound.iter().enumerate() {
            let angle = TAU * frequency * n as f32 / rate;
            re += f32::from(*sample) * angle.cos();
            im += f32::from(*sample) * angle.sin();
        }
        (re * re + im * im).sqrt() * 2.0 / sound.len() as f32
    }

    #[test]
    fn a_key_is_its_two_frequencies_at_the_level_asked_for() {
        let digit = Digit::try_from('6').unwrap();
        let mut sound = vec![0; 8_000];
        ToneGenerator::digit(digit, -10.0, 8_000).fill(&mut sound);
        for frequency in [770.0, 1_477.0] {
            let level = 20.0 * (power(&sound, frequency, 8e3) / 32_767.0).log10() + 3.17;
            assert!((level + 10.0).abs() < 0.1, "{frequency}: {level} dBm0");
        }
        assert!(power(&sound, 941.0, 8e3) < 50.0);
    }

    #[test]
    fn busy_has_its_cadence_in_every_region() {
        for region in [ToneRegion::Us, ToneRegion::Japan, ToneRegion::Europe] {
            let mut sound = vec![0; 16_000];
            ToneGenerator::new(Tone::Busy, region, 16_000).fill(&mut sound);
            assert!(sound[..8_000].iter().any(|s| s.abs() > 3_000));
            assert!(sound[8_000..].iter().all(|s| *s == 0));
        }
    }

    #[test]
    fn regions_follow_the_locale() {
        assert_eq!(ToneRegion::of("ja-JP"), ToneRegion::Japan);
        assert_eq!(ToneRegion::of("en-US"), ToneRegion::Us);
        assert_eq!(ToneRegion::of("fr-CA"), ToneRegion::Us);
        assert_eq!(ToneRegion::of("de-DE"), ToneRegion::Europe);
        assert_eq!(ToneRegion::of(""), ToneRegion::Us);
    }
}
