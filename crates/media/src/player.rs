//! What is played, one unit of 10 ms after another in the codec of the moment. Prompts come
//! already coded; tones, keys and recordings are coded as they go. The position is counted in
//! units, so that a change of codec in the middle goes on at the same place.

use core::time::Duration;
use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock},
};

use jackfield_vocabulary::{Codec, Digit, PlayEnd, PlayId, PlayItem, Tone};

use crate::{
    codec::{CodecFormat, Encoder},
    recorder::Recording,
    resample::{Double, Halve},
    tone::{ToneGenerator, ToneRegion},
};

/// Where a player finds what it is to play.
pub trait Shelf {
    /// Whether this prompt can be played at all.
    fn has(&self, locale: &str, prompt: &str) -> bool;

    /// How long a prompt is at the most; nothing where it is not there.
    fn length(&self, locale: &str, prompt: &str) -> Duration;

    /// A prompt in whole units of a codec; none as long as it is not ready.
    fn prompt(&self, locale: &str, prompt: &str, codec: Codec) -> Option<Arc<[u8]>>;

    /// A recording made here.
    fn recording(&self, recording: u64) -> Option<Recording>;
}

/// A shelf with nothing on it, for those who play sounds and keys only.
#[derive(Clone, Copy, Debug)]
pub struct EmptyShelf;

impl Shelf for EmptyShelf {
    fn has(&self, _: &str, _: &str) -> bool {
        false
    }

    fn length(&self, _: &str, _: &str) -> Duration {
        Duration::ZERO
    }

    fn prompt(&self, _: &str, _: &str, _: Codec) -> Option<Arc<[u8]>> {
        None
    }

    fn recording(&self, _: u64) -> Option<Recording> {
        None
    }
}

/// Plays one order at a time.
#[derive(Debug, Default)]
pub struct Player {
    order: Option<Order>,
    region: ToneRegion,
}

/// What a player has for the next 10 ms.
#[derive(Debug, PartialEq, Eq)]
pub enum Unit {
    /// The unit was written.
    Sound,
    /// A key is to be pressed, as a telephone-event; ask again afterwards.
    Press(Digit),
    /// The order ended with the unit before; ask again for what comes now.
    Finished(PlayId),
    /// Nothing plays.
    Nothing,
}

impl Player {
    /// A player with the tones of a region, until a prompt's locale says otherwise.
    pub fn new(region: ToneRegion) -> Self {
        Self { order: None, region }
    }

    /// Begins an order; answers the order whose place it takes. Refused where something to play
    /// is missing: nothing changes then.
    pub fn play(
        &mut self,
        play: PlayId,
        items: Vec<PlayItem>,
        barge_in: bool,
        shelf: &dyn Shelf,
    ) -> Result<Option<PlayId>, Missing> {
        if items.len() > ITEM_LIMIT || !items.iter().all(|item| is_there(item, shelf)) {
            return Err(Missing);
        }
        if let Some(PlayItem::Prompt { locale, .. }) =
            items.iter().find(|item| matches!(item, PlayItem::Prompt { .. }))
        {
            self.region = ToneRegion::of(locale);
        }
        let items = items.into_iter().map(Item::from).collect();
        Ok(self.replace(Order { play, items, barge_in, position: 0, source: None }))
    }

    /// Plays a sound at 16 kHz; answers the order whose place it takes.
    pub fn play_sound(&mut self, play: PlayId, sound: Arc<[i16]>) -> Option<PlayId> {
        let items = VecDeque::from([Item::Sound(Recording { rate: 16_000, sound })]);
        self.replace(Order { play, items, barge_in: false, position: 0, source: None })
    }

    /// Stops; answers what was playing.
    pub fn stop(&mut self) -> Option<PlayId> {
        self.order.take().map(|order| order.play)
    }

    /// A digit came in; answers the order that it stopped.
    pub fn digit(&mut self) -> Option<(PlayId, PlayEnd)> {
        let order = self.order.take_if(|order| order.barge_in)?;
        Some((order.play, PlayEnd::BargedIn))
    }

    /// The codec changed: whatever was prepared for the one before is made anew.
    pub fn codec_changed(&mut self) {
        if let Some(order) = &mut self.order {
            order.source = None;
        }
    }

    /// Whether an order is being played.
    pub fn is_playing(&self) -> bool {
        self.order.is_some()
    }

