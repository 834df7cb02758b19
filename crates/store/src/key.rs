//! Keys. The key file holds the outermost key and never leaves the machine except in a backup; it
//! wraps the data key, which stands in the database and seals every secret there. Who has the
//! database without the key file has no secret.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::StoreError;

/// A key that seals and opens secrets.
#[derive(Clone)]
pub(crate) struct Key {
    bytes: [u8; 32],
}

/// What to do about a key file that is not there.
const NO_KEY: &str = "it is not there, and the database has secrets already, which only their own key \
     opens. Every node of a cluster has the same key file: copy `key` from the data folder of a node \
     that runs on this database (mode 600). Where there is none, a backup has it: restore one into an \
     empty place";

/// What was sealed does not open: another key, or changed on the way.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a sealed secret does not open with this key")]
pub(crate) struct Unsealable;

impl Key {
    /// A new one.
    pub(crate) fn random() -> Result<Self, StoreError> {
        random_bytes().map(|bytes| Self { bytes })
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes }
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Reads the key file, or makes it when it is not there and may be made.
    pub(crate) fn from_file(path: &Path, may_make: bool) -> Result<Self, StoreError> {
        match File::open(path) {
            Ok(file) => Self::read(file, path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_make => {
                let key = Self::random()?;
                key.write(path)?;
                Ok(key)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::key_file(path, NO_KEY.into()))
            }
            Err(error) => Err(StoreError::key_file(path, error.to_string())),
        }
    }

    /// Writes the key file, readable by its owner only; refuses to replace one.
    pub(crate) fn write(&self, path: &Path) -> Result<(), StoreError> {
        let failed = |error: std::io::Error| StoreError::key_file(path, error.to_string());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        file.write_all(self.file_text().as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(())
    }

    /// Seals a secret; it opens only under the same `label`, so that it can't be moved elsewhere.
    pub(crate) fn seal(&self, label: &str, secret: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; 24] = random_bytes()?;
        let payload = Payload { msg: secret, aad: label.as_bytes() };
        let sealed = XChaCha20Poly1305::new((&self.bytes).into())
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| StoreError::Fault("sealing a secret failed".into()))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Self::seal`] made.
    pub(crate) fn open(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (nonce, sealed) = sealed.split_at_checked(24).ok_or(Unsealable)?;
        let payload = Payload { msg: sealed, aad: label.as_bytes() };
        XChaCha20Poly1305::new((&self.bytes).into())
            .decrypt(XNonce::from_slice(nonce), payload)
            .map_err(|_| Unsealable)
    }

    fn read(mut file: File, path: &Path) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| StoreError::key_file(path, error.to_string());
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(StoreError::key_file(
                path,
                format!("others may read it (mode {:o}); chmod 600 it", mode & 0o777),
            ));
        }
        let mut text = String::new();
        Read::by_ref(&mut file).take(4096).read_to_string(&mut text).map_err(failed)?;
        Self::parse(&text)
            .ok_or_else(|| StoreError::key_file(path, "it holds no key of ours".into()))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find(|line| !line.starts_with('#') && !line.trim().is_empty())?;
        let bytes = STANDARD.decode(line.trim().strip_prefix("jackfield-key:")?).ok()?;
        Some(Self { bytes: bytes.try_into().ok()? })
    }

    pub(crate) fn file_text(&self) -> String {
        format!(
            "# The key to every secret in Jackfield's database. Without it passwords, PINs and\n\
             # device secrets are lost; with it and the database they are open. Keep a copy in a\n\
             # safe place (`jackfield backup` puts one into the backup); give every node of a\n\
             # cluster the same one; let nobody else read it.\n\
             jackfield-key:{}\n",
            STANDARD.encode(self.bytes)
        )
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Fault(format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_label_only() {
        let key = Key::random().unwrap();
        let sealed = key.seal("17 pin", b"secret").unwrap();
        assert_eq!(key.open("17 pin", &sealed).unwrap(), b"secret");
        assert!(key.open("18 pin", &sealed).is_err());
        assert!(Key::random().unwrap().open("17 pin", &sealed).is_err());
        assert!(key.open("17 pin", &sealed[..20]).is_err());
        assert!(!format!("{key:?}").contains(&STANDARD.encode(key.bytes())));
    }

    #[test]
    fn a_key_file_is_the_owners_only_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/key");
        let key = Key::from_file(&path, true).unwrap();
        assert_eq!(Key::from_file(&path, false).unwrap().bytes(), key.bytes());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(key.write(&path).is_err());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(Key::from_file(&path, true).unwrap_err().to_string().contains("chmod 600"));
    }
}
