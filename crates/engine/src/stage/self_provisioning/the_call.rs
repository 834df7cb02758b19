//! What the caller hears and keys in, from the first word to the restart of the phone.

use super::*;

/// Proves SP-12.a, SP-12.c, SP-12.d, SP-12.e and SP-12.f: a new phone becomes its owner's by one call.
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

/// Proves SP-12.h: keys stop every prompt, also when they are told by INFO or KPML.
#[test]
fn a_key_stops_a_prompt() {
    for source in [DigitSource::Info, DigitSource::Kpml] {
        let mut house = House::new();
        let leg = house.call();
        assert_eq!(house.stage.playing(), 1);
        let digit = house.id.chars().next().and_then(|key| Digit::try_from(key).ok()).unwrap();
        house.stage.tell(LegEvent::Digit { leg, digit, source });
        assert_eq!(house.stage.playing(), 0, "{source:?}");
        // The same press told by RTP is no second one.
        let (first, rest) = house.id.split_at(1);
        let keys = [first.to_owned(), format!("{rest}#")];
        keys.iter().for_each(|keys| house.stage.press(leg, keys));
        assert_eq!(house.hears(leg), ["greeting", "enter-self-service-id", "enter-pin"]);
    }
}

/// A key that comes in signalling and then in the sound stops what plays once: not the answer to it.
#[test]
fn a_key_that_comes_both_ways_cuts_no_answer_off() {
    for source in [DigitSource::Info, DigitSource::Kpml] {
        let mut house = House::new();
        let leg = house.call();
        for key in format!("{}#", house.id).chars() {
            let digit = Digit::try_from(key).unwrap();
            house.stage.tell(LegEvent::Digit { leg, digit, source });
            house.stage.press(leg, &key.to_string());
        }
        assert_eq!(house.hears(leg), ["greeting", "enter-self-service-id", "enter-pin"]);
        assert_eq!(house.stage.playing(), 1, "{source:?}");
        // The next one stops it, however it is told.
        house.stage.press(leg, "1");
        assert_eq!(house.stage.playing(), 0, "{source:?}");
    }
}

/// Proves SP-12.g: `*` restarts the entry wherever it is pressed.
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

/// Proves SP-12.b: any other phone is told that it is not open, whether somebody owns it or it was
/// added by hand for nobody.
#[test]
fn another_phone_is_not_open() {
    let mut house = House::new();
    let owned = house.stage.phone_of("garcia", 2);
    house.stage.create(Kind::Line, json!({ "number": "3500" }));
    let lobby = house.stage.create(
        Kind::Phone,
        json!({
            "name": "SEP0011223344FF", "model": "Cisco 7841", "device_pool": "Default",
            "security_profile": "Non-secure TCP", "sip_profile": "Default",
            "lines": [{ "line": "3500" }],
        }),
    );
    for phone in [owned, lobby] {
        let leg = house.stage.call(phone, IVR);
        assert_eq!(house.hears(leg), ["not-open-for-provisioning", "goodbye"]);
        house.stage.after(5);
        assert_eq!(house.stage.ended[&leg], Cause::Normal);
        house.stage.is_empty();
    }
}

/// Proves SP-07.d and SP-07.e: wrong entries end the call, and lock the user in the end.
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

/// Proves SP-02.c: nobody is proved by a credential that is not their own, and who has none by nothing.
#[test]
fn only_the_own_credential_proves_a_user() {
    let mut house = House::new();
    let other = house.stage.user("garcia");
    let line = house.stage.directory.primary_extension(other).unwrap();
    let id = house.stage.directory.get(line).unwrap().number.to_string();
    for others_pin in [None, Some("72604")] {
        if let Some(pin) = others_pin {
            house.stage.secret(other, CredentialKind::Pin, pin);
        }
        let leg = house.call();
        house.hears(leg);
        house.stage.press(leg, &format!("{id}#{PIN}#"));
        let heard = ["enter-pin", "invalid-id-or-credential", "enter-self-service-id"];
        assert_eq!(house.hears(leg), heard);
        house.enter(leg);
        assert_eq!(house.hears(leg)[1], "confirm-extension-before", "the own one");
        house.stage.hang_up(leg);
    }
    house.is_untouched();
}

/// Proves SP-07.a: an unknown ID sounds like a wrong PIN.
#[test]
fn an_unknown_id_sounds_like_a_wrong_pin() {
    let mut house = House::new();
    let leg = house.call();
    house.hears(leg);
    house.stage.press(leg, "987654#11111#");
    let heard = ["enter-pin", "invalid-id-or-credential", "enter-self-service-id"];
    assert_eq!(house.hears(leg), heard);
}

/// Proves SP-34.f: each failed condition has its own prompt.
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

/// Proves SP-32.b: without a device template the prescribed sentence is said.
#[test]
fn without_a_device_template_the_assignment_fails() {
    let mut house = House::new();
    let none = json!({ "desk_phones": null, "mobile_and_desktop_devices": null });
    house.stage.patch(Kind::UserProfile, "Default", none);
    house.fails_with("no-template");
}

/// Proves SP-13.d: with more than one language the caller chooses by key, in the order of the list.
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

/// Proves SP-03.a: the administrators' code is accepted in place of the user's PIN, in its mode.
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

/// Proves SP-03.a: for a user who has no PIN yet, as well.
#[test]
fn the_code_is_enough_for_a_user_without_a_pin() {
    let mode = json!({ "mode": "users-and-administrators" });
    let mut house = House::with_settings(mode, &["en-US"]);
    let settings = house.stage.id(Kind::SelfProvisioning, "self-provisioning");
    house.stage.secret(settings, CredentialKind::Code, "00700700");
    let user = house.stage.user("garcia");
    let line = house.stage.directory.primary_extension(user).unwrap();
    let id = house.stage.directory.get(line).unwrap().number.to_string();
    let leg = house.call();
    house.stage.press(leg, &format!("{id}#00700700#"));
    house.stage.press(leg, "1");
    assert_eq!(house.stage.numbers_of(house.phone), [&*id]);
}

/// Proves SP-03.d: the administrators' code is no wrong PIN of the user's, however often it is keyed in.
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

/// Proves SP-02.d: in the default mode the code is of no use.
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

/// Proves SP-05.a: without authentication the ID alone is enough.
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
