//! A stage for the layers above the devices: phones, media driver, store and checker of secrets,
//! all faked, in virtual time. Sessions with real SIP are played in `tests/`.

mod backstage;
mod calls;
mod cti;
mod faults;
mod ownership;
mod provisioning;
mod self_provisioning;
mod upper;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jackfield_model::{Actor, CredentialKind, Directory, Ids, Kind, Operation, Outcome};
use jackfield_vocabulary::{
    Cause, DeviceName, Event, LegId, Mac, MediaId, NodeId, Now, ObjectId, OperationId, PlayId,
    Refusal, SecretText, SessionId, UnixTime, VerifyId,
};
use serde_json::Value;

use crate::context::{Context, Counters, Internal, Numbers, Timers};
use crate::interface::{
    Alarm, CallRecord, Decision, OperatorReply, Output, Overview, Ownership, RefusedAssignment,
    SelfProvisioningStart, ServiceOrder, Verification,
};
use crate::leg::{Called, Description, LegCommand, LegEvent, Withheld};
use upper::{Held, Upper};

/// Everything around the upper layers, and what happened to it.
pub(super) struct Stage {
    pub(super) directory: Arc<Directory>,
    ids: Ids,
    sequence: u64,
    pub(super) upper: Upper,
    timers: Timers,
    numbers: Numbers,
    queue: VecDeque<Internal>,
    counters: Counters,
    pub(super) now: Now,
    /// What comes to the engine later, in order.
    coming: BTreeMap<(u64, u64), Coming>,
    count: u64,
    /// Legs of phones that exist.
    pub(super) legs: BTreeMap<LegId, Leg>,
    /// How legs ended.
    pub(super) ended: BTreeMap<LegId, Cause>,
    /// Whose new media was refused, and why.
    pub(super) refused: Vec<(LegId, Cause)>,
    pub(super) unregistered: BTreeSet<ObjectId>,
    pub(super) media: BTreeMap<MediaId, Resource>,
    /// Each prompt said, with the port of the phone that heard it.
    said: Vec<(u16, String)>,
    /// Whether and how the media driver, the store and the checker answer.
    pub(super) driver: Driver,
    pub(super) store: Store,
    decided: BTreeMap<OperationId, Decision>,
    /// Commits that the store will make only when it is asked again.
    late: BTreeMap<OperationId, Operation>,
    pub(super) submitted: Vec<Operation>,
    /// What was refused before it was submitted.
    pub(super) turned_down: Vec<RefusedAssignment>,
    /// In whose names.
    pub(super) actors: Vec<Actor>,
    secrets: BTreeMap<(ObjectId, CredentialKind), String>,
    failures: BTreeMap<ObjectId, u32>,
    pub(super) checker_silent: bool,
    /// How long it takes to check a secret.
    pub(super) checker_takes: Duration,
    /// What is answered when the route point is wanted; nothing when `None`.
    pub(super) leases: Option<Leases>,
    /// Which route points are wanted, and how often one was given up.
    pub(super) wanted: BTreeSet<ObjectId>,
    pub(super) given_up: usize,
    /// Phones answer no new media.
    pub(super) silent: bool,
    pub(super) records: Vec<CallRecord>,
    pub(super) alarms: Vec<Alarm>,
    pub(super) restarts: Vec<ObjectId>,
    pub(super) texts: Vec<(ObjectId, String)>,
    pub(super) answers: Vec<(SessionId, u64, Result<(), Refusal>)>,
    pub(super) events: Vec<(SessionId, Event)>,
    pub(super) replies: Vec<(u64, Result<OperatorReply, Refusal>)>,
}

/// A phone's part in a call.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) device: ObjectId,
    pub(super) state: LegState,
    pub(super) diverted: Option<String>,
    pub(super) caller: String,
    pub(super) heard: Option<Description>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegState {
    /// The phone calls and hears nothing yet.
    Calling,
    /// The phone calls and hears ringing.
    HearsRinging,
    /// The phone rings.
    Rings,
    /// The phone talks.
    Talks,
}

/// A media resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    pub(super) port: Option<u16>,
    playing: Option<(PlayId, bool)>,
    connects: usize,
}

/// How the media driver behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    Works,
    /// Nothing answers.
    Silent,
    Full,
    /// It gives ports, and tells nothing of what it is to play.
    Mute,
    /// It tells that it plays, and never that it is over.
    Endless,
}

/// How the store behaves.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Store {
    /// Commits at once.
    Works,
    /// Commits, and its answer comes so late.
    Late(Duration),
    /// Commits, and its answer is lost; asked again it tells.
    AnswerLost,
    /// Nothing arrives, and nothing answers.
    Gone,
    /// The order is lost on the way; asked again it says so.
    OrderLost,
    /// Refuses.
    Refuses(Refusal),
}

