//! Client transactions of INVITE (RFC 3261 section 17.1.1, RFC 6026).

use core::time::Duration;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::client_other::Verdict;
use super::step::Step;
use super::timer::{PATIENCE, T1, Timer};
use crate::flow::Flow;
use crate::now::Now;
use crate::status::Status;

/// An INVITE that was sent. `None` instead of a state means it is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum InviteClient {
    /// No answer yet. A wish to cancel waits for one (RFC 3261 section 9.1).
    Calling { interval: Duration, cancel: Option<Wish> },
    /// A provisional answer came; one that says more than 100 came as late as this.
    Proceeding { cancelled: bool, heard: Now },
    /// It was refused and acknowledged.
    Completed { ack: Option<Arc<[u8]>> },
    /// It was accepted, perhaps by several; their ACKs are kept for repeated 2xx.
    Accepted { acks: Vec<SentAck> },
}

/// The wish to cancel, with the value of the Reason that the CANCEL will have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Wish(pub(super) Option<Box<str>>);

/// The ACK sent for a 2xx.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SentAck {
    pub(super) to_tag: Box<str>,
    pub(super) flow: Flow,
    pub(super) bytes: Arc<[u8]>,
}

impl InviteClient {
    pub(super) fn new(step: &mut Step<'_>) -> Self {
        step.start(Timer::B, PATIENCE);
        if !step.is_reliable() {
            step.start(Timer::A, T1);
        }
        Self::Calling { interval: T1, cancel: None }
    }

    pub(super) fn response(
        self,
        status: Status,
        to_tag: &str,
        step: &mut Step<'_>,
    ) -> (Option<Self>, Verdict) {
        match self {
            Self::Calling { cancel, .. } if status.is_provisional() => {
                step.start(Timer::C, SILENCE);
                let proceeding = Self::Proceeding { cancelled: cancel.is_some(), heard: step.now };
                (Some(proceeding), Verdict::Pass)
            }
            Self::Proceeding { cancelled, heard } if status.is_provisional() => {
                let heard = if status == Status::TRYING { heard } else { step.now };
                (Some(Self::Proceeding { cancelled, heard }), Verdict::Pass)
            }
            Self::Calling { .. } | Self::Proceeding { .. } if status.is_success() => {
                step.start(Timer::M, PATIENCE);
                (Some(Self::Accepted { acks: Vec::new() }), Verdict::Pass)
            }
            Self::Calling { .. } | Self::Proceeding { .. } => {
                // Over a reliable transport nothing is repeated, but the ACK has to be sent first.
                let wait = if step.is_reliable() { Duration::ZERO } else { PATIENCE };
                step.start(Timer::D, wait);
                (Some(Self::Completed { ack: None }), Verdict::Pass)
            }
            Self::Completed { .. } if status.code() >= 300 => (Some(self), Verdict::RepeatAck),
            Self::Accepted { ref acks } if status.is_success() => {
                let sent = acks.iter().find(|ack| *ack.to_tag == *to_tag);
                let verdict = match sent {
                    Some(ack) => {
                        step.out.push(super::Action::Transmit {
                            flow: ack.flow.clone(),
                            bytes: Arc::clone(&ack.bytes),
                        });
                        Verdict::Absorb
                    }
                    None if acks.len() < FORKS => Verdict::Pass,
                    None => Verdict::Absorb,
                };
                (Some(self), verdict)
            }
            state => (Some(state), Verdict::Absorb),
        }
    }

    pub(super) fn timeout(self, timer: Timer, step: &mut Step<'_>) -> (Option<Self>, Verdict) {
        match (self, timer) {
            (Self::Calling { interval, cancel }, Timer::A) => {
                let interval = interval * 2;
                step.start(Timer::A, interval);
                (Some(Self::Calling { interval, cancel }), Verdict::Repeat)
            }
            (Self::Proceeding { cancelled: false, heard }, Timer::C) => {
                let silent = step.now.since(heard) >= SILENCE;
                if !silent {
                    step.start(Timer::C, SILENCE);
                }
                let verdict = if silent { Verdict::Cancel } else { Verdict::Absorb };
                (Some(Self::Proceeding { cancelled: silent, heard }), verdict)
            }
            (Self::Calling { .. }, Timer::B)
            | (Self::Proceeding { cancelled: true, .. }, Timer::Cancelled) => {
                (None, Verdict::TimedOut)
            }
            (Self::Completed { .. }, Timer::D) | (Self::Accepted { .. }, Timer::M) => {
                (None, Verdict::Absorb)
            }
            (state, _) => (Some(state), Verdict::Absorb),
        }
    }
}

/// Who answered an INVITE with no more than a provisional response, and then says nothing for so
/// long, is sent a CANCEL (RFC 3261 section 16.8; section 16.6 item 11: more than three minutes). Most
/// phones say once that they ring, so this is longer than anybody lets one ring.
const SILENCE: Duration = Duration::from_secs(360);

/// How many branches of a forked INVITE are remembered; what more of them say is not heard.
pub(super) const FORKS: usize = 8;
