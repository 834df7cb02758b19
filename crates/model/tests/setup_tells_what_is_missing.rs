//! The status of self-provisioning and its checklists.
#![allow(clippy::unwrap_used)]

mod common;

use common::House;
use jackfield_model::setup::{
    Notice, Place, Running, Seen, Severity, SipPorts, StepState, application_user_warnings,
    concerns, explain_device, flow_of_nine, flow_of_six, misplaced, optional_steps,
    route_point_note, shortages, status,
};
use jackfield_model::{Kind, Language, Ref, Service};
use serde_json::json;

const EN: Language = Language::English;
const JA: Language = Language::Japanese;

fn all_runs() -> Running<'static> {
    Running {
        services: Service::ALL,
        ivr: Some("in-service"),
        application_user_has_password: true,
        restart_needed: Some(false),
    }
}

fn texts(house: &House, running: Running<'_>) -> Vec<String> {
    status(&house.directory, running, EN).notices.into_iter().map(|one| one.text).collect()
}

/// Proves SP-20.a, SP-20.b, SP-20.c and SP-60.a: the publisher alone is judged. That one of several nodes owns the route
/// point is proved where it is decided, in the engine, and between real nodes.
#[test]
fn the_status_is_ready_or_names_what_is_off() {
    let mut house = House::company(1);
    let ready = status(&house.directory, all_runs(), EN);
    assert!(ready.ready);
    assert_eq!(ready.text, "Ready");
    assert_eq!(status(&house.directory, all_runs(), JA).text, "準備が完了しました");

    let others = &[Service::CallManager, Service::CtiManager];
    let stopped = Running { services: others, ..all_runs() };
    let off = status(&house.directory, stopped, EN);
    assert!(!off.ready);
    assert_eq!(off.text, "The Self-Provisioning IVR service is off on node node-1.");

    house.patch(Kind::AutoRegistration, "node-1", json!({ "disabled": true }));
    let off = status(&house.directory, stopped, EN);
    assert_eq!(
        off.text,
        "Auto-registration is off on node node-1. \
         The Self-Provisioning IVR service is off on node node-1."
    );
}

/// Proves SP-18.d: until the route point registers, callers hear reorder, and the status says so. Its
/// word stays, since everything is on (SP-20.a).
#[test]
fn a_service_that_does_not_answer_yet_is_no_secret() {
    let mut house = House::company(1);
    house.patch(Kind::SelfProvisioning, "self-provisioning", json!({ "start_delay_seconds": 45 }));
    let told = |running| {
        let status = status(&house.directory, running, EN);
        (status.text, status.in_service, status.detail)
    };
    assert_eq!(told(all_runs()), ("Ready".into(), true, None));
    let waits = Running { ivr: Some("waiting"), ..all_runs() };
    let detail = "The Self-Provisioning IVR does not take calls yet: callers hear reorder until \
         its number answers, 45 seconds after its start.";
    assert_eq!(told(waits), ("Ready".into(), false, Some(detail.into())));
    let fails = Running { ivr: Some("no-language-pack"), ..all_runs() };
    let off = "The Self-Provisioning IVR takes no calls: none of its languages is installed.";
    assert_eq!(told(fails), (off.into(), false, None));
    // What is off says more than what follows from it.
    let off = Running { services: &[], ivr: Some("stopped"), ..all_runs() };
    assert_eq!((told(off).1, told(off).2), (false, None));
}

