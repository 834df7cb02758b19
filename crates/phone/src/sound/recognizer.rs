//! Tells which prompts of a language pack were heard, and in which order: candidates by the
//! envelope, proof by the waveform. Whoever stops a prompt with a key hears a part of it only, so
//! what counts is how far the sound follows the prompt from its beginning.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jackfield_media::{halve, parse_wav};
use thiserror::Error;

use super::hearing::Hearing;

/// Knows the prompts of a language pack by their sound.
#[derive(Clone, Debug, Default)]
pub struct PromptRecognizer {
    prompts: Vec<Prompt>,
}

/// A prompt that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardPrompt {
    /// Its id: the name of its file.
    pub prompt: String,
    /// When it began, from the beginning of the recording.
    pub at: Duration,
    /// How much of it was heard.
    pub length: Duration,
    /// It was heard to its end.
    pub whole: bool,
}

/// Why a language pack can't be learned.
#[derive(Debug, Error)]
pub enum RecognizerError {
    /// A file or the folder can't be read.
    #[error("can't read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no WAV file of a language pack.
    #[error("{path}: {source}")]
    Sound {
        /// Which.
        path: PathBuf,
        /// Why.
        source: jackfield_media::WavError,
    },
}

#[derive(Clone, Debug)]
struct Prompt {
    id: String,
    /// At 8 kHz, from its first sound to its last.
    sound: Vec<i16>,
    envelope: Vec<f32>,
    /// Where its loudest 150 ms begin, near its own beginning: a voiced sound, which is found best.
    anchor: usize,
}

#[derive(Clone, Copy, Debug)]
struct Match {
    prompt: usize,
    at: usize,
    length: usize,
}

impl PromptRecognizer {
    /// Learns every WAV file of a folder.
    pub fn load(folder: &Path) -> Result<Self, RecognizerError> {
        let read = |path: &Path, source| RecognizerError::Read { path: path.to_owned(), source };
        let mut recognizer = Self::default();
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| read(folder, error))? {
            paths.push(entry.map_err(|error| read(folder, error))?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "wav"));
        paths.sort();
        for path in paths {
            let bytes = fs::read(&path).map_err(|error| read(&path, error))?;
            let sound = parse_wav(&bytes)
                .map_err(|source| RecognizerError::Sound { path: path.clone(), source })?;
            let id = path.file_stem().unwrap_or_default().to_string_lossy();
            recognizer.learn(&id, &halve(&sound));
        }
        Ok(recognizer)
    }

    /// Learns one prompt, at 8 kHz.
    pub fn learn(&mut self, id: &str, sound: &[i16]) {
        let loud = |sample: &i16| sample.unsigned_abs() > FLOOR;
        let Some(from) = sound.iter().position(loud) else { return };
        let until = sound.iter().rposition(loud).map_or(from, |last| last + 1);
        let sound = sound[from..until].to_vec();
        if sound.len() >= SHORTEST {
            let envelope = envelope(&sound);
            let anchor = anchor(&envelope) * FRAME;
            self.prompts.push(Prompt { id: id.to_owned(), sound, envelope, anchor });
        }
    }

    /// Which prompts are in the recording, in the order in which they were heard.
    pub fn recognize(&self, hearing: &Hearing) -> Vec<HeardPrompt> {
        let sound = &hearing.sound;
        let heard = envelope(sound);
        let mut matches: Vec<Match> = self
            .prompts
            .iter()
            .enumerate()
            .flat_map(|(index, prompt)| {
                let starts = candidates(&heard, &prompt.envelope);
                starts.into_iter().filter_map(move |start| proof(index, prompt, sound, start))
            })
            .collect();
        // The one that explains most of the sound wins; among equals the one heard whole.
        matches.sort_by_key(|one| {
            let missing = self.prompts[one.prompt].sound.len() - one.length;
            (core::cmp::Reverse(one.length / BLOCK), missing, one.at)
        });
        let mut chosen: Vec<Match> = Vec::new();
        for one in matches {
            let free = chosen.iter().all(|other| {
                one.at + one.length <= other.at + OVERLAP
                    || other.at + other.length <= one.at + OVERLAP
            });
            if free {
                chosen.push(one);
            }
        }
        chosen.sort_by_key(|one| one.at);
        chosen.into_iter().map(|one| self.told(one)).collect()
    }

    /// The ids of the prompts in the recording, in order.
    pub fn ids(&self, hearing: &Hearing) -> Vec<String> {
        self.recognize(hearing).into_iter().map(|heard| heard.prompt).collect()
    }

    fn told(&self, one: Match) -> HeardPrompt {
        let prompt = &self.prompts[one.prompt];
        let time = |samples: usize| Duration::from_micros(samples as u64 * 125);
        HeardPrompt {
            prompt: prompt.id.clone(),
            at: time(one.at),
            length: time(one.length),
            whole: one.length + 2 * BLOCK >= prompt.sound.len(),
        }
    }
}

