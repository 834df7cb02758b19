//! Self-provisioning: who somebody is, whether they may, and the assignment of a phone to them.
//!
//! The IVR asks in its CTI session, the phone's own screen by an operator's order; both use the same
//! machine. An assignment is complete or not begun: once submitted it goes on to its end whoever is
//! still there to hear of it, and the phone is told to restart only when it is committed (SP-17).

mod assignment;
mod check;

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::Arc;

use jackfield_model::{
    Actor, ApplicationUser, AuthenticationMode, Directory, EndUser, ProvenBy, SelfProvisioning,
    Text,
};
use jackfield_vocabulary::{
    Code, DeviceName, ObjectId, OperationId, ProvisioningCommand, ProvisioningOutcome, Refusal,
    SecretText, SessionId, VerifyId,
};
use serde::{Deserialize, Serialize};

use crate::context::{Context, Internal, Timer, TimerToken};
use crate::interface::{Level, OperatorReply, Output, RefusedAssignment};
use assignment::Assignment;
use check::{Check, Proof};

/// Everything of self-provisioning that is under way on this node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Provisioning {
    /// The settings of the running service, which outlive changes (SP-19).
    settings: Option<Arc<SelfProvisioning>>,
    checks: BTreeMap<VerifyId, Check>,
    proofs: BTreeMap<ObjectId, Proof>,
    #[serde(with = "jackfield_vocabulary::pairs")]
    assignments: BTreeMap<OperationId, Assignment>,
    restarts: BTreeMap<ObjectId, TimerToken>,
}

/// Who waits for an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Client {
    /// An application in its session.
    Session { session: SessionId, account: ObjectId },
    /// The phone's own screen.
    Screen(Screen),
}

/// A phone's own screen that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Screen {
    /// The operator's order.
    pub(crate) request: u64,
    /// From where it asks.
    pub(crate) address: IpAddr,
}

/// A phone, as whoever asked named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Phone {
    id: ObjectId,
    name: DeviceName,
}

impl Provisioning {
    /// The service starts with these settings, or stops.
    pub(crate) fn service(&mut self, settings: Option<Arc<SelfProvisioning>>) {
        self.settings = settings;
    }

    /// Takes a permitted session's command.
    pub(crate) fn command(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        account: ObjectId,
        command: ProvisioningCommand,
    ) {
        let client = Client::Session { session, account };
        let (ProvisioningCommand::Inspect { device }
        | ProvisioningCommand::Authenticate { device, .. }
        | ProvisioningCommand::Assign { device, .. }) = &command
        else {
            return;
        };
        let name = device.clone();
        let Some(id) = context.directory.device(name.as_str()) else {
            let refusal = Refusal::new(Code::NotOpenForProvisioning).value("name", &name);
            let phone = Phone { id: ObjectId(0), name };
            return tell(context, &client, &phone, ProvisioningOutcome::Refused(refusal));
        };
        let phone = Phone { id, name };
        match command {
            ProvisioningCommand::Inspect { .. } => {
                let outcome = match context.directory.open_for_provisioning(id) {
                    Ok(()) => ProvisioningOutcome::Open,
                    Err(refusal) => {
                        note_refusal(context, &phone, None, &refusal);
                        ProvisioningOutcome::Refused(refusal)
                    }
                };
                tell(context, &client, &phone, outcome);
            }
            ProvisioningCommand::Authenticate { identity, credential, .. } => {
                self.authenticate(context, client, phone, &identity, credential);
            }
            ProvisioningCommand::Assign { user, .. } => {
                self.assign_proven(context, client, phone, user);
            }
            _ => {}
        }
    }

    /// Provisions a phone from its own screen (SP-06): authenticates and assigns in one.
    pub(crate) fn screen(
        &mut self,
        context: &mut Context<'_>,
        screen: Screen,
        device: ObjectId,
        identity: &str,
        password: Option<SecretText>,
    ) {
        use jackfield_vocabulary::Credential::Password;
        let Some(name) = context.directory.effective(device).map(|device| device.name) else {
            let refusal = Refusal::new(Code::NotFound).value("device", device);
            let request = screen.request;
            return context.out.push(Output::Reply { request, result: Err(refusal) });
        };
        let (client, phone) = (Client::Screen(screen), Phone { id: device, name });
        self.authenticate(context, client, phone, identity, password.map(Password));
    }

