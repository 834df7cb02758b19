//! What a phone says of itself when it registers. Nothing of it is proved; the source address is
//! never part of it, because phones share addresses and addresses are lent.

use std::borrow::Cow;

use jackfield_model::{DeviceClass, Dialect, Directory, Kind, PhoneModel};
use jackfield_sip::header::{ContactAddress, To};
use jackfield_sip::{HeaderName, Message};
use jackfield_vocabulary::{Mac, ObjectId};

/// What one REGISTER, or one INVITE, says of its sender.
#[derive(Debug)]
pub(super) struct Claim<'m> {
    /// The device name of an enterprise phone, from its Contact.
    pub(super) name: Option<Box<str>>,
    /// The number of its model, from its Contact.
    pub(super) model_number: Option<u32>,
    /// The hardware address in `+sip.instance`.
    pub(super) instance: Option<Mac>,
    /// The user it registers.
    pub(super) user: Cow<'m, str>,
    /// Its User-Agent.
    pub(super) user_agent: &'m str,
}

/// Whom a claim means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    /// A phone of ours.
    Device(ObjectId),
    /// No phone of ours, but one with a hardware address.
    Unknown(Mac),
    /// Nobody in particular.
    Nobody,
}

impl<'m> Claim<'m> {
    /// Reads the claim of a REGISTER: its contact, its To and its User-Agent.
    pub(super) fn of(message: &'m Message, contact: Option<&ContactAddress>, to: &'m To) -> Self {
        let number = contact.and_then(ContactAddress::model_number);
        let named = contact.and_then(ContactAddress::device_name);
        Self {
            name: named.filter(|name| fits(name)).map(Cow::into),
            model_number: number.and_then(|number| number.parse().ok()),
            instance: contact.and_then(ContactAddress::instance).and_then(|id| instance_mac(&id)),
            user: to.user().filter(|user| fits(user)).unwrap_or_default(),
            user_agent: message.first(HeaderName::UserAgent).unwrap_or_default(),
        }
    }

    /// Whom it means: by device name, then by hardware address, then by user.
    pub(super) fn resolve(&self, directory: &Directory) -> Claimed {
        if let Some(device) = self.named(directory) {
            return Claimed::Device(device);
        }
        let Some(mac) = self.mac() else { return Claimed::Nobody };
        match directory.phone_by_mac(mac) {
            Some(device) => Claimed::Device(device),
            None => Claimed::Unknown(mac),
        }
    }

    /// The hardware address, wherever the phone tells it.
    pub(super) fn mac(&self) -> Option<Mac> {
        let named = self.name.as_deref().and_then(mac_in_name);
        let user = || mac_in_name(&self.user);
        named.or(self.instance).or_else(user).or_else(|| mac_in_agent(self.user_agent))
    }

    fn named(&self, directory: &Directory) -> Option<ObjectId> {
        let find = |name: &str| directory.find(Kind::Phone, name);
        let by_name = self.name.as_deref().and_then(find);
        by_name.or_else(|| if self.user.is_empty() { None } else { find(&self.user) })
    }

    /// The row of the model catalogue that fits best, for a phone nobody has entered.
    pub(super) fn model(&self, directory: &Directory, mac: Mac) -> Option<ObjectId> {
        let hardware = mac.to_string();
        let fit = |model: &PhoneModel| -> usize {
            let named = model.enumeration.is_some() && model.enumeration == self.model_number;
            let branded = !model.product.is_empty();
            let known = || model.hardware_prefixes.iter().any(|one| hardware.starts_with(&**one));
            match model.dialect {
                _ if named => 1000,
                _ if branded && contains(self.user_agent, &model.product) => {
                    100 + model.product.len()
                }
                _ if known() => 50,
                Dialect::Enterprise if self.name.is_some() => 10,
                Dialect::Generic if !branded && model.class == DeviceClass::Desk => 5,
                _ => 0,
            }
        };
        let rated = directory.all::<PhoneModel>().map(|(row, model)| (fit(model), row.id()));
        // The first row of equal fit: rows come in the order of their names.
        let best = rated.filter(|(fit, _)| *fit > 0).reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.map(|(_, row)| row)
    }
}

/// The User-Agent as it is kept: cut to what a page shows.
pub(super) fn user_agent(message: &Message) -> Box<str> {
    let agent = message.first(HeaderName::UserAgent).unwrap_or_default();
    let end = agent.char_indices().nth(USER_AGENT).map_or(agent.len(), |(end, _)| end);
    agent[..end].into()
}

/// The hardware address at the end of a device name or user, as in `SEP001122AABBCC`.
pub(super) fn mac_in_name(name: &str) -> Option<Mac> {
    let name = name.trim();
    if let Ok(mac) = name.parse() {
        return Some(mac);
    }
    let (prefix, digits) = name.split_at_checked(name.len().checked_sub(12)?)?;
    let letters = prefix.len() <= 3 && prefix.bytes().all(|byte| byte.is_ascii_alphabetic());
    if letters { digits.parse().ok() } else { None }
}

/// `urn:uuid:00000000-0000-0000-0000-001122334455`: a name made from a hardware address.
fn instance_mac(instance: &str) -> Option<Mac> {
    let digits = instance.strip_prefix("urn:uuid:00000000-0000-0000-0000-")?;
    digits.parse().ok()
}

/// Twelve hexadecimal digits standing alone, as in `Cisco-CP-8841-3PCC/11.0 (00562b043615)`.
fn mac_in_agent(agent: &str) -> Option<Mac> {
    let words = agent.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-')));
    // Digits only may be a date of the firmware, letters only a word.
    let mixed = |word: &&str| {
        word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    words.filter(|word| matches!(word.len(), 12 | 17)).filter(mixed).find_map(|w| w.parse().ok())
}

fn fits(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME
}

fn contains(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// Longest name of a device or user that is looked at.
const NAME: usize = 64;
/// Characters of a User-Agent that are kept.
const USER_AGENT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(text: &str) -> Mac {
        text.parse().unwrap()
    }

    #[test]
    fn hardware_addresses_are_found_where_phones_put_them() {
        let expected = Some(mac("001122AABBCC"));
        assert_eq!(mac_in_name("SEP001122AABBCC"), expected);
        assert_eq!(mac_in_name("001122aabbcc"), expected);
        assert_eq!(instance_mac("urn:uuid:00000000-0000-0000-0000-001122aabbcc"), expected);
        let agent = "Cisco-CP-8841-3PCC/11.0 (00562b043615)";
        assert_eq!(mac_in_agent(agent), Some(mac("00562B043615")));
        assert_eq!(
            mac_in_agent("Yealink SIP-T46S 66.84.0.15 80:5e:c0:aa:bb:cc"),
            Some(mac("805EC0AABBCC"))
        );
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        assert_eq!(mac_in_name("2001"), None);
        assert_eq!(mac_in_name("LOBBY001122AABBCC"), None);
        assert_eq!(mac_in_name("あ001122AABBC"), None);
        assert_eq!(instance_mac("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), None);
        assert_eq!(mac_in_agent("deadbeefdead"), None, "letters only are a word");
        assert_eq!(mac_in_agent("Phone/202301151200"), None, "digits only are a date");
        assert_eq!(mac_in_agent("baresip v3.1.0 (x86_64/linux)"), None);
    }
}
