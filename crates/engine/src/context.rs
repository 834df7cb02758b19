//! What every layer is given while it handles something: the time, the configuration, the way
//! out, and the queue in which neighbouring layers leave messages for each other.

use core::time::Duration;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jackfield_model::Directory;
use jackfield_sip::{ClientKey, Tokens};
use jackfield_vocabulary::{
    CallId, Command, DeviceName, DeviceRestart, LegId, MediaId, NodeId, Now, ObjectId, OperationId,
    PlayId, ProvisioningCommand, ProvisioningOutcome, Refusal, SessionId, VerifyId,
};
use serde::{Deserialize, Serialize};

use crate::device::Place;
use crate::interface::{Alarm, Level, Note, Output};
use crate::leg::{CtiLeg, Divert, LegCommand, LegEvent, Told};

/// What a layer works with while it handles one thing.
pub(crate) struct Context<'a> {
    /// This moment.
    pub(crate) now: Now,
    /// The configuration at this moment.
    pub(crate) directory: &'a Arc<Directory>,
    /// Where outputs go.
    pub(crate) out: &'a mut Vec<Output>,
    /// Every wait of every layer but the SIP transactions'.
    pub(crate) timers: &'a mut Timers,
    /// Numbers never used before, and seeded randomness.
    pub(crate) ids: &'a mut Numbers,
    /// Messages between layers, handled in order before `Engine::handle` returns.
    pub(crate) queue: &'a mut VecDeque<Internal>,
    /// Counted since the start, for the metrics page.
    pub(crate) counters: &'a mut Counters,
}

/// What every layer shares and the engine keeps.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Tools {
    pub(crate) timers: Timers,
    numbers: Numbers,
    pub(crate) counters: Counters,
}

impl Tools {
    pub(crate) fn new(numbers: Numbers) -> Self {
        Self { timers: Timers::default(), numbers, counters: Counters::default() }
    }

    /// What a layer works with at this moment.
    pub(crate) fn context<'a>(
        &'a mut self,
        now: Now,
        directory: &'a Arc<Directory>,
        queue: &'a mut VecDeque<Internal>,
        out: &'a mut Vec<Output>,
    ) -> Context<'a> {
        let Self { timers, numbers: ids, counters } = self;
        Context { now, directory, out, timers, ids, queue, counters }
    }
}

impl Context<'_> {
    /// Leaves a message for another layer.
    pub(crate) fn tell(&mut self, message: Internal) {
        self.queue.push_back(message);
    }

    /// Sets a timer from now on.
    pub(crate) fn after(&mut self, delay: Duration, timer: Timer) -> TimerToken {
        self.timers.set(self.now + delay, timer)
    }

    /// Notes something for the log.
    pub(crate) fn note(
        &mut self,
        level: Level,
        text: &'static str,
        fields: Vec<(&'static str, String)>,
    ) {
        self.out.push(Output::Note(Note { level, text, fields }));
    }

    /// Raises an alarm.
    pub(crate) fn alarm(&mut self, name: &'static str, values: Vec<(&'static str, String)>) {
        self.out.push(Output::Alarm(Alarm { name, values }));
    }

    /// Counts something by one.
    pub(crate) fn count(&mut self, name: &'static str) {
        self.counters.add(name);
    }
}

/// What one layer tells another. `Engine::drain` in `lib.rs` says who gets what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Internal {
    /// Calls → devices.
    ToDevice(LegCommand),
    /// Devices → calls.
    ToCall(LegEvent),
    /// Anybody → devices: tell a phone to take new settings. Answered by `DeviceTold`.
    Restart { device: ObjectId, restart: DeviceRestart, asker: Asker },
    /// Devices → devices, once the phone has its answer: it showed the secret that it had before,
    /// so it is told to take its new settings.
    RestartFormer { device: ObjectId },
    /// Devices → devices: ask a new phone whether it is where it says.
    Probe { place: Place },
    /// Anybody → devices: show a text on a phone. Answered by `DeviceTold`.
    ShowText { device: ObjectId, text: Box<str>, asker: Asker },
    /// Devices → whoever asked for `Restart` or `ShowText`: on its way, or why not.
    DeviceTold { asker: Asker, result: Result<(), Refusal> },
    /// Calls → CTI: what happens to a leg of a CTI device.
    ToCti(CtiLeg),
    /// CTI → calls: an application sends a call of its device elsewhere.
    Divert(Divert),
    /// An application inside the engine → CTI: it signs in with this account, or (`None`) out.
    Session { session: SessionId, account: Option<ObjectId> },
    /// An application inside the engine → CTI: a command in its session.
    Command { session: SessionId, request: u64, command: Command },
    /// CTI → an application inside the engine: what its session is told.
    Told { session: SessionId, told: Told },
    /// CTI → provisioning: a permitted session's command.
    Provision { session: SessionId, account: ObjectId, command: ProvisioningCommand },
    /// CTI → provisioning: an application has a phone restarted, so that nobody else need do it.
    Restarting { device: ObjectId },
    /// Provisioning → CTI: what came of it.
    Provisioned { session: SessionId, device: DeviceName, outcome: ProvisioningOutcome },
}

