//! Is the sender the device it says it is? By digest with the device's own secret (RFC 7616, 8760).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use jackfield_model::{DigestAlgorithm, Directory, Kind, Phone, SecurityProfile};
use jackfield_sip::digest::{Algorithm, Challenge, Credentials};
use jackfield_sip::{Flow, HeaderName, Message, Response, ResponseBuilder, Status, Uri};
use jackfield_vocabulary::{Code, Mac, ObjectId, Refusal, UnixTime};
use serde::{Deserialize, Serialize};

use super::Devices;
use super::claim::{Claim, Claimed};
use super::hardware;
use super::nonce::{Nonces, Uses, Worth};
use super::provisional::Belief;
use crate::context::Context;
use crate::endpoint::answer;

/// What proving came to.
pub(super) enum Proof {
    /// It has the device's secret; `fresh` when it shows that with a nonce never used before.
    Proved { device: ObjectId, fresh: bool },
    /// It has the device's secret, and this very request was carried out before: only its answer
    /// is sent again. What the digest does not cover may have been changed since.
    Repeated { device: ObjectId },
    /// It is believed without a secret.
    Trusted { device: ObjectId },
    /// It has the secret that the device had before, and registers: it has outdated settings.
    Outdated { device: ObjectId },
    /// It would be believed without a secret if it were known to be where it says.
    Doubtful,
    /// It would be believed without a secret if other nodes knew nothing against it.
    Unasked { device: ObjectId },
    /// It is a phone nobody knows; `there` when it is known to be where it says.
    Newcomer { mac: Mac, there: bool },
    /// It is sent away, or asked for more; `None` when it gets no answer.
    Refused(Option<Response>),
}

/// What is known of the secrets that devices have shown.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Authenticator {
    nonces: Nonces,
    devices: BTreeMap<ObjectId, Shown>,
}

/// What one device has shown.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Shown {
    uses: Uses,
    /// Hash of name, realm and password, so that it is not made anew for every refresh.
    hash: Option<(Algorithm, Box<str>)>,
    generation: u32,
}

impl Authenticator {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { nonces: Nonces::new(key), devices: BTreeMap::new() }
    }

    /// Has the device ever proved its secret, as far as this life of the node knows?
    pub(super) fn has_shown(&self, device: ObjectId) -> bool {
        self.devices.contains_key(&device)
    }

    /// The device's settings changed: what was made from them is made anew. If it has another
    /// secret now, tells which nonces it used with the one before.
    pub(super) fn changed(&mut self, directory: &Directory, device: ObjectId) -> Option<Uses> {
        let generation = directory.secrets().generation(device);
        let shown = self.devices.get_mut(&device)?;
        shown.hash = None;
        if shown.generation == generation {
            return None;
        }
        self.devices.remove(&device).map(|shown| shown.uses)
    }

    /// The nonces that are handed out.
    pub(super) fn nonces(&self) -> &Nonces {
        &self.nonces
    }

    /// What a nonce is worth that the device shows this often.
    fn judge(&self, now: UnixTime, device: ObjectId, nonce: &str, count: u32) -> Worth {
        match self.devices.get(&device) {
            Some(shown) => shown.uses.judge(&self.nonces, now, nonce, count),
            None => Uses::default().judge(&self.nonces, now, nonce, count),
        }
    }

    /// The realm changed.
    pub(super) fn forget_hashes(&mut self) {
        self.devices.values_mut().for_each(|shown| shown.hash = None);
    }

    /// The device is gone.
    pub(super) fn forget(&mut self, device: ObjectId) {
        self.devices.remove(&device);
    }
}

impl Devices {
    /// Proves who sent a request that may carry credentials; `answered` when somebody there has
    /// answered a question of ours.
    pub(super) fn prove(
        &mut self,
        ctx: &mut Context<'_>,
        (flow, answered): (&Flow, bool),
        request: &Message,
        claim: &Claim<'_>,
        claimed: Claimed,
    ) -> Proof {
        let cluster = self.cluster(ctx.directory);
        let realm = &cluster.sip_realm;
        let credentials = credentials(request, realm);
        if let Some(credentials) = &credentials {
            // Most phones register their own name: then it is looked up once.
            let named = match claimed {
                Claimed::Device(device) if claim.user == credentials.username => Some(device),
                _ => find_phone(ctx.directory, &credentials.username),
            };
            if let Some(device) = named {
                return self.check(ctx, flow, request, credentials, claimed, device);
            }
        }
        let there = answered || self.is_there(ctx, flow, credentials.as_ref());
        let belief = match claimed {
            Claimed::Device(device) => self.belief(ctx, flow, request, device),
            Claimed::Unknown(_) | Claimed::Nobody => Belief::None,
        };
        // Credentials for nobody of ours are those of a phone's former server: as good as none.
        match claimed {
            Claimed::Device(_) if belief == Belief::IfThere && !there => Proof::Doubtful,
            Claimed::Device(device) if belief != Belief::None => {
                self.believed_everywhere(ctx, flow, request, device)
            }
            Claimed::Unknown(mac) if !is_number(ctx.directory, &claim.user) => {
                Proof::Newcomer { mac, there }
            }
            Claimed::Device(_) | Claimed::Unknown(_) | Claimed::Nobody if credentials.is_some() => {
                self.wrong(ctx, flow, request, None, Refusal::new(Code::CredentialsOfNobody))
            }
            Claimed::Device(device) => {
                self.refusals.because(Refusal::new(Code::SecretNotShown));
                Proof::Refused(Some(self.challenge(ctx, request, Some(device), false)))
            }
            Claimed::Unknown(_) | Claimed::Nobody => {
                self.refusals.because(match claimed {
                    Claimed::Nobody => Refusal::new(Code::UnrecognisedPhone),
                    _ => Refusal::new(Code::SecretNotShown),
                });
                Proof::Refused(Some(self.challenge(ctx, request, None, false)))
            }
        }
    }

