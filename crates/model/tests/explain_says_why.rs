//! Why can't this phone or user …?
#![allow(clippy::unwrap_used)]

mod common;

use common::House;
use core::net::IpAddr;

use jackfield_model::setup::{
    AccountLock, Refused, Seen, Served, explain_device, explain_number, explain_user,
    user_of_number,
};
use jackfield_model::{CredentialKind, Kind, Language};
use jackfield_vocabulary::{Code, Outdated, Refusal, UnixTime};
use serde_json::json;

const EN: Language = Language::English;
const JA: Language = Language::Japanese;

/// Proves SP-34.h.
#[test]
fn explain_says_why_a_user_can_not_provision_a_phone_and_what_would_help() {
    let mut house = House::company(1);
    let user = house.user("tanaka");
    let explain = |house: &House| explain_user(&house.directory, user, Seen::default(), EN);
    assert!(explain(&house)[0].good);
    house.profile(json!({ "allow_self_provisioning": false, "desk_phones": null }));
    let findings = explain(&house);
    assert_eq!(findings[0].text, "user-profile Default: self-provisioning is not allowed.");
    assert_eq!(
        findings[0].remedy.as_deref(),
        Some("Allow end users to provision their own phones in the user profile.")
    );
    assert!(findings[1].text.contains("no universal device template"));
    let seen = Seen { pin: Some(false), ..Seen::default() };
    let findings = explain_user(&house.directory, user, seen, EN);
    assert!(findings.iter().any(|finding| finding.text == "The user has no PIN."));
}

/// Every reason, until when, and the command that ends it.
#[test]
fn explain_says_how_long_a_user_is_locked_beside_all_other_reasons() {
    let mut house = House::company(1);
    let user = house.user("tanaka");
    let lock = |credential, source: Option<&str>, until| AccountLock {
        owner: user,
        credential,
        source: source.map(Into::into),
        until,
    };
    let locks = [
        lock(CredentialKind::Pin, None, Some(UnixTime(1_795_305_229_000))),
        lock(CredentialKind::Password, Some("192.0.2.9"), None),
    ];
    let seen = Seen { locks: &locks, ..Seen::default() };
    let explain = |house: &House| explain_user(&house.directory, user, seen, EN);
    let findings = explain(&house);
    let bad: Vec<_> = findings.iter().filter(|one| !one.good).collect();
    assert_eq!(bad.len(), 3, "and no device has the number: {findings:?}");
    assert!(!findings[0].good, "a locked user may provision no phone: {findings:?}");
    let [pin, password] = [&bad[0].text, &bad[1].text];
    let told = "The PIN of tanaka is locked after too many failures, until 2026-11-21 23:53 UTC.";
    assert_eq!(pin, told);
    assert!(password.contains("until somebody unlocks it; only from 192.0.2.9"), "{password}");
    assert_eq!(bad[0].remedy.as_deref(), Some("Unlock it now: jackfield unlock tanaka"));
    house.profile(json!({ "allow_self_provisioning": false }));
    assert_eq!(explain(&house).iter().filter(|one| !one.good).count(), 4);
}

/// Who asks knows no more than a number.
#[test]
fn a_number_leads_on_to_its_phones_and_users() {
    let mut house = House::company(2);
    let told = |house: &House, number: &str| explain_number(&house.directory, number, EN);
    assert_eq!(told(&house, "4711"), None);
    let line = told(&house, "3001").unwrap();
    assert_eq!(line.findings[0].text, "3001 is a line, the extension of tanaka.");
    assert_eq!((line.findings[0].good, line.device), (false, None), "on no device");
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");
    let name = house.directory.label(phone).unwrap();
    let line = told(&house, "3001").unwrap();
    assert_eq!(line.device, Some(phone));
    assert_eq!(
        line.findings[0].text,
        format!("3001 is a line, on {name}, the extension of tanaka.")
    );
    assert_eq!(line.findings[0].remedy.as_deref(), Some("`jackfield explain user tanaka`"));
    let mut other = house.phone_body("SEP0011223344AB");
    other["lines"] = json!([{ "line": "3001" }]);
    house.create(Kind::Phone, other);
    let line = told(&house, "3001").unwrap();
    assert_eq!((line.device, line.findings.len()), (None, 1), "on two");
    let remedy = line.findings[0].remedy.as_deref().unwrap();
    assert!(remedy.contains("`jackfield explain phone SEP0011223344AB`"), "{remedy}");
    // The same number twice, and one of the two by its partition.
    house.create(Kind::Partition, json!({ "name": "Internal" }));
    house.create(Kind::Line, json!({ "number": "3001", "partition": "Internal" }));
    assert_eq!(told(&house, "3001").unwrap().findings.len(), 2);
    let one = told(&house, "3001 in Internal").unwrap().findings;
    assert_eq!(one[0].text, "3001 in Internal is a line.");
    let user = |number: &str| user_of_number(&house.directory, number);
    assert_eq!((user("3001"), user("3009")), (Some(house.user("tanaka")), None));
}

