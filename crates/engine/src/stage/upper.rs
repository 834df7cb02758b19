//! The layers above the devices, put together as `lib.rs` does, without the devices.

use core::net::IpAddr;
use std::sync::Arc;

use jackfield_vocabulary::{
    CallId, Code, Command, MediaEvent, ObjectId, OperationId, Refusal, SecretText, SessionId,
    VerifyId,
};
use serde::{Deserialize, Serialize};

use crate::call::Calls;
use crate::context::{Context, Internal, Timer};
use crate::cti::Cti;
use crate::interface::{
    Decision, OperatorReply, Output, Overview, Ownership, ServiceOrder, Verification,
};
use crate::ivr::{Ivr, SELF_PROVISIONING};
use crate::provisioning::{Provisioning, Screen};

/// Everything above the devices.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Upper {
    calls: Calls,
    cti: Cti,
    ivr: Ivr,
    provisioning: Provisioning,
}

impl Upper {
    /// Takes a message between layers; gives back those that are for the devices.
    pub(crate) fn take(
        &mut self,
        context: &mut Context<'_>,
        message: Internal,
    ) -> Option<Internal> {
        match message {
            Internal::ToCall(event) => self.calls.leg_event(context, event),
            Internal::ToCti(told) => {
                let why = self.ivr.turned_away(context, &told);
                self.cti.leg(context, told, why);
            }
            Internal::Divert(order) => self.calls.divert(context, order),
            Internal::Session { session, account } => {
                self.cti.session(context, session, account, true);
            }
            Internal::Command { session, request, command } => {
                self.cti.command(context, session, request, command);
            }
            Internal::Told { session: SELF_PROVISIONING, told } => self.ivr.told(context, told),
            Internal::Told { .. } => {}
            Internal::Provision { session, account, command } => {
                self.provisioning.command(context, session, account, command);
            }
            Internal::Provisioned { session, device, outcome } => {
                self.cti.provisioned(context, session, device, outcome);
            }
            Internal::Restarting { device } => self.provisioning.restarting(context, device),
            Internal::DeviceTold { asker, result } => {
                self.cti.device_told(context, asker, result);
            }
            below => return Some(below),
        }
        None
    }

    /// Takes a timer that fired; gives back those of the devices.
    pub(crate) fn timer(&mut self, context: &mut Context<'_>, timer: Timer) -> Option<Timer> {
        match &timer {
            Timer::NoAnswer { .. } | Timer::Exchange { .. } => self.calls.timer(context, &timer),
            Timer::NewCallAccept { .. }
            | Timer::MediaAllocation { .. }
            | Timer::MediaAnswer { .. }
            | Timer::Playing { .. }
            | Timer::Collection { .. }
            | Timer::ShowTextDue { .. } => self.cti.timer(context, &timer),
            Timer::RouteDelay | Timer::OwnershipEnd | Timer::IvrCall { .. } => {
                self.ivr.timer(context, &timer);
            }
            Timer::VerifyAnswer { .. }
            | Timer::ProofExpiry { .. }
            | Timer::DecisionInquiry { .. }
            | Timer::ProvisionRestart { .. } => self.provisioning.timer(context, &timer),
            _ => return Some(timer),
        }
        None
    }

    /// The configuration changed.
    pub(crate) fn directory_changed(&mut self, context: &mut Context<'_>) {
        self.cti.directory_changed(context);
    }

    /// The media driver tells something.
    pub(crate) fn media(&mut self, context: &mut Context<'_>, event: MediaEvent) {
        self.cti.media(context, event);
    }

    /// The answer to an operation; false when it is none of this half's.
    pub(crate) fn decided(
        &mut self,
        context: &mut Context<'_>,
        operation: OperationId,
        decision: &Decision,
    ) -> bool {
        self.provisioning.decided(context, operation, decision)
    }

