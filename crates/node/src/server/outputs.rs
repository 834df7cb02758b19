//! What the engine asks for besides sending: the store, the verifier, the media driver, the access
//! table, the log. Nothing here makes the engine wait.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use jackfield_engine::{
    Access, Alarm, BindingChange, CallRecord, Decision, Input, Level, Note, Output,
    RefusedAssignment, Verification,
};
use jackfield_media::DriverHandle;
use jackfield_store::{Answer, BindingRow, Claimant, RecordRow, StoreHandle, Verifier};
use jackfield_vocabulary::{
    Elsewhere, MediaCommand, MediaEvent, MediaFailure, Now, ObjectId, SecretShown,
};
use jackfield_web::{RaisedAlarm, open_window};
use serde_json::json;
use tokio::runtime::Handle;

use super::clock::Clock;
use super::doors::{AlarmBoard, FileAccess, Replies};
use super::keeper::{Keeper, Kept};
use super::lanes::Lanes;
use super::leases::LeaseKeeper;

/// Where outputs go.
pub(crate) struct Outputs {
    pub(crate) node: Box<str>,
    pub(crate) lanes: Lanes,
    pub(crate) store: StoreHandle,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) media: Arc<DriverHandle>,
    pub(crate) keeper: Keeper,
    pub(crate) leases: LeaseKeeper,
    pub(crate) access: FileAccess,
    pub(crate) replies: Replies,
    pub(crate) alarms: AlarmBoard,
    pub(crate) clock: Clock,
    pub(crate) runtime: Handle,
}

impl Outputs {
    /// Carries out one output.
    pub(crate) fn carry(&self, output: Output) {
        match output {
            Output::Submit { operation, actor, what } => {
                let lanes = self.lanes.clone();
                let reply = Box::new(move |answer| {
                    let _ = lanes
                        .input(Input::Decided { operation, decision: decision(answer, false) });
                });
                self.store.submit(operation, actor, what, reply);
            }
            Output::Expire { device, operation, actor, what } => {
                let (store, node) = (self.store.clone(), self.node.clone());
                self.runtime.spawn_blocking(move || {
                    if matches!(store.was_elsewhere(device, &node), Ok(false)) {
                        store.submit(operation, actor, what, Box::new(|_| {}));
                    }
                });
            }
            Output::Inquire { operation } => {
                let lanes = self.lanes.clone();
                let reply = Box::new(move |answer| {
                    let _ =
                        lanes.input(Input::Decided { operation, decision: decision(answer, true) });
                });
                self.store.inquire(operation, reply);
            }
            Output::Verify { verify, account, name, kind, secret } => {
                let lanes = self.lanes.clone();
                let reply = Box::new(move |verification| {
                    let verification = verdict(verification);
                    let _ = lanes.input(Input::Verified { verify, verification });
                });
                let claimant = Claimant { account, name, source: None };
                self.verifier.verify(claimant, kind, secret, reply);
            }
            Output::Forgive { account, kind } => self.verifier.forgive(account, kind),
            Output::Media(command) => self.media(command),
            Output::RoutePoint { device, wanted } => {
                self.leases.desk().route_point(device, wanted);
            }
            Output::Binding(change) => self.keep_binding(change),
            Output::Elsewhere { device } => self.ask_elsewhere(device),
            Output::Beside { at, ears, device } => self.look_beside(at, ears, device),
            Output::SecretGiven { device } => self.store.secret_given(device),
            Output::Record(record) => self.keep_record(record),
            Output::Access(access) => self.admit(access),
            Output::Reply { request, result } => self.replies.give(request, result),
            Output::Refused(refused) => self.keep_refusal(refused),
            Output::Alarm(alarm) => self.raise(&alarm),
            Output::Note(note) => tell(&note),
            // The wire of CTI applications is a door of its own, which is not there yet; the
            // sessions inside the engine are answered inside.
            Output::Answer { .. } | Output::Event { .. } => {}
            _ => tracing::error!("the engine asked for something that this node does not know"),
        }
    }

    /// Carries out one output of the start, once the windows that are open yet are known: they were opened
    /// after what the registrations of the node's earlier life tell.
    pub(crate) fn recall(&self, output: Output) {
        match output {
            Output::Access(Access::Registered { device, address, generation }) => {
                let mut table = self.access.lock().unwrap_or_else(PoisonError::into_inner);
                table.registered_before(device, SecretShown { address, generation });
            }
            Output::Access(Access::Window { device, .. }) if self.has_window(device) => {}
            output => self.carry(output),
        }
    }

    /// The loop ends: other nodes may have what this one owned, and what is written behind is
    /// written.
    pub(crate) fn finish(&mut self) {
        self.leases.finish();
        self.keeper.finish();
    }

    fn media(&self, command: MediaCommand) {
        let Err(refused) = self.media.send(command) else { return };
        let event = match refused {
            MediaCommand::Allocate { media } => {
                MediaEvent::Failed { media, failure: MediaFailure::Limit }
            }
            MediaCommand::Play { media, play, .. } => MediaEvent::Unplayable { media, play },
            _ => return,
        };
        let _ = self.lanes.input(Input::Media(event));
    }

