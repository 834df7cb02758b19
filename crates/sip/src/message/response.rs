//! Builds responses.

use core::fmt::{self, Write as _};
use std::sync::Arc;

use super::Message;
use super::write::{Writer, safe_name};
use crate::header::{Header, HeaderName, Via};
use crate::method::Method;
use crate::status::Status;
use crate::text;
use crate::text::write_hex;

/// A response ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: Status,
    /// The whole message.
    pub bytes: Arc<[u8]>,
}

/// A response in the making. It begins as a copy of what every answer repeats of its request.
#[derive(Clone, Debug)]
pub struct ResponseBuilder<'m> {
    request: &'m Message,
    status: Status,
    writer: Writer,
    to_tag: Option<&'m str>,
    body: &'m [u8],
}

impl<'m> ResponseBuilder<'m> {
    /// Begins an answer: status line, all Via (the top one with `received` and `rport`), From,
    /// Call-ID, CSeq, and Record-Route where a dialog may begin.
    #[must_use]
    pub fn reply_to(request: &'m Message, status: Status) -> Self {
        Self::with_reason(request, status, status.reason())
    }

    /// The same with another reason phrase.
    #[must_use]
    pub fn with_reason(request: &'m Message, status: Status, reason: &str) -> Self {
        let mut writer = Writer::new();
        writer.line(format_args!("SIP/2.0 {} {reason}", status.code()));
        let mut top = true;
        for (header, _, value) in request.lines() {
            match header {
                HeaderName::Via if top => {
                    top = false;
                    top_via(&mut writer, request, value);
                }
                HeaderName::Via | HeaderName::From | HeaderName::CallId | HeaderName::CSeq => {
                    writer.raw(header.as_str(), value);
                }
                HeaderName::RecordRoute if begins_dialog(request, status) => {
                    writer.raw(header.as_str(), value);
                }
                HeaderName::Timestamp if status == Status::TRYING => {
                    writer.raw(header.as_str(), value);
                }
                _ => {}
            }
        }
        Self { request, status, writer, to_tag: None, body: &[] }
    }

    /// The tag for To, used when the request has none there. Without one, every answer to a
    /// request gets the same tag, made from the request.
    #[must_use]
    pub fn to_tag(mut self, tag: &'m str) -> Self {
        self.to_tag = Some(tag);
        self
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl fmt::Display) -> Self {
        self.writer.header(name.as_str(), value);
        self
    }

    /// Adds a header line whose value is text.
    #[must_use]
    pub fn text(mut self, name: HeaderName, value: &str) -> Self {
        self.writer.text(name.as_str(), value);
        self
    }

    /// Adds a typed header.
    #[must_use]
    pub fn typed<H: Header>(mut self, header: &H) -> Self {
        self.writer.header(H::NAME.as_str(), header);
        self
    }

    /// Adds a header this crate has no name for.
    #[must_use]
    pub fn extension(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.writer.header(&safe_name(name), value);
        self
    }

    /// Sets the body and its type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: &'m [u8]) -> Self {
        self.writer.header(HeaderName::ContentType.as_str(), content_type);
        self.body = body;
        self
    }

    /// The response.
    #[must_use]
    pub fn finish(mut self) -> Response {
        // Only a refusal of a broken request has to do without To.
        if let Some(to) = self.request.first(HeaderName::To) {
            let tagged = self.request.to_tag().is_some() || self.status == Status::TRYING;
            match self.to_tag {
                _ if tagged => self.writer.raw("To", to),
                Some(tag) => self.writer.tagged(to, tag),
                None => {
                    let mut tag = [0; 16];
                    write_hex(&self.request.fingerprint().to_be_bytes(), &mut tag);
                    self.writer.tagged(to, core::str::from_utf8(&tag).unwrap_or_default());
                }
            }
        }
        Response { status: self.status, bytes: self.writer.finish(self.body).into() }
    }
}

/// Copies the top Via and notes where the request came from (RFC 3261 section 18.2.1, RFC 3581
/// section 4). It may share its line with others.
fn top_via(writer: &mut Writer, request: &Message, line: &str) {
    let Some(source) = request.source() else { return writer.raw("Via", line) };
    let end = text::find_outside(line, b',').unwrap_or(line.len());
    let (mut sent_by, mut asked) = ("", false);
    writer.0.extend_from_slice(b"Via: ");
    for (at, piece) in text::pieces(&line[..end], b';').enumerate() {
        let name = text::trim(piece.split('=').next().unwrap_or_default());
        if at == 0 {
            sent_by = text::trim(piece).rsplit([' ', '\t']).next().unwrap_or_default();
        } else if name.eq_ignore_ascii_case("received") {
            continue;
        } else if name.eq_ignore_ascii_case("rport") {
            asked = true;
            continue;
        } else {
            writer.0.push(b';');
        }
        writer.0.extend_from_slice(piece.as_bytes());
    }
    // Writing into a vector can't fail.
    if asked || Via::host_of(sent_by) != Some(source.ip().into()) {
        let _ = write!(writer, ";received={}", source.ip());
    }
    if asked {
        let _ = write!(writer, ";rport={}", source.port());
    }
    writer.0.extend_from_slice(&line.as_bytes()[end..]);
    writer.0.extend_from_slice(b"\r\n");
}

fn begins_dialog(request: &Message, status: Status) -> bool {
    status > Status::TRYING
        && status.code() < 300
        && matches!(
            request.method(),
            Some(Method::Invite | Method::Subscribe | Method::Refer | Method::Notify)
        )
}
