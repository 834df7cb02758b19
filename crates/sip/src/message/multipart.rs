//! Bodies of several parts (RFC 2046 section 5.1).

use crate::header::{ContentType, HeaderFault};
use crate::{limits, text};

/// One part of a multipart body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'b> {
    /// The header lines of the part.
    headers: &'b str,
    /// What it holds.
    pub body: &'b [u8],
}

impl<'b> Part<'b> {
    /// The value of a header of this part, by its text, without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'b str> {
        self.headers.split("\r\n").find_map(|line| {
            let (found, value) = line.split_once(':')?;
            text::trim(found).eq_ignore_ascii_case(name).then(|| text::trim(value))
        })
    }
}

/// The parts of a body whose type is `multipart/…`; what stands before and after them is ignored.
pub fn parts<'b>(content_type: &ContentType, body: &'b [u8]) -> Result<Vec<Part<'b>>, HeaderFault> {
    let boundary = content_type.params.text("boundary").ok_or(HeaderFault::Parameter)?;
    if boundary.is_empty() || boundary.len() > 70 {
        return Err(HeaderFault::Parameter);
    }
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let mut found = Vec::new();
    let mut rest = after_delimiter(body, &delimiter).ok_or(HeaderFault::Syntax)?;
    while !rest.starts_with(b"--") {
        let content = rest.strip_prefix(b"\r\n").ok_or(HeaderFault::Syntax)?;
        let end = find(content, &[b"\r\n", &*delimiter].concat()).ok_or(HeaderFault::Syntax)?;
        found.push(part(&content[..end])?);
        if found.len() > limits::LIST {
            return Err(HeaderFault::TooMany);
        }
        rest = &content[end + 2 + delimiter.len()..];
    }
    Ok(found)
}

fn part(content: &[u8]) -> Result<Part<'_>, HeaderFault> {
    if let Some(body) = content.strip_prefix(b"\r\n") {
        return Ok(Part { headers: "", body });
    }
    let end = find(content, b"\r\n\r\n").ok_or(HeaderFault::Syntax)?;
    let headers = core::str::from_utf8(&content[..end]).map_err(|_| HeaderFault::Syntax)?;
    Ok(Part { headers, body: &content[end + 4..] })
}

fn after_delimiter<'b>(body: &'b [u8], delimiter: &[u8]) -> Option<&'b [u8]> {
    if let Some(rest) = body.strip_prefix(delimiter) {
        return Some(rest);
    }
    let at = find(body, &[b"\r\n", delimiter].concat())?;
    Some(&body[at + 2 + delimiter.len()..])
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn parts_with_their_headers() {
        let content_type = ContentType::parse("multipart/mixed;boundary=\"b 1\"").unwrap();
        let body = b"preamble\r\n--b 1\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
            --b 1\r\n\r\n\x00\xff\r\n--b 1--\r\nepilogue";
        let parts = parts(&content_type, body).unwrap();
        assert_eq!(parts[0].header("content-type"), Some("text/plain"));
        assert_eq!(parts[0].body, b"hello");
        assert_eq!((parts[1].header("content-type"), parts[1].body), (None, &b"\x00\xff"[..]));
        assert_eq!(parts.len(), 2);
    }

    /// RFC 2046 section 5.1.1.
    #[test]
    fn a_boundary_has_seventy_octets_at_the_most() {
        for (length, fits) in [(1, true), (70, true), (71, false), (200, false)] {
            let boundary = "b".repeat(length);
            let content_type = format!("multipart/mixed;boundary={boundary}");
            let content_type = ContentType::parse(&content_type).unwrap();
            let body = format!("--{boundary}--");
            assert_eq!(parts(&content_type, body.as_bytes()).is_ok(), fits, "{length}");
        }
    }

    #[test]
    fn broken_bodies_are_refused() {
        let content_type = ContentType::parse("multipart/mixed;boundary=b").unwrap();
        for bad in [&b""[..], b"--b", b"--b\r\n", b"--b\r\nX: y\r\n--b--", b"--bx"] {
            assert!(parts(&content_type, bad).is_err(), "{bad:?}");
        }
        assert!(parts(&ContentType::parse("multipart/mixed").unwrap(), b"--b--").is_err());
    }
}
