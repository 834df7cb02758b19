//! The plain form for generic phones: `key = value` lines, `#` for comments, keys of lines with
//! their number as in `line.1.user`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    LineProfile, PhoneService, Profile, ProfileError, ServerAddress, SpeedDial, text as as_text,
};

/// Reads a plain file. Of duplicates the last one wins.
pub(crate) fn read_plain(file: &[u8]) -> Result<Profile, ProfileError> {
    let text = as_text(file)?;
    let mut values = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';', '[']) {
            continue;
        }
        let (key, value) = line.split_once('=').ok_or(ProfileError::Line(number + 1))?;
        let key = key.trim().to_ascii_lowercase().replace(['_', '-'], ".");
        values.insert(key, value.trim().trim_matches('"'));
    }
    Ok(of_values(&values))
}

fn of_values(values: &BTreeMap<String, &str>) -> Profile {
    let first = |keys: &[&str]| {
        keys.iter().find_map(|key| values.get(*key).copied()).unwrap_or_default()
    };
    let port = first(&["server.port", "sip.port", "port"]).parse().ok();
    let server = ServerAddress::parse(first(&["server", "sip.server", "server.host", "proxy"]))
        .map(|server| ServerAddress { port: server.port.or(port), ..server });
    Profile {
        lines: (1..=LINES).filter_map(|n| line(values, n, server.as_ref())).collect(),
        speed_dials: (1..=LINES).filter_map(|n| speed_dial(values, n)).collect(),
        services: (1..=LINES).filter_map(|n| service(values, n)).collect(),
        transport: first(&["transport", "sip.transport", "line.1.transport"]).parse().ok(),
        register_expires: first(&["expires", "register.expires", "registration.expires"])
            .parse()
            .ok()
            .filter(|s| *s > 0)
            .map(Duration::from_secs),
        event_payload_type: first(&["dtmf.payload.type", "dtmf.payload"]).parse().ok(),
        version_stamp: first(&["version", "version.stamp"]).into(),
        locale: first(&["locale", "language"]).into(),
        services_url: first(&["services.url", "service.url"]).into(),
        servers: server.into_iter().collect(),
        rules: Vec::new(),
    }
}

fn line(
    values: &BTreeMap<String, &str>,
    n: u32,
    server: Option<&ServerAddress>,
) -> Option<LineProfile> {
    let value = |keys: &[&str]| {
        keys.iter()
            .find_map(|key| values.get(&format!("line.{n}.{key}")).copied())
            .unwrap_or_default()
    };
    let number = value(&["user", "number", "extension", "name"]);
    if number.is_empty() {
        return None;
    }
    let auth_name = value(&["auth.user", "auth.name", "authname", "auth.id", "login"]);
    let port = value(&["port", "server.port"]).parse().ok();
    let own = ServerAddress::parse(value(&["server", "proxy", "domain"]))
        .map(|server| ServerAddress { port: server.port.or(port), ..server });
    Some(LineProfile {
        index: n,
        number: number.into(),
        display_name: value(&["display.name", "display", "displayname"]).into(),
        label: value(&["label"]).into(),
        auth_name: if auth_name.is_empty() { number.into() } else { auth_name.into() },
        auth_password: value(&["password", "secret", "auth.password"]).into(),
        server: own.or_else(|| server.cloned()),
    })
}

fn speed_dial(values: &BTreeMap<String, &str>, n: u32) -> Option<SpeedDial> {
    let value = |key: &str| {
        ["speeddial", "speed.dial"]
            .iter()
            .find_map(|name| values.get(&format!("{name}.{n}.{key}")).copied())
    };
    let number = value("number")?;
    Some(SpeedDial { label: value("label").unwrap_or(number).into(), number: number.into() })
}

fn service(values: &BTreeMap<String, &str>, n: u32) -> Option<PhoneService> {
    let url = values.get(&format!("service.{n}.url"))?;
    let name = values.get(&format!("service.{n}.name")).copied().unwrap_or_default();
    Some(PhoneService { name: name.into(), url: (*url).into() })
}

const LINES: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Transport;

    #[test]
    fn lines_with_their_own_and_the_common_server() {
        let profile = read_plain(
            b"# a phone\nserver = 10.0.0.1\nserver_port = 5070\ntransport = tcp\nexpires=60\n\
              line.1.user = 1001\nline.1.auth_user = dev1\nline.1.password = a=b\n\
              line.2.user = 1002\nline.2.server = 10.0.0.9:5080\n\
              speed_dial.1.label = Set up\nspeed_dial.1.number = 2000\n",
        )
        .unwrap();
        assert_eq!(profile.lines.len(), 2);
        let line = &profile.lines[0];
        assert_eq!((&*line.number, &*line.auth_name, &*line.auth_password), ("1001", "dev1", "a=b"));
        assert_eq!(line.server.as_ref().unwrap().port, Some(5070));
        assert_eq!(profile.lines[1].server.as_ref().unwrap().port, Some(5080));
        assert_eq!(profile.transport, Some(Transport::Tcp));
        assert_eq!(&*profile.speed_dials[0].label, "Set up");
    }

    #[test]
    fn a_page_is_no_plain_file() {
        assert_eq!(read_plain(b"\n<html>\n"), Err(ProfileError::Line(2)));
    }
}
