//! Keys as tones in the audio: Goertzel filters at the eight frequencies over windows of 12.75 ms
//! that overlap by half, with the tolerances of ITU-T Q.24. A key is told when four windows in a
//! row agree on it, and can't be told again before four windows in a row lack it. From one window
//! to the next the phases tell the true frequencies; with these known, a key accounts for nearly
//! all of the sound, which a voice that happens to lie near a key does not.

use core::f32::consts::TAU;

use jackfield_vocabulary::Digit;

use crate::tone::{COLUMNS, KEYS, ROWS};

/// Finds keys in sound at 8 kHz.
#[derive(Clone, Debug)]
pub struct ToneDetector {
    window: [f32; WINDOW],
    filled: usize,
    /// What the window before had, and for how many windows in a row.
    last: Option<Hit>,
    agreed: u8,
    /// How many of these were nothing but the key.
    clean: u8,
    /// The key that is down and was told.
    told: Option<char>,
    misses: u8,
}

impl ToneDetector {
    /// A detector that has heard nothing.
    pub fn new() -> Self {
        Self {
            window: [0.0; WINDOW],
            filled: 0,
            last: None,
            agreed: 0,
            clean: 0,
            told: None,
            misses: 0,
        }
    }

    /// Listens to the next samples and tells each new key.
    pub fn listen(&mut self, mut sound: &[i16], mut tell: impl FnMut(Digit)) {
        while !sound.is_empty() {
            let count = sound.len().min(WINDOW - self.filled);
            let (now, later) = sound.split_at(count);
            for (place, sample) in self.window[self.filled..].iter_mut().zip(now) {
                *place = f32::from(*sample);
            }
            self.filled += count;
            sound = later;
            if self.filled == WINDOW {
                if let Some(digit) = self.decide() {
                    tell(digit);
                }
                self.window.copy_within(STEP.., 0);
                self.filled = WINDOW - STEP;
            }
        }
    }

    fn decide(&mut self) -> Option<Digit> {
        let hit = analyse(&self.window);
        let last = core::mem::replace(&mut self.last, hit);
        let Some(hit) = hit else {
            self.agreed = 0;
            self.misses = self.misses.saturating_add(1);
            if self.misses >= ENOUGH {
                self.told = None;
            }
            return None;
        };
        let last = last.filter(|last| last.key == hit.key && last.level_fits(&hit));
        if let Some(last) = last {
            self.agreed = self.agreed.saturating_add(1);
            self.clean = self.clean.saturating_add(hit.is_clean_after(&last).into());
        } else {
            (self.agreed, self.clean) = (1, 0);
        }
        if self.told == Some(hit.key) {
            self.misses = 0;
        } else if self.agreed >= ENOUGH && self.clean >= CLEAN {
            self.misses = 0;
            self.told = Some(hit.key);
            return Digit::try_from(hit.key).ok();
        }
        None
    }
}

impl Default for ToneDetector {
    fn default() -> Self {
        Self::new()
    }
}

/// A key that may be in a window.
#[derive(Clone, Copy, Debug)]
struct Hit {
    key: char,
    energy: f32,
    low: Line,
    high: Line,
}

/// What a filter says of one frequency.
#[derive(Clone, Copy, Debug)]
struct Line {
    frequency: f32,
    /// Amplitude and phase at the end of the window.
    phasor: (f32, f32),
}

impl Hit {
    /// A key's level does not change from window to window; a voice's does.
    fn level_fits(&self, next: &Hit) -> bool {
        self.energy < next.energy * LEVEL_CHANGE && next.energy < self.energy * LEVEL_CHANGE
    }

    /// Whether the window holds the key, at a frequency within the tolerance, and little else.
    fn is_clean_after(&self, last: &Hit) -> bool {
        let (low, high) = (self.low.error_since(&last.low), self.high.error_since(&last.high));
        if !self.low.tolerates(low) || !self.high.tolerates(high) {
            return false;
        }
        let whole = self.low.power() / attenuation(low) + self.high.power() / attenuation(high);
        whole * (2.0 / WINDOW as f32) > self.energy * CLEANNESS
    }
}

impl Line {
    fn power(&self) -> f32 {
        self.phasor.0 * self.phasor.0 + self.phasor.1 * self.phasor.1
    }

    fn tolerates(&self, error: f32) -> bool {
        error.abs() < self.frequency * TOLERANCE + MEASURING
    }

    /// How far the true frequency is off, in Hz, by the phase since the window before.
    fn error_since(&self, last: &Line) -> f32 {
        let ((x, y), (u, v)) = (self.phasor, last.phasor);
        let turned = (y * u - x * v).atan2(x * u + y * v) / TAU;
        let expected = self.frequency * STEP as f32 / 8_000.0;
        let error = turned - expected;
        (error - error.round()) * 8_000.0 / STEP as f32
    }
}

