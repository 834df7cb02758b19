//! Flat-profile XML of multiplatform phones, and the macros of their `Profile_Rule`.

use std::collections::BTreeMap;
use std::time::Duration;

use jackfield_vocabulary::Mac;

use super::{
    LineProfile, PhoneService, Profile, ProfileError, ServerAddress, SpeedDial, document, text,
};
use crate::settings::Transport;

/// Reads a flat profile, also inside `<device>`. Of duplicates the last one wins.
pub(crate) fn read_multiplatform(file: &[u8]) -> Result<Profile, ProfileError> {
    let text = text(file)?;
    let document = document(text)?;
    let flat = document.descendants().find(|node| node.has_tag_name("flat-profile"));
    let Some(flat) = flat else {
        return Err(ProfileError::Root(document.root_element().tag_name().name().to_owned()));
    };
    let values: BTreeMap<&str, &str> = flat
        .children()
        .filter(roxmltree::Node::is_element)
        .map(|node| (node.tag_name().name(), node.text().unwrap_or_default().trim()))
        .collect();
    Ok(of_values(&Values(values)))
}

struct Values<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Values<'a> {
    fn value(&self, name: &str) -> &'a str {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// A parameter of line or key `n`.
    fn numbered(&self, name: &str, n: u32) -> &'a str {
        self.value(&format!("{name}_{n}_"))
    }
}

fn of_values(values: &Values<'_>) -> Profile {
    let lines: Vec<_> = (1..=LINES).filter_map(|n| line(values, n)).collect();
    let transport = match values.numbered("SIP_Transport", 1).to_ascii_lowercase().as_str() {
        "tcp" => Some(Transport::Tcp),
        "udp" => Some(Transport::Udp),
        _ => None,
    };
    let expires = values.numbered("Register_Expires", 1).parse().ok();
    let rules = ["Profile_Rule", "Profile_Rule_B", "Profile_Rule_C", "Profile_Rule_D"]
        .map(|name| values.value(name))
        .into_iter()
        .filter(|rule| !rule.is_empty())
        .map(Into::into)
        .collect();
    Profile {
        servers: lines.first().and_then(|line| line.server.clone()).into_iter().collect(),
        speed_dials: (1..=LINES).filter_map(|n| speed_dial(values, n)).collect(),
        services: (1..=LINES).filter_map(|n| service(values, n)).collect(),
        transport,
        register_expires: expires.filter(|s| *s > 0).map(Duration::from_secs),
        event_payload_type: values.value("AVT_Dynamic_Payload").parse().ok(),
        locale: values.value("Language_Selection").into(),
        services_url: values.value("XML_Application_Service_URL").into(),
        rules,
        lines,
        ..Default::default()
    }
}

fn line(values: &Values<'_>, n: u32) -> Option<LineProfile> {
    let number = values.numbered("User_ID", n);
    let enabled = !values.numbered("Line_Enable", n).eq_ignore_ascii_case("no");
    if number.is_empty() || !enabled {
        return None;
    }
    let auth_name = values.numbered("Auth_ID", n);
    Some(LineProfile {
        index: n,
        number: number.into(),
        display_name: values.numbered("Display_Name", n).into(),
        label: values.numbered("Short_Name", n).into(),
        auth_name: if auth_name.is_empty() { number.into() } else { auth_name.into() },
        auth_password: values.numbered("Password", n).into(),
        server: ServerAddress::parse(match values.numbered("Outbound_Proxy", n) {
            "" => values.numbered("Proxy", n),
            outbound => outbound,
        }),
    })
}

/// `fnc=sd;ext=2000@$PROXY;nme=Set up`
fn speed_dial(values: &Values<'_>, n: u32) -> Option<SpeedDial> {
    let function = values.numbered("Extended_Function", n);
    if !part(function, "fnc")?.split('+').any(|word| word == "sd") {
        return None;
    }
    let number = part(function, "ext")?.split('@').next().unwrap_or_default();
    let label = part(function, "nme").unwrap_or(number).into();
    (!number.is_empty()).then(|| SpeedDial { label, number: number.into() })
}

/// `fnc=xml;url=http://…;nme=Self-Provisioning`
fn service(values: &Values<'_>, n: u32) -> Option<PhoneService> {
    let function = values.numbered("Extended_Function", n);
    if part(function, "fnc")? != "xml" {
        return None;
    }
    let name = part(function, "nme").unwrap_or_default().into();
    Some(PhoneService { name, url: part(function, "url")?.into() })
}

fn part<'f>(function: &'f str, name: &str) -> Option<&'f str> {
    function.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
}

