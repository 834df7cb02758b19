//! The client side of digest authentication, with a nonce held as long as the server likes it.

use jackfield_sip::Header;
use jackfield_sip::digest::{Algorithm, Challenge, Credentials, Protection};
use jackfield_sip::header::{ProxyAuthenticate, WwwAuthenticate};
use jackfield_sip::{HeaderName, Message, Method, RequestBuilder, Status};

use crate::random::Random;

/// User, password and the challenge that is being answered.
#[derive(Clone, Debug)]
pub(crate) struct Authenticator {
    user: Box<str>,
    password: Secret,
    held: Option<Held>,
}

#[derive(Clone)]
struct Secret(Box<str>);

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("…")
    }
}

#[derive(Clone, Debug)]
struct Held {
    challenge: Challenge,
    algorithm: Algorithm,
    proxy: bool,
    cnonce: Box<str>,
    count: u32,
    /// The server accepted an answer made with this nonce.
    proven: bool,
}

/// What to do about a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Ask again with an answer.
    Again,
    /// The password is wrong or there is none.
    Hopeless(&'static str),
}

impl Authenticator {
    pub(crate) fn new(user: &str, password: &str) -> Self {
        Self { user: user.into(), password: Secret(password.into()), held: None }
    }

    /// Takes a 401 or 407.
    pub(crate) fn challenged(&mut self, response: &Message, random: &mut Random) -> Verdict {
        let Some((challenge, algorithm, proxy)) = strongest(response) else {
            return Verdict::Hopeless("challenge not understood");
        };
        if self.password.0.is_empty() {
            return Verdict::Hopeless("the server wants a password and the phone has none");
        }
        // An answer that was never accepted and is not said to be stale is a wrong one. A nonce that
        // was good once and is not any more is a matter of age, said or not.
        let refused = self.held.as_ref().is_some_and(|held| {
            held.count > 0 && !held.proven && !challenge.stale && held.proxy == proxy
        });
        if refused {
            self.held = None;
            return Verdict::Hopeless("wrong user or password");
        }
        let cnonce = random.hex(16).into();
        self.held = Some(Held { challenge, algorithm, proxy, cnonce, count: 0, proven: false });
        Verdict::Again
    }

    /// The server was content.
    pub(crate) fn accepted(&mut self) {
        if let Some(held) = &mut self.held {
            held.proven = true;
        }
    }

    /// Adds the answer to the held challenge, if there is one.
    pub(crate) fn sign(&mut self, request: &mut RequestBuilder) {
        let (method, uri) = (request.method().clone(), request.uri().to_owned());
        let Some((proxy, credentials)) = self.credentials(&method, &uri) else { return };
        let name = if proxy { HeaderName::ProxyAuthorization } else { HeaderName::Authorization };
        request.push(name, credentials);
    }

    fn credentials(&mut self, method: &Method, uri: &str) -> Option<(bool, Credentials<'static>)> {
        let held = self.held.as_mut()?;
        held.count += 1;
        let challenge = &held.challenge;
        let algorithm = held.algorithm;
        let mut ha1 = algorithm.ha1(&self.user, &challenge.realm, &self.password.0);
        if algorithm.is_session() {
            ha1 = algorithm.hash(&[
                ha1.as_bytes(),
                challenge.nonce.as_bytes(),
                held.cnonce.as_bytes(),
            ]);
        }
        let ha2 = algorithm.hash(&[method.as_str().as_bytes(), uri.as_bytes()]);
        let count = format!("{:08x}", held.count);
        let (response, protection) = if challenge.qop_auth {
            let response = algorithm.hash(&[
                ha1.as_bytes(),
                challenge.nonce.as_bytes(),
                count.as_bytes(),
                held.cnonce.as_bytes(),
                b"auth",
                ha2.as_bytes(),
            ]);
            (response, Some(Protection::new(false, &held.cnonce, held.count)))
        } else {
            let parts = [ha1.as_bytes(), challenge.nonce.as_bytes(), ha2.as_bytes()];
            (algorithm.hash(&parts), None)
        };
        Some((
            held.proxy,
            Credentials {
                username: self.user.to_string().into(),
                realm: challenge.realm.to_string().into(),
                nonce: challenge.nonce.to_string().into(),
                uri: uri.to_owned().into(),
                response: response.into(),
                algorithm,
                protection,
                opaque: challenge.opaque.as_ref().map(|opaque| opaque.to_string().into()),
            },
        ))
    }
}

