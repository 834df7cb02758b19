//! What applications ask for in their sessions. Every command is answered once.

use core::time::Duration;

use jackfield_model::Privilege;
use jackfield_vocabulary::{
    Cause, CloseReason, Code, CollectEnd, Command, ConnectionState, DeviceName, Event, LegId,
    MediaCommand, MediaTermination, ObjectId, PlayItem, PromptItem, Refusal, SessionId,
};

use super::Cti;
use super::call::{Media, Playing, Stage};
use super::digits::Collection;
use super::media::PLAY_MARGIN;
use super::session::{may_control, require};
use crate::context::{Asker, Context, Internal, Timer};
use crate::interface::Output;
use crate::leg::{Divert, LegEvent};

impl Cti {
    /// A command from outside the engine; in the name of an application inside it is refused.
    pub(crate) fn outside_command(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        request: u64,
        command: Command,
    ) {
        if self.is_inside(session) {
            let result = Err(Refusal::new(Code::Unauthenticated));
            return context.out.push(Output::Answer { session, request, result });
        }
        self.command(context, session, request, command);
    }

    /// Carries a command out, and answers it; where a phone must be told, its layer answers.
    pub(crate) fn command(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        request: u64,
        command: Command,
    ) {
        match self.carry_out(context, session, request, command) {
            Ok(Answered::Now) => self.answer(context, session, request, Ok(())),
            Ok(Answered::Later) => {}
            Err(refusal) => self.answer(context, session, request, Err(refusal)),
        }
    }

    fn carry_out(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        request: u64,
        command: Command,
    ) -> Result<Answered, Refusal> {
        let account = self.account(session)?;
        match command {
            Command::OpenDevice { device, media } => {
                self.open(context, session, &device, media)?;
            }
            Command::PauseDevice { device } => self.pause(session, &device)?,
            Command::CloseDevice { device } => {
                let device = self.opened_by(session, &device)?;
                self.close(context, session, device, CloseReason::Requested);
            }
            Command::Accept { call } => {
                let leg = self.find(session, &call)?;
                self.accept(context, leg)?;
            }
            Command::Answer { call } => {
                let leg = self.find(session, &call)?;
                self.answer_call(context, leg)?;
            }
            Command::Redirect { call, to } => {
                let leg = self.find(session, &call)?;
                self.forget(context, leg, None);
                let to = to.as_str().into();
                context.tell(Internal::Divert(Divert::Redirect { leg, to }));
            }
            Command::Drop { call } => {
                let leg = self.find(session, &call)?;
                self.drop_call(context, leg);
            }
            Command::Play { call, items, barge_in } => {
                let leg = self.find(session, &call)?;
                self.play(context, leg, &items, barge_in)?;
            }
            Command::StopPlay { call } => {
                let leg = self.find(session, &call)?;
                let media = self.media_of(leg)?;
                if media.playing.is_some() {
                    let media = media.id;
                    context.out.push(Output::Media(MediaCommand::StopPlay { media }));
                }
            }
            Command::Collect { call, maximum, terminators, first, between } => {
                let leg = self.find(session, &call)?;
                let collection = Collection {
                    maximum,
                    terminators,
                    first,
                    between,
                    digits: String::new(),
                    wait: None,
                };
                self.collect(context, leg, collection)?;
            }
            Command::SendDigits { call, digits } => {
                let leg = self.find(session, &call)?;
                let items = [PromptItem::Item(PlayItem::Digits(digits.as_str().into()))];
                self.play(context, leg, &items, false)?;
            }
            Command::ShowText { device, text, after } => {
                let device = self.phone(context, account, &device)?;
                let asker = Asker::Session { session, request };
                return self.show_text(context, device, text, after, asker);
            }
            Command::RestartDevice { device, restart } => {
                let device = self.phone(context, account, &device)?;
                let asker = Asker::Session { session, request };
                context.tell(Internal::Restarting { device });
                context.tell(Internal::Restart { device, restart, asker });
                return Ok(Answered::Later);
            }
            Command::Provision(command) => {
                require(context, account, Privilege::ProvisionPhones)?;
                context.tell(Internal::Provision { session, account, command });
            }
            _ => return Err(Refusal::new(Code::NotSupportedByDevice)),
        }
        Ok(Answered::Now)
    }

