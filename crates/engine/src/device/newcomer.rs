//! Phones nobody knows: who of them may be taken in by auto-registration (SP-43), and how many at once.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jackfield_model::{AutoRegistration, Directory, Network};
use jackfield_sip::{Flow, Message, Response, Status};
use jackfield_vocabulary::share::{Allowance, Figures, Pace, Source, uses};
use jackfield_vocabulary::{Code, Mac, Now, ObjectId, OperationId, Refusal};
use serde::{Deserialize, Serialize};

use super::Devices;
use super::claim::{Claim, Claimed};
use super::wish::Wish;
use super::{failure, registrar};
use crate::context::{Context, TimerToken};
use crate::endpoint::answer;
use crate::interface::Level;

/// The unknown phones whose REGISTER waits for the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Newcomers {
    pub(super) waiting: BTreeMap<Mac, Waiting>,
    /// What the store was asked to take in, until it is known what became of it.
    #[serde(with = "jackfield_vocabulary::pairs")]
    pub(super) operations: BTreeMap<OperationId, Asked>,
    sources: Pace,
    all: Pace,
    /// Lines of the log about those who came too fast.
    lines: Pace,
    /// Until when those are expected who were told to come again, in microseconds.
    appointments: u64,
    /// When an administrator was last told that there are no numbers left.
    pub(super) alarmed: Option<Now>,
}

/// One of them. A later REGISTER takes the place of an earlier one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) operation: OperationId,
    pub(super) request: Message,
    pub(super) flow: Flow,
}

/// Who is to be taken in, whence it came, and when the store's answer is missed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) mac: Mac,
    pub(super) source: Source,
    pub(super) timer: TimerToken,
}

impl Default for Newcomers {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            operations: BTreeMap::new(),
            sources: uses::NEWCOMERS.pace(),
            all: Pace::new(Allowance { burst: 1, per_minute: 1 }, 1),
            lines: uses::NEWCOMERS_LINES.pace(),
            appointments: 0,
            alarmed: None,
        }
    }
}

impl Devices {
    /// A REGISTER of an unknown phone: submitted to the store, once the phone is known to be there, or
    /// refused with the reason.
    pub(super) fn newcomer(
        &mut self,
        ctx: &mut Context<'_>,
        (flow, there): (&Flow, bool),
        request: &Message,
        claim: &Claim<'_>,
        wish: &Wish,
        mac: Mac,
    ) -> Option<Response> {
        let (settings, model) = match self.offer_to(ctx.directory, flow, claim, mac) {
            Ok(offer) => offer,
            Err(code) => return self.turn_away(ctx, flow, request, mac, code),
        };
        // Who wants no registration needs no number: nothing of it is bound, which is all it asks.
        let Some((contact, _)) = &wish.staying else {
            return Some(answer::plain(request, Status::OK));
        };
        let too_long = || registrar::too_long(request, &contact.uri.text(), &user(request));
        if let Some(refusal) = self.too_brief(ctx, request, wish, None).or_else(too_long) {
            return Some(refusal);
        }
        if !there {
            return self.probe(ctx, flow, request, Claimed::Unknown(mac));
        }
        if let Some(later) = self.has_no_room(ctx, flow, request, mac, &settings) {
            return Some(later);
        }
        self.submit_newcomer(ctx, flow, request, mac, model);
        None
    }

    /// What is open to a phone there, and its model; or why nothing is.
    fn offer_to(
        &self,
        directory: &Directory,
        flow: &Flow,
        claim: &Claim<'_>,
        mac: Mac,
    ) -> Result<(Arc<AutoRegistration>, ObjectId), Code> {
        let settings = directory.auto_registration(&self.node).map(|(_, settings)| settings);
        let open = settings.filter(|settings| !settings.disabled);
        let settings = open.ok_or(Code::AutoRegistrationDisabled)?;
        if !Network::any_contains(&settings.allowed_networks, flow.remote.ip()) {
            return Err(Code::NetworkNotAllowed);
        }
        let model = claim.model(directory, mac).ok_or(Code::NoModelFits)?;
        Ok((Arc::clone(settings), model))
    }

    /// The answer to one for which there is no room now: too many come, or its source has its share.
    fn has_no_room(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        mac: Mac,
        settings: &AutoRegistration,
    ) -> Option<Response> {
        let source = flow.remote.ip();
        // Somebody else with the same hardware address waits already.
        let doubled = self.newcomers.waiting.contains_key(&mac);
        if doubled || !self.newcomers.has_room(ctx.now, settings, source) {
            if !doubled {
                self.too_many_at_once(ctx, flow, mac, settings);
            }
            ctx.count("newcomers-delayed");
            let wait = self.newcomers.appointment(ctx.now, settings.per_minute);
            return Some(answer::unavailable(request, wait + ctx.ids.below(wait / 2 + 1)));
        }
        let admitted = self.unclaimed.admits(mac, source, settings);
        (!admitted).then(|| self.has_its_share(ctx, flow, request, settings))
    }

    /// More new phones come than are taken in, from everywhere or from one source: told in the log,
    /// of each source now and then.
    fn too_many_at_once(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        mac: Mac,
        settings: &AutoRegistration,
    ) {
        let refusal = Refusal::new(Code::RateLimited).value("rule", "new-phones");
        let refusal = refusal.value("per_minute", settings.per_minute).value("node", &self.node);
        self.refusals.because(refusal);
        let reason = Code::RateLimited.name().to_owned();
        let fields = |_: &Directory| vec![("device.mac", mac.to_string()), ("reason", reason)];
        let text = "unknown phone told to come later: more come than are taken in each minute";
        failure::tell(&mut self.newcomers.lines, ctx, flow, Level::Info, text, fields);
    }

