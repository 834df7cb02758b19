//! The calls of the service: a dialogue with each caller, and who has to go when there are too many.

use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr};

use jackfield_model::{Directory, Kind, Language, Message};
use jackfield_vocabulary::share::{Full, Holder};
use jackfield_vocabulary::{
    CallId, CallInfo, CloseReason, Code, Command, ConnectionState, Event, Now, Refusal,
};
use serde::{Deserialize, Serialize};

use super::dialogue::Dialogue;
use super::guesses::{is_guess, is_wrong};
use super::{Ivr, SELF_PROVISIONING, State};
use crate::context::{Context, Internal, Timer, TimerToken};
use crate::interface::Level;

/// A caller, and the wait that ends the longest of calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Talk {
    pub(super) dialogue: Dialogue,
    pub(super) limit: TimerToken,
    /// From where it comes.
    holder: Holder,
    /// What was entered is being checked.
    checking: bool,
    /// How far it has come, and when.
    reached: (u8, Now),
}

impl Talk {
    /// It came further than ever before: entering the same thing anew does not count.
    fn note(&mut self, now: Now) {
        let step = self.dialogue.reached();
        if step > self.reached.0 {
            self.reached = (step, now);
        }
    }

    fn stands_still(&self, now: Now) -> bool {
        now.since(self.reached.1) >= STANDSTILL
    }
}

impl Ivr {
    /// A command for a call was refused: the caller hears so, or is at least not left in silence.
    pub(super) fn command_refused(
        &mut self,
        context: &mut Context<'_>,
        call: CallId,
        provisioning: bool,
        refusal: &Refusal,
    ) {
        let State::InService { script, calls, .. } = &mut self.state else { return };
        // Who has hung up meanwhile hears nothing, and nothing is wrong.
        let Some(talk) = calls.get_mut(&call) else { return };
        let fields = vec![("reason", refusal.to_string())];
        context.note(Level::Warn, "a command of the self-provisioning IVR was refused", fields);
        let commands = if provisioning {
            talk.dialogue.give_up(script)
        } else {
            vec![Command::Drop { call: talk.dialogue.call.clone() }]
        };
        self.send(context, Some(call), commands);
    }

    pub(super) fn event(&mut self, context: &mut Context<'_>, event: Event) {
        match event {
            Event::Closed { reason, .. } => self.closed(context, reason),
            Event::Call(info) => self.offered(context, info),
            Event::State { call, state: ConnectionState::Disconnected, .. } => {
                self.over(context, call.call);
            }
            event => self.goes_on(context, &event),
        }
    }

    /// The route point was taken from the session.
    fn closed(&mut self, context: &mut Context<'_>, reason: CloseReason) {
        let State::InService { script, .. } = &self.state else { return };
        let name = &script.route_point;
        let refusal = match reason {
            CloseReason::Permission => {
                Refusal::new(Code::Forbidden).object(Kind::CtiRoutePoint.name(), name.as_str())
            }
            CloseReason::Deleted => Refusal::new(Code::NotFound).value("device", name),
            CloseReason::Requested | CloseReason::SessionEnded => {
                Refusal::new(Code::NotOpened).value("device", name)
            }
        };
        context.tell(Internal::Session { session: SELF_PROVISIONING, account: None });
        self.try_later(context, &refusal);
    }

    /// Somebody calls: a dialogue begins, where there is a place for it.
    fn offered(&mut self, context: &mut Context<'_>, info: CallInfo) {
        if !self.tenure.is_own() {
            // Another application has the route point open, too: the call is its.
            return;
        }
        let State::InService { calls, places, .. } = &mut self.state else { return };
        let (call, id, phone) = (info.call.clone(), info.call.call, info.calling_device);
        // One dialogue a phone, so that every outcome has one dialogue to go to.
        let again = phone.is_some() && calls.values().any(|talk| talk.dialogue.phone == phone);
        let address = info.calling_address.unwrap_or(NOWHERE);
        let holder = Holder { source: address.into(), proved: info.calling_proved };
        let still = calls.iter().filter(|(_, talk)| talk.stands_still(context.now));
        still.for_each(|(id, _)| places.idle(id));
        let gone = if again { Err(Full::Share) } else { places.take(id, holder, 1) };
        let Ok(gone) = gone else { return self.send(context, None, vec![Command::Drop { call }]) };
        let end = |id: &CallId| Some(Command::Drop { call: calls.get(id)?.dialogue.call.clone() });
        let ends = gone.iter().filter_map(end).collect();
        let limit = context.after(CALL_LIMIT, Timer::IvrCall { call: id });
        let (dialogue, commands) = Dialogue::begin(call, phone);
        let reached = (0, context.now);
        calls.insert(id, Talk { dialogue, limit, holder, checking: false, reached });
        self.send(context, None, ends);
        self.send(context, Some(id), commands);
    }

