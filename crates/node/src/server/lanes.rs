//! The ways into the engine's thread. Each lane is bounded; a full one holds its sender back (a
//! TCP stream is read no further) or refuses, and is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jackfield_engine::Input;
use mio::Waker;
use tokio::sync::mpsc;

use super::streams::Outbox;

/// Orders that wait for the engine at the most in the urgent lane.
const URGENT: usize = 8192;
/// The same for messages of streams, which may be large, and whose senders can wait.
const ORDINARY: usize = 1024;

/// What reaches the engine's loop besides datagrams.
pub(crate) enum Order {
    /// Something for the engine.
    Input(Input),
    /// A stream is there: what is sent to it goes into `outbox`.
    StreamOpened { connection: u64, outbox: Outbox },
    /// A stream is gone.
    StreamClosed { connection: u64, flow: jackfield_sip::Flow },
    /// Stop the loop.
    Stop,
}

/// The sending ends.
#[derive(Clone)]
pub(crate) struct Lanes {
    /// Answers, orders and media: never refused while the engine lives.
    urgent: mpsc::Sender<Order>,
    /// SIP messages of streams.
    ordinary: mpsc::Sender<Order>,
    alarm: Arc<Alarm>,
}

/// The receiving ends, for the engine's loop.
pub(crate) struct Arrivals {
    pub(crate) urgent: mpsc::Receiver<Order>,
    pub(crate) ordinary: mpsc::Receiver<Order>,
    pub(crate) alarm: Arc<Alarm>,
}

/// Wakes the loop, but only when it sleeps.
pub(crate) struct Alarm {
    asleep: AtomicBool,
    waker: Waker,
    refused: AtomicU64,
}

impl Alarm {
    /// The loop is about to sleep: whoever comes from now on wakes it.
    pub(crate) fn going_to_sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
    }

    /// The loop is awake.
    pub(crate) fn awake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    fn ring(&self) {
        if self.asleep.swap(false, Ordering::SeqCst) {
            // A poll that is gone needs no waking.
            let _ = self.waker.wake();
        }
    }
}

/// The engine has stopped, or its lane is full.
#[derive(Debug)]
pub(crate) struct NotTaken;

impl Lanes {
    /// Both ends.
    pub(crate) fn new(waker: Waker) -> (Self, Arrivals) {
        let (urgent, urgent_arrivals) = mpsc::channel(URGENT);
        let (ordinary, ordinary_arrivals) = mpsc::channel(ORDINARY);
        let alarm =
            Arc::new(Alarm { asleep: AtomicBool::new(false), waker, refused: AtomicU64::new(0) });
        let lanes = Self { urgent, ordinary, alarm: Arc::clone(&alarm) };
        (lanes, Arrivals { urgent: urgent_arrivals, ordinary: ordinary_arrivals, alarm })
    }

    /// Gives an order from a thread that may wait.
    pub(crate) fn give(&self, order: Order) -> Result<(), NotTaken> {
        let taken = match self.urgent.try_send(order) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(order)) => {
                self.alarm.refused.fetch_add(1, Ordering::Relaxed);
                self.alarm.ring();
                if tokio::runtime::Handle::try_current().is_ok() {
                    Err(NotTaken)
                } else {
                    self.urgent.blocking_send(order).map_err(|_| NotTaken)
                }
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(NotTaken),
        };
        self.alarm.ring();
        taken
    }

    /// Orders that found a lane full.
    pub(crate) fn refused(&self) -> u64 {
        self.alarm.refused.load(Ordering::Relaxed)
    }

    /// Gives an input from a thread that may wait.
    pub(crate) fn input(&self, input: Input) -> Result<(), NotTaken> {
        self.give(Order::Input(input))
    }

    /// Gives what a stream brought; waits while the engine is behind.
    pub(crate) async fn stream(&self, order: Order) -> Result<(), NotTaken> {
        let taken = self.ordinary.send(order).await.map_err(|_| NotTaken);
        self.alarm.ring();
        taken
    }
}
