//! WAV files as language packs have them: 16-bit PCM, one channel, 16 kHz.

/// Why a WAV file is not one that we play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// The file is no RIFF/WAVE file, or ends early.
    #[error("it is no complete WAV file")]
    Broken,
    /// The sound is not 16-bit PCM with one channel at 16 kHz.
    #[error("it must hold 16-bit PCM with one channel at 16000 Hz")]
    Format,
    /// The sound is longer than ten minutes.
    #[error("it must not be longer than ten minutes")]
    Long,
}

/// The samples of a WAV file.
pub fn parse_wav(bytes: &[u8]) -> Result<Vec<i16>, WavError> {
    Ok(samples_of(bytes)?.collect())
}

/// The samples of a WAV file, where they stand.
pub(crate) fn samples_of(
    bytes: &[u8],
) -> Result<impl ExactSizeIterator<Item = i16> + '_, WavError> {
    Ok(data_of(bytes)?.iter().map(|sample| i16::from_le_bytes(*sample)))
}

fn data_of(bytes: &[u8]) -> Result<&[[u8; 2]], WavError> {
    let Some((riff, mut chunks)) = bytes.split_first_chunk::<12>() else {
        return Err(WavError::Broken);
    };
    if !riff.starts_with(b"RIFF") || !riff.ends_with(b"WAVE") {
        return Err(WavError::Broken);
    }
    let mut formatted = false;
    while let Some((head, rest)) = chunks.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        match &head[..4] {
            b"fmt " => {
                check_format(rest.get(..length).ok_or(WavError::Broken)?)?;
                formatted = true;
            }
            b"data" if formatted => {
                let data = rest.get(..length).ok_or(WavError::Broken)?;
                if data.len() > WAV_SAMPLES * 2 {
                    return Err(WavError::Long);
                }
                return Ok(data.as_chunks().0);
            }
            _ => {}
        }
        let padded = length.checked_add(length % 2).ok_or(WavError::Broken)?;
        chunks = rest.get(padded..).ok_or(WavError::Broken)?;
    }
    Err(WavError::Broken)
}

/// A WAV file of these samples at `rate`.
pub fn print_wav(sound: &[i16], rate: u32) -> Vec<u8> {
    let length = sound.len() as u32 * 2;
    let mut out = Vec::with_capacity(44 + sound.len() * 2);
    out.extend(b"RIFF");
    out.extend((36 + length).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(rate.to_le_bytes());
    out.extend((rate * 2).to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend(length.to_le_bytes());
    out.extend(sound.iter().flat_map(|sample| sample.to_le_bytes()));
    out
}

fn check_format(format: &[u8]) -> Result<(), WavError> {
    let fields = format.first_chunk::<16>().ok_or(WavError::Broken)?;
    let short = |at: usize| u16::from_le_bytes([fields[at], fields[at + 1]]);
    let rate = u32::from_le_bytes([fields[4], fields[5], fields[6], fields[7]]);
    // PCM, or the extensible form of it that some editors write.
    let pcm = matches!(short(0), 1 | 0xfffe);
    if pcm && short(2) == 1 && rate == 16_000 && short(14) == 16 {
        Ok(())
    } else {
        Err(WavError::Format)
    }
}

/// Ten minutes at 16 kHz.
const WAV_SAMPLES: usize = 16_000 * 600;

/// The longest WAV file that is read, with room for chunks of other kinds.
pub(crate) const WAV_BYTES: u64 = WAV_SAMPLES as u64 * 2 + 65_536;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn samples_come_back() {
        let sound = [0, 1, -1, i16::MAX, i16::MIN];
        assert_eq!(parse_wav(&print_wav(&sound, 16_000)).unwrap(), sound);
    }

    #[test]
    fn other_chunks_are_stepped_over() {
        let mut bytes = print_wav(&[5, 6], 16_000);
        bytes.splice(36..36, *b"LIST\x03\0\0\0abc\0");
        assert_eq!(parse_wav(&bytes).unwrap(), [5, 6]);
    }

    #[test]
    fn other_formats_and_broken_files_are_refused() {
        assert_eq!(parse_wav(&print_wav(&[1], 8_000)), Err(WavError::Format));
        let mut stereo = print_wav(&[1, 2], 16_000);
        stereo[22] = 2;
        assert_eq!(parse_wav(&stereo), Err(WavError::Format));
        let whole = print_wav(&[1, 2, 3], 16_000);
        for length in 0..whole.len() {
            assert_eq!(parse_wav(&whole[..length]), Err(WavError::Broken), "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused(
            at in 0usize..44, byte: u8, bytes in proptest::collection::vec(any::<u8>(), 0..100)
        ) {
            let _ = parse_wav(&bytes);
            let mut crafted = print_wav(&[1, 2, 3], 16_000);
            crafted[at] = byte;
            let _ = parse_wav(&crafted);
        }
    }
}
