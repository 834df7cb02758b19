//! Who somebody is (SP-02 to SP-07): the user's own PIN or password, or the administrators' code.
//! An unknown ID is checked like a known one, so that neither answer nor time tells them apart.

use core::time::Duration;

use jackfield_model::{
    AuthenticationMode, CredentialKind, EndUser, ProvenBy, Ref, SelfProvisioning,
};
use jackfield_vocabulary::{
    Code, Credential, ObjectId, ProvisioningOutcome, Refusal, SecretText, SessionId, UnixTime,
    VerifyId,
};
use serde::{Deserialize, Serialize};

use super::{Client, Phone, Provisioning, refuse, tell};
use crate::context::{Context, Timer, TimerToken};
use crate::interface::{Output, Verification};

/// A question to whoever checks secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Check {
    client: Client,
    phone: Phone,
    user: Option<ObjectId>,
    secret: SecretText,
    stage: Stage,
    patience: TimerToken,
}

/// What is being checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stage {
    /// The user's own PIN or password.
    Own { proves: ProvenBy, kind: CredentialKind, then_code: bool },
    /// The administrators' code, after the own credential was refused; with what the refusal
    /// counted against.
    Code { user_locked: Option<Until>, counted: Option<CredentialKind> },
}

/// Until when an account is locked; `None` until an administrator unlocks it. The name of the field
/// is needed: without it nothing tells a lock without end from none when the state is read back.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Until {
    time: Option<UnixTime>,
}

/// Somebody proved who they are and may go on to the assignment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Proof {
    pub(super) session: SessionId,
    pub(super) user: ObjectId,
    pub(super) proven_by: ProvenBy,
    pub(super) expiry: TimerToken,
}

impl Provisioning {
    /// Begins to prove who somebody is.
    pub(super) fn authenticate(
        &mut self,
        context: &mut Context<'_>,
        client: Client,
        phone: Phone,
        identity: &str,
        credential: Option<Credential>,
    ) {
        let mode = self.mode(context.directory);
        let user = find_user(context, identity, credential.as_ref());
        let (secret, proves, kind) = match (mode, credential) {
            (AuthenticationMode::None, _) => {
                return match user {
                    Some(user) => self.proven(context, client, phone, user, ProvenBy::Nothing),
                    None => refuse(context, &client, &phone, None, wrong()),
                };
            }
            (_, None) => {
                let refusal = Refusal::new(Code::MissingField).field("credential");
                return refuse(context, &client, &phone, user, refusal);
            }
            (_, Some(Credential::Keypad(secret))) => (secret, ProvenBy::Pin, CredentialKind::Pin),
            (_, Some(Credential::Password(secret))) => {
                (secret, ProvenBy::Password, CredentialKind::Password)
            }
        };
        if self.checks.len() >= MAXIMUM_CHECKS {
            return refuse(context, &client, &phone, user, Refusal::new(Code::Overloaded));
        }
        let then_code = mode == AuthenticationMode::UsersAndAdministrators && is_code(&secret);
        let stage = Stage::Own { proves, kind, then_code };
        let rest = (client, phone, user, secret);
        self.ask(context, (user, identity.trim().into()), kind, rest, stage);
    }

    /// The answer to a check.
    pub(crate) fn verified(
        &mut self,
        context: &mut Context<'_>,
        verify: VerifyId,
        verification: &Verification,
    ) {
        let Some(check) = self.checks.remove(&verify) else { return };
        context.timers.cancel(check.patience);
        let Check { client, phone, user, secret, stage, .. } = check;
        let locked = match verification {
            Verification::Locked { until } => Some(Until { time: *until }),
            _ => None,
        };
        match (verification, stage) {
            (Verification::Right, stage) => {
                let proven_by = match stage {
                    Stage::Own { proves, .. } => proves,
                    Stage::Code { counted, .. } => {
                        // No wrong PIN of the user's: it was none.
                        let counted = user.zip(counted);
                        context.out.extend(
                            counted.map(|(account, kind)| Output::Forgive { account, kind }),
                        );
                        ProvenBy::Code
                    }
                };
                match user {
                    Some(user) => self.proven(context, client, phone, user, proven_by),
                    None => refuse(context, &client, &phone, None, wrong()),
                }
            }
            (Verification::Unavailable, _) => refuse(context, &client, &phone, user, unavailable()),
            (_, Stage::Own { then_code: true, kind, .. }) => {
                // An administrator may have entered the code on the user's behalf (SP-03). It is
                // looked at for an unknown ID as well, so that its lock does not tell which there
                // are; nobody is proved by it.
                let account = code_account(context);
                let counts =
                    matches!(verification, Verification::Wrong | Verification::NoCredential);
                let counted = counts.then_some(kind);
                let stage = Stage::Code { user_locked: locked, counted };
                let rest = (client, phone, user, secret);
                self.ask(context, (account, Box::default()), CredentialKind::Code, rest, stage);
            }
            (_, Stage::Code { user_locked: Some(until), .. }) => {
                refuse(context, &client, &phone, user, locked_until(until));
            }
            (_, stage) => {
                let refusal = match (locked, stage) {
                    (Some(until), Stage::Own { .. }) => locked_until(until),
                    (Some(until), Stage::Code { .. }) => {
                        locked_until(until).field("authentication-code")
                    }
                    (None, _) => wrong(),
                };
                refuse(context, &client, &phone, user, refusal);
            }
        }
    }