/// The challenge with the best hash that this phone knows.
fn strongest(response: &Message) -> Option<(Challenge, Algorithm, bool)> {
    let proxy = response.status() == Some(Status::PROXY_AUTHENTICATION_REQUIRED);
    let name = if proxy { HeaderName::ProxyAuthenticate } else { HeaderName::WwwAuthenticate };
    response
        .all(name)
        .filter_map(|value| {
            let challenge = if proxy {
                ProxyAuthenticate::parse(value).ok()?.0
            } else {
                WwwAuthenticate::parse(value).ok()?.0
            };
            let usable = challenge.qop_auth || !challenge.qop_auth_int;
            let algorithm = challenge.algorithm.filter(|_| usable)?;
            Some((challenge, algorithm, proxy))
        })
        .max_by_key(|(_, algorithm, _)| *algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(nonce: &str, more: &str) -> Message {
        let text = format!(
            "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n\
             WWW-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\"{more}\r\nContent-Length: 0\r\n\r\n"
        );
        Message::parse_datagram(text.as_bytes()).unwrap()
    }

    fn signed(authenticator: &mut Authenticator) -> Credentials<'static> {
        authenticator.credentials(&Method::Invite, "sip:x").unwrap().1
    }

    /// The example of RFC 2617 section 3.5 without its body.
    #[test]
    fn the_response_of_the_rfc() {
        let mut authenticator = Authenticator::new("Mufasa", "Circle Of Life");
        let message = challenge("dcd98b7102dd2f0e8b11d0f600bfb0c093", ", qop=\"auth\"");
        assert_eq!(authenticator.challenged(&message, &mut Random::new(1)), Verdict::Again);
        let held = authenticator.held.as_mut().unwrap();
        held.cnonce = "0a4f113b".into();
        held.challenge.realm = "testrealm@host.com".into();
        let credentials =
            authenticator.credentials(&Method::Other("GET".into()), "/dir/index.html").unwrap().1;
        assert_eq!(&*credentials.response, "6629fae49393a05397450978507c4ef1");
    }

    #[test]
    fn the_count_rises_as_long_as_the_nonce_is_held() {
        let mut authenticator = Authenticator::new("a", "p");
        let mut random = Random::new(1);
        authenticator.challenged(&challenge("n1", ", qop=\"auth\""), &mut random);
        assert_eq!(signed(&mut authenticator).protection.unwrap().count, 1);
        authenticator.accepted();
        assert_eq!(signed(&mut authenticator).protection.unwrap().count, 2);
        let stale = challenge("n2", ", qop=\"auth\", stale=true");
        assert_eq!(authenticator.challenged(&stale, &mut random), Verdict::Again);
        assert_eq!(signed(&mut authenticator).protection.unwrap().count, 1);
    }

    #[test]
    fn a_refused_answer_is_not_given_again() {
        let mut authenticator = Authenticator::new("a", "p");
        let mut random = Random::new(1);
        authenticator.challenged(&challenge("n1", ", qop=\"auth\""), &mut random);
        signed(&mut authenticator);
        let again = authenticator.challenged(&challenge("n2", ", qop=\"auth\""), &mut random);
        assert_eq!(again, Verdict::Hopeless("wrong user or password"));
        let mut none = Authenticator::new("a", "");
        assert!(matches!(none.challenged(&challenge("n", ""), &mut random), Verdict::Hopeless(_)));
    }
}
