//! Keys that come twice, as telephone-event and as tone, are told once. Where telephone-events
//! were negotiated a tone waits a moment for the event that may belong to it.

use core::time::Duration;

use jackfield_vocabulary::Digit;

/// Decides which keys are told.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    /// The last key that came as an event, and when its last packet came.
    event: Option<(Digit, Duration)>,
    /// A tone waiting, and since when.
    tone: Option<(Digit, Duration)>,
    /// Tones that need not wait, and those that have waited.
    certain: Option<Digit>,
}

impl Keys {
    /// A packet of an event came.
    pub(super) fn event(&mut self, digit: Digit, now: Duration) {
        self.event = Some((digit, now));
        self.tone.take_if(|(tone, _)| *tone == digit);
    }

    /// A tone was heard; `events` says whether telephone-events were negotiated.
    pub(super) fn tone(&mut self, digit: Digit, now: Duration, events: bool) {
        if self.event.is_some_and(|(event, at)| event == digit && now < at + SAME) {
            return;
        }
        if events {
            // Two tones can't come within the wait, but nothing is lost if they do.
            self.certain = self.tone.replace((digit, now)).map(|(tone, _)| tone).or(self.certain);
        } else {
            self.certain = Some(digit);
        }
    }

    /// A tone that is to be told now.
    pub(super) fn due(&mut self, now: Duration) -> Option<Digit> {
        if let Some(digit) = self.certain.take() {
            return Some(digit);
        }
        self.tone.take_if(|(_, since)| now >= *since + SAME).map(|(digit, _)| digit)
    }
}

/// The same key within this time is the same press.
const SAME: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_tone_beside_its_event_is_not_told() {
        let one = Digit::try_from('1').unwrap();
        let mut keys = Keys::default();
        keys.event(one, ms(100));
        keys.tone(one, ms(250), true);
        assert_eq!(keys.due(ms(1_000)), None);

        keys.tone(one, ms(2_000), true);
        keys.event(one, ms(2_100));
        assert_eq!(keys.due(ms(3_000)), None);
    }

    #[test]
    fn a_tone_alone_is_told_after_the_wait_or_at_once() {
        let one = Digit::try_from('1').unwrap();
        let mut keys = Keys::default();
        keys.tone(one, ms(0), true);
        assert_eq!(keys.due(ms(199)), None);
        assert_eq!(keys.due(ms(200)), Some(one));
        assert_eq!(keys.due(ms(201)), None);
        keys.tone(one, ms(500), false);
        assert_eq!(keys.due(ms(500)), Some(one));
    }
}