/// Energy of each 10 ms.
fn envelope(sound: &[i16]) -> Vec<f32> {
    let energy = |frame: &[i16]| {
        let sum: f32 = frame.iter().map(|sample| f32::from(*sample).powi(2)).sum();
        (sum / FRAME as f32).sqrt()
    };
    sound.chunks(FRAME).map(energy).collect()
}

/// Frames at which the beginning of a prompt may be, the likeliest ones.
fn candidates(heard: &[f32], prompt: &[f32]) -> Vec<usize> {
    let head = &prompt[..prompt.len().min(HEAD_FRAMES)];
    let likeness: Vec<f64> =
        heard.windows(head.len()).map(|window| correlation(window, head, 1)).collect();
    let mut best: Vec<usize> = (0..likeness.len())
        .filter(|&at| {
            let around = at.saturating_sub(2)..(at + 3).min(likeness.len());
            likeness[at] > 0.6 && likeness[around].iter().all(|other| *other <= likeness[at])
        })
        .collect();
    best.sort_by(|a, b| likeness[*b].total_cmp(&likeness[*a]));
    best.truncate(CANDIDATES);
    best
}

/// The frame at which the loudest 150 ms of a beginning begin.
fn anchor(envelope: &[f32]) -> usize {
    let head = &envelope[..envelope.len().min(HEAD_FRAMES)];
    let loudness = head.windows(ANCHOR / FRAME).map(|frames| frames.iter().sum::<f32>());
    loudness.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(at, _)| at)
}

/// Finds the exact place near a candidate and follows the prompt from there.
fn proof(index: usize, prompt: &Prompt, sound: &[i16], frame: usize) -> Option<Match> {
    let until = prompt.sound.len().min(prompt.anchor + ANCHOR);
    let loud = &prompt.sound[prompt.anchor..until];
    let middle = frame * FRAME;
    let likeness = |at: usize, step: usize| {
        let from = at + prompt.anchor;
        Some(correlation(sound.get(from..from + loud.len())?, loud, step))
    };
    let lags = middle.saturating_sub(2 * FRAME)..=middle + 2 * FRAME;
    // A part of the samples finds the place, all of them prove it.
    let rough = lags.filter_map(|at| Some((at, likeness(at, 4)?)));
    let (at, _) = rough.max_by(|a, b| a.1.total_cmp(&b.1))?;
    if likeness(at, 1)? < ALIKE {
        return None;
    }
    let (length, proven) = followed(prompt, &sound[at..]);
    let loud = prompt.sound.chunks(BLOCK).filter(|block| is_loud(block)).map(<[i16]>::len).sum();
    let enough = proven >= ENOUGH.min(loud) * 4 / 5;
    enough.then_some(Match { prompt: index, at, length })
}

/// How far the sound follows the prompt, and how much of that is more than silence.
fn followed(prompt: &Prompt, sound: &[i16]) -> (usize, usize) {
    let (mut good, mut proven) = (0, 0);
    for (n, (one, two)) in prompt.sound.chunks(BLOCK).zip(sound.chunks(BLOCK)).enumerate() {
        let length = one.len().min(two.len());
        let like = correlation(&one[..length], &two[..length], 1) > ALIKE;
        if is_loud(one) {
            if like {
                good = n * BLOCK + length;
                proven += length;
            } else if n * BLOCK > good + 2 * BLOCK {
                break;
            }
        } else if good == n * BLOCK && !is_loud(two) {
            good = n * BLOCK + length;
        }
    }
    (good, proven)
}

/// Is there more than silence?
fn is_loud(block: &[i16]) -> bool {
    block.iter().any(|sample| sample.unsigned_abs() > 4 * FLOOR)
}

/// Normalised correlation of every `step`-th value, -1 to 1.
fn correlation<T: Copy + Into<f64>>(one: &[T], two: &[T], step: usize) -> f64 {
    let (mut sums, mut squares, mut product, mut count) = ((0.0, 0.0), (0.0, 0.0), 0.0, 0.0);
    let mut at = 0;
    while at < one.len().min(two.len()) {
        let (a, b): (f64, f64) = (one[at].into(), two[at].into());
        sums = (sums.0 + a, sums.1 + b);
        squares = (squares.0 + a * a, squares.1 + b * b);
        product += a * b;
        count += 1.0;
        at += step;
    }
    if count < 2.0 {
        return 0.0;
    }
    let spread = |sum: f64, square: f64| square - sum * sum / count;
    let norm = (spread(sums.0, squares.0) * spread(sums.1, squares.1)).max(0.0).sqrt();
    if norm <= f64::EPSILON { 0.0 } else { (product - sums.0 * sums.1 / count) / norm }
}

