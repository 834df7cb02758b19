//! A whole house in virtual time: an engine, phones, a network that loses and repeats, and a store
//! that evaluates real operations. Nothing waits; the same seed tells the same story.
#![allow(dead_code, unreachable_pub, unused_imports, clippy::unwrap_used)]

mod network;
mod phone;
mod raw;
mod store;
mod talk;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use jackfield_engine::{
    Access, Alarm, BindingChange, CallRecord, Engine, Identity, Input, KeptBinding, Note,
    OperatorOrder, OperatorReply, Output, Ownership,
};
use jackfield_model::{Directory, Ids};
use jackfield_sip::{Flow, Message, Transport};
use jackfield_vocabulary::{
    Event, MediaCommand, Now, ObjectId, Refusal, SessionId, UnixTime, VerifyId,
};

pub use network::Network;
pub use phone::{Phone, PhoneId, Secret};
pub use raw::{Raw, contacts, status};
pub use store::{Reply, Store};
pub use talk::{Call, CallState, sdp};

use network::Delivery;

/// Everything.
pub struct World {
    pub engine: Engine,
    pub now: Now,
    pub directory: Arc<Directory>,
    pub ids: Ids,
    pub network: Network,
    pub store: Store,
    pub phones: BTreeMap<PhoneId, Phone>,
    pub heard: Heard,
    /// What is on its way, by time and order.
    queue: BTreeMap<(u64, u64), Delivery>,
    sequence: u64,
    requests: u64,
    /// Stop and restore the engine before every n-th input.
    pub interrupt_every: Option<u64>,
    inputs: u64,
    /// Every message that the engine sent: when, where, and what.
    pub transcript: Vec<String>,
    /// Keep what phones send.
    pub record: bool,
    pub recorded: Vec<Vec<u8>>,
}

/// What the engine said besides SIP.
#[derive(Default)]
pub struct Heard {
    pub notes: Vec<Note>,
    pub alarms: Vec<Alarm>,
    pub access: Vec<Access>,
    pub bindings: BTreeMap<ObjectId, BindingChange>,
    pub records: Vec<CallRecord>,
    pub replies: BTreeMap<u64, Result<OperatorReply, Refusal>>,
    pub answers: Vec<(SessionId, u64, Result<(), Refusal>)>,
    pub events: Vec<(SessionId, Event)>,
    pub media: Vec<MediaCommand>,
    /// Secrets that are to be checked, and what was entered.
    pub checks: Vec<(VerifyId, String)>,
    pub submitted: usize,
    /// New phones of which other nodes are told that they have their secret.
    pub given: BTreeSet<ObjectId>,
    /// Connections over which phones are registered.
    pub kept: BTreeSet<Option<u64>>,
}

/// Where the node listens.
pub const SERVER: &str = "192.0.2.10:5060";
/// The node's name.
pub const NODE: &str = "node-1";

impl World {
    /// A house as after its first start, with auto-registration of 9000 to 9009 switched on.
    pub fn new() -> Self {
        Self::with_seed(1)
    }

    pub fn with_seed(seed: u8) -> Self {
        let (directory, ids) = store::first_start();
        let identity = Identity { node: NODE.into(), epoch: 1 };
        let now = Now::new(1_000_000, UnixTime(1_700_000_000_000));
        Self {
            engine: Engine::new(identity, Arc::clone(&directory), [seed; 32]),
            now,
            directory,
            ids,
            network: Network::new(seed.into()),
            store: Store::default(),
            phones: BTreeMap::new(),
            heard: Heard::default(),
            queue: BTreeMap::new(),
            sequence: 0,
            requests: 0,
            interrupt_every: None,
            inputs: 0,
            transcript: Vec::new(),
            record: false,
            recorded: Vec::new(),
        }
    }

