//! Work that takes longer than a request. A node knows its jobs since its start: what a job wrote is
//! written, and one that was cut off by a stop of the node can be ordered again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jackfield_model::Text;
use jackfield_vocabulary::{Code, Refusal, UnixTime};
use serde::Serialize;
use serde_json::Value;

use crate::clock::wall;

/// The jobs of this node.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<State>);

#[derive(Default)]
struct State {
    last: u64,
    jobs: BTreeMap<u64, Job>,
}

/// A job, as it is shown.
#[derive(Clone, Debug, Serialize)]
struct Job {
    id: u64,
    /// What it does.
    what: Box<str>,
    /// Who ordered it.
    by: Text,
    state: Progress,
    /// Rows to do, and done, and other than before.
    total: usize,
    done: usize,
    changed: usize,
    /// Rows that were left out.
    refused: Value,
    /// Why it failed.
    failure: Option<Value>,
    began: UnixTime,
    ended: Option<UnixTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Progress {
    Running,
    Done,
    Failed,
}

impl Jobs {
    /// A new job; refused when too many run.
    pub(crate) fn begin(
        &self,
        what: &str,
        by: Text,
        total: usize,
        refused: Value,
    ) -> Result<u64, Refusal> {
        let mut state = self.lock();
        let running = state.jobs.values().filter(|job| job.state == Progress::Running).count();
        if running >= MOST_RUNNING {
            return Err(Refusal::new(Code::Overloaded));
        }
        if state.jobs.len() >= MOST_KEPT {
            let over = state.jobs.values().find(|job| job.state != Progress::Running);
            if let Some(oldest) = over.map(|job| job.id) {
                state.jobs.remove(&oldest);
            }
        }
        state.last += 1;
        let id = state.last;
        let (what, began) = (what.into(), wall());
        let job = Job {
            id,
            what,
            by,
            state: Progress::Running,
            total,
            done: 0,
            changed: 0,
            refused,
            failure: None,
            began,
            ended: None,
        };
        state.jobs.insert(id, job);
        Ok(id)
    }

    /// So many rows more are done, and so many of them other than before.
    pub(crate) fn step(&self, id: u64, done: usize, changed: usize) {
        self.change(id, |job| {
            job.done += done;
            job.changed += changed;
        });
    }

    /// It is done.
    pub(crate) fn end(&self, id: u64) {
        self.change(id, |job| (job.state, job.ended) = (Progress::Done, Some(wall())));
    }

    /// It can't go on.
    pub(crate) fn fail(&self, id: u64, failure: Value) {
        self.change(id, |job| {
            (job.state, job.ended) = (Progress::Failed, Some(wall()));
            job.failure = Some(failure);
        });
    }

    /// A job, as clients see it.
    pub(crate) fn shown(&self, id: u64) -> Option<Value> {
        self.lock().jobs.get(&id).and_then(|job| serde_json::to_value(job).ok())
    }

    /// Every job, the newest first.
    pub(crate) fn all(&self) -> Vec<Value> {
        let state = self.lock();
        state.jobs.values().rev().filter_map(|job| serde_json::to_value(job).ok()).collect()
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.lock().jobs.get_mut(&id) {
            change(job);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const MOST_RUNNING: usize = 4;
const MOST_KEPT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_bounded_and_the_oldest_that_ended_go_first() {
        let jobs = Jobs::default();
        let begin = || jobs.begin("work", "jo".into(), 1, Value::Null);
        let first = begin().unwrap();
        for _ in 0..2 * MOST_KEPT {
            jobs.end(begin().unwrap());
        }
        assert_eq!(jobs.all().len(), MOST_KEPT);
        assert_eq!(jobs.shown(first).unwrap()["state"], "running", "the oldest still runs");
        for _ in 1..MOST_RUNNING {
            begin().unwrap();
        }
        assert_eq!(begin().unwrap_err().code, Code::Overloaded);
        jobs.fail(first, "gone".into());
        assert_eq!(jobs.shown(first).unwrap()["failure"], "gone");
        begin().unwrap();
    }
}