/// Proves SP-20.c and SP-26.b: who is told "Ready" can dial the number and have a phone. Whatever
/// keeps it from answering is named, with the command that mends it.
#[test]
fn it_is_not_ready_while_the_number_does_not_answer() {
    let settings = (Kind::SelfProvisioning, "self-provisioning");
    let user = (Kind::ApplicationUser, "self-provisioning");
    let registration = (Kind::AutoRegistration, "node-1");
    let cases = [
        (settings, json!({ "route_point": null }), "No CTI route point", "--route-point IVR-RP"),
        (
            settings,
            json!({ "application_user": null }),
            "No application user",
            "--application-user self-provisioning",
        ),
        (
            registration,
            json!({ "disabled": true }),
            "Auto-registration is off",
            "set auto-registration node-1 --disabled false",
        ),
        (
            registration,
            json!({ "disabled": true, "starting_number": "", "ending_number": "" }),
            "Auto-registration is off",
            "set auto-registration node-1 --starting-number 9000 --ending-number 9099 --disabled false",
        ),
        (user, json!({ "enabled": false }), "switched off", "--enabled true"),
        (
            user,
            json!({ "groups": ["End users"] }),
            "\"Standard CTI Enabled\" role",
            "set application-user self-provisioning --groups 'End users,Standard CTI Enabled'",
        ),
        (
            user,
            json!({ "controlled_route_points": [] }),
            "does not control",
            "--controlled-route-points IVR-RP",
        ),
        (
            (Kind::CtiRoutePoint, "IVR-RP"),
            json!({ "lines": [] }),
            "No DN is assigned",
            "set cti-route-point IVR-RP --lines",
        ),
    ];
    for ((kind, name), patch, text, command) in cases {
        let mut house = House::company(1);
        house.patch(kind, name, patch);
        assert_off(&house, all_runs(), text, command);
    }
    let mut house = House::company(1);
    house.profile(json!({ "allow_self_provisioning": false }));
    let command = "set user-profile Default --allow-self-provisioning true";
    assert_off(&house, all_runs(), "No user profile", command);

    let house = House::company(1);
    let services = Service::ALL.iter().copied().filter(|one| *one != Service::CtiManager);
    let services: Vec<_> = services.collect();
    let running = Running { services: &services, ivr: Some("service-inactive"), ..all_runs() };
    assert_off(&house, running, "The CTI Manager service is off", "services start cti-manager");
    let running = |ivr| Running { ivr: Some(ivr), ..all_runs() };
    for (state, command) in [
        ("no-route-point", "services restart self-provisioning-ivr"),
        ("not-found", "services restart self-provisioning-ivr"),
        // Nothing is off any more: it will see that by itself.
        ("not-opened", "tries again by itself within 10 seconds"),
        ("forbidden", "tries again by itself within 10 seconds"),
        ("disabled", "tries again by itself within 10 seconds"),
        ("media-conflict", "tries again by itself within 10 seconds"),
    ] {
        assert_off(&house, running(state), "takes no calls", command);
        let text = status(&house.directory, running(state), JA).text;
        assert!(text.contains("通話を受けていません") && !text.contains(state), "{text}");
    }
}

/// Proves SP-20.c: who dials the number hears somebody else, or nobody.
#[test]
fn it_is_not_ready_while_all_calls_to_its_number_go_elsewhere() {
    let mut house = House::company(1);
    let line = house.id(Kind::Line, "2000");
    let to = |number: &str| json!({ "forwards": { "all": { "destination": number } } });
    let command = "set line 2000 --forwards.all.destination ''";
    for number in ["3001", "4799", "2000"] {
        house.update(line, to(number));
        assert_off(&house, all_runs(), &format!("self-provisioning, go on to {number}"), command);
        let told = concerns(&house.directory, line, EN).join(" ");
        assert!(told.contains("nobody reaches the Self-Provisioning IVR"), "{told}");
        let invited = texts(&house, all_runs()).iter().any(|text| text.contains("Dial 2000"));
        assert!(!invited, "to dial what leads elsewhere");
        let point = house.id(Kind::CtiRoutePoint, "IVR-RP");
        let found = explain_device(&house.directory, point, Seen::default(), EN);
        assert!(found.iter().any(|one| !one.good && one.text.contains("nobody reaches")));
    }
    // By another number of its own it still answers.
    house.create(Kind::Line, json!({ "number": "2001" }));
    let lines = json!({ "lines": [{ "line": "2000" }, { "line": "2001" }] });
    house.patch(Kind::CtiRoutePoint, "IVR-RP", lines);
    let away = |house: &House| texts(house, all_runs()).iter().any(|one| one.contains("nobody"));
    assert!(status(&house.directory, all_runs(), EN).ready && away(&house));
    house.update(line, to("2001"));
    assert!(status(&house.directory, all_runs(), EN).ready && !away(&house));
}

