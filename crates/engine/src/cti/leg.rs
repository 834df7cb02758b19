//! What calls do with the leg of a CTI device: they offer it, end it, and bring new media.

use core::time::Duration;

use jackfield_vocabulary::{
    CallInfo, Cause, ConnectionState, Direction, Event, ForwardReason, LegId, MediaCommand,
    MediaTermination, TerminalConnectionId,
};

use super::call::{CtiCall, Stage};
use super::digits::Presses;
use super::{Cti, negotiate};
use crate::context::{Context, Internal, Timer};
use crate::interface::Output;
use crate::leg::{Calling, CtiLeg, Description, Divert, LegCommand, LegEvent, Offer};

impl Cti {
    /// Takes what calls tell of a leg; `why` says why nobody may have the device open.
    pub(crate) fn leg(&mut self, context: &mut Context<'_>, told: CtiLeg, why: Option<Box<str>>) {
        match told {
            CtiLeg::Offered { offer, calling } => self.offered(context, *offer, calling, why),
            CtiLeg::Acknowledged { leg } => self.acknowledged(context, leg),
            CtiLeg::Digit { leg, digit, source } => self.digit(context, leg, digit, source),
            CtiLeg::FeaturePressed { leg } => {
                if let Some(call) = self.calls.get(&leg) {
                    let event = Event::FeaturePressed { call: call.info.call.clone() };
                    self.tell(context, call.device, &event);
                }
            }
            CtiLeg::Command(command) => self.leg_command(context, command),
        }
    }

    fn offered(
        &mut self,
        context: &mut Context<'_>,
        offer: Offer,
        calling: Option<Calling>,
        why: Option<Box<str>>,
    ) {
        let leg = offer.leg;
        let opened = self.opened.get(&offer.device).filter(|one| self.running && one.takes_calls());
        let Some(name) = opened.map(|opened| opened.name.clone()) else {
            // No application has it open for new calls (CTI-54).
            let by = vec![ForwardReason::NoAnswer];
            let otherwise = Cause::Congestion;
            return context.tell(Internal::Divert(Divert::Forward { leg, by, otherwise, why }));
        };
        let seconds = context.directory.cluster().new_call_accept_seconds;
        let patience =
            context.after(Duration::from_secs(seconds.into()), Timer::NewCallAccept { leg });
        let (original_called, forwarded) = match offer.diverted {
            Some((number, reason)) => (number, Some(reason)),
            None => (offer.called.clone(), None),
        };
        let info = CallInfo {
            call: TerminalConnectionId { call: offer.call, device: name },
            direction: Direction::Incoming,
            state: ConnectionState::Offered,
            line: offer.line,
            caller: offer.caller,
            calling_device: calling.as_ref().map(|one| one.name.clone()),
            calling_address: calling.as_ref().map(|one| one.source),
            calling_proved: calling.as_ref().is_some_and(|one| one.proved),
            called: offer.called,
            original_called,
            forwarded,
        };
        self.terminals.insert((offer.call, offer.device), leg);
        self.calls.insert(
            leg,
            CtiCall {
                leg,
                device: offer.device,
                info: info.clone(),
                signalled: info.calling_address,
                proved: info.calling_proved,
                calling: calling.map(|one| one.device),
                offer: offer.offer,
                stage: Stage::Offered { patience },
                presses: Presses::default(),
            },
        );
        self.tell(context, offer.device, &Event::Call(info));
    }

    fn leg_command(&mut self, context: &mut Context<'_>, command: LegCommand) {
        match command {
            LegCommand::End { leg, cause } => {
                self.forget(context, leg, Some(cause));
            }
            LegCommand::ReOffer { leg, offer } => self.re_offer(context, leg, offer),
            LegCommand::ReAnswer { leg, answer } | LegCommand::Answer { leg, answer, .. } => {
                self.far_answer(context, leg, &answer);
            }
            // A CTI device places no calls yet, shows nothing, never re-offers, and answers offers at once.
            LegCommand::Offer(_)
            | LegCommand::Ring { .. }
            | LegCommand::Decline { .. }
            | LegCommand::Info { .. }
            | LegCommand::AnswerInfo { .. }
            | LegCommand::ReRefuse { .. }
            | LegCommand::Withdraw { .. }
            | LegCommand::Explain { .. }
            | LegCommand::Identify { .. } => {}
        }
    }

    /// The far side changes its media: another address, another codec, hold, resume.
    fn re_offer(&mut self, context: &mut Context<'_>, leg: LegId, offer: Option<Description>) {
        let codecs = self.codecs(context, leg);
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let refuse = LegEvent::ReRefused { leg, cause: Cause::MediaUnavailable };
        let mut media = call.media();
        if let Some(media) = &mut media {
            media.version += 1;
        }
        let event = match (media, offer) {
            (Some(media), Some(offer)) => match negotiate::answer(media, &codecs, &offer) {
                Some((answer, target)) => {
                    media.target = Some(target.clone());
                    let media = media.id;
                    context.out.push(Output::Media(MediaCommand::Connect { media, target }));
                    call.offer = Some(offer);
                    LegEvent::ReAnswered { leg, answer }
                }
                None => refuse,
            },
            (Some(media), None) => {
                LegEvent::ReAnswered { leg, answer: negotiate::offer(media, &codecs) }
            }
            (None, _) => refuse,
        };
        context.tell(Internal::ToCall(event));
    }

    /// The far side answers what the node offered.
    fn far_answer(&mut self, context: &mut Context<'_>, leg: LegId, answer: &Description) {
        let codecs = self.codecs(context, leg);
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let (media, first) = match &mut call.stage {
            Stage::Connected(media) => (media, false),
            Stage::Offering { media, .. } => (media, true),
            _ => return,
        };
        let Some(target) = negotiate::accept(media, &codecs, answer) else {
            if first {
                self.fail(context, leg, Cause::MediaUnavailable);
            }
            return;
        };
        media.target = Some(target.clone());
        let command = MediaCommand::Connect { media: media.id, target };
        context.out.push(Output::Media(command));
        if first {
            self.connected(context, leg);
        }
    }

    /// The far side has acknowledged our answer: if that was awaited, it hears us from now on.
    fn acknowledged(&mut self, context: &mut Context<'_>, leg: LegId) {
        let Some(call) = self.calls.get(&leg) else { return };
        let Stage::Offering { media, .. } = &call.stage else { return };
        let Some(target) = media.target.clone() else { return };
        context.out.push(Output::Media(MediaCommand::Connect { media: media.id, target }));
        self.connected(context, leg);
    }

    /// The codecs that this call may use.
    pub(super) fn codecs(
        &self,
        context: &Context<'_>,
        leg: LegId,
    ) -> Vec<jackfield_vocabulary::Codec> {
        let Some(call) = self.calls.get(&leg) else { return Vec::new() };
        match self.opened.get(&call.device).map(|opened| &opened.media) {
            Some(MediaTermination::Node { codecs }) => {
                negotiate::allowed(context.directory, codecs, call.device, call.calling)
            }
            _ => Vec::new(),
        }
    }

    /// Both sides agree for the first time: the application can play and collect.
    pub(super) fn connected(&mut self, context: &mut Context<'_>, leg: LegId) {
        let Some(mut call) = self.calls.remove(&leg) else { return };
        if let Stage::Offering { media, patience } = call.stage {
            context.timers.cancel(patience);
            call.stage = Stage::Connected(media);
        }
        self.tell_state(context, &call, ConnectionState::Connected, None);
        let event = Event::MediaReady { call: call.info.call.clone() };
        self.tell(context, call.device, &event);
        self.calls.insert(leg, call);
    }
}
