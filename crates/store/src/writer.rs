//! The one thread that writes. It takes what waits in the lanes, carries it out in one
//! transaction, a savepoint each, commits, publishes the new directory, and only then answers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jackfield_model::Directory;
use jackfield_vocabulary::{ObjectId, OperationId, Refusal, UnixTime};

use crate::answer::Answer;
use crate::backoff::Backoff;
use crate::commit::{self, Past, Wanted};
use crate::database::{Database, DatabaseError};
use crate::pulse::Pulse;
use crate::queue::{Queue, Reply, Request};
use crate::settings::Source;
use crate::state::State;
use crate::vault::Vault;
use crate::{StoreError, clock};

/// Called with every new directory and what changed in it, before whoever changed it is answered.
pub(crate) struct Publish(
    #[expect(clippy::type_complexity, reason = "it is the whole of the type")]
    pub(crate)  Box<dyn Fn(Arc<Directory>, Arc<[ObjectId]>) + Send>,
);

/// What a request has in its turn.
pub(crate) struct Turn<'a> {
    pub(crate) database: &'a mut Database,
    pub(crate) state: &'a mut State,
    pub(crate) vault: &'a Vault,
    pub(crate) now: UnixTime,
}

impl Turn<'_> {
    /// Does a job so that it leaves nothing behind when it fails.
    pub(crate) fn step<T>(
        &mut self,
        work: impl FnOnce(&mut Turn<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (vault, now) = (self.vault, self.now);
        let mut state = self.state.clone();
        let done = self
            .database
            .savepoint(|database| work(&mut Turn { database, state: &mut state, vault, now }))?;
        *self.state = state;
        Ok(done)
    }
}

/// The writer's thread and all that it owns.
pub(crate) struct Writer {
    pub(crate) queue: Arc<Queue>,
    pub(crate) source: Source,
    pub(crate) connection: Option<Database>,
    pub(crate) vault: Vault,
    pub(crate) state: State,
    pub(crate) shared: Arc<RwLock<Arc<Directory>>>,
    pub(crate) publish: Publish,
    /// See [`StoreHandle::sign_outs`](crate::StoreHandle::sign_outs).
    pub(crate) sign_outs: Arc<AtomicU64>,
    /// See [`StoreHandle::answers`](crate::StoreHandle::answers).
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) refusals: Refusals,
    pub(crate) backoff: Backoff,
}

/// What to tell when the commit's fate is known.
enum Outcome {
    Operation(Reply, Answer),
    Inquiry(Reply, Answer),
    Job(crate::queue::Settle),
}

/// How often another node's changes are looked for when no notification comes.
const FOLLOW: Duration = Duration::from_millis(250);

/// How long to sleep where there are no other nodes.
const SLEEP: Duration = Duration::from_secs(60);

