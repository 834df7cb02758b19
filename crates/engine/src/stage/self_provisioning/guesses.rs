//! Whoever keys in what is wrong, again and again.

use super::*;

/// Keys pressed so fast that no time passes.
fn press(house: &mut House, leg: LegId, keys: &str) {
    keys.chars().for_each(|key| house.stage.press_key(leg, key));
}

/// Sixteen wrong entries of eight phones at one address.
fn sixteen_guesses(house: &mut House) {
    for last in 10..18 {
        let phone = house.stage.new_phone(last);
        let leg = house.stage.call(phone, IVR);
        for _ in 0..2 {
            press(house, leg, "555#11111#");
            house.stage.pass(Duration::from_millis(100));
        }
    }
}

#[test]
fn one_source_is_held_to_a_pace_and_nothing_is_counted_against_the_user() {
    let mut house = House::new();
    sixteen_guesses(&mut house);
    // Neither a wrong PIN of the user nor the right one is looked at.
    for pin in ["00000", PIN] {
        let leg = house.call();
        let keys = format!("{}#{pin}#", house.id);
        press(&mut house, leg, &keys);
        house.stage.pass(Duration::from_millis(100));
        assert!(house.hears(leg).contains(&"try-later".to_owned()), "{pin}");
        house.stage.hang_up(leg);
    }
    house.is_untouched();
    assert_eq!(house.stage.failures_of(house.user), 0);
    // Some time later it is.
    house.stage.after(60);
    let leg = house.call();
    house.enter(leg);
    house.stage.press(leg, "1");
    house.is_assigned();
}

/// A check that nobody waits for counts, too.
#[test]
fn to_hang_up_before_the_answer_is_no_way_around() {
    let mut house = House::new();
    house.stage.checker_takes = Duration::from_secs(1);
    for _ in 0..16 {
        let leg = house.call();
        press(&mut house, leg, "555#11111#");
        house.stage.hang_up(leg);
    }
    let leg = house.call();
    press(&mut house, leg, "555#11111#");
    assert!(house.hears(leg).contains(&"try-later".to_owned()));
}

/// Many phones of one address are provisioned at once, and none has to come later.
#[test]
fn right_entries_cost_nothing_however_many_come_at_once() {
    let mut house = House::new();
    house.stage.checker_takes = Duration::from_secs(5);
    let keys = format!("{}#{PIN}#", house.id);
    let mut callers = Vec::new();
    for last in 10..40 {
        let phone = house.stage.new_phone(last);
        let leg = house.stage.call(phone, IVR);
        press(&mut house, leg, &keys);
        callers.push(leg);
    }
    house.stage.after(6);
    for leg in callers {
        assert!(house.hears(leg).contains(&"confirm-extension-after".to_owned()));
    }
}
