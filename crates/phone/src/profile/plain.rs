//! The plain form for generic phones: `key=value` lines, `#` for comments, keys of lines with
//! their number as in `line.1.number`; an account (`user`, `auth-user`, `password`) for all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    LineProfile, PhoneService, Profile, ProfileError, ServerAddress, SpeedDial, text as as_text,
};

/// Reads a plain file. Of duplicates the last one wins.
pub(crate) fn read_plain(file: &[u8]) -> Result<Profile, ProfileError> {
    let text = as_text(file)?;
    let mut values = BTreeMap::new();
    let mut servers = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';', '[']) {
            continue;
        }
        let (key, value) = line.split_once('=').ok_or(ProfileError::Line(number + 1))?;
        let key = key.trim().to_ascii_lowercase().replace(['_', '-'], ".");
        let value = value.trim().trim_matches('"');
        // Several servers stand one below the other, the preferred one first.
        if key == "server" {
            servers.extend(ServerAddress::parse(value));
        }
        values.insert(key, value);
    }
    Ok(of_values(&values, servers))
}

fn of_values(values: &BTreeMap<String, &str>, servers: Vec<ServerAddress>) -> Profile {
    let first =
        |keys: &[&str]| keys.iter().find_map(|key| values.get(*key).copied()).unwrap_or_default();
    let port = first(&["server.port", "sip.port", "port"]).parse().ok();
    let servers: Vec<_> = servers
        .into_iter()
        .take(SERVERS)
        .map(|server| ServerAddress { port: server.port.or(port), ..server })
        .collect();
    let mut lines: Vec<_> = (1..=LINES).filter_map(|n| line(values, n)).collect();
    if lines.is_empty() {
        lines.extend(account(values));
    }
    Profile {
        lines,
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
        idle_url: first(&["idle.url"]).into(),
        servers,
        rules: Vec::new(),
    }
}

/// A phone without lines is its account and nothing else.
fn account(values: &BTreeMap<String, &str>) -> Option<LineProfile> {
    let value = |key: &str| values.get(key).copied().unwrap_or_default();
    let user = value("user");
    let auth_name = if value("auth.user").is_empty() { user } else { value("auth.user") };
    (!user.is_empty()).then(|| LineProfile {
        index: 1,
        number: user.into(),
        display_name: value("display.name").into(),
        label: value("label").into(),
        auth_name: auth_name.into(),
        auth_password: value("password").into(),
        server: None,
    })
}

/// A line; what it does not say of itself is the account's.
fn line(values: &BTreeMap<String, &str>, n: u32) -> Option<LineProfile> {
    let own = |key: &str| values.get(&format!("line.{n}.{key}")).copied();
    let value = |key: &str| own(key).or(values.get(key).copied()).unwrap_or_default();
    let number = own("number").or(own("user")).filter(|number| !number.is_empty())?;
    let auth_name = value("auth.user");
    Some(LineProfile {
        index: n,
        number: number.into(),
        display_name: own("display.name").unwrap_or_default().into(),
        label: own("label").unwrap_or_default().into(),
        auth_name: if auth_name.is_empty() { number.into() } else { auth_name.into() },
        auth_password: value("password").into(),
        server: own("server").and_then(ServerAddress::parse),
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
const SERVERS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Transport;

    #[test]
    fn lines_take_the_account_and_servers_keep_their_order() {
        let profile = read_plain(
            b"# a phone\nversion=7\ndevice=SEP001122AABBCC\nserver=10.0.0.1:5070\n\
              server=10.0.0.2:5060\ntransport=tcp\nuser=1001\nauth-user=SEP001122AABBCC\n\
              password=a=b\nexpires=60\nline.1.number=1001\nline.1.label=Ann\n\
              line.2.number=1002\nline.2.password=other\nspeed-dial.1.label=Set up\n\
              speed-dial.1.number=2000\nservice.1.name=S\nservice.1.url=http://x/\nidle-url=http://y/\n",
        )
        .unwrap();
        assert_eq!(profile.lines.len(), 2);
        let line = &profile.lines[0];
        assert_eq!(
            (&*line.number, &*line.auth_name, &*line.auth_password),
            ("1001", "SEP001122AABBCC", "a=b")
        );
        assert_eq!(&*profile.lines[1].auth_password, "other");
        assert_eq!(profile.servers[0].port, Some(5070));
        assert_eq!(&*profile.servers[1].host, "10.0.0.2");
        assert_eq!(profile.transport, Some(Transport::Tcp));
        assert_eq!(&*profile.speed_dials[0].label, "Set up");
        assert_eq!((&*profile.services[0].url, &*profile.idle_url), ("http://x/", "http://y/"));
    }

    #[test]
    fn a_newcomer_has_an_account_and_no_password() {
        let file =
            b"server=10.0.0.1\nuser=SEP001122AABBCC\nauth-user=SEP001122AABBCC\nlabel=AUTO-REG\n";
        let profile = read_plain(file).unwrap();
        assert_eq!(&*profile.lines[0].number, "SEP001122AABBCC");
        assert!(profile.lines[0].auth_password.is_empty());
    }

    #[test]
    fn a_page_is_no_plain_file() {
        assert_eq!(read_plain(b"\n<html>\n"), Err(ProfileError::Line(2)));
    }
}
