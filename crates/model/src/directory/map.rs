//! A persistent ordered map: sorted chunks that its copies share. A copy costs one pointer; the
//! first change of a copy costs a pointer a chunk, each change one chunk. It takes about as much
//! memory as a sorted vector, which is what a directory of 60,000 phones needs.
//!
//! What a look-up costs in a large map are its waits for memory. So the chunks' first keys and the
//! pointers to them stand together and stay in the cache, a look-up begins where the key ought to
//! be, and its value stands beside it: mostly it waits once.

use core::cmp::Ordering;
use core::ops::{Bound, RangeBounds};
use std::sync::Arc;

use ecow::EcoVec;
use jackfield_vocabulary::{Mac, ObjectId};

use crate::{Kind, Text};

/// Entries in a chunk at the most; half of it after a split.
const CHUNK: usize = 256;

/// A persistent ordered map.
#[derive(Clone, Debug)]
pub(crate) struct Map<K, V> {
    chunks: Arc<Chunks<K, V>>,
    len: usize,
}

/// The chunks, none of them empty, and the first key of each.
#[derive(Clone, Debug)]
struct Chunks<K, V> {
    firsts: Vec<K>,
    entries: Vec<EcoVec<(K, V)>>,
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { chunks: Arc::new(Chunks { firsts: Vec::new(), entries: Vec::new() }), len: 0 }
    }
}

/// What a map is ordered by.
pub(crate) trait Key: Ord + Clone {
    /// How far it is from a smaller one, where keys lie more or less evenly, as ids do that are
    /// given in turn.
    fn distance(&self, _from: &Self) -> Option<u64> {
        None
    }
}

impl Key for ObjectId {
    fn distance(&self, from: &Self) -> Option<u64> {
        Some(u64::from(self.0 - from.0))
    }
}

impl Key for (ObjectId, ObjectId) {
    fn distance(&self, from: &Self) -> Option<u64> {
        self.0.distance(&from.0)
    }
}

impl Key for (Mac, ObjectId) {
    fn distance(&self, from: &Self) -> Option<u64> {
        let number = |Mac([a, b, c, d, e, f])| u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        Some(number(self.0) - number(from.0))
    }
}

impl Key for (Option<ObjectId>, ObjectId) {}
impl Key for (Kind, Text) {}
impl Key for (Text, Option<ObjectId>) {}
impl Key for (Text, ObjectId) {}

impl<K: Key, V: Clone> Map<K, V> {
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let place = self.chunks.place(&key);
        let Chunks { firsts, entries } = Arc::make_mut(&mut self.chunks);
        let (chunk, at) = match place {
            Ok((chunk, at)) => {
                let old = &mut entries[chunk].make_mut()[at].1;
                return Some(core::mem::replace(old, value));
            }
            Err(place) => place,
        };
        self.len += 1;
        if entries.is_empty() {
            firsts.push(key.clone());
            entries.push(EcoVec::new());
        } else if at == 0 {
            firsts[chunk] = key.clone();
        }
        let full = &mut entries[chunk];
        full.insert(at, (key, value));
        if full.len() > CHUNK {
            // Appending in order, as ids do, leaves full chunks behind.
            let keep = if at == CHUNK { CHUNK } else { CHUNK / 2 };
            let (kept, rest) = full.split_at(keep);
            let (kept, rest) = (EcoVec::from(kept), EcoVec::from(rest));
            firsts.insert(chunk + 1, rest[0].0.clone());
            entries[chunk] = kept;
            entries.insert(chunk + 1, rest);
        }
        None
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let (chunk, at) = self.chunks.place(key).ok()?;
        let Chunks { firsts, entries } = Arc::make_mut(&mut self.chunks);
        let (_, value) = entries[chunk].remove(at);
        match entries[chunk].first() {
            None => {
                entries.remove(chunk);
                firsts.remove(chunk);
            }
            Some((first, _)) if at == 0 => firsts[chunk] = first.clone(),
            Some(_) => {}
        }
        self.len -= 1;
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let (chunk, at) = self.chunks.place(key).ok()?;
        Some(&self.chunks.entries[chunk][at].1)
    }

    /// The entries from `range`'s start to its end, in order.
    pub(crate) fn range<R: RangeBounds<K>>(&self, range: R) -> impl Iterator<Item = (&K, &V)> {
        let (chunk, at) = match range.start_bound() {
            Bound::Included(start) => self.chunks.place(start).unwrap_or_else(|place| place),
            Bound::Excluded(start) => match self.chunks.place(start) {
                Ok((chunk, at)) => (chunk, at + 1),
                Err(place) => place,
            },
            Bound::Unbounded => (0, 0),
        };
        self.chunks.entries[chunk..]
            .iter()
            .enumerate()
            .flat_map(move |(n, entries)| &entries[if n == 0 { at } else { 0 }..])
            .map(|(key, value)| (key, value))
            .take_while(move |(key, _)| match range.end_bound() {
                Bound::Included(end) => *key <= end,
                Bound::Excluded(end) => *key < end,
                Bound::Unbounded => true,
            })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.entries.iter().flatten().map(|(key, value)| (key, value))
    }
}