    fn keep_binding(&self, change: BindingChange) {
        self.keeper.keep(Kept::Binding(BindingRow {
            device: change.device,
            blob: change.binding,
            expires: change.expires,
            host: Some(change.host),
            ports: change.ports,
            has_secret: change.has_secret,
            shown: change.shown,
        }));
    }

    /// Where no other node can be, nobody need be asked.
    fn ask_elsewhere(&self, device: ObjectId) {
        let (lanes, node, clock) = (self.lanes.clone(), self.node.clone(), self.clock);
        let tell = move |known| {
            let _ = lanes.input(Input::Elsewhere { device, known });
        };
        if !self.store.is_shared() {
            return tell(Some(Elsewhere::default()));
        }
        self.store.look_for(device, move |found| {
            let now = clock.now().wall;
            let known = found
                .ok()
                .map(|found| found.map(|found| found.elsewhere(&node, now)).unwrap_or_default());
            tell(known);
        });
    }

    /// Is another phone registered there at another node?
    fn look_beside(&self, at: SocketAddr, ears: SocketAddr, device: Option<ObjectId>) {
        let lanes = self.lanes.clone();
        let tell = move |taken| {
            let _ = lanes.input(Input::Beside { at, ears, device, taken });
        };
        if !self.store.is_shared() {
            return tell(Some(false));
        }
        let ports = [at.port(), ears.port()];
        let (node, now) = (self.node.clone(), self.clock.now().wall);
        self.store
            .look_beside((at.ip(), ports), device, (node, now), move |found| tell(found.ok()));
    }

    fn keep_record(&self, record: CallRecord) {
        let Ok(body) = serde_json::to_value(&record) else { return };
        self.keeper.keep(Kept::Record(Box::new(RecordRow {
            id: 0,
            began: record.began,
            ended: record.ended,
            calling: record.calling,
            called: record.dialled,
            body,
        })));
    }

    /// Found in the audit among the assignments, like those that the store refuses.
    fn keep_refusal(&self, refused: RefusedAssignment) {
        let RefusedAssignment { actor, device, user, refusal } = refused;
        let wanted = json!({ "operation": "assign", "value": { "device": device, "user": user } });
        let detail = json!({ "refused": refusal, "wanted": wanted });
        self.store.note_behind(actor, "assign", Some(device), detail);
    }

    fn admit(&self, access: Access) {
        let now: Now = self.clock.now();
        let mut table = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        match access {
            Access::Registered { device, address, generation } => {
                if table.registered(device, SecretShown { address, generation }) {
                    self.store.window_closed(device);
                }
            }
            Access::Seen { device, address } => table.seen(device, address),
            Access::Window { device, address, generation, length } => {
                let networks = match address {
                    Some(address) => [address.into()].into(),
                    None => table.whereabouts(&self.store.directory(), &self.node, device),
                };
                open_window(&self.store, &mut table, device, networks, generation, length, now);
            }
        }
    }

    /// Whether a window is open for the device.
    fn has_window(&self, device: ObjectId) -> bool {
        let table = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        table.window(&self.store.directory(), device, self.clock.now()).is_some()
    }

    fn raise(&self, alarm: &Alarm) {
        let values: Vec<String> =
            alarm.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        tracing::error!(
            alarm.name = alarm.name,
            alarm.values = values.join(" "),
            "an administrator should look at this"
        );
        let (at, name, values) = (self.clock.now().wall, alarm.name, alarm.values.clone());
        self.alarms.raise(RaisedAlarm { at, name, values });
    }
}

/// What an answer of the store means to the engine. An unavailable store has not begun what was
/// submitted, but an inquiry that it can't answer leaves the outcome open.
fn decision(answer: Answer, inquired: bool) -> Decision {
    match answer {
        Answer::Committed(outcome) => Decision::Committed(outcome),
        Answer::Refused(refusal) => Decision::Refused(refusal),
        Answer::NeverSeen => Decision::NeverSeen,
        Answer::Unavailable if !inquired => Decision::NeverSeen,
        Answer::Unavailable | Answer::Unknown => Decision::Unknown,
    }
}

fn verdict(verification: jackfield_store::Verification) -> Verification {
    match verification {
        jackfield_store::Verification::Right => Verification::Right,
        jackfield_store::Verification::Wrong => Verification::Wrong,
        jackfield_store::Verification::Locked { until } => Verification::Locked { until },
        jackfield_store::Verification::NoCredential => Verification::NoCredential,
        jackfield_store::Verification::Unavailable => Verification::Unavailable,
    }
}

/// A note of the engine as a log line: a sentence, and fields with constant names. Nothing is put
/// together for a level that nobody reads.
fn tell(note: &Note) {
    let fields = || {
        let fields = note.fields.iter().map(|(name, value)| format!("{name}={value}"));
        fields.collect::<Vec<_>>().join(" ")
    };
    match note.level {
        Level::Debug if tracing::enabled!(tracing::Level::DEBUG) => {
            tracing::debug!(fields = fields(), "{}", note.text);
        }
        Level::Info if tracing::enabled!(tracing::Level::INFO) => {
            tracing::info!(fields = fields(), "{}", note.text);
        }
        Level::Warn => tracing::warn!(fields = fields(), "{}", note.text),
        Level::Error => tracing::error!(fields = fields(), "{}", note.text),
        _ => {}
    }
}