    /// One of the timers that provisioning set has fired.
    pub(crate) fn timer(&mut self, context: &mut Context<'_>, timer: &Timer) {
        match timer {
            Timer::VerifyAnswer { verify } => self.verify_timeout(context, *verify),
            Timer::ProofExpiry { device } => {
                self.proofs.remove(device);
            }
            Timer::DecisionInquiry { operation } => self.inquire(context, *operation),
            Timer::ProvisionRestart { device } => self.restart(context, *device),
            _ => {}
        }
    }

    /// What is under way: checks, assignments and restarts to come.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        (self.checks.len(), self.assignments.len(), self.restarts.len())
    }

    /// How somebody proves whose a phone shall be: as the running service was told, else as it is
    /// configured.
    pub(crate) fn mode(&self, directory: &Directory) -> AuthenticationMode {
        self.settings.as_ref().map_or_else(|| directory.self_provisioning().mode, |one| one.mode)
    }
}

/// In whose name an operation is submitted, for the audit: that of a screen's user only when the
/// user's own password proved that it is theirs, else the phone's.
fn actor(
    context: &Context<'_>,
    client: &Client,
    phone: &Phone,
    proven: Option<(ObjectId, ProvenBy)>,
) -> Actor {
    match client {
        Client::Session { account, .. } => {
            let found = context.directory.typed::<ApplicationUser>(*account);
            let user_id = found.map(|one| one.user_id.clone()).unwrap_or_default();
            Actor::Application { user_id }
        }
        Client::Screen(Screen { address, .. }) => {
            let address = Text::from(address.to_string());
            let own = proven.filter(|(_, proven_by)| *proven_by == ProvenBy::Password);
            match own.and_then(|(user, _)| context.directory.typed::<EndUser>(user)) {
                Some(user) => Actor::User { user_id: user.user_id.clone(), address: Some(address) },
                None => Actor::Device { device: Text::from(phone.name.as_str()), address },
            }
        }
    }
}

/// Refuses before anything was submitted: for the log, the audit, and whoever asked (SP-34).
fn refuse(
    context: &mut Context<'_>,
    client: &Client,
    phone: &Phone,
    user: Option<ObjectId>,
    refusal: Refusal,
) {
    note_refusal(context, phone, user, &refusal);
    let actor = actor(context, client, phone, None);
    let refused = RefusedAssignment { actor, device: phone.id, user, refusal: refusal.clone() };
    context.out.push(Output::Refused(refused));
    tell(context, client, phone, ProvisioningOutcome::Refused(refusal));
}

/// Notes for the log that a phone was not made somebody's.
fn note_refusal(
    context: &mut Context<'_>,
    phone: &Phone,
    user: Option<ObjectId>,
    refusal: &Refusal,
) {
    let named = user.and_then(|user| context.directory.typed::<EndUser>(user));
    let name = named.map_or_else(|| "-".to_owned(), |user| user.user_id.to_string());
    let fields = vec![
        ("device.name", phone.name.to_string()),
        ("user.name", name),
        ("reason", refusal.to_string()),
    ];
    context.count("self-provisioning-refused");
    context.note(Level::Warn, "self-provisioning was refused", fields);
}

/// Tells whoever asked what came of it.
fn tell(context: &mut Context<'_>, client: &Client, phone: &Phone, outcome: ProvisioningOutcome) {
    match client {
        Client::Session { session, .. } => {
            let (session, device) = (*session, phone.name.clone());
            context.tell(Internal::Provisioned { session, device, outcome });
        }
        Client::Screen(Screen { request, .. }) => {
            let result = match outcome {
                ProvisioningOutcome::Assigned { extension, .. } => {
                    Ok(OperatorReply::Provisioned { extension })
                }
                ProvisioningOutcome::Refused(refusal) => Err(refusal),
                ProvisioningOutcome::Unknown => Err(Refusal::new(Code::OutcomeUnknown)),
                _ => return,
            };
            context.out.push(Output::Reply { request: *request, result });
        }
    }
}
