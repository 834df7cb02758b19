//! Pieces of the SIP grammar that many headers share: tokens, quoted strings, lists, escapes.

use std::borrow::Cow;

use crate::header::HeaderFault;

/// Is this a `token` of RFC 3261?
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// May this octet stand in a `token`?
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// Is this a white space of a header value (line folds are already spaces)?
pub(crate) fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Cuts white space off both ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The length of the quoted string at the beginning of `text`, quotes included.
pub(crate) fn quoted_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// The text inside a quoted string, or the text itself if it is not quoted.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
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
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\r' | '\n' => quoted.push(' '),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Finds the first of `wanted` that stands outside quotes and angle brackets.
pub(crate) fn find_outside(text: &str, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut quoted, mut angle) = (0, false, false);
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'\\' if quoted => at += 1,
            b'"' if !angle => quoted = !quoted,
            _ if quoted => {}
            b'>' if angle => angle = false,
            _ if angle => {}
            _ if byte == wanted => return Some(at),
            b'<' => angle = true,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The elements of a comma-separated list, white space cut off.
pub(crate) fn list(value: &str) -> List<'_> {
    List { rest: Some(value) }
}

/// See [`list`].
pub(crate) struct List<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for List<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let element = match find_outside(rest, b',') {
            Some(comma) => {
                self.rest = Some(&rest[comma + 1..]);
                &rest[..comma]
            }
            None => {
                self.rest = None;
                rest
            }
        };
        Some(trim(element))
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
    if !text.contains('%') {
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
            Some(byte) if is_unreserved(byte) => {
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

/// Escapes every octet that `allowed` does not let through.
pub(crate) fn escape(text: &str, allowed: fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii() && allowed(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push(char::from(HEX[usize::from(byte >> 4)]));
            escaped.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    escaped
}

/// Are all octets allowed ones or `%XX` escapes?
pub(crate) fn is_escaped(text: &str, allowed: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            if hex_pair(bytes, at + 1).is_none() {
                return false;
            }
            at += 3;
        } else if allowed(bytes[at]) {
            at += 1;
        } else {
            return false;
        }
    }
    true
}

/// `unreserved` of RFC 3261.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
}

fn hex_pair(bytes: &[u8], at: usize) -> Option<u8> {
    let high = char::from(*bytes.get(at)?).to_digit(16)?;
    let low = char::from(*bytes.get(at + 1)?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let marks = b"-.!%*_+`'~";
    let mut mark = 0;
    while mark < marks.len() {
        table[marks[mark] as usize] = true;
        mark += 1;
    }
    table
};

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
        assert_eq!(escape("a b#", is_unreserved), "a%20b%23");
        assert!(is_escaped("a%20b", is_unreserved));
        assert!(!is_escaped("a%2", is_unreserved));
        assert!(!is_escaped("%GG", is_unreserved));
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