    /// The next 10 ms into `out`, which holds a unit of the codec. `events` says that keys go out as telephone-events.
    pub fn next(
        &mut self,
        codec: Codec,
        events: bool,
        encoder: &mut Encoder,
        shelf: &dyn Shelf,
        out: &mut [u8],
    ) -> Unit {
        let region = self.region;
        loop {
            let Some(order) = &mut self.order else { return Unit::Nothing };
            let Some(item) = order.items.front() else {
                let play = order.play;
                self.order = None;
                return Unit::Finished(play);
            };
            if let (true, Item::Digits(keys)) = (events, item) {
                match nth_digit(keys, order.position) {
                    Some(digit) => {
                        order.position += 1;
                        return Unit::Press(digit);
                    }
                    None => order.advance(),
                }
                continue;
            }
            let source = match &mut order.source {
                Some(source) => source,
                empty => match Source::open(item, codec, order.position, region, shelf) {
                    Some(source) => empty.insert(source),
                    // A prompt that is not ready yet: silence until it is.
                    None => {
                        fill_silence(codec, out);
                        return Unit::Sound;
                    }
                },
            };
            if source.fill(order.position, codec, encoder, out) {
                order.position += 1;
                return Unit::Sound;
            }
            order.advance();
        }
    }

    fn replace(&mut self, order: Order) -> Option<PlayId> {
        self.order.replace(order).map(|before| before.play)
    }
}

/// Something that was to be played is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing;

/// Writes 10 ms of silence.
pub fn fill_silence(codec: Codec, out: &mut [u8]) {
    let unit = &SILENCE[codec as usize];
    let length = out.len().min(unit.len());
    out[..length].copy_from_slice(&unit[..length]);
}

/// Makes what is made once for all, so that no clock waits for it later.
pub(crate) fn warm_up() {
    LazyLock::force(&SILENCE);
}

#[derive(Debug)]
struct Order {
    play: PlayId,
    items: VecDeque<Item>,
    barge_in: bool,
    /// Units played of the first item; keys pressed where they go out as events.
    position: usize,
    source: Option<Source>,
}

impl Order {
    fn advance(&mut self) {
        self.items.pop_front();
        self.position = 0;
        self.source = None;
    }
}

#[derive(Debug)]
enum Item {
    Prompt(Arc<str>, Arc<str>),
    Silence(usize),
    Tone(Tone, usize),
    Digits(Arc<str>),
    Recording(u64),
    Sound(Recording),
}

impl From<PlayItem> for Item {
    fn from(item: PlayItem) -> Self {
        let units = |milliseconds: u32| milliseconds.min(LONGEST).div_ceil(10) as usize;
        match item {
            PlayItem::Prompt { locale, prompt } => Self::Prompt(locale, prompt),
            PlayItem::Silence(milliseconds) => Self::Silence(units(milliseconds)),
            PlayItem::Tone(tone, milliseconds) => Self::Tone(tone, units(milliseconds)),
            PlayItem::Digits(keys) => Self::Digits(keys),
            PlayItem::Recording(recording) => Self::Recording(recording),
        }
    }
}

/// An item made ready for one codec.
#[derive(Debug)]
enum Source {
    Coded(Arc<[u8]>),
    Silence(usize),
    Tone(Box<ToneGenerator>, usize),
    Keys(Arc<str>, Option<Box<ToneGenerator>>),
    Sound(Recording, Box<Fit>),
}

impl Source {
    fn open(
        item: &Item,
        codec: Codec,
        position: usize,
        region: ToneRegion,
        shelf: &dyn Shelf,
    ) -> Option<Self> {
        let rate = CodecFormat::of(codec).rate;
        Some(match item {
            Item::Prompt(locale, prompt) => Self::Coded(shelf.prompt(locale, prompt, codec)?),
            Item::Silence(units) => Self::Silence(*units),
            Item::Tone(tone, units) => {
                let mut generator = ToneGenerator::new(*tone, region, rate);
                generator.skip(position * rate as usize / 100);
                Self::Tone(Box::new(generator), *units)
            }
            Item::Digits(keys) => Self::Keys(keys.clone(), None),
            Item::Recording(recording) => {
                // It was there when the order began; if it was dropped since, nothing is left.
                let none = || Recording { rate, sound: Arc::from([]) };
                Self::sound(shelf.recording(*recording).unwrap_or_else(none), rate)
            }
            Item::Sound(sound) => Self::sound(sound.clone(), rate),
        })
    }

    fn sound(recording: Recording, rate: u32) -> Self {
        let fit = match (recording.rate, rate) {
            (16_000, 8_000) => Fit::Halve(Halve::new()),
            (8_000, 16_000) => Fit::Double(Double::new()),
            _ => Fit::Same,
        };
        Self::Sound(recording, Box::new(fit))
    }

