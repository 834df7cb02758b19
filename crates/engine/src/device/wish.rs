//! What a REGISTER asks for, read from its headers: all of it, or none (RFC 3261 section 10.3).

use jackfield_sip::header::{Contact, ContactAddress, Expires};
use jackfield_sip::{Message, Uri};

/// What a REGISTER wants to be changed.
pub(super) struct Wish {
    /// The address to be bound, and for how many seconds where it says.
    pub(super) staying: Option<(ContactAddress, Option<u32>)>,
    /// The addresses to be taken away.
    leaving: Vec<ContactAddress>,
    /// Every address is to be taken away.
    pub(super) everything: bool,
}

/// Why a wish can't be fulfilled, whoever has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// A header is broken.
    Broken(&'static str),
    /// It wants several addresses bound at once, and one is all there is.
    Several,
}

impl Wish {
    pub(super) fn of(request: &Message) -> Result<Self, Unfit> {
        let contacts = request.list::<Contact>().map_err(|_| Unfit::Broken("Bad Contact"))?;
        let general = request.optional::<Expires>().map_err(|_| Unfit::Broken("Bad Expires"))?;
        let general = general.map(|expires| expires.0);
        let mut wish = Self { staying: None, leaving: Vec::new(), everything: false };
        if contacts.contains(&Contact::All) {
            // RFC 3261 section 10.2.2: `*` stands alone, and only to take everything away.
            let why = "Contact * needs Expires: 0 and no other Contact";
            wish.everything = contacts.len() == 1 && general == Some(0);
            return if wish.everything { Ok(wish) } else { Err(Unfit::Broken(why)) };
        }
        if contacts.len() > MOST_CONTACTS {
            return Err(Unfit::Several);
        }
        for contact in contacts.into_iter().filter_map(Contact::into_address) {
            wish.add(contact, general)?;
        }
        let odd = wish.staying.as_ref().is_some_and(|(contact, _)| contact.uri.as_sip().is_none());
        if odd { Err(Unfit::Broken("Contact is not a SIP address")) } else { Ok(wish) }
    }

    /// The last word on an address counts.
    fn add(&mut self, contact: ContactAddress, general: Option<u32>) -> Result<(), Unfit> {
        let seconds = contact.expires().or(general);
        let same = self.staying.as_ref().is_some_and(|(one, _)| one.uri.matches(&contact.uri));
        if seconds == Some(0) {
            self.staying = self.staying.take().filter(|_| !same);
            self.leaving.push(contact);
            return Ok(());
        }
        if self.staying.is_some() && !same {
            return Err(Unfit::Several);
        }
        self.leaving.retain(|one| !one.uri.matches(&contact.uri));
        self.staying = Some((contact, seconds));
        Ok(())
    }

    /// The address that tells who the sender is.
    pub(super) fn contact(&self) -> Option<&ContactAddress> {
        self.staying.as_ref().map(|(contact, _)| contact).or_else(|| self.leaving.first())
    }

    /// For how long the address is to be bound, at most so many seconds.
    pub(super) fn seconds(&self, longest: u32) -> u32 {
        let wanted = self.staying.as_ref().and_then(|(_, seconds)| *seconds);
        wanted.unwrap_or(longest).min(longest)
    }

    /// Is this address to be taken away?
    pub(super) fn takes_away(&self, contact: &str) -> bool {
        let leaves = |contact: &Uri| self.leaving.iter().any(|one| one.uri.matches(contact));
        let named = || Uri::parse(contact).is_ok_and(|contact| leaves(&contact));
        self.everything || (!self.leaving.is_empty() && named())
    }

    /// It only asks what is bound.
    pub(super) fn only_asks(&self) -> bool {
        self.staying.is_none() && self.leaving.is_empty() && !self.everything
    }
}

/// Addresses in one REGISTER. A device has one, and takes away the few that it had before; each is
/// compared with others before it is known who asks.
const MOST_CONTACTS: usize = 10;
