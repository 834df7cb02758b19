//! Forms of texts that a length alone does not say.

use std::net::IpAddr;

use jackfield_vocabulary::{Code, Refusal};

use crate::time_zone::{is_time_zone, zones_like};
use crate::{NO_PARTITION, Text};

/// A value that is not of its form.
pub(super) fn invalid(field: &str, found: &str, allowed: &str) -> Refusal {
    let refusal = Refusal::new(Code::InvalidValue).field(field);
    refusal.value("found", found).value("allowed", allowed)
}

fn must(field: &str, found: &str, allowed: &str, fits: bool) -> Result<(), Refusal> {
    if fits { Ok(()) } else { Err(invalid(field, found, allowed)) }
}

/// A name that can stand in an address, where one or two dots lead elsewhere.
pub(super) fn path_name(field: &str, name: &str) -> Result<(), Refusal> {
    must(field, name, "≠ . ..", !matches!(name, "." | ".."))
}

/// A name without spaces around it, which nobody sees and which make two of one.
pub(super) fn no_outer_spaces(field: &str, name: &str) -> Result<(), Refusal> {
    if name.trim() == name {
        return Ok(());
    }
    let refusal = Refusal::new(Code::InvalidValue).field(field).value("rule", "outer-space");
    Err(refusal.value("found", format!("\u{201c}{name}\u{201d}")))
}

/// Nothing, or digits as one dials them.
pub(super) fn dialable(field: &str, text: &str) -> Result<(), Refusal> {
    let rest = text.strip_prefix('+').unwrap_or(text);
    let digits = rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'*' | b'#'));
    must(field, text, "0-9 * # +", digits && (text.is_empty() || !rest.is_empty()))
}

/// Nothing, or digits and `X`.
pub(super) fn mask(field: &str, text: &str) -> Result<(), Refusal> {
    let rest = text.strip_prefix('+').unwrap_or(text);
    let fits = rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'*' | b'#' | b'X' | b'x'));
    must(field, text, "0-9 * # + X", fits)
}

/// Nothing, or decimal digits.
pub(super) fn digits(field: &str, text: &str) -> Result<(), Refusal> {
    must(field, text, "0-9", text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Nothing, or a language with its country, as in `ja-JP`.
pub(super) fn locale(field: &str, text: &str) -> Result<(), Refusal> {
    let form = |text: &str| {
        let (language, country) = text.split_once('-')?;
        let lower = language.bytes().all(|byte| byte.is_ascii_lowercase());
        let upper = country.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let lengths = (2..=3).contains(&language.len()) && (2..=8).contains(&country.len());
        (lower && upper && lengths).then_some(())
    };
    must(field, text, "en-US, ja-JP, …", text.is_empty() || form(text).is_some())
}

/// Nothing, or a mail address as people write it: `name@domain` (RFC 5321, 4.1.2, and its
/// international form, RFC 6531).
pub(super) fn mail(field: &str, text: &str) -> Result<(), Refusal> {
    let name = |name: &str| {
        let wrong = |c: char| c.is_whitespace() || "\"(),:;<>@[\\]".contains(c);
        let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
        (1..=64).contains(&name.len()) && !name.contains(wrong) && !dots
    };
    let domain = |domain: &str| {
        domain.split('.').all(|label| {
            let signs = label.chars().all(|c| c.is_alphanumeric() || c == '-');
            signs && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
        })
    };
    let parts = text.rsplit_once('@');
    let fits = text.is_empty() || parts.is_some_and(|(one, place)| name(one) && domain(place));
    must(field, text, "name@example.com", fits)
}

/// A time zone of the IANA database. What is none may be the last part of some.
pub(super) fn time_zone(field: &str, text: &str) -> Result<(), Refusal> {
    let known = is_time_zone(text);
    let allowed = match if known { Vec::new() } else { zones_like(text) } {
        meant if meant.is_empty() => "Asia/Tokyo, Europe/Berlin, UTC, … (IANA)".to_owned(),
        meant => meant.join(", "),
    };
    must(field, text, &allowed, known)
}

/// Networks in CIDR form.
pub(super) fn networks(field: &str, networks: &[Text]) -> Result<(), Refusal> {
    for (index, network) in networks.iter().enumerate() {
        let fits = network.parse::<crate::Network>().is_ok();
        must(&format!("{field}[{index}]"), network, "10.0.0.0/8, 2001:db8::/32, …", fits)?;
    }
    Ok(())
}

/// Networks that hold phones, and not everybody.
pub(super) fn networks_of_phones(field: &str, listed: &[Text]) -> Result<(), Refusal> {
    networks(field, listed)?;
    for (index, network) in listed.iter().enumerate() {
        if network.parse::<crate::Network>().is_ok_and(crate::Network::is_everywhere) {
            let refusal = Refusal::new(Code::InvalidValue).field(format!("{field}[{index}]"));
            return Err(refusal.value("rule", "everybody").value("found", network));
        }
    }
    Ok(())
}

/// A host name or IP address.
pub(super) fn host(field: &str, text: &str) -> Result<(), Refusal> {
    let name = |text: &str| {
        text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
    };
    // What ends in a number is an address or a slip (RFC 1123 section 2.1).
    let digits = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    let slip = text.rsplit('.').next().is_none_or(digits);
    let address = text.parse::<IpAddr>().ok();
    if address.is_some_and(|address| !is_of_one(address)) {
        let refusal = Refusal::new(Code::InvalidValue).field(field).value("rule", "no-host");
        return Err(refusal.value("found", text));
    }
    let fits = address.is_some() || (name(text) && !slip);
    must(field, text, "pbx.example.com, 192.0.2.1, 2001:db8::1", fits)
}

/// It can be the address of one machine: not of none, of several, or of all (RFC 6890, 2.2.2).
fn is_of_one(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => (1..224).contains(&address.octets()[0]),
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_multicast(),
    }
}

/// The address of a web page, with what phones' files put in for themselves.
pub(super) fn page(field: &str, text: &str) -> Result<(), Refusal> {
    let filled = [("{server}", "192.0.2.1:8080"), ("{device}", "phone"), ("{lang}", "en")];
    let full = filled.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    let rest = full.split_once("://").filter(|(scheme, _)| {
        ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
    });
    let wrong = |c: char| c.is_whitespace() || "{}<>\"\\^`|".contains(c);
    let fits = rest.is_some_and(|(_, rest)| {
        let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !rest.contains(wrong) && authority(place)
    });
    must(field, text, "http://… https://… {server} {device} {lang}", fits)
}

/// A host name or IP address and, behind a colon, a port (RFC 3986, 3.2).
fn authority(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, port)) => (address, Some(port.strip_prefix(':').unwrap_or_default())),
        None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    port && host("", name).is_ok()
}

/// Letters, digits and some marks, as names of devices and clusters are.
pub(super) fn plain_name(field: &str, text: &str, marks: &str) -> Result<(), Refusal> {
    let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c));
    must(field, text, &format!("A-Z a-z 0-9 {marks}"), fits)
}

/// What says of a number that it is in no partition is the name of none.
pub(super) fn partition_name(name: &str) -> Result<(), Refusal> {
    if !name.eq_ignore_ascii_case(NO_PARTITION) {
        return Ok(());
    }
    let refusal = Refusal::new(Code::InvalidValue).field("name").value("rule", "no-partition");
    Err(refusal.value("found", name))
}