/// In whose name a phone is told something, so that the answer finds its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Asker {
    /// Nobody waits for the answer.
    Nobody,
    /// An operator's order.
    Operator { request: u64 },
    /// A command in a CTI session.
    Session { session: SessionId, request: u64 },
}

/// Why a timer fires. Each variant names the wait that it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Timer {
    // Devices.
    /// A registration was not refreshed in time.
    BindingExpiry { device: ObjectId },
    /// The store has not decided on an unknown phone in time: the phone is told to come again, and the store
    /// is asked from then on.
    AutoRegisterAnswer { operation: OperationId },
    /// A new phone has not come back with its secret in time.
    Unclaimed { device: ObjectId },
    /// A new phone has not shown in time that it is where it says: it is asked for credentials.
    Probe { place: Place },
    /// The store has not said in time what other nodes know of a phone that shows no secret.
    Elsewhere { place: Place },
    /// A registered phone was asked in vain whether it is there.
    Question { key: ClientKey },
    /// A newly taken in phone has had its answer: now it can be told to fetch its file.
    AutoRegisterRestart { device: ObjectId },
    /// A caller said how long its call may go without an answer (RFC 3261 section 13.3.1).
    InviteExpiry { leg: LegId },
    /// A re-INVITE met another one (491): try again.
    GlareRetry { leg: LegId },
    /// A device was offered a call and sent no final answer for far too long.
    OfferGiveUp { leg: LegId },
    /// An answered leg is asked whether it still lives: a phone may vanish without a word.
    LegAudit { leg: LegId },
    /// A subscription to a phone's keys must be refreshed.
    KeySubscription { leg: LegId },

    // Calls.
    /// A line has rung as long as it may.
    NoAnswer { call: CallId },
    /// One side has not answered the other's new media for far too long.
    Exchange { call: CallId },

    // CTI sessions.
    /// The application has not accepted a new call in time (CTI-36).
    NewCallAccept { leg: LegId },
    /// The media driver has not given a port in time (CTI-22).
    MediaAllocation { leg: LegId },
    /// The far side has not answered the media that the node offered.
    MediaAnswer { leg: LegId },
    /// The media driver has not told in time that what it plays is over.
    Playing { leg: LegId },
    /// The first key, or the next one, has not come in time.
    Collection { leg: LegId },
    /// A delayed text is due on a phone (SP-17).
    ShowTextDue { device: ObjectId, text: Box<str> },

    // Self-provisioning.
    /// The IVR's route point may register (SP-18), or is tried again.
    RouteDelay,
    /// This node owns the IVR's route point no longer unless it was told so again (SP-60).
    OwnershipEnd,
    /// A call at the IVR has lasted as long as any may.
    IvrCall { call: CallId },
    /// A verification has not been answered in time.
    VerifyAnswer { verify: VerifyId },
    /// Somebody who authenticated has not gone on to the assignment.
    ProofExpiry { device: ObjectId },
    /// The store has not decided in time: ask it again.
    DecisionInquiry { operation: OperationId },
    /// A phone that was assigned is told to restart.
    ProvisionRestart { device: ObjectId },
}

/// Names one set timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct TimerToken {
    at: u64,
    sequence: u64,
}

impl TimerToken {
    /// Does it fire only after this moment?
    pub(crate) fn is_after(self, moment: Now) -> bool {
        self.at > moment.micros
    }
}

/// Every wait, in the order in which they end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Timers {
    #[serde(with = "jackfield_vocabulary::pairs")]
    waits: BTreeMap<TimerToken, Timer>,
    sequence: u64,
}

impl Timers {
    /// Sets a timer.
    pub(crate) fn set(&mut self, at: Now, timer: Timer) -> TimerToken {
        self.sequence += 1;
        let token = TimerToken { at: at.micros, sequence: self.sequence };
        self.waits.insert(token, timer);
        token
    }

    /// Forgets a timer. One that fired already is forgotten anyway.
    pub(crate) fn cancel(&mut self, token: TimerToken) {
        self.waits.remove(&token);
    }

