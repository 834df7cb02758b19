//! Answered legs are asked from time to time whether they still live: a phone may lose its power in
//! the middle of a call, and then nobody would ever say that it is over.

use core::time::Duration;

use jackfield_sip::{ClientKey, Message, Method, Status};
use jackfield_vocabulary::{Cause, LegId};

use super::super::{Devices, Sent};
use super::headers;
use crate::context::{Context, Timer};
use crate::endpoint::Endpoint;

impl Devices {
    /// Sets the time of the next question.
    pub(super) fn plan_audit(&mut self, ctx: &mut Context<'_>, leg: LegId) {
        if let Some(up) = self.legs.up(leg) {
            up.audit = Some(ctx.after(INTERVAL, Timer::LegAudit { leg }));
        }
    }

    /// Asks an answered leg, unless something else goes on there that will tell.
    pub(in crate::device) fn audit_leg(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
    ) {
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let flow = self.way(leg);
        let contact = headers::contact(&flow, &leg.token);
        let Some(up) = self.legs.up(id) else { return };
        if up.ending.is_none() {
            let request = headers::usual(up.dialog.request(Method::Options), &contact);
            let key = endpoint.request(ctx, flow, &request);
            self.sent.insert(key, Sent::Audit(id));
        }
        self.plan_audit(ctx, id);
    }

    /// The phone answers; only one that knows nothing of the call ends it.
    pub(in crate::device) fn audit_answered(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
        id: LegId,
        message: &Message,
    ) {
        let Some(status) = message.status().filter(|status| status.is_final()) else { return };
        self.sent.remove(&key);
        if matches!(status, Status::CALL_DOES_NOT_EXIST | Status::REQUEST_TIMEOUT) {
            self.audit_failed(ctx, endpoint, id);
        }
    }

    /// The phone is gone (RFC 3261 section 12.2.1.2).
    pub(in crate::device) fn audit_failed(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
    ) {
        if self.legs.up(id).is_some() {
            ctx.count("legs-lost");
            self.lose_leg(ctx, endpoint, id, Cause::DeviceUnreachable);
        }
    }
}

/// How often a leg is asked.
const INTERVAL: Duration = Duration::from_secs(600);
