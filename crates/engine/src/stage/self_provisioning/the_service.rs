//! When the service runs, as whom, and with which settings.

use super::*;

/// Proves SP-18.b and SP-18.d: callers hear reorder until the route point registers, after the delay.
#[test]
fn after_a_start_the_route_point_registers_later() {
    let mut house = House::new();
    house.stage.start_ivr(&["en-US"]);
    house.stage.after(29);
    let leg = house.call();
    assert_eq!(house.stage.ended[&leg], Cause::Congestion);
    let starts = house.stage.overview().ivr_starts.unwrap();
    assert_eq!(starts.0 - house.stage.now.wall.0, 1000, "it says when");
    house.stage.after(2);
    assert_eq!(house.stage.overview().ivr_starts, None);
    let leg = house.call();
    assert_eq!(house.stage.state(leg), Some(LegState::Talks));
}

/// Proves SP-18.a: when the service stops its calls drop at once, and an assignment that was submitted
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

/// Proves SP-26.a: with no application user the IVR does not run, and the status says so.
#[test]
fn without_an_application_user_it_does_not_run() {
    let mut house = House::with_settings(json!({ "application_user": null }), &["en-US"]);
    assert_eq!(&*house.stage.overview().ivr, "no-application-user");
    let leg = house.call();
    assert_eq!(house.stage.ended[&leg], Cause::Congestion);
}

/// Proves SP-19.a: a running service keeps the settings it started with.
#[test]
fn changed_settings_wait_for_a_restart() {
    let mut house = House::new();
    house.stage.patch(Kind::SelfProvisioning, "self-provisioning", json!({ "mode": "none" }));
    let leg = house.call();
    house.hears(leg);
    house.enter_id(leg);
    assert_eq!(house.hears(leg), ["enter-pin"]);
}

/// Proves SP-10.c: it works as the chosen application user, with that user's rights and no others, and
/// tries again until it has them.
#[test]
fn without_its_rights_it_does_not_run() {
    let user = jackfield_model::defaults::sample::APPLICATION_USER;
    let groups = |names: &[&str]| json!({ "groups": names });
    let mut house = House::new();
    house.stage.patch(Kind::ApplicationUser, user, groups(&["Phone Provisioning"]));
    assert!(house.stage.overview().ivr.starts_with("forbidden"));
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

/// Proves SP-10.c and SP-25.e: an application user that does not control the route point can't open it.
#[test]
fn a_user_that_does_not_control_the_route_point_is_refused() {
    let user = jackfield_model::defaults::sample::APPLICATION_USER;
    let mut house = House::new();
    let none = json!({ "controlled_route_points": [] });
    house.stage.patch(Kind::ApplicationUser, user, none);
    assert!(house.stage.overview().ivr.starts_with("forbidden"), "at once");
    house.stage.after(11);
    assert!(house.stage.overview().ivr.starts_with("forbidden"));
}

/// The state says what happened, and not only that the route point is gone.
#[test]
fn a_user_that_is_switched_off_is_told_as_that() {
    let user = jackfield_model::defaults::sample::APPLICATION_USER;
    let mut house = House::new();
    house.stage.patch(Kind::ApplicationUser, user, json!({ "enabled": false }));
    assert_eq!(&*house.stage.overview().ivr, "disabled", "at once");
    house.stage.after(11);
    assert_eq!(&*house.stage.overview().ivr, "disabled");
    house.stage.patch(Kind::ApplicationUser, user, json!({ "enabled": true }));
    house.stage.after(11);
    assert_eq!(&*house.stage.overview().ivr, "in-service");
}

/// Proves SP-11.b: while the service is off nobody is served, and the settings can be changed.
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

/// Proves SP-15.a, SP-15.b, SP-15.c and SP-15.d: the codecs of the route point, G.729 only where the node can code it.
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
