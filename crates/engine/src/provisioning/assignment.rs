//! The assignment itself: submitted once, asked for until its outcome is known, and followed by the
//! phone's restart when it was committed.

use core::time::Duration;
use std::sync::Arc;

use jackfield_model::{Operation, Outcome, ProvenBy};
use jackfield_vocabulary::{
    Code, DeviceRestart, Now, ObjectId, OperationId, ProvisioningOutcome, Refusal,
};
use serde::{Deserialize, Serialize};

use super::{Client, Phone, Provisioning, actor, note_refusal, refuse, tell};
use crate::context::{Asker, Context, Internal, Timer, TimerToken};
use crate::interface::{Access, Decision, Level, Output};

/// An assignment whose outcome is not known yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Assignment {
    client: Client,
    phone: Phone,
    user: ObjectId,
    submitted: Now,
    /// Whoever waited has been told that nobody knows.
    given_up: bool,
    /// How long to wait before the next question.
    backoff: Duration,
    patience: TimerToken,
}

impl Provisioning {
    /// Assigns a phone in the session that proved for whom.
    pub(super) fn assign_proven(
        &mut self,
        context: &mut Context<'_>,
        client: Client,
        phone: Phone,
        user: ObjectId,
    ) {
        let Client::Session { session, .. } = client else { return };
        let fits = |proof: &super::Proof| proof.session == session && proof.user == user;
        if !self.proofs.get(&phone.id).is_some_and(fits) {
            let refusal = Refusal::new(Code::Unauthenticated).value("name", &phone.name);
            return tell(context, &client, &phone, ProvisioningOutcome::Refused(refusal));
        }
        if let Some(proof) = self.proofs.remove(&phone.id) {
            context.timers.cancel(proof.expiry);
            self.assign(context, client, phone, user, proof.proven_by);
        }
    }

    /// Submits the assignment. From here on it goes to its end, whoever hears of it.
    pub(super) fn assign(
        &mut self,
        context: &mut Context<'_>,
        client: Client,
        phone: Phone,
        user: ObjectId,
        proven_by: ProvenBy,
    ) {
        if self.assignments.values().any(|one| one.phone.id == phone.id) {
            // What became of an earlier assignment of this phone is not known, so neither can be
            // what a second one would find.
            return tell(context, &client, &phone, ProvisioningOutcome::Unknown);
        }
        if self.assignments.len() >= MAXIMUM_ASSIGNMENTS {
            return refuse(context, &client, &phone, Some(user), Refusal::new(Code::Overloaded));
        }
        context.count("assignments-submitted");
        let operation = context.ids.operation();
        let what = Operation::Assign { device: phone.id, user, proven_by };
        let actor = actor(context, &client, &phone, Some((user, proven_by)));
        context.out.push(Output::Submit { operation, actor, what });
        let patience = context.after(FIRST_WAIT, Timer::DecisionInquiry { operation });
        let (submitted, backoff) = (context.now, FIRST_WAIT);
        let given_up = false;
        self.assignments.insert(
            operation,
            Assignment { client, phone, user, submitted, given_up, backoff, patience },
        );
    }

    /// The store has not decided in time: it is asked, ever more seldom.
    pub(super) fn inquire(&mut self, context: &mut Context<'_>, operation: OperationId) {
        let Some(mut assignment) = self.assignments.remove(&operation) else { return };
        let waited = context.now.since(assignment.submitted);
        if waited >= PATIENCE && !assignment.given_up {
            assignment.given_up = true;
            tell(context, &assignment.client, &assignment.phone, ProvisioningOutcome::Unknown);
        }
        let name = || vec![("device", assignment.phone.name.to_string())];
        if waited >= INQUIRY_LIMIT {
            return context.alarm("assignment-outcome-unknown", name());
        }
        context.out.push(Output::Inquire { operation });
        assignment.backoff = (assignment.backoff * 2).min(LONGEST_WAIT);
        let wait = if assignment.given_up {
            assignment.backoff
        } else {
            assignment.backoff.min(PATIENCE.saturating_sub(waited).max(FIRST_WAIT))
        };
        assignment.patience = context.after(wait, Timer::DecisionInquiry { operation });
        self.assignments.insert(operation, assignment);
    }