/// What nobody can key in identifies nobody.
#[test]
fn an_extension_that_can_not_be_keyed_in_is_told() {
    let mut house = House::company(1);
    let user = house.user("tanaka");
    let told = |house: &House| -> Vec<String> {
        let found = explain_user(&house.directory, user, Seen::default(), EN).into_iter();
        found.map(|one| one.text).filter(|text| text.contains("can't be keyed in")).collect()
    };
    for number in ["*31#", "+4930123"] {
        house.create(Kind::Line, json!({ "number": number }));
        house.update(user, json!({ "primary_extension": number, "self_service_id": "" }));
        assert_eq!(told(&house).len(), 1, "{number}");
        house.update(user, json!({ "self_service_id": "4711" }));
        assert_eq!(told(&house), [""; 0]);
    }
    house.update(user, json!({ "primary_extension": "3001", "self_service_id": "" }));
    assert_eq!(told(&house), [""; 0]);
}

#[test]
fn explain_says_what_is_the_matter_with_a_phone() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    let seen = Seen { registered: Some(false), ..Seen::default() };
    let findings = explain_device(&house.directory, phone, seen, EN);
    assert_eq!(findings[0].text, "The phone is open for self-provisioning.");
    assert!(findings.iter().any(|finding| finding.text.contains("not registered")));
    let seen = Seen { elsewhere: Some(("node-1", "node-2")), ..seen };
    let findings = explain_device(&house.directory, phone, seen, EN);
    let text = "The phone is registered at node node-2, not at node node-1.";
    assert!(findings.iter().any(|finding| finding.text == text && !finding.good));
    assert!(!findings.iter().any(|finding| finding.text.contains("is not registered")));
    house.assigned(phone, "tanaka");
    let findings = explain_device(&house.directory, phone, Seen::default(), EN);
    assert_eq!(findings[0].text, "The phone belongs to tanaka.");
    assert_eq!(findings[1].text, "3001 can be called.");
}

#[test]
fn explain_says_why_the_last_registration_was_refused() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    let refusal = Refusal::new(Code::WrongSecret);
    let address = "10.0.0.7:5060";
    let last =
        Refused { seconds_ago: 150, address, refusal: &refusal, may_fetch: true, others: &[] };
    let seen = Seen { registered: Some(false), refused: Some(last), ..Seen::default() };
    let findings = explain_device(&house.directory, phone, seen, EN);
    let refused = findings.iter().find(|finding| !finding.good).unwrap();
    assert_eq!(
        refused.text,
        "The phone is not registered. Its last try, 2 min ago from 10.0.0.7:5060, was refused: \
         The phone registers with a wrong secret."
    );
    assert!(refused.remedy.as_ref().unwrap().contains("fetch its file"));
    assert!(!findings.iter().any(|one| one.remedy.iter().any(|text| text.contains("power"))));
    let findings = explain_device(&house.directory, phone, seen, JA);
    assert!(findings.iter().any(|finding| finding.text.contains("シークレットが正しくありません")));
    let seen = Seen { registered: Some(true), reachable: Some(false), ..Seen::default() };
    let findings = explain_device(&house.directory, phone, seen, EN);
    assert!(findings.iter().any(|finding| finding.text.contains("its connection is gone")));
}