impl Writer {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        while let Some(requests) = self.queue.take(self.patience()) {
            if requests.is_empty() {
                self.look_around();
            } else {
                self.turn(requests);
            }
        }
    }

    fn patience(&self) -> Duration {
        let watch = self.source.is_shared() || self.connection.is_none() || self.pulse.missed();
        if watch { FOLLOW } else { SLEEP }
    }

    /// One transaction for all of `requests`.
    fn turn(&mut self, requests: Vec<Request>) {
        let Some(mut database) = self.connect() else {
            return turn_away(requests, "it is being connected to");
        };
        let mut state = self.state.clone();
        let begun =
            database.begin().map_err(StoreError::from).and_then(|()| state.follow(&mut database));
        if let Err(error) = begun {
            self.abandon(database, &error);
            return turn_away(requests, &error.to_string());
        }
        let mut waiting = VecDeque::from(requests);
        let mut outcomes = Vec::with_capacity(waiting.len());
        while let Some(request) = waiting.pop_front() {
            let (outcome, fatal) = self.serve(&mut database, &mut state, request);
            outcomes.push(outcome);
            if let Some(error) = fatal {
                self.abandon(database, &error);
                settle(outcomes, &Fate::Undone(error.to_string()));
                return turn_away(waiting.into(), &error.to_string());
            }
        }
        self.finish(database, state, outcomes);
    }

    fn serve(
        &mut self,
        database: &mut Database,
        state: &mut State,
        request: Request,
    ) -> (Outcome, Option<StoreError>) {
        let now = clock::now();
        match request {
            Request::Operation { wanted, reply } => {
                let (answer, fatal) = self.operate(database, state, &wanted, now);
                (Outcome::Operation(reply, answer), fatal)
            }
            Request::Inquiry { id, reply } => {
                let (answer, fatal) = self.inquire(database, id, now);
                (Outcome::Inquiry(reply, answer), fatal)
            }
            Request::Job(job) => {
                let settle = (job.0)(Ok(&mut Turn { database, state, vault: &self.vault, now }));
                let fatal = settle.lost.clone().map(StoreError::Unavailable);
                (Outcome::Job(settle), fatal)
            }
        }
    }

    fn operate(
        &mut self,
        database: &mut Database,
        state: &mut State,
        wanted: &Wanted,
        now: UnixTime,
    ) -> (Answer, Option<StoreError>) {
        if let Some(refusal) = self.refusals.find(wanted.id) {
            return (Answer::Refused(refusal), None);
        }
        let done = match commit::past(database, wanted.id) {
            Ok(Past::Committed(outcome)) => Ok(outcome),
            Ok(Past::Dead) => return (Answer::NeverSeen, None),
            Ok(Past::Unseen) => commit::carry_out(database, state, &self.vault, wanted, now),
            Err(error) => Err(error),
        };
        match done {
            Ok(outcome) => (Answer::Committed(outcome), None),
            Err(error @ StoreError::Unavailable(_)) => (Answer::Unavailable, Some(error)),
            Err(error) => {
                if !matches!(error, StoreError::Refused(_)) {
                    tracing::error!(operation.id = %wanted.id, %error, "an operation failed");
                }
                let refusal = error.refusal();
                let noted = commit::note_refusal(database, state, wanted, &refusal, now);
                if let Err(error) = noted {
                    return (Answer::Unavailable, Some(error));
                }
                self.refusals.keep(wanted.id, refusal.clone());
                (Answer::Refused(refusal), None)
            }
        }
    }

    fn inquire(
        &mut self,
        database: &mut Database,
        id: OperationId,
        now: UnixTime,
    ) -> (Answer, Option<StoreError>) {
        if let Some(refusal) = self.refusals.find(id) {
            return (Answer::Refused(refusal), None);
        }
        let answer = commit::past(database, id).and_then(|past| match past {
            Past::Committed(outcome) => Ok(Answer::Committed(outcome)),
            Past::Dead => Ok(Answer::NeverSeen),
            Past::Unseen => commit::bury(database, id, now).map(|()| Answer::NeverSeen),
        });
        match answer {
            Ok(answer) => (answer, None),
            Err(error) => (Answer::Unavailable, Some(error)),
        }
    }

    fn finish(&mut self, mut database: Database, state: State, outcomes: Vec<Outcome>) {
        let quiet = state.changed.is_empty() && !state.signed_out;
        let notified = if quiet { Ok(()) } else { database.notify() };
        let committed = match notified {
            Ok(()) => database.commit(),
            Err(error) => Err(DatabaseError::Busy(error.to_string())),
        };
        match committed {
            Ok(()) => {
                self.pulse.beat();
                self.connection = Some(database);
                self.publish(state);
                settle(outcomes, &Fate::Committed);
            }
            Err(DatabaseError::Lost(message)) => {
                tracing::error!(error = message, "the database was lost while it committed");
                self.pulse.miss();
                self.backoff.failed();
                settle(outcomes, &Fate::Unknown(message));
            }
            Err(error) => {
                let error = StoreError::from(error);
                self.abandon(database, &error);
                settle(outcomes, &Fate::Undone(error.to_string()));
            }
        }
    }

    /// Makes the committed state everybody's.
    fn publish(&mut self, mut state: State) {
        let changed: Arc<[ObjectId]> = std::mem::take(&mut state.changed).into_iter().collect();
        let moved = !Arc::ptr_eq(&state.directory, &self.state.directory);
        if std::mem::take(&mut state.signed_out) {
            self.sign_outs.fetch_add(1, Ordering::Release);
        }
        self.state = state;
        if moved {
            let directory = Arc::clone(&self.state.directory);
            *self.shared.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&directory);
            (self.publish.0)(directory, changed);
        }
    }

    /// Follows the change log of other nodes, or connects again.
    fn look_around(&mut self) {
        let Some(mut database) = self.connect() else { return };
        let mut state = self.state.clone();
        match state.follow(&mut database) {
            Ok(()) => {
                if self.takes_changes(&mut database) {
                    self.pulse.beat();
                }
                self.connection = Some(database);
                self.publish(state);
            }
            Err(error) => self.abandon(database, &error),
        }
    }

    /// Whether what is written is taken again. A database that is full, or that another process holds,
    /// can be read all the time.
    fn takes_changes(&mut self, database: &mut Database) -> bool {
        if !self.pulse.missed() {
            return true;
        }
        if !self.backoff.is_over() {
            return false;
        }
        // As it stands: nobody sees a difference.
        let sql = "UPDATE meta SET value = value WHERE name = 'schema'";
        let written: Result<u64, DatabaseError> =
            database.transaction(|database| database.execute(sql, &[]));
        if written.is_ok() {
            self.backoff.succeeded();
        } else {
            // One that is lost is noticed at the next look.
            drop(database.roll_back());
            self.backoff.failed();
        }
        written.is_ok()
    }

    fn connect(&mut self) -> Option<Database> {
        if let Some(database) = self.connection.take() {
            return Some(database);
        }
        if !self.backoff.is_over() {
            return None;
        }
        match self.source.connect() {
            Ok(database) => {
                tracing::info!("the database is there again");
                self.backoff.succeeded();
                Some(database)
            }
            Err(error) => {
                tracing::warn!(%error, "the database can't be reached");
                self.pulse.miss();
                self.backoff.failed();
                None
            }
        }
    }

    /// Undoes the transaction; a connection on which that fails is given up.
    fn abandon(&mut self, mut database: Database, error: &StoreError) {
        tracing::error!(%error, "a transaction was given up");
        self.pulse.miss();
        match database.roll_back() {
            Ok(()) => self.connection = Some(database),
            Err(_) => self.backoff.failed(),
        }
    }
}