/// Who owns a route point that is wanted.
#[derive(Clone, Debug)]
pub(super) enum Leases {
    /// This node, for so long.
    Own(Duration),
    /// Another one.
    Other(&'static str),
    /// Nobody can say.
    Unknown,
}

/// What comes to the engine later.
#[derive(Clone, Debug)]
enum Coming {
    Ownership(ObjectId),
    Played(MediaId, PlayId),
    Decided(OperationId),
    Verified(VerifyId, Verification),
}

impl Stage {
    /// The sample company with users `tanaka` and so on, and the IVR and CTI manager running.
    pub(super) fn new() -> Self {
        let mut stage = Self::quiet();
        stage.start_services(&["en-US"]);
        stage.after(31);
        assert_eq!(&*stage.overview().ivr, "in-service");
        stage
    }

    pub(super) fn start_services(&mut self, languages: &[&str]) {
        self.service(ServiceOrder::StartCtiManager);
        self.start_ivr(languages);
    }

    pub(super) fn start_ivr(&mut self, languages: &[&str]) {
        self.start_ivr_with(languages, false);
    }

    /// As on a node that can code G.729, or can't.
    pub(super) fn start_ivr_with(&mut self, languages: &[&str], g729: bool) {
        let settings = (*self.directory.self_provisioning()).clone();
        let languages = languages.iter().map(|one| Arc::from(*one)).collect();
        let start = SelfProvisioningStart { settings, languages, g729 };
        self.service(ServiceOrder::StartSelfProvisioning(Arc::new(start)));
    }

    /// Who owns the route point is told, wanted or not.
    pub(super) fn owned(&mut self, device: ObjectId, ownership: Ownership) {
        self.with(|upper, context| upper.owned(context, device, ownership));
    }

    pub(super) fn service(&mut self, order: ServiceOrder) {
        self.with(|upper, context| upper.service(context, &order));
    }

    /// Time passes.
    pub(super) fn after(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let timer = self.timers.next().unwrap_or(u64::MAX);
            let coming = self.coming.keys().next().map_or(u64::MAX, |(at, _)| *at);
            let next = timer.min(coming);
            if next > until.micros {
                break;
            }
            let step = Duration::from_micros(next.saturating_sub(self.now.micros));
            self.now = self.now + step;
            if timer <= coming {
                let Some((_, timer)) = self.timers.due(self.now) else { break };
                self.with(|upper, context| {
                    assert!(upper.timer(context, timer).is_none(), "a timer of the upper half");
                });
            } else {
                let (_, coming) = self.coming.pop_first().unwrap();
                self.arrive(coming);
            }
        }
        self.now = until;
    }

    pub(super) fn overview(&self) -> Overview {
        let mut overview = Overview::default();
        self.upper.overview(&mut overview);
        overview
    }

    /// How often something was counted.
    pub(super) fn counted(&self, name: &str) -> u64 {
        let all = self.counters.all();
        all.iter().find(|(one, _)| **one == *name).map_or(0, |(_, count)| *count)
    }

    // The configuration.

    pub(super) fn id(&self, kind: Kind, name: &str) -> ObjectId {
        let found = self.directory.by_name(kind, name);
        let found = found.unwrap_or_else(|refusal| panic!("{refusal}"));
        found.unwrap_or_else(|| panic!("no {kind} {name}"))
    }

    pub(super) fn user(&self, name: &str) -> ObjectId {
        self.id(Kind::EndUser, name)
    }

    pub(super) fn evaluate(&mut self, operation: &Operation) -> Result<Outcome, Refusal> {
        let verdict = operation.evaluate(&self.directory, &mut self.ids, self.now.wall)?;
        self.sequence += 1;
        self.directory = Arc::new(self.directory.apply(self.sequence, &verdict.changes()));
        self.with(Upper::directory_changed);
        Ok(verdict.outcome)
    }

