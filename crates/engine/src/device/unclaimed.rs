//! New phones that wait for an owner: each source has a share of them, and one that never comes back
//! with its secret has an end, so that invented phones don't use up auto-registration for good.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::IpAddr;

use jackfield_model::{Actor, AutoRegistration, Operation, Phone};
use jackfield_vocabulary::share::{Figures, Full, Holder, Limits, Places, uses};
use jackfield_vocabulary::{Mac, ObjectId, UnixTime};
use serde::{Deserialize, Serialize};

use super::Devices;
use super::binding::{Binding, Trust};
use super::hardware;
use crate::context::{Context, Timer};
use crate::interface::{Level, Output};

/// The new phones that were taken in at this node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Unclaimed {
    places: Places<Mac>,
    /// Those of them that answered no question, each where it was taken in.
    unseen: Places<Mac>,
    #[serde(with = "jackfield_vocabulary::pairs")]
    phones: BTreeMap<ObjectId, Taken>,
}

/// One of them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Taken {
    mac: Mac,
    since: UnixTime,
    /// It has registered with its secret.
    back: bool,
}

impl Default for Unclaimed {
    fn default() -> Self {
        let none = Limits { total: 0, share: 0, proved_share: 0, reserve: 0 };
        Self { places: Places::new(none), unseen: Places::new(none), phones: BTreeMap::new() }
    }
}

impl Unclaimed {
    /// May this source bring one more? When all places are taken the store says so, and why.
    pub(super) fn admits(&mut self, mac: Mac, source: IpAddr, settings: &AutoRegistration) -> bool {
        self.places.set(uses::NEW_PHONES.limits_of(settings.unassigned_limit.into()));
        self.places.holds(&mac)
            || self.places.take(mac, Holder::stranger(source), 1) != Err(Full::Share)
    }

    /// Was this phone taken in at this source though it answered no question?
    pub(super) fn is_unseen_at(&self, mac: Mac, source: IpAddr) -> bool {
        self.unseen.holder(&mac) == Some(Holder::stranger(source))
    }

    /// May an unknown phone be taken in though it answers no question? A share of all may.
    pub(super) fn admits_unseen(
        &mut self,
        mac: Mac,
        source: IpAddr,
        settings: &AutoRegistration,
    ) -> bool {
        let total = u64::from(settings.unassigned_limit).div_ceil(4);
        self.unseen.set(uses::UNSEEN_PHONES.limits_of(total));
        self.is_unseen_at(mac, source)
            || !self.unseen.holds(&mac)
                && self.unseen.take(mac, Holder::stranger(source), 1).is_ok()
    }

    /// Has this phone shown nothing yet?
    pub(super) fn is_unseen(&self, device: ObjectId) -> bool {
        self.mac(device).is_some_and(|mac| self.unseen.holds(&mac))
    }

    /// The hardware address of a new phone that waits for an owner.
    pub(super) fn mac(&self, device: ObjectId) -> Option<Mac> {
        self.phones.get(&device).map(|taken| taken.mac)
    }

    /// None was taken in, or none that waits for an owner.
    pub(super) fn refused(&mut self, mac: Mac) {
        if !self.phones.values().any(|taken| taken.mac == mac) {
            self.release(mac);
        }
    }

    fn release(&mut self, mac: Mac) {
        self.places.release(&mac);
        self.unseen.release(&mac);
    }

    /// It has registered with its secret.
    pub(super) fn came_back(&mut self, device: ObjectId) {
        if let Some(taken) = self.phones.get_mut(&device) {
            taken.back = true;
            self.places.prove(&taken.mac);
            self.unseen.release(&taken.mac);
        }
    }

    /// It has an owner, or is deleted.
    pub(super) fn left(&mut self, device: ObjectId) {
        if let Some(taken) = self.phones.remove(&device) {
            self.release(taken.mac);
        }
    }

    /// What the limits by source have come to.
    pub(super) fn figures(&self) -> [Figures; 2] {
        [uses::NEW_PHONES.figures(&self.places), uses::UNSEEN_PHONES.figures(&self.unseen)]
    }
}

