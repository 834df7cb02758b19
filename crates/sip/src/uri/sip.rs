//! SIP and SIPS URIs (RFC 3261 section 19.1).

use core::fmt;
use std::borrow::Cow;
use std::net::SocketAddr;

use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};

use super::compare;
use super::host::{Host, HostPort};
use crate::header::HeaderFault;
use crate::params::Params;
use crate::{class, limits, text};

/// `sip:user:password@host:port;parameters?headers`.
///
/// `==` compares the parts as they are written; [`SipUri::matches`] compares by RFC 3261.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SipUri {
    /// Is the scheme `sips`?
    pub secure: bool,
    /// User and password as on the wire, with their escapes.
    userinfo: Option<Box<str>>,
    /// Host and port.
    pub at: HostPort,
    /// Parameters after the host.
    pub params: Params,
    /// Headers after `?`, as on the wire, without the `?`.
    headers: Option<Box<str>>,
}

impl SipUri {
    /// A `sip:` URI; the user is escaped where it needs it.
    #[must_use]
    pub fn new(user: Option<&str>, host: Host) -> Self {
        Self {
            secure: false,
            userinfo: user.map(|user| text::escape(user, class::USER).into()),
            at: HostPort { host, port: None },
            params: Params::new(),
            headers: None,
        }
    }

    /// A `sip:` URI of a socket address.
    #[must_use]
    pub fn of_address(user: Option<&str>, address: SocketAddr) -> Self {
        let mut uri = Self::new(user, address.ip().into());
        uri.at.port = Some(address.port());
        uri
    }

    /// `self` with a port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.at.port = Some(port);
        self
    }

    /// `self` with a parameter.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: &str) -> Self {
        self.params.set(name, Some(value));
        self
    }

    /// Reads what follows the scheme.
    pub(super) fn parse(secure: bool, text: &str) -> Result<Self, HeaderFault> {
        let (userinfo, rest) = match memrchr(b'@', text.as_bytes()) {
            Some(at) => (Some(&text[..at]), &text[at + 1..]),
            None => (None, text),
        };
        if userinfo.is_some_and(|info| !is_userinfo(info)) {
            return Err(HeaderFault::Uri);
        }
        let (rest, headers) = match memchr(b'?', rest.as_bytes()) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        if headers.is_some_and(|headers| !is_headers(headers)) {
            return Err(HeaderFault::Uri);
        }
        let end = memchr(b';', rest.as_bytes()).unwrap_or(rest.len());
        if rest[..end].bytes().any(text::is_space) {
            return Err(HeaderFault::Uri);
        }
        Ok(Self {
            secure,
            userinfo: userinfo.map(Into::into),
            at: HostPort::parse(&rest[..end])?,
            params: Params::parse_uri(&rest[end..])?,
            headers: headers.map(Into::into),
        })
    }

    /// The user without its escapes.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, str>> {
        self.raw_user().map(text::unescape)
    }

    /// The user as on the wire.
    #[must_use]
    pub fn raw_user(&self) -> Option<&str> {
        let info = self.userinfo.as_deref()?;
        let end = info.bytes().position(|byte| byte == b':').unwrap_or(info.len());
        Some(&info[..end])
    }

    /// The password as on the wire.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.userinfo.as_deref()?.split_once(':').map(|(_, password)| password)
    }

    /// The headers after `?`, names and values as on the wire.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .flat_map(|headers| headers.split('&'))
            .map(|header| header.split_once('=').unwrap_or((header, "")))
    }

    /// Sets the user, escaped where it needs it; a password goes.
    pub fn set_user(&mut self, user: Option<&str>) {
        self.userinfo = user.map(|user| text::escape(user, class::USER).into());
    }

    /// Takes away the headers, which no Request-URI may carry.
    pub fn clear_headers(&mut self) {
        self.headers = None;
    }

    /// The `transport` parameter.
    #[must_use]
    pub fn transport(&self) -> Option<&str> {
        self.params.value("transport")
    }

    /// The port, or the usual one of the scheme.
    #[must_use]
    pub fn port_or_default(&self) -> u16 {
        self.at.port.unwrap_or(if self.secure { 5061 } else { 5060 })
    }

    /// The address, when the host is one.
    #[must_use]
    pub fn socket_address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.at.host.address()?, self.port_or_default()))
    }

    /// Does the URI stand for the same resource (RFC 3261 section 19.1.4)?
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        compare::matches(self, other)
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(info) = &self.userinfo {
            f.write_str(info)?;
            f.write_str("@")?;
        }
        self.at.fmt(f)?;
        self.params.fmt(f)?;
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

fn is_userinfo(info: &str) -> bool {
    let colon = info.bytes().position(|byte| byte == b':');
    let (user, password) = colon.map_or((info, ""), |at| (&info[..at], &info[at + 1..]));
    !user.is_empty()
        && text::is_escaped(user, class::USER_SENT)
        && text::is_escaped(password, class::PASSWORD)
}

fn is_headers(headers: &str) -> bool {
    // Counted as they are read: one more is looked at than there may be.
    let few = headers.split('&').nth(limits::PARAMS).is_none();
    few && headers.split('&').all(|header| {
        let (name, value) = header.split_once('=').unwrap_or((header, ""));
        !name.is_empty()
            && text::is_escaped(name, class::URI_HEADER)
            && value.split('=').all(|part| text::is_escaped(part, class::URI_HEADER))
    })
}
