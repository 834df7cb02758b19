//! Signs that texts must not hold, and words that look alike.

use jackfield_vocabulary::{Code, Refusal};
use unicode_normalization::UnicodeNormalization;
use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

use crate::Text;

/// A sign that nobody sees, or that changes what others see or read: a control character, a change of
/// the direction of writing, an invisible letter or space, a line's end, or what is no character at all.
/// Joiners and variation selectors are none: see [`refuse_hidden`].
pub fn is_hidden(sign: char) -> bool {
    if sign.is_ascii() {
        return sign.is_control();
    }
    let code = u32::from(sign);
    let is_no_character = code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code);
    sign.is_control()
        || is_no_character
        || is_ignorable(sign) && !is_joiner(sign) && !is_variation(sign)
        || matches!(sign, '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{1d159}' | '\u{fff9}'..='\u{fffb}'
            // Joiners of hieroglyphs: nobody sees them elsewhere.
            | '\u{13430}'..='\u{1343f}')
}

/// Refuses a text that people will see and that holds a hidden sign. A joiner is one unless it stands
/// between signs that it joins, a variation selector unless it follows a sign that has variants
/// (Unicode Technical Standard 39, 3.1.1; Unicode Technical Standard 51).
pub fn refuse_hidden(field: &str, text: &str) -> Result<(), Refusal> {
    let mut before = None;
    let mut rest = text.chars();
    while let Some(sign) = rest.next() {
        let seen = match before.zip(Some(rest.clone().next())) {
            Some((before, Some(after))) if is_joiner(sign) => joins(sign, before, after),
            Some((before, after)) if is_variation(sign) => has_variant(before, sign, after),
            _ => !is_hidden(sign) && !is_joiner(sign) && !is_variation(sign),
        };
        if !seen {
            return Err(hidden(field, sign));
        }
        before = Some(sign);
    }
    Ok(())
}

/// Refuses a name of which nobody sees anything.
pub(crate) fn refuse_blank(field: &str, text: &str) -> Result<(), Refusal> {
    match text.chars().next() {
        Some(sign) if text.chars().all(char::is_whitespace) => Err(hidden(field, sign)),
        _ => Ok(()),
    }
}

fn hidden(field: &str, sign: char) -> Refusal {
    let found = format!("U+{:04X}", u32::from(sign));
    let refusal = Refusal::new(Code::InvalidValue).field(field);
    refusal.value("rule", "hidden-sign").value("found", found)
}

/// Default_Ignorable_Code_Point of the Unicode Character Database (UAX 44): a skeleton is what is left
/// without these.
fn is_ignorable(sign: char) -> bool {
    skeleton(sign.encode_utf8(&mut [0; 4])).next().is_none()
}

/// Zero-width non-joiner and joiner.
fn is_joiner(sign: char) -> bool {
    matches!(sign, '\u{200c}' | '\u{200d}')
}

