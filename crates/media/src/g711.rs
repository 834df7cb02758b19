//! G.711, µ-law and A-law: one byte a sample, decoded by table.

/// 16-bit linear to µ-law.
pub fn mulaw_encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(MULAW_CLIP) + MULAW_BIAS;
    let exponent = 24 - magnitude.leading_zeros() as i32;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | exponent << 4 | mantissa) as u8
}

/// µ-law to 16-bit linear.
pub fn mulaw_decode(byte: u8) -> i16 {
    MULAW[usize::from(byte)]
}

/// 16-bit linear to A-law.
pub fn alaw_encode(sample: i16) -> u8 {
    let positive = sample >= 0;
    let magnitude = i32::from(if positive { sample } else { !sample }) >> 4;
    let code = if magnitude < 32 {
        magnitude
    } else {
        let exponent = 28 - magnitude.leading_zeros() as i32;
        exponent << 4 | (magnitude >> (exponent - 1)) & 0x0f
    };
    (code | if positive { 0x80 } else { 0 }) as u8 ^ 0x55
}

/// A-law to 16-bit linear.
pub fn alaw_decode(byte: u8) -> i16 {
    ALAW[usize::from(byte)]
}

const fn mulaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = !byte as i32 & 0xff;
        let exponent = code >> 4 & 7;
        let magnitude = ((((code & 0x0f) << 3) + MULAW_BIAS) << exponent) - MULAW_BIAS;
        table[byte] = if code & 0x80 != 0 { -magnitude } else { magnitude } as i16;
        byte += 1;
    }
    table
}

const fn alaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = byte as i32 ^ 0x55;
        let exponent = code >> 4 & 7;
        let mantissa = (code & 0x0f) << 4;
        let magnitude = match exponent {
            0 => mantissa + 8,
            _ => (mantissa + 0x108) << (exponent - 1),
        };
        table[byte] = if code & 0x80 != 0 { magnitude } else { -magnitude } as i16;
        byte += 1;
    }
    table
}

static MULAW: [i16; 256] = mulaw_table();
static ALAW: [i16; 256] = alaw_table();

const MULAW_BIAS: i32 = 0x84;
const MULAW_CLIP: i32 = 32_635;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!((mulaw_encode(0), mulaw_encode(32_767), mulaw_encode(-32_768)), (0xff, 0x80, 0));
        assert_eq!((mulaw_decode(0xff), mulaw_decode(0x80), mulaw_decode(0)), (0, 32_124, -32_124));
        assert_eq!((alaw_encode(0), alaw_encode(32_767), alaw_encode(-32_768)), (0xd5, 0xaa, 0x2a));
        assert_eq!((alaw_decode(0xd5), alaw_decode(0xaa), alaw_decode(0x2a)), (8, 32_256, -32_256));
    }

    #[test]
    fn every_code_comes_back() {
        for code in 0..=255u8 {
            assert_eq!(alaw_encode(alaw_decode(code)), code);
            // µ-law has two zeros.
            if code != 0x7f {
                assert_eq!(mulaw_encode(mulaw_decode(code)), code);
            }
        }
    }

    /// The digital milliwatt of G.711 tables 5 and 6: 1 kHz at 0 dBm0, about 5,700 rms (of 32,768
    /// at +3.17 dBm0 peak).
    #[test]
    fn digital_milliwatt() {
        let mulaw = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e].map(mulaw_decode);
        let alaw = [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4].map(alaw_decode);
        for samples in [mulaw, alaw] {
            let power: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / 8.0;
            let level = 20.0 * (power.sqrt() * 2f64.sqrt() / 32_768.0).log10() + 3.17;
            assert!(level.abs() < 0.2, "{level}");
        }
    }

    #[test]
    fn error_stays_within_the_step() {
        for sample in (-32_000..32_000i16).step_by(7) {
            let bound = 8 + i32::from(sample).abs() / 28;
            for decoded in [mulaw_decode(mulaw_encode(sample)), alaw_decode(alaw_encode(sample))] {
                assert!((i32::from(decoded) - i32::from(sample)).abs() <= bound, "{sample}");
            }
        }
    }
}
