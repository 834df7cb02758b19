use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use jackfield_vocabulary::ObjectId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Text;

/// A dialable number or a pattern of them: digits, `*`, `#`, a leading `+`, `X` for one digit,
/// `[1-4]` and `[^5]` for one of some digits, and `!` at the end for one or more digits.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "Text", into = "Text")]
#[schemars(extend("minLength" = 1, "maxLength" = 50, "x-form" = "pattern"))]
pub struct Pattern(Text);

/// The text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is no number or pattern: 1 to 50 of 0-9, '*', '#', a leading '+', 'X', '[1-4]', '[^5]' and '!' at the end are allowed"
)]
pub struct ParsePatternError {
    found: Text,
}

/// How many digits a pattern element leaves open; the fewer, the closer the match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Class {
    /// Bit n for digit n, bit 10 for `*`, bit 11 for `#`, bit 12 for `+`.
    allowed: u16,
}

const DIGITS: u16 = 0x3ff;

impl Pattern {
    /// What a pattern may be, in a form without language.
    pub const FORM: &str = "1..50 of 0-9 * # X [1-4] [^5], a leading +, a ! at the end";

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// It stands for exactly one number.
    pub fn is_number(&self) -> bool {
        self.0.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'*' | b'#' | b'+'))
    }

    /// Whether `dialled` matches, and how many numbers of its length the pattern leaves open:
    /// the fewer, the closer the match. `None` when it does not match.
    pub fn matches(&self, dialled: &str) -> Option<f64> {
        let mut rest = dialled.bytes();
        let mut open = 1.0;
        let mut elements = Elements(&self.0);
        while let Some(element) = elements.next() {
            match element {
                Element::One(class) => {
                    if !class.allows(rest.next()?) {
                        return None;
                    }
                    open *= f64::from(class.allowed.count_ones());
                }
                Element::Rest => {
                    let class = Class { allowed: DIGITS };
                    let mut count = 0;
                    for byte in rest.by_ref() {
                        if !class.allows(byte) {
                            return None;
                        }
                        count += 1;
                        open *= 10.0;
                    }
                    // One more than as many `X`, so that the bounded pattern wins.
                    return (count > 0).then_some(open * 2.0);
                }
            }
        }
        rest.next().is_none().then_some(open)
    }

    /// Whether it stands for a number from `first` to `last`, which are of one length. One that ends
    /// with `!` stands for numbers of every length, which no range could stand beside: it counts
    /// for none.
    pub(crate) fn meets(&self, first: &str, last: &str) -> bool {
        let (mut classes, mut elements) = (Vec::new(), Elements(&self.0));
        while let Some(element) = elements.next() {
            match element {
                Element::One(class) => classes.push(class),
                Element::Rest => return false,
            }
        }
        classes.len() == first.len()
            && some_between(&classes, Some(first.as_bytes()), Some(last.as_bytes()))
    }
}

impl FromStr for Pattern {
    type Err = ParsePatternError;

    fn from_str(text: &str) -> Result<Self, ParsePatternError> {
        let error = || ParsePatternError { found: text.chars().take(60).collect() };
        if text.is_empty() || text.len() > 50 || !text.is_ascii() {
            return Err(error());
        }
        let mut elements = Elements(text);
        let mut at = 0;
        while let Some(element) = elements.next() {
            let fits = match element {
                Element::One(class) if class.allowed == 1 << 12 => at == 0,
                Element::One(class) => class.allowed != 0,
                Element::Rest => elements.0.is_empty(),
            };
            if !fits {
                return Err(error());
            }
            at += 1;
        }
        if elements.0.is_empty() && at > 0 { Ok(Self(text.into())) } else { Err(error()) }
    }
}

impl TryFrom<Text> for Pattern {
    type Error = ParsePatternError;

    fn try_from(text: Text) -> Result<Self, ParsePatternError> {
        text.parse()
    }
}

impl From<Pattern> for Text {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a number in a partition is named: `2000` or `2000@17`, the partition by its id.
pub(crate) fn pattern_name(pattern: &str, partition: Option<ObjectId>) -> Text {
    match partition {
        Some(partition) => format!("{pattern}@{partition}").into(),
        None => pattern.into(),
    }
}

/// The unique key of a number in a partition; lines and route patterns share it.
pub(crate) fn number_key(pattern: &str, partition: Option<ObjectId>) -> (&'static str, String) {
    ("number", pattern_name(pattern, partition).into())
}

enum Element {
    One(Class),
    Rest,
}

/// Takes elements off the front; stops, with text left over, at what is none.
struct Elements<'a>(&'a str);

impl Elements<'_> {
    fn next(&mut self) -> Option<Element> {
        let first = *self.0.as_bytes().first()?;
        let (element, length) = match first {
            b'X' | b'x' => (Element::One(Class { allowed: DIGITS }), 1),
            b'!' => (Element::Rest, 1),
            b'[' => {
                let end = self.0.find(']')?;
                (Element::One(Class::of_set(self.0.get(1..end)?)?), end + 1)
            }
            byte => (Element::One(Class { allowed: 1 << bit(byte)? }), 1),
        };
        self.0 = self.0.get(length..)?;
        Some(element)
    }
}

