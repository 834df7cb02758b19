//! Devices: where they are registered, what they may do, and their legs in calls.

mod addresses;
mod authenticate;
mod binding;
mod cause;
mod claim;
mod dialect;
mod elsewhere;
mod failure;
mod hardware;
mod leg;
mod lost;
mod newcomer;
mod nonce;
mod outdated;
mod probe;
mod provisional;
mod reach;
mod refusals;
mod registrar;
mod sequence;
mod taking_in;
mod told;
mod unclaimed;
mod unregister;
mod wish;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jackfield_model::{ClusterSettings, Directory, Line, Phone};
use jackfield_sip::{ClientKey, Flow, Message, ServerKey, Tokens};
use jackfield_vocabulary::share::{Figures, Pace, uses};
use jackfield_vocabulary::{Cause, LegId, Mac, ObjectId};
use serde::{Deserialize, Serialize};

use crate::context::{Context, Timer};
use crate::endpoint::{Endpoint, Heard};
use crate::interface::{Access, DeviceState, KeptBinding, LastRefusal, Output, Whereabouts};
use addresses::Addresses;
use authenticate::Authenticator;
use binding::{Binding, Trust};
use elsewhere::Inquiries;
use leg::Legs;
use lost::Lost;
use newcomer::Newcomers;
use outdated::Outdated;
pub(crate) use probe::Place;
use probe::Probes;
use provisional::Provisional;
use refusals::{Refusals, Who};
use told::Told;
use unclaimed::Unclaimed;

/// Every device that is registered, or about to be.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Devices {
    /// This node's name.
    node: Box<str>,
    bindings: BTreeMap<ObjectId, Binding>,
    /// Where devices were that lost their registration with their secret, or that came with their
    /// former secret: they can still be told to restart, and so to fetch the new one.
    former: BTreeMap<ObjectId, Binding>,
    addresses: Addresses,
    authenticator: Authenticator,
    provisional: Provisional,
    outdated: Outdated,
    probes: Probes,
    inquiries: Inquiries,
    newcomers: Newcomers,
    refusals: Refusals,
    unclaimed: Unclaimed,
    /// How often a source may be wrong before it gets no answers.
    failures: Pace,
    legs: Legs,
    lost: Lost,
    /// The settings of the cluster, and the change with which they were read.
    #[serde(skip)]
    settings: Option<(u64, Arc<ClusterSettings>)>,
    /// Requests of ours whose answers matter.
    #[serde(with = "jackfield_vocabulary::pairs")]
    sent: BTreeMap<ClientKey, Sent>,
}

/// What an answer is the answer to.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Sent {
    /// A call offered.
    Offer(LegId),
    /// An offer that nobody wants answered any more.
    Withdrawn { flow: Flow, to: Box<str>, why: Cause },
    /// New media for an answered leg.
    ReOffer(LegId),
    /// The question whether an answered leg still lives.
    Audit(LegId),
    /// What the other side of its call says to an answered leg; the request that wants the answer.
    Info { leg: LegId, asked: ServerKey },
    /// A word to a phone outside every call.
    Told(Box<Told>),
    /// The question whether a phone is where it says.
    Probe(Place),
    /// The question whether a registered phone is there still.
    Question,
}

impl Devices {
    pub(crate) fn new(node: &str, tokens: &mut Tokens) -> Self {
        let mut key = [0; 32];
        for bytes in key.chunks_exact_mut(8) {
            bytes.copy_from_slice(&tokens.number().to_le_bytes());
        }
        Self {
            node: node.into(),
            bindings: BTreeMap::new(),
            former: BTreeMap::new(),
            addresses: Addresses::default(),
            authenticator: Authenticator::new(key),
            provisional: Provisional::default(),
            outdated: Outdated::default(),
            probes: Probes::default(),
            inquiries: Inquiries::default(),
            newcomers: Newcomers::default(),
            refusals: Refusals::default(),
            unclaimed: Unclaimed::default(),
            failures: uses::WRONG_CREDENTIALS.pace(),
            legs: Legs::default(),
            lost: Lost::default(),
            settings: None,
            sent: BTreeMap::new(),
        }
    }

