//! The self-provisioning IVR, from the first word to the restart of the phone.

use core::time::Duration;

use jackfield_model::{Actor, CredentialKind, Kind, Operation};
use jackfield_vocabulary::{Cause, Code, Digit, DigitSource, LegId, ObjectId, Refusal};
use serde_json::json;

use super::backstage::store_refuses;
use super::{Driver, LegState, Stage, Store};
use crate::interface::ServiceOrder;
use crate::leg::{Description, LegEvent};

const IVR: &str = jackfield_model::defaults::sample::IVR_NUMBER;
const PIN: &str = "48151";

/// A stage with a new phone, and a user with a PIN; with the user's self-service ID.
struct House {
    stage: Stage,
    phone: ObjectId,
    user: ObjectId,
    id: String,
}

impl House {
    fn new() -> Self {
        Self::furnish(Stage::new())
    }

    fn furnish(mut stage: Stage) -> Self {
        let phone = stage.new_phone(1);
        let user = stage.user("suzuki");
        stage.secret(user, CredentialKind::Pin, PIN);
        let line = stage.directory.primary_extension(user).unwrap();
        let id = stage.directory.get(line).unwrap().number.to_string();
        Self { stage, phone, user, id }
    }

    /// With these self-provisioning settings, and the service restarted.
    fn with_settings(patch: serde_json::Value, languages: &[&str]) -> Self {
        let mut house = Self::new();
        house.stage.patch(Kind::SelfProvisioning, "self-provisioning", patch);
        house.stage.start_ivr(languages);
        house.stage.after(31);
        house
    }

    fn call(&mut self) -> LegId {
        let phone = self.phone;
        self.stage.call(phone, IVR)
    }

    fn hears(&mut self, leg: LegId) -> Vec<String> {
        self.stage.hears(leg)
    }

    /// Up to where the caller is asked to confirm.
    fn enter(&mut self, leg: LegId) {
        let keys = format!("{}#{PIN}#", self.id);
        self.stage.press(leg, &keys);
    }

    fn enter_id(&mut self, leg: LegId) {
        let keys = format!("{}#", self.id);
        self.stage.press(leg, &keys);
    }

    /// The phone is the user's, wholly.
    #[track_caller]
    fn is_assigned(&self) {
        assert_eq!(self.stage.numbers_of(self.phone), [&*self.id]);
        let owner = self.stage.directory.effective(self.phone).unwrap().owner.unwrap();
        assert_eq!(owner.id(), self.user);
    }

    /// Nothing of an assignment was done.
    #[track_caller]
    fn is_untouched(&self) {
        let phone = self.stage.directory.effective(self.phone).unwrap();
        assert!(phone.auto_registered && phone.owner.is_none());
        assert!(self.stage.restarts.is_empty(), "no phone was restarted");
    }

    /// A failed condition: what the caller hears after the credential, and that nothing was done.
    #[track_caller]
    fn fails_with(&mut self, prompt: &str) {
        let leg = self.call();
        self.enter_id(leg);
        self.hears(leg);
        self.stage.press(leg, &format!("{PIN}#"));
        assert_eq!(self.hears(leg), [prompt, "goodbye"]);
        self.stage.after(5);
        assert_eq!(self.stage.ended.get(&leg), Some(&Cause::Normal));
        self.is_untouched();
        assert!(self.stage.submitted.is_empty());
        self.stage.is_empty();
    }
}

/// Proves SP-12, SP-44, SP-56: a new phone becomes its owner's by one call.
#[test]
fn a_phone_provisions_itself() {
    let mut house = House::new();
    let leg = house.call();
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
    assert_eq!(house.hears(leg), ["greeting", "enter-self-service-id"]);
    house.enter_id(leg);
    assert_eq!(house.hears(leg), ["enter-pin"]);
    house.stage.press(leg, &format!("{PIN}#"));
    let digits: Vec<_> = house.id.chars().map(|digit| format!("digit-{digit}")).collect();
    let mut confirmation = vec!["confirm-extension-before".to_owned()];
    confirmation.extend(digits.clone());
    confirmation.push("confirm-extension-after".to_owned());
    assert_eq!(house.hears(leg), confirmation);
    house.is_untouched();
    house.stage.press(leg, "1");
    let mut result = vec!["assigning-please-wait".to_owned(), "assigned".to_owned()];
    result.extend(digits);
    result.push("restarting".to_owned());
    assert_eq!(house.hears(leg), result);
    house.is_assigned();
    assert!(house.stage.restarts.is_empty(), "not before the result was told");
    let user_id = jackfield_model::defaults::sample::APPLICATION_USER.into();
    assert_eq!(house.stage.actors, [Actor::Application { user_id }]);
    house.stage.after(10);
    assert_eq!(house.stage.ended[&leg], Cause::Normal);
    assert_eq!(house.stage.restarts, [house.phone], "once");
    house.stage.after(60);
    assert_eq!(house.stage.restarts.len(), 1);
    house.stage.is_still();
}

