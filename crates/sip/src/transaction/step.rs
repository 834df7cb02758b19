//! What a transaction may do while it changes its state.

use core::time::Duration;
use std::sync::Arc;

use super::action::Action;
use super::timer::{Alarm, Owner, Timer, Timers};
use crate::flow::Flow;
use crate::now::Now;

/// The surroundings of one transition.
pub(super) struct Step<'s> {
    pub(super) now: Now,
    pub(super) flow: &'s Flow,
    pub(super) owner: Owner,
    pub(super) number: u64,
    pub(super) timers: &'s mut Timers,
    pub(super) out: &'s mut Vec<Action>,
}

impl Step<'_> {
    pub(super) fn transmit(&mut self, bytes: &Arc<[u8]>) {
        self.out.push(Action::Transmit { flow: self.flow.clone(), bytes: Arc::clone(bytes) });
    }

    pub(super) fn start(&mut self, timer: Timer, after: Duration) {
        let alarm = Alarm { owner: self.owner, number: self.number, timer };
        self.timers.set(self.now, after, alarm);
    }

    pub(super) fn is_reliable(&self) -> bool {
        self.flow.transport.is_reliable()
    }
}