    /// The answer to a check of a secret.
    pub(crate) fn verified(
        &mut self,
        context: &mut Context<'_>,
        verify: VerifyId,
        verification: &Verification,
    ) {
        self.provisioning.verified(context, verify, verification);
    }

    /// Lets go what this node owns no longer.
    pub(crate) fn watch_ownership(&mut self, context: &mut Context<'_>) {
        self.ivr.watch_ownership(context);
    }

    /// The shell says who owns a route point.
    pub(crate) fn owned(
        &mut self,
        context: &mut Context<'_>,
        device: ObjectId,
        ownership: Ownership,
    ) {
        self.ivr.owned(context, device, ownership);
    }

    /// This node owns the route point of the IVR.
    pub(crate) fn owns(&self) -> bool {
        self.ivr.owns()
    }

    /// A service is to start or stop.
    pub(crate) fn service(&mut self, context: &mut Context<'_>, order: &ServiceOrder) {
        match order {
            ServiceOrder::StartCtiManager => self.cti.start(),
            ServiceOrder::StopCtiManager => self.cti.stop(context),
            ServiceOrder::StartSelfProvisioning(start) => {
                self.provisioning.service(Some(Arc::new(start.settings.clone())));
                self.ivr.start(context, start);
            }
            ServiceOrder::StopSelfProvisioning => {
                self.provisioning.service(None);
                self.ivr.stop(context);
            }
        }
    }

    /// An application outside the engine signed in, or its session ended.
    pub(crate) fn session(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        account: Option<ObjectId>,
    ) {
        self.cti.session(context, session, account, false);
    }

    /// A command of an application outside the engine.
    pub(crate) fn application(
        &mut self,
        context: &mut Context<'_>,
        session: SessionId,
        request: u64,
        command: Command,
    ) {
        self.cti.outside_command(context, session, request, command);
    }

    /// An operator ends a call.
    pub(crate) fn drop_call(&mut self, context: &mut Context<'_>, request: u64, call: CallId) {
        let result = if self.calls.drop_call(context, call) {
            Ok(OperatorReply::Accepted)
        } else {
            Err(Refusal::new(Code::NotFound).value("call", call))
        };
        context.out.push(Output::Reply { request, result });
    }

    /// A phone's own screen wants it provisioned (SP-06).
    pub(crate) fn provision(
        &mut self,
        context: &mut Context<'_>,
        request: u64,
        device: ObjectId,
        identity: &str,
        password: Option<SecretText>,
    ) {
        let screen = Screen { request, address: IpAddr::from([192, 0, 2, 50]) };
        self.provisioning.screen(context, screen, device, identity, password);
    }

    /// The calls of a device, with their states in words.
    pub(crate) fn calls_of(&self, device: ObjectId) -> Vec<(CallId, Box<str>)> {
        self.calls.of_device(device)
    }

    /// Fills in what this half knows of what is going on.
    pub(crate) fn overview(&self, overview: &mut Overview) {
        (overview.calls, overview.calls_connected) = self.calls.counts();
        overview.sessions = self.cti.sessions();
        overview.ivr_calls = self.ivr.calls();
        overview.ivr = self.ivr.state();
        overview.ivr_owner = self.ivr.owner();
        overview.ivr_starts = self.ivr.starts();
    }

    /// How much is held in all: nothing of it stays when nobody calls.
    pub(crate) fn held(&self) -> Held {
        let (cti_calls, media) = self.cti.counts();
        let (checks, assignments, restarts) = self.provisioning.counts();
        Held { legs: self.calls.legs(), cti_calls, media, checks, assignments, restarts }
    }
}

/// What the layers above the devices hold at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Legs of calls.
    pub(crate) legs: usize,
    /// Ends of calls that applications hold.
    pub(crate) cti_calls: usize,
    /// Media resources.
    pub(crate) media: usize,
    /// Checks of secrets.
    pub(crate) checks: usize,
    /// Assignments without an outcome.
    pub(crate) assignments: usize,
    /// Restarts of phones to come.
    pub(crate) restarts: usize,
}