/// Proves SP-12: keys stop every prompt, also when they are told by INFO.
#[test]
fn a_key_stops_a_prompt() {
    let mut house = House::new();
    let leg = house.call();
    let digit = |key: char| Digit::try_from(key).unwrap();
    house.stage.tell(LegEvent::Digit { leg, digit: digit('2'), source: DigitSource::Info });
    // The driver was told to stop; the same press told by RTP is no second one.
    house.stage.press(leg, "2");
    let rest = format!("{}#", &house.id[1..]);
    house.stage.press(leg, &rest);
    assert_eq!(house.hears(leg), ["greeting", "enter-self-service-id", "enter-pin"]);
}

/// Proves SP-12: `*` restarts the entry wherever it is pressed.
#[test]
fn a_star_restarts_the_entry() {
    for before in ["", "20", "ID#", "ID#12", "ID#PIN#"] {
        let mut house = House::new();
        let leg = house.call();
        let keys = before.replace("ID", &house.id.clone()).replace("PIN", PIN);
        house.stage.press(leg, &keys);
        house.hears(leg);
        house.stage.press(leg, "*");
        assert_eq!(house.hears(leg), ["entry-restarted", "enter-self-service-id"], "{before}");
        house.enter(leg);
        house.stage.press(leg, "1");
        house.is_assigned();
    }
}

/// Proves SP-12: any other phone is told that it is not open.
#[test]
fn another_phone_is_not_open() {
    let mut house = House::new();
    let owned = house.stage.phone_of("garcia", 2);
    let leg = house.stage.call(owned, IVR);
    assert_eq!(house.hears(leg), ["not-open-for-provisioning", "goodbye"]);
    house.stage.after(5);
    assert_eq!(house.stage.ended[&leg], Cause::Normal);
    house.stage.is_empty();
}

/// Proves SP-07: wrong entries end the call, and lock the user in the end.
#[test]
fn wrong_pins_end_the_call_and_lock_the_user() {
    let mut house = House::new();
    let wrong = format!("{}#00000#", house.id);
    let leg = house.call();
    for _ in 0..2 {
        house.hears(leg);
        house.stage.press(leg, &wrong);
        let heard = ["enter-pin", "invalid-id-or-credential", "enter-self-service-id"];
        assert_eq!(house.hears(leg), heard);
    }
    house.stage.press(leg, &wrong);
    assert_eq!(house.hears(leg), ["enter-pin", "too-many-attempts", "goodbye"]);
    house.stage.after(5);
    house.stage.is_empty();
    let leg = house.call();
    house.stage.press(leg, &wrong);
    house.stage.press(leg, &wrong);
    house.hears(leg);
    house.enter(leg);
    assert_eq!(house.hears(leg), ["enter-pin", "user-locked", "goodbye"]);
    house.is_untouched();
}

/// Proves SP-07: an unknown ID sounds like a wrong PIN.
#[test]
fn an_unknown_id_sounds_like_a_wrong_pin() {
    let mut house = House::new();
    let leg = house.call();
    house.hears(leg);
    house.stage.press(leg, "987654#11111#");
    let heard = ["enter-pin", "invalid-id-or-credential", "enter-self-service-id"];
    assert_eq!(house.hears(leg), heard);
}

/// Proves SP-34: each failed condition has its own prompt.
#[test]
fn each_failed_condition_has_its_own_prompt() {
    let profile = |patch| {
        move |house: &mut House| {
            house.stage.patch(Kind::UserProfile, "Default", patch);
        }
    };
    let mut house = House::new();
    profile(json!({ "allow_self_provisioning": false }))(&mut house);
    house.fails_with("not-allowed");

    let mut house = House::new();
    let id = house.id.clone();
    house.stage.patch(
        Kind::EndUser,
        "suzuki",
        json!({ "self_service_id": id, "primary_extension": null }),
    );
    house.fails_with("no-primary-extension");

    let mut house = House::new();
    profile(json!({ "device_limit": 0 }))(&mut house);
    house.fails_with("limit-reached");

    let mut house = House::new();
    house.stage.patch(Kind::EndUser, "suzuki", json!({ "enabled": false }));
    house.fails_with("user-locked");
}

