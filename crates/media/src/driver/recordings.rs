//! The recordings made on this node, in memory, the oldest dropped when there are too many bytes.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::recorder::Recording;

#[derive(Debug)]
pub(super) struct Recordings {
    limit: usize,
    kept: Mutex<VecDeque<(u64, Recording)>>,
}

impl Recordings {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, kept: Mutex::default() }
    }

    pub(super) fn keep(&self, id: u64, recording: Recording) {
        let mut kept = self.lock();
        kept.retain(|(other, _)| *other != id);
        kept.push_back((id, recording));
        while kept.iter().map(|(_, it)| it.sound.len() * 2).sum::<usize>() > self.limit
            || kept.len() > COUNT
        {
            kept.pop_front();
        }
    }

    pub(super) fn find(&self, id: u64) -> Option<Recording> {
        self.lock().iter().find(|(other, _)| *other == id).map(|(_, it)| it.clone())
    }

    pub(super) fn forget(&self, id: u64) {
        self.lock().retain(|(other, _)| *other != id);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Recording)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Recordings at a time, however short.
const COUNT: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_there_is_no_room() {
        let recordings = Recordings::new(1_000);
        let recording = Recording { rate: 8_000, sound: vec![1; 200].into() };
        for id in 0..3 {
            recordings.keep(id, recording.clone());
        }
        assert_eq!(recordings.find(0), None);
        assert_eq!(recordings.find(2), Some(recording));
        recordings.forget(2);
        assert_eq!(recordings.find(2), None);
    }
}