    /// The settings of the cluster, without looking for them at every message.
    fn cluster(&mut self, directory: &Directory) -> Arc<ClusterSettings> {
        let sequence = directory.sequence();
        match &self.settings {
            Some((read, settings)) if *read == sequence => Arc::clone(settings),
            _ => {
                let settings = directory.cluster();
                self.settings = Some((sequence, Arc::clone(&settings)));
                settings
            }
        }
    }

    /// Takes in the registrations that an earlier life of the node kept, and what was left of those
    /// that ended.
    pub(crate) fn restore(&mut self, ctx: &mut Context<'_>, kept: Vec<KeptBinding>) {
        for KeptBinding { device, binding, over } in kept {
            let Ok(mut binding) = postcard::from_bytes::<Binding>(&binding) else { continue };
            let Some(phone) = ctx.directory.typed::<Phone>(device).cloned() else { continue };
            if phone.auto_registered && phone.owner.is_none() {
                self.restore_unclaimed(ctx, device, &phone, &binding);
            }
            if phone.auto_registered && binding.trust != Trust::Provisional {
                self.provisional.give(device);
                ctx.out.push(Output::SecretGiven { device });
            }
            binding.restart_clock(ctx.now);
            let registered = binding.prune(ctx.now) && !over;
            let secret = binding.trust == Trust::Proved || !ctx.directory.needs_no_secret(device);
            let (secrets, shown) = (ctx.directory.secrets(), binding.generation);
            // Its secret was replaced, and it has not shown the new one.
            let now = Some(secrets.generation(device)).filter(|now| secret && *now != shown);
            let outdated = now.is_some();
            if !outdated || secrets.vouches(device, shown) {
                ctx.out.push(Output::Access(access(device, &binding, now)));
            }
            if outdated {
                if registered {
                    self.remember_former(device, binding);
                }
                continue;
            }
            if registered {
                binding.expiry = None;
                binding.watch(ctx.timers, device);
                self.addresses.enter(binding.flow.remote, device);
                self.addresses.listens(device, binding.ears());
                self.bindings.insert(device, binding);
            }
        }
    }

    /// Takes what the network says, but REGISTER.
    pub(crate) fn hear(&mut self, ctx: &mut Context<'_>, endpoint: &mut Endpoint, heard: Heard) {
        match heard {
            Heard::Register { flow, message } => self.hear_register(ctx, endpoint, flow, message),
            Heard::Arrived(request) => self.arrived(ctx, endpoint, request),
            Heard::Request { key, flow, message, sender } => {
                self.request(ctx, endpoint, key, flow, message, sender);
            }
            Heard::Ack { invite, message } => self.acknowledged(ctx, endpoint, invite, &message),
            Heard::Cancelled { invite } => self.cancelled(ctx, endpoint, invite),
            Heard::Unacknowledged { invite } => self.unacknowledged(ctx, endpoint, invite),
            Heard::Response { key, flow, message } => {
                self.response(ctx, endpoint, key, flow, &message);
            }
            Heard::Failed { key } => self.failed(ctx, endpoint, key),
        }
    }

    fn hear_register(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        flow: Flow,
        message: Message,
    ) {
        let response = match Endpoint::screen(&flow, &message) {
            Some(response) => Some(response),
            None => match message.check() {
                Ok(essentials) => self.register(ctx, (&flow, false), &message, essentials),
                // The transactions answer what is broken.
                Err(_) => return endpoint.transact(ctx, flow, message),
            },
        };
        if let Some(response) = response {
            endpoint.reply(ctx, &flow, &message, &response);
        }
    }

    fn response(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
        flow: Flow,
        message: &Message,
    ) {
        match self.sent.get(&key) {
            Some(Sent::Offer(leg)) => {
                let leg = *leg;
                self.offer_answered(ctx, endpoint, key, leg, flow, message);
            }
            Some(Sent::Withdrawn { .. }) => {
                self.withdrawn_answered(ctx, endpoint, key, message);
            }
            Some(Sent::ReOffer(leg)) => {
                let leg = *leg;
                self.re_offer_answered(ctx, endpoint, key, leg, message);
            }
            Some(Sent::Audit(leg)) => {
                let leg = *leg;
                self.audit_answered(ctx, endpoint, key, leg, message);
            }
            Some(Sent::Info { leg, asked }) => {
                let to = (*leg, *asked);
                self.info_out_answered(ctx, key, to, message.status());
            }
            Some(Sent::Told(_)) => self.told_answered(ctx, endpoint, key, message),
            Some(Sent::Probe(place)) => {
                let place = *place;
                self.probe_answered(ctx, endpoint, place);
            }
            Some(Sent::Question) => self.question_answered(ctx, key),
            // To BYE, UPDATE, SUBSCRIBE whatever comes changes nothing.
            None => self.accepted_again(ctx, endpoint, key, flow, message),
        }
    }

