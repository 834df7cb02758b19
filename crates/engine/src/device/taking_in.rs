//! The store takes a new phone in (SP-43): it is asked, and the phone's REGISTER waits for that a while. What
//! became of it is asked until it is known.

use core::time::Duration;

use jackfield_model::{Actor, Operation, Outcome, Phone};
use jackfield_sip::{Flow, Message, Response, Status};
use jackfield_vocabulary::{Code, DeviceRestart, Mac, ObjectId, OperationId, Refusal};

use super::newcomer::{Asked, Waiting, user};
use super::refusals::Who;
use super::{Devices, failure, hardware};
use crate::context::{Asker, Context, Internal, Timer};
use crate::endpoint::{Endpoint, answer};
use crate::interface::{Access, Decision, Level, Output};

impl Devices {
    /// Asks the store to take a phone in, whose REGISTER waits for that.
    pub(super) fn submit_newcomer(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        mac: Mac,
        model: ObjectId,
    ) {
        let operation = ctx.ids.operation();
        let actor = Actor::Device {
            device: format!("{mac}").into(),
            address: flow.remote.to_string().into(),
        };
        let what = Operation::AutoRegister { node: (&*self.node).into(), mac, model };
        ctx.out.push(Output::Submit { operation, actor, what });
        ctx.count("newcomers");
        let timer = ctx.after(ANSWER, Timer::AutoRegisterAnswer { operation });
        let waiting = Waiting { operation, request: request.clone(), flow: flow.clone() };
        self.newcomers.waiting.insert(mac, waiting);
        let asked = Asked { mac, source: flow.remote.ip().into(), timer };
        self.newcomers.operations.insert(operation, asked);
    }

    /// The store decided on an operation; tells whether it was one of these.
    pub(crate) fn decided(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        operation: OperationId,
        decision: &Decision,
    ) -> bool {
        let Some(Asked { mac, source, timer }) = self.newcomers.operations.get(&operation).copied()
        else {
            return false;
        };
        if is_open(decision) {
            // It is asked again.
            self.come_again(ctx, endpoint, operation, mac);
            return true;
        }
        ctx.timers.cancel(timer);
        self.newcomers.operations.remove(&operation);
        let committed = match decision {
            Decision::Committed(Outcome::AutoRegistered { device, created, .. }) => {
                Some((*device, *created))
            }
            _ => None,
        };
        // It may have been deleted before it was known that it was taken in.
        let committed = committed.filter(|(device, _)| ctx.directory.entry(*device).is_some());
        let waiting = self.newcomers.waiting_for(mac, operation, committed.is_some());
        match committed {
            Some((device, _)) => {
                self.provisional.expect(device, source, ctx.now);
                self.wait_for_owner(ctx, device, mac);
            }
            None if self.newcomers.is_undecided(mac) => {}
            None => self.unclaimed.refused(mac),
        }
        let Some(Waiting { request, flow, .. }) = waiting else { return true };
        let response = match (committed, decision) {
            (Some((device, true)), _) => self.take_in(ctx, &flow, &request, device),
            // Another node, or somebody by hand, was first: it is no unknown phone any more.
            (Some(_), _) => {
                self.answer_waiting(ctx, endpoint, (&flow, true), &request);
                return true;
            }
            (None, Decision::Refused(refusal)) => self.refused(ctx, &flow, &request, mac, refusal),
            (None, _) => answer::unavailable(&request, 5 + ctx.ids.below(26)),
        };
        endpoint.reply(ctx, &flow, &request, &response);
        true
    }

    /// The store did not decide in time. What it decides later, the next REGISTER finds; and should the
    /// phone never come back, it is known what is to be watched for, and what not.
    pub(super) fn no_decision(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        operation: OperationId,
    ) {
        let Some(asked) = self.newcomers.operations.get_mut(&operation) else { return };
        asked.timer = ctx.after(INQUIRY, Timer::AutoRegisterAnswer { operation });
        let mac = asked.mac;
        if !self.come_again(ctx, endpoint, operation, mac) {
            ctx.out.push(Output::Inquire { operation });
        }
    }

    /// The phone is told to come again, if it still waits for this operation.
    fn come_again(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        operation: OperationId,
        mac: Mac,
    ) -> bool {
        let waiting = self.newcomers.waiting_for(mac, operation, false);
        let Some(waiting) = waiting else { return false };
        let response = answer::unavailable(&waiting.request, 5 + ctx.ids.below(26));
        endpoint.reply(ctx, &waiting.flow, &waiting.request, &response);
        true
    }

    /// The phone is one of ours now: it is registered, may fetch its file, and is told to.
    fn take_in(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        device: ObjectId,
    ) -> Response {
        let phone = ctx.directory.typed::<Phone>(device);
        if let Some(mac) = phone.and_then(|phone| hardware::in_name(&phone.name)) {
            self.refusals.forget(Who::Hardware(mac));
        }
        let address = Some(flow.remote.ip());
        let (generation, length) = (ctx.directory.secrets().generation(device), super::WINDOW);
        ctx.out.push(Output::Access(Access::Window { device, address, generation, length }));
        ctx.after(SETTLE, Timer::AutoRegisterRestart { device });
        self.bind_newcomer(ctx, flow, request, device)
    }

    /// Tells a phone that was taken in to fetch its file.
    pub(super) fn restart_newcomer(&mut self, ctx: &mut Context<'_>, device: ObjectId) {
        let (restart, asker) = (DeviceRestart::Restart, Asker::Nobody);
        ctx.tell(Internal::Restart { device, restart, asker });
    }

    fn refused(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        mac: Mac,
        refusal: &Refusal,
    ) -> Response {
        ctx.count("newcomers-refused");
        self.refusals.keep(ctx.now, Who::Hardware(mac), flow, &user(request), refusal.clone());
        failure::tell(&mut self.failures, ctx, flow, Level::Warn, "unknown phone refused", |_| {
            vec![("device.mac", mac.to_string()), ("reason", refusal.to_string())]
        });
        if refusal.code == Code::RangeExhausted
            && self.newcomers.alarmed.is_none_or(|at| ctx.now.since(at) > ALARM_AGAIN)
        {
            self.newcomers.alarmed = Some(ctx.now);
            let values = vec![("node", self.node.to_string())];
            ctx.alarm("auto-registration-range-exhausted", values);
        }
        match refusal.code {
            Code::DatabaseUnavailable | Code::Overloaded => {
                answer::unavailable(request, 5 + ctx.ids.below(26))
            }
            code => answer::warn(request, Status::FORBIDDEN, &self.node, code.name()),
        }
    }
}

/// Can the store not say yet what became of an operation?
fn is_open(decision: &Decision) -> bool {
    match decision {
        Decision::Unknown => true,
        Decision::Refused(refusal) => refusal.code == Code::OutcomeUnknown,
        Decision::Committed(_) | Decision::NeverSeen => false,
    }
}

/// How long the store may take.
const ANSWER: Duration = Duration::from_secs(3);
/// How often it is asked after that, until it knows.
const INQUIRY: Duration = Duration::from_secs(30);
/// How long a phone gets to digest its 200 before it is told to restart.
const SETTLE: Duration = Duration::from_secs(1);
/// How often an alarm is raised again.
const ALARM_AGAIN: Duration = Duration::from_secs(60);