/// Proves SP-32: without a device template the prescribed sentence is said.
#[test]
fn without_a_device_template_the_assignment_fails() {
    let mut house = House::new();
    let none = json!({ "desk_phones": null, "mobile_and_desktop_devices": null });
    house.stage.patch(Kind::UserProfile, "Default", none);
    house.fails_with("no-template");
}

/// Proves SP-13: with more than one language the caller chooses by key, in the order of the list.
#[test]
fn the_caller_chooses_a_language() {
    let both = ["ja-JP", "en-US"];
    let mut house = House::with_settings(json!({ "languages": both }), &both);
    let leg = house.call();
    let menu =
        ["ja-JP/for-this-language-press", "ja-JP/digit-1", "for-this-language-press", "digit-2"];
    assert_eq!(house.hears(leg), menu);
    house.stage.press(leg, "3");
    assert_eq!(house.hears(leg)[0], "ja-JP/invalid-entry");
    house.stage.press(leg, "2");
    assert_eq!(house.hears(leg), ["greeting", "enter-self-service-id"]);
    let leg = {
        house.stage.hang_up(leg);
        house.call()
    };
    house.stage.press(leg, "1");
    assert!(house.hears(leg).ends_with(&["ja-JP/enter-self-service-id".into()]));
}

/// Proves SP-03: the administrators' code is accepted in place of the user's PIN, in its mode.
#[test]
fn an_administrator_enters_the_code() {
    let mode = json!({ "mode": "users-and-administrators" });
    let mut house = House::with_settings(mode, &["en-US"]);
    let settings = house.stage.id(Kind::SelfProvisioning, "self-provisioning");
    house.stage.secret(settings, CredentialKind::Code, "00700700");
    let leg = house.call();
    house.hears(leg);
    house.enter_id(leg);
    assert_eq!(house.hears(leg), ["enter-pin-or-code"]);
    house.stage.press(leg, "00700700#1");
    house.is_assigned();
    let Some(Operation::Assign { proven_by, .. }) = house.stage.submitted.first() else {
        panic!("submitted")
    };
    assert_eq!(*proven_by, jackfield_model::ProvenBy::Code);
}

/// Proves SP-03: the administrators' code is no wrong PIN of the user's, however often it is keyed in.
#[test]
fn the_code_does_not_count_against_the_user() {
    let mode = json!({ "mode": "users-and-administrators" });
    let mut house = House::with_settings(mode, &["en-US"]);
    let settings = house.stage.id(Kind::SelfProvisioning, "self-provisioning");
    house.stage.secret(settings, CredentialKind::Code, "00700700");
    for _ in 0..7 {
        let leg = house.call();
        house.enter_id(leg);
        house.stage.press(leg, "00700700#");
        assert!(house.hears(leg).contains(&"confirm-extension-before".into()));
        house.stage.hang_up(leg);
    }
    // What was neither counts as before.
    for _ in 0..2 {
        let leg = house.call();
        let keys = format!("{}#11111#", house.id).repeat(3);
        house.stage.press(leg, &keys);
        house.stage.hang_up(leg);
    }
    let leg = house.call();
    house.hears(leg);
    house.enter(leg);
    assert_eq!(house.hears(leg), ["enter-pin-or-code", "user-locked", "goodbye"]);
}

