//! What the media driver tells, and the keys that come by it or by signalling.

use core::time::Duration;

use jackfield_vocabulary::{
    Cause, CollectEnd, Digit, DigitSource, Event, LegId, MediaCommand, MediaEvent, MediaId,
    PlayEnd, PlayId,
};
use std::net::SocketAddr;

use super::call::{Media, Playing, Stage};
use super::digits::is_signalled;
use super::{Cti, negotiate};
use crate::context::{Context, Internal, Timer};
use crate::interface::{Level, Output};
use crate::leg::LegEvent;

impl Cti {
    /// Takes what the media driver tells.
    pub(crate) fn media(&mut self, context: &mut Context<'_>, event: MediaEvent) {
        match event {
            MediaEvent::Allocated { media, local } => self.allocated(context, media, local),
            MediaEvent::Failed { media, .. } => self.media_failed(context, media),
            MediaEvent::Digit { media, digit, source } => {
                if let Some(leg) = self.media.get(&media).copied() {
                    self.digit(context, leg, digit, source);
                }
            }
            MediaEvent::Playing { media, play, length } => {
                self.playing(context, media, play, length);
            }
            // The rest of the dialogue goes on without it.
            MediaEvent::Unplayable { media, play } => {
                self.played(context, media, play, PlayEnd::Stopped);
            }
            MediaEvent::Played { media, play, end } => self.played(context, media, play, end),
            MediaEvent::Elsewhere { media, from, expected } => {
                self.elsewhere(context, media, from, expected);
            }
            // Recordings and silence are of no use to anybody yet; what was released is forgotten.
            MediaEvent::Recorded { .. }
            | MediaEvent::Silent { .. }
            | MediaEvent::Released { .. } => {}
        }
    }

    /// A port is there: the call is answered with it.
    fn allocated(&mut self, context: &mut Context<'_>, id: MediaId, local: SocketAddr) {
        let Some(leg) = self.media.get(&id).copied() else {
            // It came too late for its call.
            return context.out.push(Output::Media(MediaCommand::Release { media: id }));
        };
        let codecs = self.codecs(context, leg);
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let Stage::Allocating { patience, .. } = call.stage else { return };
        context.timers.cancel(patience);
        let mut media = Media::new(id, local, call);
        media.version = 1;
        let Some(offer) = &call.offer else {
            let answer = negotiate::offer(&media, &codecs);
            let patience = context.after(ANSWER_LIMIT, Timer::MediaAnswer { leg });
            call.stage = Stage::Offering { media, patience };
            return context.tell(Internal::ToCall(LegEvent::answers(leg, answer)));
        };
        let Some((answer, target)) = negotiate::answer(&media, &codecs, offer) else {
            return self.fail(context, leg, Cause::MediaUnavailable);
        };
        media.target = Some(target.clone());
        context.tell(Internal::ToCall(LegEvent::answers(leg, answer)));
        if !call.proved {
            // Somebody else's address may stand in its messages: nothing is said until it has shown
            // that it received our answer.
            let patience = context.after(ANSWER_LIMIT, Timer::MediaAnswer { leg });
            call.stage = Stage::Offering { media, patience };
            return;
        }
        call.stage = Stage::Connected(media);
        context.out.push(Output::Media(MediaCommand::Connect { media: id, target }));
        self.connected(context, leg);
    }

    fn media_failed(&mut self, context: &mut Context<'_>, id: MediaId) {
        if let Some(leg) = self.media.get(&id).copied() {
            self.fail(context, leg, Cause::MediaUnavailable);
        }
    }

    /// The driver has begun to play, and tells how long that takes: so long its end is awaited.
    fn playing(&mut self, context: &mut Context<'_>, id: MediaId, play: PlayId, length: Duration) {
        let Some(leg) = self.media.get(&id).copied() else { return };
        let playing = self.calls.get_mut(&leg).and_then(|call| call.media()?.playing.as_mut());
        if let Some(playing) = playing.filter(|playing| playing.play == play) {
            context.timers.cancel(playing.patience);
            playing.patience = context.after(length + PLAY_MARGIN, Timer::Playing { leg });
        }
    }

