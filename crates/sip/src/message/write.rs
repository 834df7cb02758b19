//! Writes header lines into one buffer; nothing a value holds can leave its line.

use core::fmt::{self, Write};

use memchr::memchr2;

use crate::header::HeaderName;
use crate::text;

/// A message on its way into a buffer.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    /// An empty one with room for a usual message.
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(640))
    }

    /// A line. What would break it becomes a space, which is seen to once for the whole line:
    /// values come in many small pieces.
    pub(super) fn line(&mut self, content: impl fmt::Display) {
        let from = self.0.len();
        // Writing into a vector can't fail; a value that fails to print is cut.
        let _ = write!(self, "{content}");
        self.end_line(from);
    }

    /// A header line.
    pub(super) fn header(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        self.line(value);
    }

    /// A header line whose value is text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        let from = self.0.len();
        self.0.extend_from_slice(value.as_bytes());
        self.end_line(from);
    }

    /// A header line as it stood in another message.
    pub(super) fn raw(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.extend_from_slice(value.as_bytes());
        self.0.extend_from_slice(b"\r\n");
    }

    /// To as it stood in the request, with a tag.
    pub(super) fn tagged(&mut self, to: &str, tag: &str) {
        self.0.extend_from_slice(b"To: ");
        self.0.extend_from_slice(to.as_bytes());
        self.0.extend_from_slice(b";tag=");
        let from = self.0.len();
        self.0.extend_from_slice(tag.as_bytes());
        self.end_line(from);
    }

    /// Content-Length, the empty line and the body.
    pub(super) fn finish(mut self, body: &[u8]) -> Vec<u8> {
        if body.is_empty() {
            self.0.extend_from_slice(b"Content-Length: 0\r\n\r\n");
            return self.0;
        }
        self.header(HeaderName::ContentLength.as_str(), body.len());
        self.0.extend_from_slice(b"\r\n");
        self.0.extend_from_slice(body);
        self.0
    }

    fn name(&mut self, name: &str) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
    }

    /// Ends the line; what began at `from` stays in it.
    fn end_line(&mut self, from: usize) {
        let content = &mut self.0[from..];
        if let Some(first) = memchr2(b'\r', b'\n', content) {
            content[first..]
                .iter_mut()
                .filter(|b| matches!(b, b'\r' | b'\n'))
                .for_each(|b| *b = b' ');
        }
        self.0.extend_from_slice(b"\r\n");
    }
}

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// A name for a header line, made a token whatever it was.
pub(super) fn safe_name(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii() && text::is_token(c.encode_utf8(&mut [0; 4])) { c } else { '-' })
        .collect()
}
