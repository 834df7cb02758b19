use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Figures, Source};

/// Places that are held for a while, each by somebody: connections, transactions, bytes.
///
/// A place is busy when it is taken, and stays its holder's until it is given back. One that is
/// [`Self::idle`] may have to go when another is wanted: the oldest idle one of whoever holds most.
/// `K` names a place.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "K: Ord + Clone + Serialize + for<'k> Deserialize<'k>")]
pub struct Places<K: Ord> {
    limits: Limits,
    #[serde(with = "crate::pairs")]
    places: BTreeMap<K, Place>,
    #[serde(with = "crate::pairs")]
    holders: BTreeMap<Holder, Held<K>>,
    /// Of strangers, and of those who proved themselves.
    crowds: [Crowd; 2],
    /// Counts how often a place became idle: the lower, the longer it has been.
    number: u64,
    refused: u64,
    evicted: u64,
}

/// How much may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// By all together.
    pub total: u64,
    /// By the strangers of one source.
    pub share: u64,
    /// By those of one source who proved themselves.
    pub proved_share: u64,
    /// Of the total, what only those may hold who proved themselves.
    pub reserve: u64,
}

/// Who holds places. What somebody holds who proved itself is counted apart from what strangers
/// hold at the same source: they share an address with it behind a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// Where it comes from.
    pub source: Source,
    /// It has proved who it is.
    pub proved: bool,
}

/// Why a place is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Full {
    /// The holder has its share.
    #[error("this source has its share")]
    Share,
    /// All are taken, but for what is kept for those who proved themselves.
    #[error("all places are taken")]
    All,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Place {
    holder: Holder,
    amount: u64,
    /// Since when it has been idle.
    idle: Option<u64>,
}

/// What one holder has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "K: Ord + Clone + Serialize + for<'k> Deserialize<'k>")]
struct Held<K: Ord> {
    amount: u64,
    idle_amount: u64,
    idle: BTreeSet<(u64, K)>,
}

/// What many holders have together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Crowd {
    amount: u64,
    idle_amount: u64,
    /// Who has idle places: who holds most comes first, of equals the one with the oldest.
    yielding: BTreeSet<(Reverse<u64>, u64, Holder)>,
}

