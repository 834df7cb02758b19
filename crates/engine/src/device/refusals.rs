//! Why phones are not registered, or not any more: the last refusal of each, until it registers. Whoever
//! asks why a phone is not there is told this, and not to look after its power.

use core::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use jackfield_model::Phone;
use jackfield_sip::{Essentials, Flow};
use jackfield_vocabulary::share::{Figures, Holder, Places, uses};
use jackfield_vocabulary::{Code, Mac, Now, ObjectId, Refusal};
use serde::{Deserialize, Serialize};

use super::claim::Claimed;
use super::{Devices, failure};
use crate::context::Context;
use crate::interface::{LastRefusal, Level};

/// Of whom a refusal is kept: what is known of a phone, and where it came from if that is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Who {
    Device(ObjectId),
    Hardware(Mac),
    Address(IpAddr),
}

/// The last refusals; the oldest go when there are too many, of the source that has most.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Refusals {
    /// Why the REGISTER at hand is refused, until it is answered.
    #[serde(skip)]
    because: Option<(Option<Who>, Refusal)>,
    #[serde(with = "jackfield_vocabulary::pairs")]
    kept: BTreeMap<Who, Kept>,
    /// Each has a place of its source, which may always go for another one.
    places: Places<Who>,
    /// Counts the refusals: what is told later has a higher number.
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

impl Kept {
    /// Where it was tried from but there. The first ones stay: who comes from ever new addresses does not
    /// push out the one of the phone.
    fn without(&self, source: IpAddr) -> Vec<IpAddr> {
        let mut others = self.last.others.clone();
        add_source(&mut others, self.source);
        others.retain(|other| *other != source.to_canonical());
        others
    }
}

fn add_source(sources: &mut Vec<IpAddr>, source: IpAddr) {
    let source = source.to_canonical();
    if sources.len() < SOURCES && !sources.contains(&source) {
        sources.push(source);
    }
}

impl Default for Refusals {
    fn default() -> Self {
        let places = uses::REFUSALS.places();
        Self { because: None, kept: BTreeMap::new(), places, count: 0 }
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
            self.also_from(who, flow.remote.ip());
            return false;
        }
        let others = before.map(|kept| kept.without(flow.remote.ip())).unwrap_or_default();
        let news = lately.is_none_or(|kept| kept.last.refusal.code != refusal.code);
        let source = flow.remote.ip();
        self.forget(who);
        let Ok(gone) = self.places.take(who, Holder::stranger(source), 1) else { return news };
        self.places.idle(&who);
        gone.iter().for_each(|gone| drop(self.kept.remove(gone)));
        self.count += 1;
        let (address, user) = (flow.remote.to_string().into(), user.into());
        let last = LastRefusal { at: now.wall, address, user, refusal, others };
        self.kept.insert(who, Kept { number: self.count, source, at: now, last });
        news
    }

    /// Somebody tried from there, too.
    fn also_from(&mut self, who: Who, source: IpAddr) {
        if let Some(kept) = self.kept.get_mut(&who)
            && kept.source.to_canonical() != source.to_canonical()
        {
            add_source(&mut kept.last.others, source);
        }
    }

    /// It is registered now, or gone.
    pub(super) fn forget(&mut self, who: Who) {
        self.kept.remove(&who);
        self.places.release(&who);
    }

    /// What the limit by source has come to.
    pub(super) fn figures(&self) -> Figures {
        uses::REFUSALS.figures(&self.places)
    }

    /// The last one of a phone.
    pub(super) fn of(&self, who: Who) -> Option<&LastRefusal> {
        self.kept.get(&who).map(|kept| &kept.last)
    }

    /// What a registered device was refused since, as far as that was the device itself: it showed its
    /// secret, the one before, or a wrong one from `here`, where it registered. Of what anybody else tries in
    /// its name nothing is the matter with it.
    pub(super) fn since(&self, device: ObjectId, here: IpAddr) -> Option<&LastRefusal> {
        let kept = self.kept.get(&Who::Device(device))?;
        let itself = match kept.last.refusal.code {
            Code::NotItsLine | Code::OutdatedSecret => true,
            Code::WrongSecret | Code::RegistrationTooBrief => {
                kept.source.to_canonical() == here.to_canonical()
            }
            _ => false,
        };
        itself.then_some(&kept.last)
    }

    /// Was one of the device's lines refused that it has no longer? When it begins anew, what was refused
    /// before that is over.
    pub(super) fn is_of_a_line(&self, device: ObjectId, now: Now, fresh: bool) -> bool {
        self.kept.get(&Who::Device(device)).is_some_and(|kept| {
            let before = fresh && now.since(kept.at) > BEGINNING;
            kept.last.refusal.code == Code::NotItsLine && !before
        })
    }

    /// The last ones from an address, the latest first.
    pub(super) fn from(&self, source: IpAddr) -> Vec<LastRefusal> {
        let kept = self.kept.values();
        let here = kept.filter(|kept| kept.source.to_canonical() == source.to_canonical());
        let mut latest: Vec<&Kept> = here.collect();
        latest.sort_by_key(|kept| Reverse(kept.number));
        latest.into_iter().take(TOLD).map(|kept| kept.last.clone()).collect()
    }
}

