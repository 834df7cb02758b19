//! New phones that have fetched no secret yet are believed as far as SP-43 asks, and those whose security
//! profile asks for none.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jackfield_model::Phone;
use jackfield_sip::{Flow, Message};
use jackfield_vocabulary::share::Source;
use jackfield_vocabulary::{Now, ObjectId};
use serde::{Deserialize, Serialize};

use super::Devices;
use super::binding::Trust;
use super::claim::Claimed;
use super::registrar::keep;
use super::wish::Wish;
use crate::context::Context;
use crate::interface::Output;

/// What is known of new phones and their secrets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Provisional {
    /// New phones that were asked for a secret: at which sources, and when.
    asked: BTreeMap<ObjectId, Vec<(Source, Now)>>,
    /// New phones that have their secret: they showed it, or the file with it was fetched.
    given: BTreeSet<ObjectId>,
    /// Call-IDs of registrations that came with what only their sender was given. One that began because
    /// somebody there answered a question may be anybody's, who chose its Call-ID.
    own: BTreeMap<ObjectId, Vec<Box<str>>>,
}

impl Provisional {
    /// A new phone has its secret, and needs it from now on: tells whether that is news.
    pub(super) fn give(&mut self, device: ObjectId) -> bool {
        self.given.insert(device)
    }

    /// Has the phone its secret, though it may not have shown it in this life of the node?
    pub(super) fn is_given(&self, device: ObjectId) -> bool {
        self.given.contains(&device)
    }

    /// A registration of a device is its own, and not only because somebody there answered.
    pub(super) fn learn(&mut self, device: ObjectId, call_id: &str) {
        if self.is_own(device, call_id) {
            return;
        }
        let own = self.own.entry(device).or_default();
        if own.len() >= CALL_IDS {
            own.remove(0);
        }
        own.push(call_id.into());
    }

    /// Is a registration with this Call-ID known to be its own?
    pub(super) fn is_own(&self, device: ObjectId, call_id: &str) -> bool {
        self.own.get(&device).is_some_and(|own| own.iter().any(|one| **one == *call_id))
    }

    /// Its registration is over: the next one is nobody's yet.
    pub(super) fn unlearn(&mut self, device: ObjectId) {
        self.own.remove(&device);
    }

    /// A device that was taken in is expected there without a secret.
    pub(super) fn expect(&mut self, device: ObjectId, source: Source, now: Now) {
        let asked = self.asked.entry(device).or_default();
        asked.retain(|(one, at)| *one != source && now.since(*at) < PATIENCE);
        if asked.len() >= SOURCES {
            asked.remove(0);
        }
        asked.push((source, now));
    }

    fn is_expected(&self, device: ObjectId, source: Source, now: Now) -> bool {
        let asked = self.asked.get(&device).map(Vec::as_slice).unwrap_or_default();
        asked.iter().any(|(one, at)| *one == source && now.since(*at) < PATIENCE)
    }

    /// It has shown its secret, or has an owner.
    pub(super) fn no_longer_asked(&mut self, device: ObjectId) {
        self.asked.remove(&device);
    }

    /// The device is gone.
    pub(super) fn forget(&mut self, device: ObjectId) {
        self.asked.remove(&device);
        self.given.remove(&device);
        self.own.remove(&device);
    }
}

/// What is held of a device that shows no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Belief {
    /// It has to show one.
    None,
    /// It is believed if it receives what is sent to where it says that it is: anybody can write any
    /// address into a datagram.
    IfThere,
    /// It is believed.
    Full,
}

impl Devices {
    /// May the device do without a secret? New phones may until they have one, and those whose
    /// security profile asks for none; but while one is registered, only at the host where it is:
    /// nobody takes a registration over, or ends it, by knowing a name.
    pub(super) fn belief(
        &mut self,
        ctx: &Context<'_>,
        flow: &Flow,
        request: &Message,
        device: ObjectId,
    ) -> Belief {
        let Some(phone) = ctx.directory.typed::<Phone>(device) else { return Belief::None };
        let binding = self.bindings.get(&device);
        if binding.is_some_and(|binding| !binding.is_at(flow)) {
            return Belief::None;
        }
        if !ctx.directory.asks_for_secret(phone) {
            return Belief::Full;
        }
        let has_secret = binding.is_some_and(|binding| binding.trust != Trust::Provisional)
            || self.authenticator.has_shown(device)
            || self.provisional.is_given(device);
        if !phone.auto_registered || has_secret || !self.is_allowed(ctx, flow.remote.ip()) {
            return Belief::None;
        }
        let again = binding.is_some_and(|binding| {
            binding.came_from(flow)
                && binding.lines.iter().any(|line| &*line.call_id == request.call_id())
        });
        // To go on as it is, it need not be its own; to end, or to be led elsewhere, it must be.
        if again
            && (self.provisional.is_own(device, request.call_id())
                || self.goes_on(flow, request, device))
        {
            return Belief::Full;
        }
        // It may have its secret by now: it is asked, and believed when it has none to show.
        let (now, source) = (ctx.now, Source::from(flow.remote.ip()));
        if self.provisional.is_expected(device, source, now) {
            return Belief::IfThere;
        }
        self.provisional.expect(device, source, now);
        Belief::None
    }

    /// Does it change nothing about a registration, but that it lasts longer?
    fn goes_on(&self, flow: &Flow, request: &Message, device: ObjectId) -> bool {
        Wish::of(request).is_ok_and(|wish| wish.only_asks())
            || self.stays(flow, request, Claimed::Device(device))
    }

    /// The file with a phone's password was fetched: a new phone is asked for it from now on.
    pub(crate) fn password_given(&mut self, ctx: &mut Context<'_>, device: ObjectId) {
        let phone = ctx.directory.typed::<Phone>(device);
        if phone.is_none_or(|phone| !phone.auto_registered) || !self.provisional.give(device) {
            return;
        }
        match self.bindings.get_mut(&device) {
            Some(binding) if binding.trust == Trust::Provisional => {
                binding.trust = Trust::Given;
                keep(ctx, device, binding);
            }
            Some(_) => {}
            None => ctx.out.push(Output::SecretGiven { device }),
        }
    }

    fn is_allowed(&self, ctx: &Context<'_>, source: IpAddr) -> bool {
        super::newcomer::is_allowed(ctx.directory, &self.node, source)
    }
}

/// How long a new phone that was asked for a secret may take to come without one.
const PATIENCE: Duration = Duration::from_secs(600);
/// Sources at which one new phone is remembered as asked: anybody may use its name.
const SOURCES: usize = 8;
/// Call-IDs of one new phone that are remembered as its own: it has a number or two.
const CALL_IDS: usize = 8;