impl Drop for Writer {
    /// Whoever still waits, because this thread panicked, is told.
    fn drop(&mut self) {
        self.queue.close();
        while let Some(requests) = self.queue.take(Duration::ZERO) {
            turn_away(requests, "the store is closed");
        }
    }
}

/// What a commit came to.
enum Fate {
    Committed,
    Undone(String),
    Unknown(String),
}

fn settle(outcomes: Vec<Outcome>, fate: &Fate) {
    for outcome in outcomes {
        match outcome {
            Outcome::Operation(reply, answer) | Outcome::Inquiry(reply, answer)
                if matches!(fate, Fate::Committed) =>
            {
                (reply.0)(answer);
            }
            Outcome::Operation(reply, answer) => (reply.0)(match (answer, fate) {
                (Answer::Committed(_), Fate::Unknown(_)) => Answer::Unknown,
                (Answer::Committed(_), _) => Answer::Unavailable,
                (other, _) => other,
            }),
            Outcome::Inquiry(reply, answer) => (reply.0)(match answer {
                Answer::Refused(refusal) => Answer::Refused(refusal),
                _ => Answer::Unavailable,
            }),
            Outcome::Job(settle) => (settle.done)(match fate {
                Fate::Committed => Ok(()),
                Fate::Undone(message) => Err(StoreError::Unavailable(message.clone())),
                Fate::Unknown(message) => Err(StoreError::Unknown(message.clone())),
            }),
        }
    }
}

fn turn_away(requests: Vec<Request>, why: &str) {
    for request in requests {
        request.turn_away(StoreError::Unavailable(why.to_owned()));
    }
}

/// The last refusals, for whoever asks again: an answer, once given, stands.
#[derive(Default)]
pub(crate) struct Refusals {
    kept: VecDeque<(OperationId, Refusal)>,
}

impl Refusals {
    const KEPT: usize = 1024;

    fn keep(&mut self, id: OperationId, refusal: Refusal) {
        if self.kept.len() >= Self::KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((id, refusal));
    }

    fn find(&self, id: OperationId) -> Option<Refusal> {
        self.kept.iter().rev().find(|(kept, _)| *kept == id).map(|(_, refusal)| refusal.clone())
    }
}
