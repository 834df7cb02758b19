//! The writer's lanes. Each is bounded, so that a storm in one fills neither the memory nor
//! another's place.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jackfield_model::Operation;
use jackfield_vocabulary::OperationId;

use crate::StoreError;
use crate::answer::Answer;
use crate::commit::Wanted;
use crate::writer::Turn;

/// What waits for what.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lane {
    /// Somebody stands at a door: credentials, tokens.
    Urgent,
    /// Operations, and questions after them: in the order in which they came.
    Operation,
    /// Bindings, call records, audit pages, pruning.
    Background,
}

/// Called once with what became of an operation.
pub(crate) struct Reply(pub(crate) Box<dyn FnOnce(Answer) + Send>);

/// What a job leaves behind.
pub(crate) struct Settle {
    /// Called once when it is known whether what the job wrote is committed.
    pub(crate) done: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
    /// The database did not answer the job, so that the whole turn is over.
    pub(crate) lost: Option<String>,
}

/// Work in a turn of the writer; called with an error when there will be none.
pub(crate) struct Job(
    #[expect(clippy::type_complexity, reason = "it is the whole of the type")]
    pub(crate)  Box<dyn FnOnce(Result<&mut Turn<'_>, StoreError>) -> Settle + Send>,
);

/// What the writer is asked.
pub(crate) enum Request {
    Operation { wanted: Box<Wanted>, reply: Reply },
    Inquiry { id: OperationId, reply: Reply },
    Job(Job),
}

/// The lanes.
#[derive(Default)]
pub(crate) struct Queue {
    lanes: Mutex<Lanes>,
    ready: Condvar,
}

#[derive(Default)]
struct Lanes {
    urgent: VecDeque<Request>,
    operations: VecDeque<Request>,
    background: VecDeque<Request>,
    /// Another node may have done something.
    nudged: bool,
    closed: bool,
}

/// Requests in a lane at the most; a boot storm's 5,000 phones find room.
const ROOM: usize = 8192;

/// Requests of a lane that share one transaction at the most.
const TURN: usize = 128;

/// Objects that operations of one transaction change at the most, or one operation's.
const WEIGHT: usize = 1500;

impl Queue {
    /// Puts a request into its lane, or gives it back with the reason.
    pub(crate) fn push(&self, lane: Lane, request: Request) -> Result<(), (Request, StoreError)> {
        let mut lanes = self.lock();
        if lanes.closed {
            return Err((request, StoreError::Unavailable("the store is closed".into())));
        }
        let lane = match lane {
            Lane::Urgent => &mut lanes.urgent,
            Lane::Operation => &mut lanes.operations,
            Lane::Background => &mut lanes.background,
        };
        if lane.len() >= ROOM {
            return Err((request, StoreError::Overloaded));
        }
        lane.push_back(request);
        self.ready.notify_one();
        Ok(())
    }

    /// What shares the next transaction; empty after `patience`, none when closed and done.
    pub(crate) fn take(&self, patience: Duration) -> Option<Vec<Request>> {
        let mut lanes = self.lock();
        if lanes.is_empty() && !lanes.closed && !lanes.nudged {
            lanes = self
                .ready
                .wait_timeout(lanes, patience)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(lanes, _)| lanes);
        }
        lanes.nudged = false;
        if lanes.is_empty() {
            return if lanes.closed { None } else { Some(Vec::new()) };
        }
        Some(lanes.take())
    }

    /// Wakes the writer to look for what other nodes did.
    pub(crate) fn nudge(&self) {
        self.lock().nudged = true;
        self.ready.notify_one();
    }

    /// The store is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Takes no more requests; those waiting are still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    /// How many requests wait.
    pub(crate) fn len(&self) -> usize {
        let lanes = self.lock();
        lanes.urgent.len() + lanes.operations.len() + lanes.background.len()
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.operations.is_empty() && self.background.is_empty()
    }

    fn take(&mut self) -> Vec<Request> {
        let urgent = self.urgent.len().min(TURN);
        let mut taken: Vec<_> = self.urgent.drain(..urgent).collect();
        let mut weight = 0;
        while taken.len() < urgent + TURN
            && let Some(next) = self.operations.front()
        {
            let heavier = weight + next.weight();
            if weight > 0 && heavier > WEIGHT {
                break;
            }
            weight = heavier;
            taken.extend(self.operations.pop_front());
        }
        let background = self.background.len().min(TURN);
        taken.extend(self.background.drain(..background));
        taken
    }
}

impl Request {
    /// Answers a request that will have no turn.
    pub(crate) fn turn_away(self, error: StoreError) {
        match self {
            Self::Operation { reply, .. } => (reply.0)(Answer::not_begun(&error)),
            Self::Inquiry { reply, .. } => (reply.0)(Answer::Unavailable),
            Self::Job(job) => ((job.0)(Err(error)).done)(Ok(())),
        }
    }

    fn weight(&self) -> usize {
        match self {
            Self::Operation { wanted, .. } => match &wanted.operation {
                Operation::Batch(steps) => steps.len(),
                _ => 1,
            },
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_counted_in_all_lanes() {
        let queue = Queue::default();
        let lanes = [Lane::Urgent, Lane::Operation, Lane::Operation, Lane::Background];
        for (waiting, lane) in lanes.into_iter().enumerate() {
            assert_eq!(queue.len(), waiting);
            let reply = Reply(Box::new(|_| {}));
            let request = Request::Inquiry { id: OperationId(1), reply };
            assert!(queue.push(lane, request).is_ok());
        }
        assert_eq!(queue.len(), 4);
    }
}
