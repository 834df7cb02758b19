//! Texts in the reader's language, made at the edges from codes and keys.
//!
//! In a text `{name}` stands for a value, and `<...>` for a part that is left out when a value in
//! it is missing.

mod clock;
mod message;

use std::sync::LazyLock;

use jackfield_vocabulary::{Code, Refusal};

pub(crate) use clock::clock;
pub use message::Message;

/// A language of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// Every language.
    pub const ALL: &'static [Self] = &[Self::English, Self::Japanese];

    /// The language of a tag such as `ja`, `ja-JP` or `en-US,en;q=0.9`; English for all others.
    pub fn of_tag(tag: &str) -> Self {
        if tag.trim_start().to_ascii_lowercase().starts_with("ja") {
            Self::Japanese
        } else {
            Self::English
        }
    }

    /// Its tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en-US",
            Self::Japanese => "ja-JP",
        }
    }
}

/// A refusal in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What was refused, and why.
    pub message: String,
    /// What would change it.
    pub remedy: String,
}

/// A row of the table.
#[derive(serde::Deserialize)]
struct Row {
    code: Box<str>,
    #[serde(rename = "en message")]
    en_message: Box<str>,
    #[serde(rename = "en remedy")]
    en_remedy: Box<str>,
    #[serde(rename = "ja message")]
    ja_message: Box<str>,
    #[serde(rename = "ja remedy")]
    ja_remedy: Box<str>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("../../data/refusals.csv").as_bytes())
        .into_deserialize()
        .map(|row| row.expect("a test reads the table"))
        .collect()
});

/// Puts a refusal into words.
pub fn sentence(refusal: &Refusal, language: Language) -> Explanation {
    let Some(row) = row_of(refusal) else {
        return Explanation { message: refusal.to_string(), remedy: String::new() };
    };
    let (message, remedy) = match language {
        Language::English => (&row.en_message, &row.en_remedy),
        Language::Japanese => (&row.ja_message, &row.ja_remedy),
    };
    let value = |name: &str| value(refusal, name, language);
    let say = |text: &str| {
        let said = fill(text, value);
        let said = said.trim();
        if starts_with_value(text, &value) { said.to_owned() } else { capital(said) }
    };
    Explanation { message: say(message), remedy: say(remedy) }
}

/// The row of the code, or where it has one the row of the rule under it: `code/rule`.
fn row_of(refusal: &Refusal) -> Option<&'static Row> {
    let rule = refusal.values.iter().find(|(name, _)| **name == *"rule");
    let of_rule = |rule: &str| {
        ROWS.iter().find(|row| row.code.split_once('/') == Some((refusal.code.name(), rule)))
    };
    rule.and_then(|(_, rule)| of_rule(rule)).or_else(|| row(refusal.code))
}

fn row(code: Code) -> Option<&'static Row> {
    ROWS.iter().find(|row| *row.code == *code.name())
}

/// A value for the text: one of the refusal's, or what serves for it.
fn value(refusal: &Refusal, name: &str, language: Language) -> Option<String> {
    let given = |name: &str| {
        let found = refusal.values.iter().find(|(key, _)| **key == *name);
        found.map(|(_, value)| value.to_string()).filter(|value| !value.is_empty())
    };
    let object = || refusal.object.as_deref().map(ToOwned::to_owned);
    match name {
        "field" => refusal.field.as_deref().map(ToOwned::to_owned),
        "object" => object().or_else(|| given("name")),
        "name" => given("name")
            .or_else(|| ["device", "account", "id", "call"].into_iter().find_map(given))
            .or_else(object),
        "device" => given("device").or_else(|| given("name")),
        "allowed" => given("allowed").map(|allowed| range(&allowed, language)),
        // Kept as a number for programs; people read a clock.
        "until" => given("until").map(|until| until.parse().map_or(until, clock)),
        name => given(name),
    }
}

/// Ranges in words: `1..20` is 1 to 20.
fn range(allowed: &str, language: Language) -> String {
    let allowed = match (allowed.strip_prefix("length "), language) {
        (Some(length), Language::Japanese) => format!("文字数 {length}"),
        _ => allowed.to_owned(),
    };
    // From five to five is five.
    let allowed = match allowed.rsplit_once("..") {
        Some((from, to)) if !to.is_empty() && from.ends_with(to) => from.to_owned(),
        _ => allowed,
    };
    match language {
        Language::English => allowed.replace("..", " to "),
        Language::Japanese => allowed.replace("..", " ~ "),
    }
}