    /// Lets time pass until nothing is on its way for the moment, at most so many seconds.
    pub fn run(&mut self, seconds: u64) {
        self.run_for(Duration::from_secs(seconds));
    }

    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let delivery = self.queue.first_key_value().map(|((at, _), _)| *at);
            let engine = self.engine.next_timeout().map(|at| at.micros);
            let phones = self.phones.values().filter_map(Phone::next_timeout).min();
            let next = [delivery, engine, phones].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end.micros) else { break };
            self.set_time(next);
            if delivery == Some(next) {
                let (_, delivery) = self.queue.pop_first().unwrap();
                self.deliver(delivery);
            } else if engine == Some(next) {
                self.input(Input::Timeout);
            } else {
                self.phones_timeout();
            }
        }
        self.set_time(end.micros);
    }

    /// Gives the engine an input and does what it asks.
    pub fn input(&mut self, input: Input) {
        self.inputs += 1;
        if self.interrupt_every.is_some_and(|every| self.inputs.is_multiple_of(every)) {
            self.stop_and_restore();
        }
        let mut out = Vec::new();
        self.engine.handle(self.now, input, &mut out);
        for output in out {
            self.output(output);
        }
    }

    /// Writes the engine's state down and goes on with a new engine made from it.
    pub fn stop_and_restore(&mut self) {
        let snapshot = self.engine.snapshot();
        self.engine = Engine::restore(&snapshot, Arc::clone(&self.directory)).unwrap();
        assert_eq!(self.engine.snapshot(), snapshot, "a snapshot is the whole state");
    }

    /// Kills the node and starts it again: only bindings survive.
    pub fn restart_node(&mut self, seed: u8) {
        let identity = Identity { node: NODE.into(), epoch: 2 };
        self.engine = Engine::new(identity, Arc::clone(&self.directory), [seed; 32]);
        let kept = self.heard.bindings.iter();
        let kept = kept.filter_map(|(device, change)| {
            let (binding, over) = (change.binding.clone()?, change.expires <= self.now.wall);
            Some(KeptBinding { device: *device, binding, over })
        });
        let kept = kept.collect();
        let mut out = Vec::new();
        self.engine.restore_bindings(self.now, kept, &mut out);
        for output in out {
            self.output(output);
        }
    }

    /// An operator's order, and its answer when it comes at once.
    pub fn order(&mut self, order: OperatorOrder) -> Option<Result<OperatorReply, Refusal>> {
        self.requests += 1;
        let request = self.requests;
        self.input(Input::Operator { request, order });
        self.heard.replies.get(&request).cloned()
    }

    /// What the engine knows of a device.
    pub fn inspect(&mut self, device: ObjectId) -> jackfield_engine::DeviceState {
        match self.order(OperatorOrder::Inspect { device }) {
            Some(Ok(OperatorReply::Device(state))) => state,
            other => panic!("no state: {other:?}"),
        }
    }

    /// The messages to the engine that are on their way.
    pub fn in_flight(&self) -> Vec<Input> {
        let inputs = self.queue.values().filter_map(|delivery| match delivery {
            Delivery::ToEngine(input) => Some(input.clone()),
            Delivery::ToPhone(..) => None,
        });
        inputs.collect()
    }

    /// The counts of what is going on.
    pub fn overview(&mut self) -> jackfield_engine::Overview {
        match self.order(OperatorOrder::Overview) {
            Some(Ok(OperatorReply::Overview(overview))) => overview,
            other => panic!("no overview: {other:?}"),
        }
    }

    /// One of the engine's counters, or of what there is at this moment.
    pub fn counter(&mut self, name: &str) -> u64 {
        let overview = self.overview();
        let mut all = overview.counters.iter().chain(&overview.gauges);
        all.find(|(one, _)| **one == *name).map_or(0, |(_, count)| *count)
    }

    /// Nothing is left of any call.
    #[track_caller]
    pub fn assert_quiet(&mut self) {
        let overview = self.overview();
        assert_eq!(overview.calls, 0, "calls are left");
        assert_eq!(self.counter("sip-legs"), 0, "legs are left");
    }

    pub(crate) fn schedule(&mut self, after: Duration, delivery: Delivery) {
        self.sequence += 1;
        let at = self.now + after;
        self.queue.insert((at.micros, self.sequence), delivery);
    }

    fn set_time(&mut self, micros: u64) {
        if micros > self.now.micros {
            self.now = self.now + Duration::from_micros(micros - self.now.micros);
        }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Transmit { flow, message } => self.send_to_phone(flow, message.to_vec()),
            Output::Submit { operation, what, .. } => {
                self.heard.submitted += 1;
                self.submit(operation, &what);
            }
            Output::Expire { operation, what, .. } => self.submit(operation, &what),
            Output::Inquire { operation } => self.inquire(operation),
            Output::Elsewhere { device } => self.look_elsewhere(device),
            Output::Beside { at, ears, device } => self.look_beside(at, ears, device),
            Output::SecretGiven { device } => drop(self.heard.given.insert(device)),
            Output::Binding(change) => drop(self.heard.bindings.insert(change.device, change)),
            Output::Access(access) => self.heard.access.push(access),
            Output::Record(record) => self.heard.records.push(record),
            Output::Alarm(alarm) => self.heard.alarms.push(alarm),
            Output::Note(note) => self.heard.notes.push(note),
            Output::Reply { request, result } => drop(self.heard.replies.insert(request, result)),
            Output::Answer { session, request, result } => {
                self.heard.answers.push((session, request, result));
            }
            Output::Event { session, event } => self.heard.events.push((session, event)),
            Output::Media(command) => self.heard.media.push(command),
            // The only node owns whatever it wants.
            Output::RoutePoint { device, wanted: true } => {
                let until = self.now + Duration::from_secs(86_400);
                self.input(Input::RoutePoint { device, ownership: Ownership::Own { until } });
            }
            Output::RoutePoint { .. } => {}
            Output::KeepStream { flow, .. } => drop(self.heard.kept.insert(flow.connection)),
            Output::LeaveStream { flow } => drop(self.heard.kept.remove(&flow.connection)),
            Output::Verify { verify, secret, .. } => {
                self.heard.checks.push((verify, secret.reveal().to_owned()));
            }
            Output::Disconnect { .. } | Output::Refused(_) => {}
            other => panic!("the world does not know {other:?}"),
        }
    }
}