/// A slow check: keys pressed meanwhile confirm nothing, since nobody heard yet what is confirmed;
/// `*` restarts the entry, as everywhere (SP-12), and the keys after it are the new entry.
#[test]
fn keys_pressed_while_the_pin_is_checked() {
    let slow = || {
        let mut house = House::new();
        house.stage.checker_takes = Duration::from_secs(2);
        let leg = house.call();
        house.enter(leg);
        house.hears(leg);
        (house, leg)
    };
    let (mut house, leg) = slow();
    house.stage.press(leg, "1");
    house.stage.after(3);
    assert_eq!(house.hears(leg)[0], "confirm-extension-before");
    assert!(house.stage.submitted.is_empty(), "a stray key confirms nothing");
    house.stage.press(leg, "1");
    house.is_assigned();

    let (mut house, leg) = slow();
    house.stage.press(leg, "1*");
    house.stage.after(3);
    assert_eq!(house.hears(leg), ["entry-restarted", "enter-self-service-id"]);
    house.enter(leg);
    house.stage.after(3);
    house.stage.press(leg, "1");
    house.is_assigned();

    // An entry begun, and one that is whole, go on where they stopped.
    let (mut house, leg) = slow();
    let id = house.id.clone();
    house.stage.press(leg, &format!("*{}", &id[..2]));
    house.stage.after(3);
    assert!(house.hears(leg).is_empty(), "nobody talks into an entry");
    house.stage.press(leg, &format!("{}#", &id[2..]));
    assert_eq!(house.hears(leg), ["enter-pin"]);
    house.stage.press(leg, &format!("{PIN}#"));
    house.stage.after(3);
    assert_eq!(house.hears(leg)[0], "confirm-extension-before");

    let (mut house, leg) = slow();
    house.stage.checker_takes = Duration::from_secs(9);
    house.stage.press(leg, "*");
    house.enter(leg);
    house.stage.press(leg, "1");
    house.stage.after(20);
    assert_eq!(house.hears(leg)[0], "confirm-extension-before");
    house.is_untouched();
    house.stage.press(leg, "1");
    house.is_assigned();
}

/// Proves SP-02: in the default mode the code is of no use.
#[test]
fn the_code_is_refused_where_only_users_authenticate() {
    let mut house = House::new();
    let settings = house.stage.id(Kind::SelfProvisioning, "self-provisioning");
    house.stage.secret(settings, CredentialKind::Code, "00700700");
    let leg = house.call();
    house.enter_id(leg);
    house.hears(leg);
    house.stage.press(leg, "00700700#");
    assert_eq!(house.hears(leg)[0], "invalid-id-or-credential");
}

/// Proves SP-05: without authentication the ID alone is enough.
#[test]
fn without_authentication_the_id_is_enough() {
    let mut house = House::with_settings(json!({ "mode": "none" }), &["en-US"]);
    let leg = house.call();
    house.hears(leg);
    house.enter_id(leg);
    assert_eq!(house.hears(leg)[0], "confirm-extension-before");
    house.stage.press(leg, "1");
    house.is_assigned();
}

#[test]
fn whoever_presses_nothing_is_asked_again_and_then_let_go() {
    let mut house = House::new();
    let leg = house.call();
    house.hears(leg);
    house.stage.after(13);
    assert_eq!(house.hears(leg), ["no-input", "enter-self-service-id"]);
    house.stage.after(13);
    assert_eq!(house.hears(leg), ["no-input", "enter-self-service-id"]);
    house.stage.after(13);
    assert_eq!(house.hears(leg), ["no-input", "goodbye"]);
    house.stage.after(3);
    assert_eq!(house.stage.ended[&leg], Cause::Normal);
    house.stage.is_still();
}

/// The keys of a whole dialogue, one by one.
fn whole(house: &House) -> Vec<char> {
    format!("{}#{PIN}#1", house.id).chars().collect()
}

/// Proves SP-17: hanging up at any step leaves the assignment complete or not begun.
#[test]
fn the_caller_hangs_up_at_every_step() {
    let steps = whole(&House::new()).len();
    for step in 0..=steps {
        for slow_store in [false, true] {
            let mut house = House::new();
            if slow_store {
                house.stage.store = Store::Late(Duration::from_millis(1500));
            }
            let leg = house.call();
            for key in whole(&house).into_iter().take(step) {
                house.stage.press(leg, &key.to_string());
            }
            house.stage.hang_up(leg);
            house.stage.is_empty();
            house.stage.after(400);
            if step == steps {
                house.is_assigned();
                assert_eq!(house.stage.restarts, [house.phone], "step {step}");
            } else {
                house.is_untouched();
                assert!(house.stage.submitted.is_empty());
            }
            house.stage.is_still();
        }
    }
}

