//! What waits to be written on one connection, and how many of its requests wait for an answer.

use std::sync::Arc;
use std::time::Duration;

use jackfield_sip::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::{Held, Shared};

/// Messages that may wait on one connection.
const MESSAGES: usize = 256;
/// Octets that may wait on one connection: four messages of the largest kind, or all of the usual.
pub(super) const OCTETS: usize = 4 * limits::MESSAGE;
/// For so long the answers to somebody who sends no more are waited for: what needs no person is
/// answered within it, even by way of the database.
const ANSWER: Duration = Duration::from_secs(4);

/// The way to what is written on a connection. The connection ends when the last one is dropped and
/// all is written.
#[derive(Clone)]
pub(crate) struct Outbox {
    messages: mpsc::Sender<Waiting>,
    account: Arc<Account>,
}

/// An [`Outbox`] that doesn't keep its connection open.
pub(super) struct WeakOutbox {
    messages: mpsc::WeakSender<Waiting>,
    account: Arc<Account>,
}

/// A message that waits to be written, and the room it takes.
pub(super) struct Waiting {
    pub(super) message: Arc<[u8]>,
    _room: OwnedSemaphorePermit,
    _held: Held,
}

/// What is known of a connection on both sides of its outbox.
struct Account {
    shared: Arc<Shared>,
    connection: u64,
    /// In octets.
    room: Arc<Semaphore>,
    /// Requests that have no final answer yet.
    unanswered: watch::Sender<u32>,
}

/// There is no room for the message, or the connection is gone.
#[derive(Debug)]
pub(crate) struct NoRoom;

impl Outbox {
    /// Both ends of what waits on a connection.
    pub(super) fn new(shared: &Arc<Shared>, connection: u64) -> (Self, mpsc::Receiver<Waiting>) {
        let (messages, receiver) = mpsc::channel(MESSAGES);
        let account = Account {
            shared: Arc::clone(shared),
            connection,
            room: Arc::new(Semaphore::new(OCTETS)),
            unanswered: watch::Sender::new(0),
        };
        (Self { messages, account: Arc::new(account) }, receiver)
    }

    /// Puts a message at the end of those that wait, if there is room.
    pub(crate) fn send(&self, message: Arc<[u8]>) -> Result<(), NoRoom> {
        let Account { shared, connection, room, unanswered } = &*self.account;
        let octets = u32::try_from(message.len()).map_err(|_| NoRoom)?;
        let room = Arc::clone(room).try_acquire_many_owned(octets).map_err(|_| NoRoom)?;
        let held = shared.hold(*connection, message.len()).ok_or(NoRoom)?;
        let answers = is_final_answer(&message);
        let waiting = Waiting { message, _room: room, _held: held };
        self.messages.try_send(waiting).map_err(|_| NoRoom)?;
        if answers {
            unanswered.send_modify(|count| *count = count.saturating_sub(1));
        }
        Ok(())
    }

    pub(super) fn weak(&self) -> WeakOutbox {
        WeakOutbox { messages: self.messages.downgrade(), account: Arc::clone(&self.account) }
    }
}

impl WeakOutbox {
    /// As [`Outbox::send`]; what has no room is left out.
    pub(super) fn send(&self, message: Arc<[u8]>) {
        if let Some(messages) = self.messages.upgrade() {
            let _ = Outbox { messages, account: Arc::clone(&self.account) }.send(message);
        }
    }

    /// A request came that has to be answered.
    pub(super) fn expect_answer(&self) {
        self.account.unanswered.send_modify(|count| *count = count.saturating_add(1));
    }

    /// Waits until each request has its answer, as long as that is to be expected.
    pub(super) async fn answered(&self) {
        let mut unanswered = self.account.unanswered.subscribe();
        let _ = timeout(ANSWER, unanswered.wait_for(|count| *count == 0)).await;
    }
}

/// Is it an answer after which none follows?
fn is_final_answer(message: &[u8]) -> bool {
    message.strip_prefix(b"SIP/2.0 ").is_some_and(|rest| rest.first() > Some(&b'1'))
}
