//! A persistent ordered map: sorted chunks behind shared pointers. A copy costs a pointer a
//! chunk; a change copies one chunk, and none when nobody else holds it. It takes about as much
//! memory as a sorted vector, which is what a directory of 60,000 phones needs. The first key of
//! each chunk stands once more in a vector of its own: a look-up touches that and one chunk.

use core::cmp::Ordering;
use core::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// Entries in a chunk at the most; half of it after a split.
const CHUNK: usize = 256;

/// A persistent ordered map.
#[derive(Clone, Debug)]
pub(crate) struct Map<K, V> {
    chunks: Vec<Arc<Chunk<K, V>>>,
    /// The first key of each chunk.
    firsts: Arc<Vec<K>>,
    len: usize,
}

/// Keys and their values side by side: a search among the keys touches few lines of the cache.
#[derive(Clone, Debug)]
struct Chunk<K, V> {
    keys: Vec<K>,
    values: Vec<V>,
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { chunks: Vec::new(), firsts: Arc::default(), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some(chunk) = self.chunk_of(&key) else {
            Arc::make_mut(&mut self.firsts).push(key.clone());
            self.chunks.push(Arc::new(Chunk { keys: vec![key], values: vec![value] }));
            self.len += 1;
            return None;
        };
        let entries = Arc::make_mut(&mut self.chunks[chunk]);
        match entries.keys.binary_search(&key) {
            Ok(at) => Some(core::mem::replace(&mut entries.values[at], value)),
            Err(at) => {
                if at == 0 {
                    Arc::make_mut(&mut self.firsts)[chunk] = key.clone();
                }
                entries.keys.insert(at, key);
                entries.values.insert(at, value);
                self.len += 1;
                if entries.keys.len() > CHUNK {
                    // Appending in order, as ids do, leaves full chunks behind.
                    let keep = if at + 1 == entries.keys.len() { CHUNK } else { CHUNK / 2 };
                    let rest = entries.split_off(keep);
                    Arc::make_mut(&mut self.firsts).insert(chunk + 1, rest.keys[0].clone());
                    self.chunks.insert(chunk + 1, Arc::new(rest));
                }
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let chunk = self.chunk_of(key)?;
        let at = self.chunks[chunk].keys.binary_search(key).ok()?;
        let entries = Arc::make_mut(&mut self.chunks[chunk]);
        entries.keys.remove(at);
        let value = entries.values.remove(at);
        match entries.keys.first() {
            None => {
                self.chunks.remove(chunk);
                Arc::make_mut(&mut self.firsts).remove(chunk);
            }
            Some(first) if at == 0 => {
                Arc::make_mut(&mut self.firsts)[chunk] = first.clone();
            }
            Some(_) => {}
        }
        self.len -= 1;
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.get_by(|have| have.cmp(key))
    }

    /// The entry for which `compare`, in the order of keys, says equal; spares making a key.
    pub(crate) fn get_by(&self, compare: impl Fn(&K) -> Ordering) -> Option<&V> {
        let after = self.firsts.partition_point(|first| compare(first).is_le());
        let entries = self.chunks.get(after.checked_sub(1)?)?;
        let at = entries.keys.binary_search_by(compare).ok()?;
        Some(&entries.values[at])
    }

    /// The entries from `range`'s start to its end, in order.
    pub(crate) fn range<R: RangeBounds<K>>(&self, range: R) -> impl Iterator<Item = (&K, &V)> {
        let before = |key: &K| match range.start_bound() {
            Bound::Included(start) => key < start,
            Bound::Excluded(start) => key <= start,
            Bound::Unbounded => false,
        };
        // The chunk before the first one that begins at or after the start may still reach into it.
        let chunk = self.firsts.partition_point(|first| before(first)).saturating_sub(1);
        let at = self
            .chunks
            .get(chunk)
            .map_or(0, |entries| entries.keys.partition_point(|key| before(key)));
        self.chunks[chunk..]
            .iter()
            .enumerate()
            .flat_map(move |(n, entries)| entries.from(if n == 0 { at } else { 0 }))
            .take_while(move |(key, _)| match range.end_bound() {
                Bound::Included(end) => *key <= end,
                Bound::Excluded(end) => *key < end,
                Bound::Unbounded => true,
            })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.iter().flat_map(|entries| entries.from(0))
    }

    /// The chunk in which `key` is, or would be.
    fn chunk_of(&self, key: &K) -> Option<usize> {
        let after = self.firsts.partition_point(|first| first <= key);
        if self.chunks.is_empty() { None } else { Some(after.saturating_sub(1)) }
    }
}

impl<K, V> Chunk<K, V> {
    /// The entries from this one on.
    fn from(&self, at: usize) -> impl Iterator<Item = (&K, &V)> {
        self.keys[at..].iter().zip(&self.values[at..])
    }

    /// Keeps so many entries and gives the others, each with no more room than it needs.
    fn split_off(&mut self, keep: usize) -> Self {
        let rest = Self { keys: self.keys.split_off(keep), values: self.values.split_off(keep) };
        self.keys.shrink_to_fit();
        self.values.shrink_to_fit();
        rest
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_does_what_a_btree_does_and_leaves_old_copies_alone() {
        let (mut map, mut tree, mut seed) = (Map::default(), BTreeMap::new(), 1_u64);
        let mut kept = Vec::new();
        for step in 0..20_000_u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            let key = (seed >> 40) % 3000;
            if seed & 3 == 0 {
                assert_eq!(map.remove(&key), tree.remove(&key));
            } else {
                assert_eq!(map.insert(key, step), tree.insert(key, step));
            }
            assert_eq!(map.len(), tree.len());
            if step % 4000 == 0 {
                kept.push((map.clone(), tree.clone()));
            }
        }
        kept.push((map, tree));
        for (map, tree) in kept {
            assert!(map.iter().eq(tree.iter()));
            assert!(map.range(500..=900).eq(tree.range(500..=900)));
            assert!(map.range(2990..).eq(tree.range(2990..)));
            assert!((0..3000).all(|key| map.get(&key) == tree.get(&key)));
        }
    }
}