/// A new phone reaches the number whatever else there is; others may not.
#[test]
fn the_status_tells_which_callers_reach_somebody_else_by_the_number() {
    let mut house = House::company(1);
    let told = |house: &House| -> Vec<String> {
        let status = status(&house.directory, all_runs(), EN);
        assert!(status.ready, "{status:?}");
        let loud = |one: &Notice| one.severity == Severity::Warning && one.text.contains("2000");
        status.notices.into_iter().filter(loud).map(|one| one.text).collect()
    };
    house.create(Kind::Partition, json!({ "name": "Internal" }));
    for name in ["Staff", "Lobby"] {
        let css = json!({ "name": name, "partitions": ["Internal"] });
        house.create(Kind::CallingSearchSpace, css);
    }
    house.create(Kind::CallingSearchSpace, json!({ "name": "Nothing", "partitions": [] }));
    let pattern = json!({ "pattern": "20XX", "partition": "Internal", "does": "block" });
    house.create(Kind::RoutePattern, pattern);
    assert_eq!(told(&house), [""; 0], "what is less exact hides nothing");
    house.create(Kind::Line, json!({ "number": "2000", "partition": "Internal" }));
    assert_eq!(
        told(&house),
        [
            "Callers with the calling search space Lobby, Staff who dial 2000 reach 2000 in Internal, \
          and not self-provisioning: give one of the two another number."
        ]
    );
    let staff = house.id(Kind::CallingSearchSpace, "Staff");
    let warned = concerns(&house.directory, staff, EN);
    assert!(warned.len() == 1 && warned[0].contains("space Staff who dial 2000"), "{warned:?}");
    let nothing = house.id(Kind::CallingSearchSpace, "Nothing");
    assert_eq!(concerns(&house.directory, nothing, EN), [""; 0]);
    // As settings of an older program may have it.
    let mut house = House::company(1);
    let (user, line) = (house.user("tanaka"), house.id(Kind::Line, "2000"));
    let mut body = serde_json::to_value(house.end_user(user)).unwrap();
    body["primary_extension"] = line.0.into();
    house.stored(user, Kind::EndUser, &body);
    let mut phone = house.phone_body("SEP0011223344AB");
    phone["lines"] = json!([{ "line": "2000" }]);
    house.create(Kind::Phone, phone);
    let told = told(&house);
    assert!(told[0].contains("and the extension of tanaka") && told[1].contains("SEP0011223344AB"));
}

/// One thing is off, with this text and the command that mends it.
#[track_caller]
fn assert_off(house: &House, running: Running<'_>, text: &str, command: &str) {
    let status = status(&house.directory, running, EN);
    assert!(!status.ready && !status.in_service, "{status:?}");
    let [off] = &*status.off else { panic!("{status:?}") };
    assert!(off.text.contains(text) && status.text == off.text, "{off:?}");
    let remedy = off.remedy.as_deref().unwrap();
    assert!(remedy.contains("`jackfield ") && remedy.contains(command), "{off:?}");
}

/// Proves SP-20.d: settings are saved while everything is off.
#[test]
fn settings_can_be_saved_with_everything_off() {
    let mut house = House::new();
    house.patch(Kind::SelfProvisioning, "self-provisioning", json!({ "digit_seconds": 20 }));
    assert_eq!(house.directory.self_provisioning().digit_seconds, 20);
}

/// Proves SP-21.c, SP-21.d and SP-21.e.
#[test]
fn a_route_point_shows_its_numbers_or_that_it_has_none() {
    let mut house = House::company(0);
    let point = house.id(Kind::CtiRoutePoint, "IVR-RP");
    let note =
        |house: &House, language| route_point_note(&house.directory, Ref::new(point), language);
    assert_eq!(note(&house, EN), "Dial 2000 from the phone to assign an extension.");
    assert_eq!(note(&house, JA), "電話から2000をダイヤルして内線を割り当てます。");
    house.create(Kind::Line, json!({ "number": "2001" }));
    house.update(point, json!({ "lines": [{ "line": "2000" }, { "line": "2001" }] }));
    assert_eq!(note(&house, EN), "Dial 2000, 2001 from the phone to assign an extension.");
    house.update(point, json!({ "lines": [] }));
    let none = "No DN is assigned to the Route Point. Please assign a DN to the Route Point.";
    assert_eq!(note(&house, EN), none);
    let none = "ルートポイントに割り当てられているDNがありません。ルートポイントにDNを割り当てて\
                ください。";
    assert_eq!(note(&house, JA), none);
}

/// Proves SP-22.b, SP-22.c and SP-25.e.
#[test]
fn an_application_user_that_can_not_work_is_warned_of() {
    let mut house = House::company(0);
    let user = house.id(Kind::ApplicationUser, "self-provisioning");
    let point = Ref::new(house.id(Kind::CtiRoutePoint, "IVR-RP"));
    let warnings = |house: &House, password| {
        application_user_warnings(&house.directory, Ref::new(user), Some(point), password, EN)
    };
    assert!(warnings(&house, true).is_empty());
    assert_eq!(
        warnings(&house, false),
        ["Valid credentials not set for this application User. Self-Provisioning IVR service \
             will not work."]
    );
    house.update(user, json!({ "groups": [], "controlled_route_points": [] }));
    assert_eq!(
        warnings(&house, true),
        [
            "\"Standard CTI Enabled\" role is not assigned for this application user. \
             Self-Provisioning IVR service will not work.",
            "The application user does not control the route point IVR-RP. Self-Provisioning IVR \
             service will not work.",
        ]
    );
    // Every other role is not the one that is needed.
    for group in ["Standard CTI Secure Connection", "Standard CTI Allow Control of All Devices"] {
        house.update(user, json!({ "groups": [group] }));
        let warned = warnings(&house, true);
        assert!(warned[0].starts_with("\"Standard CTI Enabled\" role is not"), "{warned:?}");
    }
}

