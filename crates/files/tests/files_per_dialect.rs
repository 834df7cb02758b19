//! What each dialect fetches, whole.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::*;
use jackfield_files::{Asker, Context, FileError, FileRequest};
use jackfield_model::setup::SipPorts;
use jackfield_model::{Directory, Kind};
use serde_json::json;

#[test]
fn an_enterprise_phone_fetches_its_file() {
    insta::assert_snapshot!(text(&company(), "SEP001122334401.cnf.xml", true));
}

/// The softkeys of an enterprise phone, by state.
fn softkeys(directory: &Directory) -> Vec<(String, Vec<String>)> {
    let file = text(directory, "SEP001122334401.softkeys.xml", false);
    let sets = file.split("<softKeySet id=\"").skip(1).map(|set| {
        let (state, keys) = set.split_once('"').unwrap();
        let keys = keys.split("keyID=\"").skip(1).map(|key| key.split('"').next().unwrap().into());
        (state.to_owned(), keys.collect())
    });
    sets.collect()
}

/// The desk phone with a softkey template of its own.
fn with_softkeys(chosen: serde_json::Value) -> Directory {
    let mut phone = company().entry(DESK).unwrap().body.to_json();
    phone["softkey_template"] = 60.into();
    let template = json!({ "name": "own", "softkeys": chosen });
    let objects = [(60, Kind::SoftkeyTemplate, template), (DESK.0, Kind::Phone, phone)];
    with(&company(), &objects)
}

#[test]
fn an_enterprise_phone_fetches_its_softkeys() {
    let directory = with_softkeys(json!(["redial", "new-call", "hold", "resume", "end"]));
    insta::assert_snapshot!(text(&directory, "SEP001122334401.softkeys.xml", false));
    let named = text(&directory, "SEP001122334401.cnf.xml", false);
    assert!(named.contains("<softKeyFile>SEP001122334401.softkeys.xml</softKeyFile>"), "{named}");
    for other in ["SEP001122334402.softkeys.xml", "SEP001122334403.softkeys.xml", "x.softkeys.xml"]
    {
        assert_eq!(fetch(&directory, other, true), Err(FileError::NotFound), "{other}");
    }
}

#[test]
fn a_softkey_that_would_be_refused_is_not_offered() {
    let everything = Kind::SoftkeyTemplate.schema_value()["$defs"]["Softkey"]["oneOf"].clone();
    let words = everything.as_array().unwrap().iter().map(|variant| variant["const"].clone());
    let words: Vec<_> = words.collect();
    let halves = words.chunks(16).map(|half| with_softkeys(half.to_vec().into()));
    for directory in halves.chain([company()]) {
        let file = text(&directory, "SEP001122334401.softkeys.xml", true);
        for refused in
            ["Transfer\"", "Confrn", "Park", "PickUp", "CFwdAll", "Join", "MeetMe", "DND"]
        {
            assert!(!file.contains(&format!("keyID=\"{refused}")), "{refused}: {file}");
        }
    }
}

#[test]
fn the_softkeys_follow_the_template_and_calls_can_always_be_had() {
    let of = |directory: Directory, state: &str| {
        let found = softkeys(&directory).into_iter().find(|(name, _)| name == state);
        found.unwrap().1.join(" ")
    };
    for (chosen, state, shown) in [
        (json!(["end", "hold"]), "Connected", "EndCall Hold"),
        (json!(["hold", "end"]), "Connected", "Hold EndCall"),
        (json!(["redial"]), "Connected", "EndCall"),
        (json!(["redial"]), "On Hook", "Redial NewCall"),
        (json!([]), "On Hook", "NewCall"),
        (json!([]), "On Hold", "Resume"),
        (json!(["transfer"]), "Ring In", "Answer"),
        (json!(["transfer"]), "Connected Transfer", "EndCall"),
        (json!(["end"]), "Digits After First", "&lt;&lt; EndCall"),
        (json!(["redial", "redial"]), "Off Hook", "Redial EndCall"),
    ] {
        assert_eq!(of(with_softkeys(chosen.clone()), state), shown, "{state} of {chosen}");
    }
    assert_eq!(of(company(), "Connected"), "Hold EndCall", "without a template");
    assert_eq!(of(company(), "Remote In Use"), "");
}

#[test]
fn a_multiplatform_phone_fetches_where_its_file_is_and_then_its_file() {
    let directory = company();
    insta::assert_snapshot!("bootstrap", text(&directory, "/7832-3PCC.xml", false));
    insta::assert_snapshot!("flat_profile", text(&directory, "/001122334402.xml", true));
    assert_eq!(
        text(&directory, "/001122334402.xml", true),
        text(&directory, "Cisco/CP-7832-3PCC/001122334402.cfg", true),
    );
}

#[test]
fn a_generic_phone_fetches_a_plain_form() {
    insta::assert_snapshot!(text(&company(), "001122334403.cfg", true));
}