/// Proves SP-17: hold, transfer or conference at any step drops the call at once, and 20 seconds
/// later the phone says so.
#[test]
fn a_call_key_at_every_step_drops_the_call() {
    let steps = whole(&House::new()).len();
    for step in 0..=steps {
        let mut house = House::new();
        let leg = house.call();
        for key in whole(&house).into_iter().take(step) {
            house.stage.press(leg, &key.to_string());
        }
        house.stage.tell(LegEvent::FeaturePressed { leg });
        assert_eq!(house.stage.state(leg), None, "dropped at once, step {step}");
        house.stage.is_empty();
        house.stage.pass(Duration::from_millis(19_900));
        assert!(house.stage.texts.is_empty());
        house.stage.pass(Duration::from_millis(200));
        let text = (house.phone, "The call was disconnected".to_owned());
        assert_eq!(house.stage.texts, [text]);
        if step == steps {
            house.is_assigned();
            assert_eq!(house.stage.restarts, [house.phone]);
        } else {
            house.is_untouched();
        }
        house.stage.after(400);
        house.stage.is_still();
    }
}

/// Proves SP-17: holding by re-INVITE counts as a call key.
#[test]
fn hold_by_new_media_drops_the_call_too() {
    let mut house = House::new();
    let leg = house.call();
    let offer = Some(super::sdp(9));
    house.stage.tell(LegEvent::ReOffered { leg, offer, hold: Some(true) });
    assert_eq!(house.stage.state(leg), None);
    house.stage.is_empty();
}

/// Proves SP-16: call 101 finds it busy, and no call in progress suffers.
#[test]
fn the_hundred_and_first_call_finds_it_busy() {
    let mut house = House::new();
    let mut callers = Vec::new();
    for last in 10..110 {
        let phone = house.stage.new_phone(last);
        callers.push(house.stage.call(phone, IVR));
    }
    assert_eq!(house.stage.overview().ivr_calls, 100);
    let leg = house.call();
    assert_eq!(house.stage.ended[&leg], Cause::Busy);
    for leg in &callers {
        assert_eq!(house.hears(*leg), ["greeting", "enter-self-service-id"]);
    }
    house.enter_id(callers[99]);
    assert_eq!(house.hears(callers[99]), ["enter-pin"]);
    house.stage.hang_up(callers[0]);
    let leg = house.call();
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
}

/// Proves SP-18: callers hear reorder until the route point registers, after the delay.
#[test]
fn after_a_start_the_route_point_registers_later() {
    let mut house = House::new();
    house.stage.start_ivr(&["en-US"]);
    house.stage.after(29);
    let leg = house.call();
    assert_eq!(house.stage.ended[&leg], Cause::Congestion);
    house.stage.after(2);
    let leg = house.call();
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
}

/// Proves SP-18: when the service stops its calls drop at once, and an assignment that was submitted
/// goes on to its end.
#[test]
fn the_service_stops_at_every_step() {
    let steps = whole(&House::new()).len();
    for step in 0..=steps {
        let mut house = House::new();
        house.stage.store = Store::Late(Duration::from_secs(1));
        let leg = house.call();
        for key in whole(&house).into_iter().take(step) {
            house.stage.press(leg, &key.to_string());
        }
        house.stage.service(ServiceOrder::StopSelfProvisioning);
        assert_eq!(house.stage.ended[&leg], Cause::Normal, "step {step}");
        house.stage.is_empty();
        assert_eq!(house.stage.overview().sessions, 0);
        house.stage.after(400);
        if step == steps {
            house.is_assigned();
            assert_eq!(house.stage.restarts, [house.phone]);
        } else {
            house.is_untouched();
        }
        house.stage.is_still();
    }
}

/// Proves SP-26: with no application user the IVR does not run, and the status says so.
#[test]
fn without_an_application_user_it_does_not_run() {
    let mut house = House::with_settings(json!({ "application_user": null }), &["en-US"]);
    assert_eq!(&*house.stage.overview().ivr, "no-application-user");
    let leg = house.call();
    assert_eq!(house.stage.ended[&leg], Cause::Congestion);
}

/// Proves SP-19: a running service keeps the settings it started with.
#[test]
fn changed_settings_wait_for_a_restart() {
    let mut house = House::new();
    house.stage.patch(Kind::SelfProvisioning, "self-provisioning", json!({ "mode": "none" }));
    let leg = house.call();
    house.hears(leg);
    house.enter_id(leg);
    assert_eq!(house.hears(leg), ["enter-pin"]);
}

