//! Messages: their text, and an index of header lines made in one pass.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::header::{CSeq, Header, HeaderFault, HeaderName};
use crate::method::Method;
use crate::status::Status;
use crate::uri::Uri;
use crate::{limits, text};

mod check;
mod fault;
mod fingerprint;
mod frame;
mod multipart;
mod request;
mod response;
mod stream;
#[cfg(test)]
mod tests;
mod write;

pub use check::Essentials;
pub(crate) use fault::refuse;
pub use fault::{Fault, ParseError};
pub use multipart::{Part, parts};
pub use request::RequestBuilder;
pub use response::{Response, ResponseBuilder};
pub use stream::{StreamEvent, StreamFault, StreamFramer};

/// A request or a response as it came, with its header lines found but not yet understood.
///
/// Cloning shares the text. Folded lines are unfolded, everything else is as it was received.
#[derive(Clone, Debug)]
pub struct Message {
    /// Start line and header lines, with the empty line that ends them.
    head: Arc<str>,
    body: Arc<[u8]>,
    start: StartLine,
    lines: Vec<Line>,
    source: Option<SocketAddr>,
    /// What every message needs, once it was read.
    essentials: OnceLock<Arc<Essentials>>,
}

/// What the first line says.
#[derive(Clone, Debug)]
enum StartLine {
    Request { method: Method, uri: Span },
    Response { status: Status, reason: Span },
}

/// A header line: which header, and where in the head its name and value are.
#[derive(Clone, Copy, Debug)]
struct Line {
    header: HeaderName,
    name: Span,
    value: Span,
}

/// A piece of the head.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: u32,
    to: u32,
}

impl Message {
    /// Reads a message that fills a datagram. What stands after the body is ignored.
    pub fn parse_datagram(datagram: &[u8]) -> Result<Self, ParseError> {
        frame::datagram(datagram)
    }

    /// Notes where the message came from, for `received` and `rport` of the answer.
    pub fn set_source(&mut self, source: SocketAddr) {
        self.source = Some(source);
    }

    /// Where the message came from, if that was noted.
    #[must_use]
    pub fn source(&self) -> Option<SocketAddr> {
        self.source
    }

