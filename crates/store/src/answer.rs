use jackfield_model::Outcome;
use jackfield_vocabulary::Refusal;

use crate::StoreError;

/// What became of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is committed, and will be there after any crash.
    Committed(Outcome),
    /// It breaks a rule; nothing was changed.
    Refused(Refusal),
    /// It was never carried out and, from this answer on, never will be.
    NeverSeen,
    /// The database does not answer. A submitted operation was not begun; an inquiry has no answer
    /// yet.
    Unavailable,
    /// The database was lost while it committed: inquire.
    Unknown,
}

impl Answer {
    /// The answer to an operation that was not begun.
    pub(crate) fn not_begun(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            other => Self::Refused(other.refusal()),
        }
    }
}