/// The same recording through G.711 is nearly itself; another word of the same voice is not.
const ALIKE: f64 = 0.8;
const FRAME: usize = 80;
const HEAD_FRAMES: usize = 50;
/// 150 ms are compared sample by sample to find the exact place.
const ANCHOR: usize = 1_200;
/// 50 ms.
const BLOCK: usize = 400;
const OVERLAP: usize = 800;
/// Two prompts may share a beginning; less than a quarter of a second proves nothing.
const ENOUGH: usize = 2_000;
const SHORTEST: usize = 800;
const FLOOR: u16 = 60;
const CANDIDATES: usize = 40;

#[cfg(test)]
mod tests {
    use jackfield_media::{mulaw_decode, mulaw_encode};

    use super::*;

    /// Something like speech: noise through a moving resonance, in syllables.
    fn babble(seed: u64, millis: usize) -> Vec<i16> {
        let mut random = crate::random::Random::new(seed);
        let (mut one, mut two) = (0.0_f32, 0.0_f32);
        let pitch = 80 + (random.number() % 40) as usize;
        let mut sound = Vec::new();
        let (mut formant, mut loudness) = (500.0, 0.0);
        for n in 0..millis * 8 {
            if n % 1_200 == 0 {
                formant = 300.0 + (random.number() % 1_500) as f32;
                loudness = 0.2 + (random.number() % 100) as f32 / 100.0;
            }
            let noise = (random.number() % 2_000) as f32 - 1_000.0;
            let pulse = if n % pitch == 0 { 6_000.0 } else { 0.0 };
            let turn = 2.0 * 0.97 * (std::f32::consts::TAU * formant / 8e3).cos();
            let next = (pulse + noise * 0.1) * loudness + turn * one - 0.94 * two;
            (two, one) = (one, next);
            let syllable = ((n % 1_200) as f32 / 1_200.0 * std::f32::consts::PI).sin();
            sound.push((next * syllable).clamp(-30_000.0, 30_000.0) as i16);
        }
        sound
    }

    fn through_mulaw(sound: &[i16]) -> Vec<i16> {
        sound.iter().map(|sample| mulaw_decode(mulaw_encode(*sample))).collect()
    }

    #[test]
    fn prompts_are_told_apart_in_order_whole_or_not() {
        let mut recognizer = PromptRecognizer::default();
        let prompts: Vec<_> = (0..5).map(|n| babble(n, 900)).collect();
        for (n, sound) in prompts.iter().enumerate() {
            recognizer.learn(&format!("p{n}"), sound);
        }
        let silence = vec![0; 1_234];
        let parts =
            [&silence[..], &prompts[3], &silence, &prompts[1][..4_000], &prompts[4], &prompts[3]];
        let sound = through_mulaw(&parts.concat());
        let heard = recognizer.recognize(&Hearing { sound, ..Default::default() });
        let ids: Vec<_> = heard.iter().map(|heard| &*heard.prompt).collect();
        assert_eq!(ids, ["p3", "p1", "p4", "p3"]);
        assert!(heard[0].whole && !heard[1].whole && heard[2].whole, "{heard:?}");
    }

    #[test]
    fn a_common_beginning_is_decided_by_what_follows() {
        let mut recognizer = PromptRecognizer::default();
        let (head, one, two) = (babble(1, 600), babble(2, 600), babble(3, 600));
        recognizer.learn("one", &[&head[..], &one].concat());
        recognizer.learn("two", &[&head[..], &two].concat());
        for (tail, id) in [(&one, "one"), (&two, "two")] {
            let sound = through_mulaw(&[&head[..], tail].concat());
            assert_eq!(recognizer.ids(&Hearing { sound, ..Default::default() }), [id]);
        }
    }

    #[test]
    fn silence_tones_and_strangers_are_no_prompts() {
        let mut recognizer = PromptRecognizer::default();
        recognizer.learn("p", &babble(1, 900));
        let tone = (0..16_000).map(|n| ((n as f32 * 0.35).sin() * 9_000.0) as i16).collect();
        for sound in [Vec::new(), vec![0; 16_000], tone, babble(9, 3_000)] {
            assert!(recognizer.ids(&Hearing { sound, ..Default::default() }).is_empty());
        }
    }
}