    /// Writes the unit at `position`; false when the item is over.
    fn fill(
        &mut self,
        position: usize,
        codec: Codec,
        encoder: &mut Encoder,
        out: &mut [u8],
    ) -> bool {
        let format = CodecFormat::of(codec);
        let mut unit = [0; 160];
        let unit = &mut unit[..format.unit_samples()];
        match self {
            Self::Coded(bytes) => {
                let at = position * format.unit_bytes;
                let Some(coded) = bytes.get(at..at + format.unit_bytes) else { return false };
                out[..format.unit_bytes].copy_from_slice(coded);
                return true;
            }
            Self::Silence(units) => {
                fill_silence(codec, out);
                return position < *units;
            }
            Self::Tone(_, units) if position >= *units => return false,
            Self::Tone(generator, _) => generator.fill(unit),
            Self::Keys(keys, generator) => {
                let Some(digit) = nth_digit(keys, position / KEY_UNITS) else { return false };
                if position % KEY_UNITS < KEY_ON {
                    let tone = || Box::new(ToneGenerator::digit(digit, KEY_LEVEL, format.rate));
                    generator.get_or_insert_with(tone).fill(unit);
                } else {
                    *generator = None;
                }
            }
            Self::Sound(recording, fit) => {
                if !fit.fill(&recording.sound, recording.rate, position, unit) {
                    return false;
                }
            }
        }
        encoder.encode(unit, out);
        true
    }
}

/// From a recording's rate to a codec's.
#[derive(Debug)]
enum Fit {
    Same,
    Halve(Halve),
    Double(Double),
}

impl Fit {
    fn fill(&mut self, sound: &[i16], rate: u32, position: usize, unit: &mut [i16]) -> bool {
        let length = rate as usize / 100;
        let Some(rest) = sound.get(position * length..).filter(|rest| !rest.is_empty()) else {
            return false;
        };
        let mut part = [0; 160];
        let count = rest.len().min(length).min(part.len());
        part[..count].copy_from_slice(&rest[..count]);
        match self {
            Self::Same => unit.copy_from_slice(&part[..unit.len()]),
            Self::Halve(filter) => {
                for (sample, pair) in unit.iter_mut().zip(part.as_chunks().0) {
                    *sample = filter.push(*pair);
                }
            }
            Self::Double(filter) => {
                for (pair, sample) in unit.as_chunks_mut().0.iter_mut().zip(part) {
                    *pair = filter.push(sample);
                }
            }
        }
        true
    }
}

/// Whether an item can be played.
pub(crate) fn is_there(item: &PlayItem, shelf: &dyn Shelf) -> bool {
    match item {
        PlayItem::Prompt { locale, prompt } => shelf.has(locale, prompt),
        PlayItem::Recording(recording) => shelf.recording(*recording).is_some(),
        PlayItem::Digits(keys) => keys.chars().all(|key| Digit::try_from(key).is_ok()),
        PlayItem::Silence(_) | PlayItem::Tone(..) => true,
    }
}

fn nth_digit(keys: &str, index: usize) -> Option<Digit> {
    keys.chars().nth(index).and_then(|key| Digit::try_from(key).ok())
}

/// 10 ms of silence in each codec, in the state that long silence leads to.
static SILENCE: LazyLock<[Vec<u8>; 5]> = LazyLock::new(|| {
    let mut silence = [const { Vec::new() }; 5];
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::G729, Codec::L16] {
        let format = CodecFormat::of(codec);
        let mut unit = vec![0; format.unit_bytes];
        if let Some(mut encoder) = Encoder::new(codec) {
            for _ in 0..20 {
                encoder.encode(&vec![0; format.unit_samples()], &mut unit);
            }
        }
        silence[codec as usize] = unit;
    }
    silence
});

/// Items in one order.
const ITEM_LIMIT: usize = 256;

/// The longest tone or silence in milliseconds, an hour.
pub(crate) const LONGEST: u32 = 3_600_000;

/// A key sounds for 100 ms ...
const KEY_ON: usize = 10;

/// ... of every 200 ms.
const KEY_UNITS: usize = 20;

