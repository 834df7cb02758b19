//! What is due when: a heap in which a later change of mind is noticed at the time itself.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jackfield_sip::Now;
use mio::Token;

use crate::interface::CallNumber;

/// Whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wake {
    /// A phone's own timers.
    Phone(usize),
    /// A call's next packet.
    Rtp(usize, CallNumber),
    /// A file that does not come.
    Tftp(Token),
    /// A page that does not come.
    Http(Token),
    /// Whoever plays with the phones.
    Conductor,
}

/// A heap of times.
#[derive(Debug, Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(Now, Wake)>>);

impl Timers {
    pub(super) fn set(&mut self, at: Now, wake: Wake) {
        self.0.push(Reverse((at, wake)));
    }

    pub(super) fn next(&self) -> Option<Now> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// The earliest one that is due.
    pub(super) fn take(&mut self, now: Now) -> Option<Wake> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, wake))| wake)
    }
}
