//! Real sockets for one phone or thousands, on one thread: SIP over shared UDP sockets or a
//! connection each, files by TFTP and HTTP, RTP while there are calls.

mod audio;
mod files;
mod signals;
mod stamped;
mod timers;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use jackfield_sip::Now;
use mio::{Events, Poll, Token, Waker};

use crate::interface::{CallNumber, PhoneCommand, PhoneEvent, PhoneInput, PhoneOutput};
use crate::phone::Phone;
use crate::settings::PhoneSettings;
use crate::sound::Hearing;

use audio::{AudioSlot, RtpSource};
use files::{HttpSource, TftpSource};
use signals::{TcpSource, UdpSource};
pub(crate) use stamped::Noting;
use timers::{Timers, Wake};

/// Who plays with the phones: a test, a person, a scenario.
pub(crate) trait Conductor {
    /// Something happened to a phone.
    fn event(&mut self, now: Now, phone: usize, event: &PhoneEvent, orders: &mut Vec<Order>);

    /// The moment asked for has come, or somebody rang: what now, and when again?
    fn wake(&mut self, now: Now, orders: &mut Vec<Order>) -> Option<Now>;

    /// Has all been seen?
    fn is_done(&self) -> bool;
}

/// What a conductor wants.
pub(crate) enum Order {
    /// Somebody does something with a phone.
    Command(usize, PhoneCommand),
    /// What was heard in a phone's present or last call?
    Hear(usize, Sender<Hearing>),
    /// What does a phone look like?
    Look(usize, Sender<Look>),
    /// Forget what was heard so far.
    Listen(usize),
    /// Ask again at this time.
    Wake(Now),
}

/// What a phone looks like from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    pub(crate) display: Vec<String>,
    pub(crate) registered: Vec<String>,
    pub(crate) in_service: bool,
}

/// The thread's state.
pub(crate) struct Driver<C> {
    poll: Poll,
    conductor: C,
    sources: HashMap<Token, Source>,
    next_token: usize,
    slots: Vec<Slot>,
    by_mac: HashMap<String, usize>,
    timers: Timers,
    started: Instant,
    ip: IpAddr,
    udp: Vec<Token>,
    udp_limit: usize,
    inbox: Vec<(usize, PhoneInput)>,
    orders: Vec<Order>,
    /// Calls with a socket for sound.
    sounding: usize,
}

/// One phone and what it holds.
pub(crate) struct Slot {
    phone: Phone,
    signal: Signal,
    audio: BTreeMap<CallNumber, AudioSlot>,
    /// What was heard in the call before.
    heard: Hearing,
    timer: Option<Now>,
}

/// The way of a phone to its server.
enum Signal {
    None,
    Udp { socket: Token, server: SocketAddr },
    Tcp(Token),
}

enum Source {
    Waker,
    Udp(UdpSource),
    Tcp(TcpSource),
    Tftp(TftpSource),
    Http(HttpSource),
    Rtp(RtpSource),
}

/// Rings at a driver from another thread.
pub(crate) type Bell = std::sync::Arc<Waker>;

impl<C: Conductor> Driver<C> {
    /// A driver for these phones; nothing happens before [`Self::run`].
    pub(crate) fn new(
        phones: Vec<PhoneSettings>,
        udp_sockets: usize,
        conductor: C,
    ) -> io::Result<(Self, Bell)> {
        let poll = Poll::new()?;
        let bell = std::sync::Arc::new(Waker::new(poll.registry(), Token(0))?);
        let server = phones.first().map_or([127, 0, 0, 1].into(), |phone| phone.server);
        let by_mac = phones.iter().enumerate();
        let by_mac = by_mac.map(|(index, phone)| (phone.mac.to_string(), index)).collect();
        let driver = Self {
            poll,
            conductor,
            sources: HashMap::from([(Token(0), Source::Waker)]),
            next_token: 1,
            slots: phones.into_iter().map(Slot::new).collect(),
            by_mac,
            timers: Timers::default(),
            started: Instant::now(),
            ip: local_ip(server)?,
            udp: Vec::new(),
            udp_limit: udp_sockets.max(1),
            inbox: Vec::new(),
            orders: Vec::new(),
            sounding: 0,
        };
        Ok((driver, bell))
    }

