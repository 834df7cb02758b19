//! Secrets of devices, derived from one key of the cluster, so that 60,000 of them take no room
//! and a new one takes one counter.

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jackfield_vocabulary::{ObjectId, SecretText};
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::directory::Map;

/// The secrets of all devices.
#[derive(Clone)]
pub struct DeviceSecrets {
    /// The hash under the cluster's key, before it was given anything.
    keyed: Hmac<Sha256>,
    /// The generation of a device's secret, where it was ever replaced: counted up by one with each
    /// replacement by the house, and up to the next multiple of `ERA` when a secret was revoked.
    generations: Map<ObjectId, u32>,
    /// Secrets that an administrator chose, for devices that can take no other.
    explicit: Map<ObjectId, SecretText>,
}

/// A digest algorithm of RFC 8760.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// For phones that know no better.
    Md5,
    /// Where the phone can.
    Sha256,
}

/// Letters and digits that can't be taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// 24 characters of 5 bits: 120 bits. Some phones take no more than 30.
const LENGTH: usize = 24;

impl DeviceSecrets {
    /// Generations from one revocation to the next: more than a phone has owners.
    pub const ERA: u32 = 1 << 16;

    /// Secrets derived from the cluster's key.
    pub fn new(key: [u8; 32]) -> Self {
        let keyed = Hmac::new_from_slice(&key).expect("any length is a key");
        Self { keyed, generations: Map::default(), explicit: Map::default() }
    }

    /// Sets the generation of a device's secret, as the store keeps it.
    pub fn set_generation(&mut self, device: ObjectId, generation: u32) {
        self.generations.insert(device, generation);
    }

    /// The generation of a device's secret; 0 is the first.
    pub fn generation(&self, device: ObjectId) -> u32 {
        self.generations.get(&device).copied().unwrap_or(0)
    }

    /// Replaces a device's secret: whatever was made from the old one ends.
    pub fn rotate(&mut self, device: ObjectId) {
        let generation = self.generation(device).wrapping_add(1);
        self.generations.insert(device, generation);
        self.explicit.remove(&device);
    }

    /// Replaces a device's secret because a stranger may have it: who knew one before it is taken for
    /// the device no more.
    pub fn revoke(&mut self, device: ObjectId) {
        let era = self.generation(device) / Self::ERA;
        self.generations.insert(device, era.wrapping_add(1).wrapping_mul(Self::ERA));
        self.explicit.remove(&device);
    }

    /// Is who showed a device's secret of this generation taken for the device still? Not so once it
    /// was revoked.
    pub fn vouches(&self, device: ObjectId, generation: u32) -> bool {
        self.generation(device) / Self::ERA == generation / Self::ERA
    }

    /// Sets or removes a secret that an administrator chose.
    pub fn set_explicit(&mut self, device: ObjectId, secret: Option<SecretText>) {
        match secret {
            Some(secret) => drop(self.explicit.insert(device, secret)),
            None => drop(self.explicit.remove(&device)),
        }
    }

    /// The password with which a device registers.
    pub fn sip_password(&self, device: ObjectId) -> SecretText {
        match self.explicit.get(&device) {
            Some(secret) => secret.clone(),
            None => self.derived_password(device, self.generation(device)),
        }
    }

    /// The password that a device had before its last one was replaced. None where an administrator
    /// chose the present one, the one before was revoked, or it is the first.
    pub fn former_sip_password(&self, device: ObjectId) -> Option<SecretText> {
        if self.explicit.get(&device).is_some() {
            return None;
        }
        let before = self.generation(device).checked_sub(1)?;
        self.vouches(device, before).then(|| self.derived_password(device, before))
    }

    /// The password that a device had in an earlier generation; none where an administrator chose the
    /// present one, or that one was revoked.
    pub fn password_of(&self, device: ObjectId, generation: u32) -> Option<SecretText> {
        let earlier = generation < self.generation(device) && self.vouches(device, generation);
        let derived = self.explicit.get(&device).is_none();
        (earlier && derived).then(|| self.derived_password(device, generation))
    }

    /// What digest authentication keeps in place of a device's password: the hash over its name,
    /// the realm and the password, in hexadecimal.
    pub fn ha1(
        &self,
        device: ObjectId,
        name: &str,
        realm: &str,
        algorithm: DigestAlgorithm,
    ) -> SecretText {
        hash(name, realm, &self.sip_password(device), algorithm)
    }

    /// The same hash over the password that the device had before, by which one is recognised that
    /// has not heard of the new one. It goes back by one generation only, and to none that was revoked.
    pub fn former_ha1(
        &self,
        device: ObjectId,
        name: &str,
        realm: &str,
        algorithm: DigestAlgorithm,
    ) -> Option<SecretText> {
        Some(hash(name, realm, &self.former_sip_password(device)?, algorithm))
    }