/// Puts values in place of names, and leaves out optional parts that lack one.
fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else { break };
        filled.push_str(&replace(&rest[..start], &value).0);
        let (part, complete) = replace(&rest[start + 1..start + length], &value);
        if complete {
            filled.push_str(&part);
        }
        rest = &rest[start + length + 1..];
    }
    filled.push_str(&replace(rest, &value).0);
    filled
}

/// Puts values in place of names, and says whether none was missing.
fn replace(text: &str, value: &impl Fn(&str) -> Option<String>) -> (String, bool) {
    let (mut replaced, mut complete, mut rest) = (String::new(), true, text);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        replaced.push_str(before);
        match value(name) {
            Some(value) => replaced.push_str(&value),
            None => {
                complete = false;
                replaced.push('?');
            }
        }
        rest = after;
    }
    replaced.push_str(rest);
    (replaced, complete)
}

/// Whether a text begins with a value, which stays as it is written.
fn starts_with_value(text: &str, value: &impl Fn(&str) -> Option<String>) -> bool {
    let mut rest = text;
    while let Some((part, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        if replace(part, value).1 {
            return part.starts_with('{');
        }
        rest = after;
    }
    rest.starts_with('{')
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn every_code_has_its_texts_in_both_languages() {
        for code in Code::ALL {
            let row = row(*code).unwrap_or_else(|| panic!("{} has no row", code.name()));
            for text in [&row.en_message, &row.en_remedy, &row.ja_message, &row.ja_remedy] {
                assert!(!text.trim().is_empty(), "{}", code.name());
                assert_eq!(text.matches('<').count(), text.matches('>').count(), "{text}");
            }
            assert_eq!(
                placeholders(&row.en_message),
                placeholders(&row.ja_message),
                "{}",
                row.code
            );
            assert_eq!(placeholders(&row.en_remedy), placeholders(&row.ja_remedy), "{}", row.code);
        }
        let rows = ROWS.iter().filter(|row| !row.code.contains('/'));
        assert_eq!(rows.count(), Code::ALL.len(), "a row without a code");
        for row in ROWS.iter().filter(|row| row.code.contains('/')) {
            let (code, _) = row.code.split_once('/').unwrap();
            assert!(Code::ALL.iter().any(|one| one.name() == code), "{}", row.code);
            assert_eq!(
                placeholders(&row.en_message),
                placeholders(&row.ja_message),
                "{}",
                row.code
            );
            assert_eq!(placeholders(&row.en_remedy), placeholders(&row.ja_remedy), "{}", row.code);
            assert!(!row.en_remedy.is_empty() && !row.ja_remedy.is_empty(), "{}", row.code);
        }
    }

    #[test]
    fn every_message_has_its_text_in_both_languages() {
        for message in Message::ALL {
            let row = message::ROWS.iter().find(|row| *row.key == *message.key());
            let row = row.unwrap_or_else(|| panic!("{} has no row", message.key()));
            assert!(!row.en.is_empty() && !row.ja.is_empty(), "{}", row.key);
            assert_eq!(placeholders(&row.en), placeholders(&row.ja), "{}", row.key);
        }
        assert_eq!(message::ROWS.len(), Message::ALL.len(), "a row without a message");
    }

    #[test]
    fn a_refusal_names_field_rule_and_remedy() {
        let refusal = Refusal::new(Code::InvalidValue)
            .field("device_limit")
            .value("found", 21)
            .value("allowed", "0..20");
        let english = sentence(&refusal, Language::English);
        assert_eq!(english.message, "device_limit: 21 is not allowed.");
        assert_eq!(english.remedy, "Allowed: 0 to 20.");
        let japanese = sentence(&refusal, Language::of_tag("ja-JP"));
        assert_eq!(japanese.message, "device_limit: 21 は指定できません。");
        assert_eq!(japanese.remedy, "指定できる値: 0 ~ 20");
    }

    #[test]
    fn a_lock_tells_until_when_as_people_read_it_where_it_ends() {
        let remedy = |refusal: Refusal| sentence(&refusal, Language::English).remedy;
        let locked = Refusal::new(Code::Locked);
        assert_eq!(remedy(locked.clone()), "Ask an administrator to unlock it.");
        assert_eq!(
            remedy(locked.value("until", 1_795_305_229)),
            "Ask an administrator to unlock it, or wait until 2026-11-21 23:53 UTC."
        );
    }

    #[test]
    fn what_a_refusal_does_not_say_is_left_out() {
        let bare = sentence(&Refusal::new(Code::DeviceLimit), Language::English);
        assert_eq!(bare.message, "The user owns as many devices as allowed.");
        for code in Code::ALL {
            for language in Language::ALL {
                let said = sentence(&Refusal::new(*code), *language);
                assert!(!said.message.contains(['<', '>', '{', '}']), "{}", said.message);
            }
        }
    }
}