impl<K: Key, V> Chunks<K, V> {
    /// The chunk and the place in it where `key` is, or else would have to go.
    fn place(&self, key: &K) -> Result<(usize, usize), (usize, usize)> {
        let Some(first) = self.firsts.first() else { return Err((0, 0)) };
        let guess = near(key, first, self.firsts.last(), self.firsts.len() - 1);
        let chunk = search(&self.firsts, |first| first, key, guess)
            .unwrap_or_else(|after| after.saturating_sub(1));
        let (first, next) = (&self.firsts[chunk], self.firsts.get(chunk + 1));
        let entries = &self.entries[chunk];
        search(entries, |(key, _)| key, key, near(key, first, next, entries.len()))
            .map(|at| (chunk, at))
            .map_err(|at| (chunk, at))
    }
}

/// Where a key ought to be among `count` from `first` to `last`; with no last one, among numbers
/// given in turn.
fn near<K: Key>(key: &K, first: &K, last: Option<&K>, count: usize) -> Option<usize> {
    if key <= first {
        return Some(0);
    }
    let distance = key.distance(first)?;
    let place = match last {
        Some(last) => distance.saturating_mul(count as u64) / last.distance(first)?.max(1),
        None => distance,
    };
    usize::try_from(place).ok()
}

/// Finds a key among sorted entries, or the place where it would go: from where it ought to be in
/// growing steps, then by halves.
fn search<T, K: Ord>(
    entries: &[T],
    key_of: impl Fn(&T) -> &K,
    key: &K,
    near: Option<usize>,
) -> Result<usize, usize> {
    let Some(near) = near else { return entries.binary_search_by(|one| key_of(one).cmp(key)) };
    let (mut low, mut high, mut step) = (0, entries.len(), 1);
    let mut at = near.min(high.saturating_sub(1));
    while low < high {
        match key_of(&entries[at]).cmp(key) {
            Ordering::Equal => return Ok(at),
            Ordering::Less => low = at + 1,
            Ordering::Greater => high = at,
        }
        at = if low == 0 {
            high.saturating_sub(step)
        } else if high == entries.len() {
            (low + step).min(high) - 1
        } else {
            low + (high - low) / 2
        };
        step *= 2;
    }
    Err(low)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_does_what_a_btree_does_and_leaves_old_copies_alone() {
        let id = |number: u64| ObjectId(u32::try_from(number).unwrap());
        // Even ones, ones in clumps far apart, some that are alike in part, and texts.
        does_what_a_btree_does(id);
        does_what_a_btree_does(|number| id(number % 300 + (number / 300).pow(5)));
        does_what_a_btree_does(|number| (id(number / 700), id(number)));
        does_what_a_btree_does(|number| (Mac([0, 0, 0, 0, 0, 7]), id(number)));
        does_what_a_btree_does(|number| (Text::from(format!("{number}")), id(0)));
    }

    fn does_what_a_btree_does<K: Key + core::fmt::Debug>(key: impl Fn(u64) -> K) {
        let (mut map, mut tree, mut seed) = (Map::default(), BTreeMap::new(), 1_u64);
        let mut kept = Vec::new();
        for step in 0..20_000_u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            let key = key((seed >> 40) % 3000);
            if seed & 3 == 0 {
                assert_eq!(map.remove(&key), tree.remove(&key));
            } else {
                assert_eq!(map.insert(key.clone(), step), tree.insert(key, step));
            }
            assert_eq!(map.len(), tree.len());
            if step % 4000 == 0 {
                kept.push((map.clone(), tree.clone()));
            }
        }
        kept.push((map, tree));
        let (low, high) = (key(500).min(key(900)), key(500).max(key(900)));
        for (map, tree) in kept {
            assert!(map.iter().eq(tree.iter()));
            assert!(
                map.range(low.clone()..=high.clone()).eq(tree.range(low.clone()..=high.clone()))
            );
            assert!(map.range(key(2990)..).eq(tree.range(key(2990)..)));
            let after = (Bound::Excluded(low.clone()), Bound::Unbounded);
            assert!(map.range(after.clone()).eq(tree.range(after)));
            assert!((0..3000).map(&key).all(|key| map.get(&key) == tree.get(&key)));
        }
    }
}