    /// Does the sender receive what is sent to where this came from? Over a connection it does, and
    /// so does whoever brings back what only that host was given.
    fn is_there(&self, ctx: &Context<'_>, flow: &Flow, shown: Option<&Credentials<'_>>) -> bool {
        let (now, host) = (ctx.now.wall, flow.remote.ip());
        let nonces = &self.authenticator.nonces;
        flow.connection.is_some()
            || shown.is_some_and(|shown| nonces.was_given_to(now, &shown.nonce, host))
    }

    /// Is the request theirs who are there? An answer from there does not say so: every phone gives it
    /// (RFC 3261 section 11.2), whoever wrote the request.
    pub(super) fn is_its_own(&mut self, ctx: &Context<'_>, flow: &Flow, request: &Message) -> bool {
        let cluster = self.cluster(ctx.directory);
        self.is_there(ctx, flow, credentials(request, &cluster.sip_realm).as_ref())
    }

    /// Asks for credentials.
    pub(super) fn challenge(
        &mut self,
        ctx: &mut Context<'_>,
        request: &Message,
        device: Option<ObjectId>,
        stale: bool,
    ) -> Response {
        ctx.count("challenges");
        let cluster = self.cluster(ctx.directory);
        let realm = &cluster.sip_realm;
        // A request that is sent again gets the same answer, though nothing is kept for it.
        let host = request.source().map_or(NOWHERE, |source| source.ip());
        let nonce = self.authenticator.nonces.make(ctx.now.wall, request.fingerprint(), host);
        let mut response = ResponseBuilder::reply_to(request, Status::UNAUTHORIZED)
            .text(HeaderName::Server, answer::SERVER);
        for algorithm in algorithms(ctx.directory, device) {
            let challenge = Challenge::new(realm, &nonce, *algorithm, stale);
            response = response.header(HeaderName::WwwAuthenticate, challenge);
        }
        response.finish()
    }

    /// Proves the device that credentials name.
    fn check(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        credentials: &Credentials<'_>,
        claimed: Claimed,
        device: ObjectId,
    ) -> Proof {
        if !addresses(request, &credentials.uri) {
            let response = answer::refuse(request, Status::BAD_REQUEST, "Digest for another URI");
            return Proof::Refused(Some(response));
        }
        let count = credentials.protection.as_ref().map_or(1, |protection| protection.count);
        let worth = self.authenticator.judge(ctx.now.wall, device, &credentials.nonce, count);
        // The same request again: its answer was lost, and it is answered the same way.
        let again = worth == Worth::Replayed && self.is_repeated(device, request);
        if worth != Worth::Good && !again {
            return Proof::Refused(Some(self.challenge(ctx, request, Some(device), true)));
        }
        let right = self.is_right(ctx, device, request, credentials);
        if !right || !is_of(claimed, device, &credentials.username) {
            // A number that it had may be another device's by now.
            let outdated = self.outdated(ctx, device, request, credentials);
            return outdated.unwrap_or_else(|| match right {
                true => self.of_another(ctx, flow, request, device),
                false => {
                    self.wrong(ctx, flow, request, Some(device), Refusal::new(Code::WrongSecret))
                }
            });
        }
        if again {
            return Proof::Repeated { device };
        }
        let shown = self.authenticator.devices.entry(device).or_default();
        let fresh = shown.uses.take(&credentials.nonce, count);
        self.provisional.no_longer_asked(device);
        Proof::Proved { device, fresh }
    }

