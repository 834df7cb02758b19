//! The rank of a thread that keeps a clock, among all threads of the machine.
#![allow(unsafe_code)]

use core::fmt;
use std::{io, num::NonZero, thread};

/// How far before others a thread could be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// It runs whenever it is due.
    RealTime,
    /// It gets a larger share, and waits for the turn of others all the same.
    Preferred,
    /// Like any other.
    Ordinary,
}

impl Rank {
    /// Puts the calling thread before others as far as the service may. On a busy machine an
    /// ordinary thread wakes up to a scheduler's turn late, which is several milliseconds; a better
    /// share of the processor changes little about that, real time does.
    pub(crate) fn claim() -> Self {
        // With a single processor, somebody who was interrupted while giving us a command could
        // not go on until we do, and we would wait for him.
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        if processors > 1 && run_in_real_time().is_ok() {
            return Self::RealTime;
        }
        // On Linux this is the calling thread's priority alone.
        match rustix::process::setpriority_process(None, NICENESS) {
            Ok(()) => Self::Preferred,
            Err(_) => Self::Ordinary,
        }
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::RealTime => "real time",
            Self::Preferred => "preferred",
            Self::Ordinary => "ordinary",
        })
    }
}

fn run_in_real_time() -> io::Result<()> {
    // SAFETY: zero is a valid value of this plain C struct.
    let mut parameters: libc::sched_param = unsafe { core::mem::zeroed() };
    parameters.sched_priority = PRIORITY;
    // Children of this process, if there ever were any, shall not inherit it.
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the parameters outlive the call; 0 is the calling thread.
    match unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Above all ordinary threads, below those of the kernel and of sound cards.
const PRIORITY: i32 = 5;

/// The niceness of other sound servers.
const NICENESS: i32 = -11;