    /// Takes the first timer that is due.
    pub(crate) fn due(&mut self, now: Now) -> Option<(TimerToken, Timer)> {
        let first = self.waits.first_entry()?;
        (first.key().at <= now.micros).then(|| first.remove_entry())
    }

    /// When the first one is due, in microseconds.
    pub(crate) fn next(&self) -> Option<u64> {
        self.waits.first_key_value().map(|(token, _)| token.at)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waits.len()
    }
}

/// Numbers never used before in this life of the node, and randomness from its seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Numbers {
    node: NodeId,
    epoch: u32,
    legs: u64,
    calls: u64,
    media: u64,
    plays: u64,
    operations: u64,
    verifies: u64,
    random: Tokens,
}

impl Numbers {
    /// Starts counting. The seed must differ between lives of a node: operation ids come from it.
    pub(crate) fn new(node: NodeId, epoch: u32, seed: [u8; 32]) -> Self {
        Self {
            node,
            epoch,
            legs: 0,
            calls: 0,
            media: 0,
            plays: 0,
            operations: 0,
            verifies: 0,
            random: Tokens::new(seed),
        }
    }

    /// The next leg.
    pub(crate) fn leg(&mut self) -> LegId {
        LegId(next(&mut self.legs))
    }

    /// The next call.
    pub(crate) fn call(&mut self) -> CallId {
        CallId { node: self.node, epoch: self.epoch, number: next(&mut self.calls) }
    }

    /// The next media resource.
    pub(crate) fn media(&mut self) -> MediaId {
        MediaId(next(&mut self.media))
    }

    /// The next order to play.
    pub(crate) fn play(&mut self) -> PlayId {
        PlayId(next(&mut self.plays))
    }

    /// A new idempotency id: random, so that it differs from those of earlier lives.
    pub(crate) fn operation(&mut self) -> OperationId {
        let count = u128::from(next(&mut self.operations) & 0xffff_ffff);
        let high = u128::from(self.random.number()) << 64;
        let low = u128::from(self.random.number() & 0xffff_ffff) << 32;
        OperationId(high | low | count)
    }

    /// The next question to whoever checks secrets.
    pub(crate) fn verify(&mut self) -> VerifyId {
        VerifyId(next(&mut self.verifies))
    }

    /// 64 random bits.
    pub(crate) fn random(&mut self) -> u64 {
        self.random.number()
    }

    /// A random number below `limit`, which is not zero.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.random.below(limit)
    }

    /// Tags, branches and Call-IDs nobody can guess.
    pub(crate) fn tokens(&mut self) -> &mut Tokens {
        &mut self.random
    }
}

fn next(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter
}

/// Counts by name. There are few names, and the same place counts by the same text, so the text's
/// address nearly always finds it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counters(Vec<(Cow<'static, str>, u64)>);

impl Counters {
    /// Adds one.
    pub(crate) fn add(&mut self, name: &'static str) {
        let same =
            |(have, _): &(Cow<'static, str>, u64)| core::ptr::eq(have.as_ptr(), name.as_ptr());
        let found = self.0.iter().position(same);
        match found.or_else(|| self.0.iter().position(|(have, _)| have == name)) {
            Some(at) => {
                self.0[at].0 = Cow::Borrowed(name);
                self.0[at].1 += 1;
            }
            None => self.0.push((Cow::Borrowed(name), 1)),
        }
    }

    /// Every count, by name.
    pub(crate) fn all(&self) -> Vec<(Box<str>, u64)> {
        let mut all: Vec<_> =
            self.0.iter().map(|(name, count)| (Box::from(&**name), *count)).collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use jackfield_vocabulary::UnixTime;

    use super::*;

    #[test]
    fn timers_fire_in_order_and_not_when_cancelled() {
        let mut timers = Timers::default();
        let at = |micros| Now::new(micros, UnixTime(0));
        timers.set(at(20), Timer::RouteDelay);
        let gone = timers.set(at(10), Timer::BindingExpiry { device: ObjectId(1) });
        timers.set(at(10), Timer::BindingExpiry { device: ObjectId(2) });
        timers.cancel(gone);
        assert_eq!(timers.next(), Some(10));
        assert!(timers.due(at(9)).is_none());
        let fired = timers.due(at(30)).unwrap().1;
        assert_eq!(fired, Timer::BindingExpiry { device: ObjectId(2) });
        assert_eq!(timers.due(at(30)).unwrap().1, Timer::RouteDelay);
        assert_eq!(timers.len(), 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
        let numbers = |seed| {
            let mut numbers = Numbers::new(NodeId(1), 1, [seed; 32]);
            (numbers.operation(), numbers.operation(), numbers.random())
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1).0, numbers(2).0);
        assert_ne!(numbers(1).0, numbers(1).1);
    }
}
