//! The ways into the engine's thread. Each lane is bounded; a full one holds its sender back (a
//! TCP stream is read no further) or refuses, and is counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};

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
    /// The loop's own thread.
    thread: OnceLock<ThreadId>,
    asleep: AtomicBool,
    waker: Waker,
    refused: AtomicU64,
}

impl Arrivals {
    /// This thread is the loop's: it never waits for room that only itself could make.
    pub(crate) fn are_for_this_thread(&self) {
        // There is one loop for the lanes' whole life.
        let _ = self.alarm.thread.set(thread::current().id());
    }

    /// The loop is over: who waits for room need wait no longer.
    pub(crate) fn close(&mut self) {
        self.urgent.close();
        self.ordinary.close();
    }
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
        let alarm = Arc::new(Alarm {
            thread: OnceLock::new(),
            asleep: AtomicBool::new(false),
            waker,
            refused: AtomicU64::new(0),
        });
        let lanes = Self { urgent, ordinary, alarm: Arc::clone(&alarm) };
        (lanes, Arrivals { urgent: urgent_arrivals, ordinary: ordinary_arrivals, alarm })
    }

    /// Gives an order, and waits for room where the thread may.
    pub(crate) fn give(&self, order: Order) -> Result<(), NotTaken> {
        let taken = match self.urgent.try_send(order) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(order)) => {
                self.alarm.refused.fetch_add(1, Ordering::Relaxed);
                self.alarm.ring();
                if self.may_wait() {
                    self.urgent.blocking_send(order).map_err(|_| NotTaken)
                } else {
                    Err(NotTaken)
                }
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(NotTaken),
        };
        self.alarm.ring();
        taken
    }

    /// The doors' threads serve others meanwhile, and the engine's would wait for itself: an answer that
    /// comes while it asks and finds no room is lost, and the engine's own timers end the wait for it.
    fn may_wait(&self) -> bool {
        let is_engine = self.alarm.thread.get() == Some(&thread::current().id());
        !is_engine && tokio::runtime::Handle::try_current().is_err()
    }

    /// Orders that found a lane full.
    pub(crate) fn refused(&self) -> u64 {
        self.alarm.refused.load(Ordering::Relaxed)
    }

    /// Gives an input; see [`Self::give`].
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use mio::{Poll, Token};

    use super::*;

    /// Far longer than anything here takes, and far shorter.
    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(50);

    fn full() -> (Poll, Lanes, Arrivals) {
        let poll = Poll::new().unwrap();
        let (lanes, arrivals) = Lanes::new(Waker::new(poll.registry(), Token(0)).unwrap());
        for _ in 0..URGENT {
            lanes.give(Order::Input(Input::Timeout)).unwrap();
        }
        (poll, lanes, arrivals)
    }

    #[test]
    fn the_engine_waits_for_no_room_that_only_it_can_make() {
        let (done, told) = channel();
        thread::spawn(move || {
            let (_poll, lanes, arrivals) = full();
            arrivals.are_for_this_thread();
            let refused = lanes.give(Order::Stop).is_err();
            done.send((refused, lanes.refused())).unwrap();
        });
        assert_eq!(told.recv_timeout(LONG), Ok((true, 1)));
    }

    #[test]
    fn whoever_waits_for_room_gets_it_or_hears_that_the_engine_has_ended() {
        let (_poll, lanes, mut arrivals) = full();
        arrivals.are_for_this_thread();
        for room in [true, false] {
            let (done, told) = channel();
            let lanes = lanes.clone();
            thread::spawn(move || done.send(lanes.give(Order::Stop).is_ok()).unwrap());
            assert_eq!(told.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout), "it waits");
            match room {
                true => drop(arrivals.urgent.try_recv().unwrap()),
                false => arrivals.close(),
            }
            assert_eq!(told.recv_timeout(LONG), Ok(room));
        }
    }
}
