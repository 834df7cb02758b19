//! The thread that owns the engine, its datagram socket and its clock. It reads a batch of
//! datagrams, hands them to the engine one by one, does what comes out, and sleeps until there is
//! more or a timer is due.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use jackfield_engine::{Engine, Input, Output};
use jackfield_sip::{Flow, Transport};
use jackfield_vocabulary::Now;
use mio::{Events, Interest, Poll, Token, Waker};
use tokio::runtime::Handle;

use super::clock::Clock;
use super::figures::{Counted, Figures};
use super::gather::Gather;
use super::lanes::{Arrivals, Lanes, Order};
use super::load::Load;
use super::outputs::Outputs;
use super::quarantine::Quarantine;
use super::streams::{Outbox, Streams};
use super::udp::Datagrams;

const DATAGRAMS: Token = Token(0);
const WAKER: Token = Token(1);
/// Orders of one lane handled before the socket is looked at again.
const TURN: usize = 256;
/// The exit code after a panic of the engine (EX_SOFTWARE).
const PANICKED: i32 = 70;
/// Sleep at the most: a safety net, not a clock.
const NAP: Duration = Duration::from_secs(5);

/// What the loop drives: the engine, or in a test one that fails on purpose.
pub(crate) trait Machine: Send + 'static {
    /// Takes one input and pushes all that follows from it to `out`.
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>);
    /// When `Input::Timeout` is due.
    fn next_timeout(&self) -> Option<Now>;
}

impl Machine for Engine {
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        Self::handle(self, now, input, out);
    }

    fn next_timeout(&self) -> Option<Now> {
        Self::next_timeout(self)
    }
}

/// What the loop starts with.
pub(crate) struct LoopSettings {
    /// Where SIP datagrams are received.
    pub(crate) sip: SocketAddr,
    /// The address by which phones know this node, when `sip` names none.
    pub(crate) advertised: IpAddr,
    /// Where messages that ended a process are remembered.
    pub(crate) quarantine: PathBuf,
}

/// A poll with its lanes, made first of all so that the store can hold them.
pub(crate) struct Unbound {
    poll: Poll,
    arrivals: Arrivals,
}

/// A poll with its socket and lanes, made before the engine.
pub(crate) struct Prepared {
    poll: Poll,
    datagrams: Datagrams,
    arrivals: Arrivals,
    settings: LoopSettings,
    figures: Arc<Figures>,
}

impl Prepared {
    /// What the loop will count.
    pub(crate) fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.figures)
    }
}

/// Makes the lanes.
pub(crate) fn prepare() -> Result<(Unbound, Lanes)> {
    let poll = Poll::new().context("making the poll of the engine's loop")?;
    let (lanes, arrivals) = Lanes::new(Waker::new(poll.registry(), WAKER)?);
    Ok((Unbound { poll, arrivals }, lanes))
}

impl Unbound {
    /// Binds the socket.
    pub(crate) fn bind(self, settings: LoopSettings) -> Result<(Prepared, SocketAddr)> {
        let Self { poll, arrivals } = self;
        let mut datagrams = Datagrams::bind(settings.sip)
            .with_context(|| format!("binding SIP over UDP to {}", settings.sip))?;
        poll.registry().register(datagrams.socket_mut(), DATAGRAMS, Interest::READABLE)?;
        let local = datagrams.local();
        let figures = Arc::default();
        Ok((Prepared { poll, datagrams, arrivals, settings, figures }, local))
    }
}

/// The running loop.
pub(crate) struct EngineThread {
    lanes: Lanes,
    thread: Option<JoinHandle<()>>,
}

