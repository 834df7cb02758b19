//! G.722 at 64 kbit/s: 16 kHz sound split by a quadrature mirror filter into two bands, each coded
//! by ADPCM, six bits for the lower and two for the upper. Written from the block diagrams and
//! tables of ITU-T Recommendation G.722; the names of the blocks stand at the functions.

/// Codes sound at 16 kHz.
#[derive(Clone, Debug)]
pub struct G722Encoder {
    history: [i32; 24],
    lower: Band,
    upper: Band,
}

/// Decodes to sound at 16 kHz.
#[derive(Clone, Debug)]
pub struct G722Decoder {
    history: [i32; 24],
    lower: Band,
    upper: Band,
}

impl G722Encoder {
    /// An encoder in its reset state.
    pub fn new() -> Self {
        Self { history: [0; 24], lower: Band::lower(), upper: Band::upper() }
    }

    /// Codes two samples into one byte.
    pub fn encode(&mut self, pair: [i16; 2]) -> u8 {
        let (low, high) = self.split(pair);
        let low_code = quantize_low(low - self.lower.estimate, self.lower.step);
        let difference = (self.lower.step * QM4[usize::from(low_code >> 2)]) >> 15;
        self.lower.rescale_low(low_code >> 2);
        self.lower.update(difference);

        let high_code = quantize_high(high - self.upper.estimate, self.upper.step);
        let difference = (self.upper.step * QM2[usize::from(high_code)]) >> 15;
        self.upper.rescale_high(high_code);
        self.upper.update(difference);
        high_code << 6 | low_code
    }

    /// The transmit filter bank (RECA to ACCUMB, LOWT, HIGHT).
    fn split(&mut self, pair: [i16; 2]) -> (i32, i32) {
        self.history.copy_within(2.., 0);
        self.history[22] = pair[0].into();
        self.history[23] = pair[1].into();
        let (mut even, mut odd) = (0, 0);
        for (index, taps) in self.history.chunks_exact(2).enumerate() {
            odd += taps[0] * QMF[index];
            even += taps[1] * QMF[11 - index];
        }
        ((even + odd) >> 14, (even - odd) >> 14)
    }
}

impl Default for G722Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl G722Decoder {
    /// A decoder in its reset state.
    pub fn new() -> Self {
        Self { history: [0; 24], lower: Band::lower(), upper: Band::upper() }
    }

    /// Decodes one byte into two samples.
    pub fn decode(&mut self, byte: u8) -> [i16; 2] {
        let low_code = byte & 0x3f;
        let fine = (self.lower.step * QM6[usize::from(low_code)]) >> 15;
        let low = limit(self.lower.estimate + fine);
        let coarse = (self.lower.step * QM4[usize::from(low_code >> 2)]) >> 15;
        self.lower.rescale_low(low_code >> 2);
        self.lower.update(coarse);

        let high_code = byte >> 6;
        let difference = (self.upper.step * QM2[usize::from(high_code)]) >> 15;
        let high = limit(self.upper.estimate + difference);
        self.upper.rescale_high(high_code);
        self.upper.update(difference);
        self.join(low, high)
    }

    /// The receive filter bank (RECA to SELECT).
    fn join(&mut self, low: i32, high: i32) -> [i16; 2] {
        self.history.copy_within(2.., 0);
        self.history[22] = low + high;
        self.history[23] = low - high;
        let (mut first, mut second) = (0, 0);
        for (index, taps) in self.history.chunks_exact(2).enumerate() {
            second += taps[0] * QMF[index];
            first += taps[1] * QMF[11 - index];
        }
        [saturate(first >> 11) as i16, saturate(second >> 11) as i16]
    }
}

impl Default for G722Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// The adaptive predictor and quantizer scale of one band.
#[derive(Clone, Debug, Default)]
struct Band {
    /// S: what the predictor expects.
    estimate: i32,
    /// SZ: the zeros' part of it.
    zero_estimate: i32,
    /// DET: the quantizer's step.
    step: i32,
    /// NB: its logarithm.
    scale: i32,
    /// A1 and A2.
    poles: [i32; 2],
    /// B1 to B6.
    zeros: [i32; 6],
    /// R1 and R2: reconstructed signal.
    signal: [i32; 2],
    /// P1 and P2: partially reconstructed signal.
    partial: [i32; 2],
    /// D1 to D6: quantized differences.
    differences: [i32; 6],
}

impl Band {
    fn lower() -> Self {
        Self { step: 32, ..Self::default() }
    }