impl Class {
    fn of_set(set: &str) -> Option<Self> {
        let (negated, set) = set.strip_prefix('^').map_or((false, set), |set| (true, set));
        let (mut allowed, mut bytes) = (0, set.bytes().peekable());
        while let Some(low) = bytes.next() {
            let low_bit = bit(low).filter(|bit| *bit < 12)?;
            let high_bit = if bytes.peek() == Some(&b'-') {
                bytes.next();
                bit(bytes.next()?).filter(|bit| *bit < 10 && low_bit <= *bit)?
            } else {
                low_bit
            };
            (low_bit..=high_bit).for_each(|bit| allowed |= 1_u16 << bit);
        }
        let allowed = if negated { DIGITS & !allowed } else { allowed };
        (allowed != 0).then_some(Self { allowed })
    }

    fn allows(self, byte: u8) -> bool {
        bit(byte).is_some_and(|bit| self.allowed & (1 << bit) != 0)
    }
}

/// Whether digits of these classes make a number within the bounds that still bind.
fn some_between(classes: &[Class], first: Option<&[u8]>, last: Option<&[u8]>) -> bool {
    let Some((class, classes)) = classes.split_first() else { return true };
    if first.is_none() && last.is_none() {
        return class.allowed & DIGITS != 0 && some_between(classes, None, None);
    }
    (b'0'..=b'9').filter(|digit| class.allows(*digit)).any(|digit| {
        let first = after(first, digit, Ordering::Less);
        let last = after(last, digit, Ordering::Greater);
        first.zip(last).is_some_and(|(first, last)| some_between(classes, first, last))
    })
}

/// What a bound leaves for the digits after this one, which stands on it or within it; none when
/// it is beyond.
fn after(bound: Option<&[u8]>, digit: u8, beyond: Ordering) -> Option<Option<&[u8]>> {
    match bound {
        Some([own, rest @ ..]) if digit == *own => Some(Some(rest)),
        Some([own, ..]) if digit.cmp(own) == beyond => None,
        _ => Some(None),
    }
}

fn bit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'*' => Some(10),
        b'#' => Some(11),
        b'+' => Some(12),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_matches_itself_only() {
        assert_eq!(pattern("2000").matches("2000"), Some(1.0));
        assert_eq!(pattern("2000").matches("200"), None);
        assert_eq!(pattern("2000").matches("20000"), None);
        assert_eq!(pattern("+8135").matches("+8135"), Some(1.0));
    }

    #[test]
    fn the_closer_pattern_leaves_fewer_numbers_open() {
        let closeness = |text: &str| pattern(text).matches("2345").unwrap();
        assert!(closeness("234X") < closeness("23XX"));
        assert!(closeness("23[4-6]5") < closeness("23X5"));
        assert!(closeness("2XXX") < closeness("2!"));
        assert_eq!(pattern("23[^4]5").matches("2345"), None);
    }

    #[test]
    fn a_pattern_meets_a_range_when_one_of_its_numbers_is_in_it() {
        for (text, first, last, meets) in [
            ("90XX", "9000", "9099", true),
            ("90XX", "9100", "9199", false),
            ("9[5-6]7X", "9579", "9600", true),
            ("9[5-6]7X", "9580", "9669", false),
            ("9000", "8999", "9001", true),
            ("X", "9000", "9099", false),
            ("9!", "9000", "9099", false),
            ("90X*", "9000", "9099", false),
            ("XXXXXXXXXXXXXXXX", "0000000000000001", "0000000000000002", true),
        ] {
            assert_eq!(pattern(text).meets(first, last), meets, "{text} {first} {last}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "12a", "1[", "1[]", "1[9-1]", "!1", "1+", "[+]", "１２", "1!!"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }

    /// A pattern as text, with every number of its length that it stands for told by hand.
    fn stands_for(pattern: &str, dialled: &str) -> bool {
        let mut rest = dialled;
        let mut elements = pattern;
        while let Some(first) = elements.chars().next() {
            let (set, length) = match first {
                'X' => ("0123456789".to_owned(), 1),
                '!' => return !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()),
                '[' => {
                    let end = elements.find(']').unwrap();
                    (elements[1..end].to_owned(), end + 1)
                }
                digit => (digit.to_string(), 1),
            };
            let Some(dialled) = rest.chars().next() else { return false };
            if !set.contains(dialled) {
                return false;
            }
            (rest, elements) = (&rest[1..], &elements[length..]);
        }
        rest.is_empty()
    }

    proptest::proptest! {
        #[test]
        fn a_pattern_matches_what_it_stands_for(
            text in "([0-9X]|\\[[0-9]{1,4}\\]){1,6}!?",
            dialled in "[0-9]{0,8}",
        ) {
            let parsed = pattern(&text);
            proptest::prop_assert_eq!(parsed.as_str(), &*text);
            proptest::prop_assert_eq!(
                parsed.matches(&dialled).is_some(),
                stands_for(&text, &dialled),
            );
        }

        #[test]
        fn whatever_is_written_parsing_ends(text in ".{0,60}", dialled in ".{0,20}") {
            if let Ok(parsed) = text.parse::<Pattern>() {
                let _ = parsed.matches(&dialled);
            }
        }
    }
}