impl Devices {
    /// Keeps why the REGISTER at hand was refused, if it was.
    pub(super) fn keep_refusal(
        &mut self,
        ctx: &mut Context<'_>,
        who: Who,
        flow: &Flow,
        essentials: &Essentials,
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
        failure::tell(&mut self.failures, ctx, flow, Level::Info, "registration refused", |_| {
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
/// Addresses that are kept beside the last one.
const SOURCES: usize = 8;
/// How many are told at once.
const TOLD: usize = 10;
/// How long a phone takes to register its lines, one after the other.
const BEGINNING: core::time::Duration = core::time::Duration::from_secs(60);
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
        keep_at("10.0.0.1:5060", refusals, seconds, device, code)
    }

    fn keep_at(
        source: &str,
        refusals: &mut Refusals,
        seconds: u64,
        device: u32,
        code: Code,
    ) -> bool {
        let local = "192.0.2.10:5060".parse().unwrap();
        let flow = Flow::udp(local, source.parse().unwrap());
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

    /// Whoever tries last, or from ever new addresses, does not hide where the phone tried.
    #[test]
    fn every_source_of_tries_is_told() {
        let mut refusals = Refusals::default();
        let mut tries = |source: &str, seconds, code| {
            keep_at(source, &mut refusals, seconds, 1, code);
            refusals.of(Who::Device(ObjectId(1))).unwrap().clone()
        };
        assert!(tries("10.0.0.1:5060", 0, Code::WrongSecret).others.is_empty());
        assert!(tries("[::ffff:10.0.0.1]:5061", 1, Code::WrongSecret).others.is_empty());
        let phone: IpAddr = "10.0.0.1".parse().unwrap();
        let last = tries("10.0.0.66:5060", 2, Code::WrongSecret);
        assert_eq!((&*last.address, last.others), ("10.0.0.66:5060", vec![phone]));
        let last = tries("10.0.0.1:5060", 3, Code::SecretNotShown);
        assert_eq!((&*last.address, last.others), ("10.0.0.66:5060", vec![phone]));
        for host in 100..120 {
            let last = tries(&format!("10.0.0.{host}:5060"), 1000, Code::SecretNotShown);
            assert!(last.others.contains(&phone) && last.others.len() <= SOURCES);
        }
    }

    #[test]
    fn a_flood_keeps_its_bounds_and_the_latest() {
        let mut refusals = Refusals::default();
        let (most, share) = (4096, 1024);
        for device in 0..share + 10 {
            keep(&mut refusals, 0, device, Code::WrongSecret);
        }
        assert_eq!((refusals.kept.len(), refusals.figures().held), (1024, 1024));
        assert!(refusals.of(Who::Device(ObjectId(9))).is_none());
        assert!(refusals.of(Who::Device(ObjectId(10))).is_some());
        let from = refusals.from("10.0.0.1".parse().unwrap());
        assert_eq!(from.len(), TOLD);
        refusals.forget(Who::Device(ObjectId(10)));
        assert_eq!((refusals.kept.len(), refusals.figures().held), (1023, 1023));
        // Of many others each has little: what goes is of whoever has most.
        for device in 10_000..10_000 + most {
            let source = format!("10.1.{}.{}:5060", device / 256 % 256, device % 256);
            keep_at(&source, &mut refusals, 1, device, Code::WrongSecret);
        }
        assert_eq!((refusals.kept.len(), refusals.figures().held), (4096, 4096));
        assert!(refusals.of(Who::Device(ObjectId(10_000 + most - 1))).is_some());
    }

    #[test]
    fn the_reason_of_one_phone_outlasts_the_flood_of_another_source() {
        let mut refusals = Refusals::default();
        keep_at("10.0.0.2:5060", &mut refusals, 0, 1, Code::WrongSecret);
        for device in 2..10_000 {
            keep(&mut refusals, 0, device, Code::WrongSecret);
        }
        assert!(refusals.of(Who::Device(ObjectId(1))).is_some());
    }
}