/// Proves SP-06.b: a newcomer's screen offers the page on which it provisions itself.
#[test]
fn a_newcomer_s_screen_leads_to_self_provisioning() {
    let directory = company();
    let file = text(&directory, "SEP0011223344FF.cnf.xml", false);
    let url = "http://192.0.2.1:8080/phone/self-provisioning?device=SEP0011223344FF&amp;lang=ja-JP";
    assert!(file.contains(&format!("<idleURL>{url}</idleURL>")), "{file}");
    assert!(file.contains(&format!("<url>{url}</url>")), "{file}");
    assert!(
        !text(&directory, "SEP001122334401.cnf.xml", true).contains("/phone/self-provisioning")
    );
}

/// The template of new phones names the page, too: the phone's menu shows it once.
#[test]
fn the_page_stands_in_the_menu_once() {
    let page = "http://{server}/phone/self-provisioning?device={device}";
    let mut newcomer = company().entry(NEWCOMER).unwrap().body.to_json();
    newcomer["services"] = json!([50, 17]);
    let named = [
        (50, Kind::PhoneService, json!({ "name": "Self-provisioning", "url": page })),
        (NEWCOMER.0, Kind::Phone, newcomer),
    ];
    let directory = with(&company(), &named);
    let file = text(&directory, "SEP0011223344FF.cnf.xml", false);
    let menu =
        file.split_once("<phoneServices").unwrap().1.split_once("</phoneServices>").unwrap().0;
    assert_eq!(menu.matches("/phone/self-provisioning").count(), 1, "{menu}");
    assert_eq!(menu.matches("<name>News &amp; weather</name>").count(), 1, "{menu}");
    // Whoever owns a phone has what its services say, and no more.
    let mut phone = directory.entry(NEWCOMER).unwrap().body.to_json();
    phone["auto_registered"] = false.into();
    let file = text(
        &with(&directory, &[(NEWCOMER.0, Kind::Phone, phone)]),
        "SEP0011223344FF.cnf.xml",
        true,
    );
    assert_eq!(file.matches("<url>http://192.0.2.1:8080/phone/self-provisioning").count(), 1);
}

/// Proves SP-42.a: a speed dial to the IVR's number shows on the first screen.
#[test]
fn a_speed_dial_of_the_template_is_a_button() {
    let file = text(&company(), "SEP0011223344FF.cnf.xml", false);
    let button =
        "<featureLabel>Self-provisioning</featureLabel>\n<speedDialNumber>2000</speedDialNumber>";
    assert!(file.contains(button), "{file}");
}

/// The file keeps the security profile, in every dialect.
#[test]
fn a_secured_phone_keeps_its_security_profile() {
    let profile = json!({ "name": "tls", "mode": "encrypted", "transport": "tls" });
    let directory = with(&company(), &[(SECURITY.0, Kind::SecurityProfile, profile)]);
    let enterprise = text(&directory, "SEP001122334401.cnf.xml", true);
    assert!(enterprise.contains("<deviceSecurityMode>3</deviceSecurityMode>"));
    assert!(enterprise.contains("<transportLayerProtocol>3</transportLayerProtocol>"));
    let flat = text(&directory, "001122334402.xml", true);
    assert!(flat.contains("<SIP_Transport_1_>TLS</SIP_Transport_1_>"));
    assert!(flat.contains("<Proxy_1_>192.0.2.1:5061</Proxy_1_>"));
    let plain = text(&directory, "001122334403.txt", true);
    assert!(plain.contains("transport=tls\nsecurity=encrypted\n"), "{plain}");
}

/// Proves SP-43.f: unknown phones learn where to register while auto-registration is on.
#[test]
fn an_unknown_phone_learns_where_to_register() {
    let directory = company();
    insta::assert_snapshot!("default", text(&directory, "XMLDefault.cnf.xml", false));
    insta::assert_snapshot!("newcomer_flat", text(&directory, "00aabbccddee.xml", true));
    insta::assert_snapshot!("newcomer_plain", text(&directory, "00aabbccddee.txt", true));
    let missing = fetch(&directory, "SEP00AABBCCDDEE.cnf.xml", false);
    assert_eq!(missing, Err(FileError::NotFound), "the phone goes on to XMLDefault.cnf.xml");
    // Where the name says nothing of the form, phones of the plain one ask.
    let either = text(&directory, "00aabbccddee.cfg", true);
    assert_eq!(either, text(&directory, "00aabbccddee.txt", true));
}