/// Proves SP-17: an answer that comes late is announced as what it is.
#[test]
fn a_late_commit_is_announced_when_it_is_known() {
    let mut house = House::new();
    house.stage.store = Store::Late(Duration::from_secs(6));
    let leg = house.call();
    house.enter(leg);
    house.hears(leg);
    house.stage.press(leg, "1");
    assert_eq!(house.hears(leg), ["assigning-please-wait"]);
    assert!(house.stage.restarts.is_empty());
    house.stage.after(7);
    assert_eq!(house.hears(leg)[0], "assigned");
}

/// Proves SP-17: a lost answer is asked for.
#[test]
fn a_lost_answer_is_asked_for() {
    let mut house = House::new();
    house.stage.store = Store::AnswerLost;
    let leg = house.call();
    house.enter(leg);
    house.stage.press(leg, "1");
    house.hears(leg);
    house.stage.after(3);
    assert_eq!(house.hears(leg)[0], "assigned");
    house.is_assigned();
}

/// Proves SP-17: an order that never arrived changed nothing, and the caller hears so.
#[test]
fn an_order_that_was_lost_changed_nothing() {
    let mut house = House::new();
    house.stage.store = Store::OrderLost;
    let leg = house.call();
    house.enter(leg);
    house.stage.press(leg, "1");
    house.hears(leg);
    house.stage.after(3);
    assert_eq!(house.hears(leg), ["try-later", "goodbye"]);
    house.is_untouched();
}

/// Proves SP-17: an outcome that nobody knows is announced as neither; when it turns out to be done,
/// the phone restarts.
#[test]
fn an_unknown_outcome_is_announced_as_unknown() {
    let mut house = House::new();
    house.stage.store = Store::Gone;
    let leg = house.call();
    house.enter(leg);
    house.stage.press(leg, "1");
    house.hears(leg);
    house.stage.after(15);
    assert_eq!(house.hears(leg), ["outcome-unknown", "goodbye"]);
    house.stage.after(300);
    house.stage.is_empty();
    assert!(house.stage.restarts.is_empty());
    // The store is back, and had received the order.
    house.stage.store = Store::Works;
    house.stage.after(120);
    house.is_assigned();
    assert_eq!(house.stage.restarts, [house.phone]);
    house.stage.is_still();
}

/// Proves SP-17: whoever calls again before the outcome is known does not hear that nothing was done.
#[test]
fn calling_again_before_the_outcome_is_known() {
    let mut house = House::new();
    house.stage.store = Store::Gone;
    let leg = house.call();
    house.enter(leg);
    house.stage.press(leg, "1");
    house.stage.hang_up(leg);
    let leg = house.call();
    house.enter(leg);
    house.hears(leg);
    house.stage.press(leg, "1");
    assert_eq!(house.hears(leg), ["assigning-please-wait", "outcome-unknown", "goodbye"]);
    assert_eq!(house.stage.submitted.len(), 1, "submitted once");
}

/// Proves SP-17: a store that is never back is asked for a day, and then somebody is told.
#[test]
fn an_outcome_that_stays_unknown_raises_an_alarm() {
    let mut house = House::new();
    house.stage.store = Store::Gone;
    let leg = house.call();
    house.enter(leg);
    house.stage.press(leg, "1");
    house.stage.after(25 * 3600);
    assert_eq!(house.stage.alarms.last().unwrap().name, "assignment-outcome-unknown");
    house.stage.is_still();
}

#[test]
fn a_refused_commit_is_told() {
    let mut house = House::new();
    house.stage.store = store_refuses();
    let leg = house.call();
    house.enter(leg);
    house.stage.press(leg, "1");
    house.hears(leg);
    house.stage.after(1);
    house.is_untouched();
    // Somebody else took the last place between question and commit.
    house.stage.store = Store::Refuses(Refusal::new(Code::DeviceLimit));
    house.stage.after(10);
    let leg = house.call();
    house.enter(leg);
    house.hears(leg);
    house.stage.press(leg, "1");
    assert_eq!(house.hears(leg), ["assigning-please-wait", "limit-reached", "goodbye"]);
}

#[test]
fn a_checker_that_does_not_answer_is_not_waited_for_for_ever() {
    let mut house = House::new();
    house.stage.checker_silent = true;
    let leg = house.call();
    house.enter(leg);
    house.hears(leg);
    house.stage.after(11);
    assert_eq!(house.hears(leg), ["try-later", "goodbye"]);
    house.stage.after(5);
    house.stage.is_still();
}