    fn failed(&mut self, ctx: &mut Context<'_>, endpoint: &mut Endpoint, key: ClientKey) {
        match self.sent.remove(&key) {
            Some(Sent::Offer(leg)) => self.offer_failed(ctx, leg),
            Some(Sent::ReOffer(leg)) => self.re_offer_failed(ctx, endpoint, leg),
            Some(Sent::Audit(leg)) => self.audit_failed(ctx, endpoint, leg),
            Some(Sent::Info { leg, asked }) => self.info_out_answered(ctx, key, (leg, asked), None),
            Some(Sent::Told(told)) => Self::told_failed(ctx, &told),
            Some(Sent::Question) => self.question_over(ctx, endpoint, key),
            Some(Sent::Withdrawn { .. } | Sent::Probe(_)) | None => {}
        }
    }

    /// The configuration changed; `before` is how it was.
    pub(crate) fn directory_changed(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        before: &Directory,
        changed: &[ObjectId],
    ) {
        for id in changed {
            if ctx.directory.typed::<ClusterSettings>(*id).is_some() {
                self.authenticator.forget_hashes();
            }
            if let Some(phone) = ctx.directory.typed::<Phone>(*id) {
                self.outdated.lines_changed(*id);
                if !phone.auto_registered {
                    self.unclaimed.left(*id);
                    self.provisional.no_longer_asked(*id);
                }
                if let Some(uses) = self.authenticator.changed(ctx.directory, *id) {
                    self.outdated.expect(*id, uses, ctx.now);
                    // Registered with the secret that was taken from it.
                    if let Some(binding) = self.bindings.get(id).cloned() {
                        self.remember_former(*id, binding);
                    }
                    self.unbind(ctx, *id);
                }
            } else if ctx.directory.typed::<Line>(*id).is_some() {
                ctx.directory.appearances(*id).for_each(|one| self.outdated.lines_changed(one));
            } else if let Some(phone) = before.typed::<Phone>(*id) {
                self.end_legs_of(ctx, endpoint, *id);
                self.dismiss(ctx, endpoint, before, *id);
                self.authenticator.forget(*id);
                self.provisional.forget(*id);
                self.refusals.forget(Who::Device(*id));
                self.former.remove(id);
                self.outdated.forget(*id);
                self.unclaimed.left(*id);
                self.unbind_named(ctx, *id, phone.name.to_string());
            }
        }
    }

    fn remember_former(&mut self, device: ObjectId, binding: Binding) {
        if self.former.len() >= FORMER && !self.former.contains_key(&device) {
            self.former.pop_first();
        }
        self.former.insert(device, binding);
    }

    /// A timer of devices or legs fired.
    pub(crate) fn timeout(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        timer: &Timer,
    ) {
        match timer {
            Timer::BindingExpiry { device } => self.binding_expiry(ctx, *device),
            Timer::AutoRegisterAnswer { operation } => {
                self.no_decision(ctx, endpoint, *operation);
            }
            Timer::Unclaimed { device } => self.unclaimed_over(ctx, *device),
            Timer::Probe { place } => self.probe_over(ctx, endpoint, *place),
            Timer::Question { key } => self.question_over(ctx, endpoint, *key),
            Timer::Elsewhere { place } => self.elsewhere_over(ctx, endpoint, *place),
            Timer::AutoRegisterRestart { device } => self.restart_newcomer(ctx, *device),
            Timer::InviteExpiry { leg } => self.invite_expired(ctx, endpoint, *leg),
            Timer::GlareRetry { leg } => self.glare_retry(ctx, endpoint, *leg),
            Timer::OfferGiveUp { leg } => self.give_up_offer(ctx, endpoint, *leg),
            Timer::LegAudit { leg } => self.audit_leg(ctx, endpoint, *leg),
            Timer::KeySubscription { leg } => self.refresh_keys(ctx, endpoint, *leg),
            _ => {}
        }
    }

