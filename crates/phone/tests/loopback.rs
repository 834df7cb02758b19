//! Phones on real sockets of 127.0.0.1.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use jackfield_phone::fleet::{
    Fleet, FleetSettings, IvrLoad, Newcomer, SelfProvision, ivr_load, self_provision,
};
use jackfield_phone::{CallState, Door, LivePhone, PhoneCommand, PhoneEvent, Sound, Transport};
use support::desk::Desk;

const SOON: Duration = Duration::from_secs(10);

fn phone(desk: &Desk, n: u8, transport: Transport, door: Door) -> LivePhone {
    let mac = format!("0200000000{n:02x}");
    let number = format!("10{n:02}");
    let name = if transport == Transport::Tcp { "tcp" } else { "udp" };
    desk.file(&format!("{mac}.txt"), &desk.plain(&number, "secret", name));
    let user = format!("dev{number}");
    desk.state.lock().unwrap().office.passwords.insert(user, "secret".into());
    LivePhone::start(desk.phone(&mac, transport, door)).unwrap()
}

/// Waits until a phone has heard a tone for a while.
fn hears(phone: &LivePhone, frequency: f32) {
    let end = Instant::now() + SOON;
    loop {
        let heard = phone.heard();
        if heard.packets >= 40 && heard.has_tone(frequency) {
            return;
        }
        assert!(Instant::now() < end, "{frequency} Hz: {}", heard.tone(frequency));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn two_phones_boot_register_call_and_hear_each_other() {
    let desk = Desk::open();
    let mut one = phone(&desk, 1, Transport::Udp, Door::Http);
    let mut two = phone(&desk, 2, Transport::Tcp, Door::Tftp);
    assert_eq!(one.wait_in_service(SOON).unwrap(), ["1001"]);
    assert_eq!(two.wait_in_service(SOON).unwrap(), ["1002"]);
    one.dial("1002");
    two.wait_call("ringing", SOON, |s| matches!(s, CallState::RingingHere { .. })).unwrap();
    two.softkey(jackfield_phone::Softkey::Answer);
    one.wait_connected(SOON).unwrap();
    two.wait_connected(SOON).unwrap();
    one.play(Sound::Tone { frequency: 440.0, millis: None });
    two.play(Sound::Tone { frequency: 620.0, millis: None });
    hears(&two, 440.0);
    hears(&one, 620.0);
    assert!(!two.heard().has_tone(620.0) && !one.heard().has_tone(440.0), "nobody hears oneself");
    one.play(Sound::Silence);
    one.press_all("12#").unwrap();
    let mut keys = String::new();
    while keys.len() < 3 {
        let event = two.wait_for("keys", SOON, |e| matches!(e, PhoneEvent::Digit { .. })).unwrap();
        let PhoneEvent::Digit { digit, .. } = event else { panic!() };
        keys.push(digit.as_char());
    }
    assert_eq!(keys, "12#");
    one.hang_up();
    two.wait_call("end", SOON, |s| matches!(s, CallState::Ended { .. })).unwrap();
    assert!(two.heard().has_tone(440.0), "what was heard stays after the call");
    one.stop();
    assert!(!desk.state.lock().unwrap().office.bindings.contains_key("1001"));
}

#[test]
fn a_closed_connection_is_opened_again() {
    let desk = Desk::open();
    let mut one = phone(&desk, 1, Transport::Tcp, Door::Http);
    one.wait_in_service(SOON).unwrap();
    one.command(PhoneCommand::Restart);
    one.wait_for("restart", SOON, |e| matches!(e, PhoneEvent::Booted { .. })).unwrap();
    assert_eq!(one.wait_in_service(SOON).unwrap(), ["1001"]);
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let desk = Desk::open();
    let mut settings = desk.phone("020000000009", Transport::Tcp, Door::Http);
    settings.http_port = 1;
    let mut phone = LivePhone::start(settings).unwrap();
    phone.wait_display("no files: HTTP 127.0.0.1:1: ", SOON).unwrap();
    let error = phone.wait_in_service(Duration::from_millis(100)).unwrap_err();
    assert!(error.to_string().contains("no files"), "{error}");
}

#[test]
fn a_fleet_boots_over_both_transports_and_doors() {
    for (transport, door, name) in
        [(Transport::Udp, Door::Tftp, "udp"), (Transport::Tcp, Door::Http, "tcp")]
    {
        let desk = Desk::open();
        for n in 0..40 {
            let file = desk.plain(&format!("3{n:03}"), "", name);
            desk.file(&format!("0200000000{n:02x}.txt"), &file);
        }
        let mut settings = FleetSettings::new(40, desk.phone("020000000000", transport, door));
        settings.timeout = SOON;
        settings.udp_sockets = 3;
        let report = Fleet::start(&settings).unwrap();
        assert_eq!((report.in_service, report.failed.len()), (40, 0), "{report:?}");
        assert_eq!(report.boots, 40, "{report:?}");
        assert!(report.times.max <= report.elapsed && !report.times.p50.is_zero());
        let seats: std::collections::BTreeSet<_> =
            desk.state.lock().unwrap().office.bindings.values().map(|b| b.seat).collect();
        assert_eq!(seats.len(), if transport == Transport::Udp { 3 } else { 40 });
    }
}

#[test]
fn a_fleet_without_a_server_fails_with_reasons() {
    let desk = Desk::open();
    let mut settings =
        FleetSettings::new(3, desk.phone("020000000000", Transport::Udp, Door::Http));
    settings.phone.http_port = 1;
    settings.timeout = Duration::from_millis(500);
    let report = Fleet::start(&settings).unwrap();
    assert_eq!((report.in_service, report.failed.len()), (0, 3));
    assert!(report.failed[0].1.contains("no files"), "{:?}", report.failed);
}

#[test]
fn new_phones_provision_themselves_by_one_call_each() {
    let desk = Desk::open();
    let mut newcomers = Vec::new();
    for n in 0..12 {
        let file = desk.plain(&format!("9{n:03}"), "", "udp");
        desk.file(&format!("0200000000{n:02x}.txt"), &file);
        let key = (format!("70{n:02}"), format!("12{n:02}"));
        let extension = format!("70{n:02}");
        newcomers.push(Newcomer {
            id: key.0.clone(),
            // The last one keys in a wrong PIN.
            pin: if n == 11 { "0000".into() } else { key.1.clone() },
            extension: extension.clone(),
        });
        desk.state.lock().unwrap().people.insert(key, extension);
    }
    let mut fleet = FleetSettings::new(12, desk.phone("020000000000", Transport::Udp, Door::Http));
    fleet.timeout = Duration::from_secs(30);
    let mut settings = SelfProvision::new(fleet, "2000", newcomers);
    settings.concurrency = 5;
    settings.pause = Duration::from_millis(100);
    settings.patience = Duration::from_secs(10);
    desk.state.lock().unwrap().turn_away = 2;
    let report = self_provision(&settings).unwrap();
    assert_eq!(report.provisioned, 11, "{report:?}");
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.failed[0].numbers, ["9011"], "it keeps its temporary number");
    assert!(report.doubled.is_empty());
    assert_eq!(report.calls, 12 + 2, "two calls were turned away: {report:?}");
    assert_eq!(report.ended_early, [("486 Busy Here".to_owned(), 2)].into());
    let state = desk.state.lock().unwrap();
    assert_eq!(state.voice_calls, 12);
    let numbers: Vec<_> = state.office.bindings.keys().collect();
    assert_eq!(numbers.len(), 12, "{numbers:?}");
}

#[test]
fn many_calls_measure_how_evenly_the_server_sends() {
    let desk = Desk::open();
    for n in 0..5 {
        let file = desk.plain(&format!("9{n:03}"), "", "udp");
        desk.file(&format!("0200000000{n:02x}.txt"), &file);
    }
    let mut fleet = FleetSettings::new(5, desk.phone("020000000000", Transport::Udp, Door::Http));
    fleet.timeout = Duration::from_secs(20);
    let mut settings = IvrLoad::new(fleet, "2000");
    settings.length = Duration::from_millis(1_500);
    settings.every = Duration::from_millis(500);
    let report = ivr_load(&settings).unwrap();
    assert_eq!((report.answered, report.survived), (5, 5), "{report:?}");
    assert!(report.received > 5 * 40 && report.sent > 5 * 40, "{report:?}");
    // How large it is depends on the machine; the sums are proved where packets come by number.
    assert_eq!(report.deviation.count as u64, report.received, "each packet: {report:?}");
    assert!(report.deviation.p50 <= report.deviation.p99, "{report:?}");
}

#[test]
fn a_script_tells_a_whole_story_and_where_it_went_wrong() {
    let desk = Desk::open();
    let file = desk.plain("9001", "", "udp");
    desk.file("020000000001.txt", &file);
    desk.state.lock().unwrap().people.insert(("7001".into(), "1234".into()), "7001".into());
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("heard.wav");
    let text = format!(
        "boot\nwait registered 5s\nexpect display 9001\ndial 2000\nwait connected 5s\npause 300ms\n\
         expect tone 852\npress 7001#1234#1\nwait restart 8s\nwait registered 7001 5s\n\
         record {}\nshow\n",
        wav.display()
    );
    let script = jackfield_phone::Script::parse(&text).unwrap();
    let settings = desk.phone("020000000001", Transport::Udp, Door::Http);
    let mut out = Vec::new();
    jackfield_phone::run_script(settings.clone(), &script, &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("| 7001"));
    assert!(std::fs::metadata(wav).unwrap().len() > 8_000);
    let script = jackfield_phone::Script::parse("boot\n\nwait display nonsense 50ms").unwrap();
    let error = jackfield_phone::run_script(settings, &script, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().starts_with("line 3: waited 50ms"), "{error}");
    for (awaited, told) in [("digits 9", "the keys 9"), ("registered 9999", "registration of")] {
        let script = format!("boot\nwait registered 7001 5s\nwait {awaited} 150ms");
        let script = jackfield_phone::Script::parse(&script).unwrap();
        let settings = desk.phone("020000000001", Transport::Udp, Door::Http);
        let error = jackfield_phone::run_script(settings, &script, &mut Vec::new()).unwrap_err();
        let told = format!("line 3: waited 150ms for {told}");
        assert!(error.to_string().starts_with(&told), "{error}");
    }
}

#[test]
fn a_person_can_play_with_it_line_by_line() {
    let desk = Desk::open();
    desk.file("020000000001.txt", &desk.plain("9001", "", "udp"));
    let settings = desk.phone("020000000001", Transport::Udp, Door::Http);
    let mut input = &b"help\nwait registered 5s\nnonsense\nshow\nquit\n"[..];
    let mut out = Vec::new();
    jackfield_phone::run_interactive(settings, &mut input, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("speed-dial N") && out.contains("| 9001"), "{out}");
    assert!(out.contains("`nonsense` is nothing I know"), "{out}");
}
