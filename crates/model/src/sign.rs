//! Signs that texts must not hold, and words that look alike.

use jackfield_vocabulary::{Code, Refusal};
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use crate::Text;

/// A sign that nobody sees and that changes what others see or read: a control character, a change
/// of the direction of writing, an invisible space or a line's end.
pub fn is_hidden(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Refuses a text that people will see and that holds a hidden sign.
pub fn refuse_hidden(field: &str, text: &str) -> Result<(), Refusal> {
    let Some(sign) = text.chars().find(|sign| is_hidden(*sign)) else { return Ok(()) };
    let found = format!("U+{:04X}", u32::from(sign));
    let refusal = Refusal::new(Code::InvalidValue).field(field);
    Err(refusal.value("rule", "hidden-sign").value("found", found))
}

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
        for text in ["", "Jo O'Neill", "田中 花子", "עברית", "Ünïcödé", "a\u{200d}b", "👩‍💻"]
        {
            assert_eq!(refuse_hidden("name", text), Ok(()), "{text:?}");
        }
    }
}
