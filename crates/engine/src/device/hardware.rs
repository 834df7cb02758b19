//! Where phones put their hardware address. What stands where only such an address stands is one;
//! what merely looks like one needs to be of a maker we know, or of a phone of ours.

use jackfield_model::{Directory, PhoneModel};
use jackfield_sip::{HeaderName, Message};
use jackfield_vocabulary::Mac;

/// A hardware address, as far as it can be told from where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing else stands there.
    Certain(Mac),
    /// It may be a part of something else, as of a random number or a date.
    Likely(Mac),
}

impl Found {
    pub(super) fn certain(self) -> Option<Mac> {
        match self {
            Self::Certain(mac) => Some(mac),
            Self::Likely(_) => None,
        }
    }

    /// The address, if anything speaks for it: a phone of ours has it, or a maker we know.
    pub(super) fn proved(self, directory: &Directory) -> Option<Mac> {
        match self {
            Self::Certain(mac) => Some(mac),
            Self::Likely(mac) => {
                let known = directory.phone_by_mac(mac).is_some() || is_of_a_maker(directory, mac);
                known.then_some(mac)
            }
        }
    }
}

/// At the end of a device name or user, as in `SEP001122AABBCC`.
pub(super) fn in_name(name: &str) -> Option<Mac> {
    let name = name.trim();
    if let Some(mac) = individual(name) {
        return Some(mac);
    }
    let (prefix, digits) = name.split_at_checked(name.len().checked_sub(12)?)?;
    let letters = prefix.len() <= 3 && prefix.bytes().all(|byte| byte.is_ascii_alphabetic());
    if letters { individual(digits) } else { None }
}

/// The node of a UUID in `+sip.instance`. It is the address where nothing else is in the UUID
/// (`00000000-0000-0000-0000-…`, `00000000-0000-1000-8000-…`) or where its version says so (RFC 9562
/// section 5.1); some phones put it behind random numbers.
pub(super) fn in_instance(instance: &str) -> Option<Found> {
    let uuid = instance.get(..9).filter(|urn| urn.eq_ignore_ascii_case("urn:uuid:"));
    let uuid = uuid.and_then(|urn| instance.get(urn.len()..)).unwrap_or(instance).trim();
    let (rest, node) = uuid.rsplit_once('-')?;
    let mac = individual(node).filter(|_| node.len() == 12)?;
    let groups: Vec<&str> = rest.split('-').collect();
    let [first, second, third, fourth] = groups[..] else { return None };
    let empty = [first, second].iter().all(|group| group.bytes().all(|digit| digit == b'0'));
    let bare = empty && matches!((third, fourth), ("0000", "0000") | ("1000", "8000"));
    // Soft phones fill it up with a hash of their computer's name.
    let hashed = node.starts_with("0000");
    match () {
        () if hashed => None,
        () if bare || third.starts_with('1') => Some(Found::Certain(mac)),
        () => Some(Found::Likely(mac)),
    }
}

/// Standing alone in a User-Agent, as in `Cisco-CP-8841-3PCC/11.0 (00562b043615)`.
pub(super) fn in_agent(agent: &str) -> Option<Found> {
    let found = addresses(agent).map(|(text, mac)| {
        // Digits only may be a date of the firmware, letters only a word.
        let mixed = text.bytes().any(|byte| byte.is_ascii_digit())
            && text.bytes().any(|byte| byte.is_ascii_alphabetic());
        if mixed || text.len() == 17 { Found::Certain(mac) } else { Found::Likely(mac) }
    });
    let mut likely = None;
    for one in found {
        match one {
            Found::Certain(_) => return Some(one),
            Found::Likely(_) => likely = likely.or(Some(one)),
        }
    }
    likely
}

/// In a header made for it, as `MAC: 00:15:65:…`, `Aastra-Mac: …`, or `Ms-Device-Info: MAC=…`.
pub(super) fn in_headers(message: &Message) -> Option<Mac> {
    let unknown = message.lines().filter(|(header, ..)| *header == HeaderName::Other);
    let own = unknown.filter(|(_, name, value)| has_word(name, "mac") || has_word(value, "mac"));
    own.flat_map(|(_, _, value)| addresses(value)).map(|(_, mac)| mac).next()
}

/// Everything in a text that has the form of an address and stands alone: twelve digits, or six pairs
/// or three fours with the same sign between them.
fn addresses(text: &str) -> impl Iterator<Item = (&str, Mac)> {
    let bytes = text.as_bytes();
    let is_word = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let starts = (0..bytes.len()).filter(move |at| is_word(*at) && (*at == 0 || !is_word(at - 1)));
    starts.filter_map(move |at| {
        [17, 14, 12].into_iter().find_map(|length| {
            let word = text.get(at..at + length).filter(|_| !is_word(at + length))?;
            let even = match length {
                17 => separated(word, b":-", 2),
                14 => separated(word, b".", 4),
                _ => word.bytes().all(|byte| byte.is_ascii_hexdigit()),
            };
            Some((word, individual(word).filter(|_| even)?))
        })
    })
}

