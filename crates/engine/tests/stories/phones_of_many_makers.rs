//! Phones of many makers say who they are in many places; each is taken in as what it is.

use jackfield_model::Phone;

use crate::world::{Raw, World, status};

/// A phone with its number of another server: is it taken in, as what, and as which model?
fn taken_in(agent: &str, lines: &str) -> Option<(String, String)> {
    let mut world = World::new();
    let mut phone = Raw::new("250", "10.1.0.7:5060");
    phone.user_agent = agent.into();
    let answer = phone.register(&mut world, 1, lines);
    let (_, made) = world.directory.all::<Phone>().next()?;
    assert_eq!(status(&answer), 200, "{agent} {lines}");
    let model = world.directory.get(made.model).unwrap();
    Some((made.name.to_string(), model.name.to_string()))
}

#[test]
fn each_is_taken_in_by_its_hardware_address() {
    let uuid = |uuid: &str| {
        format!("Contact: <sip:250@10.1.0.7>;reg-id=1;+sip.instance=\"<urn:uuid:{uuid}>\"\n")
    };
    let plain = || "Contact: <sip:250@10.1.0.7>\n".to_owned();
    for (agent, lines, name, model) in [
        (
            "Grandstream GXP2160 1.0.9.26",
            uuid("00000000-0000-1000-8000-000B82123456"),
            "SEP000B82123456",
            "Grandstream phone",
        ),
        (
            "snomD785/10.1.54.13",
            uuid("5f3a0c8e-7a32-4c11-9f4a-000413a1b2c3"),
            "SEP000413A1B2C3",
            "Snom phone",
        ),
        (
            "OBIHAI/OBi1062-5.0.0.1542",
            uuid("00000000-0000-0000-0000-9cadef700065"),
            "SEP9CADEF700065",
            "Generic SIP phone",
        ),
        (
            "Yealink SIP-T21P_E2 52.84.0.15 001565123456",
            plain(),
            "SEP001565123456",
            "Yealink phone",
        ),
        (
            "Yealink SIP-T46S 66.84.0.15",
            plain() + "MAC: 80:5e:c0:12:34:56\nLine: 1\n",
            "SEP805EC0123456",
            "Yealink phone",
        ),
        (
            "Aastra 6757i/3.3.1.2235",
            plain() + "Aastra-Mac: <00085D123456>\nAastra-Line: 1\n",
            "SEP00085D123456",
            "Generic SIP phone",
        ),
        ("Fanvil X4U 2.4.10 0c383e123456", plain(), "SEP0C383E123456", "Fanvil phone"),
        ("PolycomVVX-VVX_410-UA/5.9.0.9373_64167f001122", plain(), "SEP64167F001122", "Poly phone"),
        (
            "PolyEdge-Edge_E350-UA/8.0.1",
            plain() + "Ms-Device-Info: MAC=48-25-67-00-11-22, vendor=Poly\n",
            "SEP482567001122",
            "Poly phone",
        ),
        (
            "Gigaset N670 IP PRO/83.V2.43.0+build.5f0a106;7C2F80123456",
            plain(),
            "SEP7C2F80123456",
            "Gigaset phone",
        ),
        (
            "Panasonic_KX-HDV130/06.001 (080023123456)",
            plain(),
            "SEP080023123456",
            "Generic SIP phone",
        ),
        (
            "Sangoma S500/3.0",
            "Contact: <sip:005058123456@10.1.0.7>\n".into(),
            "SEP005058123456",
            "Sangoma phone",
        ),
        (
            "Cisco-CP-8841-3PCC/11.0 (00562b043615)",
            plain(),
            "SEP00562B043615",
            "Cisco 8841 multiplatform",
        ),
    ] {
        let expected = Some((name.to_owned(), model.to_owned()));
        assert_eq!(taken_in(agent, &lines), expected, "{agent}");
    }
}

#[test]
fn what_only_looks_like_one_is_none() {
    let uuid = |uuid: &str| format!("Contact: <sip:250@h>;+sip.instance=\"<urn:uuid:{uuid}>\"\n");
    for (agent, lines) in [
        ("Linphone/5.1", uuid("f81d4fae-7dec-41d0-a765-00a0c91e6bf6")),
        ("PJSUA v2.12", uuid("00000000-0000-0000-0000-0000b91e6bf6")),
        ("Phone/202301151200", "Contact: <sip:250@h>\n".into()),
        ("Phone/1.0", "Contact: <sip:250@h>\nX-Serial: 00156512AB56\n".into()),
    ] {
        assert_eq!(taken_in(agent, &lines), None, "{agent}");
    }
}
