//! The driver's loop: commands, the clock, the sockets.

use core::{net::SocketAddr, sync::atomic::Ordering, time::Duration};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    sync::{Arc, mpsc::Receiver},
    thread,
    time::Instant,
};

use jackfield_vocabulary::{MediaCommand, MediaEvent, MediaFailure, MediaId, MediaStatistics};
use mio::{Events, Interest, Poll, Token};

use super::{
    DriverSettings, Shared,
    ports::{Pair, Ports},
    rank::Rank,
    resource::{Context, Resource},
    shelf::DriverShelf,
    wheel::{Entry, Wheel},
};
use crate::stream::StreamSeed;

pub(super) struct Run {
    settings: DriverSettings,
    poll: Poll,
    commands: Receiver<MediaCommand>,
    shared: Arc<Shared>,
    shelf: DriverShelf,
    tell: Box<dyn FnMut(MediaEvent) + Send>,
    ports: Ports,
    seeds: Seeds,
    started: Instant,
    /// When the wheel's tick zero was.
    base: Instant,
    ticks: u64,
    wheel: Wheel,
    due: Vec<Entry>,
    resources: Vec<Option<Resource>>,
    free: Vec<usize>,
    places: HashMap<MediaId, usize>,
    /// The RTP ports of the resources.
    own: HashSet<u16>,
    generation: u32,
    events: Option<Events>,
    /// Sockets that were not read to the end.
    unread: VecDeque<Token>,
}

impl Run {
    pub(super) fn new(
        settings: DriverSettings,
        poll: Poll,
        commands: Receiver<MediaCommand>,
        shared: Arc<Shared>,
        shelf: DriverShelf,
        tell: Box<dyn FnMut(MediaEvent) + Send>,
    ) -> Self {
        let now = Instant::now();
        Self {
            ports: Ports::new(settings.bind, settings.ports.clone(), settings.seed),
            seeds: Seeds(settings.seed),
            settings,
            poll,
            commands,
            shared,
            shelf,
            tell,
            started: now,
            base: now,
            ticks: 0,
            wheel: Wheel::new(),
            due: Vec::new(),
            resources: Vec::new(),
            free: Vec::new(),
            places: HashMap::new(),
            own: HashSet::new(),
            generation: 0,
            events: Some(Events::with_capacity(EVENTS)),
            unread: VecDeque::new(),
        }
    }

