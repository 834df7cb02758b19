//! What the engine's thread shares with the doors: who may fetch files, who waits for an answer,
//! and how often which alarm was raised.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jackfield_engine::{Input, OperatorOrder, OperatorReply};
use jackfield_files::AccessTable;
use jackfield_vocabulary::{Code, Refusal};
use jackfield_web::RaisedAlarm;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::lanes::Lanes;

/// Who may fetch which file.
pub(crate) type FileAccess = Arc<Mutex<AccessTable>>;

type Answer = Result<OperatorReply, Refusal>;

/// Askers that wait for the engine.
#[derive(Clone, Default)]
pub(crate) struct Replies {
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Answer>>>>,
    next: Arc<AtomicU64>,
}

/// An order is answered by then, or the asker is told that nobody knows.
const PATIENCE: Duration = Duration::from_secs(15);
/// Askers at the most.
const WAITING: usize = 4096;

impl Replies {
    /// Asks the engine and waits for its answer.
    pub(crate) async fn ask(&self, lanes: &Lanes, order: OperatorOrder) -> Answer {
        let request = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        {
            let mut waiting = self.lock();
            if waiting.len() >= WAITING {
                return Err(Refusal::new(Code::Overloaded));
            }
            waiting.insert(request, sender);
        }
        if lanes.input(Input::Operator { request, order }).is_err() {
            self.lock().remove(&request);
            return Err(Refusal::new(Code::Overloaded));
        }
        let answer = timeout(PATIENCE, receiver).await;
        self.lock().remove(&request);
        match answer {
            Ok(Ok(answer)) => answer,
            _ => Err(Refusal::new(Code::OutcomeUnknown)),
        }
    }

    /// Gives an answer to whoever waits for it.
    pub(crate) fn give(&self, request: u64, answer: Answer) {
        if let Some(sender) = self.lock().remove(&request) {
            // Whoever asked may have gone.
            let _ = sender.send(answer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often which alarm was raised since the start, and the last ones.
#[derive(Clone, Default)]
pub(crate) struct AlarmBoard(Arc<Mutex<Alarms>>);

#[derive(Default)]
struct Alarms {
    counts: BTreeMap<&'static str, u64>,
    last: VecDeque<RaisedAlarm>,
}

/// Alarms that are kept to be shown.
const MOST_ALARMS: usize = 200;

impl AlarmBoard {
    pub(crate) fn raise(&self, alarm: RaisedAlarm) {
        let mut board = self.lock();
        *board.counts.entry(alarm.name).or_default() += 1;
        board.last.push_front(alarm);
        board.last.truncate(MOST_ALARMS);
    }

    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        self.lock().counts.iter().map(|(name, count)| (*name, *count)).collect()
    }

    /// The last ones, newest first.
    pub(crate) fn last(&self) -> Vec<RaisedAlarm> {
        self.lock().last.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Alarms> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
