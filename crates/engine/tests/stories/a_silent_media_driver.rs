//! The media driver does not tell that what it plays is over: no caller of the IVR is left in silence.

use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;

use jackfield_engine::{Input, SelfProvisioningStart, ServiceOrder};
use jackfield_model::{Kind, defaults};
use jackfield_vocabulary::{
    Digit, DigitSource, MediaCommand, MediaEvent, MediaFailure, MediaId, PlayEnd, PlayId, PlayItem,
};
use serde_json::json;

use crate::world::{CallState, PhoneId, World};

/// A new phone that has called the IVR, and what the media driver tells of an order to play.
struct House {
    world: World,
    phone: PhoneId,
    media: Option<MediaId>,
    said: Vec<String>,
    tells: fn(MediaId, PlayId) -> Option<MediaEvent>,
    orders: Vec<PlayId>,
}

fn nothing(_: MediaId, _: PlayId) -> Option<MediaEvent> {
    None
}

fn the_end(media: MediaId, play: PlayId) -> Option<MediaEvent> {
    Some(MediaEvent::Played { media, play, end: PlayEnd::Finished })
}

fn unplayable(media: MediaId, play: PlayId) -> Option<MediaEvent> {
    Some(MediaEvent::Unplayable { media, play })
}

fn a_minute(media: MediaId, play: PlayId) -> Option<MediaEvent> {
    Some(MediaEvent::Playing { media, play, length: Duration::from_secs(60) })
}

impl House {
    fn new(tells: fn(MediaId, PlayId) -> Option<MediaEvent>) -> Self {
        let mut world = World::new();
        let company = defaults::sample_company(&world.directory, 2).unwrap();
        world.admin(&company);
        let settings = world.directory.find(Kind::SelfProvisioning, "self-provisioning").unwrap();
        world.change(settings, json!({ "mode": "none", "start_delay_seconds": 1 }));
        let settings = (*world.directory.self_provisioning()).clone();
        let languages = vec![Arc::from("en-US")];
        let start = SelfProvisioningStart { settings, languages, g729: false };
        world.input(Input::Service(ServiceOrder::StartCtiManager));
        world.input(Input::Service(ServiceOrder::StartSelfProvisioning(Arc::new(start))));
        world.run(2);
        let phone = world.stranger("SEP001122AABB09", "001122AABB09");
        assert_eq!(world.register(phone), 200);
        world.dial(phone, defaults::sample::IVR_NUMBER);
        let (said, orders) = (Vec::new(), Vec::new());
        let mut house = Self { world, phone, media: None, said, tells, orders };
        house.drive();
        house.world.assert_state(phone, CallState::Talking);
        house
    }

    fn drive(&mut self) {
        while !self.world.heard.media.is_empty() {
            match self.world.heard.media.remove(0) {
                MediaCommand::Allocate { media } => {
                    self.media = Some(media);
                    let local = SocketAddr::from(([192, 0, 2, 10], 20_000));
                    self.tell(MediaEvent::Allocated { media, local });
                    // Nothing is said before the phone has acknowledged the answer.
                    self.world.run_for(Duration::from_millis(100));
                }
                MediaCommand::Play { media, play, items, .. } => {
                    self.said.extend(items.iter().filter_map(|item| match item {
                        PlayItem::Prompt { prompt, .. } => Some(prompt.to_string()),
                        _ => None,
                    }));
                    self.orders.push(play);
                    (self.tells)(media, play).into_iter().for_each(|event| self.tell(event));
                }
                MediaCommand::Release { .. } => self.media = None,
                _ => {}
            }
        }
        self.world.run_for(Duration::from_millis(100));
    }

    fn tell(&mut self, event: MediaEvent) {
        self.world.input(Input::Media(event));
    }

    fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let (media, source) = (self.media.unwrap(), DigitSource::Event);
            let digit = Digit::try_from(key).unwrap();
            self.tell(MediaEvent::Digit { media, digit, source });
            self.drive();
        }
    }

    /// So many seconds pass, in which the driver is given its orders.
    fn after(&mut self, seconds: u64) {
        for _ in 0..seconds * 2 {
            self.drive();
            self.world.run_for(Duration::from_millis(400));
        }
    }

    /// The last of three wrong entries was made, and the caller hears so.
    fn say_too_many(&mut self) {
        self.said.clear();
        self.press("9999#");
        assert_eq!(self.said, ["too-many-attempts", "goodbye"]);
    }

    #[track_caller]
    fn is_over(&mut self) {
        self.world.assert_state(self.phone, CallState::Over(0));
        self.world.run(1);
        self.world.assert_quiet();
        self.drive();
        assert_eq!(self.media, None, "the media is given back");
    }
}

#[test]
fn the_end_of_the_last_words_is_not_told() {
    let mut house = House::new(the_end);
    house.press("9999#9999#");
    house.tells = nothing;
    house.say_too_many();
    house.after(9);
    house.world.assert_state(house.phone, CallState::Talking);
    house.after(2);
    house.is_over();
    assert_eq!(house.world.counter("media-plays-given-up"), 1);
}

/// The same where the driver told how long the words are: they are not cut off.
#[test]
fn the_last_words_take_a_minute() {
    let mut house = House::new(the_end);
    house.press("9999#9999#");
    house.tells = a_minute;
    house.say_too_many();
    house.after(69);
    house.world.assert_state(house.phone, CallState::Talking);
    house.after(2);
    house.is_over();
}

#[test]
fn the_questions_go_on_and_end_where_nothing_is_told() {
    let mut house = House::new(nothing);
    assert_eq!(house.said, ["greeting", "enter-self-service-id"]);
    house.said.clear();
    house.after(21);
    assert_eq!(house.said, ["no-input", "enter-self-service-id"]);
    house.after(60);
    assert_eq!(house.said.last().unwrap(), "goodbye");
    house.is_over();
}

/// An end that is told late, of an order that was given up or replaced, ends nothing else.
#[test]
fn an_end_that_comes_late_is_that_of_its_own_order() {
    let mut house = House::new(nothing);
    house.after(21);
    house.press("9999#");
    let media = house.media.unwrap();
    let last = house.orders.pop().unwrap();
    for play in core::mem::take(&mut house.orders) {
        house.tell(the_end(media, play).unwrap());
        house.tell(a_minute(media, play).unwrap());
        house.tell(unplayable(media, play).unwrap());
    }
    house.said.clear();
    house.after(9);
    assert!(house.said.is_empty(), "nobody asks anew as long as the question may be playing");
    house.tell(the_end(media, last).unwrap());
    house.after(11);
    assert_eq!(house.said, ["no-input", "enter-self-service-id"]);
}

/// Where no prompt is there, the questions come all the same, and the dialogue goes on without the words.
#[test]
fn words_that_are_not_there_keep_nobody_waiting() {
    let mut house = House::new(unplayable);
    house.after(11);
    assert_eq!(house.said.last().unwrap(), "enter-self-service-id");
    house.press("9999#9999#");
    house.say_too_many();
    house.is_over();
}

/// The driver knows nothing of the port any more: nobody will ever hear anything.
#[test]
fn a_port_that_is_gone_ends_the_call() {
    let mut house = House::new(the_end);
    let failure = MediaFailure::Missing;
    house.tell(MediaEvent::Failed { media: house.media.unwrap(), failure });
    house.world.run(1);
    house.is_over();
}

/// The engine stopped and restored between any two inputs keeps the wait.
#[test]
fn a_restored_engine_waits_no_longer() {
    let mut house = House::new(nothing);
    house.world.interrupt_every = Some(1);
    house.after(82);
    house.is_over();
}