    pub(super) fn done(&mut self, operation: &Operation) -> Outcome {
        self.evaluate(operation).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    pub(super) fn create(&mut self, kind: Kind, body: Value) -> ObjectId {
        match self.done(&Operation::Create { kind, body }) {
            Outcome::Saved(saved) => saved[0].0,
            outcome => panic!("{outcome:?}"),
        }
    }

    pub(super) fn patch(&mut self, kind: Kind, name: &str, patch: Value) {
        let id = self.id(kind, name);
        self.done(&Operation::Update { id, version: None, patch });
    }

    /// A new phone that registered by itself.
    pub(super) fn new_phone(&mut self, last: u8) -> ObjectId {
        let model = self.id(Kind::PhoneModel, "Virtual phone");
        let mac = Mac([0, 0x11, 0x22, 0xaa, 0xbb, last]);
        match self.done(&Operation::AutoRegister { node: "node-1".into(), mac, model }) {
            Outcome::AutoRegistered { device, .. } => device,
            outcome => panic!("{outcome:?}"),
        }
    }

    /// A phone that belongs to a user of the sample company already.
    pub(super) fn phone_of(&mut self, user: &str, last: u8) -> ObjectId {
        let (device, user) = (self.new_phone(last), self.user(user));
        let proven_by = jackfield_model::ProvenBy::Administrator;
        self.done(&Operation::Assign { device, user, proven_by });
        device
    }

    pub(super) fn numbers_of(&self, device: ObjectId) -> Vec<String> {
        let device = self.directory.effective(device).unwrap();
        device.lines.iter().map(|line| line.number().to_owned()).collect()
    }

    pub(super) fn name_of(&self, device: ObjectId) -> DeviceName {
        self.directory.effective(device).unwrap().name
    }

    pub(super) fn secret(&mut self, owner: ObjectId, kind: CredentialKind, secret: &str) {
        self.secrets.insert((owner, kind), secret.into());
    }

    /// Wrong secrets that were counted against somebody.
    pub(super) fn failures_of(&self, owner: ObjectId) -> u32 {
        self.failures.get(&owner).copied().unwrap_or_default()
    }

    // The phones.

    /// A phone calls a number.
    pub(super) fn call(&mut self, device: ObjectId, number: &str) -> LegId {
        let leg = self.numbers.leg();
        self.call_with(device, number, Some(sdp(port(leg))), leg)
    }

    pub(super) fn call_with(
        &mut self,
        device: ObjectId,
        number: &str,
        offer: Option<Description>,
        leg: LegId,
    ) -> LegId {
        let effective = self.directory.effective(device).unwrap();
        let line = effective.lines[0].id.id();
        let state = LegState::Calling;
        let fresh = Leg { device, state, diverted: None, caller: String::new(), heard: None };
        self.legs.insert(leg, fresh);
        self.tell(LegEvent::Called(Box::new(Called {
            leg,
            device,
            name: effective.name,
            source: [192, 0, 2, 1].into(),
            proved: true,
            line,
            dialled: number.into(),
            withheld: Withheld::NOTHING,
            offer,
            max_forwards: 70,
        })));
        leg
    }

    /// The ringing leg of a phone.
    pub(super) fn ringing(&self, device: ObjectId) -> Option<LegId> {
        let mut legs = self.legs.iter();
        let rings = |leg: &Leg| leg.device == device && leg.state == LegState::Rings;
        legs.find(|(_, leg)| rings(leg)).map(|(id, _)| *id)
    }

    /// A ringing phone is answered.
    pub(super) fn answer(&mut self, device: ObjectId) -> LegId {
        let leg = self.ringing(device).expect("it rings");
        self.legs.get_mut(&leg).unwrap().state = LegState::Talks;
        self.tell(LegEvent::answers(leg, sdp(port(leg))));
        leg
    }

    pub(super) fn hang_up(&mut self, leg: LegId) {
        let Some(was) = self.legs.remove(&leg) else { return };
        let cause = if was.state == LegState::Talks { Cause::Normal } else { Cause::Cancelled };
        self.tell(LegEvent::Ended { leg, cause });
    }

    pub(super) fn state(&self, leg: LegId) -> Option<LegState> {
        self.legs.get(&leg).map(|leg| leg.state)
    }

    pub(super) fn tell(&mut self, event: LegEvent) {
        self.queue.push_back(Internal::ToCall(event));
        self.with(|_, _| ());
    }

    /// Keys pressed on an answered call, told by RTP.
    pub(super) fn press(&mut self, leg: LegId, keys: &str) {
        for key in keys.chars() {
            self.press_key(leg, key);
            self.pass(Duration::from_millis(200));
        }
    }

    // What was said and what is left.

    /// The prompts that a phone has heard since it was asked last.
    pub(super) fn hears(&mut self, leg: LegId) -> Vec<String> {
        let (heard, rest) =
            core::mem::take(&mut self.said).into_iter().partition(|(one, _)| *one == port(leg));
        self.said = rest;
        let heard: Vec<(u16, String)> = heard;
        heard.into_iter().map(|(_, prompt)| prompt.replace("en-US/", "")).collect()
    }

    /// To how many callers something is being said.
    pub(super) fn playing(&self) -> usize {
        self.media.values().filter(|one| one.playing.is_some()).count()
    }

    /// Nothing is left of any call.
    #[track_caller]
    pub(super) fn is_empty(&self) {
        let held = self.upper.held();
        let Held { legs, cti_calls, media, .. } = held;
        assert_eq!((legs, cti_calls, media), (0, 0, 0), "{held:?}");
        assert!(self.legs.is_empty(), "{:?}", self.legs);
        assert!(self.media.is_empty(), "{:?}", self.media);
        assert_eq!(self.overview().calls, 0);
    }

    /// Nothing waits, either.
    #[track_caller]
    pub(super) fn is_still(&self) {
        self.is_empty();
        // Owning the route point is a wait of its own.
        let owned = usize::from(self.upper.owns());
        assert_eq!(self.timers.len(), owned, "{:?}", self.timers);
    }

    fn quiet() -> Self {
        let mut stage = Self {
            directory: Arc::default(),
            ids: Ids::after(ObjectId(0)),
            sequence: 0,
            upper: Upper::default(),
            timers: Timers::default(),
            numbers: Numbers::new(NodeId(1), 1, [7; 32]),
            queue: VecDeque::new(),
            counters: Counters::default(),
            now: Now::new(1_000_000, UnixTime(1_700_000_000_000)),
            coming: BTreeMap::new(),
            count: 0,
            legs: BTreeMap::new(),
            ended: BTreeMap::new(),
            refused: Vec::new(),
            unregistered: BTreeSet::new(),
            media: BTreeMap::new(),
            said: Vec::new(),
            driver: Driver::Works,
            store: Store::Works,
            decided: BTreeMap::new(),
            late: BTreeMap::new(),
            submitted: Vec::new(),
            turned_down: Vec::new(),
            actors: Vec::new(),
            secrets: BTreeMap::new(),
            failures: BTreeMap::new(),
            checker_silent: false,
            checker_takes: Duration::from_millis(3),
            leases: Some(Leases::Own(Duration::from_secs(86_400 * 365))),
            wanted: BTreeSet::new(),
            given_up: 0,
            silent: false,
            records: Vec::new(),
            alarms: Vec::new(),
            restarts: Vec::new(),
            texts: Vec::new(),
            answers: Vec::new(),
            events: Vec::new(),
            replies: Vec::new(),
        };
        stage.furnish();
        stage
    }

    pub(super) fn with<R>(&mut self, act: impl FnOnce(&mut Upper, &mut Context<'_>) -> R) -> R {
        let mut out = Vec::new();
        let mut below = Vec::new();
        let directory = Arc::clone(&self.directory);
        let mut context = Context {
            now: self.now,
            directory: &directory,
            out: &mut out,
            timers: &mut self.timers,
            ids: &mut self.numbers,
            queue: &mut self.queue,
            counters: &mut self.counters,
        };
        self.upper.watch_ownership(&mut context);
        let result = act(&mut self.upper, &mut context);
        while let Some(message) = context.queue.pop_front() {
            below.extend(self.upper.take(&mut context, message));
        }
        // Written down and read back between any two inputs, nothing changes.
        let kept = serde_json::to_vec(&self.upper).unwrap();
        self.upper = serde_json::from_slice(&kept).unwrap();
        below.into_iter().for_each(|message| self.below(message));
        out.into_iter().for_each(|output| self.put_out(output));
        result
    }
}

/// The port that a phone names in its descriptions, by which the stage knows it.
pub(super) fn port(leg: LegId) -> u16 {
    30_000 + u16::try_from(leg.0).unwrap() * 2
}

/// What a phone offers: G.711 and events.
pub(super) fn sdp(port: u16) -> Description {
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.50\r\ns=-\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    );
    Description(text.as_bytes().into())
}

/// A secret as a session presents it.
pub(super) fn secret(text: &str) -> SecretText {
    SecretText::new(text)
}

/// An order that reached the phones below.
pub(super) fn leg_of(command: &LegCommand) -> LegId {
    match command {
        LegCommand::Offer(offer) => offer.leg,
        LegCommand::Ring { leg, .. }
        | LegCommand::Answer { leg, .. }
        | LegCommand::ReOffer { leg, .. }
        | LegCommand::ReAnswer { leg, .. }
        | LegCommand::ReRefuse { leg, .. }
        | LegCommand::Withdraw { leg }
        | LegCommand::End { leg, .. }
        | LegCommand::Decline { leg, .. }
        | LegCommand::Info { leg, .. }
        | LegCommand::AnswerInfo { leg, .. }
        | LegCommand::Explain { leg, .. }
        | LegCommand::Identify { leg, .. } => *leg,
    }
}

/// What the upper half put out that nobody on the stage cares for.
pub(super) fn ignored(output: &Output) -> bool {
    matches!(output, Output::Note(_) | Output::Access(_))
}