/// Do groups of so many digits stand between signs, all the same one of these?
fn separated(word: &str, signs: &[u8], digits: usize) -> bool {
    let bytes = word.as_bytes();
    let sign = bytes[digits];
    signs.contains(&sign)
        && bytes.iter().enumerate().all(|(at, byte)| match at % (digits + 1) == digits {
            true => *byte == sign,
            false => byte.is_ascii_hexdigit(),
        })
}

/// The address of one device: neither of a group, nor nothing.
fn individual(text: &str) -> Option<Mac> {
    let mac: Mac = text.parse().ok()?;
    (mac.0[0] & 1 == 0 && mac.0 != [0; 6]).then_some(mac)
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|one| one.eq_ignore_ascii_case(word))
}

fn is_of_a_maker(directory: &Directory, mac: Mac) -> bool {
    let digits = mac.to_string();
    let known = |one: &str| digits.starts_with(one);
    directory
        .all::<PhoneModel>()
        .any(|(_, model)| model.hardware_prefixes.iter().any(|one| known(one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(text: &str) -> Mac {
        text.parse().unwrap()
    }

    #[test]
    fn names_and_users() {
        for name in ["SEP001122AABBCC", "001122aabbcc", "00:11:22:aa:bb:cc", "00-11-22-AA-BB-CC"] {
            assert_eq!(in_name(name), Some(mac("001122AABBCC")), "{name}");
        }
        for name in ["2001", "LOBBY001122AABBCC", "あ001122AABBC", "000000000000", "01005E000001"]
        {
            assert_eq!(in_name(name), None, "{name}");
        }
    }

    #[test]
    fn instances() {
        let certain = Some(Found::Certain(mac("000B82AABBCC")));
        for instance in [
            "urn:uuid:00000000-0000-0000-0000-000b82aabbcc",
            "urn:uuid:00000000-0000-1000-8000-000B82AABBCC",
            "URN:UUID:00000000-0000-1000-8000-000B82AABBCC",
            "urn:uuid:f81d4fae-7dec-11d0-a765-000b82aabbcc",
        ] {
            assert_eq!(in_instance(instance), certain, "{instance}");
        }
        let tail = in_instance("urn:uuid:2f4e1c2a-9d5a-4bb0-8d3e-00041312a3b4");
        assert_eq!(tail, Some(Found::Likely(mac("00041312A3B4"))));
        for instance in [
            "urn:uuid:00000000-0000-0000-0000-0000b82aabbc",
            "urn:uuid:e960df68-8f5d-4fec-aab4-1678c7bd76a",
            "urn:uuid:00000000-0000-1000-8000-000000000000",
            "urn:uuid:f81d4fae-7dec-11d0-a765-01005e000001",
            "urn:uuid:0000-000b82aabbcc",
            "",
        ] {
            assert_eq!(in_instance(instance), None, "{instance}");
        }
    }

    #[test]
    fn agents() {
        for (agent, found) in [
            ("Cisco-CP-8841-3PCC/11.0 (00562b043615)", "00562B043615"),
            ("Cisco-CP-8841-3PCC/11.0-00562b043615", "00562B043615"),
            ("Yealink SIP-T46S 66.84.0.15 80:5e:c0:aa:bb:cc", "805EC0AABBCC"),
            ("Yealink SIP-T46S 66.84.0.15 00-15-65-11-22-33", "001565112233"),
            ("PolycomVVX-VVX_410-UA/5.9.0.9373_64167f001122", "64167F001122"),
            ("Gigaset N670 IP PRO/83.V2.43.0+build.5f0a106;7C2F80123456", "7C2F80123456"),
            ("Panasonic_KX-HDV130/06.001 (0080f0c571fe)", "0080F0C571FE"),
            ("Fanvil X4U 2.4.10 0c383e123456", "0C383E123456"),
        ] {
            assert_eq!(in_agent(agent), Some(Found::Certain(mac(found))), "{agent}");
        }
        for (agent, found) in [
            ("Yealink SIP-T21P_E2 52.84.0.15 001565123456", "001565123456"),
            ("Phone/202301151200", "202301151200"),
            ("snom370/8.7 0004.1312.3456", "000413123456"),
        ] {
            assert_eq!(in_agent(agent), Some(Found::Likely(mac(found))), "{agent}");
        }
        for agent in
            ["deadbeefdead", "baresip v3.1.0 (x86_64/linux)", "あ00:11:22", "", "1234567890123"]
        {
            assert_eq!(in_agent(agent).and_then(Found::certain), None, "{agent}");
        }
    }
}
