//! Server transactions of all methods but INVITE (RFC 3261 section 17.2.2).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::step::Step;
use super::timer::{PATIENCE, Timer};
use crate::message::Response;

/// A request other than INVITE that was received. `None` instead of a state means it is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum OtherServer {
    /// Not answered yet.
    Trying,
    /// Answered provisionally.
    Proceeding { last: Arc<[u8]> },
    /// Answered; the answer is repeated for whoever asks again.
    Completed { answer: Arc<[u8]> },
}

impl OtherServer {
    pub(super) fn new(step: &mut Step<'_>) -> Self {
        step.start(Timer::Unanswered, PATIENCE);
        Self::Trying
    }

    pub(super) fn respond(self, response: &Response, step: &mut Step<'_>) -> Option<Self> {
        let bytes = &response.bytes;
        match self {
            Self::Completed { .. } => Some(self),
            Self::Trying | Self::Proceeding { .. } => {
                step.transmit(bytes);
                if response.status.is_provisional() {
                    return Some(Self::Proceeding { last: Arc::clone(bytes) });
                }
                if step.is_reliable() {
                    return None;
                }
                step.start(Timer::J, PATIENCE);
                Some(Self::Completed { answer: Arc::clone(bytes) })
            }
        }
    }

    pub(super) fn request_again(self, step: &mut Step<'_>) -> Option<Self> {
        match &self {
            Self::Trying => {}
            Self::Proceeding { last } => step.transmit(last),
            Self::Completed { answer } => step.transmit(answer),
        }
        Some(self)
    }

    pub(super) fn timeout(self, timer: Timer) -> Option<Self> {
        match (self, timer) {
            (Self::Completed { .. }, Timer::J)
            | (Self::Trying | Self::Proceeding { .. }, Timer::Unanswered) => None,
            (state, _) => Some(state),
        }
    }
}
