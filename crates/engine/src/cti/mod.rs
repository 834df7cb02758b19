//! The CTI manager: sessions of applications, the devices that they open, and the ends of calls that
//! they hold there. For calls it is the device layer of route points and ports.
//!
//! Applications inside the engine use the same sessions and commands as those outside.

mod call;
mod command;
mod digits;
mod leg;
mod media;
mod negotiate;
mod session;

use std::collections::BTreeMap;

use jackfield_vocabulary::{
    CallId, Cause, Code, ConnectionState, DeviceName, Event, ForwardReason, LegId, MediaCommand,
    MediaId, MediaTermination, ObjectId, ProvisioningOutcome, Refusal, SessionId,
    TerminalConnectionId,
};
use serde::{Deserialize, Serialize};

use crate::context::{Asker, Context, Internal, Timer};
use crate::interface::Output;
use crate::leg::{Divert, LegEvent, Told};
use call::{CtiCall, Stage};

/// The CTI manager of this node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cti {
    running: bool,
    sessions: BTreeMap<SessionId, Session>,
    opened: BTreeMap<ObjectId, Opened>,
    /// The opened devices by name.
    names: BTreeMap<DeviceName, ObjectId>,
    calls: BTreeMap<LegId, CtiCall>,
    #[serde(with = "jackfield_vocabulary::pairs")]
    terminals: BTreeMap<(CallId, ObjectId), LegId>,
    media: BTreeMap<MediaId, LegId>,
    /// Texts that wait for their time.
    texts_due: usize,
}

/// An application that signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    account: ObjectId,
    /// It runs inside the engine.
    inside: bool,
}

/// A device that applications have open.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Opened {
    name: DeviceName,
    media: MediaTermination,
    sessions: Vec<SessionId>,
    /// Those of them that take no new calls.
    paused: Vec<SessionId>,
}

impl Opened {
    fn has(&self, session: SessionId) -> bool {
        self.sessions.contains(&session)
    }

    /// Some session takes new calls.
    fn takes_calls(&self) -> bool {
        self.sessions.iter().any(|session| !self.paused.contains(session))
    }
}

impl Cti {
    /// The service starts: sessions can be made.
    pub(crate) fn start(&mut self) {
        self.running = true;
    }

