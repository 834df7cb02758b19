//! Recording what is heard: a bounded run of samples at the codec's rate.

use core::time::Duration;
use std::sync::Arc;

use jackfield_vocabulary::RecordEnd;

/// A finished recording, 16-bit linear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Samples in a second.
    pub rate: u32,
    /// The samples.
    pub sound: Arc<[i16]>,
}

impl Recording {
    /// How long it takes to play.
    pub fn length(&self) -> Duration {
        Duration::from_secs(self.sound.len() as u64) / self.rate.max(1)
    }
}

/// A recording that is being made.
#[derive(Debug)]
pub struct Recorder {
    /// The handle.
    pub recording: u64,
    rate: u32,
    limit: usize,
    until_digit: bool,
    sound: Vec<i16>,
}

impl Recorder {
    /// A recording of at most `limit`, and never more than [`RECORDING_LIMIT`].
    pub fn new(recording: u64, rate: u32, limit: Duration, until_digit: bool) -> Self {
        let limit = limit.min(RECORDING_LIMIT).as_millis() as usize * rate as usize / 1_000;
        Self { recording, rate, limit, until_digit, sound: Vec::new() }
    }

    /// Takes what is heard; tells when the limit is reached.
    pub fn listen(&mut self, sound: &[i16]) -> Option<RecordEnd> {
        let room = self.limit - self.sound.len();
        self.sound.extend_from_slice(&sound[..sound.len().min(room)]);
        (self.sound.len() >= self.limit).then_some(RecordEnd::Limit)
    }

    /// Tells when a digit ends the recording.
    pub fn digit(&self) -> Option<RecordEnd> {
        self.until_digit.then_some(RecordEnd::Digit)
    }

    /// Samples in a second; a change of codec ends a recording when this changes.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// The recording as far as it came.
    pub fn finish(self) -> Recording {
        Recording { rate: self.rate, sound: self.sound.into() }
    }
}

/// No recording is longer.
pub const RECORDING_LIMIT: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_ends_at_its_limit_to_the_sample() {
        let mut recorder = Recorder::new(1, 8_000, Duration::from_millis(50), false);
        assert_eq!(recorder.listen(&[1; 160]), None);
        assert_eq!(recorder.listen(&[2; 160]), None);
        assert_eq!(recorder.listen(&[3; 160]), Some(RecordEnd::Limit));
        assert_eq!(recorder.digit(), None);
        let recording = recorder.finish();
        assert_eq!(recording.sound.len(), 400);
        assert_eq!(recording.length(), Duration::from_millis(50));
    }

    #[test]
    fn no_limit_is_larger_than_ours() {
        let mut recorder = Recorder::new(1, 8_000, Duration::MAX, true);
        assert_eq!(recorder.digit(), Some(RecordEnd::Digit));
        let second = vec![0; 8_000];
        let seconds = (0..1_000).take_while(|_| recorder.listen(&second).is_none()).count();
        assert_eq!(seconds, 599);
    }
}
