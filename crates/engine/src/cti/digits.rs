//! Keys, however they come: the same press told twice counts once, and a collection gathers them.

use core::time::Duration;
use std::collections::VecDeque;

use jackfield_vocabulary::{CollectEnd, Digit, DigitSource, Now};
use serde::{Deserialize, Serialize};

use crate::context::TimerToken;

/// Tells new presses from the same press told in another way. Phones send one key as an event, as
/// a tone and in signalling at once, each with its own delay.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Presses(VecDeque<Press>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Press {
    digit: Digit,
    at: Now,
    sources: Vec<DigitSource>,
}

impl Presses {
    /// Whether this report is of a new press. It belongs to the first recent press of the same key
    /// of which this source has not told yet.
    pub(super) fn is_new(&mut self, now: Now, digit: Digit, source: DigitSource) -> bool {
        while self.0.front().is_some_and(|press| now.since(press.at) > SAME_PRESS) {
            self.0.pop_front();
        }
        let same = |press: &&mut Press| press.digit == digit && !press.sources.contains(&source);
        if let Some(press) = self.0.iter_mut().find(same) {
            press.sources.push(source);
            return false;
        }
        if self.0.len() >= MAXIMUM_PRESSES {
            self.0.pop_front();
        }
        self.0.push_back(Press { digit, at: now, sources: vec![source] });
        true
    }

    /// Whether a press was told in signalling alone so far: it may yet come in the sound.
    pub(super) fn may_be_heard(&self, now: Now) -> bool {
        let heard = |source: &DigitSource| !is_signalled(*source);
        let mut recent = self.0.iter().filter(|press| now.since(press.at) <= SAME_PRESS);
        recent.any(|press| !press.sources.iter().any(heard))
    }
}

/// It comes beside the sound, and the media driver knows nothing of it.
pub(super) fn is_signalled(source: DigitSource) -> bool {
    matches!(source, DigitSource::Info | DigitSource::Kpml)
}

/// Keys being collected.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Collection {
    pub(super) maximum: u8,
    pub(super) terminators: Box<str>,
    pub(super) first: Duration,
    pub(super) between: Duration,
    pub(super) digits: String,
    /// The wait for the next key; none while something plays before the first one.
    pub(super) wait: Option<TimerToken>,
}

impl Collection {
    /// Takes a key; the end, when this was the last one.
    pub(super) fn press(&mut self, digit: Digit) -> Option<CollectEnd> {
        if self.terminators.contains(digit.as_char()) {
            return Some(CollectEnd::Terminator(digit));
        }
        self.digits.push(digit.as_char());
        (self.digits.len() >= usize::from(self.maximum)).then_some(CollectEnd::Maximum)
    }
}

/// Reports of one press come within this.
const SAME_PRESS: Duration = Duration::from_millis(1500);

/// Presses remembered at once.
const MAXIMUM_PRESSES: usize = 32;

#[cfg(test)]
mod tests {
    use jackfield_vocabulary::UnixTime;

    use super::*;

    fn at(millis: u64) -> Now {
        Now::new(millis * 1000, UnixTime(millis))
    }

    fn key(key: char) -> Digit {
        key.try_into().unwrap()
    }

    /// Proves SP-15.e: one press told by events, tones and INFO is one key.
    #[test]
    fn a_press_told_in_three_ways_is_one_press() {
        let mut presses = Presses::default();
        assert!(presses.is_new(at(0), key('1'), DigitSource::Event));
        assert!(!presses.is_new(at(40), key('1'), DigitSource::Tone));
        assert!(!presses.is_new(at(300), key('1'), DigitSource::Info));
        assert!(presses.is_new(at(350), key('1'), DigitSource::Event), "pressed again");
        assert!(!presses.is_new(at(700), key('1'), DigitSource::Info));
        assert!(presses.is_new(at(710), key('2'), DigitSource::Event));
    }

    #[test]
    fn the_same_key_much_later_is_another_press() {
        let mut presses = Presses::default();
        assert!(presses.is_new(at(0), key('5'), DigitSource::Event));
        assert!(presses.is_new(at(5000), key('5'), DigitSource::Info));
    }
}
