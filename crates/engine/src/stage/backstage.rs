//! The fakes: what phones, media driver, store and checker do with what they are told.

use core::time::Duration;
use std::net::SocketAddr;

use jackfield_model::{CredentialKind, FirstStart, Operation, defaults};
use jackfield_vocabulary::{
    Code, Digit, DigitSource, LegId, MediaCommand, MediaEvent, MediaFailure, MediaId, ObjectId,
    OperationId, PlayEnd, PlayId, PlayItem, Refusal,
};

use super::{
    Coming, Driver, Leases, Leg, LegState, Resource, Stage, Store, ignored, leg_of, port, sdp,
};
use crate::context::Internal;
use crate::interface::{Decision, Output, Ownership, Verification};
use crate::leg::{LegCommand, LegEvent};

impl Stage {
    pub(super) fn furnish(&mut self) {
        self.done(&Operation::FirstStart(FirstStart {
            node: "node-1".into(),
            address: "192.0.2.10".into(),
            locale: "en_US.UTF-8".into(),
            time_zone: "Asia/Tokyo".into(),
        }));
        let company = defaults::sample_company(&self.directory, 6).unwrap();
        self.done(&company);
    }

    pub(super) fn later(&mut self, after: Duration, coming: Coming) {
        self.count += 1;
        self.coming.insert(((self.now + after).micros, self.count), coming);
    }

    pub(super) fn arrive(&mut self, coming: Coming) {
        match coming {
            Coming::Ownership(device) if self.wanted.contains(&device) => {
                let ownership = match self.leases.clone() {
                    None => return,
                    Some(Leases::Own(length)) => Ownership::Own { until: self.now + length },
                    Some(Leases::Other(node)) => Ownership::Other { node: node.into() },
                    Some(Leases::Unknown) => Ownership::Unknown,
                };
                self.owned(device, ownership);
            }
            Coming::Ownership(_) => {}
            Coming::Played(media, play) => {
                let Some(resource) = self.media.get_mut(&media) else { return };
                if resource.playing.is_none_or(|(one, _)| one != play) {
                    return;
                }
                resource.playing = None;
                self.played(media, play, PlayEnd::Finished);
            }
            Coming::Decided(operation) => {
                let decision = self.decided.get(&operation).cloned().unwrap_or(Decision::Unknown);
                self.with(|upper, context| upper.decided(context, operation, &decision));
            }
            Coming::Verified(verify, verification) => {
                self.with(|upper, context| upper.verified(context, verify, &verification));
            }
        }
    }

    pub(super) fn media_event(&mut self, event: MediaEvent) {
        self.with(|upper, context| upper.media(context, event));
    }

    pub(super) fn press_key(&mut self, leg: LegId, key: char) {
        let found = self.media.iter().find(|(_, one)| one.port == Some(port(leg)));
        let Some((media, playing)) = found.map(|(id, one)| (*id, one.playing)) else { return };
        let digit = Digit::try_from(key).unwrap();
        if let Some((play, true)) = playing {
            self.media.get_mut(&media).unwrap().playing = None;
            self.played(media, play, PlayEnd::BargedIn);
        }
        let source = DigitSource::Event;
        self.media_event(MediaEvent::Digit { media, digit, source });
    }

    /// What the layer of the phones does.
    pub(super) fn below(&mut self, message: Internal) {
        match message {
            Internal::ToDevice(command) => self.phone(command),
            Internal::Restart { device, asker, .. } => {
                self.restarts.push(device);
                self.queue.push_back(Internal::DeviceTold { asker, result: Ok(()) });
                self.with(|_, _| ());
            }
            Internal::ShowText { device, text, asker } => {
                self.texts.push((device, text.into()));
                self.queue.push_back(Internal::DeviceTold { asker, result: Ok(()) });
                self.with(|_, _| ());
            }
            other => panic!("nobody takes {other:?}"),
        }
    }

    fn phone(&mut self, command: LegCommand) {
        let id = leg_of(&command);
        if let LegCommand::Offer(offer) = command {
            if self.unregistered.contains(&offer.device) {
                let cause = jackfield_vocabulary::Cause::Unregistered;
                return self.tell(LegEvent::Refused { leg: id, cause });
            }
            let leg = Leg {
                device: offer.device,
                state: LegState::Rings,
                diverted: offer.diverted.map(|(number, _)| number.into()),
                caller: format!("{} {}", offer.caller.number, offer.caller.name),
                heard: offer.offer,
            };
            self.legs.insert(id, leg);
            return self.tell(LegEvent::rings(id));
        }
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match command {
            LegCommand::Ring { .. } => leg.state = LegState::HearsRinging,
            LegCommand::Answer { answer, .. } => {
                leg.state = LegState::Talks;
                leg.heard = Some(answer);
            }
            // Who does not answer goes on hearing what it heard.
            LegCommand::ReOffer { offer, .. } if !self.silent => {
                leg.heard = offer;
                let answer = sdp(port(id));
                self.tell(LegEvent::ReAnswered { leg: id, answer });
            }
            LegCommand::ReAnswer { answer, .. } => leg.heard = Some(answer),
            LegCommand::ReRefuse { cause, .. } => self.refused.push((id, cause)),
            LegCommand::End { cause, .. } | LegCommand::Decline { cause, .. } => {
                self.legs.remove(&id);
                self.ended.insert(id, cause);
            }
            _ => {}
        }
    }