/// Level of each of a key's tones.
const KEY_LEVEL: f32 = -10.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decoder, ToneDetector, prompts::PromptLibrary};

    struct Library(PromptLibrary);

    impl Shelf for Library {
        fn has(&self, locale: &str, prompt: &str) -> bool {
            self.0.contains(locale, prompt)
        }

        fn length(&self, locale: &str, prompt: &str) -> Duration {
            self.0.length(locale, prompt)
        }

        fn prompt(&self, locale: &str, prompt: &str, codec: Codec) -> Option<Arc<[u8]>> {
            self.0.encode(locale, prompt, codec).ok()
        }

        fn recording(&self, recording: u64) -> Option<Recording> {
            (recording == 7).then(|| Recording { rate: 8_000, sound: vec![3_000; 800].into() })
        }
    }

    fn library() -> Library {
        let library = PromptLibrary::in_memory();
        library.insert("en-US", "one", &[1_000; 1_600]);
        library.insert("en-US", "two", &[2_000; 1_600]);
        Library(library)
    }

    fn prompt(prompt: &str) -> PlayItem {
        PlayItem::Prompt { locale: "en-US".into(), prompt: prompt.into() }
    }

    /// Plays to the end; answers the sound and the keys.
    fn run(player: &mut Player, codec: Codec, events: bool) -> (Vec<i16>, String) {
        let format = CodecFormat::of(codec);
        let mut encoder = Encoder::new(codec).unwrap();
        let mut decoder = Decoder::new(codec).unwrap();
        let (mut heard, mut keys) = (Vec::new(), String::new());
        for _ in 0..10_000 {
            let mut bytes = vec![0; format.unit_bytes];
            match player.next(codec, events, &mut encoder, &library(), &mut bytes) {
                Unit::Sound => {
                    let mut sound = [0; 160];
                    let count = decoder.decode(&bytes, &mut sound);
                    heard.extend_from_slice(&sound[..count]);
                }
                Unit::Press(digit) => keys.push(digit.as_char()),
                Unit::Finished(play) => {
                    assert_eq!(play, PlayId(1));
                    return (heard, keys);
                }
                Unit::Nothing => panic!("nothing plays"),
            }
        }
        panic!("it never ends");
    }

    fn start(items: Vec<PlayItem>) -> Player {
        let mut player = Player::default();
        player.play(PlayId(1), items, true, &library()).unwrap();
        player
    }

    #[test]
    fn items_follow_each_other_without_a_gap() {
        let items = vec![prompt("one"), PlayItem::Silence(50), prompt("two")];
        let (heard, _) = run(&mut start(items), Codec::Pcma, false);
        assert_eq!(heard.len(), 800 + 400 + 800);
        assert!((heard[400] - 1_000).abs() < 40 && (heard[1_600] - 2_000).abs() < 70);
        assert!(heard[810..1_190].iter().all(|sample| sample.abs() <= 8));
    }

    #[test]
    fn keys_are_heard_or_pressed() {
        let items = vec![PlayItem::Digits("159D".into())];
        let (heard, keys) = run(&mut start(items.clone()), Codec::Pcmu, false);
        assert_eq!((heard.len(), keys.as_str()), (4 * 1_600, ""));
        let mut found = String::new();
        ToneDetector::new().listen(&heard, |digit| found.push(digit.as_char()));
        assert_eq!(found, "159D");
        let (heard, keys) = run(&mut start(items), Codec::Pcmu, true);
        assert_eq!((heard.len(), keys.as_str()), (0, "159D"));
    }

    #[test]
    fn recordings_are_fitted_to_the_codec() {
        let (heard, _) = run(&mut start(vec![PlayItem::Recording(7)]), Codec::L16, false);
        assert_eq!(heard.len(), 1_600);
        assert!((heard[1_000] - 3_000).abs() < 30, "{}", heard[1_000]);
    }

    #[test]
    fn a_change_of_codec_goes_on_at_the_same_place() {
        let mut player = start(vec![prompt("one"), prompt("two")]);
        let mut encoder = Encoder::new(Codec::Pcmu).unwrap();
        for _ in 0..15 {
            let mut out = [0; 80];
            player.next(Codec::Pcmu, false, &mut encoder, &library(), &mut out);
        }
        player.codec_changed();
        let (heard, _) = run(&mut player, Codec::L16, false);
        assert_eq!(heard, [2_000; 800]);
    }

    #[test]
    fn a_digit_stops_only_what_it_may() {
        let mut player = start(vec![prompt("one")]);
        assert_eq!(player.digit(), Some((PlayId(1), PlayEnd::BargedIn)));
        assert_eq!(player.digit(), None);
        player.play(PlayId(2), vec![prompt("one")], false, &library()).unwrap();
        assert_eq!(player.digit(), None);
        assert_eq!(player.stop(), Some(PlayId(2)));
    }

    #[test]
    fn what_is_not_there_is_refused_and_changes_nothing() {
        let mut player = start(vec![prompt("one")]);
        for item in [prompt("three"), PlayItem::Recording(8), PlayItem::Digits("1x".into())] {
            let items = vec![prompt("two"), item];
            assert_eq!(player.play(PlayId(2), items, true, &library()), Err(Missing));
        }
        assert_eq!(player.stop(), Some(PlayId(1)));
    }
}
