//! What happens: registrar, routing, calls, CTI, IVR and provisioning, without sockets or clocks.
//!
//! Layers inside, from the network up: SIP endpoint, devices, calls, applications. Events go up,
//! commands go down, as `Internal` messages; `Engine::drain` says who gets what, and
//! whoever wants to understand the server starts there. The shell feeds [`Input`]s and does what
//! the [`Output`]s ask.

mod call;
mod context;
mod cti;
mod device;
mod endpoint;
mod interface;
mod ivr;
mod leg;
mod provisioning;
#[cfg(test)]
mod stage;

use std::collections::VecDeque;
use std::sync::Arc;

use jackfield_model::{Directory, Node};
use jackfield_vocabulary::{Code, NodeId, Now, Refusal, UnixTime};
use serde::{Deserialize, Serialize};

use call::Calls;
use context::{Asker, Context, Internal, Numbers, Timer, Tools};
use cti::Cti;
use device::Devices;
use endpoint::Endpoint;
pub use interface::*;
use ivr::Ivr;
use provisioning::{Provisioning, Screen};

/// All live state of one node.
pub struct Engine {
    directory: Arc<Directory>,
    state: State,
    /// Empty whenever `handle` returns.
    queue: VecDeque<Internal>,
}

/// What is written and read back whole.
#[derive(Clone, Serialize, Deserialize)]
struct State {
    node: Box<str>,
    endpoint: Endpoint,
    devices: Devices,
    calls: Calls,
    cti: Cti,
    ivr: Ivr,
    provisioning: Provisioning,
    tools: Tools,
}

/// Who this engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The node's name in the configuration.
    pub node: Box<str>,
    /// Counts the starts of this node, so that call numbers are never used again.
    pub epoch: u32,
}