    fn upper() -> Self {
        Self { step: 8, ..Self::default() }
    }

    /// LOGSCL and SCALEL.
    fn rescale_low(&mut self, code: u8) {
        self.scale = (((self.scale * 127) >> 7) + WL[usize::from(code)]).clamp(0, 18_432);
        self.step = linear(self.scale, 8);
    }

    /// LOGSCH and SCALEH.
    fn rescale_high(&mut self, code: u8) {
        self.scale = (((self.scale * 127) >> 7) + WH[usize::from(code)]).clamp(0, 22_528);
        self.step = linear(self.scale, 10);
    }

    /// Takes the quantized difference and predicts the next sample (RECONS to PREDIC).
    fn update(&mut self, difference: i32) {
        let signal = saturate(self.estimate + difference);
        let partial = saturate(self.zero_estimate + difference);
        let second = self.second_pole(partial);
        let first = self.first_pole(partial, second);
        self.poles = [first, second];
        self.adapt_zeros(difference);
        self.signal = [signal, self.signal[0]];
        self.partial = [partial, self.partial[0]];
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
        self.predict();
    }

    /// UPPOL2.
    fn second_pole(&self, partial: i32) -> i32 {
        let doubled = saturate(self.poles[0] << 2);
        let turned = if same_sign(partial, self.partial[0]) { -doubled } else { doubled };
        let nudge = if same_sign(partial, self.partial[1]) { 128 } else { -128 };
        let leaked = (self.poles[1] * 32_512) >> 15;
        ((turned.min(32_767) >> 7) + nudge + leaked).clamp(-12_288, 12_288)
    }

    /// UPPOL1.
    fn first_pole(&self, partial: i32, second: i32) -> i32 {
        let nudge = if same_sign(partial, self.partial[0]) { 192 } else { -192 };
        let bound = saturate(15_360 - second);
        saturate(nudge + ((self.poles[0] * 32_640) >> 15)).clamp(-bound, bound)
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        let nudge = if difference == 0 { 0 } else { 128 };
        for (zero, past) in self.zeros.iter_mut().zip(self.differences) {
            let toward = if same_sign(difference, past) { nudge } else { -nudge };
            *zero = saturate(toward + ((*zero * 32_640) >> 15));
        }
    }

    /// FILTEP, FILTEZ and PREDIC.
    fn predict(&mut self) {
        let pole_estimate: i32 = self
            .poles
            .iter()
            .zip(self.signal)
            .map(|(pole, signal)| (pole * saturate(signal << 1)) >> 15)
            .sum();
        let zero_estimate: i32 = self
            .zeros
            .iter()
            .zip(self.differences)
            .map(|(zero, difference)| (zero * saturate(difference << 1)) >> 15)
            .sum();
        self.zero_estimate = saturate(zero_estimate);
        self.estimate = saturate(saturate(pole_estimate) + self.zero_estimate);
    }
}

/// QUANTL: the lower band's difference as six bits.
fn quantize_low(difference: i32, step: i32) -> u8 {
    let difference = saturate(difference);
    let magnitude = if difference < 0 { !difference } else { difference };
    let level =
        Q6.iter().position(|bound| magnitude < (bound * step) >> 12).unwrap_or(Q6.len()) as u8;
    match (difference < 0, level) {
        // The two smallest negative levels have codes of their own; the others count down.
        (true, 0 | 1) => 63 - level,
        (true, _) => 33 - level,
        (false, _) => 61 - level,
    }
}

/// QUANTH: the upper band's difference as two bits.
fn quantize_high(difference: i32, step: i32) -> u8 {
    let difference = saturate(difference);
    let magnitude = if difference < 0 { !difference } else { difference };
    match (difference < 0, magnitude < (564 * step) >> 12) {
        (true, true) => 1,
        (true, false) => 0,
        (false, true) => 3,
        (false, false) => 2,
    }
}

/// SCALEL and SCALEH: from the logarithm to the step.
fn linear(scale: i32, offset: i32) -> i32 {
    let mantissa = ILB[(scale >> 6 & 31) as usize];
    let shift = offset - (scale >> 11);
    let value = if shift < 0 { mantissa << -shift } else { mantissa >> shift };
    value << 2
}

fn same_sign(left: i32, right: i32) -> bool {
    (left < 0) == (right < 0)
}

fn saturate(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}

fn limit(value: i32) -> i32 {
    value.clamp(-16_384, 16_383)
}

