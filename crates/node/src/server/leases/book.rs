//! Which leases are wanted and when each is to be asked for next; time is an argument.

use std::collections::BTreeMap;

use jackfield_vocabulary::{Now, ObjectId};

/// The leases that are wanted.
#[derive(Debug, Default)]
pub(super) struct Book {
    wanted: BTreeMap<ObjectId, Want>,
    /// Counts the wants, so that an answer to an earlier one is told apart.
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Want {
    number: u64,
    due: Now,
}

/// Which want of a lease was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn(Option<u64>);

impl Book {
    /// A lease is wanted, and asked for at once; one that is wanted already stays the same want.
    pub(super) fn want(&mut self, device: ObjectId, now: Now) {
        self.count += 1;
        let fresh = Want { number: self.count, due: now };
        self.wanted.entry(device).and_modify(|want| want.due = now).or_insert(fresh);
    }

    /// A lease is not wanted any more.
    pub(super) fn leave(&mut self, device: ObjectId) {
        self.wanted.remove(&device);
    }

    /// A lease to ask for now.
    pub(super) fn due(&self, now: Now) -> Option<ObjectId> {
        let mut wanted = self.wanted.iter();
        wanted.find(|(_, want)| want.due.micros <= now.micros).map(|(device, _)| *device)
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Now> {
        self.wanted.values().map(|want| want.due).min()
    }

    /// It is being asked for.
    pub(super) fn begin(&self, device: ObjectId) -> Turn {
        Turn(self.wanted.get(&device).map(|want| want.number))
    }

    /// The answer is there, and the next one is due then; is it still the answer to what is wanted?
    pub(super) fn tried(&mut self, device: ObjectId, turn: Turn, due: Now) -> bool {
        match self.wanted.get_mut(&device) {
            Some(want) if turn == Turn(Some(want.number)) => {
                want.due = due;
                true
            }
            _ => false,
        }
    }

    /// Every lease that is wanted.
    pub(super) fn all(&self) -> Vec<ObjectId> {
        self.wanted.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use jackfield_vocabulary::UnixTime;

    use super::*;

    const ONE: ObjectId = ObjectId(1);
    const OTHER: ObjectId = ObjectId(2);

    fn at(seconds: u64) -> Now {
        Now::default() + Duration::from_secs(seconds)
    }

    /// Proves SP-60.c: what is wanted is asked for at once, then whenever it is due.
    #[test]
    fn a_wanted_lease_is_asked_for_at_once_and_again_when_it_is_due() {
        let mut book = Book::default();
        assert_eq!((book.due(at(9)), book.next()), (None, None));
        book.want(ONE, at(10));
        book.want(OTHER, at(11));
        assert_eq!(book.due(at(10)), Some(ONE));
        let turn = book.begin(ONE);
        assert!(book.tried(ONE, turn, at(15)));
        assert_eq!((book.due(at(10)), book.next()), (None, Some(at(11))));
        assert_eq!(book.due(at(12)), Some(OTHER));
        book.leave(OTHER);
        assert_eq!((book.due(at(14)), book.due(at(15))), (None, Some(ONE)));
        // Wanted anew before it is due: it is asked for at once.
        book.want(ONE, at(12));
        assert_eq!(book.due(at(12)), Some(ONE));
        assert_eq!(book.all(), [ONE]);
    }

    /// Proves SP-60.c: an answer to what was given up meanwhile does not count, wanted again or not:
    /// somebody else may have had the lease in between.
    #[test]
    fn an_answer_to_what_was_given_up_does_not_count() {
        let mut book = Book::default();
        book.want(ONE, at(1));
        let turn = book.begin(ONE);
        book.leave(ONE);
        assert!(!book.tried(ONE, turn, at(5)));
        book.want(ONE, at(2));
        assert!(!book.tried(ONE, turn, at(5)));
        assert_eq!(book.due(at(2)), Some(ONE), "it is still to be asked for");
        // Wanted twice in a row it is the same want.
        let turn = book.begin(ONE);
        book.want(ONE, at(3));
        assert!(book.tried(ONE, turn, at(8)));
        assert_eq!(Now::new(0, UnixTime(0)), at(0));
    }
}