/// Proves SP-43.d: every file names the port of each node that it names: the one on which it said that it listens,
/// for what was set counts from its next start on; of a node that said nothing the one that was set.
#[test]
fn files_name_the_ports_of_their_nodes() {
    let node = |name: &str, last: u8, port: u16| {
        json!({
            "name": name, "address": format!("192.0.2.{last}"), "number": last,
            "publisher": last == 1, "sip_port": port,
        })
    };
    let nodes = [(2, Kind::Node, node("node1", 1, 5071)), (3, Kind::Node, node("node2", 2, 5072))];
    let directory = with(&company(), &nodes);
    let (mut own, mut both) = (SipPorts::new(), SipPorts::new());
    own.hear("node1", 5061);
    both.hear("node1", 5061);
    both.hear("node2", 5062);
    for (ports, one, two) in
        [(&SipPorts::new(), "5071", "5072"), (&own, "5061", "5072"), (&both, "5061", "5062")]
    {
        let context = Context { sip_ports: ports, ..CONTEXT };
        let text = |path: &str| {
            let request = FileRequest { path, asker: Asker { trusted: true } };
            let file = jackfield_files::render(&request, &directory, &context).unwrap();
            String::from_utf8(file.body).unwrap()
        };
        for path in ["SEP001122334401.cnf.xml", "XMLDefault.cnf.xml"] {
            let file = text(path);
            let ports = file.split("<sipPort>").skip(1).map(|rest| &rest[..4]);
            assert!(ports.eq([one, two]), "{path}: {file}");
        }
        let flat = text("001122334402.xml");
        assert!(flat.contains(&format!("<Proxy_1_>192.0.2.1:{one}</Proxy_1_>")), "{flat}");
        let alternate = format!("<Alternate_Proxy_1_>192.0.2.2:{two}</Alternate_Proxy_1_>");
        assert!(flat.contains(&alternate), "{flat}");
        let plain = text("001122334403.txt");
        let servers = format!("server=192.0.2.1:{one}\nserver=192.0.2.2:{two}\n");
        assert!(plain.contains(&servers), "{plain}");
        for newcomer in ["00aabbccddee.xml", "00aabbccddee.txt"] {
            let file = text(newcomer);
            assert!(file.contains(&format!("192.0.2.1:{one}")), "{newcomer}: {file}");
        }
    }
}

#[test]
fn an_unknown_phone_learns_nothing_while_auto_registration_is_off() {
    let off = json!({ "name": "node1", "node": 2, "disabled": true });
    let directory = with(&company(), &[(AUTO_REGISTRATION.0, Kind::AutoRegistration, off)]);
    assert_eq!(fetch(&directory, "00aabbccddee.xml", true), Err(FileError::NotFound));
    assert_eq!(fetch(&directory, "00aabbccddee.txt", true), Err(FileError::NotFound));
    let default = text(&directory, "XMLDefault.cnf.xml", false);
    assert!(default.contains("<autoRegistration></autoRegistration>"));
}

#[test]
fn the_self_provisioning_flags_follow_the_mode() {
    for (mode, secure, administrators) in [
        ("users-only", "true", "false"),
        ("users-and-administrators", "true", "true"),
        ("none", "false", "false"),
    ] {
        let directory = with(&company(), &[(31, Kind::SelfProvisioning, json!({ "mode": mode }))]);
        let file = text(&directory, "XMLDefault.cnf.xml", false);
        let secure = format!("<selfProvisioningSecureMode>{secure}<");
        let administrators = format!("<adminProvisionMode>{administrators}<");
        assert!(file.contains(&secure) && file.contains(&administrators), "{mode}: {file}");
    }
}

#[test]
fn a_button_template_orders_the_buttons() {
    let template = json!({
        "name": "reversed",
        "buttons": [{ "feature": "speed-dial" }, { "feature": "line" }, { "feature": "line" }],
    });
    let mut phone = company().entry(DESK).unwrap().body.to_json();
    phone["button_template"] = 60.into();
    let directory = with(
        &company(),
        &[(60, Kind::PhoneButtonTemplate, template), (DESK.0, Kind::Phone, phone)],
    );
    let file = text(&directory, "SEP001122334401.cnf.xml", true);
    assert!(file.contains("<line button=\"1\">\n<featureID>2<"), "{file}");
    assert!(file.contains("<line button=\"2\" lineIndex=\"1\">"), "{file}");
    assert!(!file.contains("<line button=\"3\""), "{file}");
}

#[test]
fn a_change_of_the_phone_changes_its_version_stamp() {
    let stamp = |file: &str| {
        file.split("<versionStamp>").nth(1).unwrap().split('<').next().unwrap().to_owned()
    };
    let directory = company();
    let before = text(&directory, "SEP001122334401.cnf.xml", true);
    let line = json!({ "number": "2009" });
    let after = text(&with(&directory, &[(40, Kind::Line, line)]), "SEP001122334401.cnf.xml", true);
    assert_ne!(stamp(&before), stamp(&after));
    assert_eq!(stamp(&before).len(), 16);
}

#[test]
fn a_name_with_markup_stays_text() {
    let file = text(&company(), "SEP001122334401.cnf.xml", true);
    assert!(file.contains("<displayName>Ada &lt;R&amp;D&gt; &quot;Lovelace&quot;</displayName>"));
}

#[test]
fn a_phone_of_another_dialect_has_no_such_file() {
    let directory = company();
    for path in
        ["SEP001122334403.cnf.xml", "001122334401.xml", "001122334402.txt", "001122334401.cfg"]
    {
        assert_eq!(fetch(&directory, path, true), Err(FileError::NotFound), "{path}");
    }
}

#[test]
fn emergency_numbers_are_dialled_without_waiting() {
    insta::assert_snapshot!(text(&company(), "dialplan.xml", false));
}