#[test]
fn without_media_the_call_fails_with_a_cause() {
    for driver in [Driver::Full, Driver::Silent] {
        let mut house = House::new();
        house.stage.driver = driver;
        let leg = house.call();
        house.stage.after(5);
        assert_eq!(house.stage.ended[&leg], Cause::MediaUnavailable);
        house.stage.is_still();
    }
}

/// Proves SP-10: it works as the chosen application user, with that user's rights and no others, and
/// tries again until it has them.
#[test]
fn without_its_rights_it_does_not_run() {
    let user = jackfield_model::defaults::sample::APPLICATION_USER;
    let groups = |names: &[&str]| json!({ "groups": names });
    let mut house = House::new();
    house.stage.patch(Kind::ApplicationUser, user, groups(&["Phone Provisioning"]));
    assert!(house.stage.overview().ivr.starts_with("not-opened"));
    let leg = house.call();
    assert_eq!(house.stage.ended[&leg], Cause::Congestion);
    house.stage.after(11);
    assert!(house.stage.overview().ivr.starts_with("forbidden"), "{}", house.stage.overview().ivr);
    let both = groups(&["Phone Provisioning", "Standard CTI Enabled"]);
    house.stage.patch(Kind::ApplicationUser, user, both);
    house.stage.after(11);
    assert_eq!(&*house.stage.overview().ivr, "in-service");
    let leg = house.call();
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
}

/// Proves SP-25: an application user that does not control the route point can't open it.
#[test]
fn a_user_that_does_not_control_the_route_point_is_refused() {
    let user = jackfield_model::defaults::sample::APPLICATION_USER;
    let mut house = House::new();
    let none = json!({ "controlled_route_points": [] });
    house.stage.patch(Kind::ApplicationUser, user, none);
    house.stage.after(11);
    assert!(house.stage.overview().ivr.starts_with("forbidden"));
}

/// Proves SP-11: while the service is off nobody is served, and the settings can be changed.
#[test]
fn while_it_is_off_the_settings_can_be_changed() {
    let mut house = House::new();
    house.stage.service(ServiceOrder::StopSelfProvisioning);
    assert_eq!(&*house.stage.overview().ivr, "stopped");
    let patch = json!({ "mode": "none", "start_delay_seconds": 0 });
    house.stage.patch(Kind::SelfProvisioning, "self-provisioning", patch);
    let leg = house.call();
    assert_eq!(house.stage.ended[&leg], Cause::Congestion);
    house.stage.start_ivr(&["en-US"]);
    house.stage.after(1);
    let leg = house.call();
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
}

/// The CTI manager stops under the IVR, and comes back.
#[test]
fn it_returns_with_the_cti_manager() {
    let mut house = House::new();
    let leg = house.call();
    house.stage.service(ServiceOrder::StopCtiManager);
    assert_eq!(house.stage.ended[&leg], Cause::ApplicationFailure);
    house.stage.is_empty();
    house.stage.after(60);
    assert!(house.stage.overview().ivr.starts_with("service-inactive"));
    house.stage.service(ServiceOrder::StartCtiManager);
    house.stage.after(11);
    let leg = house.call();
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
}

/// Proves SP-15: the codecs of the route point, G.729 only where the node can code it.
#[test]
fn the_codecs_of_the_route_point() {
    let answered = |formats: &str, maps: &str, g729: bool| {
        let mut house = House::new();
        house.stage.start_ivr_with(&["en-US"], g729);
        house.stage.after(31);
        let offer = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.50\r\ns=-\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\n\
             m=audio 48000 RTP/AVP {formats}\r\n{maps}"
        );
        let offer = Some(Description(offer.as_bytes().into()));
        let phone = house.phone;
        let leg = house.stage.call_with(phone, IVR, offer, LegId(9000));
        house.stage.state(leg) == Some(LegState::Talks)
    };
    assert!(answered("0", "", false), "G.711 \u{b5}-law");
    assert!(answered("8", "", false), "G.711 A-law");
    assert!(answered("97", "a=rtpmap:97 L16/16000\r\n", false), "L16");
    assert!(answered("18", "a=fmtp:18 annexb=yes\r\n", true), "G.729");
    assert!(!answered("18", "", false), "G.729 that can't be coded");
    assert!(!answered("96", "a=rtpmap:96 opus/48000/2\r\n", true));
}
