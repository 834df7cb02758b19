//! Builds requests.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::write::{Writer, safe_name};
use crate::header::{Header, HeaderName, Via};
use crate::method::Method;
use crate::uri::Uri;

/// A request to be sent: everything but the Via, which belongs to the transaction.
///
/// Max-Forwards (70) and Content-Length are added when it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestBuilder {
    method: Method,
    uri: Box<str>,
    headers: Vec<u8>,
    has_max_forwards: bool,
    body: Vec<u8>,
}

impl RequestBuilder {
    /// A request of this method to this address, without the headers that a Contact may have and no
    /// Request-URI (RFC 3261 section 19.1.1).
    #[must_use]
    pub fn new(method: Method, uri: impl fmt::Display) -> Self {
        // Nothing in it may break the request line.
        let mut uri = uri.to_string();
        if uri.contains([' ', '\t', '\r', '\n']) {
            uri = uri.replace([' ', '\t', '\r', '\n'], "%20");
        }
        let uri = match uri.contains('?').then(|| Uri::parse(&uri)) {
            Some(Ok(Uri::Sip(mut sip))) => {
                sip.clear_headers();
                sip.to_string().into()
            }
            _ => uri.into(),
        };
        let headers = Vec::with_capacity(512);
        Self { method, uri, headers, has_max_forwards: false, body: Vec::new() }
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl fmt::Display) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a typed header.
    #[must_use]
    pub fn typed<H: Header>(mut self, header: &H) -> Self {
        self.push(H::NAME, header);
        self
    }

    /// Adds a header this crate has no name for.
    #[must_use]
    pub fn extension(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.line(&safe_name(name), value);
        self
    }

    /// Sets the body and its type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.push(HeaderName::ContentType, content_type);
        self.body = body.into();
        self
    }

    /// Adds a header line in place.
    pub fn push(&mut self, name: HeaderName, value: impl fmt::Display) {
        self.has_max_forwards |= name == HeaderName::MaxForwards;
        self.line(name.as_str(), value);
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The Request-URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The whole request with this Via on top.
    #[must_use]
    pub fn write(&self, via: &Via) -> Vec<u8> {
        let mut writer = Writer(Vec::with_capacity(300 + self.headers.len() + self.body.len()));
        writer.line(format_args!("{} {} SIP/2.0", self.method, self.uri));
        writer.header(HeaderName::Via.as_str(), via);
        if !self.has_max_forwards {
            writer.header(HeaderName::MaxForwards.as_str(), 70);
        }
        writer.0.extend_from_slice(&self.headers);
        writer.finish(&self.body)
    }

    fn line(&mut self, name: &str, value: impl fmt::Display) {
        let mut writer = Writer(core::mem::take(&mut self.headers));
        writer.header(name, value);
        self.headers = writer.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_uri_has_no_headers() {
        for (contact, uri) in [
            ("sip:a@192.0.2.1:5062;x=1?Route=%3Csip:evil%3E&Subject=x", "sip:a@192.0.2.1:5062;x=1"),
            ("sip:a@192.0.2.1;x=1", "sip:a@192.0.2.1;x=1"),
            ("urn:a?b", "urn:a?b"),
        ] {
            assert_eq!(RequestBuilder::new(Method::Invite, contact).uri(), uri);
        }
    }
}
