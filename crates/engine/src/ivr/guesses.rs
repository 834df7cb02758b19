//! How often one source may enter what is wrong. Who calls again and again, from ever new phones, would
//! else try all PINs, and lock everybody's. What is right costs nothing: many phones of one address are
//! provisioned at once.

use jackfield_vocabulary::share::{Figures, Holder, Pace, uses};
use jackfield_vocabulary::{Code, Command, Now, ProvisioningCommand, ProvisioningOutcome};
use serde::{Deserialize, Serialize};

/// Wrong entries by source; those of phones that proved themselves apart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Guesses {
    strangers: Pace,
    proved: Pace,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { strangers: uses::IVR_GUESSES.pace(), proved: uses::IVR_PROVED_GUESSES.pace() }
    }
}

impl Guesses {
    /// May somebody there have an entry checked, while so many others of the source are checked?
    pub(super) fn admits(&mut self, now: Now, holder: Holder, under_way: usize) -> bool {
        self.pace(holder).admits(now, holder.source) && under_way < AT_ONCE
    }

    /// What was checked was wrong, or nobody waited to hear whether it was.
    pub(super) fn was_wrong(&mut self, now: Now, holder: Holder) {
        self.pace(holder).charge(now, holder.source);
    }

    /// For the metrics page.
    pub(super) fn figures(&self) -> [Figures; 2] {
        [uses::IVR_GUESSES.figures(&self.strangers), uses::IVR_PROVED_GUESSES.figures(&self.proved)]
    }

    fn pace(&mut self, holder: Holder) -> &mut Pace {
        if holder.proved { &mut self.proved } else { &mut self.strangers }
    }
}

/// Does one of these have an entry checked?
pub(super) fn is_guess(commands: &[Command]) -> bool {
    let checks = |command: &Command| {
        matches!(command, Command::Provision(ProvisioningCommand::Authenticate { .. }))
    };
    commands.iter().any(checks)
}

/// Tells whether an entry was wrong, or whether nobody looked because its account is locked.
pub(super) fn is_wrong(outcome: &ProvisioningOutcome) -> bool {
    let wrong = [Code::WrongCredential, Code::Locked];
    matches!(outcome, ProvisioningOutcome::Refused(refusal) if wrong.contains(&refusal.code))
}

/// Entries of one source that may be checked at the same time: as many as there are calls by default.
const AT_ONCE: usize = 100;