    fn accept(&mut self, context: &mut Context<'_>, leg: LegId) -> Result<(), Refusal> {
        let call = self.calls.get_mut(&leg).ok_or_else(wrong_state)?;
        let Stage::Offered { patience } = call.stage else { return Err(wrong_state()) };
        context.timers.cancel(patience);
        call.stage = Stage::Accepted;
        context.tell(Internal::ToCall(LegEvent::rings(leg)));
        let call = call.clone();
        self.tell_state(context, &call, ConnectionState::Alerting, None);
        Ok(())
    }

    fn answer_call(&mut self, context: &mut Context<'_>, leg: LegId) -> Result<(), Refusal> {
        let call = self.calls.get_mut(&leg).ok_or_else(wrong_state)?;
        match self.opened.get(&call.device).map(|opened| &opened.media) {
            Some(MediaTermination::Node { .. }) => {}
            _ => return Err(wrong_state().value("media", "none")),
        }
        match call.stage {
            Stage::Offered { patience } => context.timers.cancel(patience),
            Stage::Accepted => {}
            _ => return Err(wrong_state()),
        }
        let media = context.ids.media();
        let patience = context.after(ALLOCATION_LIMIT, Timer::MediaAllocation { leg });
        call.stage = Stage::Allocating { media, patience };
        self.media.insert(media, leg);
        context.out.push(Output::Media(MediaCommand::Allocate { media }));
        Ok(())
    }

    /// Leaves an answered call, or refuses one that is not: the caller finds the line busy.
    fn drop_call(&mut self, context: &mut Context<'_>, leg: LegId) {
        let Some(call) = self.forget(context, leg, Some(Cause::Normal)) else { return };
        context.tell(Internal::ToCall(match call.stage {
            Stage::Connected(_) | Stage::Offering { .. } => {
                LegEvent::Ended { leg, cause: Cause::Normal }
            }
            _ => LegEvent::Refused { leg, cause: Cause::Busy },
        }));
    }

    fn play(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        items: &[PromptItem],
        barge_in: bool,
    ) -> Result<(), Refusal> {
        let items = play_items(items)?;
        let call = self.calls.get_mut(&leg).ok_or_else(wrong_state)?;
        // The key that this may be the answer to does not stop it when it is heard as well.
        let by_driver = barge_in && !call.presses.may_be_heard(context.now);
        let media = call.media().ok_or_else(wrong_state)?;
        let play = context.ids.play();
        let patience = context.after(PLAY_MARGIN, Timer::Playing { leg });
        let playing = Playing { play, barge_in, by_driver, patience };
        if let Some(before) = media.playing.replace(playing) {
            context.timers.cancel(before.patience);
        }
        let (media, barge_in) = (media.id, by_driver);
        context.out.push(Output::Media(MediaCommand::Play { media, play, items, barge_in }));
        Ok(())
    }

    fn collect(
        &mut self,
        context: &mut Context<'_>,
        leg: LegId,
        mut collection: Collection,
    ) -> Result<(), Refusal> {
        let most = usize::from(MAXIMUM_DIGITS);
        if collection.maximum == 0 || collection.maximum > MAXIMUM_DIGITS {
            return Err(Refusal::new(Code::InvalidValue).field("maximum").value("maximum", most));
        }
        if collection.first > WAIT_LIMIT || collection.between > WAIT_LIMIT {
            return Err(Refusal::new(Code::InvalidValue).field("first"));
        }
        let media = self.media_of(leg)?;
        if media.playing.is_none() {
            collection.wait = Some(context.after(collection.first, Timer::Collection { leg }));
        }
        if let Some(old) = media.collection.replace(collection) {
            self.collected(context, leg, old, CollectEnd::Replaced);
        }
        Ok(())
    }

    /// Tells the end of a collection.
    pub(super) fn collected(
        &self,
        context: &mut Context<'_>,
        leg: LegId,
        collection: Collection,
        end: CollectEnd,
    ) {
        if let Some(wait) = collection.wait {
            context.timers.cancel(wait);
        }
        let Some(call) = self.calls.get(&leg) else { return };
        let digits = collection.digits.into();
        let event = Event::Collected { call: call.info.call.clone(), digits, end };
        self.tell(context, call.device, &event);
    }

