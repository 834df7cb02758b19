//! The self-provisioning IVR: an application that takes calls on a route point in its own CTI
//! session, like any other program, and has no private way into call control (SP-10).

mod calls;
mod dialogue;
mod guesses;
mod ownership;
mod script;
mod words;

use core::time::Duration;
use std::collections::BTreeMap;

use jackfield_vocabulary::share::{Figures, Pace, Places, uses};
use jackfield_vocabulary::{
    CallId, Command, MediaTermination, ObjectId, Refusal, SessionId, UnixTime,
};
use serde::{Deserialize, Serialize};

use crate::context::{Context, Internal, Timer, TimerToken};
use crate::interface::{Level, Ownership, SelfProvisioningStart};
use crate::leg::{CtiLeg, Told};
use calls::{NOWHERE, Talk};
use guesses::Guesses;
use ownership::{Tenure, Turn};
use script::Script;

/// The service, running or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ivr {
    state: State,
    /// Whether this node owns the route point.
    tenure: Tenure,
    /// Commands not answered yet.
    asked: BTreeMap<u64, Asked>,
    requests: u64,
    /// The last reason against the route point that the log was told.
    noted: Box<str>,
    /// Lines of the log about calls that are turned away.
    lines: Pace,
    /// Wrong entries, by where they come from.
    guesses: Guesses,
}

impl Default for Ivr {
    fn default() -> Self {
        Self {
            state: State::default(),
            tenure: Tenure::default(),
            asked: BTreeMap::new(),
            requests: 0,
            noted: Box::default(),
            lines: uses::TURNED_AWAY_LINES.pace(),
            guesses: Guesses::default(),
        }
    }
}

/// How far the service is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
enum State {
    /// It was not started, or was stopped.
    #[default]
    Stopped,
    /// It was started, and its settings lack something (SP-26).
    Unready { why: Box<str> },
    /// Its route point will be opened when the delay ends (SP-18), or is tried again.
    Waiting { script: Script, delay: TimerToken, until: UnixTime, why: Box<str> },
    /// It is signing in or, once it owns its route point, opening it.
    Opening { script: Script },
    /// It is signed in, and does not own its route point (SP-60).
    StandingBy { script: Script },
    /// Its route point is open. It takes calls while it owns it; those that it has go on when it
    /// does no longer.
    InService {
        script: Script,
        #[serde(with = "jackfield_vocabulary::pairs")]
        calls: BTreeMap<CallId, Talk>,
        /// The places of calls; those that leave the questions unanswered, or get no further, are idle.
        places: Places<CallId>,
    },
}

/// What a command was about, should it be refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Asked {
    RoutePoint,
    Call { call: CallId, provisioning: bool },
    Nothing,
}

impl Ivr {
    /// Starts the service; a running one starts anew with the new settings.
    pub(crate) fn start(&mut self, context: &mut Context<'_>, start: &SelfProvisioningStart) {
        self.stop(context);
        self.state = match Script::new(context.directory, start) {
            Ok(script) => {
                let seconds = u64::from(script.settings.start_delay_seconds);
                let delay = context.after(Duration::from_secs(seconds), Timer::RouteDelay);
                let until = UnixTime(context.now.wall.0 + seconds * 1000);
                State::Waiting { script, delay, until, why: "waiting".into() }
            }
            Err(why) => {
                let fields = vec![("reason", why.into())];
                context.note(Level::Warn, "self-provisioning IVR can't run", fields);
                State::Unready { why: why.into() }
            }
        };
    }

    /// Stops the service: its calls drop at once (SP-18). Assignments under way go on.
    pub(crate) fn stop(&mut self, context: &mut Context<'_>) {
        match core::mem::take(&mut self.state) {
            State::Stopped | State::Unready { .. } => return,
            State::Waiting { delay, .. } => context.timers.cancel(delay),
            State::Opening { script } | State::StandingBy { script } => {
                self.tenure.give_up(context, script.device);
            }
            State::InService { script, calls, .. } => {
                self.tenure.give_up(context, script.device);
                for talk in calls.into_values() {
                    context.timers.cancel(talk.limit);
                    self.send(context, None, vec![Command::Drop { call: talk.dialogue.call }]);
                }
            }
        }
        self.asked.clear();
        context.tell(Internal::Session { session: SELF_PROVISIONING, account: None });
    }

    /// Takes what the CTI manager tells the session.
    pub(crate) fn told(&mut self, context: &mut Context<'_>, told: Told) {
        match told {
            Told::Answer { request: 0, result } => self.signed_in(context, result),
            Told::Answer { request, result } => self.answered(context, request, result),
            Told::Event(event) => self.event(context, event),
        }
    }