    pub(super) fn run(mut self) {
        match Rank::claim() {
            Rank::RealTime => tracing::info!("the media clock runs in real time"),
            rank => tracing::info!(
                media.rank = %rank,
                "the media clock may not run in real time: packets go out late while the machine is busy"
            ),
        }
        while !self.shared.stopping.load(Ordering::SeqCst) {
            self.take_commands();
            let result = if self.wheel.is_empty() { self.sleep() } else { self.work() };
            if let Err(error) = result
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the media driver can't wait for its sockets");
                thread::sleep(SLOT);
            }
        }
        for media in self.places.keys().copied().collect::<Vec<_>>() {
            self.release(media);
        }
    }

    /// Nothing is connected: waits for a command.
    fn sleep(&mut self) -> io::Result<()> {
        let result = self.wait_for_sockets(None);
        // The clock has nothing to catch up with.
        self.base = Instant::now();
        self.ticks = 0;
        result
    }

    /// The next slot of the clock in which something is due, then the sockets; or only the
    /// sockets and commands, where there is time for them before.
    fn work(&mut self) -> io::Result<()> {
        let next = self.wheel.next();
        let due = self.slot(next);
        let wait = due.saturating_duration_since(Instant::now());
        if wait >= SLOT * 2 {
            // The timeout of `poll` is rounded up to whole milliseconds.
            return self.wait_for_sockets(Some(wait - SLOT));
        }
        if !wait.is_zero() {
            thread::sleep(wait);
        }
        self.step(next);
        self.tick(next, due);
        let result = self.poll_sockets(Some(Duration::ZERO));
        self.read_sockets();
        let late = due.elapsed();
        if late > LATEST {
            self.set_anew(late);
        }
        result
    }

    /// The machine stood still: the timeline goes on from here instead of a burst. What passed is
    /// told by the timestamps, so that nobody takes the rest of the call for late.
    fn set_anew(&mut self, late: Duration) {
        let slots = (late.as_micros() / SLOT.as_micros()) as u32;
        self.base += SLOT * slots;
        for resource in self.resources.iter_mut().flatten() {
            resource.pass(slots);
        }
        self.shared.figures.clock_reset();
        tracing::warn!(media.late_ms = slots, "the media clock stood still");
    }

    /// When the slot so many ticks from now is.
    fn slot(&self, ticks: u64) -> Instant {
        self.base + SLOT * (self.ticks + ticks) as u32
    }

    /// Whether a stream waits for its packet to be sent.
    fn is_due(&self) -> bool {
        !self.wheel.is_empty() && self.slot(self.wheel.next()) <= Instant::now()
    }

    /// Waits for datagrams, or for somebody who gives a command.
    fn wait_for_sockets(&mut self, wait: Option<Duration>) -> io::Result<()> {
        self.shared.idle.store(true, Ordering::SeqCst);
        if let Ok(command) = self.commands.try_recv() {
            self.shared.idle.store(false, Ordering::SeqCst);
            self.command(command);
            return Ok(());
        }
        self.release_late();
        let result = self.poll_sockets(wait);
        self.shared.idle.store(false, Ordering::SeqCst);
        self.read_sockets();
        result
    }

    /// Lets the clock pass the slots before now in which nothing is due.
    fn catch_up(&mut self) {
        let passed = (self.base.elapsed().as_micros() / SLOT.as_micros()) as u64;
        let empty = self.wheel.next() - 1;
        let steps = passed.saturating_sub(self.ticks).min(empty);
        if steps > 0 {
            self.wheel.advance(steps, &mut self.due);
            self.step(steps);
        }
    }

    fn step(&mut self, ticks: u64) {
        self.ticks += ticks;
        if self.ticks >= u64::from(u32::MAX / 2) {
            self.base += SLOT * self.ticks as u32;
            self.ticks = 0;
        }
    }

    /// First every packet of the slot goes out, so that none waits for what is heard on another call.
    fn tick(&mut self, ticks: u64, slot: Instant) {
        let mut due = core::mem::take(&mut self.due);
        self.wheel.advance(ticks, &mut due);
        for entry in &due {
            let late = Instant::now().saturating_duration_since(slot);
            self.with_due(entry, late, Resource::send);
        }
        for entry in due.drain(..) {
            let next = self.with_due(&entry, Duration::ZERO, Resource::hear);
            if let Some(after) = next.flatten() {
                self.wheel.put(after, entry);
            }
        }
        self.due = due;
    }

    /// As [`Self::with`], unless the place was given to another resource meanwhile.
    fn with_due<T>(
        &mut self,
        entry: &Entry,
        late: Duration,
        act: impl FnOnce(&mut Resource, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let act = |resource: &mut Resource, context: &mut Context<'_>| {
            (resource.generation == entry.generation).then(|| act(resource, context))
        };
        self.with(entry.index, late, act).flatten()
    }

    /// Takes commands until the clock is due: each may open sockets or look for prompts, and a
    /// hundred calls may begin at once.
    fn take_commands(&mut self) {
        for _ in 0..COMMANDS {
            let Ok(command) = self.commands.try_recv() else { return self.release_late() };
            self.command(command);
            if self.is_due() {
                return;
            }
        }
    }

    /// Everything that was ordered before has been done.
    fn release_late(&mut self) {
        let late = core::mem::take(&mut *self.shared.late_releases());
        late.into_iter().for_each(|media| self.release(media));
    }

    fn command(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Allocate { media } => self.allocate(media),
            MediaCommand::Release { media } => self.release(media),
            MediaCommand::Connect { media, target } => {
                let starts = self.order(media, |it, context| it.connect(target, context));
                if let (Some(true), Some(index)) = (starts, self.places.get(&media).copied()) {
                    self.catch_up();
                    self.wheel.put_spread(Entry { index, generation: self.generation_of(index) });
                }
            }
            MediaCommand::Play { media, play, items, barge_in } => {
                self.order(media, |it, context| it.play(play, items, barge_in, context));
            }
            MediaCommand::StopPlay { media } => {
                self.order(media, Resource::stop_play);
            }
            MediaCommand::Record { media, recording, limit, until_digit } => {
                self.order(media, |it, context| it.record(recording, limit, until_digit, context));
            }
            MediaCommand::StopRecord { media } => {
                self.order(media, Resource::stop_record);
            }
        }
    }

    fn allocate(&mut self, media: MediaId) {
        if let Some(resource) = self.places.get(&media).and_then(|at| self.resources[*at].as_ref())
        {
            let local = resource.local;
            return (self.tell)(MediaEvent::Allocated { media, local });
        }
        let event = match self.open(media) {
            Ok(local) => MediaEvent::Allocated { media, local },
            Err(failure) => MediaEvent::Failed { media, failure },
        };
        (self.tell)(event);
    }

    fn open(&mut self, media: MediaId) -> Result<SocketAddr, MediaFailure> {
        if self.places.len() >= self.settings.resources {
            return Err(MediaFailure::Limit);
        }
        let Pair { mut rtp, mut rtcp, port } = self.ports.open()?;
        let index = self.free.last().copied().unwrap_or(self.resources.len());
        let registry = self.poll.registry();
        registry
            .register(&mut rtp, Token(index * 2), Interest::READABLE)
            .and_then(|()| registry.register(&mut rtcp, Token(index * 2 + 1), Interest::READABLE))
            .map_err(|error| {
                tracing::error!(%error, "an RTP socket can't be waited for");
                MediaFailure::Socket
            })?;
        self.generation = self.generation.wrapping_add(1);
        let local = SocketAddr::new(self.settings.advertised, port);
        let seed = self.seeds.stream();
        let resource = Resource::new(media, local, self.generation, (rtp, rtcp), seed);
        if self.free.pop().is_some() {
            self.resources[index] = Some(resource);
        } else {
            self.resources.push(Some(resource));
        }
        self.places.insert(media, index);
        self.own.insert(port);
        Ok(local)
    }

    fn release(&mut self, media: MediaId) {
        let Some(index) = self.places.get(&media).copied() else {
            // Whoever waits for this event shall not wait for ever.
            let statistics = MediaStatistics::default();
            return (self.tell)(MediaEvent::Released { media, statistics });
        };
        self.with(index, Duration::ZERO, Resource::release);
        self.places.remove(&media);
        self.free.push(index);
        if let Some(mut resource) = self.resources[index].take() {
            self.own.remove(&resource.local.port());
            let registry = self.poll.registry();
            // The sockets are closed right away, which deregisters them too.
            let _ = registry.deregister(&mut resource.rtp);
            let _ = registry.deregister(&mut resource.rtcp);
        }
    }

    /// Carries out an order on a resource, or tells that it is not there.
    fn order<T>(
        &mut self,
        media: MediaId,
        act: impl FnOnce(&mut Resource, &mut Context<'_>) -> T,
    ) -> Option<T> {
        match self.places.get(&media).copied() {
            Some(index) => self.with(index, Duration::ZERO, act),
            None => {
                let failure = MediaFailure::Missing;
                (self.tell)(MediaEvent::Failed { media, failure });
                None
            }
        }
    }

    fn with<T>(
        &mut self,
        index: usize,
        late: Duration,
        act: impl FnOnce(&mut Resource, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let resource = self.resources.get_mut(index)?.as_mut()?;
        let mut context = Context {
            now: self.started.elapsed(),
            late,
            settings: &self.settings,
            own: &self.own,
            shelf: &self.shelf,
            shared: &self.shared,
            tell: &mut *self.tell,
        };
        Some(act(resource, &mut context))
    }

    fn poll_sockets(&mut self, wait: Option<Duration>) -> io::Result<()> {
        if self.unread.len() >= EVENTS {
            return Ok(());
        }
        let Some(mut events) = self.events.take() else { return Ok(()) };
        let wait = if self.unread.is_empty() { wait } else { Some(Duration::ZERO) };
        let result = self.poll.poll(&mut events, wait);
        if result.is_ok() {
            let tokens = events.iter().map(mio::event::Event::token);
            self.unread.extend(tokens.filter(|token| *token != WAKER));
        }
        self.events = Some(events);
        result
    }

    /// Reads what is there, in turn and within bounds: a flood costs its own call first, and the
    /// clock goes before it.
    fn read_sockets(&mut self) {
        for turn in 0..self.unread.len() {
            if turn >= SOCKETS && self.is_due() {
                return;
            }
            let Some(token) = self.unread.pop_front() else { return };
            let more = self.with(token.0 / 2, Duration::ZERO, |resource, context| {
                (0..READS).all(|_| match token.0 % 2 {
                    0 => resource.read_rtp(context),
                    _ => resource.read_rtcp(context),
                })
            });
            if more == Some(true) && self.unread.len() < EVENTS {
                self.unread.push_back(token);
            }
        }
    }

    fn generation_of(&self, index: usize) -> u32 {
        self.resources[index].as_ref().map_or(0, |resource| resource.generation)
    }
}

/// Numbers for new streams (SplitMix64).
#[derive(Debug)]
struct Seeds(u64);

impl Seeds {
    fn stream(&mut self) -> StreamSeed {
        let (first, second) = (self.next(), self.next());
        StreamSeed { ssrc: first as u32, sequence: second as u16, timestamp: (first >> 32) as u32 }
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

/// The token of the waker; no resource has it.
pub(super) const WAKER: Token = Token(usize::MAX);

/// The clock's slots.
pub(super) const SLOT: Duration = Duration::from_millis(1);

/// Beyond this the clock is set anew.
const LATEST: Duration = Duration::from_millis(200);

/// Readiness events taken at a time.
const EVENTS: usize = 1_024;

/// Commands taken in one slot at the most.
const COMMANDS: usize = 256;

/// Sockets that are read in each slot however late it is.
const SOCKETS: usize = 16;

/// Datagrams read from one socket at a time.
const READS: usize = 16;
