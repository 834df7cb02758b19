//! What other threads hold of the store.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jackfield_model::setup::AccountLock;
use jackfield_model::{Actor, CredentialKind, Directory, Operation, Outcome, Text};
use jackfield_vocabulary::{ObjectId, OperationId, SecretText, UnixTime};
use serde_json::Value as Json;

use crate::answer::Answer;
use crate::attempt::{self, Begun, Claimant, Verification};
use crate::audit::{self, AuditEntry, AuditFilter};
use crate::commit::{self, Past, Wanted};
use crate::key::random_bytes;
use crate::pulse::Pulse;
use crate::queue::{Job, Lane, Queue, Reply, Request, Settle};
use crate::tally::Tally;
use crate::vault::Vault;
use crate::writer::Turn;
use crate::{StoreError, hash};

/// The store, for any thread; copies are cheap.
#[derive(Clone)]
pub struct StoreHandle {
    pub(crate) queue: Arc<Queue>,
    pub(crate) directory: Arc<RwLock<Arc<Directory>>>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) sign_outs: Arc<AtomicU64>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) tally: Arc<Tally>,
    /// The database is one that other nodes may work on too.
    pub(crate) shared: bool,
}

/// For how long to ask again what became of an operation whose answer was lost.
const PERSISTENCE: Duration = Duration::from_secs(10);

impl StoreHandle {
    /// The latest directory.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number that grows when anybody who is signed in may have been signed out, on whichever
    /// node: by the end of a token, a new password, or a change of accounts, groups or roles. What
    /// was learned of a token is good while it stays the same.
    pub fn sign_outs(&self) -> u64 {
        self.sign_outs.load(Ordering::Acquire)
    }

    /// The database takes what is written, as far as is known: what was asked of it last succeeded,
    /// and where other nodes may work on it, that was within the last seconds.
    pub fn answers(&self) -> bool {
        self.pulse.beats(self.shared)
    }

    /// What came of the secrets that were presented, since the start.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many requests wait for the writer.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Submits an operation. The reply comes on the writer's thread, once: it must not block.
    pub fn submit(
        &self,
        id: OperationId,
        actor: Actor,
        operation: Operation,
        reply: Box<dyn FnOnce(Answer) + Send>,
    ) {
        let wanted = Box::new(Wanted { id, actor, operation });
        self.push(Lane::Operation, Request::Operation { wanted, reply: Reply(reply) });
    }

    /// Asks what became of an operation. When it was never seen it never will be carried out, also
    /// when it arrives later. The reply comes on the writer's thread: it must not block.
    pub fn inquire(&self, id: OperationId, reply: Box<dyn FnOnce(Answer) + Send>) {
        self.push(Lane::Operation, Request::Inquiry { id, reply: Reply(reply) });
    }

    /// Carries out an operation and waits for it; asks again when the answer is lost.
    pub fn execute(
        &self,
        id: OperationId,
        actor: Actor,
        operation: Operation,
    ) -> Result<Outcome, StoreError> {
        let mut answer = self.wait(|reply| self.submit(id, actor, operation, reply));
        let began = Instant::now();
        while answer == Answer::Unknown && began.elapsed() < PERSISTENCE {
            std::thread::sleep(Duration::from_millis(100));
            answer = match self.wait(|reply| self.inquire(id, reply)) {
                Answer::Unavailable => Answer::Unknown,
                known => known,
            };
        }
        match answer {
            Answer::Committed(outcome) => Ok(outcome),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::NeverSeen => Err(StoreError::Unavailable("it was not carried out".into())),
            Answer::Unavailable => Err(StoreError::Unavailable("it was not begun".into())),
            Answer::Unknown => Err(StoreError::Unknown("no answer in time".into())),
        }
    }

    /// A new idempotency id.
    pub fn operation_id() -> Result<OperationId, StoreError> {
        random_bytes().map(|bytes| OperationId(u128::from_le_bytes(bytes)))
    }

    /// As many random decimal digits, as a PIN that nobody chose.
    pub fn random_digits(count: usize) -> Result<SecretText, StoreError> {
        let mut digits = String::with_capacity(count);
        while digits.len() < count {
            let [byte] = random_bytes()?;
            // Bytes beyond the last whole ten would favour some digits.
            if byte < 250 {
                digits.push(char::from(b'0' + byte % 10));
            }
        }
        Ok(SecretText::new(digits))
    }

    /// Makes the hash under which a credential is stored; slow on purpose.
    pub fn hash(
        &self,
        kind: CredentialKind,
        secret: &SecretText,
    ) -> Result<SecretText, StoreError> {
        hash::make(&self.vault.pepper, kind, secret)
    }

    /// Checks a secret and counts failures, on the caller's thread; see [`crate::Verifier`] for
    /// threads that can't wait. Whatever the answer is, it takes as long.
    pub fn verify(
        &self,
        claimant: impl Into<Claimant>,
        kind: CredentialKind,
        secret: &SecretText,
    ) -> Verification {
        match self.try_verify(claimant.into(), kind, secret) {
            Ok(verification) => {
                self.tally.count(&verification);
                verification
            }
            Err(error) => {
                tracing::error!(%error, "a credential can't be checked");
                Verification::Unavailable
            }
        }
    }

    /// Takes back the newest failure that [`Self::verify`] counted against an account: what was
    /// presented was meant for something else, and right.
    pub fn forgive(&self, owner: ObjectId, kind: CredentialKind) {
        let done = self.work(Lane::Urgent, move |turn| attempt::forgive(turn, owner, kind));
        if let Err(error) = done {
            tracing::error!(%error, "a failure that was none stays counted");
        }
    }