    /// The shell says who owns a route point.
    pub(crate) fn owned(
        &mut self,
        context: &mut Context<'_>,
        device: ObjectId,
        ownership: Ownership,
    ) {
        if self.script().is_none_or(|script| script.device != device) {
            return;
        }
        let before = self.tenure.owner().map(Box::<str>::from);
        match self.tenure.told(context, ownership) {
            Turn::Same => {}
            Turn::Gained => self.take_over(context),
            Turn::Lost => self.stand_by(context),
        }
        if let Some(node) = self.tenure.owner()
            && before.as_deref() != Some(node)
        {
            let fields = vec![("node", node.to_owned())];
            context.note(Level::Info, "self-provisioning IVR stands by for another node", fields);
        }
    }

    /// Lets the route point go when the time for which this node owns it is over; to be asked
    /// before anything else is handled, since a timer may be late.
    pub(crate) fn watch_ownership(&mut self, context: &mut Context<'_>) {
        if self.tenure.is_over(context.now) {
            self.ownership_ended(context);
        }
    }

    /// Why a call to the route point is turned away, when this node does not own it.
    pub(crate) fn turned_away(
        &mut self,
        context: &mut Context<'_>,
        told: &CtiLeg,
    ) -> Option<Box<str>> {
        let CtiLeg::Offered { offer, calling } = told else { return None };
        let script = match &self.state {
            State::StandingBy { script } => script,
            State::InService { script, .. } if !self.tenure.is_own() => script,
            _ => return None,
        };
        if script.device != offer.device {
            return None;
        }
        context.count("ivr-calls-while-standing-by");
        let why = self.tenure.words();
        let source = calling.as_ref().map_or(NOWHERE, |calling| calling.source);
        if let Some(untold) = self.lines.take(context.now, source) {
            let mut fields = vec![("ivr.state", why.to_string())];
            if untold > 0 {
                fields.push(("calls.untold", untold.to_string()));
            }
            let text =
                "a call was turned away: this node does not own the self-provisioning number";
            context.note(Level::Warn, text, fields);
        }
        Some(format!("self-provisioning is {why}").into())
    }

    /// One of the timers that the service set has fired.
    pub(crate) fn timer(&mut self, context: &mut Context<'_>, timer: &Timer) {
        if *timer == Timer::OwnershipEnd {
            return self.ownership_ended(context);
        }
        match (timer, core::mem::take(&mut self.state)) {
            (Timer::RouteDelay, State::Waiting { script, .. }) => {
                let account = Some(script.account);
                self.state = State::Opening { script };
                context.tell(Internal::Session { session: SELF_PROVISIONING, account });
            }
            (Timer::IvrCall { call }, State::InService { script, calls, places }) => {
                let dropped = calls.get(call).map(|talk| talk.dialogue.call.clone());
                self.state = State::InService { script, calls, places };
                let drop = dropped.map(|call| Command::Drop { call });
                self.send(context, None, drop.into_iter().collect());
            }
            (_, state) => self.state = state,
        }
    }

    /// The state in words: `stopped`, `waiting`, `in-service`, or why not.
    pub(crate) fn state(&self) -> Box<str> {
        match &self.state {
            State::Stopped => "stopped".into(),
            State::Unready { why } | State::Waiting { why, .. } => why.clone(),
            State::Opening { .. } => "waiting".into(),
            State::InService { .. } if self.tenure.is_own() => "in-service".into(),
            State::StandingBy { .. } | State::InService { .. } => self.tenure.words(),
        }
    }

