//! Phones that are registered and not there: they said nothing to a call and to the question after it, or
//! their connection is gone and they can't be called back at their Contact. Whoever calls one need not wait
//! for that, and goes on at once by the forward for unregistered phones. Such a phone stays registered, for only
//! time ends that, or its own word; it is there again when it registers, or answers a call: that is tried once
//! a minute.

use core::time::Duration;
use std::collections::BTreeMap;

use jackfield_sip::{ClientKey, Flow};
use jackfield_vocabulary::{Now, ObjectId};
use serde::{Deserialize, Serialize};

use super::binding::Binding;
use super::probe::options;
use super::{Devices, Sent};
use crate::context::{Context, Timer, TimerToken};
use crate::endpoint::Endpoint;

/// Which phones did not answer, or could not be called back, and when that was tried last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Lost {
    since: BTreeMap<ObjectId, Now>,
    /// Who is asked whether it is there, until it answers.
    #[serde(with = "jackfield_vocabulary::pairs")]
    questions: BTreeMap<ClientKey, (ObjectId, TimerToken)>,
    /// How many were asked in this second.
    asked: (u64, u32),
}

impl Lost {
    /// The phone is not there.
    fn enter(&mut self, now: Now, device: ObjectId) {
        self.since.insert(device, now);
    }

    /// The phone is there, or has no registration any more.
    pub(super) fn forget(&mut self, device: ObjectId) {
        self.since.remove(&device);
        self.questions.retain(|_, (asked, _)| *asked != device);
    }

    /// May one more be asked whether it is there? When a switch goes off many connections end at once;
    /// who is not asked is found out by the first call.
    fn may_ask(&mut self, now: Now) -> bool {
        let second = now.micros / 1_000_000;
        if self.asked.0 != second {
            self.asked = (second, 0);
        }
        self.asked.1 += 1;
        self.asked.1 <= ASKED_IN_A_SECOND
    }
}

impl Devices {
    /// Do calls and orders reach the device by this registration, as far as is known?
    pub(super) fn is_reachable(&self, device: ObjectId, binding: &Binding) -> bool {
        binding.is_reachable() && !self.lost.since.contains_key(&device)
    }

    /// Is it worth while to offer it a call?
    pub(super) fn may_be_there(&self, now: Now, device: ObjectId, binding: &Binding) -> bool {
        let again = |tried: &Now| now.since(*tried) >= AGAIN;
        binding.is_reachable() && self.lost.since.get(&device).is_none_or(again)
    }

    /// A stream is gone: its devices are called back at their contacts until they register again. One
    /// that could not be opened: they are not there.
    pub(crate) fn flow_closed(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        flow: &Flow,
    ) {
        let devices: Vec<ObjectId> = self.addresses.at(flow.remote).collect();
        for device in devices {
            let Some(binding) = self.bindings.get_mut(&device) else { continue };
            if !binding.came_from(flow) {
                continue;
            }
            if flow.connection.is_none() {
                self.lost.enter(ctx.now, device);
                continue;
            }
            binding.lose_connection();
            let remote = binding.flow.remote;
            self.addresses.moved(flow.remote, remote, device);
            self.ask_whether_there(ctx, endpoint, device);
        }
    }

    /// Asks a phone whether it is there. That an INVITE was not answered may be because of what was in it: one
    /// over UDP can be larger than the way lets through.
    pub(super) fn ask_whether_there(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        device: ObjectId,
    ) {
        let Some(binding) = self.bindings.get(&device).filter(|one| one.is_reachable()) else {
            return;
        };
        let asked = self.lost.questions.values().any(|(asked, _)| *asked == device);
        if asked || !self.lost.may_ask(ctx.now) {
            return;
        }
        let Some(line) = binding.first() else { return };
        let question = options(ctx, &binding.flow, &line.contact);
        let key = endpoint.request(ctx, binding.flow.clone(), &question);
        self.sent.insert(key, Sent::Question);
        let timer = ctx.after(PATIENCE, Timer::Question { key });
        self.lost.questions.insert(key, (device, timer));
    }

    /// It answered: it is there, whatever it says.
    pub(super) fn question_answered(&mut self, ctx: &mut Context<'_>, key: ClientKey) {
        self.sent.remove(&key);
        if let Some((device, timer)) = self.lost.questions.remove(&key) {
            ctx.timers.cancel(timer);
            self.lost.forget(device);
        }
    }

    /// It did not answer in time, or could not be asked. Who registered meanwhile is not meant any more.
    pub(super) fn question_over(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
    ) {
        self.sent.remove(&key);
        endpoint.abandon(key);
        if let Some((device, timer)) = self.lost.questions.remove(&key) {
            ctx.timers.cancel(timer);
            self.lost.enter(ctx.now, device);
        }
    }
}

/// A phone has so long to answer: over UDP it is asked four times until then.
const PATIENCE: Duration = Duration::from_secs(4);

/// After so long somebody's call tries it anew.
const AGAIN: Duration = Duration::from_secs(60);
/// Phones asked in one second.
const ASKED_IN_A_SECOND: u32 = 100;