    /// As many phones as one source may bring wait for an owner already.
    fn has_its_share(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        settings: &AutoRegistration,
    ) -> Response {
        ctx.count("newcomers-beyond-share");
        let refusal = Refusal::new(Code::UnassignedLimit).value("rule", "share");
        let refusal = refusal.value("address", flow.remote.ip()).value("node", &self.node);
        self.refusals.because(refusal.value("limit", settings.unassigned_limit));
        let text = "unknown phone told to come later: its address has its share of new phones";
        failure::tell(&mut self.failures, ctx, flow, Level::Warn, text, |_| Vec::new());
        answer::unavailable(request, SHARE_AGAIN + ctx.ids.below(SHARE_AGAIN))
    }

    fn turn_away(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        mac: Mac,
        code: Code,
    ) -> Option<Response> {
        ctx.count("newcomers-refused");
        let refusal = Refusal::new(code).value("address", flow.remote.ip());
        self.refusals.because(refusal.value("name", &self.node));
        let told = failure::tell(
            &mut self.failures,
            ctx,
            flow,
            Level::Info,
            "unknown phone turned away",
            |_| vec![("device.mac", mac.to_string()), ("reason", code.name().into())],
        );
        told.then(|| answer::warn(request, Status::FORBIDDEN, &self.node, code.name()))
    }
}

impl Newcomers {
    /// The same phone again, whose first REGISTER the store has not decided on yet: one answer will
    /// do for both, even when the configuration knows it already.
    pub(super) fn is_waited_for(
        &mut self,
        directory: &Directory,
        claim: &Claim<'_>,
        flow: &Flow,
        request: &Message,
    ) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let waiting = claim.mac(directory).and_then(|mac| self.waiting.get_mut(&mac));
        let Some(waiting) = waiting.filter(|one| one.flow.remote == flow.remote) else {
            return false;
        };
        waiting.request = request.clone();
        waiting.flow = flow.clone();
        true
    }

    /// Takes out who waits for this operation; for any of the same phone, where that took it in.
    pub(super) fn waiting_for(
        &mut self,
        mac: Mac,
        operation: OperationId,
        any: bool,
    ) -> Option<Waiting> {
        let waits = self.waiting.get(&mac)?;
        if any || waits.operation == operation { self.waiting.remove(&mac) } else { None }
    }

    /// Is it still open whether this phone is taken in?
    pub(super) fn is_undecided(&self, mac: Mac) -> bool {
        self.operations.values().any(|asked| asked.mac == mac)
    }

    /// In how many seconds one should come again who finds no room: one after another, no faster
    /// than newcomers are taken in. So a boot storm is over soon, and a flood is told to stay away
    /// for as long as ever.
    fn appointment(&mut self, now: Now, per_minute: u32) -> u64 {
        let apart = (60_000_000 / u64::from(per_minute.max(1))).max(APART);
        let latest = now.micros + LATEST;
        self.appointments = (self.appointments.max(now.micros) + apart).min(latest);
        (self.appointments - now.micros).div_ceil(1_000_000)
    }

    /// What the limits by source have come to.
    pub(super) fn figures(&self) -> [Figures; 2] {
        [uses::NEWCOMERS.figures(&self.sources), uses::NEWCOMERS_LINES.figures(&self.lines)]
    }

    /// Few enough wait, and neither this source nor all together come too fast. One source may
    /// have three quarters of the rate, so that a flood leaves something for others.
    fn has_room(&mut self, now: Now, settings: &AutoRegistration, source: IpAddr) -> bool {
        let rate = settings.per_minute;
        let share = rate.div_ceil(4).saturating_mul(3);
        let allowance = |rate: u32| Allowance { burst: rate.clamp(1, BURST), per_minute: rate };
        self.all.set(allowance(rate));
        self.sources.set(allowance(share));
        self.waiting.len() < WAITING
            && self.operations.len() < UNDECIDED
            && self.sources.allows(now, source)
            && self.all.allows(now, EVERYBODY)
    }
}

/// The user that a REGISTER is about.
pub(super) fn user(request: &Message) -> String {
    request.check().ok().and_then(|found| Some(found.to.user()?.into_owned())).unwrap_or_default()
}

/// Are unknown phones at this address taken in?
pub(super) fn is_allowed(directory: &Directory, node: &str, source: IpAddr) -> bool {
    let settings = directory.auto_registration(node);
    settings.is_some_and(|(_, settings)| Network::any_contains(&settings.allowed_networks, source))
}

/// Seconds after which one may come again whose address has its share, at least.
const SHARE_AGAIN: u64 = 300;
/// Phones that may wait at once: about as many as the store takes in within a second.
const WAITING: usize = 1024;
/// Operations whose end is not known yet.
const UNDECIDED: usize = 2048;
/// Microseconds between two phones that were told to come again, at least: the store takes in that
/// many.
const APART: u64 = 1000;
/// Microseconds for which a phone is told to stay away at the most; half as many more by chance.
const LATEST: u64 = 30_000_000;
/// New phones that are taken in at once.
const BURST: u32 = 1000;
/// One allowance for all.
const EVERYBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
