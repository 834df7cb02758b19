//! The driver: one thread that owns the RTP sockets of a node and a 20 ms clock for all of them.
//!
//! Packets are sent on an absolute schedule of millisecond slots, over which the streams are
//! spread; after each slot the sockets that have something are read. A second thread codes
//! prompts that nobody has heard yet. Where RTP is accepted from: see [`Latch`](latch::Latch).

mod figures;
mod latch;
mod metronome;
mod ports;
mod rank;
mod recordings;
mod resource;
mod room;
mod run;
mod shelf;
mod wheel;

use core::{
    net::IpAddr,
    ops::RangeInclusive,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{Builder, JoinHandle},
};

use jackfield_vocabulary::{MediaCommand, MediaEvent, MediaId};
use mio::{Poll, Waker};

pub use figures::DriverFigures;
use figures::Figures;
pub use metronome::{Metronome, MetronomeReport};
pub use rank::Rank;
use recordings::Recordings;
use run::Run;
use shelf::DriverShelf;

use crate::{player::warm_up, prompts::PromptLibrary, recorder::Recording};

/// How a driver is started.
#[derive(Clone, Debug)]
pub struct DriverSettings {
    /// The address that the sockets are bound to.
    pub bind: IpAddr,
    /// The address that is told to the far side.
    pub advertised: IpAddr,
    /// RTP takes the even ports, RTCP the odd ones; without a range, any free pair.
    pub ports: Option<RangeInclusive<u16>>,
    /// Other ports of this machine to which no sound goes, as none goes to the driver's own sockets.
    pub closed: Vec<u16>,
    /// Resources at a time.
    pub resources: usize,
    /// Commands that may wait.
    pub commands: usize,
    /// After so long without RTP a resource is told to be silent.
    pub silence: Duration,
    /// Bytes of all recordings together; the oldest go first.
    pub recordings: usize,
    /// Our canonical name in RTCP.
    pub name: String,
    /// Seeds sources, sequence numbers, timestamps and the order of ports.
    pub seed: u64,
}

impl DriverSettings {
    /// The usual settings on one address.
    pub fn new(address: IpAddr, seed: u64) -> Self {
        Self {
            bind: address,
            advertised: address,
            ports: None,
            closed: Vec::new(),
            resources: 1_000,
            commands: 4_096,
            silence: Duration::from_secs(30),
            recordings: 64 << 20,
            name: "jackfield".to_owned(),
            seed,
        }
    }
}

/// Starts drivers.
#[derive(Debug)]
pub struct Driver;

impl Driver {
    /// Starts a driver; `tell` is called on its thread and must not block.
    pub fn start(
        settings: DriverSettings,
        prompts: Arc<PromptLibrary>,
        tell: impl FnMut(MediaEvent) + Send + 'static,
    ) -> io::Result<DriverHandle> {
        warm_up();
        if let Err(error) = room::make_room(settings.resources * 2) {
            tracing::debug!(%error, "the first calls may wait for room for their sockets");
        }
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), run::WAKER)?;
        let (lane, commands) = sync_channel(settings.commands.max(1));
        let shared = Arc::new(Shared {
            waker,
            idle: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            figures: Figures::default(),
            recordings: Recordings::new(settings.recordings),
            released: Mutex::default(),
        });
        let (shelf, coder) = DriverShelf::start(prompts, shared.clone())?;
        let run = Run::new(settings, poll, commands, shared.clone(), shelf, Box::new(tell));
        let driver = Builder::new().name("media".to_owned()).spawn(move || run.run())?;
        Ok(DriverHandle { lane, shared, threads: Mutex::new(vec![driver, coder]) })
    }
}

/// What others hold of a running driver; it stops when this is dropped.
#[derive(Debug)]
pub struct DriverHandle {
    lane: SyncSender<MediaCommand>,
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl DriverHandle {
    /// Gives a command; never waits. A full lane, or a driver that has stopped, gives it back: but for
    /// a release, which is carried out later, or its ports would never be free again.
    pub fn send(&self, command: MediaCommand) -> Result<(), MediaCommand> {
        match self.lane.try_send(command) {
            Ok(()) => {}
            Err(TrySendError::Full(MediaCommand::Release { media }))
                if self.shared.release_later(media) => {}
            Err(TrySendError::Full(command) | TrySendError::Disconnected(command)) => {
                self.shared.figures.command_dropped();
                return Err(command);
            }
        }
        if self.shared.idle.swap(false, Ordering::SeqCst) {
            self.wake();
        }
        Ok(())
    }

    /// What the driver has done so far.
    pub fn figures(&self) -> DriverFigures {
        self.shared.figures.read()
    }

    /// `false` once a thread of the driver has ended, by a panic or by [`DriverHandle::stop`].
    pub fn runs(&self) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        !threads.is_empty() && !threads.iter().any(JoinHandle::is_finished)
    }

    /// A recording that was made, as long as there is room for it.
    pub fn recording(&self, recording: u64) -> Option<Recording> {
        self.shared.recordings.find(recording)
    }

    /// Drops a recording.
    pub fn forget(&self, recording: u64) {
        self.shared.recordings.forget(recording);
    }

    /// Releases everything and waits for the end of the driver.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.wake();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a media thread ended by a panic");
            }
        }
    }

    fn wake(&self) {
        if let Err(error) = self.shared.waker.wake() {
            tracing::error!(%error, "the media driver can't be woken");
        }
    }
}

impl Drop for DriverHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

#[derive(Debug)]
struct Shared {
    waker: Waker,
    /// The driver sleeps until it is woken.
    idle: AtomicBool,
    stopping: AtomicBool,
    figures: Figures,
    recordings: Recordings,
    /// Resources whose release found the lane full; each is released once.
    released: Mutex<Vec<MediaId>>,
}

impl Shared {
    /// Whether there is room to remember it.
    fn release_later(&self, media: MediaId) -> bool {
        let mut late = self.late_releases();
        let room = late.len() < LATE_RELEASES;
        if room {
            late.push(media);
        }
        room
    }

    fn late_releases(&self) -> MutexGuard<'_, Vec<MediaId>> {
        self.released.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// More than there are resources and places in the lane.
const LATE_RELEASES: usize = 16_384;