/// Proves SP-26.b.
#[test]
fn without_an_application_user_the_status_says_that_the_ivr_does_not_run() {
    let mut house = House::company(0);
    house.patch(Kind::SelfProvisioning, "self-provisioning", json!({ "application_user": null }));
    let no_user = "No application user is selected. The Self-Provisioning IVR does not run.";
    assert!(texts(&house, all_runs()).iter().any(|text| text == no_user));
    // Whatever else is missing.
    house.patch(Kind::SelfProvisioning, "self-provisioning", json!({ "route_point": null }));
    assert!(texts(&house, Running::default()).iter().any(|text| text == no_user));
}

/// Proves SP-19.d.
#[test]
fn changed_settings_say_restart_needed() {
    let house = House::company(0);
    let changed = Running { restart_needed: Some(true), ..all_runs() };
    let says = |running| texts(&house, running).iter().any(|text| text.contains("restart needed"));
    assert!(says(changed) && !says(all_runs()));
    let elsewhere = texts(&house, Running { restart_needed: None, ..all_runs() });
    assert!(elsewhere.iter().any(|text| text.contains("is known there only")), "{elsewhere:?}");
}

/// Proves SP-05.d.
#[test]
fn the_mode_without_authentication_is_marked_as_not_recommended() {
    let mut house = House::company(0);
    house.patch(Kind::SelfProvisioning, "self-provisioning", json!({ "mode": "none" }));
    let texts = texts(&house, all_runs());
    assert!(texts.iter().any(|text| text.contains("Not recommended for day-to-day use")));
}

#[test]
fn the_status_says_loudly_that_emergency_calls_go_nowhere() {
    let texts = texts(&House::new(), Running::default());
    assert!(texts.iter().any(|text| text.contains("emergency calls go nowhere")));
}