    /// The store says what became of an operation; false when it is none of provisioning.
    pub(crate) fn decided(
        &mut self,
        context: &mut Context<'_>,
        operation: OperationId,
        decision: &Decision,
    ) -> bool {
        let Some(assignment) = self.assignments.remove(&operation) else { return false };
        let outcome = match decision {
            Decision::Unknown | Decision::Refused(Refusal { code: Code::OutcomeUnknown, .. }) => {
                self.assignments.insert(operation, assignment);
                return true;
            }
            Decision::Committed(outcome) => self.committed(context, &assignment, outcome),
            Decision::Refused(refusal) => refused(context, &assignment, refusal.clone()),
            Decision::NeverSeen => {
                refused(context, &assignment, Refusal::new(Code::DatabaseUnavailable))
            }
        };
        context.timers.cancel(assignment.patience);
        if assignment.given_up {
            let fields = vec![("device.name", assignment.phone.name.to_string())];
            context.note(Level::Info, "the outcome of an assignment is known at last", fields);
        } else {
            tell(context, &assignment.client, &assignment.phone, outcome);
        }
        true
    }

    /// The phone is the user's: it may fetch its file, and is told to.
    fn committed(
        &mut self,
        context: &mut Context<'_>,
        assignment: &Assignment,
        outcome: &Outcome,
    ) -> ProvisioningOutcome {
        context.count("assignments-committed");
        let device = assignment.phone.id;
        let (generation, length) = (context.directory.secrets().generation(device), WINDOW);
        let window = Access::Window { device, address: None, generation, length };
        context.out.push(Output::Access(window));
        let restart_in = match assignment.client {
            _ if assignment.given_up => Duration::ZERO,
            Client::Session { .. } => RESTART_DELAY,
            Client::Screen(_) => SCREEN_RESTART_DELAY,
        };
        let timer = context.after(restart_in, Timer::ProvisionRestart { device });
        if let Some(old) = self.restarts.insert(device, timer) {
            context.timers.cancel(old);
        }
        let extension = match outcome {
            Outcome::Assigned { extension, .. } => Arc::clone(extension),
            _ => "".into(),
        };
        ProvisioningOutcome::Assigned { user: assignment.user, extension, restart_in }
    }

    /// The time of a restart has come.
    pub(super) fn restart(&mut self, context: &mut Context<'_>, device: ObjectId) {
        if self.restarts.remove(&device).is_some() {
            let (restart, asker) = (DeviceRestart::Restart, Asker::Nobody);
            context.tell(Internal::Restart { device, restart, asker });
        }
    }

    /// An application has the phone restarted itself.
    pub(crate) fn restarting(&mut self, context: &mut Context<'_>, device: ObjectId) {
        if let Some(timer) = self.restarts.remove(&device) {
            context.timers.cancel(timer);
        }
    }
}

/// The store refused the assignment, and wrote that into the audit where it could.
fn refused(
    context: &mut Context<'_>,
    assignment: &Assignment,
    refusal: Refusal,
) -> ProvisioningOutcome {
    context.count("assignments-refused");
    note_refusal(context, &assignment.phone, Some(assignment.user), &refusal);
    ProvisioningOutcome::Refused(refusal)
}

/// The store decides within this, as a rule.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// Whoever waits is told after this that nobody knows.
const PATIENCE: Duration = Duration::from_secs(10);

/// Questions come at least so often ...
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// ... and for so long.
const INQUIRY_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The application has so long to tell the caller before the phone restarts; it may order the
/// restart sooner.
const RESTART_DELAY: Duration = Duration::from_secs(20);

/// The phone's screen has so long to show the result.
const SCREEN_RESTART_DELAY: Duration = Duration::from_secs(5);

/// For so long the assigned phone may fetch its file with secrets in it.
const WINDOW: Duration = Duration::from_secs(600);

/// Assignments at once.
const MAXIMUM_ASSIGNMENTS: usize = 1000;
