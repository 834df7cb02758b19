//! Finds the lines of a message in one pass, without understanding their values.

use std::sync::{Arc, OnceLock};

use memchr::{memchr, memchr2, memrchr};

use super::{Fault, Line, Message, ParseError, Span, StartLine};
use crate::header::HeaderName;
use crate::method::Method;
use crate::status::Status;
use crate::{limits, text};

/// Reads a message that fills a datagram.
pub(super) fn datagram(datagram: &[u8]) -> Result<Message, ParseError> {
    let start = skip_line_ends(datagram);
    let bytes = &datagram[start..];
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(ParseError::hopeless(Fault::KeepAlive));
    }
    if bytes.len() > limits::MESSAGE {
        return Err(ParseError::hopeless(Fault::TooLarge));
    }
    let (mut message, faults, length) = match head(bytes)? {
        // The datagram ends where the message does: without a body its last empty line is no loss.
        (message, Some(Fault::Unterminated), None | Some(0)) => {
            head(&[message.head.trim_end_matches(['\r', '\n']).as_bytes(), b"\r\n\r\n"].concat())?
        }
        found => found,
    };
    let rest = bytes.get(message.head.len()..).unwrap_or_default();
    let body = match length {
        Some(length) => rest.get(..length),
        None => Some(rest),
    };
    let fault = faults.or(if body.is_none() { Some(Fault::Truncated) } else { None });
    if let Some(fault) = fault {
        return Err(ParseError::partial(fault, message));
    }
    if let Some(body) = body.filter(|body| !body.is_empty()) {
        message.body = Arc::from(body);
    }
    Ok(message)
}

/// How many octets of line ends stand before the message.
pub(super) fn skip_line_ends(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Reads start line and header lines: the message without its body, the first fault, and
/// Content-Length.
pub(super) fn head(bytes: &[u8]) -> Result<(Message, Option<Fault>, Option<usize>), ParseError> {
    let rows = Rows::find(bytes);
    let (head, utf8) = rows.text(bytes);
    let mut rows_found = rows.spans.into_iter();
    let first = rows_found.next().unwrap_or(Span { from: 0, to: 0 });
    let (start, start_fault) = start_line(&head, first).map_err(ParseError::hopeless)?;
    let mut index = Index { lines: Vec::with_capacity(24), fault: None, length: None };
    for row in rows_found {
        index.add(&head, row);
    }
    let fault = start_fault.or(rows.fault).or(utf8).or(index.fault);
    let body = Arc::default();
    let message = Message {
        head,
        body,
        start,
        lines: index.lines,
        source: None,
        essentials: OnceLock::new(),
    };
    Ok((message, fault, index.length))
}

/// The lines of the head; a folded line is one.
struct Rows {
    spans: Vec<Span>,
    folds: Vec<usize>,
    /// Where the head ends, after the empty line.
    end: usize,
    fault: Option<Fault>,
}

impl Rows {
    fn find(bytes: &[u8]) -> Self {
        let mut rows =
            Self { spans: Vec::with_capacity(24), folds: Vec::new(), end: 0, fault: None };
        let mut at = 0;
        loop {
            let Some(found) = memchr2(b'\r', b'\n', &bytes[at..]).map(|found| at + found) else {
                rows.push(bytes, at, bytes.len());
                rows.end = bytes.len();
                rows.note(Fault::Unterminated);
                return rows;
            };
            let width = if bytes[found..].starts_with(b"\r\n") { 2 } else { 1 };
            if width == 1 {
                rows.note(Fault::LineEnd);
            }
            if found == at {
                rows.end = found + width;
                return rows;
            }
            rows.push(bytes, at, found);
            at = found + width;
        }
    }

    fn push(&mut self, bytes: &[u8], from: usize, to: usize) {
        let folded = bytes.get(from).is_some_and(|byte| text::is_space(*byte));
        match (folded, self.spans.len()) {
            (true, 0 | 1) => self.note(Fault::HeaderLine),
            (true, _) => {
                self.folds.push(from);
                if let Some(last) = self.spans.last_mut() {
                    last.to = offset(to);
                }
            }
            (false, count) if count > limits::HEADER_LINES => self.note(Fault::TooManyHeaders),
            (false, _) => self.spans.push(Span { from: offset(from), to: offset(to) }),
        }
    }

    fn note(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// The head as text, line ends inside folded lines made spaces.
    fn text(&self, bytes: &[u8]) -> (Arc<str>, Option<Fault>) {
        let head = &bytes[..self.end];
        if !self.folds.is_empty() {
            let mut unfolded = head.to_vec();
            for fold in &self.folds {
                let breaks = unfolded[..*fold].iter_mut().rev();
                breaks.take_while(|b| matches!(b, b'\r' | b'\n')).for_each(|b| *b = b' ');
            }
            return decode(&unfolded);
        }
        decode(head)
    }
}

/// What is no UTF-8 becomes `?`, so that places stay the same.
fn decode(head: &[u8]) -> (Arc<str>, Option<Fault>) {
    match core::str::from_utf8(head) {
        Ok(text) => (text.into(), None),
        Err(_) => {
            let ascii = head.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '?' });
            (ascii.collect::<String>().into(), Some(Fault::NotUtf8))
        }
    }
}

