//! Why phones that are not registered are not: the last refusal of each, until it registers. Whoever
//! asks why a phone is not there is told this, and not to look after its power.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jackfield_model::Phone;
use jackfield_sip::{Essentials, Flow};
use jackfield_vocabulary::{Code, Mac, Now, ObjectId, Refusal};
use serde::{Deserialize, Serialize};

use super::Devices;
use super::claim::Claimed;
use crate::context::Context;
use crate::interface::{LastRefusal, Level};

/// Of whom a refusal is kept: what is known of a phone, and where it came from if that is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Who {
    Device(ObjectId),
    Hardware(Mac),
    Address(IpAddr),
}

/// The last refusals, the oldest of which go when there are too many.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Refusals {
    /// Why the REGISTER at hand is refused, until it is answered.
    #[serde(skip)]
    because: Option<(Option<Who>, Refusal)>,
    #[serde(with = "jackfield_vocabulary::pairs")]
    kept: BTreeMap<Who, Kept>,
    /// Whose refusal was which: the numbers count up.
    #[serde(with = "jackfield_vocabulary::pairs")]
    order: BTreeMap<u64, Who>,
    count: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    number: u64,
    source: IpAddr,
    at: Now,
    last: LastRefusal,
}

impl Who {
    pub(super) fn of(claimed: Claimed, flow: &Flow) -> Self {
        match claimed {
            Claimed::Device(device) => Self::Device(device),
            Claimed::Unknown(mac) => Self::Hardware(mac),
            Claimed::Nobody => Self::Address(flow.remote.ip()),
        }
    }
}

impl Refusals {
    /// Another REGISTER is at hand.
    pub(super) fn begin(&mut self) {
        self.because = None;
    }

    /// The REGISTER at hand is refused by this rule.
    pub(super) fn because(&mut self, refusal: Refusal) {
        self.because = Some((None, refusal));
    }

    /// It is refused so as this one's, whatever else it says of itself.
    pub(super) fn because_of(&mut self, who: Option<Who>, refusal: Refusal) {
        self.because = Some((who, refusal));
    }

    /// Keeps a refusal; is it news? A question for the secret tells less than what came of it.
    pub(super) fn keep(
        &mut self,
        now: Now,
        who: Who,
        flow: &Flow,
        user: &str,
        refusal: Refusal,
    ) -> bool {
        let before = self.kept.get(&who);
        let lately = before.filter(|kept| now.since(kept.at) < LATELY);
        let question = refusal.code == Code::SecretNotShown;
        if lately.is_some_and(|kept| question && kept.last.refusal.code != Code::SecretNotShown) {
            return false;
        }
        let news = lately.is_none_or(|kept| kept.last.refusal.code != refusal.code);
        if let Some(kept) = before {
            self.order.remove(&kept.number);
        } else if self.kept.len() >= MOST
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.kept.remove(&oldest);
        }
        self.count += 1;
        self.order.insert(self.count, who);
        let (address, user) = (flow.remote.to_string().into(), user.into());
        let last = LastRefusal { at: now.wall, address, user, refusal };
        let source = flow.remote.ip();
        self.kept.insert(who, Kept { number: self.count, source, at: now, last });
        news
    }

    /// It is registered now, or gone.
    pub(super) fn forget(&mut self, who: Who) {
        if let Some(kept) = self.kept.remove(&who) {
            self.order.remove(&kept.number);
        }
    }

    /// The last one of a phone.
    pub(super) fn of(&self, who: Who) -> Option<&LastRefusal> {
        self.kept.get(&who).map(|kept| &kept.last)
    }

    /// The last ones from an address, the latest first.
    pub(super) fn from(&self, source: IpAddr) -> Vec<LastRefusal> {
        let latest = self.order.values().rev().filter_map(|who| self.kept.get(who));
        let here = latest.filter(|kept| kept.source.to_canonical() == source.to_canonical());
        here.take(TOLD).map(|kept| kept.last.clone()).collect()
    }
}

