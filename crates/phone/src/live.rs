//! One phone on real sockets, in a thread of its own, with a handle to play with.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jackfield_sip::Now;
use jackfield_vocabulary::Digit;
use thiserror::Error;

use crate::driver::{Bell, Conductor, Driver, Look, Order};
use crate::interface::{CallNumber, CallState, PhoneCommand, PhoneEvent, Softkey, Sound};
use crate::settings::PhoneSettings;
use crate::sound::Hearing;

/// A phone that is really there.
#[derive(Debug)]
pub struct LivePhone {
    orders: Sender<Errand>,
    bell: Bell,
    events: Receiver<PhoneEvent>,
    history: Vec<PhoneEvent>,
    calls: BTreeMap<CallNumber, CallState>,
    thread: Option<JoinHandle<()>>,
}

/// Why something could not be done with a live phone.
#[derive(Debug, Error)]
pub enum LiveError {
    /// Sockets or thread could not be had.
    #[error("the phone can't be started: {0}")]
    Start(#[from] io::Error),
    /// What was waited for did not happen in time.
    #[error("waited {waited:?} for {what}; the display shows: {display}")]
    Timeout {
        /// For what.
        what: String,
        /// How long.
        waited: Duration,
        /// What the phone showed at the end.
        display: String,
    },
    /// There is no such key.
    #[error("`{0}` is no key: 0-9, *, #, A-D")]
    Key(char),
}

impl LiveError {
    /// What ended the last part of a wait ended the whole of it.
    pub(crate) fn of_wait(mut self, length: Duration) -> Self {
        if let Self::Timeout { waited, .. } = &mut self {
            *waited = length;
        }
        self
    }
}

enum Errand {
    Order(Order),
    Stop,
}

struct Handset {
    errands: Receiver<Errand>,
    events: Sender<PhoneEvent>,
    stopped: bool,
}

impl LivePhone {
    /// A phone that is plugged in at once.
    pub fn start(settings: PhoneSettings) -> Result<Self, LiveError> {
        let phone = Self::unplugged(settings)?;
        phone.command(PhoneCommand::PowerOn);
        Ok(phone)
    }

