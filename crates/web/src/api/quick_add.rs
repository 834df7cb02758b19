//! A new user with an extension, ready to self-provision (SP-50): with a PIN, given or made up, and
//! the answer says what is still in the way.

use jackfield_model::{
    AuthenticationMode, CredentialKind, CredentialPolicy, DeviceClass, Directory, EndUser, Ids,
    Kind, Operation, Outcome, Privilege, setup, warnings,
};
use jackfield_store::StoreHandle;
use jackfield_vocabulary::{Code, ObjectId, Refusal, SecretText};
use serde_json::Value;

use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::fault::{Fault, describe};
use crate::object::{shown_to, warn};

/// Adds the user. Who sends the same once more hears of the user that was made, but not of the PIN.
pub(crate) async fn quick_add(call: Call) -> Result<Answer, Fault> {
    let plain = operation(&call, Vec::new())?;
    if let Some(id) = call.operation
        && let Some(before) = call.app.blocking(move |store| store.outcome(id)).await?
    {
        return added(&call, &before, None).await;
    }
    // Judged first: whose secrets these would be decides which are too weak.
    let staged = Staged::of(&call.app.directory(), &plain)?;
    let (secrets, made_up) = secrets(&call, &staged)?;
    let hashes = call.app.blocking(move |store| hashed(store, secrets)).await?;
    let operation = operation(&call, hashes)?;
    let outcome = call.app.execute(call.operation, call.actor(), operation).await?;
    added(&call, &outcome, made_up).await
}

async fn added(
    call: &Call,
    outcome: &Outcome,
    made_up: Option<SecretText>,
) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let user = new_user(&directory, outcome).ok_or(Code::NotFound)?;
    let pin = CredentialKind::Pin;
    let has_pin = call.app.blocking(move |store| store.has_credential(user, pin)).await?;
    let entry = directory.entry(user).ok_or(Code::NotFound)?;
    let mut answer = shown_to(call, &call.body["user"], user, entry);
    if let Some(pin) = made_up {
        answer["pin"] = pin.reveal().into();
    }
    let mut told = setup::concerns(&directory, user, call.language);
    told.extend(warnings(Kind::EndUser, &Value::Null, &call.body["user"], call.language));
    warn(&mut answer, told);
    let obstacles = directory.provisioning_obstacles(user, DeviceClass::Desk);
    let name = directory.label(user).unwrap_or_default();
    let asks = directory.self_provisioning().mode != AuthenticationMode::None;
    let no_pin = (asks && !has_pin).then(|| Refusal::new(Code::NoCredential).value("name", name));
    let told = obstacles.iter().chain(&no_pin).map(|refusal| describe(refusal, call.language));
    answer["obstacles"] = told.collect::<Vec<_>>().into();
    let location = format!("/api/v1/end-users/id:{user}");
    Ok(Answer::created(answer, location).version(entry.version))
}

fn operation(
    call: &Call,
    credentials: Vec<(CredentialKind, SecretText)>,
) -> Result<Operation, Refusal> {
    let template = &call.body["feature_group_template"];
    if template.is_null() {
        return Err(Refusal::new(Code::MissingField).field("feature_group_template"));
    }
    if !call.body["user"].is_object() {
        return Err(Refusal::new(Code::MissingField).field("user"));
    }
    Ok(Operation::QuickAdd {
        user: call.body["user"].clone(),
        feature_group_template: template.get("id").unwrap_or(template).clone(),
        extension: call.text("extension")?.into(),
        credentials,
    })
}

/// The user as the operation would make it.
struct Staged {
    directory: Directory,
    user: ObjectId,
}

impl Staged {
    fn of(directory: &Directory, operation: &Operation) -> Result<Self, Fault> {
        // These ids are never seen.
        let mut ids = Ids::after(ObjectId(u32::MAX / 2));
        let verdict = operation.evaluate(directory, &mut ids, wall())?;
        let after = directory.apply(directory.sequence(), &verdict.changes());
        let user = new_user(&after, &verdict.outcome).ok_or(Code::Internal)?;
        Ok(Self { directory: after, user })
    }

    fn judge(&self, kind: CredentialKind, secret: &SecretText) -> Result<(), Refusal> {
        self.directory.judge_new_credential(self.user, kind, secret)
    }

    /// A PIN that the policy takes.
    fn pin(&self) -> Result<SecretText, Fault> {
        let policy = self.directory.credential_policy_of(self.user);
        let policy = policy.and_then(|policy| self.directory.get(policy));
        let shortest = policy.map_or_else(
            || CredentialPolicy::default().minimum_pin_length,
            |policy| policy.minimum_pin_length,
        );
        for _ in 0..ATTEMPTS {
            let pin = StoreHandle::random_digits(usize::from(shortest.max(SHORTEST_PIN)))?;
            if self.judge(CredentialKind::Pin, &pin).is_ok() {
                return Ok(pin);
            }
        }
        Err(Code::Internal.into())
    }
}

type Secrets = Vec<(CredentialKind, SecretText)>;

/// The credentials that the user gets, and the PIN where nobody gave one. Whoever may set no
/// credentials adds a user without.
fn secrets(call: &Call, staged: &Staged) -> Result<(Secrets, Option<SecretText>), Fault> {
    let mut secrets = Vec::new();
    let given = [("pin", CredentialKind::Pin), ("password", CredentialKind::Password)];
    for (field, kind) in given.into_iter().filter(|(field, _)| !call.body[*field].is_null()) {
        let secret = call.secret(field)?;
        staged.judge(kind, &secret)?;
        secrets.push((kind, secret));
    }
    let may = call.privileges.contains(&Privilege::ManageCredentials);
    if !may {
        return match secrets.is_empty() {
            true => Ok((secrets, None)),
            false => {
                let refusal = Refusal::new(Code::Forbidden);
                Err(refusal.value("privilege", "manage-credentials").into())
            }
        };
    }
    if secrets.iter().any(|(kind, _)| *kind == CredentialKind::Pin) {
        return Ok((secrets, None));
    }
    let pin = staged.pin()?;
    secrets.push((CredentialKind::Pin, pin.clone()));
    Ok((secrets, Some(pin)))
}

fn hashed(store: &StoreHandle, secrets: Secrets) -> Result<Secrets, jackfield_store::StoreError> {
    let hash = |(kind, secret)| Ok((kind, store.hash(kind, &secret)?));
    secrets.into_iter().map(hash).collect()
}

fn new_user(directory: &Directory, outcome: &Outcome) -> Option<ObjectId> {
    let Outcome::Saved(saved) = outcome else { return None };
    let mut made = saved.iter().map(|(id, _)| *id);
    made.find(|id| directory.typed::<EndUser>(*id).is_some())
}

/// A PIN that nobody chose is not shorter, whatever the policy allows.
const SHORTEST_PIN: u8 = 6;

/// One in a hundred is trivial.
const ATTEMPTS: usize = 20;
