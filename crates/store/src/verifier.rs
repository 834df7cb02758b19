//! The pool in which secrets are checked: hashing takes long, and nobody else shall wait for it.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use jackfield_model::CredentialKind;
use jackfield_vocabulary::{ObjectId, SecretText};

use crate::handle::StoreHandle;
use crate::{Claimant, StoreError, Verification};

/// Checks secrets on threads of its own.
pub struct Verifier {
    questions: Option<SyncSender<Question>>,
    threads: Vec<JoinHandle<()>>,
}

enum Question {
    Verify {
        claimant: Claimant,
        kind: CredentialKind,
        secret: SecretText,
        reply: Box<dyn FnOnce(Verification) + Send>,
    },
    Forgive {
        owner: ObjectId,
        kind: CredentialKind,
    },
}

/// Questions that wait at the most.
const ROOM: usize = 512;

impl Verifier {
    /// Starts `threads` threads; each holds 19 MiB while it checks a password.
    pub fn start(handle: &StoreHandle, threads: usize) -> Result<Self, StoreError> {
        let (send, receive) = sync_channel(ROOM);
        let receive = Arc::new(Mutex::new(receive));
        let spawn = |_| {
            let (handle, receive) = (handle.clone(), Arc::clone(&receive));
            std::thread::Builder::new()
                .name("verifier".into())
                .spawn(move || answer_all(&handle, &receive))
                .map_err(|error| StoreError::Fault(format!("no thread to check secrets: {error}")))
        };
        let threads = (0..threads.max(1)).map(spawn).collect::<Result<_, _>>()?;
        Ok(Self { questions: Some(send), threads })
    }

    /// `false` once one of its threads has ended: those that are left may end likewise, and then no
    /// secret is right any more.
    pub fn runs(&self) -> bool {
        self.threads.iter().all(|thread| !thread.is_finished())
    }

    /// See [`StoreHandle::verify`]. Answers `Unavailable` at once when too much waits.
    pub fn verify(
        &self,
        claimant: impl Into<Claimant>,
        kind: CredentialKind,
        secret: SecretText,
        reply: Box<dyn FnOnce(Verification) + Send>,
    ) {
        let question = Question::Verify { claimant: claimant.into(), kind, secret, reply };
        if let Some(Question::Verify { reply, .. }) = self.put(question) {
            reply(Verification::Unavailable);
        }
    }

    /// See [`StoreHandle::forgive`]; when too much waits, the failure stays counted.
    pub fn forgive(&self, owner: ObjectId, kind: CredentialKind) {
        if self.put(Question::Forgive { owner, kind }).is_some() {
            tracing::warn!("a failure that was none stays counted: too much waits");
        }
    }

    /// Gives a question back for which there is no room.
    fn put(&self, question: Question) -> Option<Question> {
        match self.questions.as_ref()?.try_send(question) {
            Ok(()) => None,
            Err(TrySendError::Full(question) | TrySendError::Disconnected(question)) => {
                Some(question)
            }
        }
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        drop(self.questions.take());
        for thread in self.threads.drain(..) {
            // A reply that panicked has been told by the panic itself.
            let _ = thread.join();
        }
    }
}

fn answer_all(handle: &StoreHandle, receive: &Mutex<Receiver<Question>>) {
    loop {
        let question = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(question) = question else { return };
        match question {
            Question::Verify { claimant, kind, secret, reply } => {
                reply(handle.verify(claimant, kind, &secret));
            }
            Question::Forgive { owner, kind } => handle.forgive(owner, kind),
        }
    }
}
