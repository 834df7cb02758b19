//! How long an order to play takes at the most: whoever waits for its end waits no longer.

use core::time::Duration;

use jackfield_vocabulary::PlayItem;

use crate::{
    player::{LONGEST, Shelf},
    recorder::Recording,
};

/// These items, one after the other.
pub(crate) fn length(items: &[PlayItem], shelf: &dyn Shelf) -> Duration {
    items.iter().map(|item| length_of(item, shelf)).sum()
}

fn length_of(item: &PlayItem, shelf: &dyn Shelf) -> Duration {
    match item {
        PlayItem::Prompt { locale, prompt } => shelf.length(locale, prompt),
        PlayItem::Silence(milliseconds) | PlayItem::Tone(_, milliseconds) => {
            Duration::from_millis((*milliseconds).min(LONGEST).into())
        }
        PlayItem::Digits(keys) => KEY * keys.len() as u32,
        PlayItem::Recording(recording) => {
            shelf.recording(*recording).as_ref().map_or(Duration::ZERO, Recording::length)
        }
    }
}

/// A key as a telephone-event in packets of 60 ms: its end is said three times, and a pause follows.
const KEY: Duration = Duration::from_millis(500);
