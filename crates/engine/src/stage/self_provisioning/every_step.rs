//! What callers do at every step: hang up, hold, transfer, and the one too many.

use super::*;

/// Proves SP-17.d: hanging up at any step leaves the assignment complete or not begun.
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

/// Proves SP-17.a and SP-17.b: hold, transfer or conference at any step drops the call at once, and 20 seconds
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

/// Proves SP-17.a: holding by re-INVITE counts as a call key.
#[test]
fn hold_by_new_media_drops_the_call_too() {
    let mut house = House::new();
    let leg = house.call();
    let offer = Some(crate::stage::sdp(9));
    house.stage.tell(LegEvent::ReOffered { leg, offer, hold: Some(true) });
    assert_eq!(house.stage.state(leg), None);
    house.stage.is_empty();
}

/// No step leaves the caller waiting for ever, whoever of media driver, checker and store says nothing.
#[test]
fn every_step_has_an_end_though_nobody_answers() {
    let steps = whole(&House::new()).len();
    for step in 0..=steps {
        for driver in [Driver::Works, Driver::Mute, Driver::Endless] {
            for (checker_silent, store) in
                [(false, Store::Works), (true, Store::Works), (false, Store::Gone)]
            {
                let mut house = House::new();
                let faults = format!("step {step}, {driver:?}, {checker_silent}, {store:?}");
                house.stage.driver = driver;
                house.stage.checker_silent = checker_silent;
                house.stage.store = store;
                let leg = house.call();
                for key in whole(&house).into_iter().take(step) {
                    house.stage.press(leg, &key.to_string());
                }
                house.stage.after(150);
                assert_eq!(house.stage.state(leg), None, "{faults}");
                house.stage.is_empty();
            }
        }
    }
}

/// Proves SP-16.b: call 101 finds it busy, and no call in progress suffers.
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
