//! One recording, coded once for each codec.

use core::time::Duration;
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use jackfield_vocabulary::Codec;

use super::{PromptError, read_limited};
use crate::{
    codec::{CodecFormat, Encoder},
    resample::halved,
    wav::{WAV_BYTES, samples_of},
};

/// Room for one prompt that is being coded, used again for the next one. What is coded stays as long as
/// the server; room of ever other sizes taken in between would stay with it.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// The file.
    file: Vec<u8>,
    /// What comes of it.
    coded: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Prompt {
    source: Source,
    coded: RwLock<Vec<(Codec, Arc<[u8]>)>>,
}

#[derive(Debug)]
pub(super) enum Source {
    /// A file of so many bytes when it was found.
    File(PathBuf, u64),
    Memory(Arc<[i16]>),
}

impl Prompt {
    pub(super) fn new(source: Source) -> Self {
        Self { source, coded: RwLock::default() }
    }

    /// How long it is at the most.
    pub(super) fn length(&self) -> Duration {
        let samples = match &self.source {
            Source::File(_, bytes) => bytes / 2,
            Source::Memory(sound) => sound.len() as u64,
        };
        Duration::from_micros(samples * 1_000_000 / 16_000)
    }

    pub(super) fn ready(&self, codec: Codec) -> Option<Arc<[u8]>> {
        let coded = self.coded.read().unwrap_or_else(PoisonError::into_inner);
        coded.iter().find(|(of, _)| *of == codec).map(|(_, bytes)| bytes.clone())
    }

    pub(super) fn encode(&self, codec: Codec, desk: &mut Desk) -> Result<Arc<[u8]>, PromptError> {
        if let Some(bytes) = self.ready(codec) {
            return Ok(bytes);
        }
        let Desk { file, coded } = desk;
        match &self.source {
            Source::File(path, _) => {
                read_limited(path, WAV_BYTES, file)?;
                let sound = samples_of(file);
                let sound =
                    sound.map_err(|source| PromptError::Sound { path: path.clone(), source })?;
                encode_whole(sound, codec, coded)?;
            }
            Source::Memory(sound) => encode_whole(sound.iter().copied(), codec, coded)?,
        }
        let bytes: Arc<[u8]> = Arc::from(&coded[..]);
        self.coded(codec, bytes.clone());
        Ok(bytes)
    }

    pub(super) fn coded(&self, codec: Codec, bytes: Arc<[u8]>) {
        let mut coded = self.coded.write().unwrap_or_else(PoisonError::into_inner);
        if !coded.iter().any(|(of, _)| *of == codec) {
            coded.push((codec, bytes));
        }
    }
}

/// A sound at 16 kHz as whole units of a codec, in place of what stood in `out`.
fn encode_whole(
    sound: impl ExactSizeIterator<Item = i16>,
    codec: Codec,
    out: &mut Vec<u8>,
) -> Result<(), PromptError> {
    let encoder = Encoder::new(codec).ok_or(PromptError::Codec)?;
    out.clear();
    match CodecFormat::of(codec) {
        format if format.rate == 8_000 => encode_units(encoder, format, halved(sound), out),
        format => encode_units(encoder, format, sound, out),
    }
    Ok(())
}

fn encode_units(
    mut encoder: Encoder,
    format: CodecFormat,
    mut sound: impl Iterator<Item = i16>,
    out: &mut Vec<u8>,
) {
    let mut room = [0; 160];
    let unit = &mut room[..format.unit_samples()];
    loop {
        let mut filled = 0;
        for (place, sample) in unit.iter_mut().zip(&mut sound) {
            *place = sample;
            filled += 1;
        }
        if filled == 0 {
            return;
        }
        unit[filled..].fill(0);
        let start = out.len();
        out.resize(start + format.unit_bytes, 0);
        encoder.encode(unit, &mut out[start..]);
    }
}