impl<K: Ord + Clone> Places<K> {
    /// None is taken yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            places: BTreeMap::new(),
            holders: BTreeMap::new(),
            crowds: [Crowd::default(), Crowd::default()],
            number: 0,
            refused: 0,
            evicted: 0,
        }
    }

    /// Changes the limits; what is held stays held.
    pub fn set(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes a place that is free, as large as `amount`. Tells which idle places had to go for it.
    ///
    /// # Errors
    ///
    /// The holder has its share, or nothing can be made free; then nothing is changed.
    pub fn take(&mut self, key: K, holder: Holder, amount: u64) -> Result<Vec<K>, Full> {
        debug_assert!(!self.places.contains_key(&key), "a place is taken once");
        if let Some(full) = self.refuses(holder, amount) {
            self.refused += 1;
            return Err(full);
        }
        let mut gone = Vec::new();
        while self.held_by(holder) + amount > self.limits.share_of(holder)
            && let Some(oldest) = self.oldest_of(holder)
        {
            self.evict(oldest, &mut gone);
        }
        while self.is_short(holder, amount)
            && let Some(oldest) = self.oldest_of_most(holder.proved)
        {
            self.evict(oldest, &mut gone);
        }
        self.enter(key, Place { holder, amount, idle: None });
        Ok(gone)
    }

    /// As [`Self::take`], but the share is not made free by the holder's own idle places: for those who
    /// would not notice that theirs is gone, and wait in vain.
    ///
    /// # Errors
    ///
    /// As [`Self::take`].
    pub fn take_another(&mut self, key: K, holder: Holder, amount: u64) -> Result<Vec<K>, Full> {
        if self.held_by(holder).saturating_add(amount) > self.limits.share_of(holder) {
            self.refused += 1;
            return Err(Full::Share);
        }
        self.take(key, holder, amount)
    }

    /// Gives a place back; one that is not taken is given back already.
    pub fn release(&mut self, key: &K) {
        self.leave(key);
    }

    /// The place may go from now on when another is wanted; it is the youngest of those.
    pub fn idle(&mut self, key: &K) {
        self.number += 1;
        let number = self.number;
        if let Some(place) = self.leave(key) {
            self.enter(key.clone(), Place { idle: Some(number), ..place });
        }
    }

    /// The place is not to go.
    pub fn busy(&mut self, key: &K) {
        if self.places.get(key).is_some_and(|place| place.idle.is_some())
            && let Some(place) = self.leave(key)
        {
            self.enter(key.clone(), Place { idle: None, ..place });
        }
    }

    /// The holder of this place has proved who it is: the place counts as its own from now on.
    pub fn prove(&mut self, key: &K) {
        if let Some(place) = self.leave(key) {
            let holder = Holder { proved: true, ..place.holder };
            self.enter(key.clone(), Place { holder, ..place });
        }
    }

    /// Whoever proved itself there has left: it is a stranger's place again, which may go.
    pub fn abandon(&mut self, key: &K) {
        if let Some(place) = self.leave(key) {
            let holder = Holder { proved: false, ..place.holder };
            self.enter(key.clone(), Place { holder, ..place });
            self.idle(key);
        }
    }

    /// Whose is this place, if it is taken?
    pub fn holder(&self, key: &K) -> Option<Holder> {
        self.places.get(key).map(|place| place.holder)
    }

    /// Is this place taken?
    pub fn holds(&self, key: &K) -> bool {
        self.places.contains_key(key)
    }

    /// How much a holder has.
    pub fn held_by(&self, holder: Holder) -> u64 {
        self.holders.get(&holder).map_or(0, |held| held.amount)
    }

    /// How much all have.
    pub fn held(&self) -> u64 {
        self.crowds.iter().map(|crowd| crowd.amount).sum()
    }

    /// For the metrics page, under the name of the use.
    pub fn figures(&self, name: &str) -> Figures {
        Figures {
            name: name.into(),
            held: self.held(),
            most: self.limits.total,
            refused: self.refused,
            evicted: self.evicted,
        }
    }

    /// Is there no room for so much more, whatever goes?
    fn refuses(&self, holder: Holder, amount: u64) -> Option<Full> {
        let own = self.holders.get(&holder).map_or(0, |held| held.amount - held.idle_amount);
        if own.saturating_add(amount) > self.limits.share_of(holder) {
            return Some(Full::Share);
        }
        let [strangers, proved] = &self.crowds;
        let strangers = strangers.amount - strangers.idle_amount;
        // Strangers don't drive out those who proved themselves.
        let staying =
            if holder.proved { proved.amount - proved.idle_amount } else { proved.amount };
        let short = (strangers + staying).saturating_add(amount) > self.limits.total
            || !holder.proved && strangers.saturating_add(amount) > self.open();
        short.then_some(Full::All)
    }

    /// Is there no room for so much more unless an idle place goes?
    fn is_short(&self, holder: Holder, amount: u64) -> bool {
        self.held() + amount > self.limits.total
            || !holder.proved && self.crowds[0].amount + amount > self.open()
    }

    /// What strangers may hold together.
    fn open(&self) -> u64 {
        self.limits.total.saturating_sub(self.limits.reserve)
    }

    fn oldest_of(&self, holder: Holder) -> Option<K> {
        self.holders.get(&holder)?.idle.first().map(|(_, key)| key.clone())
    }

    /// Strangers go before those who proved themselves, and only for these do such go.
    fn oldest_of_most(&self, proved: bool) -> Option<K> {
        let mut crowds = self.crowds.iter().take(if proved { 2 } else { 1 });
        let (_, _, holder) = crowds.find_map(|crowd| crowd.yielding.first())?;
        self.oldest_of(*holder)
    }

    fn evict(&mut self, key: K, gone: &mut Vec<K>) {
        self.leave(&key);
        self.evicted += 1;
        gone.push(key);
    }

    fn enter(&mut self, key: K, place: Place) {
        self.places.insert(key.clone(), place);
        self.change(place.holder, |held| {
            held.amount += place.amount;
            if let Some(number) = place.idle {
                held.idle_amount += place.amount;
                held.idle.insert((number, key));
            }
        });
    }

    fn leave(&mut self, key: &K) -> Option<Place> {
        let place = self.places.remove(key)?;
        self.change(place.holder, |held| {
            held.amount -= place.amount;
            if let Some(number) = place.idle {
                held.idle_amount -= place.amount;
                held.idle.remove(&(number, key.clone()));
            }
        });
        Some(place)
    }

    /// Changes what a holder has, and what follows from that.
    fn change(&mut self, holder: Holder, change: impl FnOnce(&mut Held<K>)) {
        let crowd = &mut self.crowds[usize::from(holder.proved)];
        let held = self.holders.entry(holder).or_default();
        let rank = held.rank(holder);
        crowd.amount -= held.amount;
        crowd.idle_amount -= held.idle_amount;
        change(held);
        crowd.amount += held.amount;
        crowd.idle_amount += held.idle_amount;
        let changed = held.rank(holder);
        if rank != changed {
            crowd.yielding.extend(changed);
            if let Some(rank) = rank {
                crowd.yielding.remove(&rank);
            }
        }
        if held.amount == 0 && held.idle.is_empty() {
            self.holders.remove(&holder);
        }
    }
}

impl<K: Ord> Held<K> {
    fn rank(&self, holder: Holder) -> Option<(Reverse<u64>, u64, Holder)> {
        self.idle.first().map(|(number, _)| (Reverse(self.amount), *number, holder))
    }
}

impl<K: Ord> Default for Held<K> {
    fn default() -> Self {
        Self { amount: 0, idle_amount: 0, idle: BTreeSet::new() }
    }
}

impl Limits {
    fn share_of(&self, holder: Holder) -> u64 {
        if holder.proved { self.proved_share } else { self.share }
    }
}

impl Holder {
    /// Somebody at this address who has proved nothing.
    pub fn stranger(address: IpAddr) -> Self {
        Self { source: address.into(), proved: false }
    }

    /// Somebody at this address who has proved who it is.
    pub fn proved(address: IpAddr) -> Self {
        Self { source: address.into(), proved: true }
    }
}
