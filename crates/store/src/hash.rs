//! Hashes of credentials, in PHC form. Passwords get the full cost. PINs and codes are so short
//! that no cost would protect them: their hashes are keyed with a secret of the cluster, so that
//! a stolen database says nothing, and light; the lock is the protection against guessing.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use jackfield_model::CredentialKind;
use jackfield_vocabulary::SecretText;
use sha2::Sha256;

use crate::StoreError;
use crate::key::{Key, random_bytes};

/// Longest secret that is looked at.
const LONGEST: usize = 1024;

/// Makes the hash under which a credential is stored.
pub(crate) fn make(
    pepper: &Key,
    kind: CredentialKind,
    secret: &SecretText,
) -> Result<SecretText, StoreError> {
    let salt = SaltString::encode_b64(&random_bytes::<16>()?).map_err(fault)?;
    let hash = argon2(kind)?.hash_password(&input(pepper, kind, secret), &salt).map_err(fault)?;
    Ok(SecretText::new(hash.to_string()))
}

/// Compares a secret with a hash; takes as long when there is none.
pub(crate) fn check(
    pepper: &Key,
    kind: CredentialKind,
    secret: &SecretText,
    hash: Option<&[u8]>,
) -> Result<bool, StoreError> {
    let Some(hash) = hash else {
        make(pepper, kind, secret)?;
        return Ok(false);
    };
    let text = std::str::from_utf8(hash).map_err(fault)?;
    let hash = PasswordHash::new(text).map_err(fault)?;
    let input = input(pepper, kind, secret);
    Ok(secret.reveal().len() <= LONGEST && argon2(kind)?.verify_password(&input, &hash).is_ok())
}

fn input(pepper: &Key, kind: CredentialKind, secret: &SecretText) -> Vec<u8> {
    let secret = secret.reveal().as_bytes();
    let secret = &secret[..secret.len().min(LONGEST)];
    if kind == CredentialKind::Password {
        return secret.to_vec();
    }
    keyed(pepper, secret).to_vec()
}

/// A digest that says nothing to who does not have the key.
pub(crate) fn keyed(pepper: &Key, text: &[u8]) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(pepper.bytes()).expect("any length is a key for HMAC");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn argon2(kind: CredentialKind) -> Result<Argon2<'static>, StoreError> {
    let params = match kind {
        CredentialKind::Password => Params::new(19 * 1024, 2, 1, None),
        CredentialKind::Pin | CredentialKind::Code => Params::new(2 * 1024, 1, 1, None),
    };
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(fault)?))
}

fn fault(error: impl std::fmt::Display) -> StoreError {
    StoreError::Fault(format!("hash of a credential: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_secret_passes_and_a_pin_needs_the_pepper_too() {
        let (pepper, other) = (Key::random().unwrap(), Key::random().unwrap());
        for kind in [CredentialKind::Password, CredentialKind::Pin, CredentialKind::Code] {
            let right = SecretText::new("12345");
            let hash = make(&pepper, kind, &right).unwrap();
            let hash = hash.reveal().as_bytes();
            assert!(hash.starts_with(b"$argon2id$"));
            assert!(check(&pepper, kind, &right, Some(hash)).unwrap());
            assert!(!check(&pepper, kind, &SecretText::new("12346"), Some(hash)).unwrap());
            assert!(!check(&pepper, kind, &right, None).unwrap());
            let keyed = kind != CredentialKind::Password;
            assert_eq!(check(&other, kind, &right, Some(hash)).unwrap(), !keyed);
        }
    }
}