/// A snapshot that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the snapshot of the engine can't be read")]
pub struct RestoreError(#[source] serde_json::Error);

impl Engine {
    /// An engine in which nothing goes on yet. The seed must come from real randomness and never
    /// be used again.
    pub fn new(identity: Identity, directory: Arc<Directory>, seed: [u8; 32]) -> Self {
        let node = directory.named::<Node>(&identity.node);
        let number = NodeId(node.map_or(1, |(_, node)| node.number));
        let mut numbers = Numbers::new(number, identity.epoch, seed);
        let mut endpoint_seed = [0; 32];
        for bytes in endpoint_seed.chunks_exact_mut(8) {
            bytes.copy_from_slice(&numbers.random().to_le_bytes());
        }
        let devices = Devices::new(&identity.node, numbers.tokens());
        let state = State {
            node: identity.node,
            endpoint: Endpoint::new(endpoint_seed),
            devices,
            calls: Calls::default(),
            cti: Cti::default(),
            ivr: Ivr::default(),
            provisioning: Provisioning::default(),
            tools: Tools::new(numbers),
        };
        Self { directory, state, queue: VecDeque::new() }
    }

    /// An engine as it was when [`Self::snapshot`] was taken.
    pub fn restore(snapshot: &[u8], directory: Arc<Directory>) -> Result<Self, RestoreError> {
        let state = serde_json::from_slice(snapshot).map_err(RestoreError)?;
        Ok(Self { directory, state, queue: VecDeque::new() })
    }

    /// Takes in the registrations that an earlier life of the node kept (`Output::Binding`). Call
    /// it once, before the first input.
    pub fn restore_bindings(
        &mut self,
        now: Now,
        bindings: Vec<KeptBinding>,
        out: &mut Vec<Output>,
    ) {
        let State { devices, tools, .. } = &mut self.state;
        let ctx = &mut tools.context(now, &self.directory, &mut self.queue, out);
        devices.restore(ctx, bindings);
        self.drain(now, out);
    }

    /// Takes one input and pushes all that follows from it to `out`.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let before = match &input {
            Input::Directory { directory, .. } => {
                Some(core::mem::replace(&mut self.directory, Arc::clone(directory)))
            }
            _ => None,
        };
        let State { endpoint, devices, calls, cti, ivr, provisioning, tools, .. } = &mut self.state;
        let ctx = &mut tools.context(now, &self.directory, &mut self.queue, out);
        ivr.watch_ownership(ctx);
        match input {
            Input::Sip { flow, message } => endpoint.receive(ctx, flow, &message),
            Input::FlowClosed { flow } => {
                endpoint.disconnected(ctx, &flow);
                devices.flow_closed(ctx, endpoint, &flow);
            }
            Input::Behind(behind) => endpoint.set_behind(behind),
            Input::Timeout => {
                endpoint.timeout(ctx);
                return self.timeout(now, out);
            }
            Input::Directory { changed, .. } => {
                if let Some(before) = &before {
                    devices.directory_changed(ctx, endpoint, before, &changed);
                }
                cti.directory_changed(ctx);
            }
            Input::PasswordGiven { device } => devices.password_given(ctx, device),
            Input::Elsewhere { device, known } => {
                devices.heard_elsewhere(ctx, endpoint, device, known);
            }
            Input::Beside { at, ears, device, taken } => {
                devices.heard_beside(ctx, endpoint, (at, ears, device), taken);
            }
            Input::Decided { operation, decision } => {
                if !devices.decided(ctx, endpoint, operation, &decision) {
                    provisioning.decided(ctx, operation, &decision);
                }
            }
            Input::Verified { verify, verification } => {
                provisioning.verified(ctx, verify, &verification);
            }
            Input::Media(event) => cti.media(ctx, event),
            Input::Service(order) => match order {
                ServiceOrder::StartCtiManager => cti.start(),
                ServiceOrder::StopCtiManager => cti.stop(ctx),
                ServiceOrder::StartSelfProvisioning(start) => {
                    provisioning.service(Some(Arc::new(start.settings.clone())));
                    ivr.start(ctx, &start);
                }
                ServiceOrder::StopSelfProvisioning => {
                    ivr.stop(ctx);
                    provisioning.service(None);
                }
            },
            Input::RoutePoint { device, ownership } => ivr.owned(ctx, device, ownership),
            Input::Session { session, account } => cti.session(ctx, session, account, false),
            Input::Application { session, request, command } => {
                cti.outside_command(ctx, session, request, command);
            }
            Input::Operator { request, order } => {
                if let Some(result) = operator(ctx, calls, devices, provisioning, request, order) {
                    let result = match result {
                        Answer::Overview => Ok(OperatorReply::Overview(self.overview())),
                        Answer::Reply(result) => *result,
                    };
                    out.push(Output::Reply { request, result });
                }
            }
        }
        self.drain(now, out);
    }

    /// When `Input::Timeout` is due. Its wall clock is not set: only `micros` counts.
    pub fn next_timeout(&self) -> Option<Now> {
        let timers = [self.state.tools.timers.next(), self.state.endpoint.next_timeout()];
        let next = timers.into_iter().flatten().min()?;
        Some(Now::new(next, UnixTime(0)))
    }

    /// Everything that is needed to go on elsewhere, or later. It holds secrets: keep it so.
    pub fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&self.state).expect("engine state is plain data")
    }

    /// Fires the timers that are due, one after another, each with all that follows from it.
    fn timeout(&mut self, now: Now, out: &mut Vec<Output>) {
        self.drain(now, out);
        while let Some((_, timer)) = self.state.tools.timers.due(now) {
            self.fire(now, &timer, out);
            self.drain(now, out);
        }
    }

    fn fire(&mut self, now: Now, timer: &Timer, out: &mut Vec<Output>) {
        let State { endpoint, devices, calls, cti, ivr, provisioning, tools, .. } = &mut self.state;
        let ctx = &mut tools.context(now, &self.directory, &mut self.queue, out);
        match timer {
            Timer::BindingExpiry { .. }
            | Timer::AutoRegisterAnswer { .. }
            | Timer::AutoRegisterRestart { .. }
            | Timer::Unclaimed { .. }
            | Timer::Probe { .. }
            | Timer::Elsewhere { .. }
            | Timer::Question { .. }
            | Timer::InviteExpiry { .. }
            | Timer::GlareRetry { .. }
            | Timer::OfferGiveUp { .. }
            | Timer::LegAudit { .. }
            | Timer::KeySubscription { .. } => devices.timeout(ctx, endpoint, timer),
            Timer::NoAnswer { .. } | Timer::Exchange { .. } => calls.timer(ctx, timer),
            Timer::NewCallAccept { .. }
            | Timer::MediaAllocation { .. }
            | Timer::MediaAnswer { .. }
            | Timer::Playing { .. }
            | Timer::Collection { .. }
            | Timer::ShowTextDue { .. } => cti.timer(ctx, timer),
            Timer::RouteDelay | Timer::OwnershipEnd | Timer::IvrCall { .. } => {
                ivr.timer(ctx, timer);
            }
            Timer::VerifyAnswer { .. }
            | Timer::ProofExpiry { .. }
            | Timer::DecisionInquiry { .. }
            | Timer::ProvisionRestart { .. } => provisioning.timer(ctx, timer),
        }
    }

    /// Hands on what layers left for each other, and what the endpoint heard, until all is quiet.
    fn drain(&mut self, now: Now, out: &mut Vec<Output>) {
        let State { endpoint, devices, calls, cti, ivr, provisioning, tools, .. } = &mut self.state;
        loop {
            let message = self.queue.pop_front();
            let ctx = &mut tools.context(now, &self.directory, &mut self.queue, out);
            let Some(message) = message else {
                let Some(heard) = endpoint.next_heard() else { return };
                devices.hear(ctx, endpoint, heard);
                continue;
            };
            match message {
                Internal::ToDevice(command) => devices.leg_command(ctx, endpoint, command),
                Internal::ToCall(event) => calls.leg_event(ctx, event),
                Internal::Restart { device, restart, asker } => {
                    devices.restart(ctx, endpoint, device, restart, asker);
                }
                Internal::Probe { place } => devices.send_probe(ctx, endpoint, place),
                Internal::RestartFormer { device } => {
                    devices.restart_former(ctx, endpoint, device);
                }
                Internal::ShowText { device, text, asker } => {
                    devices.show_text(ctx, endpoint, device, &text, asker);
                }
                Internal::DeviceTold { asker: Asker::Operator { request }, result } => {
                    let result = result.map(|()| OperatorReply::Accepted);
                    ctx.out.push(Output::Reply { request, result });
                }
                Internal::DeviceTold { asker, result } => cti.device_told(ctx, asker, result),
                Internal::ToCti(told) => {
                    let why = ivr.turned_away(ctx, &told);
                    cti.leg(ctx, told, why);
                }
                Internal::Divert(order) => calls.divert(ctx, order),
                Internal::Session { session, account } => cti.session(ctx, session, account, true),
                Internal::Command { session, request, command } => {
                    cti.command(ctx, session, request, command);
                }
                Internal::Told { told, .. } => ivr.told(ctx, told),
                Internal::Provision { session, account, command } => {
                    provisioning.command(ctx, session, account, command);
                }
                Internal::Restarting { device } => provisioning.restarting(ctx, device),
                Internal::Provisioned { session, device, outcome } => {
                    cti.provisioned(ctx, session, device, outcome);
                }
            }
        }
    }

    fn overview(&self) -> Overview {
        let State { endpoint, devices, calls, cti, ivr, provisioning, tools, .. } = &self.state;
        let (all, connected) = calls.counts();
        let mut counted = tools.counters.all();
        counted.extend(endpoint.counters());
        let ((cti_calls, media), waiting) = (cti.counts(), provisioning.counts());
        let gauges = [
            ("timers", self.state.tools.timers.len()),
            ("sip-transactions", endpoint.transactions()),
            ("sip-legs", devices.legs()),
            ("call-legs", calls.legs()),
            ("cti-calls", cti_calls),
            ("media-resources", media),
            ("route-points-owned", usize::from(ivr.owns())),
            ("assignments-waiting", waiting.1),
        ];
        Overview {
            registered: devices.registered(),
            calls: all,
            calls_connected: connected,
            sessions: cti.sessions(),
            ivr_calls: ivr.calls(),
            ivr: ivr.state(),
            ivr_owner: ivr.owner(),
            mode: provisioning.mode(&self.directory),
            ivr_starts: ivr.starts(),
            counters: counted,
            gauges: gauges.map(|(name, count)| (name.into(), count as u64)).into(),
            limits: [
                endpoint.figures().into(),
                devices.limits(),
                vec![calls.figures()],
                ivr.figures(),
            ]
            .concat(),
        }
    }
}