/// Whose file has no password for where the phone is, that one it helps little to fetch it.
#[test]
fn explain_names_the_command_that_lets_a_phone_have_its_secret() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    let soft = json!({ "name": "CSFTANAKA", "model": "Generic soft client", "owner": "tanaka" });
    let soft = house.create(Kind::Phone, soft);
    let remedy_of = |device, code, may_fetch, others: &[IpAddr]| {
        let (address, refusal) = ("10.0.0.7:5060", Refusal::new(code));
        let last = Refused { seconds_ago: 5, address, refusal: &refusal, may_fetch, others };
        let seen = Seen { registered: Some(false), refused: Some(last), ..Seen::default() };
        let findings = explain_device(&house.directory, device, seen, EN).into_iter();
        findings.filter_map(|one| one.remedy).collect::<String>()
    };
    let remedy = |device, code, may_fetch| remedy_of(device, code, may_fetch, &[]);
    let name = house.directory.label(phone).unwrap();
    let window = format!("`jackfield window {name} --address 10.0.0.7`");
    for code in [Code::SecretNotShown, Code::WrongSecret] {
        assert!(remedy(phone, code, false).contains(&window), "{}", remedy(phone, code, false));
        assert!(!remedy(phone, code, true).contains("window"), "it only has to fetch its file");
        assert!(remedy(soft, code, false).contains("`jackfield secret CSFTANAKA`"));
    }
    assert!(!remedy(phone, Code::NotItsLine, false).contains("window"));
    // Somebody else tried in its name: which of them is the phone nobody here knows.
    let which = remedy_of(phone, Code::WrongSecret, false, &["10.0.0.66".parse().unwrap()]);
    assert!(which.contains("10.0.0.7, 10.0.0.66") && !which.contains("--address 10"), "{which}");
}

/// Proves SP-60.d: whoever asks why the number does not answer is told which node owns it.
#[test]
fn explain_says_which_node_owns_the_route_point() {
    let house = House::company(0);
    let point = house.id(Kind::CtiRoutePoint, "IVR-RP");
    let explain = |state, owner, language| {
        let served = Some(Served { node: "node-2", state, owner });
        let seen = Seen { served, ..Seen::default() };
        explain_device(&house.directory, point, seen, language).remove(0)
    };
    let served = explain("in-service", None, EN);
    assert!(served.good);
    assert_eq!(served.text, "Node node-2 takes the calls to it.");
    let owned = explain("standing by (owner: node-1)", Some("node-1"), EN);
    assert!(!owned.good);
    assert!(owned.text.starts_with("Node node-1 owns it and takes its calls"), "{}", owned.text);
    assert!(owned.remedy.unwrap().contains("registered at node node-1"));
    let stopped = explain("stopped", None, EN);
    assert_eq!(stopped.text, "Node node-2 does not take calls to it now: stopped.");
    assert!(!stopped.good);
    assert!(explain("standing by", Some("node-1"), JA).text.contains("待機中"));
}

/// What a phone has not heard of, and how it hears of it; a number that nobody answers is no good news.
#[test]
fn explain_says_that_a_phone_has_to_restart() {
    let mut house = House::company(1);
    let phone = house.new_phone(1);
    house.assigned(phone, "tanaka");
    let line = house.id(Kind::Line, "3001");
    let command = format!("`jackfield restart {}`", house.directory.label(phone).unwrap());
    let explain = |seen| explain_device(&house.directory, phone, seen, EN);
    let up = Seen { registered: Some(true), reachable: Some(true), ..Seen::default() };
    assert!(explain(up).iter().all(|one| one.good));
    let refusal = Refusal::new(Code::NotItsLine).value("user", "3011");
    let address = "10.0.0.7:5060";
    let last = Refused { seconds_ago: 5, address, refusal: &refusal, may_fetch: true, others: &[] };
    let seen = Seen { refused: Some(last), outdated: Some(Outdated::Lines), ..up };
    let found = explain(seen);
    let told = "its last try, 5 s ago from 10.0.0.7:5060, was refused: The phone registers 3011";
    assert!(found[1].text.contains(told) && !found[1].good, "{found:?}");
    assert!(found[1].remedy.as_ref().unwrap().contains(&command));
    let silent = &[line];
    let seen = Seen { outdated: Some(Outdated::Lines), silent, ..up };
    let found = explain(seen);
    assert!(found[1].text.contains("lines were changed"), "{found:?}");
    assert!(found[1].remedy.as_ref().unwrap().contains(&command));
    assert_eq!(
        found[2].text,
        "3001 can't be called: none of its phones is registered and within reach."
    );
    let gone = Seen { registered: Some(false), outdated: Some(Outdated::Secret), silent, ..up };
    for (may_fetch, command) in [(true, &*command), (false, "--address 10.0.0.7`")] {
        let left = Some(("10.0.0.7".parse().unwrap(), may_fetch));
        let found = explain(Seen { left, ..gone });
        assert!(found[1].text.contains("secret was replaced"), "{found:?}");
        assert!(found[1].remedy.as_ref().unwrap().contains(command), "{found:?}");
        assert!(!found.iter().any(|one| one.text.contains("can be called")));
    }
}
