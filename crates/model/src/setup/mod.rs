//! What is set up and what is still missing, as pure questions to the directory and to what runs.

mod alarm;
mod change;
mod checklist;
mod command;
mod concern;
mod explain;
mod leaving;
mod number;
mod off;
mod pilot;
mod place;
mod shadow;
mod status;

use serde::Serialize;

use crate::Service;

pub use alarm::explain_alarm;
pub use change::{left_unchanged, phones_to_restart};
pub use checklist::{Step, StepState, flow_of_nine, flow_of_six, optional_steps};
pub use command::quoted;
pub use concern::concerns;
pub use explain::{
    AccountLock, Finding, Refused, Seen, Served, explain_device, explain_lock, explain_refused,
    explain_stranger, explain_user,
};
pub use leaving::{callers, holders, left_behind, left_by};
pub use number::{Number, explain_number, user_of_number};
pub use off::ivr_failure;
pub use place::{Place, SipPorts, misplaced};
pub use status::{Status, application_user_warnings, route_point_note, shortages, status};

/// What the directory can't know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Running<'a> {
    /// The services that run on the publisher (SP-60).
    pub services: &'a [Service],
    /// The state of the IVR in its own word, as `waiting` or `in-service`; none where nobody asked.
    pub ivr: Option<&'a str>,
    /// The chosen application user has a password.
    pub application_user_has_password: bool,
    /// Settings were saved after the IVR service started (SP-19); none where only another node knows.
    pub restart_needed: Option<bool>,
}

impl Running<'_> {
    fn runs(&self, service: Service) -> bool {
        self.services.contains(&service)
    }
}

/// How loudly something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Something will not work.
    Warning,
}

/// A sentence of the status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// How loudly.
    pub severity: Severity,
    /// The sentence.
    pub text: String,
}

impl Notice {
    fn note(text: String) -> Self {
        Self { severity: Severity::Note, text }
    }

    fn warning(text: String) -> Self {
        Self { severity: Severity::Warning, text }
    }
}
