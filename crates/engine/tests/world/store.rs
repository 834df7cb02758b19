//! The store: the real operations, evaluated on the directory, answered when and as the test says.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use jackfield_engine::{Decision, Input};
use jackfield_model::{
    AutoRegistration, Change, DeviceSecrets, Directory, Effect, Entry, FirstStart, Ids, Kind,
    Operation, Outcome,
};
use jackfield_vocabulary::{Elsewhere, ObjectId, OperationId, UnixTime};
use serde_json::{Value, json};

use super::network::Delivery;
use super::{NODE, World};

/// How the store behaves.
pub struct Store {
    pub reply: Reply,
    /// What it knows of phones at other nodes; `None` when it can't say.
    pub elsewhere: Option<BTreeMap<ObjectId, Elsewhere>>,
    /// Where phones send from and listen that are registered at other nodes.
    pub beside: BTreeMap<SocketAddr, ObjectId>,
    /// It does not answer what it is asked about other nodes.
    pub silent: bool,
    /// How often it was asked that.
    pub asked: usize,
    decided: BTreeMap<OperationId, Decision>,
    /// What the engine sent to nobody.
    pub strays: Vec<(SocketAddr, Vec<u8>)>,
}

/// How it answers the next operations.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// After so many milliseconds.
    After(u64),
    /// It commits, and its answer is lost.
    Lost,
    /// It is gone: nothing is carried out, nothing answered.
    Gone,
    /// It can't say: `Decision::Unknown`, though it committed.
    Unknown,
    /// It refuses with this.
    Refuses(jackfield_vocabulary::Refusal),
}

impl Default for Store {
    fn default() -> Self {
        Self {
            reply: Reply::After(3),
            elsewhere: Some(BTreeMap::new()),
            beside: BTreeMap::new(),
            silent: false,
            asked: 0,
            decided: BTreeMap::new(),
            strays: Vec::new(),
        }
    }
}

/// The directory of a first start, with auto-registration on.
pub fn first_start() -> (Arc<Directory>, Ids) {
    let mut ids = Ids::after(ObjectId(0));
    let mut directory = Directory::default().with_secrets(DeviceSecrets::new([9; 32]));
    let mut sequence = 0;
    let mut done = |directory: &mut Directory, operation: Operation| {
        let verdict = operation.evaluate(directory, &mut ids, UnixTime(0)).unwrap();
        sequence += 1;
        *directory = directory.apply(sequence, &verdict.changes());
    };
    done(
        &mut directory,
        Operation::FirstStart(FirstStart {
            node: NODE.into(),
            address: "192.0.2.10".into(),
            locale: "en_US.UTF-8".into(),
            time_zone: "Asia/Tokyo".into(),
        }),
    );
    let (settings, _) = directory.named::<AutoRegistration>(NODE).unwrap();
    let patch = json!({ "disabled": false, "starting_number": "9000", "ending_number": "9009" });
    done(&mut directory, Operation::Update { id: settings.id(), version: None, patch });
    (Arc::new(directory), ids)
}

impl World {
    /// Carries an operation out at once, as an administrator's.
    #[track_caller]
    pub fn admin(&mut self, operation: &Operation) -> Outcome {
        match self.carry_out(operation) {
            Ok(outcome) => outcome,
            Err(refusal) => panic!("{refusal}"),
        }
    }

    /// Makes an object.
    #[track_caller]
    pub fn create(&mut self, kind: Kind, body: Value) -> ObjectId {
        match self.admin(&Operation::Create { kind, body }) {
            Outcome::Saved(saved) => saved[0].0,
            other => panic!("{other:?}"),
        }
    }

    /// Changes an object.
    #[track_caller]
    pub fn change(&mut self, id: ObjectId, patch: Value) {
        self.admin(&Operation::Update { id, version: None, patch });
    }