    fn derived_password(&self, device: ObjectId, generation: u32) -> SecretText {
        let bits = self.derive(b"sip-password", device, generation);
        let letter = |bits: &u8| char::from(ALPHABET[usize::from(bits & 31)]);
        let mut password = String::with_capacity(LENGTH);
        password.extend(bits[..LENGTH].iter().map(letter));
        SecretText::new(password)
    }

    fn derive(&self, purpose: &[u8], device: ObjectId, generation: u32) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(purpose);
        mac.update(&device.0.to_be_bytes());
        mac.update(&generation.to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Those of a directory that nobody gave a key: the same everywhere, for tests and tools.
impl Default for DeviceSecrets {
    fn default() -> Self {
        Self::new([0; 32])
    }
}

impl fmt::Debug for DeviceSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecrets(redacted)")
    }
}

fn hash(name: &str, realm: &str, password: &SecretText, algorithm: DigestAlgorithm) -> SecretText {
    let text = [name, realm, password.reveal()].join(":");
    SecretText::new(match algorithm {
        DigestAlgorithm::Md5 => hexadecimal(&Md5::digest(text)),
        DigestAlgorithm::Sha256 => hexadecimal(&Sha256::digest(text)),
    })
}

/// Lower-case hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    let mut text = String::with_capacity(bytes.len() * 2);
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_one_password_until_it_is_rotated() {
        let mut secrets = DeviceSecrets::new([7; 32]);
        let (one, other) = (ObjectId(1), ObjectId(2));
        let first = secrets.sip_password(one);
        assert_eq!(first.reveal().len(), 24);
        assert_eq!(first, secrets.sip_password(one));
        assert_ne!(first, secrets.sip_password(other));
        assert_ne!(first, DeviceSecrets::new([8; 32]).sip_password(one));
        secrets.rotate(one);
        assert_ne!(first, secrets.sip_password(one));
        secrets.set_generation(one, 0);
        assert_eq!(first, secrets.sip_password(one));
    }

    #[test]
    fn the_secret_before_is_known_for_one_replacement() {
        let mut secrets = DeviceSecrets::new([7; 32]);
        let device = ObjectId(1);
        let first = secrets.sip_password(device);
        let md5 = DigestAlgorithm::Md5;
        let hash = secrets.ha1(device, "SEP1", "realm", md5);
        assert_eq!(secrets.former_sip_password(device), None);
        secrets.rotate(device);
        assert_eq!(secrets.former_sip_password(device), Some(first.clone()));
        assert_eq!(secrets.former_ha1(device, "SEP1", "realm", md5), Some(hash));
        secrets.set_explicit(device, Some(SecretText::new("hunter2")));
        assert_eq!(secrets.former_ha1(device, "SEP1", "realm", md5), None);
        secrets.rotate(device);
        assert_ne!(secrets.former_sip_password(device), Some(first), "two replacements ago");
    }

    #[test]
    fn a_secret_that_was_revoked_vouches_for_nobody_and_others_do() {
        let mut secrets = DeviceSecrets::new([7; 32]);
        let device = ObjectId(1);
        secrets.rotate(device);
        secrets.rotate(device);
        assert!(secrets.vouches(device, 0), "it had other owners meanwhile");
        let stolen = secrets.sip_password(device);
        secrets.revoke(device);
        assert_ne!(secrets.sip_password(device), stolen);
        assert_eq!(secrets.former_sip_password(device), None);
        let now = secrets.generation(device);
        assert!(secrets.vouches(device, now));
        assert!((0..3).all(|before| !secrets.vouches(device, before)));
        secrets.rotate(device);
        assert!(secrets.vouches(device, now) && secrets.former_sip_password(device).is_some());
        secrets.revoke(device);
        assert!(!secrets.vouches(device, now) && !secrets.vouches(device, now + 1));
    }

    #[test]
    fn nothing_secret_shows_in_debug() {
        let mut secrets = DeviceSecrets::new([7; 32]);
        secrets.set_explicit(ObjectId(1), Some(SecretText::new("hunter2")));
        assert_eq!(format!("{secrets:?}"), "DeviceSecrets(redacted)");
        assert_eq!(secrets.sip_password(ObjectId(1)).reveal(), "hunter2");
    }

    #[test]
    fn ha1_is_the_hash_of_name_realm_and_password() {
        let mut secrets = DeviceSecrets::new([0; 32]);
        secrets.set_explicit(ObjectId(1), Some(SecretText::new("Circle of Life")));
        // The example of RFC 7616, 3.9.1.
        let ha1 =
            |algorithm| secrets.ha1(ObjectId(1), "Mufasa", "http-auth@example.org", algorithm);
        assert_eq!(ha1(DigestAlgorithm::Md5).reveal(), "3d78807defe7de2157e2b0b6573a855f");
        assert_eq!(
            ha1(DigestAlgorithm::Sha256).reveal(),
            "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232",
        );
    }
}