/// What an order is answered with at once.
enum Answer {
    Reply(Box<Result<OperatorReply, Refusal>>),
    Overview,
}

impl Answer {
    fn reply(result: Result<OperatorReply, Refusal>) -> Self {
        Self::Reply(Box::new(result))
    }
}

/// Devices that are asked for at once.
const MOST_ASKED: usize = 1000;

/// Carries out an order; `None` when its answer comes later.
fn operator(
    ctx: &mut Context<'_>,
    calls: &mut Calls,
    devices: &Devices,
    provisioning: &mut Provisioning,
    request: u64,
    order: OperatorOrder,
) -> Option<Answer> {
    let asker = Asker::Operator { request };
    match order {
        OperatorOrder::Restart { device, restart } => {
            ctx.tell(Internal::Restart { device, restart, asker });
            None
        }
        OperatorOrder::ShowText { device, text } => {
            ctx.tell(Internal::ShowText { device, text, asker });
            None
        }
        OperatorOrder::DropCall { call } => {
            let known = calls.drop_call(ctx, call);
            let unknown = || Refusal::new(Code::NotFound).value("call", call);
            let result = known.then_some(OperatorReply::Accepted).ok_or_else(unknown);
            Some(Answer::reply(result))
        }
        OperatorOrder::Inspect { device } => {
            let Some(known) = ctx.directory.effective(device) else {
                return Some(Answer::reply(Err(Refusal::new(Code::NotFound))));
            };
            let mut state = devices.state(ctx.directory, device);
            state.device = known.name.as_str().into();
            state.calls = calls.of_device(device);
            Some(Answer::reply(Ok(OperatorReply::Device(state))))
        }
        OperatorOrder::Whereabouts { devices: asked } => {
            let found = asked.iter().filter_map(|device| devices.whereabouts(*device));
            Some(Answer::reply(Ok(OperatorReply::Whereabouts(found.take(MOST_ASKED).collect()))))
        }
        OperatorOrder::Refused { mac, address } => {
            Some(Answer::reply(Ok(OperatorReply::Refused(devices.turned_away(mac, address)))))
        }
        OperatorOrder::Overview => Some(Answer::Overview),
        OperatorOrder::Provision { device, identity, password, address } => {
            let screen = Screen { request, address };
            provisioning.screen(ctx, screen, device, &identity, password);
            None
        }
    }
}
