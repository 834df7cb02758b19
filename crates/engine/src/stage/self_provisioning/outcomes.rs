//! Answers of the store that come late, never, or as a refusal.

use super::*;

/// Proves SP-17.d: an answer that comes late is announced as what it is.
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

/// Proves SP-17.d: a lost answer is asked for.
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

/// Proves SP-17.d: an order that never arrived changed nothing, and the caller hears so.
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

/// Proves SP-17.d: an outcome that nobody knows is announced as neither; when it turns out to be done,
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

/// Proves SP-17.d: whoever calls again before the outcome is known does not hear that nothing was done.
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

/// Proves SP-17.d: a store that is never back is asked for a day, and then somebody is told.
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

/// Proves SP-12.f for what the store refuses.
#[test]
fn a_refused_commit_is_told() {
    let mut house = House::new();
    house.stage.store = store_refuses();
    let leg = house.call();
    house.enter(leg);
    house.hears(leg);
    house.stage.press(leg, "1");
    assert_eq!(house.hears(leg), ["assigning-please-wait", "try-later", "goodbye"]);
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