impl EngineThread {
    /// Starts the thread.
    pub(crate) fn start(
        prepared: Prepared,
        lanes: Lanes,
        engine: impl Machine,
        clock: Clock,
        outputs: Outputs,
        streams: Streams,
        runtime: Handle,
    ) -> Result<Self> {
        let quarantine = Quarantine::load(prepared.settings.quarantine.clone());
        let mut engine_loop = Loop {
            prepared,
            engine,
            clock,
            outputs,
            streams,
            runtime,
            connections: HashMap::new(),
            quarantine,
            out: Vec::new(),
            suspect: Vec::new(),
            load: Load::default(),
            behind: false,
            gather: Gather::default(),
            stopping: false,
        };
        let thread = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || {
                let ended = catch_unwind(AssertUnwindSafe(|| engine_loop.run()));
                if ended.is_err() {
                    engine_loop.give_up();
                }
            })
            .context("starting the engine's thread")?;
        Ok(Self { lanes, thread: Some(thread) })
    }

    /// Stops the loop and waits for it.
    pub(crate) fn stop(&mut self) {
        let _ = self.lanes.give(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Loop<M> {
    prepared: Prepared,
    engine: M,
    clock: Clock,
    outputs: Outputs,
    streams: Streams,
    runtime: Handle,
    connections: HashMap<u64, Outbox>,
    quarantine: Quarantine,
    out: Vec<Output>,
    /// The message in the engine's hands, kept in case it kills the process.
    suspect: Vec<u8>,
    load: Load,
    behind: bool,
    gather: Gather,
    stopping: bool,
}

impl<M: Machine> Loop<M> {
    fn run(&mut self) {
        self.prepared.arrivals.are_for_this_thread();
        let mut events = Events::with_capacity(8);
        while !self.stopping {
            let busy = self.orders() | self.datagrams() | self.timers();
            self.prepared.datagrams.flush();
            if busy {
                self.gather();
            } else {
                self.sleep(&mut events);
            }
        }
        // What is written last may need somebody who waits for room here.
        self.prepared.arrivals.close();
        self.outputs.finish();
    }

    /// Handles what waits in the lanes; the urgent one first and whole.
    fn orders(&mut self) -> bool {
        let mut any = false;
        for _ in 0..TURN {
            let Ok(order) = self.prepared.arrivals.urgent.try_recv() else { break };
            any = true;
            self.order(order);
        }
        for _ in 0..TURN {
            let Ok(order) = self.prepared.arrivals.ordinary.try_recv() else { break };
            any = true;
            self.order(order);
        }
        any
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Input(input) => self.input(input),
            Order::StreamOpened { connection, outbox } => {
                self.connections.insert(connection, outbox);
            }
            Order::StreamClosed { connection, flow } => {
                self.connections.remove(&connection);
                self.input(Input::FlowClosed { flow });
            }
            Order::Stop => self.stopping = true,
        }
    }

    /// Reads one batch of datagrams.
    fn datagrams(&mut self) -> bool {
        let count = match self.prepared.datagrams.receive() {
            Ok(count) => count,
            Err(error) => {
                tracing::error!(error.cause = %error, "the SIP socket can't be read");
                0
            }
        };
        for index in 0..count {
            let (remote, message) = self.prepared.datagrams.datagram(index);
            let flow = Flow {
                transport: Transport::Udp,
                local: self.local(),
                remote,
                connection: None,
                certificate: None,
            };
            self.input(Input::Sip { flow, message });
        }
        let full = count == Datagrams::BATCH;
        self.gather.batch(count, full);
        self.watch_load(full);
        count > 0
    }

    /// Tells the engine when it falls behind, and when that is over.
    fn watch_load(&mut self, full: bool) {
        let behind = self.load.batch(self.clock.now().micros, full);
        if behind != self.behind {
            self.behind = behind;
            self.input(Input::Behind(behind));
        }
    }

    fn timers(&mut self) -> bool {
        let now = self.clock.now();
        let due = self.engine.next_timeout().is_some_and(|at| at.micros <= now.micros);
        if due {
            self.input(Input::Timeout);
        }
        due
    }

    /// Hands one input to the engine and does what comes out. While it does, the message is kept
    /// apart: a panic then is that message's.
    fn input(&mut self, input: Input) {
        if let Input::Sip { message, .. } = &input {
            if self.quarantine.refuses(message) {
                return;
            }
            self.suspect.extend_from_slice(message);
        }
        let now = self.clock.now();
        self.engine.handle(now, input, &mut self.out);
        let mut out = core::mem::take(&mut self.out);
        for output in out.drain(..) {
            self.output(output);
        }
        self.out = out;
        self.suspect.clear();
    }

    /// After a panic nothing here can be trusted: the process ends, so that it can be started
    /// again. The message in hand is refused from then on, or its retransmission would end the
    /// next one.
    fn give_up(&mut self) {
        self.quarantine.add(&self.suspect);
        tracing::error!(
            process.exit_code = PANICKED,
            message.octets = self.suspect.len(),
            "the engine panicked; the process ends so that it can be started again"
        );
        crate::log::finish();
        std::process::exit(PANICKED);
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Transmit { flow, message } if flow.transport == Transport::Udp => {
                self.prepared.datagrams.queue(flow.remote, message);
            }
            Output::Transmit { flow, message } => self.send_on_stream(flow, message),
            Output::KeepStream { flow, proved } => {
                if let Some(connection) = flow.connection {
                    self.streams.keep(connection, proved);
                }
            }
            Output::LeaveStream { flow } => {
                if let Some(connection) = flow.connection {
                    self.streams.leave(connection);
                }
            }
            Output::Disconnect { flow } => {
                // Without its outbox the connection ends when all is written.
                if let Some(connection) = flow.connection {
                    self.connections.remove(&connection);
                }
            }
            other => self.outputs.carry(other),
        }
    }

    fn send_on_stream(&mut self, flow: Flow, message: Arc<[u8]>) {
        let Some(connection) = flow.connection else {
            let streams = self.streams.clone();
            self.runtime.spawn(async move { streams.dial(flow, message).await });
            return;
        };
        let sent = self.connections.get(&connection).map(|outbox| outbox.send(message));
        if !matches!(sent, Some(Ok(()))) {
            // Gone, or not read by the phone for a long time: it is of no use any more.
            self.connections.remove(&connection);
        }
    }

    /// Lets messages gather while they come thick, unless somebody waits for an answer to something else.
    fn gather(&mut self) {
        if self.gather.window_is_over(self.clock.now().micros) {
            self.count();
        }
        if let Some(pause) = self.gather.pause()
            && self.prepared.arrivals.urgent.is_empty()
        {
            std::thread::sleep(pause);
        }
    }

    /// Tells the metrics page.
    fn count(&self) {
        let datagrams = &self.prepared.datagrams;
        self.prepared.figures.set(&Counted {
            received: datagrams.received,
            sent: datagrams.sent,
            unsent: datagrams.unsent,
            lost: datagrams.lost().unwrap_or_default(),
            quarantined: self.quarantine.refused(),
        });
    }

    fn sleep(&mut self, events: &mut Events) {
        self.count();
        let alarm = &self.prepared.arrivals.alarm;
        alarm.going_to_sleep();
        let waiting = !self.prepared.arrivals.urgent.is_empty()
            || !self.prepared.arrivals.ordinary.is_empty();
        let now = self.clock.now();
        let mut nap = match self.engine.next_timeout() {
            Some(at) => Duration::from_micros(at.micros.saturating_sub(now.micros)).min(NAP),
            None => NAP,
        };
        if waiting {
            nap = Duration::ZERO;
        } else if self.prepared.datagrams.is_backed_up() {
            nap = nap.min(Duration::from_millis(1));
        }
        // A timer is never woken for early: the poll counts in milliseconds.
        let nap = Duration::from_micros(
            u64::try_from(nap.as_micros()).unwrap_or(0).next_multiple_of(1000),
        );
        if let Err(error) = self.prepared.poll.poll(events, Some(nap))
            && error.kind() != io::ErrorKind::Interrupted
        {
            tracing::error!(error.cause = %error, "the engine's poll failed");
        }
        alarm.awake();
    }

    fn local(&self) -> SocketAddr {
        let local = self.prepared.datagrams.local();
        if local.ip().is_unspecified() {
            SocketAddr::new(self.prepared.settings.advertised, local.port())
        } else {
            local
        }
    }
}