    /// What the shell does.
    pub(super) fn put_out(&mut self, output: Output) {
        match output {
            Output::Media(command) => self.drive(command),
            Output::RoutePoint { device, wanted: true } => {
                self.wanted.insert(device);
                self.later(Duration::from_millis(2), Coming::Ownership(device));
            }
            Output::RoutePoint { device, wanted: false } => {
                self.wanted.remove(&device);
                self.given_up += 1;
            }
            Output::Submit { operation, actor, what } => {
                self.actors.push(actor);
                self.submit(operation, what);
            }
            Output::Inquire { operation } => self.inquired(operation),
            Output::Verify { verify, account, kind, secret, .. } if !self.checker_silent => {
                let key = account.map(|account| (account, kind));
                let right = key.and_then(|key| self.secrets.get(&key)).cloned();
                let verification = self.verdict(account, right.as_deref(), secret.reveal());
                self.later(self.checker_takes, Coming::Verified(verify, verification));
            }
            Output::Verify { .. } => {}
            Output::Forgive { account, kind } => {
                assert_eq!(kind, CredentialKind::Pin);
                let failures = self.failures.get_mut(&account).unwrap();
                *failures = failures.checked_sub(1).unwrap();
            }
            Output::Refused(refused) => self.turned_down.push(refused),
            Output::Record(record) => self.records.push(record),
            Output::Alarm(alarm) => self.alarms.push(alarm),
            Output::Answer { session, request, result } => {
                self.answers.push((session, request, result));
            }
            Output::Event { session, event } => self.events.push((session, event)),
            Output::Reply { request, result } => self.replies.push((request, result)),
            other => assert!(ignored(&other), "nobody takes {other:?}"),
        }
    }

    /// Five wrong ones lock an account.
    fn verdict(
        &mut self,
        account: Option<ObjectId>,
        right: Option<&str>,
        presented: &str,
    ) -> Verification {
        let Some(account) = account else { return Verification::Wrong };
        let failures = self.failures.entry(account).or_default();
        if *failures >= 5 {
            return Verification::Locked { until: None };
        }
        match right {
            None => {
                *failures += 1;
                Verification::NoCredential
            }
            Some(right) if right == presented => {
                *failures = 0;
                Verification::Right
            }
            Some(_) => {
                *failures += 1;
                Verification::Wrong
            }
        }
    }

    fn submit(&mut self, operation: OperationId, what: Operation) {
        self.submitted.push(what.clone());
        let soon = Duration::from_millis(5);
        match self.store.clone() {
            Store::Works => self.commit(operation, &what, Some(soon)),
            Store::Late(delay) => self.commit(operation, &what, Some(delay)),
            Store::AnswerLost => self.commit(operation, &what, None),
            Store::Gone => {
                self.late.insert(operation, what);
            }
            Store::OrderLost => {
                self.decided.insert(operation, Decision::NeverSeen);
            }
            Store::Refuses(refusal) => {
                self.decided.insert(operation, Decision::Refused(refusal));
                self.later(soon, Coming::Decided(operation));
            }
        }
    }

    fn commit(&mut self, operation: OperationId, what: &Operation, answer: Option<Duration>) {
        let decision = match self.evaluate(what) {
            Ok(outcome) => Decision::Committed(outcome),
            Err(refusal) => Decision::Refused(refusal),
        };
        self.decided.insert(operation, decision);
        if let Some(after) = answer {
            self.later(after, Coming::Decided(operation));
        }
    }

    fn inquired(&mut self, operation: OperationId) {
        if self.store == Store::Gone {
            return;
        }
        if let Some(what) = self.late.remove(&operation) {
            self.commit(operation, &what, None);
        }
        self.later(Duration::from_millis(5), Coming::Decided(operation));
    }

    fn drive(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Allocate { media } => self.allocate(media),
            MediaCommand::Connect { media, target } => {
                let resource = self.media.get_mut(&media).expect("allocated");
                resource.port = Some(target.remote.port());
                resource.connects += 1;
            }
            MediaCommand::Play { media, play, items, barge_in } => {
                let resource = self.media.get_mut(&media).expect("allocated");
                resource.playing = Some((play, barge_in));
                let port = resource.port.expect("connected");
                let length = Duration::from_secs(items.len() as u64);
                self.said.extend(items.iter().map(|item| (port, name(item))));
                if self.driver != Driver::Mute {
                    self.media_event(MediaEvent::Playing { media, play, length });
                }
                self.later(length, Coming::Played(media, play));
            }
            MediaCommand::StopPlay { media } => {
                let resource = self.media.get_mut(&media).expect("allocated");
                if let Some((play, _)) = resource.playing.take() {
                    self.played(media, play, PlayEnd::Stopped);
                }
            }
            MediaCommand::Release { media } => {
                self.media.remove(&media);
            }
            MediaCommand::Record { .. } | MediaCommand::StopRecord { .. } => {}
        }
    }

    fn played(&mut self, media: MediaId, play: PlayId, end: PlayEnd) {
        if !matches!(self.driver, Driver::Mute | Driver::Endless) {
            self.media_event(MediaEvent::Played { media, play, end });
        }
    }

    fn allocate(&mut self, media: MediaId) {
        match self.driver {
            Driver::Works | Driver::Mute | Driver::Endless => {
                self.media.insert(media, Resource::default());
                let local = SocketAddr::from(([192, 0, 2, 10], 20_000));
                self.media_event(MediaEvent::Allocated { media, local });
            }
            Driver::Silent => {}
            Driver::Full => {
                self.media_event(MediaEvent::Failed { media, failure: MediaFailure::Limit });
            }
        }
    }
}

fn name(item: &PlayItem) -> String {
    match item {
        PlayItem::Prompt { locale, prompt } => format!("{locale}/{prompt}"),
        other => format!("{other:?}"),
    }
}

/// A refusal of the store.
pub(super) fn store_refuses() -> Store {
    Store::Refuses(Refusal::new(Code::DatabaseUnavailable))
}