    /// Puts an object there as an older program may have written it, whatever the rules are now.
    pub fn stored(&mut self, id: ObjectId, kind: Kind, body: &Value) {
        let after = Entry { version: 7, body: kind.read(body).unwrap() };
        let change = Change { id, after: Some(after) };
        let sequence = self.directory.sequence() + 1;
        self.directory = Arc::new(self.directory.apply(sequence, &[change]));
        let directory = Arc::clone(&self.directory);
        self.input(Input::Directory { directory, changed: [id].into() });
    }

    fn carry_out(
        &mut self,
        operation: &Operation,
    ) -> Result<Outcome, jackfield_vocabulary::Refusal> {
        let now = self.now.wall;
        let verdict = operation.evaluate(&self.directory, &mut self.ids, now)?;
        let sequence = self.directory.sequence() + 1;
        let changes = verdict.changes();
        let mut directory = self.directory.apply(sequence, &changes);
        let mut changed: Vec<ObjectId> = changes.iter().map(|change| change.id).collect();
        for effect in &verdict.effects {
            let mut secrets = directory.secrets().clone();
            let device = match effect {
                Effect::RotateDeviceSecret { device } => {
                    secrets.rotate(*device);
                    *device
                }
                Effect::RevokeDeviceSecret { device } => {
                    secrets.revoke(*device);
                    *device
                }
                _ => continue,
            };
            directory = directory.with_secrets(secrets);
            changed.push(device);
        }
        self.directory = Arc::new(directory);
        let directory = Arc::clone(&self.directory);
        self.input(Input::Directory { directory, changed: changed.into() });
        Ok(verdict.outcome)
    }

    pub(crate) fn submit(&mut self, operation: OperationId, what: &Operation) {
        let after = match self.store.reply.clone() {
            Reply::Gone => return,
            Reply::Refuses(refusal) => {
                return self.decide(operation, Decision::Refused(refusal), 3);
            }
            Reply::After(millis) => Some(millis),
            Reply::Lost | Reply::Unknown => None,
        };
        let decision = match self.store.decided.get(&operation) {
            Some(decision) => decision.clone(),
            None => match self.carry_out(what) {
                Ok(outcome) => Decision::Committed(outcome),
                Err(refusal) => Decision::Refused(refusal),
            },
        };
        self.store.decided.insert(operation, decision.clone());
        match after {
            Some(millis) => self.decide(operation, decision, millis),
            None if self.store.reply == Reply::Unknown => {
                self.decide(operation, Decision::Unknown, 3);
            }
            None => {}
        }
    }

    pub(crate) fn inquire(&mut self, operation: OperationId) {
        let decision = match self.store.reply {
            Reply::Gone | Reply::Lost => return,
            Reply::Unknown => Decision::Unknown,
            _ => self.store.decided.get(&operation).cloned().unwrap_or(Decision::NeverSeen),
        };
        self.decide(operation, decision, 3);
    }

    pub(crate) fn look_elsewhere(&mut self, device: ObjectId) {
        self.store.asked += 1;
        if self.store.silent {
            return;
        }
        let known = self.store.elsewhere.as_ref();
        let known = known.map(|known| known.get(&device).copied().unwrap_or_default());
        let input = Input::Elsewhere { device, known };
        self.schedule(Duration::from_millis(3), Delivery::ToEngine(input));
    }

    pub(crate) fn look_beside(
        &mut self,
        at: SocketAddr,
        ears: SocketAddr,
        device: Option<ObjectId>,
    ) {
        if self.store.silent {
            return;
        }
        let others = self.store.beside.iter().filter(|(_, other)| Some(**other) != device);
        let taken = others.into_iter().any(|(place, _)| [at, ears].contains(place));
        let taken = self.store.elsewhere.as_ref().map(|_| taken);
        self.input(Input::Beside { at, ears, device, taken });
    }

    fn decide(&mut self, operation: OperationId, decision: Decision, millis: u64) {
        let input = Input::Decided { operation, decision };
        self.schedule(Duration::from_millis(millis), Delivery::ToEngine(input));
    }
}