    /// Nothing tells that what plays is over, as on hold: it is taken for stopped, so that the
    /// application goes on.
    pub(super) fn play_timeout(&mut self, context: &mut Context<'_>, leg: LegId) {
        let media = self.calls.get_mut(&leg).and_then(|call| call.media());
        let Some((id, playing)) = media.and_then(|media| Some((media.id, media.playing?))) else {
            return;
        };
        context.count("media-plays-given-up");
        context.out.push(Output::Media(MediaCommand::StopPlay { media: id }));
        self.played(context, id, playing.play, PlayEnd::Stopped);
    }

    fn played(&mut self, context: &mut Context<'_>, id: MediaId, play: PlayId, end: PlayEnd) {
        let Some(leg) = self.media.get(&id).copied() else { return };
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let Some(media) = call.media() else { return };
        let Some(playing) = media.playing.take_if(|playing| playing.play == play) else { return };
        context.timers.cancel(playing.patience);
        if let Some(collection) = &mut media.collection
            && collection.wait.is_none()
        {
            // The wait for the first key counts from here.
            let wait = context.after(collection.first, Timer::Collection { leg });
            collection.wait = Some(wait);
        }
        let event = Event::Played { call: call.info.call.clone(), end };
        let device = call.device;
        self.tell(context, device, &event);
    }

    /// A caller is not heard: whoever looks for the fault is told once where its sound comes from.
    fn elsewhere(
        &self,
        context: &mut Context<'_>,
        id: MediaId,
        from: SocketAddr,
        expected: SocketAddr,
    ) {
        let call = self.media.get(&id).and_then(|leg| self.calls.get(leg));
        let Some(call) = call else { return };
        context.count("media-from-elsewhere");
        let caller = call.info.calling_device.as_ref().map(ToString::to_string);
        let fields = vec![
            ("call", call.info.call.call.to_string()),
            ("device", caller.unwrap_or_default()),
            ("from", from.to_string()),
            ("expected", expected.to_string()),
        ];
        let text = "sound comes from another host than the phone named, and is not heard";
        context.note(Level::Warn, text, fields);
    }

    /// A key, however it came.
    pub(super) fn digit(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        digit: Digit,
        source: DigitSource,
    ) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let (device, name) = (call.device, call.info.call.clone());
        let new = call.presses.is_new(context.now, digit, source);
        let Some(media) = call.media() else { return };
        if !new {
            return;
        }
        let stops =
            |playing: Playing| playing.barge_in && (is_signalled(source) || !playing.by_driver);
        if media.playing.is_some_and(stops) {
            let media = media.id;
            context.out.push(Output::Media(MediaCommand::StopPlay { media }));
        }
        let finished = press(context, media, leg, digit);
        self.tell(context, device, &Event::Digit { call: name, digit, source });
        if let Some((collection, end)) = finished {
            self.collected(context, leg, collection, end);
        }
    }

    /// The next key has not come in time.
    pub(super) fn collection_timeout(&mut self, context: &mut Context<'_>, leg: LegId) {
        let media = self.calls.get_mut(&leg).and_then(|call| call.media());
        if let Some(collection) = media.and_then(|media| media.collection.take()) {
            self.collected(context, leg, collection, CollectEnd::Timeout);
        }
    }
}

/// Gives a key to the collection that is on; the collection, when that was its last key.
fn press(
    context: &mut Context<'_>,
    media: &mut Media,
    leg: LegId,
    digit: Digit,
) -> Option<(super::digits::Collection, CollectEnd)> {
    let collection = media.collection.as_mut()?;
    if let Some(wait) = collection.wait.take() {
        context.timers.cancel(wait);
    }
    if let Some(end) = collection.press(digit) {
        return media.collection.take().map(|collection| (collection, end));
    }
    collection.wait = Some(context.after(collection.between, Timer::Collection { leg }));
    None
}

/// The far side answers our offer within its ACK, which comes within 64*T1.
const ANSWER_LIMIT: Duration = Duration::from_secs(33);

/// The media driver tells within this that it plays, and so long after the last sound at the most that
/// it is over.
pub(super) const PLAY_MARGIN: Duration = Duration::from_secs(10);
