//! The `pack.toml` of a language pack, in the small subset of TOML that packs keep to: `[section]`
//! lines, `key = "text"` or `key = 123`, comments on lines of their own.

use std::{collections::BTreeMap, sync::Arc};

/// What a language pack says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackInfo {
    /// The locale, as in `en-US`.
    pub locale: String,
    /// The language's name in English.
    pub language: String,
    /// The language's name in itself.
    pub own_name: String,
    /// Version of the pack.
    pub version: String,
    /// Who speaks.
    pub voice: String,
    /// Under which licence the recordings come.
    pub licence: String,
    /// What each prompt says.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
}

/// Why a `pack.toml` is not understood; lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// A line is neither section, entry nor comment.
    #[error("line {0} is neither `[section]`, `key = \"text\"`, `key = 123` nor a comment")]
    Line(usize),
    /// There is no locale in `[pack]`.
    #[error("`locale` is missing in `[pack]`")]
    Locale,
    /// More texts than a pack may have.
    #[error("there are more than {PROMPT_LIMIT} texts")]
    Many,
    /// The identifier of a prompt has characters beyond `a-z`, `0-9` and `-`.
    #[error("line {0}: a prompt is named with a-z, 0-9 and hyphens")]
    Name(usize),
}

impl PackInfo {
    /// Reads a `pack.toml`.
    pub fn parse(text: &str) -> Result<Self, PackError> {
        let mut pack = Self::default();
        let mut section = "";
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name.trim();
                continue;
            }
            let (key, value) = entry(line).ok_or(PackError::Line(index + 1))?;
            match section {
                "pack" => pack.describe(key, value),
                "texts" if !is_prompt_name(key) => return Err(PackError::Name(index + 1)),
                "texts" if pack.texts.len() >= PROMPT_LIMIT => return Err(PackError::Many),
                "texts" => {
                    pack.texts.insert(key.into(), value.into());
                }
                _ => {}
            }
        }
        if pack.locale.is_empty() { Err(PackError::Locale) } else { Ok(pack) }
    }

    fn describe(&mut self, key: &str, value: String) {
        match key {
            "locale" => self.locale = value,
            "language" => self.language = value,
            "own-name" => self.own_name = value,
            "version" => self.version = value,
            "voice" => self.voice = value,
            "licence" => self.licence = value,
            _ => {}
        }
    }
}

/// Whether a prompt may be named so; it becomes part of a file name.
pub(crate) fn is_prompt_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

/// One `key = value` line.
fn entry(line: &str) -> Option<(&str, String)> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim().trim_matches('"'), value.trim());
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((key, value.to_owned()));
    }
    let quoted = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next()? {
                'n' => '\n',
                't' => '\t',
                escaped @ ('"' | '\\') => escaped,
                _ => return None,
            },
            '"' => return None,
            other => other,
        });
    }
    Some((key, text))
}

/// Texts in a pack.
const PROMPT_LIMIT: usize = 2_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pack_is_read() {
        let text = "# Words.\n[pack]\nlocale = \"en-US\"\nown-name = \"English\"\nsample-rate = 16000\n\
                    \n[texts]\nenter-pin = \"Say \\\"PIN\\\" = now.\"\n[pronounced]\nx = \"y\"\n";
        let pack = PackInfo::parse(text).unwrap();
        assert_eq!((pack.locale.as_str(), pack.own_name.as_str()), ("en-US", "English"));
        assert_eq!(&*pack.texts["enter-pin"], "Say \"PIN\" = now.");
        assert_eq!(pack.texts.len(), 1);
    }

    #[test]
    fn errors_name_the_line() {
        assert_eq!(PackInfo::parse("[pack]\nlocale = en"), Err(PackError::Line(2)));
        assert_eq!(PackInfo::parse("[texts]\n../x = \"y\""), Err(PackError::Name(2)));
        assert_eq!(PackInfo::parse("[pack]\n"), Err(PackError::Locale));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(\\[[a-z]*\\]\n|[a-z\\\\\"=# ]{0,20}\n){0,20}") {
            let _ = PackInfo::parse(&text);
        }
    }
}
