//! Between 16 kHz and 8 kHz: one linear-phase low-pass (half-band, 63 taps, Kaiser window) used to
//! decimate and to interpolate. Pass band to 3.4 kHz, more than 60 dB down from 4.6 kHz on.

use std::sync::LazyLock;

/// 16 kHz to 8 kHz.
#[derive(Clone, Debug)]
pub struct Halve {
    history: [f32; TAPS],
}

/// 8 kHz to 16 kHz.
#[derive(Clone, Debug)]
pub struct Double {
    history: [f32; SIDE * 2],
}

impl Halve {
    /// A filter at rest.
    pub fn new() -> Self {
        Self { history: [0.0; TAPS] }
    }

    /// Makes one sample of two.
    pub fn push(&mut self, pair: [i16; 2]) -> i16 {
        self.history.copy_within(2.., 0);
        self.history[TAPS - 2] = pair[0].into();
        self.history[TAPS - 1] = pair[1].into();
        // Half-band: every second tap but the middle one is zero.
        let sides: f32 = SIDE_TAPS
            .iter()
            .zip(self.history.iter().step_by(2))
            .map(|(tap, past)| tap * past)
            .sum();
        (sides + 0.5 * self.history[TAPS / 2]).round() as i16
    }
}

impl Default for Halve {
    fn default() -> Self {
        Self::new()
    }
}

impl Double {
    /// A filter at rest.
    pub fn new() -> Self {
        Self { history: [0.0; SIDE * 2] }
    }

    /// Makes two samples of one.
    pub fn push(&mut self, sample: i16) -> [i16; 2] {
        self.history.copy_within(1.., 0);
        self.history[SIDE * 2 - 1] = sample.into();
        let between: f32 =
            SIDE_TAPS.iter().zip(&self.history).map(|(tap, past)| 2.0 * tap * past).sum();
        [self.history[SIDE - 1] as i16, between.round() as i16]
    }
}

impl Default for Double {
    fn default() -> Self {
        Self::new()
    }
}

/// A whole recording from 16 kHz to 8 kHz, without the filter's delay.
pub fn halve(sound: &[i16]) -> Vec<i16> {
    halved(sound.iter().copied()).collect()
}

/// The same sample by sample.
pub(crate) fn halved(sound: impl ExactSizeIterator<Item = i16>) -> impl Iterator<Item = i16> {
    let (mut filter, length) = (Halve::new(), sound.len());
    let mut padded = sound.chain(core::iter::repeat_n(0, TAPS - 1 + length % 2));
    let pairs = core::iter::from_fn(move || Some([padded.next()?, padded.next()?]));
    pairs.map(move |pair| filter.push(pair)).skip(TAPS / 4).take(length.div_ceil(2))
}

/// A whole recording from 8 kHz to 16 kHz, without the filter's delay.
pub fn double(sound: &[i16]) -> Vec<i16> {
    let mut filter = Double::new();
    let padded = sound.iter().copied().chain(core::iter::repeat_n(0, SIDE));
    padded.flat_map(|sample| filter.push(sample)).skip(SIDE * 2).take(sound.len() * 2).collect()
}

/// The taps beside the middle one, outer to outer.
static SIDE_TAPS: LazyLock<[f32; SIDE * 2]> = LazyLock::new(|| {
    let middle = (TAPS / 2) as f64;
    let window = |x: f64| bessel(KAISER * (1.0 - x * x).max(0.0).sqrt()) / bessel(KAISER);
    let taps: [f64; SIDE * 2] = core::array::from_fn(|index| {
        let x = (index * 2) as f64 - middle;
        (core::f64::consts::PI * x / 2.0).sin() / (core::f64::consts::PI * x)
            * window(x / (middle + 1.0))
    });
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap * 0.5 / sum) as f32)
});

/// The modified Bessel function of order zero.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

/// Length of the filter: 4 n - 1.
const TAPS: usize = 63;

/// Taps that are not zero on each side of the middle.
const SIDE: usize = (TAPS + 1) / 4;

const KAISER: f64 = 6.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frequency: f64, rate: f64, length: usize) -> Vec<i16> {
        (0..length)
            .map(|n| {
                (10_000.0 * (n as f64 * frequency * core::f64::consts::TAU / rate).sin()) as i16
            })
            .collect()
    }

    fn level(sound: &[i16]) -> f64 {
        let middle = &sound[sound.len() / 4..sound.len() * 3 / 4];
        let power: f64 = middle.iter().map(|s| f64::from(*s).powi(2)).sum();
        10.0 * (power / middle.len() as f64 / 50e6).log10()
    }

    #[test]
    fn speech_passes_and_what_would_alias_does_not() {
        for frequency in [300.0, 1_000.0, 3_000.0, 3_400.0] {
            let passed = level(&halve(&tone(frequency, 16e3, 8_000)));
            assert!(passed.abs() < 0.2, "{frequency} Hz: {passed} dB");
        }
        for frequency in [4_700.0, 6_000.0, 7_500.0] {
            let passed = level(&halve(&tone(frequency, 16e3, 8_000)));
            assert!(passed < -58.0, "{frequency} Hz: {passed} dB");
        }
    }

    #[test]
    fn up_and_down_again_is_the_same_sound_at_the_same_time() {
        let sound = tone(1_200.0, 8e3, 4_000);
        let back = halve(&double(&sound));
        assert_eq!(back.len(), sound.len());
        for (before, after) in sound.iter().zip(&back).skip(100).take(3_800) {
            assert!((i32::from(*before) - i32::from(*after)).abs() < 60, "{before} {after}");
        }
    }

    #[test]
    fn full_scale_is_held() {
        let square: Vec<i16> =
            (0..2_000).map(|n| if n / 10 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        assert_eq!(halve(&square).len(), 1_000);
        assert_eq!(double(&square).len(), 4_000);
    }
}