    /// Whether an account is locked: `Some(None)` means until an administrator unlocks it.
    pub fn locked(
        &self,
        owner: ObjectId,
        kind: CredentialKind,
    ) -> Result<Option<Option<UnixTime>>, StoreError> {
        self.work(Lane::Urgent, move |turn| attempt::locked(turn, owner, kind))
    }

    /// What is locked of an account, or of all: of many what was tried last. Accounts that may
    /// administer are locked by source.
    pub fn locks(&self, of: Option<ObjectId>) -> Result<Vec<AccountLock>, StoreError> {
        self.work(Lane::Urgent, move |turn| attempt::locks(turn, of))
    }

    /// What came of an operation that was carried out; none when it was not, so far.
    pub fn outcome(&self, id: OperationId) -> Result<Option<Outcome>, StoreError> {
        self.work(Lane::Urgent, move |turn| match commit::past(turn.database, id)? {
            Past::Committed(outcome) => Ok(Some(outcome)),
            Past::Dead | Past::Unseen => Ok(None),
        })
    }

    /// An account has such a credential.
    pub fn has_credential(
        &self,
        owner: ObjectId,
        kind: CredentialKind,
    ) -> Result<bool, StoreError> {
        self.work(Lane::Urgent, move |turn| {
            let found = turn.vault.get(turn.database, owner.0, attempt::name(kind))?;
            Ok(found.is_some())
        })
    }

    /// Writes something into the audit that was done without a change, as a sign-in: by whom, its
    /// constant name, to what, and what else there is to tell; never a secret.
    pub fn note(
        &self,
        actor: Actor,
        what: &'static str,
        object: Option<ObjectId>,
        detail: Json,
    ) -> Result<(), StoreError> {
        self.work(Lane::Background, move |turn| commit::note(turn, &actor, what, object, detail))
    }

    /// The same without waiting, for threads that can't. What is lost is told by the log.
    pub fn note_behind(
        &self,
        actor: Actor,
        what: &'static str,
        object: Option<ObjectId>,
        detail: Json,
    ) {
        let note = move |turn: &mut Turn<'_>| commit::note(turn, &actor, what, object, detail);
        self.enqueue(Lane::Background, note, move |written| {
            if let Err(error) = written {
                tracing::warn!(error.cause = %error, audit.operation = what, "not in the audit");
            }
        });
    }

    /// A page of the audit, newest first.
    pub fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        self.work(Lane::Background, move |turn| audit::page(turn.database, &filter))
    }

    /// The names that objects had last, as far as the change log goes back; also of those that are
    /// gone.
    pub fn last_names(
        &self,
        objects: Vec<ObjectId>,
    ) -> Result<BTreeMap<ObjectId, Text>, StoreError> {
        self.work(Lane::Background, move |turn| audit::last_names(turn.database, &objects))
    }

    fn try_verify(
        &self,
        claimant: Claimant,
        kind: CredentialKind,
        secret: &SecretText,
    ) -> Result<Verification, StoreError> {
        let known = claimant.account.is_some();
        let begun = self.work(Lane::Urgent, move |turn| attempt::begin(turn, &claimant, kind))?;
        let pepper = &self.vault.pepper;
        let attempt = match begun {
            Begun::Locked { until, hash } => {
                hash::check(pepper, kind, secret, hash.as_deref())?;
                return Ok(Verification::Locked { until });
            }
            Begun::Attempt(attempt) => attempt,
        };
        let right = hash::check(pepper, kind, secret, attempt.hash.as_deref())?;
        let verification = match (right, &attempt.hash) {
            (true, _) => Verification::Right,
            (false, None) if known => Verification::NoCredential,
            (false, _) => Verification::Wrong,
        };
        if self.work(Lane::Urgent, move |turn| attempt::finish(turn, &attempt, right))? {
            self.tally.lock();
        }
        Ok(verification)
    }

    /// Does `work` in a turn of the writer and waits until it is committed.
    pub(crate) fn work<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&mut Turn<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (send, receive) = sync_channel(1);
        self.enqueue(lane, work, move |result| {
            // Whoever waited may have gone.
            let _ = send.send(result);
        });
        receive
            .recv()
            .unwrap_or_else(|_| Err(StoreError::Unavailable("the store is closed".into())))
    }

    /// Does `work` in a turn of the writer, and tells `done` when it is committed.
    pub(crate) fn enqueue<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&mut Turn<'_>) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        let job = Job(Box::new(move |turn| {
            let result = turn.and_then(|turn| turn.step(work));
            let lost = match &result {
                Err(StoreError::Unavailable(message)) => Some(message.clone()),
                _ => None,
            };
            let done = Box::new(move |fate: Result<(), StoreError>| {
                done(result.and_then(|value| fate.map(|()| value)));
            });
            Settle { done, lost }
        }));
        self.push(lane, Request::Job(job));
    }

    fn push(&self, lane: Lane, request: Request) {
        if let Err((request, error)) = self.queue.push(lane, request) {
            request.turn_away(error);
        }
    }

    fn wait(&self, ask: impl FnOnce(Box<dyn FnOnce(Answer) + Send>)) -> Answer {
        let (send, receive) = sync_channel(1);
        ask(Box::new(move |answer| {
            // Whoever waited may have gone.
            let _ = send.send(answer);
        }));
        receive.recv().unwrap_or(Answer::Unknown)
    }
}
