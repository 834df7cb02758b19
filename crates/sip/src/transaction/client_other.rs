//! Client transactions of all methods but INVITE (RFC 3261 section 17.1.2).

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::step::Step;
use super::timer::{PATIENCE, T1, T2, T4, Timer};
use crate::status::Status;

/// A request other than INVITE that was sent. `None` instead of a state means it is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum OtherClient {
    /// No answer yet.
    Trying { interval: Duration },
    /// A provisional answer came.
    Proceeding,
    /// The final answer came; repeated ones are absorbed.
    Completed,
}

/// What becomes of an event: is it passed on, or does the request fail?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing to report.
    Absorb,
    /// The answer goes up.
    Pass,
    /// The request has failed.
    TimedOut,
    /// The request is to be cancelled.
    Cancel,
    /// The request is to be sent again.
    Repeat,
    /// The ACK is to be sent again.
    RepeatAck,
}

impl OtherClient {
    pub(super) fn new(step: &mut Step<'_>) -> Self {
        step.start(Timer::F, PATIENCE);
        if !step.is_reliable() {
            step.start(Timer::E, T1);
        }
        Self::Trying { interval: T1 }
    }

    pub(super) fn response(self, status: Status, step: &mut Step<'_>) -> (Option<Self>, Verdict) {
        match self {
            Self::Completed => (Some(Self::Completed), Verdict::Absorb),
            _ if status.is_provisional() => (Some(Self::Proceeding), Verdict::Pass),
            _ if step.is_reliable() => (None, Verdict::Pass),
            _ => {
                step.start(Timer::K, T4);
                (Some(Self::Completed), Verdict::Pass)
            }
        }
    }

    pub(super) fn timeout(self, timer: Timer, step: &mut Step<'_>) -> (Option<Self>, Verdict) {
        match (self, timer) {
            (Self::Trying { interval }, Timer::E) => {
                let interval = (interval * 2).min(T2);
                step.start(Timer::E, interval);
                (Some(Self::Trying { interval }), Verdict::Repeat)
            }
            (Self::Proceeding, Timer::E) => {
                step.start(Timer::E, T2);
                (Some(Self::Proceeding), Verdict::Repeat)
            }
            (Self::Trying { .. } | Self::Proceeding, Timer::F) => (None, Verdict::TimedOut),
            (Self::Completed, Timer::K) => (None, Verdict::Absorb),
            (state, _) => (Some(state), Verdict::Absorb),
        }
    }
}