    /// When its start delay ends, or it tries again.
    pub(crate) fn starts(&self) -> Option<UnixTime> {
        match &self.state {
            State::Waiting { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// The other node for which it stands by.
    pub(crate) fn owner(&self) -> Option<Box<str>> {
        self.tenure.owner().map(Into::into)
    }

    /// It owns its route point.
    pub(crate) fn owns(&self) -> bool {
        self.tenure.is_own()
    }

    /// How many callers there are.
    pub(crate) fn calls(&self) -> u64 {
        match &self.state {
            State::InService { calls, .. } => calls.len() as u64,
            _ => 0,
        }
    }

    /// What the limits by source have come to.
    pub(crate) fn figures(&self) -> Vec<Figures> {
        let calls = match &self.state {
            State::InService { places, .. } => Some(uses::IVR_CALLS.figures(places)),
            _ => None,
        };
        let lines = uses::TURNED_AWAY_LINES.figures(&self.lines);
        calls.into_iter().chain([lines]).chain(self.guesses.figures()).collect()
    }

    fn signed_in(&mut self, context: &mut Context<'_>, result: Result<(), Refusal>) {
        if let Err(refusal) = result {
            return self.try_later(context, &refusal);
        }
        match core::mem::take(&mut self.state) {
            State::Opening { script } => {
                self.tenure.ask(context, script.device);
                self.state = State::StandingBy { script };
            }
            other => self.state = other,
        }
    }

    /// This node owns the route point: it is opened, or takes new calls again.
    fn take_over(&mut self, context: &mut Context<'_>) {
        self.state = match core::mem::take(&mut self.state) {
            State::StandingBy { script } => State::Opening { script },
            other => other,
        };
        let Some(script) = self.script() else { return };
        let device = script.route_point.clone();
        let media = MediaTermination::Node { codecs: script.codecs.clone() };
        self.send(context, None, vec![Command::OpenDevice { device, media }]);
    }

    /// This node does not own the route point any more: no new call is taken. It is closed when
    /// the last call in progress has ended.
    fn stand_by(&mut self, context: &mut Context<'_>) {
        self.state = match core::mem::take(&mut self.state) {
            State::InService { script, calls, .. } if calls.is_empty() => {
                let device = script.route_point.clone();
                self.send(context, None, vec![Command::CloseDevice { device }]);
                State::StandingBy { script }
            }
            State::InService { script, calls, places } => {
                let device = script.route_point.clone();
                self.send(context, None, vec![Command::PauseDevice { device }]);
                State::InService { script, calls, places }
            }
            State::Opening { script } => State::StandingBy { script },
            other => other,
        };
    }

    fn ownership_ended(&mut self, context: &mut Context<'_>) {
        let Some(device) = self.script().map(|script| script.device) else { return };
        if self.tenure.ended(context, device) == Turn::Lost {
            let text = "self-provisioning IVR lets its route point go: nobody could say in time \
                        that it still owns it";
            context.note(Level::Warn, text, Vec::new());
            self.stand_by(context);
        }
    }

    fn script(&self) -> Option<&Script> {
        match &self.state {
            State::Stopped | State::Unready { .. } => None,
            State::Waiting { script, .. }
            | State::Opening { script }
            | State::StandingBy { script }
            | State::InService { script, .. } => Some(script),
        }
    }

    fn answered(&mut self, context: &mut Context<'_>, request: u64, result: Result<(), Refusal>) {
        let Some(asked) = self.asked.remove(&request) else { return };
        match (asked, result) {
            (Asked::RoutePoint, Ok(())) => {
                self.state = match core::mem::take(&mut self.state) {
                    State::Opening { script } => {
                        self.noted = Box::default();
                        let total = script.settings.maximum_calls.into();
                        let places = Places::new(uses::IVR_CALLS.limits_of(total));
                        State::InService { script, calls: BTreeMap::new(), places }
                    }
                    other => other,
                };
            }
            (Asked::RoutePoint, Err(refusal)) => {
                context.tell(Internal::Session { session: SELF_PROVISIONING, account: None });
                self.try_later(context, &refusal);
            }
            (Asked::Call { call, provisioning }, Err(refusal)) => {
                self.command_refused(context, call, provisioning, &refusal);
            }
            _ => {}
        }
    }

    /// The route point can't be had now: it is tried again, and the status says why.
    fn try_later(&mut self, context: &mut Context<'_>, refusal: &Refusal) {
        let script = match core::mem::take(&mut self.state) {
            State::Opening { script } | State::StandingBy { script } => script,
            State::InService { script, calls, .. } => {
                calls.values().for_each(|talk| context.timers.cancel(talk.limit));
                script
            }
            other => return self.state = other,
        };
        self.tenure.give_up(context, script.device);
        let reason: Box<str> = refusal.to_string().into();
        if self.noted != reason {
            let fields = vec![("reason", reason.to_string())];
            context.note(Level::Warn, "self-provisioning IVR can't open its route point", fields);
            self.noted = reason;
        }
        let why = refusal.code.name().into();
        let delay = context.after(RETRY, Timer::RouteDelay);
        self.asked.clear();
        let until = UnixTime(context.now.wall.0 + RETRY.as_millis() as u64);
        self.state = State::Waiting { script, delay, until, why };
    }

    /// Sends commands in the session; those of a dialogue with its call.
    fn send(&mut self, context: &mut Context<'_>, call: Option<CallId>, commands: Vec<Command>) {
        for command in commands {
            self.requests += 1;
            let request = self.requests;
            self.asked.insert(request, about(call, &command));
            context.tell(Internal::Command { session: SELF_PROVISIONING, request, command });
        }
    }
}

/// What a refusal of this command would be about.
fn about(call: Option<CallId>, command: &Command) -> Asked {
    match (call, command) {
        (_, Command::OpenDevice { .. }) => Asked::RoutePoint,
        (Some(call), Command::Provision(_)) => Asked::Call { call, provisioning: true },
        (Some(call), Command::Answer { .. } | Command::Play { .. } | Command::Collect { .. }) => {
            Asked::Call { call, provisioning: false }
        }
        _ => Asked::Nothing,
    }
}

/// The session of the self-provisioning IVR; doors never give this number away.
pub(crate) const SELF_PROVISIONING: SessionId = SessionId(u64::MAX);

/// After so long the route point is tried again.
const RETRY: Duration = Duration::from_secs(10);
