//! Secrets of devices, derived from one key of the cluster, so that 60,000 of them take no room
//! and a new one takes one counter.

use core::fmt;
use core::fmt::Write;

use hmac::{Hmac, Mac as _};
use jackfield_vocabulary::{ObjectId, SecretText};
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::directory::Map;

/// The secrets of all devices.
#[derive(Clone, Default)]
pub struct DeviceSecrets {
    key: [u8; 32],
    /// How often a secret was replaced, where it ever was.
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
    /// Secrets derived from the cluster's key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, ..Self::default() }
    }

    /// Sets how often a device's secret was replaced, as the store keeps it.
    pub fn set_generation(&mut self, device: ObjectId, generation: u32) {
        self.generations.insert(device, generation);
    }

    /// How often a device's secret was replaced.
    pub fn generation(&self, device: ObjectId) -> u32 {
        self.generations.get(&device).copied().unwrap_or(0)
    }

    /// Replaces a device's secret: whatever was made from the old one ends.
    pub fn rotate(&mut self, device: ObjectId) {
        let generation = self.generation(device).wrapping_add(1);
        self.generations.insert(device, generation);
        self.explicit.remove(&device);
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
        if let Some(secret) = self.explicit.get(&device) {
            return secret.clone();
        }
        let bits = self.derive(b"sip-password", device);
        let letter = |at: usize| {
            let index = usize::from(bits[at] & 31);
            char::from(ALPHABET[index])
        };
        SecretText::new((0..LENGTH).map(letter).collect::<String>())
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
        let password = self.sip_password(device);
        let text = format!("{name}:{realm}:{}", password.reveal());
        SecretText::new(match algorithm {
            DigestAlgorithm::Md5 => hexadecimal(&Md5::digest(text)),
            DigestAlgorithm::Sha256 => hexadecimal(&Sha256::digest(text)),
        })
    }

    fn derive(&self, purpose: &[u8], device: ObjectId) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length is a key");
        mac.update(purpose);
        mac.update(&device.0.to_be_bytes());
        mac.update(&self.generation(device).to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for DeviceSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecrets(redacted)")
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
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
