//! Server transactions of INVITE (RFC 3261 section 17.2.1, RFC 6026).
//!
//! Beyond the RFC's transaction, the repetition of a 2xx until its ACK comes is done here too, so
//! that nobody above has to keep a timer for it.

use core::time::Duration;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::key::ServerKey;
use super::step::Step;
use super::timer::{PATIENCE, T1, T2, T4, TRYING, Timer};
use crate::message::{Message, Response, ResponseBuilder};
use crate::status::Status;

/// An INVITE that was received. `None` instead of a state means it is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum InviteServer {
    /// Nothing was sent yet; 100 will be if it takes long.
    New { request: Box<Message> },
    /// Answered provisionally.
    Proceeding { last: Arc<[u8]> },
    /// Accepted. The 2xx is repeated until the ACK comes, and empty from then on.
    Accepted { answer: Arc<[u8]>, interval: Duration, acknowledged: bool },
    /// Refused. The answer is repeated until the ACK comes.
    Completed { answer: Arc<[u8]>, interval: Duration },
    /// Refused and acknowledged.
    Confirmed,
}

impl InviteServer {
    pub(super) fn new(request: Message, step: &mut Step<'_>) -> Self {
        step.start(Timer::Trying, TRYING);
        Self::New { request: Box::new(request) }
    }

    /// Can it still be answered?
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::New { .. } | Self::Proceeding { .. })
    }

    pub(super) fn respond(self, response: &Response, step: &mut Step<'_>) -> Option<Self> {
        let answer = Arc::clone(&response.bytes);
        match self {
            Self::New { .. } | Self::Proceeding { .. } => {
                step.transmit(&answer);
                if response.status.is_provisional() {
                    return Some(Self::Proceeding { last: answer });
                }
                if response.status.is_success() {
                    step.start(Timer::L, PATIENCE);
                    step.start(Timer::Repeat, T1);
                    return Some(Self::Accepted { answer, interval: T1, acknowledged: false });
                }
                step.start(Timer::H, PATIENCE);
                if !step.is_reliable() {
                    step.start(Timer::G, T1);
                }
                Some(Self::Completed { answer, interval: T1 })
            }
            state => Some(state),
        }
    }

    pub(super) fn request_again(self, step: &mut Step<'_>) -> Option<Self> {
        match &self {
            Self::Proceeding { last } => step.transmit(last),
            Self::Completed { answer, .. } => step.transmit(answer),
            Self::New { .. } | Self::Accepted { .. } | Self::Confirmed => {}
        }
        Some(self)
    }

    /// An ACK came with the branch of the INVITE.
    pub(super) fn acknowledge_refusal(self, step: &mut Step<'_>) -> Option<Self> {
        match self {
            Self::Completed { .. } if step.is_reliable() => None,
            Self::Completed { .. } => {
                step.start(Timer::I, T4);
                Some(Self::Confirmed)
            }
            state => Some(state),
        }
    }

    /// Does an ACK mean our 2xx? Only who received that knows the tag in it.
    pub(super) fn is_acknowledged_by(&self, ack: &Message) -> bool {
        match self {
            Self::Accepted { answer, acknowledged: false, .. } => {
                let answer = Message::parse_datagram(answer).ok();
                answer.is_none_or(|answer| answer.to_tag() == ack.to_tag())
            }
            _ => true,
        }
    }

    /// An ACK came for the 2xx; tells whether it is the first one.
    pub(super) fn acknowledge_success(&mut self) -> bool {
        match self {
            Self::Accepted { answer, acknowledged, .. } => {
                *answer = Arc::default();
                !core::mem::replace(acknowledged, true)
            }
            _ => false,
        }
    }

    pub(super) fn timeout(
        self,
        key: ServerKey,
        timer: Timer,
        sparing: bool,
        step: &mut Step<'_>,
    ) -> Option<Self> {
        let goes_on = |interval: Duration| !sparing || interval < SPARED;
        match (self, timer) {
            (Self::New { request }, Timer::Trying) => {
                let trying = ResponseBuilder::reply_to(&request, Status::TRYING).finish();
                step.transmit(&trying.bytes);
                Some(Self::Proceeding { last: trying.bytes })
            }
            (Self::Accepted { answer, interval, acknowledged: false }, Timer::Repeat) => {
                step.transmit(&answer);
                let interval = (interval * 2).min(T2);
                if goes_on(interval) {
                    step.start(Timer::Repeat, interval);
                }
                Some(Self::Accepted { answer, interval, acknowledged: false })
            }
            (Self::Accepted { acknowledged, .. }, Timer::L) => {
                if !acknowledged {
                    step.out.push(Action::Unacknowledged { key });
                }
                None
            }
            (Self::Completed { answer, interval }, Timer::G) => {
                step.transmit(&answer);
                let interval = (interval * 2).min(T2);
                if goes_on(interval) {
                    step.start(Timer::G, interval);
                }
                Some(Self::Completed { answer, interval })
            }
            (Self::Completed { .. }, Timer::H) | (Self::Confirmed, Timer::I) => None,
            (state, _) => Some(state),
        }
    }
}

/// A wait as long as this is not begun for somebody who may not be there: the answer has gone out
/// three times by then.
const SPARED: Duration = Duration::from_secs(2);
