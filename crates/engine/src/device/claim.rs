//! What a phone says of itself when it registers. Nothing of it is proved; the source address is
//! never part of it, because phones share addresses and addresses are lent.

use std::borrow::Cow;

use jackfield_model::{DeviceClass, Dialect, Directory, Kind, PhoneModel};
use jackfield_sip::header::{ContactAddress, From, To};
use jackfield_sip::{HeaderName, Message};
use jackfield_vocabulary::{Mac, ObjectId};
use serde::{Deserialize, Serialize};

use super::hardware::{self, Found};

/// What one REGISTER, or one INVITE, says of its sender.
#[derive(Debug)]
pub(super) struct Claim<'m> {
    /// The device name of an enterprise phone, from its Contact.
    pub(super) name: Option<Box<str>>,
    /// The number of its model, from its Contact.
    pub(super) model_number: Option<u32>,
    /// The hardware address in `+sip.instance`.
    instance: Option<Found>,
    /// The user it registers.
    pub(super) user: Cow<'m, str>,
    /// The users of its Contact and its From.
    others: [Option<Cow<'m, str>>; 2],
    /// Its User-Agent.
    user_agent: &'m str,
    message: &'m Message,
}

/// Whom a claim means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Claimed {
    /// A phone of ours.
    Device(ObjectId),
    /// No phone of ours, but one with a hardware address.
    Unknown(Mac),
    /// Nobody in particular.
    Nobody,
}

impl Claimed {
    /// The phone of ours, if it is one.
    pub(super) fn device(self) -> Option<ObjectId> {
        match self {
            Self::Device(device) => Some(device),
            Self::Unknown(_) | Self::Nobody => None,
        }
    }
}

impl<'m> Claim<'m> {
    /// Reads the claim of a REGISTER: its contact, its To and From, its User-Agent, and what else
    /// makers have for it.
    pub(super) fn of(
        message: &'m Message,
        contact: Option<&'m ContactAddress>,
        to: &'m To,
        from: &'m From,
    ) -> Self {
        let number = contact.and_then(ContactAddress::model_number);
        let named = contact.and_then(ContactAddress::device_name);
        Self {
            name: named.filter(|name| fits(name)).map(Cow::into),
            model_number: number.and_then(|number| number.parse().ok()),
            instance: contact
                .and_then(ContactAddress::instance)
                .and_then(|id| hardware::in_instance(&id)),
            user: to.user().filter(|user| fits(user)).unwrap_or_default(),
            others: [contact.and_then(|contact| contact.user()), from.user()],
            message,
            user_agent: message.first(HeaderName::UserAgent).unwrap_or_default(),
        }
    }

    /// Whom it means: by device name, then by hardware address, then by user.
    pub(super) fn resolve(&self, directory: &Directory) -> Claimed {
        if let Some(device) = self.named(directory) {
            return Claimed::Device(device);
        }
        let Some(mac) = self.mac(directory) else { return Claimed::Nobody };
        match directory.phone_by_mac(mac) {
            Some(device) => Claimed::Device(device),
            None => Claimed::Unknown(mac),
        }
    }

    /// The hardware address, wherever the phone tells it: first where nothing else can stand.
    pub(super) fn mac(&self, directory: &Directory) -> Option<Mac> {
        let named = self.name.as_deref().and_then(hardware::in_name);
        let instance = || self.instance.and_then(Found::certain);
        let user = || hardware::in_name(&self.user);
        let others = || self.others.iter().flatten().find_map(|user| hardware::in_name(user));
        let certain = named
            .or_else(instance)
            .or_else(user)
            .or_else(|| hardware::in_headers(self.message))
            .or_else(others);
        certain.or_else(|| {
            let agent = hardware::in_agent(self.user_agent);
            let agreed = agent.and_then(Found::certain);
            let likely = || [self.instance, agent].into_iter().flatten();
            agreed.or_else(|| likely().find_map(|found| found.proved(directory)))
        })
    }

    fn named(&self, directory: &Directory) -> Option<ObjectId> {
        let find = |name: &str| directory.find(Kind::Phone, name);
        let by_name = self.name.as_deref().and_then(find);
        by_name.or_else(|| if self.user.is_empty() { None } else { find(&self.user) })
    }

    /// The row of the model catalogue that fits best, for a phone nobody has entered.
    pub(super) fn model(&self, directory: &Directory, mac: Mac) -> Option<ObjectId> {
        let (hardware, agent) = (mac.to_string(), bare(self.user_agent));
        let fit = |model: &PhoneModel| -> usize {
            let named = model.enumeration.is_some() && model.enumeration == self.model_number;
            let branded = !model.product.is_empty();
            let known = || model.hardware_prefixes.iter().any(|one| hardware.starts_with(&**one));
            match model.dialect {
                _ if named => 1000,
                _ if branded && agent.contains(&bare(&model.product)) => 100 + model.product.len(),
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

fn fits(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME
}

/// As products and User-Agents compare: makers write `CP-7841` and `CP7841`.
fn bare(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Longest name of a device or user that is looked at.
const NAME: usize = 64;
/// Characters of a User-Agent that are kept.
const USER_AGENT: usize = 100;