    fn over(&mut self, context: &mut Context<'_>, call: CallId) {
        let State::InService { calls, places, .. } = &mut self.state else { return };
        places.release(&call);
        let Some(talk) = calls.remove(&call) else { return };
        context.timers.cancel(talk.limit);
        if talk.checking {
            self.guesses.was_wrong(context.now, talk.holder);
        }
        let last = calls.is_empty() && !self.tenure.is_own();
        self.send(context, None, talk.dialogue.over());
        if last {
            self.stand_by(context);
        }
    }

    /// Something happens in a dialogue.
    fn goes_on(&mut self, context: &mut Context<'_>, event: &Event) {
        let State::InService { script, calls, places } = &mut self.state else { return };
        let (call, commands) = match event {
            Event::FeaturePressed { call } => {
                let Some(talk) = calls.get(&call.call) else { return };
                (None, feature_pressed(context.directory, &talk.dialogue))
            }
            Event::Provisioning { device, outcome } => {
                let mut talks = calls.iter_mut();
                let phone = Some(device);
                let found = talks.find(|(_, talk)| talk.dialogue.phone.as_ref() == phone);
                let Some((id, talk)) = found else { return };
                if core::mem::take(&mut talk.checking) && is_wrong(outcome) {
                    self.guesses.was_wrong(context.now, talk.holder);
                }
                (Some(*id), talk.dialogue.outcome(script, outcome))
            }
            Event::MediaReady { call }
            | Event::Played { call, .. }
            | Event::Digit { call, .. }
            | Event::Collected { call, .. } => {
                let Some(talk) = calls.get_mut(&call.call) else { return };
                match event {
                    Event::Digit { .. } => places.busy(&call.call),
                    Event::Collected { digits, .. } if digits.is_empty() => places.idle(&call.call),
                    _ => {}
                }
                let commands = talk.dialogue.event(script, event);
                talk.note(context.now);
                (Some(call.call), commands)
            }
            _ => return,
        };
        let commands = match call.filter(|_| is_guess(&commands)) {
            Some(call) => self.guess(context, call, commands),
            None => commands,
        };
        self.send(context, call, commands);
    }

    /// What a caller entered is checked, unless too much was wrong that came from there.
    fn guess(
        &mut self,
        context: &mut Context<'_>,
        call: CallId,
        commands: Vec<Command>,
    ) -> Vec<Command> {
        let State::InService { script, calls, .. } = &mut self.state else { return commands };
        let Some(holder) = calls.get(&call).map(|talk| talk.holder) else { return commands };
        let under_way =
            calls.values().filter(|talk| talk.checking && talk.holder == holder).count();
        let Some(talk) = calls.get_mut(&call) else { return commands };
        talk.checking = self.guesses.admits(context.now, holder, under_way);
        if talk.checking {
            return commands;
        }
        let commands = talk.dialogue.give_up(script);
        if let Some(untold) = self.lines.take(context.now, holder.source) {
            let mut fields = vec![("network.source", holder.source.to_string())];
            if untold > 0 {
                fields.push(("calls.untold", untold.to_string()));
            }
            let text = "a self-provisioning call was told to try later: too many wrong entries came \
                        from its address";
            context.note(Level::Warn, text, fields);
        }
        commands
    }
}

/// A call key was pressed: the call is dropped at once, and later the phone says so (SP-17).
fn feature_pressed(directory: &Directory, dialogue: &Dialogue) -> Vec<Command> {
    let mut commands = vec![Command::Drop { call: dialogue.call.clone() }];
    if let Some(phone) = &dialogue.phone {
        let found = directory.device(phone.as_str()).and_then(|one| directory.effective(one));
        let language = Language::of_tag(found.as_ref().map_or("", |one| &one.locale));
        let text = Message::CallDisconnected.text(language).into();
        let (device, after) = (phone.clone(), DISCONNECTED_TEXT_DELAY);
        commands.push(Command::ShowText { device, text, after });
    }
    commands
}

/// A caller whose address is not known.
pub(super) const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// No dialogue takes longer than this.
const CALL_LIMIT: Duration = Duration::from_secs(900);

/// Who comes no further for so long gives way to others: a whole walk takes a quarter of it.
const STANDSTILL: Duration = Duration::from_secs(120);

/// The text comes so long after the drop (SP-17).
const DISCONNECTED_TEXT_DELAY: Duration = Duration::from_secs(20);