impl Devices {
    /// Keeps why the REGISTER at hand was refused, if it was.
    pub(super) fn keep_refusal(
        &mut self,
        ctx: &mut Context<'_>,
        who: Who,
        flow: &Flow,
        essentials: &Essentials<'_>,
    ) {
        let Some((other, refusal)) = self.refusals.because.take() else { return };
        let (who, code) = (other.unwrap_or(who), refusal.code);
        let user = essentials.to.user().unwrap_or_default();
        let user = user.get(..USER).unwrap_or(&user);
        if !self.refusals.keep(ctx.now, who, flow, user, refusal) || !SAID.contains(&code) {
            return;
        }
        let phone = match who {
            Who::Device(device) => ctx.directory.typed::<Phone>(device),
            Who::Hardware(_) | Who::Address(_) => None,
        };
        let name = phone.map_or("", |phone| &phone.name).to_owned();
        let (user, reason) = (user.to_owned(), code.name().to_owned());
        // Who makes up ever new devices is always news: the source is what has to be counted.
        self.tell_failure(ctx, flow, Level::Info, "registration refused", |_| {
            vec![("device.name", name), ("registration.user", user), ("reason", reason)]
        });
    }
}

/// What is said here for the log; where others are found out, there is more to say.
const SAID: [Code; 4] = [
    Code::SeveralContacts,
    Code::NotItsLine,
    Code::RegistrationTooBrief,
    Code::RegistrationOutOfOrder,
];
/// Octets of a user that are kept.
const USER: usize = 64;
/// Phones whose last refusals are kept.
const MOST: usize = 4096;
/// How many are told at once.
const TOLD: usize = 10;
/// For how long a refusal says more than the question that led to it.
const LATELY: core::time::Duration = core::time::Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use jackfield_vocabulary::UnixTime;

    use super::*;

    fn at(seconds: u64) -> Now {
        Now::new(seconds * 1_000_000, UnixTime(seconds * 1000))
    }

    fn keep(refusals: &mut Refusals, seconds: u64, device: u32, code: Code) -> bool {
        let local = "192.0.2.10:5060".parse().unwrap();
        let flow = Flow::udp(local, "10.0.0.1:5060".parse().unwrap());
        let who = Who::Device(ObjectId(device));
        refusals.keep(at(seconds), who, &flow, "2001", Refusal::new(code))
    }

    #[test]
    fn the_question_does_not_hide_what_came_of_it() {
        let mut refusals = Refusals::default();
        assert!(keep(&mut refusals, 0, 1, Code::SecretNotShown));
        assert!(keep(&mut refusals, 1, 1, Code::WrongSecret));
        assert!(!keep(&mut refusals, 2, 1, Code::SecretNotShown));
        assert!(!keep(&mut refusals, 3, 1, Code::WrongSecret), "no news");
        let last = refusals.of(Who::Device(ObjectId(1))).unwrap();
        assert_eq!((last.refusal.code, last.at), (Code::WrongSecret, UnixTime(3000)));
        assert!(keep(&mut refusals, 700, 1, Code::SecretNotShown), "long after it is all there is");
    }

    #[test]
    fn a_flood_keeps_its_bounds_and_the_latest() {
        let mut refusals = Refusals::default();
        for device in 0..MOST as u32 + 10 {
            keep(&mut refusals, 0, device, Code::WrongSecret);
        }
        assert_eq!((refusals.kept.len(), refusals.order.len()), (MOST, MOST));
        assert!(refusals.of(Who::Device(ObjectId(9))).is_none());
        assert_eq!(refusals.from("10.0.0.1".parse().unwrap()).len(), TOLD);
        refusals.forget(Who::Device(ObjectId(10)));
        assert_eq!((refusals.kept.len(), refusals.order.len()), (MOST - 1, MOST - 1));
    }
}
