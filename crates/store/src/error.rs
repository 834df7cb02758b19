use std::path::Path;

use jackfield_vocabulary::{Code, Refusal};

use crate::database::DatabaseError;

/// Why the store could not do something, by what can be done about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database does not answer; nothing was changed. Try again.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The database was lost while it committed; whether it was done is not known.
    #[error("the database was lost while it committed: {0}")]
    Unknown(String),
    /// Too much is waiting; nothing was changed.
    #[error("too much is waiting for the database")]
    Overloaded,
    /// What was wanted breaks a rule; nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The key file can't be used.
    #[error("key file {path}: {message}")]
    KeyFile {
        /// Where it is looked for.
        path: Box<str>,
        /// What is wrong with it.
        message: String,
    },
    /// The settings can't be used.
    #[error("{0}")]
    Settings(String),
    /// The database or a backup holds what it should not.
    #[error("{0}")]
    Corrupt(String),
    /// A backup could not be written or read.
    #[error("backup {path}: {message}")]
    Backup {
        /// The file.
        path: Box<str>,
        /// What went wrong.
        message: String,
    },
    /// A fault of ours.
    #[error("{0}")]
    Fault(String),
}

impl StoreError {
    pub(crate) fn key_file(path: &Path, message: String) -> Self {
        Self::KeyFile { path: path.display().to_string().into(), message }
    }

    pub(crate) fn backup(path: &Path, message: impl ToString) -> Self {
        Self::Backup { path: path.display().to_string().into(), message: message.to_string() }
    }

    /// What whoever asked may read; the log gets the rest.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal.clone(),
            Self::Unavailable(_) => Refusal::new(Code::DatabaseUnavailable),
            Self::Unknown(_) => Refusal::new(Code::OutcomeUnknown),
            Self::Overloaded => Refusal::new(Code::Overloaded),
            _ => Refusal::new(Code::Internal),
        }
    }
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Lost(message) | DatabaseError::Busy(message) => {
                Self::Unavailable(message)
            }
            DatabaseError::Corrupt(message) => Self::Corrupt(message),
            other => Self::Fault(other.to_string()),
        }
    }
}

impl From<crate::key::Unsealable> for StoreError {
    fn from(error: crate::key::Unsealable) -> Self {
        Self::Corrupt(format!("{error}: is it the key file of this database?"))
    }
}