/// What is left of the power of a tone that is so many Hz beside its filter.
fn attenuation(error: f32) -> f32 {
    let x = core::f32::consts::PI * error * WINDOW as f32 / 8_000.0;
    if x.abs() < 1e-3 { 1.0 } else { (x.sin() / x).powi(2) }
}

/// The key that fills a window, if one does.
fn analyse(window: &[f32; WINDOW]) -> Option<Hit> {
    let energy: f32 = window.iter().map(|sample| sample * sample).sum();
    if energy < THRESHOLD {
        return None;
    }
    let lines = goertzel(window);
    let power = lines.map(|line| line.power());
    let (rows, columns) = power.split_at(4);
    let (row, column) = (strongest(rows), strongest(columns));
    let (low, high) = (rows[row], columns[column]);
    let pure = (low + high) * (2.0 / WINDOW as f32) > energy * PURITY;
    let twist = high < low * REVERSE_TWIST && low < high * NORMAL_TWIST;
    let apart = stands_out(rows, row) && stands_out(columns, column);
    let key = KEYS[row * 4 + column];
    (pure && twist && apart).then(|| Hit { key, energy, low: lines[row], high: lines[4 + column] })
}

/// The four rows and the four columns.
fn goertzel(window: &[f32; WINDOW]) -> [Line; 8] {
    let filters = *FILTERS;
    let mut one = [0.0f32; 8];
    let mut two = [0.0f32; 8];
    for sample in window {
        for index in 0..8 {
            // In this order only two steps wait for each other.
            let next = 2.0 * filters.cosine[index] * one[index] + (sample - two[index]);
            two[index] = one[index];
            one[index] = next;
        }
    }
    core::array::from_fn(|index| {
        let x = one[index] - two[index] * filters.cosine[index];
        Line { frequency: filters.frequency[index], phasor: (x, two[index] * filters.sine[index]) }
    })
}

fn strongest(powers: &[f32]) -> usize {
    (1..powers.len()).fold(0, |best, index| if powers[index] > powers[best] { index } else { best })
}

fn stands_out(powers: &[f32], best: usize) -> bool {
    powers
        .iter()
        .enumerate()
        .all(|(index, power)| index == best || power * NEIGHBOUR < powers[best])
}

#[derive(Clone, Copy, Debug)]
struct Filters {
    frequency: [f32; 8],
    cosine: [f32; 8],
    sine: [f32; 8],
}

static FILTERS: std::sync::LazyLock<Filters> = std::sync::LazyLock::new(|| {
    let frequency: [f32; 8] =
        core::array::from_fn(|index| if index < 4 { ROWS[index] } else { COLUMNS[index - 4] });
    let angle = frequency.map(|frequency| TAU * frequency / 8_000.0);
    Filters { frequency, cosine: angle.map(f32::cos), sine: angle.map(f32::sin) }
});

/// Samples in a window: 12.75 ms, so that the rows are told apart.
const WINDOW: usize = 102;

/// Samples from one window to the next.
const STEP: usize = WINDOW / 2;

/// Windows in a row that make a key, or its end: a key of 40 ms holds as many whole ones, a tone of
/// 20 ms does not.
const ENOUGH: u8 = 4;

/// Windows in a row that must be nothing but the key; the first and the last may be half filled.
const CLEAN: u8 = 2;

/// The part of a window's energy that the two tones at their true frequencies account for: noise
/// at -12 dB leaves 94 %, clipping of the loudest keys 90 %.
const CLEANNESS: f32 = 0.85;

/// A frequency may be off by 1.5 % (Q.24) ...
const TOLERANCE: f32 = 0.015;

/// ... and measured wrongly by so many Hz. Voices come near keys at 2 % and more.
const MEASURING: f32 = 2.5;

/// Energy of a window at which listening begins: two tones of -40 dBm0.
const THRESHOLD: f32 = 5.5e6;

/// The part of a window's energy that lies in the two tones.
const PURITY: f32 = 0.62;

/// The column may be stronger than the row by 4 dB (Q.24), with 2 dB of room.
const REVERSE_TWIST: f32 = 4.0;

/// The row may be stronger than the column by 8 dB (Q.24), with 2 dB of room.
const NORMAL_TWIST: f32 = 10.0;

/// The other rows and columns are at least 6 dB weaker.
const NEIGHBOUR: f32 = 4.0;

