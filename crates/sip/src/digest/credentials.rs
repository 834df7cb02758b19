//! What a client answers.

use core::fmt;
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::algorithm::Algorithm;
use super::params::AuthParams;
use crate::header::HeaderFault;
use crate::text::Quoted;

/// The credentials of a `Digest` answer. Where they are read, they share the text of their header.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials<'c> {
    /// The user.
    pub username: Cow<'c, str>,
    /// The realm of the challenge.
    pub realm: Cow<'c, str>,
    /// The nonce of the challenge.
    pub nonce: Cow<'c, str>,
    /// The address as the client hashed it.
    pub uri: Cow<'c, str>,
    /// The hash, in hexadecimal.
    pub response: Cow<'c, str>,
    /// The algorithm; MD5 when none was named.
    pub algorithm: Algorithm,
    /// What is protected, the client's nonce and its count; `None` is the form of RFC 2069.
    pub protection: Option<Protection<'c>>,
    /// The text of the challenge.
    pub opaque: Option<Cow<'c, str>>,
}

/// What comes with `qop`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection<'c> {
    /// Is the body hashed too (`auth-int`)?
    pub body: bool,
    /// The client's nonce.
    pub cnonce: Cow<'c, str>,
    /// How often the client used the server's nonce.
    pub count: u32,
    /// The same as the client wrote it, which it hashed; empty when it left it out.
    pub written: Cow<'c, str>,
}

impl Protection<'_> {
    /// What a client of today sends.
    #[must_use]
    pub fn new(body: bool, cnonce: &str, count: u32) -> Protection<'static> {
        let (cnonce, written) = (cnonce.to_owned().into(), format!("{count:08x}").into());
        Protection { body, cnonce, count, written }
    }
}

impl<'c> Credentials<'c> {
    /// Reads credentials of the Digest scheme.
    pub fn parse(value: &'c str) -> Result<Self, HeaderFault> {
        let params = AuthParams::parse(value)?;
        let algorithm = params.value("algorithm").map_or(Some(Algorithm::Md5), Algorithm::parse);
        Ok(Self {
            username: params.need("username")?,
            realm: params.need("realm")?,
            nonce: params.need("nonce")?,
            uri: params.need("uri")?,
            response: params.need("response")?,
            algorithm: algorithm.ok_or(HeaderFault::Parameter)?,
            protection: protection(&params)?,
            opaque: params.may("opaque"),
        })
    }

    /// The same with a text of their own.
    #[must_use]
    pub fn into_owned(self) -> Credentials<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Credentials {
            username: own(self.username),
            realm: own(self.realm),
            nonce: own(self.nonce),
            uri: own(self.uri),
            response: own(self.response),
            algorithm: self.algorithm,
            protection: self.protection.map(|protection| Protection {
                body: protection.body,
                cnonce: own(protection.cnonce),
                count: protection.count,
                written: own(protection.written),
            }),
            opaque: self.opaque.map(own),
        }
    }
}

/// Old clients name a protection without the count, some without a nonce of their own: the first use
/// of the server's nonce is meant, and no other.
fn protection<'c>(params: &AuthParams<'c>) -> Result<Option<Protection<'c>>, HeaderFault> {
    let Some(qop) = params.value("qop") else { return Ok(None) };
    let body = qop.eq_ignore_ascii_case("auth-int");
    if !body && !qop.eq_ignore_ascii_case("auth") {
        return Err(HeaderFault::Parameter);
    }
    let Some(written) = params.may("nc") else {
        let cnonce = params.may("cnonce").unwrap_or_default();
        return Ok(Some(Protection { body, cnonce, count: 1, written: "".into() }));
    };
    let digits = (1..=8).contains(&written.len());
    let hexadecimal = digits && written.bytes().all(|byte| byte.is_ascii_hexdigit());
    let count = if hexadecimal { u32::from_str_radix(&written, 16).ok() } else { None };
    let count = count.ok_or(HeaderFault::Number)?;
    Ok(Some(Protection { body, cnonce: params.need("cnonce")?, count, written }))
}

impl fmt::Display for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest username={}", Quoted(&self.username))?;
        for (name, value) in [("realm", &self.realm), ("nonce", &self.nonce), ("uri", &self.uri)] {
            write!(f, ", {name}={}", Quoted(value))?;
        }
        write!(f, ", response={}", Quoted(&self.response))?;
        write!(f, ", algorithm={}", self.algorithm)?;
        if let Some(protection) = &self.protection {
            let qop = if protection.body { "auth-int" } else { "auth" };
            let cnonce = Quoted(&protection.cnonce);
            write!(f, ", qop={qop}, cnonce={cnonce}")?;
            if !protection.written.is_empty() {
                write!(f, ", nc={}", protection.written)?;
            }
        }
        match &self.opaque {
            Some(opaque) => write!(f, ", opaque={}", Quoted(opaque)),
            None => Ok(()),
        }
    }
}

/// The hash stays out of logs.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .field("uri", &self.uri)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