    /// What is known of a device at this moment; its calls are the calls' to tell.
    pub(crate) fn state(&self, directory: &Directory, device: ObjectId) -> DeviceState {
        let outdated = self.outdated_in(directory, device);
        let silent_lines = self.silent_lines(directory, device);
        let Some(binding) = self.bindings.get(&device) else {
            let former = self.former.get(&device);
            let address = former.map(|left| address(&left.flow));
            let refused = self.refusals.of(Who::Device(device)).cloned();
            return DeviceState {
                address,
                refused,
                outdated,
                silent_lines,
                ..DeviceState::default()
            };
        };
        let flow = &binding.flow;
        DeviceState {
            registered: true,
            reachable: self.is_reachable(device, binding),
            address: Some(address(flow)),
            user_agent: binding.user_agent.clone(),
            refused: self.refusals.since(device, flow.remote.ip()).cloned(),
            outdated,
            silent_lines,
            since: Some(binding.since),
            expires: Some(binding.expires().wall),
            ..DeviceState::default()
        }
    }

    /// The lines of a phone by which none of the phones that have them is registered.
    fn silent_lines(&self, directory: &Directory, device: ObjectId) -> Vec<ObjectId> {
        let Some(phone) = directory.typed::<Phone>(device) else { return Vec::new() };
        let rings = |line: ObjectId| {
            directory.appearances(line).any(|one| match self.bindings.get(&one) {
                Some(binding) => binding.line(line).is_some() && self.is_reachable(one, binding),
                // An application's device needs no registration.
                None => directory.typed::<Phone>(one).is_none(),
            })
        };
        let lines = phone.lines.iter().map(|appearance| appearance.line.id());
        lines.filter(|line| !rings(*line)).collect()
    }

    /// Where a device is, if it is registered.
    pub(crate) fn whereabouts(&self, device: ObjectId) -> Option<Whereabouts> {
        let Binding { flow, since, .. } = self.bindings.get(&device)?;
        Some(Whereabouts { device, address: address(flow), since: *since })
    }

    /// Why phones were refused that are in no configuration.
    pub(crate) fn turned_away(
        &self,
        mac: Option<Mac>,
        address: Option<IpAddr>,
    ) -> Vec<LastRefusal> {
        let one = mac.and_then(|mac| self.refusals.of(Who::Hardware(mac))).cloned();
        let others = address.map(|address| self.refusals.from(address)).unwrap_or_default();
        one.into_iter().chain(others).collect()
    }

    /// How many are registered.
    pub(crate) fn registered(&self) -> u64 {
        self.bindings.len() as u64
    }

    /// Legs that exist.
    pub(crate) fn legs(&self) -> usize {
        self.legs.len()
    }

    /// What limits by source have come to.
    pub(crate) fn limits(&self) -> Vec<Figures> {
        let [newcomers, lines] = self.newcomers.figures();
        let [unclaimed, unseen] = self.unclaimed.figures();
        vec![
            uses::WRONG_CREDENTIALS.figures(&self.failures),
            newcomers,
            lines,
            unclaimed,
            unseen,
            self.refusals.figures(),
            self.probes.figures(),
            self.inquiries.figures(),
        ]
    }
}

/// An address with its transport, as people read it.
fn address(flow: &Flow) -> Box<str> {
    format!("{} {}", flow.remote, flow.transport).into()
}

/// What a registration of an earlier life of the node says of who may fetch the device's file. One that
/// showed no secret, and was given another one, of the generation `now`, may fetch it now, as it might
/// have when that was done.
fn access(device: ObjectId, binding: &Binding, now: Option<u32>) -> Access {
    let address = binding.flow.remote.ip();
    match (binding.trust, now) {
        (Trust::Proved, _) => {
            Access::Registered { device, address, generation: binding.generation }
        }
        (_, Some(generation)) => {
            Access::Window { device, address: Some(address), generation, length: WINDOW }
        }
        (_, None) => Access::Seen { device, address },
    }
}

/// For how long a phone may fetch the file with its secret, each time that there is reason for it.
const WINDOW: core::time::Duration = core::time::Duration::from_secs(300);
/// Devices remembered after they lost their registration with their secret.
const FORMER: usize = 10_000;