    /// Runs until the conductor has seen all.
    pub(crate) fn run(mut self) -> io::Result<C> {
        let mut events = Events::with_capacity(1024);
        self.wake_conductor();
        self.settle();
        while !self.conductor.is_done() {
            let now = self.now();
            let wait = self.timers.next().map_or(IDLE, |due| due.since(now));
            let wait = self.gather(wait);
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                self.ready(event.token(), event.is_writable());
            }
            self.due();
            self.settle();
        }
        Ok(self.conductor)
    }

    /// With many calls packets come all the time. Those of a slot are taken together, as the server
    /// does, for whoever sends one on the same machine would pay for waking us; the kernel notes
    /// when each of them came.
    fn gather(&self, wait: Duration) -> Duration {
        if self.sounding < MANY {
            return wait;
        }
        std::thread::sleep(wait.min(SLOT));
        Duration::ZERO
    }

    fn now(&self) -> Now {
        Now(self.started.elapsed())
    }

    fn ready(&mut self, token: Token, writable: bool) {
        let Some(source) = self.sources.remove(&token) else { return };
        let kept = match source {
            Source::Waker => {
                self.wake_conductor();
                Some(Source::Waker)
            }
            Source::Udp(socket) => Some(self.udp_ready(socket)),
            Source::Tcp(stream) => self.tcp_ready(stream, writable),
            Source::Tftp(tftp) => self.tftp_ready(token, tftp),
            Source::Http(http) => self.http_ready(http, writable),
            Source::Rtp(rtp) => Some(self.rtp_ready(rtp)),
        };
        if let Some(source) = kept {
            self.sources.insert(token, source);
        }
    }

    /// Does everything whose time has come.
    fn due(&mut self) {
        let now = self.now();
        while let Some(wake) = self.timers.take(now) {
            match wake {
                Wake::Phone(index) => {
                    let slot = &mut self.slots[index];
                    slot.timer = None;
                    if slot.phone.next_timeout().is_some_and(|due| due <= now) {
                        self.inbox.push((index, PhoneInput::Timeout));
                    } else {
                        self.set_timer(index);
                    }
                }
                Wake::Rtp(index, call) => self.rtp_due(index, call),
                Wake::Tftp(token) => self.tftp_due(token),
                Wake::Http(token) => self.http_due(token),
                Wake::Conductor => self.wake_conductor(),
            }
        }
    }

    /// Carries inputs and orders until nothing is left.
    fn settle(&mut self) {
        loop {
            for order in core::mem::take(&mut self.orders) {
                self.order(order);
            }
            if self.inbox.is_empty() {
                return;
            }
            for (index, input) in core::mem::take(&mut self.inbox) {
                self.feed(index, input);
            }
        }
    }

    fn feed(&mut self, index: usize, input: PhoneInput) {
        let now = self.now();
        let mut out = Vec::new();
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.phone.handle(now, input, &mut out);
        for output in out {
            self.output(index, output);
        }
        self.set_timer(index);
    }

    fn set_timer(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        let Some(due) = slot.phone.next_timeout() else { return };
        if slot.timer.is_none_or(|timer| due < timer) {
            slot.timer = Some(due);
            self.timers.set(due, Wake::Phone(index));
        }
    }

    fn output(&mut self, index: usize, output: PhoneOutput) {
        match output {
            PhoneOutput::Fetch(request) => self.fetch(index, request),
            PhoneOutput::Connect { transport, server } => self.connect(index, transport, server),
            PhoneOutput::Transmit(bytes) => self.transmit(index, &bytes),
            PhoneOutput::Disconnect => self.disconnect(index),
            PhoneOutput::Audio { call, order } => self.audio(index, call, order),
            PhoneOutput::Event(event) => {
                let now = self.now();
                tracing::trace!(phone.mac = %self.slots[index].phone.settings().mac, ?event, "phone event");
                self.conductor.event(now, index, &event, &mut self.orders);
            }
        }
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Command(index, command) => {
                self.inbox.push((index, PhoneInput::Command(command)));
            }
            Order::Hear(index, answer) => {
                let hearing = self.slots.get(index).map(Slot::hearing).unwrap_or_default();
                // Nobody may be waiting any more.
                let _ = answer.send(hearing);
            }
            Order::Look(index, answer) => {
                let look = self.slots.get(index).map(Slot::look).unwrap_or_default();
                let _ = answer.send(look);
            }
            Order::Listen(index) => {
                if let Some(slot) = self.slots.get_mut(index) {
                    slot.heard = Hearing::default();
                    slot.audio.values_mut().for_each(AudioSlot::listen_again);
                }
            }
            Order::Wake(at) => self.timers.set(at, Wake::Conductor),
        }
    }

    fn wake_conductor(&mut self) {
        let now = self.now();
        if let Some(again) = self.conductor.wake(now, &mut self.orders) {
            // Never at once: others have their turn in between.
            self.timers.set(again.max(now + Duration::from_millis(1)), Wake::Conductor);
        }
    }

    fn token(&mut self) -> Token {
        let token = Token(self.next_token);
        self.next_token += 1;
        token
    }
}

impl Slot {
    fn new(settings: PhoneSettings) -> Self {
        Self {
            phone: Phone::new(settings),
            signal: Signal::None,
            audio: BTreeMap::new(),
            heard: Hearing::default(),
            timer: None,
        }
    }

    fn hearing(&self) -> Hearing {
        match self.audio.values().next_back() {
            Some(audio) => audio.hearing().clone(),
            None => self.heard.clone(),
        }
    }

    fn look(&self) -> Look {
        Look {
            display: self.phone.display().to_vec(),
            registered: self.phone.registered(),
            in_service: self.phone.is_in_service(),
        }
    }
}

/// Our address on the way to the server.
fn local_ip(server: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match server {
        IpAddr::V4(_) => [0, 0, 0, 0].into(),
        IpAddr::V6(_) => [0_u16; 8].into(),
    };
    let probe = std::net::UdpSocket::bind((any, 0))?;
    // Nothing is sent: connecting only chooses the way.
    probe.connect((server, 9))?;
    Ok(probe.local_addr()?.ip())
}

/// Looks around at least so often.
const IDLE: Duration = Duration::from_secs(1);

/// With so many calls packets are taken together, and so long is a slot.
const MANY: usize = 20;
const SLOT: Duration = Duration::from_millis(1);
