//! The client's side: answers a challenge.

use super::algorithm::Algorithm;
use super::challenge::Challenge;
use super::credentials::{Credentials, Protection};
use super::verify::Parts;

/// What a client knows and wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Login<'l> {
    /// The user.
    pub username: &'l str,
    /// The password.
    pub password: &'l str,
    /// The method of the request.
    pub method: &'l str,
    /// The Request-URI.
    pub uri: &'l str,
    /// A nonce of the client's own, new for each answer.
    pub cnonce: &'l str,
    /// How often the server's nonce was used, this time included.
    pub count: u32,
    /// The body, for `auth-int`.
    pub body: &'l [u8],
}

impl Challenge {
    /// The credentials that answer this challenge; `None` when it asks for an unknown algorithm.
    #[must_use]
    pub fn answer(&self, login: &Login<'_>) -> Option<Credentials<'static>> {
        let algorithm = self.algorithm?;
        let protection = (self.qop_auth || self.qop_auth_int)
            .then(|| Protection::new(!self.qop_auth, login.cnonce, login.count));
        if protection.is_none() && algorithm.is_session() {
            return None;
        }
        let ha1 = algorithm.ha1(login.username, &self.realm, login.password);
        let parts = Parts {
            algorithm,
            nonce: &self.nonce,
            uri: login.uri,
            protection: protection.as_ref(),
        };
        let response = parts.response(login.method, &ha1, login.body);
        Some(Credentials {
            username: login.username.to_owned().into(),
            realm: self.realm.to_string().into(),
            nonce: self.nonce.to_string().into(),
            uri: login.uri.to_owned().into(),
            response: response.as_str().to_owned().into(),
            algorithm,
            protection,
            opaque: self.opaque.as_ref().map(|opaque| opaque.to_string().into()),
        })
    }

    /// The strongest of several challenges that can be answered.
    #[must_use]
    pub fn strongest(challenges: &[Self]) -> Option<&Self> {
        let known = challenges.iter().filter(|challenge| challenge.algorithm.is_some());
        // The first one wins among equals, as the server sorted them (RFC 8760 section 2.4).
        known.rev().max_by_key(|challenge| challenge.algorithm.map(Algorithm::base))
    }
}