/// The header lines found so far.
struct Index {
    lines: Vec<Line>,
    fault: Option<Fault>,
    length: Option<usize>,
}

impl Index {
    fn add(&mut self, head: &str, row: Span) {
        let text = head.get(row.from as usize..row.to as usize).unwrap_or_default();
        let name = text::token_at_start(text);
        let after = text[name.len()..].trim_start_matches([' ', '\t']);
        let Some(after) = after.strip_prefix(':').filter(|_| !name.is_empty()) else {
            return self.note(Fault::HeaderLine);
        };
        if text.len() > limits::HEADER_VALUE {
            return self.note(Fault::HeaderLine);
        }
        let value = text::trim(after);
        let header = HeaderName::parse(name);
        if header == HeaderName::ContentLength {
            self.content_length(value);
        }
        let from = row.from + offset(value.as_ptr() as usize - text.as_ptr() as usize);
        self.lines.push(Line {
            header,
            name: Span { from: row.from, to: row.from + offset(name.len()) },
            value: Span { from, to: from + offset(value.len()) },
        });
    }

    fn content_length(&mut self, value: &str) {
        match text::number::<u32>(value) {
            Ok(length) if self.length.is_none() => self.length = Some(length as usize),
            _ => self.note(Fault::ContentLength),
        }
    }

    fn note(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }
}

/// Reads the first line. A request that is answerable is returned with its fault.
fn start_line(head: &str, row: Span) -> Result<(StartLine, Option<Fault>), Fault> {
    let line = head.get(row.from as usize..row.to as usize).unwrap_or_default();
    // Blanks after the version mean nothing else (RFC 4475 section 3.1.2.10).
    let line = line.trim_end_matches([' ', '\t']);
    if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/")) {
        return status_line(line).map(|start| (start, None));
    }
    let (space, Some(version)) = (memchr(b' ', line.as_bytes()), version_at(line)) else {
        return Err(Fault::NotSip);
    };
    let space = space.unwrap_or(version);
    let uri = line.get(space + 1..version).unwrap_or_default();
    let method = Method::parse(&line[..space]);
    let fault = match &line[version + 1..] {
        _ if method.is_none() || !is_uri(uri) || line.len() > limits::START_LINE => {
            Some(Fault::RequestLine)
        }
        version if version.eq_ignore_ascii_case(VERSION) => None,
        version if is_version(version) => Some(Fault::Version),
        _ => Some(Fault::RequestLine),
    };
    let from = row.from + offset(space) + 1;
    let uri = Span { from, to: from + offset(uri.len()) };
    let method = method.unwrap_or_else(|| Method::Other("?".into()));
    Ok((StartLine::Request { method, uri }, fault))
}

/// Where the space is behind which the version stands: nearly always the last one.
fn version_at(line: &str) -> Option<usize> {
    let last = memrchr(b' ', line.as_bytes())?;
    let is_version = line[last + 1..].starts_with("SIP/");
    if is_version { Some(last) } else { line.rfind(" SIP/").or_else(|| line.rfind(" sip/")) }
}

fn status_line(line: &str) -> Result<StartLine, Fault> {
    let mut words = line.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    let code = words.next().unwrap_or_default();
    let reason = words.next().unwrap_or_default();
    if !version.eq_ignore_ascii_case(VERSION) || code.len() != 3 || line.len() > limits::START_LINE
    {
        return Err(Fault::StatusLine);
    }
    let code = text::number(code).ok().and_then(Status::new).ok_or(Fault::StatusLine)?;
    let to = offset(line.len());
    let reason = Span { from: to - offset(reason.len()), to };
    Ok(StartLine::Response { status: code, reason })
}

fn is_uri(uri: &str) -> bool {
    !uri.is_empty() && uri.bytes().all(|b| b > b' ' && b != 127 && !b"<>\"".contains(&b))
}

fn is_version(version: &str) -> bool {
    version.get(4..).is_some_and(|rest| {
        rest.split('.').count() == 2
            && rest.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Offsets fit: nothing larger than [`limits::MESSAGE`] comes here.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

const VERSION: &str = "SIP/2.0";
