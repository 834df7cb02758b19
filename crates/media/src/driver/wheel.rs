//! Which streams are due in which millisecond.

/// A stream in a slot: its place among the resources, and which of the resources that had this
/// place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) index: usize,
    pub(super) generation: u32,
}

#[derive(Debug)]
pub(super) struct Wheel {
    slots: Vec<Vec<Entry>>,
    tick: u64,
    count: usize,
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self { slots: vec![Vec::new(); SLOTS], tick: 0, count: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Puts an entry so many ticks from now, 1 to 63.
    pub(super) fn put(&mut self, after: u64, entry: Entry) {
        let at = (self.tick + after.clamp(1, SLOTS as u64 - 1)) as usize % SLOTS;
        self.slots[at].push(entry);
        self.count += 1;
    }

    /// Puts a new entry into the emptiest of the next slots.
    pub(super) fn put_spread(&mut self, entry: Entry) {
        let load = |after: &u64| self.slots[(self.tick + after) as usize % SLOTS].len();
        let after = (1..=SPREAD).min_by_key(load).unwrap_or(1);
        self.put(after, entry);
    }

    /// Ticks until something is due, 63 at most.
    pub(super) fn next(&self) -> u64 {
        let last = SLOTS as u64 - 1;
        (1..last)
            .find(|after| !self.slots[(self.tick + after) as usize % SLOTS].is_empty())
            .unwrap_or(last)
    }

    /// Moves on by so many ticks, in which nothing is due before the last; takes what is due then
    /// into `due`, which is empty.
    pub(super) fn advance(&mut self, ticks: u64, due: &mut Vec<Entry>) {
        self.tick += ticks;
        core::mem::swap(due, &mut self.slots[self.tick as usize % SLOTS]);
        self.count -= due.len();
    }
}

/// More than the longest packet time in milliseconds.
const SLOTS: usize = 64;

/// The usual packet time in milliseconds.
const SPREAD: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_spread_and_come_round() {
        let mut wheel = Wheel::new();
        for index in 0..100 {
            wheel.put_spread(Entry { index, generation: 0 });
        }
        let mut due = Vec::new();
        let mut seen = [0; 100];
        for tick in 0..200 {
            wheel.advance(1, &mut due);
            assert_eq!(due.len(), 5, "{tick}");
            for entry in due.drain(..) {
                seen[entry.index] += 1;
                wheel.put(20, entry);
            }
        }
        assert_eq!(seen, [10; 100]);
        assert!(!wheel.is_empty());
    }

    #[test]
    fn empty_slots_are_stepped_over() {
        let mut wheel = Wheel::new();
        assert_eq!(wheel.next(), 63);
        wheel.put(40, Entry { index: 1, generation: 0 });
        wheel.put(60, Entry { index: 2, generation: 0 });
        assert_eq!(wheel.next(), 40);
        let mut due = Vec::new();
        wheel.advance(40, &mut due);
        assert_eq!((due.len(), wheel.next()), (1, 20));
    }
}