    /// A phone that waits for [`PhoneCommand::PowerOn`].
    pub fn unplugged(settings: PhoneSettings) -> Result<Self, LiveError> {
        let (orders, errands) = channel();
        let (sender, events) = channel();
        let handset = Handset { errands, events: sender, stopped: false };
        let name = format!("phone-{}", settings.mac);
        let (driver, bell) = Driver::new(vec![settings], 1, handset)?;
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            if let Err(error) = driver.run() {
                tracing::error!(%error, "phone thread ended");
            }
        })?;
        let (history, calls) = (Vec::new(), BTreeMap::new());
        Ok(Self { orders, bell, events, history, calls, thread: Some(thread) })
    }

    /// Does something with the phone.
    pub fn command(&self, command: PhoneCommand) {
        self.errand(Errand::Order(Order::Command(0, command)));
    }

    /// Dials a number.
    pub fn dial(&self, number: &str) {
        self.command(PhoneCommand::Dial(number.to_owned()));
    }

    /// Presses a key.
    pub fn press(&self, key: char) -> Result<(), LiveError> {
        let digit = Digit::try_from(key).map_err(|_| LiveError::Key(key))?;
        self.command(PhoneCommand::Press(digit));
        Ok(())
    }

    /// Presses keys one after another, as fast as they can be sent.
    pub fn press_all(&self, keys: &str) -> Result<(), LiveError> {
        keys.chars().try_for_each(|key| self.press(key))
    }

    /// Presses a softkey.
    pub fn softkey(&self, softkey: Softkey) {
        self.command(PhoneCommand::Softkey(softkey));
    }

    /// Hangs up.
    pub fn hang_up(&self) {
        self.softkey(Softkey::EndCall);
    }

    /// Plays something into the call.
    pub fn play(&self, sound: Sound) {
        self.command(PhoneCommand::Play(sound));
    }

    /// Waits for an event, and passes over those before it.
    pub fn wait_for(
        &mut self,
        what: &str,
        timeout: Duration,
        mut wanted: impl FnMut(&PhoneEvent) -> bool,
    ) -> Result<PhoneEvent, LiveError> {
        let end = Instant::now() + timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => {
                    self.note(&event);
                    if wanted(&event) {
                        return Ok(event);
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let display = self.display().join(" / ");
                    return Err(LiveError::Timeout {
                        what: what.to_owned(),
                        waited: timeout,
                        display,
                    });
                }
            }
        }
    }

    /// Waits until all lines are registered, or are already; answers the numbers.
    pub fn wait_in_service(&mut self, timeout: Duration) -> Result<Vec<String>, LiveError> {
        if !self.look().in_service {
            self.wait_for("service", timeout, |event| matches!(event, PhoneEvent::InService))?;
        }
        Ok(self.look().registered)
    }

    /// Waits until this number is registered here.
    pub fn wait_registered(&mut self, number: &str, timeout: Duration) -> Result<(), LiveError> {
        let end = Instant::now() + timeout;
        while !self.look().registered.iter().any(|found| found == number) {
            let left = end.saturating_duration_since(Instant::now());
            let what = format!("registration of {number}");
            self.wait_for(&what, left, |event| matches!(event, PhoneEvent::Registered { .. }))
                .map_err(|error| error.of_wait(timeout))?;
        }
        Ok(())
    }

    /// Waits until the newest call is as wanted, or is already.
    pub fn wait_call(
        &mut self,
        what: &str,
        timeout: Duration,
        mut wanted: impl FnMut(&CallState) -> bool,
    ) -> Result<CallState, LiveError> {
        while let Ok(event) = self.events.try_recv() {
            self.note(&event);
        }
        if let Some(state) = self.calls.values().next_back().filter(|state| wanted(state)) {
            return Ok(state.clone());
        }
        let event = self.wait_for(
            what,
            timeout,
            |event| matches!(event, PhoneEvent::Call { state, .. } if wanted(state)),
        )?;
        match event {
            PhoneEvent::Call { state, .. } => Ok(state),
            _ => Ok(CallState::Ended { reason: String::new() }),
        }
    }

    /// Waits until the call is answered.
    pub fn wait_connected(&mut self, timeout: Duration) -> Result<CallState, LiveError> {
        self.wait_call("an answered call", timeout, |state| {
            matches!(state, CallState::Connected { .. })
        })
    }

    /// Waits until the display holds this text.
    pub fn wait_display(&mut self, text: &str, timeout: Duration) -> Result<(), LiveError> {
        let shows = |lines: &[String]| lines.iter().any(|line| line.contains(text));
        if shows(&self.display()) {
            return Ok(());
        }
        let what = format!("`{text}` on the display");
        self.wait_for(
            &what,
            timeout,
            |event| matches!(event, PhoneEvent::Display(lines) if shows(lines)),
        )?;
        Ok(())
    }

    /// What the display shows.
    pub fn display(&self) -> Vec<String> {
        self.look().display
    }

    /// The numbers registered now.
    pub fn registered(&self) -> Vec<String> {
        self.look().registered
    }

    /// What was heard in the present call, or in the last one.
    pub fn heard(&self) -> Hearing {
        let (answer, heard) = channel();
        self.errand(Errand::Order(Order::Hear(0, answer)));
        heard.recv_timeout(ANSWER).unwrap_or_default()
    }

    /// Forgets what was heard, to hear what comes now.
    pub fn listen(&self) {
        self.errand(Errand::Order(Order::Listen(0)));
    }

    /// All events that were seen so far.
    pub fn history(&self) -> &[PhoneEvent] {
        &self.history
    }

    /// Unregisters, and stops the thread.
    pub fn stop(mut self) {
        self.command(PhoneCommand::PowerOff);
        // Without an answer it is stopped all the same.
        let _ =
            self.wait_for("off", Duration::from_secs(3), |event| matches!(event, PhoneEvent::Off));
    }

    fn look(&self) -> Look {
        let (answer, look) = channel();
        self.errand(Errand::Order(Order::Look(0, answer)));
        look.recv_timeout(ANSWER).unwrap_or_default()
    }

    fn note(&mut self, event: &PhoneEvent) {
        if let PhoneEvent::Call { call, state } = event {
            self.calls.insert(*call, state.clone());
        }
        self.history.push(event.clone());
    }

    fn errand(&self, errand: Errand) {
        // When the thread is gone nobody is there to do it.
        let _ = self.orders.send(errand);
        let _ = self.bell.wake();
    }
}

impl Drop for LivePhone {
    fn drop(&mut self) {
        self.errand(Errand::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was told already.
            let _ = thread.join();
        }
    }
}

impl Conductor for Handset {
    fn event(&mut self, _: Now, _: usize, event: &PhoneEvent, _: &mut Vec<Order>) {
        // When nobody listens any more nothing is lost.
        let _ = self.events.send(event.clone());
    }

    fn wake(&mut self, _: Now, orders: &mut Vec<Order>) -> Option<Now> {
        while let Ok(errand) = self.errands.try_recv() {
            match errand {
                Errand::Order(order) => orders.push(order),
                Errand::Stop => self.stopped = true,
            }
        }
        None
    }

    fn is_done(&self) -> bool {
        self.stopped
    }
}

/// How long the phone's thread may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