/// Every second coefficient of the filter bank (table 11); mirrored for the others.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Decision levels of the lower band's quantizer.
const Q6: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
    1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];

const QM2: [i32; 4] = [-7408, -1616, 7408, 1616];

const QM4: [i32; 16] = [
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584,
    1200, 0,
];

const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776,
    -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280,
    11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776,
    2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// WL by code (table WL over RL42).
const WL: [i32; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];

/// WH by code (table WH over IH2).
const WH: [i32; 4] = [798, -214, 798, -214];

/// Inverse logarithm.
const ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(sound: &[i16]) -> Vec<i16> {
        let (mut encoder, mut decoder) = (G722Encoder::new(), G722Decoder::new());
        sound
            .chunks_exact(2)
            .flat_map(|pair| decoder.decode(encoder.encode([pair[0], pair[1]])))
            .collect()
    }

    fn tone(frequency: f64, amplitude: f64, length: usize) -> Vec<i16> {
        (0..length)
            .map(|n| {
                (amplitude * (n as f64 * frequency * core::f64::consts::TAU / 16e3).sin()) as i16
            })
            .collect()
    }

    /// Signal to noise ratio at the filter bank's delay of 22 samples.
    fn quality(sound: &[i16], decoded: &[i16]) -> f64 {
        let pairs = || sound[1000..].iter().zip(&decoded[1022..]);
        let signal: f64 = pairs().map(|(a, _)| f64::from(*a).powi(2)).sum();
        let noise: f64 = pairs().map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        10.0 * (signal / noise).log10()
    }

    #[test]
    fn tones_of_the_lower_band_come_back() {
        for frequency in [200.0, 440.0, 1_000.0, 2_500.0] {
            let sound = tone(frequency, 8_000.0, 8_000);
            let ratio = quality(&sound, &round_trip(&sound));
            assert!(ratio > 25.0, "{frequency} Hz: {ratio} dB");
        }
    }

    #[test]
    fn a_tone_of_the_upper_band_comes_back() {
        let sound = tone(6_000.0, 8_000.0, 8_000);
        let ratio = quality(&sound, &round_trip(&sound));
        assert!(ratio > 12.0, "{ratio} dB");
    }

    #[test]
    fn silence_stays_silent() {
        assert!(round_trip(&[0; 3_200]).iter().all(|sample| sample.abs() < 8));
    }

    #[test]
    fn the_loudest_noise_and_any_bytes_do_no_harm() {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state & 0x8000_0000 == 0 { i16::MIN } else { i16::MAX }
        };
        round_trip(&(0..32_000).map(|_| noise()).collect::<Vec<_>>());
        let mut decoder = G722Decoder::new();
        for step in 0..64_000u32 {
            decoder.decode((step.wrapping_mul(2_654_435_761) >> 24) as u8);
        }
    }

    /// Checksums made with an independent implementation that passes the vectors of the
    /// recommendation: both directions agree bit for bit.
    #[test]
    fn agrees_with_an_independent_implementation() {
        let (mut state, mut phase) = (1u32, 0i32);
        let sound: Vec<i16> = (0..16_000)
            .map(|n: i32| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                phase = (phase + 200 + n * 7_000 / 16_000) % 16_000;
                let quiet = [1, 4, 16, 2][(n / 2_000 % 4) as usize];
                let triangle = (phase * 4 - 32_000).abs() - 16_000;
                let noise = (state >> 20) as i32 - 2_048;
                (triangle.div_euclid(quiet) + noise.div_euclid(quiet)) as i16
            })
            .collect();
        let mut encoder = G722Encoder::new();
        let coded: Vec<u8> =
            sound.chunks_exact(2).map(|pair| encoder.encode([pair[0], pair[1]])).collect();
        assert_eq!(coded[..8], [0x90, 0x20, 0x84, 0x20, 0x84, 0x20, 0xa0, 0xa6]);
        assert_eq!(checksum(coded.iter().copied()), 0x3e44_725b_6d68_fe31);

        let mut decoder = G722Decoder::new();
        let decoded: Vec<i16> = coded.iter().flat_map(|byte| decoder.decode(*byte)).collect();
        assert_eq!(checksum(decoded.iter().flat_map(|s| s.to_le_bytes())), 0x677d_a83f_9c56_6d12);
    }

    /// FNV-1a.
    fn checksum(bytes: impl Iterator<Item = u8>) -> u64 {
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        })
    }
}