/// Proves SP-54.c.
#[test]
fn the_checklist_of_six_steps_shows_what_is_still_missing() {
    let missing = |house: &House, running| {
        let steps = flow_of_six(&house.directory, running, EN);
        let missing = steps.into_iter().filter(|step| step.state == StepState::Missing);
        missing.map(|step| step.number).collect::<Vec<_>>()
    };
    let house = House::new();
    assert_eq!(missing(&house, Running::default()), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(missing(&House::company(1), all_runs()).is_empty());

    let mut house = House::company(1);
    let point = house.id(Kind::CtiRoutePoint, "IVR-RP");
    house.update(point, json!({ "lines": [] }));
    house.profile(json!({ "allow_self_provisioning": false }));
    assert_eq!(missing(&house, all_runs()), [4, 7]);
    let steps = flow_of_six(&house.directory, all_runs(), EN);
    assert_eq!(steps[3].object, "cti-route-point IVR-RP");
    assert_eq!(steps[3].remedy.as_deref(), Some("Add a line to the route point IVR-RP."));
    assert!(steps[0].remedy.is_none());
}

/// Proves SP-59.a.
#[test]
fn the_checklist_of_nine_steps_goes_from_templates_to_the_first_call() {
    let mut house = House::company(1);
    let missing = |house: &House, running| {
        let steps = flow_of_nine(&house.directory, running, EN);
        assert_eq!(steps.len(), 9);
        let missing = steps.into_iter().filter(|step| step.state == StepState::Missing);
        missing.map(|step| step.number).collect::<Vec<_>>()
    };
    assert_eq!(missing(&House::new(), Running::default()), [2, 4, 5, 6, 7, 8, 9]);
    assert_eq!(missing(&house, all_runs()), [8, 9]);
    let phone = house.new_phone(1);
    assert_eq!(missing(&house, all_runs()), [9]);
    house.assigned(phone, "tanaka");
    assert!(missing(&house, all_runs()).is_empty());
    assert_eq!(missing(&house, Running { services: &[], ..all_runs() }), [7]);
}

/// Proves SP-59.b for what is there and not enough.
#[test]
fn a_step_of_the_checklist_is_not_done_by_half() {
    let mut house = House::new();
    let missing = |house: &House| {
        let steps = flow_of_nine(&house.directory, Running::default(), EN).into_iter();
        let missing = steps.filter(|step| step.state == StepState::Missing);
        missing.map(|step| step.number).collect::<Vec<_>>()
    };
    let all = [2, 4, 5, 6, 7, 8, 9];
    assert_eq!(missing(&house), all);
    house.create(Kind::EndUser, json!({ "user_id": "without-extension" }));
    house.create(Kind::CtiRoutePoint, json!({ "name": "RP" }));
    let user = json!({ "user_id": "ivr", "controlled_route_points": ["RP"] });
    house.create(Kind::ApplicationUser, user);
    house.profile(json!({ "desk_phones": null, "mobile_and_desktop_devices": null }));
    house.profile(json!({ "allow_self_provisioning": true }));
    assert_eq!(missing(&house), all);
    house.patch(Kind::FeatureGroupTemplate, "Default", json!({ "user_profile": null }));
    assert_eq!(missing(&house), [2, 3, 4, 5, 6, 7, 8, 9]);
}

/// The step can stay undone: it says what happens then.
#[test]
fn the_checklist_tells_of_the_networks_of_the_phones() {
    let mut house = House::company(1);
    let step = |house: &House| optional_steps(&house.directory, all_runs(), EN).pop().unwrap();
    assert_eq!(
        (step(&house).state, &*step(&house).object),
        (StepState::Missing, "cluster-settings")
    );
    assert!(step(&house).remedy.unwrap().contains("whose address changes"));
    let settings = house.directory.all::<jackfield_model::ClusterSettings>().next().unwrap().0;
    house.update(settings.id(), json!({ "provisioning_networks": ["10.0.0.0/8"] }));
    assert_eq!(step(&house).state, StepState::Done);
}

#[test]
fn the_status_warns_when_new_phones_find_few_numbers_or_none() {
    let mut house = House::company(1);
    let range = |house: &mut House, last: &str| {
        let range = json!({ "starting_number": "9000", "ending_number": last });
        house.patch(Kind::AutoRegistration, "node-1", range);
    };
    let of_numbers = |house: &House| -> Vec<String> {
        let texts = texts(house, all_runs()).into_iter();
        texts.filter(|text| text.contains("auto-registration range")).collect()
    };
    range(&mut house, "9009");
    for phone in 1..=7 {
        house.new_phone(phone);
    }
    assert_eq!(of_numbers(&house), Vec::<String>::new());
    house.new_phone(8);
    let few = "2 of 10 numbers of the auto-registration range of node node-1 are left.";
    assert_eq!(of_numbers(&house), [few]);
    house.new_phone(9);
    house.new_phone(10);
    assert!(of_numbers(&house)[0].starts_with("No number of the auto-registration range"));
    let warned = status(&house.directory, all_runs(), JA).notices.into_iter();
    let warned: Vec<_> = warned.filter(|one| one.text.contains("番号範囲")).collect();
    assert_eq!((warned.len(), warned[0].severity), (1, Severity::Warning));
}

/// Also where somebody asks what is going on as a whole.
#[test]
fn the_status_warns_when_no_more_phones_may_wait_for_an_owner() {
    let mut house = House::company(1);
    house.patch(Kind::AutoRegistration, "node-1", json!({ "unassigned_limit": 2 }));
    house.new_phone(1);
    assert_eq!(shortages(&house.directory, EN), []);
    house.new_phone(2);
    let [full] = &*shortages(&house.directory, EN) else { panic!("no warning") };
    assert!(full.text.starts_with("2 phones wait for an owner on node node-1, which is the limit"));
    assert!(texts(&house, all_runs()).contains(&full.text));
}

/// Phones that are switched on hang where nobody gives them a file, whatever else is ready.
#[test]
fn a_house_without_a_file_service_is_warned_of() {
    let mut house = House::company(1);
    let here = Place {
        node: "node-1".into(),
        address: "192.0.2.10".parse().unwrap(),
        sip: "0.0.0.0:5060".parse().unwrap(),
        own: true,
        unknown: false,
        others: SipPorts::new(),
    };
    for (services, off) in [
        (json!(["call-manager", "tftp"]), false),
        (json!(["call-manager", "file-http"]), false),
        (json!(["call-manager"]), true),
    ] {
        house.patch(Kind::ServiceActivation, "node-1", json!({ "services": services }));
        let noticed =
            texts(&house, all_runs()).iter().any(|one| one.contains("tftp and file-http"));
        assert_eq!(noticed, off, "{services}");
        let found = misplaced(&house.directory, &here, EN);
        let remedy = found.iter().find_map(|one| one.remedy.as_deref());
        let command = "`jackfield services activate file-http --node node-1`";
        assert_eq!(remedy.is_some_and(|one| one.contains(command)), off, "{found:?}");
    }
}