    /// Nobody answered a check in time.
    pub(super) fn verify_timeout(&mut self, context: &mut Context<'_>, verify: VerifyId) {
        if let Some(check) = self.checks.remove(&verify) {
            refuse(context, &check.client, &check.phone, check.user, unavailable());
        }
    }

    fn ask(
        &mut self,
        context: &mut Context<'_>,
        (account, name): (Option<ObjectId>, Box<str>),
        kind: CredentialKind,
        (client, phone, user, secret): (Client, Phone, Option<ObjectId>, SecretText),
        stage: Stage,
    ) {
        let verify = context.ids.verify();
        let patience = context.after(VERIFY_LIMIT, Timer::VerifyAnswer { verify });
        let question = Output::Verify { verify, account, name, kind, secret: secret.clone() };
        context.out.push(question);
        self.checks.insert(verify, Check { client, phone, user, secret, stage, patience });
    }

    /// Somebody is who they say; now the conditions of SP-34.
    fn proven(
        &mut self,
        context: &mut Context<'_>,
        client: Client,
        phone: Phone,
        user: ObjectId,
        proven_by: ProvenBy,
    ) {
        let extension = match context.directory.may_assign(phone.id, user) {
            Ok(extension) => extension,
            Err(refusal) => return refuse(context, &client, &phone, Some(user), refusal),
        };
        let Client::Session { session, .. } = client else {
            return self.assign(context, client, phone, user, proven_by);
        };
        let expiry = context.after(PROOF_LIFE, Timer::ProofExpiry { device: phone.id });
        let proof = Proof { session, user, proven_by, expiry };
        if let Some(old) = self.proofs.insert(phone.id, proof) {
            context.timers.cancel(old.expiry);
        }
        let by_code = proven_by == ProvenBy::Code;
        let outcome = ProvisioningOutcome::Authenticated { user, extension, by_code };
        tell(context, &client, &phone, outcome);
    }
}

/// The user whom a keypad or a screen names.
fn find_user(
    context: &Context<'_>,
    identity: &str,
    credential: Option<&Credential>,
) -> Option<ObjectId> {
    let directory = context.directory;
    let by_id = || directory.named::<EndUser>(identity).map(|(user, _)| user.id());
    let by_digits = || directory.user_by_self_service_id(identity).user();
    match credential {
        Some(Credential::Keypad(_)) => by_digits(),
        _ => by_id().or_else(by_digits),
    }
}

/// Whose secret the administrators' code is.
fn code_account(context: &Context<'_>) -> Option<ObjectId> {
    context.directory.all::<SelfProvisioning>().next().map(|(id, _)| Ref::id(id))
}

/// Whether the entry can be an authentication code (SP-04).
fn is_code(secret: &SecretText) -> bool {
    let text = secret.reveal();
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn wrong() -> Refusal {
    Refusal::new(Code::WrongCredential)
}

fn unavailable() -> Refusal {
    Refusal::new(Code::DatabaseUnavailable)
}

fn locked_until(until: Until) -> Refusal {
    let refusal = Refusal::new(Code::Locked);
    match until {
        Until { time: Some(time) } => refusal.value("until", time.seconds()),
        Until { time: None } => refusal,
    }
}

/// A check of a secret takes no longer.
const VERIFY_LIMIT: Duration = Duration::from_secs(10);

/// Whoever proved who they are confirms within this.
const PROOF_LIFE: Duration = Duration::from_secs(300);

/// Checks at once.
const MAXIMUM_CHECKS: usize = 1000;