    /// Is it a request?
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.method().is_some()
    }

    /// The method of a request.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The Request-URI as it came; empty for a response.
    #[must_use]
    pub fn raw_uri(&self) -> &str {
        match self.start {
            StartLine::Request { uri, .. } => self.text(uri),
            StartLine::Response { .. } => "",
        }
    }

    /// The Request-URI.
    pub fn uri(&self) -> Result<Uri, HeaderFault> {
        Uri::parse(self.raw_uri())
    }

    /// The status of a response.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        match self.start {
            StartLine::Response { status, .. } => Some(status),
            StartLine::Request { .. } => None,
        }
    }

    /// The reason phrase of a response; empty for a request.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self.start {
            StartLine::Response { reason, .. } => self.text(reason),
            StartLine::Request { .. } => "",
        }
    }

    /// The first value of a header, as it stands on its line.
    #[must_use]
    pub fn first(&self, name: HeaderName) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of a header, line by line.
    pub fn all(&self, name: HeaderName) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(move |l| l.header == name).map(|l| self.text(l.value))
    }

    /// The elements of a list header, from all its lines.
    pub fn elements(&self, name: HeaderName) -> impl Iterator<Item = &str> {
        self.all(name).flat_map(text::list).filter(|element| !element.is_empty())
    }

    /// The first value of a header by its text, also one this crate has no name for.
    #[must_use]
    pub fn by_text(&self, name: &str) -> Option<&str> {
        match HeaderName::parse(name) {
            HeaderName::Other => self
                .lines
                .iter()
                .find(|line| self.text(line.name).eq_ignore_ascii_case(name))
                .map(|line| self.text(line.value)),
            known => self.first(known),
        }
    }

    /// All header lines in order: header, name as it came, value.
    pub fn lines(&self) -> impl Iterator<Item = (HeaderName, &str, &str)> {
        self.lines.iter().map(|l| (l.header, self.text(l.name), self.text(l.value)))
    }

    /// The header, which must be there; the first element of a list.
    pub fn typed<H: Header>(&self) -> Result<H, HeaderFault> {
        let value = self.first(H::NAME).ok_or(HeaderFault::Missing)?;
        let value = if H::LIST { text::list(value).next().unwrap_or_default() } else { value };
        H::parse(value)
    }

    /// The header, if it is there; the first element of a list.
    pub fn optional<H: Header>(&self) -> Result<Option<H>, HeaderFault> {
        match self.typed() {
            Ok(header) => Ok(Some(header)),
            Err(HeaderFault::Missing) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// All elements of a list header, or all lines of another one.
    pub fn list<H: Header>(&self) -> Result<Vec<H>, HeaderFault> {
        let mut list = Vec::new();
        for line in self.all(H::NAME) {
            for value in text::list(line).take(if H::LIST { usize::MAX } else { 0 }) {
                if list.is_empty() {
                    // Nearly always the only one.
                    list.reserve_exact(1);
                }
                list.push(H::parse(value)?);
                if list.len() > limits::LIST {
                    return Err(HeaderFault::TooMany);
                }
            }
            if !H::LIST {
                list.push(H::parse(line)?);
            }
        }
        Ok(list)
    }

    /// Does a list of tokens, such as Supported or Require, hold this one?
    #[must_use]
    pub fn has_token(&self, name: HeaderName, token: &str) -> bool {
        self.elements(name).any(|element| element.eq_ignore_ascii_case(token))
    }

    /// The port to which an answer over a datagram transport goes, when it is not the one from which
    /// the request came: the top Via's, unless that has `rport` (RFC 3261 section 18.2.2, RFC 3581).
    pub fn answer_port(&self) -> Option<u16> {
        let line = self.first(HeaderName::Via)?;
        let top = &line[..text::find_outside(line, b',').unwrap_or(line.len())];
        let is_rport = |piece: &str| {
            let name = piece.split_once('=').map_or(piece, |(name, _)| name);
            text::trim(name).eq_ignore_ascii_case("rport")
        };
        let mut pieces = text::pieces(top, b';');
        let sent_by = text::trim(pieces.next()?);
        if pieces.any(is_rport) {
            return None;
        }
        // What stands behind the last colon, unless that is one of an IPv6 address.
        let port = sent_by.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
        Some(port.and_then(|(_, port)| text::number(text::trim(port)).ok()).unwrap_or(5060))
    }

    /// The Call-ID; empty when it is missing.
    #[must_use]
    pub fn call_id(&self) -> &str {
        self.first(HeaderName::CallId).unwrap_or_default()
    }

    /// The CSeq.
    pub fn cseq(&self) -> Result<CSeq, HeaderFault> {
        self.typed()
    }

    /// The tag of From.
    pub fn from_tag(&self) -> Option<&str> {
        tag(self.first(HeaderName::From)?)
    }

    /// The tag of To: there is one in every request inside a dialog.
    pub fn to_tag(&self) -> Option<&str> {
        tag(self.first(HeaderName::To)?)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, sharing its memory.
    #[must_use]
    pub fn shared_body(&self) -> Arc<[u8]> {
        Arc::clone(&self.body)
    }

    /// Start line and headers as text, with the empty line.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The whole message.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), &self.body].concat()
    }

    /// The start line, for logs.
    #[must_use]
    pub fn start_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// Checks the headers every message needs and reads them, once for it and its copies.
    pub fn check(&self) -> Result<&Essentials, Fault> {
        if let Some(read) = self.essentials.get() {
            return Ok(read);
        }
        let read = check::check(self)?;
        Ok(self.essentials.get_or_init(|| Arc::new(read)))
    }

    fn text(&self, span: Span) -> &str {
        self.head.get(span.from as usize..span.to as usize).unwrap_or_default()
    }
}

/// Two messages are equal when their texts are.
impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head && self.body == other.body && self.source == other.source
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&*self.head, &*self.body, self.source).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (head, body, source): (String, Vec<u8>, _) = Deserialize::deserialize(deserializer)?;
        let mut message = frame::datagram(&[head.as_bytes(), &body].concat())
            .map_err(serde::de::Error::custom)?;
        message.source = source;
        Ok(message)
    }
}

/// Finds the tag of a From or To value without reading the rest.
fn tag(value: &str) -> Option<&str> {
    let mut rest = value;
    while let Some(at) = text::find_outside(rest, b';') {
        rest = &rest[at + 1..];
        let end = text::find_outside(rest, b';').unwrap_or(rest.len());
        if let Some((name, tag)) = rest[..end].split_once('=')
            && text::trim(name).eq_ignore_ascii_case("tag")
        {
            return Some(text::trim(tag));
        }
    }
    None
}