/// Level change between two windows of one key, 5 dB: the first may begin before the tone.
const LEVEL_CHANGE: f32 = 3.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        g711::{alaw_decode, alaw_encode, mulaw_decode, mulaw_encode},
        tone::{amplitude, frequencies},
    };

    /// Keys with their levels (row, column) and relative frequency errors, 45 ms on and off.
    struct Keys {
        levels: (f32, f32),
        errors: (f32, f32),
        on: usize,
        off: usize,
    }

    impl Keys {
        fn at(level: f32) -> Self {
            Self { levels: (level, level), errors: (0.0, 0.0), on: 360, off: 360 }
        }

        fn sound(&self, keys: &str, lead: usize) -> Vec<i16> {
            let mut sound = vec![0; lead];
            for key in keys.chars() {
                let (row, column) = frequencies(Digit::try_from(key).unwrap());
                let (row, column) = (row * (1.0 + self.errors.0), column * (1.0 + self.errors.1));
                let (low, high) = (amplitude(self.levels.0), amplitude(self.levels.1));
                sound.extend((0..self.on).map(|n| {
                    let time = n as f32 / 8_000.0;
                    (low * (TAU * row * time).sin() + high * (TAU * column * time + 1.0).sin())
                        as i16
                }));
                sound.extend(core::iter::repeat_n(0, self.off));
            }
            sound
        }
    }

    fn heard(sound: &[i16]) -> String {
        let mut detector = ToneDetector::new();
        let mut heard = String::new();
        for packet in sound.chunks(160) {
            detector.listen(packet, |digit| heard.push(digit.as_char()));
        }
        heard
    }

    const ALL: &str = "1234567890*#ABCD";

    #[test]
    fn all_keys_at_all_levels_in_both_laws() {
        for level in [-30.0, -25.0, -20.0, -10.0, -6.0, -3.0, 0.0] {
            for lead in [0, 17, 34, 51, 68, 85] {
                let sound = Keys::at(level).sound(ALL, lead);
                let mulaw: Vec<i16> =
                    sound.iter().map(|s| mulaw_decode(mulaw_encode(*s))).collect();
                let alaw: Vec<i16> = sound.iter().map(|s| alaw_decode(alaw_encode(*s))).collect();
                assert_eq!(heard(&mulaw), ALL, "{level} dBm0, lead {lead}");
                assert_eq!(heard(&alaw), ALL, "{level} dBm0, lead {lead}");
            }
        }
    }

    #[test]
    fn frequencies_may_be_off_by_one_and_a_half_percent() {
        for errors in [(0.015, 0.015), (-0.015, -0.015), (0.015, -0.015), (-0.015, 0.015)] {
            for level in [-30.0, -10.0, -3.0] {
                for lead in [0, 25, 50, 75] {
                    let sound = Keys { errors, ..Keys::at(level) }.sound(ALL, lead);
                    assert_eq!(heard(&sound), ALL, "{errors:?}, {level} dBm0, lead {lead}");
                }
            }
        }
    }

    #[test]
    fn twist_within_the_tolerance() {
        for levels in [(-10.0, -6.0), (-18.0, -14.0), (-10.0, -18.0), (-20.0, -28.0)] {
            let sound = Keys { levels, ..Keys::at(0.0) }.sound(ALL, 40);
            assert_eq!(heard(&sound), ALL, "{levels:?}");
        }
    }

    #[test]
    fn too_much_twist_too_far_off_or_too_short_is_no_key() {
        for levels in [(-20.0, -5.0), (-5.0, -20.0)] {
            assert_eq!(heard(&Keys { levels, ..Keys::at(0.0) }.sound(ALL, 0)), "");
        }
        for errors in [(0.035, 0.035), (-0.035, -0.035)] {
            assert_eq!(heard(&Keys { errors, ..Keys::at(-10.0) }.sound(ALL, 0)), "");
        }
        for lead in 0..102 {
            assert_eq!(heard(&Keys { on: 160, ..Keys::at(-10.0) }.sound(ALL, lead)), "");
        }
        assert_eq!(heard(&Keys::at(-48.0).sound(ALL, 0)), "");
    }

    #[test]
    fn one_tone_alone_is_no_key() {
        for frequency in ROWS.into_iter().chain(COLUMNS).chain([350.0, 440.0, 480.0, 620.0]) {
            let sound: Vec<i16> = (0..8_000)
                .map(|n| (8_000.0 * (TAU * frequency * n as f32 / 8_000.0).sin()) as i16)
                .collect();
            assert_eq!(heard(&sound), "", "{frequency} Hz");
        }
    }

    #[test]
    fn a_held_key_and_a_key_with_a_drop_out_are_one_key() {
        let held = Keys { on: 40_000, ..Keys::at(-10.0) };
        assert_eq!(heard(&held.sound("5", 0)), "5");
        for at in (800..1_000).step_by(9) {
            let mut sound = held.sound("5", 0);
            sound[at..at + 80].fill(0);
            assert_eq!(heard(&sound), "5", "{at}");
        }
    }

    #[test]
    fn white_noise_gives_no_key_and_does_not_hide_one() {
        let mut state = 7u32;
        let mut noise = |amplitude: i32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) as i32 - 32_768) * amplitude / 32_768
        };
        let loud: Vec<i16> = (0..800_000).map(|_| noise(12_000) as i16).collect();
        assert_eq!(heard(&loud), "");
        // 15 dB of signal to noise.
        let mut sound = Keys::at(-10.0).sound(ALL, 30);
        let level = (amplitude(-10.0) * 3f32.sqrt() / 10f32.powf(15.0 / 20.0)) as i32;
        sound.iter_mut().for_each(|sample| *sample += noise(level) as i16);
        assert_eq!(heard(&sound), ALL);
    }
}
