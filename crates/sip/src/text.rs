//! Pieces of the SIP grammar that many headers share: tokens, quoted strings, lists, escapes.

use core::fmt;
use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

use crate::class;
use crate::header::HeaderFault;

/// Is this a `token` of RFC 3261?
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && all(text, class::TOKEN)
}

/// The `token` with which the text begins; empty when it begins with none.
pub(crate) fn token_at_start(text: &str) -> &str {
    let end = text.bytes().position(|byte| class::of(byte) & class::TOKEN == 0);
    &text[..end.unwrap_or(text.len())]
}

/// Do all octets belong to one of these classes?
pub(crate) fn all(text: &str, classes: u16) -> bool {
    text.bytes().all(|byte| class::of(byte) & classes != 0)
}

/// Is this a white space of a header value (line folds are already spaces)?
pub(crate) fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Cuts white space off both ends.
pub(crate) fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    // Most texts have none.
    if let [first, .., last] = bytes
        && !is_space(*first)
        && !is_space(*last)
    {
        return text;
    }
    let Some(from) = bytes.iter().position(|byte| !is_space(*byte)) else { return &text[..0] };
    let to = bytes.iter().rposition(|byte| !is_space(*byte)).unwrap_or(from);
    &text[from..=to]
}

/// The length of the quoted string at the beginning of `text`, quotes included.
pub(crate) fn quoted_length(text: &str) -> Option<usize> {
    let inside = text.as_bytes().strip_prefix(b"\"")?;
    end_of_quotes(inside).map(|end| end + 2)
}

/// The text inside a quoted string, or the text itself if it is not quoted.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    Cow::Owned(plain)
}

/// The text as a quoted string. Line breaks become spaces, so that nothing can leave the header.
pub(crate) fn quote(text: &str) -> String {
    Quoted(text).to_string()
}

/// Prints a text as [`quote`] writes it.
pub(crate) struct Quoted<'t>(pub(crate) &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        let special = |byte: u8| matches!(byte, b'"' | b'\\' | b'\r' | b'\n');
        let mut rest = self.0;
        while let Some(at) = rest.bytes().position(special) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                _ => " ",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)?;
        f.write_str("\"")
    }
}

/// Finds the first of `wanted` that stands outside quotes and angle brackets.
pub(crate) fn find_outside(text: &str, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr3(wanted, b'"', b'<', &bytes[at..])?;
        match bytes[at] {
            byte if byte == wanted => return Some(at),
            b'"' => at += end_of_quotes(&bytes[at + 1..])? + 2,
            _ => at += memchr(b'>', &bytes[at + 1..])? + 2,
        }
    }
}

/// Finds the quote that ends a quoted string whose inside this is.
fn end_of_quotes(inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', inside.get(at..)?)?;
        if inside[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// The elements of a comma-separated list, white space cut off.
pub(crate) fn list(value: &str) -> impl Iterator<Item = &str> {
    pieces(value, b',').map(trim)
}

/// The pieces between separators that stand outside quotes and angle brackets.
pub(crate) fn pieces(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = find_outside(text, separator) else { return rest.take() };
        rest = Some(&text[at + 1..]);
        Some(&text[..at])
    })
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = vec![0; bytes.len() * 2];
    write_hex(bytes, &mut text);
    String::from_utf8(text).expect("hexadecimal digits are ASCII")
}

/// Writes two lower-case hexadecimal digits for each octet, as far as there is room.
pub(crate) fn write_hex(bytes: &[u8], text: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// Reads a number that fills the whole text.
pub(crate) fn number<N: TryFrom<u64>>(text: &str) -> Result<N, HeaderFault> {
    if text.is_empty() || text.len() > 20 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HeaderFault::Number);
    }
    let value: u64 = text.parse().map_err(|_| HeaderFault::Number)?;
    N::try_from(value).map_err(|_| HeaderFault::Number)
}

/// Resolves `%XX` escapes; octets that make no UTF-8 are replaced.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == b'%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex_pair(bytes, at + 1)) {
            (b'%', Some(byte)) => {
                plain.push(byte);
                at += 3;
            }
            (byte, _) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// Resolves the `%XX` escapes of characters that need none; the others stay.
pub(crate) fn unescape_unreserved(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(next) = text[at..].find('%').map(|found| at + found) {
        plain.push_str(&text[at..next]);
        match hex_pair(bytes, next + 1) {
            Some(byte) if class::of(byte) & class::UNRESERVED != 0 => {
                plain.push(char::from(byte));
                at = next + 3;
            }
            _ => {
                plain.push('%');
                at = next + 1;
            }
        }
    }
    plain.push_str(&text[at..]);
    plain
}

/// Escapes every octet that belongs to none of these classes.
pub(crate) fn escape(text: &str, classes: u16) -> String {
    let mut escaped = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if class::of(byte) & classes != 0 {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push(char::from(HEX[usize::from(byte >> 4)]));
            escaped.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    escaped
}

/// Do all octets belong to one of these classes, or to `%XX` escapes?
pub(crate) fn is_escaped(text: &str, classes: u16) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if class::of(byte) & classes != 0 {
            at += 1;
        } else if byte == b'%' && hex_pair(bytes, at + 1).is_some() {
            at += 3;
        } else {
            return false;
        }
    }
    true
}

fn hex_pair(bytes: &[u8], at: usize) -> Option<u8> {
    let high = char::from(*bytes.get(at)?).to_digit(16)?;
    let low = char::from(*bytes.get(at + 1)?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_outside_quotes_and_brackets_only() {
        let found: Vec<_> = list(r#""a, \" b" <sip:x,y@z> , c;q="1,2",d"#).collect();
        assert_eq!(found, [r#""a, \" b" <sip:x,y@z>"#, r#"c;q="1,2""#, "d"]);
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        for text in ["", "plain", r#"with "quotes" and \ slashes"#, "ünïcode"] {
            assert_eq!(unquote(&quote(text)), text);
        }
        assert_eq!(quote("a\r\nVia: x"), "\"a  Via: x\"");
    }

    #[test]
    fn escapes_resolve_and_bad_ones_are_seen() {
        assert_eq!(unescape("%61b%2"), "ab%2");
        assert_eq!(escape("a b#", class::UNRESERVED), "a%20b%23");
        assert!(is_escaped("a%20b", class::UNRESERVED));
        assert!(!is_escaped("a%2", class::UNRESERVED));
        assert!(!is_escaped("%GG", class::UNRESERVED));
    }

    #[test]
    fn numbers_have_no_sign_and_do_not_overflow() {
        assert_eq!(number::<u8>("255"), Ok(255));
        assert!(number::<u8>("256").is_err());
        assert!(number::<u64>("99999999999999999999").is_err());
        assert!(number::<u32>("-1").is_err());
        assert!(number::<u32>("").is_err());
    }
}