impl Devices {
    /// A phone was taken in, if it has no owner by now.
    pub(super) fn wait_for_owner(&mut self, ctx: &mut Context<'_>, device: ObjectId, mac: Mac) {
        let phone = ctx.directory.typed::<Phone>(device);
        if phone.is_none_or(|phone| !phone.auto_registered || phone.owner.is_some()) {
            return self.unclaimed.refused(mac);
        }
        let known = self.unclaimed.phones.contains_key(&device);
        let taken = Taken { mac, since: ctx.now.wall, back: false };
        self.unclaimed.phones.entry(device).or_insert(taken);
        if !known {
            self.watch_unclaimed(ctx, device);
        }
    }

    /// A new phone is here, whose taking in was left open: the store could not say what became of it.
    pub(super) fn notice_unclaimed(
        &mut self,
        ctx: &mut Context<'_>,
        device: ObjectId,
        phone: &Phone,
        source: IpAddr,
    ) {
        if phone.owner.is_some() || self.unclaimed.phones.contains_key(&device) {
            return;
        }
        let Some(mac) = hardware::in_name(&phone.name) else { return };
        self.count_unclaimed(ctx, mac, source);
        self.wait_for_owner(ctx, device, mac);
    }

    /// It has a place of its source, if there is one: it was taken in already.
    fn count_unclaimed(&mut self, ctx: &Context<'_>, mac: Mac, source: IpAddr) {
        let settings = ctx.directory.auto_registration(&self.node).map(|(_, one)| one.clone());
        if let Some(settings) = settings {
            self.unclaimed.admits(mac, source, &settings);
        }
    }

    /// What an earlier life of the node kept of a phone that has no owner yet.
    pub(super) fn restore_unclaimed(
        &mut self,
        ctx: &mut Context<'_>,
        device: ObjectId,
        phone: &Phone,
        kept: &Binding,
    ) {
        let Some(mac) = hardware::in_name(&phone.name) else { return };
        self.count_unclaimed(ctx, mac, kept.flow.remote.ip());
        let taken = Taken { mac, since: kept.since, back: false };
        self.unclaimed.phones.insert(device, taken);
        if kept.trust == Trust::Proved {
            self.unclaimed.came_back(device);
        }
        self.watch_unclaimed(ctx, device);
    }

    /// Sets the end of one that does not come back.
    fn watch_unclaimed(&self, ctx: &mut Context<'_>, device: ObjectId) {
        if let Some(left) = self.patience(ctx, device) {
            ctx.after(left.max(Duration::from_secs(1)), Timer::Unclaimed { device });
        }
    }

    /// How long it is still waited for; `None` for ever.
    fn patience(&self, ctx: &Context<'_>, device: ObjectId) -> Option<Duration> {
        let taken = self.unclaimed.phones.get(&device).filter(|taken| !taken.back)?;
        let (_, settings) = ctx.directory.auto_registration(&self.node)?;
        let hours = u64::from(settings.return_hours);
        let passed = Duration::from_millis(ctx.now.wall.0.saturating_sub(taken.since.0));
        (hours > 0).then(|| Duration::from_secs(hours * 3600).saturating_sub(passed))
    }

    /// The time of one that did not come back is over, if the setting still says so.
    pub(super) fn unclaimed_over(&mut self, ctx: &mut Context<'_>, device: ObjectId) {
        let Some(left) = self.patience(ctx, device) else { return };
        let phone = ctx.directory.typed::<Phone>(device).cloned();
        let Some(phone) = phone.filter(|phone| phone.auto_registered && phone.owner.is_none())
        else {
            return self.unclaimed.left(device);
        };
        // What does not go now, since the store can't say or the phone is at another node, is looked
        // at again.
        ctx.after(left.max(AGAIN), Timer::Unclaimed { device });
        if !left.is_zero() {
            return;
        }
        // Its temporary number goes with it.
        let what = Operation::Delete { id: device, version: None };
        let operation = ctx.ids.operation();
        ctx.count("newcomers-expired");
        let fields = vec![("device.name", phone.name.to_string())];
        ctx.note(Level::Info, "new phone that never came back is deleted", fields);
        ctx.out.push(Output::Expire { device, operation, actor: Actor::System, what });
    }
}

/// After so long one that did not go is looked at again.
const AGAIN: Duration = Duration::from_secs(3600);