    fn show_text(
        &mut self,
        context: &mut Context<'_>,
        device: ObjectId,
        text: Box<str>,
        after: Duration,
        asker: Asker,
    ) -> Result<Answered, Refusal> {
        if text.chars().count() > MAXIMUM_TEXT {
            return Err(Refusal::new(Code::InvalidValue).field("text"));
        }
        if after > WAIT_LIMIT {
            return Err(Refusal::new(Code::InvalidValue).field("after"));
        }
        if after.is_zero() {
            context.tell(Internal::ShowText { device, text, asker });
            return Ok(Answered::Later);
        }
        if self.texts_due >= MAXIMUM_TEXTS_DUE {
            return Err(Refusal::new(Code::LimitReached).value("limit", MAXIMUM_TEXTS_DUE));
        }
        self.texts_due += 1;
        context.after(after, Timer::ShowTextDue { device, text });
        Ok(Answered::Now)
    }

    /// The media of an answered call.
    fn media_of(&mut self, leg: LegId) -> Result<&mut Media, Refusal> {
        self.calls.get_mut(&leg).and_then(|call| call.media()).ok_or_else(wrong_state)
    }

    /// A phone that the account may tell something: one that it controls, or any for those who
    /// provision phones.
    fn phone(
        &self,
        context: &Context<'_>,
        account: ObjectId,
        name: &DeviceName,
    ) -> Result<ObjectId, Refusal> {
        let device = context.directory.device(name.as_str());
        let device = device.ok_or_else(|| Refusal::new(Code::NotFound).value("device", name))?;
        if !may_control(context, account, device) {
            require(context, account, Privilege::ProvisionPhones)?;
        }
        Ok(device)
    }
}

/// When a command is answered.
enum Answered {
    Now,
    Later,
}

fn wrong_state() -> Refusal {
    Refusal::new(Code::WrongState)
}

/// What the media driver plays for what an application wants played.
fn play_items(items: &[PromptItem]) -> Result<Vec<PlayItem>, Refusal> {
    let mut play = Vec::new();
    for item in items {
        match item {
            PromptItem::Prompt { locale, prompt } => {
                play.push(PlayItem::Prompt { locale: locale.clone(), prompt: prompt.clone() });
            }
            PromptItem::Spell { locale, digits } => {
                let keys = digits.chars().filter_map(spoken);
                play.extend(keys.map(|prompt| PlayItem::Prompt {
                    locale: locale.clone(),
                    prompt: prompt.into(),
                }));
            }
            PromptItem::Item(item) => play.push(item.clone()),
        }
    }
    if play.is_empty() || play.len() > MAXIMUM_ITEMS {
        return Err(Refusal::new(Code::InvalidValue)
            .field("items")
            .value("maximum", MAXIMUM_ITEMS));
    }
    Ok(play)
}

/// The prompt of a digit or symbol.
fn spoken(key: char) -> Option<&'static str> {
    Some(match key {
        '0' => "digit-0",
        '1' => "digit-1",
        '2' => "digit-2",
        '3' => "digit-3",
        '4' => "digit-4",
        '5' => "digit-5",
        '6' => "digit-6",
        '7' => "digit-7",
        '8' => "digit-8",
        '9' => "digit-9",
        '+' => "symbol-plus",
        '*' => "symbol-star",
        '#' => "symbol-pound",
        _ => return None,
    })
}

/// The media driver gives a port within this, or the call fails (CTI-22).
const ALLOCATION_LIMIT: Duration = Duration::from_secs(4);

/// The longest wait that an application can ask for.
const WAIT_LIMIT: Duration = Duration::from_secs(3600);

/// Characters of a text for a display.
const MAXIMUM_TEXT: usize = 128;

/// Texts that wait for their time at once.
const MAXIMUM_TEXTS_DUE: usize = 10_000;

/// Keys of one collection.
const MAXIMUM_DIGITS: u8 = 64;

/// Things to play in one order, with every digit of a number counted.
const MAXIMUM_ITEMS: usize = 128;
