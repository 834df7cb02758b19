//! Backup and restore: one file for both databases, so that one kind can be restored as the other.
//!
//! The first line says what the file is and holds the key file's key, under a passphrase when
//! there is one; a line for each row follows; the last line counts the rows and holds a checksum
//! of everything before it. Secrets stand in it as in the database: sealed.

mod read;
mod table;
mod write;

use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jackfield_vocabulary::{SecretText, UnixTime};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::key::{Key, random_bytes};
use crate::settings::StoreSettings;

/// What was backed up or restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// When the backup was made.
    pub created: UnixTime,
    /// Rows in it.
    pub rows: u64,
    /// The key in it is protected by a passphrase.
    pub protected: bool,
}

/// Fewest characters of a new passphrase: whoever has the file tries short ones out.
pub const SHORTEST_PASSPHRASE: usize = 8;

/// Writes everything that is kept into one new file, while the server runs or not. `progress` is
/// told the number of rows from time to time. With a passphrase the key in the file is of no use
/// without it; without one, whoever has the file has every secret.
pub fn backup(
    settings: &StoreSettings,
    to: &Path,
    passphrase: Option<&SecretText>,
    progress: &mut dyn FnMut(u64),
) -> Result<BackupSummary, StoreError> {
    write::backup(settings, to, passphrase, progress)
}

/// Restores a backup into an empty database of either kind. An existing key file stays and is used
/// from then on; otherwise the backup's is written.
pub fn restore(
    settings: &StoreSettings,
    from: &Path,
    passphrase: Option<&SecretText>,
    progress: &mut dyn FnMut(u64),
) -> Result<BackupSummary, StoreError> {
    read::restore(settings, from, passphrase, progress)
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(rename = "jackfield-backup")]
    format: u32,
    /// For whoever looks into the file.
    note: String,
    schema: u32,
    created: UnixTime,
    key: HeldKey,
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct Footer {
    rows: u64,
    sha256: String,
}

/// The key file's key, as a backup holds it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "protection", rename_all = "kebab-case")]
enum HeldKey {
    /// As it is.
    None { key: String },
    /// Sealed by a key made from the passphrase with argon2id.
    Passphrase { salt: String, memory_kib: u32, passes: u32, sealed: String },
}

const FORMAT: u32 = 1;
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LABEL: &str = "backup-key";

impl HeldKey {
    fn hold(key: &Key, passphrase: Option<&SecretText>) -> Result<Self, StoreError> {
        let Some(passphrase) = passphrase else {
            return Ok(Self::None { key: STANDARD.encode(key.bytes()) });
        };
        let salt = random_bytes::<16>()?;
        let outer = stretch(passphrase, &salt, MEMORY_KIB, PASSES)?;
        Ok(Self::Passphrase {
            salt: STANDARD.encode(salt),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            sealed: STANDARD.encode(outer.seal(LABEL, key.bytes())?),
        })
    }

    fn release(&self, passphrase: Option<&SecretText>) -> Result<Key, String> {
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| DAMAGED.to_owned());
        let bytes = match (self, passphrase) {
            (Self::None { key }, _) => decode(key)?,
            (Self::Passphrase { .. }, None) => {
                return Err("its key is protected: the passphrase is needed (--passphrase)".into());
            }
            (Self::Passphrase { salt, memory_kib, passes, sealed }, Some(passphrase)) => {
                // A crafted file shall not take all the memory.
                let (memory, passes) = ((*memory_kib).min(1 << 20), (*passes).min(16));
                let outer = stretch(passphrase, &decode(salt)?, memory, passes)
                    .map_err(|error| error.to_string())?;
                outer.open(LABEL, &decode(sealed)?).map_err(|_| "the passphrase is wrong")?
            }
        };
        bytes.try_into().map(Key::from_bytes).map_err(|_| DAMAGED.into())
    }

    fn is_protected(&self) -> bool {
        matches!(self, Self::Passphrase { .. })
    }
}

const DAMAGED: &str = "its key is damaged";

fn stretch(
    passphrase: &SecretText,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
) -> Result<Key, StoreError> {
    let fault = |error: argon2::Error| StoreError::Fault(format!("passphrase: {error}"));
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(fault)?;
    let mut bytes = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.reveal().as_bytes(), salt, &mut bytes)
        .map_err(fault)?;
    Ok(Key::from_bytes(bytes))
}
