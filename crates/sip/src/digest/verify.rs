//! Computes and compares responses.

use super::algorithm::{Algorithm, Digits};
use super::credentials::{Credentials, Protection};

impl Credentials<'_> {
    /// Does the response come from somebody who knows the password? `ha1` is the stored hash of
    /// user, realm and password, made with [`Algorithm::base`] of the algorithm used.
    ///
    /// Takes the same time wherever the first difference is. Realm, nonce, count and address are
    /// for the caller to judge.
    #[must_use]
    pub fn verify(&self, method: &str, ha1: &str, body: &[u8]) -> bool {
        let right = |protection: Option<&Protection<'_>>| {
            let (algorithm, nonce, uri) = (self.algorithm, &*self.nonce, &*self.uri);
            let parts = Parts { algorithm, nonce, uri, protection };
            equal(parts.response(method, ha1, body).as_bytes(), self.response.as_bytes())
        };
        match &self.protection {
            // Without a count it can't be told what the client hashed: the form of RFC 2069, or the
            // first count.
            Some(protection) if protection.written.is_empty() => {
                let first = Protection::new(protection.body, &protection.cnonce, 1);
                right(None) || right(Some(&first))
            }
            protection => right(protection.as_ref()),
        }
    }
}

/// What goes into a response besides the secret.
pub(super) struct Parts<'p> {
    pub(super) algorithm: Algorithm,
    pub(super) nonce: &'p str,
    pub(super) uri: &'p str,
    pub(super) protection: Option<&'p Protection<'p>>,
}

impl Parts<'_> {
    /// The response (RFC 7616 section 3.4.1).
    pub(super) fn response(&self, method: &str, ha1: &str, body: &[u8]) -> Digits {
        let hash = |parts: &[&[u8]]| self.algorithm.digits(parts);
        let nonce = self.nonce.as_bytes();
        let Some(protection) = self.protection else {
            let ha2 = hash(&[method.as_bytes(), self.uri.as_bytes()]);
            return hash(&[ha1.as_bytes(), nonce, ha2.as_bytes()]);
        };
        let cnonce = protection.cnonce.as_bytes();
        let session = self.algorithm.is_session().then(|| hash(&[ha1.as_bytes(), nonce, cnonce]));
        let ha1 = session.as_ref().map_or(ha1, Digits::as_str);
        let (qop, ha2) = if protection.body {
            let body = hash(&[body]);
            ("auth-int", hash(&[method.as_bytes(), self.uri.as_bytes(), body.as_bytes()]))
        } else {
            ("auth", hash(&[method.as_bytes(), self.uri.as_bytes()]))
        };
        let (count, ha2) = (protection.written.as_bytes(), ha2.as_bytes());
        hash(&[ha1.as_bytes(), nonce, count, cnonce, qop.as_bytes(), ha2])
    }
}

/// Compares hexadecimal text without case, in constant time.
fn equal(one: &[u8], two: &[u8]) -> bool {
    if one.len() != two.len() {
        return false;
    }
    let pairs = one.iter().zip(two);
    let difference =
        pairs.fold(0, |sum, (a, b)| sum | (a.to_ascii_lowercase() ^ b.to_ascii_lowercase()));
    core::hint::black_box(difference) == 0
}