/// What the macros of a rule stand for.
#[derive(Clone, Debug)]
pub(crate) struct Macros {
    pub(crate) mac: Mac,
    pub(crate) model: Box<str>,
}

impl Macros {
    /// A rule with its macros expanded: `$MA`, `$(MA)`, `$$`; unknown ones become nothing.
    pub(crate) fn expand(&self, rule: &str) -> String {
        let mut out = String::with_capacity(rule.len());
        let mut rest = rule;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            rest = self.one(rest, &mut out);
        }
        out.push_str(rest);
        out
    }

    /// The first alternative of a rule, without options and conditions, expanded.
    pub(crate) fn address(&self, rule: &str) -> String {
        let first = rule.split('|').next().unwrap_or_default().trim();
        let first = first.rsplit_once('?').map_or(first, |(condition, url)| {
            if condition.contains("://") || condition.starts_with('/') { first } else { url.trim() }
        });
        let address = match first.strip_prefix('[') {
            Some(options) => options.split_once(']').map_or("", |(_, url)| url.trim()),
            None => first,
        };
        self.expand(address)
    }

    fn one<'r>(&self, rest: &'r str, out: &mut String) -> &'r str {
        if let Some(rest) = rest.strip_prefix('$') {
            out.push('$');
            return rest;
        }
        if let Some(inside) = rest.strip_prefix('(') {
            let (name, rest) = inside.split_once(')').unwrap_or((inside, ""));
            out.push_str(&self.value(name.split(':').next().unwrap_or_default()));
            return rest;
        }
        for name in ["MAU", "MAC", "MA", "PSN", "PN", "SN", "SWVER", "HWVER"] {
            if let Some(rest) = rest.strip_prefix(name) {
                out.push_str(&self.value(name));
                return rest;
            }
        }
        rest
    }

    fn value(&self, name: &str) -> String {
        match name {
            "MA" => self.mac.to_string().to_ascii_lowercase(),
            "MAU" => self.mac.to_string(),
            "MAC" => {
                let pairs: Vec<_> = self.mac.0.iter().map(|byte| format!("{byte:02X}")).collect();
                pairs.join(":")
            }
            "PSN" => self.model.trim_start_matches("CP-").to_owned(),
            "PN" => format!("CP-{}", self.model.trim_start_matches("CP-")),
            "SN" => format!("JFD{}", &self.mac.to_string()[4..]),
            "SWVER" => "11.3.7".to_owned(),
            "HWVER" => "V01".to_owned(),
            _ => String::new(),
        }
    }
}

const LINES: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_the_next_rule() {
        let profile = read_multiplatform(
            br#"<device><flat-profile>
            <Profile_Rule ua="na">/$MA.xml</Profile_Rule>
            <User_ID_1_>9</User_ID_1_><User_ID_1_ ua="na">1001</User_ID_1_>
            <Proxy_1_>10.0.0.1:5070</Proxy_1_><Password_1_>p</Password_1_>
            <SIP_Transport_1_>TCP</SIP_Transport_1_>
            <Line_Enable_2_>No</Line_Enable_2_><User_ID_2_>1002</User_ID_2_>
            <Extended_Function_3_>fnc=sd;ext=2000@x;nme=Set up</Extended_Function_3_>
            <Nobody_Knows_This>1</Nobody_Knows_This></flat-profile></device>"#,
        )
        .unwrap();
        assert_eq!(profile.lines.len(), 1);
        assert_eq!((&*profile.lines[0].number, profile.servers[0].port), ("1001", Some(5070)));
        assert_eq!(profile.transport, Some(Transport::Tcp));
        assert_eq!(&*profile.speed_dials[0].number, "2000");
        assert_eq!(&*profile.rules[0], "/$MA.xml");
    }

    #[test]
    fn macros_and_alternatives() {
        let macros =
            Macros { mac: Mac([0, 0x11, 0x22, 0xaa, 0xbb, 0xcc]), model: "7832-3PCC".into() };
        for (rule, address) in [
            ("/$PSN.xml", "/7832-3PCC.xml"),
            ("/$(MA).xml|/other.xml", "/001122aabbcc.xml"),
            ("[--key abc] http://h/$MAU/$$x", "http://h/001122AABBCC/$x"),
            ("http://h/f?mac=$MAC", "http://h/f?mac=00:11:22:AA:BB:CC"),
            ("$SWVER ge 10 ? /new.xml", "/new.xml"),
            ("$", ""),
        ] {
            assert_eq!(macros.address(rule), address, "{rule}");
        }
    }
}
