//! How transactions are told apart (RFC 3261 sections 17.1.3 and 17.2.3).

use core::hash::{BuildHasherDefault, Hash, Hasher};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::header::{CSeq, Via};
use crate::message::{Essentials, Message};
use crate::method::Method;
use crate::siphash::siphash;
use crate::uri::Host;

/// Names a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Hash)]
pub struct ServerKey(pub(super) Fingerprint);

/// Names a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Hash)]
pub struct ClientKey(pub(super) Fingerprint);

/// A keyed hash of what makes two messages belong together. With 128 bits and a secret key,
/// nobody can make two that agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Fingerprint([u64; 2]);

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// Maps whose keys are fingerprints. Their order never shows: whoever walks one sorts first.
#[expect(clippy::disallowed_types, reason = "the hasher is fixed; walks are sorted")]
pub(super) type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Taken>>;

/// A hasher for keys that are hashes already.
#[derive(Clone, Default)]
pub(super) struct Taken(u64);

impl Hasher for Taken {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, b| sum.rotate_left(8) ^ u64::from(*b));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Makes fingerprints.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Keys {
    secret: [u64; 2],
    #[serde(skip)]
    scratch: Vec<u8>,
}

impl Keys {
    pub(super) fn new(secret: [u64; 2]) -> Self {
        Self { secret, scratch: Vec::new() }
    }

    /// The server transaction a request belongs to. ACK and CANCEL find their INVITE when
    /// `method` says INVITE.
    pub(super) fn server(
        &mut self,
        message: &Message,
        essentials: &Essentials,
        method: &Method,
    ) -> ServerKey {
        self.begin(method.as_str());
        self.add_sent_by(&essentials.via);
        if essentials.via.has_unique_branch() {
            self.add(essentials.via.branch().unwrap_or_default());
        } else {
            // RFC 2543. The tag of To is left out, for an ACK carries the one of the answer.
            self.add(message.raw_uri());
            self.add(essentials.from.tag().unwrap_or_default());
            self.add(&essentials.call_id);
            self.scratch.extend_from_slice(&essentials.cseq.number.to_le_bytes());
            self.add(essentials.via.params.as_str());
        }
        ServerKey(self.end())
    }

    /// The client transaction of a branch and method.
    pub(super) fn client(&mut self, branch: &str, method: &Method) -> ClientKey {
        self.begin(method.as_str());
        self.add(branch);
        ClientKey(self.end())
    }

    /// What an INVITE, its ACK for a 2xx, and a copy of it that took another way have in common.
    pub(super) fn invite(&mut self, essentials: &Essentials) -> Fingerprint {
        let CSeq { number, .. } = essentials.cseq;
        self.begin("invite");
        self.add(&essentials.call_id);
        self.add(essentials.from.tag().unwrap_or_default());
        self.scratch.extend_from_slice(&number.to_le_bytes());
        self.end()
    }

    fn begin(&mut self, text: &str) {
        self.scratch.clear();
        self.add(text);
    }

    fn add(&mut self, text: &str) {
        self.scratch.extend_from_slice(text.as_bytes());
        self.scratch.push(0xff);
    }

    fn add_sent_by(&mut self, via: &Via) {
        match &via.sent_by.host {
            Host::Name(name) => {
                self.scratch.extend(name.bytes().map(|b| b.to_ascii_lowercase()));
            }
            Host::Address(IpAddr::V4(address)) => self.scratch.extend(address.octets()),
            Host::Address(IpAddr::V6(address)) => self.scratch.extend(address.octets()),
        }
        self.scratch.push(0xff);
        self.scratch.extend(via.sent_by.port.unwrap_or_default().to_le_bytes());
    }

    fn end(&mut self) -> Fingerprint {
        Fingerprint(siphash(self.secret, &self.scratch))
    }
}

/// Writes a map as a sorted list and reads it back.
pub(super) mod sorted {
    use super::{Deserialize, Map, Serialize};
    use core::hash::Hash;
    use serde::{Deserializer, Serializer};

    pub(in super::super) fn serialize<K, V, S>(
        map: &Map<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error>
    where
        K: Serialize + Ord,
        V: Serialize,
        S: Serializer,
    {
        let mut list: Vec<_> = map.iter().collect();
        list.sort_by_key(|(key, _)| *key);
        list.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, K, V, D>(
        deserializer: D,
    ) -> Result<Map<K, V>, D::Error>
    where
        K: Deserialize<'de> + Eq + Hash,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