/// Variation selectors, of Mongolian too.
fn is_variation(sign: char) -> bool {
    matches!(sign, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Letters of a script that is written joined, or pictures that make one.
fn joins(joiner: char, before: char, after: char) -> bool {
    let picture = before == AS_PICTURE || is_picture(before);
    let letter = JOINED.contains(&before.script())
        || before.script() == Script::Inherited && !is_joiner(before) && !is_variation(before);
    joiner == ZERO_WIDTH_JOINER && picture && is_picture(after)
        || letter && JOINED.contains(&after.script())
}

/// A picture that may be shown as text, a key with a digit, an ideograph, a letter of a script that has
/// variants.
fn has_variant(sign: char, selector: char, after: Option<char>) -> bool {
    match selector {
        AS_TEXT | AS_PICTURE if sign.is_ascii() => after == Some(KEY),
        AS_TEXT | AS_PICTURE => is_picture(sign),
        '\u{180b}'..='\u{180f}' => sign.script() == Script::Mongolian,
        '\u{fe00}'..='\u{fe0d}' => {
            matches!(sign.script(), Script::Han | Script::Myanmar | Script::Phags_Pa)
        }
        _ => sign.script() == Script::Han,
    }
}

/// The blocks that hold pictures (Emoji of Unicode Technical Standard 51).
fn is_picture(sign: char) -> bool {
    matches!(sign, '©' | '®' | '‼' | '⁉' | '™' | 'ℹ' | 'Ⓜ' | '〰' | '〽' | '㊗' | '㊙'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}'
        | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

const ZERO_WIDTH_JOINER: char = '\u{200d}';
const AS_TEXT: char = '\u{fe0e}';
const AS_PICTURE: char = '\u{fe0f}';
/// What encloses a digit as on a key.
const KEY: char = '\u{20e3}';

/// Scripts in which joiners change what is seen: those that join letters, and those with a virama.
const JOINED: [Script; 22] = [
    Script::Adlam,
    Script::Arabic,
    Script::Balinese,
    Script::Bengali,
    Script::Devanagari,
    Script::Gujarati,
    Script::Gurmukhi,
    Script::Javanese,
    Script::Kannada,
    Script::Khmer,
    Script::Malayalam,
    Script::Mandaic,
    Script::Mongolian,
    Script::Myanmar,
    Script::Nko,
    Script::Oriya,
    Script::Phags_Pa,
    Script::Sinhala,
    Script::Syriac,
    Script::Tamil,
    Script::Telugu,
    Script::Tibetan,
];

/// A word in the form in which it is kept: what is the same to readers is the same to programs
/// (NFKC), as full-width letters are.
pub(crate) fn kept_form(word: &str) -> String {
    word.nfkc().collect()
}

/// What a word looks like, whatever the alphabets of its letters (Unicode Technical Standard 39, 4).
pub(crate) fn look(word: &str) -> Text {
    skeleton(&word.to_lowercase()).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_alphabets_look_alike() {
        // Cyrillic and Greek letters among Latin ones.
        for word in ["аdmin", "admіn", "ADMIN", "аԁmіn"] {
            assert_eq!(look(word), look("admin"), "{word}");
        }
        assert_ne!(look("tanaka"), look("tanaké"));
        assert_eq!(kept_form("ａｄｍｉｎ"), "admin");
    }

    #[test]
    fn what_nobody_sees_is_found() {
        for text in ["a\0", "a\r\nb", "a\u{202e}b", "a\u{200b}", "\u{feff}a", "a\u{7f}", "a\u{85}"]
        {
            assert!(refuse_hidden("name", text).is_err(), "{text:?}");
        }
        // Fillers, invisible letters and shorthand, tags, no characters.
        for sign in "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180e}\u{2028}\u{2063}\u{206a}\u{2800}\
            \u{3164}\u{ffa0}\u{fff0}\u{fff9}\u{fdd0}\u{fffe}\u{1bca0}\u{1d159}\u{1d173}\u{13430}\u{e0001}\
            \u{e0041}\u{e0fff}\u{10ffff}\u{200c}\u{200d}\u{180b}\u{fe00}\u{fe0f}\u{e0100}"
            .chars()
        {
            for text in [format!("ad{sign}min"), format!("admin{sign}"), sign.to_string()] {
                assert!(refuse_hidden("name", &text).is_err(), "{text:?}");
            }
        }
        for text in ["", "Jo O'Neill", "田中 花子", "עברית", "Ünïcödé", "한국", "\u{e000}", "𓀀"]
        {
            assert_eq!(refuse_hidden("name", text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn joiners_and_variants_stand_where_they_are_seen() {
        let seen =
            ["👩‍💻", "👩🏽‍❤️‍👩🏻", "☎️", "☎\u{fe0e}", "1️⃣", "می\u{200c}خواهم", "क्\u{200d}ष", "葛\u{e0100}"];
        for text in seen {
            assert_eq!(refuse_hidden("name", text), Ok(()), "{text:?}");
        }
        for text in [
            "a\u{200d}b",
            "花\u{200c}子",
            "👩\u{200d}",
            "👩\u{200d}\u{200d}💻",
            "👩\u{200c}💻",
            "👩\u{200d}a",
            "☎\u{fe0f}\u{fe0f}",
            "1\u{fe0f}",
            "1\u{fe0f}2",
            "花\u{fe0f}",
            "é\u{e0100}",
            "می\u{200c}",
        ] {
            assert!(refuse_hidden("name", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_seen() {
        for text in [" ", "\u{a0}", "\u{3000}\u{2003}"] {
            assert!(refuse_blank("name", text).is_err(), "{text:?}");
        }
        assert_eq!((refuse_blank("name", ""), refuse_blank("name", " a")), (Ok(()), Ok(())));
    }
}