    /// The service stops: every session ends.
    pub(crate) fn stop(&mut self, context: &mut Context<'_>) {
        self.running = false;
        let sessions: Vec<_> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.evict(context, session, session::stopped());
        }
    }

    /// How many sessions there are.
    pub(crate) fn sessions(&self) -> u64 {
        self.sessions.len() as u64
    }

    /// How many calls applications hold, and how many media resources.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.calls.len(), self.media.len())
    }

    /// One of the timers that this layer set has fired.
    pub(crate) fn timer(&mut self, context: &mut Context<'_>, timer: &Timer) {
        match timer {
            Timer::NewCallAccept { leg } => {
                let by = [ForwardReason::Failure, ForwardReason::NoAnswer];
                self.forward(context, *leg, &by, Cause::Rejected);
            }
            Timer::MediaAllocation { leg } | Timer::MediaAnswer { leg } => {
                self.fail(context, *leg, Cause::MediaUnavailable);
            }
            Timer::Playing { leg } => self.play_timeout(context, *leg),
            Timer::Collection { leg } => self.collection_timeout(context, *leg),
            Timer::ShowTextDue { device, text } => {
                self.texts_due = self.texts_due.saturating_sub(1);
                let (device, text, asker) = (*device, text.clone(), Asker::Nobody);
                context.tell(Internal::ShowText { device, text, asker });
            }
            _ => {}
        }
    }

    /// The device layer has told a phone what a session wanted, or could not.
    pub(crate) fn device_told(
        &mut self,
        context: &mut Context<'_>,
        asker: Asker,
        result: Result<(), Refusal>,
    ) {
        if let Asker::Session { session, request } = asker {
            self.answer(context, session, request, result);
        }
    }

    /// Provisioning tells what came of a session's command.
    pub(crate) fn provisioned(
        &self,
        context: &mut Context<'_>,
        session: SessionId,
        device: DeviceName,
        outcome: ProvisioningOutcome,
    ) {
        self.tell_session(context, session, Event::Provisioning { device, outcome });
    }

    /// Answers a command: each one once.
    fn answer(
        &self,
        context: &mut Context<'_>,
        session: SessionId,
        request: u64,
        result: Result<(), Refusal>,
    ) {
        match self.sessions.get(&session) {
            Some(Session { inside: true, .. }) => {
                context.tell(Internal::Told { session, told: Told::Answer { request, result } });
            }
            _ => context.out.push(Output::Answer { session, request, result }),
        }
    }

    /// Tells one session.
    fn tell_session(&self, context: &mut Context<'_>, session: SessionId, event: Event) {
        match self.sessions.get(&session) {
            Some(Session { inside: true, .. }) => {
                context.tell(Internal::Told { session, told: Told::Event(event) });
            }
            Some(_) => context.out.push(Output::Event { session, event }),
            None => {}
        }
    }

    /// Tells every session that has the device open.
    fn tell(&self, context: &mut Context<'_>, device: ObjectId, event: &Event) {
        for session in self.opened.get(&device).iter().flat_map(|opened| &opened.sessions) {
            self.tell_session(context, *session, event.clone());
        }
    }

    fn tell_state(
        &self,
        context: &mut Context<'_>,
        call: &CtiCall,
        state: ConnectionState,
        cause: Option<Cause>,
    ) {
        let event = Event::State { call: call.info.call.clone(), state, cause };
        self.tell(context, call.device, &event);
    }

    /// Sends a call to the first of these forwards that its line has, or ends it.
    fn forward(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        by: &[ForwardReason],
        otherwise: Cause,
    ) {
        if self.forget(context, leg, Some(otherwise)).is_some() {
            let by = by.to_vec();
            context.tell(Internal::Divert(Divert::Forward { leg, by, otherwise, why: None }));
        }
    }

    /// The node's own end of the call fails.
    fn fail(&mut self, context: &mut Context<'_>, leg: LegId, cause: Cause) {
        let Some(call) = self.forget(context, leg, Some(cause)) else { return };
        context.tell(Internal::ToCall(match call.stage {
            Stage::Connected(_) | Stage::Offering { .. } => LegEvent::Ended { leg, cause },
            _ => LegEvent::Refused { leg, cause },
        }));
    }

    /// Forgets a call: its timers end, its media is given back, and whoever sees it is told.
    fn forget(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        cause: Option<Cause>,
    ) -> Option<CtiCall> {
        let call = self.calls.remove(&leg)?;
        self.terminals.remove(&(call.info.call.call, call.device));
        let (media, waits) = call.holds();
        waits.into_iter().for_each(|wait| context.timers.cancel(wait));
        if let Some(media) = media {
            self.media.remove(&media);
            context.out.push(Output::Media(MediaCommand::Release { media }));
        }
        self.tell_state(context, &call, ConnectionState::Disconnected, cause);
        Some(call)
    }

    /// The call that an application names, when it has the device open.
    fn find(&self, session: SessionId, call: &TerminalConnectionId) -> Result<LegId, Refusal> {
        let device = self.opened_by(session, &call.device)?;
        self.terminals
            .get(&(call.call, device))
            .copied()
            .ok_or_else(|| Refusal::new(Code::NotFound).value("call", call.call))
    }

    /// The device with this name, when the session has it open.
    fn opened_by(&self, session: SessionId, name: &DeviceName) -> Result<ObjectId, Refusal> {
        let by_session =
            |device: &&ObjectId| self.opened.get(device).is_some_and(|one| one.has(session));
        self.names
            .get(name)
            .filter(by_session)
            .copied()
            .ok_or_else(|| Refusal::new(Code::NotOpened).value("device", name))
    }
}