    /// Compares the hash; makes the device's own and keeps it when it was right.
    fn is_right(
        &mut self,
        ctx: &Context<'_>,
        device: ObjectId,
        request: &Message,
        credentials: &Credentials<'_>,
    ) -> bool {
        let base = credentials.algorithm.base();
        let method = request.method().map_or("", |method| method.as_str());
        let right = |hash: &str| credentials.verify(method, hash, request.body());
        let secrets = ctx.directory.secrets();
        // The hash is over the name as the phone writes it.
        let phone = ctx.directory.typed::<Phone>(device);
        let usual = phone.is_some_and(|phone| *phone.name == *credentials.username);
        let kept = self.authenticator.devices.get(&device).and_then(|shown| shown.hash.as_ref());
        if let Some((_, hash)) = kept.filter(|(algorithm, _)| usual && *algorithm == base) {
            return right(hash);
        }
        let (name, realm) = (&credentials.username, &credentials.realm);
        let hash = secrets.ha1(device, name, realm, hashed_with(base));
        let hash = hash.reveal();
        if !right(hash) {
            return false;
        }
        let shown = self.authenticator.devices.entry(device).or_default();
        shown.generation = secrets.generation(device);
        shown.hash = usual.then(|| (base, hash.into()));
        true
    }

    /// The same REGISTER as the last one.
    fn is_repeated(&self, device: ObjectId, request: &Message) -> bool {
        let Some(binding) = self.bindings.get(&device) else { return false };
        let Ok(cseq) = request.cseq() else { return false };
        binding.lines.iter().any(|line| {
            line.sequence == cseq.number
                && &*line.call_id == request.call_id()
                && cseq.method == jackfield_sip::Method::Register
        })
    }
}

/// The algorithm of the hash over name, realm and password.
pub(super) fn hashed_with(algorithm: Algorithm) -> DigestAlgorithm {
    match algorithm {
        Algorithm::Sha256 | Algorithm::Sha256Sess => DigestAlgorithm::Sha256,
        Algorithm::Md5 | Algorithm::Md5Sess => DigestAlgorithm::Md5,
    }
}

/// Does the request carry credentials of a phone of ours? Those for others are none of ours.
pub(super) fn has_credentials(directory: &Directory, request: &Message, realm: &str) -> bool {
    let credentials = credentials(request, realm);
    credentials.is_some_and(|read| find_phone(directory, &read.username).is_some())
}

/// Are the credentials, which name this device, those of whom the request claims to be from?
fn is_of(claimed: Claimed, device: ObjectId, username: &str) -> bool {
    match claimed {
        Claimed::Device(claimed) => claimed == device,
        Claimed::Unknown(mac) => hardware::in_name(user_of(username)).is_none_or(|own| own == mac),
        Claimed::Nobody => true,
    }
}

/// The phone that credentials name; some phones write the domain behind it.
fn find_phone(directory: &Directory, username: &str) -> Option<ObjectId> {
    directory.find(Kind::Phone, username).or_else(|| directory.find(Kind::Phone, user_of(username)))
}

fn user_of(username: &str) -> &str {
    username.split_once('@').map_or(username, |(user, _)| user)
}

/// The credentials for our realm, if there are any that can be read.
fn credentials<'m>(request: &'m Message, realm: &str) -> Option<Credentials<'m>> {
    let all = request.all(HeaderName::Authorization);
    let mut all = all.chain(request.all(HeaderName::ProxyAuthorization)).take(4);
    all.find_map(|value| Credentials::parse(value).ok().filter(|read| *read.realm == *realm))
}

/// Is the hashed URI at the host that the request goes to? Phones write it in more than one way,
/// some without the user; the nonce count keeps credentials from being used for another request.
fn addresses(request: &Message, uri: &str) -> bool {
    if request.raw_uri() == uri {
        return true;
    }
    match (request.uri(), Uri::parse(uri)) {
        (Ok(Uri::Sip(one)), Ok(Uri::Sip(other))) => one.at.host == other.at.host,
        (Ok(one), Ok(other)) => one.matches(&other),
        _ => false,
    }
}

/// Many phones know MD5 only and stumble over a challenge for anything else, so SHA-256 is offered
/// where the security profile says so.
fn algorithms(directory: &Directory, device: Option<ObjectId>) -> &'static [Algorithm] {
    let phone = device.and_then(|device| directory.typed::<Phone>(device));
    let profile = phone.and_then(|phone| directory.get::<SecurityProfile>(phone.security_profile));
    if profile.is_some_and(|profile| profile.sha256) {
        &[Algorithm::Sha256, Algorithm::Md5]
    } else {
        &[Algorithm::Md5]
    }
}

/// Is the user a number of ours? Then it is a phone with a secret, whatever else it says.
fn is_number(directory: &Directory, user: &str) -> bool {
    hardware::in_name(user).is_none() && directory.lines_with(user).next().is_some()
}

/// Where a request comes from that came from no network.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
