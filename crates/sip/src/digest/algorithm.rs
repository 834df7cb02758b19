//! Hash algorithms of digest authentication.

use core::fmt;

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::text::write_hex;

/// A hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// MD5, for phones that know nothing better.
    Md5,
    /// MD5 with a session key.
    Md5Sess,
    /// SHA-256 (RFC 8760).
    Sha256,
    /// SHA-256 with a session key.
    Sha256Sess,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Md5Sess, Self::Sha256, Self::Sha256Sess];

    /// Recognises a name, without case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
        }
    }

    /// The hash itself, without the session key: the one the stored HA1 was made with.
    #[must_use]
    pub fn base(self) -> Self {
        match self {
            Self::Md5 | Self::Md5Sess => Self::Md5,
            Self::Sha256 | Self::Sha256Sess => Self::Sha256,
        }
    }

    /// Does it use a session key?
    #[must_use]
    pub fn is_session(self) -> bool {
        self != self.base()
    }

    /// The hash of the parts with colons between them, in lower-case hexadecimal.
    #[must_use]
    pub fn hash(self, parts: &[&[u8]]) -> String {
        self.digits(parts).as_str().to_owned()
    }

    /// The same without a heap.
    pub(super) fn digits(self, parts: &[&[u8]]) -> Digits {
        match self.base() {
            Self::Sha256 => hash::<Sha256>(parts),
            _ => hash::<Md5>(parts),
        }
    }

    /// HA1 of a user: what a server keeps instead of the password.
    #[must_use]
    pub fn ha1(self, username: &str, realm: &str, password: &str) -> String {
        self.hash(&[username.as_bytes(), realm.as_bytes(), password.as_bytes()])
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn hash<D: sha2::Digest>(parts: &[&[u8]]) -> Digits {
    let mut hasher = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hasher.update(b":");
        }
        hasher.update(part);
    }
    Digits::of(&hasher.finalize())
}

/// Lower-case hexadecimal digits of a hash.
pub(super) struct Digits {
    text: [u8; 64],
    length: usize,
}

impl Digits {
    /// The digits of at most 32 octets.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut digits = Self { text: [0; 64], length: (bytes.len() * 2).min(64) };
        write_hex(bytes, &mut digits.text);
        digits
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }

    pub(super) fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}
